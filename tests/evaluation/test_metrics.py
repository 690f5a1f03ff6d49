"""Metrics against closed forms, against independent implementations and by hand."""

import math
import unittest
from types import SimpleNamespace
from unittest import mock

import numpy as np
import tensorflow as tf

from gan3.evaluation import metrics, neighbours, reference
from gan3.evaluation.metrics import Moments
from gan3.method import losses
from tests.support import slow


class LabelAccuracy(unittest.TestCase):
    def test_three_of_four(self):
        logits = tf.constant(np.eye(10, dtype=np.float32)[[3, 1, 4, 1]])
        got = losses.label_accuracy(logits, tf.constant([3, 1, 4, 2]))
        self.assertEqual(float(got), 0.75)

    def test_labels_of_two_axes_would_broadcast_and_are_refused(self):
        with self.assertRaises(ValueError):
            losses.label_accuracy(tf.zeros([4, 10]), tf.zeros([4, 1], tf.int32))


class PredictedDigits(unittest.TestCase):
    def test_confusion_has_rows_of_requested_and_columns_of_predicted_digits(self):
        got = reference.confusion(np.array([3, 3, 3, 9]), np.array([3, 8, 8, 9]))
        expected = np.zeros((10, 10), int)
        expected[3, 3], expected[3, 8], expected[9, 9] = 1, 2, 1
        np.testing.assert_array_equal(got, expected)

    def test_a_string_is_correct_if_all_its_digits_are(self):
        correct = np.array([1, 1, 1, 1, 0, 1, 1, 1, 1, 1], bool)
        np.testing.assert_array_equal(metrics.strings_correct(correct, 3), [1, 0, 1])

    def test_classes_covered_and_divergence_from_uniform(self):
        even = np.tile(np.arange(10), 50)
        self.assertEqual(metrics.count_covered(even), 10)
        self.assertAlmostEqual(metrics.divergence_from_uniform(even), 0, delta=1e-12)
        half = np.tile(np.arange(5), 50)
        self.assertEqual(metrics.count_covered(half), 5)
        self.assertAlmostEqual(metrics.divergence_from_uniform(half), math.log(2), delta=1e-12)
        rare = np.array([7] * 995 + [1] * 5)  # half a percent of ones does not count
        self.assertEqual(metrics.count_covered(rare), 1)


class FrechetDistance(unittest.TestCase):
    def test_gaussians_in_closed_form(self):
        """Commuting covariances: |m|^2 + sum (sqrt(a) - sqrt(b))^2 over common axes."""
        random = np.random.default_rng(0)
        axes, _ = np.linalg.qr(random.normal(size=(8, 8)))
        a, b = random.uniform(0.1, 4, 8), random.uniform(0.1, 4, 8)
        shift = random.normal(size=8)
        got = metrics.frechet(
            Moments(np.zeros(8), (axes * a) @ axes.T), Moments(shift, (axes * b) @ axes.T)
        )
        expected = (shift**2).sum() + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
        self.assertAlmostEqual(got, expected, delta=1e-9)

    def test_two_by_two_covariances_that_do_not_commute(self):
        """tr (A B)^(1/2) of two 2 x 2 matrices is sqrt(tr AB + 2 sqrt(det A det B))."""
        a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[4.0, -1.0], [-1.0, 1.0]])
        root = math.sqrt(np.trace(a @ b) + 2 * math.sqrt(np.linalg.det(a) * np.linalg.det(b)))
        expected = 1 + 4 + np.trace(a) + np.trace(b) - 2 * root
        got = metrics.frechet(Moments(np.zeros(2), a), Moments(np.array([1.0, 2.0]), b))
        self.assertAlmostEqual(got, expected, delta=1e-9)
        back = metrics.frechet(Moments(np.array([1.0, 2.0]), b), Moments(np.zeros(2), a))
        self.assertAlmostEqual(back, expected, delta=1e-9)

    def test_identical_sets_and_constant_features(self):
        features = np.random.default_rng(1).normal(size=(50, 9))
        features[:, 4] = 0  # so the covariance is singular
        own = metrics.moments(features)
        self.assertAlmostEqual(metrics.frechet(own, own), 0, delta=1e-9)
        one = metrics.moments(np.repeat(features[:1], 20, axis=0))  # one repeated image
        expected = ((features.mean(0) - features[0]) ** 2).sum() + np.trace(np.cov(features.T))
        self.assertAlmostEqual(metrics.frechet(one, own), expected, delta=1e-9)

    def test_a_matrix_that_is_no_covariance_is_refused(self):
        good, bad = np.eye(3), np.diag([1.0, 1.0, -0.1])
        for a, b in ((good, bad), (bad, good), (good, np.full((3, 3), np.nan))):
            with self.assertRaises((ArithmeticError, np.linalg.LinAlgError)):
                metrics.frechet(Moments(np.zeros(3), a), Moments(np.zeros(3), b))

    def test_moments_are_those_of_numpy_and_counts_repeat_rows(self):
        features = np.random.default_rng(2).normal(size=(40, 5))
        counts = np.random.default_rng(3).integers(0, 4, 40)
        for row_counts, rows in ((None, features), (counts, np.repeat(features, counts, axis=0))):
            got = metrics.moments(features, row_counts)
            np.testing.assert_allclose(got.mean, rows.mean(axis=0), atol=1e-12)
            np.testing.assert_allclose(got.covariance, np.cov(rows.T), atol=1e-12)

    def test_the_interval_contains_the_estimate_and_shrinks_with_the_count(self):
        random = np.random.default_rng(4)
        real = Moments(np.zeros(4), np.eye(4))
        widths = []
        for count in (100, 1600):
            fake = random.normal(size=(count, 4)) + 0.5
            low, high = metrics.bootstrap_frechet(fake, real, seed=0)
            self.assertTrue(low < metrics.frechet(metrics.moments(fake), real) < high)
            widths.append(high - low)
        self.assertAlmostEqual(widths[0] / widths[1], 4, delta=1.5)  # sqrt(1600 / 100)


class KernelDistance(unittest.TestCase):
    def test_it_is_a_sum_over_pairs(self):
        random = np.random.default_rng(0)
        x, y = random.normal(size=(6, 3)), random.normal(size=(6, 3)) + 1

        def k(a, b):
            return (a @ b / 3 + 1) ** 3

        pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
        expected = np.mean([k(x[i], x[j]) + k(y[i], y[j]) for i, j in pairs]) - 2 * np.mean(
            [k(a, b) for a in x for b in y]
        )
        got, error = metrics.kernel_mmd(x, y, seed=0)
        self.assertAlmostEqual(got, expected, delta=1e-9)
        self.assertTrue(math.isnan(error))  # one block has no standard deviation

    def test_its_mean_is_zero_for_two_sets_of_one_distribution(self):
        """400 repetitions: the mean is 0 within 4 standard errors."""
        random = np.random.default_rng(1)
        results = np.array(
            [
                metrics.kernel_mmd(random.normal(size=(20, 4)), random.normal(size=(20, 4)), 0)
                for _ in range(400)
            ]
        )[:, 0]
        self.assertLess(abs(results.mean()), 4 * results.std() / 20)
        self.assertLess(results.min(), 0)  # a biased estimate is never negative

    def test_the_standard_error_is_the_standard_deviation_of_repetitions(self):
        random = np.random.default_rng(2)
        results = np.array(
            [
                metrics.kernel_mmd(
                    random.normal(size=(4000, 3)), random.normal(size=(4000, 3)) * 1.1, 0
                )
                for _ in range(20)
            ]
        )
        deviation, standard_error = results[:, 0].std(ddof=1), np.sqrt((results[:, 1] ** 2).mean())
        self.assertAlmostEqual(standard_error / deviation, 1, delta=0.5)


class FrechetInterval(unittest.TestCase):
    def test_it_is_normal_around_the_estimate(self):
        """Two resamples at 1 and 3 have the standard deviation sqrt(2); 95 % are 1.96 of them."""
        fake = np.random.default_rng(0).normal(size=(30, 2))
        real = metrics.moments(fake)
        with mock.patch.object(metrics, "frechet", side_effect=[1.0, 3.0, 5.0]):
            low, high = metrics.bootstrap_frechet(fake, real, seed=0, resamples=2)
        half = 1.959964 * math.sqrt(2)
        np.testing.assert_allclose((low, high), (5 - half, 5 + half), rtol=1e-6)


class PrecisionRecallDensityCoverage(unittest.TestCase):
    @slow("half a minute")
    def test_published_sanity_case(self):
        """That of Naeem et al.: 10,000 points each of N(0, 1) in 1,000 dimensions, k = 5."""
        random = np.random.default_rng(0)
        near = neighbours.prdc(
            random.normal(size=(10_000, 1000)), random.normal(size=(10_000, 1000))
        )
        # A few points near the origin dominate: density, with mean 1, varies by a tenth from draw
        # to draw, coverage by a hundredth.
        for metric, expected, delta in (
            ("precision", 0.47, 0.03),
            ("recall", 0.47, 0.03),
            ("density", 1.06, 0.25),
            ("coverage", 0.97, 0.04),
        ):
            self.assertAlmostEqual(getattr(near, metric).mean(), expected, delta=delta, msg=metric)

    def test_density_and_coverage_for_two_sets_of_one_distribution(self):
        """Density is 1 and coverage 1 - 2^-k.

        A new point is in the ball of each of N points with probability k / N. The k nearest of the
        2 N - 1 other points are all from a point's own set with probability about 2^-k.
        """
        random = np.random.default_rng(9)
        results = np.array(
            [
                [
                    values.mean()
                    for values in neighbours.prdc(
                        random.normal(size=(400, 2)), random.normal(size=(400, 2)), k=4
                    )[2:]
                ]
                for _ in range(40)
            ]
        )
        density, coverage = results.mean(axis=0)
        error = results.std(axis=0) / math.sqrt(40)
        self.assertAlmostEqual(density, 1, delta=5 * error[0])
        self.assertAlmostEqual(coverage, 1 - 2**-4, delta=5 * error[1] + 0.002)

    def test_points_on_a_line_by_hand(self):
        """k = 1: real 0, 1, 10 have radii 1, 1, 9; fake 0.5, 30 have 29.5 each."""
        real, fake = np.array([[0.0], [1.0], [10.0]]), np.array([[0.5], [30.0]])
        near = neighbours.prdc(real, fake, k=1)
        # 0.5 lies in the balls of 0 and 1 but not of 10 (9.5 > 9); 30 lies in none.
        np.testing.assert_array_equal(near.precision, [1, 0])
        np.testing.assert_array_equal(near.density, [2, 0])
        np.testing.assert_array_equal(near.coverage, [1, 1, 0])
        np.testing.assert_array_equal(near.recall, [1, 1, 1])

    def test_several_blocks_agree_with_the_whole_distance_matrix(self):
        random = np.random.default_rng(5)
        real, fake = random.normal(size=(2300, 3)), random.normal(size=(1100, 3)) * 1.3
        real_to_fake = np.linalg.norm(real[:, None] - fake[None], axis=2)
        radius = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)[:, 5]
        fake_radius = np.sort(np.linalg.norm(fake[:, None] - fake[None], axis=2), axis=1)[:, 5]
        near = neighbours.prdc(real, fake, k=5)
        inside = real_to_fake < radius[:, None]
        np.testing.assert_array_equal(near.precision, inside.any(axis=0))
        np.testing.assert_array_equal(near.recall, (real_to_fake < fake_radius).any(axis=1))
        np.testing.assert_allclose(near.density, inside.sum(axis=0) / 5)
        np.testing.assert_array_equal(near.coverage, inside.any(axis=1))

    def test_identical_sets_have_full_precision_recall_and_coverage(self):
        points = np.random.default_rng(6).normal(size=(200, 4))
        near = neighbours.prdc(points, points)
        for metric in ("precision", "recall", "coverage"):
            self.assertEqual(getattr(near, metric).mean(), 1, metric)

    def test_ten_repeated_images_are_detected(self):
        """A generator of ten real images: precision 1, almost no coverage."""
        real = np.random.default_rng(7).normal(size=(1000, 6))
        near = neighbours.prdc(real, np.repeat(real[:10], 100, axis=0))
        self.assertEqual(near.precision.mean(), 1)
        self.assertEqual(near.recall.mean(), 0)
        # Each image lies in about k real balls and its own.
        self.assertLess(near.coverage.mean(), 10 * (5 + 3) / 1000)
        self.assertGreaterEqual(near.coverage.mean(), 10 / 1000)

    def test_fewer_points_than_neighbours_is_an_error(self):
        with self.assertRaises(ValueError):
            neighbours.prdc(np.zeros((5, 2)), np.ones((9, 2)), k=5)


class DiversityAndMemorization(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(8)

    def draw(self, count):
        return self.random.integers(0, 256, (count, 28, 28), np.uint8)

    def test_distinct_fraction(self):
        images = self.draw(4)
        self.assertEqual(
            metrics.distinct_fraction(
                SimpleNamespace(images=np.concatenate([images, images[:1], images[:3]]))
            ),
            0.5,
        )

    def test_mean_pairwise_distances(self):
        features = np.array([[0.0, 0], [3, 4], [0, 10], [1, 1], [1, 2], [9, 9]])
        labels = np.array([2, 2, 2, 5, 5, 7])
        twos = (5 + 10 + math.hypot(3, 6)) / 3
        got = neighbours.mean_pairwise_distances(features, labels)
        self.assertEqual(set(got), {2, 5})  # the only seven has no pair
        self.assertAlmostEqual(got[2], twos, delta=1e-9)
        self.assertAlmostEqual(got[5], 1, delta=1e-9)
        self.assertEqual(neighbours.mean_pairwise_distances(features[:1], labels[:1]), {})

    def test_diversity_ratio(self):
        self.assertAlmostEqual(
            metrics.diversity_ratio({1: 2.0, 3: 4.0, 4: 9.0}, {1: 5.0, 3: 7.0}), 0.5
        )

    def test_nearest_image(self):
        others, images = self.draw(1500), self.draw(7)
        expected = np.sqrt(((images[:, None].astype(float) - others[None]) ** 2).sum(axis=(2, 3)))
        distances, indices = neighbours.nearest_images(images, others)
        np.testing.assert_array_equal(indices, expected.argmin(axis=1))
        np.testing.assert_allclose(distances, expected.min(axis=1) / 255, rtol=1e-12)
        with self.subTest("a copy has distance 0, unless it is the excluded image itself"):
            distances, indices = neighbours.nearest_images(others[[9, 1200]], others)
            np.testing.assert_array_equal((distances, indices), ([0, 0], [9, 1200]))
            excluded = np.array([9, 1200])
            distances, indices = neighbours.nearest_images(others[excluded], others, excluded)
            self.assertTrue((distances > 0).all() and not set(indices) & {9, 1200})

    def test_memorized_training_images_are_detected(self):
        """Training images with one changed pixel, against new images of the same distribution."""
        labels = np.tile(np.arange(10), 30)
        prototypes = self.draw(10)[np.tile(np.arange(10), 90)]
        noise = self.random.integers(-40, 41, (900, 28, 28))
        images = np.clip(prototypes.astype(int) + noise, 0, 255).astype(np.uint8)
        train, held_out, fresh = images[:300], images[300:600], images[600:]
        copies = train.copy()
        copies[:, 14, 14] ^= 1
        real, _ = neighbours.nearest_images(held_out, train)
        for fakes, low, high in ((copies, 0.0, 0.01), (fresh, 0.98, 1.02)):
            distances, _ = neighbours.nearest_images(fakes, train)
            ratio = metrics.distance_ratio(distances, labels, real, labels)
            self.assertTrue(low <= ratio <= high, ratio)
            below, above = metrics.bootstrap_ratio(distances, labels, real, labels, seed=0)
            self.assertTrue(low <= below <= ratio <= above <= high, (below, ratio, above))

    def test_the_ratio_is_per_digit(self):
        """Ones are close to each other: a set with more ones must not look like memorization."""
        real, real_labels = np.array([1.0, 1.0, 9.0, 9.0]), np.array([1, 1, 8, 8])
        many_ones = np.array([1.0] * 9 + [9.0]), np.array([1] * 9 + [8])
        self.assertEqual(metrics.distance_ratio(*many_ones, real, real_labels), 1)

    def test_a_digit_whose_real_images_are_copies_does_not_count(self):
        """They are at distance 0 from the training set, so there is no ratio."""
        real, labels = np.array([0.0, 0.0, 4.0, 4.0]), np.array([1, 1, 8, 8])
        fakes = np.array([5.0, 5.0, 2.0, 2.0])
        self.assertEqual(metrics.distance_ratio(fakes, labels, real, labels), 0.5)
        copies = np.array([1, 1]), np.zeros(2)
        nothing = metrics.distance_ratio(fakes[:2], copies[0], copies[1], copies[0])
        self.assertTrue(math.isnan(nothing))


class Ghosts(unittest.TestCase):
    def square(self, ink, side=10):
        image = np.zeros((28, 28), np.uint8)
        image[4 : 4 + side, 4 : 4 + side] = ink
        return image

    def test_black_and_white_has_no_blur_and_an_even_grey_has_no_outline(self):
        images = np.stack([self.square(255), np.zeros((28, 28), np.uint8)])
        np.testing.assert_array_equal(neighbours.blur(images), [0, 0])
        self.assertEqual(neighbours.blur(np.full((1, 28, 28), 100, np.uint8))[0], np.inf)

    def test_the_blur_of_a_grey_square(self):
        """side^2 pixels x (1 - x) by an outline of 4 side x: side (1 - x) / 4."""
        for ink, side in ((51, 10), (102, 10), (204, 6)):
            expected = side * (1 - ink / 255) / 4
            self.assertAlmostEqual(
                neighbours.blur(self.square(ink, side)[None])[0], expected, delta=1e-12
            )

    def test_a_score_is_the_blur_times_the_distance_to_the_kth_neighbour(self):
        images = np.stack([self.square(51), self.square(204)])
        real = np.array([[0.0], [1.0], [3.0], [7.0]])
        at = np.array([[0.0], [10.0]])  # distances 0 1 3 7 and 10 9 7 3
        for k, distances in ((1, [0, 3]), (2, [1, 7]), (4, [7, 10])):
            got = neighbours.ghost_scores(images, at, real, k)
            np.testing.assert_allclose(got, [2 * distances[0], 0.5 * distances[1]], rtol=1e-12)
        with self.assertRaises(ValueError):
            neighbours.ghost_scores(images, at, real, 5)

    def test_real_images_are_compared_with_the_others(self):
        images = np.stack([self.square(51)] * 4)
        features = np.array([[0.0], [1.0], [3.0], [7.0]])
        got = neighbours.ghost_scores(images, features, k=1)
        np.testing.assert_allclose(got, [2, 2, 4, 8], rtol=1e-12)
        with self.assertRaises(ValueError):
            neighbours.ghost_scores(images, features, k=4)


class Intervals(unittest.TestCase):
    def test_the_interval_of_a_fraction_is_the_binomial_one(self):
        values = np.array([1.0] * 900 + [0.0] * 100)
        low, high = metrics.bootstrap_mean(values, seed=1)
        half = 1.96 * math.sqrt(0.9 * 0.1 / 1000)
        self.assertAlmostEqual(low, 0.9 - half, delta=0.004)
        self.assertAlmostEqual(high, 0.9 + half, delta=0.004)
        self.assertEqual((low, high), metrics.bootstrap_mean(values, seed=1))


if __name__ == "__main__":
    unittest.main()
