"""The specification of a sweep: variants, grids, random points, and what is refused."""

import re
import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.runs.registry import bundled_folder, config_of, names
from gan3.sweeps import spec
from tests.support import FolderTest
from tests.sweeps.test_sweep import SPEC


class Reading(FolderTest):
    def read(self, text, full=False):
        Path("spec.toml").write_text(text)
        return spec.read(Path("spec.toml"), full)


class Variants(Reading):
    def test_there_is_a_run_per_variant_and_seed_with_both_settings(self):
        sweep = self.read(SPEC.replace("seeds = [0]", "seeds = [3, 7]"))
        self.assertEqual((sweep.name, sweep.title, sweep.metric), ("try", "Two and two", None))
        self.assertEqual(
            [trial.run for trial in sweep.trials],
            ["try-mlp_gan-3", "try-mlp_gan-7", "try-no_momentum-3", "try-no_momentum-7"],
        )
        for trial, seed in zip(sweep.trials, (3, 7, 3, 7), strict=True):
            self.assertEqual((trial.config.seed, trial.config.batches), (seed, 2))
            self.assertEqual(trial.config.beta1.generator == 0, trial.variant == "no momentum")

    def test_what_does_not_fit_is_refused_with_one_line(self):
        other = 'name = "no momentum"'
        for old, new, message in (
            ('name = "try"', "name = 3", "name: needs a text"),
            ('name = "try"', 'name = "../x"', "run name"),
            ("seeds = [0]", "seeds = []", "seeds: needs a list of whole numbers"),
            ("seeds = [0]", "seeds = [1, 1]", "run try-mlp_gan-1: is there twice"),
            ("episodes = 2", "episode = 2", "'episode': unknown"),
            ("episodes = 2", "seed = 2", "list the seeds in seeds"),
            ("beta1 = 0", "beta1 = 2", "does not fit"),
            ("beta1 = 0", 'dataset = "strokes"', "dataset: own and strokes; one sweep has one"),
            ('experiment = "mlp_gan"', 'experiment = "west"', "'west': unknown"),
            ('title = "Two and two"', 'titel = "x"', "'titel': unknown in the file"),
            ("[settings]", "[settings", "not TOML"),
            ("episodes = 2", f"episodes = {'1' * 5000}", "not TOML .*correct the file"),
            ("seeds = [0]", f"seeds = [0]\nbudget_minutes = {'1' * 400}", "below 1e.12"),
            ("seeds = [0]", 'seeds = [0]\nmetric = "recall"', "metric: ranks the points of a grid"),
            ("seeds = [0]", 'seeds = [0]\ncas = "yes"', "cas: must be true or false"),
            (other, 'name = "x"\nfull = 3', "full: needs a table of config fields"),
            (other, 'name = "mlp gan"', "run try-mlp_gan-0: is there twice; give each variant a"),
            (other, 'name = "no\\nmomentum"', "name: needs a text of one line"),
            (
                "beta1 = 0",
                'beta1 = 0, "beta1.generator" = 0',
                "has beta1 and beta1.generator; leave",
            ),
        ):
            with self.subTest(new), self.assertRaisesRegex(UserError, rf"\Aspec.toml: .*{message}"):
                self.read(SPEC.replace(old, new, 1))
        for text, message in (
            (SPEC.partition("[[variants]]")[0], "needs an experiment for all runs, or variants"),
            (f'experiment = "best"\n{SPEC}', "not both"),
            (SPEC.partition("[settings]")[0] + "variants = []", "needs at least one"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, message):
                self.read(text)
        with self.assertRaisesRegex(UserError, "no such file; the bundled ones are ablations"):
            spec.read(Path("none.toml"))

    def test_names_in_any_alphabet_have_runs_of_their_own(self):
        text = SPEC.replace('"mlp_gan"\nexperiment', '"größe"\nexperiment', 1)
        sweep = self.read(text.replace('"no momentum"', '"grüße"'))
        self.assertEqual(len({trial.run for trial in sweep.trials}), 2)
        self.assertEqual([trial.variant for trial in sweep.trials], ["größe", "grüße"])

    def test_settings_of_a_variant_replace_those_of_all_runs(self):
        """Also those of single networks, whatever the order in which they are written."""
        both = '"beta1.generator" = 0.7\nepisodes = 2'
        usual, changed = self.read(SPEC.replace("episodes = 2", both)).trials
        self.assertEqual(tuple(usual.config.beta1), (0.7, 0.9))
        self.assertEqual(tuple(changed.config.beta1), (0, 0))

    def test_a_variant_can_have_its_own_seeds_and_a_longer_schedule(self):
        text = SPEC + "seeds = [4, 5]\n[variants.full]\nepisodes = 6\nbatch_size = 20\n"
        self.assertEqual([trial.config.seed for trial in self.read(text).trials], [0, 4, 5])
        full = self.read(text, full=True)
        self.assertEqual(full.name, "try-full")
        self.assertEqual(
            [trial.run for trial in full.trials],
            ["try-no_momentum-full-4", "try-no_momentum-full-5"],
        )
        for trial in full.trials:
            self.assertEqual((trial.config.episodes, trial.config.batch_size), (6, 20))
        with self.assertRaisesRegex(UserError, "no variant has a longer schedule"):
            self.read(SPEC, full=True)


POINTS = """
name = "try"
title = "Points"
experiment = "mlp_gan"
seeds = [0, 1]
[settings]
split = "validation"
"""


class Points(Reading):
    def draws(self, fields, trials=400, seed=0):
        """The values of every field at every point, by field."""
        head = f"[random]\ntrials = {trials}\nseed = {seed}\n[random.fields]\n"
        sweep = self.read(POINTS.replace("seeds = [0, 1]", "seeds = [0]") + head + fields)
        points = [dict(re.findall(r"(\S+)=([^,]+)", trial.variant)) for trial in sweep.trials]
        return {key: [float(point[key]) for point in points] for key in points[0]}

    def test_a_grid_has_every_combination_for_every_seed(self):
        grid = '[grid]\nbeta1 = [0.5, 0.9]\n"learning_rate.generator" = [1e-3, 2e-3, 3e-3]\n'
        sweep = self.read(POINTS + grid)
        self.assertEqual(sweep.metric, "frechet_distance")
        seen = [
            (t.config.beta1.discriminator, t.config.learning_rate.generator, t.config.seed)
            for t in sweep.trials
        ]
        self.assertEqual(
            seen, [(b, r, s) for b in (0.5, 0.9) for r in (1e-3, 2e-3, 3e-3) for s in (0, 1)]
        )
        for trial in sweep.trials:  # the other networks keep the rates of the experiment
            self.assertEqual(trial.config.learning_rate.discriminator, 2e-3)
        self.assertEqual(sweep.trials[0].variant, "beta1=0.5, learning_rate.generator=0.001")
        self.assertEqual(sweep.trials[0].run, "try-beta1_0.5_learning_rate.generator_0.001-0")

    def test_points_replace_the_settings_of_all_runs(self):
        settings = POINTS.replace("[settings]", '[settings]\n"beta1.generator" = 0.1')
        grid = self.read(settings + "[grid]\nbeta1 = [0.5, 0.9]\n")
        seen = [tuple(trial.config.beta1) for trial in grid.trials]
        self.assertEqual(seen, [(0.5, 0.5), (0.5, 0.5), (0.9, 0.9), (0.9, 0.9)])
        overlap = '[grid]\nbeta1 = [0.5, 0.9]\n"beta1.generator" = [0.1, 0.2]\n'
        with self.assertRaisesRegex(UserError, "a point has beta1 and beta1.generator; leave one"):
            self.read(POINTS + overlap)

    def test_every_variant_has_every_random_point_at_every_point_of_the_grid(self):
        variants = "".join(
            f'[[variants]]\nname = "{name}"\nexperiment = "{name}"\n'
            for name in ("mlp_gan", "layernorm_gan")
        )
        text = POINTS.replace('experiment = "mlp_gan"\n', "") + variants
        text += "[grid]\nbeta1 = [0.5, 0.9]\n[random]\ntrials = 3\n[random.fields]\n"
        sweep = self.read(text + "batch_size = { low = 10, high = 99 }\n")
        self.assertEqual(len(sweep.trials), 2 * 2 * 3 * 2)
        self.assertEqual(len({trial.variant for trial in sweep.trials}), 2 * 2 * 3)
        sizes = {trial.config.batch_size for trial in sweep.trials}
        self.assertEqual(len(sizes), 3)  # the same three draws for every variant and grid point

    def test_draws_have_their_distributions(self):
        draws = self.draws(
            'beta1 = { low = 0.2, high = 0.6 }\n"learning_rate.generator" ='
            " { low = 1e-4, high = 1e-2, log = true }\nbatch_size = { low = 3, high = 6 }\n"
            '"keep_prob.generator" = [0.5, 0.9]\n'
        )
        uniform, rates = np.array(draws["beta1"]), np.array(draws["learning_rate.generator"])
        self.assertTrue(((uniform >= 0.2) & (uniform <= 0.6)).all())
        self.assertTrue(((rates >= 1e-4) & (rates <= 1e-2)).all())
        # Four standard deviations of a fraction of n draws, sqrt(p (1 - p) / n).
        tolerance = 4 * np.sqrt(0.25 / len(uniform))
        self.assertLess(abs((uniform < 0.4).mean() - 0.5), tolerance)
        self.assertLess(abs((rates < 1e-3).mean() - 0.5), tolerance)  # one of two decades
        self.assertLess(
            abs((np.array(draws["keep_prob.generator"]) == 0.5).mean() - 0.5), tolerance
        )
        sizes = draws["batch_size"]
        self.assertEqual(set(sizes), {3, 4, 5, 6})
        self.assertLess(abs((np.array(sizes) < 5).mean() - 0.5), tolerance)
        for value in uniform:  # so that names and tables show them in full
            self.assertEqual(float(f"{value:.3g}"), value)

    def test_a_draw_only_depends_on_seed_number_and_field(self):
        beta1 = "beta1 = { low = 0.1, high = 0.9 }\n"
        alone = self.draws(beta1, trials=5)["beta1"]
        self.assertEqual(alone, self.draws(beta1, trials=9)["beta1"][:5])
        with_another = self.draws("batch_size = { low = 1, high = 9 }\n" + beta1, trials=5)
        self.assertEqual(alone, with_another["beta1"])
        self.assertNotEqual(alone, self.draws(beta1, trials=5, seed=1)["beta1"])
        few = self.draws("batch_size = [1, 2]\n", trials=50)["batch_size"]
        self.assertEqual(sorted(few), [1, 2])  # a point that is drawn twice counts once

    def test_long_names_are_shortened_and_stay_different(self):
        lists = "".join(f'"{key}" = [0.11, 0.12]\n' for key in ("beta1", "keep_prob.generator"))
        lists += '"keep_prob.discriminator" = [0.111111, 0.111112]\n'
        sweep = self.read(POINTS + "[grid]\n" + lists)
        self.assertEqual(len({trial.run for trial in sweep.trials}), 16)
        self.assertLess(max(len(trial.run) for trial in sweep.trials), 80)

    def test_what_does_not_fit_is_refused_with_one_line(self):
        grid, random = "[grid]\nbeta1 = [0.5]\n", "[random]\ntrials = 2\n[random.fields]\n"
        for text, message in (
            ("[grid]\n", "grid: needs a table of config fields"),
            ("[grid]\nbeta1 = 0.5\n", "grid: beta1: needs a list of values"),
            ("[grid]\nbeta = [0.5]\n", "config key 'beta': unknown; the nearest are"),
            ("[grid]\nseed = [1]\n", "list the seeds in seeds"),
            ("[random]\ntrials = 2\n", "random: needs trials, the number of points"),
            (random.replace("2", "0") + "beta1 = [1]\n", "at least 1"),
            (random + "beta1 = { low = 1 }\n", "beta1: needs a list of choices, or numbers low"),
            (random + "beta1 = { low = 0.9, high = 0.5 }\n", "low and high"),
            (random + "beta1 = { low = 0.0, high = 0.5, log = true }\n", "low and high"),
            (random + 'beta1 = { low = "a", high = "b" }\n', "low and high"),
            (random + "beta1 = { low = 0.1, high = 7.0 }\n", "does not fit"),
            (grid + random + "beta1 = [0.9]\n", "in grid or in random, not in both"),
            (grid + "[random]\ntrials = 2\nfields = 5\n", "fields: needs a table"),
            (grid + random.replace("2", "10001") + "batch_size = [9]\n", "at most 10000"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, message):
                self.read(POINTS + text)
        for old, new, message in (
            ('"validation"', '"test"', "never on the test set"),
            ("seeds = [0, 1]", 'seeds = [0]\nmetric = "beauty"', "metric: must be one of"),
            ("seeds = [0, 1]", "seeds = [0]\nthreads = 0", "threads: must be a whole number, at"),
            ("seeds = [0, 1]", "seeds = [0]\nbudget_minutes = nan", "budget_minutes: must be a n"),
        ):
            with self.subTest(new), self.assertRaisesRegex(UserError, message):
                self.read(POINTS.replace(old, new) + grid)


OF_THE_SWEEP = {("split",), ("precision",)}


class Bundled(unittest.TestCase):
    """The specifications in experiments/sweeps/."""

    def test_each_can_be_read(self):
        for path in (bundled_folder() / "sweeps").glob("*.toml"):
            self.assertTrue(spec.read(Path(path.stem)).trials, path)

    def configs_of(self, name):
        """The config of the first seed of each variant, by variant, in order."""
        trials = spec.read(bundled_folder() / "sweeps" / f"{name}.toml").trials
        return {trial.variant: trial.config for trial in trials if trial.config.seed == 0}

    def changes(self, config, other):
        """The values in which two configs differ: (field, network), or (field,) of all networks."""
        mine, others = config.to_dict(), other.to_dict()
        changed = set()
        for key in set(config.differences(other)) - {"experiment"}:
            if isinstance(mine[key], dict):
                roles = [role for role in mine[key] if mine[key][role] != others[key][role]]
                changed |= {(key, role) for role in roles}
            else:
                changed.add((key,))
        return changed

    def test_each_departure_from_the_script_is_put_back_once(self):
        configs = self.configs_of("departures")
        script, three = config_of("published_code"), configs.pop("three_network")
        eleven, base = configs.pop("eleven"), configs["six together"]
        alone, together, further = [], list(configs).index("six together"), []
        for number, (name, config) in enumerate(configs.items()):
            with self.subTest(name):
                if number != together:
                    (change,) = self.changes(config, eleven if number < together else base)
                    (alone if number < together else further).append(change)
                self.assertFalse(self.changes(config, eleven) & self.changes(config, script))
        needed = {("keep_prob", "generator")}  # which breaks the promise alone
        self.assertEqual(set(alone) - needed, self.changes(base, eleven))
        self.assertEqual(set(alone + further), self.changes(eleven, script) - OF_THE_SWEEP)
        self.assertEqual(self.changes(three, base), {("skip_first",)})
        self.assertEqual(self.changes(three, config_of("three_network")), OF_THE_SWEEP)

    def test_every_system_is_reproduced(self):
        configs = self.configs_of("reproduce")
        self.assertEqual(set(configs), set(names()) - {"best_long"})
        for name, config in configs.items():
            images = config.total_steps * config.batch_size
            self.assertTrue(200_000 <= images < 201_000, name)

    def test_the_longer_budgets_are_the_published_ones(self):
        """docs/fidelity.md."""
        trials = spec.read(bundled_folder() / "sweeps" / "reproduce.toml", full=True).trials
        configs = {trial.variant: trial.config for trial in trials}
        batches_per_epoch = -(-60_000 // 64)
        for name, steps in (
            ("published_code", 10 * 2_000),
            ("layernorm_gan", 8 * 60_000),
            ("mlp_gan", 100 * batches_per_epoch),
            ("conditional_dcgan", 26 * batches_per_epoch),
            ("gan_auto_write", 50_000),
        ):
            self.assertEqual(configs[name].total_steps, steps, name)
