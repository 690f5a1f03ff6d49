"""The judge: the bundled weights, its training, and which judge scores a data set."""

import dataclasses
import json
import os
import shutil
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.datasets import Dataset, load
from gan3.evaluation import classifier, judge
from gan3.evaluation.card import evaluate
from gan3.evaluation.reference import Reference, SampleSet
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


def bundled_record(path=judge.BUNDLED_JUDGE):
    return json.loads(path.with_suffix(".json").read_text())


class Bundled(FolderTest):
    def test_the_files_are_small_and_have_their_digest_and_a_record_of_their_training(self):
        for path, sha256 in judge.BUNDLED.items():
            self.assertLessEqual(path.stat().st_size, 2_000_000)
            record = bundled_record(path)
            self.assertEqual(record["sha256"], sha256)
            self.assertEqual(judge.digest_of(path), sha256)
            bundled = judge.load(path)
            self.assertEqual(record["digest"], bundled.digest)
            self.assertEqual(record["training_digest"], bundled.origin.training_digest)
            self.assertEqual(tuple(record["class_names"]), bundled.origin.class_names)
            self.assertIn("55,000", record["trained_on"])

    @slow("draws 70,000 digits")
    def test_that_of_the_strokes_learned_from_the_strokes(self):
        dataset, record = load("strokes"), bundled_record(judge.BUNDLED_STROKES)
        self.assertEqual(record["training_digest"], dataset.training_digest)
        accuracy = judge.judge_of(dataset).accuracy(
            dataset.held_out_images, dataset.held_out_labels
        )
        self.assertAlmostEqual(accuracy, record["accuracy"]["test"], delta=3e-4)

    def test_a_changed_or_damaged_file_is_refused(self):
        other, sha256 = self.folder / "judge.npz", judge.BUNDLED[judge.BUNDLED_JUDGE]
        shutil.copy(judge.BUNDLED_JUDGE, other)
        self.enterContext(mock.patch.dict(judge.BUNDLED, {other: sha256}))
        judge.load(other)
        entries = dict(np.load(other))
        for change, message in (
            ({"logits/b": entries["logits/b"] + 1}, "not the bundled judge"),
            ({"logits/b": np.zeros(9, np.float32)}, "logits/b is not float32 or float16 10"),
            ({"class_names": np.frombuffer(b"zero", np.uint8)}, "class names are damaged"),
            ({"class_names": np.full(9, 255, np.uint8)}, "class names are damaged"),
            ({"class_names": np.frombuffer(b"a\na\nb", np.uint8)}, "class names are damaged"),
            ({"training_digest": np.zeros(31, np.uint8)}, "training_digest is not uint8 32"),
        ):
            np.savez(other, **entries | change)
            with self.subTest(message), self.assertRaisesRegex(UserError, message):
                judge.load(other)

    def test_a_judge_is_named_by_its_weights_however_they_are_stored(self):
        bundled = judge.load(judge.BUNDLED_STROKES)
        entries = dict(np.load(judge.BUNDLED_STROKES))
        exact = {k: v.astype(np.float32) for k, v in entries.items() if v.dtype.kind == "f"}
        np.savez_compressed("a.npz", **entries | exact)
        again = judge.load(Path("a.npz"))
        self.assertEqual((again.digest, again.origin), (bundled.digest, bundled.origin))
        np.savez("b.npz", **entries | {"logits/b": entries["logits/b"] + np.float16(0.25)})
        self.assertNotEqual(judge.load(Path("b.npz")).digest, bundled.digest)

    def test_it_recognizes_strokes_that_it_was_not_trained_on(self):
        images, labels, _, _ = strokes.make(500, 10)
        features, logits = judge.load()(images)
        self.assertEqual((features.shape, logits.shape), ((500, 128), (500, 10)))
        self.assertEqual((features.dtype, logits.dtype), (np.float64, np.float64))
        self.assertGreaterEqual(features.min(), 0)
        self.assertGreater((logits.argmax(axis=1) == labels).mean(), 0.97)

    @needs_mnist
    def test_its_accuracy_on_mnist_is_the_recorded_one(self):
        test, record = load("mnist", MNIST), bundled_record()
        self.assertEqual(record["data_digest"], test.digest)
        self.assertEqual(record["training_digest"], test.training_digest)
        accuracy = judge.load().accuracy(test.held_out_images, test.held_out_labels)
        self.assertGreaterEqual(accuracy, 0.994)
        # The rounding of another processor may change one or two of 10,000.
        self.assertAlmostEqual(accuracy, record["accuracy"]["test"], delta=3e-4)


class Training(unittest.TestCase):
    @slow("trains three classifiers")
    def test_it_learns_and_the_seed_decides_the_weights(self):
        images, labels, test_images, test_labels = strokes.make(600, 200)

        def train(seed, steps=5):
            return classifier.train(
                images, labels, classes=10, seed=seed, steps=steps, augment=False
            )

        first, again, other = train(1), train(1), train(2)
        for name in first:
            np.testing.assert_array_equal(first[name], again[name])
        self.assertFalse(np.array_equal(first["hidden/w"], other["hidden/w"]))
        learned = classifier.Classifier(train(1, 60))
        self.assertGreater(learned.accuracy(test_images, test_labels), 0.9)


class Steps(unittest.TestCase):
    def test_twelve_epochs_within_limits(self):
        for images, steps in ((55_000, 5280), (500, 1000), (30_000, 2880), (700_000, 12_000)):
            self.assertEqual(judge.steps_for(images), steps)


class Augmentation(unittest.TestCase):
    def test_a_centered_blob_moves_by_the_shift_and_keeps_its_mass(self):
        blob = np.zeros((200, 28, 28, 1), np.float32)
        blob[:, 11:17, 11:17] = 1  # its center is the center of rotation, 13.5
        got = classifier.augment_images(tf.constant(blob), tf.constant([3, 4])).numpy()[..., 0]
        mass = got.sum(axis=(1, 2))
        positions = np.arange(28)
        x = (got.sum(axis=1) * positions).sum(axis=1) / mass - 13.5
        y = (got.sum(axis=2) * positions).sum(axis=1) / mass - 13.5
        # A shift of up to 2 pixels, scaled by at most 1 / 0.88 and slanted a little.
        for shift in (x, y):
            self.assertLess(np.abs(shift).max(), 2 * 1.5 / 0.88)
            self.assertGreater(np.abs(shift).max(), 1.5)
            self.assertAlmostEqual(shift.mean(), 0, delta=0.4)
        self.assertAlmostEqual(mass.mean() / 36, 1, delta=0.08)
        self.assertAlmostEqual(mass.std() / 36, 0.12 * np.sqrt(2 / 3), delta=0.05)

    def test_it_is_a_function_of_the_seed(self):
        images = tf.constant(strokes.make(10, 10)[0][..., None] / np.float32(255))
        one, same, other = (
            classifier.augment_images(images, tf.constant([1, n])).numpy() for n in (5, 5, 6)
        )
        np.testing.assert_array_equal(one, same)
        self.assertFalse(np.array_equal(one, other))
        self.assertTrue(one.min() >= 0 and one.max() <= 1)


class Found(FolderTest):
    """A small set of strokes in ./own, and a judge of it or not."""

    def setUp(self):
        super().setUp()
        write_idx_set(Path("own"))
        self.own, self.lines = load("own", "own"), []

    def judge(self, dataset=None, **options):
        return judge.judge_of(dataset or self.own, log=self.lines.append, **options)

    def test_without_one_a_line_names_the_command_that_trains_it(self):
        self.assertIsNone(self.judge())
        (line,) = self.lines
        self.assertRegex(line, r"\ANOTE: no judge .* own set .own. \(own\)")
        self.assertTrue(line.endswith("gan3 train-judge --dataset own --data own"), line)
        write_idx_set(Path("my data"))
        self.judge(load("own", "my data"))
        self.assertTrue(self.lines[-1].endswith(" --data 'my data'"))
        self.judge(dataclasses.replace(self.own, source="arrays"))
        self.assertTrue(self.lines[-1].endswith("; train one: call with train_judge=True"))

    def test_the_cached_one_is_used_whatever_is_held_out_or_left_out(self):
        keep_judge()
        expected = judge.load(judge.BUNDLED_STROKES).digest
        for options in ({}, {"split": "validation"}, {"skip_first": 7}):
            found = self.judge(load("own", "own", **options))
            self.assertEqual(found.digest, expected)
            self.assertEqual(found.origin.training_digest, self.own.training_digest)
        self.assertEqual(self.lines, [])

    def test_one_of_other_data_or_a_damaged_one_is_refused(self):
        write_idx_set(Path("other"), 310)
        keep_judge("other", Path("other.npz"))
        message = r"other data than own set .* gan3 train-judge --dataset own --data own\Z"
        for path in (Path("other.npz"), judge.BUNDLED_JUDGE, judge.BUNDLED_STROKES):
            with self.assertRaisesRegex(UserError, message):
                self.judge(file=path)
        self.judge(load("own", "other"), file=Path("other.npz"))
        cached = judge.cached_file(self.own)
        cached.parent.mkdir(parents=True)
        Path("other.npz").rename(cached)  # as if it were this set's
        with self.assertRaisesRegex(UserError, message):
            self.judge()
        cached.write_bytes(cached.read_bytes()[:5000])
        with self.assertRaisesRegex(UserError, r"\Acache/judges/.*damaged"):
            self.judge()

    def test_the_strokes_have_a_bundled_one_for_themselves_only(self):
        arrays = strokes.make(12, 12)
        twelve = Dataset("strokes", "embedded", "d", "test", *arrays)
        self.assertIsNone(self.judge(twelve))
        self.assertEqual(judge.read_origin(judge.BUNDLED_STROKES).class_names, tuple("0123456789"))

    @needs_mnist
    def test_mnist_has_the_bundled_one_and_accepts_another_of_mnist_only(self):
        for options in ({}, {"split": "validation"}, {"skip_first": 5000}):
            mnist = load("mnist", MNIST, **options)
            self.assertEqual(self.judge(mnist).digest, judge.load().digest)
        with self.assertRaisesRegex(UserError, "other data than MNIST .*; leave it out"):
            self.judge(mnist, file=judge.BUNDLED_STROKES)
        with self.assertRaisesRegex(UserError, "MNIST: its judge is bundled; name a file"):
            judge.make(mnist)

    def test_the_folder_of_the_cache(self):
        for variables, expected in (
            ({"GAN3_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, "/a/judges"),
            ({"XDG_CACHE_HOME": "/b"}, "/b/gan3/judges"),
            ({"HOME": "/h", "GAN3_CACHE": "", "XDG_CACHE_HOME": ""}, "/h/.cache/gan3/judges"),
        ):
            with mock.patch.dict(os.environ, variables, clear=True):
                self.assertEqual(str(judge.cached_file(self.own).parent), expected)


class OfThreeClasses(FolderTest):
    def card(self, dataset, scoring_judge, labels=True):
        samples = SampleSet(
            "real",
            dataset.held_out_images,
            dataset.held_out_labels.astype(np.int64) if labels else None,
        )
        return evaluate(samples, Reference(dataset, scoring_judge)).values

    @slow("trains a judge")
    def test_it_is_trained_kept_found_and_scores_real_images_as_real(self):
        dataset, lines = three_classes(), []
        with mock.patch.object(judge, "LEAST_STEPS", 60):
            trained = judge.judge_of(dataset, train=True, log=lines.append)
        self.assertRegex(lines[-1], r"reads \d+\.\d\d% of the held-out validation images and 1?\d")
        path = Path(f"cache/judges/{dataset.training_digest}.npz")
        record = json.loads(path.with_suffix(".json").read_text())
        self.assertEqual(record["class_names"], ["bar", "box", "cross"])
        self.assertGreater(record["accuracy"]["test"], 0.9)
        found = judge.judge_of(dataset, log=self.fail)
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
                judge.judge_of(other, file=path)

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
            card = self.card(dataset, judge.judge_of(dataset, train=True, log=no_log))
        for coverage in card["coverage_by_digit"].values():
            self.assertEqual([value is None for value in coverage], [False, True, False])

    def test_a_class_that_it_could_not_learn_is_named(self):
        dataset = three_classes()
        two = dataset.labels != 1
        images, labels = dataset.images[two], dataset.labels[two]
        dataset = dataclasses.replace(dataset, images=images, labels=labels)
        with self.assertRaisesRegex(UserError, r"\Ashapes: class box is not among the"):
            judge.make(dataset, Path("j.npz"), steps=1, log=no_log)


class CommandLine(FolderTest):
    """Digits of one's own: from no judge to a card with all rows."""

    def setUp(self):
        super().setUp()
        write_idx_set(Path("own"), 360, 60)
        images, labels = strokes.make(500, 10)[:2]
        np.savez("x.npz", images=images[400:], labels=labels[400:])

    def evaluate(self, *options):
        line = ("evaluate", "--samples", "x.npz", *OWN, "--json", "c.json", *options)
        status, out, err = call(*line)
        self.assertEqual(status, 0, err)
        return json.loads(Path("c.json").read_text()), out

    @slow("trains two judges")
    def test_it_is_trained_by_train_judge_or_by_evaluate_and_then_used(self):
        card, out = self.evaluate()
        self.assertEqual(set(card["samples"]), PIXEL_ROWS)
        command = "gan3 train-judge --dataset own --data own"
        self.assertEqual(out.count(command), 1)
        self.assertIn("\njudge none\n", out)

        status, out, err = call(*command.split()[1:], "--steps", "60", "--out", "j/a.NPZ")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"of the held-out test images correctly: j/a.NPZ")
        card, out = self.evaluate("--judge", "j/a.NPZ")
        self.assertNotIn("train-judge", out)
        self.assertTrue({"label_accuracy", "recall", "six_digit_accuracy"} <= set(card["real"]))
        self.assertGreater(card["real"]["label_accuracy"]["value"], 0.6)
        record = json.loads(Path("j/a.json").read_text())
        self.assertEqual(card["judge"]["digest"], record["digest"])
        self.assertEqual(judge.digest_of(Path("j/a.NPZ")), record["sha256"])
        trained = judge.load(Path("j/a.NPZ"))
        self.assertEqual(record["training_digest"], trained.origin.training_digest)

        card, out = self.evaluate("--train-judge")
        self.assertIn("1,000 steps", out)
        self.assertGreater(card["judge"]["accuracy"], 0.9)
        self.assertEqual(len(list(Path("cache/judges").glob("*.npz"))), 1)
        self.assertNotIn("training a judge", self.evaluate("--train-judge")[1])

    def test_bad_arguments(self):
        Path("own/none.npz").write_text("")
        for arguments, message in (
            ((*OWN, "--steps", "0"), "--steps"),
            (("--dataset", "own"), "data set own: needs a data folder"),
            (("--dataset", "own", "--data", "none"), "data folder none: no such folder"),
            ((*OWN, "--out", "own/none.npz/x.npz", "--steps", "1"), "cannot be written"),
        ):
            status, _, err = call("train-judge", *arguments)
            with self.subTest(message):
                self.assertEqual((status, err.count("\n")), (2, 1), err)
                self.assertIn(message, err)
