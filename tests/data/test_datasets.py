"""Where a data set is looked for, how it is split, and how it is named."""

import dataclasses
import hashlib
import os
import shutil
import unittest
import unittest.mock
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data import datasets, idx, strokes
from gan3.data.datasets import load
from gan3.evaluation.judge import training_command
from gan3.plots.numbers import save_pictures
from tests.support import MNIST, FolderTest, call, needs_mnist, slow, write_idx_set

NO_MIRROR = ("https://127.0.0.1:9/",)  # nothing listens there


class OwnIdxSet(FolderTest):
    def setUp(self):
        super().setUp()
        self.arrays = write_idx_set(self.folder / "own")

    def load(self, **changes):
        return load(**{"dataset": "own", "folder": "own"} | changes)

    def test_what_a_judge_may_learn_depends_on_the_training_part_alone(self):
        images, labels, _, _ = self.arrays
        digests = set()
        for changes in ({}, {"split": "validation"}, {"skip_first": 100}):
            dataset = self.load(**changes)
            digests.add(dataset.training_digest)
            learned, validation = dataset.halves()
            for k, whole in enumerate((images, labels)):
                np.testing.assert_array_equal(learned[k], whole[:250])
                np.testing.assert_array_equal(validation[k], whole[250:])
        self.assertEqual(len(digests), 1)
        named = dataclasses.replace(dataset, class_names=tuple("abcdefghij"))
        digests.add(named.training_digest)
        images, labels = dataset.whole[0], dataset.whole[1].copy()
        labels[-1] = (labels[-1] + 1) % 10  # an image that is never learned from
        digests.add(dataclasses.replace(dataset, whole=(images, labels)).training_digest)
        self.assertEqual(len(digests), 3)

    def test_the_digest_of_ten_digits_is_that_of_the_four_arrays(self):
        for changes in ({}, {"split": "validation"}, {"skip_first": 7}):
            with self.subTest(**changes):
                dataset = self.load(**changes)
                self.assertEqual(dataset.digest, digest_of(*self.arrays))
                self.assertEqual(dataset.training_digest, digest_of(*self.arrays[:2]))
                self.assertEqual(dataset.class_names, tuple("0123456789"))

    def test_a_sixth_of_a_small_set_is_held_out_for_validation(self):
        dataset = self.load(split="validation")
        np.testing.assert_array_equal(dataset.images, self.arrays[0][:250])
        np.testing.assert_array_equal(dataset.held_out_images, self.arrays[0][250:])
        np.testing.assert_array_equal(dataset.held_out_labels, self.arrays[1][250:])
        for count, expected in ((50, 8), (29_999, 4_999), (30_000, 5_000), (60_000, 5_000)):
            self.assertEqual(datasets.validation_count(count), expected)


def digest_of(*parts):
    """SHA-256 over those of the parts."""
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


class OwnSets(FolderTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.images = random.integers(0, 90, (420, 28, 28), np.uint8)
        self.names = np.array(["ant", "bee", "cow"])
        self.labels = (np.arange(420) % 3).astype(np.uint8)

    def load(self, **changes):
        return load("own", "x.npz", ink="bright", log=str, **changes)

    def write(self, **changes):
        names = self.names[self.labels]
        arrays = {"x_train": self.images[:360], "y_train": names[:360]}
        arrays |= {"x_test": self.images[360:], "y_test": names[360:]}
        np.savez("x.npz", **arrays | changes)

    def test_names_title_and_digests_come_with_the_set(self):
        self.write()
        dataset = self.load()
        self.assertEqual(dataset.class_names, ("ant", "bee", "cow"))
        self.assertEqual((dataset.name, dataset.source), ("own", "x.npz"))
        self.assertEqual(dataset.title, 'own set "x"')
        train, test = (
            (self.images[rows], self.labels[rows]) for rows in (slice(360), slice(360, None))
        )
        np.testing.assert_array_equal(dataset.labels, train[1])
        np.testing.assert_array_equal(dataset.held_out_images, test[0])
        names = b"ant\nbee\ncow"
        self.assertEqual(dataset.digest, digest_of(*train, *test, names))
        self.assertEqual(dataset.training_digest, digest_of(*train, names))
        others = {self.load(split="validation").training_digest, self.load(skip_first=9).digest}
        self.assertEqual(others, {dataset.training_digest, dataset.digest})

    def test_a_set_sorted_by_class_is_mixed_and_split_by_class(self):
        """Of 360 images a sixth is held out: 20 of each class, not all of the last one."""
        order = np.argsort(self.labels[:360], kind="stable")
        self.write(x_train=self.images[order], y_train=self.names[self.labels[order]])
        dataset = self.load(split="validation")
        self.assertEqual(np.bincount(dataset.held_out_labels).tolist(), [20, 20, 20])
        self.assertEqual(np.bincount(dataset.labels).tolist(), [100, 100, 100])
        of_image = {
            image.tobytes(): label for image, label in zip(self.images, self.labels, strict=True)
        }
        whole = self.load()
        for part in (dataset, whole):
            for image, label in zip(part.images, part.labels, strict=True):
                self.assertEqual(of_image[image.tobytes()], label)
        np.testing.assert_array_equal(whole.images[-60:], dataset.held_out_images)
        self.assertEqual(len({image.tobytes() for image in whole.images}), 360)

    def test_the_source_of_a_record_is_used_while_it_is_there(self):
        self.write()
        record = {"data": "own", "data_source": "x.npz"}
        self.assertEqual(datasets.recorded_source(record), "x.npz")
        gone = record | {"data_source": str(Path("gone.npz").absolute())}
        self.assertIsNone(datasets.recorded_source(gone | {"data": "mnist"}))
        with self.assertRaisesRegex(UserError, "gone.npz: the data of this run is gone; name"):
            datasets.recorded_source(gone)
        self.assertIsNone(datasets.recorded_source({}))
        file = Path(self.folder, "mnist.npz")
        file.touch()
        for source in (self.folder, file):
            found = datasets.recorded_source({"data": "mnist", "data_source": str(source)})
            self.assertEqual(found, str(self.folder))


class DamagedPictures(FolderTest):
    def test_the_command_that_the_message_leads_to_works(self):
        images, labels = strokes.make(400, 10)[:2]
        pairs = zip(images, labels, strict=True)
        save_pictures(Path("set"), ((f"{i:03}.png", x, str(y)) for i, (x, y) in enumerate(pairs)))
        for name in ("003", "007"):
            Path(f"set/{name}.png").write_bytes(b"damaged")
        line = ("train-judge", "--dataset", "own", "--data", "set", "--ink", "bright", "--steps", 1)
        status, _, err = call(*line, "--out", "x.npz")
        self.assertRegex(
            err, "^gan3: set: 2 pictures .*: 003.png, 007.png; .* skip_damaged leaves out .*\n$"
        )
        status, out, err = call(*line, "--out", "x.npz", "--skip-damaged")
        self.assertEqual(status, 0, err)
        self.assertIn("NOTE: set: left out 2 damaged pictures, such as set/003.png: not a", out)
        whole = load("own", "set", log=str, ink="bright", skip_damaged=True)
        self.assertEqual(len(whole.images) + len(whole.held_out_images), 398)
        self.assertRegex(training_command(whole), "--data set --ink bright --skip-damaged$")


class Arrays(FolderTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(3)
        self.images = random.integers(0, 256, (420, 28, 28), np.uint8)
        self.labels = np.arange(420) % 3
        self.arrays = {
            "train-images": self.images[:360] / 127.5 - 1,
            "train-labels": np.eye(3)[self.labels[:360]],
            "t10k-images": self.images[360:].reshape(-1, 1, 28, 28) / 127.5 - 1,
            "t10k-labels": self.labels[360:, None],
        }

    def test_arrays_are_a_set_like_that_of_a_file(self):
        dataset = load("own", self.arrays, ink="bright", log=str)
        self.assertEqual((dataset.title, dataset.source), ('own set "arrays"', "arrays"))
        np.testing.assert_array_equal(dataset.images, self.images[:360])
        np.testing.assert_array_equal(dataset.held_out_labels, self.labels[360:])
        names = ("x_train", "y_train", "x_test", "y_test")
        np.savez("x.npz", **dict(zip(names, self.arrays.values(), strict=True)))
        self.assertEqual(dataset.digest, load("own", "x.npz", ink="bright", log=str).digest)
        one = {kind: array for kind, array in self.arrays.items() if "train" in kind}
        self.assertEqual(len(load("own", one, ink="dark", log=str).held_out_images), 51)

    @needs_mnist
    def test_arrays_of_mnist_are_known_to_be_bright(self):
        mnist = load("mnist", MNIST)
        parts = (mnist.images, mnist.labels, mnist.held_out_images, mnist.held_out_labels)
        own = load("own", dict(zip(idx.KINDS, parts, strict=True)))
        self.assertEqual((own.title, own.digest), ("MNIST", mnist.digest))


class SearchTest(FolderTest):
    """No MNIST outside the temporary folder is found; log lines are kept in `lines`."""

    def setUp(self):
        super().setUp()
        environment = {"KERAS_HOME": str(self.folder / "keras"), "GAN3_DATA": ""}
        patch = unittest.mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)
        self.lines = []

    def load(self, dataset="mnist", folder=None, **options):
        options = {"log": self.lines.append, "mirrors": NO_MIRROR} | options
        return load(dataset, folder, **options)


class Strokes(SearchTest):
    def test_strokes_never_pass_for_mnist(self):
        """The warning comes before anything else is done, whether they were requested or not."""

        class WarnedError(Exception):
            pass

        def log(line):
            self.lines.append(line)
            if line.startswith("WARNING"):
                raise WarnedError

        for dataset in ("auto", "strokes"):
            with self.subTest(dataset), self.assertRaises(WarnedError):
                self.load(dataset, log=log)
            self.assertIn("strokes (synthetic, NOT MNIST)", self.lines[-1])
        self.assertEqual(datasets.TITLES["strokes"], "strokes (synthetic, NOT MNIST)")
        self.assertEqual(sum("NOT" in title for title in datasets.TITLES.values()), 1)

    @slow("draws 70,000 strokes")
    def test_auto_falls_back_to_strokes_which_are_cached(self):
        drawn = self.load("auto")
        self.assertEqual((drawn.name, drawn.source), ("strokes", "embedded"))
        self.assertEqual(drawn.title, "strokes (synthetic, NOT MNIST)")
        self.assertRegex(self.lines[1], "NOTE: MNIST: not found, and no mirror has it")
        self.assertRegex(self.lines[2], "WARNING: .*NOT MNIST")
        self.lines.clear()
        cached = self.load("strokes")
        self.assertEqual((cached.digest, len(self.lines)), (drawn.digest, 1))  # the warning
        self.assertIn("NOT MNIST", self.lines[0])
        cache = Path("data", strokes.CACHE)
        changed = dict(np.load(cache))
        changed["train-images"][0, 0, 0] ^= 1
        np.savez(cache, **changed)
        self.assertEqual(self.load("strokes").digest, drawn.digest)
        self.assertIn(f"NOTE: {cache}: not the strokes; they are drawn again", self.lines)


class Search(SearchTest):
    def test_without_mnist_and_network_there_is_one_error_and_nothing_is_written(self):
        with self.assertRaisesRegex(UserError, "no mirror has it .*GAN3_DATA") as raised:
            self.load()
        self.assertNotIn("--", str(raised.exception))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_variable_that_names_no_folder_is_refused(self):
        """Only named folders must exist; a home folder may be that of an unknown user."""
        os.environ["KERAS_HOME"] = "~nobody at all"
        with self.assertRaisesRegex(UserError, "no mirror"):
            self.load()
        os.environ["GAN3_DATA"] = "none"
        with self.assertRaisesRegex(UserError, "^GAN3_DATA=none: no such folder; set it to anoth"):
            self.load()
        os.environ["GAN3_DATA"] = ""  # as the message says
        with self.assertRaisesRegex(UserError, "no mirror"):
            self.load()

    def test_an_incomplete_default_folder_is_skipped(self):
        write_idx_set(self.folder / "data")
        (self.folder / "data" / "train-labels-idx1-ubyte.gz").unlink()
        with self.assertRaisesRegex(UserError, "no mirror"):
            self.load()
        self.assertRegex(
            self.lines[0], "NOTE: .*t10k-labels are missing or not.*; searching other folders"
        )

    @needs_mnist
    def test_mnist_is_the_same_from_every_folder_and_format(self):
        dataset, digests = self.load(folder=MNIST), set()
        for folder, change in (
            ("data", lambda name: name),
            ("MNIST_data", lambda name: name.replace("-idx", ".idx")),
            ("keras/datasets", lambda name: name.replace("t10k", "test")),
            ("data/MNIST/raw", lambda name: f"mnist-{name}"),
        ):
            (self.folder / folder).mkdir(parents=True)
            for name in idx.FILE_NAMES.values():
                shutil.copy(Path(MNIST) / f"{name}.gz", self.folder / folder / f"{change(name)}.gz")
            digests.add(self.load().digest)
            shutil.rmtree(self.folder / folder.split("/")[0])
        (self.folder / "data").mkdir()
        train = {"x_train": dataset.images, "y_train": dataset.labels}
        test = {"x_test": dataset.held_out_images, "y_test": dataset.held_out_labels}
        np.savez(self.folder / "data" / "mnist.npz", **train, **test)
        from_npz = self.load()
        self.assertTrue(from_npz.source.endswith("mnist.npz"))
        self.assertEqual(digests | {from_npz.digest}, {dataset.digest})

    @needs_mnist
    def test_the_splits_of_mnist_and_the_first_images_left_out(self):
        """The reader of the 2017 script leaves out the first 5,000."""
        whole = self.load(folder=MNIST)
        for split, first, last in (
            ("validation", 0, 55_000),
            ("test", 5_000, 60_000),
            ("validation", 5_000, 55_000),
        ):
            part = self.load(folder=MNIST, split=split, skip_first=first)
            np.testing.assert_array_equal(part.images, whole.images[first:last])
            np.testing.assert_array_equal(part.labels, whole.labels[first:last])
            self.assertEqual(part.digest, whole.digest)
            if split == "validation":
                np.testing.assert_array_equal(part.held_out_images, whole.images[last:])
                np.testing.assert_array_equal(part.held_out_labels, whole.labels[last:])
