import unittest

import numpy as np
import tensorflow as tf

from gan3.nn.initializers import Glorot
from gan3.vae_gan.networks import VaeGanCritic, VaeGanGenerator, as_images

SEED = tf.constant([0, 1])


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def count(network):
    return sum(int(tf.size(w)) for w in network.weights)


def critic(outputs=1, downsampling="stride", **options):
    return VaeGanCritic(
        "critic", outputs, Glorot(0), (4, 6, 8), 3, downsampling, "leaky_relu", **options
    )


class Generator(unittest.TestCase):
    def test_parameter_counts(self):
        plain = VaeGanGenerator(Glorot(0), (30, 40), "elu", normalised=False)
        self.assertEqual(count(plain), dense(100, 30, 40, 784))
        normal = VaeGanGenerator(Glorot(0), (30, 40), "elu", normalised=True)
        self.assertEqual(count(normal), dense(100, 30, 40, 784) + 30 + 40)
        self.assertEqual(len(normal.saved), len(normal.weights) + 2 * 2)
        self.assertEqual(plain.saved, plain.weights)

    def test_its_own_moments_make_every_unit_mean_shift_and_deviation_scale(self):
        generator = VaeGanGenerator(Glorot(0), (30,), "elu", normalised=True)
        latent = tf.random.stateless_uniform([500, 100], SEED, -1, 1)
        _, [(mean, variance)] = generator.logits(latent, 1.0, SEED)
        products = latent.numpy() @ generator.hidden[0][0].numpy()
        np.testing.assert_allclose(mean, products.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(variance, products.var(axis=0), rtol=1e-4)

    def test_kept_moments_are_used_where_they_are_asked_for(self):
        generator = VaeGanGenerator(Glorot(0), (30,), "elu", normalised=True)
        latent = tf.random.stateless_uniform([50, 100], SEED, -1, 1)
        own, [(mean, variance)] = generator.logits(latent, 1.0, SEED)
        kept, none = generator.logits(latent, 1.0, SEED, own=False)
        self.assertEqual(none, [])
        self.assertFalse(np.allclose(own, kept, atol=1e-3))
        generator.means[0].assign(mean)
        generator.variances[0].assign(variance)
        np.testing.assert_allclose(
            generator.logits(latent, 1.0, SEED, own=False)[0], own, atol=1e-5
        )

    def test_images(self):
        images = as_images(tf.zeros([2, 784]))
        self.assertEqual(images.shape, [2, 28, 28, 1])
        self.assertEqual(set(images.numpy().ravel()), {0.5})
        with self.assertRaises(ValueError):
            VaeGanGenerator(Glorot(0), (5,), "elu", False)(tf.zeros([2, 10]), 1.0, SEED)


class Critic(unittest.TestCase):
    def test_parameter_counts(self):
        plain = 9 * 4 + 4 + 9 * 4 * 6 + 6 + dense(7 * 7 * 6, 8)
        for downsampling in ("stride", "pool"):  # both halve the sides twice
            self.assertEqual(count(critic(10, downsampling)), plain + dense(8, 10))
        self.assertEqual(count(critic(1, shown=True)), plain + dense(8, 1) + 10 * (4 + 6 + 8))
        self.assertEqual(count(critic(10, reads=True)), plain + dense(8, 10) + dense(8, 20))

    def test_sides_that_are_odd_are_halved_upwards(self):
        deep = VaeGanCritic("c", 1, Glorot(0), (2, 2, 2, 3), 3, "stride", "relu")
        self.assertEqual(deep.hidden[0].shape, [4 * 4 * 2, 3])  # 28, 14, 7, 4
        self.assertEqual(deep(tf.zeros([2, 28, 28, 1]), 1.0, SEED).shape, [2, 1])

    def test_a_digit_shown_is_ten_constant_planes_inside_the_image(self):
        shown = critic(shown=True)
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        labels = np.array([2, 7, 0])
        w, b = shown.convs[0]
        planes = np.zeros((3, 28, 28, 10), np.float32)
        for row, digit in enumerate(labels):
            planes[row, :, :, digit] = 1
        # A plane's kernel whose nine weights sum to the digit's bias.
        spread = np.tile(shown.digits[0].numpy()[None, None] / 9, (3, 3, 1, 1))
        kernel = tf.concat([w, spread], axis=2)
        with_planes = tf.nn.conv2d(tf.concat([images, planes], 3), kernel, 2, "SAME") + b
        biased = tf.nn.conv2d(images, w, 2, "SAME") + b
        biased += tf.gather(shown.digits[0], labels)[:, None, None, :]
        inside = (slice(None), slice(0, 13), slice(0, 13))
        np.testing.assert_allclose(with_planes.numpy()[inside], biased.numpy()[inside], atol=1e-5)

    def test_reading_answers_a_mean_and_a_variance_that_is_a_number(self):
        reads = critic(10, reads=True)
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        digits, mean, log_variance = reads.read(1e4 * images, 1.0, SEED)
        self.assertEqual((digits.shape, mean.shape, log_variance.shape), ([3, 10],) * 3)
        self.assertTrue(-10 <= log_variance.numpy().min() <= log_variance.numpy().max() <= 4)
        np.testing.assert_array_equal(
            reads.read(images, 1.0, SEED)[0], reads(images, 1.0, SEED)
        )  # one network, two heads

    def test_wrong_shapes_are_refused(self):
        for shape in ([3, 784], [3, 28, 28], [3, 28, 28, 3]):
            with self.assertRaises(ValueError):
                critic()(tf.zeros(shape), 1.0, SEED)


if __name__ == "__main__":
    unittest.main()
