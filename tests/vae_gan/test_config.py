import dataclasses
import unittest
from typing import get_args

from gan3.core.config import field_types
from gan3.core.errors import UserError
from gan3.core.triple import Triple
from gan3.method.config import ThreeNetworkConfig
from gan3.vae_gan.config import VaeGanConfig

CONFIG = VaeGanConfig(experiment="best")


class Fields(unittest.TestCase):
    def test_defaults_are_the_shapes_of_the_description_and_nothing_added(self):
        self.assertEqual(CONFIG.generator_widths, (100, 500, 784))
        self.assertEqual(CONFIG.discriminator_widths, (32, 64, 1024))
        self.assertEqual(CONFIG.determinator_widths, (32, 64, 1024))
        self.assertEqual((CONFIG.kernel_size, CONFIG.downsampling), (5, "pool"))
        self.assertEqual(CONFIG.pixel_layer, "dense")
        for name in ("batch_norm", "shared_noise", "class_conditional_discriminator"):
            self.assertIs(getattr(CONFIG, name), False)
        for name in (*("reconstruction_weight", "reconstruction_adversarial_weight", "ema_decay"),):
            self.assertEqual(getattr(CONFIG, name), 0, name)
        self.assertEqual(CONFIG.lr_decay_start, 1)
        self.assertFalse(CONFIG.depends_on_total_steps)
        self.assertTrue(dataclasses.replace(CONFIG, lr_decay_start=0.9).depends_on_total_steps)

    def test_it_has_every_field_of_the_three_networks_with_the_same_default(self):
        plain = ThreeNetworkConfig(experiment="best")
        for field in dataclasses.fields(plain):
            self.assertEqual(getattr(CONFIG, field.name), getattr(plain, field.name))
        added = {field.name for field in dataclasses.fields(CONFIG)}
        added -= {field.name for field in dataclasses.fields(plain)}
        self.assertEqual(set(CONFIG.differences(plain)), added)
        self.assertEqual(set(plain.differences(CONFIG)), added)

    def test_choices(self):
        types = field_types(VaeGanConfig)
        self.assertEqual(get_args(types["downsampling"]), ("pool", "stride"))
        self.assertEqual(get_args(types["pixel_layer"]), ("dense", "conv_transpose"))

    def test_text(self):
        for key, text, value in (
            ("generator_widths", "20", (20,)),
            ("generator_widths", "1,2,3,4,5,6,7,8192", (1, 2, 3, 4, 5, 6, 7, 8192)),
            ("discriminator_widths", "3,4", (3, 4)),
            ("determinator_widths", "5,6,7", (5, 6, 7)),
            ("kernel_size", "28", 28),
            ("downsampling", "stride", "stride"),
            ("batch_norm", "true", True),
            ("class_conditional_discriminator", "True", True),
            ("pixel_layer", "conv_transpose", "conv_transpose"),
            ("ema_decay", "0.99999", 0.99999),
            ("lr_decay_start", "0", 0.0),
            ("keep_prob.generator", "0.3", CONFIG.keep_prob._replace(generator=0.3)),
            ("learning_rate", "0.1,0.2,0.3", Triple(0.1, 0.2, 0.3)),
        ):
            changed = CONFIG.with_text(key, text)
            self.assertEqual(getattr(changed, key.partition(".")[0]), value)
            self.assertEqual(VaeGanConfig.from_dict(changed.to_dict()), changed)

    def test_what_does_not_fit_is_refused(self):
        for key, text, message in (
            ("generator_widths", "", "1 to 8 whole numbers"),
            ("generator_widths", "100 x", "1 to 8 whole numbers"),
            ("generator_widths", "0", "1 to 8 whole numbers"),
            ("generator_widths", "²", "1 to 8 whole numbers"),
            ("generator_widths", "9" * 5000, "1 to 8 whole numbers"),
            ("generator_widths", "1,2,3,4,5,6,7,8,9", "1 to 8 whole numbers"),
            ("discriminator_widths", "64", "2 to 5 whole numbers"),
            ("determinator_widths", "1,2,3,4,5,6", "2 to 5 whole numbers"),
            ("determinator_widths", "32,8193", "2 to 5 whole numbers from 1 to 8192"),
            ("generator_widths.generator", "20", "one value, not one per network"),
            ("kernel_size", "0", "does not fit"),
            ("kernel_size", "29", "does not fit"),
            ("kernel_size", "4.5", "not a whole number"),
            ("downsampling", "max", "not one of pool, stride"),
            ("reconstruction_weight", "nan", "does not fit"),
            ("code_noise", "-0.1", "at least 0"),
            ("code_noise", "1.1", "at most 1"),
            ("pixel_layer", "conv", "not one of dense, conv_transpose"),
            ("reconstruction_weight", "-1", "at least 0"),
            ("reconstruction_weight", "1001", "at most 1000"),
            ("reconstruction_adversarial_weight", "inf", "does not fit"),
            ("ema_decay", "1", "does not fit"),
            ("lr_decay_start", "1.1", "does not fit"),
            ("lr_decay_start", "-0.1", "does not fit"),
            ("batch_norm", "yes", "not true or false"),
            ("class_conditional_discriminator", "maybe", "not true or false"),
            ("digit_weight", "9" * 5000, "does not fit"),
        ):
            refused = self.assertRaisesRegex(UserError, f"config key {key}.*{message}")
            with self.subTest(key=key, text=text[:50]), refused:
                CONFIG.with_text(key, text)

    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for changes in (
            {"batch_norm": 1},
            {"batch_norm": "true"},
            {"generator_widths": [100, 500]},
            {"generator_widths": 100},
            {"discriminator_widths": (32, True)},
            {"kernel_size": 5.0},
            {"ema_decay": False},
        ):
            with self.subTest(list(changes)), self.assertRaises(UserError):
                dataclasses.replace(CONFIG, **changes)

    def test_fields_of_other_systems_are_unknown(self):
        for key in (
            *("noise_distribution", "real_target", "discriminator_updates", "weight_clip"),
            *("class_weight", "discriminator_keep_prob", "widths"),
        ):
            with self.subTest(key), self.assertRaisesRegex(UserError, f"'{key}': unknown"):
                CONFIG.with_text(key, "1")


if __name__ == "__main__":
    unittest.main()
