"""Training from Python: what is written, what is passed on, and how it stops."""

import contextlib
import io
import json
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import numpy as np

import gan3
from gan3.core.classes import DIGITS
from gan3.data import strokes
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import build, config_of
from tests.support import (
    FolderTest,
    keep_judge,
    lines_of,
    slow,
    step_of,
    weights_of,
    write_idx_set,
)

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def train(name, experiment="mlp_gan", settings=None, **more):
    """Two episodes of four steps on the data set in ./own."""
    schedule = {"episodes": 2, "batches": 4, "batch_size": 10} | more
    return gan3.train(
        experiment,
        settings={"log_every": 2} | (settings or {}),
        data="own",
        dataset="own",
        name=name,
        **schedule,
    )


class Training(FolderTest):
    """A class has one finished run, `a`; each test works on a copy of it."""

    @classmethod
    def setUpClass(cls):
        cls.template = Path(tempfile.mkdtemp(prefix="gan3 test "))
        cls.addClassCleanup(shutil.rmtree, cls.template)
        cls.lines, out, err = [], io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(cls.template),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            write_idx_set(Path("own"))
            keep_judge()
            handlers = [signal.getsignal(number) for number in SIGNALS]
            cls.run_a = train("a", on_metrics=cls.lines.append)
            cls.restored = handlers == [signal.getsignal(number) for number in SIGNALS]
        cls.printed = out.getvalue() + err.getvalue()

    def setUp(self):
        super().setUp()
        shutil.copytree(self.template, self.folder, dirs_exist_ok=True)

    def test_the_run(self):
        run = gan3.open_run("a")
        for one in (run, self.run_a, gan3.open_run("logs/a"), gan3.open_run(Path("logs") / "a")):
            self.assertEqual((one.name, one.folder, one.figures),
                             ("a", Path("logs/a"), Path("figures/a")))  # fmt: skip
        self.assertEqual((run.outcome, run.episodes, repr(run)), ("done", [1, 2], "<gan3.Run a>"))
        self.assertEqual((run.config.episodes, run.config.experiment), (2, "mlp_gan"))
        self.assertEqual(run.record["data"], "own")
        self.assertTrue((run.figures / "losses.png").is_file())
        self.assertEqual(run.generator().sample(7).images.shape, (7, 28, 28))

    def test_nothing_is_printed_and_the_handlers_of_signals_are_restored(self):
        self.assertEqual(self.printed, "")
        self.assertTrue(self.restored)

    def test_on_metrics_gets_each_line_of_metrics_jsonl(self):
        self.assertEqual(self.lines, lines_of("a", timed=True))
        self.assertEqual(self.lines, gan3.open_run("a").metrics())
        self.assertEqual([line["step"] for line in self.lines], [0, 2, 4, 6, 8])
        self.assertEqual([line["episode"] for line in self.lines], [1, 1, 1, 2, 2])
        self.assertIn("judge/frechet_distance", self.lines[2])

    def test_arrays_are_trained_on_and_needed_again(self):
        images, labels = strokes.make(400, 10)[:2]
        arrays = (images[:, None] / 127.5 - 1, labels[:, None])
        schedule = {"episodes": 1, "batches": 1, "batch_size": 10}
        run = gan3.train("mlp_gan", data=arrays, ink="bright", name="b", log=str, **schedule)
        self.assertEqual((run.record["data"], run.record["data_source"]), ("own", "arrays"))
        message = "data set own: needs a data folder, or arrays; name the one that has your set"
        with self.assertRaisesRegex(gan3.UserError, message):
            run.resume(episodes=2, log=str)
        with self.assertRaisesRegex(gan3.UserError, "run b: was trained on other data"):
            run.resume(episodes=2, data=(images[::-1], labels), log=str)
        self.assertEqual(run.resume(episodes=2, data=arrays, log=str).episodes, [1, 2])

    @slow("trains a run")
    def test_a_config_and_settings_are_what_is_trained(self):
        config = config_of("mlp_gan").with_text("noise_distribution", "normal")
        run = train("b", config, {"learning_rate.generator": 0.25, "keep_prob": (0.5, 0.75)},
                    seed=7, episodes=1, batches=1)  # fmt: skip
        self.assertEqual(run.config.noise_distribution, "normal")
        self.assertEqual(run.config.learning_rate.generator, 0.25)
        self.assertEqual(tuple(run.config.keep_prob), (0.5, 0.75))
        self.assertEqual((run.config.seed, run.config.total_steps), (7, 1))
        self.assertEqual(run.generator().noise_distribution, "normal")

    @slow("trains a run and resumes it")
    def test_an_exception_of_on_metrics_stops_the_run_after_its_state_is_saved(self):
        def fail_at(step):
            def on_metrics(line):
                line["episode"] = "changed"  # the dict is a copy
                if line["step"] == step:
                    raise ZeroDivisionError(f"at step {step}")

            return on_metrics

        for step in (0, 6):
            with self.subTest(step=step):
                name = f"b{step}"
                with self.assertRaisesRegex(ZeroDivisionError, f"at step {step}"):
                    train(name, on_metrics=fail_at(step))
                run = gan3.open_run(name)
                self.assertEqual((run.outcome, step_of(name)), ("stopped", step))
                rest = []
                run.resume(on_metrics=rest.append, log=[].append)
                self.assertEqual(run.outcome, "done")
                expected = [s for s in (0, 2, 4, 6, 8) if s > step or step == 0]
                self.assertEqual([line["step"] for line in rest], expected)
                self.assertEqual(weights_of(name), weights_of("a"))
                self.assertEqual(lines_of(name), lines_of("a"))

    @slow("trains a run and resumes it")
    def test_a_signal_stops_the_run_after_its_state_is_saved(self):
        for number in SIGNALS:
            name, handlers = f"b{int(number)}", [signal.getsignal(number) for number in SIGNALS]

            def on_metrics(line, number=number):
                if line["step"] == 2:
                    os.kill(os.getpid(), number)

            with self.assertRaises(gan3.StoppedError) as stopped:
                train(name, on_metrics=on_metrics)
            self.assertEqual(stopped.exception.signal_number, number)
            self.assertRegex(str(stopped.exception), f"stopped by {number.name}; .* saved")
            self.assertEqual([signal.getsignal(number) for number in SIGNALS], handlers)
            self.assertEqual((gan3.open_run(name).outcome, step_of(name)), ("stopped", 3))
        gan3.open_run(name).resume()
        self.assertEqual(weights_of(name), weights_of("a"))

    @slow("trains a run and resumes it")
    def test_a_signal_after_the_last_step_stops_before_the_figures(self):
        def on_metrics(line):
            if line["step"] == 8:
                os.kill(os.getpid(), signal.SIGTERM)

        with self.assertRaises(gan3.StoppedError):
            train("last", on_metrics=on_metrics)
        run = gan3.open_run("last")
        self.assertEqual((run.outcome, step_of("last")), ("stopped", 8))
        self.assertFalse(Path("figures/last/losses.png").exists())
        run.resume()
        self.assertEqual((run.outcome, weights_of("last")), ("done", weights_of("a")))
        self.assertEqual(lines_of("last"), lines_of("a"))
        self.assertTrue(Path("figures/last/losses.png").exists())

    @slow("trains a run")
    def test_training_works_outside_of_the_main_thread(self):
        results = []
        thread = threading.Thread(target=lambda: results.append(train("b", episodes=1)))
        thread.start()
        thread.join()
        self.assertEqual([run.outcome for run in results], ["done"])

    @slow("trains a run")
    def test_a_finished_run_can_have_more_episodes(self):
        run = gan3.open_run("a")
        self.assertEqual(run.resume(episodes=3).episodes, [1, 2, 3])
        self.assertEqual(len(run.metrics()), 7)
        with self.assertRaisesRegex(gan3.UserError, "has 3 episodes"):
            run.resume(episodes=1)

    def test_divergence(self):
        """A weight is NaN after the last step."""
        system = build(config_of("mlp_gan"), DIGITS, "float32")
        checkpoints = Checkpoints(Path("logs/a/checkpoints"), system.state)
        step = checkpoints.restore()
        system.discriminator.weights[-1].assign([np.nan])
        checkpoints.save(step)
        run = gan3.open_run("a")
        with self.assertRaisesRegex(gan3.DivergedError, "not finite at step 9; checkpoint 8 in"):
            run.resume(episodes=3)
        self.assertEqual((run.outcome, run.episodes), ("diverged", [1, 2]))
        self.assertEqual((step_of("a"), lines_of("a")[-1]["step"]), (8, 8))  # nothing was saved

    def test_wrong_arguments_write_nothing(self):
        before = sorted(Path().rglob("*"))
        for attempt, message in (
            (lambda: gan3.train("wgan"), "experiment 'wgan': unknown; there are"),
            (lambda: gan3.train(3), "experiment 3: unknown"),
            (lambda: gan3.train("best", episodes=0), "episodes: 0 does not fit"),
            (lambda: gan3.train("best", seed="x"), "seed: 'x' is not a whole number"),
            (lambda: gan3.train("best", settings={"colour": 1}), "'colour': unknown"),
            (lambda: gan3.train("best", settings={1: 2}), "config key '1': unknown"),
            (lambda: gan3.train("best", settings="abc"), "settings: not a mapping"),
            (lambda: gan3.train("best", settings=[]), "settings: not a mapping"),
            (lambda: gan3.train("best", settings=0), "settings: not a mapping"),
            (
                lambda: gan3.train("best", seed=1, settings={"seed": 2}),
                "seed: is an argument and in the settings; leave one of them out",
            ),
            (lambda: train(5), "run name 5: letters, digits"),
            (lambda: gan3.train("best", data="none"), "data folder none: no such folder"),
            (lambda: gan3.train("best", dataset="cifar"), "dataset: 'cifar' is not one of"),
            (lambda: train("a"), "run a: exists already"),
            (lambda: train("a/b"), "run name 'a/b'"),
            (lambda: train("b", logs=""), "logs '': use a path"),
            (lambda: gan3.open_run("b"), "logs/b/run.json: no such run"),
            (lambda: gan3.open_run("../no-such-run"), "no such run"),
            (lambda: train("b", log=3), "log 3: use a function"),
            (lambda: train("b", on_metrics=3), "on_metrics 3: use a function"),
            (lambda: gan3.open_run("a").card, "evaluate run a first"),
            (lambda: gan3.open_run("a").recognise(np.eye(28)[None]), "has no determinator"),
        ):
            with self.subTest(message), self.assertRaisesRegex(gan3.UserError, message):
                attempt()
        self.assertEqual(sorted(Path().rglob("*")), before)


class Scored(FolderTest):
    @slow("trains and scores a run")
    def test_the_card_and_the_determinator_of_a_run(self):
        write_idx_set(self.folder / "own", 600, 200)
        keep_judge()
        run = train("s", "three_network", {"noise_draw": "once"}, episodes=1, batches=2)
        card = run.evaluate()
        self.assertEqual(card.values, json.loads(Path("logs/s/report.json").read_text()))
        self.assertEqual(card.values["count"], 200)
        self.assertEqual(gan3.open_run("s").card["recall"], card["recall"])
        card.save("copy")
        self.assertEqual(
            Path("copy/report.png").read_bytes(), Path("figures/s/report.png").read_bytes()
        )
        images, _ = run.generator().sample(30)
        labels, probabilities = run.recognise(images)
        self.assertEqual((labels.shape, probabilities.shape), ((30,), (30, 10)))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(labels, probabilities.argmax(axis=1))
