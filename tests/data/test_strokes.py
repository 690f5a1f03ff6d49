"""The embedded synthetic digits: the same bytes everywhere, and drawn as MNIST's digits are."""

import hashlib
import unittest

import numpy as np

from gan3.data import strokes
from tests.support import slow


class SmallSet(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.arrays = strokes.make(6_000, 1_000)

    def test_shapes_and_equal_numbers_of_each_digit(self):
        images, labels, test_images, test_labels = self.arrays
        self.assertEqual((images.shape, images.dtype), ((6_000, 28, 28), np.uint8))
        self.assertEqual((test_images.shape, test_labels.shape), ((1_000, 28, 28), (1_000,)))
        self.assertEqual((labels.dtype, test_labels.dtype), (np.uint8, np.uint8))
        np.testing.assert_array_equal(np.bincount(labels), [600] * 10)
        np.testing.assert_array_equal(np.bincount(test_labels), [100] * 10)

    def test_digits_are_placed_as_in_mnist(self):
        """An empty border, the centre of mass at (14, 14), antialiased edges."""
        images = self.arrays[0].astype(float)
        self.assertEqual(images[:, [0, 27]].max() + images[:, :, [0, 27]].max(), 0)
        mass = images.sum(axis=(1, 2))
        for axis in (1, 2):
            centre = (images.sum(axis=3 - axis) * np.arange(28)).sum(axis=1) / mass
            self.assertLess(np.abs(centre - 14).max(), 3)  # shifted only to keep the border empty
            self.assertAlmostEqual(centre.mean(), 14, delta=0.25)
        grey_fraction = ((images > 20) & (images < 235)).sum() / (images > 20).sum()
        self.assertGreater(grey_fraction, 0.2)
        self.assertLess(grey_fraction, 0.7)

    def test_the_order_is_shuffled(self):
        labels = self.arrays[1]
        repeated = (labels[1:] == labels[:-1]).mean()
        self.assertAlmostEqual(repeated, 0.1, delta=0.02)


class FullSet(unittest.TestCase):
    @slow("draws 70,000 strokes")
    def test_it_has_the_recorded_digest_and_no_duplicates(self):
        arrays = strokes.make()
        content = b"".join(array.tobytes() for array in arrays)
        self.assertEqual(hashlib.sha256(content).hexdigest(), strokes.DIGEST)
        self.assertEqual([len(array) for array in arrays], [60_000, 60_000, 10_000, 10_000])
        for labels in (arrays[1], arrays[3]):
            np.testing.assert_array_equal(np.bincount(labels), [len(labels) // 10] * 10)
        distinct = {image.tobytes() for images in arrays[::2] for image in images}
        self.assertEqual(len(distinct), 70_000)
        ink = arrays[0].reshape(60_000, -1).mean(axis=1) / 255
        self.assertGreater(ink.min(), 0.01)
        self.assertLess(ink.max(), 0.45)
