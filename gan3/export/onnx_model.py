"""A generator as an ONNX file, written node by node with the onnx package's own helper."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.export.interface import SLOPES, label_input
from gan3.models.generator import Generator
from gan3.nn.plain import (
    EPSILON,
    AveragePoolLayer,
    BatchNormLayer,
    ConvLayer,
    ConvTransposeLayer,
    DenseLayer,
    LabelLayer,
    Layer,
    ScaleLayer,
    UpsampleLayer,
)
from gan3.nn.specs import IMAGE

if TYPE_CHECKING:
    import onnx

_OPSET, _IR_VERSION = 17, 8  # of 2022, the first opset with LayerNormalization
_NODES = {"elu": "Elu", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def save(path: Path, generator: Generator, name: str) -> None:
    """Write the generator to an .onnx file. Raises UserError if the package onnx is missing."""
    write_atomically(path, build(generator, name).SerializeToString())


def build(generator: Generator, name: str) -> "onnx.ModelProto":
    """The model: `noise` float32 [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits the second is called `label`. The output `images` is
    float32 [B, 28, 28] in 0..1. Raises UserError if the package onnx is missing.
    """
    try:
        import onnx
    except ImportError:
        raise UserError('onnx: not installed; pip install "gan3[export]"') from None

    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    entries, label = generator.noise_entries, label_input(generator)
    inputs = [helper.make_tensor_value_info("noise", float32, ["B", entries])]
    graph = _Graph(onnx, "noise", entries, label)
    if generator.class_conditional:
        inputs.append(helper.make_tensor_value_info(label, onnx.TensorProto.INT32, ["B"]))
        if not isinstance(generator.layers[0], LabelLayer):
            graph.make_latent(len(generator.class_names), generator.label_entry)
    for layer in generator.layers:
        graph.add_layer(layer)
    graph.as_rows()
    if generator.pixel_min:
        graph.apply("Sub", graph.constant(np.float32(generator.pixel_min)))
        graph.apply("Div", graph.constant(np.float32(1 - generator.pixel_min)))
    shape = graph.constant(np.array([-1, IMAGE, IMAGE], np.int64))
    graph.add("Reshape", [graph.h, shape], output="images")
    output = helper.make_tensor_value_info("images", float32, ["B", IMAGE, IMAGE])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "generator", inputs, [output], graph.constants),
        producer_name="gan3",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        doc_string=f"generator of {name}",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and constants with names of their own, and the output `h` of the last one.

    h is rows [B, width] or images [B, channels, side, side]; `shape` is (width,) or (side, side,
    channels).
    """

    def __init__(self, onnx: Any, h: str, width: int, label: str):
        self._onnx, self._label = onnx, label
        self.h, self.shape = h, (width,)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        value = np.ascontiguousarray(value)
        self.constants.append(self._onnx.numpy_helper.from_array(value, name))
        return name

    def add(
        self,
        kind: str,
        inputs: list[str],
        attributes: dict[str, Any] | None = None,
        output: str = "",
    ) -> str:
        """The name of the output of a new node."""
        output = output or f"{kind}{len(self.nodes)}"
        node = self._onnx.helper.make_node(kind, inputs, [output], **(attributes or {}))
        self.nodes.append(node)
        return output

    def apply(self, kind: str, *others: str, **attributes: Any) -> None:
        """Replace h by the output of a new node, whose first input is h."""
        self.h = self.add(kind, [self.h, *others], attributes)

    def make_latent(self, classes: int, label_entry: bool) -> None:
        """One-hot times noise: rows of zeros and ones select the class's part of the latent."""
        if label_entry:
            ones = self.constant(np.ones((classes, 1), np.float32))
            self.apply("Concat", self.add("Gather", [ones, self._label]), axis=1)
            self.shape = (self.shape[0] + 1,)
        selection = np.repeat(np.eye(classes, dtype=np.float32), self.shape[0], axis=1)
        selected = self.add("Gather", [self.constant(selection), self._label])
        self.apply("Concat", *[self.h] * (classes - 1), axis=1)
        self.apply("Mul", selected)
        self.shape = (classes * self.shape[0],)

    def as_rows(self) -> None:
        """Make h rows, pixel by pixel with the channels of each."""
        if len(self.shape) == 3:
            self.apply("Transpose", perm=[0, 2, 3, 1])
            self.shape = (math.prod(self.shape),)
            self.apply("Reshape", self.constant(np.array([-1, *self.shape], np.int64)))

    def as_images(self, channels: int) -> None:
        """Make h square images."""
        if len(self.shape) == 1:
            side = math.isqrt(self.shape[0] // channels)
            self.shape = (side, side, channels)
            self.apply("Reshape", self.constant(np.array([-1, *self.shape], np.int64)))
            self.apply("Transpose", perm=[0, 3, 1, 2])

    def add_layer(self, layer: Layer) -> None:
        match layer:
            case LabelLayer(rows, multiplies):
                row = self.add("Gather", [self.constant(rows), self._label])
                if multiplies:
                    self.apply("Mul", row)
                else:
                    self.apply("Concat", row, axis=1)
                    self.shape = (self.shape[0] + rows.shape[1],)
            case DenseLayer(w, b):
                self.as_rows()
                self.apply("Gemm", self.constant(w), self.constant(b))
                self.shape = b.shape
            case ConvLayer(w, b):
                self.as_images(w.shape[2])
                self._convolve(layer)
            case ConvTransposeLayer(w, b):
                self.as_images(w.shape[2])
                self._convolve_transposed(layer)
            case ScaleLayer(scale, shift):
                self.as_images(len(scale))
                self.apply("Mul", self._per_channel(scale))
                self.apply("Add", self._per_channel(shift))
            case BatchNormLayer(scale, shift):
                self.as_images(len(scale))
                self.apply("Sub", self.add("ReduceMean", [self.h], {"axes": [0, 2, 3]}))
                square = self.add("Mul", [self.h, self.h])
                variance = self.add("ReduceMean", [square], {"axes": [0, 2, 3]})
                epsilon = self.constant(np.float32(EPSILON))
                self.apply("Div", self.add("Sqrt", [self.add("Add", [variance, epsilon])]))
                self.apply("Mul", self._per_channel(scale))
                self.apply("Add", self._per_channel(shift))
            case AveragePoolLayer():
                self._pool("AveragePool")
                return
            case UpsampleLayer():
                scales = self.constant(np.array([1, 1, 2, 2], np.float32))
                asymmetric = "asymmetric"  # each pixel, and between two of them their mean
                self.apply(
                    "Resize", "", scales, mode="linear", coordinate_transformation_mode=asymmetric
                )
                self.shape = (2 * self.shape[0], 2 * self.shape[1], self.shape[2])
                return
        if isinstance(layer, LabelLayer):
            return
        if layer.activation in SLOPES:
            self.apply("LeakyRelu", alpha=SLOPES[layer.activation])
        elif layer.activation != "none":
            self.apply(_NODES[layer.activation])
        if isinstance(layer, DenseLayer) and layer.scale is not None:
            arrays = self.constant(layer.scale), self.constant(layer.shift)
            self.apply("LayerNormalization", *arrays, axis=-1, epsilon=EPSILON)

    def _convolve(self, layer: ConvLayer) -> None:
        side, padding = len(layer.w), layer.zero_padding
        length = -(-self.shape[0] // layer.stride)
        edges: dict[str, Any] = {"auto_pad": "SAME_UPPER"}
        if padding is not None:
            length = (self.shape[0] + 2 * padding - side) // layer.stride + 1
            edges = {"pads": [padding] * 4}
        arrays = self.constant(layer.w.transpose(3, 2, 0, 1)), self.constant(layer.b)
        self.apply("Conv", *arrays, strides=[layer.stride] * 2, **edges)
        self.shape = (length, length, len(layer.b))
        if layer.pool:
            self._pool("MaxPool")

    def _convolve_transposed(self, layer: ConvTransposeLayer) -> None:
        side, stride = len(layer.w), layer.stride
        length, pads = (self.shape[0] - 1) * stride + side, [0] * 4
        if layer.padding == "SAME":
            length, begin = self.shape[0] * stride, (side - stride) // 2
            pads = [begin] * 2 + [side - stride - begin] * 2
        arrays = self.constant(layer.w.transpose(2, 3, 0, 1)), self.constant(layer.b)
        self.apply("ConvTranspose", *arrays, strides=[stride] * 2, pads=pads)
        self.shape = (length, length, len(layer.b))

    def _pool(self, kind: str) -> None:
        """Windows of 2x2 with stride 2; the last window of an odd side is smaller."""
        self.apply(kind, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
        self.shape = (-(-self.shape[0] // 2), -(-self.shape[1] // 2), self.shape[2])

    def _per_channel(self, values: np.ndarray) -> str:
        return self.constant(values.reshape(-1, 1, 1))
