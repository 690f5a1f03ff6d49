"""Checkpoints of a run: every variable of the system, and nothing else.

All that a run draws is a function of its seed and step, so weights, optimizer slots and the step
in the checkpoint's name are its whole state.
"""

import re
import shutil
from pathlib import Path

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import sync, write_atomically
from gan3.core.log import Log

KEPT = 3
_DAMAGE = (tf.errors.OpError, IndexError, RuntimeError, TypeError, ValueError)
_OTHER_SYSTEM = (AssertionError, *_DAMAGE)  # other names, other shapes, other types


class Checkpoints:
    """The newest checkpoints in `folder`, in TensorFlow's format and under its names."""

    def __init__(self, folder: Path, state: dict[str, tf.Variable]):
        self._folder = folder
        self._pointer = folder / "checkpoint"  # names the newest
        self._checkpoint = tf.train.Checkpoint(state=dict(state))
        _ = self._checkpoint.save_counter  # asking makes it; `restore` looks for it in every file

    def save(self, step: int) -> None:
        """Save the state as of after `step`. Raises UserError where that cannot be written.

        TensorFlow neither syncs what it writes nor can it be told to. So it writes into a folder
        aside; what it wrote is synced to disk and renamed, the index last, which makes it whole;
        and only then does the pointer name it and the oldest go.
        """
        aside = self._folder / f".step-{step}.part"
        try:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()  # TensorFlow would make the run's folder with it, if that were gone
            self._checkpoint.write(str(aside / f"step-{step}"))
            for path in sorted(aside.iterdir()):  # data before index
                sync(path)
                path.replace(self._folder / path.name)
            aside.rmdir()
            sync(self._folder)
        except (tf.errors.OpError, OSError) as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise UserError(
                f"{self._folder}: checkpoint {step} cannot be written ({_first_line(error)});"
                " see to the disk and the folder, then make resume"
            ) from None
        write_atomically(self._pointer, f'model_checkpoint_path: "step-{step}"\n'.encode())
        for old in sorted(self._on_disk())[:-KEPT]:
            for path in self._folder.glob(f"step-{old}.*"):
                path.unlink(missing_ok=True)

    def restore(self, log: Log = print) -> int:
        """Restore the newest checkpoint that is whole and answer its step.

        Each is read to its end before a variable is touched; where one is damaged or lacks a file,
        `log` is told and the next older one is taken.

        Raises UserError where none is whole, or the newest whole one is of another system.
        """
        steps, pointed = self._on_disk(), self._pointed()
        if pointed is not None:
            steps.add(pointed)
        elif steps:
            log(f"NOTE: {self._pointer}: missing or damaged; going by the files beside it")
        faults = []
        for step in sorted(steps, reverse=True):
            path = str(self._folder / f"step-{step}")
            try:
                reader = tf.train.load_checkpoint(path)
                for name in reader.get_variable_to_shape_map():
                    reader.get_tensor(name)  # compares its checksum
            except _DAMAGE as error:
                faults.append(f"{path}: damaged ({_first_line(error)})")
                log(f"NOTE: {faults[-1]}; looking for an older one")
                continue
            try:
                self._checkpoint.restore(path).assert_consumed()
            except _OTHER_SYSTEM as error:
                raise UserError(
                    f"{path}: of another system ({_first_line(error)}); train a new run"
                ) from None
            return step
        if faults:
            raise UserError(f"{faults[0]}, and no older checkpoint is whole; train a new run")
        raise UserError(f"{self._folder}: no checkpoint to go on from; train a new run")

    def newest(self) -> int | None:
        """The newest step of which there is a file or the pointer's word, whole or not."""
        return max(self._on_disk() | ({self._pointed()} - {None}), default=None)

    def sweep(self, step: int) -> None:
        """Remove what lies beyond `step`: damaged files, and a save that was cut off."""
        for path in self._folder.glob("*"):
            later = re.match(r"step-(\d+)\.", path.name)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif later and int(later[1]) > step:
                path.unlink(missing_ok=True)

    def _on_disk(self) -> set[int]:
        """The steps of which there is any file."""
        names = (re.match(r"step-(\d+)\.", path.name) for path in self._folder.glob("*"))
        return {int(name[1]) for name in names if name}

    def _pointed(self) -> int | None:
        """The step that the pointer file names; None where it is missing or damaged."""
        try:
            text = self._pointer.read_text()
        except (OSError, UnicodeDecodeError):
            return None
        found = re.match(r'model_checkpoint_path: "(?:.*/)?step-(\d+)"\n', text)
        return int(found[1]) if found else None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:120]
