"""The executors of a sweep: processes that are killed, and equal results from every executor.

In make test-all: two runs on both executors, one and two at a time, a worker
killed during training, a cluster of two nodes, failing tasks, and Ctrl-C.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from gan3.core.errors import UserError
from gan3.sweeps import executors
from tests.support import (
    ROOT,
    RUN_SLOW,
    FolderTest,
    call,
    keep_judge,
    lines_of,
    slow,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

RAY = importlib.util.find_spec("ray") is not None
SCHEDULE = ["--episodes", "2", "--batches", "20", "--batch-size", "8"]
OFTEN = ["--set", "checkpoint_every=5", "--set", "log_every=5"]
SPEC = """
name = "try"
title = "Two"
seeds = [0]
threads = 1
[settings]
dataset = "own"
episodes = 1
batches = 60
batch_size = 8
checkpoint_every = 5
"""
VARIANTS = """
[[variants]]
name = "{name}"
experiment = "{experiment}"
settings = {{ {settings} }}
"""


def task(name, **changes):
    """A task that trains mlp_gan for 40 steps."""
    return executors.Task(
        run=name,
        train=["--experiment", "mlp_gan", "--dataset", "own", *SCHEDULE, *OFTEN],
        evaluate=[],
        places=["--data", "own"],
        logs="logs",
        output=str(Path(f"{name}.txt").absolute()),
        folder=str(Path.cwd()),
        environment={},
        deadline=time.time() + 600,
    )._replace(**changes)


def wait_for(condition):
    """The first true value of `condition()`."""
    deadline = time.monotonic() + 200
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)
    return value


def children_of(parent):
    """The child processes of a process, by id."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent:
            children.append(int(status.parent.name))
    return children


def processes_in(folder):
    """The processes that have `folder` as their working directory, by id."""
    processes = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder.resolve():
                processes.append(int(link.parent.name))
        except OSError:  # it has ended, or belongs to somebody else
            continue
    return processes


class Tasks(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 600, 200)

    @slow("takes a minute")
    def test_a_killed_process_is_started_again_and_dies_with_its_worker(self):
        whole = task("whole")
        status, _, err = call("train", "--run", "whole", *whole.train, *whole.places)
        self.assertEqual(status, 0, err)
        worker = (
            "import tests.sweeps.test_executors as t; print(t.executors.run_task(t.task('cut')))"
        )

        def start_worker():
            return subprocess.Popen(
                [sys.executable, "-c", worker],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )

        with self.subTest("the worker is killed, and its process dies with it"):
            process = start_worker()
            wait_for(lambda: step_of("cut") >= 5)
            (training,) = children_of(process.pid)
            process.kill()
            process.communicate()
            wait_for(lambda: not Path(f"/proc/{training}").exists())
            self.assertLess(step_of("cut"), 40)
        with self.subTest("its process is killed, and started again"):
            process = start_worker()
            self.addCleanup(process.kill)
            before = step_of("cut")
            wait_for(lambda: children_of(process.pid))
            (training,) = children_of(process.pid)
            wait_for(lambda: step_of("cut") > before or not Path(f"/proc/{training}").exists())
            os.kill(training, signal.SIGKILL)
            self.assertEqual(process.communicate(timeout=300)[0], "None\n")
        self.assertEqual(weights_of("cut"), weights_of("whole"))
        self.assertEqual(lines_of("cut"), lines_of("whole"))
        self.assertTrue(Path("logs/cut/report.json").is_file())

    def test_the_problem_of_a_run_is_the_last_line_of_its_output(self):
        self.assertRegex(
            executors.run_task(task("lost", train=["--experiment", "nothing"])),
            r"\Aexit status 2: gan3: .*'nothing'.*\Z",
        )

    def test_no_run_is_started_after_the_deadline(self):
        problem = executors.run_task(task("late", deadline=time.time() - 1))
        self.assertIn("time budget is used up", problem)
        self.assertFalse(Path("logs/late").exists())

    @unittest.skipIf(RAY, "Ray is installed")
    def test_without_ray_the_error_says_how_to_install_it(self):
        with self.assertRaisesRegex(UserError, "Ray: not installed; pip install"):
            executors.run_on_ray([task("one")], print, 1, 1, None)


@unittest.skipUnless(RAY and RUN_SLOW, "slow, and needs Ray: make test-all")
class Ray(FolderTest):
    def write_spec(self):
        """A sweep of two variants, and its data."""
        text = SPEC
        for experiment in ("mlp_gan", "layernorm_gan"):
            text += VARIANTS.format(name=experiment, experiment=experiment, settings="beta1 = 0.5")
        Path("spec.toml").write_text(text)
        write_idx_set(Path("own"), 600, 200)
        keep_judge()

    def sweep(self, name, *more):
        """Run the sweep in folders of its own; the metrics of its report cards, by run."""
        folders = ("--logs", f"{name}/logs", "--figures", f"{name}/figures", "--data", "own")
        status, out, err = call("sweep", "spec.toml", *folders, *more)
        self.assertEqual(status, 0, out + err)
        paths = sorted(Path(name, "logs").glob("*/report.json"))
        return {path.parent.name: json.loads(path.read_text())["samples"] for path in paths}

    def run_on_ray(self, *tasks):
        """The problem of each task, by run; each is reported once."""
        reports = []

        def report(name, problem):
            reports.append((name, problem))

        executors.run_on_ray(list(tasks), report, jobs=1, threads=1, address=None)
        self.assertEqual(len(reports), len(tasks))
        return dict(reports)

    def test_every_executor_gives_the_same_results(self):
        self.write_spec()
        expected = self.sweep("alone")
        self.assertEqual(len(expected), 2)
        self.assertEqual(len({json.dumps(card) for card in expected.values()}), 2)
        with self.subTest("two processes at a time"):
            self.assertEqual(self.sweep("two", "--jobs", "2"), expected)
        with self.subTest("two at a time on Ray, and a worker is killed during training"):
            killer = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "import tests.sweeps.test_executors as t; t.kill_a_worker('cut')",
                ],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
            self.addCleanup(killer.kill)
            self.assertEqual(self.sweep("cut", "--engine", "ray", "--jobs", "2"), expected)
            self.assertEqual(killer.wait(), 0)
        with self.subTest("a cluster of two nodes"):
            from ray.cluster_utils import Cluster

            cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
            self.addCleanup(cluster.shutdown)
            cluster.add_node(num_cpus=1)
            joined = ("--engine", "ray", "--address", cluster.address)
            self.assertEqual(self.sweep("cluster", *joined), expected)

    def test_a_task_that_fails_is_reported_and_not_repeated(self):
        Path("logs/damaged").mkdir(parents=True)
        Path("logs/damaged/run.json").write_text("{")
        problems = self.run_on_ray(
            task("unknown", train=["--experiment", "nothing"]),
            task("damaged"),
        )
        self.assertRegex(problems["unknown"], r"\Aexit status 2: gan3: .*'nothing'.*\Z")
        self.assertEqual(len(Path("unknown.txt").read_text().splitlines()), 1)
        self.assertRegex(problems["damaged"], r"\A.*run\.json: not the record of a run;.*\Z")

    def test_ctrl_c_ends_every_process_and_the_sweep_can_be_continued(self):
        self.write_spec()
        process = start("sweep", "spec.toml", "--data", "own", "--engine", "ray", cwd=self.folder)
        self.addCleanup(process.kill)
        wait_for(lambda: list(Path("logs").glob("*/checkpoints/step-[1-9]*.index")))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        wait_for(lambda: set(processes_in(self.folder)) == {os.getpid()})
        (record,) = Path("logs").glob("*/run.json")
        self.assertEqual(json.loads(record.read_text())["outcome"], "running")
        run = record.parent.name
        self.assertIsNone(executors.run_task(task(run)))
        self.assertEqual(step_of(run), 60)


def kill_a_worker(name):
    """Send SIGKILL to a Ray worker whose process is in the middle of its training."""
    logs = f"{name}/logs"

    def worker_in_training():
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
                parent = int(path.with_name("stat").read_text().rpartition(")")[2].split()[1])
                worker = Path(f"/proc/{parent}/cmdline").read_bytes()
            except OSError:
                continue
            if b"train" in words and logs.encode() in words and worker.startswith(b"ray::"):
                run = words[words.index(b"--run") + 1].decode()
                if list(Path(logs, run, "checkpoints").glob("step-[1-9]*.index")):
                    return parent
        return None

    os.kill(wait_for(worker_in_training), signal.SIGKILL)
