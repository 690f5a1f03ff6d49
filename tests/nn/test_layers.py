import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import adam, initializers, layers


class Initialisers(unittest.TestCase):
    def test_glorot_counts_the_kernels_area_in_both_fans(self):
        init = initializers.Glorot(seed=5)
        for shape, fans in (((784, 500), 784 + 500), ((5, 5, 32, 64), 25 * 32 + 25 * 64)):
            bound = math.sqrt(6 / fans)
            values = init.weights(shape).numpy()
            self.assertLessEqual(np.abs(values).max(), bound)
            self.assertGreater(np.abs(values).max(), 0.99 * bound)
            self.assertAlmostEqual(values.std(), bound / math.sqrt(3), delta=0.01 * bound)
        for network in ("generator", "discriminator", "determinator"):
            self.assertEqual(np.abs(init.biases(9, network)).max(), 0)

    def test_those_of_the_field(self):
        shape, fan_in = (5, 5, 40, 64), 25 * 40
        bound = 1 / math.sqrt(fan_in)  # U(-a, a) has deviation a / sqrt 3
        density = math.exp(-2) / math.sqrt(2 * math.pi)  # of N(0, 1) at 2
        truncated = math.sqrt(1 - 4 * density / math.erf(2 / math.sqrt(2)))
        expected = {  # deviation, largest possible value
            initializers.FanIn: (bound / math.sqrt(3), bound),
            initializers.Normal: (0.02, math.inf),
            # What lies beyond 2 deviations is drawn again, which takes an eighth of them away.
            initializers.TruncatedNormal: (0.02 * truncated, 2 * 0.02),
        }
        for kind, (deviation, largest) in expected.items():
            values = kind(seed=1).weights(shape).numpy()
            self.assertAlmostEqual(values.std(), deviation, delta=0.02 * deviation)
            self.assertAlmostEqual(values.mean(), 0, delta=0.02 * deviation)
            self.assertLessEqual(np.abs(values).max(), 1.001 * largest)
            self.assertEqual(np.abs(kind(seed=1).biases(9, "discriminator")).max(), 0)
        for kind in (initializers.FanIn, initializers.Normal):
            self.assertEqual(np.abs(kind(seed=1).biases(9, "generator")).max(), 0)
        drawn = initializers.TruncatedNormal(seed=1).biases(5000, "generator").numpy()
        self.assertAlmostEqual(drawn.std(), 0.02 * truncated, delta=0.05 * 0.02)

    def test_embeddings_and_scales_of_a_dcgan(self):
        init = initializers.Normal(
            seed=1
        )  # PyTorch's embedding; Radford et al. draw the scales, too
        for drawn, mean, deviation in (
            (init.embedding((50, 200)).numpy(), 0, 1),
            (init.scales(10_000).numpy(), 1, 0.02),
        ):
            self.assertAlmostEqual(drawn.mean(), mean, delta=5 * deviation / math.sqrt(drawn.size))
            self.assertAlmostEqual(drawn.std(), deviation, delta=0.05 * deviation)
        np.testing.assert_array_equal(initializers.Glorot(1).scales(3), np.ones(3))
        alike = initializers.Glorot(1).embedding((4, 5)), initializers.Glorot(1).weights((4, 5))
        np.testing.assert_array_equal(*alike)

    def test_each_variable_has_a_stream_of_its_own_and_the_seed_decides(self):
        a, b, other = initializers.Glorot(1), initializers.Glorot(1), initializers.Glorot(2)
        first, second = a.weights((20, 20)).numpy(), a.weights((20, 20)).numpy()
        self.assertFalse(np.array_equal(first, second))
        np.testing.assert_array_equal(first, b.weights((20, 20)).numpy())
        self.assertFalse(np.array_equal(first, other.weights((20, 20)).numpy()))

    def test_published_deviation_is_of_the_first_axis_only(self):
        init = initializers.PublishedNormal(seed=0)
        for shape in ((5, 5, 32, 64), (784, 500)):
            values = init.weights(shape).numpy()
            expected = math.sqrt(2 / shape[0])
            self.assertAlmostEqual(values.std(), expected, delta=0.02 * expected)
        self.assertEqual(np.abs(init.biases(1024, "discriminator")).max(), 0)
        self.assertEqual(np.abs(init.biases(1024, "generator")).max(), 0)
        drawn = np.asarray(init.biases(1024, "determinator"))
        self.assertAlmostEqual(drawn.std(), math.sqrt(2 / 1024), delta=0.1 * math.sqrt(2 / 1024))


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(2)

    def draw(self, *shape):
        return self.random.normal(size=shape).astype(np.float32)

    def test_dense(self):
        x, w, b = self.draw(3, 4), self.draw(4, 5), self.draw(5)
        got = layers.dense(tf.constant(x), tf.Variable(w), tf.Variable(b))
        np.testing.assert_allclose(got, x @ w + b, rtol=1e-5, atol=1e-5)

    def test_a_transposed_convolution_is_the_adjoint_of_the_convolution(self):
        """<conv(x), y> = <x, conv_transpose(y)> for all x and y."""
        for stride, padding, side in ((2, "SAME", 4), (1, "VALID", 7)):
            grown = 2 * side if stride == 2 else side + 3
            x, w = self.draw(2, grown, grown, 3), self.draw(4, 4, 3, 5)
            convolved = tf.nn.conv2d(x, w, stride, padding).numpy()
            self.assertEqual(convolved.shape, (2, side, side, 5))
            y = self.draw(*convolved.shape)
            got = layers.conv_transpose(
                tf.constant(y), tf.Variable(w), tf.Variable(tf.zeros([3])), stride, padding
            ).numpy()
            self.assertEqual(got.shape, x.shape)
            self.assertAlmostEqual((convolved * y).sum(), (x * got).sum(), delta=1e-2)

    def test_layer_norm(self):
        x, scale, shift = self.draw(3, 6), self.draw(6), self.draw(6)
        got = layers.layer_norm(tf.constant(x), tf.Variable(scale), tf.Variable(shift))
        mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        expected = (x - mean) / np.sqrt(variance + 1e-5) * scale + shift
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

    def test_a_rim_of_zeros(self):
        x, w, b = self.draw(2, 7, 7, 3), self.draw(4, 4, 3, 5), self.draw(5)
        got = layers.conv(tf.constant(x), tf.Variable(w), tf.Variable(b), stride=2, zero_padding=2)
        padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
        expected = tf.nn.conv2d(padded, w, 2, "VALID") + b
        self.assertEqual(got.shape, [2, 4, 4, 5])  # (7 + 2 * 2 - 4) // 2 + 1
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

    def test_one_product_of_patches_is_the_convolution(self):
        for side, extents, stride, zero_padding in (
            (4, (7, 7), 2, 2),
            (3, (6, 9), 1, 0),
            (2, (5, 4), 2, 1),
        ):
            x, w, b = self.draw(2, *extents, 3), self.draw(side, side, 3, 5), self.draw(5)
            x, w, b = tf.constant(x), tf.Variable(w), tf.Variable(b)
            results = []
            for convolve in (layers.conv, layers.conv_product):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    h = convolve(x, w, b, stride=stride, zero_padding=zero_padding)
                    loss = tf.reduce_sum(tf.sin(h))
                results.append([h, *tape.gradient(loss, [x, w, b])])
            for expected, got in zip(*results, strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)

    def test_pooling_first_changes_nothing(self):
        x, w, b = self.draw(2, 8, 8, 3), self.draw(5, 5, 3, 4), self.draw(4)
        for name, activation in layers.ACTIVATIONS.items():
            plain = activation(tf.nn.conv2d(x, w, 1, "SAME") + b)
            expected = tf.nn.max_pool2d(plain, 2, 2, "SAME")
            got = layers.conv_pool(tf.constant(x), tf.Variable(w), tf.Variable(b), name)
            self.assertEqual(got.shape, [2, 4, 4, 4])
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

    def test_activations_never_decrease(self):
        x = tf.constant(np.linspace(-9, 9, 1001, dtype=np.float32))
        for name, activation in layers.ACTIVATIONS.items():
            self.assertGreaterEqual(np.diff(activation(x)).min(), 0, name)

    def test_dropout_keeps_its_share_and_the_mean(self):
        x = tf.ones([400, 500])
        got = layers.dropout(x, 0.8, tf.constant([1, 2])).numpy()
        self.assertEqual(set(np.unique(got)), {np.float32(0), np.float32(1 / 0.8)})
        # 200,000 coins: the share kept within five standard deviations
        self.assertAlmostEqual((got > 0).mean(), 0.8, delta=5 * math.sqrt(0.16 / 200_000))
        again = layers.dropout(x, 0.8, tf.constant([1, 2])).numpy()
        np.testing.assert_array_equal(got, again)
        self.assertFalse(np.array_equal(got, layers.dropout(x, 0.8, tf.constant([1, 3]))))

    def test_bfloat16_keeps_as_many_as_float32(self):
        """Coins of 8 bits could not tell .99 from .9844: 56 deviations of a million coins off."""
        kept = layers.dropout(tf.ones([1000, 1000], tf.bfloat16), 0.99, tf.constant([1, 2]))
        self.assertEqual(kept.dtype, tf.bfloat16)
        share = (tf.cast(kept, tf.float32).numpy() > 0).mean()
        self.assertAlmostEqual(share, 0.99, delta=5 * math.sqrt(0.99 * 0.01 / 1e6))

    def test_float32_is_tensorflows_dropout_to_the_bit(self):
        x, seed = tf.constant(self.draw(60, 70)), tf.constant([3, 4])
        for keep in (0.99, 0.8, 0.5, 0.3, 0.01):
            expected = tf.nn.experimental.stateless_dropout(x, 1 - keep, seed, rng_alg="philox")
            got = layers.dropout(x, keep, seed)
            self.assertEqual(got.numpy().tobytes(), expected.numpy().tobytes(), keep)

    def test_no_dropout_at_one(self):
        x = tf.constant(self.draw(3, 3))
        np.testing.assert_array_equal(layers.dropout(x, 1.0, tf.constant([0, 0])), x)


class Finite(unittest.TestCase):
    def test_one_entry_among_all_decides(self):
        good = [tf.ones([3, 4]), tf.constant(-1e30), tf.zeros([0])]
        self.assertTrue(layers.finite(good))
        for bad in (math.nan, math.inf, -math.inf):
            self.assertFalse(layers.finite([*good, tf.constant([0.0, bad, 0.0])]))
        self.assertFalse(layers.finite([tf.constant([math.inf, -math.inf])]))


class AdamLaw(unittest.TestCase):
    def test_three_steps_against_numpy(self):
        random = np.random.default_rng(4)
        start = random.normal(size=(6, 3)).astype(np.float32)
        variable = tf.Variable(start, name="network/w")
        optimizer = adam.Adam([variable], learning_rate=0.01, beta1=0.5, name="adam/network")
        w, m, v = start.astype(np.float64), 0.0, 0.0
        for t in range(1, 4):
            g = random.normal(size=(6, 3)).astype(np.float32)
            optimizer.apply([tf.constant(g)])
            m = 0.5 * m + 0.5 * g
            v = 0.999 * v + 0.001 * g.astype(np.float64) ** 2
            rate = 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.5**t)
            w = w - rate * m / (np.sqrt(v) + 1e-8)
            np.testing.assert_allclose(variable.numpy(), w, rtol=1e-5, atol=1e-6)
        self.assertEqual(int(optimizer.steps), 3)
        self.assertEqual([s.shape for s in optimizer.state], [[], [6, 3], [6, 3]])

    def test_a_missing_gradient_is_an_error(self):
        optimizer = adam.Adam([tf.Variable([1.0])], 0.1, 0.9, "adam/network")
        for gradients in ([None], [], [tf.constant([1.0])] * 2):
            with self.assertRaises(ValueError):
                optimizer.apply(gradients)


if __name__ == "__main__":
    unittest.main()
