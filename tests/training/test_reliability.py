"""Runs that are killed, stopped or started twice, and runs with a full disk or a lost folder.

Real processes train small runs. However often a run is interrupted, its results are bit-for-bit
those of an uninterrupted run. In make test-all there are twenty kills; GAN3_KILLS=200 makes more.
"""

import filecmp
import json
import os
import random
import resource
import shutil
import signal
import time
from pathlib import Path

from tests.support import (
    FolderTest,
    call,
    lines_of,
    points_of,
    slow,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

KILLS = int(os.environ.get("GAN3_KILLS", 20))
SCHEDULE = ("--episodes", 2, "--batches", 12, "--batch-size", 8)
OFTEN = ("--set", "log_every=2", "--set", "checkpoint_every=3")
OWN = ("--dataset", "own", "--data", "own")
MAX_FILE_SIZE = 20_000_000  # bytes, on the full disk; a checkpoint has 90 MB


def files_of(name):
    """Every file of a run except the event files, whose names contain the time."""
    return sorted(
        str(path.relative_to(folder))
        for folder in (Path("logs") / name, Path("figures") / name)
        for path in folder.rglob("*")
        if "tfevents" not in path.name
    )


def outcome_of(name):
    """What run.json says; None if the run was killed before it was written."""
    if not Path(f"logs/{name}/run.json").exists():
        return None
    return json.loads(Path(f"logs/{name}/run.json").read_text())["outcome"]


class Reliability(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")

    def start(self, name, *more):
        return start("train", *SCHEDULE, *OFTEN, *OWN, "--run", name, *more, cwd=self.folder)

    def wait_for_end(self, process, status):
        """Wait until the process ends with this exit status; returns its stdout and stderr."""
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, status, err)
        return out, err

    def wait_for(self, condition, process):
        """Wait until `condition()` is true, which must happen before the process ends."""
        deadline = time.monotonic() + 600
        while not condition():
            if process.poll() is not None:
                self.assertTrue(condition(), "ended too soon")
                return
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def assert_the_same_run(self, name, other):
        self.assertEqual(step_of(name), step_of(other))
        self.assertEqual(weights_of(name), weights_of(other))
        self.assertEqual(lines_of(name), lines_of(other))
        self.assertEqual(points_of(name), points_of(other))
        self.assertEqual(files_of(name), files_of(other))
        for folder, pattern in (("logs", "episodes/*"), ("figures", "*")):
            for path in sorted(Path(folder, name).glob(pattern)):
                if path.name != "losses.png":  # its title contains the run's name
                    twin = Path(folder, other) / path.relative_to(Path(folder, name))
                    self.assertTrue(filecmp.cmp(path, twin, shallow=False), path.name)

    @slow("kills many processes")
    def test_an_interrupted_run_ends_like_an_uninterrupted_one(self):
        self.wait_for_end(self.start("whole"), 0)
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        checkpoints = Path("logs/cut/checkpoints")

        def start_or_resume():
            return self.start("cut", *(["--resume"] if Path("logs/cut/run.json").exists() else []))

        def saving():
            return any(checkpoints.glob(".step-*"))

        def state():
            return sorted(str(p) for p in Path("logs/cut").rglob("*"))

        def fill_the_disk():
            """No file can exceed 20 MB, which only checkpoints do: none can be saved."""
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_SIZE, limit[1]))
            try:
                process = start_or_resume()
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            _, err = self.wait_for_end(process, 2)
            self.assertRegex(
                err, r"\Agan3: logs/cut/checkpoints: checkpoint \d+ cannot be written .*\n\Z"
            )
            self.assertEqual(outcome_of("cut"), "stopped")
            self.assertFalse(saving())  # the incomplete checkpoint was removed

        def kill(while_saving):
            """Send SIGKILL during a save, or at a random time after the run wrote a file."""
            process = start_or_resume()
            before = state()
            self.wait_for(
                lambda: (
                    (saving() if while_saving else state() != before) or process.poll() is not None
                ),
                process,
            )
            if not while_saving:
                time.sleep(moments.uniform(0, 6))
            process.kill()
            _, err = process.communicate()
            self.assertIn(process.returncode, (0, -signal.SIGKILL), err)
            return saving()

        with self.subTest(f"seed {seed}"):
            interrupted_saves = kill(while_saving=True)  # the first checkpoint
            out = self.stop(start_or_resume(), "cut", signal.SIGTERM)
            self.assertIn("none after step 0; starting again", out)
            self.stop(start_or_resume(), "cut", signal.SIGINT)
            fill_the_disk()
            for number in range(1, KILLS):
                interrupted_saves += kill(while_saving=number % 2 == 0)
                if outcome_of("cut") == "done":  # start again from nothing
                    self.assert_the_same_run("cut", "whole")
                    shutil.rmtree("logs/cut")
                    shutil.rmtree("figures/cut")
            self.wait_for_end(start_or_resume(), 0)
            self.assertGreater(interrupted_saves, KILLS // 4)
            self.assert_the_same_run("cut", "whole")

    def stop(self, process, name, number):
        """Send a signal after a few steps: the state is saved once more. Returns the output."""
        before = max(step_of(name), 0)
        self.wait_for(lambda: step_of(name) > before + 2, process)
        seen = step_of(name)
        process.send_signal(number)
        out, err = self.wait_for_end(process, 128 + number)
        self.assertRegex(err, r"\Agan3: stopped; .*make resume.*\n\Z")
        self.assertEqual(outcome_of(name), "stopped")
        self.assertGreaterEqual(step_of(name), seen)
        self.assertLessEqual(lines_of(name)[-1]["step"], step_of(name))
        return out

    @slow("starts several processes")
    def test_two_runs_at_a_time_and_two_processes_on_one_run(self):
        endless = ("--batches", 9000, "--set", "checkpoint_every=9000")
        endless += ("--set", "frame_every=9000")
        a, b = (self.start(name, *endless) for name in "ab")
        self.addCleanup(a.kill)
        self.addCleanup(b.kill)
        for name, process in (("a", a), ("b", b)):
            metrics = Path(f"logs/{name}/metrics.jsonl")
            self.wait_for(lambda m=metrics: m.exists() and m.read_text().count("\n") > 5, process)
        self.assertEqual(lines_of("a")[:5], lines_of("b")[:5])
        self.assertEqual(files_of("a"), files_of("b"))

        with self.subTest("a name that is taken"):
            # As with two runs of one second, whose default names are equal.
            for process in (a, b):
                process.send_signal(signal.SIGSTOP)  # alive, but using no processor time
            line = ("train", *SCHEDULE, *OFTEN, *OWN, *endless, "--run", "a")
            status, _, err = call(*line, "--resume")
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: another process is training it; .*\n\Z")
            status, _, err = call(*line)
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: exists already; .*\n\Z")

        with self.subTest("a second signal ends the process at once"):
            a.send_signal(signal.SIGCONT)
            a.send_signal(signal.SIGINT)
            self.wait_for(lambda: any(Path("logs/a/checkpoints").glob(".step-*")), a)
            a.send_signal(signal.SIGTERM)
            _, err = self.wait_for_end(a, -signal.SIGTERM)
            self.assertEqual((err, step_of("a")), ("", 0))

        with self.subTest("the folder of the run disappears"):
            Path("logs/b").rename("elsewhere")
            b.send_signal(signal.SIGCONT)
            b.send_signal(signal.SIGINT)  # makes it save a checkpoint
            _, err = self.wait_for_end(b, 2)
            self.assertRegex(err, r"\Agan3: logs/b[^\n]* cannot be written [^\n]*\n\Z")
            self.assertFalse(Path("logs/b").exists())
