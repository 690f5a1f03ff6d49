"""Adam and the layers against Keras', and the initial distributions against SciPy's."""

import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import layers
from gan3.nn.adam import Adam
from gan3.nn.initializers import FanIn, Glorot, Normal, PublishedNormal, TruncatedNormal
from gan3.nn.network import Network
from gan3.nn.plain import SLOPES
from gan3.nn.specs import BatchNorm
from tests.support import has, needs

if has("scipy"):
    from scipy import stats

SAME, VALID = "same", "valid"


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def relative(got, expected):
    """The largest difference, relative to the largest expected value."""
    got, expected = np.asarray(got), np.asarray(expected)
    return float(np.abs(got - expected).max() / np.abs(expected).max())


class Oracle(unittest.TestCase):
    def compare(self, ours, layer, x, weights, tolerance=1e-5, variables=None, **options):
        """Output and all gradients of `ours`, a function of x and of variables, and a Keras layer.

        weights: of the layer, and the values of the variables unless those are given.
        """
        x = tf.constant(x)
        if not layer.built:
            layer.build(x.shape)
        layer.set_weights(weights)
        variables = [tf.Variable(w) for w in weights] if variables is None else variables
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            outputs = ours(x, *variables), layer(x, **options)
            upstream = tf.constant(draw(99, *outputs[1].shape))
            losses = [tf.reduce_sum(y * upstream) for y in outputs]
        self.assertEqual(outputs[0].shape, outputs[1].shape)
        self.assertLess(relative(*outputs), tolerance)
        for got, expected in zip(
            tape.gradient(losses[0], [x, *variables]),
            tape.gradient(losses[1], [x, *layer.trainable_variables]),
            strict=True,
        ):
            self.assertLess(relative(got, expected), tolerance)


class AdamAgainstKeras(unittest.TestCase):
    def test_fifty_steps(self):
        """Two variables, one of them with gradients of 1e-9, where epsilon decides."""
        sizes = np.array([1.0, 1e-9], np.float32)
        for beta1, beta2 in ((0.0, 0.999), (0.5, 0.99), (0.9, 0.999)):
            with self.subTest(beta1=beta1, beta2=beta2):
                start = [draw(1, 6, 3), np.zeros(5, np.float32)]
                mine, theirs = ([tf.Variable(w) for w in start] for _ in range(2))
                ours = Adam(mine, 1e-2, beta1, "adam/network", beta2)
                keras = tf.keras.optimizers.Adam(1e-2, beta1, beta2, epsilon=1e-8)
                for step in range(50):
                    gradients = [
                        tf.constant(size * draw(10 + step, *w.shape))
                        for size, w in zip(sizes, start, strict=True)
                    ]
                    ours.apply(gradients)
                    keras.apply_gradients(zip(gradients, theirs, strict=True))
                for w, expected, first in zip(mine, theirs, start, strict=True):
                    moved = expected.numpy() - first
                    self.assertGreater(np.abs(moved).max(), 1e-4)
                    self.assertLess(relative(w.numpy() - first, moved), 2e-5)

    def test_a_rate_that_changes(self):
        """`lr_scale` is a schedule of Keras'."""
        start = draw(3, 4, 4)
        mine, theirs = tf.Variable(start), tf.Variable(start)
        ours = Adam([mine], 1e-2, 0.5, "adam/network")
        keras = tf.keras.optimizers.Adam(1e-2, 0.5, 0.999, epsilon=1e-8)
        for step in range(20):
            gradient, scale = tf.constant(draw(step, 4, 4)), 1 - step / 20
            ours.apply([gradient], scale)
            keras.learning_rate = 1e-2 * scale
            keras.apply_gradients([(gradient, theirs)])
        self.assertLess(relative(mine.numpy() - start, theirs.numpy() - start), 2e-5)


class LayersAgainstKeras(Oracle):
    def test_dense(self):
        keras = tf.keras.layers.Dense(7)
        self.compare(layers.dense, keras, draw(1, 4, 9), [draw(2, 9, 7), draw(3, 7)])

    def channels(self, side):
        """Input channels: with less than 8, Keras' gradient of a 1 x 1 kernel may be wrong."""
        return 8 if side == 1 else 3

    def test_convolutions(self):
        for side in (1, 3, 4, 5):
            for stride in (1, 2):
                for height, width in ((8, 8), (7, 10)):
                    with self.subTest(side=side, stride=stride, height=height):
                        keras = tf.keras.layers.Conv2D(5, side, stride, SAME)
                        channels = self.channels(side)
                        weights = [draw(2, side, side, channels, 5), draw(3, 5)]
                        x = draw(1, 2, height, width, channels)
                        self.compare(
                            lambda x, w, b, stride=stride: layers.conv(x, w, b, stride),
                            keras, x, weights,
                        )  # fmt: skip

    def test_convolutions_with_zero_padding(self):
        """Small maps with a kernel of two strides are computed block by block."""
        for side, stride, padding, height, width in (
            (4, 2, 1, 8, 8), (4, 2, 2, 7, 7), (3, 1, 1, 6, 5), (4, 2, 0, 7, 6),
            (5, 3, 2, 9, 8), (2, 3, 1, 8, 8), (2, 1, 1, 5, 4), (1, 2, 0, 5, 5),
            (4, 2, 1, 4, 7), (6, 3, 2, 7, 5), (4, 4, 0, 11, 10),
        ):  # fmt: skip
            with self.subTest(side=side, stride=stride, padding=padding):
                keras = tf.keras.Sequential(
                    [
                        tf.keras.layers.ZeroPadding2D(padding),
                        tf.keras.layers.Conv2D(5, side, stride, VALID),
                    ]
                )
                channels = self.channels(side)
                weights = [draw(2, side, side, channels, 5), draw(3, 5)]

                def ours(x, w, b, stride=stride, padding=padding):
                    return layers.conv(x, w, b, stride, padding)

                self.compare(ours, keras, draw(1, 2, height, width, channels), weights)

    def test_transposed_convolutions(self):
        for side in (3, 4, 5):
            for stride in (1, 2, 3):
                for padding in (SAME, VALID):
                    if padding == VALID and stride > side:
                        continue
                    with self.subTest(side=side, stride=stride, padding=padding):
                        keras = tf.keras.layers.Conv2DTranspose(5, side, stride, padding)
                        weights = [draw(2, side, side, 5, 3), draw(3, 5)]

                        def ours(x, w, b, stride=stride, padding=padding):
                            return layers.conv_transpose(x, w, b, stride, padding.upper())

                        self.compare(ours, keras, draw(1, 2, 4, 6, 3), weights)

    def test_convolution_activation_and_max_pool(self):
        for name in layers.ACTIVATIONS:
            for height in (8, 7):
                with self.subTest(name, height=height):
                    if name in SLOPES:
                        activation = tf.keras.layers.LeakyReLU(SLOPES[name])
                    else:
                        activation = "linear" if name == "none" else name
                    keras = tf.keras.Sequential(
                        [
                            tf.keras.layers.Conv2D(4, 5, 1, SAME),
                            tf.keras.layers.Activation(activation),
                            tf.keras.layers.MaxPooling2D(2, padding=SAME),
                        ]
                    )
                    weights = [draw(2, 5, 5, 3, 4), draw(3, 4)]
                    self.compare(
                        lambda x, w, b, name=name: layers.conv_pool(x, w, b, name),
                        keras, draw(1, 2, height, 8, 3), weights,
                    )  # fmt: skip

    def test_layer_normalisation(self):
        for scale, offset in ((1, 0), (1e-3, 0), (100, 3)):
            keras = tf.keras.layers.LayerNormalization(epsilon=1e-5)
            x, weights = scale * draw(1, 6, 20) + np.float32(offset), [draw(2, 20), draw(3, 20)]
            self.compare(layers.layer_norm, keras, x, weights, 1e-4)
        still = np.full((3, 20), 0.7, np.float32)  # a variance of 0
        self.assertLess(relative(layers.layer_norm(still, *weights), keras(still)), 1e-6)

    def test_batch_normalisation(self):
        """Training steps, then inference: outputs, gradients, running moments."""
        for shape in ((16, 3), (4, 5, 6, 3)):
            for affine in (True, False):
                with self.subTest(shape=shape, affine=affine):
                    ours = Network("n", (BatchNorm("n/norm", 3, affine=affine),), Glorot(0))
                    running = [ours.variables[f"n/norm/{part}"] for part in ("mean", "variance")]
                    keras = tf.keras.layers.BatchNormalization(
                        momentum=0.9, epsilon=1e-5, center=affine, scale=affine
                    )
                    variables = ours.weights  # scale and shift, or none
                    for seed, variable in enumerate(variables):
                        variable.assign(draw(20 + seed, 3))
                    trained = [variable.numpy() for variable in variables]
                    moments = [variable.numpy() for variable in running]
                    for training in (True, True, True, False):
                        x = 3 + 2 * draw(int(1e3 * moments[1][0]), *shape)
                        seed = tf.constant([0, 0]) if training else None
                        self.compare(
                            lambda x, *_, ours=ours, seed=seed: ours(x, seed),
                            keras, x, [*trained, *moments], 1e-4, variables, training=training,
                        )  # fmt: skip
                        moments = [weights.copy() for weights in keras.get_weights()[-2:]]
                        np.testing.assert_allclose(running, moments, rtol=1e-5)


@needs("scipy")
class InitialDistributions(unittest.TestCase):
    """Kolmogorov and Smirnov's test of 60,000 draws: a cdf that is .01 off has a p of 1e-5."""

    SHAPES = ((200, 300), (5, 5, 40, 60))

    def check(self, drawn, distribution):
        values = np.asarray(drawn, np.float64).ravel()
        self.assertGreater(stats.kstest(values, distribution.cdf).pvalue, 1e-3)
        # The test is weak in the tails: no value is outside, and the extremes are what they are.
        low, high = distribution.support()
        slack = 1e-6 * distribution.std()  # float32
        self.assertTrue(low - slack <= values.min() and values.max() <= high + slack)
        extreme = distribution.sf(values.max()), distribution.cdf(values.min())
        self.assertLess(max(extreme) * len(values), 15)

    def uniform(self, bound):
        return stats.uniform(-bound, 2 * bound)

    def test_glorot(self):
        for shape in self.SHAPES:
            area = math.prod(shape[:-2])
            bound = math.sqrt(6 / (area * (shape[-2] + shape[-1])))
            self.check(Glorot(1).weights(shape), self.uniform(bound))

    def test_pytorchs_default(self):
        for shape in self.SHAPES:
            fan_in = math.prod(shape[:-1])
            self.check(FanIn(1).weights(shape), self.uniform(1 / math.sqrt(fan_in)))
        for kind in (FanIn, Normal):
            drawn = kind(1).biases(60_000, "generator", 70)
            self.check(drawn, self.uniform(1 / math.sqrt(70)))

    def test_normal(self):
        for shape in self.SHAPES:
            self.check(Normal(1).weights(shape), stats.norm(0, 0.02))
        self.check(Normal(1).embedding((10, 6000)), stats.norm(0, 1))
        self.check(Normal(1).scales(60_000), stats.norm(1, 0.02))

    def test_truncated_normal(self):
        distribution = stats.truncnorm(-2, 2, scale=0.02)
        for shape in self.SHAPES:
            self.check(TruncatedNormal(1).weights(shape), distribution)
        self.check(TruncatedNormal(1).biases(60_000, "generator", 4), distribution)

    def test_published(self):
        for shape in self.SHAPES:
            distribution = stats.norm(0, math.sqrt(2 / shape[0]))
            self.check(PublishedNormal(1).weights(shape), distribution)
        drawn = PublishedNormal(1).biases(60_000, "determinator", 4)
        self.check(drawn, stats.norm(0, math.sqrt(2 / 60_000)))

    def test_variables_of_one_network_are_independent(self):
        for kind in (Glorot, Normal, TruncatedNormal, FanIn, PublishedNormal):
            init = kind(3)
            first, second = (init.weights((100, 100)).numpy().ravel() for _ in range(2))
            self.assertGreater(stats.pearsonr(first, second).pvalue, 1e-4)
            self.assertGreater(stats.pearsonr(first[1:], first[:-1]).pvalue, 1e-4)
