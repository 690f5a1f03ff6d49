"""The metrics of a report card: a formula, and below it the row of the card that it is.

A row is a function of samples with the decorator `Metric`; the rows have the order of the
functions. The function of a mean over images returns the contribution of each image, so that the
mean and its bootstrap interval come from one array.
"""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gan3.core.errors import UserError
from gan3.core.seeds import REPORT
from gan3.evaluation import neighbours, style_transfer
from gan3.evaluation.reference import NEEDS, Scored
from gan3.plots.numbers import CROP

CAS_SAMPLES, CAS_STEPS = 60_000, 800  # for the CAS classifier; 125 samples per step
STRING_LENGTH = 6  # digits per number in six_digit_accuracy
_BLOCK = 1000  # features in a block of the kernel distance
_NORMAL_95 = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
_KERNEL_STREAM, _MEAN_STREAM, _FRECHET_STREAM, _RATIO_STREAM = 71, 72, 73, 74  # by a seed


# -- the registry ----------------------------------------------------------------------------------
class Score(NamedTuple):
    """A value with its 95 % interval and its standard error; NaN if these are unknown."""

    value: float
    interval: tuple[float, float] = (np.nan, np.nan)
    error: float = np.nan


Result = np.ndarray | float | Score | None
"""What a metric returns: the contribution of each image to a mean, which gets an interval; a number
without one; or a score. None, or a value that is not finite, if there is nothing to say."""
Scores = dict[str, dict[str, float]]  # by metric: value, and maybe low, high (95 %), standard_error


class Metric(NamedTuple):
    """How a row of the card is named, computed, ranked and printed.

    It decorates a function of samples, which becomes a row under its own name.
    """

    title: str  # what was measured, with "(of 10)" for the number of classes
    unit: str  # empty if the title names it
    better: str  # "higher", "lower", or "near" and the best value
    decimals: int = 3  # that are printed
    needs: str = ""  # words of `reference.NEEDS` and spaces: without one, a card lacks the row
    # For diversity: the metrics of quality. It is drawn against the first that real images have.
    against: str = ""
    logit: bool = False  # whether that figure has logit scales
    ranks_sweeps: bool = False  # the points of a sweep, if it names no other metric
    compute: Callable[[Scored], Result] | None = None  # the function

    def __call__(self, compute: Callable[[Scored], Result]) -> Callable[[Scored], Result]:
        """Add a function of samples to the card. Raises ValueError for an unknown need or order."""
        if not self.needed <= NEEDS:
            raise ValueError(f"{self.title}: needs {self.needs!r}; use {', '.join(sorted(NEEDS))}")
        if not re.fullmatch(r"higher|lower|near -?\d+(\.\d+)?", self.better):
            raise ValueError(f"{self.title}: better {self.better!r}; use higher, lower or near 1")
        METRICS[compute.__name__] = self._replace(compute=compute)
        return compute

    @property
    def needed(self) -> set[str]:
        return set(self.needs.split())

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
        return {"higher": "↑", "lower": "↓"}.get(self.better, self.better.replace("near", "≈"))

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


METRICS: dict[str, Metric] = {}
"""By name, in the order of the card."""


def names_needing(*needs: str) -> set[str]:
    """The names of the metrics that need any of these."""
    return {name for name, about in METRICS.items() if about.needed & set(needs)}


def score(samples: Scored, names: set[str] | None = None) -> tuple[Scores, dict[str, float]]:
    """The scores of samples by metric, and the seconds that each one took.

    names: of the metrics; by default all. Those that need what the samples do not have are left
    out. What several metrics need is in the seconds of the first of them.
    """
    scores, seconds = {}, {}
    for name, about in METRICS.items():
        if about.needed <= samples.has and (names is None or name in names):
            start = time.monotonic()
            try:
                result = about.compute(samples)
                if isinstance(result, np.ndarray):
                    result = Score(result.mean(), bootstrap_mean(result, samples.seed))
                elif not isinstance(result, Score):
                    result = Score(np.nan if result is None else float(result))
            except Exception as error:
                if about.compute.__module__ == __name__:
                    raise
                problem = f"{type(error).__name__}: {error}"
                raise UserError(f"metric {name}: {problem}; correct its function") from error
            low, high = result.interval
            numbers = {"value": result.value, "low": low, "high": high}
            numbers["standard_error"] = result.error
            if np.isfinite(result.value):
                known = {key: number for key, number in numbers.items() if np.isfinite(number)}
                scores[name] = {key: six_digits(number) for key, number in known.items()}
            seconds[name] = round(time.monotonic() - start, 3)
    return scores, seconds


def six_digits(number: float) -> float:
    """A number as a card has it."""
    return float(f"{number:.6g}")


# -- what the judge reads --------------------------------------------------------------------------
@Metric("label accuracy", "fraction", "higher", 4, needs="judge labels")
def label_accuracy(samples: Scored) -> np.ndarray:
    return samples.predicted == samples.labels


# -- distributions of features ---------------------------------------------------------------------
@dataclass(frozen=True)
class Moments:
    """Mean [D] and covariance [D, D] (unbiased) of features."""

    mean: np.ndarray
    covariance: np.ndarray

    @cached_property
    def root(self) -> np.ndarray:
        """The symmetric root [D, D] of the covariance. Raises as `frechet` does."""
        values, vectors = np.linalg.eigh(self.covariance)
        values = _clip_negative(values, np.linalg.norm(self.covariance))
        return (vectors * np.sqrt(values)) @ vectors.T


def moments(features: np.ndarray) -> Moments:
    """Moments of features [N, D]."""
    mean = features.mean(axis=0)
    centred = features - mean
    # A product of an array with itself, of which NumPy computes one half only.
    return Moments(mean, centred.T @ centred / (len(features) - 1))


def frechet(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians (Dowson & Landau 1982).

    The formula of Heusel et al. 2017:
    |difference of means|^2 + tr(A + B - 2 (A B)^(1/2)). The trace of the root is computed from the
    symmetric B^(1/2) A B^(1/2), which has the eigenvalues of A B.

    Raises ArithmeticError if a covariance has an eigenvalue that is negative beyond rounding.
    """
    inner = b.root @ a.covariance @ b.root
    scale = np.linalg.norm(a.covariance) * np.linalg.norm(b.covariance)
    values = _clip_negative(np.linalg.eigvalsh((inner + inner.T) / 2), scale)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(values).sum()
    return float(max(((a.mean - b.mean) ** 2).sum() + trace, 0.0))  # in this order NaN stays NaN


def _clip_negative(eigenvalues: np.ndarray, scale: float) -> np.ndarray:
    """Without the negative ones that are rounding errors.

    scale: of the matrices that they were computed from. It can be far above the largest eigenvalue,
    which is 0 but for rounding if two sets of features vary in different directions.
    """
    if not eigenvalues.min() >= -1e-9 * scale:
        raise ArithmeticError(f"covariance with an eigenvalue of {eigenvalues.min():.3g}")
    return np.maximum(eigenvalues, 0)


@Metric("Fréchet distance (judge features)", "", "lower", needs="judge", ranks_sweeps=True)
def frechet_distance(samples: Scored) -> Score:
    real = moments(samples.reference.features)
    interval = bootstrap_frechet(samples.features, real, samples.seed)
    return Score(frechet(moments(samples.features), real), interval)


def kernel_mmd(real: np.ndarray, fake: np.ndarray, seed: int) -> tuple[float, float]:
    """Squared maximum mean discrepancy with kernel (x.y / D + 1)^3, and its standard error.

    The kernel and the averaging over disjoint blocks, of 1,000 to 1,999 rows, are of Binkowski et
    al. 2018, the unbiased estimate is eq. 3 of Gretton et al. 2012; it may be negative. The blocks
    are independent, so their spread gives the standard error, which is NaN for a single block.

    real [N, D], fake [M, D]: features.
    """
    random = np.random.default_rng([seed, _KERNEL_STREAM])
    count = min(len(real), len(fake))
    blocks = max(1, count // _BLOCK)
    real_blocks = np.array_split(random.permutation(len(real))[:count], blocks)
    fake_blocks = np.array_split(random.permutation(len(fake))[:count], blocks)
    estimates = [
        _squared_mmd(real[i], fake[j]) for i, j in zip(real_blocks, fake_blocks, strict=True)
    ]
    error = np.std(estimates, ddof=1) / np.sqrt(blocks) if blocks > 1 else np.nan
    return float(np.mean(estimates)), float(error)


def _squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = a @ b.T / a.shape[1] + 1
        return product * product * product

    def off_diagonal_mean(k: np.ndarray) -> float:
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    within = off_diagonal_mean(kernel(x, x)) + off_diagonal_mean(kernel(y, y))
    return within - 2 * kernel(x, y).mean()


@Metric("kernel distance (MMD²)", "", "lower", 4, needs="judge")
def kernel_distance(samples: Scored) -> Score:
    value, error = kernel_mmd(samples.reference.features, samples.features, samples.seed)
    return Score(value, normal_interval(value, error), error)


# -- neighbours among the features -----------------------------------------------------------------
@Metric("precision", "fraction", "higher", needs="judge")
def precision(samples: Scored) -> np.ndarray:
    return samples.neighbours.precision


@Metric("recall", "fraction", "higher", needs="judge", against="precision")
def recall(samples: Scored) -> np.ndarray:
    return samples.neighbours.recall


@Metric("density", "ratio", "higher", needs="judge")
def density(samples: Scored) -> np.ndarray:
    return samples.neighbours.density


@Metric(
    "coverage", "fraction", "higher", needs="judge", against="label_accuracy precision", logit=True
)
def coverage(samples: Scored) -> np.ndarray:
    return samples.neighbours.coverage


@Metric("worst-class coverage", "fraction", "higher", needs="judge")
def worst_class_coverage(samples: Scored) -> float:
    return min(value for value in samples.coverage_by_class() if value is not None)


@Metric("ghosts", "fraction", "lower", needs="judge")
def ghosts(samples: Scored) -> np.ndarray | None:
    """Images with broken or faint strokes, which 1 % of the held-out images have by definition."""
    reference = samples.reference
    if not np.isfinite(reference.ghost_limit):  # held-out images are even grey
        return None
    scores = neighbours.ghost_scores(samples.images, samples.neighbours.to_real)
    return scores > reference.ghost_limit


# -- a classifier that learns from the samples -----------------------------------------------------
@Metric("classification accuracy score (CAS)", "fraction", "higher", 4, needs="classifier labels")
def cas(samples: Scored) -> np.ndarray:
    """Whether a classifier that learned from the samples alone reads the held-out images.

    The CAS of Ravuri & Vinyals 2019, with a classifier of the judge's architecture and without
    augmentation.
    """
    from gan3.evaluation import classifier

    images, labels, reference = samples.images, samples.labels, samples.reference
    if samples.samples.draw_more is not None:
        images, labels = samples.samples.draw_more(CAS_SAMPLES)
    reference.log(f"CAS: training a classifier on {len(images):,} images of {samples.samples.name}")
    weights = classifier.train(
        images,
        labels,
        classes=reference.classes,
        seed=samples.seed,
        steps=CAS_STEPS,
        augment=False,
    )
    return classifier.Classifier(weights)(reference.images)[1].argmax(axis=1) == reference.labels


# -- diversity and memorization --------------------------------------------------------------------
@Metric("distinct images", "fraction", "higher", 4)
def distinct_fraction(samples: Scored) -> float:
    """Number of different images, divided by that of all."""
    return len({image.tobytes() for image in samples.images}) / len(samples.images)


def diversity_ratio(distances: dict[int, float], real_distances: dict[int, float]) -> float:
    """Mean pairwise distance of fakes, relative to real images of the same digits.

    Both by digit; a digit that one of them lacks is left out, because ones are closer to each other
    than zeros. NaN if no digit is left, or all real images of these are equal.
    """
    both = distances.keys() & real_distances.keys()
    real = math.fsum(real_distances[digit] for digit in both)
    return math.fsum(distances[digit] for digit in both) / real if real else math.nan


@Metric("within-class diversity (ratio to real)", "", "near 1", needs="judge")
def within_class_diversity(samples: Scored) -> float:
    spreads = neighbours.mean_pairwise_distances(samples.features, samples.classes)
    return diversity_ratio(spreads, samples.reference.spreads)


def distance_ratio(
    distances: np.ndarray, labels: np.ndarray, real_distances: np.ndarray, real_labels: np.ndarray
) -> float:
    """Mean distance of fakes to the nearest training image, relative to held-out real images.

    The ratio is computed per class, because ones lie closer to each other than eights, and averaged
    over the classes that both sets have; NaN if there is none. 1: as far away as real images. Well
    below 1: memorization; copies of training images have 0.

    distances, labels [N] of the fakes; real_distances, real_labels [M] of the held-out images.
    """
    means = [
        (distances[labels == label].mean(), real_distances[real_labels == label].mean())
        for label in np.intersect1d(labels, real_labels)
    ]
    ratios = [fake / real for fake, real in means if real > 0]  # 0: copies are held out
    return float(np.mean(ratios)) if ratios else np.nan


@Metric("distance to the training set (ratio to real)", "", "near 1")
def train_distance_ratio(samples: Scored) -> Score | None:
    distances, classes = samples.nearest[0], samples.classes
    real = samples.reference.distances, samples.real_classes
    ratio = distance_ratio(distances, classes, *real)
    if not np.isfinite(ratio):  # all held-out images are copies of training images
        return None
    return Score(ratio, bootstrap_ratio(distances, classes, *real, samples.seed))


# -- requested and predicted digits ----------------------------------------------------------------
@Metric(
    "determinator-judge gap (percentage points)", "", "near 0", 2, needs="judge labels determinator"
)
def determinator_judge_gap(samples: Scored) -> np.ndarray:
    predicted = samples.samples.determinator(samples.images).argmax(axis=1)
    by_determinator = (predicted == samples.labels).astype(np.float64)
    return 100 * (by_determinator - (samples.predicted == samples.labels))


def strings_correct(correct: np.ndarray, length: int) -> np.ndarray:
    """float64 [N // length]: 1 if all `length` digits of a string are `correct` [N], else 0."""
    strings = correct[: len(correct) // length * length].reshape(-1, length)
    return strings.all(axis=1).astype(np.float64)


@Metric("six-digit accuracy", "fraction", "higher", needs="judge labels digits")
def six_digit_accuracy(samples: Scored) -> np.ndarray:
    """Numbers of which the judge reads every digit, side by side, 18 columns each.

    The samples are in the order of their digits, so they are shuffled before they become numbers.
    """
    random = np.random.default_rng([samples.seed, REPORT, STRING_LENGTH])
    order = random.permutation(len(samples.images))
    digits = samples.images[order][:, :, CROP:-CROP]
    cells = np.pad(digits, ((0, 0), (0, 0), (CROP, CROP)))
    predicted = samples.judge(cells)[1].argmax(axis=1)
    return strings_correct(predicted == samples.labels[order], STRING_LENGTH)


def count_covered(predicted: np.ndarray) -> int:
    """Number of classes that make up at least 1 % of the predictions [N]."""
    return int((np.bincount(predicted) >= 0.01 * len(predicted)).sum())


@Metric("classes covered (of 10)", "", "higher", 0, needs="judge no_labels")
def classes_covered(samples: Scored) -> int:
    return count_covered(samples.predicted)


def divergence_from_uniform(predicted: np.ndarray, classes: int = 10) -> float:
    """KL(predicted classes [N] || uniform) in nats."""
    fractions = np.bincount(predicted, minlength=classes) / len(predicted)
    fractions = fractions[fractions > 0]
    return float((fractions * np.log(classes * fractions)).sum())


@Metric("KL divergence to uniform (nats)", "", "lower", 4, needs="judge no_labels")
def kl_to_uniform(samples: Scored) -> float:
    return divergence_from_uniform(samples.predicted, samples.reference.classes)


# -- style -----------------------------------------------------------------------------------------
METRICS |= {
    f"style_{of}": Metric(
        f"style transfer, {'lowest pair' if of == 'lowest' else of}",
        "correlation",
        "higher",
        needs="autoencoder",
        compute=lambda samples, of=of: samples.transfer.means().get(of),
    )
    for of in ("ink", "width", "slant", "lowest")
}


@Metric("style transfer, label accuracy", "fraction", "higher", 4, needs="judge autoencoder")
def style_accuracy(samples: Scored) -> np.ndarray:
    drawn, requested = samples.transfer.drawn_as_others()
    return samples.judge(drawn)[1].argmax(axis=1) == requested


@Metric("reconstruction error", "MSE", "lower", 4, needs="reconstructed")
def reconstruction_error(samples: Scored) -> np.ndarray:
    return style_transfer.squared_errors(samples.reference.style_sources[0], samples.reconstructed)


@Metric("reconstruction, label accuracy", "fraction", "higher", 4, needs="judge reconstructed")
def reconstruction_accuracy(samples: Scored) -> np.ndarray:
    predicted = samples.judge(samples.reconstructed)[1].argmax(axis=1)
    return predicted == samples.reference.style_sources[1]


# -- confidence intervals --------------------------------------------------------------------------
def bootstrap_mean(values: np.ndarray, seed: int, resamples: int = 1000) -> tuple[float, float]:
    """95 % percentile bootstrap interval (Efron 1979) of the mean of `values` [N]."""
    random = np.random.default_rng([seed, _MEAN_STREAM])
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_frechet(
    fake: np.ndarray, real: Moments, seed: int, resamples: int = 50
) -> tuple[float, float]:
    """95 % interval of the Fréchet distance of fake features [N, D] to `real`.

    A normal interval around the plain estimate, with the standard deviation over resampled fakes.
    Percentiles would be too high, because resampling with replacement biases the distance upward.
    """
    random, count = np.random.default_rng([seed, _FRECHET_STREAM]), len(fake)
    distances = [
        frechet(moments(fake[random.integers(0, count, count)]), real) for _ in range(resamples)
    ]
    return normal_interval(frechet(moments(fake), real), np.std(distances, ddof=1))


def bootstrap_ratio(
    distances: np.ndarray,
    labels: np.ndarray,
    real_distances: np.ndarray,
    real_labels: np.ndarray,
    seed: int,
    resamples: int = 200,
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of `distance_ratio`; both sets are resampled."""
    random = np.random.default_rng([seed, _RATIO_STREAM])
    ratios = []
    for _ in range(resamples):
        i = random.integers(0, len(distances), len(distances))
        j = random.integers(0, len(real_distances), len(real_distances))
        ratios.append(distance_ratio(distances[i], labels[i], real_distances[j], real_labels[j]))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def normal_interval(value: float, standard_error: float) -> tuple[float, float]:
    """95 % interval of an estimate with a normal distribution."""
    return value - _NORMAL_95 * standard_error, value + _NORMAL_95 * standard_error
