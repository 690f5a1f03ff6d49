"""A wheel is built and installed into an empty folder, and works without the checkout."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import ROOT, FolderTest, slow

PACKAGES = ("gan3", "experiments")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@slow("builds a wheel and imports TensorFlow")
class Wheel(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.built = Path(tempfile.mkdtemp(prefix="gan3 wheel "))
        cls.addClassCleanup(shutil.rmtree, cls.built)
        source = cls.built / "source"  # setuptools writes into the folder that it builds
        source.mkdir()
        for name in PACKAGES:
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ("pyproject.toml", "README.md", "LICENSE", "requirements*.txt"):
            for path in ROOT.glob(name):
                shutil.copy(path, source)
        pip = ("-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check")
        done = run(
            *(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
            *("--wheel-dir", str(cls.built), str(source)),
        )
        assert done.returncode == 0, done.stderr
        (cls.wheel,) = cls.built.glob("gan3-*.whl")
        cls.installed = cls.built / "installed"
        done = run(
            *(*pip, "install", "--no-deps", "--no-index", "--no-compile"),
            *("--target", str(cls.installed), str(cls.wheel)),
        )
        assert done.returncode == 0, done.stderr

    def gan3(self, *arguments: str) -> subprocess.CompletedProcess:
        return run("-m", "gan3", *arguments, PYTHONPATH=str(self.installed))

    def test_every_module_and_data_file_is_inside(self):
        wanted = {
            str(path.relative_to(ROOT))
            for folder in PACKAGES
            for path in (ROOT / folder).rglob("*.*")
            if path.suffix in (".py", ".npz", ".json", ".html", ".typed")
        }
        self.assertIn("gan3/demo/web_page.html", wanted)
        self.assertIn("gan3/pretrained/judge.npz", wanted)
        self.assertIn("gan3/method/train_step.py", wanted)
        with zipfile.ZipFile(self.wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        self.assertEqual(names, wanted)

    def test_help_and_the_experiments(self):
        done = self.gan3("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("generate", done.stdout)
        done = self.gan3("experiments")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for path in (ROOT / "experiments").glob("[!_]*.py"):
            self.assertIn(path.stem, done.stdout)

    def test_a_number_from_the_bundled_generator(self):
        done = self.gan3("generate", "12", "--out", "twelve.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        with Image.open("twelve.png") as image:
            pixels = np.asarray(image)
        self.assertGreater(np.ptp(pixels), 200)  # ink on paper

    def test_the_library_is_the_installed_one(self):
        code = "import gan3, gan3.evaluation.judge; print(gan3.__file__)"
        done = run("-c", code, PYTHONPATH=str(self.installed))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(Path(done.stdout.strip()).parent.parent, self.installed)


if __name__ == "__main__":
    unittest.main()
