"""What objects of the library show in a notebook, and the pictures that they save."""

import io
import json
import re
import unittest

import numpy as np
from PIL import Image

import gan3
from gan3.core import html
from gan3.core.classes import DIGITS
from gan3.evaluation.card import Card
from gan3.runs.registry import config_of
from tests.support import ROOT, FolderTest, call


def shown(png):
    """The pixels of a PNG."""
    return np.asarray(Image.open(io.BytesIO(png)))


def cells(text):
    """The texts of a table's cells."""
    return re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", text)


class Pictures(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.best = gan3.load("best")

    def test_a_number_is_shown_in_ink_on_paper(self):
        images = self.best.generate("2412")
        picture = shown(images._repr_png_())
        self.assertEqual(picture.shape[0], 4 * 28)
        self.assertGreater(np.median(picture), 250)
        self.assertLess(picture.min(), 50)
        one = shown(images[1]._repr_png_())
        self.assertEqual(one.shape[0], 4 * 28)
        self.assertLess(one.shape[1], picture.shape[1] / 2)
        for other in (images[:, :5], images[:0], images[0, 0]):
            self.assertIsNone(other._repr_png_())
        self.assertIs(type(images / 2), np.ndarray)
        self.assertIs(type(images.max()), np.uint8)
        self.assertIs(type(images.astype(int)), type(images))

    def test_samples_are_shown_as_a_sheet_and_saved(self):
        samples = self.best.sample(23, seed=1)
        self.assertEqual(shown(samples._repr_png_()).shape, (3 * 60, 10 * 60))
        self.assertEqual(shown(self.best.sample(600)._repr_png_()).shape, (5 * 60, 10 * 60))
        samples.save("a/x.png")
        np.testing.assert_array_equal(
            np.asarray(Image.open("a/x.png")), shown(samples._repr_png_())
        )
        samples.save("a/x.npz")
        with np.load("a/x.npz") as arrays:
            np.testing.assert_array_equal(arrays["images"], samples.images)
            np.testing.assert_array_equal(arrays["labels"], samples.labels)
        with self.assertRaisesRegex(gan3.UserError, "x.gif: samples are saved as .png or .npz"):
            samples.save("x.gif")
        for picture in (samples, self.best.picture("1")):
            with self.assertRaisesRegex(gan3.UserError, "path None: use a path"):
                picture.save(None)
        with self.assertRaisesRegex(gan3.UserError, "x.jpg: pictures are saved as .png"):
            picture.save("x.jpg")

    def test_the_picture_of_a_number_is_that_of_the_command_line(self):
        picture = self.best.picture("241256", seed=5)
        picture.save("a/number.png")
        self.assertEqual(call("generate", "241256", "--seed", 5)[0], 0)
        drawn = np.asarray(Image.open("figures/241256.png"))
        np.testing.assert_array_equal(np.asarray(Image.open("a/number.png")), drawn)
        np.testing.assert_array_equal(shown(picture._repr_png_()), drawn)
        small = shown(self.best.picture("241256", seed=5, scale=1)._repr_png_())
        self.assertEqual((small.shape[0], 8 * small.shape[1]), (28, drawn.shape[1]))
        for scale in (0, 33, 1.5):
            with self.assertRaisesRegex(gan3.UserError, "scale .*: use a whole number"):
                self.best.picture("1", scale=scale)

    def test_any_images_make_one_picture(self):
        images = self.best.sample(12).images
        picture = gan3.show(images, titles=list("abcdefghijkl"), columns=4, title="a title")
        self.assertGreater(shown(picture._repr_png_()).shape[0], 3 * 28)
        for titles, columns, message in (
            (["a", "b", "c"], 4, "titles: 3 for 12 images in 4 columns"),
            ("abcd", 4, "titles 'abcd': use a list"),
            (5, 4, "titles 5: use a list"),
            (None, 0, "columns 0: use a whole number from 1 to 50"),
            (None, "a", "columns 'a': use a whole number"),
        ):
            with self.assertRaisesRegex(gan3.UserError, message):
                gan3.show(images, titles, columns=columns)


class Tables(FolderTest):
    def test_a_table_escapes_what_is_in_it(self):
        self.assertEqual(cells(html.table(("a<b", ""), [("&", "c")])), ["a&lt;b", "", "&amp;", "c"])

    def test_a_card_shows_every_metric_that_it_has(self):
        scores = {"recall": {"value": 0.5, "low": 0.25, "high": 0.75}}
        values = {
            "count": 1000,
            "held_out": 100,
            "samples": scores,
            "real": {"recall": {"value": 0.9}},
        }
        texts = cells(Card("a & b", values, lambda _: b"")._repr_html_())
        self.assertEqual(texts[0], "a &amp; b, 1,000 samples")
        self.assertIn("recall", texts[4])
        self.assertEqual([text.strip() for text in texts[5:]], ["0.500", "[0.250, 0.750]", "0.900"])

    def test_what_is_recognised_is_shown_with_its_probability(self):
        probabilities = np.full((1, 10), 0.01, np.float32)
        probabilities[0, [7, 1]] = 0.8, 0.12
        texts = cells(gan3.Recognised(np.array([7]), probabilities)._repr_html_())
        self.assertEqual(texts[3:], ["image 0", "7 80% ████████", "1 12% █"])

    def test_a_run_shows_how_far_it_is(self):
        run = gan3.Run("a")
        run.folder.mkdir(parents=True)
        record = {"started": "2026", "config": config_of("best").to_dict(), "class_names": DIGITS}
        record |= {"outcome": "stopped", "data_title": "MNIST"}
        run.record_file.write_text(json.dumps(record))
        self.assertIn("0 of 2000", cells(run._repr_html_()))
        lines = [
            {
                "step": 200,
                "episode": 1,
                "judge/frechet_distance": 9.5,
                "judge/label_accuracy": 0.98,
            },
            {"step": 210, "episode": 2},
        ]
        written = [json.dumps(line | {"episode": 1}) for line in lines]
        run.metrics_file.write_text("\n".join([*written, ""]))
        texts = cells(run._repr_html_())
        for text in ("run a", "best, seed 0", "MNIST", "stopped", "210 of 2000", "9.5", "0.98"):
            self.assertIn(text, texts)


class Tour(unittest.TestCase):
    def test_the_notebook_imports_the_library_and_nothing_from_inside_of_it(self):
        notebook = json.loads((ROOT / "experiments" / "tour.ipynb").read_text())
        code = "\n".join(
            "".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"
        )
        self.assertIn("import gan3\n", code)
        self.assertNotRegex(code, r"from gan3|import gan3\.|\n *def ")
        for name in re.findall(r"gan3\.(\w+)", code):
            self.assertTrue(hasattr(gan3, name), name)
