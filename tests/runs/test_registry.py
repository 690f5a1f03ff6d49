import json
import re
import shutil
import unittest
from pathlib import Path

from gan3.baselines.config import AuxiliaryGanConfig, BaselineConfig, BatchNormGanConfig
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.triple import Triple
from gan3.method.config import ThreeNetworkConfig
from gan3.runs import registry
from gan3.vae_gan.config import VaeGanConfig
from tests.support import ROOT, FolderTest, call, lines_of, slow

TYPES = {
    "auxiliary_gan": AuxiliaryGanConfig,
    "best": VaeGanConfig,
    "best_long": VaeGanConfig,
    "conditional_dcgan": BatchNormGanConfig,
    "gan_auto_write": BatchNormGanConfig,
    "layernorm_gan": BaselineConfig,
    "mlp_gan": BaselineConfig,
    "published_code": ThreeNetworkConfig,
    "published_fresh_noise": ThreeNetworkConfig,
    "three_network": ThreeNetworkConfig,
    "wgan_gp": BaselineConfig,
}


class Registry(unittest.TestCase):
    def test_every_experiment_has_a_config_and_a_summary(self):
        self.assertEqual(registry.names(), sorted(TYPES))
        for name in registry.names():
            with self.subTest(name):
                config = registry.config_of(name)
                self.assertEqual(config.experiment, name)
                self.assertIsInstance(config, TYPES[name])
                self.assertTrue(registry.summary_of(name).endswith("."))
                self.assertLess(len(registry.summary_of(name)), 80)

    def test_unknown_names_are_refused_with_the_known_ones(self):
        for name in ("three_networks", "", "x y", "os"):
            with self.assertRaisesRegex(UserError, "unknown; there are .*three_network"):
                registry.config_of(name)


class Configs(unittest.TestCase):
    def test_config_from_dict_is_the_inverse_of_to_dict_through_json(self):
        for name in registry.names():
            with self.subTest(name):
                config = registry.config_of(name)
                values = json.loads(json.dumps(config.to_dict()))
                back = registry.config_from_dict(values)
                self.assertIs(type(back), type(config))
                self.assertEqual(back, config)

    def test_an_experiment_that_is_missing_or_unknown_is_refused(self):
        values = registry.config_of("best").to_dict()
        del values["experiment"]
        for without in (values, values | {"experiment": 3}, values | {"experiment": None}):
            with self.assertRaisesRegex(UserError, "experiment is missing"):
                registry.config_from_dict(without)
        for not_an_object in (None, [], 3, "best"):
            with self.assertRaises(UserError):
                registry.config_from_dict(not_an_object)
        with self.assertRaisesRegex(UserError, "'x': unknown; there are"):
            registry.config_from_dict({"experiment": "x"})


OWN = '''"""A variant of my own."""

import dataclasses

from gan3.experiments import three_network

CONFIG = dataclasses.replace(three_network.CONFIG, experiment="idea", digit_weight=2.0)

build = three_network.build
generator = three_network.generator
'''


class OwnExperiments(FolderTest):
    """Files in ./experiments/ and files that are named by their path."""

    def write(self, path, text=OWN):
        path = Path(path)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def assert_refused(self, source, *parts):
        with self.assertRaises(UserError) as caught:
            registry.config_of(source)
        message = str(caught.exception)
        self.assertNotIn("\n", message)
        for part in parts:
            self.assertIn(part, message)

    def test_a_name_is_found_in_the_working_folder_and_a_path_anywhere(self):
        self.write("experiments/idea.py")
        self.write("my files/idea.py", OWN.replace("2.0", "4.0"))
        for source, weight, file in (
            ("idea", 2.0, "experiments/idea.py"),
            ("my files/idea.py", 4.0, "my files/idea.py"),
            (str(Path("my files/idea.py").absolute()), 4.0, "my files/idea.py"),
        ):
            config = registry.config_of(source)
            self.assertEqual((config.experiment, config.digit_weight), ("idea", weight))
            self.assertEqual(config.source, str(Path(file).absolute()))
        self.assertEqual(registry.own_names(), ["idea"])
        self.assertEqual(registry.summary_of("idea"), "A variant of my own.")
        self.assertNotIn("idea", registry.names())
        status, out, err = call("experiments")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"(?m)^idea +A variant of my own\. \[experiments/idea\.py\]$")

    def test_it_imports_the_bundled_ones_and_the_files_beside_it(self):
        self.write("experiments/idea.py")
        text = OWN.replace("gan3.experiments import three_network", ". import idea")
        text = text.replace("three_network", "idea").replace('"idea"', '"second"')
        self.write("experiments/second.py", text)
        second = registry.config_of("second")
        self.assertEqual(
            second.differences(registry.config_of("idea")), ["experiment", "experiment_file"]
        )

    def test_only_files_that_declare_an_experiment_are_listed_and_none_is_executed(self):
        self.write("experiments/idea.py", OWN + "\nraise RuntimeError\n")
        self.write("experiments/script.py", "open('executed', 'w')\n")
        self.write("experiments/_private.py")
        self.write("experiments/broken.py", OWN + "\ndef build(:\n")
        self.assertEqual(registry.own_names(), ["broken", "idea"])
        self.assertEqual(registry.summary_of("broken"), "(cannot be parsed: line 12)")
        self.assertEqual(call("experiments")[0], 0)
        self.assertFalse(Path("executed").exists())

    def test_a_wrong_file_is_refused_in_one_line_with_its_name_and_line(self):
        folder = Path("experiments").absolute()
        for name, text, parts in (
            ("broken", OWN + "\ndef build(:\n", (", line 12: syntax error", "correct")),
            ("bare", "A = 1\n", ("has no CONFIG and no build and no generator",)),
            ("no_build", OWN.replace("build =", "make ="), ("has no build",)),
            (
                "no_config",
                "CONFIG = 3\ndef build(config, class_names, dtype): ...\ngenerator = build\n",
                ("must be a RunConfig",),
            ),
            ("other", OWN, ("with the experiment 'other'",)),
            (
                "fails",
                OWN + "\n\nraise ValueError('of mine')\n",
                (", line 13: ValueError: of mine",),
            ),
            (
                "undecorated",
                "from gan3.experiments import best\n"
                "class Mine(type(best.CONFIG)):\n    extra: int = 1\n"
                "CONFIG = Mine(**vars(best.CONFIG) | {'experiment': 'undecorated'})\n"
                "build, generator = best.build, best.generator\n",
                ("Mine has fields that are none of a dataclass; put @dataclass",),
            ),
            ("stops", "import sys\nsys.exit(3)\n", (", line 2: SystemExit: 3",)),
            ("refused", OWN.replace("2.0", "-1.0"), (", line 7: config key digit_weight",)),
            ("missing", OWN.replace("dataclasses\n\n", "nowhere\n\n"), (", line 3: ModuleNotF",)),
        ):
            with self.subTest(name):
                path = self.write(f"experiments/{name}.py", text)
                self.assert_refused(name, str(folder / path.name), *parts)
                self.assert_refused(str(path), str(folder / path.name), *parts)
        self.assert_refused("my/nothing.py", "my/nothing.py: no such file")
        self.assert_refused("nothing.py", "nothing.py: no such file")
        self.assert_refused("best.py", "best.py: no such file")
        self.assert_refused(str(self.write("my/2 ideas.py")), "not the name of an experiment")
        self.assert_refused("nothing", "'nothing': unknown; there are", "three_network", "broken")

    def test_the_name_of_a_bundled_one_is_refused_unless_it_is_the_same_file(self):
        path = self.write("experiments/best.py", OWN.replace('"idea"', '"best"'))
        self.assert_refused("best", "experiments/best.py: has the name of a bundled", "rename")
        self.assert_refused(str(path), "has the name of a bundled")
        bundled = registry.bundled_config_of("best")  # what the bundled generator is drawn with
        shutil.copy(ROOT / "experiments" / "best.py", path)  # gan3 installed, in a checkout
        for source in ("best", str(path)):
            self.assertEqual(registry.config_of(source), bundled)

    def test_build_fails_in_one_line_with_the_file_and_the_line(self):
        text = OWN.replace(
            "build = three_network.build", "def build(config, class_names, dtype):\n    1 / 0"
        )
        path = self.write("experiments/idea.py", text).absolute()
        with self.assertRaisesRegex(UserError, f"^{path}, line 10: ZeroDivisionError: .*; correct"):
            registry.build(registry.config_of("idea"), DIGITS, "float32")
        for name, kind in (("build", "System"), ("generator", "GeneratorSpec")):
            forgets = f"def {name}(*given):\n    three_network.{name}(*given)"
            self.write(path, OWN.replace(f"{name} = three_network.{name}", forgets))
            make = {"build": registry.build, "generator": registry.generator_of}[name]
            with self.assertRaisesRegex(UserError, f"^{path}: {name} returns NoneType; .* {kind}"):
                make(registry.config_of("idea"), DIGITS, *["float32"] * (name == "build"))

    def test_a_record_leads_back_to_its_file_or_to_the_one_in_the_working_folder(self):
        path = self.write("my/idea.py").absolute()
        values = json.loads(json.dumps(registry.config_of("my/idea.py").to_dict()))
        self.assertEqual(registry.config_from_dict(values).source, str(path))
        path.unlink()
        with self.assertRaisesRegex(UserError, f"^{path}: the file of this run's experiment is"):
            registry.config_from_dict(values)
        moved = self.write("experiments/idea.py").absolute()
        self.assertEqual(registry.config_from_dict(values).source, str(moved))
        longer = OWN.replace("2.0", "2.0, batches=12345")
        self.write("experiments/idea.py", longer)  # an edit counts at once
        self.assertEqual(registry.config_of("idea").batches, 12345)
        for file in ("my/idea.py", "/tmp/other.py", 3):
            with self.assertRaisesRegex(UserError, "experiment_file: .* is not the absolute path"):
                registry.config_from_dict(values | {"experiment_file": file})

    @slow("trains two short runs")
    def test_a_run_is_resumed_and_drawn_from_later(self):
        self.write("my/idea.py")
        schedule = ("--batches", 1, "--batch-size", 8, "--dataset", "strokes")
        train = ("train", "--experiment", "my/idea.py", "--run", "own", "--episodes", 1, *schedule)
        status, _, err = call(*train)
        self.assertEqual((status, err), (0, ""))
        record = json.loads(Path("logs/own/run.json").read_text())["config"]
        self.assertEqual(record["experiment_file"], str(Path("my/idea.py").absolute()))
        status, _, err = call("train", "--resume", "--run", "own", "--episodes", 2)
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(lines_of("own")[-1]["step"], 2)
        sample = ("sample", "--run", "own", "--count", 1, "--out", "one.npz")
        self.assertEqual(call(*sample)[0], 0)
        Path("my/idea.py").unlink()
        status, _, err = call(*sample)
        self.assertEqual(status, 2)
        self.assertRegex(err, r"^gan3: .*my/idea\.py: the file of this run's .*\n$")


class Best(unittest.TestCase):
    def test_best_long_is_best_with_more_batches_and_numbers(self):
        best, long = registry.config_of("best"), registry.config_of("best_long")
        changed = ["experiment", "batches", "noise_entries", "reconstruction_weight"]
        self.assertEqual(set(best.differences(long)), set(changed))
        self.assertEqual((long.batches, long.noise_entries), (800, 20))
        self.assertEqual(long.reconstruction_weight, 2 * best.reconstruction_weight)


class ThreeNetwork(unittest.TestCase):
    """What the description fixes is exact in the default experiment."""

    def test_schedule_and_method(self):
        config = registry.config_of("three_network")
        self.assertEqual((config.batch_size, config.batches, config.episodes), (100, 200, 10))
        self.assertEqual(config.log_every, 10)
        self.assertEqual((config.noise_draw, config.initializer), ("example", "glorot"))
        for keep_prob, l1_weight in zip(config.keep_prob, config.l1_weight, strict=True):
            self.assertLessEqual(keep_prob, 0.9)  # dropout that is felt, in each
            self.assertGreaterEqual(l1_weight, 1e-5)  # L1 that is felt, in each

    def test_its_departures_from_the_script_are_those_that_its_file_numbers(self):
        config = registry.config_of("three_network")
        departures = config.differences(registry.config_of("published_code"))
        text = (ROOT / "experiments" / "three_network.py").read_text()
        numbered = re.findall(r"# (\d)\. [^=]*\n((?:    \w+=.*\n)+)", text)
        fields = [re.findall(r"(\w+)=", settings) for _, settings in numbered]
        self.assertEqual([number for number, _ in numbered], list("123456"))
        self.assertEqual(sorted(sum(fields, ["experiment"])), sorted(departures))


class PublishedCode(unittest.TestCase):
    def test_constants_are_those_of_the_script(self):
        config = registry.config_of("published_code")
        self.assertEqual((config.batch_size, config.batches, config.episodes), (100, 200, 10))
        self.assertEqual(config.skip_first, 5_000)
        self.assertEqual(config.precision, "float32")
        self.assertEqual((config.noise_draw, config.initializer), ("once", "published"))
        self.assertEqual((config.digit_loss, config.digit_weight), ("sigmoid_sum", 1.0))
        self.assertEqual(config.keep_prob, Triple(0.5, 0.5, 0.5))
        self.assertEqual(config.l1_weight, Triple(0.001, 0.001, 0.001))
        self.assertEqual(config.learning_rate, Triple(0.001, 0.001, 0.001))
        self.assertEqual(config.beta1, Triple(0.9, 0.9, 0.9))
        self.assertEqual(config.activation, Triple("elu", "elu", "elu"))
