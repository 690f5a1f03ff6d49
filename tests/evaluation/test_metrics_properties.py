"""Laws of the metrics: what permutations, scales, shifts and more points do, and bounds."""

import math
import unittest

import numpy as np

from gan3.evaluation import metrics, neighbours, reference
from tests.properties import arrays, given, st


def features(rows=(7, 30), widths=(1, 5)):
    """Features [N, D] of whole numbers: many ties and duplicates, and no rounding in distances."""
    return st.tuples(st.integers(*rows), st.integers(*widths)).flatmap(
        lambda shape: arrays.arrays(float, shape, elements=st.integers(-20, 20).map(float))
    )


def pairs():
    """Two sets of features of one width."""
    return st.integers(1, 5).flatmap(
        lambda width: st.tuples(*[features(widths=(width, width))] * 2)
    )


SEEDS = st.integers(0, 2**31 - 1)
DIGITS = st.lists(st.integers(0, 9), min_size=1, max_size=300).map(np.array)


def shuffled(array, seed):
    return array[np.random.default_rng(seed).permutation(len(array))]


class PredictedDigits(unittest.TestCase):
    @given(DIGITS, SEEDS)
    def test_counts_are_kept(self, predicted, seed):
        requested = shuffled(predicted, seed)
        counts = reference.confusion(requested, predicted)
        self.assertEqual(counts.sum(), len(predicted))
        np.testing.assert_array_equal(counts.sum(axis=0), counts.sum(axis=1))
        np.testing.assert_array_equal(reference.confusion(predicted, requested), counts.T)
        self.assertEqual(np.trace(counts), (requested == predicted).sum())

    @given(DIGITS, SEEDS)
    def test_divergence_from_uniform(self, predicted, seed):
        got = metrics.divergence_from_uniform(predicted)
        self.assertTrue(-1e-12 <= got <= math.log(10) + 1e-12)
        used = len(np.unique(predicted))
        self.assertGreaterEqual(got, math.log(10 / used) - 1e-12)  # even over those that occur
        renamed = np.random.default_rng(seed).permutation(10)[predicted]
        self.assertAlmostEqual(metrics.divergence_from_uniform(renamed), got, delta=1e-12)
        self.assertAlmostEqual(
            metrics.divergence_from_uniform(np.tile(predicted, 3)), got, delta=1e-12
        )

    @given(st.lists(st.integers(0, 400), min_size=10, max_size=10).filter(any))
    def test_a_digit_is_covered_from_one_percent_on(self, counts):
        predicted = np.repeat(np.arange(10), counts)
        expected = sum(100 * count >= sum(counts) for count in counts)
        self.assertEqual(metrics.count_covered(predicted), expected)


class Frechet(unittest.TestCase):
    def distance(self, a, b):
        return metrics.frechet(metrics.moments(a), metrics.moments(b))

    @given(pairs(), SEEDS)
    def test_it_is_a_symmetric_function_of_the_sets(self, sets, seed):
        a, b = sets
        got, size = self.distance(a, b), 1 + (a**2).max() + (b**2).max()
        self.assertGreaterEqual(got, 0)
        self.assertAlmostEqual(self.distance(b, a) / size, got / size, delta=1e-6)
        self.assertAlmostEqual(self.distance(shuffled(a, seed), b) / size, got / size, delta=1e-6)
        self.assertAlmostEqual(self.distance(a, a) / size, 0, delta=1e-6)


class Kernel(unittest.TestCase):
    @given(pairs(), SEEDS, SEEDS)
    def test_sets_of_equal_size_in_any_order_and_by_any_seed(self, sets, seed, other):
        count = min(map(len, sets))
        a, b = (points[:count] for points in sets)
        got, _ = metrics.kernel_mmd(a, b, seed)
        size = ((np.maximum((a**2).sum(1).max(), (b**2).sum(1).max()) / a.shape[1]) + 1) ** 3
        for one, two in ((shuffled(a, other), b), (b, a), (b, shuffled(a, seed))):
            again, _ = metrics.kernel_mmd(one, two, other)
            self.assertAlmostEqual(again / size, got / size, delta=1e-12)


class Neighbours(unittest.TestCase):
    @given(pairs(), st.integers(1, 6), SEEDS)
    def test_the_order_of_the_points_does_not_matter(self, sets, k, seed):
        real, fake = sets
        got = neighbours.prdc(real, fake, k)
        random = np.random.default_rng(seed)
        i, j = random.permutation(len(real)), random.permutation(len(fake))
        again = neighbours.prdc(real[i], fake[j], k)
        for name, order in (("precision", j), ("recall", i), ("density", j), ("coverage", i)):
            np.testing.assert_array_equal(getattr(again, name), getattr(got, name)[order], name)

    @given(pairs(), st.integers(1, 6))
    def test_bounds_and_what_one_metric_says_about_another(self, sets, k):
        real, fake = sets
        got = neighbours.prdc(real, fake, k)
        for values in (got.precision, got.recall, got.coverage):
            self.assertLessEqual(set(values), {0.0, 1.0})
        self.assertTrue(got.density.min() >= 0 and got.density.max() <= len(real) / k)
        np.testing.assert_array_equal(got.precision > 0, got.density > 0)
        self.assertLessEqual(got.coverage.sum(), k * got.density.sum() + 1e-9)
        self.assertEqual(got.coverage.any(), got.precision.any())
        swapped = neighbours.prdc(fake, real, k)
        np.testing.assert_array_equal(swapped.precision, got.recall)
        np.testing.assert_array_equal(swapped.recall, got.precision)

    @given(pairs(), st.integers(1, 5))
    def test_more_neighbours_and_more_fakes_cover_no_less(self, sets, k):
        real, fake = sets
        got, wider = neighbours.prdc(real, fake, k), neighbours.prdc(real, fake, k + 1)
        for name in ("precision", "recall", "coverage"):
            self.assertTrue((getattr(wider, name) >= getattr(got, name)).all(), name)
        fewer = neighbours.prdc(real, fake[: k + 1], k)
        self.assertTrue((fewer.coverage <= got.coverage).all())
        np.testing.assert_array_equal(fewer.density, got.density[: k + 1])


class Diversity(unittest.TestCase):
    @given(st.dictionaries(st.integers(0, 9), st.floats(0.1, 10), min_size=1), st.floats(0.1, 10))
    def test_diversity_ratio(self, real, factor):
        """Only digits of both sets count; equal ones have 1; NaN without any."""
        fake = {digit: factor * value for digit, value in real.items()}
        self.assertAlmostEqual(metrics.diversity_ratio(fake, real) / factor, 1, delta=1e-9)
        for more in (fake | {10: 5.0}, fake):
            for digit in list(real)[1:]:
                more = {key: value for key, value in more.items() if key != digit}
                ratio = metrics.diversity_ratio(more, real | {11: 3.0})
                self.assertAlmostEqual(ratio / factor, 1, delta=1e-9)
        self.assertTrue(np.isnan(metrics.diversity_ratio({10: 1.0}, real)))
        self.assertTrue(np.isnan(metrics.diversity_ratio(fake, dict.fromkeys(real, 0.0))))
