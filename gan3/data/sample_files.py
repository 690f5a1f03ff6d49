"""The samples of any generator, from files and folders of any kind that a data set can have.

Each reading has a note, which says how the values were read. What could be read in two ways is
refused: a wrong reading would be scored without anyone noticing.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.core.arguments import as_labels
from gan3.core.classes import DIGITS, UNLABELLED
from gan3.core.values import read_labels, read_pixels
from gan3.data.own_sets import find, read_stored
from gan3.data.pictures import likely_ink

INVERTED = "inverted because their borders are bright"


class SampleFile(NamedTuple):
    """The content of a file or folder of samples."""

    images: np.ndarray  # uint8 [N, 28, 28], ink 255 on background 0
    labels: np.ndarray | None  # int64 [N], 0..K-1: the requested classes; None if there are none
    note: str  # how the values were read


def holds_many(path: Path) -> bool:
    """Whether a path is a file or folder of images, and not one picture, which may be missing."""
    return path.is_dir() or find(path)[0] is not None


def read(
    path: Path, class_names: tuple[str, ...] | None = DIGITS, skip_damaged: bool = False
) -> SampleFile:
    """The samples at a path. If most of the outermost pixels are bright, all are inverted.

    class_names: the K names that labels as text have; labels as integers are 0 to K - 1. None or
    `UNLABELLED` to ignore labels. skip_damaged: leave out pictures that cannot be read. Raises
    UserError if the samples cannot be read, or not in one way only.
    """
    notes: list[str] = []
    arrays = read_stored(path, "unknown", notes.append, skip_damaged).arrays
    found = read_pixels(path, [arrays["train-images"]])
    (pixels,) = found.parts
    notes.append(found.text)
    labels = None
    if class_names not in (None, UNLABELLED) and "train-labels" in arrays:
        labels = labels_of(path, arrays["train-labels"], len(pixels), class_names)
    if likely_ink(pixels) == "dark":
        pixels = 255 - pixels
        notes.append(INVERTED)
    return SampleFile(pixels, labels, "; ".join(notes))


def labels_of(
    source: Path | str, labels: Any, count: int, class_names: tuple[str, ...]
) -> np.ndarray:
    """Labels of `count` images as int64 [N], 0 to K - 1: names as text, or these numbers.

    Raises UserError, which begins with `source`, for others, and for what `read_labels` refuses.
    """
    return as_labels(read_labels(source, labels, count), class_names, name=f"{source}: labels")
