"""Classes by their names: what requests them, and what they are called."""

import string
import unittest

from gan3.core import classes
from gan3.core.classes import labels_of_text
from gan3.core.errors import UserError

LETTERS = tuple(string.ascii_uppercase)
CLOTHES = ("T-shirt/top", "Bag", "Coat, long", "Coat")


class Requests(unittest.TestCase):
    def test_a_label_is_the_index_of_a_name(self):
        for text, names, expected in (
            ("241256", classes.DIGITS, [2, 4, 1, 2, 5, 6]),
            ("2,4,1", classes.DIGITS, [2, 4, 1]),
            ("BAZ", LETTERS, [1, 0, 25]),
            ("B, A ,Z", LETTERS, [1, 0, 25]),
            ("Bag", CLOTHES, [1]),
            ("Bag,T-shirt/top,Bag", CLOTHES, [1, 0, 1]),
            ("73", ("3", "7"), [1, 0]),
            ("Coat,Coat, long,Bag", CLOTHES, [3, 2, 1]),  # a name with a comma is one name
            ("a ,b", ("a ", "b"), [0, 1]),  # and one may end in a space
            ("b, a ", ("a", "b"), [1, 0]),
        ):
            with self.subTest(text):
                self.assertEqual(labels_of_text(text, names, "classes"), expected)

    def test_what_is_no_class_is_named_with_the_classes(self):
        for text, names, message in (
            ("", ("cat", "dog"), "labels: none; name at least one class of"),
            ("A,1", LETTERS, "labels 'A,1': no class '1' here; use A, B"),
            ("Bga", CLOTHES, "no class 'Bga' here; use Bag, or any of T-sh"),
            ("Bag,,Bag", CLOTHES, "no class '' here"),
            ("24", ("1", "2"), "no digit '4' here; use 1, 2"),
            ("x" * 300, LETTERS, "…"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, message) as caught:
                labels_of_text(text, names, "labels")
            self.assertLess(len(str(caught.exception)), 200)
            self.assertNotIn("\n", str(caught.exception))

    def test_many_names_are_cut(self):
        self.assertEqual(classes.listed(LETTERS), "A, B, C, D, E, F, G, H, I, J, K, L, …")
        self.assertEqual(classes.listed(LETTERS[:2]), "A, B")


class Nouns(unittest.TestCase):
    def test_only_digits_are_called_digits(self):
        for names, noun, nouns in (
            (classes.DIGITS, "digit", "digits"),
            (("3", "8"), "digit", "digits"),
            (LETTERS, "class", "classes"),
            ((*classes.DIGITS, "A"), "class", "classes"),
            (("1", "10"), "class", "classes"),
        ):
            self.assertEqual((classes.noun(names), classes.nouns(names)), (noun, nouns))

    def test_a_file_name_has_no_other_characters(self):
        self.assertEqual(classes.file_name("241256"), "241256")
        self.assertEqual(classes.file_name("T-shirt/top,../x"), "T-shirt_top_x")
        self.assertEqual(classes.file_name("/"), "unnamed")
