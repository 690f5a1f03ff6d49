"""Whole runs: real processes on a small set of strokes."""

import hashlib
import json
import shutil
import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from gan3.plots.numbers import number_image
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import builder_of, config_of
from gan3.training import loop, precision
from tests.support import (
    MNIST,
    FolderTest,
    call,
    lines_of,
    needs_mnist,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

# What holds of the loop holds whatever it trains: mostly a system that is traced in a second.
SMALL = ("--experiment", "mlp_gan")
SHORT = ("--episodes", 2, "--batches", 4, "--batch-size", 10, "--set", "log_every=2")
FILES = {
    "logs": [
        "checkpoints",
        "episodes",
        "first_episode",
        "metrics.jsonl",
        "real.npz",
        "run.json",
    ],
    "figures": [
        "classes.png",
        "episode_01.png",
        "episode_02.png",
        "episodes.png",
        "first_episode.gif",
        "fixed_01.png",
        "fixed_02.png",
        "losses.png",
        "progression.gif",
        "real.png",
        "untrained.png",
    ],
}


def digests_in(folder):
    """Of every file in it, by its path from there: two that differ are soon told apart."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


class Runs(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")

    def train(self, *more, expect=0, name="a", system=SMALL):
        own = ("--dataset", "idx", "--data", "own", "--run", name)
        process = start("train", *SHORT, *own, *system, *more, cwd=self.folder)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, expect, err)
        return out, err

    def train_here(self, *more, expect=0, name="a", system=SMALL):
        """As `train`, in this process, which has TensorFlow already."""
        own = ("--dataset", "idx", "--data", "own", "--run", name)
        status, out, err = call("train", *SHORT, *own, *system, *more)
        self.assertEqual(status, expect, err)
        return out, err

    def refused(self, name, *more):
        """What is said of a resume that cannot be."""
        own = ("--dataset", "idx", "--data", "own", "--run", name)
        status, _, err = call("train", *SHORT, *own, "--resume", *more)
        self.assertEqual(status, 2)
        return err

    def test_one_run_from_training_to_numbers(self):
        out, err = self.train("--seed", "5", system=())
        self.assertEqual(err, "")
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines() if "step" in line), out)
        for word in ("episode 1 on 50 held-out images", "own IDX set", "make generate", "logs/a"):
            self.assertIn(word, out)

        with self.subTest("files"):
            logs = sorted(p.name for p in Path("logs/a").iterdir() if "events" not in p.name)
            self.assertEqual(logs, FILES["logs"])
            self.assertEqual(sorted(p.name for p in Path("figures/a").iterdir()), FILES["figures"])
            episodes = sorted(p.name for p in Path("logs/a/episodes").iterdir())
            self.assertEqual(episodes, ["episode_01.npz", "episode_02.npz"])

        with self.subTest("run.json"):
            record = json.loads(Path("logs/a/run.json").read_text())
            self.assertEqual(record["outcome"], "done")
            self.assertEqual(record["config"]["seed"], 5)
            self.assertEqual(record["data"], "idx")
            self.assertIn("--seed", record["command"])
            self.assertLess(record["started"], record["ended"])

        with self.subTest("metrics.jsonl"):
            lines = lines_of("a", timed=True)
            self.assertEqual([line["step"] for line in lines], [2, 4, 6, 8])
            self.assertEqual([line["episode"] for line in lines], [1, 1, 2, 2])
            tags = {"loss/discriminator", "loss/determinator"}
            tags |= {"loss/generator_real", "loss/generator_digit", "ms_per_step"}
            for line in lines:
                self.assertLessEqual(tags, set(line))
                held = [key for key in line if key.startswith("held_out/")]
                self.assertEqual(len(held), 8 if line["step"] % 4 == 0 else 0)

        with self.subTest("drawing again gives the same pictures, also of half a run"):
            before = digests_in("figures/a")
            shutil.rmtree("figures/a")
            self.assertEqual(call("figures", "a")[0], 0)
            self.assertEqual(digests_in("figures/a"), before)
            Path("logs/a/episodes/episode_02.npz").rename("kept.npz")
            shutil.rmtree("figures/a")
            self.assertEqual(call("figures", "a")[0], 0)
            self.assertEqual(digests_in("figures/a")["episode_01.png"], before["episode_01.png"])
            self.assertFalse(Path("figures/a/episode_02.png").exists())
            Path("kept.npz").rename("logs/a/episodes/episode_02.npz")

        with self.subTest("sample"):
            status, _, err = call("sample", "--count", 25, "--labels", "30", "--out", "s/x.npz")
            self.assertEqual((status, err), (0, ""))
            with np.load("s/x.npz") as arrays:
                images, labels = arrays["images"], arrays["labels"]
            self.assertEqual((images.shape, images.dtype), ((25, 28, 28), np.uint8))
            self.assertEqual((labels.dtype, labels[:4].tolist()), (np.int64, [3, 0, 3, 0]))

        with self.subTest("generate"):
            status, out, _ = call("generate", "2041", "--run", "a", "--separate", "one by one")
            self.assertEqual((status, out), (0, "2041: figures/2041.png\n"))
            picture = np.asarray(Image.open("figures/2041.png"))
            self.assertEqual((picture.shape, picture.dtype), ((28, 72), np.uint8))
            names = sorted(p.name for p in Path("one by one").iterdir())
            self.assertEqual(names, ["0001_2.png", "0002_0.png", "0003_4.png", "0004_1.png"])
            call("generate", "2041", "--inverted", "--out", "i.png")
            np.testing.assert_array_equal(np.asarray(Image.open("i.png")), 255 - picture)
            call("generate", "2041", "--seed", "1", "--out", "other.png")
            self.assertFalse(np.array_equal(np.asarray(Image.open("other.png")), picture))
            status, out, _ = call("generate", "2041", "--variants", 3, "--path", "--out", "v.png")
            self.assertEqual((status, out), (0, "v.png\n"))
            rows = np.asarray(Image.open("v.png")).reshape(3, 28, 72)
            np.testing.assert_array_equal(rows[0], picture)
            self.assertFalse(np.array_equal(rows[1], rows[2]))
            call("generate", "2041", "--variants", 3, "--out", "v.npz")
            with np.load("v.npz") as arrays:
                self.assertEqual(arrays["labels"].tolist(), [2, 0, 4, 1] * 3)
                first = number_image(arrays["images"][:4], inverted=False)
            np.testing.assert_array_equal(first, picture)

        with self.subTest("recognise"):
            status, out, err = call("recognise", *Path("one by one").iterdir())
            self.assertEqual((status, err), (0, ""))
            self.assertRegex(out, r"\A(one by one/000\d_\d\.png: \d \(\d+\.\d%\)\n){4}\Z")

        with self.subTest("a look about, beside the run's other pictures"):
            status, out, err = call("latent", "--digits", "3", "8")
            self.assertEqual((status, err), (0, ""))
            self.assertIn("figures/a/latent_arithmetic.png", out)
            with Image.open("figures/a/latent_arithmetic.png") as sheet:
                self.assertGreater(sheet.width, 4 * 28)

        with self.subTest("a name that exists is refused and nothing is changed"):
            before = digests_in("logs/a")
            _, err = self.train_here(expect=2)
            self.assertRegex(err, r"\Agan3: run a: exists already; .*--resume.*\n\Z")
            self.assertEqual(digests_in("logs/a"), before)

    def test_the_same_seed_gives_the_same_run_and_resuming_too(self):
        self.train(name="a")
        self.train_here("--episodes", "1", "--set", "checkpoint_every=2", name="b")
        last = Path("logs/b/checkpoints/step-4.index")
        last.write_bytes(last.read_bytes()[:-9])  # so b goes on from step 2, and says so
        out, _ = self.train("--resume", "--episodes", "2", name="b")
        self.assertRegex(out, r"step-4: damaged[^\n]*\n(.*\n)*resuming b after step 2\n")
        self.train_here("--seed", "1", name="c")
        self.assertEqual(step_of("a"), step_of("b"))
        self.assertEqual(weights_of("a"), weights_of("b"))
        self.assertEqual(lines_of("a"), lines_of("b"))
        for name in ("episode_02.png", "progression.gif", "first_episode.gif", "untrained.png"):
            a, b = (Path(f"figures/{run}/{name}").read_bytes() for run in "ab")
            self.assertEqual(a, b, name)
        self.assertNotEqual(weights_of("a"), weights_of("c"))
        with self.subTest("another config is refused by its keys"):
            err = self.refused("a", "--seed", 9, "--set", "digit_weight=3")
            self.assertRegex(err, r"\Agan3: run a: cannot resume with another seed, digit_weight;")
        with self.subTest("the precision is the record's, whatever this machine's would be"):
            content = Path("logs/a/run.json").read_text()
            Path("logs/a/run.json").write_text(
                json.dumps(json.loads(content) | {"precision": "int3"})
            )
            self.assertIn("config key precision: 'int3'", self.refused("a"))
            Path("logs/a/run.json").write_text(content)
        with self.subTest("a resume that cannot begin leaves the run as it was"):
            folder = Path("logs/c/checkpoints")
            for damage, message in (
                (lambda: Path("logs/c/metrics.jsonl").write_text("x\n"), "line 1 is damaged"),
                (lambda: Checkpoints(folder, {"x": tf.Variable(1.0)}).save(8), "another system"),
                (lambda: [path.write_text("x") for path in folder.iterdir()], "whole"),
            ):
                damage()
                record = Path("logs/c/run.json").read_bytes()
                err = self.refused("c", "--seed", 1, "--episodes", 3)
                self.assertRegex(err, rf"\Agan3: [^\n]*{message}[^\n]*\n\Z")
                self.assertEqual(Path("logs/c/run.json").read_bytes(), record)

    def test_a_system_that_cannot_be_asked_is_shown_and_scored_all_the_same(self):
        out, _ = self.train_here()
        self.assertRegex(out, r"by the judge: \d+ of ten digits found, Frechet distance")
        self.assertNotIn("make generate", out)
        self.assertEqual(sorted(p.name for p in Path("figures/a").iterdir()), FILES["figures"])
        self.assertEqual(call("sample", "--count", 9, "--out", "x.npz")[0], 0)
        with np.load("x.npz") as arrays:
            self.assertEqual({name: arrays[name].shape for name in arrays}, {"images": (9, 28, 28)})
        for arguments, message in (
            (("generate", "12"), "number 12: this system cannot draw requested digits"),
            (("sample", "--labels", "12", "--out", "y.npz"), "--labels 12: this system cannot"),
            (
                ("recognise", "figures/a/real.png", "--run", "a"),
                "mlp_gan has no determinator",
            ),
        ):
            status, _, err = call(*arguments)
            self.assertEqual(status, 2)
            self.assertRegex(err, rf"\Agan3: [^\n]*{message}[^\n]*\n\Z")
        self.assertEqual(call("evaluate", "a")[0], 0)
        scores = json.loads(Path("logs/a/report.json").read_text())["samples"]
        self.assertIn("classes_covered", scores)
        self.assertFalse({"label_accuracy", "determinator_judge_gap", "six_digit_accuracy"} & set(scores))

    def test_a_reader_who_goes_away_does_not_stop_the_run(self):
        own = ("--dataset", "idx", "--data", "own", "--run", "a")
        process = start("train", *SHORT, *own, *SMALL, cwd=self.folder)
        self.assertRegex(process.stdout.readline(), "own IDX set")
        process.stdout.close()  # as head -1 does
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(timeout=300), err), (0, ""))
        self.assertEqual(json.loads(Path("logs/a/run.json").read_text())["outcome"], "done")
        self.assertEqual(lines_of("a")[-1]["step"], 8)
        self.assertEqual(sorted(p.name for p in Path("figures/a").iterdir()), FILES["figures"])

    def test_divergence_stops_within_its_step_and_is_never_saved(self):
        """Poisoned after step 4; a checkpoint at every step, a line at the end of an episode."""
        more = ("--set", "checkpoint_every=1", "--set", "log_every=1000")
        self.train_here("--episodes", 1, *more, name="d")
        system = builder_of("mlp_gan")(config_of("mlp_gan"), "float32")
        checkpoints = Checkpoints(Path("logs/d/checkpoints"), system.state)
        step = checkpoints.restore()
        system.discriminator.weights[-1].assign([np.nan])
        checkpoints.save(step)
        _, err = self.train("--resume", "--episodes", 2, *more, name="d", expect=3)
        self.assertRegex(
            err,
            r"\Agan3: training diverged: discriminator, generator: not finite at step 5;"
            r" checkpoint 4 in logs/d/checkpoints is from before; [^\n]*\n\Z",
        )
        self.assertEqual(json.loads(Path("logs/d/run.json").read_text())["outcome"], "diverged")
        self.assertEqual(lines_of("d")[-1]["step"], step)
        self.assertEqual(step_of("d"), step)  # nothing was saved over the last one


class OneTrace(FolderTest):
    def test_both_graphs_are_traced_once(self):
        write_idx_set(self.folder / "own")
        counted = []
        original = loop._Loop.run

        def spy(loop):
            original(loop)
            counted.extend(f.experimental_get_tracing_count() for f in (loop.step, loop.evaluate))

        loop._Loop.run = spy
        self.addCleanup(setattr, loop._Loop, "run", original)
        config = config_of("published_code")
        for key, value in (("batches", "3"), ("episodes", "2"), ("batch_size", "7")):
            config = config.with_text(key, value)
        config = config.with_text("dataset", "idx").with_text("log_every", "2")
        loop.train(config, name="x", data="own", log=lambda line: None)
        self.assertEqual(counted, [1, 1])


class Small(unittest.TestCase):
    def test_precision(self):
        self.assertEqual(precision.resolve_precision("float32"), "float32")
        self.assertEqual(precision.resolve_precision("bfloat16"), "bfloat16")
        cpuinfo = Path("/proc/cpuinfo")
        hardware = cpuinfo.exists() and "amx_bf16" in cpuinfo.read_text()
        if not tf.config.list_physical_devices("GPU"):
            wanted = "bfloat16" if hardware else "float32"
            self.assertEqual(precision.resolve_precision("auto"), wanted)


class OnMnist(FolderTest):
    @needs_mnist
    def test_a_short_real_training_run_learns(self):
        """60 steps of the default: the determinator reads most digits, the losses are its own."""
        process = start(
            "train",
            "--episodes",
            2,
            "--batches",
            30,
            "--batch-size",
            50,
            "--dataset",
            "mnist",
            "--data",
            MNIST,
            "--run",
            "m",
            cwd=self.folder,
        )
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 0, err)
        lines = lines_of("m")
        self.assertLess(lines[-1]["held_out/loss/determinator"], 0.8)
        self.assertGreater(lines[-1]["held_out/accuracy/determinator_real"], 0.8)
        self.assertIn("trained on MNIST;", out)


if __name__ == "__main__":
    unittest.main()
