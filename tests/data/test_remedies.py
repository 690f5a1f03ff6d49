"""The remedy that each message of a refused set names is tried, and works."""

import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.core.values import RANGES, SHAPES
from gan3.data import strokes
from gan3.data.datasets import load
from gan3.plots.numbers import save_pictures
from tests.support import FolderTest, idx_bytes, write_idx_set

IMAGES, LABELS = strokes.make(400, 10)[:2]
UNIT = IMAGES / 255


class Remedies(FolderTest):
    def load(self, path="x.npz", **options):
        return load(folder=path, log=str, **{"dataset": "own", "ink": "bright"} | options)

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
        self.assertGreater(len(self.load(**{"path": path} | changed).images), 300)

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

    def test_ink_that_is_not_said(self):
        for images, ink, border in ((IMAGES, "bright", "dark"), (255 - IMAGES, "dark", "bright")):
            np.savez("x.npz", images=images // 4, labels=LABELS)
            self.assert_remedied(
                f"x.npz: is the ink of its pictures bright or dark? Their borders are {border}, so"
                f" it looks {ink}: set ink to {ink}, or to the other if that is wrong",
                {"ink": ink},
                ink="unknown",
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
            Path(prefix).mkdir()
            np.savez(f"{prefix}.npz", images=IMAGES, labels=LABELS)
            for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
                for part in ("train", "test"):
                    Path(f"a/{prefix}-{part}-{name}-ubyte").write_bytes(idx_bytes(array))
        self.assert_remedied(
            "a: has several sets, a-test-images-idx3-ubyte and b-test-images-idx3-ubyte for"
            " example; name the file you mean",
            {"path": "a/b-test-labels-idx1-ubyte"},
            "a",
        )
        self.assert_remedied(
            ".: has several sets, a.npz and b.npz for example; name the file you mean",
            {"path": "b.npz"},
            ".",
        )
        Path("a/b-train-labels-idx1-ubyte").rename("moved")
        self.assert_remedied(
            "a/b-test-labels-idx1-ubyte: has no train-labels-idx1-ubyte; put all four IDX files"
            " into one folder",
            lambda: Path("moved").rename("a/b-train-labels-idx1-ubyte"),
            "a/b-test-labels-idx1-ubyte",
        )

    def test_files_of_one_array(self):
        np.save("y_train.npy", LABELS)
        self.assert_remedied(
            "y_train.npy: has labels without images; name the file of the images",
            lambda: np.save("x_train.npy", IMAGES),
            "y_train.npy",
        )
        np.savez("x.npz", images=IMAGES, x_train=IMAGES, y_train=LABELS)
        self.assert_remedied(
            "x.npz: a second array could be its train-images; name one file",
            {"path": "x_train.npy"},
        )

    def test_tables(self):
        def write(rows):
            np.savetxt("x.csv", rows, "%d", ",")

        whole = np.column_stack([LABELS, IMAGES.reshape(-1, 784)])
        write(whole[:, :50])
        message = "x.csv: has rows of 50 columns; it needs a label and 784 pixels"
        self.assert_remedied(message, lambda: write(whole), "x.csv")
        Path("x.csv").write_text("label" + ",p" * 784 + "\n")
        message = "x.csv: has no rows; replace the file"
        self.assert_remedied(message, lambda: write(whole), "x.csv")

    def test_sizes_of_a_set(self):
        whole = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:60], "y_test": LABELS[:60]}
        np.savez("x.npz", **whole | {"x_test": IMAGES[:49], "y_test": LABELS[:49]})
        self.assert_remedied(
            "x.npz: 49 images in one part; from 50 to 400000 are supported",
            lambda: np.savez("x.npz", **whole),
        )
        np.savez("x.npz", **whole | {"x_train": IMAGES[:50], "y_train": np.arange(50) % 30})
        self.assert_remedied(
            "x.npz: 50 training images of 30 classes; at least twice as many images as classes are"
            " needed",
            lambda: np.savez("x.npz", **whole),
        )
        self.assert_remedied(
            "x.npz: 400 training images, of which skip_first leaves out 400; set skip_first to a"
            " smaller number",
            {"skip_first": 99},
            skip_first=400,
        )

    def test_words_that_do_not_fit_the_data(self):
        arrays = {"train-images": IMAGES, "train-labels": LABELS}
        Path("folder").mkdir()
        for path in ("x.npz", "folder/x.npz"):
            np.savez(path, images=IMAGES, labels=LABELS + 3)
        own, ink = {"dataset": "own"}, {"ink": "unknown"}
        for message, remedy, path, options in (
            (
                "data x.npz: mnist is searched in folders only; load it as the data set own",
                own,
                "x.npz",
                ink,
            ),
            (
                "data folder folder: has array files, but not MNIST; load it as the data set own",
                own,
                "folder",
                ink,
            ),
            (
                "data arrays: mnist is searched in folders only; load it as the data set own",
                own,
                arrays,
                ink,
            ),
            (
                "data set own: needs a data folder, or arrays; name the one that has your set",
                {"path": "x.npz"},
                None,
                own,
            ),
            (
                "data folder none: no such folder; name one that has the data set",
                {"path": "x.npz"},
                "none",
                own,
            ),
            (
                "x.npz: not KMNIST, whose labels are 0 to 9; load it as the data set own",
                own,
                "x.npz",
                {"dataset": "kmnist"},
            ),
        ):
            remedy = {"ink": "bright"} | remedy
            self.assert_remedied(message, remedy, path, **{"dataset": "mnist"} | options)

    def test_pictures_that_cannot_be_read(self):
        pictures = ((f"{i:03}.png", x, str(LABELS[i])) for i, x in enumerate(IMAGES))
        save_pictures(Path("set"), pictures)
        good = Path("set/000.png").read_bytes()
        for picture, message in (
            (Image.new("L", (3, 28)), "(3, 28) pixels; a side from 4 to 4096 is needed"),
            (Image.new("I", (28, 28)), "has 32 bits for a pixel; store it with 8 or 16 bits"),
            (None, "not a picture that can be read; use a PNG in its place"),
        ):
            Path("set/000.png").write_bytes(b"no picture")
            if picture is not None:
                picture.save("set/000.png", "TIFF")
            self.assert_remedied(
                f"set/000.png: {message}, or leave it out with skip_damaged",
                lambda: Path("set/000.png").write_bytes(good),
                "set",
            )
        whole = Path("set/labels.csv").read_text()
        for text, message in (
            ("none.png,1\n", "names 'none.png', which is no picture there; remove its row"),
            ("000.png\n", "has no pairs of a picture and its label; write such pairs"),
        ):
            Path("set/labels.csv").write_text(text)
            self.assert_remedied(
                f"set/labels.csv: {message}",
                lambda: Path("set/labels.csv").write_text(whole),
                "set",
            )

    def test_a_set_that_is_not_mnist(self):
        write_idx_set(Path("set"), 400, 60)
        with self.assertRaises(UserError) as refused:
            load("mnist", "set", log=str)
        self.assertEqual(
            str(refused.exception),
            "set: its t10k-labels are missing or not MNIST's, by SHA-256; put MNIST's there, or"
            " load what is there as the data set own",
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
