"""A wheel is built, installed into an environment and used in an empty folder, without checkout."""

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import unittest
import zipfile
from pathlib import Path

import numpy as np

from tests.support import ROOT, FolderTest, slow, write_idx_set

PLACES = {
    "gan3": "gan3",
    "experiments": "gan3/experiments",
}  # folders in the checkout and in the wheel
OWN_DATA = ("--dataset", "own", "--data", "own")  # a small set, which is scored in seconds


def run(*command: str | Path) -> subprocess.CompletedProcess:
    outer = ("PYTHONPATH", "GAN3_DATA")
    return subprocess.run(
        [str(part) for part in command],
        env={key: value for key, value in os.environ.items() if key not in outer},
        capture_output=True,
        text=True,
        check=False,
    )


SUFFIXES = (".py", ".npz", ".json", ".html", ".css", ".js", ".toml", ".txt", ".typed", ".mplstyle")


def installed_paths() -> set[str]:
    """The files that an installation should have, by their paths in it."""
    return {
        f"{inside}/{path.relative_to(ROOT / folder)}"
        for folder, inside in PLACES.items()
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in SUFFIXES
    }


class Declaration(unittest.TestCase):
    """What pyproject.toml says, without building anything."""

    @classmethod
    def setUpClass(cls):
        cls.project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    def test_every_package_is_listed(self):
        folders = {path.rpartition("/")[0] for path in installed_paths()}
        packages = {folder.replace("/", ".") for folder in folders}
        self.assertGreater(len(packages), 10)
        self.assertEqual(set(self.project["tool"]["setuptools"]["packages"]), packages)


@slow("builds a wheel, trains and evaluates with it")
class Wheel(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.built = Path(tempfile.mkdtemp(prefix="gan3-wheel-"))  # pip's scripts allow no space
        cls.addClassCleanup(shutil.rmtree, cls.built)
        source = cls.built / "source"  # setuptools writes into the folder that it builds
        source.mkdir()
        for name in PLACES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt"):
            shutil.copy(ROOT / name, source)
        pip = (sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check")
        done = run(
            *(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index"),
            *("--wheel-dir", cls.built, source),
        )
        assert done.returncode == 0, done.stderr
        (cls.wheel,) = cls.built.glob("gan3-*.whl")
        shutil.rmtree(source)
        # An environment that sees the requirements of this one, but no other gan3.
        environment = cls.built / "environment"
        done = run(sys.executable, "-m", "venv", "--without-pip", environment)
        assert done.returncode == 0, done.stderr
        python = environment / "bin" / "python"
        done = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        packages = Path(done.stdout.strip())
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (packages / "requirements.pth").write_text("\n".join(paths))
        done = run(
            *(*pip, "--python", python, "install", "--no-deps", "--no-index", "--no-compile"),
            cls.wheel,
        )
        assert done.returncode == 0, done.stderr
        cls.command = environment / "bin" / "gan3"

    def gan3(self, *arguments: str) -> str:
        """The output of the installed command."""
        done = run(self.command, *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_every_module_and_data_file_is_inside_and_nothing_else(self):
        wanted = installed_paths()
        for name in ("page.html", "page.css", "page.js"):
            self.assertIn(f"gan3/demo/page/{name}", wanted)
        self.assertIn("gan3/pretrained/judge.npz", wanted)
        self.assertIn("gan3/pretrained/judge_strokes.npz", wanted)
        self.assertIn("gan3/method/train_step.py", wanted)
        self.assertIn("gan3/experiments/three_network.py", wanted)
        self.assertIn("gan3/experiments/sweeps/reproduce.toml", wanted)
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
            requires = email.message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
        self.assertEqual({name for name in names if ".dist-info/" not in name}, wanted)
        self.assertEqual([text for text in requires if "==" in text.split(";")[0]], [])

    def test_help_and_the_experiments(self):
        self.assertRegex(self.gan3("--help"), r"^usage: gan3 \[-h\] \[--version\] COMMAND")
        self.assertRegex(self.gan3("train", "--help"), "^usage: gan3 train")
        listed = self.gan3("experiments")
        for path in (ROOT / "experiments").glob("[!_]*.py"):
            self.assertIn(path.stem, listed)

    def test_a_run_of_the_default_and_one_of_an_own_experiment_and_samples_of_it(self):
        Path("experiments").mkdir()
        Path("experiments/mine.py").write_text(
            "import dataclasses\n"
            "from gan3.experiments import mlp_gan\n"
            "CONFIG = dataclasses.replace(mlp_gan.CONFIG, experiment='mine', batch_size=20)\n"
            "build = mlp_gan.build\n"
            "generator = mlp_gan.generator\n"
        )
        write_idx_set(Path("own"))
        schedule = ("--episodes", "1", "--batches", "5", *OWN_DATA)
        self.gan3("train", *schedule)
        (record,) = Path("logs").glob("three_network-*/run.json")
        self.assertEqual(json.loads(record.read_text())["outcome"], "done")
        self.gan3("train", "--experiment", "mine", "--run", "a", *schedule)
        record = json.loads(Path("logs/a/run.json").read_text())
        self.assertEqual((record["outcome"], record["config"]["experiment"]), ("done", "mine"))
        self.gan3("generate", "12", "--pretrained", "best")
        self.gan3("sample", "--run", "a", "--count", "3", "--out", "three.npz")
        with np.load("three.npz") as samples:
            self.assertEqual(samples["images"].shape, (3, 28, 28))

    def test_a_sweep(self):
        Path("two.toml").write_text(
            'name = "two"\ntitle = "Two"\nexperiment = "mlp_gan"\nseeds = [0]\n'
            '[settings]\nepisodes = 1\nbatches = 5\nbatch_size = 20\ndataset = "own"\n'
        )
        write_idx_set(Path("own"))
        self.gan3("sweep", "two.toml", "--data", "own")
        self.assertTrue(Path("logs/two-mlp_gan-0/report.json").is_file())
