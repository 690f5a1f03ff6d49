"""The remedy that each message of a refused set names is tried, and works."""

import gzip
import os
import unittest
import unittest.mock
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.core.values import RANGES, SHAPES, as_data
from gan3.data import strokes
from gan3.data.datasets import load
from gan3.plots.numbers import save_pictures
from tests.support import MNIST, FolderTest, idx_bytes, needs_mnist, write_idx_set

IMAGES, LABELS = strokes.make(400, 10)[:2]
UNIT = IMAGES / 255
WHOLE = {"images": IMAGES, "labels": LABELS}
PARTS = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:60], "y_test": LABELS[:60]}
KIND = "store one for each image: a whole number, text, or a one-hot row"
EACH = "labels are float64 of shape (400,); " + KIND
NAME = "is no name of a class; use 1 to 40 printable characters"
SPLIT = "a set without a test part needs at least 350, and enough of each class to split one off"
NO_MNIST = (
    "missing or not MNIST's, by SHA-256; put MNIST's there, or load what is there as the data"
)
ARRAYS = (
    ({"images": IMAGES[:, :20]}, f"images have the shape (400, 20, 28); store {SHAPES}, or picture"
     " files", WHOLE),
    ({"images": IMAGES.astype(str)}, f"images are <U3; store {RANGES}", WHOLE),
    ({"images": IMAGES[:0]}, "has no images; add some", WHOLE),
    ({"images": 4 * UNIT - 2}, f"float64 from -2 to 2; scale the images to one of {RANGES}",
     {"images": UNIT}),
    ({"images": IMAGES * 0}, "uint8 from 0 to 0, so nothing is to be seen; store other images",
     WHOLE),
    (PARTS | {"x_train": UNIT}, "images are float64 and uint8; store all parts in one of them",
     {"x_test": UNIT[:60]}),
    ({"labels": LABELS[1:]}, "399 labels for 400 images; store one for each", WHOLE),
    ({"labels": LABELS / 2}, EACH, {"labels": np.eye(10)[LABELS]}),
    ({"labels": np.full(400, b"\xff")}, "labels are not Unicode; store text in UTF-8",
     {"labels": np.array(["é".encode(), b"e"])[LABELS % 2]}),
    ({"labels": LABELS * 0}, "1 different labels; from 2 to 62 classes are supported",
     {"labels": LABELS > 4}),
    *(({"labels": np.array([name, "fine"])[LABELS % 2]}, f"{name!r} {NAME}", WHOLE)
      for name in ("", "a\tb", "x\u202ey")),
    ({"images": IMAGES[:300], "labels": LABELS[:300]}, f"300 images; {SPLIT}; add"
     " images, or a test part", WHOLE),
    (PARTS | {"y_train": LABELS % 9}, "the class '9' is in the test part only; add training images"
     " of it, or remove it", {"y_test": LABELS[:60] % 9}),
    (PARTS | {"x_test": IMAGES[:49], "y_test": LABELS[:49]}, "49 images in one part; from 50 to"
     " 400000 are supported", PARTS),
    (PARTS | {"x_train": IMAGES[:50], "y_train": np.arange(50) % 30}, "50 training images of 30"
     " classes; at least twice as many images as classes are needed", PARTS),
)  # fmt: skip
"""Arrays of a set that is refused, the message, and what is stored instead."""
ONLY = "mnist is searched in folders only; load it as the data set own"
OWN, NPZ, MNIST_HERE = {"dataset": "own"}, {"path": "x.npz"}, {"dataset": "mnist", "ink": "unknown"}
WORDS = (
    (f"data x.npz: {ONLY}", MNIST_HERE, OWN),
    (f"data arrays: {ONLY}",
     MNIST_HERE | {"path": {"train-images": IMAGES, "train-labels": LABELS}}, OWN),
    ("data folder folder: has array files, but not MNIST; load it as the data set own",
     MNIST_HERE | {"path": "folder"}, OWN),
    ("data set own: needs a data folder, or arrays; name the one that has your set",
     {"path": None}, NPZ),
    ("data folder none: no such folder; name one that has the data set", {"path": "none"}, NPZ),
    ("empty: has no IDX files such as train-images-idx3-ubyte.gz, nor npz, npy or CSV files, nor"
     " pictures; name the file or folder that has your images", {"path": "empty"}, NPZ),
    ("x.npz: not KMNIST, whose labels are 0 to 9; load it as the data set own",
     {"dataset": "kmnist"}, OWN),
    ("x.npz: 343 training images, of which skip_first leaves out 343; set skip_first to a smaller"
     " number", {"skip_first": 343}, {"skip_first": 9}),
)  # fmt: skip
"""A message, the options that it is for, and the options that it names."""


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
        if callable(remedy):
            remedy()
            remedy = {}
        self.assertGreater(len(self.load(**{"path": path} | options | remedy).images), 300)

    def test_arrays_of_another_kind(self):
        for wrong, message, mended in ARRAYS:
            stored = wrong if "x_train" in wrong else WHOLE | wrong
            np.savez("x.npz", **stored)
            mend = lambda arrays=stored | mended: np.savez("x.npz", **arrays)  # noqa: E731
            self.assert_remedied(f"x.npz: {message}", mend)

    def test_arrays_that_are_missing(self):
        np.savez("x.npz", a=IMAGES, b=LABELS)
        self.assert_remedied(
            "x.npz: its arrays are a, b; it needs x_train, y_train, x_test and y_test, or images"
            " and labels",
            lambda: np.savez("x.npz", **WHOLE),
        )
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
        for data, message in (
            (7, "data 7: use a path, .images, labels., or two such pairs"),
            (([[1], [1, 2]], LABELS), "data: images or labels are no arrays; use NumPy arrays"),
        ):
            with self.assertRaisesRegex(UserError, f"^{message}$"):
                as_data(data)
        self.assertEqual(len(self.load(as_data((IMAGES, LABELS))).images), 343)

    def test_ink_that_is_not_said(self):
        for images, ink, border in ((IMAGES, "bright", "dark"), (255 - IMAGES, "dark", "bright")):
            np.savez("x.npz", images=images // 4, labels=LABELS)
            self.assert_remedied(
                f"x.npz: is the ink of its pictures bright or dark? Their borders are {border}, so"
                f" it looks {ink}: set ink to {ink}, or to the other if that is wrong",
                {"ink": ink},
                ink="unknown",
            )

    def test_files_of_several_sets(self):
        for prefix in ("a", "b"):
            Path(prefix).mkdir()
            np.savez(f"{prefix}.npz", **WHOLE)
            for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
                for part in ("train", "test"):
                    Path(f"a/{prefix}-{part}-{name}-ubyte").write_bytes(idx_bytes(array))
        several, path = "has several sets,", "a/b-test-labels-idx1-ubyte"
        self.assert_remedied(
            f"a: {several} a-test-images-idx3-ubyte and b-test-images-idx3-ubyte for example; name"
            " the file you mean",
            {"path": path},
            "a",
        )
        self.assert_remedied(
            f".: {several} a.npz and b.npz for example; name the file you mean",
            {"path": "b.npz"},
            ".",
        )
        Path("a/b-train-labels-idx1-ubyte").rename("moved")
        self.assert_remedied(
            f"{path}: has no train-labels-idx1-ubyte; put all four IDX files into one folder",
            lambda: Path("moved").rename("a/b-train-labels-idx1-ubyte"),
            path,
        )
        whole = Path(path).read_bytes()
        for content, problem in (
            (whole[:9], "truncated"),
            (whole + b"x", "longer than its header says"),
            (b"x", "not an IDX file"),
        ):
            Path(path).write_bytes(content)
            mend = lambda: Path(path).write_bytes(whole)  # noqa: E731
            self.assert_remedied(f"{path}: {problem}; replace the file", mend, path)

    def test_tables(self):
        rows = np.column_stack([LABELS, IMAGES.reshape(-1, 784)]).tolist()
        whole = "\n".join(",".join(map(str, row)) for row in rows)
        for text, problem in (
            ("1,2\n", "has rows of 2 columns; it needs a label and 784 pixels"),
            ("label" + ",p" * 784 + "\n", "has no rows; replace the file"),
        ):
            Path("x.csv").write_text(text)
            mend = lambda: Path("x.csv").write_text(whole)  # noqa: E731
            self.assert_remedied(f"x.csv: {problem}", mend, "x.csv")
        Path("x.csv.gz").write_bytes(b"no gzip")
        self.assert_remedied(
            "x.csv.gz: damaged or not a CSV file (Not a gzipped file (b'no')); replace the file",
            lambda: Path("x.csv.gz").write_bytes(gzip.compress(whole.encode())),
            "x.csv.gz",
        )

    def test_words_that_do_not_fit_the_data(self):
        for folder in ("folder", "empty"):
            Path(folder).mkdir()
        for path in ("x.npz", "folder/x.npz"):
            np.savez(path, images=IMAGES, labels=LABELS + 3)
        for message, options, remedy in WORDS:
            self.assert_remedied(message, remedy | {"ink": "bright"}, **options)

    def test_pictures_that_cannot_be_read(self):
        pictures = [(f"{i:03}.png", x, str(LABELS[i])) for i, x in enumerate(IMAGES)]
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
            skip = "in training and scoring skip_damaged leaves out such pictures"
            message = f"set/000.png: {message}, or remove it; {skip}"
            self.assert_remedied(message, {"skip_damaged": True}, "set")
            self.assert_remedied(message, lambda: Path("set/000.png").write_bytes(good), "set")
        whole = Path("set/labels.csv").read_text()
        for text, message in (
            ("none.png,1\n", "names 'none.png', which is no picture there; remove its row"),
            (
                "000.png\n",
                "has no pairs of a picture and its label; write such pairs, or name the"
                " column label",
            ),
        ):
            Path("set/labels.csv").write_text(text)
            mend = lambda: Path("set/labels.csv").write_text(whole)  # noqa: E731
            self.assert_remedied(f"set/labels.csv: {message}", mend, "set")

    def test_a_set_that_is_not_mnist(self):
        write_idx_set(Path("set"), 400, 60)
        message = f"set: its t10k-labels are {NO_MNIST} set own"
        self.assert_remedied(message, OWN, "set", **MNIST_HERE)

    @needs_mnist
    def test_mnist_that_is_not_found(self):
        mirrors = ("https://127.0.0.1:9/",)  # nothing listens there
        home = {"GAN3_DATA": "", "KERAS_HOME": "none"}
        with unittest.mock.patch.dict(os.environ, home):
            with self.assertRaisesRegex(UserError, "files into ./data, or set GAN3_DATA to their"):
                load("mnist", mirrors=mirrors, log=str)
            self.assert_remedied(
                "ink bright: of MNIST and the strokes it is bright; leave it out",
                {"ink": "unknown"},
                MNIST,
                dataset="mnist",
            )
            os.environ["GAN3_DATA"] = MNIST
            self.assertEqual(load("mnist", mirrors=mirrors).source, MNIST)
            os.environ["GAN3_DATA"] = ""
            Path("data").symlink_to(MNIST)
            self.assertEqual(load("mnist", mirrors=mirrors).source, "data")
