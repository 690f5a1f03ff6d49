"""Grids of digits, GIFs and files."""

import io
import string
import unittest

import numpy as np
from matplotlib.transforms import Bbox
from PIL import Image

from gan3.core.errors import UserError
from gan3.plots import grids
from tests.support import FolderTest, images_on

DIGITS = np.arange(20 * 784, dtype=np.uint32).reshape(20, 28, 28).astype(np.uint8)


class Grid(unittest.TestCase):
    def size(self, figure):
        """Height and width in pixels."""
        return tuple(np.rint(figure.bbox.size[::-1]).astype(int))

    def labels(self, figure):
        """The texts below the figure's title, with the centers of their boxes."""
        return [
            (text.get_text(), *text.get_window_extent().get_points().mean(axis=0))
            for text in figure.texts[1:]
        ]

    def test_digits_are_square_in_reading_order_and_unaltered(self):
        figure = grids.grid(DIGITS[:10], 5, "title", column_labels=list("4071928365"))
        self.assertEqual(figure.axes[0].images[0].get_array().shape[:2], self.size(figure))
        for (_, shown), digit in zip(images_on(figure), DIGITS[:10], strict=True):
            self.assertEqual(shown.shape, (84, 84, 3))
            for channel in range(3):
                enlarged = np.kron(digit, np.ones((3, 3), np.uint8))
                np.testing.assert_array_equal(shown[..., channel], enlarged)

    def test_rendered_digits_have_their_exact_pixels(self):
        figure = grids.grid(DIGITS[:10], 5, "title")
        rendered = grids.pixels(figure)
        left, bottom, right, top = images_on(figure)[7][0]
        height = rendered.shape[0]
        part = rendered[height - top : height - bottom, left:right]
        for channel in range(3):
            np.testing.assert_array_equal(part[1::3, 1::3, channel], DIGITS[7])

    def test_each_image_has_its_own_title_above_it(self):
        figure = grids.grid(DIGITS[:10], 5, "title", column_labels=list("4071928365"))
        labels = self.labels(figure)
        self.assertEqual("".join(text for text, _, _ in labels), "4071928365")
        for (_, x, y), (box, _) in zip(labels, images_on(figure), strict=True):
            left, _, right, top = box
            self.assertAlmostEqual(x, (left + right) / 2, delta=2)
            self.assertTrue(0 < y - top < 20, y - top)

    def test_a_long_title_is_wrapped_and_stays_inside_the_figure(self):
        for title in ("a run's name " * 12, "n" * 100 + " · arithmetic of two seeds"):
            figure = grids.grid(DIGITS[:10], 5, title, column_labels=list("4071928365"))
            grids.pixels(figure)
            title_box, label_box = (text.get_window_extent() for text in figure.texts[:2])
            self.assertTrue(0 < title_box.x0 < title_box.x1 < figure.bbox.width, title)
            self.assertTrue(label_box.y1 < title_box.y0 < title_box.y1 < figure.bbox.height, title)

    def test_column_titles_and_row_labels_are_next_to_their_images(self):
        figure = grids.grid(
            DIGITS, 10, "title", column_labels=list("0123456789"), row_labels=["a", "b"]
        )
        labels = self.labels(figure)
        self.assertEqual({text for text, _, _ in labels}, set("0123456789ab"))
        for text, x, y in labels:
            first_of_row = {"a": 0, "b": 10}.get(text)
            index = int(text) if first_of_row is None else first_of_row
            left, bottom, right, top = images_on(figure)[index][0]
            if first_of_row is None:
                self.assertTrue(left < x < right and top < y, text)
            else:
                self.assertTrue(x < left and bottom < y < top, text)

    def test_all_text_is_inside_and_nothing_overlaps(self):
        title = "three_network · strokes (synthetic, NOT MNIST) · episode 10"
        for figure in (
            grids.grid(DIGITS[:10], 5, title, list("0" * 10)),
            grids.grid(DIGITS, 10, "title", list("0123456789"), [f"episode {n}" for n in (9, 10)]),
        ):
            figure.canvas.draw()
            whole = figure.bbox
            boxes = [text.get_window_extent() for text in figure.texts]
            boxes += [Bbox.from_extents(*box) for box, _ in images_on(figure)]
            for box in boxes:
                self.assertTrue(whole.x0 <= box.x0 and box.x1 <= whole.x1, box)
                self.assertTrue(whole.y0 <= box.y0 and box.y1 <= whole.y1, box)
            for i, one in enumerate(boxes):
                for other in boxes[i + 1 :]:
                    self.assertFalse(one.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98)))

    def test_the_figure_grows_with_long_row_labels(self):
        images = np.zeros((10, 28, 28), np.uint8)
        widths = [
            grids.grid(images, 10, "t", row_labels=[name]).get_size_inches()[0]
            for name in ("short", "a name of some forty characters, or more")
        ]
        self.assertGreater(widths[1] - widths[0], 1)


class ManyClasses(unittest.TestCase):
    def assert_nothing_overlaps(self, figure):
        figure.canvas.draw()
        whole = figure.bbox
        texts = [text.get_window_extent() for text in figure.texts if text.get_text()]
        for box in texts:
            self.assertTrue(whole.x0 <= box.x0 and box.x1 <= whole.x1, box)
            self.assertTrue(whole.y0 <= box.y0 and box.y1 <= whole.y1, box)
        boxes = [box.extents for box in texts] + [box for box, _ in images_on(figure)]
        left, bottom, right, top = np.array(boxes).T
        across = (left[:, None] + 1 < right[None]) & (left[None] + 1 < right[:, None])
        overlap = across & (bottom[:, None] + 1 < top[None]) & (bottom[None] + 1 < top[:, None])
        self.assertEqual(np.argwhere(np.triu(overlap, 1)).tolist(), [])

    def test_names_of_any_length_and_number_fit(self):
        for names in (
            ["cat", "dog"],
            ["T-shirt/top", "a name that has all of forty characters!", "$x^2$", "WWWWWWWWWWWWWW"],
            list(string.ascii_uppercase),
            [f"a name of forty characters, more or less{i}"[-40:] for i in range(62)],
        ):
            images = np.zeros((len(names), 28, 28), np.uint8)
            columns = -(-len(names) // 2)
            self.assert_nothing_overlaps(grids.grid(images, columns, "title", names))
            rows = np.tile(images, (2, 1, 1))
            self.assert_nothing_overlaps(grids.grid(rows, len(names), "title", names, ["a", "b"]))

    def test_many_columns_are_smaller(self):
        for columns, scale in ((16, 3), (17, 2), (32, 2), (33, 1), (62, 1)):
            figure = grids.grid(np.zeros((columns, 28, 28), np.uint8), columns, "t")
            self.assertEqual(images_on(figure)[0][1].shape[:2], (28 * scale, 28 * scale))
            self.assertLess(figure.bbox.width, 2200)


class Files(FolderTest):
    def test_a_saved_figure_has_the_pixels_of_the_rendered_figure(self):
        figure = grids.grid(DIGITS[:10], 5, "title")
        grids.save(figure, self.folder / "x.png")
        with Image.open(self.folder / "x.png") as image:
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), grids.pixels(figure))

    def test_equal_figures_give_equal_files_of_any_format(self):
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
            one, two = (
                grids.save(grids.grid(DIGITS[:10], 5, "t"), self.folder / name, grids.Output(kind))
                for name in ("a.png", "b.png")
            )
            self.assertEqual((one.name, two.name), (f"a.{kind}", f"b.{kind}"))
            self.assertTrue(one.read_bytes().startswith(start))
            self.assertEqual(one.read_bytes(), two.read_bytes())

    def test_the_resolution_enlarges_the_digits_with_their_figure(self):
        figure = grids.grid(DIGITS[:10], 5, "t")
        contents = (grids.content(figure, grids.Output(dpi=dpi)) for dpi in (120, 240))
        small, large = (np.asarray(Image.open(io.BytesIO(c)).convert("RGB")) for c in contents)
        left, bottom, right, top = images_on(figure)[7][0]
        rows, columns = slice(len(small) - top, len(small) - bottom), slice(left, right)
        np.testing.assert_array_equal(large[::2, ::2][rows, columns], small[rows, columns])
        with self.assertRaisesRegex(UserError, "^20000 dots per inch: .* 65,535 pixels; use fewer"):
            grids.content(figure, grids.Output(dpi=20_000))

    def test_a_gif_has_one_frame_per_figure(self):
        figures = [grids.grid(np.roll(DIGITS[:10], n, axis=0), 5, f"{n}") for n in range(3)]
        frames = [grids.pixels(figure) for figure in figures]
        grids.progression(frames, self.folder / "x.gif")
        with Image.open(io.BytesIO((self.folder / "x.gif").read_bytes())) as image:
            self.assertEqual(image.n_frames, 3)
            self.assertEqual(image.size[::-1], frames[0].shape[:2])
            self.assertEqual(image.info["duration"], 800)
        self.assertEqual(len(list(self.folder.iterdir())), 1)

    def test_a_title_of_two_lines_does_not_move_the_digits_of_a_gif(self):
        title = "word " * 9 + "episode "
        frames = [grids.pixels(grids.grid(DIGITS[:10], 5, title + n)) for n in ("", "10 more")]
        self.assertLess(len(frames[0]), len(frames[1]))
        grids.progression(frames, self.folder / "x.gif")
        with Image.open(self.folder / "x.gif") as image:
            self.assertEqual(image.size[::-1], frames[1].shape[:2])
            first = np.asarray(image.convert("RGB"))
        height = len(frames[0]) - 40  # below the titles
        # The GIF has only 64 colors.
        np.testing.assert_allclose(first[-height:], frames[0][-height:], atol=8)
