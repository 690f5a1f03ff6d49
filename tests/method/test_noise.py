import unittest

import numpy as np
import tensorflow as tf

from gan3.method.noise import Noise, latent_of

SEED, OTHER_SEED = tf.constant([5, 6]), tf.constant([5, 7])


class AnyNumberOfClasses(unittest.TestCase):
    def test_a_class_owns_its_ten_columns(self):
        for classes in (2, 3, 62):
            labels = np.array([0, classes - 1, classes // 2])
            noise = np.arange(1, 31, dtype=np.float32).reshape(3, 10)
            got = latent_of(tf.constant(labels), tf.constant(noise), classes).numpy()
            expected = np.zeros((3, 10 * classes), np.float32)
            for row, label in enumerate(labels):
                expected[row, 10 * label : 10 * label + 10] = noise[row]
            np.testing.assert_array_equal(got, expected)


class Latent(unittest.TestCase):
    def test_wrong_shapes_are_refused(self):
        with self.assertRaises(ValueError):
            latent_of(tf.zeros([4, 1], tf.int32), tf.zeros([4, 10]), 10)
        with self.assertRaises(ValueError):
            latent_of(tf.zeros([4], tf.int32), tf.zeros([40]), 10)


class Draws(unittest.TestCase):
    """What a `Noise` depends on. The noise of whole steps is tested with the training step."""

    labels = tf.constant([*range(10), *range(10)])

    def test_noise_is_uniform_in_minus_one_to_one(self):
        noise = Noise("example", 0, 10)(tf.zeros([20_000], tf.int32), SEED).numpy()
        self.assertEqual(noise.shape, (20_000, 10))
        self.assertTrue(-1 <= noise.min() < -0.999 < 0.999 < noise.max() < 1)
        # 200,000 draws of deviation 1/sqrt(3): the mean within five standard errors
        self.assertAlmostEqual(noise.mean(), 0, delta=5 / np.sqrt(3 * 200_000))
        self.assertAlmostEqual(noise.std(), 1 / np.sqrt(3), delta=0.005)

    def test_example_draws_for_each_image_by_the_seed(self):
        draw = Noise("example", 0, 10)
        noise = draw(self.labels, SEED).numpy()
        self.assertEqual(len(np.unique(noise, axis=0)), 20)
        np.testing.assert_array_equal(noise, draw(self.labels, SEED))
        np.testing.assert_array_equal(noise, Noise("example", 1, 10)(self.labels, SEED))
        self.assertFalse(np.array_equal(noise, draw(self.labels, OTHER_SEED)))

    def test_once_draws_one_matrix_by_the_seed_of_the_run(self):
        labels = tf.range(10)
        noise = Noise("once", 1, 10)(labels, SEED).numpy()
        self.assertEqual(len(np.unique(noise, axis=0)), 10)
        for again in (
            Noise("once", 1, 10)(labels, SEED),
            Noise("once", 1, 10)(labels, OTHER_SEED),
        ):
            np.testing.assert_array_equal(noise, again)
        self.assertFalse(np.array_equal(noise, Noise("once", 2, 10)(labels, SEED)))
        reversed_rows = Noise("once", 1, 10)(tf.reverse(labels, [0]), SEED)
        np.testing.assert_array_equal(reversed_rows, noise[::-1])  # a digit keeps its row
