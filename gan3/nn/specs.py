"""A network as a list of layers: the vocabulary, and the names and shapes of each layer's arrays.

A list is written once. `nn.network` trains it in TensorFlow, `nn.plain` computes it in NumPy, the
export writes it as a Keras model or an ONNX file, and the web page computes it in a browser.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gan3.nn.plain import (
    AveragePoolLayer,
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

IMAGE = 28  # pixels a side
PIXELS = IMAGE * IMAGE
Arrays = Mapping[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]


class Spec:
    """A kind of layer. An `activation` is a key of nn.plain.ACTIVATIONS."""

    keep_prob: ClassVar[float] = 1.0  # dropout after it, in training
    batch_norm: ClassVar[bool] = False

    def shapes(self) -> Shapes:
        """The shapes of its arrays by name."""
        return {}

    def layer(self, arrays: Arrays) -> Layer:
        """What its arrays compute, outside training."""
        raise NotImplementedError

    def parts(self, arrays: Arrays) -> list[Layer]:
        """The same as layers that are small, and exact with weights that are rounded to float16."""
        return [self.layer(arrays)]


Specs = tuple[Spec, ...]


@dataclass(frozen=True)
class Dense(Spec):
    """activation(x w + b) of x as rows [B, inputs]; name/w is [inputs, outputs]."""

    name: str
    inputs: int
    outputs: int
    activation: str = "none"
    keep_prob: float = 1.0
    batch_norm: bool = False  # for x w: name/scale, /mean and /variance; b is its shift
    layer_norm: str | None = None  # after the activation, by the arrays layer_norm/scale and /shift

    def shapes(self) -> Shapes:
        vectors = [f"{self.name}/b"]
        if self.batch_norm:
            vectors += [f"{self.name}/{part}" for part in ("scale", "mean", "variance")]
        if self.layer_norm is not None:
            vectors += [f"{self.layer_norm}/{part}" for part in ("scale", "shift")]
        matrix = {f"{self.name}/w": (self.inputs, self.outputs)}
        return matrix | dict.fromkeys(vectors, (self.outputs,))

    def layer(self, arrays: Arrays) -> DenseLayer:
        """Batch normalisation is folded into weights and biases."""
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        if self.batch_norm:
            norm = self._norm(arrays)
            w, b = w * norm.scale, norm.shift
        if self.layer_norm is None:
            return DenseLayer(w, b, self.activation)
        scale, shift = arrays[f"{self.layer_norm}/scale"], arrays[f"{self.layer_norm}/shift"]
        return DenseLayer(w, b, self.activation, scale, shift)

    def parts(self, arrays: Arrays) -> list[Layer]:
        """Batch normalisation is a layer of its own."""
        if not self.batch_norm:
            return [self.layer(arrays)]
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        return [DenseLayer(w, np.zeros_like(b), "none"), self._norm(arrays)]

    def _norm(self, arrays: Arrays) -> ScaleLayer:
        parts = ("mean", "variance", "scale", "b")
        return scale_of(*(arrays[f"{self.name}/{part}"] for part in parts), self.activation)


@dataclass(frozen=True)
class Conv(Spec):
    """activation(x * w + b) of images [B, h, w, inputs]; name/w is [side, side, inputs, outputs].

    SAME padding, or `zero_padding` rows and columns of zeros on every side.
    """

    name: str
    side: int  # the kernel's height and width
    inputs: int
    outputs: int
    activation: str = "none"
    stride: int = 1  # in both directions
    pool: bool = False  # 2x2 max-pool, stride 2, between product and bias
    keep_prob: float = 1.0
    zero_padding: int | None = None

    def shapes(self) -> Shapes:
        kernel = (self.side, self.side, self.inputs, self.outputs)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (self.outputs,)}

    def layer(self, arrays: Arrays) -> ConvLayer:
        w, b = arrays[f"{self.name}/w"], arrays[f"{self.name}/b"]
        return ConvLayer(w, b, self.activation, self.stride, self.pool, self.zero_padding)


@dataclass(frozen=True)
class ConvTranspose(Spec):
    """A transposed convolution: name/w is [side, side, outputs, inputs]."""

    name: str
    side: int  # the kernel's height and width
    inputs: int
    outputs: int
    activation: str = "none"
    stride: int = 2
    padding: str = "SAME"  # or "VALID"

    def shapes(self) -> Shapes:
        kernel = (self.side, self.side, self.outputs, self.inputs)
        return {f"{self.name}/w": kernel, f"{self.name}/b": (self.outputs,)}

    def layer(self, arrays: Arrays) -> ConvTransposeLayer:
        w, b = arrays[f"{self.name}/w"].transpose(0, 1, 3, 2), arrays[f"{self.name}/b"]
        return ConvTransposeLayer(w, b, self.activation, self.stride, self.padding)


@dataclass(frozen=True)
class BatchNorm(Spec):
    """Batch normalisation (Ioffe & Szegedy 2015) over all axes but the last.

    Its arrays are name/mean and name/variance and, if it is affine, name/scale and name/shift.
    """

    name: str
    width: int
    activation: str = "none"
    affine: bool = True  # with scale and shift

    def shapes(self) -> Shapes:
        parts = ("scale", "shift") if self.affine else ()
        return {f"{self.name}/{part}": (self.width,) for part in (*parts, "mean", "variance")}

    def layer(self, arrays: Arrays, own_moments: bool = False) -> ScaleLayer | BatchNormLayer:
        """By the running moments, or by those of what is normalised."""
        scale = np.ones(self.width, np.float32)
        shift = np.zeros(self.width, np.float32)
        if self.affine:
            scale, shift = arrays[f"{self.name}/scale"], arrays[f"{self.name}/shift"]
        if own_moments:
            return BatchNormLayer(scale, shift, self.activation)
        mean, variance = arrays[f"{self.name}/mean"], arrays[f"{self.name}/variance"]
        return scale_of(mean, variance, scale, shift, self.activation)


@dataclass(frozen=True)
class AveragePool(Spec):
    """The means of 2x2 windows, stride 2, of images with even sides."""

    def layer(self, arrays: Arrays) -> AveragePoolLayer:
        return AveragePoolLayer()


@dataclass(frozen=True)
class Upsample(Spec):
    """Twice the side, as `nn.plain.UpsampleLayer`."""

    def layer(self, arrays: Arrays) -> UpsampleLayer:
        return UpsampleLayer()


@dataclass(frozen=True)
class Label(Spec):
    """The first layer of a generator that is given noise and a class, whose row is in name/w."""

    name: str
    inputs: int  # entries of the noise
    classes: int
    width: int
    multiplies: bool  # else noise and row are put side by side

    def shapes(self) -> Shapes:
        return {f"{self.name}/w": (self.classes, self.width)}

    def layer(self, arrays: Arrays) -> LabelLayer:
        return LabelLayer(arrays[f"{self.name}/w"], self.multiplies)


def stack(
    name: str,
    widths: tuple[int, ...],
    activation: str,
    output: str,
    batch_norm: bool = False,
    keep_prob: float = 1.0,
    last: str = "pixels",
) -> tuple[Dense, ...]:
    """Hidden layers name/hidden1, name/hidden2, … and a last layer name/`last`.

    Args:
        widths: of the input, of each hidden layer, and of the output.
        activation, output: of the hidden layers, and of the last one.
        batch_norm, keep_prob: of the hidden layers.
    """
    *hidden, ends = zip(widths, widths[1:], strict=False)
    layers = [
        Dense(f"{name}/hidden{number}", *shape, activation, keep_prob, batch_norm)
        for number, shape in enumerate(hidden, start=1)
    ]
    return *layers, Dense(f"{name}/{last}", *ends, output)


def shapes_of(specs: Specs) -> Shapes:
    """The shapes of all arrays of a network by name."""
    return {name: shape for spec in specs for name, shape in spec.shapes().items()}
