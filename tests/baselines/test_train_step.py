"""Laws of the two-network step: who moves, by which loss, and what each practice means."""

import dataclasses
import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines import networks as baseline_networks
from gan3.baselines.train_step import UPDATES, Practice, TwoNetworks
from gan3.core.errors import UserError
from gan3.core.triple import Triple
from gan3.nn.initializers import FanIn, Glorot, Normal, TruncatedNormal
from gan3.runs.registry import builder_of, config_of
from tests.support import batch_of

SEED = tf.constant([5, 6])
PLAIN = Practice(learning_rate=Triple(1e-3, 2e-3, 9.0), beta1=Triple(0.5, 0.5, 9.0))
CLASSES = dataclasses.replace(
    PLAIN, pixel_min=-1.0, class_conditional=True, own_labels=True, class_weight=2.0
)
SYSTEMS = ("gan_auto_write", "conditional_dcgan", "mlp_gan", "layernorm_gan", "auxiliary_gan")


def system_of(practice=PLAIN, seed=3, keep_prob=0.7):
    """Of layernorm_gan's networks; of auxiliary_gan's where there is a class head."""
    if practice.class_weight:
        critic = baseline_networks.AuxiliaryDiscriminator(Glorot(seed), keep_prob)
        return TwoNetworks(baseline_networks.AuxiliaryGenerator(Glorot(seed)), critic, practice)
    init = FanIn(seed)
    return TwoNetworks(
        baseline_networks.LayerNormGenerator(init),
        baseline_networks.LayerNormDiscriminator(init),
        practice,
    )


def stepper(system, count=6):
    images, labels = batch_of(count)
    return tf.function(lambda seed: system.step(images, labels, seed), autograph=False)


def values_of(variables):
    return {w.name: w.numpy() for w in variables}


def moved(before, after):
    return {name for name in before if not np.array_equal(before[name], after[name])}


class Step(unittest.TestCase):
    def test_each_loss_moves_its_own_network(self):
        """With one of the two rates at nothing only the other network moves."""
        for idle, busy in (("generator", "discriminator"), ("discriminator", "generator")):
            rates = PLAIN.learning_rate._replace(**{idle: 0.0})
            for updates in UPDATES:
                practice = dataclasses.replace(PLAIN, learning_rate=rates, updates=updates)
                system = system_of(practice)
                networks = {"generator": system.generator, "discriminator": system.discriminator}
                before = {role: values_of(n.weights) for role, n in networks.items()}
                stepper(system)(SEED)
                after = {role: values_of(n.weights) for role, n in networks.items()}
                self.assertEqual(moved(before[idle], after[idle]), set())
                self.assertEqual(moved(before[busy], after[busy]), set(before[busy]), updates)

    def test_the_seed_decides(self):
        states = []
        for seed in (SEED, SEED, SEED + 1):
            system = system_of()
            stepper(system)(seed)
            states.append({name: v.numpy() for name, v in system.state.items()})
        for name, value in states[0].items():
            np.testing.assert_array_equal(value, states[1][name], name)
        self.assertTrue(moved(states[0], states[2]))

    def test_what_is_not_finite_is_named(self):
        system = system_of()
        good = stepper(system)(SEED)
        self.assertEqual({k: bool(v) for k, v in good.items()}, dict.fromkeys(good, True))
        self.assertEqual(set(good), {"generator", "discriminator"})
        system.discriminator.logits[1].assign([np.nan])
        self.assertFalse(bool(stepper(system)(SEED)["discriminator"]))

    def test_once_is_one_update_of_the_sum_and_twice_are_two(self):
        for updates, steps in zip(UPDATES, ([1], [2], [1, 1]), strict=True):
            system = system_of(dataclasses.replace(PLAIN, updates=updates))
            stepper(system)(SEED)
            counts = [
                int(v) for name, v in system.state.items()
                if name.startswith("adam/discriminator") and name.endswith("/steps")
            ]  # fmt: skip
            self.assertEqual(counts, steps, updates)
        with self.assertRaises(ValueError):
            system_of(dataclasses.replace(PLAIN, updates="three"))

    def test_weights_are_clipped_before_the_update_and_moved_by_it(self):
        system = system_of(dataclasses.replace(PLAIN, clip=0.01))
        stepper(system)(SEED)
        largest = max(float(np.abs(w).max()) for w in system.discriminator.weights)
        rate = PLAIN.learning_rate.discriminator  # which Adam's first step goes, to a hair
        self.assertGreater(largest, 0.01)
        self.assertLessEqual(largest, 0.01 + 1.001 * rate)
        self.assertGreater(max(float(np.abs(w).max()) for w in system.generator.weights), 0.05)

    def test_smoothed_targets_raise_the_loss_of_a_sure_discriminator(self):
        """At a logit of z the cross entropy to a target t is softplus(z) - t z."""
        system = system_of(dataclasses.replace(PLAIN, real_target=0.9, updates="two"))
        gradients = {}
        for target in (1.0, 0.9):
            system = system_of(dataclasses.replace(PLAIN, real_target=target))
            w, b = system.discriminator.logits
            w.assign(tf.zeros_like(w))
            b.assign([3.0])
            stepper(system)(SEED)
            gradients[target] = system._adams["discriminator"].m[-1].numpy() / (1 - 0.5)
        real = 1 / (1 + math.exp(-3.0))
        for target, gradient in gradients.items():  # of real and of fake, both at a logit of 3
            np.testing.assert_allclose(gradient, [(real - target) + real], rtol=1e-5)

    def test_digits_of_fakes_are_those_of_the_batch_or_their_own(self):
        labels = tf.zeros([2000], tf.int32)
        system = system_of()
        system.generator = lambda noise, soft_labels, train, seed: tf.argmax(soft_labels, axis=1)
        np.testing.assert_array_equal(system._fakes(labels, SEED)[0], labels)
        system._practice = dataclasses.replace(PLAIN, own_labels=True)
        images, asked = system._fakes(labels, SEED)
        np.testing.assert_array_equal(images, asked)
        counts = np.bincount(asked.numpy(), minlength=10)
        self.assertEqual(len(counts), 10)
        self.assertLess(np.abs(counts - 200).max(), 5 * math.sqrt(200 * 0.9))  # of a fair die


class ClassHead(unittest.TestCase):
    def test_it_learns_from_real_digits_only_and_steers_the_generator(self):
        images, labels = batch_of(6)
        system = system_of(CLASSES, keep_prob=1.0)
        w, b = system.discriminator.digits
        self.assertTrue(system.has_classifier)

        def gradients():
            def make():
                fakes, _ = system._fakes(labels, SEED)
                logits, _ = system.discriminator.heads(fakes, True, SEED)
                return [
                    tf.gradients(system._generator_loss(labels, SEED), system.generator.pixels)[0],
                    tf.gradients(tf.reduce_sum(logits), [w, b]),
                ]

            return tf.function(make, autograph=False)()

        with_head, of_head = gradients()
        self.assertEqual(of_head, [None, None])  # the real/fake head does not pass through it
        w.assign(tf.zeros_like(w))
        self.assertFalse(np.allclose(with_head, gradients()[0]))
        # One step from equal digit logits moves each bias against softmax - one-hot of the real.
        b.assign(tf.zeros([10]))
        stepper(system)(SEED)
        expected = 2.0 * (0.1 - np.bincount(labels.numpy(), minlength=10) / 6)
        adam = system._adams["discriminator"]
        place = [v is b for v in adam.variables].index(True)
        np.testing.assert_allclose(adam.m[place].numpy() / (1 - 0.5), expected, atol=1e-6)

    def test_reading(self):
        images, _ = batch_of(6)
        probabilities = system_of(CLASSES).classify(images).numpy()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


class Evaluation(unittest.TestCase):
    def test_logits_of_zero_have_the_losses_of_a_coin(self):
        images, labels = batch_of(6)
        for practice in (PLAIN, CLASSES):
            system = system_of(practice)
            for layer in ("logits", "digits") if practice.class_weight else ("logits",):
                for variable in getattr(system.discriminator, layer):
                    variable.assign(tf.zeros_like(variable))
            found = {tag: float(v) for tag, v in system.evaluate(images, labels, SEED).items()}
            coin = math.log(2)
            self.assertAlmostEqual(found["loss/discriminator"], 2 * coin, places=5)
            for tag in ("discriminator_real", "discriminator_fake", "generator_real"):
                self.assertAlmostEqual(found[f"loss/{tag}"], coin, places=5)
            heads = {"loss/determinator", "loss/generator_digit"}
            self.assertEqual(heads <= set(found), bool(practice.class_weight))
            for tag in heads & set(found):
                self.assertAlmostEqual(found[tag], math.log(10), places=5)

    def test_what_leaves_generate_is_in_0_to_1_and_what_enters_is_in_the_networks_range(self):
        images, labels = batch_of(6)
        system = system_of(CLASSES)
        drawn = system.generate(labels, system.noise(labels, SEED)).numpy()
        self.assertEqual(drawn.shape, (6, 28, 28))
        self.assertTrue(0 <= drawn.min() <= drawn.max() <= 1)
        own = system._own(images).numpy()
        self.assertEqual((own.min(), own.max()), (-1, 2 * images.numpy().max() - 1))

    def test_noise(self):
        labels = tf.zeros([5000], tf.int32)
        normal = system_of().noise(labels, SEED).numpy()
        self.assertEqual(normal.shape, (5000, 100))
        self.assertAlmostEqual(normal.std(), 1, delta=0.01)
        uniform = system_of(dataclasses.replace(PLAIN, draw="uniform")).noise(labels, SEED).numpy()
        self.assertTrue(-1 <= uniform.min() < -0.99 < 0.99 < uniform.max() <= 1)
        self.assertAlmostEqual(uniform.std(), 1 / math.sqrt(3), delta=0.01)


class Experiments(unittest.TestCase):
    def test_budgets_are_200_000_images(self):
        for name in SYSTEMS:
            config = config_of(name)
            images = config.episodes * config.batches * config.batch_size
            self.assertTrue(200_000 <= images < 201_000, name)

    def test_they_train_as_published(self):
        """DESIGN 1.2, Keras' example of an AC-GAN; layernorm_gan's rate is our own choice."""
        own = dict.fromkeys(SYSTEMS, {})
        own["gan_auto_write"] = {"updates": "two, an Adam each"}
        own["conditional_dcgan"] = {"lowest": -1.0, "own_labels": True, "clip": 0.01}
        own["mlp_gan"] = {"lowest": -1.0, "real_target": 0.9, "draw": "uniform"}
        own["layernorm_gan"] = {"updates": "two"}
        own["auxiliary_gan"] = {
            **{"lowest": -1.0, "own_labels": True, "real_target": 0.95, "draw": "uniform"},
            "class_weight": 2.0,
        }
        for name, rate_g, rate_d, beta1, batch, start in (
            ("gan_auto_write", 1e-4, 3e-4, 0.9, 50, TruncatedNormal),
            ("conditional_dcgan", 2e-4, 2e-4, 0.9, 64, Normal),
            ("mlp_gan", 2e-3, 2e-3, 0.9, 100, FanIn),
            ("layernorm_gan", 1e-4, 1e-4, 0.9, 100, FanIn),
            ("auxiliary_gan", 2e-4, 2e-4, 0.5, 100, Glorot),
        ):
            config = config_of(name)
            system = builder_of(name)(config, "float32")
            expected = Practice(
                learning_rate=Triple(rate_g, rate_d, config.learning_rate.determinator),
                beta1=Triple(beta1, beta1, config.beta1.determinator),
                class_conditional=name in ("conditional_dcgan", "auxiliary_gan"),
                **own[name],
            )
            self.assertEqual(system._practice, expected, name)
            self.assertEqual(config.batch_size, batch, name)
            for network in (system.generator, system.discriminator):
                self.assertIs(type(network._init), start, name)

    def test_what_they_would_not_heed_is_refused(self):
        for name in SYSTEMS:
            config = config_of(name)
            for key, text in (
                *(("digit_weight", "2"), ("noise_draw", "once"), ("kernel", "3")),
                *(("learning_rate.determinator", "0.2"), ("beta1.determinator", "0.1")),
            ):
                with self.assertRaisesRegex(UserError, f"{name} has no such choice"):
                    builder_of(name)(config.with_text(key, text), "float32")

    def test_what_can_be_asked_of_them(self):
        asked = {"conditional_dcgan", "auxiliary_gan"}
        for name in SYSTEMS:
            system = builder_of(name)(config_of(name), "float32")
            self.assertEqual(system.class_conditional, name in asked)
            self.assertEqual(system.has_classifier, name == "auxiliary_gan")
            names = set(system.state)
            self.assertLess(set(system.generator_weights), names)
            self.assertTrue(all(n.split("/")[0] in Triple._fields + ("adam",) for n in names))


if __name__ == "__main__":
    unittest.main()
