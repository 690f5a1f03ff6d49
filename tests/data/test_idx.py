"""IDX files and mnist.npz: what is read, and what is refused."""

import gzip
import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.idx import FILE_NAMES, KINDS, find_idx_files, read_idx_set, read_mnist_npz
from tests.support import MNIST, FolderTest, idx_bytes, needs_mnist, write_idx_set

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


class OwnIdxFiles(FolderTest):
    def setUp(self):
        super().setUp()
        self.own = self.folder / "own"
        self.arrays = write_idx_set(self.own)

    def read(self):
        return read_idx_set(find_idx_files(self.own), mnist=False)

    def assert_refused(self, message):
        with self.assertRaisesRegex(UserError, message) as raised:
            self.read()
        self.assertNotIn("\n", str(raised.exception))
        self.assertNotIn("--", str(raised.exception))

    def assert_read(self):
        arrays = self.read()
        for expected, kind in zip(self.arrays, KINDS, strict=True):
            np.testing.assert_array_equal(arrays[kind], expected)

    def test_the_four_files_are_read(self):
        self.assert_read()

    def test_decompressed_files_are_read_too(self):
        for path in self.own.glob("*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
        self.assert_read()

    def test_a_folder_without_any_of_them_has_none(self):
        self.assertIsNone(find_idx_files(self.folder))

    def test_a_missing_file_is_named(self):
        (self.own / LABELS).unlink()
        self.assert_refused("train-labels-idx1-ubyte: missing")

    def test_a_folder_that_cannot_be_searched_is_named(self):
        with self.assertRaisesRegex(UserError, "n: cannot be searched"):
            find_idx_files(Path("n" * 300))

    def test_files_that_do_not_hold_what_their_header_says_are_refused(self):
        images, labels = self.arrays[:2]
        complete = gzip.compress(idx_bytes(images))
        huge = idx_bytes(images)[:4] + np.array([2**31, 28, 28], ">u4").tobytes()
        wide = idx_bytes(np.zeros((60, 28, 29), np.uint8))
        for name, content, message in (
            (IMAGES, b"", "not an IDX file"),
            (IMAGES, b"not gzip at all", "cannot be read"),
            (IMAGES, complete[: len(complete) // 2], "damaged gzip"),
            (IMAGES, complete[:-6], "damaged gzip"),
            (IMAGES, gzip.compress(idx_bytes(images)[:-1]), "truncated"),
            (IMAGES, gzip.compress(idx_bytes(images) + b"x"), "longer"),
            (IMAGES, gzip.compress(idx_bytes(labels)), "not an IDX file"),
            (IMAGES, gzip.compress(huge), "entries; from 50"),
            (IMAGES, gzip.compress(wide), r"not \(28, 28\)"),
            (LABELS, gzip.compress(idx_bytes(labels[:-1])), "299 labels for 300 images"),
            (LABELS, gzip.compress(idx_bytes(labels[:9])), "9 entries"),
        ):
            with self.subTest(name=name, message=message):
                path = self.own / name
                original = path.read_bytes()
                path.write_bytes(content)
                self.assert_refused(message)
                path.write_bytes(original)

    def test_other_digits_are_not_accepted_as_mnist(self):
        with self.assertRaisesRegex(UserError, "300 entries, MNIST has 60000; .*data set own"):
            read_idx_set(find_idx_files(self.own), mnist=True)


@needs_mnist
class RealMnist(FolderTest):
    def files(self):
        return find_idx_files(Path(MNIST))

    def test_one_changed_bit_is_refused(self):
        content = bytearray(gzip.decompress((Path(MNIST) / LABELS).read_bytes()))
        content[100] ^= 1
        Path(LABELS).write_bytes(gzip.compress(bytes(content)))
        with self.assertRaisesRegex(UserError, "SHA-256 differs.*data set own"):
            read_idx_set(self.files() | {"train-labels": Path(LABELS)}, mnist=True)

    def test_the_npz_of_keras_has_the_same_arrays_and_is_checked(self):
        arrays = read_idx_set(self.files(), mnist=True)
        names = ("x_train", "y_train", "x_test", "y_test")
        by_name = dict(zip(names, (arrays[kind] for kind in FILE_NAMES), strict=True))
        np.savez("mnist.npz", **by_name)
        for kind, array in read_mnist_npz(Path("mnist.npz")).items():
            np.testing.assert_array_equal(array, arrays[kind])
        changed = arrays["train-images"].copy()
        changed[5, 5, 5] ^= 1
        np.savez("mnist.npz", **by_name | {"x_train": changed})
        with self.assertRaisesRegex(UserError, "x_train is not MNIST's"):
            read_mnist_npz(Path("mnist.npz"))


if __name__ == "__main__":
    unittest.main()
