"""The generators with convolutions as plain arrays, which the web page computes in a browser.

Generators of dense layers are lists of `nn.dense.DenseLayer`. These may have convolutions
(`nn.convolutions.ConvLayer`) and the layers below, on images [height, width, channels].
"""

from typing import NamedTuple

import numpy as np

from gan3.nn.convolutions import ConvLayer
from gan3.nn.dense import EPSILON, DenseLayer


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
    """x scale + shift: a batch normalisation by its running moments."""

    scale: np.ndarray  # [channels]
    shift: np.ndarray  # [channels]


class UpsampleLayer(NamedTuple):
    """Twice the side: the pixels, and the mean of two between them; the last one is repeated."""


PlainLayer = DenseLayer | ConvLayer | LabelLayer | ConvTransposeLayer | ScaleLayer | UpsampleLayer


def scale_of(
    mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> ScaleLayer:
    """The `ScaleLayer` of a batch normalisation with these arrays [channels]."""
    slope = scale / np.sqrt(variance + np.float32(EPSILON))
    return ScaleLayer(slope, shift - mean * slope)


def folded(w: np.ndarray, b: np.ndarray, norm: ScaleLayer) -> tuple[np.ndarray, np.ndarray]:
    """Weights [..., out] and biases [out] of a layer with a normalisation right after it."""
    return w * norm.scale, b * norm.scale + norm.shift
