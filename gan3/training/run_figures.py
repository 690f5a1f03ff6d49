"""The figures of a run: drawn during training, and redrawn later from the files of the run."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gan3.core.config import RunConfig
from gan3.core.files import make_folder, read_npz, write_npz
from gan3.core.log import Log
from gan3.plots import curves, grids
from gan3.runs.run_files import RunFolders, read_metrics
from gan3.runs.sampling import Sampler
from gan3.runs.seeds import CLASSES, FIXED, SHUFFLED, seed_of
from gan3.runs.trained import TrainedRun

_MAX_FRAMES = 50  # of an animation; at 0.8 s each and 3 s for the last it takes 42 s
_FRAME_ROWS = 3  # rows of ten digits in a frame of the first episode
_SECONDS_PER_FRAME = 0.25  # of the first episode's animation


def shuffled_grid(sampler: Sampler, config: RunConfig, episode: int, data_title: str) -> Figure:
    """The ten digits as 2 x 5, in a random order and with noise that differ between episodes."""
    order = np.random.default_rng([config.seed, SHUFFLED, episode]).permutation(10)
    images = sampler(order, seed_of(config.seed, SHUFFLED, episode))
    title = f"{config.experiment} · {data_title} · episode {episode}"
    return grids.grid(images, 5, title, column_labels=_digit_titles(sampler, order))


def fixed_grid(sampler: Sampler, config: RunConfig, episode: int, data_title: str) -> Figure:
    """Each digit five times as 5 x 10, from noise that is the same in every episode."""
    images = fixed_images(sampler, config, rows=5)
    title = f"{config.experiment} · {data_title} · episode {episode}, fixed noise"
    return grids.grid(images, 10, title, column_labels=_digit_titles(sampler, range(10)))


def _digit_titles(sampler: Sampler, digits: Iterable[int]) -> list[str] | None:
    """A title for each requested digit; None if the system cannot draw requested digits."""
    return [str(digit) for digit in digits] if sampler.class_conditional else None


def fixed_images(sampler: Sampler, config: RunConfig, rows: int) -> np.ndarray:
    """uint8 [10 * rows, 28, 28]: the digits 0 to 9, row by row, from the run's fixed noise."""
    return sampler(np.tile(np.arange(10), rows), seed_of(config.seed, FIXED))


def save_real_images(folders: RunFolders, images: np.ndarray, labels: np.ndarray) -> None:
    """Save ten real images of each digit, row by row 0 to 9; missing images are blank.

    images, labels: uint8 [N, 28, 28] and [N].
    """
    grid = np.zeros((10, 10, 28, 28), np.uint8)  # [row, digit, height, width]
    for digit in range(10):
        examples = images[labels == digit][:10]
        grid[: len(examples), digit] = examples
    write_npz(folders.real, {"images": grid.reshape(-1, 28, 28)})


def save_frame(folders: RunFolders, step: int, sampler: Sampler, config: RunConfig) -> None:
    """Save the digits of the fixed noise as they are after `step` of the first episode."""
    images = fixed_images(sampler, config, rows=_FRAME_ROWS)
    write_npz(folders.frame(step), {"images": images})


def frames_of(numbers: list[int]) -> list[int]:
    """At most 50 of the episodes or steps, evenly spaced, including the first and the last."""
    indices = np.linspace(0, len(numbers) - 1, min(len(numbers), _MAX_FRAMES))
    return [numbers[round(index)] for index in indices]


def draw(trained: TrainedRun, log: Log) -> None:
    """Draw all figures of a run from its saved generators and metrics.jsonl.

    The animation has a frame for every episode, or for 50 of them if there are more. Raises
    UserError if a file of the run is damaged or a figure cannot be written.
    """
    folders, config, data_title = trained.folders, trained.config, trained.data_title
    make_folder(folders.figures)
    sampler = Sampler(trained.system)
    rows, frames = [], []
    episodes = folders.episodes()
    animated = frames_of(episodes)
    for episode in episodes:
        trained.use_episode(episode)
        grids.save(shuffled_grid(sampler, config, episode, data_title), folders.picture(episode))
        fixed = fixed_grid(sampler, config, episode, data_title)
        grids.save(fixed, folders.figures / f"fixed_{episode:02d}.png")
        if episode in animated:
            frames.append(grids.pixels(fixed))  # a Figure would take far more memory
        rows.append(fixed_images(sampler, config, rows=1))
    name = f"{config.experiment} · {data_title}"
    grids.save(
        grids.grid(
            np.concatenate(rows),
            10,
            f"{name} · one row per episode, fixed noise",
            column_labels=_digit_titles(sampler, range(10)),
            row_labels=[f"episode {episode}" for episode in episodes],
        ),
        folders.figures / "episodes.png",
    )
    classes = sampler(np.repeat(np.arange(10), 10), seed_of(config.seed, CLASSES))
    grids.save(
        grids.grid(
            classes,
            10,
            f"{name} · episode {episodes[-1]}, "
            + ("ten of each digit" if sampler.class_conditional else "100 digits"),
            row_labels=_digit_titles(sampler, range(10)),
        ),
        folders.figures / "classes.png",
    )
    grids.progression(frames, folders.figures / "progression.gif")
    _draw_first_episode(trained, sampler, name)
    _draw_comparison(trained, sampler, name)
    lines = read_metrics(folders.metrics)
    grids.save(
        curves.loss_curves(lines, f"{name} · run {folders.name}"), folders.figures / "losses.png"
    )
    log(f"figures of {len(episodes)} episodes: {folders.figures}")


def _draw_first_episode(trained: TrainedRun, sampler: Sampler, name: str) -> None:
    """Animate the first episode, from the untrained generator on."""
    folders, titles = trained.folders, _digit_titles(sampler, range(10))
    frames = [
        grids.pixels(
            grids.grid(_read_images(folders.frame(step)), 10, f"{name} · step {step}", titles)
        )
        for step in frames_of(folders.frames())
    ]
    path = folders.figures / "first_episode.gif"
    grids.progression(frames, path, seconds=_SECONDS_PER_FRAME)


def _draw_comparison(trained: TrainedRun, sampler: Sampler, name: str) -> None:
    """Draw real images, and untrained, trained and real digits on one picture."""
    folders = trained.folders
    real, digits = _read_images(folders.real), list("0123456789")
    figure = grids.grid(real, 10, f"{trained.data_title} · real images", digits)
    grids.save(figure, folders.figures / "real.png")
    rows = {
        "untrained": _read_images(folders.frame(0)),
        "trained": fixed_images(sampler, trained.config, rows=2),
        "real": real,
    }
    figure = grids.grid(
        np.concatenate([images[:20] for images in rows.values()]),
        10,
        f"{name} · untrained, trained and real",
        _digit_titles(sampler, range(10)),
        [label for row in rows for label in (row, "")],
    )
    grids.save(figure, folders.figures / "untrained.png")


def _read_images(path: Path) -> np.ndarray:
    return read_npz(path, {"images": ("uint8", (None, 28, 28))})["images"]
