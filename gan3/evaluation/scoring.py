"""The metrics of a report card: their names, and their values for a set of samples."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gan3.core.classes import DIGITS, images_noun
from gan3.core.log import Log
from gan3.data.datasets import Dataset
from gan3.evaluation import metrics, style_transfer
from gan3.evaluation.judge import Classifier, Judge
from gan3.evaluation.judge import train as train_classifier
from gan3.evaluation.style_transfer import Redrawer, StyleTransfer
from gan3.plots.numbers import number_image, split_number_image
from gan3.runs.seeds import REPORT

CAS_SAMPLES, CAS_STEPS = 60_000, 800  # of the classifier of the CAS; 125 samples per step
NEIGHBOURS = 5  # k of precision, recall, density, coverage and ghosts
_GHOST_QUANTILE = 0.99  # of the ghost scores of held-out images: a ghost has a higher one
STRING_LENGTH = 6  # digits per number in six_digit_accuracy
Card = dict[str, Any]  # report.json; its "samples" and "real" are Scores
Scores = dict[str, dict[str, float]]  # by metric: value, and maybe low, high (95 %), standard_error
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]  # samples, their nearest images, distances


class Metric(NamedTuple):
    """How a metric is named, ranked and printed."""

    title: str
    unit: str  # empty if the title names it
    better: str  # "higher", "lower", or "near" and the best value
    decimals: int

    def of_classes(self, classes: int) -> "Metric":
        """The metric of samples of so many classes, which its title may say."""
        return self._replace(title=self.title.replace("(of 10)", f"(of {classes})"))

    @property
    def full_title(self) -> str:
        """The title with the unit and with which values are better."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.title}{unit} ({self.better})"

    @property
    def arrow(self) -> str:
        """Which values are better, in at most three characters."""
        arrows = {"higher": "↑", "lower": "↓"}
        return arrows.get(self.better) or self.better.replace("near", "≈")

    def wrapped_title(self, width: int) -> list[str]:
        """The title; what is in parentheses is a second line if the title is wider than `width`."""
        name, _, rest = self.title.partition(" (")
        return [name, f"  ({rest}"] if rest and len(self.title) > width else [self.title]

    def cost(self, value: float) -> float:
        """A number that is lower for a better value."""
        if self.better in ("higher", "lower"):
            return value if self.better == "lower" else -value
        return abs(value - float(self.better.removeprefix("near ")))

    def text(self, value: float) -> str:
        """The value with its decimals; one less for each digit before the point beyond three."""
        digits = len(str(int(abs(value))))
        return f"{value:.{max(0, self.decimals - max(0, digits - 3))}f}"

    def mean_text(self, values: list[float]) -> str:
        """The mean, with the standard deviation if there are several values; a dash for none."""
        if not values:
            return "–"
        mean = self.text(np.mean(values))
        return mean if len(values) == 1 else f"{mean} ± {self.text(np.std(values, ddof=1))}"


METRICS = {
    "label_accuracy": Metric("label accuracy", "fraction", "higher", 4),
    "frechet_distance": Metric("Fréchet distance (judge features)", "", "lower", 3),
    "kernel_distance": Metric("kernel distance (MMD²)", "", "lower", 4),
    "precision": Metric("precision", "fraction", "higher", 3),
    "recall": Metric("recall", "fraction", "higher", 3),
    "density": Metric("density", "ratio", "higher", 3),
    "coverage": Metric("coverage", "fraction", "higher", 3),
    "worst_class_coverage": Metric("worst-class coverage", "fraction", "higher", 3),
    "ghosts": Metric("ghosts", "fraction", "lower", 3),
    "cas": Metric("classification accuracy score (CAS)", "fraction", "higher", 4),
    "distinct_fraction": Metric("distinct images", "fraction", "higher", 4),
    "within_class_diversity": Metric("within-class diversity (ratio to real)", "", "near 1", 3),
    "train_distance_ratio": Metric("distance to the training set (ratio to real)", "", "near 1", 3),
    "determinator_judge_gap": Metric("determinator-judge gap (percentage points)", "", "near 0", 2),
    "six_digit_accuracy": Metric("six-digit accuracy", "fraction", "higher", 3),
    "classes_covered": Metric("classes covered (of 10)", "", "higher", 0),
    "kl_to_uniform": Metric("KL divergence to uniform (nats)", "", "lower", 4),
    "style_ink": Metric("style transfer, ink", "correlation", "higher", 3),
    "style_width": Metric("style transfer, width", "correlation", "higher", 3),
    "style_slant": Metric("style transfer, slant", "correlation", "higher", 3),
    "style_lowest": Metric("style transfer, lowest pair", "correlation", "higher", 3),
    "style_accuracy": Metric("style transfer, label accuracy", "fraction", "higher", 4),
    "reconstruction_error": Metric("reconstruction error", "MSE", "lower", 4),
    "reconstruction_accuracy": Metric("reconstruction, label accuracy", "fraction", "higher", 4),
}
"""In the order of the card."""

STYLE_METRICS = tuple(name for name in METRICS if name.startswith(("style", "reconstruction")))
"""Those of systems with an encoder only."""


class SampleSet(NamedTuple):
    """Images to be scored, and what else their source provides."""

    name: str
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray | None  # [N], the requested digits; None if digits cannot be requested
    draw_more: Callable[[int], tuple[np.ndarray, np.ndarray]] | None = None  # images, labels
    determinator: Callable[[np.ndarray], np.ndarray] | None = None  # images to probabilities
    redrawer: Redrawer | None = None  # reads a style and draws with it


class Evaluation(NamedTuple):
    """What a report card says about one set of samples; without a judge, two parts are None."""

    scores: Scores
    coverage: list[float | None] | None  # of each class, None for one that is not held out
    counts: np.ndarray | None  # of predicted classes: [K]; [K, K] by requested class
    pairs: Pairs  # the ten samples closest to a training image


class StyleScores(NamedTuple):
    """How well a system with an encoder redraws held-out images."""

    samples: Scores
    real: Scores  # of the held-out images in place of the redrawn ones
    pca: Scores  # of images redrawn from ten principal components of all training images
    pca_of_class: Scores  # of those of their own class
    transfer: StyleTransfer


class Scorer:
    """Scores sets of samples against the held-out images of a dataset.

    Args:
        judge: of that dataset; without one, only the metrics of the pixels are computed, and the
            CAS, which trains its own classifier.
        seed: for the resampling of confidence intervals, and for the classifier of the CAS.
    """

    def __init__(self, dataset: Dataset, judge: Judge | None, seed: int):
        self._dataset, self._judge, self._seed = dataset, judge, seed
        self._classes = len(dataset.class_names)
        self._labels = dataset.held_out_labels.astype(np.int64)
        self._distances, _ = metrics.nearest_images(dataset.held_out_images, dataset.images)
        if judge is not None:
            self._features, logits = judge(dataset.held_out_images)
            self.judge_accuracy = float((logits.argmax(axis=1) == self._labels).mean())
            self._moments = metrics.moments(self._features)
            ghost_scores = metrics.ghost_scores(
                dataset.held_out_images, self._features, k=NEIGHBOURS
            )
            self._ghost_limit = float(np.quantile(ghost_scores, _GHOST_QUANTILE))
            self._spreads = metrics.mean_pairwise_distances(self._features, self._labels)

    def score(self, samples: SampleSet, train_indices: np.ndarray | None = None) -> Evaluation:
        """All metrics of `samples` but the CAS and those of the style.

        train_indices: [N], their indices in the training set if they are training images. An image
        is then not its own nearest training image.
        """
        images, classes, real_classes = samples.images, samples.labels, self._labels
        scores: Scores = {}
        coverage = counts = None
        if self._judge is not None:
            features, logits = self._judge(images)
            predicted = logits.argmax(axis=1)
            classes = predicted if classes is None else classes
            scores, coverage = self._feature_scores(features, classes)
            ghost_scores = metrics.ghost_scores(images, features, self._features, NEIGHBOURS)
            if np.isfinite(self._ghost_limit):  # not if held-out images are even grey
                scores["ghosts"] = _mean_score(ghost_scores > self._ghost_limit, self._seed)
            if samples.labels is None:
                scores |= self._predicted_class_scores(predicted)
                counts = np.bincount(predicted, minlength=self._classes)
            else:
                scores |= self._requested_class_scores(samples, predicted == samples.labels)
                counts = metrics.confusion(samples.labels, predicted, self._classes)
        elif classes is None:  # nobody knows the classes, so all images are compared as one
            classes, real_classes = np.zeros(len(images), np.int64), np.zeros_like(self._labels)

        scores["distinct_fraction"] = _score(metrics.distinct_fraction(images))
        distances, nearest = metrics.nearest_images(images, self._dataset.images, train_indices)
        ratio_inputs = distances, classes, self._distances, real_classes
        ratio = metrics.distance_ratio(*ratio_inputs)
        if np.isfinite(ratio):  # not if all held-out images are copies of training images
            interval = metrics.bootstrap_ratio(*ratio_inputs, self._seed)
            scores["train_distance_ratio"] = _score(ratio, interval)
        typical = self._typical_distances(real_classes)
        closest = np.argsort(distances / typical[classes], kind="stable")[:10]
        pairs = images[closest], self._dataset.images[nearest[closest]], distances[closest]
        return Evaluation(scores, coverage, counts, pairs)

    def _feature_scores(
        self, features: np.ndarray, classes: np.ndarray
    ) -> tuple[Scores, list[float | None]]:
        """The metrics of the judge's features [N, 128], and the coverage of each class."""
        seed, scores = self._seed, {}
        value = metrics.frechet_distance(metrics.moments(features), self._moments)
        interval = metrics.bootstrap_frechet(features, self._moments, seed)
        scores["frechet_distance"] = _score(value, interval)
        value, error = metrics.kernel_distance(self._features, features, seed)
        scores["kernel_distance"] = _score(value, metrics.normal_interval(value, error), error)
        prdc = metrics.prdc(self._features, features, NEIGHBOURS)
        for metric, values in prdc._asdict().items():
            scores[metric] = _mean_score(values, seed)
        of_class = [prdc.coverage[self._labels == label] for label in range(self._classes)]
        coverage = [float(values.mean()) if len(values) else None for values in of_class]
        covered = [fraction for fraction in coverage if fraction is not None]
        scores["worst_class_coverage"] = _score(min(covered))
        spreads = metrics.mean_pairwise_distances(features, classes)
        ratio = metrics.diversity_ratio(spreads, self._spreads)
        if np.isfinite(ratio):
            scores["within_class_diversity"] = _score(ratio)
        return scores, coverage

    def _predicted_class_scores(self, predicted: np.ndarray) -> Scores:
        """The metrics of samples without requested classes, by the predicted ones [N]."""
        return {
            "classes_covered": _score(metrics.classes_covered(predicted)),
            "kl_to_uniform": _score(metrics.kl_to_uniform(predicted, self._classes)),
        }

    def classification_accuracy_score(
        self, samples: SampleSet | None, log: Log
    ) -> dict[str, float]:
        """Accuracy on the held-out digits of a classifier trained on `samples` alone.

        The CAS of Ravuri & Vinyals 2019, with a classifier of the judge's architecture and without
        augmentation. If `samples` is None, the classifier is trained on the real training images.
        """
        if samples is None:
            real = f"real {images_noun(self._dataset.class_names)}"
            name, images, labels = real, self._dataset.images, self._dataset.labels
        elif samples.draw_more is not None:
            name, (images, labels) = samples.name, samples.draw_more(CAS_SAMPLES)
        else:
            name, images, labels = samples.name, samples.images, samples.labels
        log(f"CAS: training a classifier on {len(images):,} images of {name}")
        weights = train_classifier(
            *(images, labels),
            classes=self._classes,
            seed=self._seed,
            steps=CAS_STEPS,
            augment=False,
        )
        predicted = Classifier(weights)(self._dataset.held_out_images)[1].argmax(axis=1)
        return _mean_score(predicted == self._labels, self._seed)

    def style_scores(self, redrawer: Redrawer) -> StyleScores:
        """How held-out images are redrawn as their own class, and their style in other classes.

        At most 100 images of each class are read.
        """
        dataset, classes = self._dataset, self._classes
        count = style_transfer.PER_CLASS * classes
        chosen = balanced_indices(self._labels, count, self._seed, classes)
        images, labels = dataset.held_out_images[chosen], self._labels[chosen]
        transfer = style_transfer.measure(images, labels, redrawer, classes)
        means = transfer.means()
        training = dataset.images, dataset.labels.astype(np.int64)
        of_class = style_transfer.redraw_by_pca_of_class(training, images, labels)
        pca = style_transfer.fit_pca(dataset.images).redraw(images)
        redrawn = (transfer.reconstructed, images, pca, of_class)
        samples, *others = (self._reconstruction_scores(images, labels, one) for one in redrawn)
        samples |= {f"style_{name}": _score(value) for name, value in means.items()}
        if self._judge is not None:
            drawn, requested = transfer.drawn_as_others()
            correct = self._judge(drawn)[1].argmax(axis=1) == requested
            samples["style_accuracy"] = _mean_score(correct, self._seed)
        return StyleScores(samples, *others, transfer)

    def _reconstruction_scores(
        self, images: np.ndarray, labels: np.ndarray, redrawn: np.ndarray
    ) -> Scores:
        errors = style_transfer.squared_errors(images, redrawn)
        scores = {"reconstruction_error": _mean_score(errors, self._seed)}
        if self._judge is not None:
            correct = self._judge(redrawn)[1].argmax(axis=1) == labels
            scores["reconstruction_accuracy"] = _mean_score(correct, self._seed)
        return scores

    def _requested_class_scores(self, samples: SampleSet, correct: np.ndarray) -> Scores:
        """The metrics that need requested classes. correct [N]: whether the judge predicts them."""
        scores = {"label_accuracy": _mean_score(correct, self._seed)}
        if samples.determinator is not None:
            predicted = samples.determinator(samples.images).argmax(axis=1)
            by_determinator = (predicted == samples.labels).astype(np.float64)
            points = 100 * (by_determinator - correct)
            scores["determinator_judge_gap"] = _mean_score(points, self._seed)
        if self._dataset.class_names != DIGITS:  # a number has digits only
            return scores
        # The samples are in the order of their digits, so they are shuffled before they become
        # numbers. The judge sees them as they are written: with cropped sides.
        random = np.random.default_rng([self._seed, REPORT, STRING_LENGTH])
        order = random.permutation(len(correct))
        cells = split_number_image(number_image(samples.images[order], inverted=True))
        predicted = self._judge(cells)[1].argmax(axis=1)
        strings = metrics.strings_correct(predicted == samples.labels[order], STRING_LENGTH)
        scores["six_digit_accuracy"] = _mean_score(strings, self._seed)
        return scores

    def _typical_distances(self, classes: np.ndarray) -> np.ndarray:
        """[K]: the mean distance of held-out images of `classes` [M] to the training set.

        Infinite for a class of which there is none, or only copies of training images.
        """
        means = [
            self._distances[classes == label].mean() if label in classes else 0.0
            for label in range(self._classes)
        ]
        return np.array([mean if mean > 0 else np.inf for mean in means])


def balanced_indices(labels: np.ndarray, count: int, seed: int, classes: int = 10) -> np.ndarray:
    """Indices of at most `count` random images, sorted by class, equally many of each.

    A class that has fewer images has all of them; a class that has any has at least one.
    """
    random = np.random.default_rng([seed, REPORT])
    by_class = [np.flatnonzero(labels == label) for label in range(classes)]
    return np.concatenate([random.permutation(i)[: max(1, count // classes)] for i in by_class])


def in_card_order(scores: Scores) -> Scores:
    return {metric: scores[metric] for metric in METRICS if metric in scores}


def _score(
    value: float, interval: tuple[float, float] | None = None, error: float | None = None
) -> dict[str, float]:
    """A value with what is known of its interval and standard error, to six digits."""
    score = {"value": float(value)}
    if interval is not None and np.isfinite(interval).all():
        score |= {"low": interval[0], "high": interval[1]}
    if error is not None and np.isfinite(error):
        score["standard_error"] = error
    return {key: float(f"{number:.6g}") for key, number in score.items()}


def _mean_score(values: np.ndarray, seed: int) -> dict[str, float]:
    return _score(values.mean(), metrics.bootstrap_mean(values, seed))
