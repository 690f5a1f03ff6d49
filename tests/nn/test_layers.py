import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import layers


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(2)

    def draw(self, *shape):
        return self.random.normal(size=shape).astype(np.float32)

    def test_bfloat16_inputs_give_bfloat16_and_weights_keep_their_type(self):
        x, w, b = tf.ones([2, 4], tf.bfloat16), tf.Variable(self.draw(4, 5)), tf.Variable([0.5] * 5)
        got = layers.dense(x, w, b)
        self.assertEqual((got.dtype, w.dtype), (tf.bfloat16, tf.float32))
        expected = np.ones((2, 4)) @ w.numpy() + 0.5
        np.testing.assert_allclose(tf.cast(got, tf.float32), expected, atol=0.05)
        for moment in layers.batch_moments(x):
            self.assertEqual(moment.dtype, tf.float32)

    def test_a_kernel_of_one_pixel(self):
        """Every second pixel times a matrix; its gradient is that of the matrix product."""
        random = np.random.default_rng(0)
        for channels, size in ((1, 28), (3, 8), (3, 7)):
            with self.subTest(channels=channels, size=size):
                x = random.standard_normal((5, size, size, channels)).astype(np.float32)
                w = tf.Variable(random.standard_normal((1, 1, channels, 6)), dtype=tf.float32)
                b = tf.Variable(tf.zeros(6))
                with tf.GradientTape() as tape:
                    y = layers.conv(tf.constant(x), w, b, stride=2)
                    upstream = random.standard_normal(y.shape).astype(np.float32)
                    loss = tf.reduce_sum(y * upstream)
                seen = x[:, ::2, ::2].reshape(-1, channels)
                product = (seen @ w[0, 0].numpy()).reshape(y.shape)
                np.testing.assert_allclose(y, product, rtol=1e-4, atol=1e-5)
                gradient = tape.gradient(loss, w)[0, 0]
                expected = seen.T @ upstream.reshape(-1, 6)
                np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)

    def test_one_channel_is_computed_as_tensorflow_does_to_the_second_derivative(self):
        """Of a convolution from one channel, and of a transposed one to one channel."""
        for side, stride, small in ((5, 1, 9), (4, 2, 5), (8, 4, 3), (2, 2, 4), (3, 1, 4)):
            large = small * stride
            w = tf.constant(self.draw(side, side, 1, 6))
            pairs = (
                (
                    self.draw(3, large, large, 1),
                    lambda x, w, stride=stride: layers.conv(x, w, tf.zeros(6), stride),
                    lambda x, w, stride=stride: tf.nn.conv2d(x, w, stride, "SAME"),
                ),
                (
                    self.draw(3, small, small, 6),
                    lambda x, w, stride=stride: layers.to_one_channel(x, w, stride),
                    lambda x, w, stride=stride, large=large: tf.nn.conv2d_transpose(
                        x, w, [3, large, large, 1], stride, "SAME"
                    ),
                ),
            )
            for x, ours, oracle in pairs:
                with self.subTest(side=side, stride=stride, channels=x.shape[3]):
                    got, expected = (self.derivatives(f, tf.constant(x), w) for f in (ours, oracle))
                    for one, other in zip(got, expected, strict=True):
                        scale = np.abs(other).max()
                        np.testing.assert_allclose(one / scale, other / scale, atol=3e-5)

    @staticmethod
    def derivatives(function, x, w):
        """y = f(x, w), the gradients of a loss of y, and those of the squared gradient of x."""
        with tf.GradientTape() as outer:
            outer.watch([x, w])
            with tf.GradientTape() as inner:
                inner.watch([x, w])
                y = function(x, w)
                loss = tf.reduce_sum(tf.sin(y))
            first = inner.gradient(loss, [x, w])
            length = tf.reduce_sum(first[0] ** 2)
        return [tensor.numpy() for tensor in (y, *first, *outer.gradient(length, [x, w]))]

    def test_activations_never_decrease(self):
        x = tf.constant(np.linspace(-9, 9, 1001, dtype=np.float32))
        for name, activation in layers.ACTIVATIONS.items():
            self.assertGreaterEqual(np.diff(activation(x)).min(), -1e-6, name)


class Dropout(unittest.TestCase):
    def test_bfloat16_keeps_as_many_as_float32(self):
        """Drawn in bfloat16, .99 would be .9844, which is 56 deviations of a million draws off."""
        kept = layers.dropout(tf.ones([1000, 1000], tf.bfloat16), 0.99, tf.constant([1, 2]))
        self.assertEqual(kept.dtype, tf.bfloat16)
        fraction = (tf.cast(kept, tf.float32).numpy() > 0).mean()
        self.assertAlmostEqual(fraction, 0.99, delta=5 * math.sqrt(0.99 * 0.01 / 1e6))

    def test_in_float32_it_is_tensorflows_dropout_bit_for_bit(self):
        x = tf.constant(np.random.default_rng(2).normal(size=(60, 70)).astype(np.float32))
        seed = tf.constant([3, 4])
        for keep_prob in (0.99, 0.8, 0.5, 0.3, 0.01):
            expected = tf.nn.experimental.stateless_dropout(
                x, 1 - keep_prob, seed, rng_alg="philox"
            )
            got = layers.dropout(x, keep_prob, seed)
            self.assertEqual(got.numpy().tobytes(), expected.numpy().tobytes(), keep_prob)

    def test_at_one_nothing_is_dropped_and_no_seed_is_needed(self):
        x = tf.constant(np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32))
        for seed in (tf.constant([0, 0]), None):
            np.testing.assert_array_equal(layers.dropout(x, 1.0, seed), x)

    def test_below_one_a_seed_is_needed(self):
        for keep_prob in (0.99, 0.01):
            with self.assertRaises(ValueError):
                layers.dropout(tf.ones([3]), keep_prob, None)


class AllFinite(unittest.TestCase):
    def test_a_single_entry_decides(self):
        good = [tf.ones([3, 4]), tf.constant(-1e30), tf.zeros([0])]
        self.assertTrue(layers.all_finite(good))
        for bad in (math.nan, math.inf, -math.inf):
            self.assertFalse(layers.all_finite([*good, tf.constant([0.0, bad, 0.0])]))
        self.assertFalse(layers.all_finite([tf.constant([math.inf, -math.inf])]))
