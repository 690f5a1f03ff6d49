"""A run on a set whose classes are no digits, and everything that can be done with it."""

import dataclasses
import json
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.data import strokes
from gan3.runs.registry import config_of
from gan3.runs.run import Run
from tests.support import call, enter_folder, slow

NAMES = ("A", "B", "a cross")


def write_pictures(folder):
    """Strokes of 0, 1 and 2 as pictures under other names, for training and for testing."""
    train_images, train_labels, test_images, test_labels = strokes.make(600, 200)
    for part, images, labels in (
        ("train", train_images, train_labels),
        ("test", test_images, test_labels),
    ):
        for label, name in enumerate(NAMES):
            (folder / part / name).mkdir(parents=True)
            for number, image in enumerate(images[labels == label]):
                Image.fromarray(image).save(folder / part / name / f"{number}.png")


@slow("trains a run of classes with names")
class ThreeClasses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter_folder(cls.addClassCleanup)
        config = dataclasses.replace(
            config_of("best"),
            **{"episodes": 2, "batches": 3, "batch_size": 12, "dataset": "own", "ink": "bright"},
            **{
                "generator_widths": (20,),
                "generator_channels": (2, 3),
                "discriminator_widths": (3, 4, 8),
            },
            determinator_widths=(3, 4, 8),
        )
        cls.lines = []
        write_pictures(Path("pictures"))
        gan3.train(config, name="three", data="pictures", log=cls.lines.append)

    def test_the_run_knows_its_classes(self):
        record = json.loads(Path("logs/three/run.json").read_text())
        self.assertEqual(record["class_names"], list(NAMES))
        run = gan3.open_run("three")
        self.assertEqual(run.class_names, NAMES)
        with np.load(Run("three").episode_file(2)) as episode:
            self.assertEqual(episode["average/hidden1/w"].shape, (42, 20))

    def test_all_figures_are_drawn_and_none_is_of_digits(self):
        figures = {path.name for path in Path("figures/three").iterdir()}
        self.assertLessEqual(
            {"classes.png", "episodes.png", "real.png", "untrained.png", "losses.png"}, figures
        )
        self.assertLessEqual({"episode_02.png", "fixed_02.png", "progression.gif"}, figures)
        self.assertFalse([line for line in self.lines if "digit" in line.lower()], self.lines)

    @slow("draws with seven commands")
    def test_the_command_line_draws_classes_by_name(self):
        line = ("generate", "B,a cross,A", "--uncurated", "--scale", 1, "--spacing", "fixed")
        status, out, err = call(*line)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out, "B,a cross,A: figures/B_a_cross_A.png (drawn by run three)\n")
        with Image.open("figures/B_a_cross_A.png") as picture:
            self.assertEqual(picture.size, (3 * 28, 28))  # no column is cut off
            cross = 255 - np.asarray(picture)[:, 28:56]
        drawn = gan3.load("three").generate(["B", "a cross", "A"])
        np.testing.assert_array_equal(cross, drawn[1])
        self.assertEqual(call("sample", "--labels", "B,A", "--count", 5, "--out", "x.npz")[0], 0)
        with np.load("x.npz") as samples:
            self.assertEqual(samples["labels"].tolist(), [1, 0, 1, 0, 1])
        for mode in ("arithmetic", "sweep"):
            out = call("latent", "--mode", mode, "--labels", "a cross", "--out", f"{mode}.png")
            self.assertEqual(out[0], 0, out)
        status, out, err = call("recognise", "x.npz")
        self.assertRegex(
            out, r"\A(x.npz\[\d\]: (A|B|a cross) \(\d+\.\d%[a-z, ]+ run three\)\n){5}\Z"
        )

    def test_the_library_takes_names_text_and_numbers(self):
        generator = gan3.load("three")
        self.assertEqual(generator.class_names, NAMES)
        self.assertNotIn("digit", repr(generator))
        both = generator.generate("AB", seed=3), generator.generate(["A", "B"], seed=3)
        np.testing.assert_array_equal(*both)
        by_name = generator.sample(5, ["B", "a cross"], seed=1)
        self.assertEqual(by_name.labels.tolist(), [1, 2, 1, 2, 1])
        np.testing.assert_array_equal(by_name.images, generator.sample(5, [1, 2], seed=1).images)
        self.assertEqual(generator.sample(7).labels.tolist(), [0, 1, 2, 0, 1, 2, 0])
        noise = generator.noise(np.array(["A", "a cross"]), seed=1)
        self.assertEqual(generator.draw("A,a cross", noise).shape, (2, 28, 28))
        images = generator.sample(4).images
        recognised = gan3.open_run("three").recognise(images)
        self.assertEqual(recognised.probabilities.shape, (4, 3))

    def test_what_is_no_class_is_refused_in_one_line(self):
        for arguments, message in (
            (("generate", "241256"), "number '241256': no class '241256' here; use A, B, a cross"),
            (("generate", "A,C"), "number 'A,C': no class 'C' here; use A, B, a cr"),
            (("generate", ""), "number: none; name at least one class"),
            (("sample", "--labels", "01", "--out", "y.npz"), "no class '01' here; use A, B"),
            (("latent", "--labels", "3"), "labels '3': no class '3' here; use A, B, a cross"),
        ):
            with self.subTest(arguments):
                status, out, err = call(*arguments)
                self.assertEqual((status, out), (2, ""))
                self.assertRegex(err, rf"\Agan3: [^\n]*{message}[^\n]*\n\Z")
