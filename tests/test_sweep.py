"""Sweeps: what a specification may say, and real runs by it."""

import csv
import json
import unittest
from pathlib import Path

from gan3 import sweep
from gan3.errors import UserError
from tests.support import ROOT, FolderTest, call, lines_of, write_idx_set

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


class Specification(FolderTest):
    def read(self, text):
        Path("spec.toml").write_text(text)
        return sweep.read(Path("spec.toml"))

    def test_variants_times_seeds_with_the_settings_of_both(self):
        found = self.read(SPEC.replace("seeds = [0]", "seeds = [3, 7]"))
        self.assertEqual((found.name, found.title), ("try", "Two and two"))
        self.assertEqual(
            [trial.run for trial in found.trials],
            ["try-best-3", "try-best-7", "try-no_average-3", "try-no_average-7"],
        )
        for trial, seed in zip(found.trials, (3, 7, 3, 7), strict=True):
            self.assertEqual((trial.config.seed, trial.config.batches), (seed, 2))
            self.assertEqual(trial.config.average_decay == 0, trial.variant == "no average")

    def test_what_does_not_fit_is_said_in_a_line(self):
        for old, new, message in (
            ('name = "try"', "name = 3", "name: needs a text"),
            ('name = "try"', 'name = "../x"', "run name"),
            ("seeds = [0]", "seeds = []", "seeds: a list of whole numbers"),
            ("seeds = [0]", "seeds = [true]", "seeds: a list of whole numbers"),
            ("seeds = [0]", "seeds = [1, 1]", "a seed twice"),
            ("episodes = 2", "episode = 2", "'episode': unknown"),
            ("episodes = 2", "seed = 2", "seeds has the seeds"),
            ("average_decay = 0", "average_decay = 2", "does not fit"),
            ('experiment = "best"', 'experiment = "west"', "'west': unknown"),
            ('experiment = "best"', "", "experiment: needs a text"),
            ('title = "Two and two"', 'titel = "x"', "'titel': unknown in the file"),
            ("[settings]", "[settings", "not TOML"),
            ("seeds = [0]", 'seeds = [0]\ncas = "yes"', "cas: true or false"),
            ('name = "no average"', 'name = "x"\nminutes = "3"', "minutes: a number"),
            ('name = "no average"', 'name = "x"\nfull = 3', "full: keys and values"),
            ('name = "no average"', 'name = "x"\nseeds = 3', "seeds: a list"),
            ('"no average"', '"best"', "two variants of one name"),
        ):
            with self.subTest(new), self.assertRaisesRegex(UserError, message):
                self.read(SPEC.replace(old, new, 1))
        with self.assertRaisesRegex(UserError, "variants: at least one"):
            self.read(SPEC.partition("[[variants]]")[0])
        with self.assertRaisesRegex(UserError, "no such file"):
            sweep.read(Path("none.toml"))

    def test_a_variant_may_have_seeds_and_a_longer_budget_of_its_own(self):
        text = (
            SPEC + "seeds = [4, 5]\nminutes = 3\n[variants.full]\nepisodes = 6\nbatch_size = 20\n"
        )
        usual = self.read(text)
        self.assertEqual([trial.config.seed for trial in usual.trials], [0, 4, 5])
        self.assertEqual([trial.minutes for trial in usual.trials], [0, 3, 3])
        full = sweep.read(Path("spec.toml"), full=True)
        self.assertEqual(full.name, "try-full")
        self.assertEqual(
            [trial.run for trial in full.trials], ["try-no_average-full-4", "try-no_average-full-5"]
        )
        for trial in full.trials:
            self.assertEqual((trial.config.episodes, trial.config.batch_size), (6, 20))
            self.assertEqual(trial.minutes, 3 * (6 / 2) * (20 / 10))  # by the images
        with self.assertRaisesRegex(UserError, "no variant has a longer budget"):
            Path("spec.toml").write_text(SPEC)
            sweep.read(Path("spec.toml"), full=True)

    def test_those_that_come_along_can_be_read(self):
        found = sorted((ROOT / "experiments" / "sweeps").glob("*.toml"))
        self.assertTrue(found)
        for path in found:
            self.assertTrue(sweep.read(path).trials, path.name)


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
