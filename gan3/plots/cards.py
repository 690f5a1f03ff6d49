"""Report cards as figures: one card in detail, or several as a table."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan3.plots.grids import DPI, picture_axes


def report_card(
    title: str,
    lines: list[str],
    counts: np.ndarray | None,
    coverage: dict[str, list[float | None]] | None,
    samples: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Figure:
    """A report card as one figure.

    Args:
        lines: the table as text, drawn in a monospaced font.
        counts: how often the judge predicts each digit. [10, 10], a row for each requested digit;
            [10] if no digits were requested; None without a judge.
        coverage: of each digit, 0..1, under the keys "samples" and "real"; None for a digit that is
            not held out. None without a judge.
        samples: uint8 [N, 28, 28], drawn in rows of ten, a remainder left out; one row per digit if
            digits were requested.
        pairs: samples uint8 [10, 28, 28], their nearest training images, the distances [10].
    """
    requested = counts is not None and counts.ndim == 2
    figure = Figure(figsize=(11, 10.4), dpi=DPI)
    figure.text(0.5, 0.975, title, ha="center", va="center", fontsize=11)
    figure.text(0.04, 0.945, "\n".join(lines), va="top", family="monospace", fontsize=9)
    if counts is None or coverage is None:
        _sample_sheet(figure, samples, "samples")
        text = "no judge has learned from this data set,\nso nothing is said about its classes"
        figure.text(0.5, 0.45, text, ha="center", fontsize=9, color="0.4")
        _nearest_pairs(figure, *pairs)
        return figure
    _sample_sheet(figure, samples, "ten samples of each digit" if requested else "random samples")
    axes = figure.add_axes((0.06, 0.3, 0.34, 0.31 if requested else 0.28))
    if requested:
        _confusion_matrix(axes, counts)
    else:
        _digit_counts(axes, counts)
    _coverage_bars(figure, coverage)
    _nearest_pairs(figure, *pairs)
    return figure


def table(columns: list[str], rows: list[tuple[str, list[str], set[int]]], title: str) -> Figure:
    """A table as a figure.

    Args:
        rows: title, texts (one per column), and the columns whose text is bold.
    """
    widths = [3.1] + [max(1.15, 0.085 * len(column) + 0.25) for column in columns]  # inches
    width, height = sum(widths) + 0.3, 0.27 * (len(rows) + 1) + 0.65
    figure = Figure(figsize=(width, height), dpi=DPI)
    figure.text(0.5, 1 - 0.25 / height, title, ha="center", va="center", fontsize=10)
    right_edges = np.cumsum(widths) + 0.1
    for number, (row_title, texts, bold) in enumerate([("", columns, set()), *rows]):
        y = 1 - (0.62 + 0.27 * number) / height
        figure.text(0.15 / width, y, row_title, va="center", fontsize=8)
        for i, text in enumerate(texts):
            weight = "bold" if i in bold else "normal"
            x = right_edges[i + 1] / width
            figure.text(x, y, text, ha="right", va="center", fontsize=8, fontweight=weight)
    return figure


def _sample_sheet(figure: Figure, images: np.ndarray, title: str) -> None:
    """Digits [N, 28, 28] in rows of ten without gaps, as one image."""
    rows = len(images) // 10
    sheet = images[: rows * 10].reshape(rows, 10, 28, 28).transpose(0, 2, 1, 3)
    axes = picture_axes(figure, (0.69, 0.62, 0.29, 0.31), sheet.reshape(rows * 28, 280))
    axes.set_title(title, fontsize=9)


def _confusion_matrix(axes: Axes, counts: np.ndarray) -> None:
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(counts)):
        for column in range(len(counts)):
            if counts[row, column]:
                color = "white" if fractions[row, column] > 0.5 else "black"
                text = f"{counts[row, column]}"
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color=color)
    axes.set_xticks(range(len(counts)))
    axes.set_yticks(range(len(counts)))
    axes.set_xlabel("predicted by the judge", fontsize=8)
    axes.set_ylabel("requested", fontsize=8)
    axes.set_title("requested and predicted digits", fontsize=9)
    axes.tick_params(labelsize=8)


def _digit_counts(axes: Axes, counts: np.ndarray) -> None:
    axes.bar(range(len(counts)), counts, color="tab:orange")
    axes.axhline(counts.mean(), color="tab:gray", linestyle="--", label="uniform")
    axes.set_xticks(range(len(counts)))
    axes.set_ylim(0, 1.18 * max(counts.max(), counts.mean(), 1))
    axes.set_title("samples by digit, as predicted by the judge", fontsize=9)
    axes.legend(fontsize=8, loc="upper right")
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.25)


def _coverage_bars(figure: Figure, coverage: dict[str, list[float | None]]) -> None:
    axes = figure.add_axes((0.5, 0.3, 0.46, 0.28))
    for shift, (name, color) in ((-0.2, ("samples", "tab:orange")), (0.2, ("real", "tab:gray"))):
        x = np.arange(len(coverage[name])) + shift
        axes.bar(x, np.array(coverage[name], float), 0.4, color=color, label=name)
    axes.set_xticks(range(len(coverage["real"])))
    axes.set_ylim(0, 1.12)
    axes.set_title("coverage of each digit", fontsize=9)
    axes.legend(fontsize=8, loc="upper right", ncols=2)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", alpha=0.25)


def _nearest_pairs(
    figure: Figure, samples: np.ndarray, nearest: np.ndarray, distances: np.ndarray
) -> None:
    """A row of samples and, below each, its nearest training image."""
    figure_width, figure_height = figure.get_size_inches()
    aspect = figure_height / figure_width
    size, left = 0.08, 0.105  # fractions of the figure's width
    for i, distance in enumerate(distances):
        for row, image in enumerate((samples[i], nearest[i])):
            x, y = left + i * size * 1.1, 0.1 - row * size * aspect * 1.06
            axes = picture_axes(figure, (x, y, size, size / aspect), image)
            if row == 0:
                axes.set_title(f"{distance:.2f}", fontsize=8, pad=2)
    title = (
        "samples closest to a training image, relative to real digits of the same class"
        " (Euclidean distance, pixels in 0..1)"
    )
    figure.text(0.5, 0.21, title, ha="center", fontsize=9)
    figure.text(0.09, 0.14, "sample", ha="right", va="center", fontsize=8)
    figure.text(0.09, 0.06, "nearest", ha="right", va="center", fontsize=8)
