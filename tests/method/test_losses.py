import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.method import losses
from gan3.vae_gan import losses as vae_gan_losses

RANDOM = np.random.default_rng(0)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


class RealFake(unittest.TestCase):
    def test_closed_form(self):
        x = RANDOM.normal(size=(7, 1)) * 3
        for target, expected in ((1.0, -log_sigmoid(x).mean()), (0.0, -log_sigmoid(-x).mean())):
            got = float(losses.real_fake_cross_entropy(tf.constant(x), target))
            self.assertAlmostEqual(got, expected, delta=1e-12)

    def test_undecided_logits_cost_log_two(self):
        got = float(losses.real_fake_cross_entropy(tf.zeros([5, 1]), 1.0))
        self.assertAlmostEqual(got, math.log(2), delta=1e-6)

    def test_only_logits_of_one_column(self):
        for shape in ([5], [5, 10], [5, 1, 1]):
            with self.subTest(shape), self.assertRaises(ValueError):
                losses.real_fake_cross_entropy(tf.zeros(shape), 1.0)


class Digit(unittest.TestCase):
    def setUp(self):
        self.logits = RANDOM.normal(size=(6, 10)) * 2
        self.labels = np.array([0, 9, 4, 4, 7, 1], np.int32)

    def test_softmax_mean(self):
        log_probs = self.logits - np.log(np.exp(self.logits).sum(axis=1, keepdims=True))
        expected = -log_probs[np.arange(6), self.labels].mean()
        got = losses.digit_cross_entropy(
            tf.constant(self.logits), tf.constant(self.labels), "softmax_mean"
        )
        self.assertAlmostEqual(float(got), expected, delta=1e-12)

    def test_sigmoid_sum_grows_with_the_batch(self):
        hot = np.eye(10)[self.labels]
        each = -(hot * log_sigmoid(self.logits) + (1 - hot) * log_sigmoid(-self.logits))
        logits, labels = tf.constant(self.logits), tf.constant(self.labels)
        once = float(losses.digit_cross_entropy(logits, labels, "sigmoid_sum"))
        self.assertAlmostEqual(once, each.sum(), delta=1e-10)
        twice = losses.digit_cross_entropy(
            tf.concat([logits, logits], 0), tf.concat([labels, labels], 0), "sigmoid_sum"
        )
        self.assertAlmostEqual(float(twice), 2 * once, delta=1e-9)

    def test_swapped_labels_cost_more(self):
        logits = tf.constant(np.eye(10)[self.labels] * 8.0)
        right = losses.digit_cross_entropy(logits, tf.constant(self.labels), "softmax_mean")
        wrong = losses.digit_cross_entropy(logits, tf.constant(9 - self.labels), "softmax_mean")
        self.assertGreater(float(wrong), float(right) + 7)

    def test_unfit_arguments(self):
        logits, labels = tf.constant(self.logits), tf.constant(self.labels)
        with self.assertRaisesRegex(ValueError, "softmax_mean, sigmoid_sum"):
            losses.digit_cross_entropy(logits, labels, "mean")
        with self.assertRaises(ValueError):
            losses.digit_cross_entropy(logits[:, :1], labels, "softmax_mean")
        with self.assertRaises(ValueError):
            losses.digit_cross_entropy(logits, labels[:, None], "softmax_mean")


class L1(unittest.TestCase):
    def test_sum_of_absolute_values(self):
        weights = [tf.Variable([[1.0, -2.0]]), tf.Variable([-0.5])]
        self.assertAlmostEqual(float(losses.l1(weights)), 3.5, delta=1e-6)

    def test_gradient_is_the_sign_times_what_comes_from_above(self):
        w = tf.Variable([[1.5, -2.0], [0.0, 1e-6]])
        with tf.GradientTape() as tape:
            loss = 0.25 * losses.l1([w])
        np.testing.assert_allclose(tape.gradient(loss, w), [[0.25, -0.25], [0, 0.25]], rtol=1e-6)


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
        self.assertEqual(set(expected), set(vae_gan_losses.ADVERSARIAL_LOSSES))
        for form, pair in expected.items():
            got = vae_gan_losses.adversarial(tf.constant(real), tf.constant(fake), form)
            np.testing.assert_allclose(got, pair, atol=1e-12, err_msg=form)

    def test_wrong_shapes_and_forms_are_refused(self):
        good = tf.zeros([6, 1])
        for arguments in ((tf.zeros([6]), good, "hinge"), (good, tf.zeros([6, 10]), "hinge")):
            with self.assertRaises(ValueError):
                vae_gan_losses.adversarial(*arguments)
        with self.assertRaisesRegex(ValueError, "one of cross_entropy, hinge, relativistic"):
            vae_gan_losses.adversarial(good, good, "wasserstein")


class GradientPenalty(unittest.TestCase):
    def test_a_linear_critic_pays_half_its_squared_slope_and_a_flat_one_nothing(self):
        slope = RANDOM.normal(size=(28, 28, 1))
        images = tf.constant(RANDOM.uniform(size=(3, 28, 28, 1)))

        @tf.function
        def penalty(factor):
            logits = tf.reduce_sum(images * slope * factor, axis=[1, 2, 3])[:, None]
            return vae_gan_losses.gradient_penalty(logits, images)

        expected = [0.5 * (slope**2).sum()] * 3
        np.testing.assert_allclose(penalty(tf.constant(1.0, tf.float64)), expected, rtol=1e-12)
        self.assertEqual(float(tf.reduce_sum(penalty(tf.constant(0.0, tf.float64)))), 0.0)

    def test_each_image_pays_for_its_own_slope(self):
        images = tf.constant(RANDOM.uniform(size=(4, 28, 28, 1)))

        @tf.function
        def penalty():
            logits = 0.5 * tf.reduce_sum(tf.square(images), axis=[1, 2, 3])[:, None]
            return vae_gan_losses.gradient_penalty(logits, images)

        expected = 0.5 * (images.numpy() ** 2).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(penalty(), expected, rtol=1e-12)


class Reading(unittest.TestCase):
    def test_redrawing_in_closed_form_and_least_at_the_image(self):
        images = RANDOM.uniform(0.01, 0.99, size=(3, 28, 28, 1))
        logits = RANDOM.normal(size=(3, 784))
        ink = images.reshape(3, 784)
        each = -(ink * log_sigmoid(logits) + (1 - ink) * log_sigmoid(-logits))
        got = vae_gan_losses.reconstruction(tf.constant(logits), tf.constant(images))
        self.assertAlmostEqual(float(got), each.sum(axis=1).mean(), delta=1e-9)
        right = np.log(ink / (1 - ink))
        best = float(vae_gan_losses.reconstruction(tf.constant(right), tf.constant(images)))
        for step in (-0.01, 0.01):
            worse = vae_gan_losses.reconstruction(tf.constant(right + step), tf.constant(images))
            self.assertGreater(float(worse), best)

    def test_redrawing_wants_logits_of_pixels(self):
        with self.assertRaises(ValueError):
            vae_gan_losses.reconstruction(tf.zeros([3, 28, 28, 1]), tf.zeros([3, 28, 28, 1]))

    def test_divergence_from_the_normal_law(self):
        zero = tf.zeros([4, 10], tf.float64)
        self.assertEqual(float(vae_gan_losses.kl_to_normal(zero, zero)), 0.0)
        mean, log_variance = RANDOM.normal(size=(5, 10)), RANDOM.normal(size=(5, 10))
        # By its definition, on a grid: the integral of q log(q / p), entry by entry.
        x = np.linspace(-30, 30, 200_001)
        total = 0.0
        for m, v in zip(mean.ravel(), np.exp(log_variance).ravel(), strict=True):
            log_q = -0.5 * ((x - m) ** 2 / v + np.log(2 * np.pi * v))
            log_p = -0.5 * (x**2 + np.log(2 * np.pi))
            total += np.trapezoid(np.exp(log_q) * (log_q - log_p), x)
        got = float(vae_gan_losses.kl_to_normal(tf.constant(mean), tf.constant(log_variance)))
        self.assertAlmostEqual(got, total / 5, delta=1e-6)


if __name__ == "__main__":
    unittest.main()
