"""Layers as plain arrays, and what they compute, in NumPy alone.

A network that was trained needs no TensorFlow: `nn.specs` says which arrays it has, and these
layers compute with them. Images are [B, height, width, channels], and SAME padding is TensorFlow's.
A row [B, n] that meets a convolution is a square image with its channels.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

EPSILON = 1e-5  # added to a variance before the division
_MOST_ENTRIES = 2**27  # in the patches of one convolution: 512 MiB
_FEW = 50  # images at a time in a transposed convolution


class DenseLayer(NamedTuple):
    """activation(x w + b), then layer normalisation if there is one."""

    w: np.ndarray  # [in, out]
    b: np.ndarray  # [out]
    activation: str  # a key of ACTIVATIONS
    scale: np.ndarray | None = None  # [out]
    shift: np.ndarray | None = None  # [out]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = ACTIVATIONS[self.activation](x.reshape(len(x), -1) @ self.w + self.b)
        if self.scale is not None:
            mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x = (x - mean) / np.sqrt(variance + np.float32(EPSILON)) * self.scale + self.shift
        return x


class ConvLayer(NamedTuple):
    """activation(x * w + b), with a 2x2 max-pool before the bias if `pool`."""

    w: np.ndarray  # [side, side, in, out]
    b: np.ndarray  # [out]
    activation: str  # a key of ACTIVATIONS
    stride: int
    pool: bool
    zero_padding: int | None = None  # SAME if None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = _as_images(x, self.w.shape[2])
        x = convolve(x, self.w, self.stride, self.zero_padding)
        return ACTIVATIONS[self.activation]((max_pool(x) if self.pool else x) + self.b)


class ConvTransposeLayer(NamedTuple):
    """activation(transposed convolution + b); TensorFlow's kernel with its last axes swapped.

    [B, h, w, in] to [B, h stride, w stride, out] with "SAME" padding, to sides of (h - 1) stride +
    side with "VALID", as TensorFlow's `conv2d_transpose`.
    """

    w: np.ndarray  # [side, side, in, out]
    b: np.ndarray  # [out]
    activation: str  # a key of ACTIVATIONS
    stride: int
    padding: str  # "SAME" or "VALID"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = _as_images(x, self.w.shape[2])
        return np.concatenate([self._of_few(x[i : i + _FEW]) for i in range(0, len(x), _FEW)])

    def _of_few(self, x: np.ndarray) -> np.ndarray:
        """So few images that what each pixel adds, `patches`, fits a processor's cache."""
        (side, _, inputs, out), stride = self.w.shape, self.stride
        patches = x.reshape(-1, inputs) @ self.w.transpose(2, 0, 1, 3).reshape(inputs, -1)
        patches = patches.reshape(*x.shape[:3], side, side, out)
        height, width = ((length - 1) * stride for length in x.shape[1:3])
        y = np.zeros((len(x), height + side, width + side, out), np.float32)
        for i in range(side):
            for j in range(side):
                rows, columns = slice(i, i + height + 1, stride), slice(j, j + width + 1, stride)
                y[:, rows, columns] += patches[:, :, :, i, j]
        if self.padding == "SAME":
            margin = (side - stride) // 2
            y = y[:, margin : margin + height + stride, margin : margin + width + stride]
        return ACTIVATIONS[self.activation](y + self.b)


class ScaleLayer(NamedTuple):
    """activation(x scale + shift): a batch normalisation by its running moments."""

    scale: np.ndarray  # [channels]
    shift: np.ndarray  # [channels]
    activation: str  # a key of ACTIVATIONS

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = _with_channels(x, len(self.scale))
        return ACTIVATIONS[self.activation](x * self.scale + self.shift)


class BatchNormLayer(NamedTuple):
    """activation of x, normalised by its own mean and variance over all axes but the last."""

    scale: np.ndarray  # [channels]
    shift: np.ndarray  # [channels]
    activation: str  # a key of ACTIVATIONS

    def __call__(self, x: np.ndarray) -> np.ndarray:
        x = _with_channels(x, len(self.scale))
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        return scale_of(mean, variance, self.scale, self.shift, self.activation)(x)


class AveragePoolLayer(NamedTuple):
    """The means of 2x2 windows, stride 2, of images with even sides."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        batch, height, width, channels = x.shape
        return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


class UpsampleLayer(NamedTuple):
    """Twice the side: the pixels, and the mean of two between them; the last one is repeated."""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        for axis in (1, 2):
            after = np.take(x, np.minimum(np.arange(x.shape[axis]) + 1, x.shape[axis] - 1), axis)
            both = np.stack([x, (x + after) / 2], axis=axis + 1)
            shape = list(x.shape)
            shape[axis] *= 2
            x = both.reshape(shape)
        return x


class LabelLayer(NamedTuple):
    """The first layer: noise [entries] and the row of the class, side by side or multiplied."""

    rows: np.ndarray  # [K, width]
    multiplies: bool

    def __call__(self, noise: np.ndarray, soft_labels: np.ndarray) -> np.ndarray:
        """The input of the next layer, for `noise` [B, entries] and class weights [B, K]."""
        rows = soft_labels.astype(np.float32) @ self.rows  # [B, width]
        return noise * rows if self.multiplies else np.concatenate([noise, rows], axis=1)


Layer = Callable[..., np.ndarray]


def forward(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """The output of layers for x, both float32; a `LabelLayer` is not among them."""
    for layer in layers:
        x = layer(x)
    return x


def _as_images(x: np.ndarray, channels: int) -> np.ndarray:
    """x as [B, side, side, channels], from that or from rows."""
    if x.ndim == 4:
        return x
    side = math.isqrt(x.shape[1] // channels)
    return x.reshape(len(x), side, side, channels)


def _with_channels(x: np.ndarray, channels: int) -> np.ndarray:
    """x with so many numbers on its last axis: as it is, as rows, or as images."""
    if x.shape[-1] == channels:
        return x
    rows = x.reshape(len(x), -1)
    return rows if rows.shape[1] == channels else _as_images(x, channels)


def scale_of(
    mean: np.ndarray, variance: np.ndarray, scale: np.ndarray, shift: np.ndarray, activation: str
) -> ScaleLayer:
    """A batch normalisation with these arrays [channels], and the activation after it."""
    slope = scale / np.sqrt(variance + np.float32(EPSILON))
    return ScaleLayer(slope, shift - mean * slope, activation)


def convolve(
    x: np.ndarray, w: np.ndarray, stride: int, zero_padding: int | None = None
) -> np.ndarray:
    """x [B, h, w, in] times a kernel [side, side, in, out]: [B, h/stride, w/stride, out].

    As TensorFlow's `conv2d` with padding SAME: sides are divided rounding up, and zeros are added
    on both sides of the image, one more at its end if their number is odd. With `zero_padding`
    there are so many zeros on every side.
    """
    side, _, inputs, outputs = w.shape
    most = max(1, _MOST_ENTRIES * stride**2 // (side**2 * x[0].size))
    if len(x) > most:
        starts = range(0, len(x), most)
        parts = [convolve(x[i : i + most], w, stride, zero_padding) for i in starts]
        return np.concatenate(parts)
    if zero_padding is None:
        padded = _pad(x, side, stride, 0.0)
    else:
        padded = np.pad(x, ((0, 0), (zero_padding,) * 2, (zero_padding,) * 2, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    windows = windows[:, ::stride, ::stride]  # [B, h/stride, w/stride, in, side, side]
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, side * side * inputs)
    return (rows @ w.reshape(-1, outputs)).reshape(*windows.shape[:3], outputs)


def max_pool(x: np.ndarray) -> np.ndarray:
    """The maxima of 2x2 windows, stride 2: x [B, h, w, in] to [B, h/2, w/2, in], rounded up."""
    padded = _pad(x, 2, 2, -np.inf)  # an odd side ends in a window of half the size
    batch, height, width, channels = padded.shape
    return padded.reshape(batch, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))


def _pad(x: np.ndarray, side: int, stride: int, value: float) -> np.ndarray:
    """x [B, h, w, in] with the SAME padding of windows of `side` at every `stride`."""
    padding = []
    for length in x.shape[1:3]:
        total = max((-(-length // stride) - 1) * stride + side - length, 0)
        padding.append((total // 2, total - total // 2))
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def _leaky(x: np.ndarray, slope: float) -> np.ndarray:
    return np.maximum(x, np.float32(slope) * x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)  # never overflows


SLOPES = {"leaky_relu": 0.2, "slight_leak": 0.02}  # below zero
ACTIVATIONS = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "relu": lambda x: np.maximum(x, 0),
    **{name: partial(_leaky, slope=slope) for name, slope in SLOPES.items()},
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "none": lambda x: x,
}
