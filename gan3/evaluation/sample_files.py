"""Reads the samples of any generator: npz and npy files, and folders of pictures.

Every reader also returns a note, which says how the values were read. What could be read in two
ways is refused: a wrong reading would be scored without anyone noticing.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import cannot_read, check_path, names_in, read_arrays, read_npy
from gan3.data.pictures import border, fit, likely_ink, read_grey, visible
from gan3.data.values import SIDE, read_labels, read_pixels

_MOST_BYTES = 2**30
LOOK_INVERTED = "the borders are bright, but ink is bright in MNIST: are they inverted?"


class SampleFile(NamedTuple):
    """The content of a file or folder of samples."""

    images: np.ndarray  # uint8 [N, 28, 28], ink 255 on background 0
    labels: np.ndarray | None  # int64 [N], 0..K-1: the requested classes; None if there are none
    note: str  # how the values were read


def read(path: Path, class_names: tuple[str, ...] = DIGITS) -> SampleFile:
    """The samples in an npz file, an npy file, or a folder with one sub-folder per class.

    class_names: the K names of the sub-folders; labels in an npz file are 0 to K - 1. Raises
    UserError if they cannot be read, or not in one way only.
    """
    if check_path(path.is_dir):
        return _read_folder(path, class_names)
    labels = None
    if path.suffix.lower() == ".npy":
        images = read_npy(path, _MOST_BYTES)
    else:
        names = ["images", *({"labels"} & names_in(path))]
        arrays = read_arrays(path, names, _MOST_BYTES)
        images = arrays["images"]
        if "labels" in arrays:
            labels = _labels(path, arrays["labels"], len(images), class_names)
    pixels = read_pixels(path, [images])
    note = pixels.text
    if look_inverted(pixels.parts[0]):
        note += f"; NOTE: {LOOK_INVERTED}"
    return SampleFile(pixels.parts[0], labels, note)


def _labels(path: Path, labels: np.ndarray, count: int, class_names: tuple[str, ...]) -> np.ndarray:
    """Labels int64 [N], 0 to K - 1. Raises UserError for others."""
    found = read_labels(path, labels, count)
    if not np.isin(found, range(len(class_names))).all():
        kind = "digit" if class_names == DIGITS else "number"
        raise UserError(
            f"{path}: labels must be one {kind} 0 to {len(class_names) - 1} for each image"
        )
    return found.astype(np.int64)


def look_inverted(pixels: np.ndarray) -> bool:
    """Whether most of the outermost pixels of images [N, 28, 28] are bright."""
    return likely_ink(border(pixels)) == "dark"


def _read_folder(folder: Path, class_names: tuple[str, ...]) -> SampleFile:
    """Pictures of any size and mode, in sub-folders with the names of classes.

    A picture becomes grey by its luminance. One that is not 28 x 28 is padded to a square and
    resized, by the mean over areas if it is larger. If the borders of the pictures are bright, all
    are inverted. Contrast and position stay as they are.
    """
    names = f"{class_names[0]} to {class_names[-1]}"
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        folders = [path for path in entries if path.is_dir()]
        for path in folders:
            if path.name not in class_names:
                raise UserError(
                    f"{path}: name the sub-folders of samples by their"
                    f" {'digits, 0 to 9' if class_names == DIGITS else 'classes, ' + names}"
                )
        files = [
            (file, class_names.index(path.name))
            for path in folders
            for file in sorted(path.iterdir())
            if not file.name.startswith(".")
        ]
    except OSError as error:
        raise cannot_read(error.filename, error) from None
    if not files:
        kind = "digit" if class_names == DIGITS else "class"
        raise UserError(f"{folder}: has no pictures in sub-folders {names}; sort them by {kind}")
    greys = [visible(read_grey(file)) for file, _ in files]
    inverted = likely_ink(np.concatenate([border(grey[None]) for grey in greys])) == "dark"
    if inverted:
        greys = [255 - grey for grey in greys]
    images = np.stack([fit(grey) for grey in greys])
    sizes = {grey.shape for grey in greys}
    height, width = min(sizes)
    note = f"{len(sizes)} sizes" if len(sizes) > 1 else f"{width} x {height} pixels"
    note += ", grey by luminance"
    if sizes != {(SIDE, SIDE)}:
        note += f", resized to {SIDE} x {SIDE}"
    if inverted:
        note += ", inverted because their borders are bright"
    return SampleFile(images, np.array([label for _, label in files], np.int64), note)
