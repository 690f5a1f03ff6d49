"""What the values of an array mean: the pixels of images, or the labels of their classes.

Every reader of files and folders ends here, and so do the arrays that a program passes, so the same
shapes, ranges and labels are read everywhere, and refused with the same message.
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.core.arguments import as_array, as_path
from gan3.core.errors import UserError, shown

SIDE = 28  # pixels of every image that is trained on
MIN_IMAGES, MAX_IMAGES = 50, 400_000  # in one part of a set; 400,000 take 314 MB
TOLERANCE = 1e-3  # how far rounding may take a float out of its range
SHAPES = "[N, 28, 28], [N, 784], [N, 28, 28, 1], [N, 1, 28, 28] or with 3 channels for RGB"
RANGES = "0..255, 0..65535 as uint16, booleans, and floats in 0..1 or -1..1"
_LUMINANCE = (0.299, 0.587, 0.114)  # weights: red, green and blue, as in pictures
_FAR = 0.25  # a brightest pixel below this fraction of the top is far from it
_MOST_MINUS_ONE = -0.5  # floats from at most here are in -1..1


class Pixels(NamedTuple):
    """Images as uint8, and what their values were taken for."""

    parts: list[np.ndarray]  # uint8 [N, 28, 28] each
    text: str  # the range that was found, and how it was read
    is_scaled: bool  # whether the brightest pixel was far from the top, which is worth a note


def read_pixels(source: Path | str, parts: Sequence[np.ndarray]) -> Pixels:
    """The pixels of the parts of one set, read in one way.

    Each part has one of `SHAPES`; colours become luminance. The range is one of `RANGES`, by the
    dtype and the values: whole floats above 1 count as integers, and integers of any dtype as
    uint8 or uint16. Where the brightest pixel is below a quarter of the top, it becomes the top:
    pictures of 12 bits in 16, or masks of 0 and 1.

    Raises UserError, which begins with `source`, for other shapes and ranges, and if all pixels
    are equal.
    """
    return read_levels(source, [_grey(source, part) for part in parts])


def read_levels(source: Path | str, greys: Sequence[np.ndarray]) -> Pixels:
    """`read_pixels` for grey levels of any shape."""
    dtypes = {grey.dtype for grey in greys}
    if len(dtypes) > 1:
        both = " and ".join(sorted(map(str, dtypes)))
        raise UserError(f"{source}: images are {both}; store all parts in one of them")
    low = float(np.min([grey.min() for grey in greys]))  # NaN if one has any
    high = float(np.max([grey.max() for grey in greys]))
    found = f"{greys[0].dtype} from {low:.6g} to {high:.6g}"
    bottom, top = _range(greys, low, high) or (0, 0)
    if bottom == top:
        raise UserError(f"{source}: {found}; scale the images to one of {RANGES}")
    if low == high:
        raise UserError(f"{source}: {found}, so nothing is to be seen; store other images")
    is_scaled = high - bottom < _FAR * (top - bottom)
    text = f"{found}, read as {bottom}..{top}"
    if is_scaled:
        text = f"{found}, far from {top}; scaled so that {high:.6g} is full brightness"
        top = high
    return Pixels([_scaled(grey, bottom, top) for grey in greys], text, is_scaled)


def _grey(source: Path | str, images: np.ndarray) -> np.ndarray:
    """Images of any accepted shape as [N, 28, 28] of the same dtype."""
    shape = images.shape
    if images.dtype.kind not in "buif":
        raise UserError(f"{source}: images are {images.dtype}; store {RANGES}")
    if shape[1:] == (SIDE * SIDE,):
        images = images.reshape(-1, SIDE, SIDE)
    elif shape[1:] in ((1, SIDE, SIDE), (3, SIDE, SIDE)):
        images = np.moveaxis(images, 1, 3)
    if images.shape[1:] not in ((SIDE, SIDE), (SIDE, SIDE, 1), (SIDE, SIDE, 3)):
        raise UserError(
            f"{source}: images have the shape {shape}; store {SHAPES}, or picture files"
        )
    if not len(images):
        raise UserError(f"{source}: has no images; add some")
    if images.ndim == 3:
        return images
    if images.shape[3] == 1:
        return images[..., 0]
    grey = np.zeros(images.shape[:3], np.float32)
    for channel, weight in enumerate(_LUMINANCE):
        grey += np.float32(weight) * images[..., channel]
    return grey if images.dtype.kind == "f" else np.rint(grey).astype(images.dtype)


def _range(greys: Sequence[np.ndarray], low: float, high: float) -> tuple[int, int] | None:
    """The values that stand for 0 and 255, None if they cannot be told."""
    dtype = greys[0].dtype
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f" and high <= 1 + TOLERANCE:
        if low >= -TOLERANCE:
            return 0, 1
        return (-1, 1) if -1 - TOLERANCE <= low <= _MOST_MINUS_ONE else None
    in_range = 0 <= low <= high <= 65535  # false if one is not a number
    if not in_range or (dtype.kind == "f" and not all(map(_are_whole, greys))):
        return None
    return 0, 65535 if dtype == np.uint16 or high > 255 else 255


def _are_whole(array: np.ndarray) -> bool:
    return bool((array == np.rint(array)).all())


def _scaled(grey: np.ndarray, bottom: float, top: float) -> np.ndarray:
    if (bottom, top) == (0, 255):
        return grey.astype(np.uint8, copy=False)
    fractions = (grey.astype(np.float32) - np.float32(bottom)) / np.float32(top - bottom)
    return to_pixels(fractions.clip(0, 1))


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images of any shape in 0..1 to uint8 pixels, rounded. Raises ValueError outside 0..1."""
    if not (np.all(images >= 0) and np.all(images <= 1)):
        raise ValueError("images must be finite and in 0..1")
    return np.floor(images * 255.0 + 0.5).astype(np.uint8)


def read_labels(source: Path | str, labels: Any, count: int) -> np.ndarray:
    """One label for each of `count` images: integers or text, [N].

    labels: whole numbers of any dtype, also in one column, one-hot rows, text, or bytes of UTF-8.
    Raises UserError, which begins with `source`, for anything else.
    """
    found = np.asarray(labels)
    array = found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
    if array.dtype == object and all(isinstance(label, str) for label in array.flat):
        array = array.astype(str)
    try:
        if array.dtype.kind == "S":
            array = np.char.decode(array, "utf-8")
        array.tolist()  # NumPy takes any four bytes of a file for a character
        array = np.char.strip(array) if array.dtype.kind == "U" else array
    except (SystemError, ValueError):
        raise UserError(f"{source}: labels are not Unicode; store text in UTF-8") from None
    if array.ndim == 2 and array.dtype.kind in "buif":
        is_one_hot = ((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all()
        array = array.argmax(axis=1) if is_one_hot else array
    if array.dtype.kind == "f" and abs(array).max(initial=0) < 2**53 and _are_whole(array):
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "buiU":
        raise UserError(
            f"{source}: labels are {found.dtype} of shape {found.shape}; store one for each image:"
            " a whole number, text, or a one-hot row"
        )
    if len(array) != count:
        raise UserError(f"{source}: {len(array)} labels for {count} images; store one for each")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def as_images(images: Any) -> np.ndarray:
    """Images as uint8 [N, 28, 28]; a Python warning says if they were scaled.

    Raises UserError for what `read_pixels` does not read.
    """
    found = as_pixels(images)
    if found.is_scaled:
        warnings.warn(f"images: {found.text}", stacklevel=2)
    return found.parts[0]


def as_pixels(images: Any) -> Pixels:
    """Images as uint8 [N, 28, 28], and how their values were read. Raises as `as_images` does."""
    return read_pixels("images", [as_array(images, "images")])


def as_data(data: Any) -> str | dict[str, np.ndarray] | None:
    """The path of a data set as text, or its arrays by kind; None for None.

    data: a path; images and labels, which can be None; or two such pairs, for training and for the
    test, as the data sets of Keras are loaded. Raises UserError for anything else.
    """
    if data is None or isinstance(data, str | os.PathLike):
        return None if data is None else str(as_path(data, "data"))
    parts = data if _is_pair(data) and all(map(_is_pair, data)) else (data,)
    if not all(map(_is_pair, parts)):
        raise UserError(f"data {shown(data)}: use a path, (images, labels), or two such pairs")
    arrays = {}
    try:
        for part, (images, labels) in zip(("train", "t10k"), parts, strict=False):
            arrays[f"{part}-images"] = np.asarray(images)
            if labels is not None:
                arrays[f"{part}-labels"] = np.asarray(labels)
    except (TypeError, ValueError):  # rows of different lengths
        raise UserError("data: images or labels are no arrays; use NumPy arrays") from None
    return arrays


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2
