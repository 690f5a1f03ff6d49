"""Dense networks as plain arrays: how they are saved, and what they compute, in NumPy alone.

A generator of dense layers needs no TensorFlow to draw. Its network says which arrays it has, by
name and shape, and what they compute, as a list of specs; the TensorFlow classes use the same list
where they export their layers. The last layer may be a transposed convolution, which is computed as
a dense layer.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

EPSILON = 1e-5  # added to a variance before the division
PLACES, KERNEL, STRIDE, IMAGE = 7, 8, 4, 28  # sides of a `ConvTransposeSpec`, in pixels but PLACES


class DenseLayer(NamedTuple):
    """activation(x w + b), then layer normalisation if there is one: as plain arrays."""

    w: np.ndarray  # [in, out]
    b: np.ndarray  # [out]
    activation: str  # of ACTIVATIONS
    scale: np.ndarray | None = None  # [out]
    shift: np.ndarray | None = None  # [out]


class DenseSpec(NamedTuple):
    """A dense layer of a saved network: the names and shapes of its arrays, and its activation."""

    name: str  # the arrays are name/w and name/b
    inputs: int
    outputs: int
    activation: str  # of ACTIVATIONS
    batch_norm: bool = False  # between product and activation, by name/scale, /mean and /variance
    layer_norm: str | None = None  # after the activation, by the arrays layer_norm/scale and /shift

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name."""
        vectors = [f"{self.name}/b"]
        if self.batch_norm:
            vectors += [f"{self.name}/{part}" for part in ("scale", "mean", "variance")]
        if self.layer_norm is not None:
            vectors += [f"{self.layer_norm}/{part}" for part in ("scale", "shift")]
        matrix = {f"{self.name}/w": (self.inputs, self.outputs)}
        return matrix | dict.fromkeys(vectors, (self.outputs,))

    def layer(self, arrays: Mapping[str, np.ndarray]) -> DenseLayer:
        """What its arrays compute; batch normalisation is folded into weights and biases."""
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        if self.batch_norm:
            mean, variance = arrays[f"{self.name}/mean"], arrays[f"{self.name}/variance"]
            slope = arrays[f"{self.name}/scale"] / np.sqrt(variance + np.float32(EPSILON))
            w, b = w * slope, b - mean * slope
        if self.layer_norm is None:
            return DenseLayer(w, b, self.activation)
        scale, shift = arrays[f"{self.layer_norm}/scale"], arrays[f"{self.layer_norm}/shift"]
        return DenseLayer(w, b, self.activation, scale, shift)


class ConvTransposeSpec(NamedTuple):
    """A last layer that makes 28 x 28 pixels from 7 x 7 places, with the same weights at each.

    A transposed convolution with an 8 x 8 kernel, stride 4 and SAME padding, but with a bias for
    each pixel: a place adds a patch of 8 x 8 pixels, and patches overlap by half.
    """

    name: str  # the arrays are name/w and name/b
    channels: int  # of each place
    activation: str  # of ACTIVATIONS

    @property
    def inputs(self) -> int:
        """The width of the layer before: places times channels."""
        return PLACES**2 * self.channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name; the kernel is [height, width, out, in]."""
        kernel = (KERNEL, KERNEL, 1, self.channels)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (IMAGE**2,)}

    def layer(self, arrays: Mapping[str, np.ndarray]) -> DenseLayer:
        """What its arrays compute, as a dense layer: w is [places x channels, 784]."""
        patch = arrays[f"{self.name}/w"][:, :, 0].transpose(2, 0, 1)  # [channels, 8, 8]
        outer = (PLACES + 1) * STRIDE  # the image and half a stride around it
        w = np.zeros((PLACES, PLACES, self.channels, outer, outer), patch.dtype)
        for i in range(PLACES):
            for j in range(PLACES):
                top, left = i * STRIDE, j * STRIDE
                w[i, j, :, top : top + KERNEL, left : left + KERNEL] = patch
        margin = (outer - IMAGE) // 2
        inner = w[..., margin:-margin, margin:-margin].reshape(self.inputs, IMAGE**2)
        return DenseLayer(inner, arrays[f"{self.name}/b"], self.activation)


Specs = tuple[DenseSpec | ConvTransposeSpec, ...]


def stack(
    name: str, widths: tuple[int, ...], activation: str, output: str, batch_norm: bool = False
) -> Specs:
    """Hidden layers name/hidden1, name/hidden2, … and a last layer name/pixels.

    Args:
        widths: of the input, of each hidden layer, and of the output.
        activation, output: of the hidden layers, and of the last one.
        batch_norm: batch normalisation in the hidden layers.
    """
    *hidden, last = zip(widths, widths[1:], strict=False)
    layers = [
        DenseSpec(f"{name}/hidden{number}", *shape, activation, batch_norm)
        for number, shape in enumerate(hidden, start=1)
    ]
    return *layers, DenseSpec(f"{name}/pixels", *last, output)


def shapes_of(specs: Specs) -> dict[str, tuple[int, ...]]:
    """The shapes of all arrays of a network by name."""
    return {name: shape for spec in specs for name, shape in spec.shapes().items()}


def layers_of(specs: Specs, arrays: Mapping[str, np.ndarray]) -> list[DenseLayer]:
    """What the arrays of a network compute."""
    return [spec.layer(arrays) for spec in specs]


def forward(layers: list[DenseLayer], x: np.ndarray) -> np.ndarray:
    """The output [B, out] of x [B, in], both float32."""
    for layer in layers:
        x = ACTIVATIONS[layer.activation](x @ layer.w + layer.b)
        if layer.scale is not None:
            mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x = (x - mean) / np.sqrt(variance + np.float32(EPSILON)) * layer.scale + layer.shift
    return x


def _leaky(x: np.ndarray, slope: float) -> np.ndarray:
    return np.maximum(x, np.float32(slope) * x)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)  # never overflows


ACTIVATIONS = {
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: _leaky(x, 0.2),
    "slight_leak": lambda x: _leaky(x, 0.02),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "none": lambda x: x,
}
