"""Arithmetic and walks in the noise of any system, as sheets of digits and as frames of a GIF."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.data.batches import to_pixels
from gan3.method.system import System
from gan3.runs.seeds import LATENT, seed_of

MODES = ("arithmetic", "interpolate", "grid", "sweep")
_FRAMES = 41  # of a walk; the sheet shows every fourth
_COLUMNS = 11
_SIDE = 9  # of the grid
_ENTRIES = 10  # of the noise that a sweep moves: all that a digit of three networks has


def noise_range(system: System) -> float:
    """The value up to which an entry of the noise is moved, either way."""
    return 1.0 if system.noise_distribution == "uniform" else 2.5


class Walk(NamedTuple):
    """Digits of one look at the latent."""

    title: str
    images: np.ndarray  # uint8 [rows x columns, 28, 28], row by row
    over: list[str]  # a column each
    beside: list[str]  # a row each
    frames: np.ndarray | None = None  # uint8 [frames, rows, 28, 28], where something moves


class _Walker:
    """Noise and digits of one system."""

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

    def noise(self, digit: int, number: int) -> np.ndarray:
        """The `number`th noise of a digit, float32 [entries]."""
        seed = tf.constant(seed_of(self._seed, LATENT, number), tf.int32)
        return self.system.noise(tf.constant([digit]), seed).numpy()[0]

    def draw(self, soft_labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """uint8 [N, 28, 28] of shares [N, 10] and noise [N, entries]."""
        found = self._blend(tf.constant(soft_labels, tf.float32), tf.constant(noise, tf.float32))
        return to_pixels(found.numpy())

    def digit(self, digit: int, noise: np.ndarray) -> np.ndarray:
        """uint8 [N, 28, 28] of one digit from noise [N, entries]."""
        return self.draw(np.tile(np.eye(10)[digit], (len(noise), 1)), noise)


def has_fixed_noise(system: System) -> bool:
    """Whether each digit has the same noise whatever the seed, as noise_draw=once has it."""
    one, other = (system.noise(tf.range(10), tf.constant([0, i])) for i in (2, 3))
    return np.array_equal(one, other)


def make_walk(system: System, digits: list[int] | None, mode: str, seed: int = 0) -> Walk:
    """Walk through the noise of `digits` as `mode` has it; a function of the weights and `seed`.

    digits: None for a usual choice. Raises UserError for an unknown mode, for what is no digit, for
    none and for more than ten, for any where the system cannot be asked, and where there is but one
    noise between which to walk.
    """
    if mode not in MODES:
        raise UserError(f"--mode {mode}: one of {', '.join(MODES)}")
    named = "" if digits is None else f"--digits {' '.join(map(str, digits))[:40]}"
    if named and not system.class_conditional:
        raise UserError(f"{named}: this system cannot be asked for a digit; leave --digits out")
    if named and not (0 < len(digits) <= 10 and all(0 <= digit <= 9 for digit in digits)):
        raise UserError(f"{named}: from one to ten of them, each from 0 to 9")
    if mode != "sweep" and has_fixed_noise(system):
        raise UserError(
            f"--mode {mode}: this system has one noise a digit, so that two seeds are the same;"
            " --mode sweep moves it"
        )
    if digits is None:
        digits = (
            [3, 8] if system.class_conditional and mode in ("arithmetic", "interpolate") else [3]
        )
    names = [str(digit) if system.class_conditional else "any" for digit in digits]
    walk = {
        "arithmetic": _arithmetic,
        "interpolate": _interpolate,
        "grid": _grid,
        "sweep": _sweep,
    }[mode]
    return walk(_Walker(system, seed), digits, names)


def _arithmetic(make_walk: _Walker, digits: list[int], names: list[str]) -> Walk:
    """Two seeds of each digit, their difference and their sum, three times."""
    rows, beside = [], []
    for digit, name in zip(digits, names, strict=True):
        for pair in range(3):
            first, second = make_walk.noise(digit, 2 * pair), make_walk.noise(digit, 2 * pair + 1)
            noise = np.stack([first, second, first - second, first + second, (first + second) / 2])
            rows.append(make_walk.digit(digit, noise))
            beside.append(name)
    over = ["seed 1", "seed 2", "1 − 2", "1 + 2", "their mean"]
    return Walk("arithmetic of two seeds", np.concatenate(rows), over, beside)


def _interpolate(make_walk: _Walker, digits: list[int], names: list[str]) -> Walk:
    """From one noise to another, straight and on the sphere, and from one digit to the next."""
    share = np.linspace(0, 1, _FRAMES)
    rows, beside = [], []
    for digit, name in zip(digits, names, strict=True):
        first, second = make_walk.noise(digit, 0), make_walk.noise(digit, 1)
        for word, path in (("straight", lerp), ("spherical", slerp)):
            rows.append(make_walk.digit(digit, path(first, second, share)))
            beside.append(f"{name} {word}")
    for one, other in zip(digits, digits[1:], strict=False):
        soft_labels = lerp(np.eye(10)[one], np.eye(10)[other], share)
        rows.append(make_walk.draw(soft_labels, np.tile(make_walk.noise(one, 0), (_FRAMES, 1))))
        beside.append(f"{one} to {other}")
    frames = np.stack(rows, axis=1)  # [frames, rows, 28, 28]
    shown = np.linspace(0, _FRAMES - 1, _COLUMNS).astype(int)
    over = [f"{share[i]:.1f}" for i in shown]
    images = np.concatenate([row[shown] for row in rows])
    return Walk("between two seeds", images, over, beside, frames)


def _grid(make_walk: _Walker, digits: list[int], names: list[str]) -> Walk:
    """The plane between four noises of each digit, which stand in its corners."""
    down, across = np.meshgrid(*[np.linspace(0, 1, _SIDE)] * 2, indexing="ij")
    weights = np.stack(
        [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across], -1
    )  # [rows, columns, corners], of sum 1
    sheets = []
    for digit in digits:
        corners = np.stack([make_walk.noise(digit, number) for number in range(4)])
        sheets.append(make_walk.digit(digit, weights.reshape(-1, 4) @ corners))
    marks = [f"{share:.2f}" for share in np.linspace(0, 1, _SIDE)]
    beside = [mark if len(digits) == 1 else f"{name}: {mark}" for name in names for mark in marks]
    title = f"between four seeds of {', '.join(names)}, one a corner"
    return Walk(title, np.concatenate(sheets), marks, beside)


def _sweep(make_walk: _Walker, digits: list[int], names: list[str]) -> Walk:
    """One entry of a digit's noise at a time, the others where a seed has them."""
    farthest = noise_range(make_walk.system)
    values = np.linspace(-farthest, farthest, _FRAMES)
    drawn, beside = [], []
    for digit, name in zip(digits, names, strict=True):
        base = make_walk.noise(digit, 0)
        for entry in range(min(_ENTRIES, len(base))):
            noise = np.tile(base, (_FRAMES, 1))
            noise[:, entry] = values
            drawn.append(make_walk.digit(digit, noise))
            beside.append(f"entry {entry}" if len(digits) == 1 else f"{name}: entry {entry}")
    frames = np.stack(drawn, axis=1)  # [frames, rows, 28, 28]
    shown = np.linspace(0, _FRAMES - 1, _COLUMNS).astype(int)
    return Walk(
        f"one entry of the noise of {', '.join(names)} at a time",
        np.concatenate([row[shown] for row in drawn]),
        [f"{values[i]:.1f}" for i in shown],
        beside,
        frames,
    )


def lerp(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points [N, D] on the line from first [D] to second [D], by `share` [N] of the way."""
    return first + share[:, None] * (second - first)


def slerp(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points [N, D] on the great arc between two directions (Shoemake 1985), lengths in a line.

    Straight where the two have no angle between them, or the one has no length.
    """
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    if min(lengths) == 0:
        return lerp(first, second, share)
    one, other = first / lengths[0], second / lengths[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(first, second, share)
    weights = np.sin((1 - share) * angle), np.sin(share * angle)
    arc = (weights[0][:, None] * one + weights[1][:, None] * other) / np.sin(angle)
    return arc * (lengths[0] + share * (lengths[1] - lengths[0]))[:, None]
