"""IDX, npz, npy and CSV files: the arrays that are found in them, and what is refused."""

import gzip
import os
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.array_files import IDX, TABLES, array_files, read_array_files
from gan3.data.idx import KINDS, is_mnist
from tests.support import MNIST, FolderTest, needs_mnist, write_idx_set

IMAGES = np.random.default_rng(1).integers(0, 256, (80, 28, 28), np.uint8)
LABELS = np.arange(80) % 3
PARTS = (IMAGES, LABELS, IMAGES[:50], LABELS[:50])


class ArrayTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.lines = []

    def read(self, path):
        return read_array_files(array_files(Path(path), TABLES), self.lines.append)

    def assert_read(self, path, kinds=KINDS):
        arrays = self.read(path)
        self.assertEqual(set(arrays), set(kinds))
        for kind, part in zip(KINDS, PARTS, strict=True):
            if kind in kinds:
                np.testing.assert_array_equal(arrays[kind].reshape(part.shape), part)

    def assert_refused(self, message, path):
        with self.assertRaises(UserError) as refused:
            self.read(path)
        self.assertEqual(str(refused.exception), message)


class Names(ArrayTest):
    def test_each_array_of_a_file_is_known_by_the_words_of_its_name(self):
        for names in (
            ("x_train", "y_train", "x_test", "y_test"),
            ("train_images", "train_labels", "test_images", "test_labels"),
            ("train_x", "train_y", "test_x", "test_y"),
            ("X_train", "Y_train", "X_valid", "Y_valid"),
        ):
            np.savez("x.npz", **dict(zip(names, PARTS, strict=True)))
            with self.subTest(names):
                self.assert_read("x.npz")
        self.assertEqual(self.lines, ["NOTE: x.npz: holds out its validation part"])
        of_three = dict(zip(("train_images", "train_labels", "test_images"), PARTS, strict=False))
        np.savez("x.npz", **of_three, val_images=IMAGES, test_labels=LABELS[:50], val_labels=LABELS)
        self.assert_read("x.npz")
        self.assertEqual(self.lines[1:], ["NOTE: x.npz: its validation part is left out"])
        for names in (
            ("images", "labels"),
            ("x_train", "y_train"),
            ("x", "y"),
            ("image", "target"),
        ):
            np.savez("x.npz", **dict(zip(names, PARTS[:2], strict=True)))
            self.assert_read("x.npz", KINDS[:2])
        for extra in ("label_names", "image_ids"):  # neither labels nor images
            np.savez("x.npz", images=IMAGES, label=LABELS, **{extra: LABELS})
            self.assert_read("x.npz", KINDS[:2])

    def test_files_of_one_array_are_paired_by_name(self):
        """As KMNIST and Kannada-MNIST are published, and as np.save writes them."""
        for names in (
            ("kmnist-train-imgs", "kmnist-train-labels", "kmnist-test-imgs", "kmnist-test-labels"),
            ("X_kannada_train", "y_kannada_train", "X_kannada_test", "y_kannada_test"),
            ("x_train", "y_train", "x_test", "y_test"),
        ):
            for suffix in ("npz", "npy"):
                folder = Path(suffix, names[0])
                folder.mkdir(parents=True)
                for name, array in zip(names, PARTS, strict=True):
                    path = folder / f"{name}.{suffix}"
                    np.savez(path, array) if suffix == "npz" else np.save(path, array)
                with self.subTest(folder):
                    self.assert_read(folder)
                    self.assert_read(folder / f"{names[0]}.{suffix}")
        for name, array in zip(("images", "label", "test_images"), PARTS, strict=False):
            np.save(f"{name}.npy", array)
        for name in ("images.npy", "label.npy"):
            self.assert_read(name, KINDS[:2])


class Csv(ArrayTest):
    def write(self, name, images, labels=None, header=None, delimiter=",", label_at=0):
        rows = [list(map(str, image.ravel())) for image in images]
        if labels is not None:
            for row, label in zip(rows, labels, strict=True):
                row.insert(label_at, str(label))
        lines = [delimiter.join(row) for row in ([header] if header else []) + rows]
        content = "\n".join(lines).encode()
        Path(name).write_bytes(gzip.compress(content, 1) if name.endswith("gz") else content)

    def test_a_label_and_784_pixels_in_a_row(self):
        pixels = [f"pixel{i}" for i in range(784)]
        for name, options in (
            ("a.csv", {}),
            ("b.csv.gz", {}),
            ("c.CSV", {"delimiter": ";"}),
            ("d.csv", {"header": ["label", *pixels]}),
            ("e.csv", {"header": ['"Label"', *pixels], "delimiter": "\t"}),
            ("f.csv", {"header": [*pixels, "class"], "label_at": 784}),
            ("g.csv", {"header": ["what", *pixels]}),
            ("h.csv", {"header": ["0", *(f"0.{i}" for i in range(1, 785))]}),  # as pandas writes
            ("i.csv", {"header": [str(i) for i in range(785)]}),
            ("j.csv", {"header": ["what", *(str(i) for i in range(784))]}),
        ):
            self.write(name, IMAGES, LABELS, **options)
            with self.subTest(name):
                self.assert_read(name, KINDS[:2])
        np.savetxt("k.csv", np.column_stack([LABELS, IMAGES.reshape(80, 784)]), delimiter=",")
        self.assert_read("k.csv", KINDS[:2])  # 2.550000000000000000e+02
        self.write("l.csv", IMAGES, np.arange(80), header=["", *(str(i) for i in range(784))])
        self.assert_read("l.csv", KINDS[:1])  # the numbers of the rows are no labels

    def test_floats_and_labels_as_text(self):
        self.write("a.csv", IMAGES / 255, LABELS)
        np.testing.assert_allclose(
            self.read("a.csv")["train-images"] * 255, IMAGES.reshape(80, 784), atol=1e-4
        )
        for first in (2**24, 3 * 10**9):  # float32 has neither first + 1
            for images in (IMAGES / 255, IMAGES):
                self.write("a.csv", images, first + LABELS)
                self.assertEqual(
                    self.read("a.csv")["train-labels"].tolist(), (first + LABELS).tolist()
                )
        self.write("a.csv", IMAGES, np.array(["oak", '"ß, x"', "A"])[LABELS])
        labels = self.read("a.csv")["train-labels"].tolist()
        self.assertEqual(labels[:4], ["oak", "ß, x", "A", "oak"])

    def test_a_test_file_belongs_to_its_training_file(self):
        self.write("mnist_train.csv", *PARTS[:2])
        self.write("mnist_test.csv", *PARTS[2:])
        self.assert_read("mnist_train.csv")
        self.assert_read(".")
        self.write("mnist_train.csv.gz", *PARTS[:2])  # once more
        self.assert_read(".")
        self.write(".mnist_train.csv", *PARTS[:2])  # hidden, but named
        self.assert_read(".mnist_train.csv", KINDS[:2])
        np.save("mnist_train.npy", IMAGES)  # another set, whose name differs in the suffix
        self.assert_read("mnist_train.csv")
        for name in ("mnist_test.csv", "mnist_val.csv"):  # alone, to be scored
            self.write(name, *PARTS[2:])
            np.testing.assert_array_equal(self.read(name)["train-labels"], PARTS[3])

    def test_a_competition_has_a_test_file_without_labels_and_a_sample(self):
        self.write("train.csv", *PARTS[:2], header=["label", *(f"pixel{i}" for i in range(784))])
        self.write("test.csv", PARTS[2], header=[f"pixel{i}" for i in range(784)])
        Path("sample_submission.csv").write_text("ImageId,Label\n1,0\n")
        self.assert_read(".", KINDS[:3])

    def test_what_is_refused(self):
        self.write("x.csv", IMAGES, LABELS)
        whole = Path("x.csv").read_text()
        texts = (whole[:-1000], whole.replace(",0,", ",x,", 3))
        packed = (b"no gzip", gzip.compress(whole.encode())[:-2000], gzip.compress(b"\xff"))
        for name, content in (
            *(("x.csv", text.encode()) for text in texts),
            *(("x.csv.gz", content) for content in packed),
        ):
            Path(name).write_bytes(content)
            with self.assertRaisesRegex(UserError, f"^{name}: damaged or not a CSV file"):
                self.read(name)


class Idx(ArrayTest):
    def setUp(self):
        super().setUp()
        self.arrays = dict(zip(KINDS, write_idx_set(Path("own")), strict=True))

    def assert_whole(self, path="own"):
        arrays = read_array_files(array_files(Path(path), IDX), self.lines.append)
        self.assertEqual(set(arrays), set(KINDS))
        for kind, expected in self.arrays.items():
            np.testing.assert_array_equal(arrays[kind], expected)

    def test_every_usual_name_is_known(self):
        for change in (
            lambda name: name.replace("-idx", ".idx"),
            lambda name: name.replace("t10k", "test"),
            lambda name: f"emnist-letters-{name}",
        ):
            for path in Path("own").iterdir():
                path.rename(path.with_name(change(path.name)))
            self.assert_whole()
            self.assert_whole(path.with_name(change(path.name)))
        self.assertEqual(array_files(Path(), IDX), [])

    def test_the_labels_of_qmnist_are_in_the_first_of_eight_columns(self):
        labels = np.zeros((300, 8), ">i4")
        labels[:, 0], labels[:, 1] = self.arrays["train-labels"], 7
        content = bytes([0, 0, 12, 2]) + np.array([300, 8], ">u4").tobytes() + labels.tobytes()
        Path("own/train-labels-idx1-ubyte.gz").unlink()
        Path("own/train-labels-idx2-int.gz").write_bytes(gzip.compress(content))
        self.assert_whole()

    @needs_mnist
    def test_one_changed_bit_is_not_mnist(self):
        arrays = read_array_files(array_files(Path(MNIST), IDX), str)
        for kind, array in arrays.items():
            self.assertTrue(is_mnist(kind, array))
            self.assertFalse(is_mnist(kind, array.astype(np.int8)))
            changed = array.copy()
            changed.flat[100] ^= 1
            self.assertFalse(is_mnist(kind, changed))


class Refused(ArrayTest):
    def test_objects_are_never_unpickled(self):
        class Trap:
            def __reduce__(self):
                return os.mkdir, ("unpickled",)

        trap = np.array([Trap()] * 80, object)
        what = "has Python objects; store numbers or text"
        np.savez("x.npz", images=IMAGES, labels=trap)
        self.assert_refused(f"x.npz: array labels {what}", "x.npz")
        np.save("x.npy", trap)
        self.assert_refused(f"x.npy: its array {what}", "x.npy")
        self.assertFalse(Path("unpickled").exists())
