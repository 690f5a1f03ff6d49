"""Checkpoints of a run: every variable of the system, and nothing else.

All that a run draws is a function of its seed and step, so weights, optimizer slots and the step
in the checkpoint's name are its whole state.
"""

from pathlib import Path

import tensorflow as tf

from gan3.errors import UserError

KEPT = 3
_DAMAGE = (tf.errors.OpError, AssertionError, IndexError, RuntimeError, TypeError, ValueError)


class Checkpoints:
    """The newest checkpoints in `folder`, kept by TensorFlow's CheckpointManager."""

    def __init__(self, folder: Path, state: dict[str, tf.Variable]):
        self._folder = folder
        self._checkpoint = tf.train.Checkpoint(state=dict(state))
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, str(folder), max_to_keep=KEPT, checkpoint_name="step"
        )

    def save(self, step: int) -> None:
        """Save the state as of after `step`. Raises UserError where that cannot be written."""
        try:
            self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            raise UserError(
                f"{self._folder}: checkpoint {step} cannot be written ({_first_line(error)});"
                " free the disk, then make resume"
            ) from None

    def restore(self) -> int:
        """Restore the newest checkpoint and answer its step.

        Raises UserError where there is none, or it is damaged or of another system.
        """
        newest = self._manager.latest_checkpoint
        if newest is None:
            raise UserError(f"{self._folder}: no checkpoint to go on from; train a new run")
        try:
            self._checkpoint.restore(newest).assert_consumed()
        except _DAMAGE as error:
            raise UserError(
                f"{newest}: damaged, or of another system ({_first_line(error)}); remove it"
            ) from None
        return int(newest.rpartition("-")[2])


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n")[0][:120]
