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
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722  # parts of the luminance (WCAG 2.2)


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


def text_colour(background: tuple[float, ...]) -> str:
    """Black or white, whichever has more contrast to a colour (red, green, blue, …) in 0..1.

    It is at least 4.5 : 1.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in background[:3]]
    luminance = _RED * linear[0] + _GREEN * linear[1] + _BLUE * linear[2]
    return "white" if luminance < 0.179 else "black"
