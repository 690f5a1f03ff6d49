"""What a sweep's specification may say: variants, grids, random points, and what is refused."""

import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.sweeps import spec
from tests.support import ROOT, FolderTest
from tests.sweeps.test_sweep import SPEC


class Specification(FolderTest):
    def read(self, text):
        Path("spec.toml").write_text(text)
        return spec.read(Path("spec.toml"))

    def test_variants_times_seeds_with_the_settings_of_both(self):
        found = self.read(SPEC.replace("seeds = [0]", "seeds = [3, 7]"))
        self.assertEqual((found.name, found.title), ("try", "Two and two"))
        self.assertEqual(
            [trial.run for trial in found.trials],
            ["try-mlp_gan-3", "try-mlp_gan-7", "try-no_momentum-3", "try-no_momentum-7"],
        )
        for trial, seed in zip(found.trials, (3, 7, 3, 7), strict=True):
            self.assertEqual((trial.config.seed, trial.config.batches), (seed, 2))
            self.assertEqual(trial.config.beta1.generator == 0, trial.variant == "no momentum")

    def test_what_does_not_fit_is_said_in_a_line(self):
        for old, new, message in (
            ('name = "try"', "name = 3", "name: needs a text"),
            ('name = "try"', 'name = "../x"', "run name"),
            ("seeds = [0]", "seeds = []", "seeds: a list of whole numbers"),
            ("seeds = [0]", "seeds = [true]", "seeds: a list of whole numbers"),
            ("seeds = [0]", "seeds = [1, 1]", "a seed twice"),
            ("episodes = 2", "episode = 2", "'episode': unknown"),
            ("episodes = 2", "seed = 2", "seeds has the seeds"),
            ("beta1 = 0", "beta1 = 2", "does not fit"),
            ('experiment = "mlp_gan"', 'experiment = "west"', "'west': unknown"),
            ('experiment = "mlp_gan"', "", "experiment: needs a text"),
            ('title = "Two and two"', 'titel = "x"', "'titel': unknown in the file"),
            ("[settings]", "[settings", "not TOML"),
            ("seeds = [0]", 'seeds = [0]\ncas = "yes"', "cas: true or false"),
            ('name = "no momentum"', 'name = "x"\nminutes = "3"', "minutes: a number"),
            ('name = "no momentum"', 'name = "x"\nfull = 3', "full: keys and values"),
            ('name = "no momentum"', 'name = "x"\nseeds = 3', "seeds: a list"),
            ('"no momentum"', '"mlp_gan"', "two variants of one name"),
        ):
            with self.subTest(new), self.assertRaisesRegex(UserError, message):
                self.read(SPEC.replace(old, new, 1))
        with self.assertRaisesRegex(UserError, "variants: at least one"):
            self.read(SPEC.partition("[[variants]]")[0])
        with self.assertRaisesRegex(UserError, "no such file"):
            spec.read(Path("none.toml"))

    def test_a_variant_may_have_seeds_and_a_longer_budget_of_its_own(self):
        text = (
            SPEC + "seeds = [4, 5]\nminutes = 3\n[variants.full]\nepisodes = 6\nbatch_size = 20\n"
        )
        usual = self.read(text)
        self.assertEqual([trial.config.seed for trial in usual.trials], [0, 4, 5])
        self.assertEqual([trial.minutes for trial in usual.trials], [0, 3, 3])
        full = spec.read(Path("spec.toml"), full=True)
        self.assertEqual(full.name, "try-full")
        self.assertEqual(
            [trial.run for trial in full.trials],
            ["try-no_momentum-full-4", "try-no_momentum-full-5"],
        )
        for trial in full.trials:
            self.assertEqual((trial.config.episodes, trial.config.batch_size), (6, 20))
            self.assertEqual(trial.minutes, 3 * (6 / 2) * (20 / 10))  # by the images
        with self.assertRaisesRegex(UserError, "no variant has a longer budget"):
            Path("spec.toml").write_text(SPEC)
            spec.read(Path("spec.toml"), full=True)

    def test_those_that_come_along_can_be_read(self):
        found = sorted((ROOT / "experiments" / "sweeps").glob("*.toml"))
        self.assertTrue(found)
        for path in found:
            self.assertTrue(spec.read(path).trials, path.name)


POINTS = """
name = "try"
title = "Points"
experiment = "mlp_gan"
seeds = [0, 1]
[settings]
split = "validation"
"""


class Points(FolderTest):
    def read(self, text):
        Path("spec.toml").write_text(text)
        return spec.read(Path("spec.toml"))

    def draws(self, fields, trials=400, seed=0):
        """The values of every field at every point, by field."""
        head = f"[random]\ntrials = {trials}\nseed = {seed}\n[random.fields]\n"
        found = self.read(POINTS.replace("seeds = [0, 1]", "seeds = [0]") + head + fields)
        points = [trial.point for trial in found.trials]
        return {key: [point[key] for point in points] for key in points[0]}

    def test_a_grid_is_all_with_all_times_the_seeds(self):
        grid = '[grid]\nbeta1 = [0.5, 0.9]\n"learning_rate.generator" = [1e-3, 2e-3, 3e-3]\n'
        found = self.read(POINTS + grid)
        self.assertEqual(found.swept, ("beta1", "learning_rate.generator"))
        self.assertEqual(found.metric, "frechet_distance")
        seen = [
            (t.config.beta1.discriminator, t.config.learning_rate.generator, t.config.seed)
            for t in found.trials
        ]
        self.assertEqual(
            seen, [(b, r, s) for b in (0.5, 0.9) for r in (1e-3, 2e-3, 3e-3) for s in (0, 1)]
        )
        for trial in found.trials:  # the other networks' rates are the experiment's
            self.assertEqual(trial.config.learning_rate.discriminator, 2e-3)
        self.assertEqual(found.trials[0].variant, "beta1=0.5, learning_rate.generator=0.001")
        self.assertEqual(found.trials[0].run, "try-beta1_0.5_learning_rate.generator_0.001-0")

    def test_a_grid_for_each_of_several_variants_and_draws_at_each_of_its_points(self):
        variants = "".join(
            f'[[variants]]\nname = "{name}"\nexperiment = "{name}"\n'
            for name in ("mlp_gan", "layernorm_gan")
        )
        text = POINTS.replace('experiment = "mlp_gan"\n', "") + variants
        text += "[grid]\nbeta1 = [0.5, 0.9]\n[random]\ntrials = 3\n[random.fields]\n"
        found = self.read(text + "batch_size = { low = 10, high = 99 }\n")
        self.assertEqual(len(found.trials), 2 * 2 * 3 * 2)
        self.assertEqual(len({trial.variant for trial in found.trials}), 2 * 2 * 3)
        sizes = {trial.config.batch_size for trial in found.trials}
        self.assertEqual(len(sizes), 3)  # the draws are those of the point's number alone

    def test_draws_follow_their_laws(self):
        found = self.draws(
            'beta1 = { low = 0.2, high = 0.6 }\n"learning_rate.generator" ='
            " { low = 1e-4, high = 1e-2, log = true }\nbatch_size = { low = 3, high = 6 }\n"
            '"keep_prob.generator" = [0.5, 0.9]\n'
        )
        even, rates = np.array(found["beta1"]), np.array(found["learning_rate.generator"])
        self.assertTrue(((even >= 0.2) & (even <= 0.6)).all())
        self.assertTrue(((rates >= 1e-4) & (rates <= 1e-2)).all())
        # A share p of n draws has a standard deviation of sqrt(p (1 - p) / n); four of them.
        slack = 4 * np.sqrt(0.25 / len(even))
        self.assertLess(abs((even < 0.4).mean() - 0.5), slack)
        self.assertLess(abs((rates < 1e-3).mean() - 0.5), slack)  # half of the decades
        self.assertLess(abs((np.array(found["keep_prob.generator"]) == 0.5).mean() - 0.5), slack)
        sizes = found["batch_size"]
        self.assertEqual(set(sizes), {3, 4, 5, 6})
        self.assertTrue(all(type(size) is int for size in sizes))
        self.assertLess(abs((np.array(sizes) < 5).mean() - 0.5), slack)
        for value in even:  # names and tables say all of it
            self.assertEqual(float(f"{value:.3g}"), value)

    def test_a_draw_depends_on_seed_number_and_field_alone(self):
        law = "beta1 = { low = 0.1, high = 0.9 }\n"
        alone = self.draws(law, trials=5)["beta1"]
        self.assertEqual(alone, self.draws(law, trials=9)["beta1"][:5])
        beside = self.draws("batch_size = { low = 1, high = 9 }\n" + law, trials=5)
        self.assertEqual(alone, beside["beta1"])
        self.assertNotEqual(alone, self.draws(law, trials=5, seed=1)["beta1"])
        few = self.draws("batch_size = [1, 2]\n", trials=50)["batch_size"]
        self.assertEqual(sorted(few), [1, 2])  # what is drawn twice counts once

    def test_a_long_name_is_cut_and_stays_its_own(self):
        lists = "".join(f'"{key}" = [0.11, 0.12]\n' for key in ("beta1", "keep_prob.generator"))
        lists += '"keep_prob.discriminator" = [0.111111, 0.111112]\n'
        found = self.read(POINTS + "[grid]\n" + lists)
        self.assertEqual(len({trial.run for trial in found.trials}), 16)
        self.assertLess(max(len(trial.run) for trial in found.trials), 80)

    def test_what_does_not_fit_is_said_in_a_line(self):
        grid, random = "[grid]\nbeta1 = [0.5]\n", "[random]\ntrials = 2\n[random.fields]\n"
        for text, message in (
            ("[grid]\n", "grid: a table of fields"),
            ("[grid]\nbeta1 = 0.5\n", "grid: beta1: a list of the values"),
            ("[grid]\nbeta = [0.5]\n", "'beta'|beta: unknown|beta"),
            ("[grid]\nseed = [1]\n", "seeds has the seeds"),
            ("[random]\ntrials = 2\n", "random: trials, how many points"),
            ("[random]\ntrials = 0\n[random.fields]\nbeta1 = [1]\n", "at least 1"),
            (random + "beta1 = { low = 1 }\n", "beta1: a list of choices, or low and high"),
            (random + "beta1 = { low = 0.9, high = 0.5 }\n", "low and high"),
            (random + "beta1 = { low = 0.0, high = 0.5, log = true }\n", "low and high"),
            (random + 'beta1 = { low = "a", high = "b" }\n', "low and high"),
            (random + "beta1 = { low = 0.1, high = 7.0 }\n", "does not fit"),
            (grid + random + "beta1 = [0.9]\n", "in grid or in random, not in both"),
            (grid.replace("[grid]", '[[variants]]\nname = "x"\n[grid]'), "not both"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, message):
                self.read(POINTS + text)
        for old, new, message in (
            ('"validation"', '"test"', "never on the test set"),
            ("seeds = [0, 1]", 'seeds = [0]\nmetric = "beauty"', "metric: one of"),
            ("seeds = [0, 1]", "seeds = [0]\nthreads = 0", "threads: a whole number, at least 1"),
            ("seeds = [0, 1]", "seeds = [0]\nbudget_minutes = nan", "budget_minutes: a number"),
        ):
            with self.subTest(new), self.assertRaisesRegex(UserError, message):
                self.read(POINTS.replace(old, new) + grid)


if __name__ == "__main__":
    unittest.main()
