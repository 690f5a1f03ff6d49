"""Accuracy against diversity."""

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
        styles = {(line.get_marker(), line.get_color()) for line in recall.lines}
        self.assertEqual(len(styles), 7 + 1)
        self.assertNotIn("D", [line.get_marker() for line in recall.lines[1:]])
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

    def test_numbers_of_equal_points_are_apart_and_near(self):
        axes, _ = sweeps.tradeoff(self.metrics(), PAIRS, "title").get_axes()
        self.assertEqual([text.get_text() for text in axes.texts], list("1234567"))
        places, points = (
            axes.transData.transform([each(text) for text in axes.texts])
            for each in (lambda text: text.xyann, lambda text: text.xy)
        )
        distances = np.linalg.norm(places[:, None] - places, axis=2)
        self.assertGreater(distances[~np.eye(7, dtype=bool)].min(), 14)
        self.assertLess(np.linalg.norm(places - points, axis=1).max(), 31)
