"""A training run: its files, what it recorded, and the networks that it trained."""

import json
import math
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gan3.core.arguments import as_path, as_whole
from gan3.core.classes import MAX_CLASSES, MIN_CLASSES, are_class_names
from gan3.core.config import RunConfig
from gan3.core.errors import UserError, shown
from gan3.core.files import write_atomically, write_json
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.models.generator import Generator
from gan3.runs import registry
from gan3.runs.trained import Trained

if TYPE_CHECKING:
    from gan3.method.system import System

_LONGEST_TITLE = 200  # characters of a data set's title; those that gan3 writes are shorter


class Run:
    """A training run and its files, which logs/README.md and figures/README.md describe."""

    def __init__(self, name: str, logs: str | Path = "logs", figures: str | Path = "figures"):
        """The run `name`, whether it exists or not; `open_run` opens one that does.

        logs, figures: the folders of all runs. Raises UserError for a name with other characters
        than letters, digits, ".", "_" and "-": it must not point outside the two folders.
        """
        if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name)):
            raise UserError(f"run name {shown(name)}: letters, digits and . _ - only, at most 100")
        self.name, self.folder, self.figures = name, Path(logs) / name, Path(figures) / name
        self.record_file = self.folder / "run.json"
        self.metrics_file = self.folder / "metrics.jsonl"
        self.real_file = self.folder / "real.npz"
        self.checkpoints = self.folder / "checkpoints"

    @classmethod
    def open(
        cls,
        name: str | os.PathLike[str] | None = None,
        logs: str | Path = "logs",
        figures: str | Path | None = None,
    ) -> Self:
        """A run by its name in `logs`, or by the path of its folder; without a name the newest run.

        figures: the folder of all runs' pictures; by default `figures` beside `logs`. Raises
        UserError if there is no such run.
        """
        if name is None:
            name = newest(logs)
        name, logs = locate(name, logs)
        if figures is None:
            has_name = logs.name not in ("", "..")  # Python's parent of "." and ".." is "."
            figures = (logs if has_name else logs.resolve()).parent / "figures"
        run = cls(name, logs, as_path(figures, "figures"))
        _ = run.record  # raises if there is none
        return run

    def __repr__(self) -> str:
        return f"<gan3.Run {self.name}>"

    def episode_file(self, number: int) -> Path:
        return self.folder / "episodes" / f"episode_{number:02d}.npz"

    def frame_file(self, step: int) -> Path:
        return self.folder / "first_episode" / f"step_{step:06d}.npz"

    def picture(self, number: int) -> Path:
        return self.figures / f"episode_{number:02d}.png"

    @property
    def episodes(self) -> list[int]:
        """The episodes that have a saved generator, from 1."""
        return _numbers(self.folder.glob("episodes/*"), r"episode_(\d+)\.npz")

    @property
    def frames(self) -> list[int]:
        """The steps of the first episode that have a frame, in order; 0 is before training."""
        return _numbers(self.folder.glob("first_episode/*"), r"step_(\d+)\.npz")

    def refuse_existing(self) -> None:
        """Raises UserError if the name is taken. Folders without files are not a run."""
        for folder in (self.folder, self.figures):
            files = [folder, *folder.rglob("*")]  # a run killed before its record has a .part
            if any(path.is_file() and path.suffix != ".part" for path in files):
                raise UserError(
                    f"run {self.name}: exists already; choose another name, or resume this run"
                )

    # What it recorded
    @cached_property
    def record(self) -> dict[str, Any]:
        """The content of run.json, read once: config, data, versions, and the outcome.

        Raises UserError if the file is missing or damaged.
        """
        path = self.record_file
        try:
            record = json.loads(path.read_bytes())
            if not isinstance(record["started"], str):
                raise TypeError
        except FileNotFoundError:
            raise UserError(f"{path}: no such run; the runs are in {path.parent.parent}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UserError(f"{path}: not the record of a run; train a new run") from None
        return record

    def write_record(self, record: dict[str, Any]) -> None:
        """Replace the content of run.json."""
        write_json(self.record_file, record)
        self.record = record

    @property
    def config(self) -> RunConfig:
        """The settings that it was trained with."""
        return registry.config_from_dict(self.record.get("config"))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes; a label is an index into them.

        Raises UserError if its record has none, or damaged ones.
        """
        names = self.record.get("class_names")
        if not are_class_names(names):
            raise UserError(
                f"run {self.name}: class_names: not {MIN_CLASSES} to {MAX_CLASSES} different names"
                " of 1 to 40 printable characters; train a new run"
            )
        return tuple(names)

    @property
    def data_title(self) -> str:
        """What its data set is called in titles."""
        title = str(self.record.get("data_title", "?"))[:_LONGEST_TITLE]
        return "".join(c if c.isprintable() else "?" for c in title)  # figures draw no others

    @property
    def outcome(self) -> str:
        """ "done", "stopped", "diverged", or "running": also after a crash, until it is resumed."""
        return str(self.record.get("outcome"))

    @property
    def has_metrics(self) -> bool:
        """Whether metrics.jsonl has a line, or the beginning of one."""
        return self.metrics_file.is_file() and self.metrics_file.stat().st_size > 0

    def metrics(self) -> list[dict[str, float]]:
        """The lines of metrics.jsonl as dicts; an incomplete last line is skipped.

        Raises UserError if the file cannot be read, has a damaged line, or has no line.
        """
        lines = _parse_metrics(self.metrics_file)
        if not lines:
            raise UserError(f"{self.metrics_file}: has no line yet; train the run further first")
        return lines

    # What it trained
    def trained(self, episode: int | str | None = None) -> Trained:
        """What was trained after an episode, by default the last one.

        episode: its number, or "best": the one with the lowest Fréchet distance that the judge
            gave after it, between 2,000 samples and the last 5,000 training images.

        Raises UserError if no episode is finished, or if there is no such episode.
        """
        episodes = self.episodes
        if not episodes:
            raise UserError(f"run {self.name}: no episode is finished yet; resume its training")
        if isinstance(episode, str) and episode == "best":
            number = self.best_episode()
        else:
            number = episodes[-1] if episode is None else as_whole(episode, "episode", 1)
        if number not in episodes:
            raise UserError(
                f"run {self.name}: has no episode {shown(number)}; choose one of 1 to"
                f" {episodes[-1]}"
            )
        return Trained(
            name=self.name,
            title=f"{self.name} · {self.data_title}",
            path=self.episode_file(number),
            config=self.config,
            class_names=self.class_names,
            episode=number,
            run=self,
            restore=cache(self.restored) if number == episodes[-1] else None,
        )

    def best_episode(self) -> int:
        """The first one with the lowest Fréchet distance. Raises UserError if none was scored."""
        key = "judge/frechet_distance"
        distances = {line["episode"]: line[key] for line in self.metrics() if key in line}
        scored = [number for number in self.episodes if number in distances]
        if not scored:
            raise UserError(
                f"run {self.name}: was trained without a judge, so no episode is the best; choose"
                " one by its number"
            )
        return int(min(scored, key=distances.get))

    def generator(self, episode: int | str | None = None) -> Generator:
        """The generator after an episode; the argument and errors of `trained`."""
        return self.trained(episode).generator()

    def restored(self, log: Log) -> "System":
        """The system with all networks of the newest complete checkpoint.

        Raises UserError if there is none, or if it is of another system.
        """
        import_tensorflow()
        from gan3.runs.checkpoints import Checkpoints

        system = registry.build(self.config, self.class_names, "float32")
        Checkpoints(self.checkpoints, system.state).restore(log)
        return system

    # What a resumed run forgets
    def forget_after(self, step: int, episode: int) -> None:
        """Delete what was written after the checkpoint that a resumed run starts from.

        These are the lines of metrics.jsonl and the frames later than `step`, and the generators
        later than `episode`. Raises UserError, and deletes nothing, if metrics.jsonl is damaged.
        """
        path = self.metrics_file
        if path.exists():
            kept = [line for line in _parse_metrics(path) if line["step"] <= step]
            write_atomically(path, "".join(f"{json.dumps(line)}\n" for line in kept).encode())
        for number in self.episodes:
            if number > episode:
                self.episode_file(number).unlink()
        for number in self.frames:
            if number > step:
                self.frame_file(number).unlink()


def locate(name: str | os.PathLike[str], logs: str | Path) -> tuple[str, Path]:
    """The name of a run and the folder of all runs, for a name in `logs` or a run's folder."""
    path = as_path(name, "run")
    is_name = isinstance(name, str) and path.name == name
    if is_name or not path.name:
        return os.fspath(name), as_path(logs, "logs")
    return path.name, path.parent


def has_runs(logs: str | Path) -> bool:
    """Whether a folder has any run."""
    return any(Path(logs).glob("*/run.json"))


def newest(logs: str | Path = "logs") -> str:
    """The name of the run that was started last. Raises UserError if there is no run."""
    started = {}
    for path in Path(logs).glob("*/run.json"):
        with suppress(UserError, OSError):
            started[path.parent.name] = Run(path.parent.name, logs).record["started"]
    if not started:
        raise UserError(f"{logs}: no run in it; train one first")
    return max(started, key=lambda name: (started[name], name))


def _numbers(paths: Iterable[Path], pattern: str) -> list[int]:
    matches = (re.fullmatch(pattern, path.name) for path in paths)
    return sorted(int(match[1]) for match in matches if match)


def _parse_metrics(path: Path) -> list[dict[str, float]]:
    lines = []
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; train the run further first") from None
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(text)
            if not (isinstance(line["step"], int) and isinstance(line["episode"], int)):
                raise TypeError
            for value in line.values():
                math.isfinite(value)  # raises for text, and for a whole number beyond floats
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise UserError(f"{path}: line {number} is damaged; remove that line") from None
        lines.append(line)
    return lines
