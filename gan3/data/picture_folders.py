"""Reads a user's own set from a folder with one sub-folder of pictures for each class."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.data.idx import Arrays
from gan3.data.pictures import border, fit, likely_ink, read_grey, unknown_ink, visible
from gan3.data.values import MAX_IMAGES

# fmt: off
_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp",
    ".pbm", ".pgm", ".ppm", ".pnm",
)
# fmt: on
_LOOKED_AT = 300  # pictures from which the ink is guessed, for a message
_MANY = 5_000  # pictures that take a while


class _Listing(NamedTuple):
    """The pictures of one part, sorted by class and name."""

    files: list[Path]
    labels: list[str]  # the names of their folders
    skipped: list[Path]  # what is no picture by its name


def has_class_folders(folder: Path) -> bool:
    """Whether a folder looks like a set: at least two sub-folders have pictures, or train/ has."""
    try:
        folders = _folders_in(folder)
        if any(path.name == "train" and _folders_in(path) for path in folders):
            return True
        return sum(any(map(_is_picture, path.iterdir())) for path in folders) >= 2
    except OSError:
        return False


def read_picture_folder(folder: Path, ink: str, log: Log) -> Arrays:
    """The pictures of a folder, with bright ink, labelled by the names of their folders.

    The folder has one sub-folder for each class, or `train` and `test` with these sub-folders.
    Hidden files are ignored; files without the suffix of a picture are counted in a note. A picture
    becomes grey by its luminance and is fitted to 28 x 28 (`pictures.fit`). Where it is
    transparent it becomes background: white if the ink is dark, black if it is bright.

    Args:
        ink: "bright" or "dark", or "unknown", which is an error that says what it looks like.

    Returns:
        Images uint8 [N, 28, 28] and labels as text [N], by kind; without a test part if there is
        no folder `test`.

    Raises:
        UserError: the folder cannot be searched, it is built in another way, a picture cannot be
            read, or there are none or more than 400,000.
    """
    try:
        parts = _parts_of(folder)
        listings = {part: _list(path) for part, path in parts.items()}
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{error.filename or folder}: cannot be searched ({reason}); check its permissions"
        ) from None
    files = [file for listing in listings.values() for file in listing.files]
    if not listings["train"].files:
        raise UserError(f"{folder}: has no pictures in sub-folders; make one for each class")
    if len(files) > MAX_IMAGES:
        raise UserError(f"{folder}: {len(files)} pictures; at most {MAX_IMAGES} are supported")
    if ink == "unknown":
        raise unknown_ink(folder, _likely_ink(files))
    skipped = [path for listing in listings.values() for path in listing.skipped]
    if skipped:
        log(f"NOTE: {folder}: {len(skipped)} files are no pictures by name, such as {skipped[0]}")
    if len(files) > _MANY:
        log(f"reading {len(files):,} pictures in {folder}")
    arrays = {}
    for part, listing in listings.items():
        if listing.files:
            kind = "train" if part == "train" else "t10k"
            arrays[f"{kind}-images"] = np.stack([_read(file, ink) for file in listing.files])
            arrays[f"{kind}-labels"] = np.array(listing.labels)
    return arrays


def _folders_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file() and not path.name.startswith(".")


def _parts_of(folder: Path) -> dict[str, Path]:
    """The folders that have the folders of the classes, by part."""
    folders = {path.name: path for path in _folders_in(folder)}
    if "train" not in folders or not _folders_in(folders["train"]):
        return {"train": folder}
    others = sorted(set(folders) - {"train", "test"})
    if others:
        raise UserError(
            f"{folders[others[0]]}: beside the folders train and test; move it away, or into both"
        )
    return folders


def _list(folder: Path) -> _Listing:
    """The pictures in the folders of the classes.

    Raises UserError for folders inside of those, and for pictures beside them.
    """
    listing = _Listing([], [], [])
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if _is_picture(path):
            raise UserError(
                f"{path}: a picture beside the folders of the classes; move it into one of them"
            )
        if not path.is_dir():
            listing.skipped.append(path)
            continue
        for file in sorted(path.iterdir()):
            if file.name.startswith("."):
                continue
            if file.is_dir():
                raise UserError(f"{file}: a folder inside of a class; move its pictures up")
            if _is_picture(file):
                listing.files.append(file)
                listing.labels.append(path.name)
            else:
                listing.skipped.append(file)
    return listing


def _read(path: Path, ink: str) -> np.ndarray:
    greys = read_grey(path)  # transparent pixels are white in the first and black in the last
    return fit(255 - greys[0]) if ink == "dark" else fit(greys[-1])


def _likely_ink(files: list[Path]) -> str:
    some = files[:: -(-len(files) // _LOOKED_AT)]
    return likely_ink(np.concatenate([border(visible(read_grey(file))[None]) for file in some]))
