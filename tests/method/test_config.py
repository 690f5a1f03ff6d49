import dataclasses
import unittest
from typing import get_args

import tensorflow as tf

from gan3.core.config import field_types
from gan3.core.errors import UserError
from gan3.core.triple import Pair, Triple
from gan3.method import losses
from gan3.method.config import Activation, ThreeNetworkConfig
from gan3.method.noise import Noise
from gan3.nn.initializers import INITIALIZERS
from gan3.nn.layers import ACTIVATIONS

CONFIG = ThreeNetworkConfig(experiment="three_network")


class Fields(unittest.TestCase):
    def test_defaults_are_the_constants_of_the_2017_script(self):
        self.assertEqual(CONFIG.activation, Triple("elu", "elu", "elu"))
        self.assertEqual(CONFIG.keep_prob, Triple(0.5, 0.5, 0.5))
        self.assertEqual(CONFIG.l1_weight, Triple(0.001, 0.001, 0.001))
        self.assertEqual(CONFIG.learning_rate, Triple(0.001, 0.001, 0.001))
        self.assertEqual(CONFIG.beta1, Triple(0.9, 0.9, 0.9))
        self.assertEqual((CONFIG.noise_draw, CONFIG.digit_weight), ("example", 1.0))

    def test_every_choice_is_one_that_the_method_has(self):
        types = field_types(ThreeNetworkConfig)
        self.assertEqual(set(get_args(Activation)), set(ACTIVATIONS))
        self.assertEqual(set(get_args(types["initializer"])), set(INITIALIZERS))
        labels, seed = tf.constant([1, 1]), tf.constant([3, 4])
        rows = {
            draw: Noise(draw, 0, 10)(labels, seed).numpy() for draw in get_args(types["noise_draw"])
        }
        self.assertEqual(set(rows), {"example", "once"})
        self.assertEqual(len({noise.tobytes() for noise in rows.values()}), 2)
        found = {
            form: float(
                losses.digit_cross_entropy(tf.zeros([3, 10]), tf.zeros([3], tf.int32), form)
            )
            for form in get_args(types["digit_loss"])
        }
        self.assertEqual(set(found), {"softmax_mean", "sigmoid_sum"})
        self.assertEqual(len(set(found.values())), 2)

    def test_text(self):
        for key, text, value in (
            ("noise_draw", "once", "once"),
            ("initializer", "published", "published"),
            ("digit_loss", "sigmoid_sum", "sigmoid_sum"),
            ("digit_weight", "0.25", 0.25),
            ("beta1", "0.1", Triple(0.1, 0.1, 0.1)),
            ("beta1", "0.1,0.2,0.3", Triple(0.1, 0.2, 0.3)),
            ("beta1.discriminator", "0.2", CONFIG.beta1._replace(discriminator=0.2)),
            ("activation.generator", "relu", Triple("relu", "elu", "elu")),
        ):
            changed = CONFIG.with_text(key, text)
            self.assertEqual(getattr(changed, key.partition(".")[0]), value)

    def test_what_does_not_fit_is_refused(self):
        for key, text, message in (
            ("keep_prob", "0", "at least 0.01"),
            ("keep_prob", "1e-17", "at least 0.01"),
            ("keep_prob.generator", "1.01", "at most 1"),
            ("l1_weight", "-1e-9", "at least 0, at most 1"),
            ("l1_weight.discriminator", "1.1", "at most 1"),
            ("learning_rate", "0", "more than 0"),
            ("learning_rate", "nan", "does not fit"),
            ("learning_rate.determinator", "1.1", "at most 1"),
            ("beta1", "1", "at most 0.9999"),
            ("beta1", "-0.1", "at least 0"),
            ("beta1", "0.1,0.2", "one value or 3"),
            ("beta1.critic", "0.1", "after the dot"),
            ("noise_draw", "never", "not one of example, once"),
            ("initializer", "zeros", "not one of glorot, published"),
            ("activation", "elu,elu,sine", "not one of elu, relu, leaky_relu"),
            ("digit_loss", "mean", "not one of softmax_mean, sigmoid_sum"),
            ("digit_weight", "inf", "does not fit"),
            ("digit_weight", "1000.1", "at most 1000"),
            ("digit_weight", "9" * 400, "does not fit"),
            ("digit_weight", "9" * 5000, "does not fit"),
        ):
            refused = self.assertRaisesRegex(UserError, f"config key {key}.*{message}")
            with self.subTest(key=key, text=text[:50]), refused:
                CONFIG.with_text(key, text)

    def test_values_of_the_wrong_type_are_refused_in_code_too(self):
        for changes in (
            {"keep_prob": 0.5},
            {"beta1": Pair(0.5, 0.5)},
            {"digit_weight": True},
            {"digit_weight": 10**400},
            {"digit_weight": -(10**5000)},
            {"noise_draw": None},
        ):
            with self.subTest(list(changes)), self.assertRaises(UserError):
                dataclasses.replace(CONFIG, **changes)

    def test_fields_of_other_systems_are_unknown(self):
        for key in (
            *("kernel_size", "generator_widths", "downsampling", "batch_norm"),
            *("class_conditional_discriminator", "pixel_layer", "code_noise"),
            *("reconstruction_weight", "ema_decay", "lr_decay_start", "noise_distribution"),
            *("real_target", "discriminator_updates", "weight_clip", "class_weight"),
        ):
            with self.subTest(key), self.assertRaisesRegex(UserError, f"'{key}': unknown"):
                CONFIG.with_text(key, "1")


if __name__ == "__main__":
    unittest.main()
