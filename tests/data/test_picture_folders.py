"""Folders of pictures: their layouts, the rule of the conversion, and odd files in them."""

import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data.picture_folders import has_pictures, read_picture_folder
from tests.support import FolderTest

FOLDER = Path("set")


class FolderOfPictures(FolderTest):
    def setUp(self):
        super().setUp()
        self.lines = []
        self.ink = np.zeros((28, 28), np.uint8)
        self.ink[10:20, 5:9] = 230

    def save(self, *paths, image=None):
        for path in paths:
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(self.ink if image is None else image).save(FOLDER / path)

    def read(self, ink="bright", **options):
        self.lines.clear()
        return read_picture_folder(FOLDER, ink, self.lines.append, **options)

    def labels(self):
        """The labels of both parts."""
        arrays = self.read()
        return [arrays[k].tolist() for k in ("train-labels", "t10k-labels") if k in arrays]

    def assert_refused(self, message, **options):
        with self.assertRaises(UserError) as refused:
            self.read(**options)
        self.assertEqual(str(refused.exception), message)


class Layouts(FolderOfPictures):
    def test_each_folder_is_a_class(self):
        self.save("b/1.png")
        self.save("a/2.PNG", image=self.ink // 2)
        self.save("a/1.bmp", image=self.ink // 3)
        arrays = self.read()
        self.assertEqual(arrays["train-labels"].tolist(), ["a", "a", "b"])
        expected = np.stack([self.ink // 3, self.ink // 2, self.ink])
        np.testing.assert_array_equal(arrays["train-images"], expected)
        self.assertEqual((set(arrays), self.lines), ({"train-images", "train-labels"}, []))

    def test_the_parts_have_any_usual_names(self):
        for train, test, line in (
            ("train", "test", []),
            ("training", "testing", ["set: trains on training, holds out testing"]),
            ("training-images", "valid", ["set: trains on training-images, holds out valid"]),
            ("Train", "val", ["set: trains on Train, holds out val"]),
        ):
            self.save(f"{train}/a/1.png", f"{train}/b/1.png", f"{test}/b/2.png")
            with self.subTest(train):
                self.assertEqual(self.labels(), [["a", "b"], ["b"]])
                self.assertEqual(self.lines, line)
            FOLDER.rename(f"{train} before")

    def test_of_three_parts_the_validation_part_is_left_out(self):
        self.save("train/a/1.png", "train/b/1.png", "validation/a/1.png", "test/b/2.png")
        self.assertEqual(self.labels(), [["a", "b"], ["b"]])
        left_out = "set: trains on train, holds out test; validation is left out"
        self.assertEqual(self.lines, [left_out])
        self.save("more/a/1.png")
        self.assert_refused(
            "set/more: beside the folders train and test; move it away, or into both"
        )
        (FOLDER / "more").rename("more")
        self.labels()

    def test_train_can_also_be_a_class(self):
        self.save("train/1.png", "car/1.png")
        self.assertEqual(self.labels(), [["car", "train"]])

    def test_labels_beside_pictures(self):
        self.save("1.png", "2.png", "deep/3.png", "unlisted.png")
        rows = 'file,label\n2.png,b\ndeep/3.png,"x, y"\n1.png,a\n'
        (FOLDER / "labels.csv").write_text(rows)
        self.assertEqual(self.labels(), [["a", "b", "x, y"]])
        self.assertEqual(
            self.lines, ["NOTE: set: ignored set/unlisted.png: no picture by its name, or no label"]
        )
        listed = rows.partition("\n")[2]
        for text in (
            listed,  # without a header
            'Label , file\n a,1.png\nb, 2.png\n"x, y",deep/3.png\n',
            ',name,split,label\n0,1.png,train,a\n1,2.png,test,b\n2,deep/3.png,train,"x, y"\n',
            'digit,y,label\n1.png,3,a\n2.png,4,b\ndeep/3.png,5,"x, y"\n',
        ):
            (FOLDER / "labels.csv").write_text(text)
            self.assertEqual(self.labels(), [["a", "b", "x, y"]], text)
        no_pairs = (
            "set/labels.csv: has no pairs of a picture and its label; write such pairs, or name the"
            " column label"
        )
        twice = "set/labels.csv: names set/1.png twice; remove one of its rows"
        for text, message in (
            ("1.png,a,train\n2.png,b,train\n", no_pairs),
            (f"{listed}./1.png,b\n", twice),
            (listed.replace(",b", ",\xe9"), "set/labels.csv: is not UTF-8; store it in UTF-8"),
        ):
            (FOLDER / "labels.csv").write_text(text, encoding="latin-1")
            self.assert_refused(message)
        (FOLDER / "labels.csv").unlink()
        pairs = [["2.png", 7], ["deep/3.png", 10], ["1.png", 7]]
        (FOLDER / "dataset.json").write_text(json.dumps({"labels": pairs}))
        self.assertEqual(self.labels(), [["7", "7", "10"]])

        for text in ("{}", '{"labels": null}', "no JSON"):
            (FOLDER / "dataset.json").write_text(text)
            self.assert_refused(no_pairs.replace("labels.csv", "dataset.json"))

    def test_a_set_is_told_from_other_folders_and_pictures_alone_have_no_labels(self):
        self.assertFalse(has_pictures(Path("none"), ("*",)))
        self.save("__MACOSX/1.png")
        (FOLDER / "notes.txt").write_text("x")
        self.assertFalse(has_pictures(FOLDER, ("*", "*/*")))
        self.save("1.png")
        self.assertFalse(has_pictures(FOLDER, ("*/*",)))
        self.assertTrue(has_pictures(FOLDER, ("*", "*/*")))
        self.assertEqual(set(self.read()), {"train-images"})


class OddFiles(FolderOfPictures):
    def setUp(self):
        super().setUp()
        self.save("a/1.png", "b/1.png")

    def test_what_is_no_picture_is_ignored_with_one_count(self):
        for name in (".DS_Store", "a/._1.png", "a/Thumbs.db", "desktop.ini", "notes.txt"):
            (FOLDER / name).write_bytes(b"x")
        for name in ("__MACOSX/a", ".git/b", "a/__MACOSX"):
            (FOLDER / name).mkdir(parents=True)
        os.mkfifo(FOLDER / "b" / "pipe.png")  # opening it would wait for ever
        self.assertEqual(self.labels(), [["a", "b"]])
        line = "NOTE: set: ignored set/.DS_Store and 8 more: no picture by its name, or no label"
        self.assertEqual(self.lines, [line])

    def test_damaged_pictures_are_listed_all_at_once_and_can_be_left_out(self):
        (FOLDER / "b" / "2.png").write_bytes(b"no picture")
        one = "set/b/2.png: not a picture that can be read; use a PNG in its place"
        skip = "in training and scoring skip_damaged leaves out such pictures"
        self.assert_refused(f"{one}, or remove it; {skip}")
        (FOLDER / "a" / "2.png").write_bytes((FOLDER / "a" / "1.png").read_bytes()[:-30])
        self.save("b/3.png", image=np.zeros((3, 40), np.uint8))
        self.assert_refused(
            "set: 3 pictures cannot be read: a/2.png, b/2.png, b/3.png; replace or remove them; "
            + skip
        )
        arrays = self.read(skip_damaged=True)  # as the message says
        self.assertEqual(arrays["train-labels"].tolist(), ["a", "b"])
        self.assertEqual(len(arrays["train-images"]), 2)
        (line,) = self.lines
        self.assertRegex(line, "NOTE: set: left out 3 damaged pictures, such as set/a/2.png: not a")
        for number in range(4, 30):
            (FOLDER / "b" / f"{number}.png").write_bytes(b"")
        with self.assertRaisesRegex(UserError, "29 pictures .*, b/2.png.* and 9 more; replace"):
            self.read()

    def test_a_layout_that_is_unclear_is_refused_and_the_remedy_works(self):
        self.save("2.png")
        self.assert_refused(
            "set/2.png: a picture beside the folders of the classes; move it into one of them"
        )
        (FOLDER / "2.png").rename(FOLDER / "a" / "2.png")
        self.assertEqual(self.labels(), [["a", "a", "b"]])
        self.save("a/more/1.png")
        self.assert_refused("set/a/more: a folder inside of a class; move its pictures up")
        (FOLDER / "a/more/1.png").rename(FOLDER / "a" / "3.png")
        (FOLDER / "a/more").rmdir()
        self.assertEqual(self.labels(), [["a", "a", "a", "b"]])

    def test_a_folder_without_pictures_is_refused(self):
        for path in list(FOLDER.rglob("*.png")):
            path.unlink()
        self.assert_refused("set: has no pictures; put them into one sub-folder for each class")
        self.save("a/1.png", "c/1.png")
        self.assertEqual(self.labels(), [["a", "c"]])


class Conversion(FolderOfPictures):
    def one(self, array, ink="bright"):
        self.save("a/1.png", image=array)
        return self.read(ink)["train-images"][0]

    def test_proportions_are_kept_and_areas_averaged(self):
        """56 x 28: centred on a square of 56, so 14 rows of background above and below, halved."""
        for dtype, factor in ((np.uint8, 1), (np.uint16, 200)):
            wide = np.zeros((28, 56), dtype)
            wide[0:2, 0:4] = 200 * factor
            wide[27, 54:56] = 100 * factor
            expected = np.zeros((28, 28), dtype)
            expected[7, 0:2] = 200 * factor
            expected[20, 27] = 50 * factor  # one of the two rows
            image = self.one(wide)
            self.assertEqual(image.dtype, dtype)
            np.testing.assert_array_equal(image, expected)

    def test_pictures_of_8_and_of_16_bits_are_equally_bright(self):
        self.save("a/1.png")
        self.save("a/2.png", image=self.ink.astype(np.uint16) * 257)
        first, second = self.read()["train-images"]
        np.testing.assert_array_equal(first, second)

    def test_the_margin_is_background(self):
        tall = np.full((56, 14), 255, np.uint8)
        tall[20:22] = 0
        expected = np.full((28, 28), 255)
        expected[10, 10:17] = 0  # columns 21 to 34 of 56: 7 of 28, half a column to the right
        expected[10, 10], expected[10, 17] = 127, 127
        np.testing.assert_allclose(self.one(tall, "dark"), expected, atol=1)

    def test_transparent_pixels_become_background(self):
        for level, inks in ((255, ("bright", "unknown")), (0, ("dark", "unknown"))):
            image = np.zeros((28, 28, 4), np.uint8)  # all transparent
            image[10:14, 10:14] = (level, level, level, 255)
            for ink in inks:
                read = self.one(image, ink)
                self.assertEqual((read[12, 12], read[0, 0]), (level, 255 - level))
