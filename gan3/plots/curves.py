"""TODO docstring."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gan3.plots.grids import DPI

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
    "judge/classes_covered": ("digits found\nby the judge", "tab:orange"),
    "judge/frechet_distance": ("Frechet distance,\nfeature²", "tab:purple"),
}


def loss_curves(lines: list[dict[str, float]], title: str) -> Figure:
    """The losses, the accuracies and the judge's figures against the step, those that there are.

    lines: of metrics.jsonl.
    """
    known = {tag for line in lines for tag in line}
    figure = Figure(figsize=(9, 8.6), dpi=DPI, layout="constrained")
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
            highest = 10 if tag == "judge/classes_covered" else 1
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
