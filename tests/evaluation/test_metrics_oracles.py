"""The metrics against SciPy, scikit-learn and the authors' package of density and coverage."""

import contextlib
import io
import math
import unittest
import warnings
from types import SimpleNamespace

import numpy as np

from gan3.evaluation import metrics, neighbours, reference
from gan3.evaluation.metrics import Moments
from tests.support import has, needs, slow

if has("scipy", "sklearn", "prdc"):
    import prdc as published_prdc
    import scipy.linalg
    import scipy.ndimage
    import scipy.stats
    import sklearn.metrics
    from scipy.spatial import distance
    from sklearn.metrics.pairwise import polynomial_kernel
    from sklearn.neighbors import NearestNeighbors

needs_oracles = needs("scipy", "sklearn", "prdc")
SCALES = (1e-8, 1e-3, 1.0, 1e6, 1e20)


def normal(seed, count, width):
    return np.random.default_rng(seed).normal(size=(count, width))


@needs_oracles
class PredictedDigits(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(0)
        self.requested, self.predicted = random.integers(0, 10, (2, 500))

    def test_confusion(self):
        for count in (0, 1, 500):
            requested, predicted = self.requested[:count], self.predicted[:count]
            if count:
                expected = sklearn.metrics.confusion_matrix(requested, predicted, labels=range(10))
            else:
                expected = np.zeros((10, 10))  # scikit-learn refuses none
            np.testing.assert_array_equal(reference.confusion(requested, predicted), expected)

    def test_divergence_from_uniform(self):
        for predicted in (self.predicted, self.predicted % 3, np.array([4]), np.array([0] * 99)):
            counts = np.bincount(predicted, minlength=10)
            expected = scipy.stats.entropy(counts, np.full(10, 0.1))
            self.assertAlmostEqual(
                metrics.divergence_from_uniform(predicted), expected, delta=1e-14
            )


@needs_oracles
class FrechetDistance(unittest.TestCase):
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

    def test_full_rank(self):
        self.check_shapes(((500, 16), (50, 1), (3, 2)), 1e-12)

    def test_fewer_points_than_dimensions(self):
        """The root of an eigenvalue that is 0 but for rounding, 1e-16, is 1e-8."""
        self.check_shapes(((8, 32), (20, 128), (2, 3)), 1e-7)

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

    def test_root(self):
        for width in (1, 7, 128):
            covariance = np.atleast_2d(np.cov(normal(8, 300, width).T))
            expected = scipy.linalg.sqrtm(covariance)
            np.testing.assert_allclose(metrics.root_of(covariance), expected, atol=1e-12)

    def test_moments_with_counts(self):
        """NumPy's own frequency weights, which `tests.evaluation.test_metrics` does not use."""
        rows, counts = normal(9, 60, 4), np.random.default_rng(9).integers(0, 3, 60)
        got = metrics.moments(rows, counts)
        np.testing.assert_allclose(got.covariance, np.cov(rows.T, fweights=counts), atol=1e-13)
        np.testing.assert_allclose(got.mean, np.average(rows, axis=0, weights=counts), atol=1e-13)


@needs_oracles
class KernelDistance(unittest.TestCase):
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

    def test_one_block(self):
        for count, width in ((2, 1), (3, 8), (300, 16), (700, 4)):
            for scale in (1e-8, 1.0, 1e4):
                x, y = normal(1, count, width) * scale, (normal(2, count, width) + 0.5) * scale
                ours, error = metrics.kernel_mmd(x, y, seed=0)
                size = polynomial_kernel(x, degree=3, gamma=1 / width, coef0=1).max()
                self.assertAlmostEqual(ours / size, self.estimate(x, y) / size, delta=1e-13)
                self.assertTrue(math.isnan(error))

    def test_duplicates_and_constant_features(self):
        x = np.repeat(normal(3, 5, 6), 4, axis=0)
        y = np.full((20, 6), 0.25)
        for a, b in ((x, y), (y, x), (x, x), (y, y)):
            ours, _ = metrics.kernel_mmd(a, b, seed=0)
            self.assertAlmostEqual(ours, self.estimate(a, b), delta=1e-12)

    def test_the_mean_of_blocks_is_the_estimate_from_all_points_within_its_error(self):
        """Both estimate the same; that of all points has the smaller error of the two."""
        x, y = normal(4, 2000, 3), normal(5, 2000, 3) * 1.3
        ours = np.array([metrics.kernel_mmd(x, y, seed) for seed in range(8)])
        expected, error = self.estimate(x, y), np.sqrt((ours[:, 1] ** 2).mean())
        self.assertAlmostEqual(ours[:, 0].mean(), expected, delta=error)
        self.assertGreater(expected, 3 * error)  # so the comparison says something

    def test_blocks_of_an_odd_size(self):
        """2,001 points make two blocks of 1,001 and 1,000: every one is used, none twice."""
        x, y = np.full((2001, 2), 2.0), np.full((2500, 2), 1.0)
        ours, error = metrics.kernel_mmd(x, y, seed=0)
        self.assertAlmostEqual(ours, 5**3 + 2**3 - 2 * 3**3, delta=1e-9)
        self.assertEqual(error, 0)


@needs_oracles
class Neighbours(unittest.TestCase):
    """Precision, recall, density and coverage, each with two oracles.

    SciPy's `cdist` has the exact distances and scikit-learn the radii; the package `prdc` of Naeem
    et al. has the four numbers. A point on the sphere is outside in that package, as in gan3.
    """

    METRICS = ("precision", "recall", "density", "coverage")

    def exact(self, real, fake, k):
        real_radius, fake_radius = (
            NearestNeighbors(n_neighbors=k, algorithm="kd_tree")
            .fit(points)
            .kneighbors()[0][:, -1]  # without arguments a point is not its own neighbour
            for points in (real, fake)
        )
        between = distance.cdist(real, fake)
        inside = between < real_radius[:, None]
        return neighbours.PRDC(
            inside.any(axis=0), (between < fake_radius).any(1), inside.sum(0) / k, inside.any(1)
        )

    def assert_exact(self, real, fake, k):
        ours, expected = neighbours.prdc(real, fake, k), self.exact(real, fake, k)
        for name in self.METRICS:
            got, wanted = getattr(ours, name), getattr(expected, name)
            np.testing.assert_allclose(got, wanted, atol=1e-12, err_msg=name)

    def assert_published(self, real, fake, k):
        ours = neighbours.prdc(real, fake, k)
        with contextlib.redirect_stdout(io.StringIO()):
            expected = published_prdc.compute_prdc(real, fake, k)
        for name in self.METRICS:
            self.assertAlmostEqual(getattr(ours, name).mean(), expected[name], delta=1e-12)

    def test_random_features(self):
        for seed, (n, m, width, k) in enumerate(
            ((200, 300, 128, 5), (1100, 300, 2, 5), (40, 30, 3, 1), (60, 60, 1, 10))
        ):
            for shift in (0, 0.7, 30):
                with self.subTest(n=n, m=m, width=width, shift=shift):
                    real, fake = normal(seed, n, width), 0.8 * normal(seed + 9, m, width) + shift
                    self.assert_exact(real, fake, k)
                    self.assert_published(real, fake, k)

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

    def test_duplicates_have_a_radius_of_zero_and_an_empty_ball(self):
        """Whatever the coordinates: a distance of 0 is not lost in rounding."""
        for offset in (0, 1000):
            real = np.repeat(10 * normal(2, 10, 64), 5, axis=0) + offset
            self.assert_exact(real, real[::5], k=2)
            self.assert_exact(real, real, k=2)
            self.assertEqual(neighbours.prdc(real, real, k=2).density.max(), 0)

    def test_constant_features(self):
        same = np.full((12, 5), 0.1)
        for real, fake in ((same, same), (same, normal(3, 9, 5)), (normal(3, 9, 5), same)):
            self.assert_exact(real, fake, k=3)

    def test_large_and_small_scales_and_offsets(self):
        real, fake = normal(4, 90, 8), 1.1 * normal(5, 80, 8)
        for scale in SCALES:
            self.assert_exact(real * scale, fake * scale, k=3)
            self.assert_published(real * scale, fake * scale, k=3)
        for offset in (1e2, 1e4, 1e6, 1e8):  # the package loses the distances in these
            self.assert_exact(real + offset, fake + offset, k=3)

    def test_radii(self):
        points = normal(6, 1100, 3)  # two blocks of rows
        for k in (1, 5, 1099):
            search = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(points)
            expected = search.kneighbors()[0][:, -1]
            ours = np.sqrt(neighbours._kth_distance(points, k))
            np.testing.assert_allclose(ours, expected, rtol=1e-9)

    @slow("a distance matrix of 5,000 x 5,000 three times in each package")
    def test_as_many_points_and_neighbours_as_a_report_card_has(self):
        real = np.maximum(normal(7, 5000, 128), 0)
        self.assert_published(real, np.maximum(normal(8, 5000, 128) - 0.05, 0), k=5)


@needs_oracles
class DiversityAndMemorization(unittest.TestCase):
    def images(self, seed, count):
        return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)

    def test_distinct_fraction(self):
        images = self.images(0, 30)[np.random.default_rng(0).integers(0, 30, 200)]
        expected = len(np.unique(images.reshape(200, -1), axis=0)) / 200
        self.assertEqual(metrics.distinct_fraction(SimpleNamespace(images=images)), expected)

    def test_mean_pairwise_distances(self):
        labels = np.random.default_rng(1).integers(0, 4, 80)
        for width in (1, 16):
            for scale, offset in ((1, 0), (1e-8, 0), (1e20, 0), (1, 1e4), (1, 1e8)):
                features = normal(2, 80, width) * scale + offset
                got = neighbours.mean_pairwise_distances(features, labels)
                for d in range(4):
                    expected = distance.pdist(features[labels == d]).mean()
                    self.assertAlmostEqual(
                        got[d] / expected, 1, delta=1e-9, msg=f"{scale} {offset}"
                    )
        for features in (np.full((80, 3), 0.1), np.repeat(normal(3, 1, 64), 80, axis=0)):
            got = neighbours.mean_pairwise_distances(features, labels)
            self.assertEqual(got, dict.fromkeys(range(4), 0))

    def test_pairwise_distance_over_several_blocks(self):
        features = normal(4, 2100, 2)
        got = neighbours.mean_pairwise_distances(features, np.zeros(2100, int))
        self.assertAlmostEqual(got[0] / distance.pdist(features).mean(), 1, delta=1e-9)

    def test_nearest_images(self):
        images, others = self.images(5, 40), self.images(6, 1200)
        search = NearestNeighbors(n_neighbors=1, algorithm="brute")
        search.fit(others.reshape(1200, -1) / 255)
        expected, indices = search.kneighbors(images.reshape(40, -1) / 255)
        ours, found = neighbours.nearest_images(images, others)
        np.testing.assert_array_equal(found, indices[:, 0])
        np.testing.assert_allclose(ours, expected[:, 0], rtol=1e-12)
        leave_one_out, _ = search.kneighbors()  # each but itself
        ours, found = neighbours.nearest_images(others, others, np.arange(1200))
        np.testing.assert_allclose(ours, leave_one_out[:, 0], rtol=1e-12)
        self.assertFalse((found == np.arange(1200)).any())

    def test_distances_between(self):
        a, b = self.images(7, 9), self.images(8, 9)
        pairs = (images.reshape(9, -1) / 255 for images in (a, b))
        expected = sklearn.metrics.pairwise.paired_euclidean_distances(*pairs)
        np.testing.assert_allclose(neighbours.distances_between(a, b), expected, rtol=1e-13)

    def test_distance_ratio(self):
        """SciPy's mean by label; a digit that only one of the sets has does not count."""
        random = np.random.default_rng(9)
        fake, real = random.uniform(1, 9, 70), random.uniform(1, 9, 90)
        labels, real_labels = random.integers(0, 8, 70), random.integers(3, 10, 90)
        both = range(3, 8)
        means = scipy.ndimage.mean(fake, labels, both), scipy.ndimage.mean(real, real_labels, both)
        got = metrics.distance_ratio(fake, labels, real, real_labels)
        self.assertAlmostEqual(got, np.mean(means[0] / means[1]), delta=1e-13)


@needs_oracles
class Intervals(unittest.TestCase):
    """Ends of bootstrap intervals differ between seeds, so means over seeds are compared.

    The 2.5 % quantile of R resamples of a normal statistic with deviation s has the deviation
    s sqrt(.025 x .975 / R) / density at 1.96 = 2.67 s / sqrt R.
    """

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

    def test_mean_of_equal_values(self):
        """SciPy has no interval for these; it is the value."""
        for values in (np.full(7, 0.25), np.array([0.25])):
            self.assertEqual(metrics.bootstrap_mean(values, 0), (0.25, 0.25))

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

    def test_normal_interval(self):
        expected = scipy.stats.norm.interval(0.95, loc=3, scale=0.5)
        np.testing.assert_allclose(metrics.normal_interval(3, 0.5), expected, rtol=1e-7)


if __name__ == "__main__":
    unittest.main()
