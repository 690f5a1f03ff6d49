import itertools
import unittest
from functools import partial

import numpy as np
import tensorflow as tf

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


class Initializers(unittest.TestCase):
    """What is drawn; its distributions are tested in test_oracles."""

    def test_biases_are_zero_and_scales_one_unless_a_subclass_says_otherwise(self):
        for kind, with_biases in (
            (Glorot, ()),
            (FanIn, NETWORKS),
            (Normal, NETWORKS),
            (TruncatedNormal, ("generator",)),
            (PublishedNormal, ("determinator",)),
        ):
            for network in NETWORKS:
                is_drawn = np.abs(kind(1).biases(5, network, 4)).max() > 0
                self.assertEqual(is_drawn, network in with_biases, (kind, network))
            if kind is not Normal:
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

    def test_are_those_of_keras_bit_for_bit(self):
        keras = tf.keras.initializers
        oracles = {
            Glorot: keras.GlorotUniform,
            Normal: partial(keras.RandomNormal, stddev=0.02),
            TruncatedNormal: partial(keras.TruncatedNormal, stddev=0.02),
            FanIn: partial(keras.VarianceScaling, 1 / 3, "fan_in", "uniform"),
        }
        for kind, oracle in oracles.items():
            for seed, shape in itertools.product((0, 7, 2**31 - 1), ((5, 5, 3, 8), (100, 50))):
                state = np.random.SeedSequence([seed, 1]).generate_state(1)[0]
                expected = oracle(seed=int(state) >> 1)(shape)
                np.testing.assert_array_equal(kind(seed).weights(shape), expected)

    def test_names_in_a_config(self):
        self.assertEqual(INITIALIZERS, {"glorot": Glorot, "published": PublishedNormal})
