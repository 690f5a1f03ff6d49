"""Figures of style transfer."""

import unittest

import numpy as np

from gan3.core.classes import DIGITS
from gan3.plots import grids, styles


class Redrawn(unittest.TestCase):
    def test_each_row_is_an_image_and_the_classes_in_its_style(self):
        random = np.random.default_rng(0)
        sources = random.integers(0, 256, (3, 28, 28)).astype(np.uint8)
        images = random.integers(0, 256, (3, 10, 28, 28)).astype(np.uint8)
        figure = styles.redrawn(sources, images, DIGITS, "title")
        texts = [text.get_text() for text in figure.texts]
        self.assertEqual(texts, ["title", "real", *DIGITS])
        shown = [image.get_array()[::3, ::3, 0] for image in figure.images]
        expected = np.concatenate([sources[:, None], images], axis=1).reshape(-1, 28, 28)
        np.testing.assert_array_equal(np.stack(shown), expected)

    def test_no_more_classes_than_fit_in_full_size(self):
        names = [f"class {number}" for number in range(62)]
        images = np.zeros((2, 62, 28, 28), np.uint8)
        figure = styles.redrawn(images[:, 0], images, names, "title")
        self.assertEqual(len(figure.images), 2 * grids.MOST_COLUMNS)


class Correlations(unittest.TestCase):
    def test_every_value_is_written_in_its_place(self):
        table = np.linspace(-1, 1, 100).reshape(10, 10).tolist()
        table[4][7] = None
        figure = styles.correlations({"ink": table, "slant": table}, DIGITS, "title")
        self.assertEqual([axes.get_title() for axes in figure.axes], ["ink", "slant"])
        for axes in figure.axes:
            texts = {text.get_position(): text.get_text() for text in axes.texts}
            self.assertEqual(len(texts), 99)
            self.assertNotIn((7, 4), texts)
            self.assertEqual(texts[0, 0], "-1.00")
            self.assertEqual(texts[9, 0], f"{table[0][9]:.2f}".replace("0.", "."))
            self.assertEqual(texts[0, 9], f"{table[9][0]:.2f}".replace("0.", "."))

    def test_many_classes_are_told_by_their_colours(self):
        table = np.eye(26).tolist()
        figure = styles.correlations({"ink": table}, list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "title")
        self.assertEqual(len(figure.axes[0].texts), 0)


if __name__ == "__main__":
    unittest.main()
