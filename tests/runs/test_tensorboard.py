"""The events of a run as TensorBoard reads them, and the graph of a step."""

import unittest

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

from gan3.core.triple import Triple
from gan3.runs.tensorboard import EventWriter, flatten, forget_after, named_graph
from tests.support import FolderTest, batch_of, resident_bytes, slow, small_system


class Graph(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        system = small_system()
        images, labels = batch_of(4)
        step = tf.function(system.train_step)
        cls.system = system
        cls.graph = named_graph(step.get_concrete_function(images, labels, tf.constant([0, 1])))
        cls.names = [node.name for node in cls.graph.node]

    def test_every_network_has_a_box_with_its_variables(self):
        for role, network in zip(Triple._fields, self.system.networks, strict=True):
            for w in network.weights:
                self.assertIn(w.name.removesuffix(":0"), self.names)
            layers = {name.split("/")[1] for name in self.names if name.startswith(f"{role}/")}
            self.assertTrue({"hidden1", "hidden"} & layers)

    def test_every_network_has_one_box_only(self):
        boxes = {name.split("/")[0] for name in self.names if "/" in name}
        updates = {f"update_{role}" for role in Triple._fields}
        self.assertLessEqual({*Triple._fields, *updates, "losses", "noise"}, boxes)
        self.assertFalse(
            [
                box
                for box in boxes
                if box.rstrip("_0123456789") in Triple._fields and box not in Triple._fields
            ]
        )  # no generator_1

    def test_every_input_is_a_node(self):
        names = set(self.names)
        self.assertEqual(len(names), len(self.names))
        for node in self.graph.node:
            for entry in node.input:
                self.assertIn(entry.removeprefix("^").partition(":")[0], names)


class Events(FolderTest):
    def test_scalars_images_graph_and_layout_are_written(self):
        events = EventWriter(self.folder)
        config = {"seed": 3, "log_every": 10, "keep_prob": {"generator": 0.9}}
        record = {"run": "a run", "config": config, "command": ["python", "a b.py"],
                  "data_title": "MNIST", "data_source": "x", "versions": {"gan3": "1"}}  # fmt: skip
        graph = tf.function(lambda: tf.constant(1.0)).get_concrete_function().graph
        events.start(record, graph.as_graph_def())
        events.scalars(10, {"loss/determinator": 0.5})
        events.image(10, "digits/shuffled", np.zeros((4, 6, 3), np.uint8))
        events.histograms(10, {"hidden1/w": np.arange(12.0)})
        events.close()
        (file,) = self.folder.glob("events.*")
        events = list(EventFileLoader(str(file)).Load())
        self.assertTrue(any(event.HasField("graph_def") for event in events))
        values = {v.tag: (event.step, v) for event in events for v in event.summary.value}
        step, value = values["loss/determinator"]
        self.assertEqual((step, tf.make_ndarray(value.tensor).item()), (10, 0.5))
        step, value = values["hidden1/w"]
        self.assertEqual((step, tf.make_ndarray(value.tensor)[:, 2].sum()), (10, 12))
        step, value = values["digits/shuffled"]
        self.assertEqual(tf.make_ndarray(value.tensor)[:2].tolist(), [b"6", b"4"])
        content = values["_hparams_/session_start_info"][1].metadata.plugin_data.content
        info = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        self.assertEqual(set(info.hparams), {"seed", "keep_prob.generator"})
        self.assertEqual(info.group_name, "a run")
        (text,) = tf.make_ndarray(values["run"][1].tensor).ravel()
        for part in (b"python 'a b.py'", b"MNIST (x)", b"gan3 1"):
            self.assertIn(part, text)
        _, value = values["custom_scalars__config__"]
        layout = layout_pb2.Layout.FromString(tf.make_ndarray(value.tensor).item())
        titles = [category.title for category in layout.category]
        self.assertEqual(titles, ["losses side by side", "accuracies"])
        charts = [chart.title for chart in layout.category[0].chart]
        self.assertEqual(charts, ["discriminator", "determinator", "generator", "reconstruction"])

    @slow("ten seconds")
    def test_the_memory_does_not_grow_with_the_points(self):
        """TensorFlow would keep 0.75 KB for every value and step, 6 MB here."""
        events = EventWriter(self.folder)

        def write(first, count):
            for step in range(first, first + count):
                events.scalars(step, {f"loss/{i}": step + i / 21 for i in range(20)})
            events.flush()
            return resident_bytes()

        self.addCleanup(events.close)
        sizes = [write(first, 400) for first in (0, 400, 800, 1200)]
        self.assertLess(np.median(np.diff(sizes)), 2e6)  # other threads may allocate once

    def test_events_after_a_checkpoint_are_deleted(self):
        def steps():
            """The steps in all files, sorted: the names of the files do not sort by time."""
            return sorted(
                event.step
                for path in self.folder.glob("events.*")
                for event in EventFileLoader(str(path)).Load()
                if event.summary.value
            )

        for numbers in ((10, 20), (30, 40)):  # two files, as of a resumed run
            events = EventWriter(self.folder)
            for number in numbers:
                events.scalars(number, {"loss/determinator": 0.5})
            events.close()
        first, second = sorted(self.folder.glob("events.*"), key=lambda p: p.stat().st_mtime_ns)
        self.assertEqual(steps(), [10, 20, 30, 40])
        forget_after(self.folder, 30)
        self.assertEqual(steps(), [10, 20, 30])
        whole = second.read_bytes()
        for cut in (1, 5, 20):  # killed while writing a record
            second.write_bytes(whole[:-cut])
            forget_after(self.folder, 30)
            self.assertEqual(steps(), [10, 20])
            self.assertEqual(set(self.folder.iterdir()), {first, second})
        forget_after(self.folder, -1)  # a run that starts again from step 0
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_hyper_parameters_are_flattened(self):
        flat = flatten({"seed": 3, "beta1": {"generator": 0.5, "determinator": 0.9}})
        self.assertEqual(flat, {"seed": 3, "beta1.generator": 0.5, "beta1.determinator": 0.9})
