"""The metrics after each episode."""

import unittest

import numpy as np

from gan3.data import strokes
from gan3.data.datasets import HELD_OUT
from gan3.evaluation import judge
from gan3.evaluation.monitor import EpisodeMonitor
from gan3.plots import curves


class RealDigits:
    """In place of a sampler: real digits of the requested labels."""

    def __init__(self, images, labels, class_conditional):
        self.class_conditional = class_conditional
        self._by_digit = [images[labels == digit] for digit in range(10)]

    def __call__(self, labels, seed):
        return np.stack([self._by_digit[d][i // 10 % 30] for i, d in enumerate(labels)])


class Monitor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        images, labels, _, _ = strokes.make(600, 10)
        cls.images = np.concatenate([images[labels == digit][:30] for digit in range(10)])
        cls.labels = np.repeat(np.arange(10), 30)
        held_out = np.resize(cls.images, (HELD_OUT, 28, 28))
        blank = np.zeros((200, 28, 28), np.uint8)
        images = np.concatenate([blank, held_out])
        cls.monitor = EpisodeMonitor(judge.load(), images, seed=0)

    def test_samples_like_the_last_training_images_have_distance_zero(self):
        """The 200 blank images before them would make it far larger."""
        scores = self.monitor(RealDigits(self.images, self.labels, class_conditional=True))
        self.assertGreater(scores["judge/label_accuracy"], 0.95)
        self.assertLess(scores["judge/frechet_distance"], 0.5)
        self.assertLessEqual(set(scores), set(curves.JUDGED))

    def test_without_requested_digits_the_classes_are_counted(self):
        only_fives = RealDigits(self.images, self.labels, class_conditional=False)
        only_fives._by_digit = [self.images[self.labels == 5]] * 10
        scores = self.monitor(only_fives)
        self.assertEqual(scores["judge/classes_covered"], 1)
        self.assertGreater(scores["judge/frechet_distance"], 50)
        self.assertLessEqual(set(scores), set(curves.JUDGED))
