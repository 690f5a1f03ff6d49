"""Encoders from the files of generators: what they read, and what they refuse."""

import unittest

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.models import determinator
from gan3.runs import weights
from gan3.runs.registry import determinator_of
from tests.models.test_generator import system_of
from tests.support import FolderTest


class Files(FolderTest):
    def test_many_images_are_read_as_each_one_is(self):
        config, system = system_of("best")
        path = self.folder / "episode.npz"
        weights.save_generator(path, system)
        encode = determinator.encoder_of(
            determinator.read_determinator(path, determinator_of(config, DIGITS))
        )
        images = np.random.default_rng(0).integers(0, 256, (1001, 28, 28)).astype(np.uint8)
        read = encode(images)
        self.assertEqual((read.labels.shape, read.labels.dtype), ((1001,), np.int64))
        self.assertEqual((read.probabilities.shape, read.noise.shape), ((1001, 10), (1001, 10)))
        np.testing.assert_array_equal(read.labels, read.probabilities.argmax(axis=1))
        np.testing.assert_allclose(read.probabilities.sum(axis=1), 1, atol=1e-5)
        expected = weights.probabilities(system, images)
        np.testing.assert_allclose(read.probabilities, expected, rtol=0, atol=1e-5)
        for i in (0, 499, 500, 1000):
            alone = encode(images[i : i + 1])
            np.testing.assert_allclose(alone.noise[0], read.noise[i], atol=1e-5)

    def test_a_file_without_the_determinator_is_refused(self):
        config, system = system_of("three_network")
        spec = determinator_of(config, DIGITS)
        path = self.folder / "episode.npz"
        weights.save_generator(path, system)
        self.assertFalse(determinator.has_determinator(path, spec))
        with self.assertRaisesRegex(UserError, "episode.npz: has no array determinator/conv1/w"):
            determinator.read_determinator(path, spec)


if __name__ == "__main__":
    unittest.main()
