"""The picture of a number as the published tool saves it."""

import io
import unittest

import numpy as np
from PIL import Image

from gan3.plots.published_number import published_figure

MARGIN = 10  # dots around the content of a tight bounding box: 0.1 inches


def saved(images, inverted):
    """The pixels of the file, uint8 [height, width], and its mode."""
    buffer = io.BytesIO()
    published_figure(images, inverted).savefig(buffer, format="png", bbox_inches="tight")
    with Image.open(buffer) as image:
        return np.asarray(image.convert("L")), image.mode


class PublishedNumber(unittest.TestCase):
    def test_the_files_have_the_sizes_of_the_published_ones(self):
        """Its pictures of 6, 7 and 8 digits are 640 wide and 180, 157 and 140 high."""
        for digits, height in ((6, 180), (7, 157), (8, 140)):
            picture, mode = saved(np.zeros((digits, 28, 28), np.uint8), False)
            self.assertEqual((picture.shape, mode), ((height, 640), "RGBA"))

    def test_digits_are_cropped_and_stretched_to_black_and_white_together(self):
        images = np.full((2, 28, 28), 100, np.uint8)
        images[0, :, 5:14] = 180  # the left half of what is left of the first digit
        images[1, :, :5] = 255  # cropped
        images[1, :, 5:] = 140
        for inverted in (True, False):
            picture, _ = saved(images, inverted)
            height, width = picture.shape
            cells = (width - 2 * MARGIN) / 4  # half digits
            row = picture[height // 2, MARGIN + (cells * (np.arange(4) + 0.5)).astype(int)]
            ink = np.array([80, 0, 40, 40]) * 255 / 80  # 100..180 becomes 0..255
            np.testing.assert_allclose(row, ink if inverted else 255 - ink, atol=1)

    def test_the_margin_is_paper_and_digits_touch_each_other(self):
        picture, _ = saved(np.full((3, 28, 28), 9, np.uint8), True)
        self.assertEqual(picture[:, : MARGIN - 1].min(), 255)  # of the figure, not of the digits
        self.assertEqual(picture[MARGIN + 1 : -MARGIN - 1, MARGIN + 1 : -MARGIN - 1].max(), 0)


if __name__ == "__main__":
    unittest.main()
