"""The vocabulary of layers: every interpreter computes what TensorFlow's own ops do."""

import importlib.util
import unittest
from unittest import mock

import numpy as np
import tensorflow as tf

from gan3.export import keras_model, onnx_model
from gan3.models.generator import Generator
from gan3.nn import layers, plain, specs
from gan3.nn.declared import GeneratorSpec
from gan3.nn.initializers import Glorot
from gan3.nn.network import Network
from gan3.nn.specs import (
    AveragePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Label,
    Upsample,
)

SEED = tf.constant([0, 1])
FORMULAS = {
    "none": lambda x: x,
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "relu": lambda x: x * (x > 0),
    "leaky_relu": lambda x: np.where(x > 0, x, x / 5),
    "slight_leak": lambda x: np.where(x > 0, x, x / 50),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
}
ON_IMAGES = (  # 6 x 6 pixels with 4 channels
    Conv("n/a", 3, 4, 5, "elu", stride=2),
    Conv("n/a", 4, 4, 5, "leaky_relu", pool=True),
    Conv("n/a", 1, 4, 2, "none", stride=2),
    Conv("n/a", 4, 4, 3, "slight_leak", 2, zero_padding=2),
    ConvTranspose("n/a", 4, 4, 3, "relu"),
    ConvTranspose("n/a", 5, 4, 3, "tanh"),
    ConvTranspose("n/a", 4, 4, 3, "relu", 1, "VALID"),
    BatchNorm("n/a", 4, "relu"),
    BatchNorm("n/a", 4, "none", affine=False),
    AveragePool(),
    Upsample(),
)
ON_ROWS = (  # rows with 147 = 7 x 7 x 3 numbers
    Dense("n/a", 147, 8, "sigmoid"),
    Dense("n/a", 147, 8, "relu", batch_norm=True),
    Dense("n/a", 147, 8, "slight_leak", layer_norm="n/norm"),
)
TOUR = (
    Label("generator/digit", 5, 3, 4, multiplies=False),  # [B, 9]
    Dense("generator/first", 9, 8, "elu", batch_norm=True),
    Dense("generator/sheet", 8, 6 * 6 * 4, "leaky_relu", layer_norm="generator/norm"),
    ConvTranspose("generator/up", 4, 4, 3, "relu"),  # [B, 12, 12, 3]
    BatchNorm("generator/norm1", 3, "relu"),
    Conv("generator/down", 3, 3, 5, "tanh", stride=2),  # [B, 6, 6, 5]
    BatchNorm("generator/norm2", 5, affine=False),
    Upsample(),  # [B, 12, 12, 5]
    Conv("generator/pooled", 5, 5, 4, "elu", pool=True),  # [B, 6, 6, 4]
    AveragePool(),  # [B, 3, 3, 4]
    ConvTranspose("generator/valid", 5, 4, 3, "slight_leak", 2, "VALID"),  # [B, 9, 9, 3]
    Conv("generator/padded", 4, 3, 3, zero_padding=1, stride=2),  # [B, 4, 4, 3]
    Dense("generator/places", 4 * 4 * 3, 49 * 2, "relu"),
    ConvTranspose("generator/pixels", 8, 2, 1, "sigmoid", 4),
)


def draw(number, shape, positive=False):
    values = np.random.default_rng(number).normal(0, 0.5, shape).astype(np.float32)
    return np.exp(values) if positive else values


def network_of(*layers_, name="n", **options):
    """A network of some layers, its variables far from their initial values."""
    network = Network(name, layers_, Glorot(0), **options)
    for number, (key, variable) in enumerate(network.variables.items()):
        size = min(1, 4 / np.sqrt(np.prod(variable.shape[:-1])))
        variable.assign(size * draw(number, variable.shape, "variance" in key or "scale" in key))
    return network


def arrays_of(network):
    return {name: variable.numpy() for name, variable in network.variables.items()}


def by_tensorflow(spec, arrays, x):
    """What a layer computes, by TensorFlow's own ops."""
    part = {name.rpartition("/")[2]: array for name, array in arrays.items()}
    match spec:
        case Conv():
            count = [spec.zero_padding or 0] * 2
            padding = "SAME" if spec.zero_padding is None else [[0, 0], count, count, [0, 0]]
            h = tf.nn.conv2d(x, part["w"], spec.stride, padding) + part["b"]
            h = tf.nn.max_pool2d(h, 2, 2, "SAME") if spec.pool else h
        case ConvTranspose():
            same = spec.padding == "SAME"
            side = 6 * spec.stride if same else 5 * spec.stride + spec.side
            shape = [len(x), side, side, spec.outputs]
            h = tf.nn.conv2d_transpose(x, part["w"], shape, spec.stride, spec.padding)
            h += part["b"]
        case BatchNorm():
            moments = part["mean"], part["variance"]
            h = tf.nn.batch_normalization(x, *moments, part.get("shift"), part.get("scale"), 1e-5)
        case AveragePool():
            return tf.nn.avg_pool2d(x, 2, 2, "SAME")
        case Upsample():
            return tf.raw_ops.ResizeBilinear(images=x, size=[2 * side for side in x.shape[1:3]])
        case Dense(batch_norm=True):
            h, moments = x @ part["w"], (part["mean"], part["variance"])
            h = tf.nn.batch_normalization(h, *moments, part["b"], part["scale"], 1e-5)
        case Dense():
            h = x @ part["w"] + part["b"]
    h = FORMULAS[spec.activation](h.numpy() if tf.is_tensor(h) else h)
    if isinstance(spec, Dense) and spec.layer_norm:
        h = (h - h.mean(axis=1, keepdims=True)) / np.sqrt(h.var(axis=1, keepdims=True) + 1e-5)
        h = h * part["scale"] + part["shift"]
    return h


class Layers(unittest.TestCase):
    def test_each_is_that_of_tensorflow_in_both_interpreters(self):
        for spec in (*ON_IMAGES, *ON_ROWS):
            x = draw(9, (3, 6, 6, 4) if spec in ON_IMAGES else (3, 147))
            network = network_of(spec)
            arrays = arrays_of(network)
            expected = np.asarray(by_tensorflow(spec, arrays, x))
            found = {
                "tensorflow": network(tf.constant(x)).numpy(),
                "numpy": plain.forward([spec.layer(arrays)], x),
                "parts": plain.forward(spec.parts(arrays), x),
            }
            if spec in ON_IMAGES and spec not in (AveragePool(), Upsample()):
                rows = x.reshape(3, -1)  # are square images
                found["tensorflow, rows"] = network(tf.constant(rows)).numpy()
                found["numpy, rows"] = plain.forward([spec.layer(arrays)], rows)
            for name, got in found.items():
                with self.subTest(spec, by=name):
                    self.assertEqual(got.dtype, np.float32)
                    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

    def test_the_tables_have_every_kind_of_layer(self):
        kinds = {type(spec) for spec in (*ON_IMAGES, *ON_ROWS)}
        self.assertEqual(kinds | {Label}, set(specs.Spec.__subclasses__()))
        self.assertEqual({type(spec) for spec in TOUR}, set(specs.Spec.__subclasses__()))

    def test_own_moments_normalise_what_is_given(self):
        x = draw(9, (3, 6, 6, 4))
        for affine in (True, False):
            spec = BatchNorm("n/a", 4, "relu", affine)
            network = network_of(spec)
            network.own_moments = True
            arrays = arrays_of(network)
            mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
            expected = by_tensorflow(spec, arrays | {"n/a/mean": mean, "n/a/variance": variance}, x)
            got = plain.forward([spec.layer(arrays, own_moments=True)], x)
            np.testing.assert_allclose(got, expected, atol=1e-5)
            np.testing.assert_allclose(network(tf.constant(x)), expected, atol=1e-5)
            np.testing.assert_array_equal(network.variables["n/a/mean"], arrays["n/a/mean"])

    def test_a_label_is_beside_the_noise_or_multiplies_it(self):
        noise, labels = draw(1, (4, 6)), np.array([2, 0, 1, 2])
        one_hot = np.eye(3, dtype=np.float32)[labels]
        for multiplies, width in ((True, 6), (False, 3)):
            spec = Label("n/a", 6, 3, width, multiplies)
            network = network_of(spec)
            rows = network.variables["n/a/w"].numpy()
            expected = noise * rows[labels] if multiplies else np.hstack([noise, rows[labels]])
            got = spec.layer({"n/a/w": rows})(noise, one_hot)
            np.testing.assert_allclose(got, expected, rtol=1e-6)
            got = network(tf.constant(noise), soft_labels=tf.constant(one_hot))
            np.testing.assert_allclose(got, expected, rtol=1e-6)

    def test_activations_are_their_formulas_and_extreme_values_stay_in_range(self):
        self.assertEqual(set(plain.ACTIVATIONS), set(FORMULAS))
        self.assertEqual(set(layers.ACTIVATIONS), set(FORMULAS))
        x = np.linspace(-8, 8, 1001)
        for name, formula in FORMULAS.items():
            for by in (plain.ACTIVATIONS, layers.ACTIVATIONS):
                got = by[name](tf.constant(x, tf.float32) if by is layers.ACTIVATIONS else x)
                np.testing.assert_allclose(got, formula(x), rtol=1e-5, atol=1e-6, err_msg=name)
        x = np.float32([-1e30, -1e3, 1e3, 1e30])
        with np.errstate(all="raise", under="ignore"):
            self.assertEqual(plain.ACTIVATIONS["sigmoid"](x).tolist(), [0, 0, 1, 1])
            self.assertEqual(plain.ACTIVATIONS["elu"](x).tolist()[:2], [-1, -1])

    def test_a_stack_is_named_and_shaped_layer_by_layer(self):
        stack = specs.stack("g", (5, 7, 3, 4), "relu", "tanh", batch_norm=True, keep_prob=0.5)
        self.assertEqual([spec.name for spec in stack], ["g/hidden1", "g/hidden2", "g/pixels"])
        self.assertEqual([spec.activation for spec in stack], ["relu", "relu", "tanh"])
        self.assertEqual([spec.keep_prob for spec in stack], [0.5, 0.5, 1])
        shapes = specs.shapes_of(stack)
        self.assertEqual((shapes["g/hidden2/w"], shapes["g/hidden2/mean"]), ((7, 3), (3,)))
        self.assertEqual(len(shapes), 5 + 5 + 2)


class Interpreters(unittest.TestCase):
    """A generator with every kind of layer, drawn in every way that a generator is drawn in."""

    def setUp(self):
        names = ("cat", "dog", "cow")
        self.labels, self.noise = np.array([0, 2, 1, 1], np.int32), draw(7, (4, 5))
        self.spec = GeneratorSpec(TOUR, True, "normal", names, moments="running")
        self.network = network_of(*TOUR, name="generator")
        self.generator = Generator(self.spec, arrays_of(self.network))

    def expected(self):
        one_hot = tf.one_hot(self.labels, 3)
        images = self.network(tf.constant(self.noise), soft_labels=one_hot).numpy()
        self.assertGreater(images.std(axis=0).mean(), 0.01)  # noise and labels matter
        return images.reshape(4, 28, 28)

    def test_all_draw_the_same(self):
        for moments in ("running", "batch"):
            self.network.own_moments = moments == "batch"
            self.generator.change(moments=moments)
            inputs, expected = {"label": self.labels, "noise": self.noise}, self.expected()
            found = {
                "numpy": self.generator.images(self.labels, self.noise),
                "keras": keras_model.build(self.generator)(inputs).numpy(),
            }
            if all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime")):
                import onnxruntime

                content = onnx_model.build(self.generator, "x").SerializeToString()
                (found["onnx"],) = onnxruntime.InferenceSession(content).run(["images"], inputs)
            for name, images in found.items():
                with self.subTest(moments, by=name):
                    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)


class Convolutions(unittest.TestCase):
    def test_every_side_kernel_and_stride(self):
        for side in (28, 14, 7, 5, 4):
            x = draw(side, (3, side, side + 1, 2))
            for kernel in (1, 2, 3, 4, 5, 7):
                w = draw(kernel, (kernel, kernel, 2, 3))
                for stride in (1, 2, 3):
                    expected = tf.nn.conv2d(x, w, stride, "SAME").numpy()
                    got = plain.convolve(x, w, stride)
                    with self.subTest(side=side, kernel=kernel, stride=stride):
                        self.assertEqual((got.shape, got.dtype), (expected.shape, np.float32))
                        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-5)

    def test_max_pool(self):
        for side in (28, 7, 5, 1):
            x = draw(side, (3, side, side + 1, 2)) - 5  # a zero in the padding would be the maximum
            expected = tf.nn.max_pool2d(x, 2, 2, "SAME").numpy()
            np.testing.assert_array_equal(plain.max_pool(x), expected)

    def test_many_images_are_convolved_in_parts(self):
        x, w = draw(1, (7, 5, 5, 2)), draw(2, (3, 3, 2, 4))
        for padding in (None, 1):
            expected = plain.convolve(x, w, 2, padding)
            with mock.patch.object(plain, "_MOST_ENTRIES", 300):
                np.testing.assert_allclose(plain.convolve(x, w, 2, padding), expected, atol=1e-6)


class Training(unittest.TestCase):
    NETWORK = (
        Conv("n/conv", 3, 1, 4, "elu", stride=2, keep_prob=0.5),
        BatchNorm("n/norm", 4),
        Dense("n/hidden", 14 * 14 * 4, 6, "relu", keep_prob=0.8, batch_norm=True),
        Dense("n/logits", 6, 3),
    )
    IMAGES = tf.constant(draw(3, (5, 28, 28, 1)))

    def test_weights_and_biases_are_made_before_what_normalises(self):
        network = network_of(*self.NETWORK)
        products = [f"n/{layer}/{part}" for layer in ("conv", "hidden", "logits") for part in "wb"]
        trained = ["n/norm/scale", "n/norm/shift", "n/hidden/scale"]
        names = [w.name.removesuffix(":0") for w in network.weights]
        self.assertEqual(names, products + trained)
        running = {
            f"n/{layer}/{part}" for layer in ("norm", "hidden") for part in ("mean", "variance")
        }
        self.assertEqual(set(network.variables), {*products, *trained, *running})
        l1 = [w.name.removesuffix(":0") for w in network.l1_weights]
        self.assertEqual(l1, ["n/hidden/w", "n/logits/w"])  # no kernel, no bias, no scale

    def test_dropout_is_a_function_of_the_seed_and_of_training_alone(self):
        network = network_of(*self.NETWORK[:1], self.NETWORK[-1])
        network.specs = (self.NETWORK[0],)
        one, again, other = (network(self.IMAGES, SEED + i).numpy() for i in (0, 0, 1))
        np.testing.assert_array_equal(one, again)
        self.assertFalse(np.array_equal(one, other))
        kept = one != 0
        self.assertAlmostEqual(kept.mean(), 0.5, delta=0.05)
        outside = network(self.IMAGES).numpy()
        np.testing.assert_allclose(one[kept], outside[kept] / 0.5, rtol=1e-5)

    def test_each_dropout_has_a_seed_of_its_own(self):
        rows = tf.ones([1, 3000])
        layer = Dense("n/a", 3000, 3000, keep_prob=0.5)
        twice = Network("n", (layer, Dense("n/b", 3000, 3000, keep_prob=0.5)), Glorot(0))
        for spec in twice.specs:
            twice.variables[f"{spec.name}/w"].assign(tf.eye(3000))
        # With one seed for both, what the first keeps the second would keep, too: half of all.
        self.assertAlmostEqual((twice(rows, SEED).numpy() > 0).mean(), 0.25, delta=0.05)
        one = Network("n", (layer,), Glorot(0))
        one.variables["n/a/w"].assign(tf.eye(3000))
        np.testing.assert_array_equal(one(rows, SEED), layers.dropout(rows, 0.5, SEED))

    def test_the_running_moments_move_a_tenth_in_training_only(self):
        network = Network("n", (BatchNorm("n/norm", 2),), Glorot(0))
        x = np.random.default_rng(0).normal(3, 2, size=(4, 5, 6, 2)).astype(np.float32)
        flat = network(tf.constant(x), SEED).numpy().reshape(-1, 2)
        np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(flat.std(axis=0), 1, rtol=1e-4)
        mean, variance = x.reshape(-1, 2).mean(axis=0), x.reshape(-1, 2).var(axis=0)
        running = [network.variables[f"n/norm/{part}"] for part in ("mean", "variance")]
        np.testing.assert_allclose(running[0], 0.1 * mean, rtol=1e-4)
        np.testing.assert_allclose(running[1], 0.9 + 0.1 * variance, rtol=1e-4)
        before = [moment.numpy() for moment in running]
        network(tf.constant(x))
        np.testing.assert_array_equal([moment.numpy() for moment in running], before)

    def test_bfloat16_keeps_float32_weights_and_outputs(self):
        exact, coarse = (network_of(*self.NETWORK[:2], dtype=d) for d in ("float32", "bfloat16"))
        got = coarse(self.IMAGES)
        self.assertEqual({got.dtype, *(w.dtype for w in coarse.weights)}, {tf.float32})
        self.assertFalse(np.array_equal(got, exact(self.IMAGES)))
        np.testing.assert_allclose(got, exact(self.IMAGES), atol=0.05)

    def test_wrong_shapes_are_refused(self):
        for spec, shape in (
            (Dense("n/a", 12, 3), [2, 10]),
            (Dense("n/a", 12, 3), [2, 2, 2, 2]),
            (Conv("n/a", 3, 4, 3), [2, 6, 6, 3]),
            (Conv("n/a", 3, 4, 3), [2, 6, 6]),
            (Label("n/a", 6, 3, 6, True), [2, 5]),
        ):
            with self.subTest(spec, shape=shape), self.assertRaises(ValueError):
                network_of(spec)(tf.zeros(shape), soft_labels=tf.zeros([2, 3]))
