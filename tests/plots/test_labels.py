"""Labels that fit."""

import unittest
import warnings

import numpy as np

from gan3.plots import grids, labels

LONG = "a name that has all of forty characters!"


class Wrapped(unittest.TestCase):
    def test_lines_fit_and_lose_nothing(self):
        text = f"{LONG} {LONG} {'W' * 40} end"
        for width in (60, 150, 400):
            lines = labels.wrapped(text, width, 11, 120).split("\n")
            self.assertEqual("".join(lines).replace(" ", ""), text.replace(" ", ""))
            for line in lines:
                self.assertLessEqual(labels.text_width(line, 11, 120), width)
            self.assertLess(len(lines), 3 + 2 * labels.text_width(text, 11, 120) / width)

    def test_at_most_so_many_lines(self):
        for text in (f"{LONG} {LONG}", "W" * 80):
            lines = labels.wrapped(text, 200, 11, 120, most=2).split("\n")
            self.assertEqual(len(lines), 2)
            self.assertTrue(lines[1].endswith("…"))
            self.assertLessEqual(labels.text_width(lines[1], 11, 120), 200)
        self.assertEqual(labels.wrapped("short", 200, 11, 120, most=2), "short")
        self.assertEqual(labels.wrapped("", 200, 11, 120), "")


class Shortened(unittest.TestCase):
    def test_what_fits_stays_and_of_the_rest_both_ends(self):
        full = labels.text_width(LONG, 9, 120)
        self.assertEqual(labels.shortened(LONG, full, 9, 120), LONG)
        for width in (40, 90, 200, full - 1):
            cut = labels.shortened(LONG, width, 9, 120)
            first, last = cut.split("…")
            self.assertTrue(LONG.startswith(first) and LONG.endswith(last))
            self.assertLessEqual(len(first) - len(last), 2)
            self.assertLessEqual(labels.text_width(cut, 9, 120), width)
            longer = f"{LONG[: len(first) + 2]}…{last}"
            self.assertGreater(labels.text_width(longer, 9, 120), width)

    def test_one_character_is_always_kept(self):
        self.assertEqual(labels.shortened("WW", 1, 9, 120), "W…")

    def test_the_width_grows_with_size_and_resolution(self):
        width = labels.text_width("Ankle boot", 9, 120)
        # A character of this font is between a third and once as wide as it is high: 15 pixels.
        self.assertTrue(10 * 5 < width < 10 * 15, width)
        self.assertAlmostEqual(labels.text_width("Ankle boot", 9, 240), 2 * width, delta=1e-6)
        self.assertAlmostEqual(
            labels.text_width("Ankle boot", 18, 120), 2 * width, delta=0.1 * width
        )

    def test_widest(self):
        widths = [labels.text_width(text, 8, 120) for text in ("i", "WWW")]
        self.assertEqual(labels.widest(["i", "WWW"], 8, 120), max(widths))
        self.assertEqual(labels.widest([], 8, 120), 0)


class Scripts(unittest.TestCase):
    """The characters are in a font of Matplotlib's that is not its default, or in no font."""

    def figure(self, name):
        return grids.grid(np.zeros((2, 28, 28), np.uint8), 2, name, [name, "b"])

    def test_an_installed_font_draws_what_the_default_lacks(self):
        figure = self.figure("\u1d8d")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            grids.content(figure)
        self.assertIn("STIXGeneral", figure.texts[0].get_fontfamily())
        self.assertGreater(labels.text_width("\u1d8d" * 4, 9, 120), 10)

    def test_one_note_names_a_package_if_no_font_has_a_character(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for name in ("\U000f0001", "\U000f0002\U000f0003"):
                grids.content(self.figure(name))
        (message,) = {str(warning.message) for warning in caught}
        self.assertEqual(len(caught), 1)
        self.assertRegex(message, "^figures: no installed font has other .* package fonts-noto$")
