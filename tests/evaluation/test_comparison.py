"""Report cards side by side."""

import dataclasses
import json
import re
import unittest
from pathlib import Path

import numpy as np

from gan3 import library
from gan3.core.errors import UserError
from gan3.core.files import write_json
from gan3.evaluation import comparison
from gan3.evaluation.metrics import METRICS, Metric
from gan3.runs.registry import config_of
from tests.support import FolderTest, call


def write_run(name, card, experiment="best", **settings):
    """A run's record and its card, as training and evaluation write them."""
    logs = Path("logs", name)
    logs.mkdir(parents=True, exist_ok=True)
    config = dataclasses.replace(config_of(experiment), **settings)
    record = {"started": "2026-01-01", "config": config.to_dict(), "outcome": "done"}
    write_json(logs / "run.json", record)
    write_json(logs / "report.json", card)


def make_card(seed):
    """A card of `best` with every metric of a system with requested digits, but the CAS."""
    random = np.random.default_rng(seed)
    metrics = [m for m in METRICS if m not in ("classes_covered", "kl_to_uniform", "cas")]
    rows = {
        row: {metric: {"value": round(random.uniform(0.1, 0.9), 6)} for metric in metrics}
        for row in ("samples", "real")
    }
    common = {"experiment": "best", "data_digest": "d", "split": "test", "judge": {"digest": "j"}}
    numbers = {"step": config_of("best").total_steps, "count": 100, "held_out": 100}
    return common | {"data_title": "Pen digits"} | numbers | rows


class Compare(FolderTest):
    def setUp(self):
        super().setUp()
        self.cards = {"a": make_card(0), "b": make_card(1)}
        for seed, (name, card) in enumerate(self.cards.items()):
            write_run(name, card, seed=seed)

    def head(self, *arguments):
        """The first line of the Markdown table of both runs."""
        status, out, err = call("compare", "a", "b", "--markdown", *arguments)
        self.assertEqual(status, 0, err)
        return out.splitlines()[0]

    def test_the_pairs_of_the_picture_are_those_that_real_images_have(self):
        for lacking, expected in (
            ("", [("recall", "precision"), ("coverage", "label_accuracy")]),
            ("label_accuracy", [("recall", "precision"), ("coverage", "precision")]),
            ("recall", [("coverage", "label_accuracy")]),
            ("precision", [("coverage", "label_accuracy")]),
        ):
            card = make_card(0)
            card["real"].pop(lacking, None)
            write_run("c", card)
            pairs = library.compare(["c"]).tradeoffs()
            self.assertEqual([(pair.x, pair.y) for pair in pairs], expected, lacking)
            for pair in pairs:
                self.assertEqual(pair.x_label, f"{METRICS[pair.x].title} (diversity)")
                self.assertEqual(pair.logit, pair.x == "coverage")

    def test_the_table_is_printed_in_80_columns_and_drawn(self):
        figure = ("--out", "pictures/c.png", "--format", "pdf")
        status, out, err = call("compare", "a", "b", *figure)
        self.assertEqual(status, 0, err)
        self.assertEqual(len(list(Path("pictures").glob("c*.pdf"))), 1)
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
        found = re.search(r"(?m)^recall +↑[ *]+(\d\.\d{3})[ *]+(\d\.\d{3}) +\d\.\d{3}$", out)
        expected = [card["samples"]["recall"]["value"] for card in self.cards.values()]
        np.testing.assert_allclose([float(text) for text in found.groups()], expected, atol=5e-4)
        means = json.loads(call("compare", "a", "b", "--json")[1])
        self.assertEqual([means[name]["recall"] for name in "ab"], expected)

    def test_any_number_of_columns_and_any_names_fit_and_names_count_once(self):
        names = ["a" + 97 * "b" + end for end in "12"]  # and a copy of each in a column of its own
        for name in names:
            write_run(name, self.cards["a"] | {"step": 1})
        status, out, err = call("compare", "a", "a", "b", *names)
        self.assertEqual(status, 0, err)
        self.assertLessEqual(max(map(len, out.splitlines())), 80, out)
        self.assertEqual(len(re.findall(r"(?m)^recall +↑ ", out)), 2)
        self.assertEqual(len(re.findall(r"(?m) a( |$)", out)), 1)
        self.assertEqual(out.count(f"step 1 of {config_of('best').total_steps}"), 2)

    def test_a_markdown_table_has_the_best_of_each_row_in_bold(self):
        self.assertEqual(self.head(), "|  | a | b | real digits |")
        compared = library.compare(["a", "b"])
        for metric, row in zip(self.cards["a"]["samples"], compared.markdown()[2:], strict=True):
            costs = [
                METRICS[metric].cost(card["samples"][metric]["value"])
                for card in self.cards.values()
            ]
            cells = row.strip("| ").split(" | ")
            self.assertEqual(cells[0], METRICS[metric].full_title)
            self.assertEqual(
                [cell.startswith("**") for cell in cells[1:3]],
                [costs[0] < costs[1], costs[1] < costs[0]],
                metric,
            )

    def test_the_gap_of_real_digits_is_left_out_because_it_is_that_of_one_run(self):
        rows = {metric.title: texts for metric, texts, _ in library.compare(["a", "b"]).rows}
        self.assertEqual(rows[METRICS["determinator_judge_gap"].title][2], "–")
        self.assertRegex(rows["recall"][2], r"\A0\.\d{3}\Z")

    def test_the_transposed_table_has_the_same_cells(self):
        compared = library.compare(["a", "b"])
        rows, transposed = (
            [line.strip("|").split("|") for i, line in enumerate(lines) if i != 1]
            for lines in (compared.markdown(), compared.markdown_transposed())
        )
        self.assertEqual([list(cells) for cells in zip(*rows, strict=True)], transposed)

    def test_a_card_from_before_the_end_of_its_run_names_its_step(self):
        path = Path("logs/b/report.json")
        path.write_text(json.dumps(self.cards["b"] | {"step": 1}))
        self.assertRegex(self.head(), r"\| b, step 1 of \d+ \|")
        self.assertRegex(self.head("--by-experiment"), r"\| best, step 1 of \d+ \|")

    def test_runs_of_one_experiment_are_a_mean_and_a_standard_deviation(self):
        self.assertIn("| best (2 seeds) |", self.head("--by-experiment"))
        write_run("b", self.cards["b"], seed=0)
        self.assertIn("| best (2 runs) |", self.head("--by-experiment"))
        lines = library.compare(["a", "b"], by_experiment=True).markdown()
        values = [card["samples"]["precision"]["value"] for card in self.cards.values()]
        line = next(row for row in lines if row.startswith("| precision"))
        self.assertIn(f" {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f} ", line)

    def test_runs_of_one_experiment_with_other_settings_are_in_another_column(self):
        write_run("c", make_card(2), batch_size=50, episodes=3)
        lines = library.compare(["a", "c", "b"], by_experiment=True).markdown()
        self.assertIn("| best (2 seeds) | best, episodes=3, batch_size=50 |", lines[0])

    def test_a_mean_over_some_of_the_runs_says_of_how_many(self):
        write_run("c", make_card(2), seed=2)
        for name in ("a", "c"):
            path = Path(f"logs/{name}/report.json")
            card = json.loads(path.read_text())
            card["samples"]["cas"] = {"value": 0.75}
            write_json(path, card)
        lines = library.compare(["a", "b", "c"], by_experiment=True).markdown()
        cas, recall = (
            next(line for line in lines if line.startswith(f"| {METRICS[metric].title}"))
            for metric in ("cas", "recall")
        )
        self.assertIn(" 0.7500 ± 0.0000 (2 of 3) ", cas)
        self.assertNotIn(" of 3)", recall)

    def test_a_card_of_other_moments_than_the_runs_own_says_so(self):
        cards = {}
        for name, moments in (("a", "batch"), ("b", "running")):
            cards[name] = make_card(0) | {"experiment": "gan_auto_write", "step": 4000}
            write_run(name, cards[name] | {"sampling_moments": moments}, "gan_auto_write")
        self.assertIn("| a | b, running moments |", self.head())

    def test_cards_of_other_judges_data_or_splits_are_refused(self):
        path = Path("logs/b/report.json")
        for change, key in (
            ({"split": "validation"}, "split"),
            ({"data_digest": "x"}, "data_digest"),
            ({"judge": {"digest": "x"}}, "judge"),
            ({"judge": None}, "judge"),
        ):
            write_json(path, self.cards["b"] | change)
            status, _, err = call("compare", "a", "b")
            self.assertEqual(status, 2)
            self.assertRegex(err, rf"\Agan3: run b: its card has another {key} .*\n\Z")

    def test_a_run_counts_once_and_two_of_one_name_are_refused(self):
        self.assertIn("| a | b |", library.compare(["a", "logs/a", "b"]).markdown()[0])
        Path("logs/a").rename("logs/b/b")
        with self.assertRaisesRegex(UserError, "logs/b/b: a second run b; give its folder another"):
            library.compare(["b", "logs/b/b"])
        Path("logs/b/b").rename("logs/b/c")
        self.assertIn("| b | c |", library.compare(["b", "logs/b/c"]).markdown()[0])

    def test_cards_without_a_judge_have_their_own_rows_and_no_picture_of_the_others(self):
        rows = ("distinct_fraction", "train_distance_ratio")
        for name, card in self.cards.items():
            parts = {row: {key: card[row][key] for key in rows} for row in ("samples", "real")}
            write_json(Path(f"logs/{name}/report.json"), card | {"judge": None} | parts)
        status, out, err = call("compare", "a", "b", "--out", "c.png")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(len(re.findall(r"(?m)^d\S+ .*\d", out)), 2, out)  # distinct, distance
        self.assertFalse(Path("c.png").exists())

    def test_a_damaged_or_missing_card_is_one_line(self):
        path = Path("logs/b/report.json")
        for content in ("", "{}", "[]", '{"samples": {"x": 1}}', "[" * 99_999):
            path.write_text(content)
            status, _, err = call("compare", "a", "b")
            self.assertEqual((status, err.count("\n")), (2, 1), err)
        path.unlink()
        status, _, err = call("compare", "a", "b")
        self.assertRegex(err, r"\Agan3: .*report.json: no such file; evaluate run b first\n\Z")


class Best(unittest.TestCase):
    def test_the_best_values_as_printed(self):
        for better, values, expected in (
            ("higher", [[0.5], [0.9], [0.7]], {1}),
            ("lower", [[0.5], [0.9], []], {0}),
            ("near 1", [[0.9], [1.2], [0.5]], {0}),
            ("near 0", [[-0.3], [0.1]], {1}),
            ("higher", [[0.90001], [0.90002], [0.1]], {0, 1}),  # equal in three decimals
            ("lower", [[1234.561], [1234.559], [2000.0]], {0, 1}),  # printed with two decimals
            ("higher", [[0.9], [0.9]], set()),
            ("higher", [[0.9]], set()),
        ):
            metric = Metric("x", "fraction", better, 3)
            self.assertEqual(comparison._best(values, metric), expected, (better, values))
