"""Figures that compare systems or the points of a sweep."""

import unittest

import numpy as np

from gan3.plots import sweeps

PAIRS = [
    sweeps.Pair("recall", "precision", "recall (diversity)", "precision (quality)", False),
    sweeps.Pair("coverage", "label_accuracy", "coverage (diversity)", "accuracy (quality)", True),
]


class Tradeoff(unittest.TestCase):
    def metrics(self):
        """Six systems with the same extreme values, one without requested digits, real digits."""
        card = {"recall": 0.0, "precision": 1.0, "coverage": 0.0, "label_accuracy": 1.0}
        systems = {f"system {i}": dict(card) for i in range(6)}
        systems["unconditional"] = {"recall": 0.5, "precision": 0.5, "coverage": 0.3}
        return systems | {"real digits": dict.fromkeys(card, 0.95)}

    def test_points_have_the_values_of_their_cards_and_extremes_stay_inside(self):
        figure = sweeps.tradeoff(self.metrics(), PAIRS, "title", {"system 0"})
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

    def test_perfect_real_images_have_their_star(self):
        real = {"recall": 1.0, "coverage": 1.0, "precision": 1.0, "label_accuracy": 1.0}
        system = dict.fromkeys(real, 0.5)
        for axes in sweeps.tradeoff({"a": system, "real": real}, PAIRS, "title").get_axes():
            axes.figure.canvas.draw()
            (x,), (y,) = axes.lines[-1].get_data()
            self.assertEqual(axes.lines[-1].get_marker(), "*")
            self.assertTrue(np.isfinite(axes.transData.transform((x, y))).all())

    def test_each_pair_has_a_panel_of_one_width_with_its_labels(self):
        for count in (1, 2, 4):
            pairs = [*PAIRS, *PAIRS][:count]
            panels = sweeps.tradeoff(self.metrics(), pairs, "title").get_axes()
            self.assertEqual(len(panels), count)
            for axes, pair in zip(panels, pairs, strict=True):
                labels = axes.get_xlabel(), axes.get_ylabel()
                self.assertEqual(labels, (pair.x_label, pair.y_label))
                self.assertAlmostEqual(axes.get_window_extent().width, 2.8 * 120, places=6)

    def test_the_legend_stays_inside_and_keeps_both_ends_of_long_names(self):
        for letter in "Wi":
            metrics = self.metrics()
            name = f"a{letter * 98}b"
            figure = sweeps.tradeoff({name: metrics["system 0"]} | metrics, PAIRS, "title")
            for text in figure.texts:
                box = text.get_window_extent()
                self.assertTrue(box.x0 >= 0 and box.x1 <= figure.bbox.width, text.get_text())
            (legend,) = [t.get_text() for t in figure.texts if t.get_text().startswith("1  ")]
            self.assertRegex(legend, f"^1  a{letter}+…{letter}+b$")

    def test_labels_of_equal_points_are_moved_apart_and_stay_near(self):
        for points in (np.zeros((9, 2)), np.array([[0.0, 0.0], [500.0, 0.0]])):
            labels = sweeps._label_positions(points)
            distance = np.linalg.norm(labels[:, None] - labels[None], axis=2)
            self.assertGreater(distance[~np.eye(len(points), dtype=bool)].min(), 10)
            self.assertLess(np.linalg.norm(labels - points, axis=1).max(), 45)


class TrainingProgress(unittest.TestCase):
    def test_every_system_has_a_curve_in_both_panels(self):
        rows = np.array([[100, 9.5, 80.0], [200, 19.5, 20.0]])
        figure = sweeps.training_progress({"a": rows, "b": 2 * rows}, "title")
        for column, axes in enumerate(figure.get_axes()):
            np.testing.assert_array_equal(axes.lines[0].get_xdata(), rows[:, column])
            np.testing.assert_array_equal(axes.lines[1].get_ydata(), 2 * rows[:, 2])

    def test_values_that_no_axis_can_show_are_drawn_at_its_ends(self):
        rows = np.array([[1, 1e-300, 1e308], [2, 1.0, 1e-308], [3, 1e300, 0.0]])
        (left, right) = sweeps.training_progress({"a": rows}, "title").get_axes()
        for axes in (left, right):
            axes.figure.canvas.draw()
            self.assertTrue(np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all())

    def test_numbers_at_the_ticks_do_not_overlap(self):
        for lowest in (1, 200):
            for span in (1.2, 10, 290, 9_000, 1e5):
                rows = np.array([[lowest, 2.0, 90.0], [lowest * span, 2 * span, 3.0]])
                for axes in sweeps.training_progress({"a": rows}, "title").get_axes():
                    axes.figure.canvas.draw()
                    low, high = axes.get_xlim()
                    boxes = [
                        label.get_window_extent()
                        for at, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
                        if low <= at <= high
                    ]
                    with self.subTest(lowest=lowest, span=span):
                        self.assertGreater(len(boxes), 1)
                        for left, right in zip(boxes, boxes[1:], strict=False):
                            self.assertLess(left.x1 + 2, right.x0)


class Parallel(unittest.TestCase):
    def test_lines_go_through_the_values_of_their_points(self):
        points = [
            ({"beta1": 0.5, "rate": 1e-4, "activation": "elu"}, 2.0),
            ({"beta1": 0.7, "rate": 1e-3, "activation": "relu"}, 4.0),
            ({"beta1": 0.9, "rate": 1e-2, "activation": "elu"}, 6.0),
        ]
        (axes,) = sweeps.parallel(points, "distance (lower)", "t").axes
        lines = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 4]
        # Linear, logarithmic (a factor of 100), words, linear; the best is drawn last.
        expected = [[1, 1, 0.25, 1], [0.5, 0.5, 0.75, 0.5], [0, 0, 0.25, 0]]
        np.testing.assert_allclose(lines, expected)
        widths = [line.get_linewidth() for line in axes.lines if len(line.get_ydata()) == 4]
        self.assertEqual(max(widths), widths[-1])
        self.assertGreater(widths[-1], widths[0])
        texts = {text.get_text() for text in axes.texts}
        self.assertLessEqual({"beta1", "0.0001", "relu", "distance\n(lower)", "6"}, texts)

    def test_true_and_false_are_words(self):
        points = [({"batch_norm": True}, 2.0), ({"batch_norm": False}, 4.0)]
        (axes,) = sweeps.parallel(points, "distance", "t").axes
        self.assertLessEqual({"True", "False"}, {text.get_text() for text in axes.texts})

    def test_a_long_title_stays_inside(self):
        points = [({"rate": 1e-4}, 2.0), ({"rate": 1e-3}, 4.0)]
        figure = sweeps.parallel(points, "distance", "a title of many words " * 6)
        box = figure.texts[0].get_window_extent()
        self.assertTrue(box.x0 >= 0 and box.x1 <= figure.bbox.width)


if __name__ == "__main__":
    unittest.main()
