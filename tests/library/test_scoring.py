"""Report cards of arrays, and recognising digits."""

import json
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.data import strokes
from tests.support import FolderTest, call, keep_judge, write_idx_set


class Cards(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 900, 300)
        keep_judge()
        self.images, self.labels = (part[1000:] for part in strokes.make(1300, 10)[:2])

    def test_a_card_is_that_of_the_command_line(self):
        np.savez("x.npz", images=self.images, labels=self.labels.astype(np.int64))
        own = ("--dataset", "own", "--data", "own")
        status, out, _ = call("evaluate", "--samples", "x.npz", *own, "--json", "x.json")
        self.assertEqual(status, 0)
        lines = []
        card = gan3.evaluate(
            *(self.images / 127.5 - 1, self.labels, "own"),
            dataset="own",
            name="x.npz",
            log=lines.append,
        )
        printed = json.loads(Path("x.json").read_text())
        self.assertEqual(set(printed.pop("seconds")), set(card.scores))
        self.assertEqual({"file": "x.npz"} | card.values, printed)
        self.assertEqual(f"x.npz: uint8 from 0 to 255, read as 0..255\n{card}\n", out)
        self.assertIn(f"judge {card.values['judge']['digest']}", str(card))
        self.assertEqual("\n".join(lines), str(card))
        self.assertEqual(
            card["frechet_distance"], card.values["samples"]["frechet_distance"]["value"]
        )
        self.assertEqual(card.scores["label_accuracy"], card["label_accuracy"])
        self.assertEqual(set(card.real), set(card.scores))
        low, high = card.interval("label_accuracy")
        self.assertLessEqual(low, card["label_accuracy"])
        self.assertGreaterEqual(high, card["label_accuracy"])
        self.assertIsNone(card.interval("worst_class_coverage"))
        for read in (card.__getitem__, card.interval):
            with self.assertRaisesRegex(gan3.UserError, "metric 'fid': not on this card; it has"):
                read("fid")
        self.assertIn("x.npz", repr(card))

        card.save("deep/card")
        self.assertEqual(json.loads(Path("deep/card/report.json").read_text()), card.values)
        with Image.open("deep/card/report.png") as image:
            self.assertGreater(min(image.size), 500)

    def test_without_labels_and_with_less_variety(self):
        """One image a digit has no recall, whatever its accuracy."""
        first = [int(np.flatnonzero(self.labels == digit)[0]) for digit in range(10)]
        ten = np.resize(self.images[first], (300, 28, 28))
        real = gan3.evaluate(self.images, data="own", dataset="own")
        same = gan3.evaluate(ten, data="own", dataset="own")
        self.assertNotIn("label_accuracy", real.scores)
        self.assertLess(same["recall"], 0.2)
        self.assertGreater(real["recall"], 0.6)
        self.assertAlmostEqual(same["distinct_fraction"], 10 / 300, places=5)

    def test_real_images_can_be_arrays(self):
        real = strokes.make(900, 300)
        pairs = (real[:2], (real[2][..., None], np.eye(10)[real[3]]))
        card = gan3.evaluate(self.images, np.eye(10)[self.labels], real=pairs, ink="bright")
        of_file = gan3.evaluate(self.images, self.labels, "own", dataset="own")
        self.assertEqual(card.data_title, 'own set "arrays"')
        title = {"data_title": of_file.data_title}
        self.assertEqual(card.values | title, of_file.values)

    def test_arrays_are_read_as_files_of_samples_are(self):
        unit = self.images / 255
        for images, message in (
            (unit - 0.1, "images: float64 from -0.1 to 0.9; scale the images to one of 0..255"),
            (np.where(unit > 0.5, np.nan, unit), "images: float64 from nan to nan; scale"),
            (self.images[:, :20], r"images: images have the shape \(300, 20, 28\); store"),
        ):
            with self.subTest(message), self.assertRaisesRegex(gan3.UserError, message):
                gan3.evaluate(images, data="none")
        for images, notes in (
            (unit, []),
            (1 - unit, ["NOTE: images: inverted because their"]),
            (self.images // 255, ["NOTE: images: uint8 from 0 to 1, far"]),
        ):
            lines = []
            with self.assertRaisesRegex(gan3.UserError, "folder none: no such folder"):
                gan3.evaluate(images, data="none", log=lines.append)
            self.assertEqual([line[:36] for line in lines], notes)

    def test_wrong_arguments(self):
        for attempt, message in (
            (lambda: gan3.evaluate(self.images[:99]), "images: 99; a card needs at least 100"),
            (lambda: gan3.evaluate(self.images, self.labels[:9]), "labels: 9 for 300 images"),
            (lambda: gan3.evaluate(self.images, data="none"), "folder none: no such folder"),
            (
                lambda: gan3.evaluate(self.images, data="own", dataset="own", judge="j"),
                "j: no such",
            ),
            (lambda: gan3.evaluate(self.images, data=3), "data 3: use a path, .images, labels."),
            (
                lambda: gan3.evaluate(self.images, data="own", real=(self.images, self.labels)),
                "real: the real digits are these arrays; leave data and dataset out",
            ),
            (lambda: gan3.evaluate("x.npz", data="own", dataset="own"), "x.npz: no such file"),
            (lambda: gan3.evaluate("west", data="own", dataset="own"), "generator 'west': unknown"),
            (lambda: gan3.evaluate("best", self.labels), "labels: only of images that are arrays"),
            (lambda: gan3.evaluate("own", self.labels), "labels: only of images that are arrays"),
            (lambda: gan3.evaluate(self.images, dataset="cifar"), "dataset 'cifar'"),
            (lambda: gan3.evaluate(self.images, split="all"), "split 'all'"),
            (lambda: gan3.evaluate(self.images, name=None), "name None: use one line of text"),
            (lambda: gan3.evaluate(self.images, name="a\nb"), r"name 'a\\nb': use one line"),
        ):
            with self.subTest(message), self.assertRaisesRegex(gan3.UserError, message):
                attempt()


class Recognising(unittest.TestCase):
    def test_the_judge_reads_the_bundled_generator(self):
        images, labels = gan3.load("best").sample(200)
        recognised = gan3.recognise(images)
        self.assertEqual((recognised.labels.dtype, recognised.labels.shape), (np.int64, (200,)))
        self.assertEqual(recognised.probabilities.dtype, np.float32)
        np.testing.assert_allclose(recognised.probabilities.sum(axis=1), 1, atol=1e-5)
        # Label accuracy is at least .995; fewer than 190 of 200 have a probability below 1e-6.
        self.assertGreaterEqual((recognised.labels == labels).sum(), 190)
        as_floats = gan3.recognise(images[..., None] / np.float32(255))
        np.testing.assert_array_equal(as_floats.probabilities, recognised.probabilities)

    def test_what_is_no_image_is_refused(self):
        with self.assertRaisesRegex(gan3.UserError, r"images: images have the shape \(28, 28\)"):
            gan3.recognise(np.zeros((28, 28), np.uint8))
