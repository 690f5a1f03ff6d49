"""Metrics of a report card: their names, and their values for samples of known quality."""

import unittest

import numpy as np

from gan3.data import strokes
from gan3.data.datasets import Dataset
from gan3.evaluation import judge, metrics, scoring
from gan3.evaluation.scoring import METRICS, STYLE_METRICS, Metric, SampleSet
from gan3.evaluation.style_transfer import Redrawer

NEED_LABELS = {"label_accuracy", "determinator_judge_gap", "six_digit_accuracy", "cas"}
WITHOUT_LABELS = {"classes_covered", "kl_to_uniform"}


class Names(unittest.TestCase):
    def test_a_full_title_has_the_unit_and_which_values_are_better(self):
        self.assertEqual(METRICS["recall"].full_title, "recall, fraction (higher)")
        self.assertEqual(
            METRICS["frechet_distance"].full_title, "Fréchet distance (judge features) (lower)"
        )
        self.assertEqual(METRICS["train_distance_ratio"].arrow, "≈ 1")

    def test_distances_of_judge_features_are_not_named_after_inception_features(self):
        for metric in METRICS.values():
            self.assertNotRegex(metric.title, "FID|KID")

    def test_a_title_that_is_too_wide_has_its_parentheses_in_a_second_line(self):
        metric = Metric("distance (ratio to real)", "", "near 1", 3)
        self.assertEqual(metric.wrapped_title(24), ["distance (ratio to real)"])
        self.assertEqual(metric.wrapped_title(23), ["distance", "  (ratio to real)"])

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


class BalancedIndices(unittest.TestCase):
    def test_as_many_of_each_digit_as_there_are_and_none_twice(self):
        labels = np.repeat(np.arange(10), [3] + [20] * 9)
        indices = scoring.balanced_indices(labels, 100, seed=0)
        self.assertEqual(np.bincount(labels[indices]).tolist(), [3] + [10] * 9)
        self.assertEqual(len(set(indices.tolist())), 93)
        self.assertNotEqual(
            indices.tolist(), scoring.balanced_indices(labels, 100, seed=1).tolist()
        )


class Scoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        images, labels, cls.held_out, cls.held_out_labels = strokes.make(1600, 600)
        labels = labels.astype(np.int64)
        cls.images, cls.labels = images[:1200], labels[:1200]
        cls.fresh, cls.fresh_labels = images[1200:], labels[1200:]
        dataset = Dataset(
            "own", "own", "", "test", cls.images, cls.labels, cls.held_out, cls.held_out_labels
        )
        cls.scorer = scoring.Scorer(dataset, judge.load_bundled(), seed=0)

    def evaluate(self, images, labels, **arguments):
        """The evaluation of samples, and its values by metric."""
        evaluation = self.scorer.score(SampleSet("x", images, labels), **arguments)
        return evaluation, {metric: s["value"] for metric, s in evaluation.scores.items()}

    def test_fresh_digits_score_as_real_ones(self):
        _, fresh = self.evaluate(self.fresh, self.fresh_labels)
        indices = scoring.balanced_indices(self.labels, 400, seed=0)
        _, real = self.evaluate(self.images[indices], self.labels[indices], train_indices=indices)
        others = {*WITHOUT_LABELS, *STYLE_METRICS, "determinator_judge_gap", "cas"}
        self.assertEqual(set(fresh), set(METRICS) - others)
        for metric in (
            "label_accuracy",
            "precision",
            "coverage",
            "train_distance_ratio",
            "within_class_diversity",
        ):
            self.assertAlmostEqual(fresh[metric], real[metric], delta=0.1, msg=metric)

    def test_copies_of_training_images_are_detected(self):
        _, scores = self.evaluate(self.images[:400], self.labels[:400])
        self.assertEqual(scores["train_distance_ratio"], 0)
        self.assertGreater(scores["coverage"], 0.9)  # this alone would look like a good generator

    def test_the_closest_pairs_are_copies_with_their_originals(self):
        images = np.concatenate([self.fresh[:200], self.images[:5], self.images[700:705]])
        labels = np.concatenate([self.fresh_labels[:200], self.labels[:5], self.labels[700:705]])
        samples, nearest, distances = self.evaluate(images, labels)[0].pairs
        np.testing.assert_array_equal(distances, np.zeros(10))
        np.testing.assert_array_equal(samples, images[200:])
        np.testing.assert_array_equal(nearest, images[200:])

    def test_ten_repeated_images_are_detected(self):
        """A generator with one good image per digit: accurate, but without coverage."""
        ten = [int(np.flatnonzero(self.held_out_labels == digit)[0]) for digit in range(10)]
        images, labels = np.tile(self.held_out[ten], (30, 1, 1)), np.tile(np.arange(10), 30)
        evaluation, scores = self.evaluate(images, labels)
        self.assertGreaterEqual(scores["label_accuracy"], 0.9)
        self.assertAlmostEqual(scores["distinct_fraction"], 10 / 300, delta=1e-6)
        self.assertEqual(scores["recall"], 0)
        self.assertLess(scores["coverage"], 0.2)
        self.assertEqual(scores["worst_class_coverage"], float(f"{min(evaluation.coverage):.6g}"))
        self.assertLess(scores["within_class_diversity"], 0.01)

    def test_real_images_of_one_digit_are_as_diverse_as_real_images(self):
        """Although ones are closer to each other than zeros."""
        for digit in (0, 1, 8):
            own = np.flatnonzero(self.held_out_labels == digit)
            _, scores = self.evaluate(self.held_out[own], self.held_out_labels[own])
            self.assertAlmostEqual(scores["within_class_diversity"], 1, delta=1e-5, msg=digit)

    def test_ghosts_are_detected(self):
        """Faint, smeared strokes on every fourth image; held-out images have 1 % by definition."""
        images = self.fresh.copy()
        faint = images[::4] * 0.3
        for axis in (1, 2):
            faint = (np.roll(faint, 2, axis) + np.roll(faint, -2, axis)) / 2
        images[::4] = faint
        _, clean = self.evaluate(self.fresh, self.fresh_labels)
        _, scores = self.evaluate(images, self.fresh_labels)
        self.assertLess(clean["ghosts"], 0.05)
        self.assertAlmostEqual(scores["ghosts"], 0.25, delta=0.05)
        _, real = self.evaluate(self.held_out, self.held_out_labels)
        self.assertLess(real["ghosts"], 0.02)

    def test_without_a_limit_there_are_no_ghosts(self):
        """Even grey images have no outline; one in fifty held-out images is more than 1 %."""
        held_out = self.held_out.copy()
        held_out[::50] = np.linspace(20, 230, 12)[:, None, None]
        arrays = self.images, self.labels, held_out, self.held_out_labels
        dataset = Dataset("own", "own", "", "test", *arrays)
        scorer = scoring.Scorer(dataset, judge.load_bundled(), seed=0)
        scores = scorer.score(SampleSet("x", self.fresh, self.fresh_labels)).scores
        self.assertNotIn("ghosts", scores)
        self.assertIn("coverage", scores)

    def test_without_labels_the_predicted_digits_are_scored(self):
        half = self.fresh[self.fresh_labels < 5]
        evaluation, scores = self.evaluate(half, None)
        self.assertFalse(NEED_LABELS & set(scores))
        self.assertEqual(scores["classes_covered"], 5)
        self.assertAlmostEqual(scores["kl_to_uniform"], np.log(2), delta=0.1)
        self.assertEqual((evaluation.counts.shape, evaluation.counts.sum()), ((10,), len(half)))

    def test_without_a_judge_the_pixels_are_scored_as_with_one(self):
        dataset = self.scorer._dataset
        without = scoring.Scorer(dataset, None, seed=0)
        samples = SampleSet("x", self.fresh, self.fresh_labels)
        judged, unjudged = self.scorer.score(samples), without.score(samples)
        self.assertEqual(set(unjudged.scores), {"distinct_fraction", "train_distance_ratio"})
        for metric, score in unjudged.scores.items():
            self.assertEqual(score, judged.scores[metric])
        for one, other in zip(unjudged.pairs, judged.pairs, strict=True):
            np.testing.assert_array_equal(one, other)
        self.assertEqual((unjudged.coverage, unjudged.counts), (None, None))

        # Without requested classes, all images are one class.
        unlabelled = without.score(SampleSet("x", self.fresh, None)).scores
        distances = metrics.nearest_images(self.fresh, self.images)[0].mean()
        real = metrics.nearest_images(self.held_out, self.images)[0].mean()
        self.assertAlmostEqual(
            unlabelled["train_distance_ratio"]["value"], distances / real, delta=1e-5
        )

    def test_the_determinator_judge_gap_is_in_percentage_points(self):
        """A determinator that always agrees with the request, against one that never does."""
        for predicted, accuracy in ((self.fresh_labels, 1), ((self.fresh_labels + 1) % 10, 0)):
            samples = SampleSet(
                "x",
                self.fresh,
                self.fresh_labels,
                determinator=lambda images, predicted=predicted: np.eye(10)[predicted],
            )
            scores = self.scorer.score(samples).scores
            expected = 100 * (accuracy - scores["label_accuracy"]["value"])
            gap = scores["determinator_judge_gap"]["value"]
            self.assertAlmostEqual(gap, expected, delta=1e-3)


class Style(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels, cls.held_out, cls.held_out_labels = strokes.make(400, 100)
        dataset = Dataset(
            "own", "own", "", "test", cls.images, cls.labels, cls.held_out, cls.held_out_labels
        )
        cls.scorer = scoring.Scorer(dataset, judge.load_bundled(), seed=0)

    def test_a_system_that_returns_each_image_reconstructs_as_well_as_the_real_ones_are(self):
        chosen = scoring.balanced_indices(self.held_out_labels, 1000, 0)
        self.assertEqual(len(chosen), len(self.held_out))  # fewer than 100 a class: all of them
        images = self.held_out[chosen]
        style = self.scorer.style_scores(Redrawer(lambda read: read, lambda _, read: read))
        self.assertEqual(style.samples["reconstruction_error"]["value"], 0)
        for metric in ("reconstruction_error", "reconstruction_accuracy"):
            self.assertEqual(style.samples[metric], style.real[metric])
        self.assertGreater(style.real["reconstruction_accuracy"]["value"], 0.95)
        self.assertLess(style.samples["style_accuracy"]["value"], 0.01)  # no other class is drawn
        for name in ("ink", "width", "slant", "lowest"):  # every class is the real image
            self.assertAlmostEqual(style.samples[f"style_{name}"]["value"], 1, places=5)
        self.assertEqual(set(style.samples), set(STYLE_METRICS))
        self.assertEqual(set(style.real), {m for m in STYLE_METRICS if m.startswith("recon")})
        np.testing.assert_array_equal(style.transfer.images, images)
        error = "reconstruction_error"
        self.assertLess(style.pca_of_class[error]["value"], style.pca[error]["value"])
        self.assertGreater(style.pca_of_class[error]["value"], 1e-3)

    def test_a_system_that_ignores_the_image_carries_no_style_over(self):
        mean = np.stack([self.images[self.labels == k].mean(axis=0) for k in range(10)])
        draw = Redrawer(lambda read: read, lambda labels, _: mean[labels].astype(np.uint8))
        style = self.scorer.style_scores(draw)
        self.assertEqual(style.samples["style_lowest"]["value"], 0)
        self.assertEqual(style.samples["style_slant"]["value"], 0)
        self.assertGreater(style.samples["style_accuracy"]["value"], 0.7)  # means can be read
        pca = style.pca_of_class["reconstruction_error"]["value"]
        self.assertGreater(style.samples["reconstruction_error"]["value"], 1.5 * pca)


if __name__ == "__main__":
    unittest.main()
