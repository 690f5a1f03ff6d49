"""Whole training runs on a small set of strokes, many of them in processes of their own."""

import dataclasses
import hashlib
import json
import re
import shutil
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.seeds import EVALUATIONS, seed_of
from gan3.data import strokes
from gan3.data.batches import make_gather
from gan3.data.datasets import load
from gan3.evaluation import judge
from gan3.plots import curves, grids
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import build, config_of
from gan3.training import loop
from tests.support import (
    MNIST,
    FolderTest,
    call,
    enter_folder,
    keep_judge,
    lines_of,
    needs_mnist,
    slow,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

# The loop is the same for every system; most tests train this one, which is traced in a second.
SMALL = ("--experiment", "mlp_gan")
SHORT = ("--episodes", 2, "--batches", 4, "--batch-size", 10, "--set", "log_every=2")
OWN = ("--dataset", "own", "--data", "own")
LOSSES = ("loss/discriminator", "loss/determinator", "loss/generator_real", "loss/generator_digit")
FILES = {
    "logs": ["checkpoints", "episodes", "first_episode", "metrics.jsonl", "real.npz", "run.json"],
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
    """The digest of every file in a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


class Runs(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")
        keep_judge()

    def train(self, *more, expect=0, name="a", system=SMALL):
        """Train in a process of its own; its stdout and stderr."""
        line = ("train", *SHORT, *OWN, "--run", name, *system, *more)
        process = start(*line, cwd=self.folder)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, expect, err)
        return out, err

    def train_here(self, *more, expect=0, name="a"):
        """As `train`, but in this process, without starting TensorFlow again."""
        status, out, err = call("train", *SHORT, *OWN, "--run", name, *SMALL, *more)
        self.assertEqual(status, expect, err)
        return out, err

    def refused(self, name, *more):
        """The message of a resume that must fail."""
        status, _, err = call("train", *SHORT, *OWN, "--run", name, "--resume", *more)
        self.assertEqual(status, 2)
        return err

    @slow("trains two runs")
    def test_an_own_npz_file_is_found_again_by_the_record(self):
        images, labels, test_images, test_labels = strokes.make(300, 60)
        names = np.array([f"kind {label}" for label in range(10)])
        Path("sets").mkdir()
        np.savez(
            "sets/kinds.npz",
            x_train=255 - images,
            y_train=names[labels],
            x_test=255 - test_images,
            y_test=names[test_labels],
        )
        own = ("--dataset", "own", "--data", "sets/kinds.npz", "--run", "k")
        status, _, err = call("train", *SHORT, *SMALL, *own)
        self.assertEqual((status, err.count("\n")), (2, 1))
        self.assertIn("it looks dark: set ink to dark", err)
        status, out, err = call("train", *SHORT, *SMALL, *own, "--ink", "dark")
        self.assertEqual(status, 0, err)
        self.assertIn('mlp_gan on own set "kinds" (sets/kinds.npz)', out)
        record = json.loads(Path("logs/k/run.json").read_text())
        self.assertEqual((record["data"], record["data_title"]), ("own", 'own set "kinds"'))
        self.assertEqual(record["config"]["ink"], "dark")
        self.assertEqual(record["class_names"], names.tolist())
        note = "NOTE: the learning rates fall over the whole schedule."
        with mock.patch("gan3.core.config.RunConfig.depends_on_total_steps", True):
            status, out, err = call("train", "--resume", "--run", "k", "--episodes", 3)
        self.assertEqual((status, step_of("k")), (0, 12), err)
        self.assertTrue(out.splitlines()[1].startswith(note), out)
        Path("sets").rename("moved")
        status, _, err = call("train", "--resume", "--run", "k", "--episodes", 4)
        self.assertEqual(status, 2)
        self.assertIn("sets/kinds.npz: the data of this run is gone; name its new place", err)
        moved = ("--resume", "--run", "k", "--episodes", 4, "--data", "moved")
        status, out, err = call("train", *moved)
        self.assertEqual((status, step_of("k")), (0, 16), err)
        self.assertNotIn(note, out)
        names[0] = "another name"
        images = np.concatenate([images, test_images])
        labels = np.concatenate([labels, test_labels])
        np.savez("moved/kinds.npz", images=255 - images, labels=names[labels])
        self.assertIn("was trained on other data", call("train", *moved)[2])

    @slow("half a minute")
    def test_one_run_from_training_to_numbers(self):
        out, err = self.train("--seed", "5", system=())
        self.assertEqual(err, "")
        self.assertTrue(all(len(line) <= 80 for line in out.splitlines() if "step" in line), out)
        self.assertIn("checkpoints: logs/a", out)
        losses = r"D (\S+)  C (\S+)  G (\S+) \(real\) \+ (\S+) \(digit\)"
        found = re.search(f"episode 1 on 50 held-out images: {losses}\n", out)
        self.assertIsNotNone(found, out)
        printed = dict(zip(LOSSES, map(float, found.groups()), strict=True))
        self.assertRegex(
            out, r"\Athree_network on own set .own. \(own\), seed 5, float32: [^\n]+\n"
        )
        self.assertRegex(
            out, r"\ntrained on own set .own.; [^\n]+/episode_02.png\nnext: gan3 [^\n]+\)\n\Z"
        )
        self.assertNotIn("make ", out)

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
            self.assertEqual((record["data"], record["data_title"]), ("own", 'own set "own"'))
            self.assertIn("--seed", record["command"])
            self.assertLess(record["started"], record["ended"])

        with self.subTest("metrics.jsonl"):
            lines = lines_of("a", timed=True)
            self.assertEqual([line["step"] for line in lines], [0, 2, 4, 6, 8])
            self.assertEqual([line["episode"] for line in lines], [1, 1, 1, 2, 2])
            for line in lines:
                self.assertLessEqual(set(LOSSES), set(line))
                held = [key for key in line if key.startswith("held_out/")]
                self.assertEqual(len(held), 8 if line["step"] in (4, 8) else 0)
                self.assertEqual("ms_per_step" in line, line["step"] > 0)
            for tag, value in printed.items():
                self.assertAlmostEqual(lines[2][f"held_out/{tag}"] / value, 1, delta=0.006)

        with self.subTest("drawn again, the figures are the same, also those of half a run"):
            before = digests_in("figures/a")
            shutil.rmtree("figures/a")
            self.assertEqual(call("figures", "-q", "--run", "a"), (0, "", ""))
            self.assertEqual(digests_in("figures/a"), before)
            Path("logs/a/episodes/episode_02.npz").rename("kept.npz")
            shutil.rmtree("figures/a")
            self.assertEqual(call("figures", "-q", "--run", "a"), (0, "", ""))
            self.assertEqual(digests_in("figures/a")["episode_01.png"], before["episode_01.png"])
            self.assertFalse(Path("figures/a/episode_02.png").exists())
            Path("kept.npz").rename("logs/a/episodes/episode_02.npz")

        with self.subTest("a name that exists is refused and nothing is changed"):
            before = digests_in("logs/a")
            out, err = self.train_here(expect=2)
            self.assertEqual(out, "")
            self.assertRegex(err, r"\Agan3: run a: exists already; .*resume this run\n\Z")
            self.assertEqual(digests_in("logs/a"), before)

    @slow("trains five runs")
    def test_the_same_seed_gives_the_same_run_and_resuming_too(self):
        self.train_here(name="a")
        self.train_here("--episodes", "1", "--set", "checkpoint_every=2", name="b")
        last = Path("logs/b/checkpoints/step-4.index")
        last.write_bytes(last.read_bytes()[:-9])  # so b continues from step 2
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
            err = self.refused("a", "--seed", 9, "--set", "real_target=0.8")
            self.assertRegex(err, r"\Agan3: run a: cannot resume with another seed, real_target;")
            err = self.refused("a", "--experiment", "best")
            self.assertEqual(err, "gan3: --experiment best: run a is of mlp_gan; leave it out\n")
        with self.subTest("the precision is the record's, not the one that fits this machine"):
            content = Path("logs/a/run.json").read_text()
            Path("logs/a/run.json").write_text(
                json.dumps(json.loads(content) | {"precision": "int3"})
            )
            self.assertIn("config key precision: 'int3'", self.refused("a"))
            Path("logs/a/run.json").write_text(content)
        with self.subTest("a resume that fails leaves the run as it was"):
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

    @slow("trains and scores a run")
    def test_figures_and_scores_of_a_system_that_is_not_class_conditional(self):
        out, _ = self.train_here()
        self.assertRegex(out, r"by the judge: \d+ of 10 classes covered, Fréchet distance")
        self.assertEqual(sorted(p.name for p in Path("figures/a").iterdir()), FILES["figures"])
        self.assertEqual(call("sample", "--count", 9, "--out", "x.npz")[0], 0)
        with np.load("x.npz") as arrays:
            self.assertEqual({name: arrays[name].shape for name in arrays}, {"images": (9, 28, 28)})
        for arguments, message in (
            (("generate", "12"), "number '12': a cannot draw requested digits"),
            (("sample", "--labels", "12", "--out", "y.npz"), "'12': a cannot draw requested"),
            (
                ("recognise", "figures/a/real.png", "--run", "a"),
                "mlp_gan has no determinator",
            ),
        ):
            status, _, err = call(*arguments)
            self.assertEqual(status, 2)
            self.assertRegex(err, rf"\Agan3: [^\n]*{message}[^\n]*\n\Z")
        self.assertEqual(call("evaluate", "--run", "a")[0], 0)
        scores = json.loads(Path("logs/a/report.json").read_text())["samples"]
        self.assertIn("classes_covered", scores)
        self.assertFalse({"label_accuracy", "judge_gap", "six_digit_accuracy"} & set(scores))

    @slow("starts a process")
    def test_a_closed_pipe_does_not_stop_the_run(self):
        process = start("train", *SHORT, *OWN, *SMALL, "--run", "a", cwd=self.folder)
        self.assertRegex(process.stdout.readline(), "own set .own.")
        process.stdout.close()  # as head -1 does
        err = process.stderr.read()
        process.stderr.close()
        self.assertEqual((process.wait(timeout=300), err), (0, ""))
        self.assertEqual(json.loads(Path("logs/a/run.json").read_text())["outcome"], "done")
        self.assertEqual(lines_of("a")[-1]["step"], 8)
        self.assertEqual(sorted(p.name for p in Path("figures/a").iterdir()), FILES["figures"])

    @slow("trains two runs")
    def test_from_its_first_checkpoint_a_run_starts_again_with_the_same_bits(self):
        self.train_here("--set", "keep_checkpoints=true", "--set", "keep_critics=true")
        checkpoints = Path("logs/a/checkpoints")
        steps = sorted(path.name for path in checkpoints.glob("*.index"))
        self.assertEqual(steps, ["step-0.index", "step-4.index", "step-8.index"])
        weights, lines, kept = weights_of("a"), lines_of("a"), {}
        with np.load("logs/a/episodes/episode_02.npz") as arrays:
            for name in arrays:
                key = f"state/{name.replace('/', '.S')}/.ATTRIBUTES/VARIABLE_VALUE"
                kept[key] = hashlib.sha256(arrays[name]).hexdigest()
        others = [key for key in weights if key.startswith(("state/adam.S", "save_counter"))]
        self.assertEqual(kept | {key: weights[key] for key in others}, weights)
        for path in checkpoints.glob("*"):
            if not path.name.startswith("step-0."):
                path.unlink()
        out, _ = self.train_here("--init", "a", name="b")
        self.assertIn("starts from a: discriminator, generator (16 of 16 arrays)\n", out)
        self.assertEqual((weights_of("b"), lines_of("b")), (weights, lines))

    @slow("trains three runs")
    def test_patience_stops_a_run_also_if_it_was_interrupted(self):
        settings = {"learning_rate": 1e-30, "patience": 2, "log_every": 1, "batches": 2}

        def interrupt(line):
            if line["step"] == last:
                raise InterruptedError

        for last in (9, 3, 6):  # 6: the last step, and it is not said yet that it is
            lines, given = [], {"name": f"x{last}", "data": "own", "dataset": "own"}
            given |= {"settings": settings, "log": lines.append, "on_metrics": interrupt}
            try:
                run = gan3.train("mlp_gan", **given)
            except InterruptedError:
                run = gan3.open_run(f"x{last}").resume(log=lines.append)
            self.assertEqual((run.outcome, run.episodes), ("done", [1, 2, 3]))
            why = "stopped after episode 3: no Fréchet distance below that of episode 1 for 2"
            self.assertEqual(sum(line.startswith(why) for line in lines), 1, lines)
            self.assertEqual(lines_of(run.name), lines_of("x9"))
            self.assertEqual(weights_of(run.name), weights_of("x9"))


class JudgeOfARun(FolderTest):
    """A resumed run has the judge that it began with, or none."""

    def setUp(self):
        super().setUp()
        write_idx_set(Path("own"))

    def train(self, *more, expect=0):
        status, out, err = call("train", *SHORT, *SMALL, *OWN, "--run", "a", *more)
        self.assertEqual(status, expect, err)
        return out if status == 0 else err

    def judged(self):
        """The number of lines with a judge's metrics, and the judge in run.json."""
        lines = [line for line in lines_of("a") if "judge/frechet_distance" in line]
        return len(lines), json.loads(Path("logs/a/run.json").read_text())["judge"]

    @slow("trains a run and resumes it")
    def test_without_one_it_says_how_to_train_it_and_stays_without(self):
        err = self.train("--patience", 1, expect=2)
        self.assertRegex(err, r"\Agan3: [^\n]*patience: 1 needs a judge of own[^\n]*; train one")
        out = self.train("--episodes", 1)
        self.assertEqual(out.count("gan3 train-judge --dataset own --data own"), 1)
        self.assertNotIn("by the judge", out)
        keep_judge()
        out = self.train("--episodes", 2, "--resume")
        self.assertIn("NOTE: the run began without a judge", out)
        self.assertEqual(self.judged(), (0, None))

    @slow("trains two runs")
    def test_with_another_one_it_is_not_resumed(self):
        keep_judge()
        (path,) = Path("cache/judges").iterdir()
        digest = judge_digest(path)
        self.train("--episodes", 1)
        self.assertEqual(self.judged(), (1, digest))
        kept = path.read_bytes()
        entries = dict(np.load(path))
        np.savez(path, **entries | {"logits/b": entries["logits/b"] + np.float16(1)})
        for found in (judge_digest(path)[:12], "none"):
            err = self.train("--episodes", 2, "--resume", expect=2)
            self.assertRegex(err, rf"began with {digest[:12]}, now there is {found}; [^\n]+\n\Z")
            self.assertIn("gan3 train-judge --dataset own --data own", err)
            path.unlink(missing_ok=True)
        path.write_bytes(kept)
        self.train("--episodes", 2, "--resume")
        self.assertEqual(self.judged(), (2, digest))

    @slow("trains a judge")
    def test_train_judge_trains_it_first(self):
        with mock.patch.object(judge, "LEAST_STEPS", 5):
            out = self.train("--episodes", 1, "--train-judge")
        self.assertLess(
            out.index("held-out validation images"), out.index("episode 1 by the judge")
        )
        (path,) = Path("cache/judges").glob("*.npz")
        self.assertEqual(self.judged(), (1, judge_digest(path)))


def judge_digest(path):
    """The digest that names the judge in a file."""
    return judge.load(path).digest


class Schedule(unittest.TestCase):
    """One run of 3 episodes x 25 batches x 10 of 300 images, observed while it trains."""

    @classmethod
    def setUpClass(cls):
        enter_folder(cls.addClassCleanup)
        write_idx_set(Path("own"))
        keep_judge()
        changes = {"episodes": 3, "batches": 25, "batch_size": 10, "shuffle": True}
        cls.config = dataclasses.replace(config_of("mlp_gan"), dataset="own", **changes)
        cls.lines, cls.steps, cls.batches, cls.evaluated, cls.seeds = [], [], [], [], []

        def observe_step(trained, first, step, advance=loop._Loop._advance):
            cls.loop = trained
            cls.steps += range(first, step + 1)
            cls.batches += [trained._batches(i) for i in range(first, step + 1)]
            return advance(trained, first, step)

        def observe_scalars(trained, images, labels, seed, step, scalars=loop._Loop._scalars):
            cls.evaluated.append((step, images.numpy()[..., 0], labels.numpy()))
            cls.seeds.append(seed)
            return scalars(trained, images, labels, seed, step)

        with (
            mock.patch.object(loop._Loop, "_advance", observe_step),
            mock.patch.object(loop._Loop, "_scalars", observe_scalars),
            mock.patch.object(grids, "grid", wraps=grids.grid) as grid,
            mock.patch.object(curves, "loss_curves", wraps=curves.loss_curves) as loss_curves,
        ):
            gan3.train(cls.config, name="x", data="own", log=cls.lines.append)
        cls.titles = [call.args[2] for call in grid.call_args_list]
        cls.titles += [call.args[1] for call in loss_curves.call_args_list]

    def test_each_epoch_has_every_image_once_in_a_new_order(self):
        images = np.concatenate(self.batches)
        epochs = images[:300], images[300:600]
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch), np.arange(300))
        self.assertFalse(np.array_equal(*epochs))
        self.assertEqual(len(set(images[600:])), 150)  # the last epoch is half done

    def test_every_step_is_done_once_and_the_last_is_episodes_times_batches(self):
        self.assertEqual(self.steps, list(range(1, 76)))
        self.assertEqual(step_of("x"), 75)

    def test_every_tenth_step_and_the_end_of_each_episode_is_logged(self):
        lines = lines_of("x")
        logged = [0, 10, 20, 25, 30, 40, 50, 60, 70, 75]
        self.assertEqual([line["step"] for line in lines], logged)
        self.assertEqual([line["episode"] for line in lines], [1, 1, 1, 1, 2, 2, 2, 3, 3, 3])
        ends = [line["step"] for line in lines if "held_out/loss/discriminator" in line]
        self.assertEqual(ends, [25, 50, 75])
        for line in lines:
            self.assertEqual("judge/frechet_distance" in line, line["step"] in ends)

    def test_every_evaluation_has_a_seed_of_its_own(self):
        self.assertEqual(len(self.seeds), 10 + 3)  # lines of the log, and episodes
        self.assertEqual(len(set(self.seeds)), 13)

    def test_losses_are_those_of_the_next_batch_before_it_is_trained_on(self):
        own = load("own", "own")
        logged = [entry for entry in self.evaluated if len(entry[1]) == 10]
        self.assertEqual(len(logged), 10)
        for step, images, labels in logged[:-1]:  # the batch after the last step is never trained
            batch = self.batches[step]  # the batch of step + 1
            np.testing.assert_allclose(images * 255, own.images[batch], atol=1e-4)
            np.testing.assert_array_equal(labels, own.labels[batch])

        step, images, labels = logged[0]
        untrained = build(self.config, DIGITS, "float32")
        images, labels = tf.constant(images[..., None]), tf.constant(labels)
        values = untrained.evaluate(images, labels, tf.constant(seed_of(0, EVALUATIONS, 0)))
        self.assertEqual((step, lines_of("x")[0]["step"]), (0, 0))
        for tag, value in values.items():
            self.assertAlmostEqual(lines_of("x")[0][tag], float(value), delta=2e-6)

    def test_each_episode_is_evaluated_on_the_next_50_held_out_images(self):
        held_out = load("own", "own").held_out_images  # 60 of them
        episodes = [images for _, images, _ in self.evaluated if len(images) == 50]
        self.assertEqual(len(episodes), 3)
        pixels = np.round(np.concatenate(episodes) * 255).astype(np.uint8)
        for epoch in (pixels[:60], pixels[60:120]):
            np.testing.assert_array_equal(
                sorted(image.tobytes() for image in epoch),
                sorted(image.tobytes() for image in held_out),
            )

    def test_the_first_episode_has_frames_of_every_tenth_step(self):
        frames = sorted(path.stem for path in Path("logs/x/first_episode").iterdir())
        self.assertEqual(frames, [f"step_{step:06d}" for step in (0, 10, 20, 25)])

    def test_first_line_last_line_and_titles_name_the_data(self):
        self.assertEqual(
            self.lines[0],
            'mlp_gan on own set "own" (own), seed 0, float32: 3 episodes x 25 batches x 10 images',
        )
        self.assertEqual(
            self.lines[-1],
            'trained on own set "own"; digits of the last episode: figures/x/episode_03.png',
        )
        self.assertEqual(self.lines[1], "losses: D discriminator, G generator (means)")
        self.assertGreater(len(self.titles), len(list(Path("figures/x").glob("*.png"))))
        for title in self.titles:
            self.assertIn("own set", title)

    def test_both_graphs_are_traced_once(self):
        for function in (self.loop.step, self.loop.evaluate):
            self.assertEqual(function.experimental_get_tracing_count(), 1)


class StepsPerCall(FolderTest):
    """Runs of 2 episodes x 6 batches x 10 images that differ in `steps_per_call` alone."""

    @slow("trains six runs")
    def test_several_steps_in_one_call_are_the_same_steps(self):
        write_idx_set(Path("own"))
        weights, lines, calls = {}, {}, []

        def observe_call(trained, first, step, advance=loop._Loop._advance):
            calls.append((first, step))
            return advance(trained, first, step)

        for count in (1, 2, 4):
            schedule = {"episodes": 2, "batches": 6, "batch_size": 10, "dataset": "own"}
            every = {"log_every": 4, "frame_every": 5, "steps_per_call": count}
            config = dataclasses.replace(config_of("mlp_gan"), **schedule, **every)
            calls.clear()
            with mock.patch.object(loop._Loop, "_advance", observe_call):
                gan3.train(config, name=f"x{count}", data="own", log=lambda _: None)
            reader = tf.train.load_checkpoint(f"logs/x{count}/checkpoints")
            weights[count] = {
                name: reader.get_tensor(name)
                for name in reader.get_variable_to_shape_map()
                if "VARIABLE_VALUE" in name
            }
            lines[count] = lines_of(f"x{count}")
        # A call ends at a logged step, at a frame of the first episode and at an episode's end.
        self.assertEqual(calls, [(1, 4), (5, 5), (6, 6), (7, 8), (9, 12)])
        self.assertEqual(set(weights[1]), set(weights[4]))
        for name, value in weights[1].items():
            # Another graph rounds differently; a step of Adam moves a weight by up to 2e-3.
            np.testing.assert_allclose(weights[4][name], value, rtol=1e-4, atol=2e-5, err_msg=name)
            np.testing.assert_array_equal(weights[4][name], weights[2][name], err_msg=name)
        self.assertEqual([e["step"] for e in lines[1]], [e["step"] for e in lines[4]])

    @slow("trains four runs")
    def test_the_same_seed_gives_the_same_bits_however_steps_are_divided_into_calls(self):
        """Over steps in which sums in the order of threads would differ in their last bits."""
        count = 120
        images = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
        images[images < 200] = 0
        labels = np.arange(50) % 10
        batches = np.arange(count, dtype=np.int32)[:, None] % 50
        seeds = np.stack([np.full(count, 7), np.arange(count)], axis=1).astype(np.int32)
        for name in ("layernorm_gan", "mlp_gan"):
            states = []
            for width in (count, count, 7):
                system = build(config_of(name), DIGITS, "float32")
                names = ["discriminator", "generator"]
                several = loop.SeveralSteps(system, make_gather(images, labels), 1, names)
                for first in range(0, count, width):
                    some = slice(first, first + width)
                    finite = several(batches[some], seeds[some])
                    flags = {key: bool(flag) for key, flag in finite.items()}
                    self.assertEqual(flags, dict.fromkeys(names, True))
                states.append({key: v.numpy() for key, v in system.state.items()})
            self.assertEqual(states[0]["adam/generator/steps"], count)
            for other in states[1:]:
                for key, value in states[0].items():
                    np.testing.assert_array_equal(other[key], value, err_msg=f"{name} {key}")

    def test_a_step_that_is_not_finite_is_reported_for_its_call(self):
        system = build(config_of("layernorm_gan"), DIGITS, "float32")
        images, labels = np.zeros((3, 28, 28), np.uint8), np.arange(3)
        names = ["discriminator", "generator"]
        several = loop.SeveralSteps(system, make_gather(images, labels), 1, names)
        batches, seeds = np.array([[0], [1], [2]], np.int32), np.zeros((3, 2), np.int32)
        self.assertTrue(all(several(batches, seeds).values()))
        system.generator.weights[0].assign(tf.fill([100, 200], np.nan))
        self.assertFalse(any(several(batches, seeds).values()))


class DataNotes(FolderTest):
    """The lines of the loader come after the first line, or before its error."""

    @slow("draws 70,000 strokes")
    def test_training_on_strokes_cannot_be_overlooked(self):
        arguments = ("--episodes", 1, "--batches", 2, "--batch-size", 10, "--run", "a")
        status, out, err = call("train", *SMALL, *arguments, "--dataset", "strokes")
        self.assertEqual((status, err), (0, ""))
        first, second, *_, trained, last = out.splitlines()
        title = "strokes (synthetic, NOT MNIST)"
        self.assertTrue(first.startswith(f"mlp_gan on {title} (embedded), seed 0, "), first)
        self.assertIn("WARNING", second)
        self.assertTrue(trained.startswith(f"trained on {title}; "), trained)
        self.assertTrue(last.endswith(f"(trained on {title})"), last)
        record = json.loads(Path("logs/a/run.json").read_text())
        self.assertEqual((record["data"], record["data_title"]), ("strokes", title))

    def test_notes_are_logged_if_the_data_cannot_be_loaded(self):
        images, labels = strokes.make(100, 10)[:2]
        np.savez("few.npz", x_train=images, y_train=labels, x_test=images)
        config = config_of("mlp_gan").with_text("dataset", "own").with_text("ink", "bright")
        lines = []
        with self.assertRaisesRegex(UserError, "needs at least 350"):
            gan3.train(config, name="a", data="few.npz", log=lines.append)
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"\ANOTE: few.npz: its test part is ignored")
        self.assertFalse(Path("logs").exists())


class OnMnist(FolderTest):
    @slow("trains the full networks on MNIST")
    @needs_mnist
    def test_a_short_real_training_run_learns(self):
        """After 60 steps of three_network the determinator recognises most held-out digits."""
        schedule = ("--episodes", 2, "--batches", 30, "--batch-size", 50)
        data = ("--dataset", "mnist", "--data", MNIST)
        process = start("train", *schedule, *data, "--run", "m", cwd=self.folder)
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 0, err)
        lines = lines_of("m")
        chance = 50 * 10 * np.log(2)  # the sum of 50 images' ten binary cross entropies
        self.assertLess(lines[-1]["held_out/loss/determinator"], 0.2 * chance)
        self.assertGreater(lines[-1]["held_out/accuracy/determinator_real"], 0.8)
        self.assertTrue(out.startswith(f"three_network on MNIST ({MNIST}), seed 0, "), out)
        self.assertIn("\ntrained on MNIST; ", out)
