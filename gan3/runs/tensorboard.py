"""Writes a run's TensorBoard events: scalars, images, graph, hyper-parameters, text, layout."""

import contextlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.hparams import summary_v2 as hparams  # its api imports Keras

from gan3.core.config import as_text
from gan3.core.files import replace_atomically

_NO_HYPERPARAMETERS = (  # what is written and how fast, not what is learned
    "experiment_file", "log_every", "checkpoint_every", "frame_every", "steps_per_call",
    "keep_critics", "keep_checkpoints", "dataset", "ink", "skip_damaged", "split",
)  # fmt: skip
_REPORT = ".report"  # suffix of the event files of report cards
_LAYOUT = {
    "losses side by side": {
        "discriminator": ["loss/discriminator"],
        "determinator": ["loss/determinator"],
        "generator": ["loss/generator_real", "loss/generator_digit"],
        "reconstruction": ["loss/reconstruction"],
    },
    "accuracies": {
        "discriminator": ["accuracy/discriminator_real", "accuracy/discriminator_fake"],
        "determinator": ["accuracy/determinator_real", "accuracy/determinator_fake"],
    },
}
"""The Custom Scalars tab: {category: {chart title: [tags]}}."""


class EventWriter:
    """Writes the events of one run into `folder`, in a file whose name ends in `kind`."""

    def __init__(self, folder: Path, kind: str = ".v2"):
        self._writer = tf.summary.create_file_writer(str(folder), filename_suffix=kind)

    def start(self, record: dict[str, Any], graph: Any) -> None:
        """Write what a run has once: text, hyper-parameters, layout of Custom Scalars, step graph.

        record: of run.json.
        """
        config = {key: v for key, v in record["config"].items() if key not in _NO_HYPERPARAMETERS}
        versions = ", ".join(f"{name} {v}" for name, v in record["versions"].items())
        data = f"{record['data_title']} ({record['data_source']})"
        command = shlex.join(record["command"])
        with self._writer.as_default(step=0):
            hparams.hparams(flatten(config), trial_id=record["run"])
            tf.summary.text("run", f"`{command}`\n\ndata: {data}\n\nversions: {versions}")
            tf.summary.experimental.write_raw_pb(
                custom_scalar.pb(_layout()).SerializeToString(), step=0
            )
            tf.summary.graph(graph)
            self._writer.flush()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write one point for each tag."""
        # TensorFlow keeps a tensor for every Python number that it is given, for ever; of an array
        # it keeps none.
        with self._writer.as_default(step=np.int64(step)):
            for tag, value in values.items():
                tf.summary.scalar(tag, np.asarray(value))

    def image(self, step: int, tag: str, pixels: np.ndarray) -> None:
        """Write a picture, uint8 [height, width, 3]."""
        with self._writer.as_default(step=step):
            tf.summary.image(tag, pixels[None])

    def histograms(self, step: int, arrays: Mapping[str, Any]) -> None:
        """Write the distribution of each array's values, by name."""
        with self._writer.as_default(step=np.int64(step)):
            for name, values in arrays.items():
                tf.summary.histogram(name, values)

    def flush(self) -> None:
        """Write all events so far to the file."""
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._writer.close()


def write_report(folder: Path, step: int, scores: dict[str, float], picture: bytes) -> None:
    """Write the report card of a run, with its picture as a PNG, in place of an earlier one."""
    for earlier in folder.glob(f"events.*{_REPORT}"):  # TensorBoard would show both
        earlier.unlink(missing_ok=True)
    events = EventWriter(folder, _REPORT)
    events.scalars(step, {f"report/{name}": value for name, value in scores.items()})
    events.image(step, "report", tf.io.decode_png(picture, channels=3).numpy())
    events.close()


def _layout() -> layout_pb2.Layout:
    categories = []
    for category, charts in _LAYOUT.items():
        categories.append(layout_pb2.Category(title=category))
        for title, tags in charts.items():
            content = layout_pb2.MultilineChartContent(tag=[f"{tag}$" for tag in tags])
            categories[-1].chart.append(layout_pb2.Chart(title=title, multiline=content))
    return layout_pb2.Layout(category=categories)


def forget_after(folder: Path, step: int) -> None:
    """Delete the events of a run that are later than `step`, and an incomplete last one.

    A resumed run repeats these steps; TensorBoard would otherwise draw them twice.
    """
    for path in folder.glob("events.out.tfevents.*"):
        kept = []
        with contextlib.suppress(tf.errors.DataLossError, DecodeError):  # incomplete
            for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
                if Event.FromString(record).step <= step:
                    kept.append(record)
        if not kept:
            path.unlink()
            continue
        with (
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


def learning_rates(system: Any) -> dict[str, float]:
    """The learning rate that each optimizer will have in the next step, by tag."""
    scale = getattr(system.train_step, "lr_scale", lambda: 1.0)()
    rates = {adam.name.removeprefix("adam/"): adam.learning_rate for adam in system.optimizers}
    return {f"learning_rate/{name}": float(rate * scale) for name, rate in rates.items()}
