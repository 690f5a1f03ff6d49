"""RunConfig and what its subclasses inherit. Each family's own fields are tested beside it."""

import dataclasses
import json
import unittest
from dataclasses import dataclass
from typing import Annotated, Literal

from gan3.core import config as config_module
from gan3.core.config import KeepProb, LearningRate, LossWeight, Range, RunConfig, Sizes
from gan3.core.errors import UserError
from gan3.core.triple import Pair, Triple
from gan3.data.known_sets import KNOWN_SETS


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


class Dictionaries(unittest.TestCase):
    def test_from_dict_is_the_inverse_of_to_dict_through_json(self):
        for config in (CONFIG, CHANGED, RunConfig(experiment="x")):
            values = json.loads(json.dumps(config.to_dict()))
            back = type(config).from_dict(values)
            self.assertEqual(back, config)
            self.assertEqual(back.to_dict(), values)
            for field in dataclasses.fields(config):
                value = getattr(config, field.name)
                self.assertIs(type(getattr(back, field.name)), type(value), field.name)

    def test_to_dict_has_plain_values_in_the_order_of_the_fields(self):
        values = CHANGED.to_dict()
        self.assertEqual(list(values), [field.name for field in dataclasses.fields(CHANGED)])
        self.assertIs(values["flag"], True)
        self.assertEqual(values["widths"], [8192, 1, 784])
        self.assertEqual(
            values["keep_prob"], {"generator": 1.0, "discriminator": 0.01, "determinator": 0.5}
        )
        self.assertEqual(values["learning_rate"], {"generator": 1e-6, "discriminator": 1.0})

    def test_an_unknown_key_and_a_missing_one_are_refused(self):
        values = CONFIG.to_dict()
        with self.assertRaisesRegex(UserError, "config key 'sed': unknown; the nearest are seed"):
            ExampleConfig.from_dict(values | {"sed": 4})
        for key in values:
            others = {name: value for name, value in values.items() if name != key}
            with self.assertRaisesRegex(UserError, f"config key {key}: missing"):
                ExampleConfig.from_dict(others)

    def test_a_field_of_another_system_is_an_unknown_key(self):
        with self.assertRaisesRegex(UserError, "config key 'margin': unknown"):
            ExampleConfig.from_dict(CONFIG.to_dict() | {"margin": 0.5})
        with self.assertRaisesRegex(UserError, "config key 'flag': unknown"):
            OtherConfig.from_dict(OtherConfig(experiment="x").to_dict() | {"flag": True})

    def test_what_is_not_an_object_is_refused(self):
        for values in (None, [], 3, "x"):
            with self.subTest(values), self.assertRaisesRegex(UserError, "not an object"):
                ExampleConfig.from_dict(values)

    def test_values_that_do_not_fit_their_field_are_refused_by_name(self):
        networks = {"generator": 1.0, "discriminator": 1.0, "determinator": 1.0}
        for key, value, message in (
            ("experiment", 3, "is not text"),
            ("experiment", None, "is not text"),
            ("seed", "7", "is not a whole number"),
            ("seed", 7.0, "is not a whole number"),
            ("seed", True, "is not a whole number"),
            ("seed", None, "is not a whole number"),
            ("flag", "yes", "is not true or false"),
            ("flag", 1, "is not true or false"),
            ("weight", "1", "is not a number"),
            ("weight", True, "is not a number"),
            ("mode", "three", "is not one of one, two"),
            ("mode", ["one"], "is not one of one, two"),
            ("widths", "100,500", "2 to 4 whole numbers"),
            ("widths", 100, "2 to 4 whole numbers"),
            ("widths", [100, 500.0], "2 to 4 whole numbers"),
            ("widths", [100, True], "2 to 4 whole numbers"),
            ("widths", [100, [500]], "2 to 4 whole numbers"),
            ("widths", [100], "2 to 4 whole numbers"),
            ("widths", [100] * 5, "2 to 4 whole numbers"),
            ("widths", [100, 8193], "2 to 4 whole numbers"),
            ("keep_prob", {"generator": 1.0}, "needs the keys generator, discriminator, det"),
            ("keep_prob", networks | {"critic": 1.0}, "needs the keys generator, discriminator"),
            ("keep_prob", [1.0, 1.0, 1.0], "needs the keys generator"),
            ("keep_prob", 0.5, "needs the keys generator"),
            ("keep_prob", networks | {"generator": "1"}, "keep_prob.generator: '1' is not a num"),
            ("keep_prob", networks | {"generator": {}}, "keep_prob.generator: {} is not a number"),
            ("learning_rate", networks, "needs the keys generator, discriminator$"),
        ):
            with self.subTest(key=key, value=value):
                with self.assertRaisesRegex(UserError, message) as raised:
                    ExampleConfig.from_dict(CONFIG.to_dict() | {key: value})
                self.assertTrue(str(raised.exception).startswith(f"config key {key}"))
                self.assertLess(len(str(raised.exception)), LONGEST_MESSAGE)


class TextToValue(unittest.TestCase):
    def test_each_kind_of_field(self):
        for key, text, value in (
            ("seed", "12", 12),
            ("seed", str(2**31 - 1), 2**31 - 1),
            ("weight", "0.25", 0.25),
            ("weight", "1e-3", 1e-3),
            ("weight", "1000", 1000.0),
            ("split", "validation", "validation"),
            ("mode", "two", "two"),
            ("note", "1,2", "1,2"),
            ("flag", "true", True),
            ("flag", "True", True),
            ("flag", "false", False),
            ("widths", "20,30", (20, 30)),
            ("widths", "1, 2, 3,8192", (1, 2, 3, 8192)),
            ("activation", "relu", Triple("relu", "relu", "relu")),
            ("activation", "relu,elu,elu", Triple("relu", "elu", "elu")),
            ("activation.discriminator", "elu", Triple("elu", "elu", "elu")),
            ("keep_prob", "0.1", Triple(0.1, 0.1, 0.1)),
            ("keep_prob", "0.1,0.2,0.3", Triple(0.1, 0.2, 0.3)),
            ("keep_prob.determinator", "0.2", Triple(0.9, 0.5, 0.2)),
            ("learning_rate", "0.1", Pair(0.1, 0.1)),
            ("learning_rate", "0.1,0.2", Pair(0.1, 0.2)),
            ("learning_rate.generator", "0.3", Pair(0.3, 2e-3)),
            ("learning_rate.discriminator", "0.3", Pair(1e-3, 0.3)),
        ):
            with self.subTest(key=key, text=text):
                name = key.partition(".")[0]
                changed = CONFIG.with_text(key, text)
                self.assertEqual(getattr(changed, name), value)
                self.assertIs(type(getattr(changed, name)), type(value))
                self.assertEqual(changed, dataclasses.replace(CONFIG, **{name: value}))

    def test_as_text_is_what_with_text_reads(self):
        self.assertEqual(config_module.as_text((100, 500)), "100,500")
        self.assertEqual(config_module.as_text([0.5, 1]), "0.5,1")
        self.assertEqual(config_module.as_text(Triple("elu", "relu", "elu")), "elu,relu,elu")
        self.assertEqual(config_module.as_text("validation"), "validation")
        for start, end in ((CONFIG, CHANGED), (CHANGED, CONFIG)):
            config = dataclasses.replace(start, experiment=end.experiment)
            for field in dataclasses.fields(end):
                if field.name in ("experiment", "experiment_file"):
                    continue  # not set by text
                text = config_module.as_text(getattr(end, field.name))
                config = config.with_text(field.name, text)
            self.assertEqual(config, end)

    def test_what_does_not_fit_is_refused_by_name(self):
        for key, text, message in (
            ("sed", "1", "unknown"),
            ("", "1", "unknown"),
            ("sed.generator", "1", "'sed': unknown"),
            ("experiment", "x", "unknown"),
            ("experiment_file", "x.py", "unknown"),
            ("margin", "0.5", "unknown"),
            ("with_text", "1", "unknown"),
            ("x" * 5000, "1", "unknown"),
            ("seed", "one", "not a whole number"),
            ("seed", "", "not a whole number"),
            ("seed", "-1", "at least 0, at most 2147483647"),
            ("seed", str(2**31), "does not fit"),
            ("seed", "9" * 400, "does not fit"),
            ("seed", "-" + "9" * 400, "does not fit"),
            ("seed", "9" * 5000, "not a whole number"),
            ("batches", "0", "does not fit; at least 1"),
            ("batch_size", "-5", "does not fit; at least 1"),
            ("batch_size", "10001", "does not fit; at least 1, at most 10000"),
            ("episodes", "1.5", "not a whole number"),
            ("log_every", "0", "does not fit; at least 1"),
            ("checkpoint_every", "0", "does not fit; at least 1"),
            ("frame_every", "0", "does not fit; at least 1"),
            ("dataset", "cifar", "not one of auto, mnist, strokes, own"),
            ("split", "train", "not one of test, validation"),
            ("precision", "float16", "not one of float32, bfloat16, auto"),
            ("weight", "much", "not a number"),
            ("weight", "inf", "does not fit"),
            ("weight", "nan", "does not fit"),
            ("weight", "-0.1", "at least 0, at most 1000"),
            ("weight", "9" * 400, "does not fit"),
            ("weight", "9" * 5000, "does not fit"),
            ("keep_prob", "0", "at least 0.01"),
            ("keep_prob", "1e-17", "at least 0.01"),
            ("keep_prob.generator", "1.01", "keep_prob.generator: 1.01 does not fit; .* at most 1"),
            ("keep_prob", "0.5,0.5,1.01", "keep_prob.determinator: 1.01 does not fit"),
            ("keep_prob", "0.1,0.2", "one value or 3 with commas, not '0.1,0.2'"),
            ("keep_prob", "0.1,0.2,0.3,0.4", "one value or 3 with commas"),
            ("keep_prob", "", "not a number"),
            ("keep_prob.critic", "0.1", "after the dot one of generator, discriminator, det"),
            ("keep_prob.generator.x", "0.1", "after the dot"),
            ("keep_prob.generator", "0.1,0.2,0.3", "not a number"),
            ("learning_rate", "0", "more than 0"),
            ("learning_rate", "nan", "does not fit"),
            ("learning_rate", "1e-3,1e-3,1e-3", "one value or 2 with commas"),
            ("learning_rate.determinator", "0.1", "after the dot one of generator, discriminator$"),
            ("activation", "elu,elu,sine", "activation.determinator: 'sine' is not one of elu, re"),
            ("mode", "three", "not one of one, two"),
            ("mode", "One", "not one of one, two"),
            ("flag", "yes", "'yes' is not true or false"),
            ("flag", "1", "not true or false"),
            ("flag", "", "not true or false"),
            ("seed.generator", "1", "seed has one value, not one per network"),
            ("widths.generator", "1,2", "widths has one value, not one per network"),
            ("widths", "", "2 to 4 whole numbers from 1 to 8192, with commas"),
            ("widths", "100 x", "2 to 4 whole numbers"),
            ("widths", "100 500", "2 to 4 whole numbers"),
            ("widths", "100,", "2 to 4 whole numbers"),
            ("widths", "100,1.5", "2 to 4 whole numbers"),
            ("widths", "100,²", "2 to 4 whole numbers"),
            ("widths", "100,0", "2 to 4 whole numbers"),
            ("widths", "100,8193", "2 to 4 whole numbers"),
            ("widths", "100", "2 to 4 whole numbers"),
            ("widths", "1,2,3,4,5", "2 to 4 whole numbers"),
            ("widths", "100," + "9" * 400, "2 to 4 whole numbers"),
            ("widths", "100," + "9" * 5000, "2 to 4 whole numbers"),
        ):
            with self.subTest(key=key[:50], text=text[:50]):
                with self.assertRaisesRegex(UserError, message) as raised:
                    CONFIG.with_text(key, text)
                self.assertTrue(str(raised.exception).startswith("config key "))
                self.assertNotIn("\n", str(raised.exception))
                self.assertLess(len(str(raised.exception)), LONGEST_MESSAGE)

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


class Values(unittest.TestCase):
    def test_frozen(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            CONFIG.seed = 1

    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for changes in (
            {"seed": True},
            {"seed": 1.0},
            {"seed": 10**400},
            {"seed": 10**5000},
            {"split": 3},
            {"split": ["test"]},
            {"flag": "true"},
            {"flag": 0},
            {"weight": True},
            {"weight": float("nan")},
            {"weight": 10**400},
            {"weight": -(10**5000)},
            {"widths": [100, 500]},
            {"widths": (100, True)},
            {"widths": (100, 10**5000)},
            {"keep_prob": 0.5},
            {"keep_prob": (0.5, 0.5, 0.5)},
            {"keep_prob": Pair(0.5, 0.5)},
            {"keep_prob": Triple(0.5, 0.5, "0.5")},
            {"keep_prob": Triple(0.5, 0.5, 0.0)},
            {"learning_rate": Triple(0.5, 0.5, 0.5)},
            {"activation": Triple("elu", "elu", None)},
        ):
            with self.subTest(list(changes)):
                with self.assertRaises(UserError) as raised:
                    dataclasses.replace(CONFIG, **changes)
                self.assertIn(f"config key {next(iter(changes))}", str(raised.exception))
                self.assertLess(len(str(raised.exception)), LONGEST_MESSAGE)

    def test_a_whole_number_is_a_number(self):
        self.assertEqual(dataclasses.replace(CONFIG, weight=2).weight, 2.0)

    def test_a_schedule_longer_than_the_number_of_seeds_is_refused(self):
        longest = dataclasses.replace(CONFIG, episodes=511, batches=262_657)
        self.assertEqual(longest.total_steps, 2**27 - 1)
        for episodes, batches in ((2**14, 2**13), (100, 10_000_000)):  # the first is one too many
            with self.assertRaisesRegex(UserError, f"{episodes} episodes .* steps; use fewer"):
                dataclasses.replace(CONFIG, episodes=episodes, batches=batches)

    def test_total_steps(self):
        self.assertEqual(RunConfig(experiment="x", episodes=3, batches=40).total_steps, 120)

    def test_ranges(self):
        closed, open_below = Range(0, 1), Range(0, 1, includes_low=False)
        for value, in_closed, in_open in (
            (0, True, False),
            (1, True, True),
            (0.5, True, True),
            (-0.1, False, False),
            (1.1, False, False),
            (float("nan"), False, False),
            (float("inf"), False, False),
        ):
            self.assertEqual(closed.contains(value), in_closed, value)
            self.assertEqual(open_below.contains(value), in_open, value)
        self.assertEqual(str(closed), "at least 0, at most 1")
        self.assertEqual(str(open_below), "more than 0, at most 1")


class Differences(unittest.TestCase):
    def test_names_of_the_fields_in_the_order_of_the_fields(self):
        other = dataclasses.replace(
            CONFIG, keep_prob=CONFIG.keep_prob._replace(generator=0.8), flag=True, seed=1
        )
        self.assertEqual(CONFIG.differences(other), ["seed", "flag", "keep_prob"])
        self.assertEqual(other.differences(CONFIG), ["seed", "flag", "keep_prob"])
        self.assertEqual(CONFIG.differences(CONFIG), [])

    def test_between_families_fields_of_only_one_of_them_count(self):
        other = OtherConfig(experiment="three_network")
        only_in_one = {"flag", "mode", "note", "widths", "activation", "keep_prob", "margin"}
        differences = CONFIG.differences(other)
        # `weight` has the same value in both; `learning_rate` is a pair here and a triple there.
        self.assertEqual(set(differences), only_in_one | {"learning_rate"})
        self.assertEqual(len(differences), len(set(differences)))
        self.assertEqual(set(other.differences(CONFIG)), set(differences))


class Fields(unittest.TestCase):
    def test_choices_of_a_field(self):
        self.assertEqual(
            config_module.choices_of("dataset"),
            ("auto", "mnist", "strokes", "own", *(known.name for known in KNOWN_SETS)),
        )
        self.assertEqual(config_module.choices_of("split"), ("test", "validation"))
        self.assertEqual(config_module.choices_of("precision"), ("float32", "bfloat16", "auto"))

    def test_types_of_all_fields_in_their_order(self):
        types = config_module.field_types(ExampleConfig)
        self.assertEqual(list(types), [field.name for field in dataclasses.fields(ExampleConfig)])
        self.assertIs(types["flag"], bool)
        self.assertEqual(types["seed"], Annotated[int, Range(0, 2**31 - 1)])


if __name__ == "__main__":
    unittest.main()
