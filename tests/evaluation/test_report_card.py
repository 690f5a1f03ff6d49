"""Report cards: of runs, of files, side by side."""

import json
import re
import shutil
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.files import write_json
from gan3.data import strokes
from gan3.evaluation import comparison, report_card, scoring
from gan3.evaluation.judge import make as make_judge
from gan3.runs.registry import config_of
from gan3.training.loop import train
from tests.support import LONG, MNIST, FolderTest, call, needs_mnist, points_of, write_idx_set

ASKED_FOR = {"label_accuracy", "judge_gap", "six_digit_accuracy"}
UNASKED = {"classes_covered", "kl_to_uniform"}


def report_points(name):
    """Tags and steps of the report in a run's events."""
    return [(tag, step) for tag, step in points_of(name) if tag.startswith("report")]


class OfARun(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 600, 200)

    def train(self, name, split="test", seed=0):
        config = config_of("best")  # its networks may be small, and so is what it takes to try
        for key, value in (
            ("widths", "20 30,2 3 8,2 3 8"),
            ("r1_weight", 0),  # whose graph takes as long to build as all others
            ("batches", 3),
            ("episodes", 2),
            ("batch_size", 10),
            ("dataset", "idx"),
            ("split", split),
            ("seed", seed),
        ):
            config = config.with_text(key, str(value))
        train(config, name=name, data="own", log=lambda line: None)

    def test_one_run_from_card_to_comparison(self):
        self.train("a")
        self.train("b", seed=1)
        with self.subTest("what is said, written and drawn"):
            status, out, err = call("evaluate", "a", "--json", "deep/card.json")
            self.assertEqual((status, err), (0, ""))
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
            card = json.loads(Path("logs/a/report.json").read_text())
            self.assertEqual(card, json.loads(Path("deep/card.json").read_text()))
            self.assertEqual((card["count"], card["held_out"], card["split"]), (200, 200, "test"))
            for row in ("samples", "real"):
                scores = card[row]
                self.assertEqual(set(scores), set(scoring.METRICS) - UNASKED - {"cas"}, row)
                for metric, score in scores.items():
                    self.assertTrue(np.isfinite(list(score.values())).all())
                    if "low" in score:
                        self.assertLessEqual(score["low"], score["value"], metric)
                        self.assertGreaterEqual(score["high"], score["value"], metric)
            for title in (scoring.METRICS[metric].title for metric in card["samples"]):
                self.assertIn(title, out)
            self.assertEqual(np.array(card["confusion"]).sum(), 200)
            with Image.open("figures/a/report.png") as picture:
                self.assertGreater(min(picture.size), 1000)
            tags = {f"report/{metric}" for metric in card["samples"]} | {"report"}
            # Two episodes of three steps.
            self.assertEqual(report_points("a"), sorted((tag, 6) for tag in tags))

        with self.subTest("real digits are at home among real digits, three steps' are not"):
            real, fake = card["real"], card["samples"]
            self.assertGreater(real["label_accuracy"]["value"], 0.95)
            self.assertLess(fake["label_accuracy"]["value"], 0.5)
            self.assertGreater(
                fake["frechet_distance"]["value"], 5 * real["frechet_distance"]["value"]
            )
            self.assertLess(fake["coverage"]["value"], 0.2)
            self.assertAlmostEqual(real["coverage"]["value"], 1 - 2**-5, delta=0.05)
            self.assertAlmostEqual(real["diversity"]["value"], 1, delta=0.1)
            self.assertAlmostEqual(real["memorisation"]["value"], 1, delta=0.1)
            self.assertEqual(real["distinct"]["value"], 1)

        with self.subTest("another seed draws others, the same again to the bit"):
            before = Path("logs/a/report.json").read_bytes()
            call("evaluate", "a", "--seed", "1")
            self.assertNotEqual(Path("logs/a/report.json").read_bytes(), before)
            call("evaluate", "a")
            self.assertEqual(Path("logs/a/report.json").read_bytes(), before)
            self.assertEqual(len(report_points("a")), len(tags))  # of the last evaluation alone

        with self.subTest("without checkpoints there is no determinator and no judge gap"):
            for path in Path("logs/b/checkpoints").iterdir():
                path.unlink()
            status, out, err = call("evaluate", "b")
            self.assertEqual(status, 0, err)
            self.assertIn("no judge gap", out)
            other = json.loads(Path("logs/b/report.json").read_text())
            self.assertNotIn("judge_gap", other["samples"])

        with self.subTest("compare"):
            status, out, err = call("compare", "a", "b", "--out", "pictures/c.png")
            self.assertEqual(status, 0, err)
            self.assertTrue(Path("pictures/c.png").is_file())
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
            self.assertRegex(out, r"(?m)^recall, up +\d\.\d{3}[ *]+\d\.\d{3}")
            for name in ("a_copy_with_a_name", "another_long_name", "and_a_third_name"):
                shutil.copytree("logs/a", f"logs/{name}")
            names = [path.name for path in Path("logs").iterdir()]
            status, out, err = call("compare", "a", "a", *names)  # too many for one line
            self.assertEqual(len(re.findall(r"(?m) a( |$)", out)), 1)  # one named twice is one
            self.assertTrue(all(len(line) <= 80 for line in out.splitlines()), out)
            self.assertGreaterEqual(len(re.findall(r"(?m)^recall, up ", out)), 2)
            status, out, _ = call("compare", "a", "b", "--markdown")
            self.assertEqual(out.splitlines()[0], "| | a | b | real digits |")
            self.assertIn("**", out)
            card_of_b = Path("logs/b/report.json").read_text()
            Path("logs/b/report.json").write_text(json.dumps(json.loads(card_of_b) | {"step": 1}))
            for more in ((), ("--by-experiment",)):  # a card that was made too early says so
                status, out, _ = call("compare", "a", "b", "--markdown", *more)
                self.assertRegex(out.splitlines()[0], r"\| (b|best), step 1 of \d+ \|")
            Path("logs/b/report.json").write_text(card_of_b)
            status, out, _ = call("compare", "a", "b", "--by-experiment", "--markdown")
            self.assertIn("best (2 seeds)", out.splitlines()[0])
            values = [c["samples"]["precision"]["value"] for c in (card, other)]
            line = next(row for row in out.splitlines() if row.startswith("| precision"))
            self.assertIn(f" {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f} ", line)

        with self.subTest("cards that cannot be compared are refused by what differs"):
            write_json(Path("logs/b/report.json"), other | {"split": "validation"})
            status, _, err = call("compare", "a", "b")
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run b: its card has another split .*\n\Z")
            for content in ("", "{}", "[]", '{"samples": {"x": 1}}', "[" * 99_999):
                Path("logs/b/report.json").write_text(content)
                status, _, err = call("compare", "a", "b")
                self.assertEqual((status, err.count("\n")), (2, 1), err)
            Path("logs/b/report.json").unlink()
            status, _, err = call("compare", "a", "b")
            self.assertRegex(err, "make evaluate RUN=b")

        with self.subTest("a run is scored on what it held out, and on its own data only"):
            status, _, err = call("evaluate", "a", "--split", "validation")
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: held out the test digits .*\n\Z")
            write_idx_set(self.folder / "other", 600, 210)
            status, _, err = call("evaluate", "a", "--data", "other")
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: run a: was trained on other data; .*\n\Z")

    @unittest.skipUnless(LONG, "GAN3_LONG is not set: 5,000 digits take half a minute")
    def test_the_last_training_images_are_never_trained_on_by_a_validation_run(self):
        write_idx_set(self.folder / "own", 5200, 200)
        self.train("v", split="validation")
        status, out, err = call("evaluate", "v")
        self.assertEqual(status, 0, err)
        card = json.loads(Path("logs/v/report.json").read_text())
        self.assertEqual((card["split"], card["held_out"]), ("validation", 5000))
        status, _, err = call("evaluate", "v", "--split", "test")
        self.assertEqual(status, 2)
        self.assertRegex(err, "train with --split test")


class OfAFile(FolderTest):
    def setUp(self):
        super().setUp()
        arrays = write_idx_set(self.folder / "own", 1200, 600)
        self.train_images, self.train_labels, self.images, self.labels = arrays
        self.fresh_images, self.fresh_labels = (part[2000:] for part in strokes.make(2400, 10)[:2])

    def card(self, images, labels=None, expect=0):
        arrays = {"images": images}
        if labels is not None:
            arrays["labels"] = labels.astype(np.int64)
        np.savez("x.npz", **arrays)
        own = ("--dataset", "idx", "--data", "own")
        status, out, err = call("evaluate", "--samples", "x.npz", *own, "--json", "card.json")
        self.assertEqual(status, expect, err)
        return json.loads(Path("card.json").read_text()) if expect == 0 else err

    def test_fresh_digits_of_the_same_hand_score_as_real_ones(self):
        card = self.card(self.fresh_images, self.fresh_labels)
        self.assertNotIn("judge_gap", card["samples"])
        for metric in ("label_accuracy", "precision", "coverage", "memorisation", "diversity"):
            fresh, real = (card[row][metric]["value"] for row in ("samples", "real"))
            self.assertAlmostEqual(fresh, real, delta=0.1, msg=metric)

    def test_copies_of_training_images_are_caught(self):
        copies = self.card(self.train_images[:400], self.train_labels[:400])["samples"]
        self.assertEqual(copies["memorisation"]["value"], 0)
        self.assertGreater(copies["coverage"]["value"], 0.9)  # which alone would praise them

    def test_ten_images_are_caught(self):
        """A generator that knows one good image a digit: all are read, nothing is covered."""
        ten = [int(np.flatnonzero(self.labels == digit)[0]) for digit in range(10)]
        card = self.card(np.tile(self.images[ten], (30, 1, 1)), np.tile(np.arange(10), 30))
        scores = {metric: score["value"] for metric, score in card["samples"].items()}
        self.assertGreaterEqual(scores["label_accuracy"], 0.9)
        self.assertAlmostEqual(scores["distinct"], 10 / 300, delta=1e-6)
        self.assertEqual(scores["recall"], 0)
        self.assertLess(scores["coverage"], 0.2)
        self.assertLess(scores["diversity"], 0.01)

    def test_without_labels_it_is_the_card_of_a_system_that_cannot_be_asked(self):
        half = self.fresh_images[self.fresh_labels < 5]
        card = self.card(half)
        self.assertFalse((ASKED_FOR | {"cas"}) & set(card["samples"]))
        self.assertIsNone(card["confusion"])
        self.assertEqual(card["samples"]["classes_covered"]["value"], 5)
        self.assertAlmostEqual(card["samples"]["kl_to_uniform"]["value"], np.log(2), delta=0.1)
        self.assertEqual(card["real"]["classes_covered"]["value"], 10)

    def test_files_that_do_not_fit_are_one_line(self):
        images, labels = self.fresh_images, self.fresh_labels
        for arguments, message in (
            ((images[:50], labels[:50]), "at least 100"),
            ((images[:0], labels[:0]), "at least 100"),
            ((images, labels[:-1]), "one digit 0 to 9 for each"),
            ((images, labels + 1), "one digit 0 to 9 for each"),
            ((images.astype(np.float32), labels), "images is not uint8"),
            ((images[:, :20], labels), "images is not uint8"),
        ):
            err = self.card(*arguments, expect=2)
            with self.subTest(message):
                self.assertRegex(err, message)
                self.assertEqual(err.count("\n"), 1, err)

    @unittest.skipUnless(LONG, "GAN3_LONG is not set: trains three classifiers")
    @needs_mnist
    def test_cas_and_another_judge(self):
        make_judge(Path("j.npz"), 3, MNIST, 40, log=lambda line: None)
        np.savez("x.npz", images=self.fresh_images, labels=self.fresh_labels.astype(np.int64))
        options = ("--dataset", "idx", "--data", "own", "--judge", "j.npz", "--json", "c.json")
        before = scoring.CAS_STEPS
        self.addCleanup(setattr, scoring, "CAS_STEPS", before)
        scoring.CAS_STEPS = 40
        status, _, err = call("evaluate", "--samples", "x.npz", *options, "--cas")
        self.assertEqual(status, 0, err)
        card = json.loads(Path("c.json").read_text())
        for row in ("samples", "real"):
            self.assertGreater(card[row]["cas"]["value"], 0.7)
        self.assertNotEqual(card["judge"]["digest"], report_card.judge.DIGEST)


class Best(unittest.TestCase):
    def test_by_direction_as_printed(self):
        for better, values, expected in (
            ("higher", [[0.5], [0.9], [0.7]], {1}),
            ("lower", [[0.5], [0.9], []], {0}),
            ("near 1", [[0.9], [1.2], [0.5]], {0}),
            ("near 0", [[-0.3], [0.1]], {1}),
            ("higher", [[0.90001], [0.90002], [0.1]], {0, 1}),  # the same to three decimals
            ("higher", [[0.9], [0.9]], set()),
            ("higher", [[0.9]], set()),
        ):
            about = scoring.Metric("x", "share", better, 3)
            self.assertEqual(comparison._best(values, about), expected, (better, values))


if __name__ == "__main__":
    unittest.main()
