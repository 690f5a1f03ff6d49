"""Sweeps: real runs of a specification, and the ranking of its points."""

import csv
import io
import json
import shutil
import unittest
from pathlib import Path

from gan3.core.errors import UserError
from gan3.runs.run import Run
from gan3.sweeps import spec, sweep
from tests.support import FolderTest, call, keep_judge, lines_of, slow, write_idx_set

SPEC = """
name = "try"
title = "Two and two"
seeds = [0]
[settings]
dataset = "own"
episodes = 2
batches = 2
batch_size = 10
split = "test"
[[variants]]
name = "mlp_gan"
experiment = "mlp_gan"
[[variants]]
name = "no momentum"
experiment = "mlp_gan"
settings = { beta1 = 0 }
"""


class Runs(FolderTest):
    @slow("trains five runs")
    def test_runs_are_trained_scored_compared_and_not_repeated(self):
        write_idx_set(self.folder / "own", 600, 200)
        keep_judge()
        Path("spec.toml").write_text(SPEC + "minutes = 150\n")
        places = ("--data", "own")
        status, out, err = call("sweep", "spec.toml", "--jobs", "2", *places)
        self.assertEqual(status, 0, err + out)
        self.assertIn("2 runs, 0 are done", out)
        self.assertIn("about 2.5 hours on two cores; the longest is try-no_momentum-0", out)
        with open("figures/try/table.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(
            [(row["variant"], row["seed"]) for row in rows],
            [("mlp_gan", "0"), ("no momentum", "0")],
        )
        for row in rows:
            card = json.loads(Path(f"logs/{row['run']}/report.json").read_text())
            self.assertEqual(float(row["recall"]), card["samples"]["recall"]["value"])
            self.assertEqual(lines_of(row["run"])[-1]["step"], 4)
        table = Path("figures/try/table.md").read_text()
        self.assertEqual(table.count("\n"), 2 + 2 + 1)  # head, rule, two variants, real digits
        for picture in ("tradeoff.png", "training_progress.png", "sheet.png"):
            self.assertGreater(Path(f"figures/try/{picture}").stat().st_size, 10_000)

        path = Path("logs/try-mlp_gan-0/report.json")
        card = path.read_text()
        path.write_text(json.dumps(json.loads(card) | {"step": 2}))
        status, out, err = call("sweep", "spec.toml", "--tables", *places)
        self.assertEqual(status, 0, err + out)
        self.assertIn("| mlp_gan, step 2 of 4 |", Path("figures/try/table.md").read_text())
        path.write_text(card)

        for name in ("mlp_gan-0", "no_momentum-0"):  # so they are scored but not trained
            Path(f"logs/try-{name}/report.json").unlink()
        Path("logs/try-mlp_gan-0/episodes/episode_02.npz").write_bytes(b"")
        trained = Path("logs/try-no_momentum-0/metrics.jsonl")
        before = trained.stat().st_mtime_ns
        status, out, err = call("sweep", "spec.toml", *places)
        self.assertEqual(status, 1, err + out)
        self.assertIn("2 runs, 0 are done", out)
        self.assertRegex(err, "try-mlp_gan-0: exit status 2: gan3: .*episode_02.npz: damaged")
        self.assertEqual(trained.stat().st_mtime_ns, before)
        self.assertEqual(Path("figures/try/table.md").read_text().count("\n"), 2 + 1 + 1)

        Path("spec.toml").write_text(SPEC.replace("beta1 = 0", "beta1 = 0.5"))
        status, out, err = call("sweep", "spec.toml", *places)
        self.assertEqual(status, 2)
        self.assertIn("was trained with other settings", err)


POINTS = """
name = "points"
title = "Points"
experiment = "mlp_gan"
seeds = [0, 1]
metric = "{metric}"
[settings]
split = "validation"
[grid]
beta1 = [0.5, 0.7, 0.9]
"learning_rate.generator" = [1e-3, 2e-3]
"""


class Done(FolderTest):
    def test_a_run_without_cas_is_not_done_if_cas_is_asked_for(self):
        """Unless nothing can be requested of its system, so that it has no labels."""
        Path("spec.toml").write_text(SPEC)
        (trial, _) = spec.read(Path("spec.toml")).trials
        run = Run(trial.run)
        run.folder.mkdir(parents=True)
        record = {"started": "2026", "config": trial.config.to_dict(), "outcome": "done"}
        run.record_file.write_text(json.dumps(record))
        self.assertFalse(sweep._is_scored(run, trial, False))
        for scores, done in (
            (("recall",), True),
            (("recall", "label_accuracy"), False),
            (("recall", "label_accuracy", "cas"), True),
        ):
            samples = {metric: {"value": 0.5} for metric in scores}
            texts = {"experiment": "mlp_gan", "data_digest": "0", "split": "test"}
            card = {"samples": samples, "real": samples, "judge": None} | texts
            card |= {"count": 100, "held_out": 100}
            (run.folder / "report.json").write_text(json.dumps(card))
            self.assertTrue(sweep._is_scored(run, trial, False))
            self.assertEqual(sweep._is_scored(run, trial, True), done, scores)


class Ranking(FolderTest):
    def read(self, metric, values):
        """The sweep, after writing a card for every run whose (beta1, rate, seed) has a value."""
        Path("spec.toml").write_text(POINTS.format(metric=metric))
        specified = spec.read(Path("spec.toml"))
        for trial in specified.trials:
            config = trial.config
            key = (config.beta1.generator, config.learning_rate.generator, config.seed)
            if key in values:
                logs = Path("logs", trial.run)
                logs.mkdir(parents=True)
                record = {"started": "2026", "config": config.to_dict(), "outcome": "done"}
                (logs / "run.json").write_text(json.dumps(record))
                card = {"experiment": "x", "data_digest": "x", "split": "validation"}
                card |= {"judge": {"digest": "x"}, "real": {metric: {"value": 1.0}}}
                card |= {"count": 100, "held_out": 100}
                card["samples"] = {metric: {"value": values[key]}}
                (logs / "report.json").write_text(json.dumps(card))
        return specified

    def test_points_are_ranked_by_their_mean_over_seeds_the_best_first(self):
        values = {(0.5, 1e-3, 0): 7.0, (0.5, 1e-3, 1): 9.0, (0.7, 2e-3, 0): 6.0, (0.9, 1e-3, 1): 9}
        trials = sweep.read_scored(self.read("frechet_distance", values))
        ranking = sweep.rank(trials, "frechet_distance")
        self.assertEqual([point.mean for point in ranking], [6, 8, 9])
        self.assertEqual([len(point.values) for point in ranking], [1, 2, 1])
        self.assertEqual(ranking[1].point, {"beta1": 0.5, "learning_rate.generator": 1e-3})

    def test_runs_and_cards_of_other_settings_are_refused(self):
        specified = self.read("recall", {(0.5, 1e-3, 0): 0.5})
        run = specified.trials[0].run
        self.assertEqual(len(sweep.read_scored(specified)), 1)
        for name, change, message in (
            (
                "report.json",
                {"split": "test"},
                "card is of the test split.*validation split; evaluate it on that",
            ),
            ("run.json", {"config": specified.trials[1].config.to_dict()}, "other settings than"),
        ):
            path = Path("logs", run, name)
            before = path.read_text()
            path.write_text(json.dumps(json.loads(before) | change))
            with self.assertRaisesRegex(UserError, rf"\Arun {run}: .*{message}"):
                sweep.read_scored(specified)
            path.write_text(before)

    def test_a_field_and_a_metric_of_one_name_have_columns_of_their_own(self):
        """`precision` is "float32" and a metric."""
        specified = self.read("precision", {(0.5, 1e-3, 0): 0.25})
        (scored,) = sweep.read_scored(specified)
        trial = scored.trial._replace(point={"precision": "float32"})
        (row,) = csv.DictReader(io.StringIO(sweep._csv([scored._replace(trial=trial)])))
        self.assertEqual((row["settings.precision"], row["precision"]), ("float32", "0.25"))

    def test_cards_without_a_judge_have_no_rank(self):
        specified = self.read("distinct_fraction", {(0.5, 1e-3, 0): 1.0, (0.9, 1e-3, 1): 0.5})
        for path in Path("logs").glob("*/report.json"):
            path.write_text(json.dumps(json.loads(path.read_text()) | {"judge": None}))
        trials = sweep.read_scored(specified)
        self.assertEqual(len(trials), 2)
        self.assertEqual(sweep.rank(trials, "frechet_distance"), [])
        self.assertEqual(len(sweep.rank(trials, "distinct_fraction")), 2)

    def test_the_metric_decides_which_values_are_better(self):
        values = {(0.5, 1e-3, 0): 0.7, (0.7, 1e-3, 0): 1.1, (0.9, 1e-3, 0): 1.4}
        for metric, expected in (
            ("coverage", [1.4, 1.1, 0.7]),
            ("frechet_distance", [0.7, 1.1, 1.4]),
            ("within_class_diversity", [1.1, 0.7, 1.4]),  # near 1
        ):
            with self.subTest(metric):
                ranking = sweep.rank(sweep.read_scored(self.read(metric, values)), metric)
                self.assertEqual([point.mean for point in ranking], expected)
                shutil.rmtree("logs")


if __name__ == "__main__":
    unittest.main()
