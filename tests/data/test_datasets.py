import gzip
import os
import shutil
import subprocess
import sys
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.data import idx
from gan3.data.batches import Batches, to_pixels, to_unit
from gan3.data.datasets import load
from tests.support import MNIST, ROOT, FolderTest, idx_bytes, needs_mnist, write_idx_set

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
NOWHERE = ("https://127.0.0.1:9/",)  # nothing listens there


class Pixels(unittest.TestCase):
    def test_there_and_back(self):
        pixels = np.arange(256, dtype=np.uint8).repeat(784).reshape(256, 28, 28)
        images = to_unit(tf.constant(pixels)).numpy()
        self.assertEqual((images.shape, images.dtype), ((256, 28, 28, 1), np.float32))
        self.assertEqual((images.min(), images.max()), (0.0, 1.0))
        np.testing.assert_array_equal(to_pixels(images[..., 0]), pixels)

    def test_outside_the_range_is_an_error(self):
        for value in (-0.01, 1.01, np.nan, np.inf):
            with self.subTest(value), self.assertRaises(ValueError):
                to_pixels(np.array([0.5, value]))


class Order(unittest.TestCase):
    def epochs(self, count, size, seed, how_many):
        batches = Batches(count, size, seed)
        drawn = np.concatenate([batches(step) for step in range(1, how_many * count // size + 1)])
        return drawn.reshape(how_many, count)

    def test_each_epoch_is_a_permutation_and_each_a_new_one(self):
        epochs = self.epochs(count=60, size=10, seed=0, how_many=4)
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch), np.arange(60))
        self.assertEqual(len({epoch.tobytes() for epoch in epochs}), 4)

    def test_a_batch_may_span_two_epochs(self):
        epochs = self.epochs(count=50, size=20, seed=0, how_many=2)
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch), np.arange(50))

    def test_a_batch_larger_than_the_set(self):
        batch = Batches(7, 21, 0)(1)
        np.testing.assert_array_equal(np.bincount(batch), [3] * 7)

    def test_the_seed_decides_and_no_step_needs_the_one_before(self):
        one, same, other = Batches(500, 10, 1), Batches(500, 10, 1), Batches(500, 10, 2)
        for step in (33, 2, 170):
            np.testing.assert_array_equal(one(step), same(step))
            self.assertFalse(np.array_equal(one(step), other(step)))


class OwnIdx(FolderTest):
    def setUp(self):
        super().setUp()
        self.arrays = write_idx_set(self.folder / "own")
        self.own = str(self.folder / "own")

    def load(self, **changes):
        return load(**({"dataset": "idx", "folder": self.own} | changes))

    def refused(self, message, **changes):
        with self.assertRaisesRegex(UserError, message) as raised:
            self.load(**changes)
        self.assertNotIn("\n", str(raised.exception))

    def test_the_four_files_come_back(self):
        got = self.load()
        for array, part in zip(
            self.arrays,
            (got.images, got.labels, got.held_out_images, got.held_out_labels),
            strict=True,
        ):
            np.testing.assert_array_equal(array, part)
        self.assertEqual((got.name, got.source), ("idx", self.own))

    def test_decompressed_files_serve_as_well(self):
        digest = self.load().digest
        for path in Path(self.own).glob("*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
        self.assertEqual(self.load().digest, digest)

    def test_another_pixel_another_digest(self):
        digest = self.load().digest
        changed = self.arrays[0].copy()
        changed[0, 0, 0] ^= 1
        (Path(self.own) / IMAGES).write_bytes(gzip.compress(idx_bytes(changed)))
        self.assertNotEqual(self.load().digest, digest)

    def test_files_that_are_not_what_they_say(self):
        images, labels = self.arrays[:2]
        whole = gzip.compress(idx_bytes(images))
        huge = idx_bytes(images)[:4] + np.array([2**31, 28, 28], ">u4").tobytes()
        wide = idx_bytes(np.zeros((60, 28, 29), np.uint8))
        for name, content, message in (
            (IMAGES, b"", "not an IDX file"),
            (IMAGES, b"not gzip at all", "cannot be read"),
            (IMAGES, whole[: len(whole) // 2], "damaged gzip"),
            (IMAGES, whole[:-6], "damaged gzip"),
            (IMAGES, gzip.compress(idx_bytes(images)[:-1]), "truncated"),
            (IMAGES, gzip.compress(idx_bytes(images) + b"x"), "longer"),
            (IMAGES, gzip.compress(idx_bytes(labels)), "not an IDX file"),
            (IMAGES, gzip.compress(huge), "entries; from 50"),
            (IMAGES, gzip.compress(wide), "not \\(28, 28\\)"),
            (LABELS, gzip.compress(idx_bytes(labels + np.uint8(3))), "labels are 0 to 9"),
            (LABELS, gzip.compress(idx_bytes(labels[:-1])), "299 labels for 300 images"),
            (LABELS, gzip.compress(idx_bytes(labels[:9])), "9 entries"),
        ):
            with self.subTest(name=name, message=message):
                path = Path(self.own) / name
                before = path.read_bytes()
                path.write_bytes(content)
                self.refused(message)
                path.write_bytes(before)

    def test_a_missing_file_is_named(self):
        (Path(self.own) / LABELS).unlink()
        self.refused("train-labels-idx1-ubyte: missing")

    def test_folders(self):
        self.refused("no such folder", folder="elsewhere")
        self.refused("needs --data", folder=None)
        (self.folder / "empty").mkdir()
        self.refused("none of", folder="empty")

    def test_validation_needs_more_than_it_holds_out(self):
        self.refused("leave none", split="validation")

    def test_it_does_not_pass_for_mnist(self):
        self.refused("MNIST has 60000", dataset="mnist")


class Suite(unittest.TestCase):
    def test_a_relative_folder_of_mnist_is_made_absolute(self):
        code = "import os\nfrom tests.support import MNIST\nprint(MNIST, os.environ['GAN3_DATA'])"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"GAN3_DATA": "tests"},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(done.stdout, f"{ROOT / 'tests'} {ROOT / 'tests'}\n")


class Searching(FolderTest):
    def setUp(self):
        super().setUp()
        for key, value in (("KERAS_HOME", str(self.folder / "keras")), ("GAN3_DATA", "")):
            patch = unittest.mock.patch.dict(os.environ, {key: value})
            patch.start()
            self.addCleanup(patch.stop)
        self.said = []

    def test_no_mnist_and_no_network(self):
        with self.assertRaisesRegex(UserError, "no mirror gave it .*--data"):
            load("mnist", log=self.said.append, mirrors=NOWHERE)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_auto_falls_back_to_strokes_and_says_so(self):
        got = load("auto", log=self.said.append, mirrors=NOWHERE)
        self.assertEqual((got.name, got.title), ("strokes", "strokes (not MNIST)"))
        self.assertIn("NOT MNIST", "\n".join(self.said))
        self.said.clear()
        again = load("strokes", log=self.said.append)  # from the cache, drawn once
        self.assertEqual((again.digest, self.said), (got.digest, []))
        cache = self.folder / "data" / "strokes.npz"
        cache.write_bytes(cache.read_bytes()[:-1000])
        mended = load("strokes", log=self.said.append)
        self.assertEqual(mended.digest, got.digest)
        self.assertIn("drawing the strokes again", self.said[0])

    def test_places_that_nobody_named_need_not_be_searchable(self):
        """A cache whose name is too long, and that of a user who is unknown."""
        for home in ("k" * 300, "~nobody at all"):
            os.environ["KERAS_HOME"] = home
            with self.subTest(home[:20]), self.assertRaisesRegex(UserError, "no mirror"):
                load("mnist", log=self.said.append, mirrors=NOWHERE)
        os.environ["GAN3_DATA"] = "g" * 300
        with self.assertRaisesRegex(UserError, "g: cannot be searched"):
            load("mnist", log=self.said.append, mirrors=NOWHERE)
        with self.assertRaisesRegex(UserError, "--data d+: no such folder"):
            load("mnist", "d" * 300, log=self.said.append, mirrors=NOWHERE)

    def test_what_cannot_be_kept_is_not_downloaded(self):
        """./data is tried first, and no other folder: not even the one that was named."""
        (self.folder / "named").mkdir()
        (self.folder / "data").write_text("")
        with self.assertRaisesRegex(UserError, r"\Adata: cannot be written"):
            load("mnist", "named", log=self.said.append, mirrors=NOWHERE)
        self.assertEqual(self.said, [])

    def serve_mnist(self, before_last=lambda: None):
        """Let any https address answer with the file of its name in GAN3_DATA's folder."""

        def answer(_opener, url, **_):
            if "t10k-labels" in url:
                before_last()
            return open(Path(MNIST) / url.rpartition("/")[2], "rb")

        patch = unittest.mock.patch("urllib.request.OpenerDirector.open", answer)
        patch.start()
        self.addCleanup(patch.stop)

    @needs_mnist
    def test_a_download_goes_into_data_wherever_else_was_looked(self):
        self.serve_mnist()
        (self.folder / "named").mkdir()
        got = load("mnist", "named", log=self.said.append, mirrors=("https://mirror/",))
        self.assertEqual((got.source, got.digest), ("data", load("mnist", MNIST).digest))
        self.assertEqual(list((self.folder / "named").iterdir()), [])
        names = sorted(path.name for path in (self.folder / "data").iterdir())
        self.assertEqual(names, sorted(f"{name}.gz" for name in idx.FILE_NAMES.values()))
        self.assertEqual(len(self.said), 1)
        again = load("mnist", log=self.said.append, mirrors=NOWHERE)
        self.assertEqual((again.source, again.digest, len(self.said)), ("data", got.digest, 1))

    @needs_mnist
    def test_a_download_that_cannot_be_kept_serves_once(self):
        def lose_the_folder():
            (self.folder / "data").rmdir()
            (self.folder / "data").write_text("")

        self.serve_mnist(lose_the_folder)
        got = load("auto", log=self.said.append, mirrors=("https://mirror/",))
        self.assertEqual((got.name, got.source), ("mnist", "downloaded"))
        self.assertEqual(got.digest, load("mnist", MNIST).digest)
        self.assertRegex(self.said[-1], "NOTE: .*cannot be written.*downloaded again next time")

    def test_only_https(self):
        with self.assertRaisesRegex(UserError, "not https"):
            load("mnist", log=self.said.append, mirrors=("http://127.0.0.1:9/",))

    def test_an_unfinished_folder_that_nobody_named_is_passed_by(self):
        write_idx_set(self.folder / "data")
        (self.folder / "data" / LABELS).unlink()
        with self.assertRaisesRegex(UserError, "no mirror"):
            load("mnist", log=self.said.append, mirrors=NOWHERE)
        self.assertIn("missing", self.said[0])

    @needs_mnist
    def test_mnist_in_every_place_and_form_is_the_same(self):
        files = [Path(MNIST) / f"{name}.gz" for name in idx.FILE_NAMES.values()]
        digests = {load("mnist", MNIST).digest}
        for place in ("data", "keras/datasets", "data/MNIST/raw"):
            (self.folder / place).mkdir(parents=True)
            for file in files:
                shutil.copy(file, self.folder / place)
            digests.add(load("mnist").digest)
            shutil.rmtree(self.folder / place.split("/")[0])
        dataset = load("mnist", MNIST)
        (self.folder / "data").mkdir()
        np.savez(
            self.folder / "data" / "mnist.npz",
            x_train=dataset.images,
            y_train=dataset.labels,
            x_test=dataset.held_out_images,
            y_test=dataset.held_out_labels,
        )
        found = load("mnist")
        digests.add(found.digest)
        self.assertEqual(len(digests), 1)
        self.assertTrue(found.source.endswith("mnist.npz"))
        altered = dataset.images.copy()
        altered[5, 5, 5] ^= 1
        np.savez(
            self.folder / "data" / "mnist.npz",
            x_train=altered,
            y_train=dataset.labels,
            x_test=dataset.held_out_images,
            y_test=dataset.held_out_labels,
        )
        with self.assertRaisesRegex(UserError, "x_train is not MNIST's"):
            load("mnist")

    @needs_mnist
    def test_validation_is_the_last_of_training_and_never_the_test_set(self):
        whole, held = load("mnist", MNIST), load("mnist", MNIST, split="validation")
        np.testing.assert_array_equal(held.images, whole.images[:55_000])
        np.testing.assert_array_equal(held.held_out_images, whole.images[55_000:])
        np.testing.assert_array_equal(held.held_out_labels, whole.labels[55_000:])

    @needs_mnist
    def test_one_flipped_bit_is_not_mnist(self):
        (self.folder / "data").mkdir()
        for name in idx.FILE_NAMES.values():
            shutil.copy(Path(MNIST) / f"{name}.gz", self.folder / "data")
        labels = self.folder / "data" / LABELS
        content = bytearray(gzip.decompress(labels.read_bytes()))
        content[100] ^= 1
        labels.write_bytes(gzip.compress(bytes(content)))
        with self.assertRaisesRegex(UserError, "SHA-256"):
            load("mnist")


if __name__ == "__main__":
    unittest.main()
