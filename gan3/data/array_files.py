"""Reads the arrays of a data set from npz files. They are not trusted."""

import re
from collections.abc import Iterable
from pathlib import Path

from gan3.core.errors import UserError
from gan3.core.files import names_in, read_arrays
from gan3.core.log import Log
from gan3.data.idx import Arrays

_PARTS = {
    "train": "train",
    "training": "train",
    "test": "t10k",
    "testing": "t10k",
    "val": "val",
    "valid": "val",
    "validation": "val",
}
_CONTENTS = {
    "x": "images",
    "images": "images",
    "imgs": "images",
    "y": "labels",
    "labels": "labels",
    "targets": "labels",
}


def part_of(name: str) -> str | None:
    """The part of a set that a name speaks of: "train", "t10k", "val", or None."""
    return _first(name, _PARTS)


def kinds_of(source: Path, names: Iterable[str]) -> dict[str, str]:
    """The arrays of a set by kind, such as train-images for x_train, from all `names` of arrays.

    Names that speak of no part are the training part's. Raises UserError if there is no set of
    images and labels, or two arrays are of one kind.
    """
    found: dict[str, str] = {}
    for name in sorted(names):
        content = _first(name, _CONTENTS)
        if content is not None:
            kind = f"{part_of(name) or 'train'}-{content}"
            if kind in found:
                raise UserError(
                    f"{source}: {found[kind]} and {name} could both be its {kind}; keep one of them"
                )
            found[kind] = name
    if not {"train-images", "train-labels"} <= set(found):
        shown = ", ".join(sorted(names))[:100] or "none"
        raise UserError(
            f"{source}: its arrays are {shown}; it needs x_train, y_train, x_test and y_test, or"
            " images and labels"
        )
    if ("t10k-images" in found) != ("t10k-labels" in found):
        raise UserError(
            f"{source}: has x_test or y_test, but not both; store both, or neither of them"
        )
    return found


def _first(name: str, meanings: dict[str, str]) -> str | None:
    words = re.split("[^a-z0-9]+", name.lower())
    return next((meanings[word] for word in words if word in meanings), None)


def read_npz_set(path: Path, log: Log) -> Arrays:
    """The arrays of a set in an npz file, by kind, as they are stored.

    Raises UserError if the file cannot be read or has no set.
    """
    kinds = kinds_of(path, names_in(path))
    kinds = {kind: name for kind, name in kinds.items() if not kind.startswith("val-")}
    by_name = read_arrays(path, kinds.values())
    return {kind: by_name[name] for kind, name in kinds.items()}
