"""The codes of real images have the moments of fresh noise, class by class."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.vae_gan.codes import ClassNorm, latent_of

SEED = tf.constant([3, 4])
NOISE_VARIANCE = 0.3


class Moments(unittest.TestCase):
    """Three classes whose numbers have means and deviations of their own."""

    def setUp(self):
        self.random = np.random.default_rng(0)
        self.centres = self.random.normal(0, 5, (3, 10))
        self.spreads = self.random.uniform(0.1, 4, (3, 10))

    def batch(self, count):
        """Numbers [count, 10] and their classes [count]."""
        labels = self.random.integers(0, 3, count)
        numbers = self.centres[labels] + self.spreads[labels] * self.random.normal(size=(count, 10))
        return tf.constant(numbers, tf.float32), tf.constant(labels, tf.int32)

    def trained(self, steps):
        norm = ClassNorm("code", (3, 10), NOISE_VARIANCE)
        train = tf.function(norm.train, autograph=False)
        for step in range(steps):
            train(*self.batch(300), tf.constant(float(step)), SEED)
        return norm

    def test_codes_of_each_class_have_mean_0_and_what_the_noise_leaves_of_variance_1(self):
        norm = self.trained(500)
        np.testing.assert_allclose(norm.means, self.centres, atol=0.3)
        np.testing.assert_allclose(norm.variances, self.spreads**2, rtol=0.2)
        numbers, labels = self.batch(30_000)
        codes, labels = norm(numbers, labels).numpy(), labels.numpy()
        for label in range(3):
            of_class = codes[labels == label]
            np.testing.assert_allclose(of_class.mean(axis=0), 0, atol=0.1)
            np.testing.assert_allclose(of_class.var(axis=0), 1 - NOISE_VARIANCE, rtol=0.2)

    def test_with_their_noise_they_have_variance_1(self):
        norm = self.trained(500)
        numbers, labels = self.batch(30_000)
        codes = norm.train(numbers, labels, tf.constant(500.0), SEED)[0].numpy()
        np.testing.assert_allclose(codes.var(axis=0), 1, rtol=0.1)
        other = norm.train(numbers, labels, tf.constant(500.0), SEED + 1)[0].numpy()
        difference = (codes - other).var()  # two independent noises
        self.assertAlmostEqual(difference, 2 * NOISE_VARIANCE, delta=0.05)

    def test_the_first_batches_count_alike(self):
        norm = ClassNorm("code", (1, 10), NOISE_VARIANCE)
        labels = tf.zeros([2], tf.int32)
        for step, value in enumerate((2.0, 4.0)):
            norm.train(tf.fill([2, 10], value), labels, tf.constant(float(step)), SEED)
        # The first replaces the initial value; the second weighs 1 - 1 / 10.
        np.testing.assert_allclose(norm.means, 2 + 0.9 * 2, rtol=1e-6)

    def test_a_class_that_is_not_in_the_batch_keeps_its_moments(self):
        norm = self.trained(20)
        before = [moments.numpy() for moments in norm.variables.values()]
        numbers, _ = self.batch(60)
        norm.train(numbers, tf.ones([60], tf.int32), tf.constant(9.0), SEED)
        for old, new in zip(before, norm.variables.values(), strict=True):
            changed = (old != new.numpy()).all(axis=1)
            np.testing.assert_array_equal(changed, [False, True, False])

    def test_a_single_image_of_a_class_moves_its_moments_too(self):
        """In step 0 the moments become those of the batch: the image, and its square around 0."""
        norm = ClassNorm("code", (2, 10), NOISE_VARIANCE)
        numbers = np.random.default_rng(2).normal(size=(4, 10)).astype(np.float32)
        labels = tf.constant([0, 1, 0, 0])
        norm.train(tf.constant(numbers), labels, tf.constant(0.0), SEED)
        for label, rows in enumerate((numbers[[0, 2, 3]], numbers[[1]])):
            np.testing.assert_allclose(norm.means[label], rows.mean(axis=0), atol=1e-5)
            np.testing.assert_allclose(
                norm.variances[label], np.square(rows).mean(axis=0), rtol=1e-4, atol=1e-5
            )

    def test_an_entry_that_never_varied_gives_a_finite_code(self):
        norm = ClassNorm("code", (2, 10), NOISE_VARIANCE)
        norm.variances.assign(tf.zeros_like(norm.variances))
        codes = norm(tf.constant(np.full((3, 10), 1e-4, np.float32)), tf.constant([0, 1, 1]))
        self.assertTrue(np.isfinite(codes).all())

    def test_the_moments_are_named_and_not_trained(self):
        norm = ClassNorm("code", (2, 10), NOISE_VARIANCE)
        self.assertEqual(list(norm.variables), ["code/means", "code/variances"])
        self.assertEqual([w.trainable for w in norm.variables.values()], [False, False])


class Latent(unittest.TestCase):
    def test_a_label_entry_is_a_one_beside_the_noise(self):
        labels = np.array([7, 0, 2])
        noise = np.random.default_rng(2).uniform(-1, 1, (3, 10)).astype(np.float32)
        got = latent_of(tf.constant(labels), tf.constant(noise), 10, label_entry=True).numpy()
        expected = np.zeros((3, 10, 11), np.float32)
        for row, label in enumerate(labels):
            expected[row, label] = [*noise[row], 1]
        np.testing.assert_array_equal(got, expected.reshape(3, 110))
        plain = latent_of(tf.constant(labels), tf.constant(noise), 10, label_entry=False).numpy()
        np.testing.assert_array_equal(plain, expected[..., :10].reshape(3, 100))


class Scale(unittest.TestCase):
    """The size of the numbers: it changes no code, and a loss holds it."""

    def setUp(self):
        numbers = np.random.default_rng(1).normal(size=(200, 10))
        self.numbers = tf.constant(numbers, tf.float32)
        self.labels = tf.zeros([200], tf.int32)

    def train(self, numbers):
        norm = ClassNorm("code", (1, 10), NOISE_VARIANCE)
        return norm.train(numbers, self.labels, tf.constant(0.0), SEED)

    def test_larger_numbers_give_the_same_codes(self):
        """So the encoder cannot drown the noise."""
        codes = [self.train(factor * self.numbers)[0].numpy() for factor in (1.0, 10.0)]
        np.testing.assert_allclose(codes[0], codes[1], atol=1e-3)

    def test_the_loss_is_the_divergence_of_their_variance_from_1(self):
        for factor in (0.2, 1.0, 3.0):
            numbers = factor * self.numbers
            variances = np.square(numbers.numpy().astype(np.float64)).mean(axis=0)  # around 0
            # By its definition: the integral of q log(q / p) for N(0, variance) and N(0, 1).
            x = np.linspace(-60, 60, 200_001)
            expected = 0.0
            for variance in variances:
                log_q = -0.5 * (x**2 / variance + np.log(2 * np.pi * variance))
                log_p = -0.5 * (x**2 + np.log(2 * np.pi))
                expected += np.trapezoid(np.exp(log_q) * (log_q - log_p), x)
            self.assertAlmostEqual(float(self.train(numbers)[1]), expected, delta=1e-3 * expected)

    def test_equal_numbers_give_finite_codes_and_gradients(self):
        numbers = tf.Variable(tf.zeros([200, 10]))
        with tf.GradientTape() as tape:
            codes, loss = self.train(numbers)
            total = tf.reduce_sum(tf.square(codes)) + loss
        self.assertTrue(np.isfinite(codes).all() and np.isfinite(loss))
        self.assertTrue(np.isfinite(tape.gradient(total, numbers)).all())
