"""Labels that fit."""

import itertools
import unittest

from gan3.plots import labels

LONG = "a name that has all of forty characters!"


class Wrapped(unittest.TestCase):
    def test_lines_fit_are_full_and_lose_nothing(self):
        text = f"{LONG} {LONG} {'W' * 40} end"
        for width in (60, 150, 400):
            lines = labels.wrapped(text, width, 11, 120).split("\n")
            self.assertEqual("".join(lines).replace(" ", ""), text.replace(" ", ""))
            for line, following in itertools.pairwise(lines):
                self.assertLessEqual(labels.text_width(line, 11, 120), width)
                more = f"{line} {following.split()[0]}"
                self.assertGreater(labels.text_width(more, 11, 120), width)

    def test_at_most_so_many_lines(self):
        for text in (f"{LONG} {LONG}", "W" * 80):
            lines = labels.wrapped(text, 200, 11, 120, most=2).split("\n")
            self.assertEqual(len(lines), 2)
            self.assertTrue(lines[1].endswith("…"))
            self.assertLessEqual(labels.text_width(lines[1], 11, 120), 200)
        self.assertEqual(labels.wrapped("short", 200, 11, 120, most=2), "short")
        self.assertEqual(labels.wrapped("", 200, 11, 120), "")


class Shortened(unittest.TestCase):
    def test_what_fits_stays_and_the_rest_is_cut_as_late_as_possible(self):
        full = labels.text_width(LONG, 9, 120)
        self.assertEqual(labels.shortened(LONG, full, 9, 120), LONG)
        for width in (40, 90, 200, full - 1):
            cut = labels.shortened(LONG, width, 9, 120)
            self.assertTrue(cut.endswith("…") and LONG.startswith(cut[:-1]))
            self.assertLessEqual(labels.text_width(cut, 9, 120), width)
            longer = f"{LONG[: len(cut) + 2]}…"
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

    def test_names_that_would_look_alike_are_cut_in_the_middle(self):
        names = ["letter of the alphabet A", "letter of the alphabet B", "short"]
        first, second, third = labels.all_shortened(names, 90, 8, 120)
        self.assertEqual(third, "short")
        self.assertRegex(first, "^l.*….*A$")
        self.assertRegex(second, "^l.*….*B$")
        self.assertLessEqual(labels.text_width(first, 8, 120), 90)

    def test_widest(self):
        widths = [labels.text_width(text, 8, 120) for text in ("i", "WWW")]
        self.assertEqual(labels.widest(["i", "WWW"], 8, 120), max(widths))
        self.assertEqual(labels.widest([], 8, 120), 0)


if __name__ == "__main__":
    unittest.main()
