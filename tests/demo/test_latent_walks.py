"""Latent walks: the digits on each sheet are compared with digits drawn directly."""

import unittest

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.options import WALK_MODES
from gan3.core.seeds import LATENT, seed_of
from gan3.core.values import to_pixels
from gan3.demo import latent_walks
from gan3.models.generator import Generator
from gan3.runs import registry
from gan3.runs.registry import build, config_of
from tests.support import drawing, small_system

LONG_NAMES = tuple(f"a class with a long name {number}" for number in range(10))


def generator_of(name):
    """The untrained generator of an experiment."""
    return drawing(build(config_of(name), DIGITS, "float32"), name)


class Paths(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(0)
        self.first, self.second = random.normal(size=(2, 7))
        self.fractions = np.linspace(0, 1, 5)

    def test_both_paths_go_from_the_first_point_to_the_second(self):
        for path in (latent_walks.lerp, latent_walks.slerp):
            points = path(self.first, self.second, self.fractions)
            np.testing.assert_allclose(points[[0, -1]], [self.first, self.second], atol=1e-12)

    def test_slerp_turns_evenly_and_changes_the_length_linearly(self):
        points = latent_walks.slerp(self.first, self.second, self.fractions)
        lengths = np.linalg.norm(points, axis=1)
        np.testing.assert_allclose(np.diff(lengths, 2), 0, atol=1e-12)
        units = points / lengths[:, None]
        turns = np.arccos((units[1:] * units[:-1]).sum(axis=1))
        np.testing.assert_allclose(turns, turns[0], rtol=1e-9)

    def test_slerp_is_linear_between_parallel_vectors(self):
        for second in (2 * self.first, -self.first, 0 * self.first):
            np.testing.assert_allclose(
                latent_walks.slerp(self.first, second, self.fractions),
                latent_walks.lerp(self.first, second, self.fractions),
            )


class Walks(unittest.TestCase):
    def setUp(self):
        self.system = drawing(small_system())

    def noise(self, digit, number):
        return self.system.noise_of(np.array([digit]), seed_of(4, LATENT, number))[0]

    def draw(self, digit, *noises):
        labels = np.array([digit] * len(noises))
        return to_pixels(self.system.images(labels, np.stack(noises)))

    def assert_same_pixels(self, images, expected):
        self.assertEqual(images.shape, expected.shape)
        self.assertLessEqual(np.abs(images.astype(int) - expected).max(), 1)  # grey level

    def test_truncation_scales_the_noise_and_is_in_the_title(self):
        full = latent_walks.make_walk(self.system, [3], "arithmetic", seed=4)
        none = latent_walks.make_walk(self.system.change(truncation=0.0), [3], "arithmetic", seed=4)
        self.assertEqual(full.title, "latent arithmetic")
        self.assertEqual(none.title, "latent arithmetic, truncation 0")
        self.assertEqual(len(np.unique(none.images, axis=0)), 1)
        half = latent_walks.make_walk(self.system.change(truncation=0.5), [3], "arithmetic", seed=4)
        mean = full.images[4].astype(int)  # (seed 1 + seed 2) / 2 is half of their sum
        self.assertLessEqual(np.abs(half.images[3].astype(int) - mean).max(), 1)

    def test_arithmetic(self):
        walk = latent_walks.make_walk(self.system, [3, 8], "arithmetic", seed=4)
        self.assertEqual(walk.row_labels, ["3", "3", "3", "8", "8", "8"])
        self.assertEqual(walk.images.shape, (6 * 5, 28, 28))
        first, second = self.noise(8, 2), self.noise(8, 3)  # the second pair of the second digit
        row = walk.images.reshape(6, 5, 28, 28)[4]
        mean = (first + second) / 2
        self.assert_same_pixels(
            row, self.draw(8, first, second, first - second, first + second, mean)
        )

    def test_interpolation_between_seeds_and_between_digits(self):
        walk = latent_walks.make_walk(self.system, [3, 8], "interpolate", seed=4)
        self.assertEqual(walk.row_labels[-1], "3 to 8")
        rows = walk.images.reshape(5, 11, 28, 28)
        ends = self.noise(3, 0), self.noise(3, 1)
        for row in rows[:2]:
            self.assert_same_pixels(row[[0, -1]], self.draw(3, *ends))
        self.assert_same_pixels(rows[0][[5]], self.draw(3, (ends[0] + ends[1]) / 2))
        self.assert_same_pixels(rows[4][[0]], self.draw(3, ends[0]))
        self.assert_same_pixels(rows[4][[-1]], self.draw(8, ends[0]))
        self.assertEqual(walk.frames.shape, (41, 5, 28, 28))
        np.testing.assert_array_equal(walk.frames[::4].transpose(1, 0, 2, 3), rows)

    def test_a_sweep_changes_one_entry_and_no_other(self):
        walk = latent_walks.make_walk(self.system, [5], "sweep", seed=4)
        self.assertEqual(len(walk.row_labels), 10)
        base = self.noise(5, 0)
        for entry in (0, 9):
            swept = np.tile(base, (3, 1))
            swept[:, entry] = (-1, 0, 1)
            row = walk.images.reshape(10, 11, 28, 28)[entry]
            self.assert_same_pixels(row[[0, 5, 10]], self.draw(5, *swept))

    def test_truncation_scales_the_swept_entry_and_its_labels(self):
        def walk(truncation):
            self.system.change(truncation=truncation)
            return latent_walks.make_walk(self.system, [5], "sweep", 4)

        self.assertEqual(walk(1.0).column_labels[::5], ["-1.0", "0.0", "1.0"])
        half = walk(0.5)
        self.assertEqual(half.column_labels[:3], ["-0.50", "-0.40", "-0.30"])
        swept = np.tile(np.float32(0.5) * self.noise(5, 0), (2, 1))
        swept[:, 3] = (-0.5, 0.5)
        row = half.images.reshape(10, 11, 28, 28)[3]
        self.assert_same_pixels(row[[0, 10]], self.draw(5, *swept))
        none = walk(0.0)
        self.assertEqual(set(none.column_labels), {"0.00"})
        self.assertEqual(len(np.unique(none.images, axis=0)), 1)

    def test_a_title_is_short_whatever_the_classes(self):
        for names, called in ((tuple("0123456789"), "digits"), (LONG_NAMES, "classes")):
            system = drawing(small_system(class_names=names)).change(truncation=0.125)
            walk = latent_walks.make_walk(system, list(range(10)), "sweep", 4)
            self.assertEqual(walk.title, f"single noise entries of 10 {called}, truncation 0.125")
            self.assertLessEqual(len(f"{walk.title}: figures/latent_sweep.png"), 80)
        self.assertEqual(
            latent_walks.make_walk(system.change(), [3], "sweep").title,
            "single noise entries of a class with a …",
        )

    def test_a_start_stands_for_the_first_noise_vector_of_the_seed(self):
        start = np.linspace(-0.9, 0.9, 10).astype(np.float32)
        expected = self.draw(5, start)[0].astype(int)
        second = self.draw(5, self.noise(5, 1))[0].astype(int)
        firsts = {"arithmetic": [0, 5, 10], "interpolate": [0, 11], "sweep": []}
        for mode, where in firsts.items():
            walk = latent_walks.make_walk(self.system, [5], mode, seed=4, start=start)
            images = walk.images.astype(int)
            for i in where:
                self.assertLessEqual(np.abs(images[i] - expected).max(), 1, mode)
            if mode != "sweep":  # everything else is the seed's
                place = {"arithmetic": 1, "interpolate": 10}[mode]
                self.assertLessEqual(np.abs(images[place] - second).max(), 1, mode)
        swept = np.tile(start, (2, 1))
        swept[:, 3] = (-1, 1)
        row = images.reshape(10, 11, 28, 28)[3]
        self.assert_same_pixels(row[[0, 10]].astype(np.uint8), self.draw(5, *swept))
        arithmetic = latent_walks.make_walk(self.system, [5], "arithmetic", 4, start=start)
        self.assertEqual(arithmetic.column_labels[0], "picture")

    def test_every_mode_works_for_a_system_that_is_not_class_conditional(self):
        system = generator_of("layernorm_gan")
        for mode in WALK_MODES:
            walk = latent_walks.make_walk(system, None, mode)
            rows, columns = len(walk.row_labels), len(walk.column_labels)
            self.assertEqual(walk.images.shape, (rows * columns, 28, 28), mode)
            if mode in ("arithmetic", "interpolate"):
                self.assertTrue(all(label.startswith("any") for label in walk.row_labels))

    def test_none_and_more_than_ten_classes_are_refused(self):
        for digits in ([], [3] * 11):
            with self.assertRaisesRegex(UserError, rf"labels: {len(digits)} digits; a sheet shows"):
                latent_walks.make_walk(self.system, digits, "interpolate")

    def test_a_sheet_of_several_digits_has_the_sheet_of_each(self):
        both = latent_walks.make_walk(self.system, [5, 2], "sweep", seed=4)
        each = [latent_walks.make_walk(self.system, [digit], "sweep", seed=4) for digit in (5, 2)]
        self.assert_same_pixels(both.images, np.concatenate([walk.images for walk in each]))
        rows = [f"{digit}: entry {entry}" for digit in (5, 2) for entry in range(10)]
        self.assertEqual(both.row_labels, rows)

    def test_with_fixed_noise_only_a_sweep_is_possible(self):
        fixed = drawing(small_system(noise_draw="once"))
        for mode in ("arithmetic", "interpolate"):
            with self.assertRaisesRegex(UserError, "this system has one per digit"):
                latent_walks.make_walk(fixed, [3, 8], mode)
        sweep = latent_walks.make_walk(fixed, [8], "sweep").images.reshape(10, 11, 28, 28)
        values = np.linspace(-1, 1, 41)[::4]
        base = fixed.noise_of(np.array([8]), (0, 0))
        swept = np.where(np.arange(10) == 2, np.float32(values[7]), base)
        image = to_pixels(fixed.images(np.array([8]), swept.astype(np.float32)))
        self.assert_same_pixels(sweep[2, [7]], image)


class Blend(unittest.TestCase):
    """What `blend` draws for soft labels, for every system."""

    LABELS = np.array([3, 7, 3])
    MIX = np.float32([0.25, 0.75])  # shares of digits 3 and 7

    @classmethod
    def setUpClass(cls):
        cls.generators = {name: generator_of(name) for name in registry.names()}

    def noise(self, generator):
        return generator.noise_of(self.LABELS, (1, 2))

    def test_labels_have_no_effect_unless_the_system_is_class_conditional(self):
        for name, generator in self.generators.items():
            with self.subTest(name):
                noise = self.noise(generator)
                threes, eights = (generator.images(np.full(3, d), noise) for d in (3, 8))
                halves = generator.blend(np.full((3, 10), 0.5), noise)
                for images in (eights, halves):
                    changed = not np.array_equal(threes, images)
                    self.assertEqual(changed, generator.class_conditional)

    def test_a_mixture_of_digits_is_a_digit_with_the_mixture_of_their_weights(self):
        """Digits enter linearly, through the first weights of the generator: a tenth for each.

        So digit 0 is given the mixture of the weights of 3 and 7, and then drawn by its label.
        """
        soft_labels = np.zeros((3, 10), np.float32)
        soft_labels[:, [3, 7]] = self.MIX
        for name, generator in self.generators.items():
            if generator.class_conditional:
                with self.subTest(name):
                    self.check_mixture(name, generator, soft_labels)

    def check_mixture(self, name, generator, soft_labels):
        noise = self.noise(generator)
        mixed = generator.blend(soft_labels, noise)
        threes = generator.images(np.full(3, 3), noise)
        first = next(iter(generator.arrays))
        original = generator.arrays[first]
        weights = original.reshape(10, -1).copy()  # a row for each digit
        weights[0] = self.MIX @ weights[[3, 7]]
        spec = registry.generator_of(config_of(name), DIGITS)
        changed = Generator(spec, generator.arrays | {first: weights.reshape(original.shape)})
        zeros = changed.images(np.zeros(3, np.int64), noise)
        effect = np.abs(mixed - threes).max()  # can be small: the weights are untrained
        self.assertGreater(effect, 1e-5)
        self.assertLess(np.abs(mixed - zeros).max(), effect / 50)
