import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.method import losses
from gan3.method.three_networks import label_accuracy

RANDOM = np.random.default_rng(0)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


class RealFake(unittest.TestCase):
    def test_closed_form(self):
        x = RANDOM.normal(size=(7, 1)) * 3
        for target, expected in ((1.0, -log_sigmoid(x).mean()), (0.0, -log_sigmoid(-x).mean())):
            got = float(losses.real_fake_cross_entropy(tf.constant(x), target))
            self.assertAlmostEqual(got, expected, delta=1e-12)

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

    def test_zero_logits_of_k_classes_cost_log_k(self):
        for classes in (2, 3, 26, 62):
            logits, labels = tf.zeros([5, classes]), tf.constant([0, 1, classes - 1, 0, 1])
            mean = losses.digit_cross_entropy(logits, labels, "softmax_mean")
            self.assertAlmostEqual(float(mean), math.log(classes), delta=1e-5)
            total = losses.digit_cross_entropy(logits, labels, "sigmoid_sum")
            self.assertAlmostEqual(float(total), 5 * classes * math.log(2), delta=1e-3)

    def test_wrong_shapes_and_forms_are_refused(self):
        logits, labels = tf.constant(self.logits), tf.constant(self.labels)
        with self.assertRaisesRegex(ValueError, "unknown digit loss 'mean'"):
            losses.digit_cross_entropy(logits, labels, "mean")
        with self.assertRaises(ValueError):
            losses.digit_cross_entropy(logits[:, :1], labels, "softmax_mean")
        with self.assertRaises(ValueError):
            losses.digit_cross_entropy(logits, labels[:, None], "softmax_mean")


class L1(unittest.TestCase):
    def test_sum_of_absolute_values(self):
        weights = [tf.Variable([[1.0, -2.0]]), tf.Variable([-0.5])]
        self.assertAlmostEqual(float(losses.l1(weights)), 3.5, delta=1e-6)

    def test_gradient_is_the_sign_times_the_upstream_gradient(self):
        w = tf.Variable([[1.5, -2.0], [0.0, 1e-6]])
        with tf.GradientTape() as tape:
            loss = 0.25 * losses.l1([w])
        np.testing.assert_allclose(tape.gradient(loss, w), [[0.25, -0.25], [0, 0.25]], rtol=1e-6)


class LabelAccuracy(unittest.TestCase):
    def test_the_fraction_of_rows_whose_largest_logit_is_that_of_the_label(self):
        logits = tf.constant(RANDOM.normal(size=(200, 10)))
        labels = np.concatenate([logits.numpy()[:50].argmax(axis=1), RANDOM.integers(0, 10, 150)])
        expected = (logits.numpy().argmax(axis=1) == labels).mean()
        self.assertTrue(0.25 <= expected < 1)
        for dtype in (tf.int32, tf.int64):
            got = float(label_accuracy(logits, tf.constant(labels, dtype)))
            self.assertAlmostEqual(got, expected, delta=1e-6)

    def test_labels_of_rank_one(self):
        with self.assertRaises(ValueError):
            label_accuracy(tf.zeros([3, 10]), tf.zeros([3, 1], tf.int32))
