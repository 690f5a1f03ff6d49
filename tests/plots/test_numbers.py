"""Images of numbers: digits side by side, and rows of them."""

import unittest

import numpy as np
from PIL import Image

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.plots import numbers
from tests.support import FolderTest


class Length(unittest.TestCase):
    def test_a_picture_of_more_than_1000_images_is_refused(self):
        numbers.check_length(np.zeros(1000, np.int64), DIGITS)
        for names, called in ((DIGITS, "digits"), (("A", "B"), "classes")):
            message = f"number of 1001 {called}: an image holds at most 1000; split it"
            with self.assertRaisesRegex(UserError, message):
                numbers.check_length(np.zeros(1001, np.int64), names)


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
        numbers.save_picture(picture, self.folder / "3.png")
        with Image.open(self.folder / "3.png") as image:
            self.assertEqual((image.format, image.mode), ("PNG", "L"))
            np.testing.assert_array_equal(np.asarray(image), picture)

    def test_a_folder_that_does_not_exist_is_named(self):
        with self.assertRaisesRegex(UserError, "none/3.png: cannot be written"):
            numbers.save_picture(np.zeros((28, 28), np.uint8), self.folder / "none" / "3.png")


if __name__ == "__main__":
    unittest.main()
