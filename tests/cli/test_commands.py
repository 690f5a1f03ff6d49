"""What each command does with the bundled generator, and which arguments it refuses."""

import json
import re
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.classes import DIGITS
from gan3.core.files import write_json
from gan3.data import sample_files
from gan3.runs import registry
from gan3.runs.registry import config_of
from tests.support import FolderTest, call, write_idx_set


class WrongArguments(FolderTest):
    def check(self, cases):
        """Each command line gives one line on stderr and status 2, and writes nothing."""
        before = sorted(self.folder.rglob("*"))
        for arguments, message in cases:
            with self.subTest(" ".join(arguments)[:80]):
                status, out, err = call(*arguments)
                self.assertEqual((status, out), (2, ""), err)
                self.assertRegex(err, message)
                self.assertEqual(err.count("\n"), 1, err)
                self.assertNotIn("Traceback", err)
                self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_train(self):
        write_idx_set(self.folder / "own")
        own = ("train", "--dataset", "own", "--data", "own")
        file = "own/train-labels-idx1-ubyte.gz"
        too_long = "n" * 300  # for a file system
        self.check(
            (
                (("train", "--experiment", ""), "'': unknown; there are"),
                (("train", "--experiment", "wgan"), "'wgan': unknown; there are .*three_network"),
                (("train", "--data", "nowhere"), "data folder nowhere: no such folder"),
                (("train", "--data", "no\nwhere\r"), r"folder no\\nwhere\\r: no such folder"),
                (("train", "--dataset", "own"), "data set own: needs a data folder"),
                ((*own, "--run", "a\nb"), r"run name 'a\\nb': letters, digits"),
                ((*own, "--run", ".."), r"run name '\.\.': letters, digits"),
                ((*own, "--run", ""), "run name '': letters, digits"),
                (("train", "--episodes", "0"), "episodes: 0 does not fit"),
                (("train", "--set", "colour=red"), "'colour': unknown"),
                (("train", "--set", "seed"), "--set seed: needs KEY=VALUE"),
                (("train", "--set", "keep_prob=2"), "at most 1"),
                (("train", "--set", f"seed={'9' * 400}"), "seed: 9+… .* does not fit"),
                (("train", "--set", f"digit_weight={'9' * 5000}"), "digit_weight: inf does not"),
                ((*own, "--logs", file), "cannot be written"),
                ((*own, "--figures", file), "cannot be written"),
                ((*own, "--logs", too_long), "file name too long"),
                ((*own, "--figures", too_long), "file name too long"),
                (("train", "--resume"), "no run in it"),
                (("train", "--resume", "--logs", too_long), "file name too long"),
                ((*own, "--resume", "--run", "none"), "no such run"),
            )
        )

    def test_drawing_digits(self):
        self.check(
            (
                (("generate", "12a4"), "'12a4': use digits 0 to 9 only"),
                (("generate", ""), "digits 0 to 9 only"),
                (
                    ("generate", "1", "--pretrained", "best", "--episode", "2"),
                    "--episode 2: with a",
                ),
                (("generate", "1", "--episode", "best"), "no run in it"),
                (("recognise", ""), "the path is empty"),
                (("generate", "12", "--pretrained", "worst"), r"worst'?: .*\bbest\b"),
                (("generate", "12", "--pretrained", ""), r"pretrained.*\bbest\b"),
                (("generate", "12", "--run", "none"), "no such run"),
                (("generate", "12", "--out", "x.npz", "--inverted"), "--out x.npz: .*--inverted"),
                (("generate", "12", "--out", "x.npz", "--scale", "2"), "--out x.npz: .*--scale"),
                (
                    ("generate", "1", "--out", "x.npz", "--spacing", "fixed"),
                    "--out x.npz: .*--spacing",
                ),
                (("train-judge", "--data", ""), "the path is empty"),
                (
                    ("generate", "1", "--moments", "batch"),
                    "moments: this generator leaves no choice",
                ),
                (
                    ("export", "--moments", "batch", "--out", "x.npz"),
                    "batch: npz files have",
                ),
                (
                    ("sample", "--count", "0", "--out", "x.npz"),
                    "'0' is not a whole number",
                ),
                (("sample", "--labels", "abc", "--out", "x.npz"), "labels 'abc': "),
                (("latent", "--labels", "3,12"), "labels .3,12.: no digit .12. here"),
                (("latent", "--labels", "1" * 11), "labels: 11 digits; a sheet shows one to ten"),
                (("latent", "--run", "none"), "no such run"),
                (("export", "--run", "none", "--out", "x.npz"), "no such run"),
                (("figures", "--run", "none"), "no such run"),
                (("figures", "--run", ""), "run '': use a path"),
            )
        )

    def test_scoring_and_recognising_digits(self):
        write_idx_set(self.folder / "own")
        own = ("--dataset", "own", "--data", "own")
        file = "own/train-labels-idx1-ubyte.gz"
        self.check(
            (
                (("evaluate", "--run", "none"), "no such run"),
                (("evaluate",), "no run in it"),
                (("evaluate", "--samples", "none.npz", *own), "no such file"),
                (("evaluate", "--pretrained", "worst"), r"worst'?: .*\bbest\b"),
                (("evaluate", "--dataset", "mnist"), "--dataset mnist: only with --samples"),
                (
                    ("evaluate", "--run", "a", "--dataset", "mnist"),
                    "--dataset mnist: only with --samples",
                ),
                (("evaluate", "--run", "a", "--ink", "dark"), "--ink dark: only with --samples"),
                (
                    ("evaluate", "--pretrained", "best", "--moments", "batch"),
                    "batch: only with",
                ),
                (("evaluate", "--samples", file, "--dpi", "300"), "--dpi 300: only with a run"),
                (("compare", "none"), "no such run"),
                (("compare", "none", "--out", f"{file}/x.png"), "x.png: cannot be written"),
                (("evaluate", "--run", "none", "--json", f"{file}/x"), "gz/x: cannot be written"),
                (("sweep", "none.toml"), "no such file"),
                (("sweep", file), "not TOML"),
                (("sweep", file, "--address", "a:1"), "--address a:1: with --engine ray only"),
                (("train-judge", *own, "--steps", "0"), "'0' is not a whole number"),
                (("recognise", "none.png"), "no such file"),
                (("recognise", __file__), "not a picture"),
            )
        )

    def make_run(self, name):
        """A run that was stopped before its first episode was over."""
        Path(f"logs/{name}").mkdir(parents=True)
        record = {"started": "2026-01-01", "config": config_of("three_network").to_dict()}
        record["class_names"] = DIGITS
        write_json(Path(f"logs/{name}/run.json"), record)

    def test_a_run_without_an_episode_cannot_draw(self):
        self.make_run("young")
        self.check(
            (line, "run young: no episode")
            for line in (("figures",), ("generate", "1"), ("sample", "--out", "x.npz"))
        )


class BundledGenerator(FolderTest):
    """Without any run, the commands that draw use the bundled generator and say which it is."""

    NOTE = r" \(drawn by the bundled best\)\n"

    def call(self, *arguments):
        status, out, err = call(*arguments)
        self.assertEqual((status, err), (0, ""))
        return out

    def test_generate_draws_rows_of_a_number_and_single_digits(self):
        line = ("generate", "204", "--variants", 2, "--uncurated")
        out = self.call(*line, "--scale", 1, "--spacing", "fixed")
        self.assertRegex(out, rf"\A204: figures/204.png{self.NOTE}\Z")
        picture = np.asarray(Image.open("figures/204.png"))
        self.assertEqual((picture.shape, picture.dtype), ((2 * 28, 3 * 18), np.uint8))
        self.call(*line, "--out", "x.npz")
        with np.load("x.npz") as arrays:
            self.assertEqual(arrays["labels"].tolist(), [2, 0, 4] * 2)
            rows = 255 - arrays["images"].reshape(2, 3, 28, 28)[..., 5:-5]
            np.testing.assert_array_equal(picture, np.block([[*row] for row in rows]))

    def test_a_picture_is_large_and_of_the_most_readable_tries(self):
        out = self.call("generate", "241256", "--seed", 5)
        note = r" \(drawn by the bundled best, the best of 4 tries\)\n"
        self.assertRegex(out, rf"\A241256: figures/241256.png{note}\Z")
        large = np.asarray(Image.open("figures/241256.png"))
        self.assertEqual(large.shape[0], 8 * 28)
        self.call("generate", "241256", "--seed", 5, "--scale", 1)
        small = np.asarray(Image.open("figures/241256.png"))
        self.assertEqual((small.shape[0], 8 * small.shape[1]), (28, large.shape[1]))
        self.call("generate", "241256", "--seed", 5, "--out", "best.npz")
        with np.load("best.npz") as arrays:
            curated = arrays["images"]
        best = gan3.load("best")
        labels = np.array([2, 4, 1, 2, 5, 6])
        tries = np.stack([best(labels, (5, 100 * i)) for i in range(4)])
        read = [best.encode(images) for images in tries]
        reconstructed = np.stack([best.draw(labels, code.noise) for code in read])
        cost = ((reconstructed.astype(float) - tries) ** 2).sum(axis=(2, 3))
        cost += 1e9 * np.stack([code.labels != labels for code in read])
        chosen = cost.argmin(axis=0)
        self.assertGreater(len(set(chosen)), 1)
        wanted = tries[chosen, np.arange(6)]
        self.assertLessEqual(np.abs(curated.astype(int) - wanted).max(), 1)

    def test_pictures_of_samples_are_read_back(self):
        """By `evaluate --samples` and `train --data`, which both end in these readers."""
        self.call("sample", "--count", 60, "--seed", 3, "--out", "x.npz")
        drawn = sample_files.read(Path("x.npz"))
        out = self.call("sample", "--count", 60, "--seed", 3, "--out", "pictures")
        self.assertRegex(out, rf"\A60 digits: pictures{self.NOTE}\Z")
        self.assertEqual(len(list(Path("pictures/7").iterdir())), 6)
        read = sample_files.read(Path("pictures"))
        np.testing.assert_array_equal(np.sort(read.labels), np.sort(drawn.labels))
        order = np.argsort(drawn.labels, kind="stable")
        np.testing.assert_array_equal(read.images, drawn.images[order])
        self.call("generate", "2047", "--separate", "each")
        self.assertEqual(sample_files.read(Path("each")).labels.tolist(), [2, 0, 4, 7])
        for line in (("sample", "--out", "pictures"), ("generate", "7", "--separate", "each")):
            message = f"gan3: {line[-1]}: is not empty; name a new folder\n"
            self.assertEqual(call(*line)[::2], (2, message))
        self.assertRegex(call("sample", "--out", "x.png")[2], "does not end in .npz")

    def test_equal_rows_are_told(self):
        line = ("generate", "1", "--pretrained", "published_code", "--variants", "2")
        status, _, err = call(*line, "--out", "x.npz")
        self.assertEqual(status, 0)
        self.assertEqual(
            err, "NOTE: one image of each digit, so all rows are equal; see --noise-seed\n"
        )
        with np.load("x.npz") as arrays:
            np.testing.assert_array_equal(*arrays["images"])

    def test_latent_writes_a_sheet_and_an_animation(self):
        out = self.call("latent", "--mode", "interpolate", "--labels", 4)
        name = "figures/latent_interpolate"
        self.assertRegex(
            out,
            rf"\Alatent interpolation: {name}.png{self.NOTE}animation: {name}.gif\n\Z",
        )
        with Image.open(f"{name}.gif") as animation:
            self.assertEqual(animation.n_frames, 41 + 39)  # there and back

    def test_export_page_writes_the_whole_generator(self):
        out = self.call("export-page", "--out", "a/digits.html")
        self.assertRegex(out, r"\Athe bundled best: a/digits.html\n\Z")
        self.assertGreater(Path("a/digits.html").stat().st_size, 1_000_000)
        self.assertIn("<h1>Digits by best</h1>", Path("a/digits.html").read_text())

    def test_recognise_reads_with_the_judge_if_there_is_no_run(self):
        self.call("generate", "7", "--out", "7.png", "--seed", 3)
        out = self.call("recognise", "7.png")
        self.assertRegex(out, r"\A7.png: 7 \(\d+\.\d%, read by the judge\)\n\Z")
        self.assertEqual(self.call("recognise", "7.png", "--judge"), out)
        out = self.call("recognise", "7.png", "--pretrained", "best")
        self.assertRegex(out, r"\A7.png: 7 \(\d+\.\d%, read by the bundled best\)\n\Z")
        status, _, err = call("recognise", "7.png", "--pretrained", "mlp_gan")
        self.assertEqual(status, 2)
        self.assertIn("mlp_gan: mlp_gan has no determinator in its file; name another run, or", err)
        status, _, err = call("recognise", "7.png", "--judge", "--episode", 9)
        self.assertEqual((status, "--episode 9: with a run only" in err), (2, True))

    def test_recognise_reads_rows_of_a_table(self):
        drawn = gan3.load("best").generate("207")
        np.savetxt("x.csv", drawn.reshape(3, 784), "%d", ",")
        out = self.call("recognise", "x.csv", "--judge")
        read = re.findall(r"x\.csv\[(\d)\]: (\d) \(\d+\.\d%, read by the judge\)\n", out)
        self.assertEqual(read, [("0", "2"), ("1", "0"), ("2", "7")])
        first, *_ = json.loads(self.call("recognise", "x.csv", "--judge", "--json"))["images"]
        self.assertEqual(max(first["probabilities"], key=first["probabilities"].get), "2")


class Experiments(unittest.TestCase):
    def test_they_are_listed_with_their_summaries(self):
        status, out, _ = call("experiments")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^three_network +The three-network")
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        words = " ".join(out.split())
        for name in registry.names():
            self.assertIn(f"{name} {registry.summary_of(name)}", words)
        summaries = json.loads(call("experiments", "--json")[1])
        self.assertEqual(summaries["best"], registry.summary_of("best"))

    def test_the_settings_of_one_are_listed(self):
        status, out, _ = call("config", "best")
        self.assertEqual(status, 0)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        self.assertIn("learning_rate = 0.004,0.004,0.001\n    for each of generator, disc", out)
        fields = json.loads(call("config", "best", "--json")[1])
        self.assertEqual(fields["batch_size"]["value"], 100)
        self.assertRegex(call("config", "worst")[2], "experiment 'worst': unknown; there are")
