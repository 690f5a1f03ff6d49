"""Two quick metrics of a generator after each episode of its training."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.core.seeds import EPISODES, seed_of
from gan3.data.datasets import HELD_OUT, Dataset
from gan3.evaluation import metrics
from gan3.evaluation.judge import Judge, judge_of, training_command

if TYPE_CHECKING:
    from gan3.models.generator import Generator

SAMPLES = 2_000


class EpisodeMonitor:
    """Compares 2,000 samples with the last 5,000 training images.

    It never uses the test set, because people watch these metrics while they choose settings.
    """

    def __init__(self, judge: Judge, train_images: np.ndarray, seed: int):
        self.judge, self._seed = judge, seed
        self._images = train_images[-HELD_OUT:]

    @cached_property
    def _moments(self) -> metrics.Moments:
        """Of the real images; lazy, so that the first step is not delayed."""
        return metrics.moments(self.judge(self._images)[0])

    def __call__(self, generator: "Generator") -> dict[str, float]:
        """`judge/label_accuracy`, a fraction, and `judge/frechet_distance`.

        If classes cannot be requested, `judge/classes_covered` (0 to K) replaces the accuracy.
        """
        classes = len(self.judge.origin.class_names)
        labels = np.resize(np.arange(classes), SAMPLES)
        features, logits = self.judge(generator(labels, seed_of(self._seed, EPISODES)))
        predicted = logits.argmax(axis=1)
        if generator.class_conditional:
            scores = {"judge/label_accuracy": round(float((predicted == labels).mean()), 6)}
        else:
            scores = {"judge/classes_covered": float(metrics.count_covered(predicted))}
        distance = metrics.frechet(metrics.moments(features), self._moments)
        return scores | {"judge/frechet_distance": round(distance, 6)}


def open_monitor(
    dataset: Dataset, seed: int, record: dict[str, Any], *, train_judge: bool, log: Log
) -> EpisodeMonitor | None:
    """The monitor of a run; None, and a line is logged, if its data set has no judge.

    A resumed run has the judge that it began with, or none. Otherwise its metrics would not be
    those of a run without the interruption.

    Args:
        record: of a resumed run; empty for a new one.
        train_judge: train a judge if there is none.

    Raises:
        UserError: a judge cannot be trained or read, or the data set of a resumed run has another
            judge now, or none.
    """
    began_with = record.get("judge")
    if record and began_with is None:
        log("NOTE: the run began without a judge, so it goes on without a judge's scores")
        return None
    judge = judge_of(dataset, train=train_judge, log=log)
    if record and (judge is None or judge.digest != began_with):
        found = "none" if judge is None else judge.digest[:12]
        raise UserError(
            f"judge of {dataset.title} ({dataset.source}): the run began with"
            f" {str(began_with)[:12]}, now there is {found}; restore its file, train it again"
            f" ({training_command(dataset)}), or train a new run"
        )
    return None if judge is None else EpisodeMonitor(judge, dataset.images, seed)
