"""The generators with convolutions as plain arrays, which the web page computes in a browser.

Generators of dense layers are lists of `nn.dense.DenseLayer`. These may have convolutions
(`nn.convolutions.ConvLayer`) and the layers below, on images [height, width, channels].
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan3.nn.convolutions import ConvLayer
from gan3.nn.dense import EPSILON, STRIDE, ConvTransposeSpec, DenseLayer, DenseSpec


class LabelLayer(NamedTuple):
    """The first layer: noise [entries] and the row of the class, side by side or multiplied."""

    rows: np.ndarray  # [K, width]
    multiplies: bool


class ConvTransposeLayer(NamedTuple):
    """activation(transposed convolution + b); TensorFlow's kernel with its last axes swapped."""

    w: np.ndarray  # [side, side, in, out]
    b: np.ndarray  # [out]
    activation: str  # of nn.dense.ACTIVATIONS
    stride: int
    padding: str  # "SAME" or "VALID"


class ScaleLayer(NamedTuple):
    """activation(x scale + shift): a batch normalisation by its running moments."""

    scale: np.ndarray  # [channels]
    shift: np.ndarray  # [channels]
    activation: str  # of nn.dense.ACTIVATIONS


class UpsampleLayer(NamedTuple):
    """Twice the side: the pixels, and the mean of two between them; the last one is repeated."""


PlainLayer = DenseLayer | ConvLayer | LabelLayer | ConvTransposeLayer | ScaleLayer | UpsampleLayer


def scale_of(
    mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray, activation: str
) -> ScaleLayer:
    """A batch normalisation with these arrays [channels], and the activation after it."""
    slope = scale / np.sqrt(variance + np.float32(EPSILON))
    return ScaleLayer(slope, shift - mean * slope, activation)


def plain_layers_of(
    spec: DenseSpec | ConvTransposeSpec, arrays: Mapping[str, np.ndarray]
) -> list[PlainLayer]:
    """A layer as `nn.dense` has it; its batch normalisation or its biases of pixels are apart.

    Folded into the weights, as there, a normalisation would change what float16 makes of them, and
    a transposed convolution would have 784 times as many.
    """
    if isinstance(spec, ConvTransposeSpec):
        w, b = arrays[f"{spec.name}/w"].transpose(0, 1, 3, 2), arrays[f"{spec.name}/b"]
        sums = ConvTransposeLayer(w, np.zeros(1, w.dtype), "none", STRIDE, "SAME")
        return [sums, ScaleLayer(np.ones_like(b), b, spec.activation)]
    if not spec.batch_norm:
        return [spec.layer(arrays)]
    w, b = arrays[f"{spec.name}/w"], arrays[f"{spec.name}/b"]  # b shifts after the normalisation
    mean, variance, scale = (
        arrays[f"{spec.name}/{part}"] for part in ("mean", "variance", "scale")
    )
    product = DenseLayer(w, np.zeros_like(b), "none")
    return [product, scale_of(mean, variance, scale, b, spec.activation)]
