from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data import sample_files, strokes
from tests.support import FolderTest

IMAGES, LABELS = strokes.make(40, 10)[:2]
LABELS = LABELS.astype(np.int64)
INVERTED = "uint8 from 0 to 255, read as 0..255; inverted because their borders are bright"


class Arrays(FolderTest):
    def read(self, images, **arrays):
        np.savez("x.npz", images=images, **arrays)
        return sample_files.read(Path("x.npz"))

    def test_how_the_values_were_read_is_noted(self):
        for images, note in (
            (IMAGES, "uint8 from 0 to 255, read as 0..255"),
            (IMAGES / 127.5 - 1, "float64 from -1 to 1, read as -1..1"),
            (255 - IMAGES, INVERTED),
        ):
            with self.subTest(note):
                read = self.read(images, labels=LABELS)
                self.assertEqual(read.note, note)
                np.testing.assert_array_equal(read.images, IMAGES)
        scaled = "uint8 from 0 to 1, far from 255; scaled so that 1 is full brightness"
        self.assertEqual(self.read(IMAGES // 255).note, scaled)

    def test_labels_are_digits(self):
        for labels, message in (
            (LABELS + 1, "labels 10: use one or more digits 0 to 9"),
            (LABELS - 1, "labels -1: use one or more digits 0 to 9"),
            (LABELS[:-1], "39 labels for 40 images; store one for each"),
        ):
            with self.assertRaises(UserError) as refused:
                self.read(IMAGES, labels=labels)
            self.assertEqual(str(refused.exception), f"x.npz: {message}")
        read = self.read(IMAGES, labels=LABELS.astype(np.float32))
        np.testing.assert_array_equal(read.labels, LABELS)
        self.assertEqual(read.labels.dtype, np.int64)

    def test_npy_has_images_only(self):
        np.save("x.npy", IMAGES / 255)
        read = sample_files.read(Path("x.npy"))
        np.testing.assert_array_equal(read.images, IMAGES)
        self.assertIsNone(read.labels)
        Path("x.npy").write_bytes(b"no array")
        with self.assertRaisesRegex(UserError, "^x.npy: damaged or not an npy file"):
            sample_files.read(Path("x.npy"))


class Folders(FolderTest):
    def test_sub_folders_are_classes(self):
        order = np.argsort(LABELS, kind="stable")  # the order in which the folders are read
        for images, mode, note in ((IMAGES, "L", ""), (255 - IMAGES, "RGB", INVERTED)):
            for number, (image, label) in enumerate(zip(images, LABELS, strict=True)):
                path = Path(f"samples/{label}/{number:03d}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).convert(mode).save(path)
            read = sample_files.read(Path("samples"))
            np.testing.assert_array_equal(read.images, IMAGES[order])
            np.testing.assert_array_equal(read.labels, LABELS[order])
            self.assertIn(note, read.note)
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
