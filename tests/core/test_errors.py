"""How messages show a value."""

import unittest

import numpy as np

from gan3.core.errors import shown


class Shown(unittest.TestCase):
    def test_a_short_value_is_shown_as_it_is(self):
        for value, text in (("a  b", "'a  b'"), ("a\nb", r"'a\nb'"), (1.5, "1.5"), (None, "None")):
            self.assertEqual(shown(value), text)

    def test_any_value_is_one_short_line(self):
        for value in (
            np.zeros((30, 30), int),
            np.eye(3),
            ["1"] * 500,
            "x" * 5000,
            10**5000,
            [np.zeros((2, 2)), "\r\u2028"],
        ):
            text = shown(value)
            self.assertTrue(text.isprintable(), text)
            self.assertLess(len(text), 90)
        self.assertEqual(shown(np.eye(2)), "array([[1., 0.], [0., 1.]])")
