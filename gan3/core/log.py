"""Lines for the user: the type of the functions that library code calls, and the default."""

import warnings
from collections.abc import Callable

from gan3.core.errors import UserError, shown

Log = Callable[[str], None]
"""Prints or records one line of text, given without a line break; `print` is one."""

_WARNINGS = ("WARNING", "NOTE")  # how lines begin that a user should not miss
_STROKES = "WARNING: the data set is"  # start of the warning that the strokes are used


def log_or_warn(log: Log | None, dataset: str = "auto") -> Log:
    """`log`; without one, a function that only passes on warnings, as Python's warnings.

    dataset: as requested. That the strokes are not MNIST is no news to whoever requested them.
    Raises UserError for a log that is no function.
    """
    if callable(log):
        return log
    if log is not None:
        raise UserError(f"log {shown(log)}: use a function, such as print")

    def warn(line: str) -> None:
        is_news = not (dataset == "strokes" and line.startswith(_STROKES))  # else it was asked for
        if line.startswith(_WARNINGS) and is_news:
            warnings.warn(line, stacklevel=2)

    return warn
