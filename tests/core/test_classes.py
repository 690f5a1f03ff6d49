"""Classes by their names: what requests them, and what they are called."""

import string
import unittest

from gan3.core import classes
from gan3.core.classes import labels_of_list, labels_of_text
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
        ):
            with self.subTest(text):
                self.assertEqual(classes.labels_of_text(text, names, "classes"), expected)

    def test_a_name_with_a_comma_is_one_name(self):
        got = classes.labels_of_list("Coat,Coat, long,Bag", CLOTHES, "classes")
        self.assertEqual(got, [3, 2, 1])

    def test_a_name_that_ends_in_a_space_can_be_requested(self):
        self.assertEqual(labels_of_list("a ,b", ("a ", "b"), "labels"), [0, 1])
        self.assertEqual(labels_of_list("b, a ", ("a", "b"), "labels"), [1, 0])

    def test_an_empty_text_is_refused(self):
        for names in (("A", "B"), ("cat", "dog")):
            with self.assertRaisesRegex(UserError, "labels: none; name at least one class of"):
                labels_of_text("", names, "labels")

    def test_what_is_no_class_is_named_with_the_classes(self):
        for read, text, names, message in (
            (classes.labels_of_list, "A,1", LETTERS, "classes 'A,1': no class '1' here; use A, B"),
            (
                classes.labels_of_list,
                "Bga",
                CLOTHES,
                "no class 'Bga' here; use Bag, or any of T-sh",
            ),
            (classes.labels_of_list, "", CLOTHES, "no class '' here"),
            (classes.labels_of_list, "Bag,,Bag", CLOTHES, "no class '' here"),
            (classes.labels_of_characters, "24", ("1", "2"), "no digit '4' here; use 1, 2"),
            (classes.labels_of_text, "x" * 300, LETTERS, "…"),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, message) as caught:
                read(text, names, "classes")
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


if __name__ == "__main__":
    unittest.main()
