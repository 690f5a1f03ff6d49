"""What a run needs before its first step."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.data.datasets import Dataset
from gan3.runs.registry import build, config_from_dict, config_of
from gan3.runs.run import Run
from gan3.runs.trained import network_weights
from gan3.training import session
from gan3.vae_gan.codes import latent_of
from tests.support import FolderTest, changed, drawing, state_of

CONFIG = config_of("mlp_gan")


class SetupTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.the_run = Run("a")

    def refusal(self, function, *arguments):
        """The message of the UserError that the call raises, which is one line."""
        with self.assertRaises(UserError) as caught:
            function(*arguments)
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        return message


class ExistingNames(SetupTest):
    def test_a_file_of_another_run_is_refused(self):
        for path in ("logs/a/run.json", "logs/a/checkpoints/step-0.index", "figures/a/x.png"):
            with self.subTest(path):
                self.the_run.refuse_existing()
                Path(path).parent.mkdir(parents=True)
                Path(path).touch()
                message = self.refusal(self.the_run.refuse_existing)
                self.assertRegex(message, r"\Arun a: exists already; .*resume")
                Path(path).unlink()

    def test_a_file_in_place_of_a_folder_is_refused(self):
        for folder in ("logs", "figures"):
            Path(folder).mkdir()
            Path(folder, "a").touch()
            self.assertIn("exists already", self.refusal(self.the_run.refuse_existing))
            Path(folder, "a").unlink()

    def test_folders_without_a_complete_file_are_not_a_run(self):
        session.make_folders(self.the_run)
        (self.the_run.folder / ".run.json.123.part").touch()
        self.the_run.refuse_existing()


class Folders(SetupTest):
    def paths(self):
        return {str(path) for path in Path().rglob("*")}

    def test_they_are_made_once(self):
        for _ in range(2):  # a resumed run has them
            session.make_folders(self.the_run)
            self.assertEqual(
                self.paths() - {"logs", "figures"},
                {f"logs/a{name}" for name in ("", "/checkpoints", "/episodes", "/first_episode")}
                | {"figures/a"},
            )


class Resuming(SetupTest):
    def changed(self, **settings):
        config = CONFIG
        for key, text in settings.items():
            config = config.with_text(key, text)
        return config

    def test_the_same_config_or_more_episodes(self):
        session.refuse_other_config(self.the_run, CONFIG, CONFIG)
        session.refuse_other_config(self.the_run, CONFIG, self.changed(episodes="11"))
        session.refuse_other_config(self.the_run, CONFIG, self.changed(patience="3"))

    def test_the_data_is_the_set_that_the_run_had_whatever_is_found_by_now(self):
        record = {"config": CONFIG.to_dict(), "data": "strokes", "data_source": "embedded"}
        self.the_run.folder.mkdir(parents=True)
        self.the_run.write_record(record | {"started": "2026-01-01"})
        with (
            mock.patch.object(session, "load", side_effect=UserError("enough")) as load,
            self.assertRaisesRegex(UserError, "enough"),
        ):
            session.open_session(Run("a"), CONFIG, None, print, resumes=True, train_judge=False)
        self.assertEqual((CONFIG.dataset, load.call_args.args[:2]), ("auto", ("strokes", None)))

    def test_fewer_episodes_are_refused(self):
        message = self.refusal(
            session.refuse_other_config, self.the_run, CONFIG, self.changed(episodes="9")
        )
        self.assertRegex(message, r"\Arun a: has 10 episodes; .*not fewer\Z")

    def test_any_other_change_is_refused_by_its_keys(self):
        for wanted, keys in (
            (self.changed(seed="1"), "seed"),
            (self.changed(keep_prob="0.5", seed="1", episodes="20"), "seed, keep_prob"),
            (config_of("gan_auto_write"), "experiment, batches, batch_size"),
        ):
            message = self.refusal(session.refuse_other_config, self.the_run, CONFIG, wanted)
            self.assertIn(f"run a: cannot resume with another {keys}", message)


class InitialWeights(SetupTest):
    def test_a_bundled_best_is_drawn_as_it_was_and_trained_on(self):
        config, lines = config_of("best").with_text("init", "best"), []
        system = build(config, DIGITS, "float32")
        session.set_initial_weights(system, config, self.the_run, lines.append)
        self.assertIn("starts from best: average, determinator, generator (", lines[0])
        labels, bundled = np.arange(10), gan3.load("best")
        noise = bundled.noise(labels)
        np.testing.assert_array_equal(
            drawing(system, "best").images(labels, noise), bundled.images(labels, noise)
        )
        latent = latent_of(tf.constant(labels), noise, 10, True)
        trained = [system.networks.generator.logits(latent)[0], system.sampler.logits(latent)[0]]
        np.testing.assert_allclose(*trained, rtol=0, atol=1e-4)

    def test_a_file_that_does_not_fit_is_refused_in_one_line_and_changes_nothing(self):
        config, system = CONFIG.with_text("init", "x.npz"), build(CONFIG, DIGITS, "float32")
        before, weights = state_of(system), network_weights(system)
        arrays = {name: before[name] for name in weights}
        name, array = list(arrays.items())[-1]
        for content, problem in (
            (arrays | {name: array[:-1]}, f"{name} is float32 .*, and should be finite floats"),
            (arrays | {name: array.astype(str)}, f"{name} is <U"),
            (arrays | {name: array * np.nan}, f"{name} is .* finite"),
            ({"a": array}, "has no weights of mlp_gan"),
        ):
            np.savez("x.npz", **content)
            given = system, config, self.the_run, self.fail
            message = self.refusal(session.set_initial_weights, *given)
            self.assertRegex(message, rf"\Ainit x.npz: {problem}.*; name ")
            self.assertEqual(changed(before, state_of(system)), set())


class Record(SetupTest):
    def test_it_says_what_is_trained_on_what(self):
        images, labels = np.zeros([2, 28, 28], np.uint8), np.zeros([2], np.uint8)
        dataset = Dataset(
            "strokes", "embedded", "the digest", "test", images, labels, images, labels
        )
        started = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
        record = session.new_record(self.the_run, CONFIG, started, dataset, "bfloat16")
        self.assertEqual(json.loads(json.dumps(record, allow_nan=False)), record)
        self.assertEqual(config_from_dict(record["config"]), CONFIG)
        expected = {
            "run": "a",
            "class_names": list(DIGITS),
            "started": "2024-02-29T12:30:00.000000Z",
            "ended": None,
            "outcome": "running",
            "data": "strokes",
            "data_title": dataset.title,
            "data_source": "embedded",
            "data_digest": "the digest",
            "precision": "bfloat16",
        }
        self.assertEqual({key: record[key] for key in expected}, expected)
        for key in ("device", "machine", "onednn", "versions", "git_revision", "command"):
            self.assertIn(key, record)

    def test_the_command_is_gan3s_or_the_users_own(self):
        for argv, expected in (
            (["/x/gan3/__main__.py", "train"], ["python", "-m", "gan3", "train"]),
            (["/x/bin/gan3", "train", "--resume"], ["python", "-m", "gan3", "train", "--resume"]),
            (["idea.py", "7"], ["python", "idea.py", "7"]),
        ):
            with mock.patch.object(sys, "argv", argv):
                self.assertEqual(session._command(), expected)
