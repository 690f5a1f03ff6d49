"""The environment that make sets up, with a lock that asks for nothing."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tests.support import ROOT, FolderTest


@unittest.skipUnless(shutil.which("make"), "no make here")
class Environment(FolderTest):
    def setUp(self):
        super().setUp()
        shutil.copy(ROOT / "Makefile", self.folder)
        Path("requirements.lock").write_text("")
        self.python = Path(".venv/bin/python")

    def make(self, *variables):
        """What `make setup` says. The suite may itself have been started by make."""
        outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "VENV")
        environment = {k: v for k, v in os.environ.items() if k not in outer}
        done = subprocess.run(
            ["make", "setup", *variables],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_made_once_and_again_where_its_python_is_gone_or_another_is_wanted(self):
        own = f"PYTHON={sys.executable}"
        self.assertIn("installing", self.make(own))
        self.assertEqual(self.make(own), "")
        self.assertEqual(self.make(), "")  # where none is named its own will do

        with self.subTest("a new lock is installed into what is there"):
            kept = self.folder / ".venv" / "kept"
            kept.write_text("")
            Path("requirements.lock").write_text("# new\n")
            self.assertIn("installing", self.make(own))
            self.assertTrue(kept.exists())

        with self.subTest("a link that leads nowhere"):
            self.python.unlink()
            self.python.symlink_to("/nowhere/python3")
            self.assertIn("installing", self.make(own))
            self.assertFalse(kept.exists())
            subprocess.run([self.python, "-m", "pip", "--version"], check=True, capture_output=True)
            self.assertEqual(self.make(own), "")

        with self.subTest("another Python"):
            other = self.folder / "python3.other"
            other.write_text(
                '#!/bin/sh\ncase "$2" in *"; print"*) echo 3.99;;'
                f' *) exec "{sys.executable}" "$@";; esac\n'
            )
            other.chmod(0o755)
            kept.write_text("")
            self.assertIn("installing", self.make("PYTHON=./python3.other"))
            self.assertFalse(kept.exists())
            self.assertEqual(self.make("PYTHON=./python3.other"), "")


if __name__ == "__main__":
    unittest.main()
