import unittest

import numpy as np
import tensorflow as tf

from gan3.vae_gan import losses

RANDOM = np.random.default_rng(0)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


class Reconstruction(unittest.TestCase):
    def test_its_closed_form_and_that_it_is_least_at_the_image(self):
        images = RANDOM.uniform(0.01, 0.99, size=(3, 28, 28, 1))
        logits = RANDOM.normal(size=(3, 784))
        pixels = images.reshape(3, 784)
        each = -(pixels * log_sigmoid(logits) + (1 - pixels) * log_sigmoid(-logits))
        got = losses.reconstruction(tf.constant(logits), tf.constant(images))
        self.assertAlmostEqual(float(got), each.sum(axis=1).mean(), delta=1e-9)
        minimum = np.log(pixels / (1 - pixels))
        least = float(losses.reconstruction(tf.constant(minimum), tf.constant(images)))
        for offset in (-0.01, 0.01):
            near = losses.reconstruction(tf.constant(minimum + offset), tf.constant(images))
            self.assertGreater(float(near), least)

    def test_it_takes_logits_of_784_pixels(self):
        with self.assertRaises(ValueError):
            losses.reconstruction(tf.zeros([3, 28, 28, 1]), tf.zeros([3, 28, 28, 1]))


if __name__ == "__main__":
    unittest.main()
