"""The classes of a data set by their names: how they are requested, and what they are called."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from gan3.core.errors import UserError, shown

DIGITS = tuple("0123456789")
UNLABELLED = ("image",)
"""The classes of a set without labels: a system that is given no class can be trained on it."""
MIN_CLASSES, MAX_CLASSES = 2, 62
MAX_LENGTH = 40  # characters of a name
_SHOWN = 12  # names in a message


def is_class_name(text: str) -> bool:
    """Whether a class can have this name: 1 to 40 printable characters."""
    return 1 <= len(text) <= MAX_LENGTH and text.isprintable()


def are_class_names(names: Any) -> bool:
    """Whether this is a list of 2 to 62 different names of classes, or that of `UNLABELLED`."""
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        return False
    fits = MIN_CLASSES <= len(names) <= MAX_CLASSES and len(set(names)) == len(names)
    return (fits and all(map(is_class_name, names))) or tuple(names) == UNLABELLED


def are_digits(names: Iterable[str]) -> bool:
    """Whether every class is a digit, so that it may be called one."""
    return all(name in DIGITS for name in names)


def noun(names: Sequence[str]) -> str:
    """What one of the classes is called: "digit", "class", or "image" if there are no labels."""
    return "digit" if are_digits(names) else "image" if tuple(names) == UNLABELLED else "class"


def nouns(names: Sequence[str]) -> str:
    """What several of the classes are called: "digits", "classes" or "images"."""
    return {"digit": "digits", "class": "classes", "image": "images"}[noun(names)]


def images_noun(names: Iterable[str]) -> str:
    """What images of the classes are called: "digits" or "images"."""
    return "digits" if are_digits(names) else "images"


def label_input(names: Sequence[str]) -> str:
    """The input of an exported generator that takes labels: "digit" if they are the ten digits."""
    return "digit" if tuple(names) == DIGITS else "label"


def listed(names: Sequence[str]) -> str:
    """The names for a message, with an ellipsis if there are many."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def labels_of_names(requested: Iterable[str], names: Sequence[str], what: str) -> list[int]:
    """The labels, indices into `names`, of requested names.

    what: of the request, for the message. Raises UserError for a name that is no class.
    """
    label_of = {name: label for label, name in enumerate(names)}
    labels = []
    for name in requested:
        if name not in label_of:
            near = difflib.get_close_matches(name, names, n=1)
            instead = f"{near[0]}, or any of {listed(names)}" if near else listed(names)
            raise UserError(f"{what}: no {noun(names)} {shown(name)} here; use {instead}")
        labels.append(label_of[name])
    return labels


def labels_of_text(text: str, names: Sequence[str], what: str) -> list[int]:
    """The labels of names with commas between them, or of characters: "A,B,C" or "ABC".

    Raises UserError for a name or a character that is no class, and for an empty text.
    """
    if not text:
        raise UserError(f"{what}: none; name at least one {noun(names)} of {listed(names)}")
    has_long_names = any(len(name) > 1 for name in names)
    is_word = not has_long_names or set(text) <= set(names)
    is_list = "," in text or text in names or not is_word
    return labels_of_names(_split(text, names) if is_list else text, names, f"{what} {shown(text)}")


def _split(text: str, names: Sequence[str]) -> list[str]:
    """The names in a text with commas. A name may have some itself; the longest name counts."""
    parts, found = text.split(","), []
    while parts:
        end, name = 1, parts[0].strip()
        for count in range(len(parts), 0, -1):
            joined = ",".join(parts[:count])
            fitting = [each for each in (joined, joined.strip()) if each in names]
            if fitting:
                end, name = count, fitting[0]
                break
        found.append(name)
        parts = parts[end:]
    return found


def file_name(text: str) -> str:
    """The text as part of a file's name: letters, digits, hyphens and underscores."""
    return re.sub(r"[^\w-]+", "_", text).strip("_") or "unnamed"
