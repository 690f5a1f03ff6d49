"""TODO docstring."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gan3.core.errors import UserError
from gan3.runs.run_files import RunFolders


class StoppedError(Exception):
    """A signal ended the run after a last checkpoint; `signal_number` says which."""

    def __init__(self, signal_number: int):
        super().__init__(signal_number)
        self.signal_number = signal_number


class Signals:
    """SIGINT and SIGTERM ask the loop to stop after its step; a second one ends it at once."""

    def __init__(self) -> None:
        self.received: int | None = None

    @property
    def stop_signal(self) -> int:
        """The signal received; SIGTERM if another worker's process received it."""
        return self.received or signal.SIGTERM

    def _ask(self, number: int, _frame: Any) -> None:
        self.received = number
        for asked in self._before:
            signal.signal(asked, signal.SIG_DFL)

    def __enter__(self) -> "Signals":
        self._before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        for number in self._before:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextmanager
def exclusive_lock(folders: RunFolders) -> Iterator[None]:
    """Hold the run against a second process; the hold ends with this one, however that ends."""
    handle = os.open(folders.logs, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UserError(
            f"run {folders.name}: another process is training it; let it end, or stop it first"
        ) from None
    except OSError:
        pass  # a file system without locks: keeping to one process is left to the user
    try:
        yield
    finally:
        os.close(handle)
