"""Images in 0..1 as pixels."""

import unittest

import numpy as np

from gan3.data.pixels import to_pixels


class Pixels(unittest.TestCase):
    def test_values_are_rounded_to_256_levels(self):
        levels = np.arange(256)
        for shift in (-0.49, 0.0, 0.49):
            images = np.clip((levels + shift) / 255, 0, 1).astype(np.float32)
            pixels = to_pixels(images)
            self.assertEqual(pixels.dtype, np.uint8)
            np.testing.assert_array_equal(pixels, levels)

    def test_values_outside_the_range_are_an_error(self):
        for value in (-0.01, 1.01, np.nan, np.inf):
            with self.subTest(value), self.assertRaises(ValueError):
                to_pixels(np.array([0.5, value]))


if __name__ == "__main__":
    unittest.main()
