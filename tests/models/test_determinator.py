"""The determinator in NumPy: it reads what the determinator in TensorFlow reads."""

import dataclasses
import math
import string
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.models.determinator import Determinator, normal_to_uniform
from gan3.runs.registry import build, config_of, determinator_of
from tests.support import class_probabilities

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
INPUTS = IMAGES[..., None] / np.float32(255)  # as the networks take them


def determinators_of(name, class_names=DIGITS, **changes):
    """The system of an experiment, its determinator far from its initial values, and the copy."""
    config = dataclasses.replace(config_of(name), **changes)
    system, random = build(config, class_names, "float32"), np.random.default_rng(1)
    arrays = {}
    determinator = system.networks.determinator
    for w in determinator.variables.values():
        fan_in = math.prod(w.shape[:-1]) if w.shape.rank > 1 else 100
        values = random.normal(0, 2 / math.sqrt(fan_in), w.shape)
        values = 1 + values**2 if "variances" in w.name else values
        w.assign(values.astype(np.float32))
        arrays[w.name.removesuffix(":0")] = w.numpy()
    spec = determinator_of(config, class_names)
    assert spec.shapes == {key: array.shape for key, array in arrays.items()}
    return system, Determinator(spec, arrays)


class AsTensorFlow(unittest.TestCase):
    def assert_same_probabilities(self, system, determinator, classes):
        expected = class_probabilities(system, tf.constant(INPUTS))
        got = determinator(IMAGES)
        self.assertEqual((got.shape, got.dtype), ((len(IMAGES), classes), np.float32))
        self.assertGreater(np.ptp(expected), 0.3)  # the weights matter
        self.assertGreater(expected.std(axis=0).max(), 0.02)  # the images do, too
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)

    def test_the_described_determinators_classify_alike(self):
        for name in ("three_network", "published_code", "published_fresh_noise"):
            with self.subTest(name):
                system, determinator = determinators_of(name)
                self.assert_same_probabilities(system, determinator, 10)
                self.assertIsNone(determinator.encoder)

    def test_a_class_head_too(self):
        config = config_of("auxiliary_gan")
        system, spec = build(config, DIGITS, "float32"), determinator_of(config, DIGITS)
        for number, w in enumerate(system.discriminator.weights):
            w.assign_add(tf.random.stateless_normal(w.shape, [number, 0], stddev=0.05))
        arrays = {name: system.state[name].numpy() for name in spec.shapes}
        self.assert_same_probabilities(system, Determinator(spec, arrays), 10)

    def test_26_classes_too(self):
        letters = tuple(string.ascii_uppercase)
        for name in ("three_network", "best"):
            system, determinator = determinators_of(name, letters)
            self.assertEqual(determinator.class_names, letters)
            self.assert_same_probabilities(system, determinator, 26)

    def test_many_images_are_read_as_each_one_is(self):
        _, determinator = determinators_of("best")
        images = np.random.default_rng(0).integers(0, 256, (1001, 28, 28), np.uint8)
        read = determinator.encode(images)
        self.assertEqual((read.labels.shape, read.labels.dtype), ((1001,), np.int64))
        self.assertEqual((read.probabilities.shape, read.noise.shape), ((1001, 10), (1001, 13)))
        np.testing.assert_array_equal(read.labels, read.probabilities.argmax(axis=1))
        np.testing.assert_array_equal(read.probabilities, determinator(images))
        for i in (0, 499, 500, 1000):
            alone = determinator.encode(images[i : i + 1])
            np.testing.assert_allclose(alone.noise[0], read.noise[i], atol=1e-5)


class NormalToUniform(unittest.TestCase):
    def test_it_is_the_error_function_of_code_through_root_two(self):
        code = np.linspace(-6, 6, 241, dtype=np.float32).reshape(-1, 1)
        got = normal_to_uniform(code)
        self.assertEqual((got.shape, got.dtype), (code.shape, np.float32))
        expected = tf.math.erf(tf.constant(code) / math.sqrt(2)).numpy()
        np.testing.assert_allclose(got, expected, rtol=0, atol=5e-7)
        # A normal number is within one standard deviation of 0 in 68.27 % of all cases.
        one = normal_to_uniform(np.array([[1.0]]))
        self.assertAlmostEqual(float(one[0, 0]), 0.6826895, delta=1e-6)
