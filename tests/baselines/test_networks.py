"""The field's other networks: sizes as listed, ranges, what each heeds, and how it is wired."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines import networks as baseline_networks
from gan3.nn.initializers import FanIn, Glorot, Normal, TruncatedNormal

SEED = tf.constant([0, 1])
LABELS = tf.constant([3, 3, 7])
NOISE = tf.random.stateless_normal([3, 100], SEED)
IMAGES = tf.random.stateless_uniform([3, 28, 28, 1], SEED)


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def convs(side, *channels):
    return sum(side * side * a * b + b for a, b in zip(channels, channels[1:], strict=False))


# Made; parameters by the list of layers; whether it heeds labels, dropout; its averages.
GENERATORS = {
    "gan_auto_write": (
        lambda: baseline_networks.AutoWriteGenerator(TruncatedNormal(0)),
        dense(100, 56 * 56) + 1 + convs(3, 1, 50) + 50 + convs(3, 50, 25) + 25 + 25 + 1,
        (False, False, 2 * (1 + 50 + 25)),
    ),
    "conditional_dcgan": (
        lambda: baseline_networks.ConditionalGenerator(Normal(0)),
        10 * 10 + convs(4, 110, 50, 30, 15, 8, 1) + 2 * (50 + 30 + 15 + 8),
        (True, False, 2 * (50 + 30 + 15 + 8)),
    ),
    "mlp_gan": (
        lambda: baseline_networks.DenseGenerator(FanIn(0), 0.7),
        dense(100, 32, 64, 128, 784),
        (False, True, 0),
    ),
    "layernorm_gan": (
        lambda: baseline_networks.LayerNormGenerator(FanIn(0)),
        dense(100, 200, 784) + 2 * 200,
        (False, False, 0),
    ),
    "auxiliary_gan": (
        lambda: baseline_networks.AuxiliaryGenerator(Glorot(0)),
        10 * 100 + dense(100, 3 * 3 * 384) + convs(5, 384, 192, 96, 1) + 2 * (192 + 96),
        (True, False, 2 * (192 + 96)),
    ),
}
DISCRIMINATORS = {
    "gan_auto_write": (
        lambda: baseline_networks.AutoWriteDiscriminator(TruncatedNormal(0)),
        convs(5, 1, 32, 64) + dense(3136, 1024, 1),
        (False, False, 0),
    ),
    "conditional_dcgan": (
        lambda: baseline_networks.ConditionalDiscriminator(Normal(0)),
        convs(3, 1, 64) + 10 * 56 * 56 + convs(4, 1, 64) + convs(4, 128, 256, 512, 1024)
        + 2 * (256 + 512 + 1024) + 16 * 1024 + 1,
        (True, False, 2 * (256 + 512 + 1024)),
    ),
    "mlp_gan": (
        lambda: baseline_networks.DenseDiscriminator(FanIn(0), 0.7),
        dense(784, 128, 64, 32, 1),
        (False, True, 0),
    ),
    "layernorm_gan": (
        lambda: baseline_networks.LayerNormDiscriminator(FanIn(0)),
        dense(784, 200, 1) + 2 * 200,
        (False, False, 0),
    ),
    "auxiliary_gan": (
        lambda: baseline_networks.AuxiliaryDiscriminator(Glorot(0), 0.7),
        convs(3, 1, 32, 64, 128, 256) + dense(7 * 7 * 256, 1) + dense(7 * 7 * 256, 10),
        (False, True, 0),
    ),
}  # fmt: skip
LOWEST = {"conditional_dcgan": -1, "mlp_gan": -1, "auxiliary_gan": -1}


def count(variables):
    return sum(int(tf.size(w)) for w in variables)


class Networks(unittest.TestCase):
    def check(self, network, given, expected):
        parameters, (labels, drops, averages) = expected
        self.assertEqual(count(network.weights), parameters)
        self.assertEqual(count(network.averages), averages)
        names = [w.name for w in network.saved]
        self.assertEqual(len(set(names)), len(names))
        self.assertTrue(all(name.startswith(f"{network.name}/") for name in names))
        draws = network.name == "generator"
        one, other = (tf.one_hot(LABELS + i, 10) if draws else LABELS + i for i in (0, 1))
        calls = {
            "same": network(given, one, True, SEED),
            "other digits": network(given, other, True, SEED),
            "other dropout": network(given, one, True, SEED + 1),
        }
        same = network(given, one, True, SEED)
        np.testing.assert_array_equal(calls["same"], same)
        self.assertEqual(not np.array_equal(calls["other digits"], same), labels)
        self.assertEqual(not np.array_equal(calls["other dropout"], same), drops)
        np.testing.assert_array_equal(
            network(given, one, False, SEED), network(given, one, False, SEED + 1)
        )
        return same

    def test_generators(self):
        for name, (make, *expected) in GENERATORS.items():
            with self.subTest(name):
                images = self.check(make(), NOISE, expected).numpy()
                self.assertEqual(images.shape, (3, 28, 28, 1))
                lowest = LOWEST.get(name, 0)
                self.assertTrue(lowest <= images.min() <= images.max() <= 1)
                self.assertFalse(np.allclose(images[0], images[1]))  # by their noise

    def test_discriminators(self):
        for name, (make, *expected) in DISCRIMINATORS.items():
            with self.subTest(name):
                logits = self.check(make(), IMAGES, expected)
                self.assertEqual((logits.shape, logits.dtype), ([3, 1], tf.float32))

    def test_the_range_is_that_of_the_last_activation(self):
        for name, (make, *_) in GENERATORS.items():
            generator = make()
            _, b = generator.layers[-1] if name == "conditional_dcgan" else generator.pixels
            b.assign(tf.fill(b.shape, -100.0))
            lowest = generator(NOISE, tf.one_hot(LABELS, 10), False, SEED).numpy()
            np.testing.assert_allclose(lowest, LOWEST.get(name, 0), atol=1e-6, err_msg=name)

    def test_wrong_shapes_are_refused(self):
        for make, *_ in GENERATORS.values():
            with self.assertRaises(ValueError):
                make()(NOISE[:, :10], tf.one_hot(LABELS, 10), True, SEED)
        for make, *_ in DISCRIMINATORS.values():
            with self.assertRaises(ValueError):
                make()(IMAGES[..., 0], LABELS, True, SEED)


def leaky(x, slope=0.2):
    return tf.where(x > 0, x, slope * x)


def sigmoid(x):
    return 1 / (1 + tf.exp(-x))


class Written:
    """The published networks once more, layer by layer in TensorFlow's own functions, unread:
    `w` by the variable's name, batch normalisation by the batch's moments, no dropout."""

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
        scale, shift = self.w.get(f"{layer}/scale", 1.0), self.w[f"{layer}/shift"]
        return (x - mean) / tf.sqrt(variance + 1e-5) * scale + shift


def enlarged(x):
    """TensorFlow 1's bilinear: each pixel, and after it the mean with the next; the last twice."""
    for axis in (1, 2):
        after = tf.concat(
            [tf.gather(x, range(1, 28), axis=axis), tf.gather(x, [27], axis=axis)], axis
        )
        both = tf.stack([x, (x + after) / 2], axis + 1)
        x = tf.reshape(both, [*x.shape[:axis], 56, *x.shape[axis + 1 :]])
    return x


def auto_write_generator(n, noise, digits):
    h = tf.reshape(n.dense(noise, "sheet"), [-1, 56, 56, 1])
    h = tf.nn.relu(n.norm(h, "norm0"))
    h = enlarged(tf.nn.relu(n.norm(n.conv(h, "conv1", 2), "norm1")))
    h = tf.nn.relu(n.norm(n.conv(h, "conv2", 2), "norm2"))
    return sigmoid(n.conv(h, "pixels", 1))  # enlarging, then every other pixel: the same


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
    for i, around in enumerate((1, 1, 2), start=1):
        h = n.norm(leaky(n.conv(h, f"conv{i}", 2, around)), f"norm{i}")
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


WRITTEN = {
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
        soft_labels = tf.one_hot(LABELS, 10)
        for name, written in WRITTEN.items():
            for kind, given, asked, expected in (
                (GENERATORS, NOISE, soft_labels, written[0]),
                (DISCRIMINATORS, IMAGES, LABELS, written[1]),
            ):
                with self.subTest(name, network=expected.__name__):
                    network = kind[name][0]()
                    for number, w in enumerate(network.weights):  # far from where they begin
                        w.assign_add(0.1 * tf.random.stateless_normal(w.shape, [number, 5]))
                    drops = kind[name][2][1]
                    got = network(given, asked, not drops, SEED)
                    wanted = expected(Written(network), given, LABELS)
                    spread = float(tf.math.reduce_std(wanted))
                    self.assertGreater(spread, 1e-3)
                    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3 * spread)


class Normalisation(unittest.TestCase):
    def test_training_normalises_by_the_batch_and_moves_the_averages_a_tenth(self):
        norm = baseline_networks.BatchNorm("n", 2, tf.ones([2]))
        x = np.random.default_rng(0).normal(3, 2, size=(4, 5, 6, 2)).astype(np.float32)
        flat = norm(tf.constant(x), True).numpy().reshape(-1, 2)
        np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(flat.std(axis=0), 1, rtol=1e-4)
        mean, variance = x.reshape(-1, 2).mean(axis=0), x.reshape(-1, 2).var(axis=0)
        np.testing.assert_allclose(norm.mean, 0.1 * mean, rtol=1e-4)
        np.testing.assert_allclose(norm.variance, 0.9 + 0.1 * variance, rtol=1e-4)

    def test_outside_training_the_averages_normalise_and_stay(self):
        norm = baseline_networks.BatchNorm("n", 1, None)
        norm.mean.assign([2.0])
        norm.variance.assign([9.0])
        got = norm(tf.constant([[5.0], [2.0]]), False).numpy()
        np.testing.assert_allclose(got, [[1], [0]], atol=1e-5)
        np.testing.assert_array_equal(norm.mean, [2.0])


class Conditional(unittest.TestCase):
    def test_the_last_layer_is_a_convolution_without_a_rim(self):
        """4 x 4 over 4 x 4 has one place to stand: the dense layer is that convolution."""
        discriminator = baseline_networks.ConditionalDiscriminator(Normal(0))
        w, b = discriminator.logits
        x = tf.random.stateless_normal([2, 4, 4, 1024], SEED)
        kernel = tf.reshape(w, [4, 4, 1024, 1])
        convolved = tf.nn.conv2d(x, kernel, 1, "VALID")[:, 0, 0] + b
        np.testing.assert_allclose(tf.reshape(x, [2, -1]) @ w + b, convolved, atol=1e-4)


if __name__ == "__main__":
    unittest.main()
