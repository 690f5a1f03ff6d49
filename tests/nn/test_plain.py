"""Convolutions in NumPy: small cases by hand, and TensorFlow's for every padding that can occur."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import plain
from gan3.nn.layers import ACTIVATIONS
from gan3.nn.specs import ConvSpec


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class ByHand(unittest.TestCase):
    def test_a_kernel_is_not_flipped_and_an_odd_zero_is_added_at_the_end(self):
        """A kernel that looks one pixel to the right shifts to the left; stride 2 starts at 0."""
        x = np.arange(1, 5, dtype=np.float32).reshape(1, 1, 4, 1)
        right = np.zeros((2, 2, 1, 1), np.float32)
        right[0, 1] = 1
        shifted = plain.convolve(x, right, 1)
        self.assertEqual(shifted.ravel().tolist(), [2, 3, 4, 0])
        self.assertEqual(plain.convolve(x, right, 2).ravel().tolist(), [2, 4])

    def test_the_last_window_of_an_odd_side_is_smaller(self):
        x = -np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
        pooled = plain.max_pool(x)
        self.assertEqual(pooled.reshape(2, 2).tolist(), [[-1, -3], [-7, -9]])

    def test_shapes_of_the_arrays(self):
        spec = ConvSpec("d/conv1", 4, 3, 5, "relu")
        self.assertEqual(spec.shapes(), {"d/conv1/w": (4, 4, 3, 5), "d/conv1/b": (5,)})


class AsTensorFlow(unittest.TestCase):
    def test_every_side_kernel_and_stride(self):
        for side in (28, 14, 7, 5, 4):
            x = draw(side, 3, side, side + 1, 2)
            for kernel in (1, 2, 3, 4, 5, 7):
                w = draw(kernel, kernel, kernel, 2, 3)
                for stride in (1, 2, 3):
                    expected = tf.nn.conv2d(x, w, stride, "SAME").numpy()
                    got = plain.convolve(x, w, stride)
                    with self.subTest(side=side, kernel=kernel, stride=stride):
                        self.assertEqual((got.shape, got.dtype), (expected.shape, np.float32))
                        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5)

    def test_max_pool(self):
        for side in (28, 7, 5, 1):
            x = draw(side, 3, side, side + 1, 2) - 5  # a zero in the padding would be the maximum
            expected = tf.nn.max_pool2d(x, 2, 2, "SAME").numpy()
            np.testing.assert_array_equal(plain.max_pool(x), expected)

    def test_layers_in_a_row(self):
        """Stride, then max-pool, with every activation that a critic can have."""
        for activation, function in ACTIVATIONS.items():
            specs = [
                ConvSpec("a", 4, 1, 3, activation, stride=2),
                ConvSpec("b", 5, 3, 4, activation, pool=True),
            ]
            shapes = {name: shape for spec in specs for name, shape in spec.shapes().items()}
            arrays = {name: draw(i, *shape) for i, (name, shape) in enumerate(shapes.items())}
            x = draw(9, 2, 28, 28, 1)
            h = function(tf.nn.conv2d(x, arrays["a/w"], 2, "SAME") + arrays["a/b"])
            h = function(tf.nn.conv2d(h, arrays["b/w"], 1, "SAME") + arrays["b/b"])
            expected = tf.nn.max_pool2d(h, 2, 2, "SAME").numpy()
            got = plain.forward([spec.layer(arrays) for spec in specs], x)
            self.assertEqual((got.shape, got.dtype), ((2, 7, 7, 4), np.float32))
            self.assertLess(np.abs(got - expected).max() / np.abs(expected).max(), 1e-5)


if __name__ == "__main__":
    unittest.main()
