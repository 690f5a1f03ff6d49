import unittest

import numpy as np
import tensorflow as tf

from gan3.core.triple import Triple
from tests.support import batch_of, in_graph, restore, slow, small_system, state_of

SEED = tf.constant([5, 6])
NO_DROPOUT = Triple(1.0, 1.0, 1.0)
ROLES = Triple._fields


def train(system, images, labels, seed=SEED):
    """One training step."""
    return tf.function(system.train_step, autograph=False)(images, labels, seed)


def gradients_of(loss_function, networks):
    """The gradient of a loss by each weight of some networks; None where it does not depend."""
    with tf.GradientTape(persistent=True) as tape:
        loss = loss_function()
    return [tape.gradient(loss, network.weights) for network in networks]


def loss_of(system, role, images, labels, seed=SEED):
    """One network's loss."""
    inputs = (labels,) if role == "generator" else (images, labels)
    return getattr(system.train_step, f"{role}_loss")(*inputs, seed)


def values(network):
    return [w.numpy() for w in network.weights]


def moved(before, after):
    """For each variable, whether any entry changed."""
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


class Losses(unittest.TestCase):
    def setUp(self):
        self.images, self.labels = batch_of(6)

    def losses(self, system):
        return Triple(*(loss_of(system, role, self.images, self.labels) for role in ROLES))

    def test_which_loss_depends_on_which_network(self):
        """Rows: loss of generator, discriminator, determinator; columns: the same networks."""
        system = small_system(l1_weight=Triple(0.0, 0.0, 0.0))
        reach = []
        for role in ROLES:

            def loss(role=role):
                return loss_of(system, role, self.images, self.labels)

            for gradients in gradients_of(loss, system.networks):
                sizes = [np.abs(g).max() for g in gradients if g is not None]
                reach.append(max(sizes, default=0) > 0)
        self.assertEqual(reach, [True, True, True, True, True, False, False, False, True])

    def test_closed_forms(self):
        for digit_loss, weight in (("softmax_mean", 0.3), ("sigmoid_sum", 1.0)):
            with self.subTest(digit_loss):
                self.assert_closed_forms(digit_loss, weight)

    def assert_closed_forms(self, digit_loss, weight):
        system = small_system(keep_prob=NO_DROPOUT, digit_weight=weight, digit_loss=digit_loss)
        got = self.losses(system)
        l1 = Triple(
            *(
                rate * sum(np.abs(w.numpy()).sum() for w in network.l1_weights)
                for rate, network in zip((1e-5, 2e-5, 3e-5), system.networks, strict=True)
            )
        )

        def softplus(x):
            return np.log1p(np.exp(x)).mean()

        def digit(logits):
            if digit_loss == "sigmoid_sum":  # over the images and the classes
                signs = 1 - 2 * np.eye(10)[self.labels.numpy()]
                return np.log1p(np.exp(signs * logits)).sum()
            log_sum = np.log(np.exp(logits).sum(axis=1))
            return (log_sum - logits[np.arange(6), self.labels.numpy()]).mean()

        _, discriminator, determinator = system.networks
        fakes = system.train_step.fakes(self.labels, tf.random.split(SEED, 3)[0])
        to_real = softplus(-discriminator(fakes).numpy())
        to_digit = digit(determinator(fakes).numpy())
        self.assertAlmostEqual(float(got[0]), to_real + weight * to_digit + l1[0], delta=1e-4)

        fakes = system.train_step.fakes(self.labels, tf.random.split(SEED, 2)[0])
        real = softplus(-discriminator(self.images).numpy())
        fake = softplus(discriminator(fakes).numpy())
        self.assertAlmostEqual(float(got[1]), real + fake + l1[1], delta=1e-4)

        real = digit(determinator(self.images).numpy())
        self.assertAlmostEqual(float(got[2]), real + l1[2], delta=1e-4)


class Updates(unittest.TestCase):
    """Most of them with one system, whose step is traced once and whose state is set again."""

    @classmethod
    def setUpClass(cls):
        cls.images, cls.labels = batch_of(6)
        cls.system = small_system()
        cls.start = state_of(cls.system)
        cls.step = staticmethod(tf.function(cls.system.train_step, autograph=False))

    def setUp(self):
        restore(self.system, self.start)

    def test_each_optimizer_moves_only_its_own_network(self):
        system = self.system
        for count, role in enumerate(ROLES, start=1):
            before = [values(network) for network in system.networks]

            def update(role=role):
                loss = loss_of(system, role, self.images, self.labels)
                return system.train_step.update(role, loss)

            self.assertTrue(in_graph(update))
            for name, network, old in zip(ROLES, system.networks, before, strict=True):
                with self.subTest(update=role, network=name):
                    self.assertEqual(set(moved(old, values(network))), {name == role})
            steps = [int(adam.steps) for adam in system.optimizers]
            self.assertEqual(steps, [1] * count + [0] * (3 - count))

    def test_a_step_moves_every_variable_of_all_three_once(self):
        system = self.system
        before = [values(network) for network in system.networks]
        self.step(self.images, self.labels, SEED)
        for network, old in zip(system.networks, before, strict=True):
            self.assertEqual(set(moved(old, values(network))), {True}, network.name)
        self.assertEqual([int(adam.steps) for adam in system.optimizers], [1, 1, 1])

    @slow("builds three systems")
    def test_fakes_are_drawn_afresh_for_the_generators_update(self):
        """Of the labels of the real batch. With one noise matrix only their dropout differs."""
        for noise_draw, keep_prob, differ in (
            ("once", Triple(0.8, 0.5, 0.6), True),
            ("once", NO_DROPOUT, False),
            ("example", NO_DROPOUT, True),
        ):
            step = small_system(noise_draw=noise_draw, keep_prob=keep_prob).train_step
            drawn, original = [], step.fakes

            def fakes(labels, *seeds, drawn=drawn, original=original):
                drawn.append((labels, original(labels, *seeds)))
                return drawn[-1][1]

            step.fakes = fakes
            seeds = tf.random.split(SEED, 3)
            step.discriminator_loss(self.images, self.labels, seeds[0])
            step.generator_loss(self.labels, seeds[1])
            (labels, one), (same_labels, other) = drawn
            np.testing.assert_array_equal(labels, self.labels)
            np.testing.assert_array_equal(same_labels, self.labels)
            with self.subTest(noise_draw, keep_prob=keep_prob):
                largest = float(tf.reduce_max(tf.abs(one - other)))
                self.assertEqual(largest > 1e-3, differ)

    def test_a_step_returns_whose_loss_or_gradient_is_not_finite(self):
        """A NaN in a network affects the losses that use the network, and no other."""
        for with_nan, expected in (
            (None, set()),
            ("determinator", {"generator", "determinator"}),
            ("discriminator", {"generator", "discriminator"}),
            ("generator", {"generator", "discriminator"}),
        ):
            restore(self.system, self.start)
            if with_nan:
                bias = getattr(self.system.networks, with_nan).weights[-1]
                bias.assign(tf.fill(bias.shape, np.float32(np.nan)))
            finite = self.step(self.images, self.labels, SEED)
            self.assertEqual(list(finite), list(ROLES))
            not_finite = {role for role, is_finite in finite.items() if not is_finite}
            self.assertEqual(not_finite, expected, with_nan)

    def test_a_gradient_that_overflows_is_noticed_even_if_the_loss_is_finite(self):
        """Features of 100 times a slope of 1e38, behind a hidden unit of almost zero."""
        system = self.system
        _, _, _, conv_b, hidden_w, hidden_b, logits_w, _ = system.networks.determinator.weights
        conv_b.assign(tf.fill(conv_b.shape, 100.0))
        hidden_w.assign(tf.zeros(hidden_w.shape))
        hidden_b.assign(tf.fill(hidden_b.shape, 1e-34))
        logits_w.assign(tf.zeros(logits_w.shape))
        logits_w[0, 0].assign(1e38)
        loss = system.train_step.determinator_loss(self.images, self.labels, SEED)
        self.assertTrue(np.isfinite(loss))
        self.assertFalse(self.step(self.images, self.labels, SEED)["determinator"])

    @slow("ten seconds")
    def test_the_same_seed_gives_the_same_bits_and_another_does_not(self):
        def trained(step_seeds):
            system = small_system(seed=1)
            start, step = state_of(system), tf.function(system.train_step, autograph=False)
            results = []
            for seed in step_seeds:
                restore(system, start)
                for i in range(2):
                    step(self.images, self.labels, tf.constant([seed, i]))
                results.append({name: v.tobytes() for name, v in state_of(system).items()})
            return results

        first, same, other = trained([1, 1, 2])
        self.assertEqual(first, same)
        self.assertNotEqual(first, other)
        self.assertEqual(trained([1]), [first])

    def test_the_determinator_learns_from_real_images_only(self):
        """With another generator it is the same after the step."""
        after = []
        for scale in (1.0, 3.0):
            restore(self.system, self.start)
            for w in self.system.networks.generator.weights:
                w.assign(w * scale + 0.01 * (scale - 1))
            self.step(self.images, self.labels, SEED)
            after.append(values(self.system.networks.determinator))
        for a, b in zip(*after, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)

    @slow("bfloat16 is slow here")
    def test_bfloat16_trains(self):
        system = small_system(dtype="bfloat16")
        before = values(system.networks.generator)
        train(system, self.images, self.labels)
        after = values(system.networks.generator)
        self.assertTrue(all(moved(before, after)))
        self.assertTrue(all(np.isfinite(w).all() for w in after))
