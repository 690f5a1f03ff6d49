import math
import unittest
from typing import get_args

import numpy as np
import tensorflow as tf

from gan3.core.config import field_types
from gan3.vae_gan import losses
from gan3.vae_gan.config import VaeGanConfig

FORMS = get_args(field_types(VaeGanConfig)["adversarial_loss"])
RANDOM = np.random.default_rng(0)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


class Adversarial(unittest.TestCase):
    def setUp(self):
        self.real, self.fake = RANDOM.normal(size=(6, 1)) * 2, RANDOM.normal(size=(6, 1)) * 2

    def test_closed_forms(self):
        real, fake = self.real, self.fake
        expected = {
            "cross_entropy": (
                -log_sigmoid(real).mean() - log_sigmoid(-fake).mean(),
                -log_sigmoid(fake).mean(),
            ),
            "hinge": (
                np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
                -fake.mean(),
            ),
            "relativistic": (
                np.log1p(np.exp(fake - real)).mean(),
                np.log1p(np.exp(real - fake)).mean(),
            ),
        }
        self.assertEqual(set(expected), set(FORMS))
        for form, pair in expected.items():
            got = losses.adversarial(tf.constant(real), tf.constant(fake), form)
            np.testing.assert_allclose(got, pair, atol=1e-12, err_msg=form)

    def test_losses_of_logits_of_zero(self):
        expected = {
            "cross_entropy": (2 * math.log(2), math.log(2)),
            "hinge": (2, 0),
            "relativistic": (math.log(2), math.log(2)),
        }
        for form in FORMS:
            got = losses.adversarial(tf.zeros([6, 1]), tf.zeros([6, 1]), form)
            np.testing.assert_allclose(got, expected[form], atol=1e-6, err_msg=form)

    def test_wrong_shapes_and_forms_are_refused(self):
        good = tf.zeros([6, 1])
        for arguments in ((tf.zeros([6]), good, "hinge"), (good, tf.zeros([6, 10]), "hinge")):
            with self.assertRaises(ValueError):
                losses.adversarial(*arguments)
        with self.assertRaisesRegex(ValueError, "unknown adversarial loss 'wasserstein'"):
            losses.adversarial(good, good, "wasserstein")


class GradientPenalty(unittest.TestCase):
    def test_of_a_linear_function_it_is_half_the_squared_slope(self):
        slope = RANDOM.normal(size=(28, 28, 1))
        images = tf.constant(RANDOM.uniform(size=(3, 28, 28, 1)))

        @tf.function
        def penalty(factor):
            logits = tf.reduce_sum(images * slope * factor, axis=[1, 2, 3])[:, None]
            return losses.gradient_penalty(logits, images)

        expected = [0.5 * (slope**2).sum()] * 3
        np.testing.assert_allclose(penalty(tf.constant(1.0, tf.float64)), expected, rtol=1e-12)
        self.assertEqual(float(tf.reduce_sum(penalty(tf.constant(0.0, tf.float64)))), 0.0)

    def test_each_image_has_the_penalty_of_its_own_gradient(self):
        images = tf.constant(RANDOM.uniform(size=(4, 28, 28, 1)))

        @tf.function
        def penalty():
            logits = 0.5 * tf.reduce_sum(tf.square(images), axis=[1, 2, 3])[:, None]
            return losses.gradient_penalty(logits, images)

        expected = 0.5 * (images.numpy() ** 2).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(penalty(), expected, rtol=1e-12)


class Vae(unittest.TestCase):
    def test_reconstruction_in_closed_form_and_least_at_the_image(self):
        images = RANDOM.uniform(0.01, 0.99, size=(3, 28, 28, 1))
        logits = RANDOM.normal(size=(3, 784))
        pixels = images.reshape(3, 784)
        each = -(pixels * log_sigmoid(logits) + (1 - pixels) * log_sigmoid(-logits))
        got = losses.reconstruction(tf.constant(logits), tf.constant(images))
        self.assertAlmostEqual(float(got), each.sum(axis=1).mean(), delta=1e-9)
        minimum = np.log(pixels / (1 - pixels))
        least = float(losses.reconstruction(tf.constant(minimum), tf.constant(images)))
        for offset in (-0.01, 0.01):
            near = losses.reconstruction(tf.constant(minimum + offset), tf.constant(images))
            self.assertGreater(float(near), least)

    def test_reconstruction_takes_logits_of_784_pixels(self):
        with self.assertRaises(ValueError):
            losses.reconstruction(tf.zeros([3, 28, 28, 1]), tf.zeros([3, 28, 28, 1]))


if __name__ == "__main__":
    unittest.main()
