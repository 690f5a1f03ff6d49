"""Pictures: arrays and numbers in, PNG and GIF files out. Digits are never stretched.

Figures are made without pyplot, so nothing is global and no display is needed.
"""

import io
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from gan3.core.files import write_atomically

_SCALE = 3  # pixels of a figure for one of a digit's, either way
DPI = 120


def grid(
    images: np.ndarray,
    columns: int,
    title: str,
    over: list[str] | None = None,
    beside: list[str] | None = None,
) -> Figure:
    """Digits in rows of `columns`.

    Args:
        images: uint8 [N, 28, 28], row by row.
        title: above all of them.
        over: a title over each image (N of them), or over each column.
        beside: a label at the left of each row.
    """
    rows = -(-len(images) // columns)
    each = over is not None and len(over) == len(images) > columns
    # All in pixels. An Axes for each digit would take most of the time that a figure takes.
    cell, across = 28 * _SCALE, 28 * _SCALE + 5
    down = cell + (35 if each else 5)
    longest = max(len(line) for text in beside for line in text.split("\n")) if beside else 0
    left = max(114, 28 + 7 * longest) if beside else 18
    width = max(left + columns * across + 18, 468)
    titles = textwrap.wrap(title, (width - 20) // 11) or [title]
    top = 50 + (31 if over else 0) + 18 * (len(titles) - 1)
    height = top + (rows - 1) * down + cell + 14
    left += (width - 18 - left - columns * across) // 2
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)

    def write(x: float, y: float, text: str, **where: Any) -> None:
        """`text` at x, y pixels from the left and from the top."""
        figure.text(x / width, 1 - y / height, text, **{"fontsize": 9, "ha": "center"} | where)

    write(width / 2, 17, "\n".join(titles), va="top")
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x, y = left + column * across, top + row * down
        pixels = image.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)
        figure.figimage(np.stack([pixels] * 3, axis=2), x, height - y - cell)  # as RGB: to the bit
        if over and (each or row == 0):
            write(x + cell / 2, y - 4, over[i if each else column], va="bottom")
        if beside and column == 0:
            write(x - 10, y + cell / 2, beside[row], ha="right", va="center", fontsize=8)
    return figure


def picture_axes(figure: Figure, place: tuple[float, ...], image: np.ndarray) -> Axes:
    """Grey pixels [height, width], 0 black and 255 white, each a square, without axes."""
    axes = figure.add_axes(place)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    return axes


def progression(
    frames: list[np.ndarray], path: Path, seconds: float = 0.8, last: float = 3.0
) -> None:
    """An animated GIF of pixels [height, width, 3], `seconds` each, the last one `last`.

    All of one width; those that are lower, where a title took fewer lines, get paper above.
    """
    height = max(len(frame) for frame in frames)
    edges = [((height - len(frame), 0), (0, 0), (0, 0)) for frame in frames]
    padded = [np.pad(f, edge, constant_values=255) for f, edge in zip(frames, edges, strict=True)]
    images = [Image.fromarray(frame).quantize(64) for frame in padded]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=[round(1000 * seconds)] * (len(images) - 1) + [round(1000 * last)],
        loop=0,
    )
    write_atomically(path, buffer.getvalue())


def pixels(figure: Figure) -> np.ndarray:
    """uint8 [height, width, 3]."""
    with Image.open(io.BytesIO(_png(figure))) as image:
        return np.asarray(image.convert("RGB"))


def save(figure: Figure, path: Path) -> None:
    """The figure as a PNG, atomically."""
    write_atomically(path, _png(figure))


def save_picture(picture: np.ndarray, path: Path) -> None:
    """A grey picture, uint8 [height, width], as a PNG, atomically, pixel for pixel."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
