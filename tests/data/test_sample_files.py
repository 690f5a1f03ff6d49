import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data import sample_files, strokes
from tests.support import FolderTest

IMAGES, LABELS = strokes.make(40, 10)[:2]
LABELS = LABELS.astype(np.int64)


class Arrays(FolderTest):
    def read(self, images, **arrays):
        np.savez("x.npz", images=images, **arrays)
        return sample_files.read(Path("x.npz"))

    def assert_refused(self, images, message, **arrays):
        with self.assertRaisesRegex(UserError, f"^x.npz: .*{message}"):
            self.read(images, **arrays)

    def test_how_the_values_were_read_is_noted(self):
        for images, note in (
            (IMAGES, "uint8 from 0 to 255, read as 0..255"),
            (IMAGES / 127.5 - 1, "float64 from -1 to 1, read as -1..1"),
            (
                IMAGES // 255,
                "uint8 from 0 to 1, far from 255; scaled so that 1 is full brightness",
            ),
        ):
            with self.subTest(note):
                self.assertEqual(self.read(images, labels=LABELS).note, note)
        np.testing.assert_array_equal(self.read(IMAGES / 255, labels=LABELS).images, IMAGES)
        self.assert_refused(IMAGES / 255 - 0.1, "float64 from -0.1 to 0.9; scale the images to")

    def test_labels_are_digits(self):
        for labels in (LABELS + 1, LABELS - 1):
            self.assert_refused(
                IMAGES, "labels (10|-1): use one or more digits 0 to 9", labels=labels
            )
        self.assert_refused(IMAGES, "39 labels for 40 images", labels=LABELS[:-1])
        read = self.read(IMAGES, labels=LABELS.astype(np.float32))
        np.testing.assert_array_equal(read.labels, LABELS)
        self.assertEqual(read.labels.dtype, np.int64)
        self.assertIsNone(self.read(IMAGES).labels)

    def test_bright_borders_are_inverted_and_noted(self):
        read = self.read(255 - IMAGES)
        np.testing.assert_array_equal(read.images, IMAGES)
        self.assertIn("inverted because their borders are bright", read.note)

    def test_npy_has_images_only(self):
        np.save("x.npy", IMAGES / 255)
        read = sample_files.read(Path("x.npy"))
        np.testing.assert_array_equal(read.images, IMAGES)
        self.assertIsNone(read.labels)
        np.save("x.npy", np.array([{}] * 3), allow_pickle=True)
        with self.assertRaisesRegex(UserError, "^x.npy: "):
            sample_files.read(Path("x.npy"))
        Path("x.npy").write_bytes(b"no array")
        with self.assertRaisesRegex(UserError, "^x.npy: damaged or not an npy file"):
            sample_files.read(Path("x.npy"))


class Folders(FolderTest):
    def write(self, images, mode="L"):
        for number, (image, label) in enumerate(zip(images, LABELS, strict=True)):
            path = Path(f"samples/{label}/{number:03d}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).convert(mode).save(path)
        order = np.argsort(LABELS, kind="stable")  # the order in which the folders are read
        return sample_files.read(Path("samples")), IMAGES[order], LABELS[order]

    def test_a_picture_of_28_pixels_is_read_as_it_is(self):
        read, images, labels = self.write(IMAGES)
        np.testing.assert_array_equal(read.images, images)
        np.testing.assert_array_equal(read.labels, labels)
        self.assertEqual(read.note, "uint8 from 0 to 255, read as 0..255")

    def test_dark_ink_is_inverted_and_said_so(self):
        read, images, _ = self.write(255 - IMAGES, mode="RGB")
        np.testing.assert_array_equal(read.images, images)
        self.assertIn("inverted because their borders are bright", read.note)

    def test_sub_folders_are_classes_and_hold_pictures(self):
        self.write(IMAGES)
        Path("samples/3").rename("samples/a")
        with self.assertRaisesRegex(UserError, "^samples: labels: no digit 'a' here; use 0, 1, 2"):
            sample_files.read(Path("samples"))
        Path("samples/a/x.png").write_text("no picture")
        with self.assertRaisesRegex(UserError, "^samples/a/x.png: not a picture"):
            sample_files.read(Path("samples"))

    def test_pictures_alone_have_no_labels(self):
        Path("samples").mkdir()
        for number, image in enumerate(IMAGES):
            Image.fromarray(image).save(f"samples/{number:03d}.png")
        read = sample_files.read(Path("samples"))
        np.testing.assert_array_equal(read.images, IMAGES)
        self.assertIsNone(read.labels)


if __name__ == "__main__":
    unittest.main()
