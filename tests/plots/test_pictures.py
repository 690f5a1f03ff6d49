"""Images of digits as files."""

import unittest

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.plots.pictures import save_picture
from tests.support import FolderTest


class Pictures(FolderTest):
    def test_a_picture_is_saved_pixel_for_pixel(self):
        picture = np.random.default_rng(0).integers(0, 256, (28, 54), np.uint8)
        save_picture(picture, self.folder / "3.png")
        with Image.open(self.folder / "3.png") as image:
            self.assertEqual((image.format, image.mode), ("PNG", "L"))
            np.testing.assert_array_equal(np.asarray(image), picture)

    def test_a_folder_that_does_not_exist_is_named(self):
        with self.assertRaisesRegex(UserError, "none/3.png: cannot be written"):
            save_picture(np.zeros((28, 28), np.uint8), self.folder / "none" / "3.png")


if __name__ == "__main__":
    unittest.main()
