"""Class names as labels in figures: in any script, and short enough for their place."""

import textwrap
import unicodedata
import warnings
from collections.abc import Sequence
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

_POINTS_PER_INCH = 72
_NO_FONT = "Last Resort"  # Matplotlib's own: it has a box for every character


def use_fonts(figure: Figure) -> None:
    """Let every text of a figure fall back on installed fonts that have its characters."""
    for text in figure.findobj(Text):
        more = _fallbacks(text.get_text())
        text.set_fontfamily([*text.get_fontfamily(), *more])


def _fallbacks(text: str) -> tuple[str, ...]:
    """The font families that have the characters of a text which the default font lacks."""
    return () if text.isascii() else _families_of(frozenset(text) - _characters(None))


@lru_cache
def _families_of(characters: frozenset[str]) -> tuple[str, ...]:
    families = []
    for font in sorted(fontManager.ttflist, key=lambda font: font.name):
        is_plain = font.style == "normal" and not font.name.startswith(_NO_FONT)
        if characters and is_plain and characters & _characters(font.fname):
            families.append(font.name)
            characters -= _characters(font.fname)
    for character in characters:
        _note_missing(unicodedata.name(character, "other").partition(" ")[0])
    return tuple(families)


@lru_cache
def _characters(path: str | None) -> frozenset[str]:
    """The characters of a font file; None for the default font."""
    font = get_font(findfont(FontProperties()) if path is None else path)
    return frozenset(map(chr, font.get_charmap())) | {"\n"}


@lru_cache  # one note for each script
def _note_missing(script: str) -> None:
    package = (
        "fonts-noto-cjk" if script in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL") else "fonts-noto"
    )
    warnings.warn(
        f"figures: no installed font has {script} characters, so boxes stand for them; install a"
        f" font that has them, such as the package {package}",
        stacklevel=2,
    )


def text_width(text: str, fontsize: float, dpi: float) -> float:
    """The width of a line of text, in pixels of a figure with this resolution."""
    font = FontProperties(family=["sans-serif", *_fallbacks(text)], size=fontsize)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a character in no font, which was noted
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return width * dpi / _POINTS_PER_INCH


def shortened(text: str, width: float, fontsize: float, dpi: float) -> str:
    """The text, with an ellipsis for its middle if it is wider than `width` pixels.

    Names often differ only at one end, so both stay. One character is always kept.
    """

    def cut(kept: int) -> str:
        return f"{text[: (kept + 1) // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"

    if text_width(text, fontsize, dpi) <= width:
        return text
    low, high = 1, len(text)  # `low` characters fit, or low is 1; `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        fits = text_width(cut(middle), fontsize, dpi) <= width
        low, high = (middle, high) if fits else (low, middle)
    return cut(low)


def wrapped(text: str, width: float, fontsize: float, dpi: float, most: int = 0) -> str:
    """The text in lines of at most `width` pixels, broken between words where that is possible.

    most: the most lines; what is left is cut with an ellipsis. 0: as many as needed.
    """
    lines = [text]
    columns = round(1.5 * len(text) * width / max(text_width(text, fontsize, dpi), width))
    while columns > 0 and widest(lines, fontsize, dpi) > width:
        wrapper = textwrap.TextWrapper(columns, placeholder="…", max_lines=most or None)
        lines = wrapper.wrap(text)
        columns -= 1
    return "\n".join(lines)


def write_title(
    figure: Figure, text: str, y: float, fontsize: float = 11, most: int = 2, va: str = "center"
) -> None:
    """Write the title of a figure at a height of 0 to 1, `wrapped` to at most so many lines."""
    lines = wrapped(text, 0.96 * figure.bbox.width, fontsize, figure.dpi, most)
    figure.text(0.5, y, lines, ha="center", va=va, fontsize=fontsize)


def widest(texts: Sequence[str], fontsize: float, dpi: float) -> float:
    """The width of the widest of some lines of text, in pixels; 0 if there is none."""
    return max((text_width(text, fontsize, dpi) for text in texts), default=0.0)
