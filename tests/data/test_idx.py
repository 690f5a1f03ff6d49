"""IDX files: their names, what is read, and what is refused."""

import gzip
import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.array_files import IDX, array_files, read_array_files
from gan3.data.idx import KINDS, is_mnist
from tests.support import MNIST, FolderTest, idx_bytes, needs_mnist, write_idx_set

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


class IdxFiles(FolderTest):
    def setUp(self):
        super().setUp()
        self.arrays = write_idx_set(Path("own"))

    def assert_refused(self, message):
        with self.assertRaises(UserError) as refused:
            read_array_files(array_files(Path("own"), IDX), str)
        self.assertEqual(str(refused.exception), message)

    def assert_read(self):
        arrays = read_array_files(array_files(Path("own"), IDX), str)
        for expected, kind in zip(self.arrays, KINDS, strict=True):
            np.testing.assert_array_equal(arrays[kind], expected)

    def test_every_usual_name_is_known(self):
        for change in (
            lambda name: name.replace("-idx", ".idx"),
            lambda name: name.replace("t10k", "test"),
            lambda name: f"emnist-letters-{name}",
        ):
            for path in Path("own").iterdir():
                path.rename(path.with_name(change(path.name)))
            self.assert_read()

    def test_the_labels_of_qmnist_are_in_the_first_of_eight_columns(self):
        labels = np.zeros((300, 8), ">i4")
        labels[:, 0], labels[:, 1] = self.arrays[1], 7
        content = bytes([0, 0, 12, 2]) + np.array([300, 8], ">u4").tobytes() + labels.tobytes()
        (Path("own") / LABELS).unlink()
        Path("own/train-labels-idx2-int.gz").write_bytes(gzip.compress(content))
        self.assert_read()

    def test_a_folder_without_any_of_them_has_none(self):
        self.assertEqual(array_files(Path(), IDX), [])

    def test_files_that_do_not_hold_what_their_header_says_are_refused(self):
        images, labels = (idx_bytes(array) for array in self.arrays[:2])
        complete = gzip.compress(images)
        huge = images[:4] + np.array([2**31, 28, 28], ">u4").tobytes()
        for content, message in (
            (b"", "not an IDX file; replace the file"),
            (
                b"not gzip at all",
                "damaged or not an IDX file (Not a gzipped file (b'no')); replace the file",
            ),
            (
                complete[: len(complete) // 2],
                "damaged or not an IDX file (Compressed file ended before the end-of-stream marker"
                " was reached); replace the file",
            ),
            (gzip.compress(images[:-1]), "truncated; replace the file"),
            (gzip.compress(images[:9]), "truncated; replace the file"),
            (gzip.compress(images + b"x"), "longer than its header says; replace the file"),
            (gzip.compress(b"\0\0\7\3" + images[4:]), "not an IDX file; replace the file"),
            (gzip.compress(huge), "truncated; replace the file"),
        ):
            with self.subTest(message):
                (Path("own") / IMAGES).write_bytes(content)
                self.assert_refused(f"own/{IMAGES}: {message}")

    @needs_mnist
    def test_one_changed_bit_is_not_mnist(self):
        arrays = read_array_files(array_files(Path(MNIST), IDX), str)
        for kind, array in arrays.items():
            self.assertTrue(is_mnist(kind, array))
            self.assertFalse(is_mnist(kind, array.astype(np.int8)))
            changed = array.copy()
            changed.flat[100] ^= 1
            self.assertFalse(is_mnist(kind, changed))


if __name__ == "__main__":
    unittest.main()
