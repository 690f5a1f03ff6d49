"""The type of the functions that library code calls to log one line."""

from collections.abc import Callable

Log = Callable[[str], None]
"""Prints or records one line of text, given without a line break; `print` is one."""
