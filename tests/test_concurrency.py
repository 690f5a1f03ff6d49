"""Processes that train, stop, resume, evaluate and draw the same few runs at random.

In `make test-all` six for twenty seconds. GAN3_SECONDS=600 and GAN3_PROCESSES=10 make it longer.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
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
from tests.support import keep_judge as write_judge

SECONDS = float(os.environ.get("GAN3_SECONDS", 20))
PROCESSES = int(os.environ.get("GAN3_PROCESSES", 6))
RUNS = ("r0", "r1", "r2")
SCHEDULE = ("--episodes", 2, "--batches", 6, "--batch-size", 8)
OFTEN = ("--set", "log_every=1", "--set", "checkpoint_every=2", "--set", "frame_every=3")
TRAIN = ("train", "--experiment", "auxiliary_gan", *SCHEDULE, *OFTEN)
TRAIN += ("--dataset", "own", "--data", "own", "--run")
COMMANDS = {
    "train": lambda run: (*TRAIN, run),
    "resume": lambda run: ("train", "--resume", "--run", run),
    "evaluate": lambda run: ("evaluate", "--run", run),
    "figures": lambda run: ("figures", "--run", run),
    "generate": lambda run: ("generate", "37", "--run", run, "--out", f"{run}.png"),
    "sample": lambda run: ("sample", "--run", run, "--count", 20, "--out", f"{run}.npz"),
    "newest": lambda _: ("sample", "--count", 20, "--out", "newest.npz"),
    "compare": lambda _: ("compare", *RUNS),
}
STOPS = {signal.SIGTERM: 128 + signal.SIGTERM, signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}


def card_of(run):
    """The report card without what names the run."""
    card = json.loads(Path(f"logs/{run}/report.json").read_text())
    return {key: value for key, value in card.items() if key != "run"}


class Concurrency(FolderTest):
    """All processes, this one included, compute with the same number of threads."""

    @slow("six processes for twenty seconds, then every run to its end")
    def test_nothing_is_lost_and_nothing_is_mixed(self):
        write_idx_set(self.folder / "own")
        write_judge()
        for line in ((*TRAIN, "alone"), ("evaluate", "--run", "alone")):
            self.assertEqual(call(*line)[0], 0)
        seed = random.randrange(10**6)
        end = time.monotonic() + SECONDS
        counts, problems = Counter(), []

        def act(number):
            """One user: a random command for a random run, some of them stopped by a signal."""
            rng = random.Random(seed + number)
            while time.monotonic() < end and not problems:
                name, run = rng.choice(sorted(COMMANDS)), rng.choice(RUNS)
                stop = rng.choice(sorted(STOPS)) if rng.random() < 0.25 else None
                process = start(*COMMANDS[name](run), cwd=self.folder)
                try:
                    timeout = rng.uniform(2, 20) if stop else 900
                    out, err = process.communicate(timeout=timeout)
                except subprocess.TimeoutExpired:
                    process.send_signal(stop or signal.SIGKILL)
                    out, err = process.communicate()
                status = process.returncode
                # A signal can also come before Python handles it, or where nothing does
                stopped = stop and status in (STOPS[stop], -stop, 130)
                fits = status in (0, 2) or stopped
                last = err.splitlines()[-1:]
                if not fits or (status == 2 and not (last and last[0].startswith("gan3: "))):
                    problems.append((name, run, stop, status, err))
                if status in (0, 2) and "Traceback" in err:
                    problems.append((name, run, stop, status, err))
                if status == 2 and err.count("\n") > 1:
                    notes = err.splitlines()[:-1]
                    if not all(line.startswith("NOTE: ") for line in notes):
                        problems.append((name, run, stop, status, err))
                counts[name, "stopped" if stopped else status] += 1

        threads = [threading.Thread(target=act, args=(n,)) for n in range(PROCESSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"seed {seed}: {dict(sorted(counts.items(), key=str))}")
        self.assertEqual(problems, [], f"seed {seed}")
        self.assertGreater(sum(n for (_, status), n in counts.items() if status == 0), 0)

        # Every run to its end, and then it is the run that was made alone.
        for run in RUNS:
            with self.subTest(run, seed=seed):
                exists = Path(f"logs/{run}/run.json").exists()
                line = ("train", "--resume", "--run", run) if exists else (*TRAIN, run)
                status, _, err = call(*line)
                self.assertEqual(status, 0, err)
                self.assertEqual(call("evaluate", "--run", run)[0], 0)
                self.assertEqual(step_of(run), step_of("alone"))
                self.assertEqual(weights_of(run), weights_of("alone"))
                self.assertEqual(lines_of(run), lines_of("alone"))
                self.assertEqual(card_of(run), card_of("alone"))
                parts = [p for p in Path("logs", run).rglob("*") if p.name.endswith(".part")]
                self.assertEqual(parts, [])
                steps = [(tag, step) for tag, step in points_of(run) if tag.startswith("loss/")]
                self.assertEqual(len(set(steps)), len(steps))
