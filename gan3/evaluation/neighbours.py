"""Distances between features and between images: arrays in, arrays out.

Features and their distances are float64, computed in blocks of rows.
"""

from typing import NamedTuple

import numpy as np

_BLOCK = 1000  # rows; 1,000 x 60,000 distances in float32 are 240 MB
_ROUNDING = 1e-13  # of |a|^2 + |b|^2 - 2 a.b, relative to the first two, up to some 100 features


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
