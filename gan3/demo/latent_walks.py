"""Arithmetic, interpolation and walks in the latent space of any system, as sheets of digits."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.options import WALK_MODES
from gan3.data.pixels import to_pixels
from gan3.method.system import System
from gan3.runs.sampling import has_fixed_noise
from gan3.runs.seeds import LATENT, seed_of

_FRAMES = 41  # of an animation; a sheet shows every fourth
_COLUMNS = 11  # of a sheet made of frames
_GRID_SIDE = 9
_SWEPT_ENTRIES = 10  # of the noise: all that a digit of the three networks has
_PAIRS = 3  # of noise vectors that each digit has in latent arithmetic
_MAX_DIGITS = 10


class Walk(NamedTuple):
    """A sheet of digits, and its animation if the walk is along a path."""

    title: str
    images: np.ndarray  # uint8 [rows * columns, 28, 28], row by row
    column_labels: list[str]
    row_labels: list[str]
    frames: np.ndarray | None = None  # uint8 [frames, rows, 28, 28]


def make_walk(system: System, digits: list[int] | None, mode: str, seed: int = 0) -> Walk:
    """Draw one of the `WALK_MODES`: "arithmetic", "interpolate", "grid" or "sweep".

    Args:
        digits: one to ten of them; None for a default choice. A system that is not
            class-conditional has none.
        seed: of the noise. The result depends on it and the system's weights alone.

    Raises:
        UserError: an unknown mode, digits that do not fit, or a system with fixed noise in a mode
            that needs several noise vectors.
    """
    if mode not in WALK_MODES:
        raise UserError(f"latent mode {mode!r}: unknown; choose one of {', '.join(WALK_MODES)}")
    if digits is not None:
        _check_digits(system, digits)
    if mode != "sweep" and has_fixed_noise(system):
        raise UserError(
            f"latent mode {mode}: needs several noise vectors, and this system has one per digit;"
            " use the mode sweep"
        )
    if digits is None:
        pair_of_digits = system.class_conditional and mode in ("arithmetic", "interpolate")
        digits = [3, 8] if pair_of_digits else [3]
    draw: Callable[[_Walker, list[int]], Walk] = {
        "arithmetic": _arithmetic,
        "interpolate": _interpolate,
        "grid": _grid,
        "sweep": _sweep,
    }[mode]
    return draw(_Walker(system, seed), digits)


def _check_digits(system: System, digits: list[int]) -> None:
    text = f"digits {' '.join(map(str, digits))[:40]}"
    if not system.class_conditional:
        raise UserError(f"{text}: this system cannot draw requested digits; leave them out")
    if not (0 < len(digits) <= _MAX_DIGITS and all(0 <= digit <= 9 for digit in digits)):
        raise UserError(f"{text}: needs one to ten digits, each from 0 to 9")


def noise_range(system: System) -> float:
    """The largest absolute value that a slider or a sweep gives to an entry of the noise."""
    return 1.0 if system.noise_distribution == "uniform" else 2.5


class _Walker:
    """Draws the noise and the digits of one system."""

    def __init__(self, system: System, seed: int):
        self.system, self._seed = system, seed
        self._blend = tf.function(
            system.blend,
            input_signature=[
                tf.TensorSpec([None, 10], tf.float32),
                tf.TensorSpec([None, self.noise(0, 0).size], tf.float32),
            ],
            autograph=False,
        )

    def name(self, digit: int) -> str:
        """The label of a digit."""
        return str(digit) if self.system.class_conditional else "any digit"

    def noise(self, digit: int, number: int) -> np.ndarray:
        """The noise vector of a digit with this number, float32 [entries]."""
        seed = tf.constant(seed_of(self._seed, LATENT, number), tf.int32)
        return self.system.noise(tf.constant([digit]), seed).numpy()[0]

    def draw(self, soft_labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Images, uint8 [N, 28, 28], of class weights [N, 10] and noise [N, entries]."""
        images = self._blend(tf.constant(soft_labels, tf.float32), tf.constant(noise, tf.float32))
        return to_pixels(images.numpy())

    def draw_digit(self, digit: int, noise: np.ndarray) -> np.ndarray:
        """Images, uint8 [N, 28, 28], of one digit and noise [N, entries]."""
        return self.draw(np.tile(np.eye(10)[digit], (len(noise), 1)), noise)


def _arithmetic(walker: _Walker, digits: list[int]) -> Walk:
    """Two noise vectors of each digit, their difference, sum and mean, three times."""
    rows, row_labels = [], []
    for digit in digits:
        for pair in range(_PAIRS):
            first, second = walker.noise(digit, 2 * pair), walker.noise(digit, 2 * pair + 1)
            noise = np.stack([first, second, first - second, first + second, (first + second) / 2])
            rows.append(walker.draw_digit(digit, noise))
            row_labels.append(walker.name(digit))
    column_labels = ["seed 1", "seed 2", "1 − 2", "1 + 2", "mean"]
    return Walk("latent arithmetic", np.concatenate(rows), column_labels, row_labels)


def _interpolate(walker: _Walker, digits: list[int]) -> Walk:
    """From one noise vector to another, linearly and spherically, and from digit to digit."""
    fractions = np.linspace(0, 1, _FRAMES)
    rows, row_labels = [], []
    for digit in digits:
        first, second = walker.noise(digit, 0), walker.noise(digit, 1)
        for label, path in (("linear", lerp), ("spherical", slerp)):
            rows.append(walker.draw_digit(digit, path(first, second, fractions)))
            row_labels.append(f"{walker.name(digit)} {label}")
    for first, second in zip(digits, digits[1:], strict=False):
        soft_labels = lerp(np.eye(10)[first], np.eye(10)[second], fractions)
        rows.append(walker.draw(soft_labels, np.tile(walker.noise(first, 0), (_FRAMES, 1))))
        row_labels.append(f"{first} to {second}")
    return _from_frames("latent interpolation", rows, fractions, row_labels)


def _grid(walker: _Walker, digits: list[int]) -> Walk:
    """Bilinear interpolation between four noise vectors of each digit, one in each corner."""
    fractions = np.linspace(0, 1, _GRID_SIDE)
    down, right = np.meshgrid(fractions, fractions, indexing="ij")
    weights = np.stack(
        [(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], axis=-1
    )  # [rows, columns, corners], with sum 1
    sheets, row_labels = [], []
    column_labels = [f"{fraction:.2f}" for fraction in fractions]
    for digit in digits:
        corners = np.stack([walker.noise(digit, number) for number in range(4)])
        sheets.append(walker.draw_digit(digit, weights.reshape(-1, 4) @ corners))
        row_labels += [_row_label(walker, digits, digit, label) for label in column_labels]
    title = f"between four seeds of {_names(walker, digits)}, one in each corner"
    return Walk(title, np.concatenate(sheets), column_labels, row_labels)


def _sweep(walker: _Walker, digits: list[int]) -> Walk:
    """One entry of a digit's noise at a time, with the others unchanged."""
    limit = noise_range(walker.system)
    values = np.linspace(-limit, limit, _FRAMES)
    rows, row_labels = [], []
    for digit in digits:
        base = walker.noise(digit, 0)
        for entry in range(min(_SWEPT_ENTRIES, len(base))):
            noise = np.tile(base, (_FRAMES, 1))
            noise[:, entry] = values
            rows.append(walker.draw_digit(digit, noise))
            row_labels.append(_row_label(walker, digits, digit, f"entry {entry}"))
    title = f"one noise entry of {_names(walker, digits)} at a time"
    return _from_frames(title, rows, values, row_labels)


def _names(walker: _Walker, digits: list[int]) -> str:
    return ", ".join(walker.name(digit) for digit in digits)


def _row_label(walker: _Walker, digits: list[int], digit: int, label: str) -> str:
    """The label, with the digit in front if the sheet has several."""
    return label if len(digits) == 1 else f"{walker.name(digit)}: {label}"


def _from_frames(
    title: str, rows: list[np.ndarray], values: np.ndarray, row_labels: list[str]
) -> Walk:
    """A walk of rows [frames, 28, 28] along `values` [frames]; the sheet shows some of them."""
    shown = np.linspace(0, _FRAMES - 1, _COLUMNS).astype(int)
    column_labels = [f"{values[i]:.1f}" for i in shown]
    images = np.concatenate([row[shown] for row in rows])
    return Walk(title, images, column_labels, row_labels, np.stack(rows, axis=1))


def lerp(first: np.ndarray, second: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Points [N, D] on the line from first [D] to second [D], at `fractions` [N] of the way."""
    return first + fractions[:, None] * (second - first)


def slerp(first: np.ndarray, second: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Points [N, D] on the great arc between two directions; the length changes linearly.

    Shoemake, "Animating rotation with quaternion curves" (1985). The same as `lerp` if the vectors
    are parallel or one has no length.
    """
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    if min(lengths) == 0:
        return lerp(first, second, fractions)
    start, end = first / lengths[0], second / lengths[1]
    angle = np.arccos(np.clip(start @ end, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(first, second, fractions)
    weights = np.sin((1 - fractions) * angle), np.sin(fractions * angle)
    arc = (weights[0][:, None] * start + weights[1][:, None] * end) / np.sin(angle)
    return arc * (lengths[0] + fractions * (lengths[1] - lengths[0]))[:, None]
