"""The embedded data set: 70,000 synthetic digits drawn with pen strokes, for use without MNIST.

Other skeletons give other sets, drawn in the same way (`make`).

Each digit has several skeletons: the centre lines of its pen strokes, smooth curves through control
points. To draw a digit, the control points of a skeleton are jittered, and the curves are bent,
slanted, rotated and stretched. The result is normalised as in MNIST, to 20 x 20 pixels with the
centre of mass in the middle, and drawn with a pen of random width.

The code uses only + - x / and square roots of NumPy floats, which IEEE 754 rounds the same way
everywhere. So the data set is the same on every machine, bit for bit; `DIGEST` is its digest.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

TRAIN, TEST = 60_000, 10_000
DIGEST = "cf657a66c405ccf7c80f650eae840143170804ef8415e52f5eee9bc3a62b66dd"
"""SHA-256 of the bytes of train images, train labels, test images, test labels, in this order."""
_POINTS = 72  # ink dots on a digit's centre lines, at most 1.1 pixels apart: under a pen's width
_BLOCK = 250  # digits drawn at once, so few that their 28 x 28 distances fit in the CPU cache
# Skeletons: x to the right, y down, both about 0..1. A stroke is a smooth curve through its
# points; a "/" between points starts a new stroke; a point given twice is a corner.
Skeletons = Sequence[Sequence[str]]
"""The skeletons of each class, as text."""
_DIGITS: Skeletons = (
    (  # 0
        ".52,.02 .22,.16 .08,.50 .20,.86 .48,.98 .78,.84 .90,.48 .76,.14 .50,.02",
        ".62,.05 .30,.12 .12,.45 .22,.88 .52,.97 .82,.75 .88,.35 .68,.06 .48,.06",
        ".45,.00 .28,.30 .24,.66 .42,.99 .64,.94 .76,.60 .70,.20 .50,.00 .42,.04",
    ),
    (  # 1
        ".52,.00 .51,.35 .50,.70 .48,1.0",
        ".62,.00 .55,.35 .46,.70 .40,1.0",
        ".36,.22 .46,.12 .54,.00 .54,.00 .53,.40 .51,.70 .50,1.0",
        ".34,.20 .46,.12 .54,.00 .54,.00 .53,.50 .52,.97 / .32,.98 .52,.97 .74,.97",
    ),
    (  # 2
        ".14,.24 .30,.04 .62,.02 .80,.22 .68,.48 .36,.78 .10,.97 .10,.97 .45,.94 .90,.96",
        ".16,.20 .42,.01 .74,.10 .78,.34 .52,.66 .18,.92 .14,.98 .20,.80 .40,.82 .62,.95 .92,.90",
        ".20,.14 .46,.00 .72,.12 .74,.34 .54,.62 .24,.90 .12,.90 .16,.76 .34,.78 .58,.96 .88,.98",
        ".12,.12 .40,.03 .70,.08 .76,.28 .56,.58 .16,.98 .16,.98 .50,.98 .86,.94",
    ),
    (  # 3
        ".16,.12 .44,.00 .74,.12 .70,.34 .42,.46 .42,.46 .76,.56 .82,.80 .54,.99 .14,.88",
        ".18,.06 .50,.00 .78,.14 .66,.38 .36,.48 .36,.48 .70,.52 .84,.74 .62,.97 .30,.98 .10,.84",
        ".16,.02 .48,.02 .80,.03 .80,.03 .60,.22 .42,.42 .42,.42 .74,.50 .82,.76 .56,.98 .16,.92",
    ),
    (  # 4
        ".24,.02 .16,.28 .12,.54 .12,.54 .40,.56 .82,.50 / .76,.00 .72,.40 .66,1.0",
        ".60,.00 .36,.28 .08,.62 .08,.62 .44,.62 .92,.60 / .66,.28 .64,.62 .60,1.0",
        ".20,.04 .14,.30 .22,.50 .48,.50 .76,.38 .80,.02 .80,.02 .76,.45 .72,1.0",
        ".30,.00 .20,.24 .14,.48 .14,.48 .44,.50 .74,.46 / .70,.06 .66,.50 .64,1.0",
    ),
    (  # 5
        ".82,.03 .54,.03 .28,.04 .28,.04 .24,.24 .20,.44 .20,.44 .54,.38 .80,.56 .74,.84 .44,.99"
        " .12,.90",
        ".30,.06 .26,.26 .22,.44 .22,.44 .52,.40 .76,.58 .72,.84 .44,.98 .12,.90 / .30,.06 .56,.06"
        " .90,.02",
        ".90,.00 .62,.04 .40,.08 .40,.08 .32,.26 .26,.42 .26,.42 .52,.46 .68,.64 .56,.88 .30,.98"
        " .06,.90",
    ),
    (  # 6
        ".68,.00 .38,.22 .18,.56 .24,.88 .52,.99 .78,.84 .72,.60 .46,.54 .22,.74",
        ".56,.00 .32,.30 .20,.66 .32,.95 .60,.96 .76,.76 .62,.58 .38,.62 .24,.80",
        ".80,.02 .46,.14 .20,.44 .14,.78 .38,.99 .70,.90 .76,.66 .50,.54 .20,.66",
    ),
    (  # 7
        ".10,.08 .44,.06 .84,.04 .84,.04 .66,.36 .52,.68 .44,1.0",
        ".10,.18 .16,.06 .46,.06 .86,.06 .86,.06 .62,.42 .48,.72 .40,1.0",
        ".12,.06 .46,.05 .82,.04 .82,.04 .64,.38 .52,.66 .42,1.0 / .34,.52 .56,.50 .80,.48",
        ".08,.14 .34,.05 .70,.04 .80,.14 .70,.44 .62,.72 .58,1.0",
    ),
    (  # 8
        ".74,.12 .46,.00 .22,.16 .38,.40 .66,.58 .78,.82 .50,1.0 .22,.84 .36,.58 .64,.38 .76,.14",
        ".52,.02 .28,.14 .36,.40 .64,.62 .66,.90 .42,1.0 .22,.82 .42,.54 .70,.30 .72,.08 .50,.02",
        ".80,.06 .50,.02 .30,.20 .44,.44 .62,.66 .56,.92 .34,.98 .24,.80 .42,.56 .68,.36 .82,.10",
    ),
    (  # 9
        ".76,.16 .50,.02 .24,.16 .22,.42 .48,.50 .74,.30 .78,.12 .78,.12 .74,.50 .68,1.0",
        ".74,.10 .44,.04 .20,.26 .30,.48 .60,.42 .78,.12 .78,.12 .70,.48 .48,.98",
        ".70,.08 .40,.06 .22,.28 .36,.46 .62,.38 .74,.10 .74,.10 .76,.50 .64,.86 .36,.99 .16,.90",
    ),
)


def make(
    train: int = TRAIN, test: int = TEST, skeletons: Skeletons = _DIGITS
) -> tuple[np.ndarray, ...]:
    """Draw the data set: train images, train labels, test images, test labels.

    Images are uint8 [N, 28, 28], white ink on black as in MNIST. Labels are uint8 [N], with the
    classes in equal numbers, shuffled. The result is the same on every call and every machine.

    skeletons: of each class; by default the ten digits. One is picked at random for each image.
    """
    parts = []
    for stream, count in ((1, train), (2, test)):
        random = np.random.Generator(np.random.PCG64(stream))
        labels = (np.arange(count) % len(skeletons)).astype(np.uint8)
        labels = labels[np.argsort(random.random(count), kind="stable")]
        images = np.empty((count, 28, 28), np.uint8)
        for start in range(0, count, _BLOCK):
            block = labels[start : start + _BLOCK]
            lines = _centre_lines(block, skeletons, random)
            images[start : start + _BLOCK] = _ink(*lines, random)
        parts += [images, labels]
    return tuple(parts)


def digest(arrays: tuple[np.ndarray, ...]) -> str:
    """SHA-256 of the arrays' bytes, in order."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array))
    return sha.hexdigest()


def _near_normal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Roughly N(0, 1), within -3..3: a sum of three uniforms. NumPy's normal() uses log and exp."""
    return (random.random((3, *shape)).sum(axis=0) - 1.5) * 2.0


def _centre_lines(
    labels: np.ndarray, skeletons: Skeletons, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Dots along the pen strokes: x and y, each [n, _POINTS], in pixels."""
    n = len(labels)
    x, y = np.empty((n, _POINTS)), np.empty((n, _POINTS))
    choice = random.random(n)
    for label, variants in enumerate(skeletons):
        for number, text in enumerate(variants):
            rows = np.flatnonzero(
                (labels == label) & ((choice * len(variants)).astype(int) == number)
            )
            if len(rows):
                x[rows], y[rows] = _trace(_strokes_of(text), len(rows), random)
    return _pose(x - 0.5, y - 0.5, random)


def _strokes_of(text: str) -> list[np.ndarray]:
    """The control points [k, 2] of each stroke of a skeleton."""
    return [
        np.array([[float(v) for v in point.split(",")] for point in stroke.split()])
        for stroke in text.split("/")
    ]


def _trace(strokes: list[np.ndarray], n: int, random: np.random.Generator):
    """n jittered copies of a skeleton, as dots at equal distances along its smooth curves."""
    lengths = np.array([np.sqrt((np.diff(s, axis=0) ** 2).sum(axis=1)).sum() for s in strokes])
    dots = np.maximum(2, (lengths / lengths.sum() * _POINTS).astype(int))
    dots[np.argmax(dots)] += _POINTS - dots.sum()
    shift = 0.035 * _near_normal(random, (n, len(strokes), 1, 2))
    traced = []
    for i, (stroke, count) in enumerate(zip(strokes, dots, strict=True)):
        knots = stroke + 0.024 * _near_normal(random, (n, len(stroke), 2)) + (i > 0) * shift[:, i]
        corners = np.flatnonzero((np.diff(stroke, axis=0) == 0).all(axis=1))
        knots[:, corners + 1] = knots[:, corners]  # both points of a corner stay in one place
        traced.append(_resample(_curve(knots, 12), count))
    points = np.concatenate(traced, axis=1)
    return points[..., 0], points[..., 1]


def _curve(knots: np.ndarray, per_span: int) -> np.ndarray:
    """Catmull-Rom curve through knots [n, k, 2]: points [n, (k - 1) * per_span + 1, 2]."""
    before = np.concatenate([knots[:, :1], knots[:, :-2]], axis=1)[:, :, None]
    after = np.concatenate([knots[:, 2:], knots[:, -1:]], axis=1)[:, :, None]
    a, b = knots[:, :-1, None], knots[:, 1:, None]
    t = (np.arange(per_span) / per_span)[None, None, :, None]
    spans = a + 0.5 * t * (
        (b - before)
        + t * ((2 * before - 5 * a + 4 * b - after) + t * (3 * (a - b) + after - before))
    )
    n, k = knots.shape[:2]
    return np.concatenate([spans.reshape(n, (k - 1) * per_span, 2), knots[:, -1:]], axis=1)


def _resample(points: np.ndarray, count: int) -> np.ndarray:
    """`count` points at equal distances along polylines [n, p, 2]: [n, count, 2]."""
    n, p = points.shape[:2]
    steps = np.sqrt((np.diff(points, axis=1) ** 2).sum(axis=2))
    along = np.concatenate([np.zeros((n, 1)), np.cumsum(steps, axis=1)], axis=1)  # [n, p]
    targets = along[:, -1:] * (np.arange(count) / (count - 1))  # [n, count]
    # One search finds the span of every target in all n lines: line i has values in i..i + 1.
    scale = along[:, -1:] * 1.001
    rows = np.arange(n)[:, None]
    right = np.searchsorted((along / scale + rows).ravel(), (targets / scale + rows).ravel())
    right = np.clip(right.reshape(n, count) - rows * p, 1, p - 1)
    left = along[rows, right - 1]
    fraction = (targets - left) / np.maximum(along[rows, right] - left, 1e-9)
    fraction = np.clip(fraction, 0.0, 1.0)[..., None]
    return points[rows, right - 1] * (1 - fraction) + points[rows, right] * fraction


def _pose(x: np.ndarray, y: np.ndarray, random: np.random.Generator):
    """Bend, slant, rotate and stretch each digit, then normalise it to pixels as MNIST does."""
    n = len(x)

    def jitter(scale: float) -> np.ndarray:
        """One draw per digit."""
        return scale * _near_normal(random, (n, 1))

    # Elastic bend: a smooth displacement, quadratic and cubic in the position.
    bent_x = x + jitter(0.16) * y * y + jitter(0.12) * x * y + jitter(0.25) * y * (y * y - 0.25)
    bent_y = y + jitter(0.12) * x * x + jitter(0.10) * x * y + jitter(0.25) * x * (x * x - 0.25)
    x, y = bent_x * (1 + jitter(0.13)), bent_y
    x = x - (0.12 + jitter(0.17)) * y  # most handwriting leans to the right
    half = jitter(0.06)  # rotates by 2 atan(half) without computing a sine
    cos, sin = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    x, y = cos * x - sin * y, sin * x + cos * y
    # As in MNIST: the aspect ratio is kept, the longer side has about 20 pixels with the pen's
    # width, and the centre of mass is at (14, 14).
    x, y = x - x.min(axis=1, keepdims=True), y - y.min(axis=1, keepdims=True)
    side = np.maximum(x.max(axis=1), y.max(axis=1))[:, None]
    pixels = (17.4 + jitter(0.35)) / side
    x, y = x * pixels, y * pixels
    x = _inside(x - x.mean(axis=1, keepdims=True) + 14.0 + jitter(0.25))
    y = _inside(y - y.mean(axis=1, keepdims=True) + 14.0 + jitter(0.25))
    return x, y


def _inside(x: np.ndarray) -> np.ndarray:
    """Shift each digit so that its dots are in 3..24: even the widest pen spares the border."""
    x = x + np.maximum(3.0 - x.min(axis=1, keepdims=True), 0)
    return x - np.maximum(x.max(axis=1, keepdims=True) - 24.0, 0)


def _ink(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw each digit along its dots, with a pen of random width and softness: uint8 [n, 28, 28].

    Ink depends on the distance to the nearest dot: a minimum is the same in any order of
    evaluation.
    """
    n = len(x)
    pen = 1.22 + 0.24 * _near_normal(random, (n,))  # half of its width, pixels
    soft = 0.62 + 0.10 * _near_normal(random, (n,))  # width of the blurred edge, pixels
    # The digits are the last axis, so that every operation runs over long contiguous rows.
    grid = np.arange(28, dtype=np.float32)[:, None, None]
    dx = (grid - x.T.astype(np.float32)[None]) ** 2  # [28, P, n]
    dy = (grid - y.T.astype(np.float32)[None]) ** 2
    nearest = np.full((28, 28, n), np.inf, np.float32)  # [y, x, n]
    scratch = np.empty_like(nearest)
    for dot in range(_POINTS):
        np.add(dy[:, None, dot], dx[None, :, dot], out=scratch)
        np.minimum(nearest, scratch, out=nearest)
    edge = (pen.astype(np.float32) - np.sqrt(nearest)) / soft.astype(np.float32)
    edge = np.clip(0.5 + 0.5 * edge, 0, 1)
    ink = edge * edge * (3 - 2 * edge)  # smooth step
    return np.floor(ink * np.float32(255) + np.float32(0.5)).astype(np.uint8).transpose(2, 0, 1)
