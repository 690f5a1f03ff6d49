"""TODO docstring."""

from functools import cached_property

import numpy as np

from gan3.data.datasets import HELD_OUT
from gan3.evaluation import judge, metrics
from gan3.runs.sampling import Sampler
from gan3.runs.seeds import EPISODES, seed_of

QUICK_SAMPLES = 2_000  # of the two figures after each episode


# -- after each episode ----------------------------------------------------------------------------
class EpisodeMonitor:
    """Two cheap figures of a generator in training.

    They are watched while choices are made, so they are taken against the last 5,000 training
    images and never against the test set.
    """

    def __init__(self, train_images: np.ndarray, seed: int):
        self._seed, self._judge = seed, judge.load_bundled()
        self._images = train_images[-HELD_OUT:]

    @cached_property
    def _moments(self) -> metrics.Moments:
        """Of the real digits; looked at after the first episode, not before the first step."""
        return metrics.moments(self._judge(self._images)[0])

    def __call__(self, sampler: Sampler) -> dict[str, float]:
        """Of 2,000 samples `judge/label_accuracy`, a share, and `judge/frechet_distance`.

        Where digits cannot be asked for it is `judge/classes_covered`, of ten, in place of the share.
        """
        labels = np.resize(np.arange(10), QUICK_SAMPLES)
        features, logits = self._judge(sampler(labels, seed_of(self._seed, EPISODES)))
        read = logits.argmax(axis=1)
        if sampler.class_conditional:
            score = {"judge/label_accuracy": round(float((read == labels).mean()), 6)}
        else:
            score = {"judge/classes_covered": float(metrics.classes_covered(read))}
        distance = metrics.frechet_distance(metrics.moments(features), self._moments)
        return score | {"judge/frechet_distance": round(distance, 6)}
