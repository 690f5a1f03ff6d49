"""Sampling from a system in TensorFlow, classifying with it, and storing its generator."""

import unittest

import numpy as np

from gan3.core.errors import UserError
from gan3.runs import sampling
from tests.support import FolderTest, small_system


class Sampling(FolderTest):
    def setUp(self):
        super().setUp()
        self.system = small_system()
        self.sampler = sampling.Sampler(self.system)
        self.labels = np.arange(12) % 10

    def test_samples_are_a_function_of_the_seed(self):
        one = self.sampler(self.labels, (1, 0))
        self.assertEqual((one.shape, one.dtype), ((12, 28, 28), np.uint8))
        np.testing.assert_array_equal(one, self.sampler(self.labels, (1, 0)))
        self.assertFalse(np.array_equal(one, self.sampler(self.labels, (2, 0))))

    def test_a_larger_sample_starts_with_the_smaller_one(self):
        many = self.sampler(np.resize(self.labels, 1100), (1, 0))
        np.testing.assert_array_equal(many[:12], self.sampler(self.labels, (1, 0)))
        self.assertGreater(len({image.tobytes() for image in many}), 1000)

    def test_the_graph_is_traced_once_for_all_counts(self):
        for count in (1, 5, 12):
            self.sampler(self.labels[:count], (0, 0))
        self.assertEqual(self.sampler._generate.experimental_get_tracing_count(), 1)

    def test_a_saved_generator_draws_the_same_digits_when_loaded(self):
        path = self.folder / "episode.npz"
        sampling.save_generator(path, self.system)
        other = small_system(seed=99)
        before = sampling.Sampler(other)(self.labels, (1, 0))
        sampling.load_generator(path, other)
        expected = self.sampler(self.labels, (1, 0))
        self.assertFalse(np.array_equal(before, expected))
        np.testing.assert_array_equal(sampling.Sampler(other)(self.labels, (1, 0)), expected)

    def test_weights_that_are_not_finite_are_refused(self):
        path = self.folder / "episode.npz"
        name = "generator/hidden2/b"
        arrays = {key: w.numpy() for key, w in self.system.generator_weights.items()}
        arrays[name] = arrays[name] * np.nan
        np.savez(path, **arrays)
        with self.assertRaisesRegex(UserError, f"{name} has values that are not finite"):
            sampling.load_generator(path, self.system)

    def test_probabilities_of_many_images_are_those_of_each_image(self):
        images = self.sampler(np.resize(self.labels, 502), (1, 0))
        probabilities = sampling.probabilities(self.system, images)
        self.assertEqual(probabilities.shape, (502, 10))
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        for i in (0, 499, 500, 501):
            alone = sampling.probabilities(self.system, images[i : i + 1])[0]
            np.testing.assert_allclose(probabilities[i], alone, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
