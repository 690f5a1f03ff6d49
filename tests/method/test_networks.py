"""The three networks of the description, as lists and as what they compute."""

import dataclasses
import unittest

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import networks
from gan3.nn.initializers import Glorot
from gan3.nn.network import Network
from gan3.runs.registry import config_of
from tests.support import small_system

SEED = tf.constant([0, 1])
CONFIG = config_of("three_network")
LAYERS = {
    "generator": ("hidden1", "hidden2", "hidden3", "pixels"),
    "discriminator": ("conv1", "conv2", "hidden", "logits"),
    "determinator": ("conv1", "conv2", "hidden", "logits"),
}


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))


def names(variables):
    return [variable.name.removesuffix(":0") for variable in variables]


class Layers(unittest.TestCase):
    def test_parameters_names_order_and_l1(self):
        convolutions = 5 * 5 * 1 * 32 + 32 + 5 * 5 * 32 * 64 + 64
        counts = Triple(
            dense(100, 100, 500, 784, 784),
            convolutions + dense(7 * 7 * 64, 1024, 1),
            convolutions + dense(7 * 7 * 64, 1024, 10),
        )
        system = small_system()
        for (name, layers), network, expected in zip(
            LAYERS.items(), system.networks, counts, strict=True
        ):
            with self.subTest(name):
                self.assertEqual(sum(int(tf.size(w)) for w in network.weights), expected)
                self.assertEqual(
                    names(network.weights), [f"{name}/{x}/{v}" for x in layers for v in "wb"]
                )
                matrices = [f"{name}/{x}/w" for x in layers if not x.startswith("conv")]
                self.assertEqual(names(network.l1_weights), matrices)
        weights = [w for network in system.networks for w in network.weights]
        self.assertEqual(len({id(w) for w in weights}), len(weights))  # none is shared

    def test_dropout_and_activations_are_those_of_the_config(self):
        """Dropout is on the hidden dense layers alone."""
        config = dataclasses.replace(
            CONFIG,
            activation=Triple("relu", "leaky_relu", "elu"),
            keep_prob=Triple(0.6, 0.7, 0.8),
        )
        for specs, activation, keep_prob, last in (
            (networks.generator(config, 10), "relu", [0.6, 0.6, 0.6, 1], "sigmoid"),
            (networks.critic("discriminator", config, 1), "leaky_relu", [1, 1, 0.7, 1], "none"),
            (networks.critic("determinator", config, 10), "elu", [1, 1, 0.8, 1], "none"),
        ):
            self.assertEqual([spec.activation for spec in specs], [activation] * 3 + [last])
            self.assertEqual([spec.keep_prob for spec in specs], keep_prob)

    def test_the_latent_has_ten_entries_and_the_determinator_a_logit_for_each_class(self):
        for classes in (3, 62):
            generator = Network("generator", networks.generator(CONFIG, classes), Glorot(0))
            self.assertEqual(generator.weights[0].shape, [10 * classes, 100])
            self.assertEqual(generator(tf.zeros([2, 10 * classes])).shape, [2, 784])
            with self.assertRaises(ValueError):
                generator(tf.zeros([2, 100]))
            specs = networks.critic("determinator", CONFIG, classes)
            logits = Network("determinator", specs, Glorot(0))(tf.zeros([2, 28, 28, 1]))
            self.assertEqual(logits.shape, [2, classes])
