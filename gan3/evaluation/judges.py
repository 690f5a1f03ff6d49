"""Finds the judge of a data set: a bundled one, one from the cache, or one that is trained now.

No judge scores another data set than the one that it learned from: its features and its classes
would mean nothing there, and the scores would look as if they did.
"""

import os
import shlex
from contextlib import suppress
from pathlib import Path

from gan3.core.errors import UserError
from gan3.core.files import check_path, make_folder
from gan3.core.log import Log
from gan3.data.datasets import Dataset
from gan3.evaluation.judge import (
    BUNDLED,
    Judge,
    check,
    load,
    load_bundled,
    make,
    origin_of,
    read_origin,
)

_LAST_RESORT = Path("data")  # where downloads are kept, too


def judge_of(
    dataset: Dataset, *, file: Path | None = None, train: bool = False, log: Log = print
) -> Judge | None:
    """The judge of a data set, or None with a line that says how to train one.

    Args:
        file: of the judge to use instead of the bundled or the cached one.
        train: train a judge and keep it in the cache if there is none.
        log: gets a line if there is no judge, or those of its training.

    Raises:
        UserError: the file's judge learned from another data set, or it cannot be read.
    """
    if file is not None:
        return _of_file(file, dataset)
    judge = _find(dataset, log)
    if judge is not None:
        return judge
    if train:
        return train_for(dataset, log=log)
    log(
        f"NOTE: no judge has learned from {dataset.title} ({dataset.source}), so there are no"
        f" judge's scores; train one: {training_command(dataset)}"
    )
    return None


def train_for(
    dataset: Dataset, *, seed: int = 0, steps: int | None = None, log: Log = print
) -> Judge:
    """Train the judge of a data set and keep it in the cache; a cached one is replaced.

    Raises UserError if the data set has a bundled judge, which would be used instead, if no folder
    of the cache can be written, or as `judge.make` does.
    """
    if _bundled_file(dataset):
        raise UserError(
            f"{dataset.title}: its judge is bundled; name a file to write another one to"
        )
    check(dataset, steps)  # before any folder is created
    return make(_writable_folder() / _file_name(dataset), dataset, seed, steps, log)


def training_command(dataset: Dataset) -> str:
    """The command that trains the judge of a data set."""
    ink = "" if dataset.ink == "unknown" else f" --ink {dataset.ink}"
    return f"gan3 train-judge --dataset {dataset.name} --data {shlex.quote(dataset.source)}{ink}"


def cache_folders() -> list[Path]:
    """The folders of the cache, the first one preferred.

    $GAN3_CACHE alone if it is set. Otherwise gan3 in $XDG_CACHE_HOME or in ~/.cache, and then
    ./data, for machines without a home folder that can be written.
    """
    named = os.environ.get("GAN3_CACHE")
    if named:
        return [Path(named) / "judges"]
    folders = []
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if Path(xdg).is_absolute():  # other values are to be ignored, says its specification
        folders.append(Path(xdg) / "gan3")
    else:
        with suppress(RuntimeError):  # raised if the home folder cannot be determined
            folders.append(Path("~/.cache").expanduser() / "gan3")
    return [folder / "judges" for folder in (*folders, _LAST_RESORT)]


def _find(dataset: Dataset, log: Log) -> Judge | None:
    """The bundled or the cached judge of a data set. A damaged file of the cache is skipped."""
    bundled = _bundled_file(dataset)
    if bundled:
        return load_bundled(bundled)
    for folder in cache_folders():
        path = folder / _file_name(dataset)
        if not check_path(path.is_file):
            continue
        try:
            return _of_file(path, dataset)
        except UserError as error:
            log(f"NOTE: {error}")
    return None


def _bundled_file(dataset: Dataset) -> Path | None:
    for path in BUNDLED:
        if read_origin(path).training_digest == dataset.training_digest:
            return path
    return None


def _of_file(path: Path, dataset: Dataset) -> Judge:
    judge = load(path)
    if judge.origin != origin_of(dataset):
        is_bundled = _bundled_file(dataset) is not None
        remedy = "use the bundled one" if is_bundled else f"train one: {training_command(dataset)}"
        raise UserError(
            f"{path}: this judge learned from other data than {dataset.title} ({dataset.source});"
            f" {remedy}"
        )
    return judge


def _file_name(dataset: Dataset) -> str:
    return f"{dataset.training_digest}.npz"


def _writable_folder() -> Path:
    """The first folder of the cache that can be written, created if needed."""
    *others, last = cache_folders()
    for folder in others:
        with suppress(UserError):
            _make_writable(folder)
            return folder
    _make_writable(last)
    return last


def _make_writable(folder: Path) -> None:
    make_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: cannot be written (permission denied); name another folder")
