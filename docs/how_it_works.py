"""Draws the pictures of how_it_works.md, the first of README, and one of results.md.

`python -m docs.how_it_works` in a checkout. Real digits are of the data that is found, generated
ones of the bundled generators.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

import gan3
from gan3.data.datasets import Dataset, load
from gan3.plots import grids
from gan3.runs.pretrained import DIGESTS

FOLDER = Path(__file__).parent

# The colours of Okabe and Ito, which people with any colour vision can tell apart.
GENERATOR = DENSE = "#E69F00"  # orange
DISCRIMINATOR = CONVOLUTION = "#56B4E9"  # blue
DETERMINATOR = "#2DB88D"  # green
POOL = "#F0E442"  # yellow
DROPOUT = "#D48CB4"  # pink
DATA = "#DDDDDD"

GENERATOR_LAYERS = [
    ("latent\n100", DATA),
    ("dense\n100", DENSE),
    ("dropout", DROPOUT),
    ("dense\n500", DENSE),
    ("dropout", DROPOUT),
    ("dense\n784", DENSE),
    ("dropout", DROPOUT),
    ("dense\n784", DENSE),
    ("image\n28×28", DATA),
]
CRITIC_LAYERS = [
    ("image\n28×28", DATA),
    ("conv 5×5\n28×28×32", CONVOLUTION),
    ("max-pool\n14×14×32", POOL),
    ("conv 5×5\n14×14×64", CONVOLUTION),
    ("max-pool\n7×7×64", POOL),
    ("dense\n1024", DENSE),
    ("dropout", DROPOUT),
]
"""The layers that discriminator and determinator have in common."""


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure, and axes that measure it in inches."""
    figure = Figure(figsize=(width, height), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


def fit(axes: Axes, width: float, height: float) -> None:
    """Set the limits last: an image that is drawn changes them."""
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)


def box(
    axes: Axes, left: float, bottom: float, size: tuple[float, float], color: str, text: str
) -> None:
    """A rounded box with a text in its middle."""
    width, height = size
    style = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch((left, bottom), width, height, style, facecolor=color))
    axes.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", fontsize=9)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow between two points."""
    style = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, **style, color="black"))


def small_digit(axes: Axes, image: np.ndarray, left: float, bottom: float, title: str) -> None:
    """A picture [28, 28] of 0.9 inches under its title."""
    extent = (left, left + 0.9, bottom, bottom + 0.9)
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=extent)
    axes.text(left + 0.45, bottom + 1, title, ha="center", fontsize=9)


def data_and_losses(real: np.ndarray, generated: np.ndarray) -> Figure:
    """What goes into each network, and which answer each of the three losses rewards.

    Args:
        real, generated: uint8 [28, 28], a 3 each.
    """
    width, height = 8, 3.7
    figure, axes = canvas(width, height)

    box(axes, 0.1, 2.85, (1.15, 0.6), DATA, "requested\ndigit: 3")
    box(axes, 0.1, 1.95, (1.15, 0.6), DATA, "ten random\nnumbers")
    arrow(axes, (1.25, 3.15), (1.6, 2.85))
    arrow(axes, (1.25, 2.25), (1.6, 2.55))
    box(axes, 1.6, 2.35, (1.0, 0.7), GENERATOR, "generator")
    arrow(axes, (2.6, 2.7), (2.95, 2.7))
    small_digit(axes, generated, 2.95, 2.25, "generated")
    small_digit(axes, real, 2.95, 0.25, "real: a 3")

    box(axes, 4.55, 2.35, (1.2, 0.7), DISCRIMINATOR, "discriminator:\nreal or fake?")
    box(axes, 4.55, 0.35, (1.2, 0.7), DETERMINATOR, "determinator:\nwhich digit?")
    arrow(axes, (3.85, 2.8), (4.55, 2.8))
    arrow(axes, (3.85, 2.4), (4.55, 0.9))
    arrow(axes, (3.85, 1.0), (4.55, 2.5))
    arrow(axes, (3.85, 0.6), (4.55, 0.6))

    box(
        axes,
        6.2,
        2.65,
        (1.7, 0.9),
        DISCRIMINATOR,
        "discriminator's loss:\nreal → “real”\ngenerated → “fake”",
    )
    box(
        axes,
        6.2,
        1.25,
        (1.7, 0.9),
        GENERATOR,
        "generator's loss:\ngenerated → “real”\ngenerated → “3”",
    )
    box(axes, 6.2, 0.05, (1.7, 0.7), DETERMINATOR, "determinator's loss:\nreal → “3”")
    arrow(axes, (5.75, 2.8), (6.2, 3.0))
    arrow(axes, (5.75, 2.55), (6.2, 1.85))
    arrow(axes, (5.75, 0.85), (6.2, 1.55))
    arrow(axes, (5.75, 0.6), (6.2, 0.45))
    fit(axes, width, height)
    return figure


def layers() -> Figure:
    """The layers of each network from left to right, with the shape of what they return."""
    width, height = 8, 3.35
    figure, axes = canvas(width, height)
    networks = {
        "generator": GENERATOR_LAYERS,
        "discriminator": [*CRITIC_LAYERS, ("dense\n1", DENSE), ("real?", DATA)],
        "determinator": [*CRITIC_LAYERS, ("dense\n10", DENSE), ("which\ndigit?", DATA)],
    }
    for row, (name, network) in enumerate(networks.items()):
        bottom = height - 0.95 - 1.15 * row
        axes.text(0.1, bottom + 0.65, name, fontsize=10, fontweight="bold")
        for column, (text, color) in enumerate(network):
            left = 0.1 + 0.88 * column
            box(axes, left, bottom, (0.76, 0.55), color, "")
            middle = (left + 0.38, bottom + 0.275)
            axes.text(*middle, text, ha="center", va="center", fontsize=7.5)
            if column:
                arrow(axes, (left - 0.12, bottom + 0.275), (left, bottom + 0.275))
    fit(axes, width, height)
    return figure


def bundled() -> Figure:
    """The first ten samples of each bundled generator."""
    images = [gan3.load(name).sample(10, seed=0).images for name in DIGESTS]
    title = "the bundled generators · the first ten samples of seed 0"
    return grids.grid(np.concatenate(images), 10, title, row_labels=list(DIGESTS))


def systems(data: Dataset) -> Figure:
    """Real digits of the test set and samples of three bundled systems, each image the first."""
    order = [np.flatnonzero(data.held_out_labels == digit)[:3] for digit in range(10)]
    images = [data.held_out_images[np.transpose(order).ravel()]]
    rows = {"best": 3, "three_network": 2, "published_code": 2}
    for name, count in rows.items():
        images.append(gan3.load(name).sample(10 * count, seed=0).images)
    titles = [name for name, count in ({"people": 3} | rows).items() for _ in range(count)]
    title = "Real digits (MNIST test), and digits of three systems trained on 200,000 images"
    digits = [str(digit) for digit in range(10)]
    return grids.grid(np.concatenate(images), 10, title, digits, titles)


def main() -> None:
    """Replace the pictures."""
    data = load("auto")
    grids.save(systems(data), FOLDER / "systems.png")
    real = data.images[np.flatnonzero(data.labels == 3)[0]]
    generated = gan3.load("three_network").sample(1, labels=[3]).images[0]
    data_and_losses(real, generated).savefig(FOLDER / "method_data.png")
    layers().savefig(FOLDER / "method_layers.png")
    grids.save(bundled(), FOLDER / "bundled.png")


if __name__ == "__main__":
    main()
