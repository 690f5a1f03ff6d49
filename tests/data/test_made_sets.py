"""The scripts of experiments/data: the same set on every call, of images that are told apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from experiments.data import letters, symbols
from gan3.data.datasets import load
from tests.support import ROOT, FolderTest, slow


class MadeSets(FolderTest):
    def make(self, script, train, test):
        """A small set, through a file, and its arrays."""
        arrays = script.make(train, test)
        np.savez("x.npz", **arrays)
        return load("own", "x.npz", log=lambda line: None, ink="bright"), arrays

    def assert_made(self, script, names):
        count = len(names)
        dataset, arrays = self.make(script, 40 * count, 10 * count)
        self.assertEqual(sorted(dataset.class_names), sorted(names))
        self.assertEqual(np.bincount(dataset.labels).tolist(), [40] * count)
        self.assertEqual(np.bincount(dataset.held_out_labels).tolist(), [10] * count)
        again, _ = self.make(script, 40 * count, 10 * count)
        self.assertEqual(again.digest, dataset.digest)
        images = np.concatenate([arrays["x_train"], arrays["x_test"]])
        self.assertEqual(len({image.tobytes() for image in images}), 50 * count)  # no two equal
        ink = images.reshape(len(images), -1).mean(axis=1) / 255
        self.assertGreater(ink.min(), 0.01)
        self.assertLess(ink.max(), 0.5)
        outermost = images.copy()
        outermost[:, 1:-1, 1:-1] = 0
        self.assertLess(outermost.max(), 60)  # at most the edge of a stroke
        return dataset

    def nearest_class_accuracy(self, dataset):
        """How many test images are nearest to a training image of their class."""
        train = dataset.images.reshape(len(dataset.images), -1).astype(np.float32)
        test = dataset.held_out_images.reshape(len(dataset.held_out_images), -1).astype(np.float32)
        distances = (train**2).sum(1)[None] - 2 * test @ train.T
        nearest = dataset.labels[distances.argmin(axis=1)]
        return (nearest == dataset.held_out_labels).mean()

    def test_letters(self):
        dataset = self.assert_made(letters, letters.LETTERS)
        self.assertGreater(self.nearest_class_accuracy(dataset), 0.6)  # 1/26 by chance

    def test_symbols(self):
        dataset = self.assert_made(symbols, list(symbols.SYMBOLS))
        self.assertGreater(self.nearest_class_accuracy(dataset), 0.6)  # 1/10 by chance

    @slow("makes both sets in full")
    def test_the_commands_write_the_files(self):
        for script, counts in ((letters, (26_000, 5_200)), (symbols, (24_000, 4_000))):
            out = Path(f"{script.__name__}.npz")
            subprocess.run(
                [sys.executable, "-m", script.__name__, "--out", self.folder / out],
                cwd=ROOT,
                check=True,
                capture_output=True,
            )
            dataset = load("own", str(out), log=lambda line: None, ink="bright")
            self.assertEqual((len(dataset.images), len(dataset.held_out_images)), counts)
