"""Sweeps: real runs by a specification, and the ranking of its points."""

import csv
import json
import unittest
from pathlib import Path

from tests.support import FolderTest, call, lines_of, write_idx_set

SPEC = """
name = "try"
title = "Two and two"
seeds = [0]
[settings]
dataset = "idx"
episodes = 2
batches = 2
batch_size = 10
split = "test"
widths = "10,2 3 4,2 3 4"
[[variants]]
name = "best"
experiment = "best"
[[variants]]
name = "no average"
experiment = "best"
settings = { average_decay = 0 }
"""


class Runs(FolderTest):
    def test_trained_scored_tabled_and_not_done_again(self):
        write_idx_set(self.folder / "own", 600, 200)
        Path("spec.toml").write_text(SPEC + "minutes = 150\n")
        folders = ("--data", "own")
        status, out, err = call("sweep", "spec.toml", "--jobs", "2", *folders)
        self.assertEqual(status, 0, err + out)
        self.assertIn("2 runs, 0 are done", out)
        self.assertIn("about 2.5 hours on two cores; the longest is try-no_average-0", out)
        with open("figures/try/table.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(
            [(row["variant"], row["seed"]) for row in rows],
            [("best", "0"), ("no average", "0")],
        )
        for row in rows:
            card = json.loads(Path(f"logs/{row['run']}/report.json").read_text())
            self.assertEqual(float(row["recall"]), card["samples"]["recall"]["value"])
            self.assertEqual(lines_of(row["run"])[-1]["step"], 4)
        table = Path("figures/try/table.md").read_text()
        self.assertEqual(table.count("\n"), 2 + 2 + 1)  # head and rule, variants, real digits
        for picture in ("spread.png", "courses.png", "sheet.png"):
            self.assertGreater(Path(f"figures/try/{picture}").stat().st_size, 10_000)

        for run in ("best-0", "no_average-0"):  # trained, not scored: only that is done
            Path(f"logs/try-{run}/report.json").unlink()
        Path("logs/try-best-0/episodes/episode_02.npz").write_bytes(b"")
        trained = Path("logs/try-no_average-0/metrics.jsonl")
        before = trained.stat().st_mtime_ns
        status, out, err = call("sweep", "spec.toml", *folders)
        self.assertEqual(status, 1, err + out)
        self.assertIn("2 runs, 0 are done", out)
        self.assertRegex(err, "try-best-0: exit status 2: gan3: .*episode_02.npz: damaged")
        self.assertEqual(trained.stat().st_mtime_ns, before)
        self.assertEqual(Path("figures/try/table.md").read_text().count("\n"), 2 + 1 + 1)

        Path("spec.toml").write_text(SPEC.replace("average_decay = 0", "average_decay = 0.5"))
        status, out, err = call("sweep", "spec.toml", *folders)
        self.assertEqual(status, 2)
        self.assertIn("was trained with other settings", err)


if __name__ == "__main__":
    unittest.main()
