"""A dense generator as an ONNX file, written node by node with the onnx package's own helper."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.export.interface import SLOPES, label_input
from gan3.models.generator import Generator
from gan3.nn.plain import EPSILON, DenseLayer
from gan3.nn.specs import IMAGE, Dense, Places

if TYPE_CHECKING:
    import onnx

_OPSET, _IR_VERSION = 17, 8  # of 2022, the first opset with LayerNormalization
_NODES = {"elu": "Elu", "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def save(path: Path, generator: Generator, name: str) -> None:
    """Write the generator of dense layers to an .onnx file.

    Raises UserError if it has other layers, or if the package onnx is not installed.
    """
    write_atomically(path, build(generator, name).SerializeToString())


def build(generator: Generator, name: str) -> "onnx.ModelProto":
    """The model: `noise` float32 [B, entries], and `digit` int32 [B] if digits can be requested.

    For classes that are not the ten digits the second is called `label`. The output `images` is
    float32 [B, 28, 28] in 0..1. Raises the errors of `save`.
    """
    if not all(isinstance(spec, Dense | Places) for spec in generator.specs):
        raise UserError(
            f"{name}: has convolutions, and ONNX export is for dense layers; export it as keras or"
            " savedmodel"
        )
    try:
        import onnx
    except ImportError:
        raise UserError('onnx: not installed; pip install "gan3[export]"') from None

    graph = _Graph(onnx)
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    entries = generator.noise_entries
    inputs = [helper.make_tensor_value_info("noise", float32, ["B", entries])]
    if generator.class_conditional:
        label, classes = label_input(generator), len(generator.class_names)
        own = "noise"  # of the latent of the requested class
        if generator.label_entry:
            ones = graph.constant(np.ones((classes, 1), np.float32))
            own = graph.add("Concat", ["noise", graph.add("Gather", [ones, label])], {"axis": 1})
            entries += 1
        inputs.append(helper.make_tensor_value_info(label, onnx.TensorProto.INT32, ["B"]))
        # One-hot times noise: rows of zeros and ones select the class's part of the latent.
        selection = np.repeat(np.eye(classes, dtype=np.float32), entries, axis=1)
        selected = graph.add("Gather", [graph.constant(selection), label])
        repeated = graph.add("Concat", [own] * classes, {"axis": 1})
        h = graph.add("Mul", [selected, repeated])
    else:
        h = "noise"
    for spec in generator.specs:
        h = _dense(graph, spec.layer(generator.arrays), h)
    if generator.pixel_min:
        span = np.float32(1 - generator.pixel_min)
        h = graph.add("Sub", [h, graph.constant(np.float32(generator.pixel_min))])
        h = graph.add("Div", [h, graph.constant(span)])
    shape = graph.constant(np.array([-1, IMAGE, IMAGE], np.int64))
    graph.add("Reshape", [h, shape], output="images")
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


def _dense(graph: "_Graph", layer: DenseLayer, h: str) -> str:
    h = graph.add("Gemm", [h, graph.constant(layer.w), graph.constant(layer.b)])
    if layer.activation in SLOPES:
        h = graph.add("LeakyRelu", [h], {"alpha": SLOPES[layer.activation]})
    else:
        h = graph.add(_NODES[layer.activation], [h])
    if layer.scale is not None:
        inputs = [h, graph.constant(layer.scale), graph.constant(layer.shift)]
        h = graph.add("LayerNormalization", inputs, {"axis": -1, "epsilon": EPSILON})
    return h


class _Graph:
    """Nodes and constants with names of their own."""

    def __init__(self, onnx: Any):
        self._onnx = onnx
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(
        self,
        kind: str,
        inputs: list[str],
        attributes: dict[str, float | int] | None = None,
        output: str = "",
    ) -> str:
        """The name of the output of a new node."""
        output = output or f"{kind}{len(self.nodes)}"
        node = self._onnx.helper.make_node(kind, inputs, [output], **(attributes or {}))
        self.nodes.append(node)
        return output
