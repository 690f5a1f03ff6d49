"""Report cards as figures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan3.core.classes import DIGITS, images_noun, noun, nouns
from gan3.core.options import DPI
from gan3.plots import labels
from gan3.plots.grids import picture_axes
from gan3.plots.style import house_style

_LARGE = 1.35  # size of a card of many classes, relative to one of few
_MANY = 16  # classes on a card of usual size, with counts in its confusion matrix
_SHEET_COLUMNS = 12  # in the sample sheet of many classes
_SHEET_IMAGES = 168  # at most, on such a sheet
# Values in 0..1 and -1..1 beyond which white has more contrast than black, at least 4.5 : 1.
_DARK, _DARK_RED, _DARK_BLUE = 0.715, -0.66, 0.71
_LEAST_ROWS = 15  # a table with fewer rows is as high as one with these
_TABLE_COLUMNS = ((0, "left"), (0.59, "right"), (0.73, "center"), (0.91, "right"), (0.93, "left"))
_SMALLEST, _TICK_PIXELS = 5.0, 62  # for names at an axis: points, and pixels of width


@house_style()
def report_card(
    title: str,
    rows: list[tuple[str, ...]],
    counts: np.ndarray | None,
    coverage: dict[str, list[float | None]] | None,
    samples: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    class_names: Sequence[str] = DIGITS,
) -> Figure:
    """A report card as one figure.

    Args:
        rows: the table, its titles first: what was measured, the samples' value, its interval, that
            of real images, and which is better. Notes below it have the first text only.
        counts: how often the judge predicts each class. [K, K], a row for each requested class; [K]
            if no classes were requested; None without a judge.
        coverage: of each class, 0..1, under the keys "samples" and "real"; None for a class that is
            not held out. None without a judge.
        samples: uint8 [N, 28, 28], drawn in rows (`sheet_layout`), of which blank images fill the
            last; if classes were requested, as many of each class, one class after the other.
        pairs: samples uint8 [10, 28, 28], their nearest training images, the distances [10].
        class_names: of the K classes.
    """
    requested = counts is not None and counts.ndim == 2
    size = 1 if len(class_names) <= _MANY else _LARGE
    figure = Figure(figsize=(11 * size, 11.2 * size), dpi=DPI)
    labels.write_title(figure, title, 0.977)
    _table(figure.add_axes((0.04, 0.61, 0.61, 0.34)), rows)
    per_class, columns = sheet_layout(len(class_names))
    if counts is None or coverage is None:
        _sample_sheet(figure, samples, columns, "samples")
        text = "no judge has learned from this data set,\nso nothing is said about its classes"
        figure.text(0.5, 0.45, text, ha="center", color="0.4")
        _nearest_pairs(figure, class_names, *pairs)
        return figure
    if requested:
        title = f"{per_class} samples of each {noun(class_names)}"
        _sample_sheet(figure, samples, columns, title)
        _confusion_matrix(figure.add_axes((0.06, 0.28, 0.34, 0.29)), counts, class_names)
    else:
        _sample_sheet(figure, samples, 10, "random samples")
        _class_counts(figure.add_axes((0.06, 0.28, 0.34, 0.26)), counts, class_names)
    _coverage_bars(figure, coverage, class_names)
    _nearest_pairs(figure, class_names, *pairs)
    return figure


def _table(axes: Axes, rows: list[tuple[str, ...]]) -> None:
    """A table with rules around its titles and below its values; it fills the axes."""
    values = sum(1 for row in rows if any(row[1:]))  # rows with the titles
    axes.set(xlim=(0, 1), ylim=(max(len(rows), _LEAST_ROWS), 0))
    axes.set_axis_off()
    axes.hlines([0, 1, values], 0, 1, color="black", linewidth=0.8, clip_on=False)
    for y, row in enumerate(rows):
        for text, (x, align) in zip(row, _TABLE_COLUMNS, strict=True):
            axes.text(x, y + 0.52, text, ha=align, va="center")


def sheet_layout(classes: int) -> tuple[int, int]:
    """How many samples of each class a card shows, and in how many columns.

    Ten in a row; of more than 16 classes fewer, of several classes in a row.
    """
    if classes <= _MANY:
        return 10, 10
    return next(n for n in (6, 4, 3, 2) if n * classes <= _SHEET_IMAGES), _SHEET_COLUMNS


def _sample_sheet(figure: Figure, images: np.ndarray, columns: int, title: str) -> None:
    """Images [N, 28, 28] in rows without gaps, as one image."""
    rows = -(-len(images) // columns)
    full = np.zeros((rows * columns, 28, 28), images.dtype)
    full[: len(images)] = images
    sheet = full.reshape(rows, columns, 28, 28).transpose(0, 2, 1, 3)
    axes = picture_axes(figure, (0.69, 0.65, 0.29, 0.29), sheet.reshape(rows * 28, columns * 28))
    axes.set_title(title)


@house_style()
def correlations(
    tables: dict[str, list[list[float | None]]], class_names: Sequence[str], title: str
) -> Figure:
    """The correlations of some properties as one matrix each.

    Args:
        tables: by property [K, K], by real and drawn class; None where there is no value.
        class_names: of the K classes.
    """
    figure = Figure(figsize=(4.1 * len(tables), 4.5), dpi=DPI)
    labels.write_title(figure, title, 0.96, fontsize=10)
    kind = noun(class_names)
    for number, (name, table) in enumerate(tables.items()):
        values = np.array(table, float)  # None becomes a value that is not a number
        axes = figure.add_axes(((number + 0.16) / len(tables), 0.1, 0.8 / len(tables), 0.76))
        axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1)
        texts = np.vectorize(lambda value: f"{value:.2f}".replace("0.", "."))(values)
        texts[~np.isfinite(values)] = ""
        titles = name, f"drawn {kind}", f"real {kind}"
        dark = (values < _DARK_RED) | (values > _DARK_BLUE)
        _label_matrix(axes, texts, dark, class_names, titles)
    return figure


def _confusion_matrix(axes: Axes, counts: np.ndarray, class_names: Sequence[str]) -> None:
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    texts = np.where(counts > 0, counts.astype(str), "")
    title = f"requested and predicted {nouns(class_names)}"
    titles = title, "predicted by the judge", "requested"
    _label_matrix(axes, texts, fractions > _DARK, class_names, titles)


def _label_matrix(
    axes: Axes,
    texts: np.ndarray,
    dark: np.ndarray,
    class_names: Sequence[str],
    titles: tuple[str, str, str],
) -> None:
    """Texts [K, K] in the cells, white where these are `dark`; the names of the classes.

    titles: of the matrix, of its columns and of its rows.
    """
    if len(class_names) <= _MANY:  # more are told by their colors
        for (row, column), text in np.ndenumerate(texts):
            if text:
                color = "white" if dark[row, column] else "black"
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color=color)
    title, x_label, y_label = titles
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    name_ticks(axes, class_names, "x")
    name_ticks(axes, class_names, "y")


def _class_counts(axes: Axes, counts: np.ndarray, class_names: Sequence[str]) -> None:
    uniform = counts.sum() / len(class_names)
    axes.bar(range(len(class_names)), counts)
    axes.axhline(uniform, color="black", linestyle="--", label="uniform")
    title = f"samples by {noun(class_names)}, as predicted by the judge"
    _finish_bars(axes, title, class_names)


def _coverage_bars(
    figure: Figure, coverage: dict[str, list[float | None]], class_names: Sequence[str]
) -> None:
    axes = figure.add_axes((0.5, 0.28, 0.46, 0.26))
    for shift, name, color, hatch in ((-0.2, "samples", "C0", None), (0.2, "real", "C3", "///")):
        x = np.arange(len(coverage[name])) + shift
        axes.bar(x, np.array(coverage[name], float), 0.4, color=color, hatch=hatch, label=name)
    axes.set_ylim(0, 1)
    _finish_bars(axes, f"coverage of each {noun(class_names)}", class_names)


def _finish_bars(axes: Axes, title: str, class_names: Sequence[str]) -> None:
    """The title and the legend above the bars, the names of the classes below them."""
    axes.set_title(title, loc="left")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, ncols=2)
    name_ticks(axes, class_names, "x")
    axes.grid(axis="y")


def name_ticks(axes: Axes, class_names: Sequence[str], axis: str) -> None:
    """Write the names of the classes at an axis: small, across it or cut if they do not fit.

    Classes whose names would still overlap stay without one: only every n-th is written.
    """
    figure = axes.get_figure()
    _, _, width, height = axes.get_window_extent().bounds
    pitch = (width if axis == "x" else height) / len(class_names)  # pixels between two ticks
    across = axis == "x" and labels.widest(class_names, 8, figure.dpi) > 0.9 * pitch
    line = 1.15 * figure.dpi / 72  # pixels of height per point of font size
    fontsize = 8.0
    if across or axis == "y":
        width = labels.widest(class_names, 1, figure.dpi)  # pixels of width per point of font size
        fontsize = min(8, pitch / line, max(_TICK_PIXELS / width, 6.5))
        fontsize = float(max(fontsize, _SMALLEST))
    step = int(np.ceil(fontsize * line / pitch - 1e-6)) if across or axis == "y" else 1
    texts = [labels.shortened(name, _TICK_PIXELS, fontsize, figure.dpi) for name in class_names]
    shown = range(0, len(class_names), step)
    set_ticks = axes.set_xticks if axis == "x" else axes.set_yticks
    style = {"fontsize": fontsize, "rotation": 90 if across else 0}
    set_ticks(shown, [texts[i] for i in shown], **style)


def _nearest_pairs(
    figure: Figure,
    class_names: Sequence[str],
    samples: np.ndarray,
    nearest: np.ndarray,
    distances: np.ndarray,
) -> None:
    """A row of samples and, below each, its nearest training image."""
    figure_width, figure_height = figure.get_size_inches()
    aspect = figure_height / figure_width
    size, left = 0.08, 0.105  # fractions of the figure's width
    for i, distance in enumerate(distances):
        for row, image in enumerate((samples[i], nearest[i])):
            x, y = left + i * size * 1.1, 0.1 - row * size / aspect * 1.06
            axes = picture_axes(figure, (x, y, size, size / aspect), image)
            if row == 0:
                axes.set_title(f"{distance:.2f}", fontsize=8, pad=2)
    title = (
        f"samples closest to a training image, relative to real {images_noun(class_names)} of the"
        " same class (Euclidean distance, pixels in 0..1)"
    )
    figure.text(0.5, 0.21, title, ha="center")
    figure.text(0.09, 0.14, "sample", ha="right", va="center", fontsize=8)
    figure.text(0.09, 0.05, "nearest", ha="right", va="center", fontsize=8)
