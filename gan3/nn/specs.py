"""Networks as lists of layers: the names and shapes of their arrays, and what each layer does.

`nn.plain` computes a list in NumPy, the export writes it as a Keras model or an ONNX file, and the
web page computes it in a browser.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan3.nn.plain import (
    EPSILON,
    BatchNormLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    LabelLayer,
    Layer,
    ScaleLayer,
    UpsampleLayer,
    scale_of,
)

PLACES, KERNEL, STRIDE, IMAGE = 7, 8, 4, 28  # sides of a `PlacesSpec`, in pixels but PLACES
Arrays = Mapping[str, np.ndarray]


class DenseSpec(NamedTuple):
    """A dense layer of a saved network: the names and shapes of its arrays, and its activation."""

    name: str  # the arrays are name/w and name/b
    inputs: int
    outputs: int
    activation: str  # of nn.plain.ACTIVATIONS
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

    def layer(self, arrays: Arrays) -> DenseLayer:
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

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The same with batch normalisation apart, for weights that are rounded to float16."""
        if not self.batch_norm:
            return [self.layer(arrays)]
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]  # b shifts after normalisation
        mean, variance, scale = (
            arrays[f"{self.name}/{part}"] for part in ("mean", "variance", "scale")
        )
        product = DenseLayer(w, np.zeros_like(b), "none")
        return [product, scale_of(mean, variance, scale, b, self.activation)]


class PlacesSpec(NamedTuple):
    """A last layer that makes 28 x 28 pixels from 7 x 7 places, with the same weights at each.

    A transposed convolution with an 8 x 8 kernel, stride 4 and SAME padding, but with a bias for
    each pixel: a place adds a patch of 8 x 8 pixels, and patches overlap by half.
    """

    name: str  # the arrays are name/w and name/b
    channels: int  # of each place
    activation: str  # of nn.plain.ACTIVATIONS

    @property
    def inputs(self) -> int:
        """The width of the layer before: places times channels."""
        return PLACES**2 * self.channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name; the kernel is [height, width, out, in]."""
        kernel = (KERNEL, KERNEL, 1, self.channels)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (IMAGE**2,)}

    def layer(self, arrays: Arrays) -> DenseLayer:
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

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The same as a transposed convolution, and the biases of the pixels apart.

        The dense layer has 784 times as many weights.
        """
        w, b = arrays[f"{self.name}/w"].transpose(0, 1, 3, 2), arrays[f"{self.name}/b"]
        sums = ConvTransposeLayer(w, np.zeros(1, w.dtype), "none", STRIDE, "SAME")
        return [sums, ScaleLayer(np.ones_like(b), b, self.activation)]


class ConvSpec(NamedTuple):
    """A convolution of a saved network: the names and shapes of its arrays, and what it does."""

    name: str  # the arrays are name/w and name/b
    side: int  # of the kernel
    inputs: int
    outputs: int
    activation: str  # of nn.plain.ACTIVATIONS
    stride: int = 1  # in both directions
    pool: bool = False  # 2x2 max-pool, stride 2, between product and bias

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name."""
        kernel = (self.side, self.side, self.inputs, self.outputs)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (self.outputs,)}

    def layer(self, arrays: Arrays) -> ConvLayer:
        """What its arrays compute."""
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        return ConvLayer(w, b, self.activation, self.stride, self.pool)

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The layer alone."""
        return [self.layer(arrays)]


class ConvTransposeSpec(NamedTuple):
    """A transposed convolution: name/w is [side, side, out, in], name/b [out]."""

    name: str
    side: int  # of the kernel
    inputs: int
    outputs: int
    activation: str  # of nn.plain.ACTIVATIONS
    stride: int = 2
    padding: str = "SAME"  # or "VALID"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name."""
        kernel = (self.side, self.side, self.outputs, self.inputs)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (self.outputs,)}

    def layer(self, arrays: Arrays) -> ConvTransposeLayer:
        """What its arrays compute."""
        w, b = arrays[f"{self.name}/w"].transpose(0, 1, 3, 2), arrays[f"{self.name}/b"]
        return ConvTransposeLayer(w, b, self.activation, self.stride, self.padding)

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The layer alone."""
        return [self.layer(arrays)]


class BatchNormSpec(NamedTuple):
    """Batch normalisation over all axes but the last.

    Its arrays are name/mean and name/variance and, if it is affine, name/scale and name/shift.
    """

    name: str
    width: int
    activation: str = "none"  # of nn.plain.ACTIVATIONS
    affine: bool = True  # with scale and shift

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays by name."""
        parts = ("scale", "shift") if self.affine else ()
        return {f"{self.name}/{part}": (self.width,) for part in (*parts, "mean", "variance")}

    def layer(self, arrays: Arrays, own_moments: bool = False) -> ScaleLayer | BatchNormLayer:
        """What its arrays compute: by the running moments, or by those of what is normalised."""
        scale = np.ones(self.width, np.float32)
        shift = np.zeros(self.width, np.float32)
        if self.affine:
            scale, shift = arrays[f"{self.name}/scale"], arrays[f"{self.name}/shift"]
        if own_moments:
            return BatchNormLayer(scale, shift, self.activation)
        mean, variance = arrays[f"{self.name}/mean"], arrays[f"{self.name}/variance"]
        return scale_of(mean, variance, scale, shift, self.activation)

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The layer by running moments alone."""
        return [self.layer(arrays)]


class UpsampleSpec(NamedTuple):
    """Twice the side, as `nn.plain.UpsampleLayer`."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """It has no arrays."""
        return {}

    def layer(self, _: Arrays) -> UpsampleLayer:
        """What it computes."""
        return UpsampleLayer()

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The layer alone."""
        return [self.layer(arrays)]


class LabelSpec(NamedTuple):
    """The first layer of a generator that is given noise and a class, whose row is name/w."""

    name: str
    inputs: int  # entries of the noise
    classes: int
    width: int
    multiplies: bool  # else noise and row are put side by side

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of its array by name."""
        return {f"{self.name}/w": (self.classes, self.width)}

    def layer(self, arrays: Arrays) -> LabelLayer:
        """What its array computes."""
        return LabelLayer(arrays[f"{self.name}/w"], self.multiplies)

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The layer alone."""
        return [self.layer(arrays)]


Spec = (
    DenseSpec | PlacesSpec | ConvSpec | ConvTransposeSpec | BatchNormSpec | UpsampleSpec | LabelSpec
)
Specs = tuple[Spec, ...]


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
