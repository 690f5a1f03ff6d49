"""The style of all figures, which is in `style.mplstyle`, and how colours are told apart."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

_SHEET = Path(__file__).with_name("style.mplstyle")
_LOCK = threading.RLock()  # Matplotlib's settings are those of the whole process
_COLOURS, _MARKERS = 6, "osv^PX<"  # no colour has the same marker again before number 42


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """Draw and save figures in the style of gan3; afterwards Matplotlib is as it was before."""
    with _LOCK, matplotlib.rc_context(fname=_SHEET):
        yield


def point_style(number: int) -> dict[str, Any]:
    """The colour and the marker of a point or line, told apart also without colours.

    number: 0, 1, …; those below 42 differ.
    """
    return {
        "color": f"C{number % _COLOURS}",
        "marker": _MARKERS[number % len(_MARKERS)],
        "markeredgecolor": "0.2",
        "markeredgewidth": 0.5,
    }
