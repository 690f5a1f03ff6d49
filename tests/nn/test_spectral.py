"""Spectral normalisation: products with matrices whose largest singular value is one."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import plain
from gan3.nn.initializers import Glorot
from gan3.nn.network import Network
from gan3.nn.specs import Conv, Dense
from tests.support import in_graph

SPECS = (
    Conv("n/conv", 3, 1, 4, "leaky_relu", stride=2),
    Conv("n/pooled", 3, 4, 5, "elu", pool=True),
    Dense("n/hidden", 7 * 7 * 5, 6, "leaky_relu"),
    Dense("n/logits", 6, 1),
)
MATRICES = [f"n/{name}/w" for name in ("conv", "pooled", "hidden", "logits")]
IMAGES = np.random.default_rng(0).normal(size=(3, 28, 28, 1)).astype(np.float32)


def divided(weight):
    """A weight by the largest singular value of its matrix [in, out]."""
    matrix = weight.reshape(-1, weight.shape[-1])
    return weight / np.linalg.svd(matrix.astype(np.float64), compute_uv=False)[0]


class SpectralNorm(unittest.TestCase):
    def setUp(self):
        self.network = Network("n", SPECS, Glorot(0))
        self.network.normalise_spectrally()
        update = tf.function(self.network.update_directions, autograph=False)
        for _ in range(500):
            update()

    def test_it_computes_what_divided_weights_do(self):
        other = Network("n", SPECS, Glorot(1))
        for name, variable in other.variables.items():
            value = self.network.variables[name].numpy()
            variable.assign(divided(value) if name in MATRICES else value)
        self.assertEqual(sorted(self.network.directions), sorted(MATRICES))
        expected = other(IMAGES)
        self.assertGreater(np.ptp(expected), 0.01)
        np.testing.assert_allclose(self.network(IMAGES), expected, atol=1e-5)
        np.testing.assert_allclose(plain.forward(self.network.plain(), IMAGES), expected, atol=1e-5)

    def test_its_gradient_is_that_of_the_division(self):
        """By central differences of W / s(W), whose gradient has no part along W."""
        name = "n/hidden/w"
        weight = self.network.variables[name]
        factors = np.random.default_rng(2).normal(size=weight.shape)
        got = in_graph(
            lambda: tf.gradients(tf.reduce_sum(self.network._value(name) * factors), weight)[0]
        ).numpy()
        value = weight.numpy().astype(np.float64)
        for place in ((0, 0), (17, 3), (244, 5)):
            shift = np.zeros_like(value)
            shift[place] = 1e-5
            ends = [(divided(value + sign * shift) * factors).sum() for sign in (1, -1)]
            self.assertAlmostEqual(got[place], (ends[0] - ends[1]) / 2e-5, delta=1e-3)
        self.assertAlmostEqual((got * value).sum() / np.abs(got * value).sum(), 0, delta=1e-4)
