"""The vocabulary of layers in NumPy: against formulas in float64, and against TensorFlow."""

import unittest
import unittest.mock

import numpy as np
import tensorflow as tf

from gan3.nn import layers, plain, specs

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
        self.assertEqual(set(plain.ACTIVATIONS), set(FORMULAS))
        x = np.linspace(-8, 8, 1001)
        for name, formula in FORMULAS.items():
            got = plain.ACTIVATIONS[name](x.astype(np.float32))
            self.assertEqual(got.dtype, np.float32, name)
            np.testing.assert_allclose(got, formula(x), rtol=1e-5, atol=1e-6, err_msg=name)

    def test_extreme_values_neither_overflow_nor_leave_the_range(self):
        x = np.float32([-1e30, -1e3, 1e3, 1e30])
        with np.errstate(all="raise", under="ignore"):
            self.assertEqual(plain.ACTIVATIONS["sigmoid"](x).tolist(), [0, 0, 1, 1])
            self.assertEqual(plain.ACTIVATIONS["elu"](x).tolist()[:2], [-1, -1])


class Networks(unittest.TestCase):
    def test_a_stack_is_named_and_shaped_layer_by_layer(self):
        stack = specs.stack("g", (5, 7, 3, 4), "relu", "tanh", batch_norm=True)
        self.assertEqual([spec.name for spec in stack], ["g/hidden1", "g/hidden2", "g/pixels"])
        self.assertEqual([spec.activation for spec in stack], ["relu", "relu", "tanh"])
        shapes = specs.shapes_of(stack)
        self.assertEqual(shapes["g/hidden2/w"], (7, 3))
        for part in ("b", "scale", "mean", "variance"):
            self.assertEqual(shapes[f"g/hidden2/{part}"], (3,))
        self.assertEqual(shapes["g/pixels/w"], (3, 4))
        self.assertEqual(len(shapes), 5 + 5 + 2)

    def test_batch_and_layer_normalisation(self):
        network = (
            specs.DenseSpec("a", 5, 7, "leaky_relu", batch_norm=True),
            specs.DenseSpec("b", 7, 6, "slight_leak", layer_norm="n"),
            specs.DenseSpec("c", 6, 3, "sigmoid"),
        )
        random = np.random.default_rng(0)
        arrays = {
            name: random.uniform(0.5, 2, shape)
            if "variance" in name
            else random.normal(0, 1, shape)
            for name, shape in specs.shapes_of(network).items()
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
        got = plain.forward([spec.layer(float32) for spec in network], x.astype(np.float32))
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, expected, atol=1e-5)

    def test_a_transposed_convolution_is_that_of_tensorflow(self):
        spec = specs.PlacesSpec("a", 3, "tanh")
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
        got = plain.forward([spec.layer(arrays)], x)
        np.testing.assert_allclose(got, expected, atol=1e-5)


def draw(number, shape, positive=False):
    values = np.random.default_rng(number).normal(0, 0.5, shape).astype(np.float32)
    return np.exp(values) if positive else values


def arrays_of(spec):
    return {
        name: draw(number, shape, positive="variance" in name or "scale" in name)
        for number, (name, shape) in enumerate(spec.shapes().items())
    }


def by_tensorflow(spec, arrays, x):
    """What a layer computes, by TensorFlow's own ops."""
    act = {**layers.ACTIVATIONS, "tanh": tf.tanh, "none": lambda x: x}
    part = {name.rpartition("/")[2]: array for name, array in arrays.items()}
    if isinstance(spec, specs.ConvSpec):
        h = tf.nn.conv2d(x, part["w"], spec.stride, "SAME")
        h = tf.nn.max_pool2d(h, 2, 2, "SAME") if spec.pool else h
        return act[spec.activation](h + part["b"])
    if isinstance(spec, specs.ConvTransposeSpec):
        h = layers.conv_transpose(
            tf.constant(x), tf.Variable(part["w"]), None, spec.stride, spec.padding
        )
        return act[spec.activation](h + part["b"])
    if isinstance(spec, specs.BatchNormSpec):
        h = tf.nn.batch_normalization(
            x, part["mean"], part["variance"], part.get("shift"), part.get("scale"), 1e-5
        )
        return act[spec.activation](h)
    if isinstance(spec, specs.UpsampleSpec):
        return tf.raw_ops.ResizeBilinear(images=x, size=[2 * side for side in x.shape[1:3]])
    raise AssertionError(f"{spec}: not known here")


class Vocabulary(unittest.TestCase):
    """Each kind of layer on images, in both ways that a list of them is interpreted."""

    LAYERS = (
        specs.ConvSpec("a", 3, 4, 5, "elu", stride=2),
        specs.ConvSpec("a", 4, 4, 5, "leaky_relu", pool=True),
        specs.ConvSpec("a", 1, 4, 2, "none", stride=2),
        specs.ConvTransposeSpec("a", 4, 4, 3, "relu"),
        specs.ConvTransposeSpec("a", 5, 4, 3, "tanh"),
        specs.ConvTransposeSpec("a", 4, 4, 3, "relu", 1, "VALID"),
        specs.BatchNormSpec("a", 4, "relu"),
        specs.BatchNormSpec("a", 4, "none", affine=False),
        specs.UpsampleSpec(),
    )

    def test_each_is_that_of_tensorflow(self):
        x = draw(9, (3, 6, 6, 4))
        for spec in self.LAYERS:
            arrays = arrays_of(spec)
            expected = by_tensorflow(spec, arrays, x).numpy()
            for found in ([spec.layer(arrays)], spec.parts(arrays)):
                got = plain.forward(found, x)
                with self.subTest(spec):
                    self.assertEqual((got.shape, got.dtype), (expected.shape, np.float32))
                    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

    def test_rows_are_square_images(self):
        x = draw(9, (3, 6, 6, 4))
        for spec in self.LAYERS[:-1]:
            layer = spec.layer(arrays_of(spec))
            np.testing.assert_array_equal(
                plain.forward([layer], x.reshape(3, -1)), plain.forward([layer], x)
            )

    def test_the_parts_of_a_dense_layer_compute_the_same(self):
        x = draw(9, (5, 7))
        for spec in (
            specs.DenseSpec("a", 7, 4, "elu"),
            specs.DenseSpec("a", 7, 4, "relu", batch_norm=True),
            specs.DenseSpec("a", 7, 4, "relu", layer_norm="n"),
        ):
            arrays = arrays_of(spec)
            expected = plain.forward([spec.layer(arrays)], x)
            np.testing.assert_allclose(
                plain.forward(spec.parts(arrays), x), expected, rtol=1e-4, atol=1e-5
            )

    def test_own_moments_normalise_what_is_given(self):
        x = draw(9, (3, 6, 6, 4))
        for affine in (True, False):
            spec = specs.BatchNormSpec("a", 4, "relu", affine)
            arrays = arrays_of(spec)
            mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
            own = arrays | {"a/mean": mean, "a/variance": variance}
            np.testing.assert_allclose(
                plain.forward([spec.layer(arrays, own_moments=True)], x),
                by_tensorflow(spec, own, x),
                atol=1e-5,
            )

    def test_a_label_is_beside_the_noise_or_multiplies_it(self):
        noise, labels = draw(1, (4, 6)), np.array([2, 0, 1, 2])
        for multiplies, width in ((True, 6), (False, 3)):
            spec = specs.LabelSpec("a", 6, 3, width, multiplies)
            rows = arrays_of(spec)["a/w"]
            got = plain.embed(spec.layer({"a/w": rows}), noise, np.eye(3)[labels])
            expected = noise * rows[labels] if multiplies else np.hstack([noise, rows[labels]])
            np.testing.assert_allclose(got, expected, rtol=1e-6)

    def test_many_images_are_convolved_in_parts(self):
        x, w = draw(1, (7, 5, 5, 2)), draw(2, (3, 3, 2, 4))
        expected = plain.convolve(x, w, 2)
        with unittest.mock.patch.object(plain, "_MOST_ENTRIES", 300):
            np.testing.assert_allclose(plain.convolve(x, w, 2), expected, atol=1e-6)


if __name__ == "__main__":
    unittest.main()
