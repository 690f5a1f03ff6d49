"""The baselines' networks: sizes, pixel ranges, what each depends on, and how it is wired."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines import networks as baseline_networks
from gan3.nn import layers
from gan3.nn.initializers import FanIn, Glorot, Normal, TruncatedNormal

SEED = tf.constant([0, 1])
LABELS = tf.constant([3, 3, 7])
NOISE = tf.random.stateless_normal([3, 100], SEED)
IMAGES = tf.random.stateless_uniform([3, 28, 28, 1], SEED)


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def convs(side, *channels):
    return sum(side * side * a * b + b for a, b in zip(channels, channels[1:], strict=False))


# Constructor; number of parameters; whether it is class-conditional and has dropout, and the number
# of its running moments.
GENERATORS = {
    "gan_auto_write": (
        lambda: baseline_networks.AutoWriteGenerator(TruncatedNormal(0)),
        dense(100, 56 * 56) + convs(3, 1, 50) + convs(3, 50, 25) + 25 + 1,
        (False, False, 2 * (1 + 50 + 25)),
    ),
    "conditional_dcgan": (
        lambda: baseline_networks.ConditionalGenerator(Normal(0), 10),
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
        lambda: baseline_networks.AuxiliaryGenerator(Glorot(0), 10),
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
        lambda: baseline_networks.ConditionalDiscriminator(Normal(0), 10),
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
        lambda: baseline_networks.AuxiliaryDiscriminator(Glorot(0), 10, 0.7),
        convs(3, 1, 32, 64, 128, 256) + dense(7 * 7 * 256, 1) + dense(7 * 7 * 256, 10),
        (False, True, 0),
    ),
}  # fmt: skip
PIXEL_MIN = {"conditional_dcgan": -1, "mlp_gan": -1, "auxiliary_gan": -1}  # else 0


def count(variables):
    return sum(int(tf.size(w)) for w in variables)


class Networks(unittest.TestCase):
    def check(self, network, inputs, expected):
        parameters, (class_conditional, has_dropout, moments) = expected
        self.assertEqual(count(network.weights), parameters)
        self.assertEqual(count(network.running_moments), moments)
        self.assertEqual(
            [w.name for w in [*network.weights, *network.running_moments]],
            [w.name for w in network.saved],
        )
        names = [w.name for w in network.saved]
        self.assertEqual(len(set(names)), len(names))
        self.assertTrue(all(name.startswith(f"{network.name}/") for name in names))
        is_generator = network.name == "generator"
        digits, other_digits = (
            tf.one_hot(LABELS + i, 10) if is_generator else LABELS + i for i in (0, 1)
        )
        first = network(inputs, digits, True, SEED)
        np.testing.assert_array_equal(network(inputs, digits, True, SEED), first)
        with_other_digits = network(inputs, other_digits, True, SEED)
        self.assertEqual(not np.array_equal(with_other_digits, first), class_conditional)
        with_other_seed = network(inputs, digits, True, SEED + 1)
        self.assertEqual(not np.array_equal(with_other_seed, first), has_dropout)
        # The seed is for dropout alone.
        if has_dropout:
            with self.assertRaises(ValueError):
                network(inputs, digits, True)
        else:
            np.testing.assert_array_equal(network(inputs, digits, True), first)
        outside_training = network(inputs, digits)
        for seed in (SEED, SEED + 1):
            np.testing.assert_array_equal(network(inputs, digits, False, seed), outside_training)
        return first

    def test_generators(self):
        for name, (make, *expected) in GENERATORS.items():
            with self.subTest(name):
                generator = make()
                images = self.check(generator, NOISE, expected).numpy()
                self.assertEqual(images.shape, (3, 28, 28, 1))
                self.assertEqual(generator.class_conditional, expected[1][0])
                self.assertEqual(generator.pixel_min, PIXEL_MIN.get(name, 0))
                self.assertTrue(generator.pixel_min <= images.min() <= images.max() <= 1)
                self.assertFalse(np.allclose(images[0], images[1]))  # one digit, other noise

    def test_discriminators(self):
        for name, (make, *expected) in DISCRIMINATORS.items():
            with self.subTest(name):
                discriminator = make()
                logits = self.check(discriminator, IMAGES, expected)
                self.assertEqual((logits.shape, logits.dtype), ([3, 1], tf.float32))
                self.assertEqual(discriminator.has_classifier, name == "auxiliary_gan")

    def test_the_lowest_pixel_value_is_that_of_the_last_activation(self):
        for name, (make, *_) in GENERATORS.items():
            generator = make()
            _, b = generator.layers[-1] if name == "conditional_dcgan" else generator.pixels
            b.assign(tf.fill(b.shape, -100.0))
            images = generator(NOISE, tf.one_hot(LABELS, 10)).numpy()
            np.testing.assert_allclose(images, PIXEL_MIN.get(name, 0), atol=1e-6, err_msg=name)

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
        soft_labels = tf.one_hot(LABELS, 10)
        for name, references in REFERENCES.items():
            for networks, inputs, digits, reference in (
                (GENERATORS, NOISE, soft_labels, references[0]),
                (DISCRIMINATORS, IMAGES, LABELS, references[1]),
            ):
                with self.subTest(name, network=reference.__name__):
                    make, _, (_, has_dropout, _) = networks[name]
                    network = make()
                    for number, w in enumerate(network.weights):  # away from their initial values
                        w.assign_add(0.1 * tf.random.stateless_normal(w.shape, [number, 5]))
                    got = network(inputs, digits, not has_dropout)
                    expected = reference(Reference(network), inputs, LABELS)
                    deviation = float(tf.math.reduce_std(expected))
                    self.assertGreater(deviation, 1e-3)
                    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3 * deviation)


class BatchNorm(unittest.TestCase):
    def test_in_training_it_uses_batch_moments_and_the_running_ones_move_a_tenth(self):
        norm = baseline_networks.BatchNorm("n", 2, tf.ones([2]))
        x = np.random.default_rng(0).normal(3, 2, size=(4, 5, 6, 2)).astype(np.float32)
        flat = norm(tf.constant(x), True).numpy().reshape(-1, 2)
        np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(flat.std(axis=0), 1, rtol=1e-4)
        mean, variance = x.reshape(-1, 2).mean(axis=0), x.reshape(-1, 2).var(axis=0)
        np.testing.assert_allclose(norm.mean, 0.1 * mean, rtol=1e-4)
        np.testing.assert_allclose(norm.variance, 0.9 + 0.1 * variance, rtol=1e-4)

    def test_outside_training_it_uses_the_running_moments_and_leaves_them(self):
        norm = baseline_networks.BatchNorm("n", 1, None)
        norm.mean.assign([2.0])
        norm.variance.assign([9.0])
        got = norm(tf.constant([[5.0], [2.0]]), False).numpy()
        np.testing.assert_allclose(got, [[1], [0]], atol=1e-5)
        np.testing.assert_array_equal(norm.mean, [2.0])
        np.testing.assert_array_equal(norm.variance, [9.0])

    def test_with_batch_moments_it_uses_those_outside_training_and_leaves_the_running_ones(self):
        norm = baseline_networks.BatchNorm("n", 1, None)
        norm.moments = "batch"
        got = norm(tf.constant([[1.0], [3.0], [5.0]]), False).numpy()[:, 0]
        np.testing.assert_allclose(got, np.array([-2, 0, 2]) / np.sqrt(8 / 3), atol=1e-5)
        self.assertEqual((norm.mean.numpy()[0], norm.variance.numpy()[0]), (0, 1))

    def test_gan_auto_write_trains_no_scale_and_no_shift(self):
        generator = baseline_networks.AutoWriteGenerator(TruncatedNormal(0))
        names = {w.name.removesuffix(":0") for w in generator.weights}
        layers = ("sheet", "conv1", "conv2", "pixels")
        self.assertEqual(names, {f"generator/{layer}/{v}" for layer in layers for v in "wb"})


class ConditionalDiscriminator(unittest.TestCase):
    def test_the_last_layer_is_a_convolution_without_padding(self):
        """A 4 x 4 kernel fits on a 4 x 4 map once: the dense layer is that convolution."""
        discriminator = baseline_networks.ConditionalDiscriminator(Normal(0), 10)
        w, b = discriminator.logits
        x = tf.random.stateless_normal([2, 4, 4, 1024], SEED)
        kernel = tf.reshape(w, [4, 4, 1024, 1])
        convolved = tf.nn.conv2d(x, kernel, 1, "VALID")[:, 0, 0] + b
        np.testing.assert_allclose(tf.reshape(x, [2, -1]) @ w + b, convolved, atol=1e-4)

    def test_a_convolution_by_patches_is_the_convolution(self):
        """With its gradients."""
        random = np.random.default_rng(2)
        for side, extents, stride, zero_padding in (
            (4, (7, 7), 2, 2),
            (3, (6, 9), 1, 0),
            (2, (5, 4), 2, 1),
            (3, (8, 5), 2, 1),
            (5, (9, 11), 3, 2),
            (2, (7, 8), 3, 0),
        ):
            x, w, b = (
                random.normal(size=shape).astype(np.float32)
                for shape in ((2, *extents, 3), (side, side, 3, 5), (5,))
            )
            x, w, b = tf.constant(x), tf.Variable(w), tf.Variable(b)
            results = []
            for convolve in (layers.conv, baseline_networks.conv_by_patches):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    h = convolve(x, w, b, stride=stride, zero_padding=zero_padding)
                    loss = tf.reduce_sum(tf.sin(h))
                results.append([h, *tape.gradient(loss, [x, w, b])])
            for expected, got in zip(*results, strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


if __name__ == "__main__":
    unittest.main()
