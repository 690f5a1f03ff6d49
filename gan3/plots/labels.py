"""Class names as labels in figures: short enough for their place, whatever they are."""

from collections.abc import Sequence

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS_PER_INCH = 72


def text_width(text: str, fontsize: float, dpi: float) -> float:
    """The width of a line of text, in pixels of a figure with this resolution."""
    font = FontProperties(size=fontsize)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width * dpi / _POINTS_PER_INCH


def shortened(text: str, width: float, fontsize: float, dpi: float) -> str:
    """The text, cut with an ellipsis at its end if it is wider than `width` pixels."""
    if text_width(text, fontsize, dpi) <= width:
        return text
    low, high = 0, len(text)  # the first `low` characters fit with an ellipsis, or low is 0
    while high - low > 1:
        middle = (low + high) // 2
        fits = text_width(text[:middle].rstrip() + "…", fontsize, dpi) <= width
        low, high = (middle, high) if fits else (low, middle)
    return text[: max(low, 1)].rstrip() + "…"


def all_shortened(texts: Sequence[str], width: float, fontsize: float, dpi: float) -> list[str]:
    """`shortened` of each text. Texts that would look alike get their number in front."""
    short = [shortened(text, width, fontsize, dpi) for text in texts]
    numbered = [f"{i} {text}" for i, text in enumerate(texts)]
    return [
        text
        if short.count(text) == 1 or texts[i] == text
        else shortened(numbered[i], width, fontsize, dpi)
        for i, text in enumerate(short)
    ]


def widest(texts: Sequence[str], fontsize: float, dpi: float) -> float:
    """The width of the widest of some lines of text, in pixels; 0 if there is none."""
    return max((text_width(text, fontsize, dpi) for text in texts), default=0.0)
