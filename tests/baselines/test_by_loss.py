"""`discriminator_updates = "by_loss"`: which update is due, and the tutorial's loop beside it."""

import dataclasses
import unittest

import numpy as np
import tensorflow as tf

from gan3.baselines.config import BaselineConfig
from gan3.baselines.train_step import draw_noise
from gan3.core.classes import DIGITS
from gan3.core.triple import Pair
from gan3.runs.registry import build, config_of
from tests.support import batch_of, changed, in_graph, restore, slow, state_of

SEED = tf.constant([5, 6])
LAST_BIAS = "discriminator/logits/b"
ADAMS = ("discriminator_fake", "generator", "discriminator")  # in the order of their updates
SMALL = BaselineConfig(
    experiment="layernorm_gan", learning_rate=Pair(1e-4, 3e-4), discriminator_updates="by_loss"
)


def set_losses(system, *values):
    for adam, value in zip(ADAMS, values, strict=True):
        system.state[f"last_loss/{adam}"].assign(value)


def losses_of(system):
    return [float(system.state[f"last_loss/{adam}"]) for adam in ADAMS]


class Rule(unittest.TestCase):
    def test_an_update_is_made_while_its_last_loss_is_above_its_threshold(self):
        """Of a discriminator that gives every image the logit `bias`. Its losses are then about
        softplus(bias) on fakes, softplus(-bias) of the generator and on real images; with a target
        of 0 for real images, softplus(bias) on those, too."""
        images, labels = batch_of(6)
        for target, cases in (
            (1.0, (
                # the last losses, the bias, the updates that are due
                ((0.61, 0.51, 0.46), 0.0, ADAMS),
                ((0.59, 0.51, 0.46), 0.0, ("generator", "discriminator")),
                ((0.59, 0.49, 0.46), 0.0, ("discriminator",)),
                ((0.59, 0.49, 0.44), 0.0, ()),
                # An update measures all three losses: those after it go by the new ones.
                ((0.61, 0.00, 0.00), 3.0, ("discriminator_fake",)),
                ((0.61, 0.00, 0.00), -3.0, ADAMS),
                ((0.59, 0.51, 0.44), 3.0, ("generator",)),
                ((0.59, 0.51, 0.44), -3.0, ("generator", "discriminator")),
            )),
            (0.0, (
                ((0.59, 0.51, 0.46), -3.0, ("generator",)),
                ((0.61, 0.49, 0.44), 3.0, ("discriminator_fake", "discriminator")),
            )),
        ):  # fmt: skip
            system = build(dataclasses.replace(SMALL, real_target=target), DIGITS, "float32")
            step = tf.function(system.train_step, autograph=False)
            start = state_of(system)
            w, b = (system.state[f"discriminator/logits/{part}"] for part in "wb")
            for last, bias, due in cases:
                restore(system, start)
                set_losses(system, *last)
                w.assign(w / 1000)  # almost zero, but the generator still has a gradient
                b.assign([bias])
                before = state_of(system)
                finite = step(images, labels, SEED)
                moved = changed(before, state_of(system))
                with self.subTest(target=target, last=last, bias=bias):
                    self.assertTrue(all(finite.values()))
                    expected = {"last_loss"} if due else set()
                    expected |= {f"adam/{adam}" for adam in due}
                    expected |= {adam.removesuffix("_fake") for adam in due}
                    parts = [name.split("/") for name in moved]
                    parts = {"/".join(p[: 2 if p[0] == "adam" else 1]) for p in parts}
                    self.assertEqual(parts, expected)

    def test_a_loss_that_is_not_finite_is_reported_by_the_update_that_measures_it(self):
        images, labels = batch_of(6)
        system = build(SMALL, DIGITS, "float32")
        finite = in_graph(lambda: system.train_step(images * np.nan, labels, SEED))
        self.assertFalse(bool(finite["discriminator"]))

    def test_the_losses_belong_to_the_state_so_that_a_resumed_run_is_exact(self):
        images, labels = batch_of(6)
        first, resumed = (build(SMALL, DIGITS, "float32") for _ in range(2))
        self.assertEqual(losses_of(first), [1, 0, 1])
        steps = [tf.function(s.train_step, autograph=False) for s in (first, resumed)]
        for i in range(3):
            steps[0](images, labels, SEED + i)
        set_losses(first, 0.59, 0.51, 0.44)
        restore(resumed, state_of(first))
        for step in steps:
            for i in range(3, 6):
                step(images, labels, SEED + i)
        self.assertEqual(changed(state_of(first), state_of(resumed)), set())
        self.assertNotEqual(losses_of(first), [0.59, 0.51, 0.44])


class Tutorial:
    """gan_auto_write's networks and the tutorial's loop in a graph and a session of TensorFlow 1.

    Its rule is the loop's, in Python: it runs an update and the three losses together.
    """

    def __init__(self, system, batch):
        config, v1 = system.train_step.config, tf.compat.v1
        thresholds = config.fake_threshold, config.generator_threshold, config.real_threshold
        self.thresholds = thresholds
        values = {name: v.numpy() for name, v in system.state.items()}
        self.losses, self.counts = [1.0, 0.0, 1.0], [0, 0, 0]
        with tf.Graph().as_default():
            weights = {
                name: v1.get_variable(name, initializer=values[name], use_resource=False)
                for network in (system.generator, system.discriminator)
                for name in (v.name.removesuffix(":0") for v in network.weights)
            }
            self.noise = v1.placeholder(tf.float32, [batch, 100])
            self.images = v1.placeholder(tf.float32, [batch, 28, 28, 1])
            fakes = self.generator(weights, self.noise)
            on_fakes, on_real = (self.discriminator(weights, x) for x in (fakes, self.images))
            entropy = tf.nn.sigmoid_cross_entropy_with_logits
            self.loss_tensors = [
                tf.reduce_mean(entropy(logits=on_fakes, labels=tf.zeros_like(on_fakes))),
                tf.reduce_mean(entropy(logits=on_fakes, labels=tf.ones_like(on_fakes))),
                tf.reduce_mean(entropy(logits=on_real, labels=tf.fill([batch, 1], 0.9))),
            ]
            self.updates = []
            for loss, adam in zip(self.loss_tensors, ADAMS, strict=True):
                own = adam.removesuffix("_fake")
                own = [w for name, w in weights.items() if name.startswith(own)]
                optimizer = v1.train.AdamOptimizer(1e-4 if adam == "generator" else 3e-4)
                gradients = optimizer.compute_gradients(loss, own)
                with tf.control_dependencies(self.loss_tensors):  # with the weights before it
                    self.updates.append(optimizer.apply_gradients(gradients))
            self.weights, self.session = weights, v1.Session()
            self.session.run(v1.global_variables_initializer())

    def generator(self, w, noise):
        def norm(x):
            mean, variance = tf.nn.moments(x, [0, 1, 2])
            return tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, None, None, 1e-5))

        def conv(x, layer, stride=2):
            layer = f"generator/{layer}"
            return tf.nn.conv2d(x, w[f"{layer}/w"], stride, "SAME") + w[f"{layer}/b"]

        def up(x):
            return tf.compat.v1.image.resize_bilinear(x, [56, 56])

        h = noise @ w["generator/sheet/w"] + w["generator/sheet/b"]
        h = norm(tf.reshape(h, [-1, 56, 56, 1]))
        h = up(norm(conv(h, "conv1")))
        h = up(norm(conv(h, "conv2")))
        return tf.sigmoid(conv(h, "pixels"))

    def discriminator(self, w, images):
        h = images
        for layer in ("discriminator/conv1", "discriminator/conv2"):
            h = tf.nn.relu(tf.nn.conv2d(h, w[f"{layer}/w"], 1, "SAME") + w[f"{layer}/b"])
            h = tf.nn.avg_pool2d(h, 2, 2, "SAME")
        h = tf.reshape(h, [-1, 7 * 7 * 64])
        h = tf.nn.relu(h @ w["discriminator/hidden/w"] + w["discriminator/hidden/b"])
        return h @ w["discriminator/logits/w"] + w["discriminator/logits/b"]

    def step(self, images, noises):
        """One iteration; of each update the noise [B, 100]."""
        for i in range(3):
            if self.losses[i] > self.thresholds[i]:
                given = {self.images: images, self.noise: noises[i]}
                _, self.losses = self.session.run([self.updates[i], self.loss_tensors], given)
                self.counts[i] += 1


class AgainstTheTutorial(unittest.TestCase):
    @slow("half a minute")
    def test_the_same_weights_and_inputs_give_the_same_updates(self):
        """Three times four iterations, in which each update is made and each is left out: the
        discriminator's last bias makes all images pass as real, then none, then all."""
        images, labels = batch_of(6)
        system = build(config_of("gan_auto_write"), DIGITS, "float32")
        start = state_of(system)
        tutorial = Tutorial(system, 6)
        step = tf.function(system.train_step, autograph=False)
        for i, bias in enumerate([1.2] * 4 + [-0.8] * 4 + [1.2] * 4):
            if i % 4 == 0:
                system.state[LAST_BIAS].assign([bias])
                theirs = tutorial.weights[LAST_BIAS]
                tutorial.session.run(theirs.initializer, {theirs.initial_value: [bias]})
            seed, noises = SEED + i, []
            for update_seed in tf.unstack(tf.random.split(seed, 3)):
                fake_seed = tf.random.split(update_seed, 3)[0]
                noise_seed = tf.random.split(fake_seed, 3)[0]
                noises.append(draw_noise(system.spec, labels, noise_seed).numpy())
            step(images, labels, seed)
            tutorial.step(images.numpy(), noises)
            np.testing.assert_allclose(losses_of(system), tutorial.losses, rtol=0, atol=1e-5)
        counts = [int(system.state[f"adam/{adam}/steps"]) for adam in ADAMS]
        self.assertEqual(counts, tutorial.counts)
        self.assertTrue(all(0 < count < 12 for count in counts), counts)
        ours = state_of(system)
        for name, expected in tutorial.session.run(tutorial.weights).items():
            if name in ("generator/conv1/b", "generator/conv2/b"):
                continue  # a normalisation takes them off again: their gradient is rounding noise
            with self.subTest(name):
                np.testing.assert_allclose(ours[name], expected, rtol=0, atol=1e-5)
                self.assertGreater(np.abs(expected - start[name]).max(), 4e-4)
