"""The files of a run: where they are, and how run.json and metrics.jsonl are read."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan3.core.classes import MAX_CLASSES, MIN_CLASSES, are_class_names
from gan3.core.errors import UserError, shown
from gan3.core.files import cannot_read, check_path, write_atomically


@dataclass(frozen=True)
class RunFolders:
    """The paths of a run's files; logs/README.md and figures/README.md describe them."""

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

    @property
    def real(self) -> Path:
        return self.logs / "real.npz"

    def frame(self, step: int) -> Path:
        return self.logs / "first_episode" / f"step_{step:06d}.npz"

    def frames(self) -> list[int]:
        """The steps of the first episode that have a frame, in order; 0 is before training."""
        return _numbers(self.logs.glob("first_episode/*"), r"step_(\d+)\.npz")

    def picture(self, number: int) -> Path:
        return self.figures / f"episode_{number:02d}.png"

    def episodes(self) -> list[int]:
        """The episodes that have a saved generator, in order."""
        return _numbers(self.logs.glob("episodes/*"), r"episode_(\d+)\.npz")


def _numbers(paths: Iterable[Path], pattern: str) -> list[int]:
    matches = (re.fullmatch(pattern, path.name) for path in paths)
    return sorted(int(match[1]) for match in matches if match)


def run_folders(name: str, logs: str = "logs", figures: str = "figures") -> RunFolders:
    """The folders of the run `name`.

    Raises UserError for a name with other characters than letters, digits, ".", "_" and "-": a
    name must not point outside the two folders.
    """
    if not (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name)):
        raise UserError(f"run name {shown(name)}: letters, digits and . _ - only, at most 100")
    return RunFolders(name, Path(logs) / name, Path(figures) / name)


def has_runs(logs: str = "logs") -> bool:
    """Whether the folder has any run.json, complete or not."""
    return check_path(Path(logs).is_dir) and any(Path(logs).glob("*/run.json"))


def newest(logs: str = "logs") -> str:
    """The name of the run that was started last. Raises UserError if there is no run."""
    started = {}
    for record in Path(logs).glob("*/run.json") if check_path(Path(logs).is_dir) else ():
        try:
            started[record.parent.name] = read_record(record)["started"]
        except UserError:
            continue
    if not started:
        raise UserError(f"{logs}: no run in it; train one first")
    return max(started, key=lambda name: (started[name], name))


def read_record(path: Path) -> dict[str, Any]:
    """The content of run.json. Raises UserError if the file is missing or damaged."""
    try:
        record = json.loads(path.read_bytes())
        if not isinstance(record["started"], str):
            raise TypeError
    except FileNotFoundError:
        raise UserError(f"{path}: no such run; the runs are in {path.parent.parent}") from None
    except OSError as error:
        raise cannot_read(path, error) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path}: not the record of a run; train a new run") from None
    return record


def class_names_of(record: dict[str, Any]) -> tuple[str, ...]:
    """The names of a run's classes, from its run.json. Raises UserError if they are damaged."""
    names = record.get("class_names")
    if not are_class_names(names):
        raise UserError(
            f"run {shown(record.get('run'))}: class_names: not {MIN_CLASSES} to {MAX_CLASSES}"
            " different names of 1 to 40 printable characters; train a new run"
        )
    return tuple(names)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl as dicts; an incomplete last line is skipped.

    Raises UserError if the file cannot be read, has a damaged line, or has no line.
    """
    lines = _parse_metrics(path)
    if not lines:
        raise UserError(f"{path}: has no line yet; train the run further first")
    return lines


def forget_after(folders: RunFolders, step: int, episode: int) -> None:
    """Delete what was written after the checkpoint that a resumed run starts from.

    These are the lines of metrics.jsonl and the frames later than `step`, and the generators later
    than `episode`. Raises UserError, and deletes nothing, if metrics.jsonl is damaged.
    """
    if folders.metrics.exists():
        lines = _parse_metrics(folders.metrics)
        kept = [line for line in lines if line["step"] <= step]
        if len(kept) < len(lines) or not _is_complete(folders.metrics):
            content = "".join(f"{json.dumps(line)}\n" for line in kept)
            write_atomically(folders.metrics, content.encode())
    for number in folders.episodes():
        if number > episode:
            folders.episode(number).unlink()
    for number in folders.frames():
        if number > step:
            folders.frame(number).unlink()


def _is_complete(path: Path) -> bool:
    """Whether a file ends with the end of a line."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 1))
        return file.read() == b"\n"


def _parse_metrics(path: Path) -> list[dict[str, float]]:
    lines = []
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore the file") from None
    for number, text in enumerate(content.split("\n")[:-1], start=1):
        try:
            line = json.loads(text)
            if not all(isinstance(line[key], int) for key in ("step", "episode")):
                raise TypeError
            if not all(isinstance(value, int | float) for value in line.values()):
                raise TypeError
            for value in line.values():
                float(value)  # an integer of more than 308 digits raises OverflowError
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise UserError(f"{path}: line {number} is damaged; remove that line") from None
        lines.append(line)
    return lines
