"""Arithmetic, interpolation and walks in the latent space of any system, as sheets of images."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan3.core.classes import DIGITS, are_digits, noun, nouns
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.core.options import truncation_text
from gan3.core.seeds import LATENT, seed_of
from gan3.plots import grids

if TYPE_CHECKING:
    from gan3.models.generator import Generator

_FRAMES = 41  # in an animation; a sheet shows every fourth
_COLUMNS = 11  # in a sheet made of frames
_SWEPT_ENTRIES = 10  # noise entries: all that a class of the three networks has
_PAIRS = 3  # pairs of noise vectors for each class in latent arithmetic
_MAX_CLASSES = 10  # on a sheet
_MAX_NAME = 16  # characters of a name in a label


class Walk(NamedTuple):
    """A sheet of images, and its animation if the walk is along a path."""

    title: str
    images: np.ndarray  # uint8 [rows * columns, 28, 28], row by row
    column_labels: list[str]
    row_labels: list[str]
    frames: np.ndarray | None = None  # uint8 [frames, rows, 28, 28]

    def save(self, path: Path, system: str) -> Path | None:
        """Write the sheet and, beside it, the animation there and back; returns the latter's path.

        system: what the title begins with.
        """
        title, columns = f"{system} · {self.title}", len(self.column_labels)
        make_folder(path.parent)
        sheet = grids.grid(self.images, columns, title, self.column_labels, self.row_labels)
        grids.save(sheet, path)
        if self.frames is None:
            return None
        frames = [
            grids.pixels(grids.grid(images, len(images), title, self.row_labels))
            for images in self.frames
        ]
        animation = path.with_suffix(".gif")
        grids.progression(frames + frames[-2:0:-1], animation, 0.08, 0.08)
        return animation


def make_walk(
    generator: "Generator",
    labels: list[int] | None,
    mode: str,
    seed: int = 0,
    start: np.ndarray | None = None,
) -> Walk:
    """Draw one of the `WALK_MODES`: "arithmetic", "interpolate" or "sweep".

    Args:
        labels: of one to ten classes; None for a default choice.
        generator: its truncation scales all noise, the values of a sweep included; below 1 the
            title names it.
        seed: of the noise.
        start: noise [entries] in place of the seed's first, such as the style of a picture.

    Raises:
        UserError: more than ten labels, or a system with fixed noise in a mode that needs several
            noise vectors.
    """
    names = generator.class_names
    if labels is None:
        pair = [3, 8] if names == DIGITS else [0, 1]
        labels = pair if generator.class_conditional and mode != "sweep" else pair[:1]
    if not 0 < len(labels) <= _MAX_CLASSES:
        raise UserError(f"labels: {len(labels)} {nouns(names)}; a sheet shows one to ten")
    if mode != "sweep" and generator.has_fixed_noise:
        raise UserError(
            f"latent mode {mode}: needs several noise vectors, and this system has one per"
            f" {noun(names)}; use the mode sweep"
        )
    draw = {"arithmetic": _arithmetic, "interpolate": _interpolate, "sweep": _sweep}[mode]
    truncation = generator.truncation
    walk = draw(_Walker(generator, seed, np.float32(truncation), start), labels)
    parts = filter(None, (walk.title, truncation_text(truncation)))
    return walk._replace(title=", ".join(parts))


@dataclass(frozen=True)
class _Walker:
    """Draws the noise and the images of one system."""

    generator: "Generator"
    seed: int
    truncation: np.float32
    start: np.ndarray | None

    def name(self, label: int) -> str:
        """The name of a class, cut if it is long."""
        if not self.generator.class_conditional:
            return "any digit" if are_digits(self.generator.class_names) else "any class"
        name = self.generator.class_names[label]
        return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"

    def noise(self, label: int, number: int) -> np.ndarray:
        """The noise vector of a class with this number, float32 [entries].

        If a start is given, every even number stands for it.
        """
        if self.start is not None and number % 2 == 0:
            return self.truncation * self.start
        seed = seed_of(self.seed, LATENT, number)
        return self.truncation * self.generator.noise_of(np.array([label]), seed)[0]

    def draw(self, label: int, noise: np.ndarray) -> np.ndarray:
        """Images, uint8 [N, 28, 28], of one class and noise [N, entries]."""
        return self.generator.draw(np.full(len(noise), label), noise.astype(np.float32))


def _arithmetic(walker: _Walker, labels: list[int]) -> Walk:
    """Two noise vectors of each class, their difference, sum and mean, three times."""
    rows, row_labels = [], []
    for label in labels:
        for pair in range(_PAIRS):
            first, second = walker.noise(label, 2 * pair), walker.noise(label, 2 * pair + 1)
            noise = np.stack([first, second, first - second, first + second, (first + second) / 2])
            rows.append(walker.draw(label, noise))
            row_labels.append(walker.name(label))
    first_name = "seed 1" if walker.start is None else "picture"
    column_labels = [first_name, "seed 2", "1 − 2", "1 + 2", "mean"]
    return Walk("latent arithmetic", np.concatenate(rows), column_labels, row_labels)


def _interpolate(walker: _Walker, labels: list[int]) -> Walk:
    """From one noise vector to another, linearly and spherically, and from class to class."""
    fractions = np.linspace(0, 1, _FRAMES)
    rows, row_labels = [], []
    for label in labels:
        first, second = walker.noise(label, 0), walker.noise(label, 1)
        for kind, path in (("linear", lerp), ("spherical", slerp)):
            rows.append(walker.draw(label, path(first, second, fractions)))
            row_labels.append(f"{walker.name(label)} {kind}")
    for first, second in zip(labels, labels[1:], strict=False):
        one_hot = np.eye(len(walker.generator.class_names))
        weights = lerp(one_hot[first], one_hot[second], fractions)
        noise = np.tile(walker.noise(first, 0), (_FRAMES, 1)).astype(np.float32)
        rows.append(walker.generator.draw_blend(weights, noise))
        row_labels.append(f"{walker.name(first)} to {walker.name(second)}")
    return _from_frames("latent interpolation", rows, fractions, row_labels)


def _sweep(walker: _Walker, labels: list[int]) -> Walk:
    """One entry of a class's noise at a time, with the others unchanged."""
    limit = walker.truncation * walker.generator.noise_range
    values = np.linspace(-limit, limit, _FRAMES)
    rows, row_labels = [], []
    for label in labels:
        base = walker.noise(label, 0)
        for entry in range(min(_SWEPT_ENTRIES, len(base))):
            noise = np.tile(base, (_FRAMES, 1))
            noise[:, entry] = values
            rows.append(walker.draw(label, noise))
            text = f"entry {entry}"
            row_labels.append(text if len(labels) == 1 else f"{walker.name(label)}: {text}")
    called = walker.name(labels[0])
    if len(labels) > 1:
        called = f"{len(labels)} {nouns(walker.generator.class_names)}"
    decimals = 1 if walker.truncation == 1 else 2
    return _from_frames(f"single noise entries of {called}", rows, values, row_labels, decimals)


def _from_frames(
    title: str, rows: list[np.ndarray], values: np.ndarray, row_labels: list[str], decimals: int = 1
) -> Walk:
    """A walk of rows [frames, 28, 28] along `values` [frames]; the sheet shows some of them.

    decimals: of the values above the columns.
    """
    shown = np.linspace(0, _FRAMES - 1, _COLUMNS).astype(int)
    column_labels = [f"{values[i]:z.{decimals}f}" for i in shown]  # z: no "-0.0"
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
