import unittest

import numpy as np
import tensorflow as tf

from gan3.method.noise import latent_of
from gan3.nn.initializers import Glorot
from gan3.nn.specs import PlacesSpec
from gan3.vae_gan.codes import ClassNorm
from gan3.vae_gan.config import VaeGanConfig
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


def generator_of(widths, **changes):
    config = VaeGanConfig(experiment="best", generator_widths=widths, **changes)
    return VaeGanGenerator(Glorot(0), config, 10)


def latents(count, inputs=100):
    return tf.random.stateless_uniform([count, inputs], SEED, -1, 1)


class Generator(unittest.TestCase):
    def test_parameter_counts(self):
        plain = generator_of((30, 40))
        self.assertEqual(count(plain), dense(100, 30, 40, 784))
        normal = generator_of((30, 40), batch_norm=True)
        self.assertEqual(count(normal), dense(100, 30, 40, 784) + 30 + 40)
        self.assertEqual(len(normal.saved), len(normal.weights) + 2 * 2)
        self.assertEqual(plain.saved, plain.weights)
        patches = generator_of((30, 49 * 3), pixel_layer="conv_transpose")
        self.assertEqual(count(patches), dense(100, 30, 49 * 3) + 3 * 8 * 8 + 784)
        shared = generator_of((30, 40), shared_noise=True)
        self.assertEqual(count(shared), dense(110, 30, 40, 784) + 10 * 30)

    def test_moments_are_those_of_the_products_in_the_batch(self):
        generator = generator_of((30,), batch_norm=True)
        latent = latents(500)
        _, [(mean, variance)] = generator.logits(latent)
        products = latent.numpy() @ generator.hidden[0][0].numpy()
        np.testing.assert_allclose(mean, products.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(variance, products.var(axis=0), rtol=1e-4)

    def test_running_moments_are_used_if_requested_and_for_samples(self):
        generator = generator_of((30,), batch_norm=True)
        latent = latents(50)
        by_batch, [(mean, variance)] = generator.logits(latent)
        by_running, moments = generator.logits(latent, use_batch_moments=False)
        self.assertEqual(moments, [])
        self.assertFalse(np.allclose(by_batch, by_running, atol=1e-3))
        np.testing.assert_array_equal(generator(latent), as_images(by_running))
        generator.means[0].assign(mean)
        generator.variances[0].assign(variance)
        np.testing.assert_allclose(
            generator.logits(latent, use_batch_moments=False)[0], by_batch, atol=1e-5
        )

    def test_at_first_the_classes_share_all_weights_of_the_noise(self):
        generator = generator_of((30,), shared_noise=True)
        w = tf.reshape(generator.merged_weights[0], [10, 11, 30])  # of class, entry, unit
        self.assertGreater(float(tf.math.reduce_std(generator.shared)), 0.1)
        for label in range(10):
            np.testing.assert_array_equal(w[label, :10], generator.shared)
        labels = w[:, 10]  # which differ
        self.assertGreater(tf.math.reduce_std(labels, axis=0).numpy().min(), 0)

    def test_merged_it_computes_the_same(self):
        config = VaeGanConfig(experiment="best", generator_widths=(30, 40), shared_noise=True)
        generator = VaeGanGenerator(Glorot(0), config, 10)
        merged = VaeGanGenerator(Glorot(1), config, 10, is_merged=True)
        for number, v in enumerate(generator.weights):  # away from their initial values
            v.assign_add(0.1 * tf.random.stateless_uniform(v.shape, [number, 5]))
        for v, value in zip(merged.weights, generator.merged_weights, strict=True):
            v.assign(value)
        latent = latent_of(tf.range(10), latents(10, 10), 10, label_entry=True)
        expected = generator(latent)
        self.assertGreater(np.ptp(expected, axis=0).min(), 0)
        np.testing.assert_allclose(merged(latent), expected, atol=1e-5)

    def test_a_place_draws_a_patch_of_its_own(self):
        """Each of 7 x 7 places changes 8 x 8 pixels, from 2 before to 6 after its corner at 4 i."""
        generator = generator_of((49 * 2,), pixel_layer="conv_transpose")
        arrays = {v.name.removesuffix(":0"): v.numpy() for v in generator.saved}
        w, b = PlacesSpec("generator/pixels", 2, "sigmoid").layer(arrays)[:2]
        w = w.reshape(7, 7, 2, 28, 28)
        kernel = generator.pixels[0].numpy()
        np.testing.assert_array_equal(b, 0)
        for i, j in ((0, 0), (3, 5), (6, 6)):
            for channel in range(2):
                expected = np.zeros((40, 40))  # with a margin of 6
                top, left = 4 * i - 2 + 6, 4 * j - 2 + 6
                expected[top : top + 8, left : left + 8] = kernel[:, :, 0, channel]
                np.testing.assert_array_equal(w[i, j, channel], expected[6:34, 6:34])

    def test_dropout_needs_a_seed(self):
        generator, latent = generator_of((30, 40)), latents(5)
        plain = generator.logits(latent)[0]
        np.testing.assert_array_equal(plain, generator.logits(latent, 1.0, SEED)[0])
        dropped = generator.logits(latent, 0.5, SEED)[0]
        np.testing.assert_array_equal(dropped, generator.logits(latent, 0.5, SEED)[0])
        self.assertFalse(np.array_equal(plain, dropped))
        self.assertFalse(np.array_equal(dropped, generator.logits(latent, 0.5, SEED + 1)[0]))
        with self.assertRaises(ValueError):
            generator.logits(latent, 0.5)

    def test_images(self):
        images = as_images(tf.zeros([2, 784]))
        self.assertEqual(images.shape, [2, 28, 28, 1])
        self.assertEqual(set(images.numpy().ravel()), {0.5})
        with self.assertRaises(ValueError):
            generator_of((5,))(tf.zeros([2, 10]))
        with self.assertRaises(ValueError):
            generator_of((5,), shared_noise=True)(tf.zeros([2, 100]))


class Critic(unittest.TestCase):
    def test_parameter_counts(self):
        plain = 9 * 4 + 4 + 9 * 4 * 6 + 6 + dense(7 * 7 * 6, 8)
        for downsampling in ("stride", "pool"):  # both halve the sides twice
            self.assertEqual(count(critic(10, downsampling)), plain + dense(8, 10))
        self.assertEqual(
            count(critic(1, condition_classes=10)), plain + dense(8, 1) + 10 * (4 + 6 + 8)
        )
        self.assertEqual(
            count(critic(10, code_norm=ClassNorm("code", 10, 0.1))),
            plain + dense(8, 10) + dense(8, 10),
        )

    def test_half_of_an_odd_side_is_rounded_up(self):
        deep = VaeGanCritic("c", 1, Glorot(0), (2, 2, 2, 3), 3, "stride", "relu")
        self.assertEqual(deep.hidden[0].shape, [4 * 4 * 2, 3])  # 28, 14, 7, 4
        self.assertEqual(deep(tf.zeros([2, 28, 28, 1])).shape, [2, 1])

    def test_a_bias_per_digit_equals_ten_constant_planes_away_from_the_border(self):
        conditional = critic(condition_classes=10)
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        labels = np.array([2, 7, 0])
        w, b = conditional.convs[0]
        planes = np.zeros((3, 28, 28, 10), np.float32)
        for row, digit in enumerate(labels):
            planes[row, :, :, digit] = 1
        # The nine weights of a plane's kernel add up to the digit's bias.
        plane_kernel = np.tile(conditional.digit_biases[0].numpy()[None, None] / 9, (3, 3, 1, 1))
        kernel = tf.concat([w, plane_kernel], axis=2)
        with_planes = tf.nn.conv2d(tf.concat([images, planes], 3), kernel, 2, "SAME") + b
        biased = tf.nn.conv2d(images, w, 2, "SAME") + b
        biased += tf.gather(conditional.digit_biases[0], labels)[:, None, None, :]
        inside = (slice(None), slice(0, 13), slice(0, 13))
        np.testing.assert_allclose(with_planes.numpy()[inside], biased.numpy()[inside], atol=1e-5)

    def test_every_hidden_layer_depends_on_the_label_if_it_is_class_conditional(self):
        conditional = critic(condition_classes=10)
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        labels = tf.constant([2, 7, 0])
        biases = conditional.digit_biases
        self.assertEqual([bias.shape for bias in biases], [[10, 4], [10, 6], [10, 8]])
        values = [bias.numpy() for bias in biases]
        for layer in range(3):
            for i, bias in enumerate(biases):
                bias.assign(values[i] if i == layer else tf.zeros_like(bias))
            logits = conditional(images, labels=labels)
            self.assertFalse(np.array_equal(logits, conditional(images, labels=9 - labels)))

    def test_encode_returns_digit_logits_and_ten_numbers(self):
        encoder = critic(10, code_norm=ClassNorm("code", 10, 0.1))
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        digit_logits, numbers = encoder.encode(images)
        self.assertEqual((digit_logits.shape, numbers.shape), ([3, 10], [3, 10]))
        self.assertGreater(np.ptp(numbers, axis=0).min(), 0)  # the image matters
        for arguments in ((), (1.0, SEED), (0.5, SEED)):  # one network, two heads
            np.testing.assert_array_equal(
                encoder.encode(images, *arguments)[0], encoder(images, *arguments)
            )

    def test_dropout_needs_a_seed(self):
        images = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
        network = critic(10, code_norm=ClassNorm("code", 10, 0.1))
        plain = network(images)
        np.testing.assert_array_equal(plain, network(images, 1.0, SEED))
        dropped = network(images, 0.5, SEED)
        np.testing.assert_array_equal(dropped, network(images, 0.5, SEED))
        self.assertFalse(np.array_equal(plain, dropped))
        self.assertFalse(np.array_equal(dropped, network(images, 0.5, SEED + 1)))
        for call in (network, network.encode):
            with self.assertRaises(ValueError):
                call(images, 0.5)

    def test_wrong_shapes_are_refused(self):
        for shape in ([3, 784], [3, 28, 28], [3, 28, 28, 3]):
            with self.assertRaises(ValueError):
                critic()(tf.zeros(shape))


if __name__ == "__main__":
    unittest.main()
