"""Accuracy against diversity, of several systems or of the points of a sweep."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gan3.core.options import DPI
from gan3.plots import labels
from gan3.plots.style import house_style

_PANEL, _LEGEND = 3.55, 2.55  # inches of width
_STAR = {"color": "black", "marker": "*", "markersize": 12}  # real images
_COLOURS, _MARKERS = 6, "osv^PX<"  # no colour has the same marker again before number 42
_CLEAR = 15  # pixels between a number, its point, and others
_LOGIT_ENDS = 0.002, 0.9998  # the logit axes have no 0 and no 1
_LOGIT_TICKS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997)


class Pair(NamedTuple):
    """Two metrics by name that are drawn against each other."""

    x: str
    y: str
    x_label: str
    y_label: str
    logit: bool  # both scales are, so that .98 and .99 are as far apart as .3 and .5


@house_style()
def tradeoff(
    metrics: dict[str, dict[str, float]],
    pairs: list[Pair],
    title: str,
    marked: Collection[str] = (),
) -> Figure:
    """Quality against diversity: one numbered point per system in a panel for each pair.

    Args:
        metrics: of a report card, by system. The last entry is real digits, drawn as a star; they
            have all metrics of the pairs.
        marked: systems drawn as diamonds instead of dots.
    """
    *systems, real = metrics
    legend = [*(f"{i}  {name}" for i, name in enumerate(systems, start=1)), real]
    styles = [
        {
            "color": f"C{number % _COLOURS}",
            "marker": "D" if name in marked else _MARKERS[number % len(_MARKERS)],
            "markersize": 8 if name in marked else None,
            "markeredgecolor": "0.2",
            "markeredgewidth": 0.5,
        }
        for number, name in enumerate(systems)
    ]
    figure, panels = _panels(len(pairs), title, legend, styles)
    for axes, (x, y, x_label, y_label, logit) in zip(panels, pairs, strict=True):
        points = {}
        low, high = _LOGIT_ENDS if logit else (-np.inf, np.inf)
        for number, name in enumerate(systems, start=1):
            if x in metrics[name] and y in metrics[name]:
                points[number] = np.clip([metrics[name][x], metrics[name][y]], low, high)
                axes.plot(*points[number], linestyle="", **styles[number - 1])
        star = np.clip([metrics[real][x], metrics[real][y]], low, high)
        axes.plot(*star, **_STAR)
        axes.set(xlabel=x_label, ylabel=y_label)
        if logit:
            for set_scale, axis in ((axes.set_xscale, axes.xaxis), (axes.set_yscale, axes.yaxis)):
                set_scale("logit")
                axis.set_major_locator(FixedLocator(_LOGIT_TICKS))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_locator(NullLocator())
        axes.margins(0.1)
        _number_points(axes, points)
    return figure


def _panels(
    count: int, title: str, legend: list[str], styles: list[dict[str, Any]]
) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side and, to their right, a marker and a text per system."""
    width, height = 2.9 + count * _PANEL, max(4.6, 0.23 * len(legend) + 0.8)
    figure = Figure(figsize=(width, height), dpi=DPI)
    labels.write_title(figure, title, 1 - 0.25 / height, most=1, va="baseline")
    margin = 0.6 / height
    panels = [
        figure.add_axes(((0.7 + i * _PANEL) / width, margin, 2.8 / width, 1 - 2 * margin))
        for i in range(count)
    ]
    for axes in panels:
        axes.grid()
    left = 1 - _LEGEND / width
    room = (0.97 - left) * figure.bbox.width
    for number, (text, style) in enumerate(zip(legend, [*styles, _STAR], strict=True), start=1):
        y = 1 - (0.55 + 0.22 * number) / height
        figure.add_artist(Line2D([left - 0.12 / width], [y], linestyle="", **style))
        text = labels.shortened(text, room, 8, figure.dpi)
        figure.text(left, y, text, fontsize=8, va="center")
    return figure, panels


def _number_points(axes: Axes, points: dict[int, np.ndarray]) -> None:
    """Write a number near each point (x, y), clear of all points and of other numbers."""
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # fixes the scale, so pixels stay valid
    taken = [*axes.transData.transform(list(points.values()))]
    ring = np.exp(1j * np.pi / 8 * np.arange(16)).view(float).reshape(-1, 2)
    around = np.concatenate([_CLEAR * ring, 2 * _CLEAR * ring])
    leader = {"arrowstyle": "-", "color": "0.4", "linewidth": 0.5}
    style = {"fontsize": 7, "ha": "center", "va": "center"}
    for number, place in zip(points, [*taken], strict=True):
        places = place + around
        distances = np.linalg.norm(places[:, None] - taken, axis=2).min(axis=1)
        taken.append(places[(distances > 0.99 * _CLEAR).argmax()])
        xy = axes.transData.inverted().transform(taken[-1])
        axes.annotate(str(number), points[number], xy, arrowprops=leader, **style)
