"""Generators by name: bundled ones and those of runs, in NumPy where that is possible."""

import contextlib
import json
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.classes import DIGITS
from gan3.core.files import make_folder
from gan3.runs.registry import build, config_of
from gan3.runs.run import Run
from gan3.runs.trained import save_generator
from tests.support import ROOT, FolderTest, call, drawing


def write_run(name, experiment, logs="logs", episodes=1):
    """A run's record and the untrained generators of its episodes; returns the last system."""
    run, config = Run(name, logs), config_of(experiment)
    make_folder(run.folder / "episodes")
    record = {"started": "2026-01-01T", "config": config.to_dict(), "class_names": DIGITS}
    run.record_file.write_text(json.dumps(record))
    for episode in range(1, episodes + 1):
        system = build(config.with_text("seed", str(episode)), DIGITS, "float32")
        save_generator(run.episode_file(episode), system)
    return system


class Bundled(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.generator = gan3.load("best")

    def test_what_it_is(self):
        generator = self.generator
        self.assertEqual(generator.name, "best")
        self.assertEqual(generator.noise_distribution, "uniform")
        self.assertEqual(generator.noise_entries, 13)
        self.assertTrue(generator.class_conditional)
        self.assertFalse(generator.has_fixed_noise)
        self.assertEqual(repr(generator), "<gan3.Generator best: requested digits>")

    def test_a_number(self):
        images = self.generator.generate("2412", seed=3)
        self.assertEqual((images.shape, images.dtype), ((4, 28, 28), np.uint8))
        np.testing.assert_array_equal(images, self.generator.generate("2412", seed=3))
        self.assertFalse(np.array_equal(images, self.generator.generate("2412", seed=4)))
        self.assertFalse(np.array_equal(images[0], images[3]))  # two twos, two styles
        np.testing.assert_array_equal(images, self.generator.sample(4, "2412", seed=3).images)
        self.assertEqual(gan3.recognise(images).labels.tolist(), [2, 4, 1, 2])

    def test_a_number_may_be_longer_than_a_picture_of_one(self):
        images = self.generator.generate("1" * 1001)
        np.testing.assert_array_equal(images, self.generator.generate(["1"] * 1001))
        for number in ("1" * 1_000_001, ["1"] * 1_000_001):
            with self.assertRaisesRegex(gan3.UserError, "count 1000001: use .* from 1 to 1000000"):
                self.generator.generate(number)

    def test_samples(self):
        images, labels = self.generator.sample(23)
        self.assertEqual((images.shape, images.dtype), ((23, 28, 28), np.uint8))
        self.assertEqual((labels.dtype, labels.tolist()), (np.int64, [*range(10)] * 2 + [0, 1, 2]))
        np.testing.assert_array_equal(self.generator.sample(5).images, images[:5])
        self.assertEqual(self.generator.sample(5, [7, 3]).labels.tolist(), [7, 3, 7, 3, 7])
        self.assertEqual(self.generator.sample(labels="733").labels.tolist(), [7, 3, 3])

    def test_noise_is_what_samples_are_drawn_with(self):
        images, labels = self.generator.sample(1005, seed=5)
        noise = self.generator.noise(labels, seed=5)
        self.assertEqual((noise.shape, noise.dtype), ((1005, 13), np.float32))
        self.assertLess(np.abs(noise).max(), 1.0001)
        np.testing.assert_array_equal(self.generator.draw(labels, noise), images)
        mirrored = self.generator.draw(labels, -noise)
        self.assertGreater(np.abs(mirrored.astype(int) - images).mean(), 5)

    def test_the_style_of_images(self):
        images, labels = self.generator.sample(20, seed=5)
        encoded = self.generator.encode(images)
        self.assertGreaterEqual((encoded.labels == labels).sum(), 19)
        self.assertEqual((encoded.labels.dtype, encoded.labels.shape), (np.int64, (20,)))
        self.assertEqual((encoded.noise.dtype, encoded.noise.shape), (np.float32, (20, 13)))
        self.assertEqual(encoded.probabilities.shape, (20, 10))
        self.assertLess(np.abs(encoded.noise).max(), 1.0001)
        again = self.generator.encode(images[..., None] / 255.0)
        np.testing.assert_allclose(again.noise, encoded.noise, atol=1e-6)
        reconstructed = self.generator.draw(encoded.labels, encoded.noise)
        self.assertEqual(reconstructed.shape, images.shape)

    def test_truncation_scales_the_noise(self):
        images, labels = self.generator.sample(1005, seed=5)
        noise = self.generator.noise(labels, seed=5)
        for truncation in (0.75, 0.0):
            truncated = gan3.load("best", truncation=truncation)
            np.testing.assert_allclose(
                truncated.noise(labels, seed=5), truncation * noise, rtol=1e-6
            )
            drawn = truncated.sample(1005, seed=5).images
            expected = self.generator.draw(labels, np.float32(truncation) * noise)
            np.testing.assert_array_equal(drawn, expected)
        self.assertEqual(len(np.unique(drawn, axis=0)), 10)  # one image for each digit
        self.assertEqual(repr(truncated), "<gan3.Generator best: requested digits, truncation 0>")
        np.testing.assert_array_equal(
            gan3.load("best", truncation=1).sample(1005, seed=5).images, images
        )

    def test_wrong_arguments(self):
        generator = self.generator
        for attempt, message in (
            (lambda: generator.generate("12a"), "number '12a': use digits 0 to 9 only"),
            (lambda: generator.generate("x" * 5000), r"number .{60,80}: use digits 0 to 9 only"),
            (lambda: generator.generate(12), "number 12: use text, such as '12'"),
            (lambda: generator.generate(10**5000), "number a number of thousands of digits: use"),
            (lambda: generator.sample(), "count: missing"),
            (lambda: generator.sample(0), "count 0: use a whole number from 1"),
            (lambda: generator.sample(10**9), "count 1000000000: "),
            (lambda: generator.sample(10**5000), "count a number of thousands of digits: use"),
            (lambda: generator.sample(5, seed=-1), "seed -1: "),
            (lambda: generator.sample(5, "x"), "labels 'x': "),
            (lambda: generator.draw([1], np.zeros((1, 9))), r"noise: .* shape \(1, 13\)"),
            (lambda: generator.draw([1], np.full((1, 13), np.nan)), "noise: values up to nan"),
            (lambda: generator.draw([1], [[-1001] * 13]), r"values up to 1e\+03; use values from"),
            (lambda: generator.draw([1], "x"), "noise: not an array of numbers"),
            (
                lambda: generator.write("1" * 1001),
                "number of 1001 digits: .* at most 1000; split",
            ),
            (lambda: generator.write("1", style=[[0.0] * 10]), r"style: .* shape \(10, 13\)"),
            (lambda: generator.write("123").picture(rows=2), "rows 2: 3 images do not fill them"),
            (lambda: generator.write("123").picture(rows=0), "rows 0: use a whole number from 1"),
            (lambda: generator.encode(np.zeros((2, 9, 9))), r"images: .* shape \(2, 9, 9\)"),
            (
                lambda: gan3.load("three_network").encode(np.zeros((1, 28, 28), np.uint8)),
                "three_network: three_network has no encoder, .* use best",
            ),
            (lambda: gan3.load("best", noise_seed=1), "noise seed: .* leave the noise seed out"),
            (lambda: gan3.load("best", moments="batch"), "moments: .* leave them out"),
            (lambda: gan3.load("best", moments="mean"), "'mean': unknown; choose one of running"),
            (lambda: gan3.load("best", truncation=1.5), "truncation 1.5: use a number from 0 to 1"),
            (lambda: gan3.load("best", truncation=True), "truncation True: use a number"),
            (lambda: gan3.load("worst"), "'worst': no run in logs, nor bundled .best"),
            (lambda: gan3.load(""), "run '': use a path"),
            (lambda: gan3.load(None), "run None: use a path"),
        ):
            with self.subTest(message), self.assertRaisesRegex(gan3.UserError, message):
                attempt()


class OfRuns(FolderTest):
    def test_a_run_by_its_name_its_folder_and_another_folder_of_runs(self):
        system = write_run("a", "mlp_gan", episodes=2)
        expected = drawing(system, "mlp_gan")(np.arange(10), (3, 0)).astype(int)
        for generator in (
            gan3.load("a"),
            gan3.load("logs/a"),
            gan3.load(Path("logs/a").absolute()),
            gan3.load("a", logs=Path("logs")),
            gan3.open_run("a").generator(),
            gan3.open_run("a").generator(2),
        ):
            images, labels = generator.sample(10, seed=3)
            self.assertEqual(generator.name, "a")
            self.assertIsNone(labels)
            self.assertLessEqual(np.abs(images - expected).max(), 1)
        first = gan3.open_run("a").generator(1).sample(10, seed=3).images
        self.assertGreater(np.abs(first - expected).max(), 1)
        with self.assertRaisesRegex(
            gan3.UserError, "run a: has no episode 3; choose one of 1 to 2"
        ):
            gan3.open_run("a").generator(3)
        for episode in (1.0, True, "1", [1], np.array([1, 2])):
            with self.assertRaisesRegex(
                gan3.UserError, r"\Aepisode .*: use a whole number from 1 to "
            ):
                gan3.open_run("a").generator(episode)
        with self.assertRaisesRegex(gan3.UserError, "episode a number of thousands of digits"):
            gan3.open_run("a").generator(10**5000)
        gan3.open_run("a").generator(np.int64(1))

    def test_the_figures_are_beside_the_logs_wherever_the_working_folder_is(self):
        write_run("a", "mlp_gan")
        figures = Path("figures/a").absolute()
        for folder, name in (
            (".", "a"),
            ("logs", "../logs/a"),
            ("logs/a/episodes", "../../a"),
        ):
            with self.subTest(folder), contextlib.chdir(folder):
                self.assertEqual(gan3.open_run(name).figures.resolve(), figures)

    def test_the_encoder_of_a_run_is_that_of_its_episode(self):
        write_run("a", "best", episodes=2)
        images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
        last = gan3.load("a").encode(images).noise
        np.testing.assert_array_equal(gan3.open_run("a").generator(2).encode(images).noise, last)
        first = gan3.open_run("a").generator(1).encode(images).noise
        self.assertGreater(np.abs(first - last).max(), 0.01)
        path = Path("logs/a/episodes/episode_02.npz")
        with np.load(path) as arrays:
            older = {name: arrays[name] for name in arrays if name.startswith("average/")}
        np.savez(path, **older)
        with self.assertRaisesRegex(gan3.UserError, "episode_02.npz: has no array determinator"):
            gan3.load("a").encode(images)

    def test_a_bundled_name_is_the_bundled_generator(self):
        write_run("best", "mlp_gan")
        self.assertTrue(gan3.load("best").class_conditional)
        self.assertFalse(gan3.load("logs/best").class_conditional)

    def test_a_system_that_is_not_class_conditional_refuses_requested_digits(self):
        write_run("a", "layernorm_gan")
        generator = gan3.load("a")
        self.assertEqual((generator.noise_distribution, generator.noise_entries), ("normal", 100))
        self.assertEqual(repr(generator), "<gan3.Generator a: any digits>")
        for attempt in (lambda: generator.generate("1"), lambda: generator.sample(5, "1")):
            with self.assertRaisesRegex(gan3.UserError, "'1': a cannot draw requested digits"):
                attempt()
        for attempt in (
            lambda: generator.sample(labels=np.zeros((30, 30), int)),
            lambda: generator.generate(["1"] * 500),
        ):
            with self.assertRaisesRegex(gan3.UserError, r"\A[^\n]{1,200}\Z"):
                attempt()
        noise = generator.noise([0] * 5, seed=2)
        np.testing.assert_array_equal(
            generator.draw([9] * 5, noise), generator.sample(5, seed=2).images
        )

    def test_a_fixed_noise_matrix_can_be_replaced(self):
        write_run("a", "published_code")
        generator = gan3.load("a")
        self.assertTrue(generator.has_fixed_noise)
        images = generator.sample(20).images
        np.testing.assert_array_equal(images, generator.sample(20, seed=9).images)
        self.assertEqual(len(np.unique(images, axis=0)), 10)
        other = gan3.load("a", noise_seed=9).sample(20).images
        self.assertEqual(len(np.unique(other, axis=0)), 10)
        self.assertFalse(np.array_equal(images, other))
        status, _, err = call(
            *("sample", "--run", "a", "--count", 20, "--noise-seed", 9, "--out", "x.npz")
        )
        self.assertEqual((status, err), (0, ""))
        np.testing.assert_array_equal(np.load("x.npz")["images"], other)

    def test_truncation_is_that_of_the_command_line(self):
        write_run("a", "three_network")
        expected = gan3.load("a", truncation=0.5).sample(20, seed=3).images
        for command in (
            "sample --count 20 --out x.npz",
            "generate 01234567890123456789 --out x.npz",
        ):
            options = f"{command} --run a --seed 3 --truncation 0.5".split()
            status, out, err = call(*options)
            self.assertEqual((status, err), (0, ""))
            self.assertIn(", truncation 0.5", out)
            with np.load("x.npz") as arrays:
                np.testing.assert_array_equal(arrays["images"], expected)
                self.assertEqual(arrays["truncation"], 0.5)
        for value, description in (("0.5", "truncation 0.5"), ("1", None)):
            for more, path in (
                ((), f"figures/7{'_truncation0.5' if description else ''}.png"),
                (("--out", "x.png"), "x.png"),
            ):
                line = ("generate", "7", "--run", "a", "--truncation", value, *more)
                self.assertEqual(call(*line)[0], 0)
                with Image.open(path) as image:
                    self.assertEqual(image.text.get("Description"), description, more)
        self.assertEqual(call("generate", "7", "--run", "a", "--out", "x.npz")[0], 0)
        self.assertEqual(set(np.load("x.npz")), {"images", "labels"})
        for command in ("generate 7", "latent", "sample --out y.npz"):
            for value in ("2", "-1", "nan"):
                status, _, err = call(*command.split(), "--run", "a", f"--truncation={value}")
                self.assertEqual(status, 2)
                self.assertRegex(err, r"truncation \S+: use a number from 0 to 1")

    def test_convolutions_are_drawn_as_others_are(self):
        system = write_run("a", "auxiliary_gan")
        generator = gan3.load("a")
        self.assertEqual((generator.noise_distribution, generator.noise_entries), ("uniform", 100))
        images, labels = generator.sample(12, seed=3)
        expected = drawing(system, "auxiliary_gan")(labels, (3, 0))
        np.testing.assert_array_equal(images, expected)
        noise = generator.noise(labels, seed=3)
        drawn = generator.draw(labels, noise).astype(int)
        self.assertLessEqual(np.abs(drawn - images).max(), 1)
        by_batch = gan3.load("a", moments="batch").sample(12, seed=3).images
        self.assertGreater(np.abs(by_batch.astype(int) - images).mean(), 1)

    def test_a_run_that_is_not_there_or_damaged(self):
        with self.assertRaisesRegex(gan3.UserError, "generator 'b': no run in logs"):
            gan3.load("b")
        self.assertTrue(gan3.load(Path("best")).source.is_bundled)
        write_run("a", "best")
        Path("logs/a/episodes/episode_01.npz").write_bytes(b"PK")
        with self.assertRaisesRegex(gan3.UserError, "episode_01.npz: damaged"):
            gan3.load("a")


class WithoutTensorFlow(FolderTest):
    def imported(self, code):
        """Which of the slow packages a process has imported after `code`."""
        code += (
            "\nimport sys; print(*sorted({'tensorflow', 'matplotlib', 'keras'} & {*sys.modules}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.split("\n")[-2]

    def test_importing_gan3_imports_nothing(self):
        code = "import sys; before = {*sys.modules}; import gan3; new = {*sys.modules} - before\n"
        code += "print(gan3.__version__, dir(gan3))\n"
        code += "assert {m for m in new if '.' not in m} <= {'gan3', 'importlib', 'typing'} | "
        code += "{*sys.stdlib_module_names}, new\nassert 'numpy' not in sys.modules"
        self.assertEqual(self.imported(code), "")

    def test_every_public_name_is_there(self):
        self.assertEqual(dir(gan3), sorted([*gan3.__all__, "__version__"]))
        for name in gan3.__all__:
            self.assertTrue(callable(getattr(gan3, name)), name)
        with self.assertRaisesRegex(AttributeError, "'gan3' has no attribute 'draw'"):
            gan3.draw  # noqa: B018

    def test_drawing_needs_neither_tensorflow_nor_matplotlib(self):
        for name, experiment in (
            ("a", "three_network"),
            ("b", "best"),
            ("c", "mlp_gan"),
            ("d", "layernorm_gan"),
            ("e", "published_code"),
        ):
            write_run(name, experiment)
        code = "import gan3\nfor name in ('best', 'a', 'b', 'c', 'd', 'e'):\n"
        code += "    generator = gan3.load(name)\n    generator.sample(600)\n"
        code += "    noise = generator.noise([1, 2])\n    generator.draw([1, 2], noise)\n"
        code += "gan3.open_run('a').generator().generate('12')\n"
        code += "for name in ('best', 'b'):\n"
        code += "    gan3.load(name).encode(gan3.load('best').sample(2).images)\n"
        code += "from gan3.cli.main import main\n"
        for command in (
            "generate 241256 --pretrained best --spacing tight",
            "generate 2 --pretrained best --out 2.png",
            "generate 241256 --run a --variants 3 --out n.npz",
            "generate 12 --run e --noise-seed 4",
            "sample --run c --count 30 --out s.npz",
            "generate 2024 --run b --style 2.png s.npz --variants 2",
        ):
            code += f"assert main({command.split()}) == 0\n"
        self.assertEqual(self.imported(code), "")
        self.assertEqual(np.load("s.npz")["images"].shape, (30, 28, 28))
        self.assertEqual(self.imported("import gan3; gan3.train"), "")
