"""Stops a run cleanly on SIGINT or SIGTERM, and locks it against a second process."""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gan3.core.errors import UserError
from gan3.runs.run import Run


class Signals:
    """A context in which the first SIGINT or SIGTERM is only recorded, in `received`.

    The training loop reads `received` after every step. A second signal ends the process at once.
    The earlier handlers are restored at the end. In another thread than the main one, where Python
    can neither set handlers nor receive signals, nothing is recorded.
    """

    def __init__(self) -> None:
        self.received: int | None = None  # the signal's number

    def _record(self, number: int, _frame: Any) -> None:
        self.received = number
        for handled in self._previous_handlers:
            signal.signal(handled, signal.SIG_DFL)

    def __enter__(self) -> "Signals":
        is_main = threading.current_thread() is threading.main_thread()
        handled = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        self._previous_handlers = {number: signal.getsignal(number) for number in handled}
        for number in self._previous_handlers:
            signal.signal(number, self._record)
        return self

    def __exit__(self, *_: Any) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)


@contextmanager
def exclusive_lock(run: Run) -> Iterator[None]:
    """Lock the run's folder against other processes; the lock never outlives this process.

    Raises UserError if another process holds the lock.
    """
    handle = os.open(run.folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UserError(
            f"run {run.name}: another process is training it; stop it or wait until it ends"
        ) from None
    except OSError:
        pass  # the file system has no locks: the user has to keep to one process
    try:
        yield
    finally:
        os.close(handle)
