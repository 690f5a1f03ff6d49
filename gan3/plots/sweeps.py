"""TODO docstring."""

from collections.abc import Collection
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from gan3.plots.grids import DPI


def tradeoff(
    found: dict[str, dict[str, float]], title: str, marked: Collection[str] = ()
) -> Figure:
    """Accuracy against diversity: where each of several systems lies, by number.

    Coverage and accuracy are on logit scales, on which .98 and .99 are as far apart as .3 and .5.
    Where no system can be asked for a digit, precision takes the place of accuracy.

    Args:
        found: by name the metrics of a report card; the last is of real digits, drawn as a star.
        marked: names that are drawn as diamonds, not as dots.
    """
    *names, real = found
    listed = [*(f"{i}  {name}" for i, name in enumerate(names, start=1)), f"★  {real}"]
    figure, panels = _two_panels(title, listed, ["black" if n[0] == "★" else None for n in listed])
    sides = (
        ("recall", "precision", "recall: real digits it can draw", "precision: digits like real"),
        ("coverage", "label_accuracy", "coverage: real digits near one", "digits read as asked"),
    )
    if "label_accuracy" not in found[real]:
        sides = (sides[0], ("coverage", "precision", sides[1][2], sides[0][3]))
    for axes, (x, y, across, upward) in zip(panels, sides, strict=True):
        points = {}
        for number, name in enumerate(names, start=1):
            if x in found[name] and y in found[name]:
                at = np.array([found[name][x], found[name][y]])
                points[number] = np.clip(at, 0.002, 0.9998) if x == "coverage" else at
                shape = {"marker": "D", "markersize": 8} if name in marked else {"marker": "o"}
                axes.plot(*points[number], **{"markersize": 5, "color": _colour(number)} | shape)
        axes.plot(found[real][x], found[real][y], "*", color="black", markersize=12)
        axes.set_xlabel(across, fontsize=9)
        axes.set_ylabel(upward, fontsize=9)
        if x == "coverage":
            for set_scale, axis in ((axes.set_xscale, axes.xaxis), (axes.set_yscale, axes.yaxis)):
                set_scale("logit")
                ticks = (0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.997)
                axis.set_major_locator(FixedLocator(ticks))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_locator(NullLocator())
        axes.margins(0.1)
        _number(axes, points)
    return figure


def training_progress(found: dict[str, np.ndarray], title: str) -> Figure:
    """The judge's Frechet distance on the way: by name [N, 3], step, seconds of training, distance.

    Left against the step, right against the seconds; both axes of both are logarithmic.
    """
    listed = [f"{i}  {name}" for i, name in enumerate(found, start=1)]
    figure, panels = _two_panels(title, listed, [None] * len(listed))
    for place, (axes, label) in enumerate(
        zip(panels, ("step", "seconds of training"), strict=True)
    ):
        points = {}
        for number, rows in enumerate(found.values(), start=1):
            style = {"color": _colour(number), "marker": "o", "markersize": 3, "linewidth": 1.2}
            axes.loglog(rows[:, place], rows[:, 2], **style)
            points[number] = rows[-1, [place, 2]]
        axes.set_xlabel(label, fontsize=9)
        if place == 0:
            axes.set_ylabel("Frechet distance, feature²", fontsize=9)
        axes.margins(0.12, 0.05)
        for axis in (axes.xaxis, axes.yaxis):
            lowest, highest = axis.get_view_interval()
            span = highest / lowest  # the longer, the fewer numbers find room beside one another
            subs = (1, 2, 5) if span < 300 else (1, 3) if span < 10_000 else (1,)
            axis.set_major_locator(LogLocator(subs=subs))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_locator(NullLocator())
        _number(axes, points)
    return figure


def parallel(points: list[tuple[dict[str, Any], float]], measured: str, title: str) -> Figure:
    """Parallel coordinates: an axis a field, the last of them what was `measured`; a line a point.

    points: the best first, which is drawn last and thick. Numbers that span a factor of twenty have
    logarithmic axes; words stand in a row.
    """
    columns = {field: [point[field] for point, _ in points] for field in points[0][0]}
    columns[measured] = [value for _, value in points]
    figure = Figure(figsize=(max(6.0, 1.9 * len(columns) + 1.5), 4.6), dpi=DPI)
    figure.text(0.5, 0.95, f"{title} (thick: the best)", ha="center", fontsize=11)
    axes = figure.add_axes((0.09, 0.08, 0.82, 0.74))
    heights = []
    for place, (field, values) in enumerate(columns.items()):
        height, ticks = _upright(values)
        heights.append(height)
        axes.axvline(place, color="0.6", linewidth=1)
        axes.text(place, 1.06, field, ha="center", fontsize=8)
        for at, text in ticks:
            axes.plot(place, at, marker="_", color="0.4")
            paper = {"facecolor": "white", "alpha": 0.7, "pad": 0.5, "linewidth": 0}
            axes.text(place + 0.04, at, text, va="center", fontsize=7, bbox=paper, zorder=5)
    lines = np.array(heights).T  # [N, fields]
    colours = colormaps["viridis"](np.linspace(0.0, 0.95, len(lines)))
    for number in reversed(range(len(lines))):
        width = 2.5 if number == 0 else 1.0
        axes.plot(lines[number], color=colours[number], linewidth=width, alpha=0.85)
    axes.set(xlim=(-0.15, len(columns) - 0.6), ylim=(-0.05, 1.05))
    axes.axis("off")
    return figure


def _upright(values: list) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where values are on an axis from 0 to 1, and its ticks with their texts."""
    numbers = all(isinstance(value, int | float) and np.isfinite(value) for value in values)
    words = list(dict.fromkeys(map(str, values)))
    if not numbers or len(words) == 1:
        steps = {word: (i + 0.5) / len(words) for i, word in enumerate(words)}
        return np.array([steps[str(value)] for value in values]), [(y, w) for w, y in steps.items()]
    found = np.array(values, float)
    low, high = found.min(), found.max()
    bend = np.log if low > 0 and high > 20 * low else np.asarray
    ticks = np.unique(found)
    if len(ticks) > 6:
        even = np.linspace(bend(low), bend(high), 6)
        ticks = np.exp(even) if bend is np.log else even
    scale = [(bend(v) - bend(low)) / (bend(high) - bend(low)) for v in (found, ticks)]
    return scale[0], [(y, f"{tick:.3g}") for y, tick in zip(scale[1], ticks, strict=True)]


def _two_panels(title: str, listed: list[str], colours: list[str | None]) -> tuple[Figure, list]:
    """Two axes side by side and, at their right, what the numbers in them stand for."""
    figure = Figure(figsize=(10, max(4.6, 0.23 * len(listed) + 0.8)), dpi=DPI)
    height = figure.get_size_inches()[1]
    figure.text(0.5, 1 - 0.25 / height, title, ha="center", fontsize=11)
    below, above = 0.6 / height, 0.6 / height
    panels = [
        figure.add_axes((0.07 + 0.355 * place, below, 0.28, 1 - below - above)) for place in (0, 1)
    ]
    for axes in panels:
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
    for number, (text, colour) in enumerate(zip(listed, colours, strict=True), start=1):
        y = 1 - (0.55 + 0.22 * number) / height
        figure.text(0.745, y, text[:40], fontsize=8, color=colour or _colour(number), va="center")
    return figure, panels


def _number(axes: Axes, points: dict[int, np.ndarray]) -> None:
    """Numbers beside points (x, y), moved apart where they would cover one another."""
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # what is measured in pixels stays so
    places = axes.transData.transform(list(points.values()))
    for (number, point), label in zip(points.items(), _apart(places), strict=True):
        at = axes.transData.inverted().transform(label)
        leader = {"arrowstyle": "-", "color": _colour(number), "linewidth": 0.5, "shrinkA": 0}
        text = {"fontsize": 7, "color": _colour(number), "ha": "center", "va": "center"}
        axes.annotate(str(number), point, at, arrowprops=leader, **text)


def _apart(places: np.ndarray) -> np.ndarray:
    """A place [N, 2] for a label near each of the points [N, 2], 15 pixels from other labels."""
    count = len(places)
    angles = 2.4 * np.arange(count)  # so that those of one point part in all directions
    labels = places + 16 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for _ in range(300):
        move = 0.05 * (places - labels)  # home
        for others, least in ((labels, 17.0), (places, 12.0)):
            away = labels[:, None] - others[None]
            distance = np.linalg.norm(away, axis=2)
            distance[distance == 0] = np.inf  # itself
            push = np.clip(least - distance, 0, None) / distance
            move += 0.4 * (push[..., None] * away).sum(axis=1)
        labels = labels + move
    return labels


def _colour(number: int) -> str:
    """One of ten colours, again and again."""
    return f"C{(number - 1) % 10}"
