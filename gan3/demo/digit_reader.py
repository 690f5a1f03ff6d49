"""Reads a picture of one digit, such as a scan or a photo, and normalises it as MNIST does.

page/picture.js does the same on the web page, step by step.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gan3.core.classes import are_digits
from gan3.core.errors import UserError
from gan3.core.values import read_levels
from gan3.data import sample_files
from gan3.data.pictures import border, read_grey
from gan3.plots.numbers import FAINT

_DIGIT_SIDE = 20  # pixels of the 28 that the longer side of a digit has in MNIST
_LONGEST = 280  # pixels of the longer side of a picture; a larger one is scaled down first


def read_picture(path: Path, one_part: bool = False) -> np.ndarray:
    """A picture of one digit in MNIST's format: uint8 [28, 28], ink 255 on background 0.

    The picture may have any size, be dark on light or light on dark, and be lit unevenly. The ink
    is what differs most from the paper around it, without lines from edge to edge and without
    specks. It is scaled to 255, because a thin or pale pen would hardly be visible otherwise, and
    to fit 20 x 20, and placed with its centre of mass at (14, 14), as in MNIST. A picture of
    28 x 28 is only freed from the grey of its paper, the median of its border, and scaled to 255.

    Args:
        one_part: refuse two parts of about the same height side by side.

    Raises UserError if the file is missing, is not a picture, has an unsupported size, is blank or
    has nothing but lines or specks.
    """
    inks = [_ink(_eight_bits(path, grey)) for grey in read_grey(path)]
    # White ink may be on a transparent background; on a white one it is not to be seen.
    ink = next((ink for ink in inks if ink.max() > FAINT), inks[0])
    if ink.max() <= FAINT:
        raise UserError(f"{path}: the picture is blank; use one with a digit in it")
    if ink.shape == (28, 28):
        return _to_full_ink(ink)
    ink, are_several = _cleaned(ink)
    if not ink.any():
        raise UserError(f"{path}: has only lines or specks; crop the picture to its digit")
    if are_several and one_part:
        raise UserError(f"{path}: shows more than one digit; crop the picture to one")
    return _centre(_scale(ink))


def read_files(files: Iterable[str], class_names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The images of pictures of one digit or class each, and of files and folders of many.

    Returns the name of each image and the images, uint8 [N, 28, 28]. Raises UserError as
    `read_picture` and `sample_files.read` do.
    """
    names, images = [], []
    for file in files:
        if sample_files.holds_many(Path(file)):
            images.append(sample_files.read(Path(file), class_names=None).images)
            names += [f"{file}[{number}]" for number in range(len(images[-1]))]
        else:
            images.append(read_picture(Path(file), one_part=are_digits(class_names))[None])
            names.append(file)
    return names, np.concatenate(images)


def _eight_bits(path: Path, grey: np.ndarray) -> np.ndarray:
    """Levels of 16 bits, and masks of 0 and 1, as uint8 by the rule that all readers have."""
    if not np.ptp(grey):
        return np.zeros(grey.shape, np.uint8)
    if grey.dtype == np.uint8 and grey.max() > 1:
        return grey
    return read_levels(path, [grey]).parts[0]


def _ink(grey: np.ndarray) -> np.ndarray:
    """The distance of each pixel from the paper around it, on the side where the ink is; else 0."""
    edge = np.sort(border(grey[None])).astype(int)
    quarter = len(edge) // 4
    is_dark = edge[quarter] - grey.min() > grey.max() - edge[-quarter - 1]
    if is_dark:
        grey = 255 - grey
    if max(grey.shape) > _LONGEST:
        grey = _resize(grey, _LONGEST)
    if grey.shape == (28, 28):
        return (grey - np.floor(np.median(border(grey[None])))).clip(0).astype(np.uint8)
    # The paper is the brightest that squares of this side can be, because ink is narrower.
    side = max(grey.shape) // 3 | 1
    paper = _filter(_filter(grey, side, np.minimum), side, np.maximum).astype(int)
    above = grey - paper
    if is_dark and above.max() > FAINT:  # ink is less below paper in the shadow than in the light
        above = 255 * above // (255 - paper).clip(1)
    noise = np.sort(above, axis=None)[above.size // 4]  # a quarter is paper in every picture
    return (above - 2 * noise).clip(0).astype(np.uint8)


def _filter(levels: np.ndarray, side: int, extreme: np.ufunc) -> np.ndarray:
    """The extreme, np.minimum or np.maximum, of the square of this odd side around each pixel."""
    return _filter_columns(_filter_columns(levels, side, extreme).T, side, extreme).T


def _filter_columns(levels: np.ndarray, side: int, extreme: np.ufunc) -> np.ndarray:
    levels = np.pad(levels, [(side // 2, side // 2), (0, 0)], mode="edge")
    length = 1  # windows so long have known extremes
    while length < side:
        step = min(length, side - length)
        levels = extreme(levels[:-step], levels[step:])
        length += step
    return levels


def _cleaned(ink: np.ndarray) -> tuple[np.ndarray, bool]:
    """The ink without lines and specks, and whether it has several parts side by side."""
    strong = ink > ink.max() // 3
    run = max(ink.shape) // 8 | 1
    for _ in ("vertical", "horizontal"):  # lines of squared and ruled paper
        runs = _filter_columns(_filter_columns(strong, run, np.minimum), run, np.maximum)
        labels = _parts(_filter(runs, 3, np.maximum))
        both = np.intersect1d(labels[0], labels[-1])
        strong = (strong & ~np.isin(labels, both[both > 0])).T
    labels = _parts(_filter(strong, max(ink.shape) // 28 | 1, np.maximum)) * strong
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    sizes[sizes < max(ink.shape) // 14] = 0
    kept = np.flatnonzero(sizes > sizes.max() // 20)
    inside = np.setdiff1d(kept, border(labels[None]))
    if sizes.argmax() in inside:
        kept = inside  # what reaches the picture's edge is a shadow, or the table
    places = [np.where(labels == part) for part in kept]
    tallest = max((np.ptp(rows) for rows, _ in places), default=0)
    high = [columns for rows, columns in places if np.ptp(rows) > tallest // 2]
    extents = sorted((columns.min(), columns.max()) for columns in high)
    are_several = any(left[1] < right[0] for left, right in pairwise(extents))
    # Faint ink counts next to strong ink.
    return ink * _filter(np.isin(labels, kept), 5, np.maximum), are_several


def _parts(mask: np.ndarray) -> np.ndarray:
    """A number for each connected part of a mask, at its pixels; 0 elsewhere."""
    image = Image.fromarray(mask.astype(np.int32))
    for number, (row, column) in enumerate(np.argwhere(mask).tolist(), start=2):
        if image.getpixel((column, row)) == 1:
            ImageDraw.floodfill(image, (column, row), number)
    return np.asarray(image)


def _to_full_ink(ink: np.ndarray) -> np.ndarray:
    return np.rint(ink * (255 / ink.max())).astype(np.uint8)


def _scale(ink: np.ndarray) -> np.ndarray:
    """The part of a picture that has ink, scaled to fit 20 x 20."""
    rows, columns = np.where(ink > FAINT)
    crop = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return _resize(crop, _DIGIT_SIDE).astype(float)


def _resize(grey: np.ndarray, longest: int) -> np.ndarray:
    scale = longest / max(grey.shape)
    size = [max(1, round(side * scale)) for side in reversed(grey.shape)]
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


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
