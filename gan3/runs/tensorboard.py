"""What TensorBoard shows of a run: scalars, episode grids, graph, hyper-parameters, layout."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.hparams import api as hparams

from gan3.core.config import as_text
from gan3.core.files import replacing

_LAYOUT = {
    "losses, one beside the other": {
        "discriminator": [r"loss/discriminator$"],
        "determinator": [r"loss/determinator$"],
        "generator": [r"loss/generator_real$", r"loss/generator_digit$"],
    },
    "accuracies": {
        "discriminator": [r"accuracy/discriminator_real$", r"accuracy/discriminator_fake$"],
        "determinator": [r"accuracy/determinator_real$", r"accuracy/determinator_fake$"],
    },
}
"""Category: chart: the tags drawn in it; for the Custom Scalars tab."""


class EventWriter:
    """Writes the events of one run into `folder`, in a file whose name ends in `kind`."""

    def __init__(self, folder: Path, kind: str = ".v2"):
        self._writer = tf.summary.create_file_writer(str(folder), filename_suffix=kind)

    def start(self, config: dict[str, Any], graph: Any) -> None:
        """Once a run: hyper-parameters, the layout of Custom Scalars, the graph of a step."""
        with self._writer.as_default(step=0):
            hparams.hparams(flatten(config))
            tf.summary.experimental.write_raw_pb(
                custom_scalar.pb(_layout()).SerializeToString(), step=0
            )
            tf.summary.graph(graph)
        self._writer.flush()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """One point of each tag."""
        with self._writer.as_default(step=step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)

    def image(self, step: int, tag: str, pixels: np.ndarray) -> None:
        """A picture, uint8 [height, width, 3]."""
        with self._writer.as_default(step=step):
            tf.summary.image(tag, pixels[None])

    def flush(self) -> None:
        """Everything said so far is on disk after this."""
        self._writer.flush()

    def close(self) -> None:
        """No more events."""
        self._writer.close()


def forget_after(folder: Path, step: int) -> None:
    """Drop the events of a run that are later than `step`, and a last one that was cut off.

    TensorBoard would otherwise draw twice what a resumed run does again.
    """
    for path in folder.glob("events.out.tfevents.*"):
        kept, whole = [], True
        try:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if Event.FromString(record).step <= step:
                    kept.append(record)
                else:
                    whole = False
        except (tf.errors.DataLossError, DecodeError):
            whole = False
        if not kept:
            path.unlink()
        elif not whole:
            with replacing(path) as aside, tf.io.TFRecordWriter(str(aside)) as writer:
                for record in kept:
                    writer.write(record)


def flatten(config: dict[str, Any]) -> dict[str, Any]:
    """HParams takes numbers and words only: {"keep_prob": {"generator": .9}} to one level."""
    return {
        key if inner is None else f"{key}.{inner}": (
            as_text(entry) if isinstance(entry, list) else entry
        )
        for key, value in config.items()
        for inner, entry in (value.items() if isinstance(value, dict) else [(None, value)])
    }


def named_graph(function: Any) -> Any:
    """The traced graph of a step, its variables renamed to where they belong.

    A tf.function hands variables to its graph as loose inputs; under their own names
    (`generator/hidden1/w`) TensorBoard's Graphs tab draws them inside their network's box.
    """
    graph = function.graph
    definition = graph.as_graph_def()
    names = {}
    for variable in graph.variables:
        for captured, inside in graph.captures:
            if captured is variable.handle:
                names[inside.op.name] = variable.name.removesuffix(":0")
    for node in definition.node:
        node.name = names.get(node.name, node.name)
        for i, entry in enumerate(node.input):
            mark = "^" if entry.startswith("^") else ""
            name, colon, output = entry.removeprefix("^").partition(":")
            node.input[i] = mark + names.get(name, name) + colon + output
    return definition


def _layout() -> layout_pb2.Layout:
    return layout_pb2.Layout(
        category=[
            layout_pb2.Category(
                title=category,
                chart=[
                    layout_pb2.Chart(
                        title=title, multiline=layout_pb2.MultilineChartContent(tag=tags)
                    )
                    for title, tags in charts.items()
                ],
            )
            for category, charts in _LAYOUT.items()
        ]
    )
