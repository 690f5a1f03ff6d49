"""The metrics: closed forms, by hand, and against SciPy, scikit-learn and the package prdc."""

import contextlib
import io
import math
import unittest
import warnings
from types import SimpleNamespace

import numpy as np

from gan3.evaluation import metrics, neighbours, reference
from gan3.evaluation.metrics import METRICS, Metric, Moments
from tests.support import has, needs

if has("scipy", "sklearn", "prdc"):
    import prdc as published_prdc
    import scipy.linalg
    import scipy.stats
    from scipy.spatial import distance
    from sklearn.metrics.pairwise import polynomial_kernel
    from sklearn.neighbors import NearestNeighbors

needs_oracles = needs("scipy", "sklearn", "prdc")
PRDC = ("precision", "recall", "density", "coverage")
SCALES = (1e-8, 1e-3, 1.0, 1e6, 1e20)


def normal(seed, count, width):
    return np.random.default_rng(seed).normal(size=(count, width))


class Names(unittest.TestCase):
    def test_a_full_title_has_the_unit_and_which_values_are_better(self):
        self.assertEqual(METRICS["recall"].full_title, "recall, fraction (higher)")
        self.assertEqual(
            METRICS["frechet_distance"].full_title, "Fréchet distance (judge features) (lower)"
        )
        self.assertEqual(METRICS["train_distance_ratio"].arrow, "≈ 1")

    def test_distances_of_judge_features_are_not_named_after_inception_features(self):
        for about in METRICS.values():
            self.assertNotRegex(about.title, "FID|KID")

    def test_the_cost_is_lowest_for_the_best_value(self):
        for better, values in (
            ("higher", [0.9, 0.5, -1.0]),
            ("lower", [-1.0, 0.5, 0.9]),
            ("near 1", [1.1, 0.8, 1.5]),
            ("near 0", [-0.1, 0.2, -0.5]),
        ):
            metric = Metric("x", "", better, 1)
            self.assertEqual(sorted(values, key=metric.cost), values, better)

    def test_large_values_have_fewer_decimals(self):
        metric = Metric("x", "", "lower", 3)
        for value, text in ((999.9994, "999.999"), (-1051.536, "-1051.54"), (2e6, "2000000")):
            self.assertEqual(metric.text(value), text)

    def test_a_mean_has_the_standard_deviation_of_several_values(self):
        metric = Metric("x", "", "higher", 2)
        self.assertEqual(metric.mean_text([]), "–")
        self.assertEqual(metric.mean_text([0.123]), "0.12")
        self.assertEqual(metric.mean_text([1.0, 2.0, 3.0]), "2.00 ± 1.00")


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
    def test_two_by_two_covariances_that_do_not_commute(self):
        """tr (A B)^(1/2) of two 2 x 2 matrices is sqrt(tr AB + 2 sqrt(det A det B))."""
        a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[4.0, -1.0], [-1.0, 1.0]])
        root = math.sqrt(np.trace(a @ b) + 2 * math.sqrt(np.linalg.det(a) * np.linalg.det(b)))
        expected = 1 + 4 + np.trace(a) + np.trace(b) - 2 * root
        got = metrics.frechet(Moments(np.zeros(2), a), Moments(np.array([1.0, 2.0]), b))
        self.assertAlmostEqual(got, expected, delta=1e-9)
        back = metrics.frechet(Moments(np.array([1.0, 2.0]), b), Moments(np.zeros(2), a))
        self.assertAlmostEqual(back, expected, delta=1e-9)

    def test_a_matrix_that_is_no_covariance_is_refused(self):
        good, bad = np.eye(3), np.diag([1.0, 1.0, -0.1])
        for a, b in ((good, bad), (bad, good), (good, np.full((3, 3), np.nan))):
            with self.assertRaises((ArithmeticError, np.linalg.LinAlgError)):
                metrics.frechet(Moments(np.zeros(3), a), Moments(np.zeros(3), b))

    def test_a_mean_that_is_not_a_number_is_no_perfect_score(self):
        good, bad = (Moments(np.full(3, mean), np.eye(3)) for mean in (0, np.nan))
        self.assertTrue(np.isnan(metrics.frechet(bad, good)))

    def test_moments_are_those_of_numpy(self):
        features = np.random.default_rng(2).normal(size=(40, 5))
        got = metrics.moments(features)
        np.testing.assert_allclose(got.mean, features.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(got.covariance, np.cov(features.T), atol=1e-12)

    def check(self, a, b, tolerance):
        """Against the formula of Heusel et al. with SciPy's root of the product itself."""
        ours = metrics.frechet(metrics.moments(a), metrics.moments(b))
        cov_a, cov_b = (np.atleast_2d(np.cov(rows.T)) for rows in (a, b))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)  # a singular product
            root = scipy.linalg.sqrtm(cov_a @ cov_b)
        shift = distance.sqeuclidean(a.mean(axis=0), b.mean(axis=0))
        size = shift + np.trace(cov_a) + np.trace(cov_b)
        expected = size - 2 * np.trace(root).real
        self.assertAlmostEqual(ours / size, expected / size, delta=tolerance)

    def check_shapes(self, shapes, tolerance):
        """`check` two sets of normal points of each shape and at each scale."""
        for scale in SCALES:
            for count, width in shapes:
                with self.subTest(scale=scale, count=count, width=width):
                    a, b = normal(1, count, width), 1.3 * normal(2, count + 5, width) + 0.4
                    self.check(a * scale, b * scale, tolerance)

    @needs_oracles
    def test_full_rank(self):
        self.check_shapes(((500, 16), (50, 1), (3, 2)), 1e-12)

    @needs_oracles
    def test_fewer_points_than_dimensions(self):
        """The root of an eigenvalue that is 0 but for rounding, 1e-16, is 1e-8."""
        self.check_shapes(((8, 32), (20, 128), (2, 3)), 1e-7)

    @needs_oracles
    def test_sets_that_vary_in_different_directions(self):
        """The product of their covariances is 0: nothing but rounding is left of it."""
        for width in (4, 16, 64):
            for scale in (1e-6, 1.0, 1e6):
                axes = scipy.stats.ortho_group.rvs(width, random_state=3) * scale
                half = width // 2
                a, b = normal(4, 60, half) @ axes[:half], normal(5, 70, half) @ axes[half:]
                ours = metrics.frechet(metrics.moments(a), metrics.moments(b))
                shift = distance.sqeuclidean(a.mean(axis=0), b.mean(axis=0))
                expected = shift + np.trace(np.cov(a.T)) + np.trace(np.cov(b.T))
                self.assertAlmostEqual(ours / expected, 1, delta=1e-6)

    @needs_oracles
    def test_constant_features(self):
        a, b = normal(6, 40, 5), normal(7, 30, 5)
        a[:, 1] = b[:, 1] = 3
        b[:, 2] = -7
        self.check(a, b, 1e-7)
        still = np.repeat(b[:1], 9, axis=0)
        shift = distance.sqeuclidean(a.mean(axis=0), b[0])
        ours = metrics.frechet(metrics.moments(a), metrics.moments(still))
        self.assertAlmostEqual(ours, shift + np.trace(np.cov(a.T)), delta=1e-9)
        both = metrics.frechet(metrics.moments(still), metrics.moments(still + 2))
        self.assertAlmostEqual(both, 5 * 4, delta=1e-12)


class KernelDistance(unittest.TestCase):
    def test_the_standard_error_is_the_standard_deviation_of_repetitions(self):
        pairs = [(normal(2 * i, 4000, 3), 1.1 * normal(2 * i + 1, 4000, 3)) for i in range(20)]
        values, errors = np.transpose([metrics.kernel_mmd(*pair, seed=0) for pair in pairs])
        standard_error = np.sqrt((errors**2).mean())
        self.assertAlmostEqual(standard_error / values.std(ddof=1), 1, delta=0.5)

    def estimate(self, x, y):
        """Eq. 3 of Gretton et al. from scikit-learn's kernel matrix of all points at once."""
        points = np.concatenate([x, y])
        kernel = polynomial_kernel(points, degree=3, gamma=1 / points.shape[1], coef0=1)
        n, m = len(x), len(y)
        within_x, within_y = kernel[:n, :n], kernel[n:, n:]
        return (
            within_x[~np.eye(n, dtype=bool)].mean()
            + within_y[~np.eye(m, dtype=bool)].mean()
            - 2 * kernel[:n, n:].mean()
        )

    @needs_oracles
    def test_one_block(self):
        for count, width in ((2, 1), (3, 8), (300, 16), (700, 4)):
            for scale in (1e-8, 1.0, 1e4):
                x, y = normal(1, count, width) * scale, (normal(2, count, width) + 0.5) * scale
                ours, error = metrics.kernel_mmd(x, y, seed=0)
                size = polynomial_kernel(x, degree=3, gamma=1 / width, coef0=1).max()
                self.assertAlmostEqual(ours / size, self.estimate(x, y) / size, delta=1e-13)
                self.assertTrue(math.isnan(error))

    @needs_oracles
    def test_duplicates_and_constant_features(self):
        x = np.repeat(normal(3, 5, 6), 4, axis=0)
        y = np.full((20, 6), 0.25)
        for a, b in ((x, y), (y, x), (x, x), (y, y)):
            ours, _ = metrics.kernel_mmd(a, b, seed=0)
            self.assertAlmostEqual(ours, self.estimate(a, b), delta=1e-12)

    @needs_oracles
    def test_the_mean_of_blocks_is_the_estimate_from_all_points_within_its_error(self):
        """Both estimate the same; that of all points has the smaller error of the two."""
        x, y = normal(4, 2000, 3), normal(5, 2000, 3) * 1.3
        ours = np.array([metrics.kernel_mmd(x, y, seed) for seed in range(8)])
        expected, error = self.estimate(x, y), np.sqrt((ours[:, 1] ** 2).mean())
        self.assertAlmostEqual(ours[:, 0].mean(), expected, delta=error)
        self.assertGreater(expected, 3 * error)  # so the comparison says something

    @needs_oracles
    def test_blocks_of_an_odd_size(self):
        """2,001 points make two blocks of 1,001 and 1,000: every one is used, none twice."""
        x, y = np.full((2001, 2), 2.0), np.full((2500, 2), 1.0)
        ours, error = metrics.kernel_mmd(x, y, seed=0)
        self.assertAlmostEqual(ours, 5**3 + 2**3 - 2 * 3**3, delta=1e-9)
        self.assertEqual(error, 0)


class PrecisionRecallDensityCoverage(unittest.TestCase):
    """By hand, and with two oracles.

    SciPy's `cdist` has the exact distances and scikit-learn the radii; the package `prdc` of Naeem
    et al. has the four numbers. A point on the sphere is outside in that package, as in gan3.
    """

    def test_density_and_coverage_for_two_sets_of_one_distribution(self):
        """Density is 1 and coverage 1 - 2^-k.

        A new point is in the ball of each of N points with probability k / N. The k nearest of the
        2 N - 1 other points are all from a point's own set with probability about 2^-k.
        """
        found = [
            neighbours.prdc(normal(2 * i, 400, 2), normal(2 * i + 1, 400, 2), k=4)
            for i in range(40)
        ]
        for name, expected, delta in (("density", 1, 0), ("coverage", 1 - 2**-4, 0.002)):
            values = [getattr(near, name).mean() for near in found]
            error = np.std(values) / math.sqrt(40)
            self.assertAlmostEqual(np.mean(values), expected, delta=5 * error + delta)

    def test_points_on_a_line_by_hand(self):
        """k = 1: real 0, 1, 10 have radii 1, 1, 9; fake 0.5, 30 have 29.5 each."""
        real, fake = np.array([[0.0], [1.0], [10.0]]), np.array([[0.5], [30.0]])
        near = neighbours.prdc(real, fake, k=1)
        # 0.5 lies in the balls of 0 and 1 but not of 10 (9.5 > 9); 30 lies in none.
        np.testing.assert_array_equal(near.precision, [1, 0])
        np.testing.assert_array_equal(near.density, [2, 0])
        np.testing.assert_array_equal(near.coverage, [1, 1, 0])
        np.testing.assert_array_equal(near.recall, [1, 1, 1])

    def exact(self, real, fake, k):
        real_radius, fake_radius = (
            NearestNeighbors(n_neighbors=k, algorithm="kd_tree")
            .fit(points)
            .kneighbors()[0][:, -1]  # without arguments a point is not its own neighbour
            for points in (real, fake)
        )
        between = distance.cdist(real, fake)
        inside = between < real_radius[:, None]
        to_real = np.sort(between, axis=0)[k - 1] ** 2
        return neighbours.PRDC(
            inside.any(axis=0),
            (between < fake_radius).any(axis=1),
            inside.sum(axis=0) / k,
            inside.any(axis=1),
            to_real,
        )

    def assert_exact(self, real, fake, k):
        ours, expected = neighbours.prdc(real, fake, k), self.exact(real, fake, k)
        for name in PRDC:
            got, wanted = getattr(ours, name), getattr(expected, name)
            np.testing.assert_allclose(got, wanted, atol=1e-12, err_msg=name)
        size = max(expected.to_real.max(), np.finfo(float).tiny)
        np.testing.assert_allclose(ours.to_real / size, expected.to_real / size, atol=1e-9)

    def assert_published(self, real, fake, k):
        ours = neighbours.prdc(real, fake, k)
        with contextlib.redirect_stdout(io.StringIO()):
            expected = published_prdc.compute_prdc(real, fake, k)
        for name in PRDC:
            self.assertAlmostEqual(getattr(ours, name).mean(), expected[name], delta=1e-12)

    @needs_oracles
    def test_random_features(self):
        for seed, (n, m, width, k) in enumerate(
            ((200, 300, 128, 5), (1100, 300, 2, 5), (40, 30, 3, 1), (60, 60, 1, 10))
        ):
            for shift in (0, 0.7, 30):
                with self.subTest(n=n, m=m, width=width, shift=shift):
                    real, fake = normal(seed, n, width), 0.8 * normal(seed + 9, m, width) + shift
                    self.assert_exact(real, fake, k)
                    self.assert_published(real, fake, k)

    @needs_oracles
    def test_few_points_and_k_at_the_limit(self):
        """prdc itself cannot count as many neighbours as there are other points."""
        for count in (2, 3, 6):
            real, fake = normal(count, count, 4), normal(count + 1, count, 4)
            for k in range(1, count):
                self.assert_exact(real, fake, k)
            for k in range(1, count - 1):
                self.assert_published(real, fake, k)
            with self.assertRaises(ValueError):
                neighbours.prdc(real, fake, count)

    @needs_oracles
    def test_ties_at_the_radius_are_outside(self):
        """On a grid of whole numbers many a fake is exactly as far away as the k-th neighbour."""
        random = np.random.default_rng(1)
        ties = 0
        for _ in range(20):
            real, fake = (random.integers(-3, 4, (60, 2)).astype(float) for _ in range(2))
            for k in (1, 2, 5):
                self.assert_exact(real, fake, k)
                radius = NearestNeighbors(n_neighbors=k).fit(real).kneighbors()[0][:, -1:]
                ties += int((distance.cdist(real, fake) == radius).sum())
        self.assertGreater(ties, 1000)

    @needs_oracles
    def test_duplicates_have_a_radius_of_zero_and_an_empty_ball(self):
        """Whatever the coordinates: a distance of 0 is not lost in rounding."""
        for offset in (0, 1000):
            real = np.repeat(10 * normal(2, 10, 64), 5, axis=0) + offset
            self.assert_exact(real, real[::5], k=2)
            self.assert_exact(real, real, k=2)
            self.assertEqual(neighbours.prdc(real, real, k=2).density.max(), 0)

    @needs_oracles
    def test_constant_features(self):
        same = np.full((12, 5), 0.1)
        for real, fake in ((same, same), (same, normal(3, 9, 5)), (normal(3, 9, 5), same)):
            self.assert_exact(real, fake, k=3)

    @needs_oracles
    def test_large_and_small_scales_and_offsets(self):
        real, fake = normal(4, 90, 8), 1.1 * normal(5, 80, 8)
        for scale in SCALES:
            self.assert_exact(real * scale, fake * scale, k=3)
            self.assert_published(real * scale, fake * scale, k=3)
        for offset in (1e2, 1e4, 1e6, 1e8):  # the package loses the distances in these
            self.assert_exact(real + offset, fake + offset, k=3)

    @needs_oracles
    def test_radii(self):
        points = normal(6, 1100, 3)  # two blocks of rows
        for k in (1, 5, 1099):
            search = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(points)
            expected = search.kneighbors()[0][:, -1]
            ours = np.sqrt(neighbours.kth_distance(points, k))
            np.testing.assert_allclose(ours, expected, rtol=1e-9)


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

    def test_nearest_image(self):
        others, images = self.draw(1500), self.draw(7)
        expected = np.sqrt(((images[:, None].astype(float) - others[None]) ** 2).sum(axis=(2, 3)))
        distances, indices = neighbours.NearestImages(others)(images)
        np.testing.assert_array_equal(indices, expected.argmin(axis=1))
        np.testing.assert_allclose(distances, expected.min(axis=1) / 255, rtol=1e-12)
        with self.subTest("images like the others are told apart by a bound, noise is not"):
            base = np.clip(self.random.normal(128, 60, (9, 28, 28)), 0, 255)
            near = base[self.random.integers(0, 9, 6000)] + self.random.normal(
                0, 30, (6000, 28, 28)
            )
            near = np.clip(near, 0, 255).astype(np.uint8)
            mixed = np.concatenate([near[:20], images])
            found, _ = neighbours.NearestImages(near[20:])(mixed)
            flat, targets = (x.reshape(len(x), -1).astype(float) for x in (mixed, near[20:]))
            squared = (flat**2).sum(1)[:, None] + (targets**2).sum(1) - 2 * flat @ targets.T
            np.testing.assert_allclose(found, np.sqrt(squared.min(axis=1)) / 255, rtol=1e-9)
        with self.subTest("a copy has distance 0, unless it is the excluded image itself"):
            distances, indices = neighbours.NearestImages(others)(others[[9, 1200]])
            np.testing.assert_array_equal((distances, indices), ([0, 0], [9, 1200]))
            excluded = np.array([9, 1200])
            distances, indices = neighbours.NearestImages(others)(others[excluded], excluded)
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
        real, _ = neighbours.NearestImages(train)(held_out)
        for fakes, low, high in ((copies, 0.0, 0.01), (fresh, 0.98, 1.02)):
            distances, _ = neighbours.NearestImages(train)(fakes)
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

    @needs_oracles
    def test_mean_pairwise_distances_against_oracles(self):
        labels = np.random.default_rng(1).integers(0, 4, 480)  # more than a block of each
        for width in (1, 16):
            for scale, offset in ((1, 0), (1e-8, 0), (1e20, 0), (1, 1e4), (1, 1e8)):
                features = normal(2, 480, width) * scale + offset
                got = neighbours.mean_pairwise_distances(features, labels)
                for d in range(4):
                    expected = distance.pdist(features[labels == d]).mean()
                    self.assertAlmostEqual(
                        got[d] / expected, 1, delta=1e-9, msg=f"{scale} {offset}"
                    )
        for features in (np.full((480, 3), 0.1), np.repeat(normal(3, 1, 64), 480, axis=0)):
            got = neighbours.mean_pairwise_distances(features, labels)
            self.assertEqual(got, dict.fromkeys(range(4), 0))


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
        images = np.stack([self.square(51), self.square(204), self.square(51)])
        real = np.array([[0.0], [1.0], [3.0], [7.0]])
        at = np.array([[0.0], [10.0], [10.0]])  # distances 0 1 3 7 and 10 9 7 3
        for k, distances in ((1, [0, 3, 3]), (2, [1, 7, 7])):
            got = neighbours.ghost_scores(images, neighbours.prdc(real, at, k).to_real)
            np.testing.assert_allclose(got, np.multiply([2, 0.5, 2], distances), rtol=1e-12)

    def test_real_images_are_compared_with_the_others(self):
        images = np.stack([self.square(51)] * 4)
        features = np.array([[0.0], [1.0], [3.0], [7.0]])
        got = neighbours.ghost_scores(images, neighbours.kth_distance(features, 1))
        np.testing.assert_allclose(got, [2, 2, 4, 8], rtol=1e-12)
        with self.assertRaises(ValueError):
            neighbours.kth_distance(features, 4)


class Intervals(unittest.TestCase):
    """Ends of bootstrap intervals differ between seeds, so means over seeds are compared.

    The 2.5 % quantile of R resamples of a normal statistic with deviation s has the deviation
    s sqrt(.025 x .975 / R) / density at 1.96 = 2.67 s / sqrt R.
    """

    def test_the_interval_of_a_fraction_is_the_binomial_one(self):
        values = np.array([1.0] * 900 + [0.0] * 100)
        low, high = metrics.bootstrap_mean(values, seed=1)
        half = 1.96 * math.sqrt(0.9 * 0.1 / 1000)
        self.assertAlmostEqual(low, 0.9 - half, delta=0.004)
        self.assertAlmostEqual(high, 0.9 + half, delta=0.004)
        self.assertEqual((low, high), metrics.bootstrap_mean(values, seed=1))

    @needs_oracles
    def test_mean(self):
        random = np.random.default_rng(0)
        for values in (random.normal(size=300), random.random(40) ** 4, np.eye(1, 60)[0]):
            ends = np.mean([metrics.bootstrap_mean(values, seed) for seed in range(10)], axis=0)
            result = scipy.stats.bootstrap(
                [values], np.mean, n_resamples=20_000, method="percentile", rng=1
            )
            deviation = values.std() / math.sqrt(len(values))
            error = 2.67 * deviation * math.sqrt(1 / 10_000 + 1 / 20_000)
            for got, expected in zip(ends, result.confidence_interval, strict=True):
                self.assertAlmostEqual(got, expected, delta=5 * error)

    @needs_oracles
    def test_mean_of_equal_values(self):
        """SciPy has no interval for these; it is the value."""
        for values in (np.full(7, 0.25), np.array([0.25])):
            self.assertEqual(metrics.bootstrap_mean(values, 0), (0.25, 0.25))

    @needs_oracles
    def test_ratio(self):
        random = np.random.default_rng(1)
        fake, real = random.uniform(1, 3, 300), random.uniform(2, 3, 300)
        labels, real_labels = random.integers(0, 3, (2, 300))

        def ratio(i, j):
            return metrics.distance_ratio(fake[i], labels[i], real[j], real_labels[j])

        def ends(seed):
            return metrics.bootstrap_ratio(fake, labels, real, real_labels, seed)

        result = scipy.stats.bootstrap(
            [np.arange(300)] * 2, ratio, n_resamples=1000, method="percentile", vectorized=False,
            rng=1,
        )  # fmt: skip
        error = 2.67 * result.standard_error * math.sqrt(1 / 2000 + 1 / 1000)
        mean = np.mean([ends(seed) for seed in range(10)], axis=0)
        for got, expected in zip(mean, result.confidence_interval, strict=True):
            self.assertAlmostEqual(got, expected, delta=5 * error)

    @needs_oracles
    def test_frechet(self):
        """The half width is 1.96 standard errors of SciPy's bootstrap."""
        fake = normal(2, 200, 3) + 0.5
        real = Moments(np.zeros(3), np.eye(3))

        def statistic(rows):
            return metrics.frechet(metrics.moments(fake[rows]), real)

        result = scipy.stats.bootstrap(
            [np.arange(200)], statistic, n_resamples=1000, method="percentile", vectorized=False,
            rng=1,
        )  # fmt: skip
        ends = np.array([metrics.bootstrap_frechet(fake, real, seed) for seed in range(20)])
        middle = metrics.frechet(metrics.moments(fake), real)
        np.testing.assert_allclose(ends.mean(axis=1), middle, rtol=1e-12)
        got = (ends[:, 1] - ends[:, 0]).mean() / 2 / scipy.stats.norm.ppf(0.975)
        # The deviation of 1,000 resamples has a relative error of 1 / sqrt 2000, as ours have.
        self.assertAlmostEqual(got / result.standard_error, 1, delta=5 * math.sqrt(2 / 2000))

    @needs_oracles
    def test_normal_interval(self):
        expected = scipy.stats.norm.interval(0.95, loc=3, scale=0.5)
        np.testing.assert_allclose(metrics.normal_interval(3, 0.5), expected, rtol=1e-7)
