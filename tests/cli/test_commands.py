"""What a user may type wrongly: one line on stderr, exit status 2, nothing written."""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tests.support import ROOT, FolderTest, call, start, write_idx_set


class WrongArguments(FolderTest):
    def test_one_line_status_two_and_nothing_written(self):
        write_idx_set(self.folder / "own")
        before = sorted(self.folder.rglob("*"))
        own = ("train", "--dataset", "idx", "--data", "own")
        long = "n" * 300  # longer than a file system takes
        for arguments, message in (
            ((), "required: COMMAND"),
            (("fly",), "invalid choice: 'fly'"),
            (("train", "--experiment", ""), "'': unknown; there are"),
            (("fly\nhome",), r"invalid choice: 'fly\\nhome'"),
            (("train", "a\nb\x1b[2Jc"), r"unrecognized arguments: a\\nb\\x1b\[2Jc;"),
            (("train", "--data", "no\nwhere\r"), r"--data no\\nwhere\\r: no such folder"),
            ((*own, "--run", "a\nb"), r"run name 'a\\nb': letters, digits"),
            ((*own, "--run", ".."), r"run name '\.\.': letters, digits"),
            ((*own, "--run", "a/b"), "run name 'a/b': letters, digits"),
            ((*own, "--run", ""), "run name '': letters, digits"),
            (("train", "--experiment", "wgan"), "'wgan': unknown; there are .*three_network"),
            (("train", "--episodes", "0"), "episodes: 0 does not fit"),
            (("train", "--batches", "-3"), "batches: -3 does not fit"),
            (("train", "--batch-size", "0"), "batch_size: 0 does not fit"),
            (("train", "--batch-size", "ten"), "invalid int value: 'ten'"),
            (("train", "--seed", "-1"), "seed: -1 does not fit"),
            (("train", "--dataset", "cifar"), "invalid choice: 'cifar'"),
            (("train", "--precision", "int8"), "invalid choice: 'int8'"),
            (("train", "--set", "colour=red"), "'colour': unknown"),
            (("train", "--set", "seed"), "needs KEY=VALUE"),
            (("train", "--set", "keep_prob=2"), "at most 1"),
            (("train", "--data", "nowhere"), "--data nowhere: no such folder"),
            (("train", "--data", long), "--data n+: no such folder"),
            (("train", "--seed", "9" * 400), "seed: 9+… .* does not fit"),
            (("train", "--episodes", "9" * 5000), "invalid int value"),
            (("train", "--set", f"digit_weight={'9' * 5000}"), "digit_weight: inf does not fit"),
            (("train", "--set", "keep_prob=1e-17"), "at least 0.01"),
            (("train", "--dataset", "idx"), "needs --data"),
            ((*own, "--run", "../x"), "run name '../x'"),
            ((*own, "--run", "/tmp/x"), "run name '/tmp/x'"),
            ((*own, "--logs", "own/train-labels-idx1-ubyte.gz"), "cannot be written"),
            ((*own, "--figures", "own/train-labels-idx1-ubyte.gz"), "cannot be written"),
            ((*own, "--logs", long), r"cannot be written \(file name too long\)"),
            ((*own, "--figures", long), r"cannot be written \(file name too long\)"),
            (("train", "--resume", "--logs", long), "n: no run in it"),
            (("train", "--resume", "--logs", long, "--run", "a"), "cannot be read"),
            ((*own, "--resume", "--run", "none"), "no such run"),
            (("train", "--resume"), "no run in it"),
            (("generate", "12a4"), "'12a4': digits 0 to 9 only"),
            (("generate", "-12"), "digits 0 to 9 only"),
            (("generate", ""), "digits 0 to 9 only"),
            (("generate", "12", "--seed", "-4"), "--seed -4"),
            (("generate", "12", "--pretrained", "worst"), "--pretrained worst: none of that name"),
            (("generate", "12", "--run", "none"), "no such run"),
            (("generate", "12", "--seed", "9" * 400), "--seed 9+: from 0"),
            (("generate", "12", "--out", ""), "--out '': not the name of a file"),
            (("generate", "12", "--out", "."), "--out '.': not the name of a file"),
            (("generate", "12", "--out", "own"), "--out 'own': not the name of a file"),
            (("sample", "--out", ""), "--out '': not the name of a file"),
            (("sample", "--out", ".."), "--out '..': not the name of a file"),
            (("sample", "--count", "0", "--out", "x.npz"), "--count 0"),
            (("sample", "--labels", "abc", "--out", "x.npz"), "--labels 'abc'"),
            (("sample",), "required: --out"),
            (("evaluate", "none"), "no such run"),
            (("evaluate",), "no run in it"),
            (("evaluate", "--samples", "none.npz", *own[1:]), "no such file"),
            (("evaluate", "--samples", "own/train-labels-idx1-ubyte.gz", *own[1:]), "not an npz"),
            (("evaluate", "a", "--samples", "x.npz"), "beside it neither"),
            (("evaluate", "--pretrained", "worst"), "--pretrained worst: none of that name"),
            (("export", "--out", "x.npz"), "no run in it"),
            (("export", "none", "--out", "x.npz"), "no such run"),
            (("sweep", "none.toml"), "no such file"),
            (("sweep", "none.toml", "--jobs", "0"), "--jobs 0: from 1"),
            (("sweep", "own/train-labels-idx1-ubyte.gz"), "not TOML"),
            (("evaluate", "--dataset", "mnist"), "for --samples"),
            (("evaluate", "--json", "own"), "--json 'own'"),
            (("evaluate", "--seed", "-1"), "--seed -1"),
            (("compare", "none"), "no such run"),
            (("compare",), "required: RUN"),
            (("train-judge", "--steps", "0"), "--steps 0"),
            (("train-judge", "--out", "judge.h5"), r"ends in \.npz"),
            (("train-judge", "--seed", "x"), "invalid int value"),
            (("figures", "none"), "no such run"),
            (("figures", "../own"), "run name"),
            (("figures", ""), "run name ''"),
            (("generate", "12", "--pretrained", ""), "--pretrained : none of that name"),
            (("latent", "--digits", "3", "12"), "--digits 3 12"),
            (("latent", "none"), "no such run"),
            (("generate", "12", "--variants", "0"), "--variants 0"),
            (("generate", "12", "--out", "x.npz", "--inverted"), "neither --inverted"),
            (("generate", "12", "--out", "x.jpg"), r"'x.jpg': the file's name ends in \.png or"),
            (("generate", "12", "--out", "x.NPZ", "--inverted"), "neither --inverted"),
            (("sample", "--out", "x.png"), r"ends in \.npz"),
            (("latent", "--out", "x.gif"), r"ends in \.png"),
            (("export-page", "--out", "x.png"), r"ends in \.html"),
            (("export", "--out", "x.pt"), r"ends in \.npz"),
            (("compare", "a", "b", "--out", "x.pdf"), r"ends in \.png"),
            (("recognise", "none.png"), "no such file"),
            (("recognise", "own/train-labels-idx1-ubyte.gz"), "not a picture"),
        ):
            with self.subTest(" ".join(arguments)[:80]):
                status, out, err = call(*arguments)
                self.assertEqual((status, out), (2, ""), err)
                self.assertRegex(err, message)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertNotIn("Traceback", err)
                self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_the_same_as_a_process(self):
        process = start("train", "--data", "nowhere", cwd=self.folder)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (2, ""))
        self.assertRegex(err, r"\Agan3: --data nowhere: no such folder; .*\n\Z")

    def test_what_nobody_foresaw_of_files_is_one_line_too(self):
        """A process that may open no more files."""
        code = (
            "import resource, sys\nfrom gan3.cli.main import main\n"
            "most = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (3, most[1]))\n"
            "status = main(['generate', '1'])\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, most)\nsys.exit(status)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\Agan3: .*\(too many open files\); .*\n\Z")

    def test_a_run_without_an_episode_says_how_to_go_on(self):
        from gan3.core.files import write_json
        from gan3.runs.registry import config_of

        Path("logs/young").mkdir(parents=True)
        record = {"started": "2026-01-01", "config": config_of("three_network").to_dict()}
        write_json(Path("logs/young/run.json"), record)
        for arguments in (("figures",), ("generate", "1"), ("sample", "--out", "x.npz")):
            status, _, err = call(*arguments)
            self.assertEqual(status, 2)
            self.assertRegex(err, "run young: no episode is done yet; make resume")

    def test_a_read_only_folder(self):
        bare = []
        if os.geteuid() == 0:  # root may write anywhere, unless it gives that right away
            if not shutil.which("setpriv"):
                self.skipTest("root may write anywhere, and there is no setpriv here")
            bare = ["setpriv", "--bounding-set=-all"]
        write_idx_set(self.folder / "own")
        (self.folder / "logs").mkdir(mode=0o500)
        before = sorted(self.folder.rglob("*"))
        done = subprocess.run(
            [*bare, sys.executable, "-m", "gan3", "train", "--dataset", "idx", "--data", "own"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(
            done.stderr, r"\Agan3: logs[^\n]*: cannot be written \(permission denied\)[^\n]*\n\Z"
        )
        self.assertEqual(sorted(self.folder.rglob("*")), before)


class Help(unittest.TestCase):
    def test_help_knows_every_command_and_imports_no_tensorflow(self):
        code = (
            "import sys\nfrom gan3.cli.main import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
            "assert not {'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for command in (
            "train",
            "sample",
            "generate",
            "figures",
            "recognise",
            "experiments",
            "evaluate",
            "compare",
            "train-judge",
            "latent",
            "sweep",
            "export",
        ):
            self.assertRegex(done.stdout, rf"(?m)^ +{command}( |$)")

    def test_experiments_are_listed_with_what_they_are(self):
        status, out, _ = call("experiments")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^three_network +The three-network")
        self.assertTrue(all(len(line) < 100 for line in out.splitlines()))


if __name__ == "__main__":
    unittest.main()
