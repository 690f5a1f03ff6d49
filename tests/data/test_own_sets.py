"""A set of one's own, whatever its format: what it is recognised as, its classes and its parts."""

from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.idx import KINDS
from gan3.data.own_sets import find, own_set, read_stored
from gan3.plots.numbers import save_pictures
from tests.data.test_known_sets import write_files
from tests.support import FolderTest

IDX = Path("idx")


class OwnTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.lines = []

    def images(self, count):
        return np.random.default_rng(count).integers(0, 90, (count, 28, 28), np.uint8)

    def write_npz(self, labels, test_labels=None, path="x.npz"):
        arrays = {"x_train": self.images(len(labels)), "y_train": np.array(labels)}
        if test_labels is not None:
            arrays |= {"x_test": self.images(len(test_labels)), "y_test": np.array(test_labels)}
        np.savez(path, **arrays)
        return arrays

    def read(self, path="x.npz", ink="bright", **options):
        self.lines.clear()
        stored = read_stored(Path(path), ink, self.lines.append)
        return own_set(Path(path), stored, ink, self.lines.append, **options)

    def assert_refused(self, message, path="x.npz", **options):
        with self.assertRaisesRegex(UserError, message) as raised:
            self.read(path, **options)
        self.assertNotIn("\n", str(raised.exception))
        self.assertNotIn("--", str(raised.exception))


class Classes(OwnTest):
    def test_integers_become_names_in_the_order_of_numbers(self):
        self.write_npz([9, 100, -1, 9] * 20, [100] * 50)
        own = self.read()
        self.assertEqual(own.class_names, ("-1", "9", "100"))
        self.assertEqual(own.arrays["train-labels"][:4].tolist(), [1, 2, 0, 1])
        self.assertEqual(own.arrays["t10k-labels"].tolist(), [2] * 50)
        self.assertEqual(own.arrays["train-labels"].dtype, np.uint8)

    def test_integers_of_several_types_are_the_same_classes(self):
        """Signed and unsigned 64 bits together would become floats."""
        arrays = self.write_npz([0, 1] * 40, [1, 0] * 30)
        np.savez("x.npz", **arrays | {"y_test": arrays["y_test"].astype(np.uint64)})
        own = self.read()
        self.assertEqual(own.class_names, ("0", "1"))
        self.assertEqual(own.arrays["t10k-labels"][:2].tolist(), [1, 0])

    def test_text_is_sorted_as_text_unless_all_of_it_is_numbers(self):
        for labels, names in (
            (["b", "B", "10"], ("10", "B", "b")),
            (["10", "9", "1"], ("1", "9", "10")),
            (list("5678901234"), DIGITS),
        ):
            self.write_npz(labels * 30, labels * 20)
            with self.subTest(labels):
                own = self.read()
                self.assertEqual(own.class_names, names)
                read = [own.class_names[label] for label in own.arrays["train-labels"]]
                self.assertEqual(read, labels * 30)

    def test_two_to_62_classes_are_supported(self):
        for count, fits in ((1, False), (2, True), (62, True), (63, False), (300, False)):
            self.write_npz(list(range(count)) * (600 // count), list(range(count)) * 60)
            with self.subTest(count):
                if fits:
                    self.assertEqual(len(self.read().class_names), count)
                else:
                    self.assert_refused(f"{count} different labels; from 2 to 62")

    def test_any_byte_is_a_label_in_idx_files(self):
        labels = np.resize([255, 7, 30], 60).astype(np.uint8)
        arrays = dict(zip(KINDS, (self.images(60), labels) * 2, strict=True))
        write_files(IDX, arrays)
        own = self.read(IDX, ink="unknown")
        self.assertEqual(own.class_names, ("7", "30", "255"))
        self.assertEqual(own.arrays["train-labels"][:3].tolist(), [2, 0, 1])
        np.testing.assert_array_equal(own.arrays["train-images"], arrays["train-images"])
        dark = self.read(IDX, ink="dark")
        np.testing.assert_array_equal(dark.arrays["t10k-images"], 255 - arrays["t10k-images"])


class UnbalancedAndSmallSets(OwnTest):
    def test_a_seventh_becomes_the_test_part(self):
        self.write_npz([0] * 420 + [1] * 70 + [2] * 7 + [3])
        own = self.read()
        for part, expected in (("train", [360, 60, 6, 1]), ("t10k", [60, 10, 1, 0])):
            self.assertEqual(
                np.bincount(own.arrays[f"{part}-labels"], minlength=4).tolist(), expected
            )
        note = "NOTE: x.npz: classes of fewer than 10 training images: 2, 3"
        self.assertEqual(self.lines[0], note)
        self.assertEqual(self.lines[1], "NOTE: x.npz: classes without test images: 3")
        self.assertRegex(self.lines[2], '^x.npz: own set "x", 4 classes .0, 1, 2, 3., 427 training')

    def test_350_images_are_enough_and_349_are_not(self):
        self.write_npz([0, 1] * 174 + [1])
        self.assert_refused("349 images; a set without a test part needs at least 350")
        self.write_npz([0, 1] * 175)
        self.assertEqual(len(self.read().arrays["t10k-images"]), 50)


class Sources(OwnTest):
    def write_pictures(self, folder, images=None):
        images = self.images(360) if images is None else images
        for i, image in enumerate(images):
            path = Path(folder) / "ab"[i % 2] / f"{i:03}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)

    def test_the_kind_is_recognised_by_the_content(self):
        self.write_npz([0, 1] * 200)
        for folder in ("one", "labelled", "empty"):
            Path(folder).mkdir()
        self.write_npz([0, 1] * 200, path="one/y.npz")
        self.write_pictures("pictures")
        labels = (np.arange(60) % 2).astype(np.uint8)
        write_files(IDX, dict(zip(KINDS, (self.images(60), labels) * 2, strict=True)))
        pictures = ((f"{i}.png", x, "ab"[i % 2]) for i, x in enumerate(self.images(360)))
        save_pictures(Path("labelled"), pictures)
        self.write_npz([0, 1] * 200, path="labelled/features.npz")
        Path("notes.txt").write_text("x")
        for path, kind in (
            ("x.npz", "array files"),
            ("one", "array files"),
            ("pictures", "pictures"),
            ("labelled", "pictures"),
            ("idx", "IDX files"),
            ("idx/t10k-labels-idx1-ubyte.gz", "IDX files"),
            ("empty", None),
            ("notes.txt", None),
        ):
            with self.subTest(path=path):
                self.assertEqual(find(Path(path))[0], kind)
                if kind:
                    self.assertEqual(len(self.read(path).class_names), 2)
                else:
                    self.assert_refused("has no IDX files .* nor npz, npy or CSV files", path)

    def test_pictures_far_from_full_brightness_are_scaled_with_one_note(self):
        images = np.random.default_rng(0).integers(0, 256, (360, 28, 28), np.uint8)
        for name, stored, expected, found in (
            ("masks", images // 128, images // 128 * 255, "uint8 from 0 to 1, far from 255"),
            ("bits12", images * np.uint16(16), images, "uint16 from 0 to 4080, far from 65535"),
        ):
            self.write_pictures(name, stored)
            read = self.read(name).arrays["train-images"]
            self.assertLessEqual({x.tobytes() for x in read}, {x.tobytes() for x in expected})
            note = f"NOTE: {name}: {found}; scaled so that {stored.max()} is full brightness"
            self.assertEqual(self.lines[0], note)

    def test_the_cache_of_the_strokes_is_no_set(self):
        Path("two").mkdir()
        self.write_npz([0, 1] * 200, path=f"two/{strokes.CACHE}")
        self.assertIsNone(find(Path("two"))[0])
        self.write_npz([0, 1] * 200, path="two/z.npz")
        self.assertEqual(self.read("two").title, 'own set "two"')

    def test_the_title_is_the_name_of_the_file_or_folder(self):
        self.write_pictures("my letters")
        self.assertEqual(self.read("my letters").title, 'own set "my letters"')
        Path("x" * 60).mkdir()
        self.write_npz([0, 1] * 200, path=f"{'x' * 60}/y.npz")
        self.assertEqual(self.read("x" * 60).title, "own set")
        self.write_npz([0, 1] * 200, path="a$b$.npz")  # a formula for Matplotlib
        self.assertEqual(self.read("a$b$.npz").title, "own set")
