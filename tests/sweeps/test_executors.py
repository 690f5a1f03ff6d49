"""Who does the runs of a sweep: tasks that are killed, and the same figures from every engine.

GAN3_LONG=1, where Ray is installed: eight runs on both engines, one and two at a time, a worker
killed in the middle, and a cluster of two nodes.
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
from tests.support import LONG, ROOT, FolderTest, call, lines_of, step_of, weights_of, write_idx_set

RAY = importlib.util.find_spec("ray") is not None
SCHEDULE = ["--episodes", "2", "--batches", "20", "--batch-size", "8"]
OFTEN = ["--set", "checkpoint_every=5", "--set", "log_every=5"]
SPEC = """
name = "try"
title = "Eight"
seeds = [0, 1]
threads = 1
[settings]
dataset = "idx"
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
    made = executors.Task(
        run=name,
        train=["--experiment", "mlp_gan", "--dataset", "idx", *SCHEDULE, *OFTEN],
        evaluate=[],
        places=["--data", "own"],
        logs="logs",
        output=str(Path(f"{name}.txt").absolute()),
        folder=str(Path.cwd()),
        environment={},
        deadline=time.time() + 600,
    )
    return made._replace(**changes)


def wait_for(question):
    deadline = time.monotonic() + 200
    while not question():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def children_of(parent):
    """The processes that were begun by this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found


class Tasks(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 600, 200)

    @unittest.skipUnless(LONG, "GAN3_LONG is not set: takes a minute")
    def test_killed_it_goes_on_and_with_its_worker_it_dies(self):
        whole = task("whole")
        status, _, err = call("train", "--run", "whole", *whole.train, *whole.places)
        self.assertEqual(status, 0, err)
        worker = "import sys, tests.sweeps.test_executors as t; print(t.engines.do(t.task('cut')))"

        def begin():
            return subprocess.Popen(
                [sys.executable, "-c", worker],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )

        with self.subTest("the worker is killed, and what it began with it"):
            process = begin()
            wait_for(lambda: step_of("cut") >= 5)
            (training,) = children_of(process.pid)
            process.kill()
            process.communicate()
            wait_for(lambda: not Path(f"/proc/{training}").exists())
            self.assertLess(step_of("cut"), 40)
        with self.subTest("what it began is killed, and begun again"):
            process = begin()
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

    def test_what_went_wrong_is_its_last_line(self):
        self.assertRegex(
            executors.do(task("lost", train=["--experiment", "nothing"])),
            r"\Aexit status 2: gan3: .*'nothing'.*\Z",
        )
        self.assertIn("time is over", executors.do(task("late", deadline=time.time() - 1)))
        self.assertFalse(Path("logs/late").exists())

    @unittest.skipIf(RAY, "Ray is installed")
    def test_without_ray_a_line_says_how_to_get_it(self):
        with self.assertRaisesRegex(UserError, "--engine ray: Ray is not installed; pip install"):
            executors.run_on_ray([task("one")], print, 1, 1, None)


@unittest.skipUnless(RAY and LONG, "needs Ray, and minutes: with GAN3_LONG=1")
class Ray(FolderTest):
    def sweep(self, name, *more):
        """The sweep in folders of its own; its cards by run."""
        text = SPEC
        for experiment in ("mlp_gan", "layernorm_gan"):
            for i, settings in enumerate(("beta1 = 0.5", "beta1 = 0.9")):
                text += VARIANTS.format(
                    name=f"{experiment} {i}", experiment=experiment, settings=settings
                )
        Path("spec.toml").write_text(text)
        if not Path("own").exists():
            write_idx_set(Path("own"), 600, 200)
        places = ("--logs", f"{name}/logs", "--figures", f"{name}/figures", "--data", "own")
        status, out, err = call("sweep", "spec.toml", *places, *more)
        self.assertEqual(status, 0, out + err)
        return self.cards(name)

    def cards(self, name):
        paths = sorted(Path(name, "logs").glob("*/report.json"))
        return {path.parent.name: json.loads(path.read_text())["samples"] for path in paths}

    def test_the_same_figures_whoever_does_it(self):
        expected = self.sweep("alone")
        self.assertEqual(len(expected), 8)
        self.assertEqual(len({json.dumps(card) for card in expected.values()}), 8)
        for name, more in (
            ("two", ("--jobs", "2")),
            ("ray", ("--engine", "ray")),
            ("ray two", ("--engine", "ray", "--jobs", "2")),
        ):
            with self.subTest(name):
                self.assertEqual(self.sweep(name, *more), expected)
        with self.subTest("a worker is killed in the middle"):
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


def kill_a_worker(name):
    """SIGKILL to the worker of Ray whose process is in the middle of its training."""
    logs = f"{name}/logs"

    def in_the_middle():
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

    wait_for(in_the_middle)
    os.kill(in_the_middle(), signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
