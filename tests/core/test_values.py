"""What the values of an array mean: every accepted kind is read alike, any other is refused."""

import unittest

import numpy as np

from gan3.core.errors import UserError
from gan3.core.values import RANGES, SHAPES, as_images, read_labels, read_pixels, to_pixels

PIXELS = np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8)
PIXELS[0, 0, :2] = (0, 255)
UNIT = PIXELS / 255


class ValuesTest(unittest.TestCase):
    def assert_refused(self, message, function, *arguments):
        with self.assertRaises(UserError) as refused:
            function("x", *arguments)
        self.assertEqual(str(refused.exception), f"x: {message}")


class Images(ValuesTest):
    def test_every_accepted_kind_gives_the_same_pixels_and_is_named(self):
        colours = np.stack([PIXELS] * 3, axis=3)
        for images, text in (
            (PIXELS, "uint8 from 0 to 255, read as 0..255"),
            (PIXELS.reshape(3, 784), "uint8 from 0 to 255, read as 0..255"),
            (PIXELS[..., None], "uint8 from 0 to 255, read as 0..255"),
            (PIXELS[:, None], "uint8 from 0 to 255, read as 0..255"),
            (colours, "uint8 from 0 to 255, read as 0..255"),
            (np.moveaxis(colours, 3, 1), "uint8 from 0 to 255, read as 0..255"),
            (PIXELS.astype(np.int64), "int64 from 0 to 255, read as 0..255"),
            (PIXELS.astype(np.float64), "float64 from 0 to 255, read as 0..255"),
            (PIXELS.astype(np.uint16) * 257, "uint16 from 0 to 65535, read as 0..65535"),
            (UNIT, "float64 from 0 to 1, read as 0..1"),
            (UNIT.astype(np.float32), "float32 from 0 to 1, read as 0..1"),
            (UNIT.astype(np.float16), "float16 from 0 to 1, read as 0..1"),
            (np.stack([UNIT] * 3, axis=3), "float32 from 0 to 1, read as 0..1"),
            (2 * UNIT - 1, "float64 from -1 to 1, read as -1..1"),
            (
                UNIT + np.where(UNIT > 0.5, 5e-4, -5e-4),
                "float64 from -0.0005 to 1.0005, read as 0..1",
            ),
        ):
            with self.subTest(text, shape=images.shape):
                read = read_pixels("x", [images])
                self.assertEqual((read.text, read.is_scaled), (text, False))
                self.assertEqual(read.parts[0].dtype, np.uint8)
                np.testing.assert_array_equal(read.parts[0], PIXELS)

    def test_a_brightest_pixel_far_from_the_top_becomes_the_top(self):
        masks = PIXELS > 127
        full = np.where(masks, 255, 0)
        for images, text, expected in (
            (
                PIXELS.astype(np.uint16) * 16,
                "uint16 from 0 to 4080, far from 65535; scaled so that 4080 is full brightness",
                PIXELS,
            ),
            (
                masks.astype(np.uint8),
                "uint8 from 0 to 1, far from 255; scaled so that 1 is full brightness",
                full,
            ),
            (
                UNIT / 10,
                "float64 from 0 to 0.1, far from 1; scaled so that 0.1 is full brightness",
                PIXELS,
            ),
            (
                UNIT / 5 - 1,
                "float64 from -1 to -0.8, far from 1; scaled so that -0.8 is full brightness",
                PIXELS,
            ),
        ):
            with self.subTest(text):
                read = read_pixels("x", [images])
                self.assertEqual((read.text, read.is_scaled), (text, True))
                np.testing.assert_array_equal(read.parts[0], expected)
        with self.assertWarnsRegex(UserWarning, "images: uint8 from 0 to 1, far from 255; scaled"):
            np.testing.assert_array_equal(as_images(masks.astype(np.uint8)), full)
        for images in (masks, PIXELS // 3, (PIXELS.astype(np.uint16) + 1) // 2 * 257):
            self.assertFalse(read_pixels("x", [images]).is_scaled)

    def test_the_parts_of_a_set_are_read_by_one_range(self):
        read = read_pixels("x", [UNIT / 20, UNIT[:2] / 10])
        np.testing.assert_array_equal(read.parts[1], PIXELS[:2])
        np.testing.assert_allclose(read.parts[0], PIXELS / 2, atol=0.6)
        nans = np.full_like(UNIT, np.nan)
        self.assert_refused(
            f"float64 from nan to nan; scale the images to one of {RANGES}",
            read_pixels,
            [UNIT, nans],
        )
        self.assert_refused(
            "images are float64 and uint8; store all parts in one of them",
            read_pixels,
            [PIXELS, UNIT],
        )

    def test_other_shapes_are_refused_with_the_shape(self):
        for images in (PIXELS[0], PIXELS[:, :20], PIXELS.reshape(1, 28, 28, 3)[..., :2]):
            self.assert_refused(
                f"images have the shape {images.shape}; store {SHAPES}, or picture files",
                read_pixels,
                [images],
            )
        self.assert_refused("has no images; add some", read_pixels, [PIXELS[:0]])
        self.assert_refused(
            f"images are <U1; store {RANGES}", read_pixels, [np.full((3, 28, 28), "x")]
        )

    def test_other_ranges_are_refused_with_the_range(self):
        for images, found in (
            (PIXELS.astype(int) - 1, "int64 from -1 to 254"),
            (PIXELS.astype(int) * 1000, "int64 from 0 to 255000"),
            (PIXELS + 0.5, "float64 from 0.5 to 255.5"),
            (4 * UNIT - 2, "float64 from -2 to 2"),
            (UNIT - 0.1, "float64 from -0.1 to 0.9"),  # 0..1 or -1..1?
            (np.where(UNIT > 0.5, np.nan, UNIT), "float64 from nan to nan"),
        ):
            with self.subTest(found):
                self.assert_refused(
                    f"{found}; scale the images to one of {RANGES}", read_pixels, [images]
                )
        for value in (0, 7):
            self.assert_refused(
                f"uint8 from {value} to {value}, so nothing is to be seen; store other images",
                read_pixels,
                [np.full((3, 28, 28), value, np.uint8)],
            )

    def test_floats_are_rounded_to_256_levels(self):
        levels = np.arange(256)
        for shift in (-0.49, 0.0, 0.49):
            pixels = to_pixels(np.clip((levels + shift) / 255, 0, 1).astype(np.float32))
            self.assertEqual(pixels.dtype, np.uint8)
            np.testing.assert_array_equal(pixels, levels)
        for value in (-0.01, 1.01, np.nan, np.inf):
            with self.subTest(value), self.assertRaises(ValueError):
                to_pixels(np.array([0.5, value]))


class Labels(ValuesTest):
    def test_every_accepted_kind(self):
        numbers = np.array([2, 0, 1])
        for labels, expected in (
            (numbers, [2, 0, 1]),
            (numbers.astype(np.int8) - 5, [-3, -5, -4]),
            (numbers.astype(np.uint64) * 999, [1998, 0, 999]),
            (numbers.astype(np.float32), [2, 0, 1]),
            (numbers[:, None], [2, 0, 1]),
            (np.eye(3)[numbers], [2, 0, 1]),
            (np.eye(4, dtype=np.uint8)[numbers], [2, 0, 1]),
            (numbers > 0, [1, 0, 1]),
            (["oak", "ß", "Linde"], ["oak", "ß", "Linde"]),
            ([" oak", "ß\t", "a b "], ["oak", "ß", "a b"]),
            (np.array(["oak", "ß", "Linde"], object), ["oak", "ß", "Linde"]),
            (["ß".encode(), b"oak", b""], ["ß", "oak", ""]),
        ):
            with self.subTest(labels=labels):
                read = read_labels("x", labels, 3)
                self.assertIn(read.dtype.kind, "iuU")
                self.assertEqual(read.tolist(), expected)

    def test_other_kinds_are_refused(self):
        what = "store one for each image: a whole number, text, or a one-hot row"
        for labels, message in (
            ([0.5, 1, 2], f"labels are float64 of shape (3,); {what}"),
            ([np.nan, 1, 2], f"labels are float64 of shape (3,); {what}"),
            (np.eye(3) / 2, f"labels are float64 of shape (3, 3); {what}"),
            (np.ones((3, 2), int), f"labels are int64 of shape (3, 2); {what}"),
            (7, f"labels are int64 of shape (); {what}"),
            ([{}, {}, {}], f"labels are object of shape (3,); {what}"),
            ([0, 1], "2 labels for 3 images; store one for each"),
            ([b"\xff"] * 3, "labels are not Unicode; store text in UTF-8"),
        ):
            with self.subTest(message):
                self.assert_refused(message, read_labels, labels, 3)

    def test_text_that_is_not_unicode_is_refused(self):
        """NumPy reads any four bytes of a file as a character."""
        for code in (0x110000, 0xFFFFFFFF):
            labels = np.array(["a"] * 3)
            labels.view(np.uint32)[1] = code
            self.assert_refused(
                "labels are not Unicode; store text in UTF-8", read_labels, labels, 3
            )
