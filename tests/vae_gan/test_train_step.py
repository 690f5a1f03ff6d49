"""The training step of `best`: what each field of VaeGanConfig does."""

import dataclasses
import functools
import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.core.triple import Triple
from gan3.nn import plain
from gan3.runs.registry import config_of
from gan3.vae_gan.codes import latent_of
from gan3.vae_gan.train_step import normal_to_uniform, reconstruction_loss
from gan3.vae_gan.vae_gan import VaeGan
from tests.support import batch_of, changed, in_graph, restore, slow, state_of

SEED = tf.constant([5, 6])
LAST = {"discriminator/logits/w"}  # it has one output: its direction is always 1
ROLES = Triple._fields
CONFIG = dataclasses.replace(
    config_of("best"),
    seed=3,
    episodes=1,
    batches=8,
    learning_rate=Triple(2e-3, 1e-3, 1e-3),
    digit_weight=0.3,
    generator_widths=(12,),
    generator_channels=(2, 3),
    discriminator_widths=(3, 4, 8),
    determinator_widths=(3, 4, 8),
    kernel_size=3,
    noise_entries=10,
    reconstruction_weight=0.02,
    reconstruction_adversarial_weight=1.0,
    ema_decay=0.9,
    lr_decay_start=0.5,
)
"""Everything that `best` adds to the method, in small networks."""


def system_of(dtype="float32", **changes):
    """CONFIG's system with some fields changed."""
    return VaeGan(dataclasses.replace(CONFIG, **changes), DIGITS, dtype)


def stepper(system):
    images, labels = batch_of(20)
    return tf.function(lambda seed: system.train_step(images, labels, seed), autograph=False)


def softplus(x):
    return np.log1p(np.exp(x)).mean()


def digit_cross_entropy(logits, labels):
    log_sums = np.log(np.exp(logits).sum(axis=1))
    return (log_sums - logits[np.arange(len(labels)), labels]).mean()


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


@functools.cache
def traced():
    """CONFIG's system, its traced step and its initial state; restore it before use."""
    system = system_of()
    return system, stepper(system), state_of(system)


def setUpModule():
    """The graph of `traced` must have the kernels of graphs that other tests make later."""
    tf.config.experimental.enable_op_determinism()


class Reconstruction(unittest.TestCase):
    def test_its_closed_form_and_that_it_is_least_at_the_image(self):
        random = np.random.default_rng(0)
        images = random.uniform(0.01, 0.99, size=(3, 28, 28, 1))
        logits = random.normal(size=(3, 784))
        pixels = images.reshape(3, 784)
        each = -(pixels * log_sigmoid(logits) + (1 - pixels) * log_sigmoid(-logits))
        got = reconstruction_loss(tf.constant(logits), tf.constant(images))
        self.assertAlmostEqual(float(got), each.sum(axis=1).mean(), delta=1e-9)
        minimum = np.log(pixels / (1 - pixels))
        least = float(reconstruction_loss(tf.constant(minimum), tf.constant(images)))
        for offset in (-0.01, 0.01):
            near = reconstruction_loss(tf.constant(minimum + offset), tf.constant(images))
            self.assertGreater(float(near), least)


class Step(unittest.TestCase):
    def setUp(self):
        self.images, self.labels = batch_of(20)

    def update_discriminator(self, system, lr_scale=1.0):
        step = system.train_step

        def update():
            loss = step.discriminator_loss(self.images, self.labels, SEED)
            gradients = tf.gradients(loss, system.networks.discriminator.weights)
            return step.apply("discriminator", loss, gradients, lr_scale)

        return in_graph(update)

    def both_losses(self, system):
        return system.train_step.generator_and_determinator_losses(
            self.images, self.labels, SEED, SEED
        )

    @slow("ten seconds")
    def test_every_weight_moves_and_the_step_is_a_function_of_the_seed(self):
        def trained(system, step):
            before = state_of(system)
            finite = step(tf.constant([1, 0]))
            self.assertEqual({k: bool(v) for k, v in finite.items()}, dict.fromkeys(finite, True))
            self.assertEqual(list(finite), list(ROLES))
            self.assertEqual(changed(before, state_of(system)), set(before))
            for number in range(1, 5):
                step(tf.constant([1, number]))

        one, step, start = traced()
        restore(one, start)
        trained(one, step)
        again = system_of()
        step_again = stepper(again)
        trained(again, step_again)
        first, second = state_of(one), state_of(again)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], name)
        step(tf.constant([1, 5]))
        step_again(tf.constant([2, 5]))
        for name in ("generator/pixels/w", "discriminator/conv1/w", "determinator/encoder/w"):
            self.assertFalse(np.array_equal(state_of(one)[name], state_of(again)[name]), name)

    @slow("five seconds")
    def test_the_losses_and_the_sampler_have_seeds_of_their_own(self):
        """Equal ones would give the networks' losses the same noise and dropout."""
        step, seeds = system_of().train_step, []
        d_loss, losses_of_both = step.discriminator_loss, step.generator_and_determinator_losses
        update_sampler = step.update_sampler

        def note_discriminator(images, labels, *given):
            seeds.extend(given)
            return d_loss(images, labels, *given)

        def note_both(images, labels, *given):
            seeds.extend(given)
            return losses_of_both(images, labels, *given)

        def note_sampler(labels, seed):
            seeds.append(seed)
            update_sampler(labels, seed)

        step.discriminator_loss, step.generator_and_determinator_losses = (
            note_discriminator,
            note_both,
        )
        step.update_sampler = note_sampler

        def of_step():
            seeds.clear()  # a graph may be traced twice
            step(self.images, self.labels, SEED)
            return tf.stack(seeds)

        d, g, c, sampler = in_graph(of_step).numpy().tolist()
        self.assertEqual(len({tuple(seed) for seed in (d, g, c, sampler)}), 4)

    def test_each_update_moves_only_its_own_network(self):
        system = system_of()
        step = system.train_step

        def update(role):
            loss = self.both_losses(system)[("generator", "determinator").index(role)]
            return step.apply(
                role, loss, tf.gradients(loss, getattr(system.networks, role).weights), 1.0
            )

        for role in ROLES:
            before = state_of(system)
            if role == "discriminator":
                finite = self.update_discriminator(system)
            else:
                finite = in_graph(lambda role=role: update(role))
            self.assertTrue(finite)
            expected = {name for name in before if name.startswith((f"{role}/", f"adam/{role}/"))}
            # Moments of the codes move when the losses are computed, whatever is updated.
            expected -= {"determinator/code/means", "determinator/code/variances"}
            with self.subTest(role):
                moved = {v for v in changed(before, state_of(system)) if "/code/" not in v}
                self.assertEqual(moved, expected)
                self.assertIn(f"adam/{role}/steps", expected)

    def test_generator_and_determinator_are_updated_from_one_pass(self):
        """Neither's gradients depend on the other's update, both on the discriminator's."""
        system, step, start = traced()

        def first_moments(enlarged):
            """Of the Adams after a step; that of `enlarged` had large ones before."""
            restore(system, start)
            if enlarged:
                for m in getattr(system.optimizers, enlarged).m:
                    m.assign(tf.fill(m.shape, 100.0))
            step(SEED)
            return [adam.m[0].numpy() for adam in system.optimizers]

        generator, _, determinator = first_moments(None)
        with_other_determinator, *_ = first_moments("determinator")
        *_, with_other_generator = first_moments("generator")
        np.testing.assert_array_equal(generator, with_other_determinator)
        np.testing.assert_array_equal(determinator, with_other_generator)
        with_other_discriminator, *_ = first_moments("discriminator")
        self.assertFalse(np.array_equal(generator, with_other_discriminator))

    def test_what_is_not_finite_is_returned_by_network(self):
        system, step, start = traced()
        restore(system, start)
        bias = system.networks.discriminator.variables["discriminator/logits/b"]
        bias.assign([np.nan])
        finite = {role: bool(value) for role, value in step(SEED).items()}
        self.assertEqual(finite, {"generator": False, "discriminator": False, "determinator": True})

    @slow("five seconds")
    def test_the_reconstruction_trains_generator_and_determinator_but_not_the_discriminator(self):
        systems = [
            system_of(reconstruction_weight=weight, reconstruction_adversarial_weight=0.0)
            for weight in (CONFIG.reconstruction_weight, 1e-9)
        ]

        def gradients(system, role, loss):
            def of_loss():
                weights = getattr(system.networks, role).weights
                found = self.both_losses(system)[loss]
                return tf.gradients(found, weights, unconnected_gradients="zero")

            return [g.numpy() for g in in_graph(of_loss)]

        for role, loss in (("generator", 0), ("determinator", 1)):
            pairs = zip(*(gradients(system, role, loss) for system in systems), strict=True)
            self.assertFalse(all(np.allclose(a, b, atol=1e-6) for a, b in pairs), role)
        of_discriminator = gradients(systems[0], "discriminator", 1)
        self.assertTrue(all((g == 0).all() for g in of_discriminator))

    def test_closed_forms_of_generator_and_determinator_losses(self):
        """With other weights and keep probabilities than anywhere else, each of them different."""
        keep_prob, l1_weight = Triple(0.9, 0.8, 0.7), Triple(1e-3, 2e-3, 3e-3)
        seed, determinator_seed = SEED, SEED + 1
        fake_seed, critic_seed, digit_seed = tf.unstack(tf.random.split(seed, 3))
        noise_seed, dropout_seed = tf.unstack(tf.random.split(fake_seed, 2))
        images, labels = self.images, self.labels
        system = system_of(
            keep_prob=keep_prob,
            l1_weight=l1_weight,
            code_noise=0.3,
            reconstruction_adversarial_weight=1.7,
        )
        generator, discriminator, determinator = system.networks

        def adversarial_loss(drawn, dropout):
            logits = discriminator(drawn, dropout, labels)
            return softplus(-logits.numpy())

        real_logits, numbers = determinator.encode(images, determinator_seed)
        code_seed = tf.random.fold_in(determinator_seed, 1)
        normal = tf.random.stateless_normal([20, 10], code_seed, alg="philox")
        # Before the first step the moments of every class are 0 and 1.
        variances = tf.reduce_mean(numbers**2, axis=0)
        code = math.sqrt(0.7) * numbers / tf.sqrt(variances + 1e-5) + math.sqrt(0.3) * normal
        code_loss = 0.5 * (variances - tf.math.log(variances) - 1).numpy().sum()
        noise = system.noise(labels, noise_seed)
        latents = [
            latent_of(labels, noise, 10, label_entry=True),
            latent_of(labels, tf.math.erf(code / 2**0.5), 10, label_entry=True),
        ]
        pixel_logits, _ = generator.logits(tf.concat(latents, axis=0), dropout_seed)
        fakes, reconstructed = tf.split(tf.reshape(tf.sigmoid(pixel_logits), [-1, 28, 28, 1]), 2)
        fake_logits = determinator(fakes, digit_seed)
        # Sums over pixels and entries of the code, means over images.
        pixels, z = images.numpy().reshape(20, 784), pixel_logits.numpy()[20:].reshape(20, 784)
        reconstruction = (np.log1p(np.exp(z)) - pixels * z).sum(axis=1).mean()
        l1 = [
            weight * sum(np.abs(w.numpy()).sum() for w in network.l1_weights)
            for weight, network in zip(l1_weight, system.networks, strict=True)
        ]
        expected = (
            adversarial_loss(fakes, critic_seed)
            + 0.3 * digit_cross_entropy(fake_logits.numpy(), labels.numpy())
            + 0.02 * reconstruction
            + 1.7 * adversarial_loss(reconstructed, tf.random.fold_in(critic_seed, 1))
            + l1[0],
            digit_cross_entropy(real_logits.numpy(), labels.numpy())
            + 0.02 * (reconstruction + code_loss)
            + l1[2],
        )
        got = system.train_step.generator_and_determinator_losses(
            images, labels, seed, determinator_seed
        )
        np.testing.assert_allclose([float(loss) for loss in got], expected, rtol=1e-5)

    @slow("bfloat16 is slow here")
    def test_bfloat16_trains(self):
        system = system_of(dtype="bfloat16")
        step = stepper(system)
        for number in range(4):
            self.assertTrue(all(step(tf.constant([0, number])).values()))
        self.assertEqual({w.dtype for w in system.networks.generator.weights}, {tf.float32})

    @slow("ten seconds")
    def test_it_trains_with_dropout_and_without_reconstruction(self):
        system = system_of(
            keep_prob=Triple(0.9, 0.8, 0.7),
            reconstruction_weight=0.0,
            reconstruction_adversarial_weight=0.0,
        )
        before = state_of(system)
        self.assertTrue(all(stepper(system)(SEED).values()))
        self.assertEqual(changed(before, state_of(system)), set(before))

    def test_closed_form_of_the_discriminators_loss(self):
        system = system_of(l1_weight=Triple(1e-3, 2e-3, 3e-3))
        discriminator = system.networks.discriminator
        fake_seed, _ = tf.unstack(tf.random.split(SEED, 2))
        latent = latent_of(
            self.labels,
            system.noise(self.labels, tf.random.split(fake_seed, 2)[0]),
            10,
            label_entry=True,
        )
        fakes = tf.reshape(tf.sigmoid(system.networks.generator.logits(latent)[0]), [-1, 28, 28, 1])
        real_logits = discriminator(self.images, labels=self.labels).numpy()
        fake_logits = discriminator(fakes, labels=self.labels).numpy()
        l1 = 2e-3 * sum(np.abs(w.numpy()).sum() for w in discriminator.l1_weights)
        expected = softplus(-real_logits) + softplus(fake_logits) + l1
        got = system.train_step.discriminator_loss(self.images, self.labels, SEED)
        np.testing.assert_allclose(float(got), expected, rtol=1e-5)

    def test_other_losses_and_penalties_are_their_formulas(self):
        fake_seed, _ = tf.unstack(tf.random.split(SEED, 2))
        shares = tf.random.stateless_uniform([20, 1, 1, 1], tf.random.fold_in(SEED, 2))
        hinge = {"loss": "hinge"}
        for changes, weight, between in (
            (hinge, 0.0, None),
            (hinge | {"r1_penalty": 3.0}, 3.0, None),
            (hinge | {"gradient_penalty": 2.0}, 2.0, shares),
        ):
            system = system_of(**changes)
            discriminator = system.networks.discriminator
            fakes = system.train_step.fakes(self.labels, fake_seed)
            real_logits, fake_logits = (
                discriminator(x, labels=self.labels).numpy() for x in (self.images, fakes)
            )
            expected = np.maximum(0, 1 - real_logits).mean() + np.maximum(0, 1 + fake_logits).mean()
            at = self.images if between is None else between * self.images + (1 - between) * fakes
            with tf.GradientTape() as tape:
                tape.watch(at)
                logits = discriminator(at, labels=self.labels)
            slopes = np.linalg.norm(tape.gradient(logits, at).numpy().reshape(20, -1), axis=1)
            each = slopes**2 / 2 if between is None else (slopes - 1) ** 2
            got = in_graph(
                lambda s=system: s.train_step.discriminator_loss(self.images, self.labels, SEED)
            )
            with self.subTest(changes):
                np.testing.assert_allclose(got, expected + weight * each.mean(), rtol=1e-4)
        passing = system.train_step.adversarial_loss(fakes, self.labels, SEED)
        self.assertAlmostEqual(float(passing), -fake_logits.mean(), delta=1e-5)
        scalars = system.evaluate(self.images, self.labels, SEED)
        real = np.maximum(0, 1 - real_logits).mean()
        self.assertAlmostEqual(float(scalars["loss/discriminator_real"]), real, delta=1e-5)

    def test_spectral_normalisation_follows_the_discriminators_weights(self):
        system = system_of(spectral_norm=True, class_conditional_discriminator=False)
        before = state_of(system)
        stepper(system)(SEED)
        names = {f"discriminator/{name}/w" for name in ("conv1", "conv2", "hidden", "logits")}
        moved = changed(before, state_of(system))
        self.assertLessEqual(names | {f"{name}_direction" for name in names - LAST}, moved)
        discriminator = system.networks.discriminator
        self.assertEqual(set(discriminator.directions), names)
        got = plain.forward(discriminator.plain(), self.images.numpy())
        np.testing.assert_allclose(got, discriminator(self.images), atol=1e-5)

    def test_the_scale_of_the_learning_rate_scales_the_update(self):
        moves = []
        for scale in (1.0, 0.25):
            system = system_of()
            before = state_of(system)["discriminator/logits/w"]
            self.update_discriminator(system, scale)
            moves.append(state_of(system)["discriminator/logits/w"] - before)
        np.testing.assert_allclose(moves[1], 0.25 * moves[0], rtol=1e-3, atol=1e-7)

    @slow("ten seconds")
    def test_training_improves_the_reconstruction(self):
        system = system_of(lr_decay_start=1.0, ema_decay=0.0)
        step = stepper(system)

        def reconstruction():
            determinator = system.networks.determinator
            code = determinator.code_norm(determinator.encode(self.images)[1], self.labels)
            latent = latent_of(self.labels, normal_to_uniform(code), 10, label_entry=True)
            pixel_logits, _ = system.networks.generator.logits(latent)
            return float(reconstruction_loss(pixel_logits, self.images))

        before = reconstruction()
        for number in range(100):
            step(tf.constant([0, number]))
        self.assertLess(reconstruction(), 0.8 * before)


class Code(unittest.TestCase):
    def test_noise_of_a_normal_code_is_uniform(self):
        code = tf.random.stateless_normal([100_000], SEED)
        noise = np.sort(normal_to_uniform(code).numpy())
        uniform = (np.arange(100_000) + 0.5) / 50_000 - 1
        # Kolmogorov-Smirnov on -1..1: 1.95 / sqrt(N) is exceeded once in a thousand times.
        self.assertLess(np.abs(noise - uniform).max(), 2 * 1.95 / math.sqrt(100_000))
        self.assertAlmostEqual(
            float(normal_to_uniform(tf.constant(1.0))), math.erf(1 / math.sqrt(2)), 6
        )


class Schedule(unittest.TestCase):
    def test_learning_rates_decay_linearly_to_zero(self):
        system = system_of()  # decay starts after half of 8 steps
        scales = []
        for number in range(8):
            system.optimizers.generator.steps.assign(number)
            scales.append(float(system.train_step.lr_scale()))
        np.testing.assert_allclose(scales, [1, 1, 1, 1, 1, 0.75, 0.5, 0.25], atol=1e-6)
        system.optimizers.generator.steps.assign(20)
        self.assertEqual(float(system.train_step.lr_scale()), 0.0)
        self.assertEqual(system_of(lr_decay_start=1.0).train_step.lr_scale(), 1.0)

    @slow("ten seconds")
    def test_all_three_networks_have_the_decayed_rate(self):
        system, step, start = traced()
        restore(system, start)
        for adam in system.optimizers:
            adam.steps.assign(8)  # the schedule is over
        before = state_of(system)
        step(SEED)
        names = changed(before, state_of(system))
        for role in ROLES:
            moved = [name for name in names if name.startswith(f"{role}/")]
            self.assertFalse([name for name in moved if "/code/" not in name])
            self.assertIn(f"adam/{role}/steps", names)


class Sampler(unittest.TestCase):
    @slow("ten seconds")
    def test_it_is_the_average_of_the_steps(self):
        system, step, start = traced()
        restore(system, start)
        name = "hidden1/w"
        mean = state_of(system)[f"average/{name}"]
        np.testing.assert_array_equal(mean, system.networks.generator.merged_weights[0])
        for number in range(1, 5):
            step(tf.constant([0, number]))
            weight = 1 - min(0.9, number / (number + 9))
            trained = system.networks.generator.merged_weights[0].numpy()
            mean = mean + weight * (trained - mean)
            np.testing.assert_allclose(state_of(system)[f"average/{name}"], mean, atol=1e-6)

    @slow("trains 200 steps")
    def test_its_running_moments_are_those_of_fresh_noise(self):
        system = system_of(lr_decay_start=0.0, batches=200)
        step = stepper(system)
        for number in range(200):  # the rates decay to zero, so the weights settle
            step(tf.constant([0, number]))
        _, labels = batch_of(20)
        labels = tf.tile(labels, [200])
        latent = latent_of(labels, system.noise(labels, SEED), 10, label_entry=True)
        sampler = system.sampler
        _, moments = sampler.logits(latent)
        running = zip(sampler.running_moments(), moments, strict=True)
        for (mean, variance), (expected_mean, expected_variance) in running:
            deviation = np.sqrt(expected_variance.numpy())
            distance = np.abs(mean.numpy() - expected_mean.numpy()) / deviation
            self.assertLess(distance.max(), 0.2)
            ratio = variance.numpy() / expected_variance.numpy()
            self.assertLess(np.abs(ratio - 1).max(), 0.25)

    def test_without_averaging_the_moments_are_the_trained_generators_own(self):
        system = system_of(
            ema_decay=0.0,
            shared_noise=False,
            reconstruction_weight=0.0,
            reconstruction_adversarial_weight=0.0,
        )
        self.assertIs(system.sampler, system.networks.generator)
        before = state_of(system)
        stepper(system)(SEED)
        names = changed(before, state_of(system))
        self.assertLess({"generator/hidden1/mean", "generator/hidden2/variance"}, names)
