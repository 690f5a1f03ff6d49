"""Machines that are unlike a developer's: no home, no UTF-8, another user, a read-only checkout."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tests.support import ROOT, FolderTest, slow, write_idx_set

TRAIN = ("train", "--experiment", "mlp_gan", "--episodes", 1, "--batches", 2, "--batch-size", 8)


def run(*arguments, prefix=(), **environment):
    """Run the command line in a process; variables that are None are unset. Bytes of output."""
    merged = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(
        [*prefix, sys.executable, "-m", "gan3", *(str(argument) for argument in arguments)],
        env={key: value for key, value in merged.items() if value is not None},
        capture_output=True,
        check=False,
    )


class Machines(FolderTest):
    def test_output_in_a_terminal_without_utf_8(self):
        """Of the name of a file, what is not ASCII is escaped; valid or not, it is written."""
        ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        for environment, shown in (
            (ascii_only, b"\\udcc3\\udca9.png"),
            ({"PYTHONUTF8": "1"}, "é.png".encode()),
        ):
            done = run("generate", 1, "--out", "é.png", **environment)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"1: " + shown, done.stdout)
            self.assertTrue(Path("é.png").is_file())
            Path("é.png").unlink()
        done = run("generate", 1, "--out", b"\xff.png".decode(errors="surrogateescape"))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"1: \xff.png", done.stdout)

    @slow("starts processes that train")
    def test_a_read_only_checkout_without_home_at_a_path_with_spaces(self):
        """Another user's checkout: gan3 and the working folder cannot be written."""
        checkout = self.folder / "a checkout é"
        for name in ("gan3", "experiments"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
        write_idx_set(checkout / "own")
        out = self.folder / "out"
        out.mkdir()
        for path in [checkout, *checkout.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        os.chdir(checkout)
        prefix = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("needs setpriv when run as root")
            prefix = ["setpriv", "--bounding-set=-all"]
        before = sorted(checkout.rglob("*"))
        folders = ("--logs", out / "logs", "--figures", out / "figures")
        nowhere = {"HOME": "/nonexistent", "PYTHONPATH": str(checkout), "GAN3_CACHE": None}
        data = ("--dataset", "own", "--data", "own")
        for home in ("/nonexistent", None):
            name = f"run{home is None}"
            environment = nowhere | {"HOME": home}
            lines = [(*TRAIN, *data, "--run", name), ("evaluate", "--run", name)]
            for line in lines:
                done = run(*line, *folders, prefix=prefix, **environment)
                self.assertEqual(done.returncode, 0, done.stderr)
        done = run("generate", 12, prefix=prefix, **nowhere)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, rb"\Agan3: figures: cannot be written [^\n]*\n\Z")
        for path in [checkout, *checkout.rglob("*")]:
            path.chmod(0o755)
        self.assertEqual(sorted(checkout.rglob("*")), before)


if __name__ == "__main__":
    unittest.main()
