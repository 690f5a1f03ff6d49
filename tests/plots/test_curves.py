"""The training curves of a run."""

import unittest
from itertools import combinations

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gan3.plots import curves, grids
from gan3.plots.style import house_style


class Curves(unittest.TestCase):
    def lines(self, scale=1.0):
        return [
            {"step": step, "episode": 1}
            | dict.fromkeys((*curves.LOSSES, *curves.ACCURACIES), scale / step)
            for step in range(10, 310, 10)
        ]

    def test_every_loss_and_accuracy_has_its_values_and_its_running_mean(self):
        figure = curves.loss_curves(self.lines(), "title")
        losses, accuracies, *judged = figure.get_axes()
        self.assertEqual(len(losses.lines), 2 * len(curves.LOSSES))
        self.assertEqual(len(accuracies.lines), 2 * len(curves.ACCURACIES))
        labels = [text.get_text() for text in losses.get_legend().get_texts()]
        self.assertEqual(labels, [label for label, *_ in curves.LOSSES.values()])
        np.testing.assert_allclose(losses.lines[0].get_ydata()[:3], [1 / 10, 1 / 20, 1 / 30])
        self.assertEqual([line for axes in judged for line in axes.lines], [])
        self.assertIn("no metrics by a judge", judged[0].texts[0].get_text())

    def test_a_system_without_a_determinator_has_no_curves_of_it(self):
        tags = ("loss/discriminator", "loss/generator_real", "accuracy/discriminator_fake")
        lines = [
            {"step": step, "episode": 1, "judge/classes_covered": 7.0} | dict.fromkeys(tags, 0.5)
            for step in (10, 20, 30)
        ]
        losses, accuracies, judged = curves.loss_curves(lines, "title").get_axes()
        self.assertEqual((len(losses.lines), len(accuracies.lines)), (2 * 2, 2 * 1))
        np.testing.assert_allclose(judged.lines[0].get_ydata(), [7, 7, 7])
        self.assertGreater(judged.get_ylim()[1], 10)  # up to ten classes

    def test_the_judges_metrics_are_drawn_at_the_steps_that_have_them(self):
        lines = self.lines()
        for number in (1, 3):
            lines[number] |= {"judge/label_accuracy": 0.2 * number, "judge/frechet_distance": 9.0}
        accuracy, distance = curves.loss_curves(lines, "title").get_axes()[2:]
        steps = [lines[1]["step"], lines[3]["step"]]
        np.testing.assert_array_equal(accuracy.lines[0].get_xdata(), steps)
        np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [0.2, 0.6])
        np.testing.assert_allclose(distance.lines[0].get_ydata(), [9, 9])

    def test_the_distance_has_a_few_plain_ticks_whatever_its_range(self):
        for low, high in ((410.0, 530.0), (2.4, 3.1), (2.5, 390.0), (0.8, 50_000.0)):
            lines = self.lines()
            for number, distance in ((1, high), (3, low)):
                lines[number]["judge/frechet_distance"] = distance
            figure = curves.loss_curves(lines, "title")
            grids.pixels(figure)
            axis = figure.get_axes()[-1].yaxis
            bottom, top = axis.get_view_interval()
            ticks = [tick for tick in axis.get_majorticklocs() if bottom <= tick <= top]
            with self.subTest(low=low):
                self.assertIn(len(ticks), range(2, 9))
                for tick, label in zip(
                    axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True
                ):
                    self.assertEqual(label.get_text(), f"{tick:g}")

    def test_the_mean_is_over_a_twentieth_of_the_run_without_steps_that_lack_a_value(self):
        values = np.sin(np.arange(2_000) / 90)
        lines = [{"step": step, "loss/determinator": float(v)} for step, v in enumerate(values)]
        lines[1_000].pop("loss/determinator")
        drawn, mean = curves.loss_curves(lines, "title").get_axes()[0].lines
        values[1_000] = np.nan
        np.testing.assert_array_equal(drawn.get_ydata(), values)
        expected = [np.nanmean(values[max(0, i - 50) : i + 51]) for i in range(2_000)]
        np.testing.assert_allclose(mean.get_ydata(), expected, atol=1e-12)

    def test_one_line_is_enough_and_large_losses_get_a_logarithmic_scale(self):
        grids.pixels(curves.loss_curves(self.lines()[:1], "title"))
        lines = self.lines()
        lines[0]["loss/determinator"] = 900.0
        figure = curves.loss_curves(lines, "title")
        self.assertEqual(figure.get_axes()[0].get_yscale(), "symlog")

    def test_the_style_leaves_matplotlib_as_it_was(self):
        before = dict(matplotlib.rcParams)
        grids.pixels(curves.loss_curves(self.lines(), "title"))
        self.assertEqual(dict(matplotlib.rcParams), before)

    def test_the_reconstruction_has_a_panel_of_its_own(self):
        lines = [line | {"loss/reconstruction": 900 / line["step"]} for line in self.lines()]
        axes = curves.loss_curves(lines, "title").get_axes()[2]
        np.testing.assert_allclose(axes.lines[0].get_ydata()[:3], [90, 45, 30])

    def test_the_colour_blind_tell_the_networks_apart(self):
        """By CIE 1976 colour differences of what they see; below 10 colours are easily mixed up."""
        for styles in (curves.LOSSES, curves.ACCURACIES):
            with house_style():
                shown = [to_rgb(color) for _, color, _ in list(styles.values())[:4]]
            for name, matrix in MACHADO_2009.items():
                seen = [lab(np.clip(matrix @ linear(np.array(rgb)), 0, 1)) for rgb in shown]
                for one, other in combinations(seen, 2):
                    self.assertGreater(np.linalg.norm(one - other), 10, name)
            self.assertEqual(len({line for *_, line in list(styles.values())[:4]}), 4)


MACHADO_2009 = {  # table 1, severity 1, rounded to three decimals; on linear RGB
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
}


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear RGB, white point D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ rgb / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


class Ticks(unittest.TestCase):
    def test_numbers_at_the_ticks_do_not_overlap(self):
        for lowest in (1, 200):
            for span in (1.2, 10, 290, 9_000, 1e5):
                axes = Figure(figsize=(6.5, 4.6), dpi=120).add_axes((0.1, 0.1, 0.43, 0.8))
                axes.loglog([lowest, lowest * span], [90, 3])
                axes.tick_params(labelsize=8)
                curves.set_log_ticks(axes.xaxis)
                axes.figure.canvas.draw()
                low, high = axes.get_xlim()
                ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
                boxes = [label.get_window_extent() for at, label in ticks if low <= at <= high]
                with self.subTest(lowest=lowest, span=span):
                    self.assertGreater(len(boxes), 1)
                    for left, right in zip(boxes, boxes[1:], strict=False):
                        self.assertLess(left.x1 + 2, right.x0)
