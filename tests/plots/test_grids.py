import io
import unittest

import numpy as np
from matplotlib.transforms import Bbox
from PIL import Image

from gan3.plots import cards, curves, grids
from gan3.plots import sweeps as sweep_plots
from gan3.training.run_figures import frames_of
from tests.support import FolderTest

DIGITS = np.arange(20 * 784, dtype=np.uint32).reshape(20, 28, 28).astype(np.uint8)


class Grid(unittest.TestCase):
    def box(self, image):
        """(left, bottom, right, top) in pixels of the figure."""
        rows, columns = image.get_array().shape[:2]
        return image.ox, image.oy, image.ox + columns, image.oy + rows

    def titles(self, figure):
        """The texts below the figure's own title, with their places."""
        return [
            (text.get_text(), *text.get_window_extent().get_points().mean(axis=0))
            for text in figure.texts[1:]
        ]

    def test_digits_are_square_in_reading_order_and_unaltered(self):
        figure = grids.grid(DIGITS[:10], 5, "title", over=list("4071928365"))
        self.assertEqual(len(figure.images), 10)
        places = [(-image.oy, image.ox) for image in figure.images]
        self.assertEqual(places, sorted(places))
        for image, digit in zip(figure.images, DIGITS, strict=False):
            shown = image.get_array()
            self.assertEqual(shown.shape, (84, 84, 3))
            for channel in range(3):
                larger = np.kron(digit, np.ones((3, 3), np.uint8))
                np.testing.assert_array_equal(shown[..., channel], larger)

    def test_digits_reach_the_file_pixel_for_pixel(self):
        figure = grids.grid(DIGITS[:10], 5, "title")
        drawn = grids.pixels(figure)
        left, bottom, right, top = self.box(figure.images[7])
        height = drawn.shape[0]
        part = drawn[height - top : height - bottom, left:right]
        for channel in range(3):
            np.testing.assert_array_equal(part[1::3, 1::3, channel], DIGITS[7])

    def test_each_image_is_titled_with_its_own(self):
        figure = grids.grid(DIGITS[:10], 5, "title", over=list("4071928365"))
        titles = self.titles(figure)
        self.assertEqual("".join(text for text, _, _ in titles), "4071928365")
        for (_, x, y), image in zip(titles, figure.images, strict=True):
            left, _, right, top = self.box(image)
            self.assertAlmostEqual(x, (left + right) / 2, delta=2)
            self.assertTrue(0 < y - top < 20, y - top)

    def test_a_long_title_is_broken_and_stays_inside(self):
        for words in ("a run's name " * 12, "n" * 100 + " · arithmetic of two seeds"):
            figure = grids.grid(DIGITS[:10], 5, words, over=list("4071928365"))
            grids.pixels(figure)
            title, first = (text.get_window_extent() for text in figure.texts[:2])
            self.assertTrue(0 < title.x0 < title.x1 < figure.bbox.width, words)
            self.assertTrue(first.y1 < title.y0 < title.y1 < figure.bbox.height, words)

    def test_a_row_of_titles_is_over_the_columns(self):
        figure = grids.grid(DIGITS, 10, "title", over=list("0123456789"), beside=["a", "b"])
        titles = self.titles(figure)
        self.assertEqual({text for text, _, _ in titles}, set("0123456789ab"))
        for text, x, y in titles:
            first = {"a": 0, "b": 10}.get(text)
            left, bottom, right, top = self.box(
                figure.images[int(text) if first is None else first]
            )
            if first is None:
                self.assertTrue(left < x < right and top < y, text)
            else:
                self.assertTrue(x < left and bottom < y < top, text)

    def test_all_text_is_inside_and_nothing_overlaps(self):
        for figure in (
            grids.grid(
                DIGITS[:10], 5, "three_network · strokes (not MNIST) · episode 10", list("0" * 10)
            ),
            grids.grid(DIGITS, 10, "title", list("0123456789"), [f"episode {n}" for n in (9, 10)]),
        ):
            figure.canvas.draw()
            sheet = figure.bbox
            boxes = [text.get_window_extent() for text in figure.texts]
            boxes += [Bbox.from_extents(*self.box(image)) for image in figure.images]
            for box in boxes:
                self.assertTrue(sheet.x0 <= box.x0 and box.x1 <= sheet.x1, box)
                self.assertTrue(sheet.y0 <= box.y0 and box.y1 <= sheet.y1, box)
            for i, one in enumerate(boxes):
                for other in boxes[i + 1 :]:
                    self.assertFalse(one.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98)))


class Files(FolderTest):
    def test_a_picture_is_saved_pixel_for_pixel(self):
        grids.save_picture(DIGITS[3], self.folder / "3.png")
        with Image.open(self.folder / "3.png") as image:
            np.testing.assert_array_equal(np.asarray(image), DIGITS[3])

    def test_saved_figure_is_the_figures_pixels(self):
        figure = grids.grid(DIGITS[:10], 5, "title")
        grids.save(figure, self.folder / "x.png")
        with Image.open(self.folder / "x.png") as image:
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), grids.pixels(figure))

    def test_the_same_figure_is_the_same_bytes(self):
        for name in "ab":
            grids.save(grids.grid(DIGITS[:10], 5, "t"), self.folder / name)
        self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())

    def test_progression_has_a_frame_a_figure(self):
        grids = [grids.grid(np.roll(DIGITS[:10], n, axis=0), 5, f"{n}") for n in range(3)]
        frames = [grids.pixels(grid) for grid in grids]
        grids.progression(frames, self.folder / "x.gif")
        with Image.open(io.BytesIO((self.folder / "x.gif").read_bytes())) as image:
            self.assertEqual(image.n_frames, 3)
            self.assertEqual(image.size[::-1], frames[0].shape[:2])
            self.assertEqual(image.info["duration"], 800)
        self.assertEqual(len(list(self.folder.iterdir())), 1)

    def test_a_title_that_takes_another_line_moves_no_digit(self):
        words = "word " * 6 + "episode "
        frames = [grids.pixels(grids.grid(DIGITS[:10], 5, words + n)) for n in ("", "10 more")]
        self.assertLess(len(frames[0]), len(frames[1]))
        grids.progression(frames, self.folder / "x.gif")
        with Image.open(self.folder / "x.gif") as image:
            self.assertEqual(image.size[::-1], frames[1].shape[:2])
            first = np.asarray(image.convert("RGB"))
        lower = len(frames[0]) - 40  # below the titles
        np.testing.assert_allclose(first[-lower:], frames[0][-lower:], atol=8)  # 64 colours


class Frames(unittest.TestCase):
    def test_all_up_to_fifty_then_fifty_evenly_from_first_to_last(self):
        for count in (1, 2, 49, 50):
            episodes = list(range(3, 3 + count))
            self.assertEqual(frames_of(episodes), episodes)
        for count in (51, 99, 100, 1000):
            episodes = list(range(1, count + 1))
            shown = frames_of(episodes)
            self.assertEqual((len(shown), shown[0], shown[-1]), (50, 1, count))
            steps = np.diff(shown)
            self.assertGreaterEqual(steps.min(), 1)
            self.assertLessEqual(steps.max() - steps.min(), 1)


class Curves(unittest.TestCase):
    def lines(self, scale=1.0):
        return [
            {"step": step, "episode": 1}
            | dict.fromkeys((*curves.LOSSES, *curves.ACCURACIES), scale / step)
            for step in range(10, 310, 10)
        ]

    def test_every_loss_and_accuracy_has_its_values_and_its_mean(self):
        figure = curves.loss_curves(self.lines(), "title")
        above, below, *judged = figure.get_axes()
        self.assertEqual(len(above.lines), 2 * len(curves.LOSSES))
        self.assertEqual(len(below.lines), 2 * len(curves.ACCURACIES))
        labels = [text.get_text() for text in above.get_legend().get_texts()]
        self.assertEqual(labels, [label for label, _ in curves.LOSSES.values()])
        np.testing.assert_allclose(above.lines[0].get_ydata()[:3], [1 / 10, 1 / 20, 1 / 30])
        self.assertEqual([line for axes in judged for line in axes.lines], [])

    def test_a_system_without_a_determinator_has_its_own_curves_only(self):
        shown = ("loss/discriminator", "loss/generator_real", "accuracy/discriminator_fake")
        lines = [
            {"step": step, "episode": 1, "judge/classes_covered": 7.0} | dict.fromkeys(shown, 0.5)
            for step in (10, 20, 30)
        ]
        above, below, judged = curves.loss_curves(lines, "title").get_axes()
        self.assertEqual((len(above.lines), len(below.lines)), (2 * 2, 2 * 1))
        np.testing.assert_allclose(judged.lines[0].get_ydata(), [7, 7, 7])
        self.assertGreater(judged.get_ylim()[1], 10)  # digits

    def test_the_judges_figures_are_drawn_where_there_are_any(self):
        lines = self.lines()
        for number in (1, 3):
            lines[number] |= {"judge/label_accuracy": 0.2 * number, "judge/frechet_distance": 9.0}
        accuracy, distance = curves.loss_curves(lines, "title").get_axes()[2:]
        steps = [lines[1]["step"], lines[3]["step"]]
        np.testing.assert_array_equal(accuracy.lines[0].get_xdata(), steps)
        np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [0.2, 0.6])
        np.testing.assert_allclose(distance.lines[0].get_ydata(), [9, 9])

    def test_one_line_is_enough_and_large_losses_get_a_logarithm(self):
        grids.pixels(curves.loss_curves(self.lines()[:1], "title"))
        lines = self.lines()
        lines[0]["loss/determinator"] = 900.0
        figure = curves.loss_curves(lines, "title")
        self.assertEqual(figure.get_axes()[0].get_yscale(), "symlog")


class Side(unittest.TestCase):
    """Systems side by side: where they lie, and how they came there."""

    def found(self):
        card = {"recall": 0.0, "precision": 1.0, "coverage": 0.0, "label_accuracy": 1.0}
        lying = {f"one {i}": dict(card) for i in range(6)}  # all in one place, and an extreme one
        lying["unasked"] = {"recall": 0.5, "precision": 0.5, "coverage": 0.3}
        return lying | {"real digits": dict.fromkeys(card, 0.95)}

    def test_each_lies_where_its_card_says_and_extremes_stay_on_the_sheet(self):
        figure = sweep_plots.tradeoff(self.found(), "title", {"one 0"})
        recall, coverage = figure.get_axes()
        self.assertEqual((len(recall.lines), len(coverage.lines)), (7 + 1, 6 + 1))
        self.assertEqual(
            [list(recall.lines[6].get_xdata()), recall.lines[0].get_marker()], [[0.5], "D"]
        )
        self.assertEqual(recall.lines[1].get_marker(), "o")
        for axes in (recall, coverage):
            (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
            for line in axes.lines:
                self.assertTrue(left < line.get_xdata()[0] < right)
                self.assertTrue(bottom < line.get_ydata()[0] < top)

    def test_where_none_can_be_asked_precision_stands_against_coverage(self):
        one = {"recall": 0.4, "coverage": 0.3, "precision": 0.8}
        real = {"recall": 0.9, "coverage": 0.9, "precision": 0.7}
        _, axes = sweep_plots.tradeoff({"mlp_gan": one, "real digits": real}, "title").get_axes()
        places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
        self.assertEqual(places, [(0.3, 0.8), (0.9, 0.7)])
        self.assertIn("precision", axes.get_ylabel())

    def test_numbers_of_one_place_are_moved_apart_and_stay_near(self):
        for places in (np.zeros((9, 2)), np.array([[0.0, 0.0], [500.0, 0.0]])):
            labels = sweep_plots._apart(places)
            distance = np.linalg.norm(labels[:, None] - labels[None], axis=2)
            self.assertGreater(distance[~np.eye(len(places), dtype=bool)].min(), 10)
            self.assertLess(np.linalg.norm(labels - places, axis=1).max(), 45)

    def test_courses_have_a_line_each_in_both_panels(self):
        rows = np.array([[100, 9.5, 80.0], [200, 19.5, 20.0]])
        figure = sweep_plots.training_progress({"a": rows, "b": 2 * rows}, "title")
        for place, axes in enumerate(figure.get_axes()):
            np.testing.assert_array_equal(axes.lines[0].get_xdata(), rows[:, place])
            np.testing.assert_array_equal(axes.lines[1].get_ydata(), 2 * rows[:, 2])

    def test_parallel_lines_go_through_their_values(self):
        points = [
            ({"beta1": 0.5, "rate": 1e-4, "activation": "elu"}, 2.0),
            ({"beta1": 0.7, "rate": 1e-3, "activation": "relu"}, 4.0),
            ({"beta1": 0.9, "rate": 1e-2, "activation": "elu"}, 6.0),
        ]
        (axes,) = sweep_plots.parallel(points, "distance (lower)", "t").axes
        lines = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 4]
        # Linear, logarithmic (a factor of 100), words in a row, linear; the best is drawn last.
        expected = [[1, 1, 0.25, 1], [0.5, 0.5, 0.75, 0.5], [0, 0, 0.25, 0]]
        np.testing.assert_allclose(lines, expected)
        widths = [line.get_linewidth() for line in axes.lines if len(line.get_ydata()) == 4]
        self.assertEqual(max(widths), widths[-1])
        self.assertGreater(widths[-1], widths[0])
        texts = {text.get_text() for text in axes.texts}
        self.assertLessEqual({"beta1", "0.0001", "relu", "distance (lower)", "6"}, texts)

    def test_long_names_have_their_room(self):
        images = np.zeros((10, 28, 28), np.uint8)
        widths = [
            grids.grid(images, 10, "t", beside=[name]).get_size_inches()[0]
            for name in ("short", "a name of some forty characters, or more")
        ]
        self.assertGreater(widths[1] - widths[0], 1)


class ReportCard(unittest.TestCase):
    def titles(self, read):
        coverage = {"samples": [0.5] * 10, "real": [0.9] * 10}
        hundred = np.tile(DIGITS, (5, 1, 1))
        pairs = DIGITS[:10], DIGITS[10:], np.ones(10)
        figure = cards.report_card("title", ["line"], read, coverage, hundred, pairs)
        return {axes.get_title(): axes for axes in figure.axes}

    def test_digits_that_nobody_asked_for_are_counted(self):
        counts = np.array([269, 46, 1459, 3277, 961, 626, 42, 446, 1777, 1097])
        found = self.titles(counts)
        self.assertFalse([title for title in found if "asked for" in title])
        bars = found["samples that the judge reads as each digit"].patches
        self.assertEqual([bar.get_height() for bar in bars], counts.tolist())

    def test_digits_asked_for_are_set_against_those_read(self):
        counts = np.diag(np.arange(10)) + 5
        found = self.titles(counts)
        texts = found["digits asked for and read"].texts
        self.assertEqual([int(text.get_text()) for text in texts], counts.ravel().tolist())


if __name__ == "__main__":
    unittest.main()
