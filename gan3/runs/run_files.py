"""What a run leaves on disk: its folders, run.json and metrics.jsonl, read back with care."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan3.core.errors import UserError
from gan3.core.files import check_path, write_atomically


@dataclass(frozen=True)
class RunFolders:
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

    @property
    def real(self) -> Path:
        return self.logs / "real.npz"

    def frame(self, step: int) -> Path:
        return self.logs / "first_episode" / f"step_{step:06d}.npz"

    def frames(self) -> list[int]:
        """The steps of the first episode whose digits were kept, in order; 0 is before any."""
        return _numbers(self.logs.glob("first_episode/*"), r"step_(\d+)\.npz")

    def picture(self, number: int) -> Path:
        return self.figures / f"episode_{number:02d}.png"

    def episodes(self) -> list[int]:
        """The episodes whose generator was saved, in order."""
        return _numbers(self.logs.glob("episodes/*"), r"episode_(\d+)\.npz")


def _numbers(paths: Iterable[Path], pattern: str) -> list[int]:
    found = (re.fullmatch(pattern, path.name) for path in paths)
    return sorted(int(match[1]) for match in found if match)


def run_folders(name: str, logs: str = "logs", figures: str = "figures") -> RunFolders:
    """The folders that a run of this name has. Raises UserError for a name that leaves them."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise UserError(f"run name {name!r}: letters, digits and . _ - only, at most 100")
    return RunFolders(name, Path(logs) / name, Path(figures) / name)


def has_runs(logs: str = "logs") -> bool:
    """Whether there is any run's record in the folder, whole or not."""
    return check_path(Path(logs).is_dir) and any(Path(logs).glob("*/run.json"))


def newest(logs: str = "logs") -> str:
    """The name of the run that was started last. Raises UserError where there is none."""
    started = {}
    for record in Path(logs).glob("*/run.json") if check_path(Path(logs).is_dir) else ():
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


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of metrics.jsonl; a last line that was cut off is left out.

    Raises UserError where it cannot be read, a line is damaged, or there is none.
    """
    lines = _lines_of(path)
    if not lines:
        raise UserError(f"{path}: no line in it yet; nothing to draw")
    return lines


def forget_after(folders: RunFolders, step: int, episode: int) -> None:
    """Drop what was written after the checkpoint that a resumed run starts from.

    That is the lines of metrics.jsonl and the frames after `step` and the generators after
    `episode`. Raises UserError, with nothing dropped, where metrics.jsonl is damaged.
    """
    if folders.metrics.exists():
        kept = [line for line in _lines_of(folders.metrics) if line["step"] <= step]
        content = "".join(f"{json.dumps(line)}\n" for line in kept)
        write_atomically(folders.metrics, content.encode())
    for number in folders.episodes():
        if number > episode:
            folders.episode(number).unlink()
    for number in folders.frames():
        if number > step:
            folders.frame(number).unlink()


def _lines_of(path: Path) -> list[dict[str, float]]:
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
            for value in line.values():
                float(value)  # whole numbers of 310 digits are none
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise UserError(f"{path}: line {number} is damaged; remove that line") from None
        lines.append(line)
    return lines
