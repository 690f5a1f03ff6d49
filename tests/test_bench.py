"""The benchmark measures what it says: peers that train the three networks, and whole tables."""

import json
import os
import subprocess
import sys
import unittest

from tests.bench.__main__ import PEERS, markdown, ratios
from tests.bench.task import shapes
from tests.support import LONG, ROOT, FolderTest, small_system


class Peers(unittest.TestCase):
    def test_the_task_has_the_variables_of_the_method(self):
        for role, network in small_system().networks._asdict().items():
            self.assertEqual([tuple(w.shape) for w in network.weights], shapes(role), role)

    @unittest.skipUnless(LONG, "GAN3_LONG is not set: make bench proves it, too")
    def test_peers_train_all_three_networks(self):
        """A worker proves it before its first answer, and ends with status 1 where it is not so."""
        for module in sorted({peer.module for peer in PEERS}):
            with self.subTest(module):
                done = subprocess.run(
                    [sys.executable, "-m", "tests.bench.worker", module, "float32", "8", "2"],
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
    def test_ratios_are_taken_within_a_round(self):
        records = [{"name": "slow", "ms": [200.0, 400.0, 90.0]}, {"name": "x", "ms": [100.0] * 3}]
        ratios(records, "slow")
        self.assertEqual(records[1]["times"], [2.0, 0.9, 4.0])
        self.assertEqual(records[0]["times"], [1.0, 1.0, 1.0])

    def test_what_is_measured_is_saved(self):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench", "--only", "outside", "--out", "found"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        found = json.loads((self.folder / "found" / "bench.json").read_text())
        text = (self.folder / "found" / "bench.md").read_text()
        self.assertEqual(text.strip(), "\n".join(markdown(found)).strip())
        self.assertIn(found["outside"][0][1], text)


if __name__ == "__main__":
    unittest.main()
