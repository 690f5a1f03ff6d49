"""Npz files of own sets: what is read, and what is refused in one line."""

import io
import os
import unittest
import zipfile
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.npz_sets import read_npz_set
from tests.support import FolderTest

PATH = Path("x.npz")


class NpzTest(FolderTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        self.images = random.integers(0, 90, (80, 28, 28), np.uint8)  # dark borders
        self.labels = np.arange(80) % 3

    def read(self, ink="bright", **arrays):
        np.savez(PATH, **arrays)
        return read_npz_set(PATH, ink)

    def whole(self, **changes):
        return {
            "x_train": self.images,
            "y_train": self.labels,
            "x_test": self.images[:50],
            "y_test": self.labels[:50],
        } | changes

    def assert_refused(self, message, ink="bright", **arrays):
        with self.assertRaisesRegex(UserError, message) as raised:
            self.read(ink, **arrays)
        self.assertNotIn("\n", str(raised.exception))
        self.assertNotIn("--", str(raised.exception))
        self.assertLess(len(str(raised.exception)), 300)


class Layouts(NpzTest):
    def test_four_arrays_are_two_parts(self):
        arrays = self.read(**self.whole())
        for kind, name in (
            ("train-images", "x_train"),
            ("train-labels", "y_train"),
            ("t10k-images", "x_test"),
            ("t10k-labels", "y_test"),
        ):
            np.testing.assert_array_equal(arrays[kind], self.whole()[name])

    def test_without_a_test_part_there_is_one_part(self):
        for names in (("images", "labels"), ("x_train", "y_train")):
            arrays = self.read(**dict(zip(names, (self.images, self.labels), strict=True)))
            self.assertEqual(set(arrays), {"train-images", "train-labels"})
            np.testing.assert_array_equal(arrays["train-images"], self.images)

    def test_an_axis_of_one_channel_and_floats_are_read(self):
        floats = (self.images / 255).astype(np.float32)[..., None]
        arrays = self.read(images=floats, labels=self.labels)
        np.testing.assert_array_equal(arrays["train-images"], self.images)

    def test_labels_are_integers_of_any_type_or_text(self):
        names = np.array(["oak", "Linde", "ß"])[self.labels]
        for labels in (names, self.labels.astype(np.int8) - 5, self.labels.astype(np.uint64) * 999):
            arrays = self.read(images=self.images, labels=labels)
            np.testing.assert_array_equal(arrays["train-labels"], labels)

    def test_dark_ink_is_inverted_in_both_parts(self):
        arrays = self.read("dark", **self.whole())
        np.testing.assert_array_equal(arrays["train-images"], 255 - self.images)
        np.testing.assert_array_equal(arrays["t10k-images"], 255 - self.images[:50])

    def test_the_ink_is_asked_for_and_not_guessed(self):
        self.assert_refused(
            "bright or dark. .*borders are dark, so it looks bright: set ink to bright",
            ink="unknown",
            **self.whole(),
        )
        inverted = 255 - self.images
        self.assert_refused(
            "bright or dark. .*borders are bright, so it looks dark: set ink to dark",
            ink="unknown",
            **self.whole(x_train=inverted),
        )


class Refused(NpzTest):
    def test_arrays_of_another_kind(self):
        images, labels = self.images, self.labels
        for message, arrays in (
            (r"images has the shape \(80, 784\)", {"images": images.reshape(80, 784)}),
            (r"images has the shape \(80, 28, 28, 3\)", {"images": np.stack([images] * 3, 3)}),
            ("resize the images", {"images": images[:, :20]}),
            ("images is int64; store uint8", {"images": images.astype(int)}),
            ("from 50 to 400000 are supported", {"images": images[:49]}),
            ("no value above 1; multiply", {"images": images // 89}),
            ("floats from 0 to 89; scale them", {"images": images.astype(float)}),
            ("not finite", {"images": images / np.float32(255) * np.nan}),
            ("79 entries in labels for 80 images", {"labels": labels[:-1]}),
            (r"labels has the shape \(80, 3\)", {"labels": np.eye(3)[labels]}),
            ("labels is float64; store integers", {"labels": labels / 2}),
            ("labels is .S1; store integers, or text", {"labels": np.array([b"a"] * 80)}),
            ("names of up to 41 characters", {"labels": np.array(["x" * 41] * 80)}),
        ):
            with self.subTest(message):
                self.assert_refused(message, **({"images": images, "labels": labels} | arrays))

    def test_missing_arrays(self):
        self.assert_refused("its arrays are a, b; it needs x_train", a=self.images, b=self.labels)
        self.assert_refused("its arrays are images; it needs", images=self.images)
        np.savez(PATH)
        with self.assertRaisesRegex(UserError, "its arrays are none"):
            read_npz_set(PATH, "bright")

    def test_half_a_test_part(self):
        for name in ("x_test", "y_test"):
            arrays = self.whole()
            del arrays[name]
            self.assert_refused("has x_test or y_test, but not both", **arrays)

    def test_labels_of_two_kinds(self):
        self.assert_refused("text in one part", **self.whole(y_test=np.array(["a"] * 50)))

    def test_text_that_is_not_unicode(self):
        labels = np.array(["a"] * 80)
        for code in (0x110000, 0xFFFFFFFF, 0xD800):
            labels.view(np.uint32)[3] = code
            with self.subTest(code):
                self.assert_refused("not Unicode", images=self.images, labels=labels)

    def test_objects_are_never_unpickled(self):
        class Trap:
            def __reduce__(self):
                return os.mkdir, ("unpickled",)

        labels = np.array([Trap()] * 80, object)
        self.assert_refused("labels is object", images=self.images, labels=labels)
        images = np.array([Trap()] * 80, object)
        self.assert_refused("images has the shape", images=images, labels=self.labels)
        self.assertFalse(Path("unpickled").exists())

    def test_a_huge_size_in_a_header(self):
        for shape, message in (
            ((2**40, 28, 28), "from 50 to 400000"),
            ((-60, 28, 28), "from 50 to 400000"),
            ((400_000, 28, 28), "not as long as its header says"),
        ):
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                header, {"descr": "|u1", "fortran_order": False, "shape": shape}
            )
            labels = io.BytesIO()
            np.save(labels, self.labels)
            with zipfile.ZipFile(PATH, "w") as archive:
                archive.writestr("images.npy", header.getvalue())
                archive.writestr("labels.npy", labels.getvalue())
            with self.subTest(shape), self.assertRaisesRegex(UserError, message):
                read_npz_set(PATH, "bright")

    def test_what_is_no_npz_file(self):
        PATH.write_bytes(b"PK no zip")
        with self.assertRaisesRegex(UserError, "damaged or not an npz file"):
            read_npz_set(PATH, "bright")


if __name__ == "__main__":
    unittest.main()
