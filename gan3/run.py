"""A run: the schedule around the step, and the only place that knows folders, clock and signals."""

import json
import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task
from rich.text import Text

from gan3 import __version__, figures
from gan3.catalogue import builder_of
from gan3.checkpoints import Checkpoints
from gan3.config import Config, dumps
from gan3.data import Batches, Dataset, load, to_unit
from gan3.errors import DivergedError, UserError
from gan3.files import cannot_write, make_folder, write_atomically
from gan3.sampling import Sampler, System, load_generator, save_generator
from gan3.summaries import Summaries, graph_of

HELD_OUT_LOSS = 50  # held-out images after each episode
_PLAIN_LINE_EVERY = 50  # steps, where there is no terminal
_STEPS, _EVALUATIONS, _SHUFFLED, _FIXED, _CLASSES = 1, 2, 3, 4, 5  # streams of the run's seed
_STREAM = 2**27  # numbers a stream: more than any schedule has steps

Say = Callable[[str], None]


class StoppedError(Exception):
    """A signal ended the run after a last checkpoint; `signal_number` says which."""

    def __init__(self, signal_number: int):
        super().__init__(signal_number)
        self.signal_number = signal_number


# -- the folders of a run --------------------------------------------------------------------------


@dataclass(frozen=True)
class Folders:
    """Where a run's files are; see logs/README.md and figures/README.md."""

    name: str
    logs: Path
    figures: Path

    @property
    def record(self) -> Path:
        return self.logs / "run.json"

    @property
    def metrics(self) -> Path:
        return self.logs / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.logs / "checkpoints"

    def episode(self, number: int) -> Path:
        return self.logs / "episodes" / f"episode_{number:02d}.npz"

    def picture(self, number: int) -> Path:
        return self.figures / f"episode_{number:02d}.png"

    def episodes(self) -> list[int]:
        """The episodes whose generator was saved, in order."""
        found = (re.fullmatch(r"episode_(\d+)\.npz", p.name) for p in self.logs.glob("episodes/*"))
        return sorted(int(match[1]) for match in found if match)


def folders_of(name: str, logs: str = "logs", figures: str = "figures") -> Folders:
    """The folders that a run of this name has. Raises UserError for a name that leaves them."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise UserError(f"run name {name!r}: letters, digits and . _ - only, at most 100")
    return Folders(name, Path(logs) / name, Path(figures) / name)


def newest(logs: str = "logs") -> str:
    """The name of the run that was started last. Raises UserError where there is none."""
    started = {}
    for record in Path(logs).glob("*/run.json"):
        try:
            started[record.parent.name] = read_record(record)["started"]
        except UserError:
            continue
    if not started:
        raise UserError(f"{logs}: no run in it; make train makes one")
    return max(started, key=lambda name: (started[name], name))


def read_record(path: Path) -> dict[str, Any]:
    """run.json. Raises UserError where it is missing or not whole."""
    try:
        record = json.loads(path.read_bytes())
        if not isinstance(record["started"], str):
            raise TypeError
    except FileNotFoundError:
        raise UserError(f"{path}: no such file, so no such run; ls {path.parent.parent}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path}: not a run's record; the run cannot be used") from None
    return record


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

    def use_checkpoint(self) -> None:
        """Put the newest checkpoint, all three networks, into the system."""
        Checkpoints(self.folders.checkpoints, self.system.state).restore()


def open_run(name: str | None, logs: str = "logs", figures: str = "figures") -> Trained:
    """A run by name, the newest where None, with its newest saved generator.

    Raises UserError where there is no such run, or it has not finished an episode.
    """
    folders = folders_of(name or newest(logs), logs, figures)
    record = read_record(folders.record)
    config = Config.from_dict(record.get("config"))
    episodes = folders.episodes()
    if not episodes:
        raise UserError(f"run {folders.name}: no episode is done yet; make resume goes on with it")
    system = builder_of(config.experiment)(config, "float32")
    trained = Trained(folders, config, str(record.get("data_title", "?")), system)
    trained.use_episode(episodes[-1])
    return trained


# -- training --------------------------------------------------------------------------------------


def train(
    config: Config,
    *,
    name: str | None = None,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    resume: bool = False,
    say: Say | None = None,
) -> Folders:
    """Train by the schedule of `config`, writing logs/<run>/ and figures/<run>/ as it goes.

    Args:
        name: of the run; None makes one of the experiment, and the date and time (UTC).
        resume: go on with the run `name` from its newest checkpoint.
        data: folder to look for the data set in first.

    Raises:
        UserError: a name that exists, data that cannot be had, a folder that cannot be written.
        DivergedError: a loss that is not finite; the last checkpoint is from before it was seen.
        StoppedError: SIGINT or SIGTERM came; the step was finished and the state saved.
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    say = say or console.print
    started = datetime.now(UTC)
    name = name or f"{config.experiment}-{started:%Y%m%d-%H%M%S}"
    folders = folders_of(name, logs, figures_folder)
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same bits
    if resume:
        record = read_record(folders.record)
        _refuse_other_config(folders, Config.from_dict(record.get("config")), config)
    elif folders.logs.exists() or folders.figures.exists():
        raise UserError(
            f"run {name}: exists already; choose another --run, or --resume to go on with it"
        )
    dataset = load(config.dataset, data, config.split, say)
    if resume and record.get("data_digest") != dataset.digest:
        raise UserError(f"run {name}: was trained on other data; name its folder with --data")
    precision = resolve_precision(config.precision)
    system = builder_of(config.experiment)(config, precision)
    if not resume:
        record = _new_record(folders, config, started, dataset, precision)
    record |= {"config": config.to_dict(), "outcome": "running"}
    for folder in (folders.checkpoints, folders.logs / "episodes", folders.figures):
        make_folder(folder)
    write_atomically(folders.record, dumps(record).encode())
    say(
        f"{config.experiment} on {dataset.title} ({dataset.source}), seed {config.seed},"
        f" {precision}: {config.episodes} episodes x {config.batches} batches x"
        f" {config.batch_size} images"
    )
    loop = _Loop(config, folders, dataset, system, console, say)
    outcome = "stopped"
    try:
        loop.run(resume)
        outcome = "done"
    except DivergedError:
        outcome = "diverged"
        raise
    finally:
        record["outcome"] = outcome
        record["ended"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        record["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        write_atomically(folders.record, dumps(record).encode())
    draw(open_run(name, logs, figures_folder), say)
    _closing_words(folders, dataset, config, logs, say)
    return folders


def resolve_precision(wanted: str) -> str:
    """ "auto" takes bfloat16 where the processor or GPU multiplies it in hardware."""
    if wanted != "auto":
        return wanted
    for gpu in tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        if capability and capability[0] >= 8:
            return "bfloat16"
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        flags = ""
    return "bfloat16" if "amx_bf16" in flags else "float32"


class _Loop:
    """The schedule: episodes of batches, what is written on the way, and how it stops."""

    def __init__(self, config, folders, dataset, system, console, say):
        self._config, self._folders, self._dataset = config, folders, dataset
        self._system, self._console, self._say = system, console, say
        self._batches = Batches(len(dataset.images), config.batch_size, config.seed)
        self._sampler = Sampler(system)
        self._checkpoints = Checkpoints(folders.checkpoints, system.state)
        self._signal: int | None = None
        pixels, labels = _on_device(dataset.images), _on_device(dataset.labels.astype(np.int32))

        def take(indices):
            with tf.name_scope("data"):
                return to_unit(tf.gather(pixels, indices)), tf.gather(labels, indices)

        # Seed and indices are all that Python hands to a step; both graphs are traced once.
        batch = tf.TensorSpec([config.batch_size], tf.int32, name="indices")
        seed = tf.TensorSpec([2], tf.int32, name="seed")
        self.step = tf.function(
            lambda indices, seed: system.step(*take(indices), seed), input_signature=[batch, seed]
        )
        self.evaluate = tf.function(
            system.evaluate,
            input_signature=[
                tf.TensorSpec([None, 28, 28, 1], tf.float32),
                tf.TensorSpec([None], tf.int32),
                seed,
            ],
        )
        self._take = take

    def run(self, resume: bool) -> None:
        """Train from the first step, or from the newest checkpoint, to the last."""
        done = 0
        if resume:
            done = self._checkpoints.restore()
            _forget_after(self._folders.metrics, done)
            self._say(f"resuming {self._folders.name} after step {done}")
        graph = graph_of(self.step.get_concrete_function())
        summaries = Summaries(self._folders.logs)
        if not resume:
            summaries.start(self._config.to_dict(), graph)
        with (
            self._signals(),
            _open_to_append(self._folders.metrics) as metrics,
            self._progress(done) as progress,
        ):
            if not resume:
                self._checkpoints.save(0)
            self._train(done, metrics, summaries, progress)
        summaries.close()

    def _train(self, done: int, metrics, summaries: Summaries, progress) -> None:
        config = self._config
        clock, timed = time.perf_counter(), 0
        for step in range(done + 1, config.total_steps + 1):
            indices = tf.constant(self._batches(step))
            self.step(indices, tf.constant(_seed(config, _STEPS, step)))
            timed += 1
            episode = -(-step // config.batches)
            ends_episode = step % config.batches == 0
            if step % config.log_every == 0 or ends_episode:
                values = self._scalars(*self._take(indices), step)
                line = {"step": step, "episode": episode} | values
                ms = 1e3 * (time.perf_counter() - clock) / timed
                if ends_episode:
                    line |= self._end_episode(episode, step, summaries, progress)
                line["ms_per_step"] = round(ms, 3)
                metrics.write(json.dumps(line) + "\n")
                summaries.scalars(step, {k: v for k, v in line.items() if k not in _NOT_SCALARS})
                progress.show(step, episode, values, ms)
                clock, timed = time.perf_counter(), 0
            stop = self._signal
            if step % config.checkpoint_every == 0 or ends_episode or stop:
                metrics.flush()
                os.fsync(metrics.fileno())
                summaries.flush()  # what the checkpoint vouches for is on disk before it
                self._checkpoints.save(step)
            if stop:
                raise StoppedError(stop)

    def _scalars(self, images, labels, number: int) -> dict[str, float]:
        values = self.evaluate(
            images, labels, tf.constant(_seed(self._config, _EVALUATIONS, number))
        )
        values = {tag: round(float(value), 6) for tag, value in values.items()}
        for tag, value in values.items():
            if not np.isfinite(value):
                raise DivergedError(
                    f"{tag} is {value} at step {number}; the last checkpoint in"
                    f" {self._folders.checkpoints} is from before; lower that network's"
                    " learning_rate"
                )
        return values

    def _end_episode(self, episode: int, step: int, summaries, progress) -> dict[str, float]:
        """The losses on 50 held-out images, the episode's generator, and its grid."""
        images = to_unit(_on_device(self._dataset.held_out_images[:HELD_OUT_LOSS]))
        labels = tf.constant(self._dataset.held_out_labels[:HELD_OUT_LOSS].astype(np.int32))
        values = self._scalars(images, labels, step)
        progress.say(
            f"episode {episode} on {HELD_OUT_LOSS} held-out images: " + _short(values, words=True)
        )
        save_generator(self._folders.episode(episode), self._system)
        shuffled = shuffled_grid(self._sampler, self._config, episode, self._dataset.title)
        figures.save(shuffled, self._folders.picture(episode))
        summaries.image(step, "digits/shuffled", figures.pixels(shuffled))
        fixed = fixed_grid(self._sampler, self._config, episode, self._dataset.title)
        figures.save(fixed, self._folders.figures / f"fixed_{episode:02d}.png")
        summaries.image(step, "digits/fixed_noise", figures.pixels(fixed))
        return {f"held_out/{tag}": value for tag, value in values.items()}

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM ask the loop to stop after its step; the second one is not held."""

        def ask(number, _frame):
            self._signal = number
            signal.signal(number, signal.SIG_DFL)

        before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def _progress(self, done: int) -> Iterator["_Bar | _Lines"]:
        if not self._console.is_terminal:
            yield _Lines(self._config, self._say)
            return
        with Progress(
            _Status(), console=self._console, auto_refresh=False, transient=False
        ) as progress:
            yield _Bar(self._config, progress, done)


_NOT_SCALARS = ("step", "episode")


# -- what a user sees while it trains --------------------------------------------------------------


def _short(values: dict[str, float], words: bool = False) -> str:
    """The four losses in one line; D discriminator, C determinator, G generator (two parts)."""
    d, c, real, digit = (f"{values[tag]:.3g}" if tag in values else "-" for tag in figures.LOSSES)
    if words:
        return f"D {d}  C {c}  G {real} (real) + {digit} (digit)"
    return f"D {d} C {c} G {real}+{digit}"


def _status(config: Config, step: int, episode: int, values: dict[str, float], ms: float) -> str:
    left = int((config.total_steps - step) * ms / 1000)
    clock = f"{left // 60}:{left % 60:02d}" if left < 6000 else f"{left / 3600:.1f} h"
    return (
        f"episode {episode}/{config.episodes} step {step}/{config.total_steps}"
        f" {_short(values)} {ms:.0f} ms {clock} left"
    )


class _Lines:
    """Plain lines, one every 50 steps, for logs and pipes."""

    def __init__(self, config: Config, say: Say):
        self._config, self.say = config, say

    def show(self, step: int, episode: int, values: dict[str, float], ms: float) -> None:
        if step % _PLAIN_LINE_EVERY == 0 or step == self._config.total_steps:
            self.say(_status(self._config, step, episode, values, ms))


class _Bar:
    """One bar at the foot of a terminal, the lines of the episodes above it."""

    def __init__(self, config: Config, progress: Progress, done: int):
        self._config, self._progress = config, progress
        self._task = progress.add_task("", total=config.total_steps, completed=done, status="…")
        progress.refresh()

    def say(self, line: str) -> None:
        self._progress.console.print(line)

    def show(self, step: int, episode: int, values: dict[str, float], ms: float) -> None:
        status = _status(self._config, step, episode, values, ms)
        self._progress.update(self._task, completed=step, status=status, refresh=True)


class _Status(ProgressColumn):
    """The status line; what is left of the terminal's width is the bar before it."""

    def render(self, task: Task) -> Text:
        status = task.fields["status"]
        width = min(20, shutil.get_terminal_size().columns - len(status) - 2)
        full = round(width * task.completed / task.total) if width >= 4 else 0
        bar = "━" * full + "╌" * (width - full) + " " if width >= 4 else ""
        return Text(bar + status, no_wrap=True, overflow="ellipsis")


def _closing_words(folders: Folders, dataset: Dataset, config: Config, logs: str, say: Say) -> None:
    last = folders.picture(config.episodes)
    say(f"trained on {dataset.title}; digits of the last episode: {last}")
    say(f"losses, class sheet, progression: {folders.figures}; all numbers: {folders.logs}")
    say(f"next: make tensorboard   or   make generate NUMBER=241256 RUN={folders.name}")


# -- the grids -------------------------------------------------------------------------------------


def shuffled_grid(sampler: Sampler, config: Config, episode: int, data_title: str) -> Figure:
    """2 x 5, the ten digits in an order and with noise of the episode's own."""
    order = np.random.default_rng([config.seed, _SHUFFLED, episode]).permutation(10)
    images = sampler(order, _seed(config, _SHUFFLED, episode))
    title = f"{config.experiment} · {data_title} · episode {episode}"
    return figures.grid(images, 5, title, over=[str(digit) for digit in order])


def fixed_grid(sampler: Sampler, config: Config, episode: int, data_title: str) -> Figure:
    """5 x 10: each digit five times, from the same noise in every episode."""
    images = fixed_images(sampler, config, rows=5)
    title = f"{config.experiment} · {data_title} · episode {episode}, the same noise in each"
    return figures.grid(images, 10, title, over=list("0123456789"))


def fixed_images(sampler: Sampler, config: Config, rows: int) -> np.ndarray:
    """uint8 [10 rows, 28, 28]: the digits 0 to 9, row by row, from the run's fixed noise."""
    return sampler(np.tile(np.arange(10), rows), _seed(config, _FIXED))


def draw(trained: Trained, say: Say) -> None:
    """All figures of a run again, from its saved generators and metrics.jsonl."""
    folders, config, title = trained.folders, trained.config, trained.data_title
    make_folder(folders.figures)
    sampler = Sampler(trained.system)
    sheet, frames = [], []
    episodes = folders.episodes()
    for episode in episodes:
        trained.use_episode(episode)
        figures.save(shuffled_grid(sampler, config, episode, title), folders.picture(episode))
        frames.append(fixed_grid(sampler, config, episode, title))
        figures.save(frames[-1], folders.figures / f"fixed_{episode:02d}.png")
        sheet.append(fixed_images(sampler, config, rows=1))
    name = f"{config.experiment} · {title}"
    figures.save(
        figures.grid(
            np.concatenate(sheet),
            10,
            f"{name} · one row an episode, the same noise",
            over=list("0123456789"),
            beside=[f"episode {episode}" for episode in episodes],
        ),
        folders.figures / "episodes.png",
    )
    classes = sampler(np.repeat(np.arange(10), 10), _seed(config, _CLASSES))
    figures.save(
        figures.grid(
            classes,
            10,
            f"{name} · episode {episodes[-1]}, ten of each digit",
            beside=[str(digit) for digit in range(10)],
        ),
        folders.figures / "classes.png",
    )
    figures.progression(frames, folders.figures / "progression.gif")
    lines = read_metrics(folders.metrics)
    figures.save(
        figures.loss_curves(lines, f"{name} · run {folders.name}"), folders.figures / "losses.png"
    )
    say(f"drew {len(episodes)} episodes: {folders.figures}")


def _seed(config: Config, stream: int, number: int = 0) -> tuple[int, int]:
    """The seed of one draw. (seed, 0) and (seed, 1) are the system's own."""
    return config.seed, stream * _STREAM + number


# -- small things ----------------------------------------------------------------------------------


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl; a last line that was cut off is left out."""
    lines = []
    try:
        content = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); the curves need it") from None
    for number, text in enumerate(content.split("\n")[:-1], start=1):
        try:
            line = json.loads(text)
            if not all(isinstance(line[key], int) for key in ("step", "episode")):
                raise TypeError
            if not all(isinstance(value, int | float) for value in line.values()):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UserError(f"{path}: line {number} is damaged; remove that line") from None
        lines.append(line)
    if not lines:
        raise UserError(f"{path}: no line in it yet; nothing to draw")
    return lines


def _forget_after(path: Path, step: int) -> None:
    """Drop what was logged after the checkpoint that a resumed run starts from."""
    if path.exists() and path.stat().st_size:
        lines = path.read_text().split("\n")[:-1]
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        write_atomically(path, "".join(f"{line}\n" for line in kept).encode())


def _open_to_append(path: Path):
    try:
        return open(path, "a")
    except OSError as error:
        raise cannot_write(path, error) from None


def _on_device(array: np.ndarray) -> tf.Tensor:
    return tf.constant(array)


def _refuse_other_config(folders: Folders, recorded: Config, wanted: Config) -> None:
    keys = [key for key in wanted.differences(recorded) if key != "episodes"]
    if keys:
        raise UserError(
            f"run {folders.name}: cannot resume with another {', '.join(keys)};"
            " leave them out, or train a new run"
        )
    if wanted.episodes < recorded.episodes:
        raise UserError(f"run {folders.name}: --episodes may grow on resume, not shrink")


def _new_record(folders, config, started, dataset, precision) -> dict[str, Any]:
    return {
        "run": folders.name,
        "config": config.to_dict(),
        "started": f"{started:%Y-%m-%dT%H:%M:%S.%fZ}",
        "ended": None,
        "outcome": "running",
        "data": dataset.name,
        "data_title": dataset.title,
        "data_source": dataset.source,
        "data_digest": dataset.digest,
        "precision": precision,
        "device": [device.device_type for device in tf.config.list_logical_devices()],
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "versions": {
            "gan3": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
        "git_revision": _git_revision(),
        "command": ["python", "-m", "gan3", *sys.argv[1:]],
    }


def _git_revision() -> str | None:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
