"""Report cards of runs and of files, by the command line."""

import contextlib
import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.data import strokes
from gan3.evaluation import card as cards
from gan3.evaluation import metrics
from gan3.evaluation.judge import BUNDLED_STROKES, load
from gan3.evaluation.metrics import METRICS, names_needing
from gan3.runs.registry import config_of
from tests.support import FolderTest, call, keep_judge, points_of, slow, write_idx_set


def train_run(name, split="test"):
    """Two episodes of three steps on the data set in ./own."""
    config = config_of("best")
    for key, value in (
        ("batches", 3),
        ("episodes", 2),
        ("batch_size", 10),
        ("dataset", "own"),
        ("split", split),
    ):
        config = config.with_text(key, str(value))
    gan3.train(config, name=name, data="own", log=lambda line: None)


def report_points(name):
    """Tags and steps of the report card in a run's events."""
    return [(tag, step) for tag, step in points_of(name) if tag.startswith("report")]


class RowsByClass(unittest.TestCase):
    def test_a_class_with_few_images_keeps_its_row(self):
        labels = np.array([0] * 5 + [1] * 20 + [2] * 20)
        images = (labels + 1)[:, None, None].repeat(28, 1).repeat(28, 2).astype(np.uint8)
        rows = cards._rows_by_class(images, labels, 0, ("a", "b", "c"))[:, 0, 0].reshape(3, 10)
        expected = [[1] * 5 + [255] * 5, [2] * 10, [3] * 10]  # 255: a white image
        np.testing.assert_array_equal(rows, expected)


class Lines(unittest.TestCase):
    def lines(self, scale):
        """A card in which every value of a metric that has no bound is about `scale`."""
        score = {"value": 1.4 * scale, "low": 1.3 * scale, "high": 1.5 * scale}
        bounded = {"value": 0.5, "low": 0.4, "high": 0.6}
        scores = {
            key: bounded if metric.unit == "fraction" else score for key, metric in METRICS.items()
        }
        real = {key: {"value": -score["value"]} for key, score in scores.items()}
        card = {"count": 123_456, "held_out": 123_456, "data_digest": 64 * "d", "judge": None}
        card |= {"data_title": 100 * "t", "split": "test"}
        card |= {"samples": scores, "real": real, "class_names": ["a", "b"]}
        return str(cards.Card(100 * "n", card, None)).split("\n")

    def test_a_line_has_at_most_80_columns_whatever_the_values(self):
        for scale in (1e-3, 1.0, 280.0, 1e4, 1e7):
            lines = self.lines(scale)
            self.assertLessEqual(max(map(len, lines)), 80, "\n".join(lines))
            self.assertRegex(lines[1], "^ +samples .* better$")
            last = [re.search(r"(better|higher|lower|near [01])$", line) for line in lines]
            ends = {match.start() for match in last if match}
            self.assertEqual(len(ends), 1, "\n".join(lines))  # columns are aligned


@slow("trains and scores a run")
class CardOfARun(FolderTest):
    """Each test has a copy of the same run and of the files of its first evaluation."""

    @classmethod
    def setUpClass(cls):
        cls.template = Path(tempfile.mkdtemp(prefix="gan3 test "))
        cls.addClassCleanup(shutil.rmtree, cls.template)
        with contextlib.chdir(cls.template):
            write_idx_set(Path("own"), 600, 200)
            keep_judge()
            train_run("a")
            cls.status, cls.out, cls.err = call(
                "evaluate", "--run", "a", "--json", "deep/card.json"
            )

    def setUp(self):
        super().setUp()
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)
        self.card = json.loads(Path("logs/a/report.json").read_text())

    def test_the_card_is_printed_written_drawn_and_logged(self):
        self.assertEqual((self.status, self.err), (0, ""))
        self.assertTrue(all(len(line) <= 80 for line in self.out.splitlines()), self.out)
        card = self.card
        printed = json.loads(Path("deep/card.json").read_text())
        self.assertEqual(set(printed.pop("seconds")), set(card["samples"]))
        self.assertEqual(card, printed)
        self.assertEqual((card["count"], card["held_out"], card["split"]), (200, 200, "test"))
        self.assertIsNone(card["sampling_moments"])  # no choice
        for row in ("samples", "real"):
            scores = card[row]
            missing = names_needing("no_labels", "classifier")
            if row == "real":  # real images carry no style from class to class
                missing |= names_needing("autoencoder")
            self.assertEqual(set(scores), set(METRICS) - missing, row)
            for metric, score in scores.items():
                self.assertTrue(np.isfinite(list(score.values())).all())
                if "low" in score:
                    self.assertLessEqual(score["low"], score["value"], metric)
                    self.assertGreaterEqual(score["high"], score["value"], metric)
        for metric in card["samples"]:
            for part in METRICS[metric].title.split(" ("):
                self.assertIn(part, self.out)
        self.assertEqual(np.array(card["confusion"]).sum(), 200)
        style = card["style_transfer"]
        self.assertEqual(style["images"], 200)  # all: fewer than 100 of each digit
        tables = np.array(list(style["correlations"].values()))
        self.assertEqual(tables.shape, (3, 10, 10))
        pairs = tables[:, ~np.eye(10, dtype=bool)]
        lowest = card["samples"]["style_lowest"]["value"]
        self.assertAlmostEqual(lowest, pairs.min(), places=5)
        means = [card["samples"][f"style_{name}"]["value"] for name in style["correlations"]]
        np.testing.assert_allclose(means, pairs.mean(axis=1), atol=1e-5)
        self.assertEqual(card["real"]["reconstruction_error"]["value"], 0)
        with Image.open("figures/a/transfer.png") as picture:
            self.assertGreater(picture.width, 2 * picture.height)
        with Image.open("figures/a/report.png") as picture:
            self.assertGreater(min(picture.size), 1000)
        tags = {f"report/{metric}" for metric in card["samples"]} | {"report"}
        self.assertEqual(report_points("a"), sorted((tag, 6) for tag in tags))

    @slow("scores three times")
    def test_the_seed_decides_the_samples(self):
        path = Path("logs/a/report.json")
        before, points = path.read_bytes(), report_points("a")
        call("evaluate", "--run", "a", "--seed", "1")
        self.assertNotEqual(path.read_bytes(), before)
        call("evaluate", "--run", "a")
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(report_points("a"), points)  # only those of the last evaluation

    @slow("scores a run again")
    def test_without_a_determinator_there_is_no_gap_and_no_style_transfer(self):
        for path in Path("logs/a/checkpoints").iterdir():
            path.unlink()
        status, _, err = call("evaluate", "--run", "a")
        self.assertEqual(status, 0, err)
        scores = json.loads(Path("logs/a/report.json").read_text())["samples"]
        self.assertEqual(scores, self.card["samples"])  # it is in the episode's file, too
        path = Path("logs/a/episodes/episode_02.npz")
        with np.load(path) as arrays:
            generator = {key: arrays[key] for key in arrays if "determinator" not in key}
        np.savez(path, **generator)
        status, out, err = call("evaluate", "--run", "a")
        self.assertEqual(status, 0, err)
        self.assertIn("no determinator-judge gap", out)
        self.assertIn("no style transfer", out)
        scores = json.loads(Path("logs/a/report.json").read_text())["samples"]
        missing = names_needing("determinator", "autoencoder", "reconstructed")
        self.assertEqual(set(self.card["samples"]) - set(scores), missing)

    def test_another_split_and_other_data_are_refused(self):
        status, _, err = call("evaluate", "--run", "a", "--split", "validation")
        self.assertEqual(status, 2)
        self.assertRegex(err, r"\Agan3: run a: held out the test digits .*\n\Z")
        write_idx_set(self.folder / "other", 600, 210)
        status, _, err = call("evaluate", "--run", "a", "--data", "other")
        self.assertEqual(status, 2)
        self.assertRegex(err, r"\Agan3: run a: was trained on other data; .*\n\Z")


class CardOfABatchNormalisedRun(FolderTest):
    @slow("trains a convolutional system and scores it twice")
    def test_it_says_which_moments_the_digits_were_drawn_with(self):
        write_idx_set(Path("own"), 600, 200)
        keep_judge()
        config = config_of("gan_auto_write").with_text("dataset", "own")
        for key in ("episodes", "batches", "skip_first"):
            config = config.with_text(key, "1")
        config = config.with_text("batch_size", "4")
        gan3.train(config, name="a", data="own", log=lambda line: None)
        scores = {}
        for moments, options in (("batch", ()), ("running", ("--moments", "running"))):
            status, out, err = call("evaluate", "--run", "a", *options)
            self.assertEqual(status, 0, err)
            self.assertRegex(out, rf"(?m)^a, {moments} moments: 200 samples")
            card = json.loads(Path("logs/a/report.json").read_text())
            self.assertEqual(card["sampling_moments"], moments)
            scores[moments] = card["samples"]["frechet_distance"]["value"]
        self.assertNotEqual(scores["batch"], scores["running"])


class CardOfAValidationRun(FolderTest):
    @slow("trains a run")
    def test_it_is_scored_on_the_last_training_images_and_never_on_the_test_set(self):
        write_idx_set(self.folder / "own", 720, 200)
        keep_judge()
        train_run("v", split="validation")
        status, out, err = call("evaluate", "--run", "v")
        self.assertEqual(status, 0, err)
        card = json.loads(Path("logs/v/report.json").read_text())
        self.assertEqual((card["split"], card["held_out"]), ("validation", 120))
        status, _, err = call("evaluate", "--run", "v", "--split", "test")
        self.assertEqual(status, 2)
        self.assertRegex(err, "train another run with split test")


class CardOfABundledGenerator(FolderTest):
    @slow("scores two generators")
    def test_only_one_with_an_encoder_has_rows_of_style_and_a_determinator(self):
        write_idx_set(Path("own"), 300, 100)
        keep_judge()
        for name, has_encoder in (("best", True), ("three_network", False)):
            line = ("evaluate", "--pretrained", name, "--dataset", "own", "--data", "own")
            status, out, err = call(*line, "--json", "card.json")
            self.assertEqual(status, 0, err)
            card = json.loads(Path("card.json").read_text())
            rows = names_needing("determinator", "autoencoder", "reconstructed")
            self.assertEqual(rows & set(card["samples"]), rows if has_encoder else set())
            self.assertEqual("style_transfer" in card, has_encoder)
            self.assertEqual("style transfer" in out, has_encoder)


class CardOfAFile(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 1200, 600)
        keep_judge()
        self.images, self.labels = (part[2000:] for part in strokes.make(2400, 10)[:2])

    def card(self, images, labels=None, expected_status=0):
        """The card of an npz file, or the error message."""
        arrays = {"images": images}
        if labels is not None:
            arrays["labels"] = labels.astype(np.int64)
        np.savez("x.npz", **arrays)
        data = ("--dataset", "own", "--data", "own")
        status, out, err = call("evaluate", "--samples", "x.npz", *data, "--json", "card.json")
        self.assertEqual(status, expected_status, err)
        self.out = out
        return json.loads(Path("card.json").read_text()) if expected_status == 0 else err

    def test_with_labels_it_is_the_card_of_requested_digits(self):
        card = self.card(self.images, self.labels)
        self.assertEqual((card["file"], card["count"]), ("x.npz", 400))
        without = names_needing("determinator", "classifier")
        self.assertLessEqual(names_needing("labels") - without, set(card["samples"]))
        self.assertIn("x.npz: uint8 from 0 to 255, read as 0..255\n", self.out)
        digest = load(BUNDLED_STROKES).digest  # that of the weights that stand for its judge
        self.assertIn(f"\njudge {digest}\ndata  {card['data_digest']}\n", self.out)
        self.assertNotIn("determinator_judge_gap", card["samples"])
        self.assertEqual(np.array(card["confusion"]).sum(), 400)

    def test_without_labels_it_is_the_card_of_a_system_without_requested_digits(self):
        card = self.card(self.images[self.labels < 5])
        self.assertFalse(names_needing("labels") & set(card["samples"]))
        self.assertIsNone(card["confusion"])
        self.assertEqual(card["samples"]["classes_covered"]["value"], 5)
        self.assertEqual(card["real"]["classes_covered"]["value"], 10)

    def test_files_that_do_not_fit_are_refused_with_one_line(self):
        images, labels = self.images, self.labels
        for arguments, message in (
            ((images[:50], labels[:50]), "at least 100"),
            ((images[:0], labels[:0]), "has no images"),
            ((images, labels + 1), "labels 10: use one or more digits 0 to 9"),
        ):
            err = self.card(*arguments, expected_status=2)
            with self.subTest(message):
                self.assertRegex(err, message)
                self.assertEqual(err.count("\n"), 1, err)

    @slow("trains three classifiers")
    def test_classification_accuracy_score_and_another_judge(self):
        own = ("--dataset", "own", "--data", "own")
        status, _, err = call("train-judge", *own, "--steps", 150, "--out", "j.npz")
        self.assertEqual(status, 0, err)
        np.savez("x.npz", images=self.images, labels=self.labels.astype(np.int64))
        before = metrics.CAS_STEPS
        self.addCleanup(setattr, metrics, "CAS_STEPS", before)
        metrics.CAS_STEPS = 40
        options = ("--judge", "j.npz", "--json", "c.json", "--cas")
        status, _, err = call("evaluate", "--samples", "x.npz", *own, *options)
        self.assertEqual(status, 0, err)
        card = json.loads(Path("c.json").read_text())
        for row in ("samples", "real"):
            self.assertGreater(card[row]["cas"]["value"], 0.7)
        self.assertEqual(card["judge"]["digest"], load(Path("j.npz")).digest)
        self.assertNotEqual(card["judge"]["digest"], load(BUNDLED_STROKES).digest)
        call("train-judge", *own, "--steps", 1, "--out", "weak.npz")
        for file, says_so in (("j.npz", False), ("weak.npz", True)):
            _, out, _ = call("evaluate", "--samples", "x.npz", *own, "--judge", file)
            self.assertEqual("NOTE: this judge reads only" in out, says_so, out)
