"""TODO docstring."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gan3.core.log import Log
from gan3.data.datasets import Dataset
from gan3.evaluation import judge, metrics
from gan3.plots.numbers import number_image, split_number_image
from gan3.runs.seeds import REPORT

CAS_SAMPLES, CAS_STEPS = 60_000, 800  # what the classifier of the samples sees, 125 a step
NEIGHBOURS = 5  # k of precision, recall, density and coverage
STRING = 6  # digits of a number to be read back
Card = dict[str, Any]  # what report.json holds; its `samples` and `real` are Scores
Scores = dict[str, dict[str, float]]  # metric: value, and low, high (95 %), standard_error


class Metric(NamedTuple):
    """How a figure of the card is to be read."""

    title: str
    unit: str
    better: str  # "higher", "lower", or "near" with the value after it
    decimals: int

    @property
    def titled(self) -> str:
        return f"{self.title}, {self.unit} ({self.better})"

    def cost(self, value: float) -> float:
        """The lower, the better the value is."""
        if self.better in ("higher", "lower"):
            return value if self.better == "lower" else -value
        return abs(value - float(self.better.removeprefix("near ")))

    def spread(self, values: list[float]) -> str:
        """The mean, and of several the standard deviation; a dash of none."""
        if not values:
            return "–"
        mean = f"{np.mean(values):.{self.decimals}f}"
        return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{self.decimals}f}"


METRICS = {
    "label_accuracy": Metric("label accuracy", "share", "higher", 4),
    "frechet_distance": Metric("Frechet distance", "feature²", "lower", 3),
    "kernel_distance": Metric("kernel distance (KID)", "feature³", "lower", 4),
    "precision": Metric("precision", "share", "higher", 3),
    "recall": Metric("recall", "share", "higher", 3),
    "density": Metric("density", "ratio", "higher", 3),
    "coverage": Metric("coverage", "share", "higher", 3),
    "worst_class_coverage": Metric("coverage, lowest digit", "share", "higher", 3),
    "cas": Metric("samples' classifier (CAS)", "share", "higher", 4),
    "distinct": Metric("distinct images", "share", "higher", 4),
    "diversity": Metric("within-digit diversity", "of real", "near 1", 3),
    "memorisation": Metric("distance to training set", "of real", "near 1", 3),
    "judge_gap": Metric("judge gap", "points", "near 0", 2),
    "six_digit_accuracy": Metric("6-digit numbers read", "share", "higher", 3),
    "classes_covered": Metric("digits found", "of 10", "higher", 0),
    "kl_to_uniform": Metric("digits against uniform", "nats", "lower", 4),
}
"""In the order of the card."""


class SampleSet(NamedTuple):
    """Digits to be scored, and what else their source can do."""

    name: str
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray | None  # [N], what was asked for; None where nothing could be
    more: Callable[[int], tuple[np.ndarray, np.ndarray]] | None = None  # for CAS
    determinator: Callable[[np.ndarray], np.ndarray] | None = None  # images to probabilities


def equal_parts(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Places of about `count` digits, as many of each as there are, digit by digit."""
    random = np.random.default_rng([seed, REPORT])
    parts = [np.flatnonzero(labels == digit) for digit in range(10)]
    return np.concatenate([random.permutation(part)[: max(1, count // 10)] for part in parts])


def in_order(scores: Scores) -> Scores:
    return {metric: scores[metric] for metric in METRICS if metric in scores}


class _Scored(NamedTuple):
    scores: Scores
    coverage: list[float]  # a digit each
    read: np.ndarray  # counts of the digits read, [10]; [10, 10], where digits were asked for
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray]  # closest ten: samples, neighbours, distances


class Reference:
    """The real digits that all are scored against, looked at once."""

    def __init__(self, dataset: Dataset, reader: judge.Judge, seed: int):
        self._dataset, self._reader, self._seed = dataset, reader, seed
        self._labels = dataset.held_out_labels.astype(np.int64)
        self._features, logits = reader(dataset.held_out_images)
        self.right = logits.argmax(axis=1) == self._labels
        self._moments = metrics.moments(self._features)
        self._diversity = metrics.mean_pairwise_distance(self._features, self._labels)
        self._distances, _ = metrics.nearest_images(dataset.held_out_images, dataset.images)

    def score(self, digits: SampleSet, own: np.ndarray | None = None) -> _Scored:
        """The figures of `digits`; `own`: their places, where they are training images."""
        seed, images, labels = self._seed, digits.images, digits.labels
        features, logits = self._reader(images)
        read = logits.argmax(axis=1)
        shown = read if labels is None else labels
        scores: Scores = {}

        found = metrics.moments(features)
        value = metrics.frechet_distance(found, self._moments)
        interval = metrics.bootstrap_frechet(features, self._moments, seed)
        scores["frechet_distance"] = _score(value, interval)
        value, error = metrics.kernel_distance(self._features, features, seed)
        scores["kernel_distance"] = _score(value, metrics.normal_interval(value, error), error)

        near = metrics.prdc(self._features, features, NEIGHBOURS)
        for metric, values in near._asdict().items():
            scores[metric] = _mean_score(values, seed)
        coverage = [
            float(near.coverage[self._labels == digit].mean()) for digit in np.unique(self._labels)
        ]
        scores["worst_class_coverage"] = _score(min(coverage))

        scores["distinct"] = _score(metrics.distinct_fraction(images))
        value = metrics.mean_pairwise_distance(features, shown) / self._diversity
        scores["diversity"] = _score(value)
        distances, places = metrics.nearest_images(images, self._dataset.images, own)
        both = distances, shown, self._distances, self._labels
        scores["memorisation"] = _score(
            metrics.distance_ratio(*both), metrics.bootstrap_ratio(*both, seed)
        )
        if labels is None:
            scores["classes_covered"] = _score(metrics.classes_covered(read))
            scores["kl_to_uniform"] = _score(metrics.kl_to_uniform(read))
        else:
            scores |= self._asked_for(digits, read == labels)
        return _Scored(
            scores,
            coverage,
            np.bincount(read, minlength=10) if labels is None else metrics.confusion(labels, read),
            self._closest(images, shown, distances, places),
        )

    def _asked_for(self, digits: SampleSet, right: np.ndarray) -> Scores:
        """What only digits that were asked for can be scored by."""
        scores = {"label_accuracy": _mean_score(right, self._seed)}
        if digits.determinator is not None:
            pleased = digits.determinator(digits.images).argmax(axis=1) == digits.labels
            points = 100 * (pleased.astype(np.float64) - right)
            scores["judge_gap"] = _mean_score(points, self._seed)
        # Numbers are read as they are written, the digits' sides cut off; what stands where is
        # drawn, since the samples come in order.
        order = np.random.default_rng([self._seed, REPORT, STRING]).permutation(len(right))
        cells = split_number_image(number_image(digits.images[order], inverted=True))
        read = self._reader(cells)[1].argmax(axis=1)
        strings = metrics.strings_correct(read == digits.labels[order], STRING)
        scores["six_digit_accuracy"] = _mean_score(strings, self._seed)
        return scores

    def _closest(self, images, shown, distances, places):
        """Ten pairs with the smallest distance for their digit: samples, neighbours, distances."""
        usual = np.array(
            [
                self._distances[self._labels == d].mean() if d in self._labels else np.inf
                for d in range(10)
            ]
        )
        ten = np.argsort(distances / usual[shown], kind="stable")[:10]
        return images[ten], self._dataset.images[places[ten]], distances[ten]

    def cas(self, digits: SampleSet | None, log: Log) -> dict[str, float]:
        """Classification accuracy score (Ravuri & Vinyals 2019): learn from these, read the others.

        A classifier of the judge's shape, without augmentation, sees nothing but the digits (None:
        the real training images) and then reads those held out.
        """
        if digits is None:
            name, images, labels = "real digits", self._dataset.images, self._dataset.labels
        elif digits.more is not None:
            name, (images, labels) = digits.name, digits.more(CAS_SAMPLES)
        else:
            name, images, labels = digits.name, digits.images, digits.labels
        log(f"CAS: a classifier learns from {len(images):,} images of {name} alone")
        weights = judge.train(images, labels, seed=self._seed, steps=CAS_STEPS, augment=False)
        read = judge.Judge(weights)(self._dataset.held_out_images)[1].argmax(axis=1)
        return _mean_score(read == self._labels, self._seed)


def _score(
    value: float, interval: tuple[float, float] | None = None, error: float | None = None
) -> dict[str, float]:
    made = {"value": float(value)}
    if interval is not None and np.isfinite(interval).all():
        made |= {"low": interval[0], "high": interval[1]}
    if error is not None and np.isfinite(error):
        made["standard_error"] = error
    return {key: float(f"{number:.6g}") for key, number in made.items()}


def _mean_score(values: np.ndarray, seed: int) -> dict[str, float]:
    return _score(values.mean(), metrics.bootstrap_mean(values, seed))
