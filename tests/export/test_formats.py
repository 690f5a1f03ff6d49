"""Every format gives the pixels of the system that it was written from."""

import dataclasses
import importlib.util
import json
import re
import tempfile
import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.export import keras_model, onnx_model, tf_module
from gan3.runs.registry import build, config_of, names
from gan3.runs.trained import generator_now
from tests.support import ROOT, FolderTest, call, drawing, slow, small_system

CONVOLUTIONAL = ("gan_auto_write", "conditional_dcgan", "auxiliary_gan")
SYSTEMS = (
    *(*CONVOLUTIONAL, "three_network", "published_code"),
    *("best", "mlp_gan", "layernorm_gan", "wgan_gp"),
)
LABELS = np.array([0, 9, 3, 3, 7, 1], np.int32)
TOLERANCE = 1e-5
HAS_ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
FORMATS = ("keras", "savedmodel", *["onnx"] * HAS_ONNX)


def random_pair(name, **changes):
    """A system whose variables all differ, biases, scales and moments, too; its generator."""
    config = dataclasses.replace(config_of(name), **changes)
    system = build(config, DIGITS, "float32")
    random = np.random.default_rng(5)
    for variable in system.generator_weights.values():
        values = variable.numpy() + random.normal(0, 0.1, variable.shape)
        if "variance" in variable.name:
            values = np.abs(values)
        variable.assign(values.astype(np.float32))
    return system, generator_now(config, system)


def inputs_of(generator):
    """Noise and, if digits can be requested, digits, by the names of an exported model's inputs."""
    shape = (len(LABELS), generator.noise_entries)
    noise = np.random.default_rng(6).uniform(-1, 1, shape).astype(np.float32)
    return {"noise": noise} | ({"digit": LABELS} if generator.class_conditional else {})


def images_of(written, generator, inputs):
    """What a written format draws, read by a program that knows nothing of gan3."""
    tensors = {key: tf.constant(value) for key, value in inputs.items()}
    if written == "keras":
        keras_model.save(Path("g.keras"), generator)
        return tf.keras.models.load_model("g.keras")(tensors).numpy()
    if written == "savedmodel":
        folder = Path(tempfile.mkdtemp(dir="."), "g")
        tf_module.save(folder, generator, "x")
        return (
            tf.saved_model.load(folder).signatures["serving_default"](**tensors)["images"].numpy()
        )
    import onnxruntime

    onnx_model.save(Path("g.onnx"), generator, "x")
    session = onnxruntime.InferenceSession("g.onnx")
    return session.run(["images"], inputs)[0]


class Formats(FolderTest):
    def assert_same_pixels(self, system, generator, formats):
        inputs = inputs_of(generator)
        expected = system.generate(tf.constant(LABELS), tf.constant(inputs["noise"])).numpy()
        self.assertGreater(np.ptp(expected), 0.05)  # the weights matter
        self.assertGreater(np.abs(expected[2] - expected[3]).max(), 1e-3)  # the noise does, too
        for written in formats:
            with self.subTest(generator.name, format=written):
                images = images_of(written, generator, inputs)
                self.assertEqual((images.shape, images.dtype), ((len(LABELS), 28, 28), np.float32))
                self.assertLess(np.abs(images - expected).max(), TOLERANCE)

    def test_the_names_below_are_all_systems(self):
        variants = {"best_long", "published_fresh_noise"}
        self.assertEqual({*SYSTEMS, *variants}, set(names()))

    def test_one_system_of_each_kind(self):
        for name in ("best", "mlp_gan", "conditional_dcgan"):
            self.assert_same_pixels(*random_pair(name), FORMATS)

    @slow("builds nine systems")
    def test_every_system(self):
        for name in SYSTEMS:
            self.assert_same_pixels(*random_pair(name), FORMATS)

    def test_with_running_moments_an_image_does_not_depend_on_the_others(self):
        for name in CONVOLUTIONAL:
            system, generator = random_pair(name, sampling_moments="running")
            self.assert_same_pixels(system, generator, ["keras"])
            model, inputs = keras_model.build(generator), inputs_of(generator)
            alone = model({key: value[:1] for key, value in inputs.items()})
            np.testing.assert_allclose(alone, model(inputs)[:1], atol=TOLERANCE)

    def test_a_savedmodel_replaces_nothing(self):
        Path("deep").mkdir()
        with self.assertRaisesRegex(UserError, "^deep: exists already"):
            tf_module.save(Path("deep"), drawing(small_system()), "x")
        self.assertEqual(list(Path().iterdir()), [Path("deep")])  # no temporary folder is left

    def test_labels_of_other_classes_than_digits_are_called_so(self):
        system = small_system(class_names=("cat", "dog", "cow"))
        generator = drawing(system)
        labels, noise = np.array([0, 2, 1, 1, 2, 0], np.int32), inputs_of(generator)["noise"]
        expected = system.generate(tf.constant(labels), tf.constant(noise)).numpy()
        self.assertGreater(np.abs(expected[2] - expected[4]).max(), 1e-3)
        for written in FORMATS:
            images = images_of(written, generator, {"label": labels, "noise": noise})
            np.testing.assert_allclose(images, expected, atol=TOLERANCE, err_msg=written)

    @unittest.skipIf(HAS_ONNX, "onnx is installed")
    def test_without_the_package_onnx_the_extra_is_named(self):
        with self.assertRaisesRegex(UserError, r"gan3\[export\]"):
            onnx_model.save(Path("g.onnx"), drawing(small_system()), "x")

    def test_a_safetensors_file_has_the_weights_or_the_extra_is_named(self):
        command = ("--pretrained", "best", "--format", "safetensors", "--out", "g.safetensors")
        status, _, err = call("export", *command)
        if not importlib.util.find_spec("safetensors"):
            self.assertEqual((status, err.count("\n")), (2, 1))
            self.assertIn('not installed; pip install "gan3[export]"', err)
            return
        with Path("g.safetensors").open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        self.assertEqual(json.loads(header["__metadata__"]["about"])["config"]["seed"], 0)
        for name, array in gan3.load("best").arrays.items():
            self.assertEqual(header[name]["shape"], [*array.shape])


class Documentation(FolderTest):
    def test_the_python_examples_of_the_page_run(self):
        """Each draws 241256 into `images`, from the files that the page names."""
        text = (ROOT / "docs" / "export.md").read_text()
        examples = re.findall(r"## (\S+)\n```python\n(.*?)```", text, re.DOTALL)
        self.assertEqual([name for name, _ in examples], ["Keras", "TensorFlow", "onnxruntime"])
        _, generator = random_pair("best")
        keras_model.save(Path("generator.keras"), generator)
        tf_module.save(Path("folder"), generator, "best")
        if HAS_ONNX:
            onnx_model.save(Path("generator.onnx"), generator, "best")
        for name, code in examples:
            if name == "onnxruntime" and not HAS_ONNX:
                continue
            with self.subTest(name):
                names = {}
                exec(code, names)
                self.assertEqual(np.asarray(names["images"]).shape, (6, 28, 28))


class Command(FolderTest):
    def test_the_bundled_generator_is_written_and_names_are_checked(self):
        status, out, err = call("export", "--format", "keras", "--out", "new/g.keras")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("best: new/g.keras", out)
        model = tf.keras.models.load_model("new/g.keras")
        noise = np.zeros((2, 13), np.float32)
        images = model.predict({"digit": np.array([1, 8]), "noise": noise}, verbose=0)
        self.assertGreater(images.max(), 0.9)  # ink
        for kind, name in (("keras", "g.npz"), ("onnx", "g.keras"), ("npz", "g.onnx")):
            status, _, err = call("export", "--format", kind, "--out", name)
            self.assertEqual(status, 2)
            self.assertRegex(err, rf"^gan3: --out {name}: the format {kind} needs .*\.{kind}\n$")
