"""Two quick metrics of a generator after each episode of its training."""

from functools import cached_property

import numpy as np

from gan3.data.datasets import HELD_OUT
from gan3.evaluation import judge, metrics
from gan3.runs.sampling import Sampler
from gan3.runs.seeds import EPISODES, seed_of

SAMPLES = 2_000


class EpisodeMonitor:
    """Compares 2,000 samples with the last 5,000 training images.

    It never uses the test set, because people watch these metrics while they choose settings.
    """

    def __init__(self, train_images: np.ndarray, seed: int):
        self._seed, self._judge = seed, judge.load_bundled()
        self._images = train_images[-HELD_OUT:]

    @cached_property
    def _moments(self) -> metrics.Moments:
        """Of the real digits; lazy, so that the first step is not delayed."""
        return metrics.moments(self._judge(self._images)[0])

    def __call__(self, sampler: Sampler) -> dict[str, float]:
        """`judge/label_accuracy`, a fraction, and `judge/frechet_distance`.

        If digits cannot be requested, `judge/classes_covered` (0 to 10) replaces the accuracy.
        """
        labels = np.resize(np.arange(10), SAMPLES)
        features, logits = self._judge(sampler(labels, seed_of(self._seed, EPISODES)))
        predicted = logits.argmax(axis=1)
        if sampler.class_conditional:
            scores = {"judge/label_accuracy": round(float((predicted == labels).mean()), 6)}
        else:
            scores = {"judge/classes_covered": float(metrics.classes_covered(predicted))}
        distance = metrics.frechet_distance(metrics.moments(features), self._moments)
        return scores | {"judge/frechet_distance": round(distance, 6)}
