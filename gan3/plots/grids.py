"""Grids of digit images, animated GIFs, and figures and images as files.

A pixel of a digit is always a square of figure pixels. Figures are created without pyplot, so there
is no global state and no display is needed.
"""

import io
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from gan3.core.files import write_atomically

DPI = 120
_SCALE = 3  # a pixel of a digit is 3 x 3 pixels of the figure


def grid(
    images: np.ndarray,
    columns: int,
    title: str,
    column_labels: list[str] | None = None,
    row_labels: list[str] | None = None,
) -> Figure:
    """Digits in rows of `columns`.

    Args:
        images: uint8 [N, 28, 28], in reading order.
        title: of the figure; wrapped if it is too long for one line.
        column_labels: N titles, one above each image, or `columns` titles, one above each column.
        row_labels: a label to the left of each row.
    """
    rows = -(-len(images) // columns)
    title_per_image = column_labels is not None and len(column_labels) == len(images) > columns
    # All sizes are in pixels. The images are not Axes: one Axes per digit would take most of the
    # drawing time.
    cell = 28 * _SCALE
    column_step = cell + 5
    row_step = cell + (35 if title_per_image else 5)
    longest = (
        max(len(line) for text in row_labels for line in text.split("\n")) if row_labels else 0
    )
    left = max(114, 28 + 7 * longest) if row_labels else 18
    width = max(left + columns * column_step + 18, 468)
    title_lines = textwrap.wrap(title, (width - 20) // 11) or [title]
    top = 50 + (31 if column_labels else 0) + 18 * (len(title_lines) - 1)
    height = top + (rows - 1) * row_step + cell + 14
    left += (width - 18 - left - columns * column_step) // 2
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)

    def write(
        x: float, y: float, text: str, va: str, ha: str = "center", fontsize: float = 9
    ) -> None:
        """Write `text` at x pixels from the left and y pixels from the top."""
        figure.text(x / width, 1 - y / height, text, va=va, ha=ha, fontsize=fontsize)

    write(width / 2, 17, "\n".join(title_lines), va="top")
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x, y = left + column * column_step, top + row * row_step
        pixels = image.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)
        # RGB, because a colour map would change some values by one.
        figure.figimage(np.stack([pixels] * 3, axis=2), x, height - y - cell)
        if column_labels and (title_per_image or row == 0):
            write(x + cell / 2, y - 4, column_labels[i if title_per_image else column], va="bottom")
        if row_labels and column == 0:
            write(x - 10, y + cell / 2, row_labels[row], ha="right", va="center", fontsize=8)
    return figure


def picture_axes(figure: Figure, bounds: tuple[float, ...], image: np.ndarray) -> Axes:
    """Axes without ticks that show a gray image, 0 black and 255 white, with square pixels.

    Args:
        bounds: left, bottom, width and height, as fractions of the figure.
        image: uint8 [height, width].
    """
    axes = figure.add_axes(bounds)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    return axes


def progression(
    frames: list[np.ndarray], path: Path, seconds: float = 0.8, last: float = 3.0
) -> None:
    """Write an animated GIF, atomically.

    Args:
        frames: uint8 [height, width, 3], all of one width. Frames of less height, because their
            title has fewer lines, are padded with white at the top.
        seconds: duration of each frame but the last.
        last: duration of the last frame, in seconds.
    """
    height = max(len(frame) for frame in frames)
    images = []
    for frame in frames:
        padding = ((height - len(frame), 0), (0, 0), (0, 0))
        padded = np.pad(frame, padding, constant_values=255)
        images.append(Image.fromarray(padded).quantize(64))
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
    """The rendered figure, uint8 [height, width, 3]."""
    with Image.open(io.BytesIO(_png(figure))) as image:
        return np.asarray(image.convert("RGB"))


def save(figure: Figure, path: Path, tight: bool = False) -> None:
    """Write the figure as a PNG, atomically; `tight`: without the margins around its content."""
    write_atomically(path, _png(figure, "tight" if tight else None))


def _png(figure: Figure, bounding_box: str | None = None) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None}, bbox_inches=bounding_box)
    return buffer.getvalue()
