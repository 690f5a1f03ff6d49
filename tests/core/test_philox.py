"""Random numbers in NumPy are TensorFlow's own."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core import philox

SEEDS = ((0, 0), (0, 1), (1, 0), (12, 5 * 2**27 + 3), (2**31 - 1, 9 * 2**27), (-7, 4))
COUNTS = (1, 2, 3, 4, 5, 10, 100, 1003)


class Philox(unittest.TestCase):
    def test_uniform_numbers_are_equal_bit_for_bit(self):
        for seed in SEEDS:
            for count in COUNTS:
                for low, high in ((0.0, 1.0), (-1.0, 1.0), (-1.0, 0.5)):
                    expected = tf.random.stateless_uniform([count], seed, low, high, alg="philox")
                    got = philox.uniform(count, seed, low, high)
                    self.assertEqual(got.dtype, np.float32)
                    np.testing.assert_array_equal(got, expected, f"{seed} {count}")

    def test_normal_numbers_are_equal_but_for_the_last_bits(self):
        for seed in SEEDS:
            for count in COUNTS:
                expected = tf.random.stateless_normal([count], seed, alg="philox")
                got = philox.normal(count, seed)
                self.assertEqual((got.dtype, got.shape), (np.float32, (count,)))
                np.testing.assert_allclose(got, expected, atol=2e-6, err_msg=f"{seed} {count}")

    def test_normal_numbers_have_mean_0_and_variance_1(self):
        numbers = philox.normal(100_000, (3, 4)).astype(np.float64)
        self.assertLess(abs(numbers.mean()), 4 / np.sqrt(100_000))
        self.assertLess(abs(numbers.var() - 1), 4 * np.sqrt(2 / 100_000))

    def test_a_folded_seed_is_tensorflows(self):
        for seed in SEEDS:
            for number in (0, 1, 2, 1999):
                expected = tf.random.fold_in(tf.constant(seed, tf.int32), number)
                self.assertEqual(philox.fold_in(seed, number), tuple(expected.numpy().tolist()))
        folded = philox.fold_in((5, 6), 7)  # a seed of its own
        expected = tf.random.stateless_uniform([4], folded, alg="philox")
        np.testing.assert_array_equal(philox.uniform(4, folded, 0, 1), expected)


if __name__ == "__main__":
    unittest.main()
