"""Figures that compare several systems or the points of a sweep."""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gan3.plots import labels
from gan3.plots.grids import DPI
from gan3.plots.ticks import set_log_ticks

_AS_IT_IS = {"parse_math": False}  # of a title or name, in which a dollar sign is no formula
_PANEL, _LEGEND = 3.55, 2.55  # inches of width
_LOGIT_ENDS = 0.002, 0.9998  # of the logit axes, which have no 0 and no 1
_LOGIT_TICKS = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997)
_LOG_ENDS = 1e-6, 1e12  # of the logarithmic axes, which have no 0


class Pair(NamedTuple):
    """Two metrics by name that are drawn against each other."""

    x: str
    y: str
    x_label: str
    y_label: str
    logit: bool  # both scales are, so that .98 and .99 are as far apart as .3 and .5


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
    legend = [*(f"{i}  {name}" for i, name in enumerate(systems, start=1)), f"★  {real}"]
    colors = [*(_color(i) for i in range(1, len(systems) + 1)), "black"]
    figure, panels = _panels(len(pairs), title, legend, colors)
    for axes, (x, y, x_label, y_label, logit) in zip(panels, pairs, strict=True):
        points = {}
        low, high = _LOGIT_ENDS if logit else (-np.inf, np.inf)
        for number, name in enumerate(systems, start=1):
            if x in metrics[name] and y in metrics[name]:
                points[number] = np.clip([metrics[name][x], metrics[name][y]], low, high)
                marker, size = ("D", 8) if name in marked else ("o", 5)
                axes.plot(*points[number], marker, color=_color(number), markersize=size)
        star = np.clip([metrics[real][x], metrics[real][y]], low, high)
        axes.plot(*star, "*", color="black", markersize=12)
        axes.set_xlabel(x_label, fontsize=9, **_AS_IT_IS)
        axes.set_ylabel(y_label, fontsize=9, **_AS_IT_IS)
        if logit:
            for set_scale, axis in ((axes.set_xscale, axes.xaxis), (axes.set_yscale, axes.yaxis)):
                set_scale("logit")
                axis.set_major_locator(FixedLocator(_LOGIT_TICKS))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_locator(NullLocator())
        axes.margins(0.1)
        _number_points(axes, points)
    return figure


def training_progress(curves: dict[str, np.ndarray], title: str) -> Figure:
    """The judge's Fréchet distance during training, one numbered curve per system.

    Left against the step, right against the training time. All axes are logarithmic.

    curves: by system [N, 3]: step, seconds of training, distance.
    """
    legend = [f"{i}  {name}" for i, name in enumerate(curves, start=1)]
    colors = [_color(i) for i in range(1, len(curves) + 1)]
    figure, panels = _panels(2, title, legend, colors)
    for column, x_label in enumerate(("step", "training time in seconds")):
        axes, ends = panels[column], {}
        for number, rows in enumerate(curves.values(), start=1):
            style = {"color": _color(number), "marker": "o", "markersize": 3, "linewidth": 1.2}
            x, y = np.clip(rows[:, [column, 2]], *_LOG_ENDS).T
            axes.loglog(x, y, **style)
            ends[number] = np.array([x[-1], y[-1]])
        axes.set_xlabel(x_label, fontsize=9, **_AS_IT_IS)
        if column == 0:
            axes.set_ylabel("Fréchet distance (judge features)", fontsize=9)
        axes.margins(0.12, 0.05)
        for axis in (axes.xaxis, axes.yaxis):
            set_log_ticks(axis)
        _number_points(axes, ends)
    return figure


def parallel(points: list[tuple[dict[str, Any], float]], metric: str, title: str) -> Figure:
    """Parallel coordinates: one vertical axis per field and one for the metric, a line per point.

    An axis is logarithmic if its values span more than a factor of 20. Values that are not numbers
    are spread evenly.

    Args:
        points: the fields of each point and its value of the metric, the best point first. The best
            is drawn last, as a thick line.
        metric: title of the last axis.
    """
    columns = {field: [point[field] for point, _ in points] for field in points[0][0]}
    columns[metric] = [value for _, value in points]
    figure = Figure(figsize=(max(6.0, 1.9 * len(columns) + 1.5), 4.6), dpi=DPI)
    labels.write_title(figure, f"{title} (thick line: best)", 0.95)
    axes = figure.add_axes((0.09, 0.08, 0.82, 0.74))
    heights = []
    for x, (name, values) in enumerate(columns.items()):
        column_heights, ticks = _axis_heights(values)
        heights.append(column_heights)
        axes.axvline(x, color="0.6", linewidth=1)
        axes.text(
            x, 1.06, name.replace(" (", "\n("), ha="center", va="bottom", fontsize=8, **_AS_IT_IS
        )
        for y, text in ticks:
            axes.plot(x, y, marker="_", color="0.4")
            background = {"facecolor": "white", "alpha": 0.7, "pad": 0.5, "linewidth": 0}
            axes.text(
                x + 0.04, y, text, va="center", fontsize=7, bbox=background, zorder=5, **_AS_IT_IS
            )
    lines = np.array(heights).T  # [N, columns]
    colors = colormaps["viridis"](np.linspace(0.0, 0.95, len(lines)))
    for rank in reversed(range(len(lines))):
        width = 2.5 if rank == 0 else 1.0
        axes.plot(lines[rank], color=colors[rank], linewidth=width, alpha=0.85)
    axes.set(xlim=(-0.15, len(columns) - 0.6), ylim=(-0.05, 1.05))
    axes.axis("off")
    return figure


def _axis_heights(values: list) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """The heights of values on an axis from 0 to 1, and its ticks: height, text."""
    numeric = all(
        isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
        for value in values
    )
    texts = list(dict.fromkeys(map(str, values)))
    if not numeric or len(texts) == 1:
        heights = {text: (i + 0.5) / len(texts) for i, text in enumerate(texts)}
        return np.array([heights[str(v)] for v in values]), [(y, t) for t, y in heights.items()]
    numbers = np.array(values, float)
    low, high = numbers.min(), numbers.max()
    logarithmic = low > 0 and high > 20 * low
    scale = np.log if logarithmic else np.asarray
    ticks = np.unique(numbers)
    if len(ticks) > 6:
        even = np.linspace(scale(low), scale(high), 6)
        ticks = np.exp(even) if logarithmic else even

    def height(x: np.ndarray) -> np.ndarray:
        return (scale(x) - scale(low)) / (scale(high) - scale(low))

    return height(numbers), [
        (y, f"{tick:.3g}") for y, tick in zip(height(ticks), ticks, strict=True)
    ]


def _panels(
    count: int, title: str, legend: list[str], colors: list[str]
) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side and, to their right, a line of text per system."""
    width, height = 2.9 + count * _PANEL, max(4.6, 0.23 * len(legend) + 0.8)
    figure = Figure(figsize=(width, height), dpi=DPI)
    labels.write_title(figure, title, 1 - 0.25 / height, most=1, va="baseline")
    margin = 0.6 / height
    panels = [
        figure.add_axes(((0.7 + i * _PANEL) / width, margin, 2.8 / width, 1 - 2 * margin))
        for i in range(count)
    ]
    for axes in panels:
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
    left = 1 - _LEGEND / width
    room = (0.97 - left) * figure.bbox.width
    for number, (text, color) in enumerate(zip(legend, colors, strict=True), start=1):
        y = 1 - (0.55 + 0.22 * number) / height
        # Both ends tell points of a sweep apart.
        text = labels.cut_in_the_middle(text, room, 8, figure.dpi)
        figure.text(left, y, text, fontsize=8, color=color, va="center", **_AS_IT_IS)
    return figure, panels


def _number_points(axes: Axes, points: dict[int, np.ndarray]) -> None:
    """Write a number next to each point (x, y), moved apart if numbers would overlap."""
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # fixes the scale, so pixels stay valid
    positions = axes.transData.transform(list(points.values()))
    for (number, point), label in zip(points.items(), _label_positions(positions), strict=True):
        xy = axes.transData.inverted().transform(label)
        leader = {"arrowstyle": "-", "color": _color(number), "linewidth": 0.5, "shrinkA": 0}
        style = {"fontsize": 7, "color": _color(number), "ha": "center", "va": "center"}
        axes.annotate(str(number), point, xy, arrowprops=leader, **style)


def _label_positions(points: np.ndarray) -> np.ndarray:
    """Positions [N, 2] of labels near points [N, 2], in pixels, about 15 from each other.

    Found by iteration: each label is pulled to its point and pushed away from other labels and
    from all points.
    """
    count = len(points)
    angles = 2.4 * np.arange(count)  # labels of equal points start in different directions
    labels = points + 16 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for _ in range(300):
        move = 0.05 * (points - labels)
        for others, minimum in ((labels, 17.0), (points, 15.0)):
            offset = labels[:, None] - others[None]
            distance = np.linalg.norm(offset, axis=2)
            distance[distance == 0] = np.inf  # a label does not push itself
            push = np.clip(minimum - distance, 0, None) / distance
            move += 0.4 * (push[..., None] * offset).sum(axis=1)
        labels = labels + move
    return labels


def _color(number: int) -> str:
    """One of matplotlib's ten colors, in rotation; numbers start at 1."""
    return f"C{(number - 1) % 10}"
