"""Titles, names and metrics that Matplotlib would stumble over."""

from pathlib import Path

from gan3.plots import curves, grids, sweeps
from tests.support import FolderTest

FORMULAS = ("$x^$", r"$\frac{$", "$", "100 $ or 200 $")


class OddText(FolderTest):
    def save(self, figure):
        grids.save(figure, Path("x.png"))
        self.assertTrue(Path("x.png").read_bytes().startswith(b"\x89PNG"))

    def test_a_dollar_sign_is_no_formula(self):
        means = {"label_accuracy": 0.9, "coverage": 0.5, "frechet_distance": 2.0}
        means |= {"precision": 0.5, "recall": 0.5}
        for text in FORMULAS:
            with self.subTest(text):
                self.save(curves.loss_curves([{"step": 0, "episode": 1, "loss/x": 1.0}], text))
                pair = sweeps.Pair("recall", "precision", text, text, False)
                self.save(sweeps.tradeoff({text: means, "real digits": means}, [pair], text))

    def test_metrics_without_a_known_loss_or_with_no_finite_one_give_empty_axes(self):
        line = {"step": 0, "episode": 1}
        for values in ({}, {"loss/other": 1.0}, {"accuracy/determinator_real": 0.5}):
            with self.subTest(values):
                figure = curves.loss_curves([line | values], "x")
                self.assertEqual(len(figure.axes[0].lines), 0)
                self.save(figure)
