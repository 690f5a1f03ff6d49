"""The two-network systems: samples, evaluation, state, and the experiments as published."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines.config import (
    AuxiliaryGanConfig,
    BaselineConfig,
)
from gan3.baselines.train_step import to_pixel_range
from gan3.core.classes import DIGITS
from gan3.core.triple import Pair
from gan3.nn.initializers import FanIn, Glorot, Normal, TruncatedNormal
from gan3.runs.registry import build, config_of, generator_of
from tests.support import batch_of

SEED = tf.constant([5, 6])
RATES = Pair(1e-3, 2e-3)
EXPERIMENTS = ("gan_auto_write", "conditional_dcgan", "mlp_gan", "layernorm_gan", "auxiliary_gan")


def plain_system(**fields):
    """The networks of layernorm_gan."""
    config = BaselineConfig(experiment="layernorm_gan", learning_rate=RATES, seed=3, **fields)
    return build(config, DIGITS, "float32")


def system_with_class_head(**changes):
    """The networks of auxiliary_gan."""
    config = AuxiliaryGanConfig(
        experiment="auxiliary_gan",
        seed=3,
        learning_rate=RATES,
        discriminator_keep_prob=0.7,
        class_weight=2.0,
        **changes,
    )
    return build(config, DIGITS, "float32")


class Evaluation(unittest.TestCase):
    def test_real_and_fake_images_are_evaluated_apart(self):
        """Without label smoothing, in the networks' pixel range."""
        images, labels = batch_of(6)
        for system in (plain_system(real_target=0.5), system_with_class_head()):
            scalars = {tag: float(v) for tag, v in system.evaluate(images, labels, SEED).items()}
            fakes = system.generate(labels, system.noise(labels, SEED))[..., None]
            real, fake = (
                system.discriminator.heads(to_pixel_range(part, system.spec.pixel_min), labels)[0]
                for part in (images, fakes)
            )
            real, fake = real.numpy(), fake.numpy()
            expected = {
                "loss/discriminator_real": np.log1p(np.exp(-real)).mean(),
                "loss/discriminator_fake": np.log1p(np.exp(fake)).mean(),
                "loss/generator_real": np.log1p(np.exp(-fake)).mean(),
                "accuracy/discriminator_real": (real > 0).mean(),
                "accuracy/discriminator_fake": (fake < 0).mean(),
            }
            expected["loss/discriminator"] = (
                expected["loss/discriminator_real"] + expected["loss/discriminator_fake"]
            )
            for tag, value in expected.items():
                self.assertAlmostEqual(scalars[tag], value, delta=1e-4, msg=tag)
            self.assertEqual("loss/determinator" in scalars, system.has_classifier)

    def test_nothing_changes(self):
        images, labels = batch_of(6)
        system = system_with_class_head()
        before = {name: v.numpy() for name, v in system.state.items()}
        first, again = (system.evaluate(images, labels, SEED) for _ in range(2))
        for tag, value in first.items():
            self.assertEqual(float(value), float(again[tag]), tag)
        for name, v in system.state.items():
            np.testing.assert_array_equal(v.numpy(), before[name])


class Samples(unittest.TestCase):
    def test_pixels_are_in_0_to_1_whatever_the_generators_range(self):
        labels = tf.range(6)
        for system in (plain_system(), system_with_class_head()):
            noise = system.noise(labels, SEED)
            images = system.generate(labels, noise).numpy()
            self.assertEqual(images.shape, (6, 28, 28))
            self.assertTrue(0 <= images.min() <= images.max() <= 1)
            raw = system.generator(noise, soft_labels=tf.one_hot(labels, 10)).numpy()
            raw, low = raw.reshape(6, 28, 28), system.spec.pixel_min
            np.testing.assert_allclose(images, (raw - low) / (1 - low), atol=1e-6)


class SamplingMoments(unittest.TestCase):
    def test_with_running_moments_a_digit_does_not_depend_on_its_batch(self):
        system, labels = system_with_class_head(), tf.range(6)
        noise = system.noise(labels, SEED)
        alone = system.generate(labels[:1], noise[:1]).numpy()[0]
        np.testing.assert_allclose(system.generate(labels, noise)[0], alone, atol=1e-5)

    def test_with_batch_moments_digits_are_those_of_training_mode(self):
        system, labels = system_with_class_head(sampling_moments="batch"), tf.range(6)
        before = {name: v.numpy() for name, v in system.generator.variables.items()}
        noise = system.noise(labels, SEED)
        drawn = system.generate(labels, noise).numpy()
        for name, value in before.items():
            variable = system.generator.variables[name]
            np.testing.assert_array_equal(variable, value)  # drawing is not training
        alone = system.generate(labels[:1], noise[:1]).numpy()[0]
        self.assertGreater(np.abs(drawn[0] - alone).max(), 0.01)
        trained = system.generator(noise, SEED, tf.one_hot(labels, 10)).numpy()[..., 0]
        np.testing.assert_allclose(drawn, (trained + 1) / 2, atol=1e-5)


class State(unittest.TestCase):
    def test_it_has_every_variable_once(self):
        for updates, adams in (("joint", 2), ("separate", 2), ("separate_adams", 3)):
            system = plain_system(discriminator_updates=updates)
            self.assertEqual(len(system.optimizers), adams)
            networks = system.generator, system.discriminator
            variables = [v for network in networks for v in network.variables.values()]
            variables += [v for adam in system.optimizers for v in adam.state]
            self.assertEqual({id(v) for v in variables}, {id(v) for v in system.state.values()})
            self.assertEqual(len(variables), len(system.state))

    def test_each_network_has_its_own_rates(self):
        system = plain_system(beta1=Pair(0.4, 0.6), discriminator_updates="separate_adams")
        for adam, rate, beta1 in zip(
            system.optimizers, (1e-3, 2e-3, 2e-3), (0.4, 0.6, 0.6), strict=True
        ):
            before = adam.variables[-1].numpy()
            adam.apply([tf.ones_like(w) for w in adam.variables])
            np.testing.assert_allclose(before - adam.variables[-1].numpy(), rate, rtol=1e-3)
            np.testing.assert_allclose(adam.m[-1], 1 - beta1, rtol=1e-6)


class Experiments(unittest.TestCase):
    def test_budgets_are_200_000_images(self):
        for name in EXPERIMENTS:
            config = config_of(name)
            images = config.episodes * config.batches * config.batch_size
            if name == "layernorm_gan":  # eight epochs, as published
                self.assertEqual(images, 8 * 60_000)
            else:
                self.assertTrue(200_000 <= images < 201_000, name)

    def test_they_are_built_as_published(self):
        conditional = {"conditional_dcgan", "auxiliary_gan"}
        moments = {"gan_auto_write": "batch", "conditional_dcgan": "batch"}
        moments["auxiliary_gan"] = "running"
        for name, initializer, pixel_min in (
            ("gan_auto_write", TruncatedNormal, 0),
            ("conditional_dcgan", Normal, -1),
            ("mlp_gan", FanIn, -1),
            ("layernorm_gan", FanIn, 0),
            ("auxiliary_gan", Glorot, -1),
        ):
            config = config_of(name)
            system, spec = build(config, DIGITS, "float32"), generator_of(config, DIGITS)
            for network in (system.generator, system.discriminator):
                self.assertIs(type(network._init), initializer, name)
            self.assertEqual(system.spec, spec)
            self.assertEqual(spec.class_conditional, name in conditional)
            self.assertEqual(system.has_classifier, name == "auxiliary_gan")
            self.assertEqual(spec.moments, moments.get(name), name)
            self.assertEqual(spec.noise_distribution, config.noise_distribution)
            self.assertEqual(spec.pixel_min, pixel_min)
            self.assertEqual(len(system.optimizers), 3 if name == "gan_auto_write" else 2)
            names = set(system.state)
            self.assertLess(set(system.generator_weights), names)
            prefixes = {name.split("/")[0] for name in names}
            prefixes.discard("last_loss")  # "by_loss" alone has it
            self.assertEqual(prefixes, {"generator", "discriminator", "adam"})

    def test_dropout_is_that_of_the_config(self):
        config = config_of("mlp_gan").with_text("keep_prob", "0.6,0.8")
        system = build(config, DIGITS, "float32")
        for network, keep_prob in ((system.generator, 0.6), (system.discriminator, 0.8)):
            keep_probs = [spec.keep_prob for spec in network.specs]
            self.assertEqual(keep_probs, [keep_prob] * 3 + [1])
        config = config_of("auxiliary_gan").with_text("discriminator_keep_prob", "0.4")
        system = build(config, DIGITS, "float32")
        keep_probs = [spec.keep_prob for spec in system.discriminator.specs]
        self.assertEqual(keep_probs, [0.4] * 4 + [1, 1])
