"""Twenty synthetic photos of held-out digits: what is read and what is refused (docs/style.md)."""

from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.errors import UserError
from gan3.data.datasets import load
from gan3.demo import styles
from tests.demo.photos import CONDITIONS, photo
from tests.support import MNIST, FolderTest, needs_mnist


@needs_mnist
class Photos(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.best = gan3.load("best")
        dataset = load("mnist", MNIST)
        firsts = [np.flatnonzero(dataset.held_out_labels == digit)[0] for digit in range(10)]
        cls.digits = dataset.held_out_images[firsts]

    def read(self, digits, condition):
        Image.fromarray(photo(self.digits[digits], condition)).save("photo.png", compress_level=1)
        return styles.read(Path("photo.png"), self.best)

    def test_each_kind_of_photo_is_read(self):
        unsure = []
        for number, condition in enumerate(CONDITIONS):
            for digit in (number, (number + 5) % 10):
                with self.subTest(condition, digit=digit):
                    reading = self.read([digit], condition)
                    self.assertEqual(reading.labels.tolist(), [digit])
                    unsure += [(condition, digit)] if reading.note else []
        self.assertEqual(unsure, [])

    def test_two_digits_in_one_picture_are_refused(self):
        for condition in ("uneven light", "squared paper", "pencil"):
            with self.assertRaisesRegex(UserError, "shows more than one digit; crop the picture"):
                self.read([7, 1], condition)
