"""Samples next to real images: the scores of samples of known quality."""

import dataclasses
import json
import unittest

import numpy as np

from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.datasets import Dataset
from gan3.evaluation import judge, metrics, neighbours
from gan3.evaluation.card import evaluate
from gan3.evaluation.comparison import side_by_side
from gan3.evaluation.metrics import METRICS, Metric, names_needing, score
from gan3.evaluation.reference import Reference, SampleSet, Scored, balanced_indices
from gan3.evaluation.style_transfer import Autoencoder, reconstruct_by_pca, squared_errors


def reference_of(dataset):
    """With the bundled judge, as if it had learned from the data set."""
    return Reference(dataset, judge.load(), seed=0)


class BalancedIndices(unittest.TestCase):
    def test_as_many_of_each_digit_as_there_are_and_none_twice(self):
        labels = np.repeat(np.arange(10), [3] + [20] * 9)
        indices = balanced_indices(labels, 100, seed=0)
        self.assertEqual(np.bincount(labels[indices]).tolist(), [3] + [10] * 9)
        self.assertEqual(len(set(indices.tolist())), 93)
        self.assertNotEqual(indices.tolist(), balanced_indices(labels, 100, seed=1).tolist())


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
        cls.reference = reference_of(dataset)

    def evaluate(self, images, labels, **arguments):
        """Samples next to the reference, and their values by metric."""
        scored = Scored(SampleSet("x", images, labels), self.reference, **arguments)
        return scored, {name: score["value"] for name, score in metrics.score(scored)[0].items()}

    def test_fresh_digits_score_as_real_ones(self):
        _, fresh = self.evaluate(self.fresh, self.fresh_labels)
        indices = balanced_indices(self.labels, 400, seed=0)
        _, real = self.evaluate(self.images[indices], self.labels[indices], train_indices=indices)
        others = names_needing(
            "no_labels", "autoencoder", "reconstructed", "determinator", "classifier"
        )
        self.assertEqual(set(fresh), set(METRICS) - others)
        for name in (
            "label_accuracy",
            "precision",
            "coverage",
            "train_distance_ratio",
            "within_class_diversity",
        ):
            self.assertAlmostEqual(fresh[name], real[name], delta=0.1, msg=name)

    def test_copies_of_training_images_are_detected(self):
        _, scores = self.evaluate(self.images[:400], self.labels[:400])
        self.assertEqual(scores["train_distance_ratio"], 0)
        self.assertGreater(scores["coverage"], 0.9)  # this alone would look like a good generator

    def test_the_closest_pairs_are_copies_with_their_originals(self):
        images = np.concatenate([self.fresh[:200], self.images[:5], self.images[700:705]])
        labels = np.concatenate([self.fresh_labels[:200], self.labels[:5], self.labels[700:705]])
        samples, nearest, distances = self.evaluate(images, labels)[0].closest_pairs()
        np.testing.assert_array_equal(distances, np.zeros(10))
        np.testing.assert_array_equal(samples, images[200:])
        np.testing.assert_array_equal(nearest, images[200:])
        # Samples of a class that is not held out have no such mean, and come last.
        labels, reference = np.where(labels == 7, 3, labels), self.reference
        is_other = self.held_out_labels != 3
        dataset = dataclasses.replace(
            reference.dataset,
            held_out_images=self.held_out[is_other],
            held_out_labels=self.held_out_labels[is_other],
        )
        scored = Scored(SampleSet("x", images, labels), reference_of(dataset))
        samples, _, distances = scored.closest_pairs()
        known = {image.tobytes() for image in images[labels != 3]}
        for sample, distance in zip(samples, distances, strict=True):
            self.assertTrue(distance == 0 or sample.tobytes() in known)

    def test_ten_repeated_images_are_detected(self):
        """A generator with one good image per digit: accurate, but without coverage."""
        ten = [int(np.flatnonzero(self.held_out_labels == digit)[0]) for digit in range(10)]
        images, labels = np.tile(self.held_out[ten], (30, 1, 1)), np.tile(np.arange(10), 30)
        evaluation, scores = self.evaluate(images, labels)
        self.assertGreaterEqual(scores["label_accuracy"], 0.9)
        self.assertAlmostEqual(scores["distinct_fraction"], 10 / 300, delta=1e-6)
        self.assertEqual(scores["recall"], 0)
        self.assertLess(scores["coverage"], 0.2)
        self.assertEqual(
            scores["worst_class_coverage"], float(f"{min(evaluation.coverage_by_class()):.6g}")
        )
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
        reference = reference_of(dataset)
        samples = SampleSet("x", self.fresh, self.fresh_labels)
        scores, _ = metrics.score(Scored(samples, reference))
        self.assertNotIn("ghosts", scores)
        self.assertIn("coverage", scores)

    def test_without_labels_the_predicted_digits_are_scored(self):
        half = self.fresh[self.fresh_labels < 5]
        evaluation, scores = self.evaluate(half, None)
        self.assertFalse(names_needing("labels") & set(scores))
        self.assertEqual(scores["classes_covered"], 5)
        self.assertAlmostEqual(scores["kl_to_uniform"], np.log(2), delta=0.1)
        self.assertEqual((evaluation.counts().shape, evaluation.counts().sum()), ((10,), len(half)))

    def test_without_a_judge_the_pixels_are_scored_as_with_one(self):
        without = Reference(self.reference.dataset, None, seed=0)
        samples = SampleSet("x", self.fresh, self.fresh_labels)
        judged, unjudged = (Scored(samples, one) for one in (self.reference, without))
        scores, _ = metrics.score(unjudged)
        self.assertEqual(set(scores), {"distinct_fraction", "train_distance_ratio"})
        self.assertEqual(scores, metrics.score(judged, set(scores))[0])
        for one, other in zip(unjudged.closest_pairs(), judged.closest_pairs(), strict=True):
            np.testing.assert_array_equal(one, other)

        # Without requested classes, all images are one class.
        unlabelled, _ = metrics.score(Scored(SampleSet("x", self.fresh, None), without))
        distances = neighbours.NearestImages(self.images)(self.fresh)[0].mean()
        real = neighbours.NearestImages(self.images)(self.held_out)[0].mean()
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
            names = {"label_accuracy", "determinator_judge_gap"}
            scores, _ = metrics.score(Scored(samples, self.reference), names)
            expected = 100 * (accuracy - scores["label_accuracy"]["value"])
            gap = scores["determinator_judge_gap"]["value"]
            self.assertAlmostEqual(gap, expected, delta=1e-3)

    def test_a_metric_of_anyones_is_one_function(self):
        """It is on the card, in its JSON, and in comparisons; docs/experiments.md shows one."""

        @Metric("mean ink", "fraction", "near 0.1", needs="judge", against="precision")
        def mean_ink(samples):
            return samples.images.mean(axis=(1, 2)) / 255

        self.addCleanup(METRICS.pop, "mean_ink")
        card = evaluate(SampleSet("x", self.fresh, self.fresh_labels), self.reference)
        expected = self.fresh.mean() / 255
        self.assertAlmostEqual(card["mean_ink"], expected, places=5)
        low, high = card.interval("mean_ink")
        self.assertTrue(expected - 0.01 < low < expected < high < expected + 0.01)
        self.assertRegex(str(card), rf"\nmean ink +{expected:.3f} .* near 0.1\n")
        self.assertIn("mean_ink", json.loads(json.dumps(card.values))["real"])
        self.assertIn("mean_ink", card.seconds)
        compared = side_by_side({"a": {"a": card}})
        self.assertIn("| mean ink, fraction (near 0.1) |", "\n".join(compared.markdown()))
        self.assertIn(("mean_ink", "precision"), [pair[:2] for pair in compared.tradeoffs()])
        with self.assertRaisesRegex(ValueError, "mean ink: needs 'lables'; use "):
            Metric("mean ink", "", "lower", needs="lables")(lambda samples: 0)
        with self.assertRaisesRegex(ValueError, "mean ink: better 'near'; use higher, lower or "):
            Metric("mean ink", "", "near")(lambda samples: 0)
        for wrong, kind in ((lambda _: 1 / 0, "ZeroDivision"), (lambda _: "a", "Value")):
            METRICS["mean_ink"] = METRICS["mean_ink"]._replace(compute=wrong)
            with self.assertRaisesRegex(UserError, f"metric mean_ink: {kind}Error: .*; correct"):
                score(Scored(SampleSet("x", self.fresh, self.fresh_labels), self.reference))


class Style(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels, cls.held_out, cls.held_out_labels = strokes.make(400, 100)
        dataset = Dataset(
            "own", "own", "", "test", cls.images, cls.labels, cls.held_out, cls.held_out_labels
        )
        cls.reference = reference_of(dataset)

    def scores(self, autoencoder):
        """Values by metric: of a system, and of the real images."""
        samples = SampleSet("x", self.images, self.labels, autoencoder=autoencoder)
        names = names_needing("autoencoder", "reconstructed")
        pair = Scored(samples, self.reference), self.reference.real(samples)
        return [
            {name: score["value"] for name, score in metrics.score(one, names)[0].items()}
            for one in pair
        ]

    def test_a_system_that_returns_each_image_reconstructs_as_well_as_the_real_ones_are(self):
        chosen = balanced_indices(self.held_out_labels, 1000, 0)
        self.assertEqual(len(chosen), len(self.held_out))  # fewer than 100 a class: all of them
        sources, _ = self.reference.style_sources
        np.testing.assert_array_equal(sources, self.held_out[chosen])
        samples, real = self.scores(Autoencoder(lambda read: read, lambda _, read: read))
        self.assertEqual(set(samples), names_needing("autoencoder", "reconstructed"))
        self.assertEqual(set(real), names_needing("reconstructed"))
        self.assertEqual(samples["reconstruction_error"], 0)
        for name, value in real.items():
            self.assertEqual(samples[name], value)
        self.assertGreater(real["reconstruction_accuracy"], 0.95)
        self.assertLess(samples["style_accuracy"], 0.01)  # no other class is drawn
        for name in ("ink", "width", "slant", "lowest"):  # every class is the real image
            self.assertAlmostEqual(samples[f"style_{name}"], 1, places=5)

    def test_a_system_that_ignores_the_image_carries_no_style_over(self):
        mean = np.stack([self.images[self.labels == k].mean(axis=0) for k in range(10)])
        draw = Autoencoder(
            lambda read: read[:, 14, :7], lambda labels, _: mean[labels].astype(np.uint8)
        )
        samples = SampleSet("x", self.images, self.labels, autoencoder=draw)
        values, _ = self.scores(draw)
        self.assertEqual(values["style_lowest"], 0)
        self.assertEqual(values["style_slant"], 0)
        self.assertGreater(values["style_accuracy"], 0.7)  # means can be read
        card = evaluate(samples, self.reference)
        by_components = card.values["style_transfer"]["pca_of_class"]
        pca_of_class = by_components["reconstruction_error"]["value"]
        self.assertGreater(pca_of_class, 1e-3)
        sources = self.reference.style_sources
        seven = reconstruct_by_pca(self.images, self.labels, *sources, 7)  # as many as are read
        self.assertAlmostEqual(pca_of_class, squared_errors(sources[0], seven).mean(), places=6)
        self.assertGreater(values["reconstruction_error"], 1.5 * pca_of_class)
