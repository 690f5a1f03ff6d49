"""The explore window, without a display: what each widget does to the picture."""

import os
import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gan3.data.pixels import to_pixels
from gan3.demo.explore import Explorer
from gan3.runs.registry import builder_of, config_of
from tests.support import ROOT, FolderTest, slow, small_system


class Window(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.system = small_system()  # no test changes it

    def setUp(self):
        super().setUp()
        self.window = self.open(self.system)

    def open(self, system):
        figure = Figure(figsize=(10, 6))
        FigureCanvasAgg(figure)
        return Explorer(figure, system, "small", Path("saved"))

    def expected(self):
        """The digit of the window and its noise, drawn directly."""
        image = self.system.generate(
            tf.constant([self.window.label]), tf.constant(self.window.noise[None])
        )
        return to_pixels(image.numpy())[0]

    def test_a_slider_changes_its_entry_of_the_noise(self):
        before = self.window.noise.copy()
        self.window.sliders[4].set_val(0.25)
        self.assertEqual(self.window.noise[4], np.float32(0.25))
        np.testing.assert_array_equal(np.delete(self.window.noise, 4), np.delete(before, 4))
        np.testing.assert_array_equal(self.window.picture, self.expected())
        self.assertEqual(len(self.window.sliders), 10)

    def test_the_picker_shows_another_digit_with_the_same_noise(self):
        before, noise = self.window.picture, self.window.noise.copy()
        self.window.picker.set_active(8)
        self.assertEqual(self.window.label, 8)
        np.testing.assert_array_equal(self.window.noise, noise)
        np.testing.assert_array_equal(self.window.picture, self.expected())
        self.assertFalse(np.array_equal(self.window.picture, before))

    def test_a_window_of_many_classes_selects_them_by_name(self):
        names = tuple(f"class {number} of them" for number in range(26))
        window = self.open(small_system(class_names=names))
        self.assertEqual(window.label, 0)
        texts = [text.get_text() for text in window.picker.labels]
        self.assertEqual(len(set(texts)), 26)  # they may be cut, but not to the same text
        window.picker.set_active(25)
        self.assertEqual(window.label, 25)
        window.show_many()
        self.assertEqual(window.picture.shape, (4 * 28, 8 * 28))  # 26 of 32 are different classes
        self.assertNotIn("digit", " ".join(window.buttons))

    def test_a_new_style_sets_the_sliders(self):
        before = self.window.noise.copy()
        self.window.new_style()
        self.assertFalse(np.isclose(self.window.noise, before).any())
        values = [slider.val for slider in self.window.sliders]
        np.testing.assert_allclose(values, self.window.noise, rtol=1e-6)
        np.testing.assert_array_equal(self.window.picture, self.expected())

    def test_many_digits_are_all_different_and_new_each_time(self):
        one = self.window.picture
        self.window.show_many()
        self.assertEqual(self.window.picture.shape, (5 * 28, 10 * 28))
        cells = self.window.picture.reshape(5, 28, 10, 28).swapaxes(1, 2).reshape(50, -1)
        self.assertEqual(len(np.unique(cells, axis=0)), 50)
        before = self.window.picture
        self.window.show_many()
        self.assertFalse(np.array_equal(self.window.picture, before))
        self.window.show_one()
        np.testing.assert_array_equal(self.window.picture, one)

    def test_arithmetic_shows_two_seeds_their_difference_and_sum_beside_random_ones(self):
        drawn = []
        noise = self.system.noise

        def record(labels, seed):
            drawn.append(noise(labels, seed))
            return drawn[-1]

        self.window.picker.set_active(6)
        with mock.patch.object(self.system, "noise", record):
            self.window.show_arithmetic()
        a, b, c, d, first, second = (entry[0] for entry in drawn)
        rows = ((a, b, first, first - second), (c, d, second, first + second))
        images = self.system.generate(tf.fill([8], 6), tf.stack([*rows[0], *rows[1]])).numpy()
        expected = np.block([list(to_pixels(images)[:4]), list(to_pixels(images)[4:])])
        np.testing.assert_array_equal(self.window.picture, expected)
        self.assertEqual(expected.shape, (2 * 28, 4 * 28))
        self.assertEqual(len(np.unique(to_pixels(images), axis=0)), 8)
        self.window.show_arithmetic()
        self.assertFalse((self.window.picture == expected).all())

    def test_saved_files_are_numbered_and_black_on_white(self):
        self.window.save()
        self.window.new_style()
        self.window.save()
        names = sorted(path.name for path in Path("saved").iterdir())
        self.assertEqual(names, ["explored_01.png", "explored_02.png"])
        saved = np.asarray(Image.open("saved/explored_02.png"))
        np.testing.assert_array_equal(saved, 255 - self.window.picture)

    def test_a_click_on_a_button_does_what_it_says(self):
        canvas = self.window._canvas.figure.canvas
        canvas.draw()
        box = self.window.buttons["many digits"].ax.bbox
        x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        from matplotlib.backend_bases import MouseEvent

        for name in ("button_press_event", "button_release_event"):
            canvas.callbacks.process(name, MouseEvent(name, canvas, x, y, 1))
        self.assertEqual(self.window.picture.shape, (140, 280))

    def test_with_fixed_noise_each_digit_has_its_own(self):
        """As in the run itself: all its threes are the same picture, and all its eights."""
        fixed = small_system(noise_draw="once")
        window = self.open(fixed)
        for digit in (8, 3):
            window.picker.set_active(digit)
            label = tf.constant([digit])
            noise = fixed.noise(label, tf.constant([9, 9]))
            expected = to_pixels(fixed.generate(label, noise).numpy())[0]
            np.testing.assert_array_equal(window.picture, expected)
            values = [slider.val for slider in window.sliders]
            np.testing.assert_allclose(values, noise[0], rtol=1e-6)
        self.assertNotIn("arithmetic", window.buttons)  # it has no second seed

    def test_a_system_that_is_not_class_conditional_has_no_picker(self):
        system = builder_of("mlp_gan")(config_of("mlp_gan"), "float32")
        window = self.open(system)
        self.assertIsNone(window.picker)
        self.assertEqual((len(window.sliders), window.sliders[0].valmax), (10, 1.0))

    @slow("starts a process")
    def test_without_a_display_there_is_one_line_on_stderr(self):
        process = subprocess.run(
            [sys.executable, "-m", "gan3", "explore"],
            env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((process.returncode, process.stdout), (2, ""))
        self.assertRegex(process.stderr, r"\Agan3: window: no display, [^\n]*web page[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
