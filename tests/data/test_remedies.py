"""The remedy that each message of a refused set names is tried, and works."""

import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.datasets import load
from gan3.data.values import RANGES, SHAPES
from gan3.plots.numbers import save_picture, save_pictures
from tests.support import FolderTest, idx_bytes, write_idx_set

IMAGES, LABELS = strokes.make(400, 10)[:2]
UNIT = IMAGES / 255


class Remedies(FolderTest):
    def load(self, path="x.npz", **options):
        return load("own", path, log=str, **{"ink": "bright"} | options)

    def assert_remedied(self, message, remedy, path="x.npz", **options):
        """What is at `path` is refused with the message, and after the remedy it is read.

        remedy: a function that mends it, or the options that the message names.
        """
        with self.subTest(message), self.assertRaises(UserError) as refused:
            self.load(path, **options)
        self.assertEqual(str(refused.exception), message)
        changed = options | remedy if isinstance(remedy, dict) else options
        if callable(remedy):
            remedy()
        self.assertGreater(len(self.load(path, **changed).images), 300)

    def test_arrays_of_another_kind(self):
        for wrong, message, mended in (
            (
                {"images": IMAGES[:, :20]},
                f"images have the shape (400, 20, 28); store {SHAPES}, or picture files",
                {"images": np.pad(IMAGES[:, :20], ((0, 0), (4, 4), (0, 0)))},
            ),
            (
                {"images": 4 * UNIT - 2},
                f"float64 from -2 to 2; scale the images to one of {RANGES}",
                {"images": UNIT},
            ),
            (
                {"images": IMAGES * 0},
                "uint8 from 0 to 0, so nothing is to be seen; store other images",
                {"images": IMAGES},
            ),
            (
                {"labels": LABELS[1:]},
                "399 labels for 400 images; store one for each",
                {"labels": LABELS},
            ),
            (
                {"labels": LABELS / 2},
                "labels are float64 of shape (400,); store one for each image: a whole number,"
                " text, or a one-hot row",
                {"labels": np.eye(10)[LABELS]},
            ),
            (
                {"labels": LABELS * 0},
                "1 different labels; from 2 to 62 classes are supported",
                {"labels": LABELS > 4},
            ),
            *(
                (
                    {"labels": np.array([name, "fine"])[LABELS % 2]},
                    f"{name!r} is no name of a class; use 1 to 40 printable characters",
                    {"labels": np.array(["name", "fine"])[LABELS % 2]},
                )
                for name in ("", "a\tb", "x\u202ey")
            ),
        ):
            whole = {"images": IMAGES, "labels": LABELS}
            np.savez("x.npz", **whole | wrong)
            mend = lambda arrays=whole | mended: np.savez("x.npz", **arrays)  # noqa: E731
            self.assert_remedied(f"x.npz: {message}", mend)

    def test_arrays_that_are_missing(self):
        np.savez("x.npz", a=IMAGES, b=LABELS)
        self.assert_remedied(
            "x.npz: its arrays are a, b; it needs x_train, y_train, x_test and y_test, or images"
            " and labels",
            lambda: np.savez("x.npz", images=IMAGES, labels=LABELS),
        )
        np.savez("x.npz", images=IMAGES)
        self.assert_remedied(
            "x.npz: has images without labels; add labels, sort pictures into one sub-folder for"
            " each class, or write labels.csv with rows of file and label beside them",
            lambda: np.savez("x.npz", images=IMAGES, labels=LABELS),
        )

    def test_ink_that_is_not_said(self):
        for images, ink, border in ((IMAGES, "bright", "dark"), (255 - IMAGES, "dark", "bright")):
            np.savez("x.npz", images=images // 4, labels=LABELS)
            self.assert_remedied(
                f"x.npz: is the ink of its pictures bright or dark? Their borders are {border}, so"
                f" it looks {ink}: set ink to {ink}, or to the other if that is wrong",
                {"ink": ink},
                ink="unknown",
            )

    def test_pictures_without_classes(self):
        Path("set").mkdir()
        for number, image in enumerate(IMAGES):
            save_picture(image, Path(f"set/{number:03}.png"))

        def write_labels():
            rows = (f"{number:03}.png,{label}\n" for number, label in enumerate(LABELS))
            Path("set/labels.csv").write_text("".join(rows))

        self.assert_remedied(
            "set: has images without labels; add labels, sort pictures into one sub-folder for each"
            " class, or write labels.csv with rows of file and label beside them",
            write_labels,
            "set",
        )

    def test_too_few_images(self):
        np.savez("x.npz", images=IMAGES[:300], labels=LABELS[:300])
        self.assert_remedied(
            "x.npz: 300 images of 10 classes; a set without a test part needs at least 350, and"
            " enough of each class to split one off; add images, or a test part",
            lambda: np.savez("x.npz", images=IMAGES, labels=LABELS),
        )
        arrays = {"x_train": IMAGES, "y_train": LABELS % 9}
        np.savez("x.npz", **arrays, x_test=IMAGES[:50], y_test=np.arange(50) % 10)
        self.assert_remedied(
            "x.npz: the class '9' is in the test part only; add training images of it, or remove"
            " it",
            lambda: np.savez("x.npz", **arrays, x_test=IMAGES[:50], y_test=np.arange(50) % 9),
        )

    def test_files_of_several_sets(self):
        for prefix in ("a", "b"):
            for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
                for part in ("train", "test"):
                    Path(f"{prefix}-{part}-{name}-ubyte").write_bytes(idx_bytes(array))
        with self.assertRaisesRegex(UserError, "several sets .a, b.; name one of the four files"):
            self.load(".")
        self.assertEqual(len(self.load("b-test-labels-idx1-ubyte").images), 400)

    def test_a_set_that_is_not_mnist(self):
        write_idx_set(Path("set"), 400, 60)
        with self.assertRaises(UserError) as refused:
            load("mnist", "set", log=str)
        self.assertEqual(
            str(refused.exception),
            "set: its IDX files differ from MNIST's by SHA-256; replace the damaged one, or load"
            " them as the data set own",
        )
        self.assertEqual(len(load("own", "set", log=str).images), 400)

    def test_a_folder_that_is_not_empty(self):
        pictures = [("1.png", IMAGES[0], "a")]
        save_pictures(Path("set"), pictures)
        with self.assertRaises(UserError) as refused:
            save_pictures(Path("set"), pictures)
        self.assertEqual(str(refused.exception), "set: is not empty; name a new folder")
        save_pictures(Path("new"), pictures)
        self.assertTrue(Path("new/1.png").is_file())


if __name__ == "__main__":
    unittest.main()
