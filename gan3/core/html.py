"""Tables for notebooks."""

from collections.abc import Iterable, Sequence
from html import escape


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as HTML, its first column to the left and the others to the right."""
    lines = ["<table>"]
    for tag, cells in (("th", titles), *(("td", row) for row in rows)):
        styles = ["left", *["right"] * (len(cells) - 1)]
        texts = zip(cells, styles, strict=True)
        row = "".join(f'<{tag} style="text-align: {s}">{escape(c)}</{tag}>' for c, s in texts)
        lines.append(f"<tr>{row}</tr>")
    return "\n".join([*lines, "</table>"])
