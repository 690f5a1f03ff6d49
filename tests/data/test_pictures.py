import subprocess
import unittest
import unittest.mock
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.data.pictures import border, likely_ink, read_grey
from tests.support import FolderTest


class Reading(FolderTest):
    def read(self, image, name="x.png"):
        image.save(name)
        return read_grey(Path(name))

    def test_other_formats_are_not_opened_whatever_the_name(self):
        """Pillow would start Ghostscript for an EPS file."""
        content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 30\n%%EndComments\nshowpage\n"
        Path("x.png").write_bytes(content)
        image = Image.new("RGB", (30, 30))
        image.save("icon.ico")
        Path("icon.ico").rename("y.png")
        with unittest.mock.patch.object(subprocess, "Popen") as started:
            for name in ("x.png", "y.png"):
                with self.assertRaisesRegex(UserError, f"^{name}: not a picture that can be read"):
                    read_grey(Path(name))
        started.assert_not_called()

    def test_all_formats_of_folders_are_opened(self):
        levels = np.full((12, 9), 200, np.uint8)
        levels[3:9, 2:5] = 10
        for suffix in ("png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "pgm", "pnm"):
            with self.subTest(suffix):
                (grey,) = self.read(Image.fromarray(levels), f"x.{suffix}")
                np.testing.assert_allclose(grey, levels, atol=60)  # JPEG and WebP are lossy
        (grey,) = self.read(Image.fromarray(levels).convert("1"), "x.pbm")
        self.assertEqual(set(np.unique(grey)), {0, 255})

    def test_sides_from_4_to_4096_pixels(self):
        for size in ((4, 4096), (4096, 4)):
            self.assertEqual(self.read(Image.new("L", size))[0].shape, size[::-1])
        for size in ((4, 4097), (4097, 5), (3, 4096)):
            Image.new("L", size).save("x.png")
            with self.assertRaisesRegex(UserError, "pixels; a side from 4 to 4096 is needed"):
                read_grey(Path("x.png"))

    def test_a_bomb_is_refused(self):
        """400 million pixels, which Pillow would warn of on stderr, in a file of 100 bytes."""
        Image.new("1", (8, 8)).save("x.png")
        content = bytearray(Path("x.png").read_bytes())
        content[16:24] = (20_000).to_bytes(4, "big") * 2  # width and height
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
        Path("x.png").write_bytes(content)
        with (
            warnings.catch_warnings(record=True) as caught,
            self.assertRaisesRegex(UserError, "not a picture that can be read|4096"),
        ):
            read_grey(Path("x.png"))
        self.assertEqual(caught, [])


class Ink(unittest.TestCase):
    def test_the_border_is_the_outermost_pixels(self):
        images = np.arange(3 * 5 * 4).reshape(3, 5, 4)
        inner = images[:, 1:-1, 1:-1]
        found = border(images)
        self.assertEqual(set(found), set(images.ravel()) - set(inner.ravel()))
        self.assertEqual(len(found), 3 * 2 * (5 + 4))  # corners count for both of their sides

    def test_the_ink_is_dark_where_most_of_the_border_is_bright(self):
        for levels, likely in (
            ([0, 127, 255], "bright"),
            ([0, 128, 255], "dark"),
            ([0, 0, 255], "bright"),
            ([255, 255, 0], "dark"),
        ):
            self.assertEqual(likely_ink(np.array(levels).reshape(1, 3, 1)), likely)
