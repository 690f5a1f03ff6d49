"""Metrics of generated digits: arrays in, numbers out.

Features and distances are float64, computed in blocks of rows. If a metric is a mean over images,
its function returns the contribution of each image, so that the mean, the values per digit and the
bootstrap interval come from one array.
"""

import math
from typing import NamedTuple

import numpy as np

_BLOCK = 1000  # rows; 1,000 x 60,000 distances in float32 are 240 MB
_ROUNDING = 1e-13  # of |a|^2 + |b|^2 - 2 a.b, relative to the first two, up to some 100 features
_NORMAL_95 = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
_KERNEL_STREAM, _MEAN_STREAM, _FRECHET_STREAM, _RATIO_STREAM = 71, 72, 73, 74  # of a seed


# -- predicted digits ------------------------------------------------------------------------------
def confusion(requested: np.ndarray, predicted: np.ndarray, classes: int = 10) -> np.ndarray:
    """Counts int64 [K, K]: a row for each requested class, a column for each predicted one."""
    index = requested.astype(np.int64) * classes + predicted
    return np.bincount(index, minlength=classes**2).reshape(classes, classes)


def strings_correct(correct: np.ndarray, length: int) -> np.ndarray:
    """float64 [N // length]: 1 if all `length` digits of a string are `correct` [N], else 0."""
    strings = correct[: len(correct) // length * length].reshape(-1, length)
    return strings.all(axis=1).astype(np.float64)


def classes_covered(predicted: np.ndarray) -> int:
    """Number of classes that make up at least 1 % of the predictions [N]."""
    return int((np.bincount(predicted) >= 0.01 * len(predicted)).sum())


def kl_to_uniform(predicted: np.ndarray, classes: int = 10) -> float:
    """KL(predicted classes [N] || uniform) in nats."""
    fractions = np.bincount(predicted, minlength=classes) / len(predicted)
    fractions = fractions[fractions > 0]
    return float((fractions * np.log(classes * fractions)).sum())


# -- distributions of features ---------------------------------------------------------------------
class Moments(NamedTuple):
    """Mean [D] and covariance [D, D] (unbiased) of features."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(features: np.ndarray, counts: np.ndarray | None = None) -> Moments:
    """Moments of features [N, D], each repeated `counts` [N] times; once if None."""
    counts = np.ones(len(features)) if counts is None else counts
    total = counts.sum()
    mean = counts @ features / total
    centered = features - mean
    return Moments(mean, (centered * counts[:, None]).T @ centered / (total - 1))


def frechet_distance(a: Moments, b: Moments, root: np.ndarray | None = None) -> float:
    """Squared Fréchet distance of two Gaussians (Dowson & Landau 1982).

    The formula of Heusel et al. 2017:
    |difference of means|^2 + tr(A + B - 2 (A B)^(1/2)). The trace of the root is computed from the
    symmetric B^(1/2) A B^(1/2), which has the eigenvalues of A B.

    Args:
        root: `root_of(b.covariance)`. It is three quarters of the work, so pass it if many are
            compared with one b.

    Raises:
        ArithmeticError: a covariance has an eigenvalue that is negative beyond rounding.
    """
    root = root_of(b.covariance) if root is None else root
    inner = root @ a.covariance @ root
    scale = np.linalg.norm(a.covariance) * np.linalg.norm(b.covariance)
    values = _clip_negative(np.linalg.eigvalsh((inner + inner.T) / 2), scale)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(values).sum()
    return float(max(0.0, ((a.mean - b.mean) ** 2).sum() + trace))


def root_of(covariance: np.ndarray) -> np.ndarray:
    """The symmetric root [D, D] of a covariance. Raises as `frechet_distance` does."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(_clip_negative(values, np.linalg.norm(covariance)))) @ vectors.T


def _clip_negative(eigenvalues: np.ndarray, scale: float) -> np.ndarray:
    """Without the negative ones that are rounding errors.

    scale: of the matrices that they were computed from. It can be far above the largest eigenvalue,
    which is 0 but for rounding if two sets of features vary in different directions.
    """
    if not eigenvalues.min() >= -1e-9 * scale:
        raise ArithmeticError(f"covariance with an eigenvalue of {eigenvalues.min():.3g}")
    return np.maximum(eigenvalues, 0)


def kernel_distance(real: np.ndarray, fake: np.ndarray, seed: int) -> tuple[float, float]:
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


class PRDC(NamedTuple):
    """The contributions of single images to four means; see `prdc`."""

    precision: np.ndarray  # [M], one per fake
    recall: np.ndarray  # [N], one per real image
    density: np.ndarray  # [M]
    coverage: np.ndarray  # [N]


def prdc(real: np.ndarray, fake: np.ndarray, k: int = 5) -> PRDC:
    """Precision, recall (Kynkaanniemi et al. 2019), density, coverage (Naeem et al. 2020).

    The ball of a point reaches to the k-th nearest other point of its own set.

    - Precision: whether a fake lies in any real ball.
    - Recall: whether a real point lies in any fake ball.
    - Density: the number of real balls that contain a fake, divided by k.
    - Coverage: whether a real ball contains any fake.

    A point exactly on the sphere is outside the ball, as in the code of Naeem et al. (the package
    prdc). The paper and the code of Kynkaanniemi et al. have it inside. That matters only for ties:
    a point with k duplicates has an empty ball.

    real [N, D], fake [M, D]: features. Raises ValueError unless both have more than k rows.
    """
    real, fake = real - real[:1], fake - real[:1]  # else a large offset costs digits
    real_radius, fake_radius = _kth_distance(real, k), _kth_distance(fake, k)
    balls = np.zeros(len(fake))
    recall, coverage = np.zeros(len(real)), np.zeros(len(real))
    for start in range(0, len(real), _BLOCK):
        rows = slice(start, start + _BLOCK)
        squared = _squared_distances(real[rows], fake)  # [block, M]
        in_real = squared < real_radius[rows, None]
        balls += in_real.sum(axis=0)
        recall[rows] = (squared < fake_radius[None]).any(axis=1)
        coverage[rows] = in_real.any(axis=1)
    return PRDC((balls > 0).astype(np.float64), recall, balls / k, coverage)


# -- ghosts ----------------------------------------------------------------------------------------
def blur(images: np.ndarray) -> np.ndarray:
    """Grey per outline of images [N, 28, 28]: [N], 0 for black and white, more for faint strokes.

    The sum of x (1 - x) over the pixels x in 0..1, divided by the sum of the absolute differences
    of neighbours in rows and columns. A sharp stroke is grey at its outline only. Infinite for an
    even grey, which has no outline.
    """
    blurs = np.empty(len(images))
    for start in range(0, len(images), _BLOCK):
        x = images[start : start + _BLOCK] / 255.0
        grey = (x * (1 - x)).sum(axis=(1, 2))
        outline = sum(np.abs(np.diff(x, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
        even = np.where(grey > 0, np.inf, 0.0)
        blurs[start : start + _BLOCK] = np.divide(grey, outline, out=even, where=outline > 0)
    return blurs


def ghost_scores(
    images: np.ndarray, features: np.ndarray, real: np.ndarray | None = None, k: int = 5
) -> np.ndarray:
    """How much images [N, 28, 28] are ghosts, with broken or faint strokes: [N], from 0.

    The blur of an image times the distance of its features to the k-th nearest real ones. Compare
    them with those of real images: their unit is that of the features.

    Args:
        features: [N, D], of the images.
        real: [M, D], of real images. None if the images are the real ones: each is then compared
            with the others.

    Raises:
        ValueError: there are fewer than k real images to compare with.
    """
    origin = (features if real is None else real)[:1]  # else a large offset costs digits
    squared = _kth_distance(features - origin, k, None if real is None else real - origin)
    return np.where(squared > 0, blur(images), 0) * np.sqrt(squared)


# -- distances of features -------------------------------------------------------------------------
def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances [N, M] of a [N, D] and b [M, D]; those below the rounding error are 0."""
    norms = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None]
    squared = norms - 2 * (a @ b.T)
    return np.where(squared > _ROUNDING * norms, squared, 0)


def _kth_distance(points: np.ndarray, k: int, others: np.ndarray | None = None) -> np.ndarray:
    """Squared distance [N] from each point to its k-th nearest of `others` [M].

    By default the others are the points themselves but for the one in question.
    """
    targets, place = (points, k) if others is None else (others, k - 1)
    if len(targets) <= place:
        raise ValueError(f"{len(targets)} points have no {k}-th neighbour")
    distances = np.empty(len(points))
    for start in range(0, len(points), _BLOCK):
        squared = _squared_distances(points[start : start + _BLOCK], targets)
        rows = np.arange(len(squared))
        if others is None:
            squared[rows, start + rows] = -1.0  # so the point itself comes first despite rounding
        distances[start + rows] = np.partition(squared, place, axis=1)[:, place]
    return np.maximum(distances, 0)


# -- diversity and memorization --------------------------------------------------------------------
def distinct_fraction(images: np.ndarray) -> float:
    """Number of different images among images [N, 28, 28], divided by N."""
    return len({image.tobytes() for image in images}) / len(images)


def mean_pairwise_distances(features: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Mean distance between two images of the same digit, by digit.

    features [N, D], labels [N]. A digit with only one image is left out.
    """
    means = {}
    for digit in np.unique(labels):
        of_digit = features[labels == digit]
        if len(of_digit) > 1:
            of_digit = of_digit - of_digit[:1]  # else a large offset costs digits
            total = sum(
                np.sqrt(_squared_distances(of_digit[start : start + _BLOCK], of_digit)).sum()
                for start in range(0, len(of_digit), _BLOCK)
            )
            means[int(digit)] = float(total / (len(of_digit) * (len(of_digit) - 1)))
    return means


def diversity_ratio(distances: dict[int, float], real_distances: dict[int, float]) -> float:
    """Mean pairwise distance of fakes, relative to real images of the same digits.

    Both by digit; a digit that one of them lacks is left out, because ones are closer to each other
    than zeros. NaN if no digit is left, or all real images of these are equal.
    """
    both = distances.keys() & real_distances.keys()
    real = math.fsum(real_distances[digit] for digit in both)
    return math.fsum(distances[digit] for digit in both) / real if real else math.nan


def nearest_images(
    images: np.ndarray, others: np.ndarray, excluded: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of `others` uint8 [M, 28, 28] to each of `images` uint8 [N, 28, 28].

    The search is in float32, so among near ties it may return an image that is farther by a
    millionth. The distance is exact.

    Args:
        excluded: [N], for each image the index of one of the others that is not considered: itself.

    Returns:
        Euclidean distances [N] with pixels in 0..1, and indices [N] into `others`.
    """
    flat = others.reshape(len(others), -1).astype(np.float32) / 255
    norms = np.einsum("ij,ij->i", flat, flat)
    indices = np.empty(len(images), np.int64)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].reshape(-1, flat.shape[1]).astype(np.float32) / 255
        closeness = block @ flat.T  # [block, M]: |x - y|^2 = |x|^2 - 2 (x.y - |y|^2 / 2)
        closeness -= norms / 2
        if excluded is not None:
            closeness[np.arange(len(block)), excluded[start : start + _BLOCK]] = -np.inf
        indices[start : start + _BLOCK] = closeness.argmax(axis=1)
    return distances_between(images, others[indices]), indices


def distances_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances [N], pixels in 0..1, between pairs of uint8 images [N, 28, 28]."""
    difference = a.astype(np.int64) - b.astype(np.int64)
    return np.sqrt((difference**2).sum(axis=(1, 2))) / 255


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
    random, root = np.random.default_rng([seed, _FRECHET_STREAM]), root_of(real.covariance)
    distances = [
        frechet_distance(moments(fake, _resampled_counts(random, len(fake))), real, root)
        for _ in range(resamples)
    ]
    return normal_interval(frechet_distance(moments(fake), real, root), np.std(distances, ddof=1))


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


def _resampled_counts(random: np.random.Generator, count: int) -> np.ndarray:
    """How often each of `count` items occurs among `count` draws with replacement."""
    draws = random.integers(0, count, count)
    return np.bincount(draws, minlength=count).astype(np.float64)
