"""Sweeps: real runs of a specification, and the ranking of its points."""

import json
from pathlib import Path

from gan3.core.errors import UserError
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
        Path("spec.toml").write_text(SPEC)
        places = ("--data", "own")
        status, out, err = call("sweep", "spec.toml", "--jobs", "2", *places)
        self.assertEqual(status, 0, err + out)
        self.assertIn("2 runs, 0 are done", out)
        table = Path("figures/try/table.md").read_text().splitlines()
        self.assertEqual(len(table), 2 + 2 + 1)  # head, rule, two variants, real digits
        for row, (variant, run) in zip(
            table[2:], (("mlp_gan", "mlp_gan"), ("no momentum", "no_momentum")), strict=False
        ):
            card = json.loads(Path(f"logs/try-{run}-0/report.json").read_text())
            self.assertTrue(row.startswith(f"| {variant} |"))
            self.assertIn(f" {card['samples']['recall']['value']:.3f}", row)
            self.assertEqual(lines_of(f"try-{run}-0")[-1]["step"], 4)
        for picture in ("tradeoff.png", "sheet.png"):
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


class Scored(FolderTest):
    def write(self, trial, *scores, **changes):
        """The record of a finished run and its card, which has a value of each metric."""
        folder = Path("logs", trial.run)
        folder.mkdir(parents=True, exist_ok=True)
        record = {"started": "2026", "config": trial.config.to_dict(), "outcome": "done"}
        (folder / "run.json").write_text(json.dumps(record))
        samples = {metric: {"value": value} for metric, value in dict(scores).items()}
        texts = {"experiment": "x", "data_digest": "x", "data_title": "X"}
        texts["split"] = trial.config.split
        card = {"samples": samples, "real": samples, "judge": {"digest": "x"}} | texts
        card |= {"count": 100, "held_out": 100} | changes
        (folder / "report.json").write_text(json.dumps(card))

    def read(self, text, values=None, metric="recall"):
        """The sweep, after writing a card for every run whose (beta1, rate, seed) has a value."""
        Path("spec.toml").write_text(text)
        specified = spec.read(Path("spec.toml"))
        for trial in specified.trials if values else ():
            config = trial.config
            key = (config.beta1.generator, config.learning_rate.generator, config.seed)
            if key in values:
                self.write(trial, (metric, values[key]))
        return specified

    def test_a_run_without_cas_is_not_done_if_cas_is_asked_for(self):
        """Unless nothing can be requested of its system, so that it has no labels."""
        specified = self.read(SPEC)
        trial = specified.trials[0]
        for scores, done in (
            (("recall",), True),
            (("recall", "label_accuracy"), False),
            (("recall", "label_accuracy", "cas"), True),
        ):
            self.write(trial, *((metric, 0.5) for metric in scores))
            (scored,) = sweep.read_scored(specified)
            self.assertTrue(scored.is_done(False))
            self.assertEqual(scored.is_done(True), done, scores)
        Path("logs", trial.run, "report.json").unlink()
        self.assertEqual(sweep.read_scored(specified), [])

    def test_the_config_of_an_own_experiment_may_be_of_its_own_class(self):
        """Its file is executed anew each time, so the class is another one."""
        Path("experiments").mkdir()
        text = """
from dataclasses import dataclass
from gan3.experiments import mlp_gan

@dataclass(frozen=True, kw_only=True)
class Mine(type(mlp_gan.CONFIG)):
    extra: float = 0.5

CONFIG = Mine(**vars(mlp_gan.CONFIG) | {"experiment": "mine"})
build, generator = mlp_gan.build, mlp_gan.generator
"""
        Path("experiments/mine.py").write_text(text)
        specified = self.read('name = "s"\ntitle = "S"\nseeds = [0]\nexperiment = "mine"\n')
        self.write(specified.trials[0], ("recall", 0.5))
        (scored,) = sweep.read_scored(specified)
        self.assertEqual(scored.run.config.extra, 0.5)

    def test_runs_and_cards_of_other_settings_are_refused(self):
        specified = self.read(POINTS.format(metric="recall"))
        first, second = specified.trials[:2]
        for trial, changes, message in (
            (first, {"split": "test"}, "card is of the test split.*validation.*; evaluate it on"),
            (second._replace(run=first.run), {}, "other settings than"),
        ):
            self.write(trial, ("recall", 0.5), **changes)
            with self.assertRaisesRegex(UserError, rf"\Arun {first.run}: .*{message}"):
                sweep.read_scored(specified)

    def test_points_are_ranked_by_their_mean_over_seeds_the_best_first(self):
        values = {(0.5, 1e-3, 0): 7.0, (0.5, 1e-3, 1): 9.0, (0.7, 2e-3, 0): 6.0, (0.9, 1e-3, 1): 9}
        specified = self.read(POINTS.format(metric="recall"), values, "frechet_distance")
        trials = sweep.read_scored(specified)
        ranking = sweep.rank(trials, "frechet_distance")
        self.assertEqual([values for _, values in ranking], [[6], [7, 9], [9]])
        self.assertEqual(ranking[1][0], "beta1=0.5, learning_rate.generator=0.001")
        self.assertEqual(sweep.rank(trials, "coverage"), [])  # no card has it

    def test_the_metric_decides_which_values_are_better(self):
        values = {(0.5, 1e-3, 0): 0.7, (0.7, 1e-3, 0): 1.1, (0.9, 1e-3, 0): 1.4}
        for metric, expected in (
            ("coverage", [1.4, 1.1, 0.7]),
            ("frechet_distance", [0.7, 1.1, 1.4]),
            ("within_class_diversity", [1.1, 0.7, 1.4]),  # near 1
        ):
            specified = self.read(POINTS.format(metric=metric), values, metric)
            ranking = sweep.rank(sweep.read_scored(specified), metric)
            self.assertEqual([value for _, (value,) in ranking], expected, metric)
