"""Convolutions as plain arrays: how they are saved, and what they compute, in NumPy alone.

What `nn.dense` is to a generator of dense layers this is to the first layers of a critic. All
images are [B, height, width, channels], and the padding is TensorFlow's SAME.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan3.nn.dense import ACTIVATIONS


class ConvLayer(NamedTuple):
    """activation(x * w + b), with a 2x2 max-pool before the bias if `pool`: as plain arrays."""

    w: np.ndarray  # [side, side, in, out]
    b: np.ndarray  # [out]
    activation: str  # of nn.dense.ACTIVATIONS
    stride: int
    pool: bool


class ConvSpec(NamedTuple):
    """A convolution of a saved network: the names and shapes of its arrays, and what it does."""

    name: str  # the arrays are name/w and name/b
    side: int  # of the kernel
    inputs: int
    outputs: int
    activation: str  # of nn.dense.ACTIVATIONS
    stride: int = 1  # in both directions
    pool: bool = False  # 2x2 max-pool, stride 2, between product and bias

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name."""
        kernel = (self.side, self.side, self.inputs, self.outputs)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (self.outputs,)}

    def layer(self, arrays: Mapping[str, np.ndarray]) -> ConvLayer:
        """What its arrays compute."""
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        return ConvLayer(w, b, self.activation, self.stride, self.pool)


def forward(layers: list[ConvLayer], x: np.ndarray) -> np.ndarray:
    """The output [B, h', w', out] of x [B, h, w, in], both float32."""
    for layer in layers:
        x = convolve(x, layer.w, layer.stride)
        if layer.pool:
            x = max_pool(x)
        x = ACTIVATIONS[layer.activation](x + layer.b)
    return x


def convolve(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    """x [B, h, w, in] times a kernel [side, side, in, out]: [B, h/stride, w/stride, out].

    As TensorFlow's `conv2d` with padding SAME: sides are divided rounding up, and zeros are added
    on both sides of the image, one more at its end if their number is odd.
    """
    side, _, inputs, outputs = w.shape
    padded = _pad(x, side, stride, 0.0)
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
