"""The embedded data set: 70,000 synthetic digits drawn with pen strokes, for use without MNIST.

Only + - x / and square roots of NumPy floats are used, which IEEE 754 rounds the same way
everywhere. So the data set is the same on every machine, bit for bit.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

TRAIN, TEST = 60_000, 10_000
DIGEST = "cf657a66c405ccf7c80f650eae840143170804ef8415e52f5eee9bc3a62b66dd"
"""SHA-256 of the bytes of train images, train labels, test images, test labels, in this order."""
CACHE = f"strokes-{DIGEST[:8]}.npz"  # the file in ./data that keeps the set
_POINTS = 72  # ink dots on a digit's centre lines, at most 1.1 pixels apart: under a pen's width
_BLOCK = 250  # digits drawn at once, so few that their 28 x 28 distances fit in the CPU cache
Skeletons = Sequence[Sequence[str]]
"""The skeletons of each class: the centre lines of its pen strokes, as text.

x to the right, y down, both about 0..1. A stroke is a smooth curve through its points; a "/"
between points starts a new stroke; a point given twice is a corner.
"""


def digits() -> Skeletons:
    """The skeletons of the ten digits."""
    lines = Path(__file__).with_name("strokes.txt").read_text(encoding="ascii").splitlines()
    return [[line[2:] for line in lines if line[0] == digit] for digit in "0123456789"]


def make(
    train: int = TRAIN, test: int = TEST, skeletons: Skeletons | None = None
) -> tuple[np.ndarray, ...]:
    """Draw the data set: train images, train labels, test images, test labels.

    Images are uint8 [N, 28, 28], white ink on black as in MNIST. Labels are uint8 [N], with the
    classes in equal numbers, shuffled. The result is the same on every call and every machine.

    For each image a skeleton of its class is picked at random and jittered, and its curves are
    bent, slanted, rotated and stretched. The result is normalised as in MNIST, to 20 x 20 pixels
    with the centre of mass in the middle, and drawn with a pen of random width.

    skeletons: of each class; by default the ten digits.
    """
    skeletons = digits() if skeletons is None else skeletons
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
