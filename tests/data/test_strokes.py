import unittest

import numpy as np

from gan3.data import strokes


class Strokes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.arrays = strokes.make()

    def test_sizes_and_balance(self):
        images, labels, test_images, test_labels = self.arrays
        self.assertEqual((images.shape, images.dtype), ((60_000, 28, 28), np.uint8))
        self.assertEqual((test_images.shape, test_labels.shape), ((10_000, 28, 28), (10_000,)))
        np.testing.assert_array_equal(np.bincount(labels), [6_000] * 10)
        np.testing.assert_array_equal(np.bincount(test_labels), [1_000] * 10)

    def test_the_same_bytes_everywhere(self):
        self.assertEqual(strokes.digest(self.arrays), strokes.DIGEST)

    def test_no_two_digits_are_the_same_and_none_is_empty(self):
        images, _, test_images, _ = self.arrays
        distinct = {image.tobytes() for part in (images, test_images) for image in part}
        self.assertEqual(len(distinct), 70_000)
        ink = images.reshape(60_000, -1).mean(axis=1) / 255
        self.assertGreater(ink.min(), 0.01)
        self.assertLess(ink.max(), 0.45)

    def test_set_as_mnist_sets_its_digits(self):
        """A border of paper, the mass at (14, 14), antialiased edges."""
        images = self.arrays[0][:5_000].astype(float)
        self.assertEqual(images[:, [0, 27]].max() + images[:, :, [0, 27]].max(), 0)
        mass = images.sum(axis=(1, 2))
        for axis in (1, 2):
            centre = (images.sum(axis=3 - axis) * np.arange(28)).sum(axis=1) / mass
            self.assertLess(np.abs(centre - 14).max(), 3)  # moved only off the border
            self.assertAlmostEqual(centre.mean(), 14, delta=0.25)
        between = ((images > 20) & (images < 235)).sum() / (images > 20).sum()
        self.assertGreater(between, 0.2)
        self.assertLess(between, 0.7)

    def test_order_is_shuffled(self):
        labels = self.arrays[1]
        same = (labels[1:] == labels[:-1]).mean()
        self.assertAlmostEqual(same, 0.1, delta=0.02)


if __name__ == "__main__":
    unittest.main()
