"""Images of numbers, whatever the digits look like."""

import unittest

import numpy as np

from gan3.plots import numbers
from tests.properties import given, st

CROP = 5
ROWS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def digits(count, seed, blank_sides=False):
    images = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)
    if blank_sides:
        images[:, :, :CROP] = images[:, :, -CROP:] = 0
    return images


class Numbers(unittest.TestCase):
    @given(st.integers(1, 40), st.integers(0, 2**31))
    def test_all_but_the_sides_is_in_its_place(self, count, seed):
        images = digits(count, seed)
        picture = numbers.number_image(images, inverted=True)
        self.assertEqual(picture.shape, (28, 18 * count))
        for number, image in enumerate(images):
            cell = picture[:, 18 * number : 18 * (number + 1)]
            np.testing.assert_array_equal(cell, image[:, CROP:-CROP])

    @given(st.integers(1, 20), st.integers(0, 2**31), st.booleans())
    def test_black_on_white_is_the_negative_of_white_on_black(self, count, seed, tight):
        images = digits(count, seed, blank_sides=bool(seed % 2))
        light, dark = (numbers.number_image(images, inverted, tight) for inverted in (True, False))
        self.assertEqual((light.dtype, dark.dtype), (np.uint8, np.uint8))
        np.testing.assert_array_equal(light.astype(int) + dark, 255)

    @given(st.integers(0, 27), st.integers(0, 27), st.integers(26, 255))
    def test_tight_digits_keep_their_ink(self, first, second, ink):
        left, right = sorted((first, second))
        image = np.zeros((1, 28, 28), np.uint8)
        image[0, 14, [left, right]] = ink
        picture = numbers.number_image(image, inverted=True, tight=True)
        self.assertEqual((picture == ink).sum(), (image == ink).sum())
        width = right - left + 1 + (left > 0) + (right < 27)
        self.assertEqual(picture.shape, (28, width))

    @given(ROWS, st.booleans(), st.integers(0, 2**31))
    def test_rows_are_one_below_the_other(self, counts, inverted, seed):
        pictures = [numbers.number_image(digits(count, seed), inverted) for count in counts]
        stacked = numbers.stack_rows(pictures, inverted)
        self.assertEqual(stacked.shape, (28 * len(counts), 18 * max(counts)))
        for row, picture in zip(np.split(stacked, len(counts)), pictures, strict=True):
            width = picture.shape[1]
            np.testing.assert_array_equal(row[:, :width], picture)
            self.assertLessEqual(set(np.unique(row[:, width:])), {0 if inverted else 255})
