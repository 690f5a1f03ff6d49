"""Laws of the open step: shut it is the description's; open, each opening does what it says."""

import dataclasses
import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method.noise import latent_of
from gan3.method.train_step import Choices
from gan3.runs.registry import builder_of, config_of
from gan3.vae_gan import losses as vae_gan_losses
from gan3.vae_gan.train_step import Openings, VaeGan, normal_to_uniform
from tests.support import batch_of

SEED = tf.constant([5, 6])
OFF = tf.zeros([2], tf.int32)
SMALL = Triple((12, 16), (3, 4, 8), (3, 4, 8))
OPEN = Openings(
    widths=SMALL, kernel=3, downsampling="stride", normalised=True, shown=True, r1_weight=0.3,
    penalty_every=4, reconstruction_weight=0.02, reconstruction_adversarial_weight=1.0, ema_decay=0.9, lr_decay_start=0.5,
    steps=8,
)  # fmt: skip


def system_of(openings=OPEN, dtype="float32", **changed):
    choices = {
        "noise_draw": "example",
        "init": "glorot",
        "activation": Triple("leaky_relu", "leaky_relu", "leaky_relu"),
        "keep_prob": Triple(1.0, 1.0, 1.0),
        "l1_weight": Triple(0.0, 0.0, 0.0),
        "learning_rate": Triple(2e-3, 1e-3, 1e-3),
        "beta1": Triple(0.5, 0.5, 0.9),
        "digit_loss": "softmax_mean",
        "digit_weight": 0.3,
    }
    return VaeGan(openings, Choices(**(choices | changed)), 3, dtype)


def stepper(system):
    images, labels = batch_of(20)
    return tf.function(lambda seed: system.step(images, labels, seed), autograph=False)


def state_of(system):
    return {name: variable.numpy() for name, variable in system.state.items()}


def in_graph(function):
    """What `function()` answers inside a graph, where tf.gradients works."""
    return tf.function(function, autograph=False)()


class Shut(unittest.TestCase):
    def test_it_is_the_description_to_the_bit(self):
        images, labels = batch_of(20)
        for name in ("three_network", "published_code"):
            config = config_of(name)
            states, answers, drawn = [], [], []
            for builder in (builder_of(name), builder_of("best")):
                system = builder(config, "float32")
                step = stepper(system)
                for number in range(2):
                    step(tf.constant([0, number]))
                states.append(state_of(system))
                answers.append(system.evaluate(images, labels, SEED))
                drawn.append(system.generate(labels, system.noise(labels, SEED)).numpy())
            self.assertEqual(set(states[0]), set(states[1]))
            for key, value in states[0].items():
                np.testing.assert_array_equal(value, states[1][key], f"{name}: {key}")
            for tag, value in answers[0].items():
                self.assertEqual(float(value), float(answers[1][tag]), tag)
            np.testing.assert_array_equal(*drawn)


class Step(unittest.TestCase):
    def test_every_weight_moves_and_the_seed_decides_how(self):
        def trained():
            system = system_of()
            before, step = state_of(system), stepper(system)
            answer = step(tf.constant([1, 0]))
            self.assertEqual({k: bool(v) for k, v in answer.items()}, dict.fromkeys(answer, True))
            self.assertEqual(list(answer), list(Triple._fields))
            after = state_of(system)
            still = [name for name in before if np.array_equal(before[name], after[name])]
            self.assertEqual(still, [])
            for number in range(1, 5):  # with and without the penalty
                step(tf.constant([1, number]))
            return system, step

        (one, step), (again, step_again) = trained(), trained()
        first, second = state_of(one), state_of(again)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], name)
        step(tf.constant([1, 5]))
        step_again(tf.constant([2, 5]))
        for name in ("generator/pixels/w", "discriminator/conv1/w", "determinator/reading/w"):
            self.assertFalse(np.array_equal(state_of(one)[name], state_of(again)[name]), name)

    def test_each_update_moves_its_own_list(self):
        system = system_of()
        images, labels = batch_of(20)
        before = state_of(system)
        in_graph(lambda: system._update_discriminator(images, labels, SEED, SEED, 1.0))
        after = state_of(system)
        changed = {name for name in before if not np.array_equal(before[name], after[name])}
        self.assertTrue(changed)
        for name in changed:
            self.assertRegex(name, "^(adam/)?discriminator/")

    def test_reading_reaches_generator_and_determinator_and_never_the_discriminator(self):
        images, labels = batch_of(20)
        system = system_of(dataclasses.replace(OPEN, reconstruction_adversarial_weight=0.0))
        without = system_of(
            dataclasses.replace(
                OPEN, reconstruction_weight=1e-9, reconstruction_adversarial_weight=0.0
            )
        )

        def gradients(system, role, loss):
            def of_loss():
                found = system._creator_losses(images, labels, SEED, SEED, SEED)[loss]
                weights = getattr(system.networks, role).weights
                return tf.gradients(found, weights, unconnected_gradients="zero")

            return [g.numpy() for g in in_graph(of_loss)]

        for role, loss in (("generator", 0), ("determinator", 1)):
            pairs = zip(gradients(system, role, loss), gradients(without, role, loss), strict=True)
            self.assertFalse(all(np.allclose(a, b, atol=1e-6) for a, b in pairs), role)
        self.assertTrue(all((g == 0).all() for g in gradients(system, "discriminator", 1)))

    def test_bfloat16_trains(self):
        system = system_of(dtype="bfloat16")
        step = stepper(system)
        for number in range(4):
            self.assertTrue(all(step(tf.constant([0, number])).values()))
        self.assertEqual({w.dtype for w in system.networks.generator.weights}, {tf.float32})


class EachOpening(unittest.TestCase):
    def test_uniform_of_a_normal_code_is_uniform(self):
        code = tf.random.stateless_normal([100_000], SEED)
        noise = np.sort(normal_to_uniform(code).numpy())
        even = (np.arange(100_000) + 0.5) / 50_000 - 1
        # Kolmogorov-Smirnov, in units of -1..1: 1.95 / sqrt(N) is passed once in a thousand times
        self.assertLess(np.abs(noise - even).max(), 2 * 1.95 / math.sqrt(100_000))
        self.assertAlmostEqual(
            float(normal_to_uniform(tf.constant(1.0))), math.erf(1 / math.sqrt(2)), 6
        )

    def test_rates_fall_in_a_line_to_nothing(self):
        system = system_of()  # from a half of 8 steps
        soft_labels = []
        for number in range(8):
            system.optimizers.generator.steps.assign(number)
            soft_labels.append(float(system._share_of_rate()))
        np.testing.assert_allclose(soft_labels, [1, 1, 1, 1, 1, 0.75, 0.5, 0.25], atol=1e-6)
        system.optimizers.generator.steps.assign(20)
        self.assertEqual(float(system._share_of_rate()), 0.0)
        self.assertEqual(
            system_of(dataclasses.replace(OPEN, lr_decay_start=1.0))._share_of_rate(), 1.0
        )

    def test_a_share_of_the_rate_is_that_share_of_the_move(self):
        moves = []
        images, labels = batch_of(20)
        for share in (1.0, 0.25):
            system = system_of()
            before = state_of(system)["discriminator/logits/w"]
            in_graph(
                lambda s=system, x=share: s._update_discriminator(images, labels, SEED, SEED, x)
            )
            moves.append(state_of(system)["discriminator/logits/w"] - before)
        np.testing.assert_allclose(moves[1], 0.25 * moves[0], rtol=1e-3, atol=1e-7)

    def test_the_penalty_comes_every_fourth_step_and_flattens(self):
        images, labels = batch_of(20)

        def moved(openings, step):
            system = system_of(openings)
            system.optimizers.discriminator.steps.assign(step)
            in_graph(lambda: system._update_discriminator(images, labels, SEED, SEED, 1.0))
            return state_of(system)["discriminator/conv1/w"]

        steep = dataclasses.replace(OPEN, r1_weight=0.0)
        np.testing.assert_array_equal(moved(OPEN, 3), moved(steep, 3))
        self.assertFalse(np.array_equal(moved(OPEN, 4), moved(steep, 4)))

    def test_the_average_is_that_of_the_steps(self):
        system = system_of()
        step = stepper(system)
        name = "hidden1/w"
        mean = state_of(system)[f"average/{name}"]
        np.testing.assert_array_equal(mean, state_of(system)[f"generator/{name}"])
        for number in range(1, 5):
            step(tf.constant([0, number]))
            weight = 1 - min(0.9, number / (number + 9))
            mean = mean + weight * (state_of(system)[f"generator/{name}"] - mean)
            np.testing.assert_allclose(state_of(system)[f"average/{name}"], mean, atol=1e-6)

    def test_digits_are_drawn_by_the_average_one_by_one(self):
        system = system_of()
        step = stepper(system)
        for number in range(3):
            step(tf.constant([0, number]))
        labels = tf.range(10)
        noise = system.noise(labels, SEED)
        drawn = system.generate(labels, noise).numpy()
        alone = [system.generate(labels[i : i + 1], noise[i : i + 1]).numpy() for i in range(10)]
        np.testing.assert_allclose(drawn, np.concatenate(alone), atol=1e-5)  # no batch in it
        system.networks.generator.pixels[0].assign(
            tf.zeros_like(system.networks.generator.pixels[0])
        )
        np.testing.assert_array_equal(drawn, system.generate(labels, noise).numpy())

    def test_moments_are_of_what_draws_on_fresh_noise(self):
        system = system_of(dataclasses.replace(OPEN, lr_decay_start=0.0, steps=200))
        step = stepper(system)
        for number in range(200):  # the rates have fallen to nothing: the weights stand
            step(tf.constant([0, number]))
        _, labels = batch_of(20)
        labels = tf.tile(labels, [200])
        latent = latent_of(labels, system.noise(labels, SEED))
        drawing = system._drawing
        _, moments = drawing.logits(latent, 1.0, OFF)
        for mean, variance, own in zip(drawing.means, drawing.variances, moments, strict=True):
            spread = np.sqrt(own[1].numpy())
            self.assertLess((np.abs(mean.numpy() - own[0].numpy()) / spread).max(), 0.2)
            self.assertLess(np.abs(variance.numpy() / own[1].numpy() - 1).max(), 0.25)

    def test_a_determinator_that_reads_redraws_better_than_one_that_has_not_learned(self):
        images, labels = batch_of(20)
        system = system_of(dataclasses.replace(OPEN, lr_decay_start=1.0, ema_decay=0.0))
        step = stepper(system)

        def missed():
            _, mean, _ = system.networks.determinator.read(images, 1.0, OFF)
            latent = latent_of(labels, normal_to_uniform(mean))
            pixels, _ = system.networks.generator.logits(latent, 1.0, OFF)
            return float(vae_gan_losses.reconstruction(pixels, images))

        before = missed()
        for number in range(60):
            step(tf.constant([0, number]))
        self.assertLess(missed(), 0.8 * before)

    def test_the_digit_is_shown_to_the_discriminator_only_where_it_is_open(self):
        images, labels = batch_of(20)
        for shown in (True, False):
            system = system_of(dataclasses.replace(OPEN, shown=shown))
            right, wrong = (
                system.discriminator_logits(images, labels),
                system.discriminator_logits(images, 9 - labels),
            )
            self.assertEqual(not np.array_equal(right, wrong), shown)


if __name__ == "__main__":
    unittest.main()
