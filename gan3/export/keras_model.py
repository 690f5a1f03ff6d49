"""A generator as a Keras model of standard layers: loading it needs Keras only, not gan3."""

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.files import write_atomically
from gan3.export.interface import SLOPES, label_input
from gan3.models.generator import Generator
from gan3.nn.plain import EPSILON, DenseLayer
from gan3.nn.specs import (
    IMAGE,
    Arrays,
    AveragePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Label,
    Spec,
    Upsample,
)

Layer = Any  # Keras' classes are found at run time only


def save(path: Path, generator: Generator) -> None:
    """Write the generator to a .keras file."""
    model = build(generator)
    with tempfile.TemporaryDirectory() as folder:  # Keras writes to names that end in .keras only
        temporary = Path(folder) / "model.keras"
        model.save(temporary)
        write_atomically(path, temporary.read_bytes())


def build(generator: Generator) -> tf.keras.Model:
    """The model: `noise` [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits this input is called `label`, 0 to K - 1. It returns
    images [B, 28, 28] in 0..1.
    """
    label, classes = label_input(generator), len(generator.class_names)
    digit = tf.keras.Input((), dtype="int32", name=label)
    noise = tf.keras.Input((generator.noise_entries,), name="noise")
    h = noise
    if generator.class_conditional and not isinstance(generator.specs[0], Label):
        own = noise  # of the requested class
        if generator.label_entry:
            ones = _embedding(digit, np.ones((classes, 1), np.float32))
            own = tf.keras.layers.Concatenate()([noise, ones])
        h = _latent(digit, own, classes)
    for spec in generator.specs:
        h = _add(spec, generator.arrays, h, digit, generator.moments == "batch")
    span = 1 - generator.pixel_min
    pixels = tf.keras.layers.Rescaling(1 / span, -generator.pixel_min / span)(h)
    images = tf.keras.layers.Reshape((IMAGE, IMAGE), name="images")(pixels)
    inputs = {label: digit, "noise": noise} if generator.class_conditional else {"noise": noise}
    return tf.keras.Model(inputs, images, name="generator")


def _latent(digit: Layer, noise: Layer, classes: int) -> Layer:
    """One-hot times noise, [B, K entries]: an embedding of zeros and ones selects the class's."""
    entries = noise.shape[1]
    selection = np.repeat(np.eye(classes, dtype=np.float32), entries, axis=1)  # [K, K entries]
    repeated = tf.keras.layers.RepeatVector(classes)(noise)  # [B, K, entries]
    repeated = tf.keras.layers.Reshape((classes * entries,))(repeated)
    return tf.keras.layers.Multiply()([_embedding(digit, selection), repeated])


def _add(spec: Spec, arrays: Arrays, h: Layer, digit: Layer, own_moments: bool) -> Layer:
    """The output of one more layer."""
    if isinstance(spec, Label):
        layer = spec.layer(arrays)
        join = tf.keras.layers.Multiply if layer.multiplies else tf.keras.layers.Concatenate
        return join()([h, _embedding(digit, layer.rows)])
    if isinstance(spec, Upsample):
        return _upsample(h)
    if isinstance(spec, AveragePool):
        return tf.keras.layers.AveragePooling2D(2)(h)
    if isinstance(spec, BatchNorm):
        return _activation(spec.activation, _batch_norm(spec, arrays, h, own_moments))
    if isinstance(spec, Conv | ConvTranspose):
        w, b = arrays[f"{spec.name}/w"], arrays[f"{spec.name}/b"]
        h = _as_images(h, spec.inputs)
        if isinstance(spec, ConvTranspose):
            layer = tf.keras.layers.Conv2DTranspose(
                spec.outputs, spec.side, spec.stride, spec.padding.lower()
            )
            return _activation(spec.activation, _with_weights(layer, h, w, b))
        padding = "same"
        if spec.zero_padding is not None:
            h, padding = tf.keras.layers.ZeroPadding2D(spec.zero_padding)(h), "valid"
        layer = tf.keras.layers.Conv2D(spec.outputs, spec.side, spec.stride, padding)
        h = _with_weights(layer, h, w, b)
        if spec.pool:
            h = tf.keras.layers.MaxPooling2D(2, padding="same")(h)
        return _activation(spec.activation, h)
    return _dense(spec.layer(arrays), h)


# -- layers with their weights ---------------------------------------------------------------------
def _with_weights(layer: Layer, h: Layer, *weights: np.ndarray) -> Layer:
    """The output of a layer for h, after it has been given its weights."""
    out = layer(h)
    layer.set_weights([np.asarray(weight) for weight in weights])
    return out


def _as_images(h: Layer, channels: int) -> Layer:
    """[B, side, side, channels], from that or from rows."""
    if len(h.shape) == 4:
        return h
    side = math.isqrt(h.shape[1] // channels)
    return tf.keras.layers.Reshape((side, side, channels))(h)


def _dense(layer: DenseLayer, h: Layer) -> Layer:
    if len(h.shape) == 4:
        h = tf.keras.layers.Flatten()(h)
    h = _with_weights(tf.keras.layers.Dense(layer.w.shape[1]), h, layer.w, layer.b)
    h = _activation(layer.activation, h)
    if layer.scale is None:
        return h
    norm = tf.keras.layers.LayerNormalization(epsilon=EPSILON)
    return _with_weights(norm, h, layer.scale, layer.shift)


def _embedding(digit: Layer, rows: np.ndarray) -> Layer:
    return _with_weights(tf.keras.layers.Embedding(*rows.shape, trainable=False), digit, rows)


def _batch_norm(spec: BatchNorm, arrays: Arrays, h: Layer, own_moments: bool) -> Layer:
    h = _as_images(h, spec.width)
    layer = tf.keras.layers.BatchNormalization(
        epsilon=EPSILON, scale=spec.affine, center=spec.affine
    )
    # As in training, it normalises by the moments of the batch.
    out = layer(h, training=True) if own_moments else layer(h)
    layer.set_weights([arrays[name] for name in spec.shapes()])
    return out


def _upsample(h: Layer) -> Layer:
    """Bilinear to twice the side as in TensorFlow 1, which no layer does: products with a matrix.

    Each pixel, and between two neighbours their mean; the last pixel twice.
    """
    side = h.shape[1]
    each = np.eye(side)
    between = (each + each[np.minimum(np.arange(side) + 1, side - 1)]) / 2
    matrix = np.stack([each, between], axis=1).reshape(2 * side, side).T  # [side, 2 side]
    h = tf.keras.layers.Permute((3, 1, 2))(h)  # [B, C, side, side]
    for order in ((1, 3, 2), (3, 2, 1)):  # columns, then rows; at the end [B, 2 side, 2 side, C]
        h = _with_weights(tf.keras.layers.Dense(2 * side, use_bias=False), h, matrix)
        h = tf.keras.layers.Permute(order)(h)
    return h


def _activation(name: str, h: Layer) -> Layer:
    if name == "none":
        return h
    if name in SLOPES:
        return tf.keras.layers.LeakyReLU(negative_slope=SLOPES[name])(h)
    return tf.keras.layers.Activation(name)(h)
