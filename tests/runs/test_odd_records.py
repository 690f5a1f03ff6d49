"""Records whose values would only fail later, in a figure."""

import json
import unittest
from pathlib import Path

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.evaluation import comparison
from gan3.runs import run_files
from gan3.runs.registry import config_of
from gan3.runs.trained import find_run
from tests.support import FolderTest

CARD = {
    "experiment": "mlp_gan",
    "data_digest": "y",
    "split": "test",
    "judge": {"digest": "z"},
    "count": 1000,
    "held_out": 100,
    "samples": {"recall": {"value": 0.5, "low": 0.25, "high": 0.75}},
    "real": {"recall": {"value": 0.9}},
}


class OddRecords(FolderTest):
    def setUp(self):
        super().setUp()
        self.write({})

    def write(self, changes):
        """The record of the run `a`, which has finished an episode."""
        Path("logs/a/episodes").mkdir(parents=True, exist_ok=True)
        Path("logs/a/episodes/episode_01.npz").touch()
        record = {"started": "2026-01-01", "config": config_of("mlp_gan").to_dict()}
        record |= {"class_names": DIGITS} | changes
        Path("logs/a/run.json").write_text(json.dumps(record))

    def test_a_title_that_figures_cannot_draw_is_made_printable(self):
        for title, shown in (("x\udcff\n", "x??"), ("é" * 500, "é" * 200), (None, "None")):
            self.write({"data_title": title})
            self.assertEqual(find_run("a").data_title, shown)

    def test_class_names_that_no_data_has_are_refused(self):
        for names in (
            None,
            3,
            "AB",
            ["A"],
            ["A", "A"],
            ["A", ""],
            ["A", "x" * 41],
            ["A", "\n"],
            ["A", 1],
            ["A", ["B"]],
            [f"{i}" for i in range(63)],
        ):
            self.write({"run": "a", "class_names": names})
            with (
                self.subTest(names),
                self.assertRaisesRegex(UserError, "run 'a': class_names: not 2"),
            ):
                find_run("a")

    def test_report_cards_with_odd_values_are_refused(self):
        for changes in (
            {"experiment": "$x^$"},
            {"experiment": "x\udcff"},
            {"samples": {"recall": {"value": float("inf")}}},
            {"samples": {"recall": {"value": 10**400}}},
            {"samples": {"recall": {"value": 0.5, "low": 0.25}}},
            {"samples": {"recall": {"value": 0.5, "low": 0.25, "high": "0.75"}}},
            {"samples": {"recall": {"value": 0.5, "low": None, "high": 0.75}}},
            {"real": {"recall": {"value": 0.5, "low": 0.25, "high": float("nan")}}},
            {"real": {"recall": [0.5]}},
            {"count": "1000"},
            {"held_out": 99.5},
            {"seed": float("nan")},
            {"class_names": 3},
            {"class_names": ["a"] * 1000},
            {"class_names": ["a", 3]},
        ):
            with self.subTest(changes):
                Path("logs/a/report.json").write_text(json.dumps(CARD | changes))
                with self.assertRaisesRegex(UserError, "not a report card"):
                    comparison.read_card(run_files.run_folders("a"))
        for missing in ("count", "held_out"):
            card = {key: value for key, value in CARD.items() if key != missing}
            Path("logs/a/report.json").write_text(json.dumps(card))
            with self.assertRaisesRegex(UserError, "not a report card"):
                comparison.read_card(run_files.run_folders("a"))
        Path("logs/a/report.json").write_text(json.dumps(CARD))
        self.assertEqual(comparison.read_card(run_files.run_folders("a")).values, CARD)
        card = gan3.open_run("a").card
        self.assertRegex(str(card), r"\Aa: 1,000 samples, 100 held-out digits\n")
        self.assertEqual(card.interval("recall"), (0.25, 0.75))


if __name__ == "__main__":
    unittest.main()
