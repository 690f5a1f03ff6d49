"""Runs in odd states: files missing, damaged, folders, links, or records with other values.

Every command ends with a result or with one line, and a run that can be resumed ends like one that
was never touched.
"""

import contextlib
import json
import shutil
import unittest
from collections import Counter
from pathlib import Path

import gan3
from tests.properties import EXAMPLES, changed, given, settings, st
from tests.support import (
    call,
    enter_folder,
    keep_judge,
    lines_of,
    slow,
    step_of,
    weights_of,
    write_idx_set,
)

TRAIN = ("train", "--experiment", "auxiliary_gan", "--batches", 2, "--batch-size", 8)
DATA = ("--dataset", "own", "--data", "own")
SMALL = ("--set", "checkpoint_every=1", "--set", "frame_every=1", "--set", "log_every=1")
RUN = Path("logs/a")
COMMANDS = {
    "figures": ("figures", "--run", "a"),
    "compare": ("compare", "a", "b"),
    "alone": ("compare", "a"),
    "generate": ("generate", "12", "--run", "a"),
    "sample": ("sample", "--run", "a", "--count", 5, "--out", "x.npz"),
    "newest": ("sample", "--count", 5, "--out", "x.npz"),
    "recognise": ("recognise", "7.png", "--run", "a"),
    "evaluate": ("evaluate", "--run", "a"),
    "latent": ("latent", "--run", "a", "--out", "x.png"),
    "export": ("export", "--run", "a", "--out", "x.npz"),
    "resume": ("train", "--resume", "--run", "a"),
    "train": (*TRAIN, *DATA, "--episodes", 1, "--run", "a"),
}
LIGHT = ("compare", "alone", "generate", "sample", "newest", "recognise", "train")
KINDS = ("remove", "empty", "folder", "loop", "dangling", "twin", "cut", "flip", "garbage", "twice")
JSON_FILES = ("run.json", "report.json", "metrics.jsonl")


def damage(path, kind, at):
    """Put a file or folder into an odd state; `at`, 0..1, is where in its content."""
    if not path.parent.is_dir():  # an earlier damage took its folder
        return
    content = path.read_bytes() if path.is_file() else b""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    position = int(at * max(len(content) - 1, 0))
    if kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
        (path / "x").touch()
    elif kind == "loop":
        path.symlink_to(path.absolute())
    elif kind == "dangling":
        path.symlink_to("none")
    elif kind == "twin":  # the same file of another run
        path.symlink_to(Path("logs/b", path.relative_to(RUN)).absolute())
    elif kind == "cut":
        path.write_bytes(content[:position])
    elif kind == "flip":
        path.write_bytes(content[:position] + b"\xff" + content[position + 1 :])
    elif kind == "garbage":
        path.write_bytes(bytes(range(256)))
    elif kind == "twice":
        path.write_bytes(content * 2)


@slow("minutes")
class OddRuns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = enter_folder(cls.addClassCleanup)
        write_idx_set(cls.folder / "own")
        keep_judge()
        for run in "ab":
            status, _, err = call(*TRAIN, *DATA, *SMALL, "--episodes", 2, "--run", run)
            assert status == 0, err
            assert call("evaluate", "--run", run)[0] == 0
        shutil.copy("figures/b/real.png", "7.png")
        cls.weights, cls.lines = weights_of("b"), lines_of("b")
        cls.statuses = Counter()
        shutil.copytree("logs", "whole")
        cls.paths = sorted(str(p.relative_to(RUN)) for p in RUN.rglob("*"))

    def restore(self):
        shutil.rmtree("logs/a")
        shutil.copytree("whole/a", "logs/a")
        Path("x.npz").unlink(missing_ok=True)

    def assert_done_or_one_line(self, name):
        status, _, err = call(*COMMANDS[name])
        self.assertIn(status, (0, 2), name)
        lines = err.splitlines()
        if status == 2:
            self.assertRegex(lines.pop(), r"\Agan3: ")
        for line in lines:
            self.assertRegex(line, r"\A(NOTE|written): ")
        self.assertEqual([*Path("logs").rglob("*.part"), *Path().glob("*.part")], [])
        self.assertEqual(lines_of("b"), self.lines)  # the other run is untouched
        self.statuses[status] += 1
        return status

    @classmethod
    def tearDownClass(cls):
        assert cls.statuses[0] and cls.statuses[2], cls.statuses  # some were done, some refused

    def check(self, name, damages):
        self.restore()
        for number, kind, at in damages:
            damage(RUN / self.paths[number % len(self.paths)], kind, at)
        return self.assert_done_or_one_line(name)

    DAMAGES = st.lists(
        st.tuples(st.integers(0, 10**4), st.sampled_from(KINDS), st.floats(0, 1)),
        min_size=1,
        max_size=3,
    )

    @settings(max_examples=max(1, EXAMPLES // 2))
    @given(st.sampled_from(LIGHT), DAMAGES)
    def test_light_commands(self, name, damages):
        self.check(name, damages)

    @settings(max_examples=max(1, EXAMPLES // 10))
    @given(st.sampled_from(["figures", "evaluate", "latent", "export"]), DAMAGES)
    def test_heavy_commands(self, name, damages):
        self.check(name, damages)

    @settings(max_examples=max(1, EXAMPLES // 10))
    @given(DAMAGES)
    def test_a_resumed_run_ends_like_a_whole_one(self, damages):
        damages = [each for each in damages if self.paths[each[0] % len(self.paths)] != "run.json"]
        if self.check("resume", damages) == 0:
            self.assertEqual(step_of("a"), 4)
            self.assertEqual(weights_of("a"), self.weights)
            for file in ("episodes/episode_02.npz", "real.npz"):
                self.assertTrue((RUN / file).is_file())

    @settings(max_examples=max(1, EXAMPLES // 2))
    @given(st.data(), st.sampled_from(JSON_FILES), st.sampled_from(LIGHT))
    def test_records_with_other_values(self, data, file, name):
        self.change(data, file)
        self.assert_done_or_one_line("alone" if file == "report.json" else name)
        with contextlib.suppress(gan3.UserError):
            card = gan3.open_run("a").card
            self.assertIn("held-out", str(card))
            for metric in card.scores:
                card.interval(metric)
            card.save("card")

    @settings(max_examples=max(1, EXAMPLES // 10))
    @given(st.data(), st.sampled_from(JSON_FILES[::2]))
    def test_figures_and_resuming_with_other_values(self, data, file):
        self.change(data, file)
        self.assert_done_or_one_line(data.draw(st.sampled_from(["figures", "resume", "evaluate"])))

    def change(self, data, file):
        """Change values of a JSON file, or of a line of metrics.jsonl."""
        self.restore()
        lines = (RUN / file).read_text().splitlines(True)
        if file != "metrics.jsonl":
            lines = ["".join(lines)]
        number = data.draw(st.integers(0, len(lines) - 1))
        lines[number] = json.dumps(data.draw(changed(json.loads(lines[number])))) + "\n"
        (RUN / file).write_text("".join(lines))
