"""Walks in the noise: what stands where on a sheet, by drawing it again."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.data.batches import to_pixels
from gan3.demo import latent_walks
from gan3.runs.registry import builder_of, config_of
from gan3.runs.seeds import LATENT, seed_of
from tests.support import small_system


class Paths(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(0)
        self.first, self.second = random.normal(size=(2, 7))
        self.share = np.linspace(0, 1, 5)

    def test_both_begin_at_the_first_and_end_at_the_second(self):
        for path in (latent_walks.lerp, latent_walks.slerp):
            points = path(self.first, self.second, self.share)
            np.testing.assert_allclose(points[[0, -1]], [self.first, self.second], atol=1e-12)

    def test_an_arc_turns_evenly_and_its_length_goes_in_a_line(self):
        points = latent_walks.slerp(self.first, self.second, self.share)
        lengths = np.linalg.norm(points, axis=1)
        np.testing.assert_allclose(np.diff(lengths, 2), 0, atol=1e-12)
        units = points / lengths[:, None]
        turns = np.arccos((units[1:] * units[:-1]).sum(axis=1))
        np.testing.assert_allclose(turns, turns[0], rtol=1e-9)

    def test_where_there_is_no_angle_the_arc_is_straight(self):
        for second in (2 * self.first, -self.first, 0 * self.first):
            np.testing.assert_allclose(
                latent_walks.slerp(self.first, second, self.share),
                latent_walks.lerp(self.first, second, self.share),
            )


class Walks(unittest.TestCase):
    def setUp(self):
        self.system = small_system()

    def noise(self, digit, number):
        seed = tf.constant(seed_of(4, LATENT, number))
        return self.system.noise(tf.constant([digit]), seed).numpy()[0]

    def draw(self, digit, *noises):
        labels = tf.constant([digit] * len(noises))
        return to_pixels(self.system.generate(labels, tf.constant(np.stack(noises))).numpy())

    def check(self, found, expected):
        self.assertLessEqual(np.abs(found.astype(int) - expected).max(), 1)  # a step of 256

    def test_arithmetic(self):
        walk = latent_walks.make_walk(self.system, [3, 8], "arithmetic", seed=4)
        self.assertEqual(walk.beside, ["3", "3", "3", "8", "8", "8"])
        self.assertEqual(walk.images.shape, (6 * 5, 28, 28))
        one, two = self.noise(8, 2), self.noise(8, 3)  # the second pair of the second digit
        row = walk.images.reshape(6, 5, 28, 28)[4]
        self.check(row, self.draw(8, one, two, one - two, one + two, (one + two) / 2))

    def test_between_seeds_and_between_digits(self):
        walk = latent_walks.make_walk(self.system, [3, 8], "interpolate", seed=4)
        self.assertEqual(walk.beside[-1], "3 to 8")
        rows = walk.images.reshape(5, 11, 28, 28)
        ends = self.noise(3, 0), self.noise(3, 1)
        for row in rows[:2]:
            self.check(row[[0, -1]], self.draw(3, *ends))
        self.check(rows[0][5], self.draw(3, (ends[0] + ends[1]) / 2)[0])
        self.check(rows[4][[0]], self.draw(3, ends[0]))
        self.check(rows[4][[-1]], self.draw(8, ends[0]))
        self.assertEqual(walk.frames.shape, (41, 5, 28, 28))
        np.testing.assert_array_equal(walk.frames[::4].transpose(1, 0, 2, 3), rows)

    def test_the_grids_corners_are_four_seeds(self):
        walk = latent_walks.make_walk(self.system, [5], "grid", seed=4)
        sheet = walk.images.reshape(9, 9, 28, 28)
        corners = np.stack([sheet[0, 0], sheet[0, -1], sheet[-1, 0], sheet[-1, -1]])
        noises = [self.noise(5, number) for number in range(4)]
        self.check(corners, self.draw(5, *noises))
        self.check(sheet[4, 4], self.draw(5, np.mean(noises, axis=0))[0])

    def test_a_sweep_moves_one_entry_and_leaves_the_others(self):
        walk = latent_walks.make_walk(self.system, [5], "sweep", seed=4)
        self.assertEqual(len(walk.beside), 10)
        base = self.noise(5, 0)
        for entry in (0, 9):
            moved = np.tile(base, (3, 1))
            moved[:, entry] = (-1, 0, 1)
            row = walk.images.reshape(10, 11, 28, 28)[entry]
            self.check(row[[0, 5, 10]], self.draw(5, *moved))

    def test_any_system_can_be_walked_and_one_that_cannot_be_asked_has_no_digits(self):
        system = builder_of("layernorm_gan")(config_of("layernorm_gan"), "float32")
        for mode in latent_walks.MODES:
            walk = latent_walks.make_walk(system, None, mode)
            rows, columns = len(walk.beside), len(walk.over)
            self.assertEqual(walk.images.shape, (rows * columns, 28, 28), mode)
            if mode in ("arithmetic", "interpolate"):
                self.assertTrue(all(name.startswith("any") for name in walk.beside))

    def test_what_does_not_fit_is_refused(self):
        for digits, mode, message in (
            ([10], "grid", "--digits 10: from one to ten"),
            ([], "grid", "--digits : from one to ten"),
            ([-1, 2], "sweep", "--digits -1 2: "),
            ([3] * 11, "interpolate", "from one to ten"),
            ([3], "walk", "--mode walk: one of"),
        ):
            with self.assertRaisesRegex(UserError, message):
                latent_walks.make_walk(self.system, digits, mode)
        unasked = builder_of("mlp_gan")(config_of("mlp_gan"), "float32")
        with self.assertRaisesRegex(UserError, "--digits 3: this system cannot be asked"):
            latent_walks.make_walk(unasked, [3], "sweep")

    def test_a_grid_and_a_sweep_of_several_digits_are_those_of_each(self):
        for mode in ("grid", "sweep"):
            both = latent_walks.make_walk(self.system, [5, 2], mode, seed=4)
            each = [latent_walks.make_walk(self.system, [digit], mode, seed=4) for digit in (5, 2)]
            images = np.concatenate([walk.images for walk in each])
            self.check(both.images, images.astype(int))
            self.assertEqual(len(both.beside), 2 * len(each[0].beside))
            self.assertTrue(both.beside[0].startswith("5: ") and both.beside[-1].startswith("2: "))

    def test_between_one_noise_there_is_nothing_to_walk(self):
        once = small_system(noise_draw="once")
        self.assertTrue(latent_walks.has_fixed_noise(once))
        for draw in ("example", "batch"):
            self.assertFalse(latent_walks.has_fixed_noise(small_system(noise_draw=draw)))
        for mode in ("arithmetic", "interpolate", "grid"):
            with self.assertRaisesRegex(UserError, "one noise a digit"):
                latent_walks.make_walk(once, [3, 8], mode)
        sweep = latent_walks.make_walk(once, [8], "sweep").images.reshape(10, 11, 28, 28)
        values = np.linspace(-1, 1, 41)[::4]
        base = once.noise(tf.constant([8]), tf.constant([0, 0])).numpy()
        moved = np.where(np.arange(10) == 2, np.float32(values[7]), base)
        image = to_pixels(once.generate(tf.constant([8]), tf.constant(moved)).numpy())[0]
        self.check(sweep[2, 7], image.astype(int))


class Blend(unittest.TestCase):
    def test_one_hot_shares_draw_what_is_asked_for(self):
        labels = tf.constant([3, 7])
        for name in ("three_network", "best", "auxiliary_gan"):
            system = builder_of(name)(config_of(name), "float32")
            noise = system.noise(labels, tf.constant([1, 2]))
            np.testing.assert_array_equal(
                system.blend(tf.one_hot(labels, 10), noise), system.generate(labels, noise), name
            )


if __name__ == "__main__":
    unittest.main()
