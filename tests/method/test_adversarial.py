"""The adversarial losses: closed forms, and slopes against finite differences in NumPy."""

import dataclasses
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.method import adversarial
from gan3.runs.registry import build, config_of, names
from tests.support import batch_of, changed, in_graph, state_of

SEED = tf.constant([5, 6])
RANDOM = np.random.default_rng(0)
LOGITS = 3 * RANDOM.normal(size=(40, 1))
WEIGHTS = RANDOM.normal(size=(784, 1)) / 20
IMAGES, FAKES = RANDOM.uniform(size=(2, 5, 28, 28, 1)).astype(np.float32)
CONFIG = config_of("wgan_gp")
LAST = "discriminator/logits/w_direction"  # there is one output, so it is always 1


class ClosedForms(unittest.TestCase):
    def test_each_loss_is_its_formula(self):
        softplus, logits = lambda x: np.logaddexp(0, x), tf.constant(LOGITS)
        for form, real, fake, passing in (
            ("non_saturating", softplus(-LOGITS), softplus(LOGITS), softplus(-LOGITS)),
            ("hinge", np.maximum(0, 1 - LOGITS), np.maximum(0, 1 + LOGITS), -LOGITS),
            ("wasserstein", -LOGITS, LOGITS, -LOGITS),
        ):
            for loss, expected in (
                (adversarial.real_loss, real),
                (adversarial.fake_loss, fake),
                (adversarial.passing_loss, passing),
            ):
                with self.subTest(form, loss=loss.__name__):
                    self.assertAlmostEqual(float(loss(logits, form)), expected.mean(), delta=1e-9)
                    with self.assertRaises(ValueError):
                        loss(logits[:, 0], form)


def critic(images):
    """A critic whose slope is another one everywhere."""
    rows = tf.reshape(images, [-1, 784])
    weights = tf.constant(WEIGHTS, rows.dtype)
    return tf.tanh(rows @ weights) + 0.1 * rows**3 @ weights


def slopes_of(images):
    """The length [B] of the gradient of the same function by the pixels: central differences."""

    def function(rows):
        return np.tanh(rows @ WEIGHTS) + 0.1 * rows**3 @ WEIGHTS

    shifts = 1e-4 * np.eye(784)
    rows = images.reshape(-1, 784).astype(np.float64)
    gradients = [(function(row + shifts) - function(row - shifts)) / 2e-4 for row in rows]
    return np.linalg.norm(np.array(gradients)[..., 0], axis=1)


class Penalties(unittest.TestCase):
    def test_they_are_of_slopes_between_image_and_fake_and_at_images(self):
        shares = tf.random.stateless_uniform([5, 1, 1, 1], SEED, alg="philox").numpy()
        self.assertGreater(np.ptp(shares), 0.2)  # each pair has its own
        slopes = slopes_of(shares * IMAGES + (1 - shares) * FAKES)
        self.assertGreater(np.ptp(slopes), 0.01)
        got = in_graph(
            lambda: adversarial.gradient_penalty(
                critic, tf.constant(IMAGES), tf.constant(FAKES), SEED
            )
        )
        self.assertAlmostEqual(float(got), ((slopes - 1) ** 2).mean(), delta=1e-5)
        got = in_graph(lambda: adversarial.r1_penalty(critic, tf.constant(IMAGES)))
        self.assertAlmostEqual(float(got), (slopes_of(IMAGES) ** 2).mean() / 2, delta=1e-5)

    def test_of_a_linear_critic_they_pull_the_weights_to_length_one_and_to_zero(self):
        """Its slope is |w|: the gradients by w are 2 (|w| - 1) w / |w|, and w. A flat critic has a
        gradient that is finite."""
        for scale in (3.0, 0.2, 0.0):
            w = tf.Variable(scale * WEIGHTS, dtype=tf.float32)

            def gradients(w=w):
                def linear(images):
                    return tf.reshape(images, [-1, 784]) @ w

                images, fakes = tf.constant(IMAGES), tf.constant(FAKES)
                penalty = adversarial.gradient_penalty(linear, images, fakes, SEED)
                r1 = adversarial.r1_penalty(linear, images)
                return [tf.gradients(loss, w)[0] for loss in (penalty, r1)]

            of_penalty, of_r1 = in_graph(gradients)
            length = np.linalg.norm(w.numpy())
            expected = 2 * (length - 1) * w.numpy() / (length or 1)
            np.testing.assert_allclose(of_penalty, expected, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(of_r1, w.numpy(), rtol=1e-5, atol=1e-7)


class Steps(unittest.TestCase):
    def trained(self, steps=1, **changes):
        """A system, and its state before and after training steps on six images."""
        config = dataclasses.replace(CONFIG, **changes)
        system, (images, labels) = build(config, DIGITS, "float32"), batch_of(6)
        before = state_of(system)
        step = tf.function(system.train_step, autograph=False)
        for number in range(steps):
            finite = step(images, labels, SEED + number)
            self.assertTrue(all(bool(value) for value in finite.values()))
        return system, before, state_of(system)

    def test_each_loss_and_penalty_trains_both_networks_in_a_way_of_its_own(self):
        seen = []
        for changes in (
            {},
            {"gradient_penalty": 0.0},
            {"gradient_penalty": 0.0, "r1_penalty": 10.0},
            {"loss": "non_saturating"},
            {"loss": "non_saturating", "spectral_norm": True},
        ):
            _, before, after = self.trained(**changes)
            weights = [name for name in before if name.endswith("/w") and "adam" not in name]
            self.assertLessEqual(set(weights), changed(before, after), changes)
            moment = after["adam/discriminator/discriminator/hidden1/w/m"]
            self.assertFalse(any(np.allclose(moment, other) for other in seen), changes)
            seen.append(moment)
        directions = {name for name in after if name.endswith("_direction")}
        self.assertEqual(len(directions), 3)
        self.assertLessEqual(directions - {LAST}, changed(before, after))

    def test_every_discriminator_can_be_normalised_spectrally(self):
        for name in names():
            config = config_of(name)
            if hasattr(config, "spectral_norm"):
                config = dataclasses.replace(config, spectral_norm=True)
                state = build(config, DIGITS, "float32").state
                directions = [key for key in state if key.endswith("_direction")]
                self.assertGreaterEqual(len(directions), 2, name)
                self.assertTrue(all(key.startswith("discriminator/") for key in directions), name)

    def test_clipped_weights_stay_clipped(self):
        """But for the last update, whose steps are about as large as the learning rate."""
        changes = {"gradient_penalty": 0.0, "weight_clip": 0.01}
        system, _, _ = self.trained(steps=5, **changes)
        largest = max(np.abs(w).max() for w in system.discriminator.weights)
        self.assertTrue(0.005 < largest < 0.01 + 2 * CONFIG.learning_rate.discriminator, largest)

    def test_what_does_not_fit_together_is_refused(self):
        for name, changes, message in (
            ("wgan_gp", {"discriminator_updates": "by_loss"}, 'discriminator_updates: .*"joint"'),
            ("layernorm_gan", {"r1_penalty": 1.0}, 'discriminator_updates: .*"joint"'),
            ("mlp_gan", {"loss": "hinge"}, "real_target: hinge has no targets; set it to 1"),
            ("mlp_gan", {"fake_threshold": 0.3}, 'fake_threshold: only with .*"by_loss"; leave'),
            ("conditional_dcgan", {"gradient_penalty": 1.0}, "batch normalisation .* set them to"),
        ):
            config = dataclasses.replace(config_of(name), **changes)
            with self.assertRaisesRegex(UserError, message):
                build(config, DIGITS, "float32")

    def test_the_losses_that_are_evaluated_are_those_of_the_config(self):
        system, _, _ = self.trained(steps=0)
        images, labels = batch_of(6)
        scalars = {tag: float(v) for tag, v in system.evaluate(images, labels, SEED).items()}
        fakes = system.generate(labels, system.noise(labels, SEED))[..., None]
        real, fake = (system.discriminator(x).numpy().mean() for x in (images, fakes))
        for tag, expected in (
            ("discriminator_real", -real),
            ("discriminator_fake", fake),
            ("discriminator", fake - real),
            ("generator_real", -fake),
        ):
            self.assertAlmostEqual(scalars[f"loss/{tag}"], expected, delta=1e-5, msg=tag)
