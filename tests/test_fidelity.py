"""docs/fidelity.md names a test for each property; each of them must exist."""

import ast
import re
import unittest

from tests.support import ROOT


class Fidelity(unittest.TestCase):
    def test_every_test_that_the_page_names_exists(self):
        named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "fidelity.md").read_text()))
        self.assertGreater(len(named), 25)
        existing = {
            node.name
            for path in (ROOT / "tests").rglob("test_*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        self.assertEqual(named - existing, set())
