"""Figures of style transfer: images redrawn in their own style, and correlations by pair."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gan3.core.classes import noun
from gan3.plots import labels
from gan3.plots.cards import name_ticks
from gan3.plots.grids import DPI, MOST_COLUMNS, grid

_MANY = 16  # classes with their correlations as numbers


def redrawn(sources: np.ndarray, images: np.ndarray, names: Sequence[str], title: str) -> Figure:
    """A row for each source image: itself, and every class drawn in its style.

    With more than 15 classes only the first 15 are shown.

    Args:
        sources: uint8 [N, 28, 28], the real images.
        images: uint8 [N, K, 28, 28], what was drawn in their styles.
        names: of the K classes.
    """
    shown = min(images.shape[1], MOST_COLUMNS - 1)
    sheet = np.concatenate([sources[:, None], images[:, :shown]], axis=1)
    columns = ["real", *names[:shown]]
    return grid(sheet.reshape(-1, *sources.shape[1:]), len(columns), title, columns)


def correlations(
    tables: dict[str, list[list[float | None]]], class_names: Sequence[str], title: str
) -> Figure:
    """The correlations of some properties as one matrix each.

    Args:
        tables: by property [K, K], by real and drawn class; None where there is no value.
        class_names: of the K classes.
    """
    figure = Figure(figsize=(4.1 * len(tables), 4.5), dpi=DPI)
    text = labels.title_of(figure, title, 10, most=2)
    figure.text(0.5, 0.96, text, ha="center", va="center", fontsize=10, parse_math=False)
    for number, (name, table) in enumerate(tables.items()):
        values = np.array(table, float)  # None becomes a value that is not a number
        axes = figure.add_axes(((number + 0.16) / len(tables), 0.1, 0.8 / len(tables), 0.76))
        axes.imshow(values, cmap="RdBu", vmin=-1, vmax=1)
        if len(values) <= _MANY:
            for row, column in np.argwhere(np.isfinite(values)):
                value = values[row, column]
                color = "white" if abs(value) > 0.6 else "black"
                text = f"{value:.2f}".replace("0.", ".")
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color=color)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel(f"drawn {noun(class_names)}", fontsize=8)
        axes.set_ylabel(f"real {noun(class_names)}", fontsize=8)
        axes.tick_params(labelsize=8)
        name_ticks(axes, class_names, "x")
        name_ticks(axes, class_names, "y")
    return figure
