"""Writes a run's TensorBoard events: scalars, image grids, graph, hyper-parameters, layout."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.hparams import api as hparams

from gan3.core.classes import DIGITS, are_digits
from gan3.core.config import as_text
from gan3.core.errors import UserError
from gan3.core.files import cannot_write, replace_atomically

_LAYOUT = {
    "losses side by side": {
        "discriminator": ["loss/discriminator"],
        "determinator": ["loss/determinator"],
        "generator": ["loss/generator_real", "loss/generator_digit"],
    },
    "accuracies": {
        "discriminator": ["accuracy/discriminator_real", "accuracy/discriminator_fake"],
        "determinator": ["accuracy/determinator_real", "accuracy/determinator_fake"],
    },
}
"""The Custom Scalars tab: {category: {chart title: [tags]}}."""
_CLASS_TAGS = {
    "loss/generator_digit": "loss/generator_class",
    "held_out/loss/generator_digit": "held_out/loss/generator_class",
    "digits/shuffled": "classes/shuffled",
    "digits/fixed_noise": "classes/fixed_noise",
}
"""Tags in the events of a run whose classes are no digits."""


class EventWriter:
    """Writes the events of one run into `folder`, in a file whose name ends in `kind`.

    All its methods raise UserError if the file cannot be written.
    """

    def __init__(self, folder: Path, kind: str = ".v2", class_names: Sequence[str] = DIGITS):
        """class_names: of the run. Tags that name digits name classes if these are no digits."""
        self._are_digits = are_digits(class_names)
        self._folder = folder
        with _report_write_errors(self._folder):
            self._writer = tf.summary.create_file_writer(str(folder), filename_suffix=kind)

    def start(self, config: dict[str, Any], graph: Any) -> None:
        """Write what a run has once: hyper-parameters, layout of Custom Scalars, step graph."""
        with _report_write_errors(self._folder), self._writer.as_default(step=0):
            hparams.hparams(flatten(config))
            tf.summary.experimental.write_raw_pb(
                custom_scalar.pb(self._layout()).SerializeToString(), step=0
            )
            tf.summary.graph(graph)
            self._writer.flush()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write one point for each tag."""
        # TensorFlow keeps a tensor for every Python number that it is given, for ever; of an array
        # it keeps none.
        with _report_write_errors(self._folder), self._writer.as_default(step=np.int64(step)):
            for tag, value in values.items():
                tf.summary.scalar(self._tag(tag), np.asarray(value))

    def image(self, step: int, tag: str, pixels: np.ndarray) -> None:
        """Write a picture, uint8 [height, width, 3]."""
        with _report_write_errors(self._folder), self._writer.as_default(step=step):
            tf.summary.image(self._tag(tag), pixels[None])

    def _tag(self, tag: str) -> str:
        """The tag as TensorBoard shows it."""
        return tag if self._are_digits else _CLASS_TAGS.get(tag, tag)

    def _layout(self) -> layout_pb2.Layout:
        return layout_pb2.Layout(
            category=[
                layout_pb2.Category(
                    title=category,
                    chart=[
                        layout_pb2.Chart(
                            title=title,
                            multiline=layout_pb2.MultilineChartContent(
                                tag=[f"{self._tag(tag)}$" for tag in tags]
                            ),
                        )
                        for title, tags in charts.items()
                    ],
                )
                for category, charts in _LAYOUT.items()
            ]
        )

    def flush(self) -> None:
        """Write all events so far to the file."""
        with _report_write_errors(self._folder):
            self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        with _report_write_errors(self._folder):
            self._writer.close()


@contextlib.contextmanager
def _report_write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:  # of a full disk, for example
        raise cannot_write(path, error) from None


def forget_after(folder: Path, step: int) -> None:
    """Delete the events of a run that are later than `step`, and an incomplete last one.

    A resumed run repeats these steps; TensorBoard would otherwise draw them twice.
    """
    for path in folder.glob("events.out.tfevents.*"):
        kept, unchanged = [], True
        try:
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if Event.FromString(record).step <= step:
                    kept.append(record)
                else:
                    unchanged = False
        except (tf.errors.DataLossError, DecodeError):
            unchanged = False
        except tf.errors.OpError as error:
            raise UserError(
                f"{path}: cannot be read ({error.message}); check its permissions, or move it away"
            ) from None
        if not kept:
            path.unlink()
        elif not unchanged:
            with (
                _report_write_errors(path),
                replace_atomically(path) as temporary,
                tf.io.TFRecordWriter(str(temporary)) as writer,
            ):
                for record in kept:
                    writer.write(record)


def flatten(config: dict[str, Any]) -> dict[str, Any]:
    """Flatten one level: {"keep_prob": {"generator": 0.9}} becomes {"keep_prob.generator": 0.9}.

    TensorBoard's HParams accept numbers and strings only.
    """
    return {
        key if role is None else f"{key}.{role}": (
            as_text(entry) if isinstance(entry, list) else entry
        )
        for key, value in config.items()
        for role, entry in (value.items() if isinstance(value, dict) else [(None, value)])
    }


def named_graph(function: Any) -> Any:
    """The GraphDef of a concrete function, with its variables under their own names.

    A tf.function passes variables to its graph as anonymous inputs. Under their own names
    (`generator/hidden1/w`) TensorBoard's Graphs tab draws them inside the box of their network.
    """
    graph = function.graph
    definition = graph.as_graph_def()
    names = {}
    for variable in graph.variables:
        for captured, placeholder in graph.captures:
            if captured is variable.handle:
                names[placeholder.op.name] = variable.name.removesuffix(":0")
    for node in definition.node:
        node.name = names.get(node.name, node.name)
        for i, entry in enumerate(node.input):
            control = "^" if entry.startswith("^") else ""  # marks a control dependency
            name, colon, output = entry.removeprefix("^").partition(":")
            node.input[i] = control + names.get(name, name) + colon + output
    return definition
