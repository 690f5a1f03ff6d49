"""The pictures of a run, during training and again from what it saved."""

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

_MOST_FRAMES = 50  # of the progression: 42 seconds
_FRAME_ROWS = 3  # of ten digits, in a frame of the first episode


def shuffled_grid(sampler: Sampler, config: RunConfig, episode: int, data_title: str) -> Figure:
    """2 x 5, the ten digits in an order and with noise of the episode's own."""
    order = np.random.default_rng([config.seed, SHUFFLED, episode]).permutation(10)
    images = sampler(order, seed_of(config.seed, SHUFFLED, episode))
    title = f"{config.experiment} · {data_title} · episode {episode}"
    return grids.grid(images, 5, title, over=_digit_titles(sampler, order))


def fixed_grid(sampler: Sampler, config: RunConfig, episode: int, data_title: str) -> Figure:
    """5 x 10: each digit five times, from the same noise in every episode."""
    images = fixed_images(sampler, config, rows=5)
    title = f"{config.experiment} · {data_title} · episode {episode}, the same noise in each"
    return grids.grid(images, 10, title, over=_digit_titles(sampler, range(10)))


def _digit_titles(sampler: Sampler, digits: Iterable[int]) -> list[str] | None:
    """Titles of digits, where they can be asked for."""
    return [str(digit) for digit in digits] if sampler.class_conditional else None


def fixed_images(sampler: Sampler, config: RunConfig, rows: int) -> np.ndarray:
    """uint8 [10 rows, 28, 28]: the digits 0 to 9, row by row, from the run's fixed noise."""
    return sampler(np.tile(np.arange(10), rows), seed_of(config.seed, FIXED))


def save_real_images(folders: RunFolders, images: np.ndarray, labels: np.ndarray) -> None:
    """Keep ten rows of the ten digits from real images, blank where there are none of a digit."""
    sheet = np.zeros((10, 10, 28, 28), np.uint8)
    for digit in range(10):
        own = images[labels == digit][:10]
        sheet[: len(own), digit] = own
    write_npz(folders.real, {"images": sheet.reshape(-1, 28, 28)})


def save_frame(folders: RunFolders, step: int, sampler: Sampler, config: RunConfig) -> None:
    """Keep the digits of fixed noise as they are after `step` of the first episode."""
    images = fixed_images(sampler, config, rows=_FRAME_ROWS)
    write_npz(folders.frame(step), {"images": images})


def frames_of(episodes: list[int]) -> list[int]:
    """At most 50 of the episodes, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(episodes) - 1, min(len(episodes), _MOST_FRAMES))
    return [episodes[round(place)] for place in places]


def draw(trained: TrainedRun, log: Log) -> None:
    """All figures of a run again, from its saved generators and metrics.jsonl.

    The progression shows every episode, of more than 50 those of `frames_of`.
    """
    folders, config, title = trained.folders, trained.config, trained.data_title
    make_folder(folders.figures)
    sampler = Sampler(trained.system)
    sheet, frames = [], []
    episodes = folders.episodes()
    shown = frames_of(episodes)
    for episode in episodes:
        trained.use_episode(episode)
        grids.save(shuffled_grid(sampler, config, episode, title), folders.picture(episode))
        fixed = fixed_grid(sampler, config, episode, title)
        grids.save(fixed, folders.figures / f"fixed_{episode:02d}.png")
        if episode in shown:
            frames.append(grids.pixels(fixed))  # a Figure takes many times as much
        sheet.append(fixed_images(sampler, config, rows=1))
    name = f"{config.experiment} · {title}"
    grids.save(
        grids.grid(
            np.concatenate(sheet),
            10,
            f"{name} · one row an episode, the same noise",
            over=_digit_titles(sampler, range(10)),
            beside=[f"episode {episode}" for episode in episodes],
        ),
        folders.figures / "episodes.png",
    )
    classes = sampler(np.repeat(np.arange(10), 10), seed_of(config.seed, CLASSES))
    grids.save(
        grids.grid(
            classes,
            10,
            f"{name} · episode {episodes[-1]}, "
            + ("ten of each digit" if sampler.class_conditional else "a hundred digits"),
            beside=_digit_titles(sampler, range(10)),
        ),
        folders.figures / "classes.png",
    )
    grids.progression(frames, folders.figures / "progression.gif")
    _draw_first_episode(trained, sampler, name)
    _draw_beside_real(trained, sampler, name)
    lines = read_metrics(folders.metrics)
    grids.save(
        curves.loss_curves(lines, f"{name} · run {folders.name}"), folders.figures / "losses.png"
    )
    log(f"drew {len(episodes)} episodes: {folders.figures}")


def _draw_first_episode(trained: TrainedRun, sampler: Sampler, name: str) -> None:
    """A GIF of what the generator learns in its first episode, from the untrained one on."""
    folders, over = trained.folders, _digit_titles(sampler, range(10))
    shown = [
        grids.pixels(grids.grid(_kept(folders.frame(step)), 10, f"{name} · step {step}", over))
        for step in frames_of(folders.frames())
    ]
    if shown:
        grids.progression(shown, folders.figures / "first_episode.gif", seconds=0.25)


def _draw_beside_real(trained: TrainedRun, sampler: Sampler, name: str) -> None:
    """Real images; and the untrained generator's digits, the trained one's, and real ones."""
    folders = trained.folders
    if not folders.real.is_file():  # of a run that was trained before these were kept
        return
    real, digits = _kept(folders.real), list("0123456789")
    sheet = grids.grid(real, 10, f"{trained.data_title} · real images", digits)
    grids.save(sheet, folders.figures / "real.png")
    rows = {
        "untrained": _kept(folders.frame(0)),
        "trained": fixed_images(sampler, trained.config, rows=2),
        "real": real,
    }
    picture = grids.grid(
        np.concatenate([images[:20] for images in rows.values()]),
        10,
        f"{name} · before and after training, and real",
        _digit_titles(sampler, range(10)),
        [text for row in rows for text in (row, "")],
    )
    grids.save(picture, folders.figures / "untrained.png")


def _kept(path: Path) -> np.ndarray:
    return read_npz(path, {"images": ("uint8", (None, 28, 28))})["images"]
