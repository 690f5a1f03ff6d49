"""The figures of a run; tests/training/test_loop.py draws them for whole runs."""

import unittest

import numpy as np

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import make_folder, read_npz, write_npz
from gan3.plots import grids
from gan3.runs.registry import build, config_of
from gan3.runs.run import Run
from gan3.training import run_figures
from tests.library.test_generator import write_run
from tests.support import FolderTest, drawing, images_on, small_system

CONFIG = config_of("three_network")


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


class Frames(unittest.TestCase):
    def test_all_up_to_50_then_50_evenly_spaced_from_first_to_last(self):
        for count in (1, 2, 49, 50):
            numbers = list(range(3, 3 + count))
            self.assertEqual(run_figures.frames_of(numbers), numbers)
        for count in (51, 99, 100, 1000):
            frames = run_figures.frames_of(list(range(1, count + 1)))
            self.assertEqual((len(frames), frames[0], frames[-1]), (50, 1, count))
            gaps = np.diff(frames)
            self.assertGreaterEqual(gaps.min(), 1)
            self.assertLessEqual(gaps.max() - gaps.min(), 1)


class Styles(FolderTest):
    def figure(self, experiment):
        """The figure of an untrained run whose only real images are a 2 and a 7; these images."""
        write_run("a", experiment)
        run = Run.open("a")
        real = np.zeros((100, 28, 28), np.uint8)
        real[2, 5:20, 9:12] = real[7, 8:11, 5:20] = 200
        write_npz(run.real_file, {"images": real})
        figure = run_figures.styles_figure(run, run.generator())
        return figure, real[[2, 7]]

    def test_a_row_for_each_real_image_with_all_digits_in_its_style(self):
        figure, real = self.figure("best")
        shown = np.stack([pixels[::3, ::3, 0] for _, pixels in images_on(figure)])
        shown = shown.reshape(2, 11, 28, 28)
        np.testing.assert_array_equal(shown[:, 0], real)
        generator = gan3.load("a")
        noise = generator.encode(real).noise.repeat(10, axis=0)
        expected = generator.draw(list(range(10)) * 2, noise).reshape(2, 10, 28, 28)
        self.assertLessEqual(np.abs(shown[:, 1:].astype(int) - expected).max(), 1)
        self.assertFalse(np.array_equal(expected[0], expected[1]))

    def test_none_if_every_real_image_is_blank(self):
        write_run("a", "best")
        run = Run.open("a")
        write_npz(run.real_file, {"images": np.zeros((100, 28, 28), np.uint8)})
        self.assertIsNone(run_figures.styles_figure(run, run.generator()))

    def test_another_number_of_real_images_is_refused(self):
        write_run("a", "best")
        run = Run.open("a")
        for count in (0, 1, 10, 25, 101):
            write_npz(run.real_file, {"images": np.zeros((count, 28, 28), np.uint8)})
            with self.assertRaisesRegex(UserError, f"real.npz: has {count} images of 10 classes"):
                run_figures.styles_figure(run, run.generator())

    def test_none_without_an_encoder(self):
        self.assertIsNone(self.figure("three_network")[0])


class Digits(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.sampler = drawing(small_system())

    def test_the_fixed_grid_has_the_same_digits_in_every_episode(self):
        one, two = (run_figures.fixed_grid(self.sampler, CONFIG, n, "strokes") for n in (1, 2))
        self.assertNotEqual(texts_of(one), texts_of(two))  # their titles name the episode
        for (_, a), (_, b) in zip(images_on(one), images_on(two), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_the_shuffled_grid_has_other_digits_in_every_episode(self):
        one, again, two = (
            run_figures.shuffled_grid(self.sampler, CONFIG, n, "strokes") for n in (1, 1, 2)
        )
        self.assertEqual(sorted(texts_of(one)[1:]), list("0123456789"))
        places = {(left, top) for (left, _, _, top), _ in images_on(one)}
        self.assertEqual(len(places), 10)  # in two rows of five
        self.assertEqual([len(set(values)) for values in zip(*places, strict=True)], [5, 2])
        self.assertNotEqual(texts_of(one)[1:], texts_of(two)[1:])
        np.testing.assert_array_equal(grids.pixels(one), grids.pixels(again))
        self.assertFalse(np.array_equal(grids.pixels(one), grids.pixels(two)))

    def test_titles_name_digits_only_if_they_can_be_requested(self):
        sampler = drawing(build(config_of("mlp_gan"), DIGITS, "float32"), "mlp_gan")
        figure = run_figures.fixed_grid(sampler, CONFIG, 1, "strokes")
        self.assertEqual(len(texts_of(figure)), 1)

    def test_real_images_are_sorted_by_digit_and_missing_ones_are_blank(self):
        run = Run("a")
        make_folder(run.folder)
        labels = np.repeat(np.arange(9), 12)[:-10]  # two eights, no nine
        images = np.broadcast_to(labels[:, None, None] + 1, (len(labels), 28, 28)).astype(np.uint8)
        run_figures.save_real_images(run, images, labels, DIGITS)
        saved = read_npz(run.real_file, {"images": ("uint8", (100, 28, 28))})["images"]
        values = saved[:, 0, 0].reshape(10, 10)  # [row, digit]
        np.testing.assert_array_equal(values[:2], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 0]] * 2)
        np.testing.assert_array_equal(values[2:], [[1, 2, 3, 4, 5, 6, 7, 8, 0, 0]] * 8)

    def test_a_frame_shows_the_fixed_noise(self):
        run = Run("a")
        make_folder(run.frame_file(0).parent)
        run_figures.save_frame(run, 20, self.sampler, CONFIG)
        self.assertEqual(run.frames, [20])
        saved = read_npz(run.frame_file(20), {"images": ("uint8", (None, 28, 28))})["images"]
        np.testing.assert_array_equal(
            saved, run_figures.fixed_images(self.sampler, CONFIG, rows=len(saved) // 10)
        )
