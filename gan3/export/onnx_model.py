"""A generator as an ONNX file, written node by node with the onnx package's own helper."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.classes import label_input
from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.nn import plain
from gan3.nn.plain import SLOPES
from gan3.nn.specs import IMAGE

if TYPE_CHECKING:
    import onnx

    from gan3.models.generator import Generator

_OPSET, _IR_VERSION = 17, 8  # from 2022, the first opset with LayerNormalization
_NODES = {"elu": "Elu", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def save(path: Path, generator: "Generator", name: str) -> None:
    """Write the generator to an .onnx file. Raises UserError if the package onnx is missing."""
    write_atomically(path, build(generator, name).SerializeToString())


def build(generator: "Generator", name: str) -> "onnx.ModelProto":
    """The model: `noise` float32 [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits the second is called `label`. The output `images` is
    float32 [B, 28, 28] in 0..1. Raises UserError if the package onnx is missing.
    """
    try:
        import onnx
    except ImportError:
        raise UserError('onnx: not installed; pip install "gan3[export]"') from None

    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    entries, label = generator.noise_entries, label_input(generator.class_names)
    inputs = [helper.make_tensor_value_info("noise", float32, ["B", entries])]
    graph = _Graph(onnx, "noise", entries, label)
    if generator.class_conditional:
        inputs.append(helper.make_tensor_value_info(label, onnx.TensorProto.INT32, ["B"]))
        if not isinstance(generator.layers[0], plain.LabelLayer):
            graph.make_latent(len(generator.class_names), generator.label_entry)
    for layer in generator.layers:
        graph.add_layer(layer)
    graph.as_rows()
    if generator.pixel_min:
        graph.apply("Sub", graph.constant(np.float32(generator.pixel_min)))
        graph.apply("Div", graph.constant(np.float32(1 - generator.pixel_min)))
    shape = graph.constant(np.array([-1, IMAGE, IMAGE], np.int64))
    graph.add("Reshape", graph.h, shape, output="images")
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

    h is rows [B, width], or images [B, channels, side, side] if `width` is None.
    """

    def __init__(self, onnx: Any, h: str, width: int, label: str):
        self._onnx, self._label = onnx, label
        self.h, self.width = h, width
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        value = np.ascontiguousarray(value)
        self.constants.append(self._onnx.numpy_helper.from_array(value, name))
        return name

    def add(
        self, kind: str, *inputs: str, output: str = "", attributes: dict[str, Any] | None = None
    ) -> str:
        """The name of the output of a new node."""
        output = output or f"{kind}{len(self.nodes)}"
        node = self._onnx.helper.make_node(kind, inputs, [output], **(attributes or {}))
        self.nodes.append(node)
        return output

    def apply(self, kind: str, *others: str, **attributes: Any) -> None:
        """Replace h by the output of a new node, whose first input is h."""
        self.h = self.add(kind, self.h, *others, attributes=attributes)

    def make_latent(self, classes: int, label_entry: bool) -> None:
        """One-hot times noise: rows of zeros and ones select the class's part of the latent."""
        if label_entry:
            ones = self.constant(np.ones((classes, 1), np.float32))
            self.apply("Concat", self.add("Gather", ones, self._label), axis=1)
            self.width += 1
        selection = np.repeat(np.eye(classes, dtype=np.float32), self.width, axis=1)
        selected = self.add("Gather", self.constant(selection), self._label)
        self.apply("Concat", *[self.h] * (classes - 1), axis=1)
        self.apply("Mul", selected)
        self.width *= classes

    def reshape(self, *lengths: int) -> None:
        """Give h these lengths; 0 keeps one, -1 is what is left."""
        self.apply("Reshape", self.constant(np.array(lengths, np.int64)))

    def as_rows(self) -> None:
        """Make h rows, pixel by pixel with the channels of each."""
        if self.width is None:
            self.apply("Transpose", perm=[0, 2, 3, 1])
            self.reshape(0, -1)

    def as_images(self, channels: int) -> None:
        """Make h square images."""
        if self.width is not None:
            side = math.isqrt(self.width // channels)
            self.reshape(-1, side, side, channels)
            self.apply("Transpose", perm=[0, 3, 1, 2])
            self.width = None

    def add_layer(self, layer: plain.Layer) -> None:
        match layer:
            case plain.LabelLayer(rows, multiplies):
                row = self.add("Gather", self.constant(rows), self._label)
                if multiplies:
                    self.apply("Mul", row)
                else:
                    self.apply("Concat", row, axis=1)
                    self.width += rows.shape[1]
            case plain.DenseLayer(w, b):
                self.as_rows()
                self.apply("Gemm", self.constant(w), self.constant(b))
                self.width = len(b)
            case plain.ConvLayer(w, b):
                self.as_images(w.shape[2])
                padding = layer.zero_padding
                edges = {"auto_pad": "SAME_UPPER"} if padding is None else {"pads": [padding] * 4}
                arrays = self.constant(w.transpose(3, 2, 0, 1)), self.constant(b)
                self.apply("Conv", *arrays, strides=[layer.stride] * 2, **edges)
                if layer.pool:
                    self._pool("MaxPool")
            case plain.ConvTransposeLayer(w, b):
                self.as_images(w.shape[2])
                lost = len(w) - layer.stride if layer.padding == "SAME" else 0  # rows and columns
                pads = [lost // 2] * 2 + [lost - lost // 2] * 2
                arrays = self.constant(w.transpose(2, 3, 0, 1)), self.constant(b)
                self.apply("ConvTranspose", *arrays, strides=[layer.stride] * 2, pads=pads)
            case plain.ScaleLayer(scale, shift):
                self.as_images(len(scale))
                self._scale(scale, shift)
            case plain.BatchNormLayer(scale, shift):
                self.as_images(len(scale))
                self.apply("Sub", self.add("ReduceMean", self.h, attributes={"axes": [0, 2, 3]}))
                square = self.add("Mul", self.h, self.h)
                variance = self.add("ReduceMean", square, attributes={"axes": [0, 2, 3]})
                epsilon = self.constant(np.float32(plain.EPSILON))
                self.apply("Div", self.add("Sqrt", self.add("Add", variance, epsilon)))
                self._scale(scale, shift)
            case plain.AveragePoolLayer():
                self._pool("AveragePool")
            case plain.UpsampleLayer():
                scales = self.constant(np.array([1, 1, 2, 2], np.float32))
                asymmetric = "asymmetric"  # each pixel, and between two of them their mean
                self.apply(
                    "Resize", "", scales, mode="linear", coordinate_transformation_mode=asymmetric
                )
        activation = getattr(layer, "activation", "none")
        if activation in SLOPES:
            self.apply("LeakyRelu", alpha=SLOPES[activation])
        elif activation != "none":
            self.apply(_NODES[activation])
        if isinstance(layer, plain.DenseLayer) and layer.scale is not None:
            arrays = self.constant(layer.scale), self.constant(layer.shift)
            self.apply("LayerNormalization", *arrays, axis=-1, epsilon=plain.EPSILON)

    def _scale(self, scale: np.ndarray, shift: np.ndarray) -> None:
        """Multiply and add a number for each channel."""
        self.apply("Mul", self.constant(scale.reshape(-1, 1, 1)))
        self.apply("Add", self.constant(shift.reshape(-1, 1, 1)))

    def _pool(self, kind: str) -> None:
        """Windows of 2x2 with stride 2; the last window of an odd side is smaller."""
        self.apply(kind, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
