"""Signals during training, and the lock of a run; test_reliability.py has whole runs."""

import os
import signal
import subprocess
import sys

from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.runs.run import Run
from gan3.training.interruption import exclusive_lock
from tests.support import ROOT, FolderTest

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Both print a line as soon as they are ready, and then wait.
LOCKING = """
from gan3.runs.run import Run
from gan3.training.interruption import exclusive_lock
with exclusive_lock(Run("a")):
    print("locked", flush=True)
    input()
"""
WAITING = """
import time
from gan3.training.interruption import Signals
with Signals() as signals:
    print("entered", flush=True)
    while signals.received is None:
        time.sleep(0.01)
    print(int(signals.received), flush=True)
    time.sleep(60)
"""


class Child(FolderTest):
    def start(self, code):
        """A process that runs `code` and is ready."""
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(process.stdout.readline())
        return process


class Receiving(Child):
    def test_the_first_signal_is_recorded_and_the_second_ends_the_process(self):
        for first, second in (SIGNALS, SIGNALS[::-1]):
            with self.subTest(first=first):
                process = self.start(WAITING)
                process.send_signal(first)
                self.assertEqual(process.stdout.readline(), f"{int(first)}\n")
                process.send_signal(second)
                self.assertEqual(process.wait(timeout=30), -second)


class Lock(Child):
    def setUp(self):
        super().setUp()
        self.the_run = Run("a")
        make_folder(self.the_run.folder)

    def test_a_second_process_is_refused_until_the_first_one_ends(self):
        process = self.start(LOCKING)
        with (
            self.assertRaisesRegex(UserError, "run a: another process is training it"),
            exclusive_lock(self.the_run),
        ):
            self.fail("locked twice")
        process.kill()
        process.wait()
        with exclusive_lock(self.the_run):
            pass

    def test_the_lock_ends_with_its_block_also_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), exclusive_lock(self.the_run):
            raise ZeroDivisionError
        self.start(LOCKING)
