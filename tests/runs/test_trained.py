"""Opening a trained run from its files."""

import json
import unittest

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import build, config_of
from gan3.runs.run_files import run_folders
from gan3.runs.trained import find_run
from gan3.runs.weights import probabilities, save_generator
from tests.support import FolderTest, drawing

EXPERIMENT = "mlp_gan"


class Opening(FolderTest):
    def system(self, scale):
        """A system of the experiment, its weights multiplied by `scale`."""
        system = build(config_of(EXPERIMENT), DIGITS, "float32")
        for w in system.state.values():
            if w.dtype.is_floating:
                w.assign(scale * w)
        return system

    def write_run(self, name, *episodes, started="2026-01-01T"):
        """The record of a run, and the generators of its episodes; returns the systems."""
        folders = run_folders(name)
        make_folder(folders.logs / "episodes")
        record = {
            "started": started,
            "config": config_of(EXPERIMENT).to_dict(),
            "class_names": DIGITS,
            "data_title": "strokes",
        }
        folders.record.write_text(json.dumps(record))
        systems = [self.system(1 + number) for number in episodes]
        for number, system in zip(episodes, systems, strict=True):
            save_generator(folders.episode(number), system)
        return systems

    def assert_draws_the_same(self, generator, expected):
        labels = np.arange(20) % 10
        wanted = drawing(expected, EXPERIMENT)(labels, (1, 0))
        np.testing.assert_array_equal(generator(labels, (1, 0)), wanted)

    def test_a_run_has_the_generator_of_each_episode(self):
        first, second = self.write_run("a", 1, 2)
        trained = find_run("a")
        self.assertEqual(trained.config, config_of(EXPERIMENT))
        self.assertEqual((trained.folders.name, trained.data_title), ("a", "strokes"))
        self.assert_draws_the_same(trained.generator(), second)
        self.assert_draws_the_same(trained.generator(1), first)

    def test_without_a_name_the_newest_run_is_opened(self):
        self.write_run("a", 1, started="2026-01-02T")
        self.write_run("b", 1, started="2026-01-01T")
        self.assertEqual(find_run(None).folders.name, "a")

    def test_what_the_episode_lacks_is_read_with_the_checkpoint(self):
        folders = run_folders("a")
        make_folder(folders.logs / "episodes")
        make_folder(folders.checkpoints)
        config = config_of("three_network")
        record = {"started": "2026-01-01T", "config": config.to_dict(), "class_names": DIGITS}
        folders.record.write_text(json.dumps(record))
        system = build(config, DIGITS, "float32")
        save_generator(folders.episode(1), system)
        images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
        with self.assertRaisesRegex(UserError, "checkpoints: no checkpoint"):
            find_run("a").probabilities(images, self.fail)
        Checkpoints(folders.checkpoints, system.state).save(10)
        got = find_run("a").probabilities(images, self.fail)
        np.testing.assert_allclose(got, probabilities(system, images), atol=1e-5)

    def test_the_determinator_of_an_episode_reads_without_a_checkpoint(self):
        folders = run_folders("best-run")
        make_folder(folders.logs / "episodes")
        config = config_of("best")
        record = {"started": "2026-01-01T", "config": config.to_dict(), "class_names": DIGITS}
        folders.record.write_text(json.dumps(record))
        system = build(config, DIGITS, "float32")
        save_generator(folders.episode(1), system)
        images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
        got = find_run("best-run").probabilities(images, self.fail)
        np.testing.assert_allclose(got, probabilities(system, images), atol=1e-5)

    def test_without_a_determinator_nothing_is_read(self):
        self.write_run("a", 1)
        with self.assertRaisesRegex(UserError, "run a: mlp_gan has no determinator; name another"):
            find_run("a").probabilities(np.zeros((1, 28, 28), np.uint8), self.fail)

    def test_a_run_without_a_finished_episode_is_refused(self):
        with self.assertRaisesRegex(UserError, "no such run"):
            find_run("a")
        self.write_run("a")
        with self.assertRaisesRegex(UserError, "run a: no episode is finished yet"):
            find_run("a")


if __name__ == "__main__":
    unittest.main()
