"""Pictures: arrays and numbers in, PNG and GIF files out. Digits are never stretched.

Figures are made without pyplot, so nothing is global and no display is needed.
"""

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gan3.files import write_atomically

_CELL = 0.62  # inches a digit
_DPI = 120
LOSSES = {  # tag: (label, colour)
    "loss/discriminator": ("discriminator", "tab:blue"),
    "loss/determinator": ("determinator", "tab:green"),
    "loss/generator_real": ("generator: passes for real", "tab:red"),
    "loss/generator_digit": ("generator: shows its digit", "tab:orange"),
}
ACCURACIES = {
    "accuracy/determinator_real": ("determinator, real images", "tab:green"),
    "accuracy/determinator_fake": ("determinator, fakes", "tab:orange"),
    "accuracy/discriminator_real": ("discriminator, real images", "tab:blue"),
    "accuracy/discriminator_fake": ("discriminator, fakes", "tab:cyan"),
}


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
    cell_height = _CELL * (1.42 if each else 1.06)
    left = 0.95 if beside else 0.15  # inches
    top = 0.42 + (0.26 if over else 0.0)
    width = max(left + columns * _CELL * 1.06 + 0.15, 3.9)
    height = top + (rows - 1) * cell_height + _CELL + 0.12
    figure = Figure(figsize=(width, height), dpi=_DPI)
    figure.text(0.5, 1 - 0.22 / height, title, ha="center", va="center", fontsize=9)
    left += (width - 0.15 - left - columns * _CELL * 1.06) / 2
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x = (left + column * _CELL * 1.06) / width
        y = 1 - (top + row * cell_height + _CELL) / height
        axes = figure.add_axes((x, y, _CELL / width, _CELL / height))
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_axis_off()
        if over and (each or row == 0):
            axes.set_title(over[i if each else column], fontsize=9, pad=2)
        if beside and column == 0:
            axes.text(-4, 14, beside[row], ha="right", va="center", fontsize=8)
    return figure


def loss_curves(lines: list[dict[str, float]], title: str) -> Figure:
    """The four losses and the accuracies against the step, from the lines of metrics.jsonl."""
    figure = Figure(figsize=(9, 7), dpi=_DPI, layout="constrained")
    figure.suptitle(title, fontsize=11)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    steps = np.array([line["step"] for line in lines], float)
    for axes, tags in ((above, LOSSES), (below, ACCURACIES)):
        for tag, (label, colour) in tags.items():
            values = np.array([line.get(tag, np.nan) for line in lines], float)
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
            axes.plot(steps, _smooth(values), color=colour, label=label, linewidth=1.6)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="best", ncols=2)
    values = np.array([[line.get(tag, np.nan) for tag in LOSSES] for line in lines], float)
    if np.nanmax(values) > 20 * max(np.nanmedian(values), 0.05):
        above.set_yscale("symlog", linthresh=0.1)
    above.set_ylabel("loss, nats (dropout off, no L1)")
    below.set_ylabel("accuracy")
    below.set_ylim(-0.02, 1.02)
    below.set_xlabel("step")
    return figure


def _smooth(values: np.ndarray) -> np.ndarray:
    """Centred mean over a twentieth of the run (at least three points), shorter at the ends."""
    half = max(1, len(values) // 40)
    return np.array(
        [np.nanmean(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    )


def progression(frames: list[np.ndarray], path: Path) -> None:
    """An animated GIF of pixels [height, width, 3] of one size, 0.8 seconds each, the last 3."""
    images = [Image.fromarray(frame).quantize(64) for frame in frames]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=images[1:],
        duration=[800] * (len(images) - 1) + [3000],
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
