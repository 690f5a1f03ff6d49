"""A run from its files: names, records, metrics, and what it trained."""

import json
from pathlib import Path

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import build, config_of
from gan3.runs.run import Run, newest
from gan3.runs.trained import save_generator
from tests.support import FolderTest, class_probabilities, drawing

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
        run = Run(name)
        make_folder(run.folder / "episodes")
        record = {
            "started": started,
            "config": config_of(EXPERIMENT).to_dict(),
            "class_names": DIGITS,
            "data_title": "strokes",
        }
        run.record_file.write_text(json.dumps(record))
        systems = [self.system(1 + number) for number in episodes]
        for number, system in zip(episodes, systems, strict=True):
            save_generator(run.episode_file(number), system)
        return systems

    def write_episode(self, name, experiment):
        """A run of an untrained system, whose generator is saved; returns both."""
        run, config = Run(name), config_of(experiment)
        make_folder(run.folder / "episodes")
        record = {"started": "2026-01-01T", "config": config.to_dict(), "class_names": DIGITS}
        run.record_file.write_text(json.dumps(record))
        system = build(config, DIGITS, "float32")
        save_generator(run.episode_file(1), system)
        return run, system

    def assert_draws_the_same(self, generator, expected):
        labels = np.arange(20) % 10
        wanted = drawing(expected, EXPERIMENT)(labels, (1, 0))
        np.testing.assert_array_equal(generator(labels, (1, 0)), wanted)

    def test_a_run_has_the_generator_of_each_episode(self):
        first, second = self.write_run("a", 1, 2)
        trained = Run.open("a")
        self.assertEqual(trained.config, config_of(EXPERIMENT))
        self.assertEqual((trained.name, trained.data_title), ("a", "strokes"))
        self.assert_draws_the_same(trained.generator(), second)
        self.assert_draws_the_same(trained.generator(1), first)

    def test_what_the_episode_lacks_is_read_with_the_checkpoint(self):
        run, system = self.write_episode("a", "three_network")
        make_folder(run.checkpoints)
        images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
        unit = images[..., None] / np.float32(255)
        with self.assertRaisesRegex(UserError, "checkpoints: no checkpoint"):
            Run.open("a").trained().determinator(self.fail)
        Checkpoints(run.checkpoints, system.state).save(10)
        got = Run.open("a").trained().determinator(self.fail)(images)
        np.testing.assert_allclose(got, class_probabilities(system, unit), atol=1e-5)

    def test_the_determinator_of_an_episode_reads_without_a_checkpoint(self):
        _, system = self.write_episode("best-run", "best")
        images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
        unit = images[..., None] / np.float32(255)
        got = Run.open("best-run").trained().determinator(self.fail)(images)
        np.testing.assert_allclose(got, class_probabilities(system, unit), atol=1e-5)

    def test_without_a_determinator_nothing_is_read(self):
        (system,) = self.write_run("a", 1)
        make_folder(Run("a").checkpoints)
        Checkpoints(Run("a").checkpoints, system.state).save(10)
        self.assertIsNone(Run.open("a").trained().determinator(self.fail))

    def test_a_run_without_a_finished_episode_is_refused(self):
        with self.assertRaisesRegex(UserError, "no such run"):
            Run.open("a")
        self.write_run("a")
        with self.assertRaisesRegex(UserError, "run a: no episode is finished yet"):
            Run.open("a").generator()

    def test_the_best_episode_is_the_one_that_the_judge_scored_best(self):
        systems = self.write_run("a", 1, 2, 3)
        run = Run.open("a")
        run.metrics_file.write_text('{"step": 1, "episode": 1}\n')
        with self.assertRaisesRegex(UserError, "run a: was trained without a judge, .* its number"):
            run.generator("best")
        lines = [
            {"step": 10 * episode, "episode": episode, "judge/frechet_distance": distance}
            for episode, distance in ((1, 5.0), (2, 3.0), (3, 4.0), (4, 1.0))  # 4 has no file
        ]
        run.metrics_file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        self.assert_draws_the_same(run.generator("best"), systems[1])


class Files(FolderTest):
    def test_names_that_leave_the_folders_are_refused(self):
        for name in ("..", "../x", "/tmp/x", "a/b", "", ".hidden", "a" * 101, "a\nb", "-x"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "run name"):
                Run(name)

    def test_the_newest_run_is_the_one_that_was_started_last(self):
        with self.assertRaisesRegex(UserError, "no run in it"):
            newest()
        for name, started in (("b", "2026-01-02T"), ("a", "2026-01-03T"), ("c", "2026-01-01T")):
            Path(f"logs/{name}").mkdir(parents=True)
            Path(f"logs/{name}/run.json").write_text(json.dumps({"started": started}))
        Path("logs/d").mkdir()
        Path("logs/d/run.json").write_text("{")
        self.assertEqual((newest(), Run.open().name), ("a", "a"))

    def test_damaged_records_and_metrics_are_refused(self):
        run = Run("a")
        run.folder.mkdir(parents=True)
        for content in ("", "{", "[]", "null", '{"started": 3}', "[" * 100_000):
            run.record_file.write_text(content)
            with self.subTest(content[:9]), self.assertRaises(UserError):
                _ = run.record
        with self.assertRaisesRegex(UserError, "metrics.jsonl: No such file"):
            run.metrics()
        for content in (
            "",
            '{"step": 1}\n',
            "x\n",
            '{"step": 1, "episode": "1"}\n',
            "[1]\n",
            f'{{"step": 1, "episode": 1, "x": {"9" * 400}}}\n',
        ):
            run.metrics_file.write_text(content)
            with self.subTest(content[:9]), self.assertRaises(UserError):
                run.metrics()

    def test_an_incomplete_last_line_is_skipped(self):
        run = Run("a")
        run.folder.mkdir(parents=True)
        run.metrics_file.write_text('{"step": 1, "episode": 1}\n{"step": 2, "epi')
        self.assertEqual(run.metrics(), [{"step": 1, "episode": 1}])

    def test_what_was_written_after_a_checkpoint_is_deleted(self):
        run = Run("a")
        (run.folder / "episodes").mkdir(parents=True)
        run.forget_after(0, 0)  # there is nothing yet
        (run.folder / "first_episode").mkdir()
        for number in (1, 2, 3):
            run.episode_file(number).write_bytes(b"")
            run.frame_file(2 * number).write_bytes(b"")
        lines = "".join(f'{{"step": {n}, "episode": 1, "x": 0.1}}\n' for n in (2, 4, 6))
        run.metrics_file.write_text(lines + '{"st')
        run.forget_after(4, 2)
        self.assertEqual(run.metrics_file.read_text(), "".join(lines.splitlines(True)[:2]))
        self.assertEqual(run.episodes, [1, 2])
        self.assertEqual(run.frames, [2, 4])

    def test_nothing_is_deleted_if_the_metrics_are_damaged(self):
        run = Run("a")
        (run.folder / "episodes").mkdir(parents=True)
        run.episode_file(1).write_bytes(b"")
        for damage in (b"x\n", b"{}\n", b"\xff\n", b'{"step": "1", "episode": 1}\n'):
            run.metrics_file.write_bytes(damage)
            with self.subTest(damage), self.assertRaisesRegex(UserError, "metrics.jsonl"):
                run.forget_after(0, 0)
            self.assertEqual(run.metrics_file.read_bytes(), damage)
        self.assertEqual(run.episodes, [1])


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
            self.assertEqual(Run.open("a").data_title, shown)

    def test_class_names_that_no_data_has_are_refused(self):
        too_many = [f"{i}" for i in range(63)]
        for names in (
            *(None, 3, "AB", ["A"], ["A", "A"], ["A", ""], ["A", "x" * 41], ["A", "\n"], ["A", 1]),
            *(["A", ["B"]], too_many),
        ):
            self.write({"run": "a", "class_names": names})
            with (
                self.subTest(names),
                self.assertRaisesRegex(UserError, "run a: class_names: not 2 to 62 different"),
            ):
                _ = Run.open("a").class_names
