"""What a run needs before its first step: a free name, folders, a record of what it is."""

import os
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import tensorflow as tf

from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.core.files import check_path, make_folder
from gan3.data.datasets import Dataset
from gan3.runs import provenance
from gan3.runs.run import Run


def refuse_existing(run: Run) -> None:
    """Raises UserError if the name is taken. Folders without files are not a run."""
    for folder in (run.folder, run.figures):
        taken = check_path(folder.exists)
        if check_path(folder.is_dir):  # a run killed before its record was complete left nothing
            taken = any(path.is_file() and path.suffix != ".part" for path in folder.rglob("*"))
        if taken:
            raise UserError(
                f"run {run.name}: exists already; choose another name, or resume this run"
            )


def make_folders(run: Run) -> None:
    """Create the folders of a run. Raises UserError, and removes the new ones, if one cannot be."""
    wanted = (
        run.checkpoints,
        run.folder / "episodes",
        run.frame_file(0).parent,
        run.figures,
    )
    paths = {path for folder in wanted for path in (folder, *folder.parents)}
    new = sorted(path for path in paths if not check_path(path.exists))  # parents come first
    try:
        for folder in wanted:
            make_folder(folder)
        if not os.access(run.folder, os.W_OK):
            raise UserError(f"{run.folder}: cannot be written (permission denied); name another")
    except UserError:
        for folder in reversed(new):
            with suppress(OSError):  # not empty: another run is in it by now
                folder.rmdir()
        raise


def refuse_other_config(run: Run, recorded: RunConfig, wanted: RunConfig) -> None:
    """Raises UserError if a resumed run would change anything but grow its episodes."""
    keys = [key for key in wanted.differences(recorded) if key != "episodes"]
    if keys:
        raise UserError(
            f"run {run.name}: cannot resume with another {', '.join(keys)};"
            " leave them unchanged, or train a new run"
        )
    if wanted.episodes < recorded.episodes:
        raise UserError(
            f"run {run.name}: has {recorded.episodes} episodes; a resumed run may have more,"
            " not fewer"
        )


def new_record(
    run: Run, config: RunConfig, started: datetime, dataset: Dataset, precision: str
) -> dict[str, Any]:
    """The content of run.json at the start of a run."""
    return {
        "run": run.name,
        "config": config.to_dict(),
        "class_names": list(dataset.class_names),
        "started": f"{started:%Y-%m-%dT%H:%M:%S.%fZ}",
        "ended": None,
        "outcome": "running",
        "data": dataset.name,
        "data_title": dataset.title,
        "data_source": dataset.source,
        "data_digest": dataset.digest,
        "precision": precision,
        "device": [device.device_type for device in tf.config.list_logical_devices()],
        **provenance.description(),
        "git_revision": provenance.git_revision(),
        "command": _command(),
    }


def _command() -> list[str]:
    """What started this process: gan3's command line, or a user's own script or notebook."""
    is_gan3 = Path(sys.argv[0]).name in ("__main__.py", "gan3")
    return ["python", "-m", "gan3", *sys.argv[1:]] if is_gan3 else ["python", *sys.argv]
