"""The baselines' networks: sizes, pixel ranges, what each depends on, and how it is wired."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.runs.registry import build, config_of

SEED = tf.constant([0, 1])
LABELS = tf.constant([3, 3, 7])
NOISE = tf.random.stateless_normal([3, 100], SEED)
IMAGES = tf.random.stateless_uniform([3, 28, 28, 1], SEED)


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def convs(side, *channels):
    return sum(side * side * a * b + b for a, b in zip(channels, channels[1:], strict=False))


# The number of parameters; whether it is class-conditional and has dropout, and the number of its
# running moments.
GENERATORS = {
    "gan_auto_write": (
        dense(100, 56 * 56) + convs(3, 1, 50) + convs(3, 50, 25) + 25 + 1,
        (False, False, 2 * (1 + 50 + 25)),
    ),
    "conditional_dcgan": (
        10 * 10 + convs(4, 110, 50, 30, 15, 8, 1) + 2 * (50 + 30 + 15 + 8),
        (True, False, 2 * (50 + 30 + 15 + 8)),
    ),
    "mlp_gan": (dense(100, 32, 64, 128, 784), (False, True, 0)),
    "layernorm_gan": (dense(100, 200, 784) + 2 * 200, (False, False, 0)),
    "auxiliary_gan": (
        10 * 100 + dense(100, 3 * 3 * 384) + convs(5, 384, 192, 96, 1) + 2 * (192 + 96),
        (True, False, 2 * (192 + 96)),
    ),
}
DISCRIMINATORS = {
    "gan_auto_write": (convs(5, 1, 32, 64) + dense(3136, 1024, 1), (False, False, 0)),
    "conditional_dcgan": (
        convs(3, 1, 64) + 10 * 56 * 56 + convs(4, 1, 64) + convs(4, 128, 256, 512, 1024)
        + 2 * (256 + 512 + 1024) + 16 * 1024 + 1,
        (True, False, 2 * (256 + 512 + 1024)),
    ),
    "mlp_gan": (dense(784, 128, 64, 32, 1), (False, True, 0)),
    "layernorm_gan": (dense(784, 200, 1) + 2 * 200, (False, False, 0)),
    "auxiliary_gan": (
        convs(3, 1, 32, 64, 128, 256) + dense(7 * 7 * 256, 1) + dense(7 * 7 * 256, 10),
        (False, True, 0),
    ),
}  # fmt: skip
PIXEL_MIN = {"conditional_dcgan": -1, "mlp_gan": -1, "auxiliary_gan": -1}  # else 0


def count(variables):
    return sum(int(tf.size(w)) for w in variables)


class Networks(unittest.TestCase):
    def check(self, network, call, expected):
        """call: a function of labels and of a seed, which is None outside training."""
        parameters, (class_conditional, has_dropout, moments) = expected
        self.assertEqual(count(network.weights), parameters)
        self.assertEqual(count(network.variables.values()), parameters + moments)
        self.assertTrue(all(name.startswith(f"{network.name}/") for name in network.variables))
        first = call(LABELS, SEED)
        np.testing.assert_array_equal(call(LABELS, SEED), first)
        with_other_digits, with_other_seed = call(LABELS + 1, SEED), call(LABELS, SEED + 1)
        self.assertEqual(not np.array_equal(with_other_digits, first), class_conditional)
        self.assertEqual(not np.array_equal(with_other_seed, first), has_dropout)
        np.testing.assert_array_equal(call(LABELS, None), call(LABELS, None))
        return first

    def test_generators(self):
        for name, expected in GENERATORS.items():
            with self.subTest(name):
                system = build(config_of(name), DIGITS, "float32")
                generator = system.generator

                def call(labels, seed, generator=generator):
                    return generator(NOISE, seed, tf.one_hot(labels, 10))

                images, low = self.check(generator, call, expected).numpy(), system.spec.pixel_min
                self.assertEqual(images[0].size, 784)
                self.assertEqual(system.spec.class_conditional, expected[1][0])
                self.assertEqual(low, PIXEL_MIN.get(name, 0))
                self.assertTrue(low <= images.min() <= images.max() <= 1)
                self.assertFalse(np.allclose(images[0], images[1]))  # one digit, other noise
                # The lowest pixel value is that of the last activation.
                b = generator.variables[f"{generator.specs[-1].name}/b"]
                b.assign(tf.fill(b.shape, -100.0))
                np.testing.assert_allclose(call(LABELS, None), low, atol=1e-6)
                with self.assertRaises(ValueError):
                    generator(NOISE[:, :10], SEED, tf.one_hot(LABELS, 10))

    def test_discriminators(self):
        for name, expected in DISCRIMINATORS.items():
            with self.subTest(name):
                discriminator = build(config_of(name), DIGITS, "float32").discriminator

                def call(labels, seed, discriminator=discriminator):
                    return discriminator.heads(IMAGES, labels, seed)[0]

                logits = self.check(discriminator, call, expected)
                self.assertEqual((logits.shape, logits.dtype), ([3, 1], tf.float32))
                digit_logits = discriminator.heads(IMAGES, LABELS)[1]
                self.assertEqual(discriminator.has_classifier, name == "auxiliary_gan")
                self.assertEqual(digit_logits is not None, name == "auxiliary_gan")
                with self.assertRaises(ValueError):
                    discriminator.heads(tf.tile(IMAGES, [1, 1, 1, 2]), LABELS, SEED)


def leaky(x, slope=0.2):
    return tf.where(x > 0, x, slope * x)


def sigmoid(x):
    return 1 / (1 + tf.exp(-x))


class Reference:
    """The published networks written a second time, layer by layer with TensorFlow's own functions.

    `w` has the variables by name. Batch normalisation is by the batch's moments; no dropout.
    """

    def __init__(self, network):
        self.w = {v.name.split("/", 1)[1].removesuffix(":0"): v for v in network.weights}

    def dense(self, x, layer):
        return x @ self.w[f"{layer}/w"] + self.w[f"{layer}/b"]

    def conv(self, x, layer, stride, padding="SAME"):
        """padding: SAME, or zeros on each side."""
        if padding != "SAME":
            padding = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]
        return tf.nn.conv2d(x, self.w[f"{layer}/w"], stride, padding) + self.w[f"{layer}/b"]

    def up(self, x, layer, side, stride=2, padding="SAME"):
        kernel = self.w[f"{layer}/w"]
        shape = [len(x), side, side, kernel.shape[2]]
        return tf.nn.conv2d_transpose(x, kernel, shape, stride, padding) + self.w[f"{layer}/b"]

    def norm(self, x, layer, axes=None):
        mean, variance = tf.nn.moments(x, axes or list(range(x.shape.rank - 1)), keepdims=True)
        scale, shift = self.w.get(f"{layer}/scale", 1.0), self.w.get(f"{layer}/shift", 0.0)
        return (x - mean) / tf.sqrt(variance + 1e-5) * scale + shift


def upsampled(x):
    """TensorFlow 1's bilinear: after each pixel the mean of it and the next; the last one twice."""
    for axis in (1, 2):
        following = tf.concat(
            [tf.gather(x, range(1, 28), axis=axis), tf.gather(x, [27], axis=axis)], axis
        )
        pairs = tf.stack([x, (x + following) / 2], axis + 1)
        x = tf.reshape(pairs, [*x.shape[:axis], 56, *x.shape[axis + 1 :]])
    return x


def auto_write_generator(n, noise, digits):
    h = tf.reshape(n.dense(noise, "sheet"), [-1, 56, 56, 1])
    h = tf.nn.relu(n.norm(h, "norm0"))
    h = upsampled(tf.nn.relu(n.norm(n.conv(h, "conv1", 2), "norm1")))
    h = tf.nn.relu(n.norm(n.conv(h, "conv2", 2), "norm2"))
    return sigmoid(n.conv(h, "pixels", 1))  # upsampling, then every other pixel: the same


def auto_write_discriminator(n, images, digits):
    h = images
    for layer in ("conv1", "conv2"):
        h = tf.nn.relu(n.conv(h, layer, 1))
        h = (h[:, ::2, ::2] + h[:, 1::2, ::2] + h[:, ::2, 1::2] + h[:, 1::2, 1::2]) / 4
    return n.dense(tf.nn.relu(n.dense(tf.reshape(h, [3, -1]), "hidden")), "logits")


def conditional_generator(n, noise, digits):
    h = tf.concat([noise, tf.gather(n.w["digit/w"], digits)], 1)[:, None, None]
    h = n.norm(tf.nn.relu(n.up(h, "conv1", 2)), "norm1")
    h = n.norm(tf.nn.relu(n.up(h, "conv2", 4)), "norm2")
    h = n.norm(tf.nn.relu(n.up(h, "conv3", 7, 1, "VALID")), "norm3")
    h = n.norm(tf.nn.relu(n.up(h, "conv4", 14)), "norm4")
    return tf.tanh(n.up(h, "conv5", 28))


def conditional_discriminator(n, images, digits):
    sheet = tf.reshape(tf.gather(n.w["digit/w"], digits), [-1, 56, 56, 1])
    h = [leaky(n.conv(images, "image", 1, 1)), leaky(n.conv(sheet, "sheet", 2, 1))]
    h = tf.concat(h, 3)
    for i, padding in enumerate((1, 1, 2), start=1):
        h = n.norm(leaky(n.conv(h, f"conv{i}", 2, padding)), f"norm{i}")
    return n.dense(tf.reshape(h, [3, -1]), "logits")


def mlp(n, x, last):
    h = tf.reshape(x, [3, -1])
    for layer in ("hidden1", "hidden2", "hidden3"):
        h = leaky(n.dense(h, layer))
    return n.dense(h, last)


def layer_norm(n, x, last):
    h = leaky(n.dense(tf.reshape(x, [3, -1]), "hidden"), 0.02)
    return n.dense(n.norm(h, "norm", [1]), last)


def auxiliary_generator(n, noise, digits):
    h = tf.nn.relu(n.dense(noise * tf.gather(n.w["digit/w"], digits), "sheet"))
    h = tf.nn.relu(n.up(tf.reshape(h, [-1, 3, 3, 384]), "conv1", 7, 1, "VALID"))
    h = tf.nn.relu(n.up(n.norm(h, "norm1"), "conv2", 14))
    return tf.tanh(n.up(n.norm(h, "norm2"), "pixels", 28))


def auxiliary_discriminator(n, images, digits):
    h = images
    for i, stride in enumerate((2, 1, 2, 1), start=1):
        h = leaky(n.conv(h, f"conv{i}", stride))
    return n.dense(tf.reshape(h, [3, -1]), "logits")


def as_image(x):
    return tf.reshape(x, [3, 28, 28, 1])


REFERENCES = {
    "gan_auto_write": (auto_write_generator, auto_write_discriminator),
    "conditional_dcgan": (conditional_generator, conditional_discriminator),
    "mlp_gan": (
        lambda n, x, digits: as_image(tf.tanh(mlp(n, x, "pixels"))),
        lambda n, x, digits: mlp(n, x, "logits"),
    ),
    "layernorm_gan": (
        lambda n, x, digits: as_image(sigmoid(layer_norm(n, x, "pixels"))),
        lambda n, x, digits: layer_norm(n, x, "logits"),
    ),
    "auxiliary_gan": (auxiliary_generator, auxiliary_discriminator),
}


class Wiring(unittest.TestCase):
    def test_each_network_is_what_was_published(self):
        """In training, but for dropout."""
        for name, (generator_of, discriminator_of) in REFERENCES.items():
            config = config_of(name)
            if name == "mlp_gan":
                config = config.with_text("keep_prob", "1")
            if name == "auxiliary_gan":
                config = config.with_text("discriminator_keep_prob", "1")
            system = build(config, DIGITS, "float32")
            for network in (system.generator, system.discriminator):
                for number, w in enumerate(network.weights):  # away from their initial values
                    w.assign_add(0.1 * tf.random.stateless_normal(w.shape, [number, 5]))
            pixels = system.generator(NOISE, SEED, tf.one_hot(LABELS, 10))
            for got, reference, network, inputs in (
                (as_image(pixels), generator_of, system.generator, NOISE),
                (
                    system.discriminator.heads(IMAGES, LABELS, SEED)[0],
                    discriminator_of,
                    system.discriminator,
                    IMAGES,
                ),
            ):
                with self.subTest(name, network=network.name):
                    expected = reference(Reference(network), inputs, LABELS)
                    deviation = float(tf.math.reduce_std(expected))
                    self.assertGreater(deviation, 1e-3)
                    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3 * deviation)

    def test_gan_auto_write_trains_no_scale_and_no_shift(self):
        system = build(config_of("gan_auto_write"), DIGITS, "float32")
        names = {w.name.removesuffix(":0") for w in system.generator.weights}
        layers_ = ("sheet", "conv1", "conv2", "pixels")
        self.assertEqual(names, {f"generator/{layer}/{v}" for layer in layers_ for v in "wb"})
