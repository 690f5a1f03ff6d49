"""npz files of own sets: the arrays that are found in them, and what is refused in one line."""

import io
import os
import unittest
import zipfile
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.array_files import read_npz_set
from tests.support import FolderTest

PATH = Path("x.npz")
IMAGES = np.random.default_rng(1).integers(0, 256, (80, 28, 28), np.uint8)
LABELS = np.arange(80) % 3


class NpzTest(FolderTest):
    def read(self, **arrays):
        np.savez(PATH, **arrays)
        return read_npz_set(PATH, lambda line: None)

    def assert_refused(self, message, **arrays):
        with self.assertRaises(UserError) as refused:
            self.read(**arrays)
        self.assertEqual(str(refused.exception), f"x.npz: {message}")


class Names(NpzTest):
    def test_each_array_is_known_by_the_words_of_its_name(self):
        for names in (
            ("x_train", "y_train", "x_test", "y_test"),
            ("train_images", "train_labels", "test_images", "test_labels"),
            ("train_x", "train_y", "test_x", "test_y"),
            ("X_train", "Y_train", "X_test", "Y_test"),
        ):
            parts = (IMAGES, LABELS, IMAGES[:50], LABELS[:50])
            arrays = self.read(**dict(zip(names, parts, strict=True)))
            kinds = ("train-images", "train-labels", "t10k-images", "t10k-labels")
            self.assertEqual(set(arrays), set(kinds))
            for kind, part in zip(kinds, parts, strict=True):
                np.testing.assert_array_equal(arrays[kind], part)

    def test_without_a_test_part_there_is_one_part(self):
        for names in (("images", "labels"), ("x_train", "y_train"), ("x", "y")):
            arrays = self.read(**dict(zip(names, (IMAGES, LABELS), strict=True)))
            self.assertEqual(set(arrays), {"train-images", "train-labels"})
            np.testing.assert_array_equal(arrays["train-images"], IMAGES)

    def test_other_names_are_refused(self):
        needs = "it needs x_train, y_train, x_test and y_test, or images and labels"
        self.assert_refused(f"its arrays are a, b; {needs}", a=IMAGES, b=LABELS)
        self.assert_refused(f"its arrays are images; {needs}", images=IMAGES)
        self.assert_refused(f"its arrays are none; {needs}")
        half = "has x_test or y_test, but not both; store both, or neither of them"
        both = {"x_train": IMAGES, "y_train": LABELS}
        for name in ("x_test", "y_test"):
            self.assert_refused(half, **both, **{name: IMAGES})
        self.assert_refused(
            "images and x_train could both be its train-images; keep one of them",
            **both,
            images=IMAGES,
        )


class Refused(NpzTest):
    def test_objects_are_never_unpickled(self):
        class Trap:
            def __reduce__(self):
                return os.mkdir, ("unpickled",)

        trap = np.array([Trap()] * 80, object)
        what = "has Python objects; store numbers or text"
        self.assert_refused(f"array labels {what}", images=IMAGES, labels=trap)
        self.assert_refused(f"array images {what}", images=trap, labels=LABELS)
        self.assertFalse(Path("unpickled").exists())

    def test_a_false_size_in_a_header(self):
        for shape in ((2**40, 28, 28), (-60, 28, 28), (400_000, 28, 28)):
            header, labels = io.BytesIO(), io.BytesIO()
            np.lib.format.write_array_header_1_0(
                header, {"descr": "|u1", "fortran_order": False, "shape": shape}
            )
            np.save(labels, LABELS)
            with zipfile.ZipFile(PATH, "w") as archive:
                archive.writestr("images.npy", header.getvalue())
                archive.writestr("labels.npy", labels.getvalue())
            with self.subTest(shape), self.assertRaisesRegex(UserError, "^x.npz: damaged or not"):
                read_npz_set(PATH, print)


if __name__ == "__main__":
    unittest.main()
