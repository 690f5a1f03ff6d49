"""Metrics: arrays in, numbers out. Features and distances are float64, taken block by block.

Where a metric is a mean over images, the contribution of each image is answered, so that its mean,
its digits and its bootstrap interval come from one array.
"""

from typing import NamedTuple

import numpy as np

_BLOCK = 1000  # rows a block: 1,000 x 60,000 distances in float32 are 240 MB
_NORMAL_95 = 1.959964  # standard deviations to either side that hold 95 % of a normal law


# -- what is read ----------------------------------------------------------------------------------
def confusion(requested: np.ndarray, read: np.ndarray) -> np.ndarray:
    """int64 [10, 10]: row, the digit that was asked for; column, the digit that was read."""
    return np.bincount(requested.astype(np.int64) * 10 + read, minlength=100).reshape(10, 10)


def strings_correct(right: np.ndarray, length: int) -> np.ndarray:
    """float64 [N // length]: 1 where every one of `length` digits in a row was read `right` [N]."""
    strings = right[: len(right) // length * length].reshape(-1, length)
    return strings.all(axis=1).astype(np.float64)


def classes_covered(read: np.ndarray) -> int:
    """How many digits make up at least 1 % (a tenth of an equal part) of what was read [N]."""
    return int((np.bincount(read, minlength=10) >= 0.01 * len(read)).sum())


def kl_to_uniform(read: np.ndarray) -> float:
    """Kullback-Leibler divergence of the digits read [N] from ten equal parts, in nats."""
    share = np.bincount(read, minlength=10) / len(read)
    share = share[share > 0]
    return float((share * np.log(10 * share)).sum())


# -- two distributions -----------------------------------------------------------------------------
class Moments(NamedTuple):
    """Mean [D] and covariance [D, D] (unbiased) of features."""

    mean: np.ndarray
    covariance: np.ndarray


def moments(features: np.ndarray, weights: np.ndarray | None = None) -> Moments:
    """Of features [N, D], each counted as often as `weights` [N], whole numbers, says."""
    weights = np.ones(len(features)) if weights is None else weights
    count = weights.sum()
    mean = weights @ features / count
    centred = features - mean
    return Moments(mean, (centred * weights[:, None]).T @ centred / (count - 1))


def frechet_distance(a: Moments, b: Moments, root: np.ndarray | None = None) -> float:
    """Squared Frechet distance of two Gaussians (Dowson & Landau 1982), as FID has it.

    |mean difference|^2 + tr(A + B - 2 (A B)^(1/2)). The root's trace is taken from the symmetric
    B^(1/2) A B^(1/2), whose eigenvalues are those of A B, real and not negative. Raises
    ArithmeticError where an eigenvalue says otherwise by more than rounding.

    root: `root_of(b.covariance)`, three quarters of the work, where many are compared with one b.
    """
    root = root_of(b.covariance) if root is None else root
    inner = root @ a.covariance @ root
    values = _not_negative(np.linalg.eigvalsh((inner + inner.T) / 2))
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(values).sum()
    return float(max(0.0, ((a.mean - b.mean) ** 2).sum() + trace))


def root_of(covariance: np.ndarray) -> np.ndarray:
    """The symmetric root [D, D] of a covariance. Raises as `frechet_distance` does."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(_not_negative(values))) @ vectors.T


def _not_negative(eigenvalues: np.ndarray) -> np.ndarray:
    if not eigenvalues.min() >= -1e-9 * max(eigenvalues.max(), 1e-12):
        raise ArithmeticError(f"covariance with an eigenvalue of {eigenvalues.min():.3g}")
    return np.maximum(eigenvalues, 0)


def kernel_distance(real: np.ndarray, fake: np.ndarray, seed: int) -> tuple[float, float]:
    """Kernel distance (KID, Binkowski et al. 2018) and its standard error.

    The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, eq. 3) with
    the kernel (x.y / D + 1)^3, averaged over disjoint blocks of up to 1,000 of real [N, D] and
    fake [N, D]; the blocks are independent, so their spread gives the standard error (NaN where
    there is only one). It may be negative.
    """
    random = np.random.default_rng([seed, 71])
    count = min(len(real), len(fake))
    blocks = max(1, count // _BLOCK)
    reals = np.array_split(random.permutation(len(real))[:count], blocks)
    fakes = np.array_split(random.permutation(len(fake))[:count], blocks)
    estimates = [_squared_mmd(real[i], fake[j]) for i, j in zip(reals, fakes, strict=True)]
    error = np.std(estimates, ddof=1) / np.sqrt(blocks) if blocks > 1 else np.nan
    return float(np.mean(estimates)), float(error)


def _squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = a @ b.T / a.shape[1] + 1
        return product * product * product

    def off_diagonal(k: np.ndarray) -> float:
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return off_diagonal(kernel(x, x)) + off_diagonal(kernel(y, y)) - 2 * kernel(x, y).mean()


class Neighbours(NamedTuple):
    """What each image adds to four means; `prdc` says how."""

    precision: np.ndarray  # [M], a fake each
    recall: np.ndarray  # [N], a real each
    density: np.ndarray  # [M]
    coverage: np.ndarray  # [N]


def prdc(real: np.ndarray, fake: np.ndarray, k: int = 5) -> Neighbours:
    """Precision, recall (Kynkaanniemi et al. 2019), density, coverage (Naeem et al. 2020).

    Balls reach from each point to its k-th nearest of its own kind. Precision: a fake lies in a
    real ball; recall: a real lies in a fake ball; density: in how many real balls a fake lies,
    over k; coverage: a real's ball has a fake in it.

    Args:
        real: features [N, D]; fake: features [M, D]; both longer than k.
    """
    real_radius, fake_radius = _kth_distance(real, k), _kth_distance(fake, k)
    inside = np.zeros(len(fake))
    recall, coverage = np.zeros(len(real)), np.zeros(len(real))
    for start in range(0, len(real), _BLOCK):
        rows = slice(start, start + _BLOCK)
        squared = _squared_distances(real[rows], fake)  # [block, M]
        in_real = squared < real_radius[rows, None]
        inside += in_real.sum(axis=0)
        recall[rows] = (squared < fake_radius[None]).any(axis=1)
        coverage[rows] = in_real.any(axis=1)
    return Neighbours((inside > 0).astype(np.float64), recall, inside / k, coverage)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * (a @ b.T)
    return np.maximum(squared, 0)


def _kth_distance(points: np.ndarray, k: int) -> np.ndarray:
    """Squared distance [N] from each point to its k-th nearest other point."""
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k}-th neighbour")
    found = np.empty(len(points))
    for start in range(0, len(points), _BLOCK):
        squared = _squared_distances(points[start : start + _BLOCK], points)
        rows = np.arange(len(squared))
        squared[rows, start + rows] = -1.0  # itself comes first, whatever rounding says
        found[start + rows] = np.partition(squared, k, axis=1)[:, k]
    return np.maximum(found, 0)


# -- variety and memory ----------------------------------------------------------------------------
def distinct_fraction(images: np.ndarray) -> float:
    """Share (0..1) of images [N, 28, 28] that are left when equal ones are counted once."""
    return len({image.tobytes() for image in images}) / len(images)


def mean_pairwise_distance(features: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance between two different images of one digit, then over the digits found.

    features [N, D], labels [N]; a digit with one image has no pair and is left out.
    """
    means = []
    for digit in np.unique(labels):
        own = features[labels == digit]
        if len(own) > 1:
            total = sum(
                np.sqrt(_squared_distances(own[start : start + _BLOCK], own)).sum()
                for start in range(0, len(own), _BLOCK)
            )
            means.append(total / (len(own) * (len(own) - 1)))
    return float(np.mean(means)) if means else 0.0


def nearest_images(
    images: np.ndarray, others: np.ndarray, own: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of `others` [M, 28, 28] to each of `images` [N, 28, 28], both uint8.

    Searched for in float32 (rounding may prefer a neighbour that is farther by a millionth), then
    measured exactly. `own` [N]: where an image is itself one of the others, its place among them,
    not to be found.

    Returns:
        Euclidean distances [N] with pixels in 0..1, and places [N] among the others.
    """
    flat = others.reshape(len(others), -1).astype(np.float32) / 255
    norms = np.einsum("ij,ij->i", flat, flat)
    places = np.empty(len(images), np.int64)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK].reshape(-1, flat.shape[1]).astype(np.float32) / 255
        closeness = block @ flat.T  # [block, M]: |x - y|^2 = |x|^2 - 2 (x.y - |y|^2 / 2)
        closeness -= norms / 2
        if own is not None:
            closeness[np.arange(len(block)), own[start : start + _BLOCK]] = -np.inf
        places[start : start + _BLOCK] = closeness.argmax(axis=1)
    return distances_between(images, others[places]), places


def distances_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances [N], pixels in 0..1, of uint8 images [N, 28, 28] pair by pair."""
    difference = a.astype(np.int64) - b.astype(np.int64)
    return np.sqrt((difference**2).sum(axis=(1, 2))) / 255


def distance_ratio(
    distances: np.ndarray, labels: np.ndarray, real_distances: np.ndarray, real_labels: np.ndarray
) -> float:
    """How far from the training images, by what is usual for real digits that are not among them.

    Mean distance to the nearest training image of the fakes of a digit, over that of held-out real
    images of it, averaged over the digits both have (ones lie closer to each other than eights).
    1: as far as real digits. Well below: closer to the training images than people's next digits
    are, 0 for copies.
    """
    ratios = [
        distances[labels == digit].mean() / real_distances[real_labels == digit].mean()
        for digit in np.intersect1d(labels, real_labels)
    ]
    return float(np.mean(ratios))


# -- how sure --------------------------------------------------------------------------------------
def bootstrap_mean(values: np.ndarray, seed: int, resamples: int = 1000) -> tuple[float, float]:
    """95 % interval of the mean of `values` [N], by the bootstrap's percentiles (Efron 1979)."""
    random = np.random.default_rng([seed, 72])
    means = [values[random.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_frechet(
    fake: np.ndarray, real: Moments, seed: int, resamples: int = 50
) -> tuple[float, float]:
    """95 % interval of the Frechet distance of fake features [N, D] to `real`.

    The spread over resampled fakes about the plain estimate: percentiles would lie above it, since
    drawing with repetition adds a bias of its own.
    """
    random, root = np.random.default_rng([seed, 73]), root_of(real.covariance)
    found = [
        frechet_distance(moments(fake, _counts(random, len(fake))), real, root)
        for _ in range(resamples)
    ]
    return normal_interval(frechet_distance(moments(fake), real, root), np.std(found, ddof=1))


def bootstrap_ratio(
    distances: np.ndarray,
    labels: np.ndarray,
    real_distances: np.ndarray,
    real_labels: np.ndarray,
    seed: int,
    resamples: int = 200,
) -> tuple[float, float]:
    """95 % interval of `distance_ratio`, both sides resampled; the bootstrap's percentiles."""
    random = np.random.default_rng([seed, 74])
    found = []
    for _ in range(resamples):
        i = random.integers(0, len(distances), len(distances))
        j = random.integers(0, len(real_distances), len(real_distances))
        found.append(distance_ratio(distances[i], labels[i], real_distances[j], real_labels[j]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def normal_interval(value: float, standard_error: float) -> tuple[float, float]:
    """95 % interval of an estimate with a normal law about it."""
    return value - _NORMAL_95 * standard_error, value + _NORMAL_95 * standard_error


def _counts(random: np.random.Generator, count: int) -> np.ndarray:
    """How often each of `count` is drawn when `count` are drawn with repetition."""
    drawn = random.integers(0, count, count)
    return np.bincount(drawn, minlength=count).astype(np.float64)
