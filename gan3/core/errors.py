"""The errors that gan3 raises. The command line turns each into one line and an exit status."""

import signal
from typing import Any


class UserError(Exception):
    """Something that the user typed, or something in a file, is wrong.

    The message is one line that names the thing, the problem and the remedy. The command line
    prints this line and exits with status 2.
    """


class DivergedError(Exception):
    """Training produced a number that is not finite. The command line exits with status 3."""


class StoppedError(Exception):
    """A signal stopped training, after a last checkpoint; `signal_number` is its number.

    The command line exits with status 128 + `signal_number`.
    """

    def __init__(self, signal_number: int):
        name = signal.Signals(signal_number).name
        super().__init__(f"training: stopped by {name}; its state is saved, so it can be resumed")
        self.signal_number = signal_number


def shown(value: Any) -> str:
    """A value as a message shows it: one line, shortened to 50 characters if it is long."""
    try:
        text = " ".join(line.strip() for line in repr(value).splitlines())  # an array has many
    except ValueError:  # Python does not print whole numbers of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)} characters)"
