"""The three networks as a system: samples, evaluation, state."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import losses
from gan3.method.noise import latent_of
from gan3.method.three_networks import real_fake_scalars
from gan3.nn.initializers import Glorot, PublishedNormal
from tests.support import batch_of, small_system

SEED = tf.constant([5, 6])
NO_DROPOUT = Triple(1.0, 1.0, 1.0)
ROLES = Triple._fields


def numbers(scalars):
    return {tag: float(value) for tag, value in scalars.items()}


class Construction(unittest.TestCase):
    def test_each_network_has_its_own_settings(self):
        system = small_system(learning_rate=Triple(0.1, 0.2, 0.3), beta1=Triple(0.4, 0.5, 0.6))
        self.assertEqual([network.name for network in system.networks], list(ROLES))
        activations = [network.specs[0].activation for network in system.networks]
        self.assertEqual(activations, ["elu", "leaky_relu", "relu"])
        for role, network, adam in zip(ROLES, system.networks, system.optimizers, strict=True):
            self.assertEqual(adam.name, f"adam/{role}")
            self.assertTrue(
                all(a is b for a, b in zip(adam.variables, network.weights, strict=True))
            )
        # In its first step Adam moves each weight by the learning rate.
        for adam, rate in zip(system.optimizers, (0.1, 0.2, 0.3), strict=True):
            before = adam.variables[-1].numpy()
            adam.apply([tf.ones_like(w) for w in adam.variables])
            np.testing.assert_allclose(before - adam.variables[-1].numpy(), rate, rtol=1e-4)
        for adam, beta1 in zip(system.optimizers, (0.4, 0.5, 0.6), strict=True):
            np.testing.assert_allclose(adam.m[-1], 1 - beta1, rtol=1e-6)

    def test_the_initializer_and_the_seed_of_the_config_draw_the_weights(self):
        for name, kind in (("glorot", Glorot), ("published", PublishedNormal)):
            init = kind(4)
            expected = init.weights((100, 100))
            system = small_system(seed=4, initializer=name)
            np.testing.assert_array_equal(system.networks.generator.weights[0], expected)


class Samples(unittest.TestCase):
    def test_images_are_the_generators_without_dropout(self):
        system = small_system()
        labels = tf.constant([3, 0, 9, 3])
        noise = system.noise(labels, SEED)
        self.assertEqual(noise.shape, [4, 10])
        images = system.generate(labels, noise)
        self.assertEqual(images.shape, [4, 28, 28])
        expected = system.networks.generator(latent_of(labels, noise, 10))
        np.testing.assert_array_equal(images, tf.reshape(expected, [4, 28, 28]))
        self.assertFalse(np.array_equal(images[0], images[3]))  # one digit, two styles


class Evaluation(unittest.TestCase):
    def test_the_accuracies_of_the_discriminator(self):
        """A logit above 0 means real, one below 0 fake, 0 neither."""
        logits = tf.constant([[-2.0], [-0.5], [0.0], [0.5], [0.75], [2.0], [3.0], [4.0]])
        scalars = numbers(real_fake_scalars(logits, logits))
        self.assertEqual(scalars["accuracy/discriminator_real"], 5 / 8)
        self.assertEqual(scalars["accuracy/discriminator_fake"], 2 / 8)

    def setUp(self):
        self.images, self.labels = batch_of(6)

    def evaluate(self, **changes):
        return numbers(small_system(**changes).evaluate(self.images, self.labels, SEED))

    def test_each_tag_is_the_loss_or_accuracy_of_its_name(self):
        system = small_system()
        got = numbers(system.evaluate(self.images, self.labels, SEED))
        noise = system.noise(self.labels, tf.random.split(SEED, 2)[0])
        pixels = system.networks.generator(latent_of(self.labels, noise, 10))
        fakes = tf.reshape(pixels, [-1, 28, 28, 1])
        _, discriminator, determinator = system.networks
        real_logits, fake_logits = discriminator(self.images), discriminator(fakes)
        real, fake = determinator(self.images), determinator(fakes)
        labels = self.labels.numpy()
        expected = {
            "loss/discriminator": losses.real_fake_cross_entropy(real_logits, 1.0)
            + losses.real_fake_cross_entropy(fake_logits, 0.0),
            "loss/generator_real": losses.real_fake_cross_entropy(fake_logits, 1.0),
            "loss/determinator": losses.digit_cross_entropy(real, self.labels, "softmax_mean"),
            "loss/generator_digit": losses.digit_cross_entropy(fake, self.labels, "softmax_mean"),
            "accuracy/discriminator_real": (real_logits.numpy() > 0).mean(),
            "accuracy/discriminator_fake": (fake_logits.numpy() < 0).mean(),
            "accuracy/determinator_real": (real.numpy().argmax(1) == labels).mean(),
            "accuracy/determinator_fake": (fake.numpy().argmax(1) == labels).mean(),
        }
        self.assertEqual(set(got), set(expected))
        for tag, value in expected.items():
            self.assertAlmostEqual(got[tag], float(value), delta=1e-5, msg=tag)

    def test_the_digit_losses_have_the_form_of_the_config(self):
        mean, total = self.evaluate(), self.evaluate(digit_loss="sigmoid_sum")
        differing = {tag for tag in mean if mean[tag] != total[tag]}
        self.assertEqual(differing, {"loss/determinator", "loss/generator_digit"})

    def test_there_is_no_dropout(self):
        plain = self.evaluate(keep_prob=NO_DROPOUT)
        for role in ROLES:
            keep_prob = NO_DROPOUT._replace(**{role: 0.5})
            self.assertEqual(self.evaluate(keep_prob=keep_prob), plain, role)

    def test_there_is_no_l1_and_nothing_changes(self):
        heavy = small_system(l1_weight=Triple(1.0, 1.0, 1.0))
        before = {name: v.numpy() for name, v in heavy.state.items()}
        got = numbers(heavy.evaluate(self.images, self.labels, SEED))
        self.assertEqual(got, self.evaluate())
        for name, v in heavy.state.items():
            np.testing.assert_array_equal(v.numpy(), before[name])

    def test_it_is_a_function_of_the_seed(self):
        system = small_system()
        first, again, other = (
            numbers(system.evaluate(self.images, self.labels, seed))
            for seed in (SEED, SEED, SEED + 1)
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first["loss/generator_real"], other["loss/generator_real"])
        self.assertEqual(first["loss/determinator"], other["loss/determinator"])


class State(unittest.TestCase):
    def test_it_has_every_variable_once(self):
        system = small_system()
        weights = sum(len(network.weights) for network in system.networks)
        self.assertEqual(weights, 3 * 8)
        self.assertEqual(len(system.state), weights + 2 * weights + 3)  # m and v, three counts
        self.assertEqual(len({id(v) for v in system.state.values()}), len(system.state))
        variables = [v for network in system.networks for v in network.weights]
        variables += [v for adam in system.optimizers for v in adam.state]
        self.assertEqual({id(v) for v in variables}, {id(v) for v in system.state.values()})
        for name in ("generator/hidden1/w", "adam/determinator/steps"):
            self.assertIn(name, system.state)

    def test_generator_weights_are_the_generators_variables_by_name(self):
        system = small_system()
        weights = system.networks.generator.weights
        expected = {w.name.removesuffix(":0"): w for w in weights}
        self.assertEqual(list(system.generator_weights), list(expected))
        for name, w in expected.items():
            self.assertIs(system.generator_weights[name], w)
