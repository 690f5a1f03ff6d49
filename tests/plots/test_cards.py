"""Report cards as figures."""

import itertools
import string
import unittest

import numpy as np
from matplotlib.colors import to_rgb

from gan3.plots import cards
from tests.plots.test_curves import linear
from tests.support import slow

ROWS = [("", "samples", "95 %", "real", "better"), ("recall", "0.81", "[.8, .9]", "0.9", "higher")]
DIGITS = np.arange(20 * 784, dtype=np.uint32).reshape(20, 28, 28).astype(np.uint8)


def title_of(axes):
    return axes.get_title() or axes.get_title("left")


class ReportCard(unittest.TestCase):
    def axes_by_title(self, counts):
        coverage = {"samples": [0.5] * 10, "real": [0.9] * 10}
        samples = np.tile(DIGITS, (5, 1, 1))
        pairs = DIGITS[:10], DIGITS[10:], np.ones(10)
        figure = cards.report_card("title", ROWS, counts, coverage, samples, pairs)
        return {title_of(axes): axes for axes in figure.axes}

    def test_without_requested_digits_the_predicted_ones_are_counted(self):
        counts = np.array([269, 46, 1459, 3277, 961, 626, 42, 446, 1777, 1097])
        axes = self.axes_by_title(counts)
        self.assertFalse([title for title in axes if "requested" in title])
        bars = axes["samples by digit, as predicted by the judge"].patches
        self.assertEqual([bar.get_height() for bar in bars], counts.tolist())

    def test_requested_and_predicted_digits_are_a_confusion_matrix(self):
        counts = np.diag(np.arange(10)) + 5
        texts = self.axes_by_title(counts)["requested and predicted digits"].texts
        self.assertEqual([int(text.get_text()) for text in texts], counts.ravel().tolist())

    def test_the_table_has_every_text_and_rules_around_titles_and_values(self):
        samples, pairs = np.tile(DIGITS, (5, 1, 1)), (DIGITS[:10], DIGITS[10:], np.ones(10))
        rows = [*ROWS, ("judge 12ab", "", "", "", "")]
        table, *_ = cards.report_card("title", rows, None, None, samples, pairs).axes
        texts = [text.get_text() for text in table.texts]
        self.assertEqual(texts, [text for row in rows for text in row])
        (rules,) = table.collections
        self.assertEqual([path.vertices[0, 1] for path in rules.get_paths()], [0, 1, 2])

    def test_without_a_judge_it_says_so_and_draws_no_classes(self):
        samples = np.tile(DIGITS, (5, 1, 1))
        pairs = DIGITS[:10], DIGITS[10:], np.ones(10)
        figure = cards.report_card("title", ROWS, None, None, samples, pairs)
        self.assertEqual({axes.get_title() for axes in figure.axes}, {"samples", "1.00", ""})
        self.assertTrue([text for text in figure.texts if "no judge" in text.get_text()])


class AnyNumberOfClasses(unittest.TestCase):
    def card(self, names, samples=None, title="title"):
        count = len(names)
        coverage = {"samples": [0.5] * count, "real": [0.9] * count}
        if samples is None:
            samples = np.tile(DIGITS, (31, 1, 1))[: cards.sheet_layout(count)[0] * count]
        pairs = DIGITS[:10], DIGITS[10:], np.ones(10)
        counts = np.eye(count, dtype=int)
        return cards.report_card(title, ROWS, counts, coverage, samples, pairs, names)

    @slow("draws four cards of up to 62 classes")
    def test_names_at_the_axes_do_not_overlap_and_stay_inside(self):
        for names in (
            ["cat", "dog", "a house"],
            [f"a name of some length {i}" for i in range(10)],
            list(string.ascii_uppercase),
            [f"a name of forty characters, more or less{i}"[-40:] for i in range(62)],
        ):
            figure = self.card(names)
            figure.canvas.draw()
            for axes in figure.axes:
                for axis in (axes.xaxis, axes.yaxis):
                    boxes = [
                        label.get_window_extent()
                        for label in axis.get_ticklabels()
                        if label.get_text() and axis.get_visible() and axes.axison
                    ]
                    for box in boxes:
                        self.assertTrue(box.x0 >= 0 and box.x1 <= figure.bbox.width, names[0])
                        self.assertTrue(box.y0 >= 0 and box.y1 <= figure.bbox.height, names[0])
                    for one, other in itertools.pairwise(boxes):
                        overlap = one.shrunk(0.9, 0.9).overlaps(other.shrunk(0.9, 0.9))
                        self.assertFalse(overlap, names[0])

    def test_the_sheet_has_equally_many_of_each_class_in_full_rows(self):
        for classes in range(2, 63):
            per_class, columns = cards.sheet_layout(classes)
            self.assertEqual(columns % per_class, 0)
            self.assertTrue(20 <= per_class * classes <= 168, classes)
        self.assertEqual(cards.sheet_layout(10), (10, 10))

    def test_the_last_row_is_shown_whatever_the_number_of_classes(self):
        for classes in (16, 17):
            samples = np.tile(DIGITS, (31, 1, 1))[: cards.sheet_layout(classes)[0] * classes]
            samples[-1] = 255
            names = [f"class {number}" for number in range(classes)]
            with self.subTest(classes):
                (sheet,) = (
                    axes.images[0].get_array()
                    for axes in self.card(names, samples).axes
                    if "samples of each" in axes.get_title()
                )
                rows = sheet.reshape(len(sheet) // 28, 28, -1, 28).swapaxes(1, 2)
                self.assertEqual((rows == 255).all(axis=(2, 3)).sum(), 1)

    def test_long_titles_stay_inside(self):
        figure = self.card(["cat", "dog"], title="a-name-of-100-characters " * 20)
        box = figure.texts[0].get_window_extent()
        self.assertTrue(box.x0 >= 0 and box.x1 <= figure.bbox.width)

    def test_classes_are_called_classes(self):
        titles = {title_of(axes) for axes in self.card(["cat", "dog"]).axes}
        self.assertLessEqual({"requested and predicted classes", "coverage of each class"}, titles)
        self.assertFalse([title for title in titles if "digit" in title])


class Correlations(unittest.TestCase):
    def test_every_value_is_written_in_its_place(self):
        table = np.linspace(-1, 1, 100).reshape(10, 10).tolist()
        table[4][7] = None
        figure = cards.correlations({"ink": table, "slant": table}, list("0123456789"), "title")
        self.assertEqual([axes.get_title() for axes in figure.axes], ["ink", "slant"])
        for axes in figure.axes:
            texts = {text.get_position(): text.get_text() for text in axes.texts}
            self.assertEqual(len(texts), 99)
            self.assertNotIn((7, 4), texts)
            self.assertEqual(texts[0, 0], "-1.00")
            self.assertEqual(texts[9, 0], f"{table[0][9]:.2f}".replace("0.", "."))
            self.assertEqual(texts[0, 9], f"{table[9][0]:.2f}".replace("0.", "."))

    def test_text_has_contrast_to_its_cell(self):
        table = np.linspace(-1, 1, 100).reshape(10, 10)
        counts = np.diag(np.arange(0, 2000, 200)) + 200
        requested, predicted = "requested and predicted digits", ReportCard().axes_by_title(counts)
        figure = cards.correlations({"ink": table.tolist()}, list("0123456789"), "title")
        for axes in (figure.axes[0], predicted[requested]):
            colours = axes.images[0].to_rgba(axes.images[0].get_array())
            for text in axes.texts:
                column, row = text.get_position()
                shown = (to_rgb(text.get_color()), colours[row, column, :3])
                low, high = sorted([0.2126, 0.7152, 0.0722] @ linear(np.array(c)) for c in shown)
                self.assertGreaterEqual((high + 0.05) / (low + 0.05), 4.5)

    def test_many_classes_are_told_by_their_colours(self):
        table = np.eye(26).tolist()
        figure = cards.correlations({"ink": table}, list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "title")
        self.assertEqual(len(figure.axes[0].texts), 0)
