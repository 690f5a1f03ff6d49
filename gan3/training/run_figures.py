"""The figures of a run: drawn during training, and again later from the files of the run."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from gan3.core.classes import UNLABELLED, images_noun, noun
from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.core.files import make_folder, read_npz, write_npz
from gan3.core.log import Log
from gan3.core.options import PNG, Output
from gan3.core.seeds import CLASSES, FIXED, SHUFFLED, seed_of
from gan3.plots import curves, grids
from gan3.runs.run import Run

if TYPE_CHECKING:
    from gan3.models.generator import Generator

_MAX_FRAMES = 50  # in an animation; at 0.8 s each and 3 s for the last it takes 42 s
_MOST_ROWS = 16  # on the sheet of classes; of more than 16 each has a column
_FRAME_ROWS = 3  # images of each class in a frame of the first episode
_SECONDS_PER_FRAME = 0.25  # in the first episode's animation


def shuffled_grid(
    generator: "Generator", config: RunConfig, episode: int, data_title: str
) -> Figure:
    """Each class once (ten digits as 2 x 5), in an order and with noise that differ by episode."""
    random = np.random.default_rng([config.seed, SHUFFLED, episode])
    classes = columns_of(generator.class_names)
    order = random.permutation(classes) % len(generator.class_names)
    images = generator(order, seed_of(config.seed, SHUFFLED, episode))
    title = f"{config.experiment} · {data_title} · episode {episode}"
    columns = math.ceil(math.sqrt(2 * classes))  # about twice as wide as high
    return grids.grid(images, columns, title, column_labels=_titles(generator, order))


def fixed_grid(generator: "Generator", config: RunConfig, episode: int, data_title: str) -> Figure:
    """Each class five times, from noise that is the same in every episode."""
    images = fixed_images(generator, config, rows=5)
    title = f"{config.experiment} · {data_title} · episode {episode}, fixed noise"
    return grids.grid(images, columns_of(generator.class_names), title, _titles(generator))


def columns_of(names: tuple[str, ...]) -> int:
    """How many images a row of the grids has: one of each class, or ten if there are no labels."""
    return 10 if names == UNLABELLED else len(names)


def _row(generator: "Generator") -> np.ndarray:
    """The labels of a row of the grids: all classes, or the one of a set without labels."""
    names = generator.class_names
    return np.arange(columns_of(names)) % len(names)


def _titles(generator: "Generator", labels: Iterable[int] | None = None) -> list[str] | None:
    """The names of requested classes, by default of all of them; None if none can be requested."""
    if not generator.class_conditional:
        return None
    names = generator.class_names
    return list(names) if labels is None else [names[label] for label in labels]


def fixed_images(generator: "Generator", config: RunConfig, rows: int) -> np.ndarray:
    """uint8 [K * rows, 28, 28]: the classes in order, row by row, from the run's fixed noise."""
    return generator(np.tile(_row(generator), rows), seed_of(config.seed, FIXED))


def save_real_images(
    run: Run, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]
) -> None:
    """Save ten real images of each class, row by row in order; missing images are blank.

    images, labels: uint8 [N, 28, 28] and [N]. names: of the classes.
    """
    classes = columns_of(names)
    if names == UNLABELLED:
        labels = np.arange(len(images)) % classes
    grid = np.zeros((10, classes, 28, 28), np.uint8)  # [row, class, height, width]
    for label in range(classes):
        examples = images[labels == label][:10]
        grid[: len(examples), label] = examples
    write_npz(run.real_file, {"images": grid.reshape(-1, 28, 28)})


def save_frame(run: Run, step: int, generator: "Generator", config: RunConfig) -> None:
    """Save the images of the fixed noise as they are after `step` of the first episode."""
    images = fixed_images(generator, config, rows=_FRAME_ROWS)
    write_npz(run.frame_file(step), {"images": images})


def frames_of(numbers: list[int]) -> list[int]:
    """At most 50 of the episodes or steps, evenly spaced, including the first and the last."""
    indices = np.linspace(0, len(numbers) - 1, min(len(numbers), _MAX_FRAMES))
    return [numbers[round(index)] for index in indices]


def draw(run: Run, log: Log, output: Output = PNG) -> None:
    """Draw all figures of a run from its saved generators and metrics.jsonl.

    The animations are GIFs of at most 50 frames. What a run has lost for ever, the frames of its
    first episode and its metrics, is not drawn, which is logged. Raises UserError if another file
    is missing or one is damaged, or a figure cannot be written.
    """
    config, data_title, folder = run.config, run.data_title, run.figures
    run.trained()  # raises if no episode is finished
    make_folder(folder)

    def save(figure: Figure, name: str) -> None:
        grids.save(figure, folder / name, output)

    rows, frames = [], []
    episodes = run.episodes
    animated = frames_of(episodes)
    for episode in episodes:
        generator = run.generator(episode)
        save(shuffled_grid(generator, config, episode, data_title), run.picture(episode).name)
        fixed = fixed_grid(generator, config, episode, data_title)
        save(fixed, f"fixed_{episode:02d}.png")
        if episode in animated:
            frames.append(grids.pixels(fixed))  # a Figure would take far more memory
        rows.append(fixed_images(generator, config, rows=1))
    grids.progression(frames, folder / "progression.gif")
    names, titles, name = generator.class_names, _titles(generator), _run_title(run)
    classes = columns_of(names)

    # Each class after every episode, and ten of each after the last
    title, labels = f"{name} · one row per episode, fixed noise", [f"episode {n}" for n in episodes]
    figure = grids.grid(np.concatenate(rows), classes, title, titles, labels)
    save(figure, "episodes.png")
    ten = f"ten of each {noun(names)}" if titles else f"{10 * classes} {images_noun(names)}"
    figure = _ten_of_each(generator, config, f"{name} · episode {episodes[-1]}, {ten}")
    save(figure, "classes.png")

    # The first episode, from the untrained generator on
    frames = []
    for step in frames_of(run.frames):
        images = _read_images(run.frame_file(step), classes)
        frames.append(grids.pixels(grids.grid(images, classes, f"{name} · step {step}", titles)))
    if frames:
        grids.progression(frames, folder / "first_episode.gif", seconds=_SECONDS_PER_FRAME)
    else:
        log(f"NOTE: {run.frame_file(0).parent}: is empty, so first_episode.gif is not drawn")

    # Real images, alone and below untrained and trained ones
    real = _read_images(run.real_file, classes)
    real_titles = None if names == UNLABELLED else list(names)
    figure = grids.grid(real, classes, f"{data_title} · real images", real_titles)
    save(figure, "real.png")
    if 0 in run.frames:
        untrained = _read_images(run.frame_file(0), classes)
        trained = fixed_images(generator, config, rows=2)
        images = np.concatenate([shown[: 2 * classes] for shown in (untrained, trained, real)])
        labels = ["untrained", "", "trained", "", "real", ""]
        title = f"{name} · untrained, trained and real"
        save(grids.grid(images, classes, title, titles, labels), "untrained.png")
    else:
        log(f"NOTE: {run.frame_file(0)}: is gone, so untrained.png is not drawn")

    figure = styles_figure(run, generator)
    if figure is not None:
        save(figure, "style.png")
    if run.has_metrics:
        figure = curves.loss_curves(run.metrics(), f"{name} · run {run.name}", names)
        save(figure, "losses.png")
    else:
        log(f"NOTE: {run.metrics_file}: is empty, so losses.png is not drawn")
    log(f"figures of {len(episodes)} episode{'s' if len(episodes) > 1 else ''}: {folder}")


def _run_title(run: Run) -> str:
    return f"{run.config.experiment} · {run.data_title}"


def _ten_of_each(generator: "Generator", config: RunConfig, title: str) -> Figure:
    """Ten of each class, a row or a column for each; if none can be requested, as many of any."""
    classes, titles = columns_of(generator.class_names), _titles(generator)
    images = generator(np.repeat(_row(generator), 10), seed_of(config.seed, CLASSES))
    if classes <= _MOST_ROWS:
        return grids.grid(images, 10, title, row_labels=titles)
    by_row = images.reshape(classes, 10, 28, 28).swapaxes(0, 1).reshape(-1, 28, 28)
    return grids.grid(by_row, classes, title, titles)


def styles_figure(run: Run, generator: "Generator") -> Figure | None:
    """Every class in the style of a real image of each class; None without an encoder."""
    classes, trained = len(generator.class_names), run.trained()
    sources = _read_images(run.real_file, classes)[:classes]
    sources = sources[sources.max(axis=(1, 2)) > 0]  # blank where a class has no image
    if not trained.has_encoder or not len(sources):
        return None
    noise = trained.encoder()(sources).noise.repeat(classes, axis=0)
    images = generator.draw(np.tile(np.arange(classes), len(sources)), noise)
    images = images.reshape(len(sources), classes, 28, 28)
    rows = np.concatenate([sources[:, None], images], axis=1).reshape(-1, 28, 28)
    style = f"a real image of each {noun(generator.class_names)}, and all in its style"
    title = f"{_run_title(run)} · {style}"
    return grids.grid(rows, classes + 1, title, ["real", *generator.class_names])


def _read_images(path: Path, classes: int) -> np.ndarray:
    """Rows of one image of each class, at least two. Raises UserError for another number."""
    if not path.exists():
        raise UserError(f"{path}: no such file; resume the run, which writes it again")
    images = read_npz(path, {"images": ("uint8", (None, 28, 28))})["images"]
    if len(images) < 2 * classes or len(images) % classes:
        raise UserError(f"{path}: has {len(images)} images of {classes} classes; replace the file")
    return images
