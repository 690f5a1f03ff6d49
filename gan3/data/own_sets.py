"""A user's own set: recognised by its content, read, its labels numbered, a test part split off."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core import classes
from gan3.core.classes import DIGITS, UNLABELLED, is_class_name, listed
from gan3.core.errors import UserError, shown
from gan3.core.log import Log
from gan3.core.values import MAX_IMAGES, MIN_IMAGES, read_labels, read_pixels
from gan3.data.array_files import IDX, TABLES, array_files, read_array_files
from gan3.data.idx import FILE_NAMES, KINDS, Arrays, is_mnist
from gan3.data.known_sets import KNOWN_SETS, KnownSet, recognise
from gan3.data.picture_folders import has_pictures, label_file, read_picture_folder
from gan3.data.pictures import unknown_ink
from gan3.data.splits import stratified

_TEST_FRACTION, _MOST_TEST = 7, 10_000  # a seventh is split off, as MNIST has it, at most 10,000
_FEW = 10  # training images of a class, which a note mentions
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Stored(NamedTuple):
    """What a file or folder of any kind holds, as it is stored."""

    arrays: Arrays  # at least train-images
    known: KnownSet | None = None  # the published set that its files are
    is_bright: bool = False  # whether its ink is bright by convention


class OwnSet(NamedTuple):
    """A set as it is trained on."""

    arrays: Arrays  # all four kinds: images uint8 with bright ink, labels uint8 in 0..K-1
    class_names: tuple[str, ...] = DIGITS  # K of them, or `UNLABELLED`
    title: str = ""


def find(path: Path) -> tuple[str | None, list[Path]]:
    """What a path holds: "IDX files", "pictures", "array files" (npz, npy, CSV), or None.

    With the files of a set of arrays. Raises UserError if a folder has several sets.
    """
    if files := array_files(path, IDX):
        return "IDX files", files
    if label_file(path) or has_pictures(path, ("*/*", "*/*/*")):
        return "pictures", []
    if files := array_files(path, TABLES):
        return "array files", files
    return "pictures" if has_pictures(path, ("*",)) else None, []


def read_stored(path: Path, ink: str, log: Log, skip_damaged: bool = False) -> Stored:
    """The arrays of a file or folder of any kind.

    Args:
        path: a folder with four IDX files, with pictures, or with npz, npy or CSV files of one set;
            or one of these files.
        ink: of pictures, for their transparent pixels: "bright", "dark" or "unknown".
        log: receives notes.
        skip_damaged: leave out pictures that cannot be read.

    Raises:
        UserError: the path holds no set, or it cannot be read.
    """
    kind, files = find(path)
    if kind == "pictures":
        return Stored(read_picture_folder(path, ink, log, skip_damaged))
    arrays = read_array_files(files, log) if files else {}
    missing = [FILE_NAMES[each] for each in KINDS if each not in arrays]
    if kind == "IDX files" and missing:
        raise UserError(f"{path}: has no {missing[0]}; put all four IDX files into one folder")
    if kind is not None:
        is_idx = kind == "IDX files"
        return Stored(arrays, recognise(files) if is_idx else None, is_bright=is_idx)
    raise UserError(
        f"{path}: has no IDX files such as train-images-idx3-ubyte.gz, nor npz, npy or CSV files,"
        " nor pictures; name the file or folder that has your images"
    )


def own_set(path: Path, stored: Stored, ink: str, log: Log, name: str | None = None) -> OwnSet:
    """The set of what is stored at `path`, or of arrays that messages call so.

    Args:
        ink: "bright" or "dark"; "unknown" will do where it is bright by convention.
        log: receives what the set is, and notes.
        name: of the known set that it is; by default a known set is recognised by its files.

    Raises:
        UserError: it is no set of images and labels, or its classes do not fit.
    """
    known = stored.known if name is None else KNOWN_SETS[name]
    is_labelled = "train-labels" in stored.arrays
    if not is_labelled and known is not None:
        raise no_labels(path)
    arrays = stored.arrays if is_labelled else _of_one_class(stored.arrays)
    arrays = _meaning(path, arrays, ink, log, stored.is_bright or known is not None)
    if known is not None:
        arrays, names = known.numbered(arrays, path), known.class_names
        title = known.title if known is stored.known else f"{known.title} (as named)"
    else:
        arrays, names = _number(path, arrays) if is_labelled else (arrays, UNLABELLED)
        title = _title(path)
    if "t10k-images" not in arrays:
        arrays = _split_off_test(path, arrays)
    _check_classes(path, arrays, names, log)
    if known is not None or names != DIGITS:  # nothing is to be said of ten digits
        train, test = (f"{len(arrays[kind]):,}" for kind in ("train-images", "t10k-images"))
        some = ", ".join(names) if len(names) <= 6 else f"{names[0]} to {names[-1]}"
        kinds = f"{len(names)} classes ({some})" if is_labelled else "without labels"
        log(f"{path}: {title}, {kinds}, {train} training and {test} test images")
    return OwnSet(arrays, names, title)


def _of_one_class(arrays: Arrays) -> Arrays:
    """The images of a set without labels, and a zero for each."""
    found = {}
    for part in ("train", "t10k"):
        if f"{part}-images" in arrays:
            images = found[f"{part}-images"] = arrays[f"{part}-images"]
            found[f"{part}-labels"] = np.zeros(images.shape[:1], np.uint8)
    return found


def _meaning(path: Path, arrays: Arrays, ink: str, log: Log, is_bright: bool) -> Arrays:
    """The arrays as images uint8 [N, 28, 28] with bright ink, and labels, integers or text [N]."""
    has_test = {"t10k-images", "t10k-labels"} <= set(arrays)
    parts = ("train", "t10k") if has_test else ("train",)
    if len(arrays) > 2 * len(parts):
        log(f"NOTE: {path}: its test part is ignored, because it has no labels or no images")
    pixels = read_pixels(path, [arrays[f"{part}-images"] for part in parts])
    if pixels.is_scaled:
        log(f"NOTE: {path}: {pixels.text}")
    if ink == "unknown" and not (is_bright or is_mnist("train-images", pixels.parts[0])):
        raise unknown_ink(path, pixels.parts[0])
    found = {}
    for part, images in zip(parts, pixels.parts, strict=True):
        if not MIN_IMAGES <= len(images) <= MAX_IMAGES:
            raise UserError(
                f"{path}: {len(images)} images in one part; from {MIN_IMAGES} to {MAX_IMAGES} are"
                " supported"
            )
        found[f"{part}-images"] = 255 - images if ink == "dark" else images
        found[f"{part}-labels"] = read_labels(path, arrays[f"{part}-labels"], len(images))
    return found


def no_labels(source: Path | str) -> UserError:
    """The error for images without labels where labels are needed."""
    return UserError(
        f"{source}: has images without labels; add labels, sort pictures into one sub-folder for"
        " each class, or write labels.csv with rows of file and label beside them"
    )


def _title(path: Path) -> str:
    """The name of a set in figures, by that of its file or folder."""
    name = path.absolute().name.partition(".")[0]
    fits = is_class_name(name) and "$" not in name  # Matplotlib would read a formula
    return f'own set "{name}"' if fits else "own set"


def _number(path: Path, arrays: Arrays) -> tuple[Arrays, tuple[str, ...]]:
    """Labels as 0..K-1, and the K names, sorted as numbers if all are, otherwise as text."""
    found = {kind: np.unique(a, return_inverse=True) for kind, a in arrays.items() if "lab" in kind}
    names = {str(value) for values, _ in found.values() for value in values.tolist()}
    if not classes.MIN_CLASSES <= len(names) <= classes.MAX_CLASSES:
        raise UserError(
            f"{path}: {len(names)} different labels; from {classes.MIN_CLASSES} to"
            f" {classes.MAX_CLASSES} classes are supported"
        )
    wrong = min((name for name in names if not is_class_name(name)), default=None)
    if wrong is not None:
        raise UserError(
            f"{path}: {shown(wrong)} is no name of a class; use 1 to {classes.MAX_LENGTH} printable"
            " characters"
        )
    whole = all(_WHOLE.fullmatch(name) for name in names)
    ordered = sorted(names, key=lambda name: (int(name) if whole else 0, name))
    numbered = {
        kind: np.array([ordered.index(str(v)) for v in values.tolist()], np.uint8)[inverse]
        for kind, (values, inverse) in found.items()
    }
    return arrays | numbered, tuple(ordered)


def _split_off_test(path: Path, arrays: Arrays) -> Arrays:
    """Hold out a seventh as the test part, at most 10,000, each class in proportion."""
    labels = arrays["train-labels"]
    train, test = stratified(labels, min(_MOST_TEST, len(labels) // _TEST_FRACTION))
    if len(test) < MIN_IMAGES:
        raise UserError(
            f"{path}: {len(labels)} images; a set without a test part needs at least"
            f" {MIN_IMAGES * _TEST_FRACTION}, and enough of each class to split one off; add"
            " images, or a test part"
        )
    parts = (("train", train), ("t10k", test))
    return {
        f"{part}-{content}": arrays[f"train-{content}"][rows]
        for part, rows in parts
        for content in ("images", "labels")
    }


def _check_classes(path: Path, arrays: Arrays, names: tuple[str, ...], log: Log) -> None:
    """Raises UserError for classes that cannot be learned; notes what is unusual."""
    train, test = (
        np.bincount(arrays[f"{part}-labels"], minlength=len(names)) for part in ("train", "t10k")
    )
    few, unlearned, untested = (
        [names[label] for label in np.flatnonzero(is_so)]
        for is_so in (train < _FEW, train == 0, test == 0)
    )
    if unlearned:
        raise UserError(
            f"{path}: the class {shown(unlearned[0])} is in the test part only; add training"
            " images of it, or remove it"
        )
    if train.sum() < 2 * len(names):
        raise UserError(
            f"{path}: {train.sum()} training images of {len(names)} classes; at least twice as many"
            " images as classes are needed"
        )
    if few:
        log(f"NOTE: {path}: classes of fewer than {_FEW} training images: {listed(few)}")
    if untested:
        log(f"NOTE: {path}: classes without test images: {listed(untested)}")
