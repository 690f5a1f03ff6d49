"""RunConfig, its parser, and what each family of systems adds to it."""

import dataclasses
import unittest
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, get_args

from gan3.core.config import (
    KeepProb,
    LearningRate,
    LossWeight,
    RunConfig,
    Sizes,
    as_text,
    field_types,
)
from gan3.core.errors import UserError
from gan3.core.triple import Pair, Triple
from gan3.method.config import ThreeNetworkConfig
from gan3.nn.initializers import INITIALIZERS
from gan3.nn.layers import ACTIVATIONS
from gan3.runs.registry import config_of, names
from gan3.vae_gan.config import VaeGanConfig


@dataclass(frozen=True, kw_only=True)
class ExampleConfig(RunConfig):
    """One field of every kind."""

    flag: bool = False
    mode: Literal["one", "two"] = "one"
    note: str = ""
    weight: LossWeight = 1.0
    widths: Annotated[tuple[int, ...], Sizes(2, 4)] = (100, 500)
    activation: Triple[Literal["elu", "relu"]] = Triple("elu", "relu", "elu")
    keep_prob: Triple[KeepProb] = Triple(0.9, 0.5, 0.25)
    learning_rate: Pair[LearningRate] = Pair(1e-3, 2e-3)


@dataclass(frozen=True, kw_only=True)
class OtherConfig(RunConfig):
    """Shares two fields with ExampleConfig; one of them has another type."""

    weight: LossWeight = 1.0
    learning_rate: Triple[LearningRate] = Triple(1e-3, 2e-3, 3e-3)
    margin: LossWeight = 0.5


CONFIG = ExampleConfig(experiment="three_network")
CHANGED = ExampleConfig(
    experiment="best",
    episodes=3,
    seed=7,
    split="validation",
    flag=True,
    mode="two",
    note="a note",
    weight=0.25,
    widths=(8192, 1, 784),
    activation=Triple("relu", "elu", "relu"),
    keep_prob=Triple(1.0, 0.01, 0.5),
    learning_rate=Pair(1e-6, 1.0),
)
LONGEST_MESSAGE = 300  # characters; a line that can be read


class ConfigTest(unittest.TestCase):
    def assert_refused(self, message, action, *arguments):
        """`action` raises a UserError of one line that begins with the config key."""
        with self.assertRaisesRegex(UserError, message) as raised:
            action(*arguments)
        text = str(raised.exception)
        self.assertTrue(text.startswith("config key "), text)
        self.assertNotIn("\n", text)
        self.assertLess(len(text), LONGEST_MESSAGE)


class Dictionaries(ConfigTest):
    def test_to_dict_has_plain_values_in_the_order_of_the_fields(self):
        values = CHANGED.to_dict()
        self.assertEqual(list(values), [field.name for field in dataclasses.fields(CHANGED)])
        self.assertEqual(list(values), list(field_types(ExampleConfig)))
        self.assertIs(values["flag"], True)
        self.assertEqual(values["widths"], [8192, 1, 784])
        self.assertEqual(
            values["keep_prob"], {"generator": 1.0, "discriminator": 0.01, "determinator": 0.5}
        )
        self.assertEqual(values["learning_rate"], {"generator": 1e-6, "discriminator": 1.0})

    def test_an_unknown_key_and_a_missing_one_are_refused(self):
        values = CONFIG.to_dict()
        for key in ("sed", "margin"):  # a misspelt one, and one of another system
            self.assert_refused(
                f"config key '{key}': unknown; the nearest are ",
                ExampleConfig.from_dict,
                values | {key: 4},
            )
        for key in values:
            others = {name: value for name, value in values.items() if name != key}
            self.assert_refused(f"config key {key}: missing", ExampleConfig.from_dict, others)
        for values in (None, [], 3, "x"):
            with self.subTest(values), self.assertRaisesRegex(UserError, "not an object"):
                ExampleConfig.from_dict(values)

    def test_values_that_do_not_fit_their_field_are_refused_by_name(self):
        networks = {"generator": 1.0, "discriminator": 1.0, "determinator": 1.0}
        for key, value, message in (
            ("experiment", 3, "is not text"),
            ("seed", "7", "is not a whole number"),
            ("flag", "yes", "is not true or false"),
            ("weight", "1", "is not a number"),
            ("mode", ["one"], "is not one of one, two"),
            ("widths", "100,500", "2 to 4 whole numbers"),
            ("widths", [100, 500.0], "2 to 4 whole numbers"),
            ("widths", [100] * 5, "2 to 4 whole numbers"),
            ("keep_prob", {"generator": 1.0}, "needs the keys generator, discriminator, det"),
            ("keep_prob", networks | {"critic": 1.0}, "needs the keys generator, discriminator"),
            ("keep_prob", 0.5, "needs the keys generator"),
            ("keep_prob", networks | {"generator": "1"}, "generator: '1' is not a number"),
            ("learning_rate", networks, "needs the keys generator, discriminator$"),
        ):
            with self.subTest(key=key, value=value):
                changed = CONFIG.to_dict() | {key: value}
                pattern = f"config key {key}.*{message}"
                self.assert_refused(pattern, ExampleConfig.from_dict, changed)


class TextToValue(ConfigTest):
    def test_each_kind_of_field(self):
        for key, text, value in (
            ("seed", "12", 12),
            ("weight", "0.25", 0.25),
            ("weight", "1e-3", 1e-3),
            ("mode", "two", "two"),
            ("note", "1,2", "1,2"),
            ("flag", "true", True),
            ("flag", "false", False),
            ("widths", "20,30", (20, 30)),
            ("widths", "1, 2, 3,8192", (1, 2, 3, 8192)),
            ("activation", "relu,elu,elu", Triple("relu", "elu", "elu")),
            ("keep_prob", "0.1", Triple(0.1, 0.1, 0.1)),
            ("keep_prob.determinator", "0.2", Triple(0.9, 0.5, 0.2)),
            ("learning_rate", "0.1,0.2", Pair(0.1, 0.2)),
            ("learning_rate.discriminator", "0.3", Pair(1e-3, 0.3)),
        ):
            with self.subTest(key=key, text=text):
                name = key.partition(".")[0]
                changed = CONFIG.with_text(key, text)
                self.assertEqual(getattr(changed, name), value)
                self.assertIs(type(getattr(changed, name)), type(value))
                self.assertEqual(changed, dataclasses.replace(CONFIG, **{name: value}))

    def test_as_text_is_what_with_text_reads(self):
        self.assertEqual(as_text((100, 500)), "100,500")
        self.assertEqual(as_text([0.5, 1]), "0.5,1")
        self.assertEqual(as_text(Triple("elu", "relu", "elu")), "elu,relu,elu")
        self.assertEqual(as_text("validation"), "validation")

    def test_what_does_not_fit_is_refused_by_name(self):
        for key, text, message in (
            ("sed", "1", "unknown"),
            ("", "1", "unknown"),
            ("experiment", "x", "unknown"),
            ("experiment_file", "x.py", "unknown"),
            ("margin", "0.5", "unknown"),
            ("x" * 5000, "1", "unknown"),
            ("seed", "one", "not a whole number"),
            ("seed", "-1", "at least 0, at most 2147483647"),
            ("seed", "9" * 400, "does not fit"),
            ("dataset", "cifar", "not one of auto, mnist, strokes, own"),
            ("weight", "much", "not a number"),
            ("weight", "nan", "does not fit"),
            ("keep_prob", "1e-17", "at least 0.01"),
            ("keep_prob.generator", "1.01", "keep_prob.generator: 1.01 does not fit; .* at most 1"),
            ("keep_prob", "0.5,0.5,1.01", "keep_prob.determinator: 1.01 does not fit"),
            ("keep_prob", "0.1,0.2", "one value or 3 with commas, not '0.1,0.2'"),
            ("keep_prob", "", "not a number"),
            ("keep_prob.critic", "0.1", "after the dot one of generator, discriminator, det"),
            ("keep_prob.generator", "0.1,0.2,0.3", "not a number"),
            ("learning_rate", "0", "more than 0"),
            ("learning_rate", "1e-3,1e-3,1e-3", "one value or 2 with commas"),
            ("learning_rate.determinator", "0.1", "after the dot one of generator, discriminator$"),
            ("activation", "elu,elu,sine", "activation.determinator: 'sine' is not one of elu, re"),
            ("mode", "three", "not one of one, two"),
            ("flag", "yes", "'yes' is not true or false"),
            ("flag", "", "not true or false"),
            ("seed.generator", "1", "seed has one value, not one per network"),
            ("widths.generator", "1,2", "widths has one value, not one per network"),
            ("widths", "", "2 to 4 whole numbers"),
            ("widths", "100,", "2 to 4 whole numbers"),
            ("widths", "100,²", "2 to 4 whole numbers"),
            ("widths", "100,8193", "2 to 4 whole numbers"),
            ("widths", "1,2,3,4,5", "2 to 4 whole numbers"),
        ):
            with self.subTest(key=key[:50], text=text[:50]):
                self.assert_refused(message, CONFIG.with_text, key, text)

    def test_an_unknown_key_comes_with_the_nearest_names(self):
        for key, nearest in (
            ("sead", "seed"),
            ("batchsize", "batch_size"),
            ("keep_probs", "keep_prob"),
            ("learning-rate", "learning_rate"),
            ("log_evry", "log_every"),
        ):
            with self.assertRaises(UserError) as raised:
                CONFIG.with_text(key, "1")
            names = str(raised.exception).partition("the nearest are ")[2].split(", ")
            self.assertEqual((names[0], len(names)), (nearest, 4))
            self.assertLess(set(names), {field.name for field in dataclasses.fields(CONFIG)})
        with self.assertRaises(UserError) as raised:
            CONFIG.with_text("experimen", "x")  # the one field that cannot be set
        self.assertNotIn("experiment", str(raised.exception).partition("nearest are")[2])


class Values(ConfigTest):
    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for name, value in (
            ("experiment", None),
            ("seed", None),
            ("seed", 1.0),
            ("split", 3),
            ("flag", "true"),
            ("weight", True),
            ("weight", float("nan")),
            ("widths", [100, 500]),
            ("keep_prob", 0.5),
            ("keep_prob", Pair(0.5, 0.5)),
            ("keep_prob", Triple(0.5, 0.5, "0.5")),
            ("learning_rate", Triple(0.5, 0.5, 0.5)),
            ("activation", Triple("elu", "elu", None)),
        ):
            with self.subTest(name, kind=type(value).__name__):
                replace = partial(dataclasses.replace, CONFIG, **{name: value})
                self.assert_refused(f"config key {name}", replace)

    def test_a_whole_number_is_a_number(self):
        self.assertEqual(dataclasses.replace(CONFIG, weight=2).weight, 2.0)

    def test_a_schedule_longer_than_the_number_of_seeds_is_refused(self):
        self.assertEqual(RunConfig(experiment="x", episodes=3, batches=40).total_steps, 120)
        longest = dataclasses.replace(CONFIG, episodes=511, batches=262_657)
        self.assertEqual(longest.total_steps, 2**27 - 1)
        for episodes, batches in ((2**14, 2**13), (100, 10_000_000)):  # the first is one too many
            with self.assertRaisesRegex(UserError, f"{episodes} episodes .* steps; use fewer"):
                dataclasses.replace(CONFIG, episodes=episodes, batches=batches)


VAE_GAN = VaeGanConfig(experiment="best")


class Families(ConfigTest):
    def test_the_method_has_every_activation_and_initializer(self):
        activation = field_types(ThreeNetworkConfig)["activation"]
        self.assertLess(set(get_args(get_args(activation)[0])), set(ACTIVATIONS))
        initializer = field_types(ThreeNetworkConfig)["initializer"]
        self.assertEqual(set(get_args(initializer)), set(INITIALIZERS))

    def test_defaults_of_the_vae_gan_are_the_method_with_nothing_added(self):
        plain = ThreeNetworkConfig(experiment="best")
        for field in dataclasses.fields(plain):
            self.assertEqual(getattr(VAE_GAN, field.name), getattr(plain, field.name))
        added = set(field_types(VaeGanConfig)) - set(field_types(ThreeNetworkConfig))
        self.assertEqual(set(VAE_GAN.differences(plain)), added)
        self.assertFalse(VAE_GAN.depends_on_total_steps)
        falling = dataclasses.replace(VAE_GAN, lr_decay_start=0.9)
        self.assertTrue(falling.depends_on_total_steps)


class Description(unittest.TestCase):
    def test_every_field_has_its_value_its_type_and_its_comment(self):
        for name in names():
            config = config_of(name)
            described = config.described()
            values = {key: field["value"] for key, field in described.items()}
            settings = config.to_dict()
            del settings["experiment"], settings["experiment_file"]
            self.assertEqual(values, settings)
            self.assertTrue(all(field["type"] for field in described.values()))
        each = "for each of generator, discriminator, determinator"
        best = config_of("best").described()
        for key, kind, says in (
            ("batch_size", "a whole number, at least 1, at most 10000", "images"),
            ("downsampling", "pool or stride", "in the critics"),
            ("batch_norm", "true or false", "in the generator"),
            ("generator_widths", "1 to 8 whole numbers from 1 to 8192", ""),  # below a heading
            (
                "l1_weight",
                f"{each}: a number, at least 0, at most 1",
                "on the dense weight matrices",
            ),
        ):
            self.assertEqual((best[key]["type"], best[key]["says"]), (kind, says), key)
        self.assertRegex(best["generator_channels"]["says"], r"\AChannels of .* layer\.\Z")
