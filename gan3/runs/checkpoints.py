"""Checkpoints of a run: every variable of its system, in TensorFlow's format.

All random numbers of a run are a function of its seed and step, so the weights, the optimizer
slots and the step in the checkpoint's name are its complete state.
"""

import re
import shutil
from pathlib import Path

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import sync, write_atomically
from gan3.core.log import Log

MAX_TO_KEEP = 3
_DAMAGED_FILE_ERRORS = (tf.errors.OpError, IndexError, RuntimeError, TypeError, ValueError)
_MISMATCH_ERRORS = (AssertionError, *_DAMAGED_FILE_ERRORS)  # in names, shapes or dtypes


class Checkpoints:
    """Saves `state` to `folder` and restores it; keeps the newest MAX_TO_KEEP, or all."""

    def __init__(self, folder: Path, state: dict[str, tf.Variable], keep_all: bool = False):
        self._folder, self._keep_all = folder, keep_all
        self._checkpoint = tf.train.Checkpoint(state=dict(state))
        # Reading the property creates the counter, which `restore` expects in every checkpoint.
        _ = self._checkpoint.save_counter

    def save(self, step: int) -> None:
        """Save the state after `step`. Raises UserError if it cannot be written.

        TensorFlow does not sync its files to disk. It therefore writes to a temporary folder; the
        files are synced and then moved, the index last, because a checkpoint with an index is
        complete. Only then is the file `checkpoint` written, which TensorFlow's own tools read,
        and the oldest checkpoint deleted.
        """
        temporary = self._folder / f".step-{step}.part"
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()  # fails if the run's folder is gone; TensorFlow would create both
            self._checkpoint.write(str(temporary / f"step-{step}"))
            for path in sorted(temporary.iterdir()):  # data before index
                sync(path)
                path.replace(self._folder / path.name)
            temporary.rmdir()
            sync(self._folder)
        except (tf.errors.OpError, OSError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise UserError(
                f"{self._folder}: checkpoint {step} cannot be written ({_first_line(error)});"
                " check the disk and the folder, then resume the run"
            ) from None
        pointer = f'model_checkpoint_path: "step-{step}"\n'
        write_atomically(self._folder / "checkpoint", pointer.encode())
        for old in [] if self._keep_all else sorted(self._steps_on_disk())[:-MAX_TO_KEEP]:
            for path in self._folder.glob(f"step-{old}.*"):
                path.unlink(missing_ok=True)

    def restore(self, log: Log = print) -> int:
        """Restore the newest complete checkpoint and return its step.

        A checkpoint is read to its end before any variable is changed. If it is damaged or lacks a
        file, this is logged and the next older one is tried.

        Raises UserError if no checkpoint is complete, or if the newest complete one is of another
        system.
        """
        problems = []
        for step in sorted(self._steps_on_disk(), reverse=True):
            path = str(self._folder / f"step-{step}")
            try:
                reader = tf.train.load_checkpoint(path)
                for name in reader.get_variable_to_shape_map():
                    reader.get_tensor(name)  # verifies its checksum
            except _DAMAGED_FILE_ERRORS as error:
                problems.append(f"{path}: damaged ({_first_line(error)})")
                log(f"NOTE: {problems[-1]}; trying an older one")
                continue
            try:
                self._checkpoint.restore(path).assert_consumed()
            except _MISMATCH_ERRORS as error:
                raise UserError(
                    f"{path}: of another system ({_first_line(error)}); train a new run"
                ) from None
            return step
        if problems:
            raise UserError(f"{problems[0]}, and no older checkpoint is whole; train a new run")
        raise UserError(f"{self._folder}: no checkpoint to resume from; train a new run")

    def newest(self) -> int | None:
        """The newest step that a file names, complete or not; None if none does."""
        return max(self._steps_on_disk(), default=None)

    def sweep(self, step: int) -> None:
        """Remove checkpoints later than `step`, and what interrupted saves left behind."""
        for path in self._folder.glob("*"):
            match = re.match(r"step-(\d+)\.", path.name)
            if path.is_dir():
                if path.name.startswith(".step-"):  # others are the user's
                    shutil.rmtree(path, ignore_errors=True)
            elif match and int(match[1]) > step:
                path.unlink(missing_ok=True)

    def _steps_on_disk(self) -> set[int]:
        """The steps for which there is at least one file."""
        matches = (re.match(r"step-(\d+)\.", path.name) for path in self._folder.glob("*"))
        return {int(match[1]) for match in matches if match}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:120]
