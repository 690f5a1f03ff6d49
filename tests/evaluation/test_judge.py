"""The judge: the bundled weights, its accuracy, its training."""

import json
import shutil
import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.data import datasets, strokes
from gan3.evaluation import judge, judges
from tests.support import MNIST, FolderTest, call, needs_mnist, slow


def bundled_record(path=judge.BUNDLED_JUDGE):
    return json.loads(path.with_suffix(".json").read_text())


class Bundled(FolderTest):
    def test_the_files_are_small_and_have_their_digest_and_a_record_of_their_training(self):
        for path, sha256 in judge.BUNDLED.items():
            self.assertLessEqual(path.stat().st_size, 2_000_000)
            record = bundled_record(path)
            self.assertEqual(record["sha256"], sha256)
            self.assertEqual(judge.digest_of(path), sha256)
            bundled = judge.load_bundled(path)
            self.assertEqual(record["digest"], bundled.digest)
            self.assertEqual(record["training_digest"], bundled.origin.training_digest)
            self.assertEqual(tuple(record["class_names"]), bundled.origin.class_names)
            self.assertIn("55,000", record["trained_on"])

    @needs_mnist
    def test_that_of_mnist_learned_from_mnist(self):
        mnist, record = datasets.load("mnist", MNIST), bundled_record()
        self.assertEqual(record["data_digest"], mnist.digest)
        self.assertEqual(record["training_digest"], mnist.training_digest)

    @slow("draws 70,000 digits")
    def test_that_of_the_strokes_learned_from_the_strokes(self):
        dataset, record = datasets.load("strokes"), bundled_record(judge.BUNDLED_STROKES)
        self.assertEqual(record["training_digest"], dataset.training_digest)
        accuracy = judges.judge_of(dataset).accuracy(
            dataset.held_out_images, dataset.held_out_labels
        )
        self.assertAlmostEqual(accuracy, record["accuracy"]["test"], delta=3e-4)

    def test_a_changed_or_damaged_file_is_refused(self):
        other, sha256 = self.folder / "judge.npz", judge.BUNDLED[judge.BUNDLED_JUDGE]
        shutil.copy(judge.BUNDLED_JUDGE, other)
        judge.load(other, sha256)
        content = bytearray(other.read_bytes())
        entries = dict(np.load(other))
        one_name = np.frombuffer(b"zero", np.uint8)
        for change, message in (
            ({"logits/b": entries["logits/b"] + 1}, "not the bundled judge"),
            ({"logits/b": np.full(10, np.nan, np.float32)}, "logits/b .*not finite"),
            ({"logits/b": np.zeros(9, np.float32)}, "logits/b is not float32 or float16 10"),
            ({"class_names": one_name}, "class names are damaged"),
            ({"class_names": np.full(9, 255, np.uint8)}, "class names are damaged"),
            ({"class_names": np.frombuffer(b"a\na\nb", np.uint8)}, "class names are damaged"),
            ({"training_digest": np.zeros(31, np.uint8)}, "training_digest is not uint8 32"),
        ):
            np.savez(other, **entries | change)
            with self.subTest(message), self.assertRaisesRegex(UserError, message):
                judge.load(other, sha256)
        for change, message in (
            (lambda: np.savez(other, **{"logits/b": entries["logits/b"]}), "no array"),
            (lambda: other.write_bytes(content[:5000]), "damaged"),
            (other.unlink, "no such file"),
        ):
            change()
            with self.subTest(message), self.assertRaisesRegex(UserError, message):
                judge.load(other, sha256)

    def test_a_judge_is_named_by_its_weights_however_they_are_stored(self):
        bundled = judge.load_bundled(judge.BUNDLED_STROKES)
        entries = dict(np.load(judge.BUNDLED_STROKES))
        np.savez_compressed(
            "a.npz",
            **{k: v.astype(np.float32) if v.dtype.kind == "f" else v for k, v in entries.items()},
        )
        again = judge.load(Path("a.npz"))
        self.assertEqual((again.digest, again.origin), (bundled.digest, bundled.origin))
        np.savez("b.npz", **entries | {"logits/b": entries["logits/b"] + np.float16(0.25)})
        self.assertNotEqual(judge.load(Path("b.npz")).digest, bundled.digest)

    def test_it_recognizes_strokes_that_it_was_not_trained_on(self):
        images, labels, _, _ = strokes.make(500, 10)
        features, logits = judge.load_bundled()(images)
        self.assertEqual((features.shape, logits.shape), ((500, 128), (500, 10)))
        self.assertEqual((features.dtype, logits.dtype), (np.float64, np.float64))
        self.assertGreaterEqual(features.min(), 0)
        self.assertGreater((logits.argmax(axis=1) == labels).mean(), 0.97)

    def test_features_do_not_depend_on_the_chunks(self):
        images, _, _, _ = strokes.make(1500, 10)
        reader = judge.load_bundled()
        np.testing.assert_allclose(reader(images)[0][900:1100], reader(images[900:1100])[0], 1e-4)

    @needs_mnist
    def test_its_accuracy_on_mnist_is_the_recorded_one(self):
        test = datasets.load("mnist", MNIST)
        accuracy = judge.load_bundled().accuracy(test.held_out_images, test.held_out_labels)
        self.assertGreaterEqual(accuracy, 0.994)
        # The rounding of another processor may change one or two of 10,000.
        self.assertAlmostEqual(accuracy, bundled_record()["accuracy"]["test"], delta=3e-4)


class Training(FolderTest):
    @slow("trains three classifiers")
    def test_it_learns_and_the_seed_decides_the_weights(self):
        images, labels, test_images, test_labels = strokes.make(600, 200)

        def train(seed, steps=5):
            return judge.train(images, labels, classes=10, seed=seed, steps=steps, augment=False)

        first, again, other = train(1), train(1), train(2)
        for name in first:
            np.testing.assert_array_equal(first[name], again[name])
        self.assertFalse(np.array_equal(first["hidden/w"], other["hidden/w"]))
        self.assertGreater(judge.Classifier(train(1, 60)).accuracy(test_images, test_labels), 0.9)

    @slow("trains a classifier")
    @needs_mnist
    def test_the_command_writes_a_judge_and_a_record(self):
        status, out, err = call("train-judge", "--steps", 3, "--data", MNIST, "--out", "j/a.NPZ")
        self.assertEqual(status, 0, err)
        record = json.loads(Path("j/a.json").read_text())
        trained = judge.load(Path("j/a.NPZ"), record["sha256"])
        test = datasets.load("mnist", MNIST)
        accuracy = trained.accuracy(test.held_out_images, test.held_out_labels)
        self.assertEqual(record["accuracy"]["test"], accuracy)
        self.assertIn("j/a.NPZ", out)
        self.assertEqual(record["training_digest"], test.training_digest)
        self.assertEqual(trained.origin.training_digest, test.training_digest)


class Steps(unittest.TestCase):
    def test_twelve_epochs_within_limits(self):
        for images, steps in ((55_000, 5280), (500, 1000), (30_000, 2880), (700_000, 12_000)):
            self.assertEqual(judge.steps_for(images), steps)


class Augmentation(unittest.TestCase):
    def test_a_centered_blob_moves_by_the_shift_and_keeps_its_mass(self):
        blob = np.zeros((200, 28, 28, 1), np.float32)
        blob[:, 11:17, 11:17] = 1  # its center is the center of rotation, 13.5
        got = judge.augment_images(tf.constant(blob), tf.constant([3, 4])).numpy()[..., 0]
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
            judge.augment_images(images, tf.constant([1, n])).numpy() for n in (5, 5, 6)
        )
        np.testing.assert_array_equal(one, same)
        self.assertFalse(np.array_equal(one, other))
        self.assertTrue(one.min() >= 0 and one.max() <= 1)


if __name__ == "__main__":
    unittest.main()
