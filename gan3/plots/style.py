"""The style of all figures, which is in `style.mplstyle`."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import matplotlib

_SHEET = Path(__file__).with_name("style.mplstyle")
_LOCK = threading.RLock()  # Matplotlib's settings are those of the whole process


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures in the style of gan3; afterwards Matplotlib is as it was before."""
    with _LOCK, matplotlib.rc_context(fname=_SHEET):
        yield
