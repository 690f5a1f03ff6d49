"""Reads a set from a folder of pictures: which pictures are in which part, and of which class."""

import csv
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.data.array_files import part_of
from gan3.data.idx import Arrays
from gan3.data.pictures import fit, read_grey, visible
from gan3.data.values import MAX_IMAGES

# fmt: off
_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp",
    ".pbm", ".pgm", ".ppm", ".pnm",
)
# fmt: on
_LABEL_FILES = ("labels.csv", "dataset.json")  # beside pictures: ours, and that of StyleGAN's tools
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")  # what archives and systems leave behind
_MANY = 5_000  # pictures that take a while
_SHOWN = 20  # damaged pictures that are named


class _Listing(NamedTuple):
    """The pictures of one part, sorted by class and name."""

    files: list[Path]
    labels: list[str]  # one for each picture; empty if there are none
    ignored: list[Path]


def has_pictures(folder: Path, depth: int) -> bool:
    """Whether there are pictures in a folder, or in its sub-folders down to a depth."""
    try:
        entries = [path for path in folder.iterdir() if not _is_junk(path)]
        return any(map(_is_picture, entries)) or (
            depth > 0 and any(has_pictures(path, depth - 1) for path in entries if path.is_dir())
        )
    except OSError:
        return False


def read_picture_folder(folder: Path, ink: str, log: Log, skip_damaged: bool = False) -> Arrays:
    """The pictures of a folder, labelled by the names of their folders, as they are stored.

    The folder has one sub-folder for each class; or pictures and a file of labels; or pictures
    alone. Or it has sub-folders such as `train` and `test`, which have one of these. A picture
    becomes grey by its luminance and is fitted to 28 x 28 (`pictures.fit`).

    Args:
        ink: "dark" makes transparent pixels white, "bright" black; "unknown" what shows most.
        skip_damaged: leave out pictures that cannot be read.

    Returns:
        Images uint8 or uint16 [N, 28, 28] and labels as text [N], by kind; without labels if there
        are none, and without a test part if there is none.

    Raises:
        UserError: the folder is built in another way, pictures cannot be
            read, or there are none or more than 400,000.
    """
    listings = {part: _list(path) for part, path in _parts_of(folder, log).items()}
    count = sum(len(listing.files) for listing in listings.values())
    if not listings["train"].files:
        raise UserError(f"{folder}: has no pictures; put them into one sub-folder for each class")
    if count > MAX_IMAGES:
        raise UserError(f"{folder}: {count} pictures; at most {MAX_IMAGES} are supported")
    ignored = [path for listing in listings.values() for path in listing.ignored]
    if ignored:
        rest = f" and {len(ignored) - 1} more" if len(ignored) > 1 else ""
        log(f"NOTE: {folder}: ignored {ignored[0]}{rest}: no picture by its name")
    if count > _MANY:
        log(f"reading {count:,} pictures in {folder}")
    arrays, damaged = {}, []
    for part, listing in listings.items():
        images = [_read(file, ink, damaged) for file in listing.files]
        read = [image is not None for image in images]
        if any(read):
            arrays[f"{part}-images"] = _stacked([image for image in images if image is not None])
            if listing.labels:
                arrays[f"{part}-labels"] = np.array(listing.labels)[read]
    if damaged and not (skip_damaged and "train-images" in arrays):
        raise UserError(_damaged(folder, damaged))
    if damaged:
        log(f"NOTE: {folder}: left out {len(damaged)} damaged pictures, such as {damaged[0]}")
    return arrays


def _stacked(images: list[np.ndarray]) -> np.ndarray:
    """Images of 8 or 16 bits as one array; of both, all have 16."""
    dtype = np.result_type(*images)
    return np.stack([x if x.dtype == dtype else x.astype(dtype) * 257 for x in images])


def _damaged(folder: Path, errors: list[UserError]) -> str:
    if len(errors) == 1:
        return f"{errors[0]}, or leave it out with skip_damaged"
    names = [str(error).partition(": ")[0].removeprefix(f"{folder}/") for error in errors]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"{folder}: {len(names)} pictures cannot be read: {', '.join(names[:_SHOWN])}{more};"
        " replace them, or leave them out with skip_damaged"
    )


def _read(path: Path, ink: str, damaged: list[UserError]) -> np.ndarray | None:
    try:
        greys = read_grey(path)  # transparent pixels are white in the first and black in the last
    except UserError as error:
        damaged.append(error)
        return None
    return fit({"dark": greys[0], "bright": greys[-1]}.get(ink, visible(greys)))


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _JUNK


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file() and not _is_junk(path)


def sub_folders(folder: Path) -> list[Path]:
    """The sub-folders of a folder. Raises OSError."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_junk(path))


def _parts_of(folder: Path, log: Log) -> dict[str, Path]:
    """The folders of the training part and the test part; the folder itself if it has no parts."""
    folders = sub_folders(folder)
    parts: dict[str, Path] = {}
    others = []
    for path in folders:
        part = part_of(path.name)
        if part is None or part in parts:
            others.append(path)
        else:
            parts[part] = path
    train = parts.get("train")
    if train is None or not (sub_folders(train) or label_file(train) or len(parts) > 1):
        return {"train": folder}  # a class can be called train
    if others:
        raise UserError(
            f"{others[0]}: beside the folders train and test; move it away, or into both"
        )
    test = parts.get("t10k", parts.get("val"))
    if test is not None and (train.name, test.name, len(parts)) != ("train", "test", 2):
        left_out = f"; {parts['val'].name} is left out" if len(parts) == 3 else ""
        log(f"{folder}: trains on {train.name}, holds out {test.name}{left_out}")
    return {"train": train} if test is None else {"train": train, "t10k": test}


def label_file(folder: Path) -> Path | None:
    """The file that has the labels of the pictures in a folder; None if there is none."""
    files = (folder / name for name in _LABEL_FILES)
    return next((file for file in files if file.is_file()), None)


def _list(folder: Path) -> _Listing:
    """The pictures of a part. Raises UserError for a layout in which their classes are unclear."""
    listing = _Listing([], [], [])
    file = label_file(folder)
    if file is not None:
        for name, label in _labels_in(file):
            listing.files.append(_inside(folder, name, file))
            listing.labels.append(label)
        return listing
    flat = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not _is_junk(path):
            _list_class(path, listing)
        else:
            (flat if _is_picture(path) else listing.ignored).append(path)
    if flat and listing.files:
        raise UserError(
            f"{flat[0]}: a picture beside the folders of the classes; move it into one of them"
        )
    return listing._replace(files=listing.files or flat)


def _list_class(folder: Path, listing: _Listing) -> None:
    for file in sorted(folder.iterdir()):
        if file.is_dir() and not _is_junk(file):
            raise UserError(f"{file}: a folder inside of a class; move its pictures up")
        if _is_picture(file):
            listing.files.append(file)
            listing.labels.append(folder.name)
        else:
            listing.ignored.append(file)


def _labels_in(file: Path) -> list[tuple[str, str]]:
    """Sorted names and labels: rows of a CSV file, or {"labels": [[name, label], …]}."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".json":
            rows = json.loads(text)["labels"]
        else:
            rows = [row for row in csv.reader(text.splitlines()) if row]
            if Path(rows[0][0]).suffix.lower() not in _SUFFIXES:
                del rows[0]  # the header
        return sorted((str(row[0]), str(row[1])) for row in rows)
    except (csv.Error, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise UserError(
            f"{file}: has no pairs of a picture and its label; write such pairs"
        ) from None


def _inside(folder: Path, name: str, file: Path) -> Path:
    """The picture of this name. Raises UserError if there is none inside of the folder."""
    path = folder / name
    is_inside = not Path(name).is_absolute() and ".." not in Path(name).parts
    if not (is_inside and path.suffix.lower() in _SUFFIXES and path.is_file()):
        raise UserError(f"{file}: names {name[:60]!r}, which is no picture there; remove its row")
    return path
