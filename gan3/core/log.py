"""TODO docstring."""

from collections.abc import Callable

Log = Callable[[str], None]
