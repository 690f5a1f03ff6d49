"""The test runner counts what happened, also when a worker process dies."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tests.support import ROOT, FolderTest, slow

MODULES = {
    "test_fine": """
class Fine(unittest.TestCase):
    def test_passes(self): pass
    @unittest.skip("not today")
    def test_is_skipped(self): pass
""",
    "test_lacks": """
raise unittest.SkipTest("needs nothing_like_it")
""",
    "deep.test_broken": """
class Broken(unittest.TestCase):
    def test_fails_twice(self):
        for n in range(2):
            with self.subTest(n=n): self.fail("no good")
    def test_is_an_error(self): raise KeyError("lost")
    def test_passes(self): pass
""",
    "test_set_up": """
class SetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("cannot start")
    def test_never_begins(self): pass
""",
    "test_dies": """
class Dies(unittest.TestCase):
    def test_dies(self):
        os.write(2, b"last words")
        os._exit(7)
""",
}


class Runner(FolderTest):
    def setUp(self):
        super().setUp()
        for name, text in MODULES.items():
            path = Path("tests", *name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name("__init__.py").touch()
            path.write_text(f"import os, unittest\n{text}")
        shutil.copy(ROOT / "tests/parallel.py", "tests")

    def run_tests(self, *arguments):
        """Exit status, output, and its last line."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.parallel", *arguments],
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stdout.splitlines()[-1]

    def test_every_outcome_is_counted_once(self):
        status, output, last = self.run_tests("--jobs", "2")
        self.assertEqual((status, last), (1, "FAILED (failures=1, errors=3, skipped=2)"))
        self.assertRegex(output, r"\nRan 8 tests in \d+\.\d{3}s\n")
        self.assertIn("\nThe 10 slowest tests:\n", output)
        self.assertIn("skipped 1 x not today", output)
        self.assertIn("skipped 1 x needs nothing_like_it", output)
        for text in ("no good", "lost", "cannot start", "status 7", "last words"):
            self.assertIn(text, output)

    def test_the_other_modules_run_when_a_worker_dies(self):
        text = Path("tests/test_dies.py").read_text().replace("last words", "bye")
        Path("tests/test_dies_too.py").write_text(text)
        _, output, _ = self.run_tests("--jobs", "1")
        self.assertIn("last words", output)
        self.assertIn("bye", output)
        for name in MODULES:
            self.assertIn(f"  tests.{name}\n", output)

    def test_all_modules_of_a_folder(self):
        Path("tests/deep/test_more.py").write_text(
            "import unittest\nclass More(unittest.TestCase):\n    def test_it(self): pass\n"
        )
        status, output, last = self.run_tests("deep")
        self.assertEqual((status, last), (1, "FAILED (failures=1, errors=1)"))
        self.assertRegex(output, r"\nRan 4 tests in ")
        status, output, last = self.run_tests("test_fine", "none")
        self.assertEqual((status, last), (1, "FAILED (errors=1, skipped=1)"))
        self.assertIn("No module named 'tests.none'", output)

    @slow("waits for eight seconds")
    def test_a_module_that_hangs_is_stopped_and_the_report_shows_where(self):
        Path("tests/test_hangs.py").write_text(
            "import time, unittest\nclass Hangs(unittest.TestCase):\n"
            "    def test_waits(self): time.sleep(600)\n"
        )
        status, output, last = self.run_tests("test_hangs", "test_fine", "--limit", "2")
        self.assertEqual((status, last), (1, "FAILED (errors=1, skipped=1)"))
        self.assertRegex(output, r"test_hangs: its process ended with status -9 after \d+ s")
        self.assertRegex(output, r'test_hangs.py", line 3 in test_waits')

    def test_success_and_nothing_to_run(self):
        status, output, last = self.run_tests("test_fine")
        self.assertEqual((status, last), (0, "OK (skipped=1)"))
        self.assertIn("\nRan 2 tests in", output)
        self.assertEqual(self.run_tests("test_fine.Fine.test_passes")[2], "OK")
        Path("tests/test_fine.py").write_text("")
        status, _, last = self.run_tests("test_fine")
        self.assertEqual((status, last), (1, "NO TESTS RAN"))


if __name__ == "__main__":
    unittest.main()
