import math
import unittest

import numpy as np

from gan3.nn.initializers import (
    INITIALIZERS,
    FanIn,
    Glorot,
    Initializer,
    Normal,
    PublishedNormal,
    TruncatedNormal,
)

KINDS = (Glorot, Normal, TruncatedNormal, FanIn, PublishedNormal)
NETWORKS = ("generator", "discriminator", "determinator")
DENSITY = math.exp(-2) / math.sqrt(2 * math.pi)  # of N(0, 1) at 2
TRUNCATED = math.sqrt(1 - 4 * DENSITY / math.erf(2 / math.sqrt(2)))
"""Standard deviation of N(0, 1) truncated at two standard deviations, 0.88."""


class Base(unittest.TestCase):
    def test_biases_are_zero_and_scales_one_unless_a_subclass_says_otherwise(self):
        init = Initializer(seed=1)
        for network in NETWORKS:
            np.testing.assert_array_equal(init.biases(5, network, 4), np.zeros(5))
        np.testing.assert_array_equal(init.scales(5), np.ones(5))
        with self.assertRaises(NotImplementedError):
            init.weights((2, 3))
        for kind in (Glorot, FanIn, PublishedNormal):
            np.testing.assert_array_equal(kind(1).scales(3), np.ones(3))
            alike = kind(1).embedding((4, 5)), kind(1).weights((4, 5))
            np.testing.assert_array_equal(*alike)

    def test_shapes_and_type(self):
        for kind in KINDS:
            with self.subTest(kind.__name__):
                init = kind(1)
                self.assertIsInstance(init, Initializer)
                for drawn, shape in (
                    (init.weights((2, 3)), (2, 3)),
                    (init.weights((5, 5, 2, 4)), (5, 5, 2, 4)),
                    (init.embedding((10, 7)), (10, 7)),
                    (init.scales(6), (6,)),
                    *((init.biases(8, network, 4), (8,)) for network in NETWORKS),
                ):
                    self.assertEqual((drawn.shape, drawn.dtype), (shape, np.float32))

    def test_everything_that_is_drawn_depends_on_the_seed_alone(self):
        def draw(kind, seed):
            init = kind(seed)
            drawn = [init.biases(8, network, 4) for network in NETWORKS]
            return [*drawn, init.embedding((10, 7)), init.scales(6), init.weights((3, 4))]

        for kind in KINDS:
            with self.subTest(kind.__name__):
                for one, same in zip(draw(kind, 1), draw(kind, 1), strict=True):
                    np.testing.assert_array_equal(one, same)
                init = kind(1)  # each variable has a stream of its own
                first, second = init.weights((20, 20)), init.weights((20, 20))
                self.assertFalse(np.array_equal(first, second))
                for one, other in zip(draw(kind, 1), draw(kind, 2), strict=True):
                    is_constant = np.ptp(one) == 0
                    self.assertEqual(np.array_equal(one, other), is_constant)

    def test_names_in_a_config(self):
        self.assertEqual(INITIALIZERS, {"glorot": Glorot, "published": PublishedNormal})


class Distributions(unittest.TestCase):
    def test_glorot_counts_the_kernels_area_in_both_fans(self):
        init = Glorot(seed=5)
        for shape, fans in (((784, 500), 784 + 500), ((5, 5, 32, 64), 25 * 32 + 25 * 64)):
            bound = math.sqrt(6 / fans)
            values = init.weights(shape).numpy()
            self.assertLessEqual(np.abs(values).max(), bound)
            self.assertGreater(np.abs(values).max(), 0.99 * bound)
            self.assertAlmostEqual(values.std(), bound / math.sqrt(3), delta=0.01 * bound)
        for network in NETWORKS:
            self.assertEqual(np.abs(init.biases(9, network, 4)).max(), 0)

    def test_weights_and_biases_of_the_baselines(self):
        shape, fan_in = (5, 5, 40, 64), 25 * 40
        bound = 1 / math.sqrt(fan_in)  # U(-a, a) has deviation a / sqrt 3
        expected = {  # deviation, largest possible value
            FanIn: (bound / math.sqrt(3), bound),
            Normal: (0.02, math.inf),
            TruncatedNormal: (0.02 * TRUNCATED, 2 * 0.02),
        }
        for kind, (deviation, largest) in expected.items():
            values = kind(seed=1).weights(shape).numpy()
            self.assertAlmostEqual(values.std(), deviation, delta=0.02 * deviation)
            self.assertAlmostEqual(values.mean(), 0, delta=0.02 * deviation)
            self.assertLessEqual(np.abs(values).max(), 1.001 * largest)
        for kind in (FanIn, Normal):  # PyTorch's default: U(-a, a), a = 1 / sqrt(fan in)
            for network in NETWORKS:
                drawn = kind(seed=1).biases(20_000, network, 400).numpy()
                self.assertTrue(0.99 / 20 < np.abs(drawn).max() <= 1 / 20)
                self.assertAlmostEqual(drawn.std(), 1 / 20 / math.sqrt(3), delta=0.001)
        self.assertEqual(np.abs(TruncatedNormal(1).biases(9, "discriminator", 4)).max(), 0)
        drawn = TruncatedNormal(seed=1).biases(5000, "generator", 4).numpy()
        self.assertAlmostEqual(drawn.std(), 0.02 * TRUNCATED, delta=0.05 * 0.02)

    def test_embeddings_and_scales_of_a_dcgan(self):
        init = Normal(seed=1)  # embeddings as in PyTorch, scales as in Radford et al. 2016
        for drawn, mean, deviation in (
            (init.embedding((50, 200)).numpy(), 0, 1),
            (init.scales(10_000).numpy(), 1, 0.02),
        ):
            self.assertAlmostEqual(drawn.mean(), mean, delta=5 * deviation / math.sqrt(drawn.size))
            self.assertAlmostEqual(drawn.std(), deviation, delta=0.05 * deviation)

    def test_published_deviation_depends_on_the_first_axis_only(self):
        init = PublishedNormal(seed=0)
        for shape in ((5, 5, 32, 64), (784, 500)):
            values = init.weights(shape).numpy()
            expected = math.sqrt(2 / shape[0])
            self.assertAlmostEqual(values.std(), expected, delta=0.02 * expected)
            for limit in (1, 2, 3):  # a normal distribution, not a truncated one
                share = (np.abs(values) < limit * expected).mean()
                self.assertAlmostEqual(share, math.erf(limit / math.sqrt(2)), delta=0.01)
            self.assertGreater(np.abs(values).max(), 3.5 * expected)
        self.assertEqual(np.abs(init.biases(1024, "discriminator", 4)).max(), 0)
        self.assertEqual(np.abs(init.biases(1024, "generator", 4)).max(), 0)
        drawn = np.asarray(init.biases(1024, "determinator", 4))
        self.assertAlmostEqual(drawn.std(), math.sqrt(2 / 1024), delta=0.1 * math.sqrt(2 / 1024))


if __name__ == "__main__":
    unittest.main()
