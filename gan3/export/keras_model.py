"""A generator as a Keras model of standard layers: loading it needs Keras only, not gan3."""

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from gan3.core.classes import label_input
from gan3.core.files import write_atomically
from gan3.nn import plain
from gan3.nn.plain import SLOPES
from gan3.nn.specs import IMAGE

if TYPE_CHECKING:
    from gan3.models.generator import Generator

layers = tf.keras.layers
Tensor = Any  # Keras' classes are found at run time only


def save(path: Path, generator: "Generator") -> None:
    """Write the generator to a .keras file."""
    model = build(generator)
    with tempfile.TemporaryDirectory() as folder:  # Keras writes to names that end in .keras only
        temporary = Path(folder) / "model.keras"
        model.save(temporary)
        write_atomically(path, temporary.read_bytes())


def build(generator: "Generator") -> tf.keras.Model:
    """The model: `noise` [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits this input is called `label`, 0 to K - 1. It returns
    images [B, 28, 28] in 0..1.
    """
    label, classes = label_input(generator.class_names), len(generator.class_names)
    digit = tf.keras.Input((), dtype="int32", name=label)
    noise = tf.keras.Input((generator.noise_entries,), name="noise")
    h = noise
    if generator.class_conditional and not isinstance(generator.layers[0], plain.LabelLayer):
        own = noise  # entries of the requested class
        if generator.label_entry:
            ones = _embedding(digit, np.ones((classes, 1), np.float32))
            own = layers.Concatenate()([noise, ones])
        h = _latent(digit, own, classes)
    for layer in generator.layers:
        h = _activation(getattr(layer, "activation", "none"), _add(layer, h, digit))
        if isinstance(layer, plain.DenseLayer) and layer.scale is not None:
            norm = layers.LayerNormalization(epsilon=plain.EPSILON)
            h = _with_weights(norm, h, layer.scale, layer.shift)
    span = 1 - generator.pixel_min
    pixels = layers.Rescaling(1 / span, -generator.pixel_min / span)(h)
    images = layers.Reshape((IMAGE, IMAGE), name="images")(pixels)
    inputs = {label: digit, "noise": noise} if generator.class_conditional else {"noise": noise}
    return tf.keras.Model(inputs, images, name="generator")


def _latent(digit: Tensor, noise: Tensor, classes: int) -> Tensor:
    """One-hot times noise, [B, K entries]: an embedding of zeros and ones selects the class's."""
    entries = noise.shape[1]
    selection = np.repeat(np.eye(classes, dtype=np.float32), entries, axis=1)  # [K, K entries]
    repeated = layers.RepeatVector(classes)(noise)  # [B, K, entries]
    repeated = layers.Reshape((classes * entries,))(repeated)
    return layers.Multiply()([_embedding(digit, selection), repeated])


def _add(layer: plain.Layer, h: Tensor, digit: Tensor) -> Tensor:
    """The output of one more layer, before its activation."""
    match layer:
        case plain.LabelLayer(rows, multiplies):
            join = layers.Multiply if multiplies else layers.Concatenate
            return join()([h, _embedding(digit, rows)])
        case plain.DenseLayer(w, b):
            rows = layers.Flatten()(h) if len(h.shape) == 4 else h
            return _with_weights(layers.Dense(len(b)), rows, w, b)
        case plain.ConvLayer(w, b):
            h, padding = _as_images(h, w.shape[2]), "same"
            if layer.zero_padding is not None:
                h, padding = layers.ZeroPadding2D(layer.zero_padding)(h), "valid"
            convolution = layers.Conv2D(len(b), len(w), layer.stride, padding)
            h = _with_weights(convolution, h, w, b)
            return layers.MaxPooling2D(2, padding="same")(h) if layer.pool else h
        case plain.ConvTransposeLayer(w, b):
            convolution = layers.Conv2DTranspose(
                len(b), len(w), layer.stride, layer.padding.lower()
            )
            kernel = w.transpose(0, 1, 3, 2)  # [side, side, out, in]
            return _with_weights(convolution, _as_images(h, w.shape[2]), kernel, b)
        case plain.ScaleLayer(scale, shift):
            norm = layers.BatchNormalization(epsilon=0)
            return _normalise(norm, h, scale, shift, by_batch=False)
        case plain.BatchNormLayer(scale, shift):
            norm = layers.BatchNormalization(epsilon=plain.EPSILON)
            return _normalise(norm, h, scale, shift, by_batch=True)
        case plain.AveragePoolLayer():
            return layers.AveragePooling2D(2)(h)
        case plain.UpsampleLayer():
            # Bilinear as in TensorFlow 1: every pixel twice, then the mean of each 2 x 2 window. At
            # the right and the lower edge windows are cut off, so the last pixel is repeated.
            return layers.AveragePooling2D(2, 1, "same")(layers.UpSampling2D(2)(h))


# -- layers with their weights ---------------------------------------------------------------------
def _with_weights(layer: Any, h: Tensor, *weights: np.ndarray) -> Tensor:
    """The output of a layer for h, after it has been given its weights."""
    out = layer(h)
    layer.set_weights([np.asarray(weight) for weight in weights])
    return out


def _embedding(digit: Tensor, rows: np.ndarray) -> Tensor:
    return _with_weights(layers.Embedding(*rows.shape, trainable=False), digit, rows)


def _as_images(h: Tensor, channels: int) -> Tensor:
    """[B, side, side, channels], from that or from rows."""
    if len(h.shape) == 4:
        return h
    side = math.isqrt(h.shape[1] // channels)
    return layers.Reshape((side, side, channels))(h)


def _normalise(
    norm: Any, h: Tensor, scale: np.ndarray, shift: np.ndarray, by_batch: bool
) -> Tensor:
    """Normalised by the moments of the batch, as in training, or only scaled and shifted."""
    h = _as_images(h, len(scale))
    out = norm(h, training=True) if by_batch else norm(h)
    norm.set_weights([scale, shift, np.zeros_like(shift), np.ones_like(scale)])
    return out


def _activation(name: str, h: Tensor) -> Tensor:
    if name == "none":
        return h
    if name in SLOPES:
        return layers.LeakyReLU(negative_slope=SLOPES[name])(h)
    return layers.Activation(name)(h)
