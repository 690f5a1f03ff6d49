"""The training step of the two-network systems: which update moves what, by which loss."""

import dataclasses
import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines.config import AuxiliaryGanConfig, BaselineConfig
from gan3.baselines.train_step import draw_noise, to_pixel_range
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import Dense
from gan3.runs.registry import build, config_of
from tests.support import batch_of, changed, in_graph, slow, state_of

SEED = tf.constant([5, 6])
PLAIN = BaselineConfig(
    experiment="layernorm_gan", learning_rate=Pair(1e-3, 2e-3), beta1=Pair(0.5, 0.5)
)
WITH_CLASS_HEAD = AuxiliaryGanConfig(
    experiment="auxiliary_gan",
    learning_rate=Pair(1e-3, 2e-3),
    beta1=Pair(0.5, 0.5),
    discriminator_keep_prob=1.0,
    class_weight=2.0,
)
LAST_BIAS = 3  # among the weights of layernorm_gan's discriminator
UPDATES = ("joint", "separate", "separate_adams")


def system_of(config=PLAIN, seed=3):
    """The networks of auxiliary_gan if there is a class head, else those of layernorm_gan."""
    return build(dataclasses.replace(config, seed=seed), DIGITS, "float32")


def logits_of(system, head="logits"):
    """Weights and biases of the discriminator's last layer."""
    return [system.discriminator.variables[f"discriminator/{head}/{part}"] for part in "wb"]


def train(system, seed=SEED):
    """One training step on six images."""
    images, labels = batch_of(6)
    return in_graph(lambda: system.train_step(images, labels, seed))


class Step(unittest.TestCase):
    @slow("a minute")
    def test_in_every_system_each_update_moves_only_the_weights_of_its_own_network(self):
        """In training mode images also move the running moments of the networks they pass."""
        images, labels = batch_of(6)
        names = ("gan_auto_write", "conditional_dcgan", "mlp_gan", "auxiliary_gan", "wgan_gp")
        configs = [config_of(name) for name in names]
        configs += [dataclasses.replace(PLAIN, discriminator_updates=kind) for kind in UPDATES]
        for config in configs:
            system = build(config, DIGITS, "float32")
            step = system.train_step
            real = to_pixel_range(images, system.spec.pixel_min)
            networks = (system.generator, system.discriminator)
            variables = [name for network in networks for name in network.variables]
            moments = {name for name in variables if name.endswith(("/mean", "/variance"))}
            for role, update in (
                ("generator", lambda s=step: s.update("generator", s.generator_loss(labels, SEED))),
                ("discriminator", lambda s=step, r=real: s.update_discriminator(r, labels, SEED)),
            ):
                before = state_of(system)
                self.assertTrue(in_graph(update))
                moved = changed(before, state_of(system))
                own = {key for key in before if key.startswith((role, f"adam/{role}"))}
                with self.subTest(config.experiment, of=config.discriminator_updates, update=role):
                    self.assertLessEqual(moved - moments, own)
                    weights = {v.name.partition(":")[0] for v in getattr(system, role).weights}
                    self.assertGreater(len(moved & weights), len(weights) / 2)

    @slow("ten seconds")
    def test_the_discriminator_sees_real_images_then_fakes_and_the_generator_draws_others(self):
        images, labels = batch_of(6)
        for updates, expected in (
            ("joint", ["real", "fake", "discriminator", "fake", "generator"]),
            ("separate", ["real", "discriminator", "fake", "discriminator", "fake", "generator"]),
            (
                "separate_adams",
                ["real", "discriminator", "fake", "discriminator_fake", "fake", "generator"],
            ),
        ):
            with self.subTest(updates):
                events, seen = self.events_of_a_step(updates, images, labels)
                self.assertEqual(events, expected)
                self.assertGreater(np.abs(seen[1] - seen[2]).max(), 1e-3)

    def events_of_a_step(self, updates, images, labels):
        """What the discriminator is given and which Adam moves, in order; and the images."""
        step = system_of(dataclasses.replace(PLAIN, discriminator_updates=updates)).train_step
        discriminator, update = step.discriminator, step.update
        seen, log = [], []

        class Recorder:
            weights = discriminator.weights
            update_directions = discriminator.update_directions

            def heads(self, given, *inputs):
                seen.append(given)
                log.append("images")
                return discriminator.heads(given, *inputs)

        def update_and_note(adam, loss):
            log.append(adam)
            return update(adam, loss)

        def of_step():
            seen.clear()  # a graph may be traced twice
            log.clear()
            step(images, labels, SEED)
            return list(seen)

        step.discriminator, step.update = Recorder(), update_and_note
        values = [value.numpy() for value in in_graph(of_step)]
        kinds = iter(["real" if np.array_equal(v, images) else "fake" for v in values])
        return [next(kinds) if event == "images" else event for event in log], values

    def test_the_generators_loss_is_that_of_images_which_pass_as_real(self):
        """At a logit of z that is softplus(-z), whatever the target of real images."""
        _, labels = batch_of(6)
        for target, logit in ((1.0, 3.0), (0.9, -2.0)):
            system = system_of(dataclasses.replace(PLAIN, real_target=target))
            w, b = logits_of(system)
            w.assign(tf.zeros_like(w))
            b.assign([logit])
            loss = system.train_step.generator_loss(labels, SEED)
            self.assertAlmostEqual(float(loss), math.log1p(math.exp(-logit)), delta=1e-5)

    @slow("trains two systems")
    def test_the_seed_decides(self):
        states = []
        for seed in (SEED, SEED, SEED + 1):
            system = system_of()
            train(system, seed)
            states.append(state_of(system))
        for name, value in states[0].items():
            np.testing.assert_array_equal(value, states[1][name], name)
        self.assertTrue(changed(states[0], states[2]))

    @slow("ten seconds")
    def test_what_is_not_finite_is_returned_by_network(self):
        images, labels = batch_of(6)
        for updates in UPDATES:
            system = system_of(dataclasses.replace(PLAIN, discriminator_updates=updates))
            step = tf.function(system.train_step, autograph=False)
            finite = step(images, labels, SEED)
            self.assertEqual({k: bool(v) for k, v in finite.items()}, dict.fromkeys(finite, True))
            self.assertEqual(set(finite), {"generator", "discriminator"})
            logits_of(system)[1].assign([np.nan])
            self.assertFalse(bool(step(images, labels, SEED)["discriminator"]), updates)

    @slow("ten seconds")
    def test_a_step_moves_both_networks_the_discriminator_once_or_on_each_kind_of_image(self):
        for updates, steps in zip(UPDATES, ([2], [4], [2, 2]), strict=True):
            system = system_of(dataclasses.replace(PLAIN, discriminator_updates=updates))
            before = state_of(system)
            train(system)
            train(system)  # the first steps of two Adams can cancel each other
            self.assertEqual(changed(before, state_of(system)), set(before), updates)
            self.assertEqual(int(system.optimizers[0].steps), 2)
            counts = [
                int(v) for name, v in system.state.items()
                if name.startswith("adam/discriminator") and name.endswith("/steps")
            ]  # fmt: skip
            self.assertEqual(counts, steps, updates)
        with self.assertRaises(UserError):
            system_of(dataclasses.replace(PLAIN, discriminator_updates="three"))

    def test_of_separate_adams_one_has_the_loss_of_real_and_one_that_of_fake_images(self):
        system = system_of(dataclasses.replace(PLAIN, discriminator_updates="separate_adams"))
        w, b = logits_of(system)
        w.assign(tf.zeros_like(w))
        b.assign([0.0])
        images, labels = batch_of(6)
        in_graph(lambda: system.train_step.update_discriminator(images, labels, SEED))
        real, fake = (
            float(system.train_step.adams[name].m[LAST_BIAS][0]) / (1 - 0.5)
            for name in ("discriminator", "discriminator_fake")
        )
        self.assertAlmostEqual(real, -0.5, delta=1e-6)  # sigmoid(0) - 1
        # sigmoid(0) - 0, but for the update on real images before it.
        self.assertAlmostEqual(fake, 0.5, delta=0.1)

    def test_weights_are_clipped_before_the_update(self):
        system = system_of(dataclasses.replace(PLAIN, weight_clip=0.01))
        train(system)
        largest = max(float(np.abs(w).max()) for w in system.discriminator.weights)
        rate = PLAIN.learning_rate.discriminator  # the size of Adam's first step
        self.assertGreater(largest, 0.01)
        self.assertLessEqual(largest, 0.01 + 1.001 * rate)
        self.assertGreater(max(float(np.abs(w).max()) for w in system.generator.weights), 0.05)

    def test_smoothed_targets_raise_the_loss_of_a_certain_discriminator(self):
        """At a logit of z the cross entropy to a target t is softplus(z) - t z."""
        for target in (1.0, 0.9):
            system = system_of(dataclasses.replace(PLAIN, real_target=target))
            w, b = logits_of(system)
            w.assign(tf.zeros_like(w))
            b.assign([3.0])
            train(system)
            gradient = system.train_step.adams["discriminator"].m[LAST_BIAS].numpy() / (1 - 0.5)
            probability = 1 / (1 + math.exp(-3.0))
            # Real images and fake images, both at a logit of 3.
            expected = [(probability - target) + probability]
            np.testing.assert_allclose(gradient, expected, rtol=1e-5)

    def test_digits_of_fakes_are_random_if_the_system_is_class_conditional(self):
        """The generator here is one whose pixels are all the requested digit."""
        labels = tf.zeros([2000], tf.int32)
        step = system_of().train_step
        step.generator = lambda noise, seed, soft_labels: tf.tile(
            tf.argmax(soft_labels, axis=1)[:, None], [1, 784]
        )
        images, requested = step.fakes(labels, SEED)
        np.testing.assert_array_equal(images[:, 0, 0, 0], labels)
        np.testing.assert_array_equal(requested, labels)
        step.spec = dataclasses.replace(step.spec, class_conditional=True)
        images, requested = step.fakes(labels, SEED)
        np.testing.assert_array_equal(images[:, 0, 0, 0], requested)
        counts = np.bincount(requested.numpy(), minlength=10)
        self.assertEqual(len(counts), 10)
        self.assertLess(np.abs(counts - 200).max(), 5 * math.sqrt(200 * 0.9))  # uniform


class ClassHead(unittest.TestCase):
    def test_it_learns_from_real_digits_only_and_steers_the_generator(self):
        images, labels = batch_of(6)
        system = system_of(WITH_CLASS_HEAD)
        step = system.train_step
        w, b = logits_of(system, "digits")
        self.assertTrue(system.has_classifier)

        def gradients():
            def of_losses():
                fakes, _ = step.fakes(labels, SEED)
                logits, _ = system.discriminator.heads(fakes, labels, SEED)
                return [
                    tf.gradients(step.generator_loss(labels, SEED), system.generator.weights)[0],
                    tf.gradients(tf.reduce_sum(logits), [w, b]),
                ]

            return in_graph(of_losses)

        with_head, of_head = gradients()
        self.assertEqual(of_head, [None, None])  # the real/fake logits do not depend on it
        initial = w.numpy()
        w.assign(tf.zeros_like(w))
        self.assertFalse(np.allclose(with_head, gradients()[0]))
        # A bias has the gradient softmax - one-hot of the real images, in the range -1..1 of the
        # networks; from equal digit logits and from those of the initial weights.
        train_step = tf.function(step, autograph=False)
        start = state_of(system)
        for weights in (tf.zeros_like(w), initial):
            for name, variable in system.state.items():
                variable.assign(start[name])
            w.assign(weights)
            probs = tf.nn.softmax(system.discriminator.heads(2 * images - 1, labels)[1])
            unscaled = tf.nn.softmax(system.discriminator.heads(images, labels)[1])
            expected = 2.0 * tf.reduce_mean(probs - tf.one_hot(labels, 10), axis=0)
            train_step(images, labels, SEED)
            adam = step.adams["discriminator"]
            index = [v is b for v in adam.variables].index(True)
            np.testing.assert_allclose(adam.m[index].numpy() / (1 - 0.5), expected, atol=1e-6)
        self.assertFalse(np.allclose(probs, unscaled, atol=1e-4))  # with the initial weights


class Inputs(unittest.TestCase):
    def test_noise(self):
        labels, layers = tf.zeros([5000], tf.int32), (Dense("generator/pixels", 37, 784),)
        normal, uniform = (GeneratorSpec(layers, False, d, DIGITS) for d in ("normal", "uniform"))
        for spec in (normal, uniform):
            first, same, other = (
                draw_noise(spec, labels, seed).numpy() for seed in (SEED, SEED, SEED + 1)
            )
            self.assertEqual(first.shape, (5000, 37))
            np.testing.assert_array_equal(first, same)
            self.assertFalse(np.array_equal(first, other))
        self.assertTrue(-1 <= first.min() < -0.99 < 0.99 < first.max() <= 1)
        self.assertAlmostEqual(draw_noise(normal, labels, SEED).numpy().std(), 1, delta=0.01)

    def test_real_images_are_scaled_to_the_networks_pixel_range(self):
        images, _ = batch_of(6)
        highest = images.numpy().max()
        scaled = to_pixel_range(images, -1.0).numpy()
        self.assertEqual((scaled.min(), scaled.max()), (-1, 2 * highest - 1))
        np.testing.assert_array_equal(to_pixel_range(images, 0.0), images)
