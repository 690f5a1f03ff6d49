"""The determinator of `best` in NumPy: classes and code are those of TensorFlow."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.runs.registry import config_of, determinator_of
from gan3.vae_gan.networks import trained_determinator
from gan3.vae_gan.train_step import normal_to_uniform
from tests.models.test_determinator import IMAGES, INPUTS, determinators_of

SMALL = {"generator_widths": (20,), "generator_channels": (2, 3), "discriminator_widths": (3, 4, 8)}


class AsTensorFlow(unittest.TestCase):
    def test_classes_and_noise_with_every_downsampling_and_depth(self):
        for changes in (
            {},  # those of best: stride and leaky ReLU
            {"downsampling": "pool", "kernel_size": 5},
            {"determinator_widths": (5, 6, 7, 20), "downsampling": "pool"},  # 28, 14, 7, 4
            {"determinator_widths": (4, 5, 6, 7, 20), "kernel_size": 3},  # 28, 14, 7, 4, 2
            {"class_names": ("dog", "cat")},
        ):
            with self.subTest(**changes):
                system, determinator = determinators_of("best", **SMALL | changes)
                network = system.networks.determinator
                logits, numbers = network.encode(tf.constant(INPUTS))
                mean = network.code_norm(numbers, tf.argmax(logits, axis=1))
                _, probabilities, noise = determinator.encode(IMAGES)
                self.assertEqual((noise.shape, noise.dtype), ((len(IMAGES), 13), np.float32))
                expected = normal_to_uniform(mean).numpy()
                self.assertGreater(expected.std(axis=0).max(), 0.02)  # the images matter
                self.assertLess(np.abs(expected).min(), 0.9)  # and the function is not saturated
                np.testing.assert_allclose(noise, expected, rtol=0, atol=1e-5)
                expected = tf.nn.softmax(logits).numpy()
                np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
                np.testing.assert_allclose(determinator(IMAGES), expected, atol=1e-5)


class Declared(unittest.TestCase):
    def test_only_what_reconstructs_has_an_encoder(self):
        for name in ("best", "best_long"):
            self.assertIsNotNone(determinator_of(config_of(name), DIGITS).encoder)
        config = config_of("best").with_text("reconstruction_adversarial_weight", "0")
        config = config.with_text("reconstruction_weight", "0")
        spec = trained_determinator(config, DIGITS)
        self.assertIsNone(spec.encoder)
        self.assertFalse([name for name in spec.shapes if "encoder" in name or "code" in name])
