"""The targets of the Makefile, the lock files, and the environment that make creates."""

import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from packaging.requirements import Requirement

from tests.support import ROOT, FolderTest, slow

TARGETS = (
    *("help", "setup", "train", "resume", "tensorboard", "figures", "generate", "evaluate"),
    *("reproduce", "bench", "test", "test-all", "lint", "clean"),
)
"""Targets that users may rely on."""


def make(*arguments, cwd):
    """Run make as a user would, though the suite may itself have been started by make."""
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "VENV")
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key not in outer},
        capture_output=True,
        text=True,
        check=False,
    )


@unittest.skipUnless(shutil.which("make"), "make is not installed")
class Targets(unittest.TestCase):
    def test_help_lists_them(self):
        done = make(cwd=ROOT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        listed = re.findall(r"^  ([a-z-]+) +(\S.*)$", done.stdout, re.MULTILINE)
        lines = done.stdout.splitlines()
        self.assertLess(len(lines), 24)  # a terminal of 80 x 24, with the next prompt
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertLessEqual(set(TARGETS), {name for name, _ in listed})
        self.assertEqual([text for name, text in listed if len(text) > 66], [])

    def test_only_test_all_runs_the_slow_tests(self):
        self.assertNotIn("GAN3_ALL", make("-n", "test", cwd=ROOT).stdout)
        self.assertIn("GAN3_ALL=1", make("-n", "test-all", cwd=ROOT).stdout)


class Locks(unittest.TestCase):
    def test_all_locks_fit_into_one_environment(self):
        """`make test-all` installs Ray beside gan3's own requirements."""
        locks = sorted(ROOT.glob("requirements*.lock"))
        self.assertGreater(len(locks), 3)
        versions = {}
        for lock in locks:
            for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE):
                versions.setdefault(name.lower().replace("_", "-"), {})[lock.name] = version
        self.assertGreater(len(versions), 50)
        for name, pins in versions.items():
            with self.subTest(name):
                self.assertEqual(len(set(pins.values())), 1, pins)

    def test_every_requirement_is_locked(self):
        for path in ROOT.glob("requirements*.txt"):
            lock = path.with_suffix(".lock")
            if path.name == "requirements-bench.txt":  # its builds differ between machines
                self.assertFalse(lock.exists())
                continue
            pins = re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE)
            locked = dict(pins)
            lines = path.read_text().splitlines()
            wanted = [Requirement(line) for line in lines if line and line[0] != "#"]
            self.assertTrue(wanted)
            for requirement in wanted:
                with self.subTest(lock.name, requirement=str(requirement)):
                    self.assertIn(requirement.name, locked)
                    self.assertTrue(requirement.specifier.contains(locked[requirement.name]))


@unittest.skipUnless(shutil.which("make"), "make is not installed")
@slow("creates three environments")
class Environment(FolderTest):
    def setUp(self):
        super().setUp()
        shutil.copy(ROOT / "Makefile", self.folder)
        Path("requirements.lock").write_text("")
        self.python = Path(".venv/bin/python")

    def make(self, *variables):
        """The output of `make setup`."""
        done = make("setup", *variables, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_it_is_created_once_and_again_if_its_python_is_gone_or_another_is_given(self):
        this_python = f"PYTHON={sys.executable}"
        self.assertIn("installing", self.make(this_python))
        self.assertEqual(self.make(this_python), "")
        self.assertEqual(self.make(), "")  # PYTHON defaults to the environment's own

        with self.subTest("a new lock is installed into the same environment"):
            kept = self.folder / ".venv" / "kept"
            kept.write_text("")
            Path("requirements.lock").write_text("# new\n")
            self.assertIn("installing", self.make(this_python))
            self.assertTrue(kept.exists())

        with self.subTest("a link to a Python that is gone"):
            self.python.unlink()
            self.python.symlink_to("/nowhere/python3")
            self.assertIn("installing", self.make(this_python))
            self.assertFalse(kept.exists())
            subprocess.run([self.python, "-m", "pip", "--version"], check=True, capture_output=True)
            self.assertEqual(self.make(this_python), "")
