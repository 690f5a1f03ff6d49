"""What happens to a run: killed, stopped, crowded, its disk full, its folder gone.

Real processes on small runs, each to end bit for bit as one to which nothing happened. GAN3_LONG=1
kills fifty times where the suite kills three.
"""

import filecmp
import json
import os
import random
import resource
import shutil
import signal
import time
import unittest
from pathlib import Path

from tests.support import (
    LONG,
    FolderTest,
    call,
    lines_of,
    points_of,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

KILLS = 50 if LONG else 3
SCHEDULE = ("--episodes", 2, "--batches", 12, "--batch-size", 8)
OFTEN = ("--set", "log_every=2", "--set", "checkpoint_every=3")
OWN = ("--dataset", "idx", "--data", "own")
FULL = 20_000_000  # bytes a file on the disk that is full; a checkpoint has 90 MB


def files_of(name):
    """Every file of a run but the event files, whose names hold the time."""
    return sorted(
        str(path.relative_to(folder))
        for folder in (Path("logs") / name, Path("figures") / name)
        for path in folder.rglob("*")
        if "tfevents" not in path.name
    )


def outcome_of(name):
    return json.loads(Path(f"logs/{name}/run.json").read_text())["outcome"]


class Reliability(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")

    def start(self, name, *more):
        return start("train", *SCHEDULE, *OFTEN, *OWN, "--run", name, *more, cwd=self.folder)

    def ends(self, process, status):
        """Let it end, with this exit status; what it says on stdout and stderr."""
        out, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, status, err)
        return out, err

    def wait_for(self, question, process):
        """Until `question()` holds, which it must before the process has ended."""
        deadline = time.monotonic() + 120
        while not question():
            if process.poll() is not None:
                self.assertTrue(question(), "ended too soon")
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
                if path.name != "losses.png":  # its title is the run's name
                    twin = Path(folder, other) / path.relative_to(Path(folder, name))
                    self.assertTrue(filecmp.cmp(path, twin, shallow=False), path.name)

    def test_whatever_happens_to_it_it_ends_as_if_nothing_had(self):
        self.ends(self.start("whole"), 0)
        seed = random.randrange(10**6)
        moments = random.Random(seed)
        checkpoints = Path("logs/cut/checkpoints")

        def begin():
            return self.start("cut", *(["--resume"] if Path("logs/cut/run.json").exists() else []))

        def saving():
            return any(checkpoints.glob(".step-*"))

        def state():
            return sorted(str(p) for p in Path("logs/cut").rglob("*"))

        def fill_the_disk():
            """For files of more than 20 MB, of which checkpoints are the only ones."""
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, limit[1]))
            try:
                process = begin()
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            _, err = self.ends(process, 2)
            self.assertRegex(
                err, r"\Agan3: logs/cut/checkpoints: checkpoint \d+ cannot be written .*\n\Z"
            )
            self.assertEqual(outcome_of("cut"), "stopped")
            self.assertFalse(saving())  # nothing of it stays on the disk that is full

        def kill(while_saving):
            """SIGKILL inside a save, or at any moment after the run has first written a file."""
            process = begin()
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
            process.communicate()
            return saving()

        with self.subTest(f"seed {seed}"):
            saves_cut = kill(while_saving=True)  # the very first
            self.stop_and_turn_back_the_clock(begin(), "cut")
            fill_the_disk()
            for number in range(1, KILLS):
                saves_cut += kill(while_saving=number % 2 == 0)
                if outcome_of("cut") == "done":  # another life
                    self.assert_the_same_run("cut", "whole")
                    shutil.rmtree("logs/cut")
                    shutil.rmtree("figures/cut")
            self.ends(begin(), 0)
            self.assertGreater(saves_cut, KILLS // 4)
            self.assert_the_same_run("cut", "whole")

    def stop_and_turn_back_the_clock(self, process, name):
        """SIGTERM; then what was written bears times of the next century."""
        self.wait_for(lambda: step_of(name) > 3, process)
        process.terminate()
        _, err = self.ends(process, 128 + signal.SIGTERM)
        self.assertRegex(err, r"\Agan3: stopped; .*make resume.*\n\Z")
        self.assertEqual(outcome_of(name), "stopped")
        self.assertLessEqual(lines_of(name)[-1]["step"], step_of(name))
        record = json.loads(Path(f"logs/{name}/run.json").read_text())
        record |= {"started": "2100-01-01T00:00:00.000000Z", "ended": "2100-01-02T00:00:00.000000Z"}
        Path(f"logs/{name}/run.json").write_text(json.dumps(record))
        for path in [*Path(f"logs/{name}").rglob("*"), *Path(f"figures/{name}").rglob("*")]:
            os.utime(path, (4.2e9, 4.2e9))
            if "tfevents" in path.name:
                _, _, rest = path.name.partition(".tfevents.")
                path.rename(path.with_name(f"events.out.tfevents.42{rest[2:]}"))

    def test_two_runs_side_by_side_and_two_processes_on_one(self):
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
            # The default name has the second in it: two of one second are this case.
            for process in (a, b):
                process.send_signal(signal.SIGSTOP)  # they are there, and leave us the processor
            line = ("train", *SCHEDULE, *OFTEN, *OWN, *endless, "--run", "a")
            status, _, err = call(*line, "--resume")
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: another process is training it; .*\n\Z")
            status, _, err = call(*line)
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: exists already; .*\n\Z")

        with self.subTest("a second signal ends it at once"):
            a.send_signal(signal.SIGCONT)
            a.send_signal(signal.SIGINT)
            self.wait_for(lambda: any(Path("logs/a/checkpoints").glob(".step-*")), a)
            a.send_signal(signal.SIGTERM)
            _, err = self.ends(a, -signal.SIGTERM)
            self.assertEqual((err, step_of("a")), ("", 0))

        with self.subTest("its folder vanishes"):
            Path("logs/b").rename("elsewhere")
            b.send_signal(signal.SIGCONT)
            b.send_signal(signal.SIGINT)  # which makes it save
            _, err = self.ends(b, 2)
            self.assertRegex(err, r"\Agan3: logs/b[^\n]* cannot be written [^\n]*\n\Z")
            self.assertFalse(Path("logs/b").exists())


if __name__ == "__main__":
    unittest.main()
