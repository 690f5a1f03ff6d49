"""Pixel scaling, gathering a batch, and the order in which images are trained on."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.values import to_pixels
from gan3.data.batches import Batches, make_gather, to_unit


class PixelScaling(unittest.TestCase):
    def test_pixels_survive_the_round_trip(self):
        pixels = np.arange(256, dtype=np.uint8).repeat(784).reshape(256, 28, 28)
        images = to_unit(tf.constant(pixels)).numpy()
        self.assertEqual((images.shape, images.dtype), ((256, 28, 28, 1), np.float32))
        self.assertEqual((images.min(), images.max()), (0.0, 1.0))
        np.testing.assert_array_equal(to_pixels(images[..., 0]), pixels)

    def test_images_of_another_size_are_refused(self):
        for shape in ((2, 28, 27), (28, 28)):
            with self.subTest(shape), self.assertRaises(ValueError):
                to_unit(tf.zeros(shape, tf.uint8))


class Gather(unittest.TestCase):
    def test_images_and_labels_are_those_of_the_indices(self):
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (12, 28, 28), np.uint8)
        labels = random.integers(0, 10, 12, np.uint8)
        indices = np.array([7, 0, 7, 11], np.int32)
        images, gathered = make_gather(pixels, labels)(tf.constant(indices))
        self.assertEqual((images.shape, gathered.dtype), ((4, 28, 28, 1), tf.int32))
        np.testing.assert_allclose(images[..., 0], pixels[indices] / 255, atol=1e-7)
        np.testing.assert_array_equal(gathered, labels[indices])


class Order(unittest.TestCase):
    def epochs(self, count, batch_size, epochs):
        """The indices of all steps of some epochs, [epochs, count]."""
        batches = Batches(count, batch_size, seed=0)
        steps = range(1, epochs * count // batch_size + 1)
        return np.concatenate([batches(step) for step in steps]).reshape(epochs, count)

    def test_each_epoch_is_another_permutation(self):
        epochs = self.epochs(count=60, batch_size=10, epochs=4)
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch), np.arange(60))
        self.assertEqual(len({epoch.tobytes() for epoch in epochs}), 4)

    def test_a_batch_can_span_epochs(self):
        for epoch in self.epochs(count=50, batch_size=20, epochs=2):
            np.testing.assert_array_equal(np.sort(epoch), np.arange(50))
        np.testing.assert_array_equal(np.bincount(Batches(7, 21, 0)(1)), [3] * 7)

    def test_without_shuffling_the_images_keep_their_order(self):
        batches = Batches(5, 3, seed=0, shuffle=False)
        got = np.concatenate([batches(step) for step in (1, 2, 3, 4)])
        np.testing.assert_array_equal(got, np.arange(12) % 5)
        self.assertEqual({batches(1).dtype, Batches(5, 7, seed=0)(1).dtype}, {np.dtype("int32")})

    def test_a_batch_depends_on_the_seed_and_the_step_alone(self):
        first, same, other = Batches(500, 10, 1), Batches(500, 10, 1), Batches(500, 10, 2)
        for step in (33, 2, 170):
            np.testing.assert_array_equal(first(step), same(step))
            self.assertFalse(np.array_equal(first(step), other(step)))
        self.assertFalse(np.array_equal(Batches(500, 10, (1, 9))(1), Batches(500, 10, 1)(1)))
        np.testing.assert_array_equal(Batches(500, 10, (1,))(3), Batches(500, 10, 1)(3))
