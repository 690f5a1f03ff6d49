import unittest

from tests.mutations import MUTATIONS, find_problems, mutants_of, suite_of
from tests.support import ROOT


class Mutations(unittest.TestCase):
    def test_each_finds_its_line_and_its_tests(self):
        for mutation in MUTATIONS:
            with self.subTest(mutation.what, tests=mutation.tests):
                self.assertEqual(find_problems(mutation, ROOT), [])

    def test_a_module_is_tested_by_its_package_and_first_by_its_own_tests(self):
        losses = suite_of("gan3/method/losses.py").split()
        self.assertEqual(losses[:2], ["method.test_losses", "method.test_adversarial"])
        self.assertIn("library.test_run", suite_of("gan3/library.py").split())

    def test_a_missing_line_and_a_missing_test_are_found(self):
        for change in (
            {"good": "no such line"},
            {"file": "gan3/nothing.py"},
            {"tests": "core.test_nothing"},
            {"tests": "test_mutations.Nothing"},
            {"tests": "test_mutations.Mutations.test_nothing"},
        ):
            with self.subTest(**change):
                self.assertEqual(len(find_problems(MUTATIONS[0]._replace(**change), ROOT)), 1)

    def test_every_place_is_changed_once(self):
        mutants = list(mutants_of("def f(x: int = 1) -> int:\n    return -x < 2"))
        changes = [
            ("return -x < 2", "return None"),
            ("1", "2"),
            ("-x < 2", "-x <= 2"),
            ("-x", "x"),
            ("2", "3"),
        ]
        self.assertEqual({m.what for m in mutants}, {f"{old} -> {new}" for old, new in changes})
