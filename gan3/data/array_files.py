"""Reads a set from IDX, npz, npy and CSV files, which are paired by their names; trusts none."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import names_in, open_untrusted, read_arrays, read_npy
from gan3.core.log import Log
from gan3.core.values import SIDE
from gan3.data import strokes
from gan3.data.idx import Arrays, read_idx

IDX = re.compile(r"[.-](idx)[123]-(?:ubyte|int)(?:\.gz)?$", re.IGNORECASE)
TABLES = re.compile(r"\.(npz|npy|csv|csv\.gz)$", re.IGNORECASE)
"""How the names of files of both families end."""
_PARTS = {
    "train": ("train", "training"),
    "t10k": ("test", "testing", "t10k"),
    "val": ("val", "valid", "validation"),
}
_CONTENTS = {"images": ("x", "images", "imgs"), "labels": ("y", "labels", "targets")}
_SINGULAR = re.compile("(image|label|target)$")  # only at the end: not label_names
_LABEL_COLUMNS = ("label", "labels", "class", "target", "digit", "y", "character")
_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?")
_PIXELS = SIDE * SIDE
_MOST_BYTES = 2**30


def part_of(name: str) -> str | None:
    """The part of a set that a name speaks of: "train", "t10k", "val", or None."""
    return _meaning(name, _PARTS)


def _meaning(name: str, meanings: dict[str, tuple[str, ...]]) -> str | None:
    """What one of the words of a name means; None if none of them does."""
    words = set(_words(name))
    return next((key for key, accepted in meanings.items() if words & set(accepted)), None)


def _words(name: str) -> list[str]:
    return re.split("[^a-z0-9]+", _SINGULAR.sub(r"\1s", name.lower()))


def array_files(path: Path, family: re.Pattern[str]) -> list[Path]:
    """The files of one set: those in a folder, or a file and what belongs to it; [] if none.

    family: `IDX`, or `TABLES` for npz, npy and CSV files. To a file of a training part, to one that
    names a content but no part, and to any IDX file, belong those in its folder whose names differ
    in words for the part and the content only; to the second kind, those without a part. Raises
    UserError if a folder has several sets.
    """
    if path.is_file():
        named = _set_and_name(path, family)
        if named is None:
            return []
        key, name = named
        is_whole = path.suffix.lower() == ".npz" and len(names_in(path)) > 1
        part = part_of(path.name)
        is_of_set = part == "train" or (part is None and _meaning(name, _CONTENTS) is not None)
        is_one = is_whole or (family is TABLES and not is_of_set)
        others = {} if is_one else sets_in(path.parent, family).get(key, {})
        if family is TABLES and part is None:
            others = {each: file for each, file in others.items() if part_of(each) is None}
        return list((others | {name: path}).values())
    sets = [list(files.values()) for files in sets_in(path, family).values()]
    sets = [files for files in sets if any(part_of(file.name) == "train" for file in files)] or sets
    if len(sets) > 1:
        names = " and ".join(files[0].name for files in sets[:2])
        raise UserError(f"{path}: has several sets, {names} for example; name the file you mean")
    return sets[0] if sets else []


def sets_in(folder: Path, family: re.Pattern[str]) -> dict[tuple[str, ...], dict[str, Path]]:
    """The files of each set in a folder, by what their names have in common, and by their names.

    Of a file that is there twice, the one with .gz counts.
    """
    sets: dict[tuple[str, ...], dict[str, Path]] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():  # the .gz comes last
        named = _set_and_name(file, family)
        is_other = file.name.startswith(".") or file.name in (strokes.CACHE, "labels.csv")
        if named and not is_other and file.is_file():
            sets.setdefault(named[0], {})[named[1]] = file
    return sets


def _set_and_name(file: Path, family: re.Pattern[str]) -> tuple[tuple[str, ...], str] | None:
    """What the files of a set have in common, and the name without its end."""
    match = family.search(file.name)
    if match is None:
        return None
    name = file.name[: match.start()]
    rest = [word for word in _words(name) if not _meaning(word, _PARTS | _CONTENTS)]
    return (*rest, match[1].lower()[:3]), name


def read_array_files(files: list[Path], log: Log) -> Arrays:
    """The arrays of a set, by kind, as they are stored: its training part, and maybe a test part.

    Names that speak of no part are the training part's. A validation part is the test part if there
    is no other, which is noted. Labels can be missing. Raises UserError if a file cannot be read,
    or its arrays are not those of one set.
    """
    arrays: Arrays = {}
    for file in files:
        for name, array in _arrays_in(file):
            kind = f"{part_of(name) or 'train'}-{_meaning(name, _CONTENTS) or 'images'}"
            if kind in arrays:
                raise UserError(f"{file}: a second array could be its {kind}; name one file")
            arrays[kind] = array
    source = files[0] if len(files) == 1 else files[0].parent
    for part in ("t10k", "val"):  # alone
        if "train-images" not in arrays and f"{part}-images" in arrays:
            arrays = {kind.replace(part, "train"): array for kind, array in arrays.items()}
    if "train-images" not in arrays:
        raise UserError(f"{source}: has labels without images; name the file of the images")
    if not any(kind.startswith("val") for kind in arrays):
        return arrays
    if "t10k-images" in arrays:
        log(f"NOTE: {source}: its validation part is left out")
        return {kind: array for kind, array in arrays.items() if not kind.startswith("val")}
    log(f"NOTE: {source}: holds out its validation part")
    return {kind.replace("val", "t10k"): array for kind, array in arrays.items()}


def _arrays_in(file: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a file, under names that tell their part and content."""
    if IDX.search(file.name):
        yield IDX.sub("", file.name), read_idx(file)
        return
    stem, suffix = TABLES.sub("", file.name), file.suffix.lower()
    if suffix == ".npy":
        yield stem, read_npy(file, _MOST_BYTES)
    elif suffix == ".npz":
        names = names_in(file)
        known = {name: content for name in names if (content := _meaning(name, _CONTENTS))}
        if len(names) == 1 and not known:  # such as arr_0
            yield stem, read_arrays(file, names, _MOST_BYTES)[names.pop()]
            return
        if "images" not in known.values():
            found = ", ".join(sorted(names))[:100] or "none"
            raise UserError(
                f"{file}: its arrays are {found}; it needs x_train, y_train, x_test and y_test, or"
                " images and labels"
            )
        yield from read_arrays(file, sorted(known), _MOST_BYTES).items()
    else:
        part = part_of(stem) or "train"
        images, labels = read_csv(file)
        yield f"{part} images", images
        if labels is not None:
            yield f"{part} labels", labels


def label_column(header: list[str]) -> int | None:
    """The column that a header, in small letters, names as that of the labels; None if none."""
    return next((header.index(name) for name in _LABEL_COLUMNS if name in header), None)


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Images [N, 784] and labels [N] of a CSV file, gzipped or not; None if it has no labels.

    A row has 784 pixels, and maybe a label: in the column that a header names, or else the first
    one. If the header has no name there, they are numbers of rows. Raises UserError for anything
    else.
    """
    with open_untrusted(path, "a CSV file", "rt") as file:
        line = file.readline()
        delimiter = max(",;\t", key=line.count)
        first = [cell.strip(" \"'\r\n").lower() for cell in line.split(delimiter)]
        if len(first) not in (_PIXELS, _PIXELS + 1):
            raise UserError(
                f"{path}: has rows of {len(first)} columns; it needs a label and {_PIXELS} pixels"
            )
        named = label_column(first)
        label = (named or 0) if len(first) > _PIXELS else None
        pixels = [column for column in range(len(first)) if column != label]
        rows = [row for row in file if row.strip()]
    numbers = [_NUMBER.fullmatch(cell) for cell in first]
    has_decimals = ["." in text for text in (line, *rows[:1])]
    counted = [str(column) for column in range(len(first))]
    # pandas writes 0, 1, 2 ... above the rows, or 0, 0.1, 0.2 ...
    of_pandas = first[1:] in (counted[1:], counted[:-1]) or (
        all(numbers) and has_decimals == [True, False]
    )
    if any(numbers) and named is None and not of_pandas:
        rows.insert(0, line)
    elif label is not None and not first[label]:
        label = None
    if not rows:
        raise UserError(f"{path}: has no rows; replace the file")
    with contextlib.suppress(ValueError):  # whole numbers are read five times faster
        whole = _cells(rows, delimiter, np.int32)
        return whole[:, pixels], None if label is None else whole[:, label]
    try:
        images = _cells(rows, delimiter, np.float32, pixels)
        if label is None:
            return images, None
        with contextlib.suppress(ValueError):  # float32 would merge large whole numbers
            return images, _cells(rows, delimiter, np.float64, [label])[:, 0]
        return images, _cells(rows, delimiter, str, [label])[:, 0]
    except ValueError as error:
        reason = str(error).partition("\n")[0][:80]
        raise UserError(f"{path}: damaged or not a CSV file ({reason}); replace the file") from None


def _cells(
    rows: list[str], delimiter: str, dtype: type, columns: list[int] | None = None
) -> np.ndarray:
    """The columns, by default all, [N, columns]. Raises ValueError for cells of other types."""
    style = {"delimiter": delimiter, "quotechar": '"', "comments": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # floats as integers
        try:
            return np.loadtxt(rows, dtype, usecols=columns, ndmin=2, **style)
        except DeprecationWarning as warning:
            raise ValueError(str(warning)) from None
