"""The VAE-GAN as a system; with its defaults it is the method's, bit for bit."""

import dataclasses
import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.core.triple import Triple
from gan3.method.three_networks import ThreeNetworks
from gan3.runs.registry import config_of
from gan3.runs.tensorboard import learning_rates
from gan3.vae_gan.config import VaeGanConfig
from gan3.vae_gan.vae_gan import VaeGan
from tests.support import batch_of, class_probabilities, slow, state_of

SEED = tf.constant([5, 6])
CONFIG = dataclasses.replace(
    config_of("best"),
    generator_widths=(12,),
    generator_channels=(2, 3),
    discriminator_widths=(3, 4, 8),
    determinator_widths=(4, 3, 6),
    kernel_size=3,
    noise_entries=10,
    class_conditional_discriminator=False,
)


def system_of(**changes):
    """CONFIG's system with some fields changed."""
    return VaeGan(dataclasses.replace(CONFIG, **changes), DIGITS)


def train(system, steps):
    images, labels = batch_of(20)
    step = tf.function(system.train_step, autograph=False)
    for number in range(steps):
        step(images, labels, tf.constant([0, number]))


class Defaults(unittest.TestCase):
    @slow("trains two systems")
    def test_with_defaults_it_is_the_method_bit_for_bit(self):
        images, labels = batch_of(20)
        for name in ("three_network", "published_code"):
            config = config_of(name)
            fields = {
                field.name: getattr(config, field.name) for field in dataclasses.fields(config)
            }
            states, scalars, samples, probs = [], [], [], []
            for system in (
                ThreeNetworks(config, DIGITS),
                VaeGan(VaeGanConfig(**fields), DIGITS),
            ):
                train(system, 2)
                states.append(state_of(system))
                scalars.append(system.evaluate(images, labels, SEED))
                samples.append(system.generate(labels, system.noise(labels, SEED)).numpy())
                probs.append(class_probabilities(system, images))
            self.assertEqual(set(states[0]), set(states[1]))
            for key, value in states[0].items():
                np.testing.assert_array_equal(value, states[1][key], f"{name}: {key}")
            self.assertEqual(set(scalars[0]), set(scalars[1]))
            for tag, value in scalars[0].items():
                self.assertEqual(float(value), float(scalars[1][tag]), tag)
            np.testing.assert_array_equal(*samples)
            np.testing.assert_array_equal(*probs)


class Construction(unittest.TestCase):
    def test_shapes_are_those_of_the_config(self):
        generator, discriminator, determinator = system_of().networks
        self.assertEqual(generator.variables["generator/hidden1/w"].shape, [110, 12])
        self.assertEqual(generator.variables["generator/hidden2/w"].shape, [12, 49 * 2])
        for critic, widths, outputs in (
            (discriminator, (3, 4, 8), 1),
            (determinator, (4, 3, 6), 10),
        ):
            shapes = [w.shape.as_list() for w in critic.weights[:8:2]]
            kernels = [[3, 3, 1, widths[0]], [3, 3, widths[0], widths[1]]]
            matrices = [[7 * 7 * widths[1], widths[2]], [widths[2], outputs]]
            self.assertEqual(shapes, kernels + matrices)
            self.assertEqual(critic.digit_biases, [])
        self.assertIsNone(discriminator.encoder)
        self.assertEqual(determinator.variables["determinator/encoder/w"].shape, [6, 10])
        self.assertIsNone(system_of(reconstruction_weight=0.0).networks.determinator.encoder)

    def test_the_label_is_given_to_the_discriminator_only_if_it_is_class_conditional(self):
        images, labels = batch_of(20)
        for class_conditional in (True, False):
            system = system_of(class_conditional_discriminator=class_conditional)
            scalars = [system.evaluate(images, given, SEED) for given in (labels, 9 - labels)]
            real = [float(each["accuracy/discriminator_real"]) for each in scalars]
            logits = [
                system.networks.discriminator(images, SEED, given) for given in (labels, 9 - labels)
            ]
            self.assertEqual(not np.array_equal(*logits), class_conditional)
            if not class_conditional:
                self.assertEqual(*real)


class Samples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = system_of()
        train(cls.system, 3)

    def test_digits_are_drawn_by_the_averaged_generator_one_by_one(self):
        system, labels = self.system, tf.range(10)
        noise = system.noise(labels, SEED)
        images = system.generate(labels, noise).numpy()
        single = [system.generate(labels[i : i + 1], noise[i : i + 1]).numpy() for i in range(10)]
        np.testing.assert_allclose(images, np.concatenate(single), atol=1e-5)  # no batch moments
        pixels = system.networks.generator.variables["generator/pixels/w"]
        pixels.assign(tf.zeros_like(pixels))
        np.testing.assert_array_equal(images, system.generate(labels, noise).numpy())

    def test_the_reconstruction_loss_is_that_of_the_images_drawn_from_their_codes(self):
        """Cross entropy of the pixels, in nats per image, by the averaged generator."""
        system, (images, labels) = self.system, batch_of(20)
        determinator = system.networks.determinator
        codes = determinator.code_norm(determinator.encode(images)[1], labels)
        drawn = system.generate(labels, tf.math.erf(codes / np.sqrt(2))).numpy().astype(float)
        x = images.numpy()[..., 0]
        expected = -(x * np.log(drawn) + (1 - x) * np.log(1 - drawn)).sum(axis=(1, 2)).mean()
        loss = system.evaluate(images, labels, SEED)["loss/reconstruction"]
        self.assertAlmostEqual(float(loss), expected, delta=1e-4 * expected)
        plain = system_of(reconstruction_weight=0.0).evaluate(images, labels, SEED)
        self.assertNotIn("loss/reconstruction", plain)

    def test_the_learning_rates_are_those_of_the_next_step(self):
        base = Triple(1 / 16, 1 / 32, 1 / 64)
        system = system_of(lr_decay_start=0.5, batches=2, episodes=2, learning_rate=base)
        train(system, 3)  # the schedule has 4; the last one has half of the rates
        rates = {f"learning_rate/{name}": rate / 2 for name, rate in base._asdict().items()}
        self.assertEqual(learning_rates(system), rates)


class State(unittest.TestCase):
    def test_the_averaged_generator_is_part_of_it(self):
        plain, averaged = (system_of(ema_decay=decay, shared_noise=False) for decay in (0.0, 0.9))
        generator = plain.networks.generator.variables
        self.assertEqual(set(plain.generator_weights), set(generator))
        names = {name.replace("generator/", "average/") for name in generator}
        self.assertEqual(set(averaged.generator_weights), names)
        running = {name for name in generator if name.endswith(("/mean", "/variance"))}
        self.assertEqual(len(running), 4)
        self.assertEqual(set(averaged.state), set(plain.state) - running | names)
        for name, variable in averaged.generator_weights.items():
            self.assertIs(averaged.state[name], variable)

    def test_the_average_starts_at_the_trained_generator_without_draws_of_its_own(self):
        """With and without averaging all other variables have the same initial values."""
        for initializer in ("glorot", "published"):
            plain, averaged = (
                state_of(system_of(ema_decay=decay, initializer=initializer, shared_noise=False))
                for decay in (0.0, 0.9)
            )
            for name in set(plain) & set(averaged):
                np.testing.assert_array_equal(plain[name], averaged[name], name)
            for name, value in plain.items():
                if name.startswith("generator/"):
                    average = averaged[name.replace("generator/", "average/")]
                    np.testing.assert_array_equal(value, average, name)
