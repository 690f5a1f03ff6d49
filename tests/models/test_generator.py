"""A trained generator as data: the digits are those that its system draws in TensorFlow."""

import dataclasses
import string
import warnings
from unittest import mock

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.models.determinator import CHUNK, read_weights
from gan3.models.generator import Generator
from gan3.runs.registry import build, config_of, generator_of, names
from gan3.runs.trained import generator_now, save_generator
from tests.support import FolderTest

SMALL = {
    "generator_widths": (60,),
    "generator_channels": (2, 3),
    "discriminator_widths": (3, 4, 8),
    "determinator_widths": (3, 4, 8),
}  # best and best_long have them
CONVOLUTIONS = {"auxiliary_gan", "conditional_dcgan", "gan_auto_write"}
LABELS = np.resize(np.arange(10), 1203)  # three chunks


def system_of(name, class_names=DIGITS, **changes):
    """The config and the system of an experiment, its weights far from their initial values."""
    import tensorflow as tf

    changes = (SMALL if name.startswith("best") else {}) | changes
    config = dataclasses.replace(config_of(name), **changes)
    system = build(config, class_names, "float32")
    for number, (key, w) in enumerate(system.generator_weights.items()):
        stddev = 1.5 / np.sqrt(w.shape[0]) if w.shape.rank == 2 else 0.2
        change = tf.random.stateless_normal(w.shape, [number, 0], stddev=stddev)
        w.assign(tf.exp(change) if "variance" in key or "scale" in key else w + change)
    return config, system


def tensorflow_images(system, labels, noise):
    """uint8 [N, 28, 28], as the system draws them, in the chunks of `Generator`."""
    import tensorflow as tf

    parts = [slice(start, start + CHUNK) for start in range(0, len(labels), CHUNK)]
    images = [
        system.generate(tf.constant(labels[part], tf.int32), tf.constant(noise[part])).numpy()
        for part in parts
    ]
    return np.rint(255 * np.concatenate(images)).astype(np.uint8)


def read_generator(path, spec):
    return Generator(spec, read_weights(path, spec.shapes))


class Drawing(FolderTest):
    def both(self, name, class_names=DIGITS, **changes):
        """The system of an experiment, and its generator from a file."""
        config, system = system_of(name, class_names, **changes)
        path = self.folder / "episode.npz"
        save_generator(path, system)
        return system, read_generator(path, generator_of(config, class_names))

    def assert_same_images(self, system, generator, labels=LABELS):
        """Both have the same noise and the same pixels."""
        import tensorflow as tf

        seed = (7, 3)
        chunks = [labels[start : start + CHUNK] for start in range(0, len(labels), CHUNK)]
        expected = np.concatenate(
            [
                system.noise(tf.constant(chunk, tf.int32), tf.random.fold_in(seed, number)).numpy()
                for number, chunk in enumerate(chunks)
            ]
        )
        noise = generator.noise(labels, seed=seed)
        self.assertEqual(noise.shape, (len(labels), generator.noise_entries))
        self.assertEqual(noise.dtype, np.float32)
        atol = 0 if generator.noise_distribution == "uniform" else 2e-6
        np.testing.assert_allclose(noise, expected, rtol=0, atol=atol)
        wanted, images = tensorflow_images(system, labels, noise), generator.draw(labels, noise)
        self.assertEqual((images.shape, images.dtype), ((len(labels), 28, 28), np.uint8))
        self.assertGreater(wanted.std(), 10)
        difference = np.abs(images.astype(int) - wanted)
        self.assertLessEqual(difference.max(), 1)
        self.assertLess((difference > 0).mean(), 0.01)

    def test_every_system_draws_the_digits_that_tensorflow_draws(self):
        for name in set(names()) - CONVOLUTIONS:
            with self.subTest(name):
                self.assert_same_images(*self.both(name))
        for name in CONVOLUTIONS:
            for moments in ("running", "batch"):
                with self.subTest(name, moments=moments):
                    system, generator = self.both(name, sampling_moments=moments)
                    self.assertEqual(generator.moments, moments)
                    self.assert_same_images(system, generator, LABELS[:25])

    def test_variants_of_a_config_and_26_classes_too(self):
        letters = tuple(string.ascii_uppercase)
        for name, class_names, changes in (
            ("three_network", DIGITS, {"seed": 4}),
            ("published_code", DIGITS, {"seed": 5}),
            ("best", DIGITS, {"batch_norm": False, "ema_decay": 0.0}),
            ("best_long", DIGITS, {"noise_draw": "once"}),
            ("mlp_gan", DIGITS, {"noise_distribution": "normal"}),
            ("best", letters, {}),
            ("published_code", letters, {}),  # whose noise is a matrix of the run
            ("mlp_gan", letters, {"noise_entries": 1}),
            ("layernorm_gan", DIGITS, {"noise_entries": 7}),
            ("wgan_gp", DIGITS, {"noise_entries": 7}),
            ("gan_auto_write", DIGITS, {"noise_entries": 7}),
            ("auxiliary_gan", DIGITS, {"noise_entries": 7}),
            ("conditional_dcgan", DIGITS, {"noise_entries": 7, "embedding_entries": 3}),
        ):
            with self.subTest(name, classes=len(class_names)):
                system, generator = self.both(name, class_names, **changes)
                entries = changes.get("noise_entries", generator.noise_entries)
                self.assertEqual(generator.noise_entries, entries)
                self.assertEqual(generator.class_names, class_names)
                labels = np.resize(np.arange(len(class_names)), 60)
                self.assert_same_images(system, generator, labels)

    def test_moments_can_be_chosen_where_there_is_batch_normalisation(self):
        system, generator = self.both("conditional_dcgan", sampling_moments="running")
        other, batch = self.both("conditional_dcgan", sampling_moments="batch")
        generator.change(moments="batch")
        labels = LABELS[:30]
        np.testing.assert_array_equal(generator(labels, (1, 0)), batch(labels, (1, 0)))
        for name in ("three_network", "mlp_gan", "best"):
            with self.assertRaisesRegex(UserError, "moments: .* no choice of them; leave them out"):
                self.both(name)[1].change(moments="batch")

    def test_one_hot_weights_blend_to_the_image_of_the_label(self):
        for name in ("three_network", "best", "conditional_dcgan"):
            _, generator = self.both(name)
            noise = generator.noise_of(LABELS[:4], (1, 2))
            got = generator.blend(np.eye(10)[LABELS[:4]], noise)
            np.testing.assert_array_equal(got, generator.images(LABELS[:4], noise))
            half = generator.blend(np.full((4, 10), 0.1), noise)
            self.assertEqual(half.shape, (4, 28, 28))
            self.assertFalse(np.allclose(half, got, atol=1e-3))

    def test_a_generator_of_now_is_that_of_the_file(self):
        config, system = system_of("best")
        save_generator(self.folder / "x.npz", system)
        saved = read_generator(self.folder / "x.npz", generator_of(config, DIGITS))
        now = generator_now(config, system)
        np.testing.assert_array_equal(now(LABELS[:12], (1, 0)), saved(LABELS[:12], (1, 0)))

    def test_the_shapes_are_those_of_the_variables(self):
        for name in names():
            config, system = system_of(name)
            expected = {key: tuple(w.shape) for key, w in system.generator_weights.items()}
            self.assertEqual(generator_of(config, DIGITS).shapes, expected, name)

    def test_another_noise_matrix_is_that_of_a_run_of_its_seed(self):
        _, generator = self.both("published_code", seed=3)
        other, expected = self.both("published_code", seed=99)
        self.assertTrue(generator.has_fixed_noise)
        before = generator.noise(LABELS, seed=(7, 3))
        generator.change(noise_seed=99)
        after = generator.noise(LABELS, seed=(7, 3))
        self.assertFalse(np.array_equal(before, after))
        self.assertEqual(len(np.unique(after, axis=0)), 10)
        np.testing.assert_array_equal(after, expected.noise(LABELS, seed=(7, 3)))

    def test_a_larger_sample_starts_with_the_smaller_one(self):
        for name in ("layernorm_gan", "three_network"):
            _, dense = self.both(name)
            many = dense(LABELS, (1, 0))
            self.assertGreater(len({image.tobytes() for image in many}), 1190)
            for count in (1, 12, 500, 501):
                few = dense(LABELS[:count], (1, 0)).astype(int)
                self.assertLessEqual(np.abs(few - many[:count]).max(), 1)
                np.testing.assert_array_equal(
                    dense.noise(LABELS[:count], seed=(1, 0)),
                    dense.noise(LABELS, seed=(1, 0))[:count],
                )

    def test_weights_that_overflow_are_one_line(self):
        spec = generator_of(config_of("three_network"), DIGITS)
        random = np.random.default_rng(0)
        for size in (1e30, 1e38):
            arrays = {
                name: (size * random.uniform(-1, 1, shape)).astype(np.float32)
                for name, shape in spec.shapes.items()
            }
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with self.assertRaisesRegex(UserError, "weights are too large to draw images"):
                    Generator(spec, arrays)(np.array([1, 2]), (1, 0))

    def test_noise_is_drawn_in_chunks(self):
        """The first images of a million need no more noise than their own chunk."""
        _, generator = self.both("three_network")
        drawn, original = [], generator.noise_of

        def noise(labels, seed):
            drawn.append(len(labels))
            return original(labels, seed)

        for truncation in (1, 0.5):
            generator.change(truncation=truncation)
            drawn.clear()
            with mock.patch.object(generator, "noise_of", noise):
                first = next(generator.parts(np.zeros(1_000_000, np.int64), (1, 0)))
            self.assertEqual((first.shape, drawn), ((500, 28, 28), [500]))

    def test_a_file_of_another_generator_is_refused(self):
        _, system = system_of("three_network")
        save_generator(self.folder / "x.npz", system)
        for name, message in (("best", "has no array average"), ("mlp_gan", "is not float32")):
            spec = generator_of(config_of(name), DIGITS)
            with self.assertRaisesRegex(UserError, f"x.npz: .*{message}"):
                read_generator(self.folder / "x.npz", spec)
        with self.assertRaisesRegex(UserError, "none.npz: no such file"):
            read_generator(self.folder / "none.npz", spec)
