"""Grids of images, animated GIFs, and figures and images as files.

A pixel of an image is always a square of figure pixels. Figures are created without pyplot, so
there is no global state and no display is needed.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.core.options import DPI, PNG, Output
from gan3.plots import labels
from gan3.plots.style import house_style

_MAX_COLUMN_LABEL, _TITLE_HEIGHT = 120, 31  # pixels
_MOST_PIXELS = 2**16 - 1  # Matplotlib's limit for a side
_NAMES_AND_DATES = {"png": ["Software"], "svg": ["Date"], "pdf": ["CreationDate"]}  # left out


@house_style()
def grid(
    images: np.ndarray,
    columns: int,
    title: str,
    column_labels: list[str] | None = None,
    row_labels: list[str] | None = None,
) -> Figure:
    """Images in rows of `columns`; in more than 16 columns they are smaller.

    Args:
        images: uint8 [N, 28, 28], in reading order.
        title: of the figure; wrapped if it is too long for one line.
        column_labels: N titles, one above each image, or `columns` titles, one above each column.
            Long ones are written smaller or from bottom to top, and cut where they do not fit.
        row_labels: a label to the left of each row.
    """
    rows = -(-len(images) // columns)
    title_per_image = column_labels is not None and len(column_labels) == len(images) > columns
    # All sizes are in pixels.
    scale = 3 if columns <= 16 else 2 if columns <= 32 else 1  # pixels of a pixel of an image
    cell = 28 * scale
    column_step = cell + 5
    row_step = cell + (35 if title_per_image else 5)
    left = 18
    if row_labels:
        lines = [line for text in row_labels for line in text.split("\n")]
        left = 30 + round(labels.widest(lines, 8, DPI))
    width = max(left + columns * column_step + 18, 468)
    left += (width - 18 - left - columns * column_step) // 2
    texts, above, size, rotation = _fitting(column_labels or [], column_step, title_per_image)
    title = labels.wrapped(title, width - 20, 9, DPI)
    top = 50 + 18 * title.count("\n") + (above if column_labels else 0)
    height = top + (rows - 1) * row_step + cell + 14
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1), xticks=[], yticks=[])  # ticks are slow, even if hidden
    axes.set_axis_off()
    style = {"fontsize": size, "rotation": rotation}
    figure.text(0.5, 1 - 17 / height, title, va="top", ha="center")
    sheet = np.full((height, width), 255, np.uint8)  # with all images: each alone takes far longer
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x, y = left + column * column_step, top + row * row_step
        sheet[y : y + cell, x : x + cell] = image.repeat(scale, axis=0).repeat(scale, axis=1)
        if column_labels and (title_per_image or row == 0):
            text = texts[i if title_per_image else column]
            place = (x + cell / 2) / width, 1 - (y - 4) / height
            figure.text(*place, text, va="bottom", ha="center", **style)
        if row_labels and column == 0:
            place = (x - 10) / width, 1 - (y + cell / 2) / height
            figure.text(*place, row_labels[row], va="center", ha="right", fontsize=8)
    # RGB, because a colour map would change some values by one.
    axes.imshow(np.stack([sheet] * 3, axis=2), aspect="auto")
    return figure


def _fitting(texts: list[str], width: int, one_line: bool) -> tuple[list[str], int, int, int]:
    """Titles for images or columns of `width` pixels; their height, font size and rotation.

    If they are too wide, they become smaller and are cut, if there is only `one_line` for them;
    otherwise they are written from bottom to top.
    """
    width -= 6  # between two of them
    if labels.widest(texts, 9, DPI) <= width:
        return texts, _TITLE_HEIGHT, 9, 0
    if one_line:
        return [labels.shortened(text, width, 7, DPI) for text in texts], _TITLE_HEIGHT, 7, 0
    short = [labels.shortened(text, _MAX_COLUMN_LABEL, 8, DPI) for text in texts]
    height = 14 + round(labels.widest(short, 8, DPI))
    return short, height, 8, 90


def picture_axes(figure: Figure, bounds: tuple[float, ...], image: np.ndarray) -> Axes:
    """Axes without ticks that show a gray image, 0 black and 255 white, with square pixels.

    Args:
        bounds: left, bottom, width and height, as fractions of the figure.
        image: uint8 [height, width].
    """
    axes = figure.add_axes(bounds)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255)
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
    with Image.open(io.BytesIO(content(figure))) as image:
        return np.asarray(image.convert("RGB"))


def save(figure: Figure, path: Path, output: Output = PNG) -> Path:
    """Write the figure, atomically. Returns the path: another format's suffix replaces .png."""
    if output.format != "png":
        path = path.with_suffix(f".{output.format}")
    write_atomically(path, content(figure, output))
    return path


@house_style()
def content(figure: Figure, output: Output = PNG) -> bytes:
    """The figure as the content of a file. Raises UserError if it has too many pixels."""
    if max(figure.get_size_inches()) * output.dpi > _MOST_PIXELS:
        raise UserError(
            f"{output.dpi} dots per inch: a figure would have a side of more than"
            f" {_MOST_PIXELS:,} pixels; use fewer"
        )
    buffer = io.BytesIO()
    labels.use_fonts(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a character in no font, which was noted
        unnamed = dict.fromkeys(_NAMES_AND_DATES[output.format])
        figure.savefig(buffer, format=output.format, dpi=output.dpi, metadata=unnamed)
    return buffer.getvalue()
