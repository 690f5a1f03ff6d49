"""Two quick metrics of a generator after each episode of its training."""

from functools import cached_property
from typing import TYPE_CHECKING

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
    dataset: Dataset, seed: int, *, train_judge: bool, log: Log
) -> EpisodeMonitor | None:
    """The monitor of a new run; None, and a line is logged, if its data set has no judge.

    train_judge: train one in that case. Raises UserError if that fails.
    """
    judge = judge_of(dataset, train=train_judge, log=log)
    return None if judge is None else EpisodeMonitor(judge, dataset.images, seed)


def reopen_monitor(
    dataset: Dataset, seed: int, digest: str | None, *, train_judge: bool, log: Log
) -> EpisodeMonitor | None:
    """The monitor of a resumed run, which has the judge that it began with, or none.

    Otherwise its metrics would not be those of a run without the interruption.

    Args:
        digest: of the judge that the run began with; None if it had none.
        train_judge: train the judge again if it is missing.

    Raises:
        UserError: the data set has another judge now, or none.
    """
    if digest is None:
        log("NOTE: the run began without a judge, so it goes on without a judge's scores")
        return None
    monitor = open_monitor(dataset, seed, train_judge=train_judge, log=log)
    if monitor is None or monitor.judge.digest != digest:
        found = "none" if monitor is None else monitor.judge.digest[:12]
        raise UserError(
            f"judge of {dataset.title} ({dataset.source}): the run began with {digest[:12]}, now"
            f" there is {found}; restore its file, train it again ({training_command(dataset)}),"
            " or train a new run"
        )
    return monitor
