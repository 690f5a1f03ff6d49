"""Folders of pictures: their layouts, the rule of the conversion, and odd files in them."""

import os
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data.picture_folders import has_class_folders, read_picture_folder
from gan3.data.pictures import fit, likely_ink
from tests.support import FolderTest

FOLDER = Path("set")


def save(path, array, mode=None):
    path = FOLDER / path
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array, mode).save(path)


class FolderOfPictures(FolderTest):
    def setUp(self):
        super().setUp()
        self.lines = []
        self.ink = np.zeros((28, 28), np.uint8)
        self.ink[10:20, 5:9] = 230

    def read(self, ink="bright"):
        return read_picture_folder(FOLDER, ink, self.lines.append)

    def assert_refused(self, message, ink="bright"):
        with self.assertRaisesRegex(UserError, message) as raised:
            self.read(ink)
        self.assertNotIn("\n", str(raised.exception))
        self.assertNotIn("--", str(raised.exception))


class Layouts(FolderOfPictures):
    def test_each_folder_is_a_class(self):
        save("b/1.png", self.ink)
        save("a/2.PNG", self.ink // 2)
        save("a/1.bmp", self.ink // 3)
        arrays = self.read()
        self.assertEqual(arrays["train-labels"].tolist(), ["a", "a", "b"])
        expected = np.stack([self.ink // 3, self.ink // 2, self.ink])
        np.testing.assert_array_equal(arrays["train-images"], expected)
        self.assertEqual(set(arrays), {"train-images", "train-labels"})
        self.assertEqual(self.lines, [])

    def test_train_and_test_above_the_classes(self):
        for path in ("train/a/1.png", "train/b/1.png", "test/b/2.png"):
            save(path, self.ink)
        arrays = self.read()
        self.assertEqual(arrays["train-labels"].tolist(), ["a", "b"])
        self.assertEqual(arrays["t10k-labels"].tolist(), ["b"])
        save("more/a/1.png", self.ink)
        self.assert_refused("set/more: beside the folders train and test")

    def test_test_pictures_without_classes_are_refused(self):
        for name in ("train/a/x.png", "train/b/x.png", "test/1.png"):
            save(name, self.ink)
        self.assert_refused("test/1.png: a picture beside the folders of the classes; move it")

    def test_train_can_also_be_a_class(self):
        save("train/1.png", self.ink)
        save("car/1.png", self.ink)
        self.assertEqual(self.read()["train-labels"].tolist(), ["car", "train"])

    def test_a_set_is_told_from_other_folders(self):
        self.assertFalse(has_class_folders(Path("none")))
        FOLDER.mkdir()
        self.assertFalse(has_class_folders(FOLDER))
        save("a/1.png", self.ink)
        self.assertFalse(has_class_folders(FOLDER))  # one class
        (FOLDER / "b").mkdir()
        (FOLDER / "b" / "notes.txt").write_text("x")
        self.assertFalse(has_class_folders(FOLDER))
        save("b/1.png", self.ink)
        self.assertTrue(has_class_folders(FOLDER))
        self.assertFalse(has_class_folders(Path()))
        FOLDER.rename("train")
        self.assertTrue(has_class_folders(Path()))


class OddFiles(FolderOfPictures):
    def setUp(self):
        super().setUp()
        save("a/1.png", self.ink)
        save("b/1.png", self.ink)

    def test_hidden_files_are_ignored_and_others_counted(self):
        (FOLDER / ".DS_Store").write_bytes(b"x")
        (FOLDER / "a" / "._1.png").write_bytes(b"x")
        (FOLDER / ".git").mkdir()
        self.assertEqual(len(self.read()["train-images"]), 2)
        self.assertEqual(self.lines, [])
        (FOLDER / "labels.csv").write_text("x")
        (FOLDER / "a" / "Thumbs.db").write_bytes(b"x")
        os.mkfifo(FOLDER / "b" / "pipe.png")  # opening it would wait for ever
        self.assertEqual(len(self.read()["train-images"]), 2)
        self.assertRegex(self.lines[0], "NOTE: set: 3 files are no pictures by name")

    def test_a_picture_that_cannot_be_read_is_named(self):
        (FOLDER / "b" / "2.png").write_bytes(b"no picture")
        self.assert_refused("set/b/2.png: not a picture")
        (FOLDER / "b" / "2.png").write_bytes((FOLDER / "a" / "1.png").read_bytes()[:-30])
        self.assert_refused("set/b/2.png: not a picture")
        save("b/2.png", np.zeros((3, 40), np.uint8))
        self.assert_refused("a side from 4 to 4096")

    def test_pictures_beside_the_classes_are_refused(self):
        save("2.png", self.ink)
        self.assert_refused("2.png: a picture beside the folders of the classes; move it")

    def test_a_folder_inside_of_a_class_is_refused(self):
        save("a/more/1.png", self.ink)
        self.assert_refused("set/a/more: a folder inside of a class")

    def test_a_folder_without_pictures_is_refused(self):
        for path in list(FOLDER.rglob("*.png")):
            path.unlink()
        self.assert_refused("set: has no pictures in sub-folders")
        with self.assertRaisesRegex(UserError, "none: cannot be searched"):
            read_picture_folder(Path("none"), "bright", print)

    @unittest.skipIf(os.getuid() == 0, "root can read every folder")
    def test_a_folder_that_cannot_be_searched_is_named(self):
        (FOLDER / "a").chmod(0)
        self.addCleanup((FOLDER / "a").chmod, 0o700)
        self.assert_refused("set/a: cannot be searched")


class Conversion(FolderOfPictures):
    def one(self, array, ink, mode=None):
        save("a/1.png", array, mode)
        return self.read(ink)["train-images"][0]

    def test_proportions_are_kept_and_areas_averaged(self):
        """56 x 28: centred on a square of 56, so 14 rows of background above and below, halved."""
        wide = np.zeros((28, 56), np.uint8)
        wide[0:2, 0:4] = 200
        wide[27, 54:56] = 100
        expected = np.zeros((28, 28), np.uint8)
        expected[7, 0:2] = 200
        expected[20, 27] = 50  # one of the two rows
        np.testing.assert_array_equal(self.one(wide, "bright"), expected)

    def test_dark_ink_is_inverted_and_the_margin_is_background(self):
        tall = np.full((56, 14), 255, np.uint8)
        tall[20:22] = 0
        image = self.one(tall, "dark")
        expected = np.zeros((28, 28), np.uint8)
        expected[10, 10:17] = 255  # columns 21 to 34 of 56: 7 of 28, half a column to the right
        expected[10, 10], expected[10, 17] = 128, 128
        np.testing.assert_allclose(image, expected, atol=1)

    def test_small_pictures_are_enlarged(self):
        small = np.zeros((7, 7), np.uint8)
        small[2:5, 2:5] = 200
        image = self.one(small, "bright")
        self.assertEqual(image[13, 13], 200)
        self.assertEqual(image[:6].max(), 0)
        self.assertAlmostEqual(image.mean(), small.mean(), delta=2)

    def test_colours_become_luminance(self):
        red = np.zeros((28, 28, 3), np.uint8)
        red[4:8, 4:8, 0] = 255
        self.assertEqual(self.one(red, "bright")[5, 5], 76)  # 0.299 x 255

    def test_transparent_pixels_become_background(self):
        image = np.zeros((28, 28, 4), np.uint8)  # all transparent
        image[10:14, 10:14] = (255, 255, 255, 255)
        bright = self.one(image, "bright")
        self.assertEqual((bright[12, 12], bright[0, 0]), (255, 0))
        image[10:14, 10:14] = (0, 0, 0, 255)
        dark = self.one(image, "dark")
        self.assertEqual((dark[12, 12], dark[0, 0]), (255, 0))

    def test_a_picture_of_28_by_28_stays_as_it_is(self):
        image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
        np.testing.assert_array_equal(fit(image), image)


class Ink(FolderOfPictures):
    def test_it_is_asked_for_and_not_guessed(self):
        for picture, likely in ((self.ink, "bright"), (255 - self.ink, "dark")):
            save("a/1.png", picture)
            save("b/1.png", picture)
            with self.subTest(likely):
                self.assert_refused(f"it looks {likely}: set ink to {likely}", ink="unknown")

    def test_of_transparent_pictures_the_visible_version_counts(self):
        for colour, likely in ((255, "bright"), (0, "dark")):
            image = np.zeros((28, 28, 4), np.uint8)
            image[10:14, 10:14] = (colour, colour, colour, 255)
            save("a/1.png", image)
            save("b/1.png", image)
            with self.subTest(likely):
                self.assert_refused(f"it looks {likely}", ink="unknown")

    def test_the_median_of_the_borders_decides(self):
        self.assertEqual(likely_ink(np.array([0, 0, 255])), "bright")
        self.assertEqual(likely_ink(np.array([0, 255, 255])), "dark")


if __name__ == "__main__":
    unittest.main()
