"""Checks of what callers of the library pass."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from gan3.core.classes import DIGITS, labels_of_names, labels_of_text
from gan3.core.errors import UserError, shown


def as_whole(value: Any, name: str, low: int = 0, high: int = 2**31 - 1) -> int:
    """An int, such as a seed. Raises UserError unless it is a whole number from `low` to `high`."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or not low <= value <= high:
        raise UserError(f"{name} {shown(value)}: use a whole number from {low} to {high}")
    return int(value)


def as_fraction(value: Any, name: str) -> float:
    """A float. Raises UserError unless it is a number from 0 to 1."""
    real = float | int | np.integer | np.floating
    is_number = isinstance(value, real) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 1:
        raise UserError(f"{name} {shown(value)}: use a number from 0 to 1")
    return float(value)


def as_labels(
    labels: Any,
    names: tuple[str, ...] = DIGITS,
    count: int | None = None,
    *,
    name: str = "labels",
) -> np.ndarray:
    """Labels of K classes as int64 [N], 0 to K - 1.

    Args:
        labels: whole numbers 0 to K - 1, or names of classes: a list of names, or a text of names
            with commas between them or of one character each, such as "2412".
        names: of the K classes.
        count: how many labels there must be; any number by default.
        name: what the labels are called in errors.

    Raises:
        UserError: there is another label, there are none, or they are not `count`.
    """
    if isinstance(labels, str):
        if names == DIGITS and not (labels.isascii() and labels.replace(",", "").isdigit()):
            raise UserError(f"{name} {shown(labels)}: use digits 0 to 9 only, such as 241256")
        labels = labels_of_text(labels, names, name)
    elif isinstance(labels, list | tuple) or getattr(labels, "ndim", 0) > 0:
        entries = list(labels)
        if all(isinstance(entry, str) for entry in entries):
            labels = labels_of_names(map(str, entries), names, name)
    array = as_array(labels, name)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise UserError(
            f"{name}: {array.dtype} of shape {array.shape}; use whole numbers of shape [N]"
        )
    wrong = array[(array < 0) | (array >= len(names))]
    if len(wrong) or not len(array):
        called = "digits" if names == DIGITS else "labels"
        last = len(names) - 1
        found = int(wrong[0]) if len(wrong) else shown(labels)
        raise UserError(f"{name} {found}: use one or more {called} 0 to {last}")
    if count is not None:
        check_label_count(array, count)
    return array.astype(np.int64)


def check_label_count(labels: Any, count: int) -> None:
    """Raises UserError if a list or an array of labels has not `count` of them."""
    is_sized = isinstance(labels, list | tuple) or getattr(labels, "ndim", 0) > 0
    if is_sized and len(labels) != count:
        raise UserError(f"labels: {len(labels)} for {count} images; use one label for each image")


def as_array(values: Any, name: str) -> np.ndarray:
    """An array of numbers. Raises UserError for anything else."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # rows of different lengths
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise UserError(f"{name}: not an array of numbers; use a NumPy array")
    return array


def as_path(path: Any, name: str = "path") -> Path:
    """A path. Raises UserError for anything but a text that is not empty, or a path."""
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise UserError(f"{name} {shown(path)}: use a path")
    return Path(path)


def as_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """One of some words. Raises UserError for anything else."""
    if not isinstance(value, str) or value not in choices:
        raise UserError(f"{name} {shown(value)}: unknown; choose one of {', '.join(choices)}")
    return value
