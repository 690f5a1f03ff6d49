"""Reads a picture of one digit, such as a scan or a photo, and normalises it as MNIST does."""

from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data.pictures import border, read_grey
from gan3.data.values import read_levels
from gan3.plots.numbers import FAINT

_DIGIT_SIDE = 20  # pixels of the 28 that the longer side of a digit has in MNIST


def read_picture(path: Path) -> np.ndarray:
    """A picture of one digit in MNIST's format: uint8 [28, 28], ink 255 on background 0.

    The picture may have any size, and be dark on light or light on dark. The background is the
    median of the border, after light from one side has been evened out; the ink is what differs
    from it most. It is scaled to 255, because a thin or pale pen would hardly be visible otherwise.
    Unless the picture is 28 x 28 already, the ink is scaled to fit 20 x 20 and placed with its
    centre of mass at (14, 14), as in MNIST.

    Raises UserError if the file is missing, is not a picture, has an unsupported size, is blank or
    has nothing but specks.
    """
    inks = [_ink(_eight_bits(path, grey)) for grey in read_grey(path)]
    # White ink may be on a transparent background; on a white one it is not to be seen.
    ink = next((ink for ink in inks if ink.max() > FAINT), inks[0])
    if ink.max() <= FAINT:
        raise UserError(f"{path}: the picture is blank; use one with a digit in it")
    if ink.shape == (28, 28):
        return _to_full_ink(ink)
    small = _scale(ink)
    if not small.any():
        raise UserError(f"{path}: has only specks; crop the picture to its digit")
    return _centre(small)


def _eight_bits(path: Path, grey: np.ndarray) -> np.ndarray:
    """Levels of 16 bits, and masks of 0 and 1, as uint8 by the rule that all readers have."""
    if not np.ptp(grey):
        return np.zeros(grey.shape, np.uint8)
    if grey.dtype == np.uint8 and grey.max() > 1:
        return grey
    return read_levels(path, [grey]).parts[0]


def _ink(grey: np.ndarray) -> np.ndarray:
    """The distance of each pixel from the background, on the side where the ink is; else 0."""
    levels = _without_shading(grey.astype(np.int16))
    background = int(np.median(border(levels[None])))
    levels -= background
    if -levels.min() > levels.max():  # dark on light
        levels = -levels
    return levels.clip(0, 255).astype(np.uint8)


def _without_shading(levels: np.ndarray) -> np.ndarray:
    """Levels [height, width] on paper that is as bright at each side, if light fell on one side.

    The shade is taken for a plane through the medians of opposite sides of the picture.
    """
    height, width = levels.shape
    down = np.median(levels[-1]) - np.median(levels[0])
    right = np.median(levels[:, -1]) - np.median(levels[:, 0])
    if max(abs(down), abs(right)) <= FAINT:
        return levels
    rows, columns = np.linspace(-0.5, 0.5, height), np.linspace(-0.5, 0.5, width)
    return np.rint(levels - down * rows[:, None] - right * columns).astype(np.int16)


def _to_full_ink(ink: np.ndarray) -> np.ndarray:
    return np.rint(ink * (255 / ink.max())).astype(np.uint8)


def _scale(ink: np.ndarray) -> np.ndarray:
    """The part of a picture that has ink, scaled to fit 20 x 20."""
    rows, columns = np.where(ink > FAINT)
    crop = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = _DIGIT_SIDE / max(crop.shape)
    size = [max(1, round(side * scale)) for side in reversed(crop.shape)]
    return np.asarray(Image.fromarray(crop).resize(size, Image.Resampling.BOX)).astype(float)


def _centre(small: np.ndarray) -> np.ndarray:
    """Ink of at most 20 x 20 with its centre of mass in the middle: uint8 [28, 28]."""
    height, width = small.shape
    mass = small.sum()
    top = round(14 - (small.sum(axis=1) * np.arange(height)).sum() / mass)
    left = round(14 - (small.sum(axis=0) * np.arange(width)).sum() / mass)
    top, left = np.clip(top, 0, 28 - height), np.clip(left, 0, 28 - width)
    digit = np.zeros((28, 28), np.uint8)
    digit[top : top + height, left : left + width] = _to_full_ink(small)
    return digit
