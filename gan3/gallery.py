"""The pictures of a run, during training and again from what it saved."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from gan3 import figures
from gan3.catalogue import builder_of
from gan3.checkpoints import Checkpoints
from gan3.config import Config
from gan3.errors import UserError
from gan3.files import make_folder
from gan3.records import Folders, folders_of, newest, read_metrics, read_record
from gan3.sampling import (
    CLASSES,
    FIXED,
    SHUFFLED,
    Sampler,
    System,
    load_generator,
    seed_of,
)

Say = Callable[[str], None]

_MOST_FRAMES = 50  # of the progression: 42 seconds


@dataclass(frozen=True)
class Trained:
    """A run that was trained, wholly or in part, as the commands after training open it."""

    folders: Folders
    config: Config
    data_title: str
    system: System

    def use_episode(self, number: int) -> None:
        """Put the generator of that episode into the system."""
        load_generator(self.folders.episode(number), self.system)

    def use_checkpoint(self, say: Say) -> None:
        """Put the newest whole checkpoint, all three networks, into the system."""
        Checkpoints(self.folders.checkpoints, self.system.state).restore(say)


def open_run(name: str | None, logs: str = "logs", figures: str = "figures") -> Trained:
    """A run by name, the newest where None, with its newest saved generator.

    Raises UserError where there is no such run, or it has not finished an episode.
    """
    folders = folders_of(newest(logs) if name is None else name, logs, figures)
    record = read_record(folders.record)
    config = Config.from_dict(record.get("config"))
    episodes = folders.episodes()
    if not episodes:
        raise UserError(f"run {folders.name}: no episode is done yet; make resume goes on with it")
    system = builder_of(config.experiment)(config, "float32")
    trained = Trained(folders, config, str(record.get("data_title", "?")), system)
    trained.use_episode(episodes[-1])
    return trained


def shuffled_grid(sampler: Sampler, config: Config, episode: int, data_title: str) -> Figure:
    """2 x 5, the ten digits in an order and with noise of the episode's own."""
    order = np.random.default_rng([config.seed, SHUFFLED, episode]).permutation(10)
    images = sampler(order, seed_of(config.seed, SHUFFLED, episode))
    title = f"{config.experiment} · {data_title} · episode {episode}"
    return figures.grid(images, 5, title, over=_asked(sampler, order))


def fixed_grid(sampler: Sampler, config: Config, episode: int, data_title: str) -> Figure:
    """5 x 10: each digit five times, from the same noise in every episode."""
    images = fixed_images(sampler, config, rows=5)
    title = f"{config.experiment} · {data_title} · episode {episode}, the same noise in each"
    return figures.grid(images, 10, title, over=_asked(sampler, range(10)))


def _asked(sampler: Sampler, digits: Iterable[int]) -> list[str] | None:
    """Titles of digits, where they can be asked for."""
    return [str(digit) for digit in digits] if sampler.heeds_labels else None


def fixed_images(sampler: Sampler, config: Config, rows: int) -> np.ndarray:
    """uint8 [10 rows, 28, 28]: the digits 0 to 9, row by row, from the run's fixed noise."""
    return sampler(np.tile(np.arange(10), rows), seed_of(config.seed, FIXED))


def frames_of(episodes: list[int]) -> list[int]:
    """At most 50 of the episodes, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(episodes) - 1, min(len(episodes), _MOST_FRAMES))
    return [episodes[round(place)] for place in places]


def draw(trained: Trained, say: Say) -> None:
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
        figures.save(shuffled_grid(sampler, config, episode, title), folders.picture(episode))
        fixed = fixed_grid(sampler, config, episode, title)
        figures.save(fixed, folders.figures / f"fixed_{episode:02d}.png")
        if episode in shown:
            frames.append(figures.pixels(fixed))  # a Figure takes many times as much
        sheet.append(fixed_images(sampler, config, rows=1))
    name = f"{config.experiment} · {title}"
    figures.save(
        figures.grid(
            np.concatenate(sheet),
            10,
            f"{name} · one row an episode, the same noise",
            over=_asked(sampler, range(10)),
            beside=[f"episode {episode}" for episode in episodes],
        ),
        folders.figures / "episodes.png",
    )
    classes = sampler(np.repeat(np.arange(10), 10), seed_of(config.seed, CLASSES))
    figures.save(
        figures.grid(
            classes,
            10,
            f"{name} · episode {episodes[-1]}, "
            + ("ten of each digit" if sampler.heeds_labels else "a hundred digits"),
            beside=_asked(sampler, range(10)),
        ),
        folders.figures / "classes.png",
    )
    figures.progression(frames, folders.figures / "progression.gif")
    lines = read_metrics(folders.metrics)
    figures.save(
        figures.loss_curves(lines, f"{name} · run {folders.name}"), folders.figures / "losses.png"
    )
    say(f"drew {len(episodes)} episodes: {folders.figures}")
