"""A generator as a Keras model of standard layers: loading it needs Keras only, not gan3."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.baselines.networks import (
    AutoWriteGenerator,
    AuxiliaryGenerator,
    BatchNorm,
    ConditionalGenerator,
)
from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.export.interface import SLOPES, entries_of, label_input
from gan3.method.drawing import IMAGE
from gan3.method.system import System
from gan3.nn.dense import EPSILON, DenseLayer

Layer = Any  # Keras' classes are found at run time only
Weights = tuple[tf.Variable, tf.Variable]  # of a layer: kernel and biases


def save(path: Path, system: System, name: str) -> None:
    """Write the generator to a .keras file. Raises UserError for layers that are not known here."""
    model = build(system, name)
    with tempfile.TemporaryDirectory() as folder:  # Keras writes to names that end in .keras only
        temporary = Path(folder) / "model.keras"
        model.save(temporary)
        write_atomically(path, temporary.read_bytes())


def build(system: System, name: str) -> tf.keras.Model:
    """The model: `noise` [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits this input is called `label`, 0 to K - 1. It returns
    images [B, 28, 28] in 0..1. Raises UserError for layers that are not known here.
    """
    layers = system.dense_layers()
    forward = _CONVOLUTIONAL.get(type(getattr(system, "generator", None)))
    if layers is None and forward is None:
        raise UserError(
            f"{name}: has layers that are not known as Keras layers; export it as savedmodel"
        )
    label = label_input(system)
    digit = tf.keras.Input((), dtype="int32", name=label)
    noise = tf.keras.Input((entries_of(system),), name="noise")
    if layers is not None:
        latent = noise
        if system.class_conditional:
            own, classes = noise, len(system.class_names)  # own: of the requested class
            if getattr(system, "label_entry", False):
                ones = _embedding(digit, np.ones((classes, 1), np.float32))
                own = tf.keras.layers.Concatenate()([noise, ones])
            latent = _latent(digit, own, classes)
        pixels = _dense_stack(layers, latent)
    else:
        pixels = forward(system.generator, digit, noise)
    span = 1 - system.pixel_min
    pixels = tf.keras.layers.Rescaling(1 / span, -system.pixel_min / span)(pixels)
    images = tf.keras.layers.Reshape((IMAGE, IMAGE), name="images")(pixels)
    inputs = {label: digit, "noise": noise} if system.class_conditional else {"noise": noise}
    return tf.keras.Model(inputs, images, name="generator")


# -- dense generators ------------------------------------------------------------------------------
def _latent(digit: Layer, noise: Layer, classes: int) -> Layer:
    """One-hot times noise, [B, K entries]: an embedding of zeros and ones selects the class's."""
    entries = noise.shape[1]
    selection = np.repeat(np.eye(classes, dtype=np.float32), entries, axis=1)  # [K, K entries]
    repeated = tf.keras.layers.RepeatVector(classes)(noise)  # [B, K, entries]
    repeated = tf.keras.layers.Reshape((classes * entries,))(repeated)
    return tf.keras.layers.Multiply()([_embedding(digit, selection), repeated])


def _dense_stack(layers: list[DenseLayer], h: Layer) -> Layer:
    for layer in layers:
        h = _activation(layer.activation, _dense(h, layer.w, layer.b))
        if layer.scale is not None:
            norm = tf.keras.layers.LayerNormalization(epsilon=EPSILON)
            h = _with_weights(norm, h, layer.scale, layer.shift)
    return h


# -- convolutional generators: what `forward` of each computes in gan3.baselines.networks ----------
def _auto_write(generator: AutoWriteGenerator, digit: Layer, noise: Layer) -> Layer:
    h = _dense(noise, *generator.sheet)
    h = _relu(_batch_norm(generator.norm0, tf.keras.layers.Reshape((56, 56, 1))(h)))
    for weights, norm in (
        (generator.conv1, generator.norm1),
        (generator.conv2, generator.norm2),
    ):
        h = _upsample(_relu(_batch_norm(norm, _conv(h, weights))))
    return _activation("sigmoid", _conv(h, generator.pixels))


def _conditional(generator: ConditionalGenerator, digit: Layer, noise: Layer) -> Layer:
    h = tf.keras.layers.Concatenate()([noise, _embedding(digit, generator.digit)])
    h = tf.keras.layers.Reshape((1, 1, -1))(h)
    for i, weights in enumerate(generator.layers[:-1]):
        stride, padding = (1, "valid") if i == 2 else (2, "same")
        h = _batch_norm(generator.norms[i], _relu(_conv_transpose(h, weights, stride, padding)))
    return _activation("tanh", _conv_transpose(h, generator.layers[-1], 2, "same"))


def _auxiliary(generator: AuxiliaryGenerator, digit: Layer, noise: Layer) -> Layer:
    h = tf.keras.layers.Multiply()([noise, _embedding(digit, generator.digit)])
    h = tf.keras.layers.Reshape((3, 3, -1))(_relu(_dense(h, *generator.sheet)))
    h = _batch_norm(generator.norm1, _relu(_conv_transpose(h, generator.conv1, 1, "valid")))
    h = _batch_norm(generator.norm2, _relu(_conv_transpose(h, generator.conv2, 2, "same")))
    return _activation("tanh", _conv_transpose(h, generator.pixels, 2, "same"))


_CONVOLUTIONAL = {
    AutoWriteGenerator: _auto_write,
    ConditionalGenerator: _conditional,
    AuxiliaryGenerator: _auxiliary,
}


# -- layers with their weights ---------------------------------------------------------------------
def _with_weights(layer: Layer, h: Layer, *weights: np.ndarray | tf.Variable) -> Layer:
    """The output of a layer for h, after it has been given its weights."""
    out = layer(h)
    layer.set_weights([np.asarray(weight) for weight in weights])
    return out


def _dense(h: Layer, w: np.ndarray | tf.Variable, b: np.ndarray | tf.Variable) -> Layer:
    return _with_weights(tf.keras.layers.Dense(w.shape[1]), h, w, b)


def _embedding(digit: Layer, rows: np.ndarray | tf.Variable) -> Layer:
    return _with_weights(tf.keras.layers.Embedding(*rows.shape, trainable=False), digit, rows)


def _conv(h: Layer, weights: Weights) -> Layer:
    """Stride 2, SAME: all convolutions of these generators."""
    side, _, _, out = weights[0].shape
    return _with_weights(tf.keras.layers.Conv2D(out, side, 2, "same"), h, *weights)


def _conv_transpose(h: Layer, weights: Weights, stride: int, padding: str) -> Layer:
    side, _, out, _ = weights[0].shape
    return _with_weights(tf.keras.layers.Conv2DTranspose(out, side, stride, padding), h, *weights)


def _batch_norm(norm: BatchNorm, h: Layer) -> Layer:
    layer = tf.keras.layers.BatchNormalization(
        epsilon=EPSILON, scale=norm.scale is not None, center=norm.shift is not None
    )
    # As in training, it normalises by the moments of the batch.
    out = layer(h, training=True) if norm.moments == "batch" else layer(h)
    weights = (norm.scale, norm.shift, norm.mean, norm.variance)
    layer.set_weights([weight.numpy() for weight in weights if weight is not None])
    return out


def _upsample(h: Layer) -> Layer:
    """Bilinear to 56 x 56 as in TensorFlow 1, which no layer does: products with a matrix.

    Each pixel, and between two neighbours their mean; the last pixel twice.
    """
    each = np.eye(28)
    between = (each + each[np.minimum(np.arange(28) + 1, 27)]) / 2
    matrix = np.stack([each, between], axis=1).reshape(56, 28).T  # [28, 56]
    h = tf.keras.layers.Permute((3, 1, 2))(h)  # [B, C, 28, 28]
    for order in ((1, 3, 2), (3, 2, 1)):  # columns, then rows; at the end [B, 56, 56, C]
        h = _with_weights(tf.keras.layers.Dense(56, use_bias=False), h, matrix)
        h = tf.keras.layers.Permute(order)(h)
    return h


def _relu(h: Layer) -> Layer:
    return _activation("relu", h)


def _activation(name: str, h: Layer) -> Layer:
    if name in SLOPES:
        return tf.keras.layers.LeakyReLU(negative_slope=SLOPES[name])(h)
    return tf.keras.layers.Activation(name)(h)
