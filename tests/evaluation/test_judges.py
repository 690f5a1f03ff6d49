"""Which judge scores a data set: bundled, cached, trained, refused or none."""

import dataclasses
import json
import os
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

import gan3
from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.datasets import Dataset, load
from gan3.evaluation import judge, judges, report_card
from gan3.evaluation.scoring import SampleSet
from tests.support import MNIST, FolderTest, call, keep_judge, needs_mnist, slow, write_idx_set

PIXEL_ROWS = {"distinct_fraction", "train_distance_ratio"}
OWN = ("--dataset", "own", "--data", "own")


def no_log(line):
    """For what logs nothing of interest."""


def three_classes(count=240):
    """Bars, boxes and crosses at random places: a set of three classes with names."""
    random = np.random.default_rng(5)
    images, labels = np.zeros((count, 28, 28), np.uint8), np.arange(count) % 3
    for image, label in zip(images, labels, strict=True):
        y, x = random.integers(4, 13, 2)
        if label == 0:
            image[y + 4 : y + 7, x : x + 12] = 255
        elif label == 1:
            image[y : y + 12, x : x + 12] = 255
            image[y + 3 : y + 9, x + 3 : x + 9] = 0
        else:
            image[y + 4 : y + 7, x : x + 12] = 255
            image[y : y + 12, x + 4 : x + 7] = 255
        image[:] = image // 4 * random.integers(2, 5)
    labels = labels.astype(np.uint8)
    part, rest = slice(0, count - 60), slice(count - 60, count)
    names = ("bar", "box", "cross")
    digest = f"{count}"
    arrays = images[part], labels[part], images[rest], labels[rest]
    return Dataset("own", "shapes", digest, "test", *arrays, class_names=names)


class Found(FolderTest):
    """A small set of strokes in ./own, and a judge of it or not."""

    def setUp(self):
        super().setUp()
        write_idx_set(Path("own"))
        self.own, self.lines = load("own", "own"), []

    def judge(self, dataset=None, **options):
        return judges.judge_of(dataset or self.own, log=self.lines.append, **options)

    def test_without_one_a_line_names_the_command_that_trains_it(self):
        self.assertIsNone(self.judge())
        (line,) = self.lines
        self.assertRegex(line, r"\ANOTE: no judge .* own set .own. \(own\)")
        self.assertTrue(line.endswith("gan3 train-judge --dataset own --data own"), line)
        write_idx_set(Path("my data"))
        self.judge(load("own", "my data"))
        self.assertTrue(self.lines[-1].endswith(" --data 'my data'"))

    def test_the_cached_one_is_used_whatever_is_held_out_or_left_out(self):
        keep_judge()
        expected = judge.load_bundled(judge.BUNDLED_STROKES).digest
        for options in ({}, {"split": "validation"}, {"skip_first": 7}):
            found = self.judge(load("own", "own", **options))
            self.assertEqual(found.digest, expected)
            self.assertEqual(found.origin.training_digest, self.own.training_digest)
        self.assertEqual(self.lines, [])

    def test_one_of_other_data_is_refused_under_any_name(self):
        write_idx_set(Path("other"), 310)
        keep_judge("other", Path("other.npz"))
        message = r"\Aother.npz: this judge learned from other data than own set"
        with self.assertRaisesRegex(UserError, message):
            self.judge(file=Path("other.npz"))
        self.judge(load("own", "other"), file=Path("other.npz"))

        # Renamed as if it were this set's
        (path,) = judges.cache_folders()
        path.mkdir(parents=True)
        Path("other.npz").rename(path / f"{self.own.training_digest}.npz")
        self.assertIsNone(self.judge())
        self.assertIn("other data", self.lines[0])

    def test_a_damaged_one_is_named_and_then_is_none(self):
        keep_judge()
        (path,) = Path("cache/judges").iterdir()
        path.write_bytes(path.read_bytes()[:5000])
        self.assertIsNone(self.judge())
        self.assertRegex(self.lines[0], r"\ANOTE: cache/judges/.*damaged")

    def test_the_strokes_have_a_bundled_one_for_themselves_only(self):
        arrays = strokes.make(12, 12)
        twelve = Dataset("strokes", "embedded", "d", "test", *arrays)
        self.assertIsNone(self.judge(twelve))
        self.assertEqual(judge.read_origin(judge.BUNDLED_STROKES).class_names, tuple("0123456789"))

    @needs_mnist
    def test_mnist_has_the_bundled_one_and_accepts_another_of_mnist_only(self):
        for options in ({}, {"split": "validation"}, {"skip_first": 5000}):
            mnist = load("mnist", MNIST, **options)
            self.assertEqual(self.judge(mnist).digest, judge.load_bundled().digest)
        with self.assertRaisesRegex(UserError, "other data than MNIST .*; use the bundled one"):
            self.judge(mnist, file=judge.BUNDLED_STROKES)
        with self.assertRaisesRegex(UserError, "MNIST: its judge is bundled; name a file"):
            judges.train_for(mnist)


class Cache(FolderTest):
    def folders(self, **variables):
        kept = {k: v for k, v in os.environ.items() if k not in ("GAN3_CACHE", "XDG_CACHE_HOME")}
        with mock.patch.dict(os.environ, kept | variables, clear=True):
            return [str(folder) for folder in judges.cache_folders()]

    def test_the_folders(self):
        self.assertEqual(self.folders(GAN3_CACHE="/a", XDG_CACHE_HOME="/b"), ["/a/judges"])
        self.assertEqual(self.folders(XDG_CACHE_HOME="/b"), ["/b/gan3/judges", "data/judges"])
        home = ["/h/.cache/gan3/judges", "data/judges"]
        self.assertEqual(self.folders(HOME="/h"), home)
        self.assertEqual(self.folders(HOME="/h", GAN3_CACHE="", XDG_CACHE_HOME="b"), home)

    def test_what_cannot_be_written_is_passed_over(self):
        Path("file").write_text("")
        unusable = str(self.folder / "file")
        with mock.patch.dict(os.environ, GAN3_CACHE="", XDG_CACHE_HOME=unusable):
            judges.train_for(three_classes(), steps=1, log=no_log)
        self.assertEqual(len(list(Path("data/judges").glob("*.npz"))), 1)
        message = "file/judges: cannot be written"
        with (
            mock.patch.dict(os.environ, GAN3_CACHE="file"),
            self.assertRaisesRegex(UserError, message),
        ):
            judges.train_for(three_classes(), steps=1, log=no_log)


class OfThreeClasses(FolderTest):
    def card(self, dataset, scoring_judge, labels=True):
        samples = SampleSet(
            "real",
            dataset.held_out_images,
            dataset.held_out_labels.astype(np.int64) if labels else None,
        )
        return report_card.make_card(samples, dataset, scoring_judge, False, 0, no_log)[0]

    @slow("trains a judge")
    def test_it_is_trained_kept_found_and_scores_real_images_as_real(self):
        dataset, lines = three_classes(), []
        with mock.patch.object(judge, "LEAST_STEPS", 60):
            trained = judges.judge_of(dataset, train=True, log=lines.append)
        self.assertRegex(lines[-1], r"reads \d+\.\d\d% of the held-out validation images and 1?\d")
        path = Path(f"cache/judges/{dataset.training_digest}.npz")
        record = json.loads(path.with_suffix(".json").read_text())
        self.assertEqual(record["class_names"], ["bar", "box", "cross"])
        self.assertGreater(record["accuracy"]["test"], 0.9)
        found = judges.judge_of(dataset, log=self.fail)
        self.assertEqual(found.digest, trained.digest)
        self.assertEqual(found.origin, (dataset.training_digest, dataset.class_names))
        self.assertEqual(found(dataset.images[:5])[1].shape, (5, 3))

        card = self.card(dataset, found)
        for row in ("samples", "real"):
            self.assertGreater(card[row]["label_accuracy"]["value"], 0.9)
        self.assertEqual(np.array(card["confusion"]).shape, (3, 3))
        self.assertNotIn("six_digit_accuracy", card["samples"])  # a number has digits only
        self.assertEqual(card["judge"]["digest"], trained.digest)
        self.assertEqual(card["judge"]["accuracy"], round(record["accuracy"]["test"], 6))

        renamed = dataclasses.replace(dataset, class_names=("a", "b", "c"))
        for other in (three_classes(243), renamed):
            with self.assertRaisesRegex(UserError, "learned from other data than own set"):
                self.card(other, found)

    def test_without_one_a_card_has_the_rows_of_the_pixels(self):
        for labels in (True, False):
            card = self.card(three_classes(), None, labels)
            self.assertEqual(set(card["samples"]), PIXEL_ROWS)
            self.assertEqual(set(card["real"]), PIXEL_ROWS)
            for part in ("judge", "confusion", "coverage_by_digit"):
                self.assertIsNone(card[part])

    def test_a_class_that_is_not_held_out_has_no_coverage(self):
        dataset = three_classes()
        kept = dataset.held_out_labels != 1
        images, labels = dataset.held_out_images[kept], dataset.held_out_labels[kept]
        images, labels = np.tile(images, (2, 1, 1)), np.tile(labels, 2)
        dataset = dataclasses.replace(dataset, held_out_images=images, held_out_labels=labels)
        with mock.patch.object(judge, "LEAST_STEPS", 2):
            card = self.card(dataset, judges.judge_of(dataset, train=True, log=no_log))
        for coverage in card["coverage_by_digit"].values():
            self.assertEqual([value is None for value in coverage], [False, True, False])

    def test_a_class_that_it_could_not_learn_is_named(self):
        dataset = three_classes()
        two = dataset.labels != 1
        images, labels = dataset.images[two], dataset.labels[two]
        dataset = dataclasses.replace(dataset, images=images, labels=labels)
        with self.assertRaisesRegex(UserError, r"\Ashapes: class box is not among the"):
            judge.make(Path("j.npz"), dataset, steps=1, log=no_log)


class CommandLine(FolderTest):
    """Digits of one's own: from no judge to a card with all rows."""

    def setUp(self):
        super().setUp()
        write_idx_set(Path("own"), 360, 60)
        images, labels = strokes.make(500, 10)[:2]
        np.savez("x.npz", images=images[400:], labels=labels[400:])

    def evaluate(self, *options):
        status, out, err = call(
            "evaluate", "--samples", "x.npz", *OWN, "--json", "c.json", *options
        )
        card = json.loads(Path("c.json").read_text()) if status == 0 else None
        return card, out, err

    @slow("trains a judge")
    def test_train_judge_and_evaluate(self):
        card, out, err = self.evaluate()
        self.assertEqual(set(card["samples"]), PIXEL_ROWS, err)
        command = "gan3 train-judge --dataset own --data own"
        self.assertEqual(out.count(command), 1)
        self.assertIn("\njudge none\n", out)

        status, out, err = call(*command.split()[1:], "--steps", "60")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"of the held-out test images correctly: cache/judges/[0-9a-f]{64}")
        card, out, _ = self.evaluate()
        self.assertNotIn("train-judge", out)
        self.assertTrue({"label_accuracy", "recall", "six_digit_accuracy"} <= set(card["real"]))
        self.assertGreater(card["real"]["label_accuracy"]["value"], 0.6)
        (record,) = Path("cache/judges").glob("*.json")
        self.assertEqual(card["judge"]["digest"], json.loads(record.read_text())["digest"])

    @slow("trains a judge by its whole schedule")
    def test_evaluate_trains_it_when_asked(self):
        card, out, err = self.evaluate("--train-judge")
        self.assertIn("1,000 steps", out, err)
        self.assertGreater(card["judge"]["accuracy"], 0.9)
        self.assertNotIn("training a judge", self.evaluate("--train-judge")[1])

    def test_a_judge_of_another_set_is_refused_by_each_way_in(self):
        write_idx_set(Path("other"), 370, 60)
        keep_judge("other", Path("other.npz"))
        for name in ("other.npz", judge.BUNDLED_JUDGE, judge.BUNDLED_STROKES):
            _, out, err = self.evaluate("--judge", name)
            with self.subTest(name):
                self.assertRegex(err, r"\Agan3: .*: this judge learned from other data than .*\n\Z")
                self.assertEqual(err.count("\n"), 1)
                self.assertIn("gan3 train-judge --dataset own --data own", err)
            images = np.load("x.npz")["images"]
            with self.assertRaisesRegex(gan3.UserError, "learned from other data"):
                gan3.evaluate(images, data="own", dataset="own", judge=name)

    def test_bad_arguments(self):
        for arguments, message in (
            ((*OWN, "--steps", "0"), "steps 0: "),
            (("--dataset", "own"), "data set own: needs a data folder"),
            (("--dataset", "own", "--data", "none"), "data folder none: no such folder"),
            ((*OWN, "--out", "own/none.npz/x.npz", "--steps", "1"), "cannot be written"),
        ):
            Path("own/none.npz").write_text("")
            status, _, err = call("train-judge", *arguments)
            with self.subTest(message):
                self.assertEqual((status, err.count("\n")), (2, 1), err)
                self.assertIn(message, err)


if __name__ == "__main__":
    unittest.main()
