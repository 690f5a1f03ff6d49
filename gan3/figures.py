"""Pictures: arrays and numbers in, PNG and GIF files out. Digits are never stretched.

Figures are made without pyplot, so nothing is global and no display is needed.
"""

import io
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from PIL import Image

from gan3.files import write_atomically

_SCALE = 3  # pixels of a figure for one of a digit's, either way
_DPI = 120
LOSSES = {  # tag: (label, colour)
    "loss/discriminator": ("discriminator", "tab:blue"),
    "loss/determinator": ("determinator", "tab:green"),
    "loss/generator_real": ("generator: passes for real", "tab:red"),
    "loss/generator_digit": ("generator: shows its digit", "tab:orange"),
    "loss/discriminator_real": ("discriminator, real images", "tab:cyan"),
    "loss/discriminator_fake": ("discriminator, fakes", "tab:purple"),
}
ACCURACIES = {
    "accuracy/determinator_real": ("determinator, real images", "tab:green"),
    "accuracy/determinator_fake": ("determinator, fakes", "tab:orange"),
    "accuracy/discriminator_real": ("discriminator, real images", "tab:blue"),
    "accuracy/discriminator_fake": ("discriminator, fakes", "tab:cyan"),
}
JUDGED = {
    "judge/label_accuracy": ("read by the judge\nas asked", "tab:orange"),
    "judge/digits_found": ("digits found\nby the judge", "tab:orange"),
    "judge/frechet_distance": ("Frechet distance,\nfeature²", "tab:purple"),
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
    # All in pixels. An Axes for each digit would take most of the time that a figure takes.
    cell, across = 28 * _SCALE, 28 * _SCALE + 5
    down = cell + (35 if each else 5)
    longest = max(len(line) for text in beside for line in text.split("\n")) if beside else 0
    left = max(114, 28 + 7 * longest) if beside else 18
    width = max(left + columns * across + 18, 468)
    titles = textwrap.wrap(title, (width - 20) // 11) or [title]
    top = 50 + (31 if over else 0) + 18 * (len(titles) - 1)
    height = top + (rows - 1) * down + cell + 14
    left += (width - 18 - left - columns * across) // 2
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)

    def write(x: float, y: float, text: str, **where: Any) -> None:
        """`text` at x, y pixels from the left and from the top."""
        figure.text(x / width, 1 - y / height, text, **{"fontsize": 9, "ha": "center"} | where)

    write(width / 2, 17, "\n".join(titles), va="top")
    for i, image in enumerate(images):
        row, column = divmod(i, columns)
        x, y = left + column * across, top + row * down
        pixels = image.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1)
        figure.figimage(np.stack([pixels] * 3, axis=2), x, height - y - cell)  # as RGB: to the bit
        if over and (each or row == 0):
            write(x + cell / 2, y - 4, over[i if each else column], va="bottom")
        if beside and column == 0:
            write(x - 10, y + cell / 2, beside[row], ha="right", va="center", fontsize=8)
    return figure


def _picture(figure: Figure, place: tuple[float, ...], image: np.ndarray) -> Axes:
    """Grey pixels [height, width], 0 black and 255 white, each a square, without axes."""
    axes = figure.add_axes(place)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    return axes


def loss_curves(lines: list[dict[str, float]], title: str) -> Figure:
    """The losses, the accuracies and the judge's figures against the step, those that there are.

    lines: of metrics.jsonl.
    """
    known = {tag for line in lines for tag in line}
    figure = Figure(figsize=(9, 8.6), dpi=_DPI, layout="constrained")
    figure.suptitle(title, fontsize=11)
    above, below, judged = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 1.6))
    steps = np.array([line["step"] for line in lines], float)
    dots = "." if len(lines) == 1 else ""  # one point makes no line
    for axes, tags in ((above, LOSSES), (below, ACCURACIES)):
        for tag in filter(known.__contains__, tags):
            label, colour = tags[tag]
            values = np.array([line.get(tag, np.nan) for line in lines], float)
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
            axes.plot(steps, _smooth(values), color=colour, label=label, linewidth=1.6, marker=dots)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="best", ncols=2)
    shown = [tag for tag in LOSSES if tag in known]
    values = np.array([[line.get(tag, np.nan) for tag in shown] for line in lines], float)
    if np.nanmax(values) > 20 * max(np.nanmedian(values), 0.05):
        above.set_yscale("symlog", linthresh=0.1)
    above.set_ylabel("loss, nats (dropout off, no L1)")
    below.set_ylabel("accuracy")
    below.set_ylim(-0.02, 1.02)
    _judged(judged, lines)
    return figure


def _judged(axes: Axes, lines: list[dict[str, float]]) -> None:
    """What the judge said after each episode: a share at the left, a distance at the right."""
    for tag, (label, colour) in JUDGED.items():
        points = [(line["step"], line[tag]) for line in lines if tag in line]
        if not points:
            continue
        own = axes.twinx() if tag == "judge/frechet_distance" else axes
        own.plot(*zip(*points, strict=True), "o-", color=colour, markersize=3)
        own.set_ylabel(label, color=colour, fontsize=9)
        if own is axes:
            highest = 10 if tag == "judge/digits_found" else 1
            own.set_ylim(-0.02 * highest, 1.02 * highest)
        else:
            own.set_yscale("log")
    axes.grid(alpha=0.25)
    axes.set_xlabel("step")


def _smooth(values: np.ndarray) -> np.ndarray:
    """Centred mean over a twentieth of the run (at least three points), shorter at the ends."""
    half = max(1, len(values) // 40)
    return np.array(
        [np.nanmean(values[max(0, i - half) : i + half + 1]) for i in range(len(values))]
    )


def progression(
    frames: list[np.ndarray], path: Path, seconds: float = 0.8, last: float = 3.0
) -> None:
    """An animated GIF of pixels [height, width, 3], `seconds` each, the last one `last`.

    All of one width; those that are lower, where a title took fewer lines, get paper above.
    """
    height = max(len(frame) for frame in frames)
    edges = [((height - len(frame), 0), (0, 0), (0, 0)) for frame in frames]
    padded = [np.pad(f, edge, constant_values=255) for f, edge in zip(frames, edges, strict=True)]
    images = [Image.fromarray(frame).quantize(64) for frame in padded]
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
    figure = Figure(figsize=(11, 10.4), dpi=_DPI)
    figure.text(0.5, 0.975, title, ha="center", va="center", fontsize=11)
    figure.text(0.04, 0.945, "\n".join(lines), va="top", family="monospace", fontsize=9)
    asked = read.ndim == 2
    sheet_title = "samples, ten of each digit" if asked else "samples as they come"
    _sheet(figure, (0.69, 0.62, 0.29, 0.31), samples, 10, sheet_title)
    axes = figure.add_axes((0.06, 0.3, 0.34, 0.31 if asked else 0.28))
    (_confusion if asked else _counts)(axes, read)
    _coverage(figure, coverage)
    _pairs(figure, *pairs)
    return figure


def _sheet(figure: Figure, place, images: np.ndarray, columns: int, title: str) -> None:
    """Digits side by side without gaps, in one image."""
    rows = len(images) // columns
    sheet = images[: rows * columns].reshape(rows, columns, 28, 28).transpose(0, 2, 1, 3)
    axes = _picture(figure, place, sheet.reshape(rows * 28, columns * 28))
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
            axes = _picture(figure, (x, y, size, size / height), image)
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
    figure = Figure(figsize=(width, height), dpi=_DPI)
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


def spread(found: dict[str, dict[str, float]], title: str, marked: Collection[str] = ()) -> Figure:
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


def courses(found: dict[str, np.ndarray], title: str) -> Figure:
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
    figure = Figure(figsize=(max(6.0, 1.9 * len(columns) + 1.5), 4.6), dpi=_DPI)
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
    figure = Figure(figsize=(10, max(4.6, 0.23 * len(listed) + 0.8)), dpi=_DPI)
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
