import dataclasses
import json
import unittest

from gan3.core.config import Config
from gan3.core.errors import UserError
from gan3.core.triple import Triple

CONFIG = Config(experiment="three_network")


class Records(unittest.TestCase):
    def test_json_and_back_is_the_same_config(self):
        config = dataclasses.replace(CONFIG, seed=7, keep_prob=Triple(0.9, 0.4, 0.25))
        self.assertEqual(Config.from_dict(json.loads(json.dumps(config.to_dict()))), config)

    def test_a_missing_key_takes_its_default_and_an_unknown_one_fails(self):
        self.assertEqual(Config.from_dict({"experiment": "x", "seed": 4}).seed, 4)
        with self.assertRaisesRegex(UserError, "'sed': unknown"):
            Config.from_dict({"experiment": "x", "sed": 4})
        with self.assertRaisesRegex(UserError, "experiment is missing"):
            Config.from_dict({"seed": 4})
        with self.assertRaisesRegex(UserError, "needs the keys generator"):
            Config.from_dict({"experiment": "x", "keep_prob": {"generator": 1.0}})
        for wrong in (None, [], 3, "x"):
            with self.assertRaises(UserError):
                Config.from_dict(wrong)

    def test_frozen(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            CONFIG.seed = 1

    def test_differences_names_the_fields(self):
        other = dataclasses.replace(CONFIG, seed=1, beta1=Triple(0.5, 0.9, 0.9))
        self.assertEqual(CONFIG.differences(other), ["seed", "beta1"])
        self.assertEqual(CONFIG.differences(CONFIG), [])


class TextToValue(unittest.TestCase):
    def test_each_kind(self):
        self.assertEqual(CONFIG.with_text("seed", "12").seed, 12)
        self.assertEqual(CONFIG.with_text("digit_weight", "0.25").digit_weight, 0.25)
        self.assertEqual(CONFIG.with_text("noise_draw", "once").noise_draw, "once")

    def test_triples_take_one_three_or_one_networks_own(self):
        self.assertEqual(CONFIG.with_text("beta1", "0.1").beta1, Triple(0.1, 0.1, 0.1))
        self.assertEqual(CONFIG.with_text("beta1", "0.1,0.2,0.3").beta1, Triple(0.1, 0.2, 0.3))
        own = CONFIG.with_text("beta1.discriminator", "0.2").beta1
        self.assertEqual(own, CONFIG.beta1._replace(discriminator=0.2))

    def test_what_does_not_fit_is_refused_by_name(self):
        for key, text, message in (
            ("sed", "1", "unknown"),
            ("experiment", "x", "unknown"),
            ("seed", "one", "not a whole number"),
            ("seed", "-1", "does not fit"),
            ("seed", str(2**31), "does not fit"),
            ("batches", "0", "does not fit"),
            ("batch_size", "-5", "does not fit"),
            ("episodes", "1.5", "not a whole number"),
            ("keep_prob", "0", "at least 0.01"),
            ("keep_prob", "1e-17", "at least 0.01"),
            ("learning_rate", "0", "more than 0"),
            ("seed", "9" * 400, "does not fit"),
            ("seed", "-" + "9" * 400, "does not fit"),
            ("seed", "9" * 5000, "not a whole number"),
            ("digit_weight", "9" * 400, "does not fit"),
            ("digit_weight", "9" * 5000, "does not fit"),
            ("keep_prob.generator", "1.01", "at most 1"),
            ("learning_rate", "nan", "does not fit"),
            ("digit_weight", "inf", "does not fit"),
            ("beta1", "0.1,0.2", "one value or three"),
            ("beta1.critic", "0.1", "after the dot"),
            ("seed.generator", "1", "one value"),
            ("noise_draw", "never", "not one of example, batch, once"),
            ("activation", "elu,elu,sine", "not one of"),
            ("widths", "", "1 to 8 whole numbers"),
            ("widths.generator", "100 x", "1 to 8 whole numbers"),
            ("widths.generator", "0", "1 to 8 whole numbers"),
            ("widths.generator", "²", "1 to 8 whole numbers"),
            ("widths.generator", "9" * 5000, "1 to 8 whole numbers"),
            ("widths.discriminator", "64", "2 to 5 whole numbers"),
            ("widths.determinator", "1 2 3 4 5 6", "2 to 5 whole numbers"),
            ("kernel", "0", "does not fit"),
            ("average_decay", "1", "does not fit"),
            ("falls_from", "1.1", "does not fit"),
            ("digit_shown", "maybe", "not one of no, yes"),
        ):
            with self.subTest(key=key, text=text[:50]):
                with self.assertRaisesRegex(UserError, message) as raised:
                    CONFIG.with_text(key, text)
                self.assertLess(len(str(raised.exception)), 300)  # a line that can be read

    def test_widths_are_numbers_of_layers(self):
        self.assertEqual(
            CONFIG.layer_widths(), Triple((100, 500, 784), (32, 64, 1024), (32, 64, 1024))
        )
        config = CONFIG.with_text("widths", "20,3 4,5 6 7")
        self.assertEqual(config.layer_widths(), Triple((20,), (3, 4), (5, 6, 7)))

    def test_what_a_system_would_not_heed_is_refused(self):
        heeded = ("keep_prob", "beta1")
        changed = CONFIG.with_text("keep_prob", "0.3").with_text("seed", "5")
        changed.with_text("batches", "7").refuse_others(CONFIG, heeded)
        for key, text in (
            ("average_decay", "0.9"),
            ("widths.generator", "50"),
            ("learning_rate.determinator", "0.5"),
            ("downsampling", "stride"),
        ):
            message = f"{key}: three_network has no such choice; it has keep_prob"
            with self.assertRaisesRegex(UserError, message):
                CONFIG.with_text(key, text).refuse_others(CONFIG, heeded)

    def test_a_network_that_a_system_has_not_is_refused_by_its_name(self):
        heeded = ("keep_prob.generator", "keep_prob.discriminator")
        for text in ("0.3", "0.3,0.4," + str(CONFIG.keep_prob.determinator)):
            CONFIG.with_text("keep_prob", text).refuse_others(CONFIG, heeded)
        CONFIG.with_text("keep_prob.generator", "0.3").refuse_others(CONFIG, heeded)
        for key, text in (("keep_prob.determinator", "0.3"), ("keep_prob", "0.3,0.4,0.9")):
            with self.assertRaisesRegex(UserError, "keep_prob.determinator: three_network has no"):
                CONFIG.with_text(key, text).refuse_others(CONFIG, heeded)

    def test_a_schedule_longer_than_the_seed_can_number_is_refused(self):
        with self.assertRaisesRegex(UserError, "steps; take fewer"):
            dataclasses.replace(CONFIG, episodes=100, batches=10_000_000)

    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for changes in (
            {"seed": True},
            {"seed": 1.0},
            {"keep_prob": 0.5},
            {"split": 3},
            {"seed": 10**400},
            {"digit_weight": 10**400},
            {"seed": 10**5000},
            {"digit_weight": -(10**5000)},
        ):
            with self.subTest(list(changes)), self.assertRaises(UserError):
                dataclasses.replace(CONFIG, **changes)


if __name__ == "__main__":
    unittest.main()
