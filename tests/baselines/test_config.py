import dataclasses
import unittest

from gan3.baselines.config import AuxiliaryGanConfig, BaselineConfig, MlpGanConfig
from gan3.core.errors import UserError
from gan3.core.triple import Pair, Triple

RATES = Pair(1e-4, 3e-4)
PLAIN = BaselineConfig(experiment="gan_auto_write", learning_rate=RATES)
MLP = MlpGanConfig(experiment="mlp_gan", learning_rate=RATES, keep_prob=Pair(0.7, 0.6))
AUXILIARY = AuxiliaryGanConfig(
    experiment="auxiliary_gan", learning_rate=RATES, discriminator_keep_prob=0.7, class_weight=2.0
)
FAMILIES = (PLAIN, MLP, AUXILIARY)


class Fields(unittest.TestCase):
    def test_what_a_publication_decides_has_no_default(self):
        for kind, missing in (
            (BaselineConfig, {"learning_rate": RATES}),
            (MlpGanConfig, {"learning_rate": RATES, "keep_prob": Pair(1.0, 1.0)}),
            (
                AuxiliaryGanConfig,
                {"learning_rate": RATES, "discriminator_keep_prob": 1.0, "class_weight": 1.0},
            ),
        ):
            kind(experiment="x", **missing)
            for name in missing:
                others = {key: value for key, value in missing.items() if key != name}
                with self.assertRaisesRegex(TypeError, name):
                    kind(experiment="x", **others)

    def test_text(self):
        for config, key, text, value in (
            (PLAIN, "learning_rate", "0.1", Pair(0.1, 0.1)),
            (PLAIN, "learning_rate", "0.1,0.2", Pair(0.1, 0.2)),
            (PLAIN, "learning_rate.generator", "0.1", Pair(0.1, 3e-4)),
            (PLAIN, "beta1.discriminator", "0.5", Pair(0.9, 0.5)),
            (PLAIN, "noise_distribution", "uniform", "uniform"),
            (PLAIN, "real_target", "0.9", 0.9),
            (PLAIN, "discriminator_updates", "separate", "separate"),
            (PLAIN, "discriminator_updates", "separate_adams", "separate_adams"),
            (PLAIN, "weight_clip", "0.01", 0.01),
            (MLP, "keep_prob", "0.3", Pair(0.3, 0.3)),
            (MLP, "keep_prob.generator", "0.3", Pair(0.3, 0.6)),
            (AUXILIARY, "discriminator_keep_prob", "0.3", 0.3),
            (AUXILIARY, "class_weight", "0.5", 0.5),
        ):
            changed = config.with_text(key, text)
            self.assertEqual(getattr(changed, key.partition(".")[0]), value)
            self.assertEqual(type(config).from_dict(changed.to_dict()), changed)

    def test_what_does_not_fit_is_refused(self):
        for config, key, text, message in (
            (PLAIN, "learning_rate", "0", "more than 0"),
            (PLAIN, "learning_rate", "0.1,0.2,0.3", "one value or 2 with commas"),
            (PLAIN, "learning_rate.generator", "1.1", "at most 1"),
            (PLAIN, "beta1", "1", "at most 0.9999"),
            (PLAIN, "noise_distribution", "cauchy", "not one of normal, uniform"),
            (PLAIN, "real_target", "1.1", "at least 0, at most 1"),
            (PLAIN, "discriminator_updates", "three", "one of joint, separate, separate_adams"),
            (PLAIN, "weight_clip", "-0.01", "at least 0"),
            (MLP, "keep_prob.generator", "0", "at least 0.01"),
            (MLP, "keep_prob", "0.3,0.4,0.9", "one value or 2 with commas"),
            (AUXILIARY, "discriminator_keep_prob", "1.01", "at most 1"),
            (AUXILIARY, "discriminator_keep_prob.generator", "1", "has one value"),
            (AUXILIARY, "class_weight", "inf", "does not fit"),
        ):
            refused = self.assertRaisesRegex(UserError, f"config key {key}.*{message}")
            with self.subTest(key=key, text=text), refused:
                config.with_text(key, text)

    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for config, changes in (
            (PLAIN, {"learning_rate": Triple(1e-4, 1e-4, 1e-4)}),
            (PLAIN, {"learning_rate": 1e-4}),
            (PLAIN, {"beta1": (0.5, 0.5)}),
            (PLAIN, {"real_target": True}),
            (MLP, {"keep_prob": 0.5}),
            (AUXILIARY, {"discriminator_keep_prob": Pair(0.5, 0.5)}),
        ):
            with self.subTest(list(changes)), self.assertRaises(UserError):
                dataclasses.replace(config, **changes)


class OtherFamilies(unittest.TestCase):
    def test_there_is_no_determinator(self):
        for config in FAMILIES:
            for field in ("learning_rate", "beta1"):
                message = f"{field}.determinator: after the dot one of generator, discriminator$"
                with self.assertRaisesRegex(UserError, message):
                    config.with_text(f"{field}.determinator", "0.2")
        with self.assertRaisesRegex(UserError, "keep_prob.determinator: after the dot"):
            MLP.with_text("keep_prob.determinator", "0.3")

    def test_fields_of_the_three_networks_are_unknown(self):
        for config in FAMILIES:
            for key, text in (
                *(("digit_weight", "2"), ("noise_draw", "once"), ("kernel_size", "3")),
                *(("l1_weight", "0.1"), ("activation", "relu"), ("initializer", "glorot")),
                *(("digit_loss", "softmax_mean"), ("generator_widths", "50")),
                *(("ema_decay", "0.9"), ("downsampling", "stride"), ("batch_norm", "true")),
            ):
                refused = self.assertRaisesRegex(UserError, f"config key '{key}': unknown")
                with self.subTest(config.experiment, key=key), refused:
                    config.with_text(key, text)

    def test_fields_of_other_baselines_are_unknown(self):
        of_one = {"keep_prob": MLP, "discriminator_keep_prob": AUXILIARY, "class_weight": AUXILIARY}
        for key, owner in of_one.items():
            for config in FAMILIES:
                if config is not owner:
                    with self.assertRaisesRegex(UserError, f"'{key}': unknown; the nearest are"):
                        config.with_text(key, "0.5")

    def test_differences_between_them(self):
        self.assertEqual(set(PLAIN.differences(MLP)), {"experiment", "keep_prob"})
        self.assertEqual(
            set(MLP.differences(AUXILIARY)),
            {"experiment", "keep_prob"}
            | {"discriminator_keep_prob", "class_weight", "sampling_moments"},
        )


if __name__ == "__main__":
    unittest.main()
