"""Images of numbers: digits side by side, and rows of them."""

import unittest

import numpy as np
from PIL import Image

from gan3.plots import numbers
from tests.support import FolderTest


class NumberImages(unittest.TestCase):
    def test_digits_are_cropped_and_placed_side_by_side(self):
        images = np.zeros((3, 28, 28), np.uint8)
        images[1, :, 5:-5] = 200
        images[2, :, :5] = 255  # cropped
        picture = numbers.number_image(images, inverted=True)
        self.assertEqual(picture.shape, (28, 3 * 18))
        self.assertEqual(np.unique(picture[:, 18:36]).tolist(), [200])
        self.assertEqual(picture[:, 36:].max(), 0)
        np.testing.assert_array_equal(numbers.number_image(images, inverted=False), 255 - picture)

    def test_tight_spacing_leaves_one_blank_column_on_each_side_of_the_ink(self):
        images = np.zeros((3, 28, 28), np.uint8)
        images[0, :, 10:14] = 200
        images[1, :, 0:3] = 200  # no blank column on the left
        picture = numbers.number_image(images, inverted=True, tight=True)
        blank = 28 - 2 * 5  # the width of a digit without ink
        self.assertEqual(picture.shape, (28, (1 + 4 + 1) + (3 + 1) + blank))
        self.assertEqual(np.flatnonzero(picture.max(axis=0)).tolist(), [1, 2, 3, 4, 6, 7, 8])


class Pictures(FolderTest):
    def test_a_picture_is_saved_pixel_for_pixel(self):
        picture = np.random.default_rng(0).integers(0, 256, (28, 54), np.uint8)
        numbers.save_pictures(self.folder / "new", [("3.png", picture, None)])
        with Image.open(self.folder / "new" / "3.png") as image:
            self.assertEqual((image.format, image.mode), ("PNG", "L"))
            np.testing.assert_array_equal(np.asarray(image), picture)
