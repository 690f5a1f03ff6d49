"""The benchmark: every implementation trains the three networks, and the tables are complete."""

import json
import os
import subprocess
import sys
import unittest

from bench.__main__ import IMPLEMENTATIONS, add_speedups, markdown
from bench.task import shapes_of
from gan3.core.classes import DIGITS
from gan3.runs.registry import build, config_of
from tests.support import ROOT, FolderTest, slow


class Implementations(unittest.TestCase):
    def test_the_task_has_the_variables_of_three_network(self):
        system = build(config_of("three_network"), DIGITS, "float32")
        for role, network in system.networks._asdict().items():
            self.assertEqual([tuple(w.shape) for w in network.weights], shapes_of(role), role)

    @slow("three processes train")
    def test_each_trains_all_three_networks(self):
        """A worker checks that before its first reply and otherwise ends with status 1."""
        for module in sorted({entry.module for entry in IMPLEMENTATIONS}):
            with self.subTest(module):
                done = subprocess.run(
                    [sys.executable, "-m", "bench.worker", module, "float32", "8", "2"],
                    cwd=ROOT,
                    input="1\n",
                    capture_output=True,
                    text=True,
                    check=False,
                )
                self.assertEqual(done.returncode, 0, done.stderr[-500:])
                first, turn = (json.loads(line) for line in done.stdout.splitlines())
                self.assertGreater(first["first_s"], 0)
                self.assertGreater(turn["ms"], 0)
                self.assertGreater(turn["peak_mib"], 100)


class Tables(FolderTest):
    def test_speedups_are_ratios_within_a_round(self):
        records = [{"name": "slow", "ms": [200.0, 400.0, 90.0]}, {"name": "x", "ms": [100.0] * 3}]
        add_speedups(records, "slow")
        self.assertEqual(records[1]["speedup"], [2.0, 0.9, 4.0])
        self.assertEqual(records[0]["speedup"], [1.0, 1.0, 1.0])

    def test_every_part_has_its_table(self):
        record = {"name": "gan3", "ms": [100.0, 300.0, 200.0], "median_ms": 200.0}
        record |= {"images_per_s": 500.0, "peak_mib": 999.6, "first_s": 2.34}
        results = {"machine": "a machine", "processor": "avx2", "software": "Python 3"}
        results |= {"step": [record | {"speedup": [1.5, 1.25, 2.0]}], "not_installed": ["jax"]}
        results |= {"growth": [record], "start": [["import", "4.00 s"]]}
        results |= {"profile": {"rows": [["Adam", "1.0", "", "", "7", "7.0", "50%"]], "note": "N"}}
        lines = markdown(results)
        for line in (
            "a machine, avx2; Python 3",
            "| gan3 | 200 | 100–300 | 500 | 1000 | 1.50 (1.25–2.00) | 2.3 |",
            "Not installed, so not measured: jax.",
            "| gan3 | 200 | 500 | 1000 |",
            "| Adam | 1.0 |  |  | 7 | 7.0 | 50% |",
            "N",
            "| import | 4.00 s |",
        ):
            self.assertIn(line, lines)

    @slow("two processes import TensorFlow")
    def test_results_are_saved(self):
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--only", "outside", "--out", "results"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        results = json.loads((self.folder / "results" / "bench.json").read_text())
        text = (self.folder / "results" / "bench.md").read_text()
        self.assertEqual(text.strip(), "\n".join(markdown(results)).strip())
        self.assertIn(results["outside"][0][1], text)
