"""Sampling without TensorFlow: the digits are those that TensorFlow draws."""

import dataclasses
import string
import unittest
import warnings
from unittest import mock

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import write_npz
from gan3.runs import drawing, sampling
from gan3.runs.registry import builder_of, config_of, dense_generator_of, names
from tests.support import FolderTest

SMALL = {
    "generator_widths": (60, 98),
    "discriminator_widths": (3, 4, 8),
    "determinator_widths": (3, 4, 8),
}  # of best and best_long
CONVOLUTIONS = {"auxiliary_gan", "conditional_dcgan", "gan_auto_write"}
LABELS = np.resize(np.arange(10), 1203)  # three chunks


def system_of(name, **changes):
    """The config and the system of an experiment, its weights far from their initial values."""
    import tensorflow as tf

    changes = (SMALL if name.startswith("best") else {}) | changes
    config = dataclasses.replace(config_of(name), **changes)
    system = builder_of(name)(config, "float32")
    for number, (key, w) in enumerate(system.generator_weights.items()):
        stddev = 1.5 / np.sqrt(w.shape[0]) if w.shape.rank == 2 else 0.2
        change = tf.random.stateless_normal(w.shape, [number, 0], stddev=stddev)
        w.assign(tf.exp(change) if "variance" in key or "scale" in key else w + change)
    return config, system


class Labels(unittest.TestCase):
    def test_labels_repeat_the_digits_of_the_text(self):
        self.assertEqual(drawing.parse_labels(12, "cycle", DIGITS).tolist(), [*range(10), 0, 1])
        self.assertEqual(drawing.parse_labels(5, "73", DIGITS).tolist(), [7, 3, 7, 3, 7])
        self.assertEqual(drawing.parse_labels(3, "0", DIGITS).dtype, np.int64)

    def test_other_texts_and_counts_are_refused(self):
        for count, text in ((0, "cycle"), (-1, "1"), (10**9, "1"), (5, ""), (5, "1a"), (5, "٣")):
            with self.subTest(text=text, count=count), self.assertRaises(UserError):
                drawing.parse_labels(count, text, DIGITS)


class LabelsOfNames(unittest.TestCase):
    def test_names_have_commas_between_them_and_are_repeated(self):
        letters = tuple("ABC")
        for text, expected in (
            ("cycle", [0, 1, 2, 0]),
            ("B,A", [1, 0, 1, 0]),
            ("CA", [2, 0, 2, 0]),
        ):
            self.assertEqual(drawing.parse_labels(4, text, letters).tolist(), expected)
        self.assertEqual(drawing.parse_labels(2, "cat", ("dog", "cat")).tolist(), [1, 1])

    def test_digits_of_a_set_of_letters_are_refused(self):
        with self.assertRaisesRegex(UserError, "labels '01': no class '0' here; use A, B, C"):
            drawing.parse_labels(4, "01", tuple("ABC"))


class Dense(FolderTest):
    def samplers(self, name, **changes):
        """The sampler of an experiment in TensorFlow, and in NumPy from the generator's file."""
        config, system = system_of(name, **changes)
        path = self.folder / "episode.npz"
        sampling.save_generator(path, system)
        dense = drawing.read_dense_sampler(path, dense_generator_of(config))
        return sampling.Sampler(system), dense

    def assert_same_digits(self, sampler, dense):
        """Both have the same noise and the same pixels, for three chunks of digits."""
        self.assert_same_images(sampler, dense, LABELS)

    def assert_same_images(self, sampler, dense, labels):
        for attribute in (
            *("class_conditional", "noise_distribution", "noise_entries", "has_fixed_noise"),
        ):
            self.assertEqual(getattr(sampler, attribute), getattr(dense, attribute), attribute)
        noise = sampler.noise(labels, (7, 3))
        self.assertEqual(noise.shape, (len(labels), sampler.noise_entries))
        got = dense.noise(labels, (7, 3))
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, noise, rtol=0, atol=2e-6)
        if dense.noise_distribution == "uniform":
            np.testing.assert_array_equal(got, noise)
        expected, images = sampler(labels, (7, 3)), dense(labels, (7, 3))
        self.assertEqual((images.shape, images.dtype), ((len(labels), 28, 28), np.uint8))
        self.assertGreater(expected.std(), 10)
        difference = np.abs(images.astype(int) - expected)
        self.assertLessEqual(difference.max(), 1)
        self.assertLess((difference > 0).mean(), 0.01)
        for one in (sampler, dense):
            drawn = one.draw(labels, noise).astype(int)
            self.assertLessEqual(np.abs(drawn - expected).max(), 1)

    def test_every_dense_system_draws_the_digits_that_tensorflow_draws(self):
        dense = set(names()) - CONVOLUTIONS
        self.assertLessEqual({"three_network", "best", "mlp_gan", "layernorm_gan"}, dense)
        for name in sorted(dense):
            with self.subTest(name):
                self.assert_same_digits(*self.samplers(name))

    def test_variants_of_a_config_too(self):
        for name, changes in {
            "three_network": {"seed": 4},
            "published_code": {"seed": 5},
            "best": {"batch_norm": False, "ema_decay": 0.0},
            "best_long": {"noise_draw": "once"},
            "mlp_gan": {"noise_distribution": "normal"},
        }.items():
            with self.subTest(name):
                self.assert_same_digits(*self.samplers(name, **changes))

    def test_26_classes_too(self):
        letters = {"class_names": tuple(string.ascii_uppercase)}
        small = {
            "best": {
                "generator_widths": (20, 49),
                "discriminator_widths": (3, 4, 8),
                "determinator_widths": (3, 4, 8),
            },
            "published_code": {},  # whose noise is a matrix of the run
            "mlp_gan": {},
        }
        for name, changes in small.items():
            with self.subTest(name):
                sampler, dense = self.samplers(name, **changes, **letters)
                self.assertEqual(sampler.class_names, letters["class_names"])
                self.assertEqual(dense.class_names, letters["class_names"])
                self.assert_same_images(sampler, dense, np.resize(np.arange(26), 60))

    def test_the_shapes_are_those_of_the_variables(self):
        for name in set(names()) - CONVOLUTIONS:
            config, system = system_of(name)
            expected = {key: tuple(w.shape) for key, w in system.generator_weights.items()}
            self.assertEqual(dense_generator_of(config).shapes, expected, name)

    def test_convolutions_are_not_declared_as_dense_layers(self):
        for name in CONVOLUTIONS:
            self.assertIsNone(dense_generator_of(config_of(name)))

    def test_another_noise_matrix_is_the_same_in_both(self):
        sampler, dense = self.samplers("published_code")
        before = dense.noise(LABELS, (7, 3))
        sampler.redraw_noise(99)
        dense.redraw_noise(99)
        self.assertFalse(np.array_equal(before, dense.noise(LABELS, (7, 3))))
        self.assertEqual(len(np.unique(dense.noise(LABELS, (7, 3)), axis=0)), 10)
        self.assert_same_digits(sampler, dense)

    def test_without_a_matrix_there_is_nothing_to_replace(self):
        for name in ("three_network", "mlp_gan"):
            for sampler in self.samplers(name):
                with self.assertRaisesRegex(UserError, "noise seed: .* leave the noise seed out"):
                    sampler.redraw_noise(1)

    def test_a_larger_sample_starts_with_the_smaller_one(self):
        for name in ("layernorm_gan", "three_network"):
            _, dense = self.samplers(name)
            many = dense(LABELS, (1, 0))
            self.assertGreater(len({image.tobytes() for image in many}), 1190)
            for count in (1, 12, 500, 501):
                few = dense(LABELS[:count], (1, 0)).astype(int)
                self.assertLessEqual(np.abs(few - many[:count]).max(), 1)
                np.testing.assert_array_equal(
                    dense.noise(LABELS[:count], (1, 0)), dense.noise(LABELS, (1, 0))[:count]
                )

    def test_weights_that_overflow_are_one_line(self):
        config, system = system_of("three_network")
        path = self.folder / "episode.npz"
        random = np.random.default_rng(0)
        for size in (1e30, 1e38):
            arrays = {
                name: (size * random.uniform(-1, 1, shape)).astype(np.float32)
                for name, shape in dense_generator_of(config).shapes.items()
            }
            write_npz(path, arrays)
            dense = drawing.read_dense_sampler(path, dense_generator_of(config))
            sampling.load_generator(path, system)
            for sampler in (dense, sampling.Sampler(system)):
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    with self.assertRaisesRegex(UserError, "weights are too large to draw images"):
                        sampler([1, 2], (1, 0))

    def test_truncated_noise_is_drawn_in_chunks(self):
        """The first images of a million need no more noise than their own chunk."""
        dense = self.samplers("three_network")[1]
        drawn = []

        def noise(labels, seed):
            drawn.append(len(labels))
            return type(dense.generator).noise(dense.generator, labels, seed)

        for sampler in (dense, drawing.TruncatedSampler(dense, 0.5)):
            drawn.clear()
            with mock.patch.object(dense.generator, "noise", noise, create=True):
                first = next(sampler.parts(np.zeros(1_000_000, np.int64), (1, 0)))
            self.assertEqual((first.shape, drawn), ((500, 28, 28), [500]))

    def test_a_file_of_another_generator_is_refused(self):
        _, system = system_of("three_network")
        sampling.save_generator(self.folder / "x.npz", system)
        for name, message in (("best", "has no array average"), ("mlp_gan", "is not float32")):
            spec = dense_generator_of(config_of(name))
            with self.assertRaisesRegex(UserError, f"x.npz: .*{message}"):
                drawing.read_dense_sampler(self.folder / "x.npz", spec)
        with self.assertRaisesRegex(UserError, "none.npz: no such file"):
            drawing.read_dense_sampler(self.folder / "none.npz", spec)


if __name__ == "__main__":
    unittest.main()
