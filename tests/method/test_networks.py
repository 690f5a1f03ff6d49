import unittest

import numpy as np
import tensorflow as tf

from gan3.method.networks import Generator, determinator, discriminator
from gan3.nn.initializers import Glorot

SEED = tf.constant([0, 1])
GENERATOR_LAYERS = ("hidden1", "hidden2", "hidden3", "pixels")


class Layers(unittest.TestCase):
    def setUp(self):
        init = Glorot(0)
        self.generator = Generator(init, 10, "elu")
        self.discriminator = discriminator(init, "elu")
        self.determinator = determinator(init, 10, "elu")

    def test_parameter_counts_of_the_description(self):
        def dense(*widths):
            return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))

        convolutions = 5 * 5 * 1 * 32 + 32 + 5 * 5 * 32 * 64 + 64
        for network, expected in (
            (self.generator, dense(100, 100, 500, 784, 784)),
            (self.discriminator, convolutions + dense(7 * 7 * 64, 1024, 1)),
            (self.determinator, convolutions + dense(7 * 7 * 64, 1024, 10)),
        ):
            count = sum(int(tf.size(w)) for w in network.weights)
            self.assertEqual(count, expected, network.name)

    def test_names_and_order(self):
        def names(network):
            return [w.name.removesuffix(":0") for w in network.weights]

        self.assertEqual(
            names(self.generator),
            [f"generator/{x}/{v}" for x in GENERATOR_LAYERS for v in "wb"],
        )
        for network in (self.discriminator, self.determinator):
            layers = ("conv1", "conv2", "hidden", "logits")
            expected = [f"{network.name}/{x}/{v}" for x in layers for v in "wb"]
            self.assertEqual(names(network), expected)

    def test_l1_is_on_exactly_the_listed_matrices(self):
        def names(network):
            return [w.name.removesuffix(":0") for w in network.l1_weights]

        self.assertEqual(
            names(self.generator),
            [f"generator/{x}/w" for x in GENERATOR_LAYERS],
        )
        for network in (self.discriminator, self.determinator):
            self.assertEqual(
                names(network), [f"{network.name}/{x}/w" for x in ("hidden", "logits")]
            )

    def test_no_weight_is_shared(self):
        networks = (self.generator, self.discriminator, self.determinator)
        weights = [w for network in networks for w in network.weights]
        self.assertEqual(len({id(w) for w in weights}), len(weights))

    def test_images_and_logits(self):
        latent = tf.random.stateless_uniform([3, 100], SEED, -1, 1)
        images = self.generator(latent, 0.5, SEED)
        self.assertEqual(images.shape, [3, 28, 28, 1])
        self.assertTrue(0 < images.numpy().min() < images.numpy().max() < 1)
        self.assertEqual(self.discriminator(images, 0.5, SEED).shape, [3, 1])
        self.assertEqual(self.determinator(images, 0.5, SEED).shape, [3, 10])

    def test_wrong_shapes_are_refused(self):
        with self.assertRaises(ValueError):
            self.generator(tf.zeros([3, 10]))
        for shape in ([3, 784], [3, 28, 28], [3, 28, 28, 3]):
            with self.assertRaises(ValueError):
                self.discriminator(tf.zeros(shape))

    def test_generator_is_the_dense_network_of_the_description(self):
        latent = tf.random.stateless_uniform([2, 100], SEED, -1, 1)
        h = latent.numpy().astype(np.float64)
        *hidden, (w, b) = zip(
            self.generator.weights[::2], self.generator.weights[1::2], strict=True
        )
        for weights, biases in hidden:
            z = h @ weights.numpy() + biases.numpy()
            h = np.where(z > 0, z, np.expm1(z))  # ELU
        expected = 1 / (1 + np.exp(-(h @ w.numpy() + b.numpy())))
        got = self.generator(latent).numpy().reshape(2, 784)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


class AnyNumberOfClasses(unittest.TestCase):
    def test_the_latent_has_ten_entries_and_the_determinator_a_logit_for_each_class(self):
        for classes in (3, 62):
            generator = Generator(Glorot(0), classes, "elu")
            self.assertEqual(generator.hidden1[0].shape, [10 * classes, 100])
            self.assertEqual(generator(tf.zeros([2, 10 * classes])).shape, [2, 28, 28, 1])
            with self.assertRaises(ValueError):
                generator(tf.zeros([2, 100]))
            logits = determinator(Glorot(0), classes, "elu")(tf.zeros([2, 28, 28, 1]))
            self.assertEqual(logits.shape, [2, classes])


class Dropout(unittest.TestCase):
    def setUp(self):
        latent = tf.random.stateless_uniform([2, 100], SEED, -1, 1)
        images = tf.random.stateless_uniform([2, 28, 28, 1], SEED)
        self.inputs = (
            (Generator(Glorot(0), 10, "elu"), latent),
            (discriminator(Glorot(0), "elu"), images),
            (determinator(Glorot(0), 10, "elu"), images),
        )

    def test_it_is_a_function_of_the_seed(self):
        for network, x in self.inputs:
            with self.subTest(network.name):
                one = network(x, 0.5, tf.constant([0, 1])).numpy()
                np.testing.assert_array_equal(one, network(x, 0.5, tf.constant([0, 1])))
                self.assertFalse(np.array_equal(one, network(x, 0.5, tf.constant([0, 2]))))
                self.assertFalse(np.array_equal(one, network(x)))

    def test_without_dropout_the_seed_is_optional_and_has_no_effect(self):
        for network, x in self.inputs:
            with self.subTest(network.name):
                plain = network(x)
                np.testing.assert_array_equal(plain, network(x, 1.0, None))
                np.testing.assert_array_equal(plain, network(x, 1.0, SEED))

    def test_with_dropout_a_seed_is_needed(self):
        for network, x in self.inputs:
            with self.subTest(network.name), self.assertRaises(ValueError):
                network(x, 0.99)


class Precision(unittest.TestCase):
    def test_bfloat16_keeps_float32_weights_and_logits(self):
        exact, coarse = discriminator(Glorot(1), "elu"), discriminator(Glorot(1), "elu", "bfloat16")
        images = tf.random.stateless_uniform([4, 28, 28, 1], SEED)
        got = coarse(images)
        self.assertEqual(got.dtype, tf.float32)
        self.assertEqual({w.dtype for w in coarse.weights}, {tf.float32})
        np.testing.assert_allclose(got, exact(images), atol=0.05)


if __name__ == "__main__":
    unittest.main()
