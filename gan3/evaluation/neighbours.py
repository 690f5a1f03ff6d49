"""Distances between features and between images: arrays in, arrays out.

Features and their distances are float64, computed in blocks of rows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

_BLOCK = 100  # rows; 100 x 60,000 distances in float32 are 24 MB
_GROUP = 64  # columns
_AXES = 100  # in the lower bound of distances between images
_WORTH = 5000  # images, from which on the bound saves more than it costs
_MANY = 5000  # images that are not ruled out by the bound, from which on it is of no use
_SLACK = 1e-3  # in squared distances: far above the rounding of float32, far below the nearest ones
_ROUNDING = 1e-13  # |a|^2 + |b|^2 - 2 a.b, relative to the first two, up to some 100 features


class PRDC(NamedTuple):
    """The contributions of single images to four means; see `prdc`."""

    precision: np.ndarray  # [M], one per fake
    recall: np.ndarray  # [N], one per real image
    density: np.ndarray  # [M]
    coverage: np.ndarray  # [N]
    to_real: np.ndarray  # [M], the squared distance of a fake to the k-th nearest real image


def prdc(
    real: np.ndarray, fake: np.ndarray, k: int = 5, real_radius: np.ndarray | None = None
) -> PRDC:
    """Precision, recall (Kynkaanniemi et al. 2019), density, coverage (Naeem et al. 2020).

    The ball of a point reaches to the k-th nearest other point of its own set.

    - Precision: whether a fake lies in any real ball.
    - Recall: whether a real point lies in any fake ball.
    - Density: the number of real balls that contain a fake, divided by k.
    - Coverage: whether a real ball contains any fake.

    A point exactly on the sphere is outside the ball, as in the code of Naeem et al. (the package
    prdc). The paper and the code of Kynkaanniemi et al. have it inside. That matters only for ties:
    a point with k duplicates has an empty ball.

    Args:
        real, fake: features [N, D] and [M, D].
        real_radius: `kth_distance(real, k)`, if it is known.

    Raises:
        ValueError: one of them has no more than k rows.
    """
    real_radius = kth_distance(real, k) if real_radius is None else real_radius
    fake_radius = kth_distance(fake, k)
    balls, to_real = np.empty(len(fake)), np.empty(len(fake))
    recall, coverage = np.zeros(len(real), bool), np.zeros(len(real), bool)
    for rows, squared in _squared_distances(fake, real):  # [block, N]
        in_real = squared < real_radius
        balls[rows] = in_real.sum(axis=1)
        coverage |= in_real.any(axis=0)
        recall |= (squared < fake_radius[rows, None]).any(axis=0)
        to_real[rows] = _kth_smallest(squared, k)
    precision, recall, coverage = (values.astype(float) for values in (balls > 0, recall, coverage))
    return PRDC(precision, recall, balls / k, coverage, to_real)


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


def ghost_scores(images: np.ndarray, squared: np.ndarray) -> np.ndarray:
    """How much images [N, 28, 28] are ghosts, with broken or faint strokes: [N], from 0.

    The blur of an image times the distance of its features to the k-th nearest real ones. Compare
    them with those of real images: their unit is that of the features.

    squared [N]: the squared distances, by `prdc`, or by `kth_distance` of the real images.
    """
    return np.where(squared > 0, blur(images), 0) * np.sqrt(squared)


def mean_pairwise_distances(features: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Mean distance between two images of the same digit, by digit.

    features [N, D], labels [N]. A digit with only one image is left out.
    """
    means = {}
    for digit in np.unique(labels):
        of_digit = features[labels == digit]
        if len(of_digit) > 1:
            total = sum(np.sqrt(part).sum() for _, part in _squared_distances(of_digit, of_digit))
            means[int(digit)] = float(total / (len(of_digit) * (len(of_digit) - 1)))
    return means


class NearestImages:
    """Finds the nearest of `others` uint8 [M, 28, 28], by the Euclidean distance of the pixels.

    Nearly all are ruled out by a lower bound of the distance: that of the projections on 100
    principal axes and of the distances from these axes. The others are compared pixel by pixel.
    """

    def __init__(self, others: np.ndarray):
        self._others = others.reshape(len(others), -1)
        self._has_bound = len(others) >= _WORTH
        if self._has_bound:
            self._make_bound()

    def _make_bound(self) -> None:
        others = self._others
        sample = _unit(others[:: len(others) // 5000])
        self._mean = sample.mean(axis=0)
        centered = sample - self._mean
        self._axes = np.linalg.eigh(centered.T @ centered)[1][:, -_AXES:]
        blocks = [self._keys(others[rows]) for rows in _blocks(len(others))]
        keys = np.concatenate(blocks)
        norms = (keys**2).sum(axis=1)
        self._table = np.ascontiguousarray(np.vstack([-2 * keys.T, norms]))  # [101 + 1, M]

    def __call__(
        self, images: np.ndarray, excluded: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distances [N], with pixels in 0..1, and indices [N] of the nearest images.

        Args:
            images: uint8 [N, 28, 28].
            excluded: [N], for each image the index of another one that is not considered: itself.
        """
        flat, indices = images.reshape(len(images), -1), np.empty(len(images), np.int64)
        squared = np.empty(len(images))
        for rows in _blocks(len(images)):
            own = None if excluded is None else excluded[rows]
            indices[rows] = self._nearest(flat[rows], own)
            squared[rows] = self._squared(flat[rows], indices[rows])
        return np.sqrt(squared) / 255, indices

    def _keys(self, flat: np.ndarray) -> np.ndarray:
        """Projections on the axes, and the distance from them: float32 [N, 101]."""
        x = _unit(flat) - self._mean
        projected = x @ self._axes
        rest = (x**2).sum(axis=1) - (projected**2).sum(axis=1)
        return np.column_stack([projected, np.sqrt(np.maximum(rest, 0))])

    def _nearest(self, flat: np.ndarray, excluded: np.ndarray | None) -> np.ndarray:
        rule_out = self._within_bound if self._has_bound else self._nearly_nearest
        possible = rule_out(flat, excluded)
        rows, columns = _places(possible)
        many = np.flatnonzero(np.bincount(rows) > _MANY)  # noise, for example
        if len(many):
            own = None if excluded is None else excluded[many]
            possible[many] = self._nearly_nearest(flat[many], own)
            rows, columns = _places(possible)
        squared = np.concatenate(
            [self._squared(flat[rows[part]], columns[part]) for part in _blocks(len(rows))]
        )
        order = np.lexsort((columns, squared, rows))
        return columns[order[np.searchsorted(rows, np.arange(len(flat)))]]

    def _within_bound(self, flat: np.ndarray, excluded: np.ndarray | None) -> np.ndarray:
        """bool [N, M]: the others that are not ruled out."""
        keys = self._keys(flat)
        bound = np.column_stack([keys, np.ones(len(keys), np.float32)]) @ self._table
        if excluded is not None:
            bound[np.arange(len(flat)), excluded] = np.inf
        # `bound` lacks the squared norms of the keys, and so does what it is compared with.
        limit = self._squared(flat, bound.argmin(axis=1)) / 255**2 - (keys**2).sum(axis=1)
        return bound <= limit[:, None].astype(np.float32) + np.float32(_SLACK)

    def _nearly_nearest(self, flat: np.ndarray, excluded: np.ndarray | None) -> np.ndarray:
        """bool [N, M]: the others that are the nearest but for the rounding of float32."""
        others = _unit(self._others)
        squared = (others**2).sum(axis=1) - 2 * (_unit(flat) @ others.T)
        if excluded is not None:
            squared[np.arange(len(flat)), excluded] = np.inf
        return squared <= squared.min(axis=1, keepdims=True) + _SLACK

    def _squared(self, flat: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Exact squared distances int64 [N], pixels in 0..255."""
        difference = flat.astype(np.int32) - self._others[indices]
        return np.einsum("ij,ij->i", difference, difference).astype(np.int64)


def _unit(flat: np.ndarray) -> np.ndarray:
    """Pixels uint8 as float32 in 0..1."""
    return flat / np.float32(255)


def kth_distance(points: np.ndarray, k: int) -> np.ndarray:
    """Squared distance [N] from each of the points [N, D] to its k-th nearest other point.

    Raises ValueError if there are no more than k points.
    """
    if len(points) <= k:
        raise ValueError(f"{len(points)} points have no {k}-th neighbour")
    distances = np.empty(len(points))
    for rows, squared in _squared_distances(points, points):
        squared[np.arange(len(squared)), np.arange(len(points))[rows]] = np.inf  # the point itself
        distances[rows] = _kth_smallest(squared, k)
    return distances


def _kth_smallest(values: np.ndarray, k: int) -> np.ndarray:
    """The k-th smallest value of each row of [N, M], [N]: a partition, ten times as fast.

    The smallest values of M / 64 groups of columns are of different columns, so the k-th smallest
    of them is a bound that only few values do not exceed.
    """
    groups = values.shape[1] // _GROUP
    if groups < k:
        return np.partition(values, k - 1, axis=1)[:, k - 1]
    in_groups = values[:, : groups * _GROUP].reshape(len(values), _GROUP, groups)
    bound = np.partition(in_groups.min(axis=1), k - 1, axis=1)[:, k - 1]
    rows, columns = _places(values <= bound[:, None])
    few = values[rows, columns]
    first = np.searchsorted(rows, np.arange(len(values)))
    return few[np.lexsort((few, rows))[first + k - 1]]


def _squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Some rows of a [N, D], and their squared distances [rows, M] to b [M, D], until all are done.

    Those below the rounding error are 0.
    """
    origin = b[:1]  # else a large offset costs digits
    a, b = a - origin, b - origin
    a_norms, b_norms = (a**2).sum(axis=1), (b**2).sum(axis=1)
    largest = a_norms.max() + b_norms.max()
    for rows in _blocks(len(a)):
        squared = (-2 * a[rows]) @ b.T
        squared += b_norms
        squared += a_norms[rows, None]
        i, j = _places(squared <= _ROUNDING * largest)
        rounding = _ROUNDING * (a_norms[rows][i] + b_norms[j])
        squared[i, j] = np.where(squared[i, j] <= rounding, 0, squared[i, j])
        yield rows, squared


def _blocks(count: int) -> Iterator[slice]:
    """All rows, a few at a time."""
    return (slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK))


def _places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns at which a mask [N, M] is true: `np.nonzero`, ten times as fast."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])
