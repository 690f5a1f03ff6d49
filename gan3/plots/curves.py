"""Training curves of one run: losses, accuracies, and the judge's metrics after each episode."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from gan3.core.classes import DIGITS, noun
from gan3.core.options import DPI
from gan3.plots import labels
from gan3.plots.style import house_style

# By tag: label, color and line, which says the same in a grey print. The colors are the style's.
_BLUE, _RED, _GREEN, _ORANGE, _PURPLE, _SKY = (f"C{number}" for number in range(6))
LOSSES = {
    "loss/discriminator": ("discriminator", _BLUE, "-"),
    "loss/determinator": ("determinator", _GREEN, "--"),
    "loss/generator_real": ("generator, adversarial", _RED, "-."),
    "loss/generator_digit": ("generator, requested digit", _ORANGE, ":"),
    "loss/discriminator_real": ("discriminator, real images", _SKY, "--"),
    "loss/discriminator_fake": ("discriminator, fake images", _PURPLE, "-."),
}
ACCURACIES = {
    "accuracy/determinator_real": ("determinator, real images", _GREEN, "--"),
    "accuracy/determinator_fake": ("determinator, fake images", _ORANGE, ":"),
    "accuracy/discriminator_real": ("discriminator, real images", _BLUE, "-"),
    "accuracy/discriminator_fake": ("discriminator, fake images", _SKY, "-."),
}
RECONSTRUCTION = {"loss/reconstruction": ("reconstruction of real images", _PURPLE, "-")}
JUDGED = {  # by tag: label, color and marker
    "judge/label_accuracy": ("● label accuracy\n(judge)", _RED, "o-"),
    "judge/classes_covered": ("● classes covered\n(of {classes})", _RED, "o-"),
    "judge/frechet_distance": ("■ Fréchet distance\n(judge features)", _BLUE, "s--"),
}


@house_style()
def loss_curves(
    lines: list[dict[str, float]], title: str, class_names: Sequence[str] = DIGITS
) -> Figure:
    """Losses, accuracies and the judge's metrics against the step; absent tags are left out.

    lines: of metrics.jsonl. class_names: of the run.
    """
    tags = {tag for line in lines for tag in line}
    requested = f"generator, requested {noun(class_names)}"
    losses_of = LOSSES | {"loss/generator_digit": (requested, _ORANGE, ":")}
    reconstructs = "loss/reconstruction" in tags
    figure = Figure(figsize=(9, 8.6 + 2 * reconstructs), dpi=DPI, layout="constrained")
    lines_of_title = labels.wrapped(title, 0.96 * figure.bbox.width, 11, figure.dpi)
    figure.suptitle(lines_of_title, fontsize=11)
    loss_axes, accuracy_axes, *reconstruction_axes, judge_axes = panels = figure.subplots(
        3 + reconstructs, 1, sharex=True, height_ratios=(3, 2, *[1.6] * (1 + reconstructs))
    )
    losses = _plot(loss_axes, {tag: losses_of[tag] for tag in LOSSES if tag in tags}, lines)
    if np.isfinite(losses).any() and np.nanmax(losses) > 20 * max(np.nanmedian(losses), 0.05):
        loss_axes.set_yscale("symlog", linthresh=0.1)
        loss_axes.yaxis.set_major_formatter(_plain_number)
    loss_axes.set_ylabel("loss in nats (no dropout, no L1)")
    _plot(accuracy_axes, {tag: ACCURACIES[tag] for tag in ACCURACIES if tag in tags}, lines)
    accuracy_axes.set_ylabel("accuracy")
    accuracy_axes.set_ylim(-0.02, 1.02)
    for axes in reconstruction_axes:
        _plot(axes, RECONSTRUCTION, lines)
        axes.set_ylabel("nats per image")
        axes.set_yscale("log")
        set_log_ticks(axes.yaxis)
    _plot_judged(judge_axes, lines, len(class_names))
    figure.align_ylabels(panels)
    return figure


def _plot(
    axes: Axes, styles: dict[str, tuple[str, str, str]], lines: list[dict[str, float]]
) -> np.ndarray:
    """Plot the values of each tag and their running mean. Returns the values [tags, lines]."""
    steps = np.array([line["step"] for line in lines], float)
    marker = "." if len(lines) == 1 else ""  # one point makes no line
    series = []
    for tag, (label, color, line) in styles.items():
        values = np.array([line.get(tag, np.nan) for line in lines], float)
        axes.plot(steps, values, color=color, alpha=0.25, linewidth=0.8)
        style = {"color": color, "linestyle": line, "linewidth": 1.6, "marker": marker}
        axes.plot(steps, _running_mean(values), label=label, **style)
        series.append(values)
    axes.grid(True)
    if styles:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
        axes.legend(ncols=3, **place)  # above the curves, never on them
    return np.array(series)


def _plot_judged(axes: Axes, lines: list[dict[str, float]], classes: int) -> None:
    """The judge's metrics: accuracy or classes on the left axis, the distance on the right one."""
    if not any(tag in line for line in lines for tag in JUDGED):
        text = "no metrics by a judge yet"
        axes.text(0.5, 0.5, text, ha="center", va="center", color="0.4", transform=axes.transAxes)
    for tag, (label, color, marker) in JUDGED.items():
        label = label.format(classes=classes)
        points = [(line["step"], line[tag]) for line in lines if tag in line]
        if not points:
            continue
        is_distance = tag == "judge/frechet_distance"
        tag_axes = axes.twinx() if is_distance else axes
        tag_axes.plot(*zip(*points, strict=True), marker, color=color, markersize=3)
        tag_axes.set_ylabel(label)
        if is_distance:
            tag_axes.set_yscale("log")
            set_log_ticks(tag_axes.yaxis)
        else:
            highest = classes if tag == "judge/classes_covered" else 1
            tag_axes.set_ylim(-0.02 * highest, 1.02 * highest)
    axes.grid(True)
    axes.set_xlabel("step")


def set_log_ticks(axis: Axis) -> None:
    """Few plain numbers at a logarithmic axis, by the range that it shows now."""
    lowest, highest = axis.get_view_interval()
    span = highest / lowest
    if span < 5:  # a decade's 1, 2 and 5 would be one tick or two
        axis.set_major_locator(MaxNLocator(4))
    else:
        subs = (1, 2, 5) if span < 300 else (1, 3) if span < 1000 else (1,)
        axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(_plain_number)
    axis.set_minor_locator(NullLocator())


def _plain_number(value: float, _: int | None) -> str:
    return f"{value:g}"


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Centered mean over a twentieth of the run, at least three points, fewer at the ends."""
    window = np.ones(2 * max(1, len(values) // 40) + 1)
    half = len(window) // 2
    finite = np.isfinite(values)
    sums = np.convolve(np.where(finite, values, 0), window)[half : half + len(values)]
    counts = np.convolve(finite, window)[half : half + len(values)]
    return sums / np.where(counts > 0, counts, np.nan)
