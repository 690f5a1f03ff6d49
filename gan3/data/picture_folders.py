"""Reads a set from a folder of pictures: which pictures are in which part, and of which class."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.core.values import MAX_IMAGES
from gan3.data.array_files import label_column, part_of
from gan3.data.idx import Arrays
from gan3.data.pictures import fit, read_grey, visible

_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
_SUFFIXES += (".pbm", ".pgm", ".ppm", ".pnm")
_LABEL_FILES = ("labels.csv", "dataset.json")  # beside pictures: ours, and that of StyleGAN's tools
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")  # what archives and systems leave behind
_MANY = 5_000  # pictures that take a while
_SKIP = "in training and scoring skip_damaged leaves out such pictures"
_SHOWN = 20  # damaged pictures that are named


def has_pictures(folder: Path, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns, such as "*/*", finds a picture in a folder."""
    for path in (path for pattern in patterns for path in folder.glob(pattern)):
        if _is_picture(path) and not any(map(_is_junk, path.relative_to(folder).parts)):
            return True
    return False


def read_picture_folder(folder: Path, ink: str, log: Log, skip_damaged: bool = False) -> Arrays:
    """The pictures of a folder by kind: uint8 or uint16 [N, 28, 28], and labels as text [N].

    The folder has one sub-folder for each class; or pictures and a file of labels; or pictures
    alone, which have no labels. Or it has sub-folders such as `train` and `test` that have one of
    these. A picture becomes grey by its luminance and is fitted to 28 x 28 (`pictures.fit`).

    ink: "dark" makes transparent pixels white, "bright" black; "unknown" what shows most.
    skip_damaged: leave out pictures that cannot be read. Raises UserError if the folder is built in
    another way, pictures cannot be read, or there are none or more than 400,000.
    """
    ignored: list[Path] = []
    listings = {part: _list(path, ignored) for part, path in _parts_of(folder, log).items()}
    count = sum(len(files) for files, _ in listings.values())
    if not listings["train"][0]:
        raise UserError(f"{folder}: has no pictures; put them into one sub-folder for each class")
    if count > MAX_IMAGES:
        raise UserError(f"{folder}: {count} pictures; at most {MAX_IMAGES} are supported")
    if ignored:
        rest = f" and {len(ignored) - 1} more" if len(ignored) > 1 else ""
        log(f"NOTE: {folder}: ignored {ignored[0]}{rest}: no picture by its name, or no label")
    if count > _MANY:
        log(f"reading {count:,} pictures in {folder}")
    arrays, damaged = {}, []
    for part, (files, labels) in listings.items():
        read = [_read(file, ink, damaged) for file in files]
        is_read = [image is not None for image in read]
        if any(is_read):
            arrays[f"{part}-images"] = _stacked([image for image in read if image is not None])
            if labels:
                arrays[f"{part}-labels"] = np.array(labels)[is_read]
    if damaged and not (skip_damaged and "train-images" in arrays):
        raise _damaged(folder, damaged)
    if damaged:
        log(f"NOTE: {folder}: left out {len(damaged)} damaged pictures, such as {damaged[0]}")
    return arrays


def _stacked(images: list[np.ndarray]) -> np.ndarray:
    """Images of 8 or 16 bits as one array; of both, all have 16."""
    dtype = np.result_type(*images)
    return np.stack([x if x.dtype == dtype else x.astype(dtype) * 257 for x in images])


def _damaged(folder: Path, errors: list[UserError]) -> UserError:
    """The error for pictures that cannot be read, with the reason if it is one."""
    if len(errors) == 1:
        return UserError(f"{errors[0]}, or remove it; {_SKIP}")
    names = [str(error).partition(": ")[0].removeprefix(f"{folder}/") for error in errors]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return UserError(
        f"{folder}: {len(names)} pictures cannot be read: {', '.join(names[:_SHOWN])}{more};"
        f" replace or remove them; {_SKIP}"
    )


def _read(path: Path, ink: str, damaged: list[UserError]) -> np.ndarray | None:
    try:
        greys = read_grey(path)  # transparent pixels are white in the first and black in the last
    except UserError as error:
        damaged.append(error)
        return None
    return fit({"dark": greys[0], "bright": greys[-1]}.get(ink, visible(greys)))


def _is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file() and not _is_junk(path.name)


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_junk(path.name))


def _parts_of(folder: Path, log: Log) -> dict[str, Path]:
    """The folders of the training part and the test part; the folder itself if it has no parts."""
    folders = _sub_folders(folder)
    parts = {part: path for path in reversed(folders) if (part := part_of(path.name))}
    train, test = parts.get("train"), parts.get("t10k", parts.get("val"))
    if train is None or not (test or _sub_folders(train) or label_file(train)):
        return {"train": folder}  # a class can be called train
    others = [path for path in folders if path not in parts.values()]
    if others:
        raise UserError(
            f"{others[0]}: beside the folders train and test; move it away, or into both"
        )
    if test is None:
        return {"train": train}
    if (train.name, test.name, len(parts)) != ("train", "test", 2):
        left_out = f"; {parts['val'].name} is left out" if len(parts) == 3 else ""
        log(f"{folder}: trains on {train.name}, holds out {test.name}{left_out}")
    return {"train": train, "t10k": test}


def label_file(folder: Path) -> Path | None:
    """The file that has the labels of the pictures in a folder; None if there is none."""
    files = (folder / name for name in _LABEL_FILES)
    return next((file for file in files if file.is_file()), None)


def _list(folder: Path, ignored: list[Path]) -> tuple[list[Path], list[str]]:
    """The pictures of a part, sorted by class and name, and their labels; [] if they have none.

    Raises UserError for a layout in which their classes are unclear. Other files are `ignored`.
    """
    file = label_file(folder)
    if file is not None:
        pairs = _labels_in(file)
        files = [folder / name for name, _ in pairs]
        for path, (name, _) in zip(files, pairs, strict=True):
            if not _is_picture(path):
                raise UserError(
                    f"{file}: names {name[:60]!r}, which is no picture there; remove its row"
                )
        if twice := [path for path, count in Counter(files).items() if count > 1]:
            raise UserError(f"{file}: names {twice[0]} twice; remove one of its rows")
        ignored += sorted({path for path in folder.rglob("*") if _is_picture(path)} - {*files})
        return files, [label for _, label in pairs]
    flat, files, labels = _pictures_in(folder, ignored), [], []
    for path in _sub_folders(folder):
        if folders := _sub_folders(path):
            raise UserError(f"{folders[0]}: a folder inside of a class; move its pictures up")
        pictures = _pictures_in(path, ignored)
        files += pictures
        labels += [path.name] * len(pictures)
    if flat and files:
        raise UserError(
            f"{flat[0]}: a picture beside the folders of the classes; move it into one of them"
        )
    return files or flat, labels


def _pictures_in(folder: Path, ignored: list[Path]) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if _is_junk(path.name) or not path.is_dir())
    ignored += [path for path in paths if not _is_picture(path)]
    return [path for path in paths if _is_picture(path)]


def _labels_in(file: Path) -> list[tuple[str, str]]:
    """Sorted names and labels: rows of a CSV file, or {"labels": [[name, label], …]}.

    In a CSV file of more than two columns a header names that of the labels.
    """
    picture, label = 0, 1
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".json":
            rows = json.loads(text)["labels"]
        else:
            rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
            header = [] if any(map(_names_picture, rows[0])) else [c.lower() for c in rows.pop(0)]
            picture = list(map(_names_picture, rows[0])).index(True)
            if header:
                header[picture] = ""  # whatever it is called
            label = label_column(header)
            if label is None:
                (label,) = {*range(len(rows[0]))} - {picture}  # the other one of two
        return sorted((str(row[picture]), str(row[label])) for row in rows)
    except UnicodeDecodeError:
        raise UserError(f"{file}: is not UTF-8; store it in UTF-8") from None
    except (csv.Error, IndexError, KeyError, RecursionError, TypeError, ValueError):
        raise UserError(
            f"{file}: has no pairs of a picture and its label; write such pairs, or"
            " name the column label"
        ) from None


def _names_picture(cell: str) -> bool:
    return Path(cell).suffix.lower() in _SUFFIXES
