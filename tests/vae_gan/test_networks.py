"""The networks of `best`: their sizes, shared weights, moments, labels and codes."""

import dataclasses
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.triple import Triple
from gan3.nn.initializers import Glorot
from gan3.vae_gan import networks
from gan3.vae_gan.codes import ClassNorm, latent_of
from gan3.vae_gan.config import VaeGanConfig
from gan3.vae_gan.critic import VaeGanCritic
from gan3.vae_gan.generator import VaeGanGenerator, as_images

SEED = tf.constant([3, 4])
IMAGES = tf.random.stateless_uniform([3, 28, 28, 1], SEED)
LABELS = tf.constant([2, 7, 0])
CONFIG = VaeGanConfig(
    experiment="best",
    activation=Triple("elu", "leaky_relu", "leaky_relu"),
    keep_prob=Triple(1.0, 1.0, 1.0),
    discriminator_widths=(4, 6, 8),
    determinator_widths=(4, 6, 8),
    kernel_size=3,
    downsampling="stride",
)
HALF = Triple(0.5, 0.5, 0.5)


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def count(network):
    return sum(int(tf.size(w)) for w in network.weights)


def discriminator(condition_classes=0, **changes):
    specs = networks.critic("discriminator", dataclasses.replace(CONFIG, **changes), 1)
    return VaeGanCritic("discriminator", specs, Glorot(0), condition_classes=condition_classes)


def determinator(**changes):
    """With its encoder."""
    config = dataclasses.replace(CONFIG, reconstruction_weight=1.0, **changes)
    specs, encoder = networks.critic("determinator", config, 10), networks.encoder(config)
    norm = ClassNorm("determinator/code", (10, 10), 0.1)
    return VaeGanCritic("determinator", specs, Glorot(0), encoder=encoder, code_norm=norm)


def generator(widths, **changes):
    config = dataclasses.replace(CONFIG, generator_widths=widths, **changes)
    specs = networks.generator("generator", config, 10)
    shared = config.noise_entries if config.shared_noise else 0
    return VaeGanGenerator("generator", specs, Glorot(0), shared_entries=shared)


def latents(count, inputs=100):
    return tf.random.stateless_uniform([count, inputs], SEED, -1, 1)


class Generator(unittest.TestCase):
    def test_parameter_counts(self):
        plain = dense(100, 30, 40, 784)
        for network, expected in (
            (generator((30, 40)), plain),
            (generator((30, 40), batch_norm=True), plain + 30 + 40),
            (
                generator((30,), generator_channels=(3, 2)),
                dense(100, 30, 49 * 3) + 16 * 3 * 2 + 2 + 16 * 2 + 1,
            ),
            (generator((30,), generator_channels=(3,)), dense(100, 30, 49 * 3) + 64 * 3 + 1),
            (generator((30,), noise_entries=13, shared_noise=True), dense(153, 30, 784)),
            (generator((30, 40), shared_noise=True), dense(110, 30, 40, 784) + 10 * 30),
        ):
            self.assertEqual(count(network), expected)
            moments = [name for name in network.variables if name.endswith(("mean", "variance"))]
            self.assertEqual(len(network.variables), len(network.weights) + len(moments))
            self.assertEqual(len(moments), 2 * len(network.running_moments()))

    def test_moments_are_those_of_the_products_in_the_batch(self):
        network, latent = generator((30,), batch_norm=True), latents(500)
        _, [(mean, variance)] = network.logits(latent)
        products = latent.numpy() @ network.variables["generator/hidden1/w"].numpy()
        np.testing.assert_allclose(mean, products.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(variance, products.var(axis=0), rtol=1e-4)

    def test_samples_are_normalised_by_running_moments(self):
        network, latent = generator((30,), batch_norm=True), latents(50)
        by_batch, [moments] = network.logits(latent)
        before = [moment.numpy() for moment in network.running_moments()[0]]
        self.assertFalse(np.allclose(tf.sigmoid(by_batch), network(latent), atol=1e-3))
        after = [moment.numpy() for moment in network.running_moments()[0]]
        np.testing.assert_array_equal(before, after)
        for running, moment in zip(network.running_moments()[0], moments, strict=True):
            running.assign(moment)
        np.testing.assert_allclose(network(latent), tf.sigmoid(by_batch), atol=1e-5)

    def test_at_first_the_classes_share_all_weights_of_the_noise(self):
        network = generator((30,), shared_noise=True)
        w = tf.reshape(network.merged_weights[0], [10, 11, 30])  # axes: class, entry, unit
        self.assertGreater(float(tf.math.reduce_std(network.shared)), 0.1)
        for label in range(10):
            np.testing.assert_array_equal(w[label, :10], network.shared)
        labels = w[:, 10]  # which differ
        self.assertGreater(tf.math.reduce_std(labels, axis=0).numpy().min(), 0)

    def test_merged_it_computes_the_same(self):
        network = generator((30, 40), shared_noise=True)
        merged = VaeGanGenerator("generator", network.specs, Glorot(1))
        for number, v in enumerate(network.weights):  # away from their initial values
            v.assign_add(0.1 * tf.random.stateless_uniform(v.shape, [number, 5]))
        for v, value in zip(merged.weights, network.merged_weights, strict=True):
            v.assign(value)
        latent = latent_of(tf.range(10), latents(10, 10), 10, label_entry=True)
        expected = network(latent)
        self.assertGreater(np.ptp(expected, axis=0).min(), 0)
        np.testing.assert_allclose(merged(latent), expected, atol=1e-5)
        in_training = [tf.sigmoid(each.logits(latent)[0]) for each in (network, merged)]
        np.testing.assert_allclose(*in_training, atol=1e-5)

    def test_dropout(self):
        latent, plain = latents(5), generator((30, 40))
        np.testing.assert_array_equal(plain.logits(latent)[0], plain.logits(latent, SEED)[0])
        network = generator((30, 40), keep_prob=HALF)
        dropped = network.logits(latent, SEED)[0]
        np.testing.assert_array_equal(dropped, network.logits(latent, SEED)[0])
        for other in (None, SEED + 1):
            self.assertFalse(np.array_equal(dropped, network.logits(latent, other)[0]))

    def test_wrong_shapes_are_refused(self):
        self.assertEqual(set(as_images(tf.zeros([2, 784])).numpy().ravel()), {0.5})
        for changes, entries in (({}, 10), ({"shared_noise": True}, 100)):
            with self.assertRaises(ValueError):
                generator((5,), **changes)(tf.zeros([2, entries]))


class Critic(unittest.TestCase):
    def test_parameter_counts(self):
        features = 9 * 4 + 4 + 9 * 4 * 6 + 6 + dense(7 * 7 * 6, 8)
        for downsampling in ("stride", "pool"):  # both halve the sides twice
            network = discriminator(downsampling=downsampling)
            self.assertEqual(count(network), features + dense(8, 1))
        self.assertEqual(count(discriminator(10)), features + dense(8, 1) + 10 * (4 + 6 + 8))
        self.assertEqual(count(determinator()), features + dense(8, 10) + dense(8, 10))

    def test_half_of_an_odd_side_is_rounded_up(self):
        for downsampling in ("stride", "pool"):
            network = discriminator(
                discriminator_widths=(2, 2, 2, 3), downsampling=downsampling
            )  # 28, 14, 7, 4
            self.assertEqual(network.variables["discriminator/hidden/w"].shape, [4 * 4 * 2, 3])
            self.assertEqual(network(IMAGES).shape, [3, 1])

    def test_a_bias_per_digit_equals_ten_constant_planes_away_from_the_border(self):
        network = discriminator(10)
        w, b, bias = (
            network.variables[f"discriminator/conv1/{part}"] for part in ("w", "b", "digit")
        )
        planes = np.zeros((3, 28, 28, 10), np.float32)
        for row, digit in enumerate(LABELS):
            planes[row, :, :, digit] = 1
        # The nine weights of a plane's kernel add up to the digit's bias.
        plane_kernel = np.tile(bias.numpy()[None, None] / 9, (3, 3, 1, 1))
        kernel = tf.concat([w, plane_kernel], axis=2)
        with_planes = tf.nn.conv2d(tf.concat([IMAGES, planes], 3), kernel, 2, "SAME") + b
        biased = tf.nn.conv2d(IMAGES, w, 2, "SAME") + b
        biased += tf.gather(bias, LABELS)[:, None, None, :]
        inside = (slice(None), slice(0, 13), slice(0, 13))
        np.testing.assert_allclose(with_planes.numpy()[inside], biased.numpy()[inside], atol=1e-5)

    def test_every_hidden_layer_depends_on_the_label_if_it_is_class_conditional(self):
        for downsampling in ("stride", "pool"):
            network = discriminator(10, downsampling=downsampling)
            biases = network.digit_biases
            self.assertEqual([bias.shape for bias in biases], [[10, 4], [10, 6], [10, 8]])
            values = [bias.numpy() for bias in biases]
            plain = VaeGanCritic("discriminator", network.specs, Glorot(0))(IMAGES)
            for layer in (None, 0, 1, 2):
                for i, bias in enumerate(biases):
                    bias.assign(values[i] if i == layer else tf.zeros_like(bias))
                logits = network(IMAGES, labels=LABELS)
                if layer is None:  # without the biases it is what it is without labels
                    np.testing.assert_allclose(logits, plain, atol=1e-5)
                else:
                    self.assertFalse(np.array_equal(logits, network(IMAGES, labels=9 - LABELS)))

    def test_encode_returns_digit_logits_and_ten_numbers(self):
        network = determinator(keep_prob=HALF)
        digit_logits, numbers = network.encode(IMAGES)
        self.assertEqual((digit_logits.shape, numbers.shape), ([3, 10], [3, 10]))
        self.assertGreater(np.ptp(numbers, axis=0).min(), 0)  # the image matters
        for seed in (None, SEED):  # one network, two heads
            np.testing.assert_array_equal(network.encode(IMAGES, seed)[0], network(IMAGES, seed))

    def test_dropout(self):
        for network, inputs in (
            (determinator(keep_prob=HALF), {}),
            (discriminator(keep_prob=HALF), {}),
            (discriminator(10, keep_prob=HALF), {"labels": LABELS}),
        ):
            dropped = network(IMAGES, SEED, **inputs)
            np.testing.assert_array_equal(dropped, network(IMAGES, SEED, **inputs))
            for other in (None, SEED + 1):
                self.assertFalse(np.array_equal(dropped, network(IMAGES, other, **inputs)))
