"""TODO docstring."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan3.plots.grids import DPI, picture_axes


# -- the report card -------------------------------------------------------------------------------
def report_card(
    title: str,
    lines: list[str],
    read: np.ndarray,
    coverage: dict[str, list[float]],
    samples: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Figure:
    """The card as one picture.

    Args:
        lines: of the table, of one width of type.
        read: counts [10, 10], row asked for, column read; [10] where no digit was asked for.
        coverage: "samples" and "real": a share for each digit.
        samples: uint8 [100, 28, 28], ten rows of ten: one digit each, where digits were asked for.
        pairs: the closest samples [10, 28, 28], their training images, their distances [10].
    """
    figure = Figure(figsize=(11, 10.4), dpi=DPI)
    figure.text(0.5, 0.975, title, ha="center", va="center", fontsize=11)
    figure.text(0.04, 0.945, "\n".join(lines), va="top", family="monospace", fontsize=9)
    requested = read.ndim == 2
    sheet_title = "samples, ten of each digit" if requested else "samples as they come"
    _sheet(figure, (0.69, 0.62, 0.29, 0.31), samples, 10, sheet_title)
    axes = figure.add_axes((0.06, 0.3, 0.34, 0.31 if requested else 0.28))
    (_confusion if requested else _counts)(axes, read)
    _coverage(figure, coverage)
    _pairs(figure, *pairs)
    return figure


def _sheet(figure: Figure, place, images: np.ndarray, columns: int, title: str) -> None:
    """Digits side by side without gaps, in one image."""
    rows = len(images) // columns
    sheet = images[: rows * columns].reshape(rows, columns, 28, 28).transpose(0, 2, 1, 3)
    axes = picture_axes(figure, place, sheet.reshape(rows * 28, columns * 28))
    axes.set_title(title, fontsize=9)


def _confusion(axes: Axes, counts: np.ndarray) -> None:
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row in range(10):
        for column in range(10):
            if counts[row, column]:
                colour = "white" if share[row, column] > 0.5 else "black"
                text = f"{counts[row, column]}"
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("read by the judge", fontsize=8)
    axes.set_ylabel("asked for", fontsize=8)
    axes.set_title("digits asked for and read", fontsize=9)
    axes.tick_params(labelsize=8)


def _counts(axes: Axes, counts: np.ndarray) -> None:
    axes.bar(range(10), counts, color="tab:orange")
    axes.axhline(counts.sum() / 10, color="tab:gray", linestyle="--", label="a tenth each")
    axes.set_xticks(range(10))
    axes.set_ylim(0, 1.18 * max(counts.max(), counts.sum() / 10, 1))
    axes.set_title("samples that the judge reads as each digit", fontsize=9)
    axes.legend(fontsize=8, loc="upper right")
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.25)


def _coverage(figure: Figure, coverage: dict[str, list[float]]) -> None:
    axes = figure.add_axes((0.5, 0.3, 0.46, 0.28))
    for shift, (name, colour) in ((-0.2, ("samples", "tab:orange")), (0.2, ("real", "tab:gray"))):
        axes.bar(
            np.arange(len(coverage[name])) + shift, coverage[name], 0.4, color=colour, label=name
        )
    axes.set_xticks(range(10))
    axes.set_ylim(0, 1.12)
    axes.set_title("coverage of each digit", fontsize=9)
    axes.legend(fontsize=8, loc="upper right", ncols=2)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.25)


def _pairs(figure: Figure, samples: np.ndarray, nearest: np.ndarray, distances: np.ndarray) -> None:
    """Samples above, the training image nearest to each below."""
    width, height = figure.get_size_inches()
    size, left, height = 0.08, 0.105, height / width
    for i, distance in enumerate(distances):
        for row, image in enumerate((samples[i], nearest[i])):
            x, y = left + i * size * 1.1, 0.1 - row * size * height * 1.06
            axes = picture_axes(figure, (x, y, size, size / height), image)
            if row == 0:
                axes.set_title(f"{distance:.2f}", fontsize=8, pad=2)
    title = "the samples closest to a training image, for their digit (distance, pixels in 0..1)"
    figure.text(0.5, 0.21, title, ha="center", fontsize=9)
    figure.text(0.09, 0.14, "sample", ha="right", va="center", fontsize=8)
    figure.text(0.09, 0.06, "nearest", ha="right", va="center", fontsize=8)


def table(columns: list[str], rows: list[tuple[str, list[str], set[int]]], title: str) -> Figure:
    """Figures side by side, the best of each row bold: (row title, texts, places of the best)."""
    widths = [3.1] + [max(1.15, 0.085 * len(column) + 0.25) for column in columns]  # inches
    width, height = sum(widths) + 0.3, 0.27 * (len(rows) + 1) + 0.65
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.text(0.5, 1 - 0.25 / height, title, ha="center", va="center", fontsize=10)
    right = np.cumsum(widths) + 0.1
    for number, (name, texts, best) in enumerate([("", columns, set()), *rows]):
        y = 1 - (0.62 + 0.27 * number) / height
        figure.text(0.15 / width, y, name, va="center", fontsize=8)
        for i, text in enumerate(texts):
            weight = "bold" if i in best else "normal"
            x = right[i + 1] / width
            figure.text(x, y, text, ha="right", va="center", fontsize=8, fontweight=weight)
    return figure
