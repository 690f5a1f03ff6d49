"""Dense networks as plain arrays, against formulas in float64."""

import unittest

import numpy as np
import tensorflow as tf

from gan3.nn import dense

FORMULAS = {
    "none": lambda x: x,
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "relu": lambda x: x * (x > 0),
    "leaky_relu": lambda x: np.where(x > 0, x, x / 5),
    "slight_leak": lambda x: np.where(x > 0, x, x / 50),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
}


class Activations(unittest.TestCase):
    def test_each_is_its_formula_and_stays_float32(self):
        self.assertEqual(set(dense.ACTIVATIONS), set(FORMULAS))
        x = np.linspace(-8, 8, 1001)
        for name, formula in FORMULAS.items():
            got = dense.ACTIVATIONS[name](x.astype(np.float32))
            self.assertEqual(got.dtype, np.float32, name)
            np.testing.assert_allclose(got, formula(x), rtol=1e-5, atol=1e-6, err_msg=name)

    def test_extreme_values_neither_overflow_nor_leave_the_range(self):
        x = np.float32([-1e30, -1e3, 1e3, 1e30])
        with np.errstate(all="raise", under="ignore"):
            self.assertEqual(dense.ACTIVATIONS["sigmoid"](x).tolist(), [0, 0, 1, 1])
            self.assertEqual(dense.ACTIVATIONS["elu"](x).tolist()[:2], [-1, -1])


class Networks(unittest.TestCase):
    def test_a_stack_is_named_and_shaped_layer_by_layer(self):
        specs = dense.stack("g", (5, 7, 3, 4), "relu", "tanh", batch_norm=True)
        self.assertEqual([spec.name for spec in specs], ["g/hidden1", "g/hidden2", "g/pixels"])
        self.assertEqual([spec.activation for spec in specs], ["relu", "relu", "tanh"])
        shapes = dense.shapes_of(specs)
        self.assertEqual(shapes["g/hidden2/w"], (7, 3))
        for part in ("b", "scale", "mean", "variance"):
            self.assertEqual(shapes[f"g/hidden2/{part}"], (3,))
        self.assertEqual(shapes["g/pixels/w"], (3, 4))
        self.assertEqual(len(shapes), 5 + 5 + 2)

    def test_batch_and_layer_normalisation(self):
        specs = (
            dense.DenseSpec("a", 5, 7, "leaky_relu", batch_norm=True),
            dense.DenseSpec("b", 7, 6, "slight_leak", layer_norm="n"),
            dense.DenseSpec("c", 6, 3, "sigmoid"),
        )
        random = np.random.default_rng(0)
        arrays = {
            name: random.uniform(0.5, 2, shape)
            if "variance" in name
            else random.normal(0, 1, shape)
            for name, shape in dense.shapes_of(specs).items()
        }
        self.assertIn("n/scale", arrays)
        x = random.normal(0, 1, (9, 5))
        h = x @ arrays["a/w"]
        h = (h - arrays["a/mean"]) / np.sqrt(arrays["a/variance"] + 1e-5)
        h = FORMULAS["leaky_relu"](h * arrays["a/scale"] + arrays["a/b"])
        h = FORMULAS["slight_leak"](h @ arrays["b/w"] + arrays["b/b"])
        centred = h - h.mean(axis=1, keepdims=True)
        h = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        h = h * arrays["n/scale"] + arrays["n/shift"]
        expected = FORMULAS["sigmoid"](h @ arrays["c/w"] + arrays["c/b"])
        float32 = {name: array.astype(np.float32) for name, array in arrays.items()}
        got = dense.forward(dense.layers_of(specs, float32), x.astype(np.float32))
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, expected, atol=1e-5)

    def test_a_transposed_convolution_is_that_of_tensorflow(self):
        spec = dense.ConvTransposeSpec("a", 3, "tanh")
        self.assertEqual(spec.inputs, 7 * 7 * 3)
        random = np.random.default_rng(0)
        arrays = {
            name: random.normal(0, 0.2, shape).astype(np.float32)
            for name, shape in spec.shapes().items()
        }
        x = random.normal(size=(5, spec.inputs)).astype(np.float32)
        places = x.reshape(5, 7, 7, 3)
        sums = tf.nn.conv2d_transpose(places, arrays["a/w"], [5, 28, 28, 1], 4, "SAME")
        expected = np.tanh(sums.numpy().reshape(5, 784) + arrays["a/b"])
        got = dense.forward([spec.layer(arrays)], x)
        np.testing.assert_allclose(got, expected, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
