"""Samples, and the held-out images that they are compared with, as a judge sees both.

What several metrics need is computed once, when the first of them asks for it.
"""

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan3.core.classes import DIGITS, images_noun
from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.core.seeds import REPORT
from gan3.data.datasets import Dataset
from gan3.evaluation import neighbours, style_transfer
from gan3.evaluation.style_transfer import Autoencoder, StyleTransfer

if TYPE_CHECKING:  # the judge needs TensorFlow
    from gan3.evaluation.judge import Judge

NEIGHBOURS = 5  # k of precision, recall, density, coverage and ghosts
_GHOST_QUANTILE = 0.99  # a ghost scores higher than this part of held-out images
_LEAST_HELD_OUT = 50
_HAS: dict[str, Callable[["Scored"], bool]] = {
    "judge": lambda s: s.judge is not None,
    "labels": lambda s: s.labels is not None,
    "no_labels": lambda s: s.labels is None,
    "digits": lambda s: s.reference.class_names == DIGITS,
    "determinator": lambda s: s.samples.determinator is not None,
    "classifier": lambda s: s.trains_classifier,
    "autoencoder": lambda s: s.samples.autoencoder is not None,
    "reconstructed": lambda s: s.given is not None or s.samples.autoencoder is not None,
}
NEEDS = frozenset(_HAS)
"""What a metric can need of samples."""


class SampleSet(NamedTuple):
    """Images to be scored, and what else their source provides."""

    name: str
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray | None  # [N], the requested classes; None if none can be requested
    draw_more: Callable[[int], tuple[np.ndarray, np.ndarray]] | None = None  # images, labels
    determinator: Callable[[np.ndarray], np.ndarray] | None = None  # images to probabilities
    autoencoder: Autoencoder | None = None  # reads a style and draws with it
    about: tuple[tuple[str, Any], ...] = ()  # keys and values with which their card begins


class _Once:
    """A property that is computed once, also if two threads ask for it.

    functools.cached_property has one lock for the property of all objects, so that two threads
    could not score two sets of samples at a time; from Python 3.12 on it has none.
    """

    def __init__(self, compute: Callable[[Any], Any]):
        self._compute, self._name = compute, compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, judged: "_Judged", owner: type) -> Any:
        values = judged.values
        if self._name not in values:
            with judged.lock:
                if self._name not in values:
                    values[self._name] = self._compute(judged)
        return values[self._name]


class _Judged:
    """Images as a judge sees them."""

    images: np.ndarray  # uint8 [N, 28, 28]
    judge: "Judge | None"

    def __init__(self) -> None:
        self.lock, self.values = RLock(), {}

    @_Once
    def _judged(self) -> tuple[np.ndarray, np.ndarray]:
        features, logits = self.judge(self.images)
        return features, logits.argmax(axis=1)

    @property
    def features(self) -> np.ndarray:
        """The judge's features float64 [N, 128]."""
        return self._judged[0]

    @property
    def predicted(self) -> np.ndarray:
        """The classes [N] that the judge reads."""
        return self._judged[1]


class Reference(_Judged):
    """The held-out images of a data set, in the eyes of its judge.

    Without a judge only the metrics of the pixels can be computed, and the CAS, which trains its
    own classifier.
    """

    def __init__(
        self, dataset: Dataset, judge: "Judge | None", seed: int = 0, log: Log = lambda line: None
    ):
        """Raises UserError if too few images are held out.

        judge: `judge_of(dataset)`, which has learned from this data set.
        seed: for all that is drawn at random: resampling, real images, the classifier of the CAS.
        """
        super().__init__()
        self.dataset, self.judge, self.seed, self.log = dataset, judge, seed, log
        self.class_names = dataset.class_names
        self.images = dataset.held_out_images  # uint8 [M, 28, 28]
        self.labels = dataset.held_out_labels.astype(np.int64)
        if len(self.images) < _LEAST_HELD_OUT:
            raise UserError(
                f"{dataset.source}: {len(self.images)} held-out {images_noun(self.class_names)};"
                f" a card needs at least {_LEAST_HELD_OUT}"
            )

    @property
    def classes(self) -> int:
        return len(self.class_names)

    @property
    def judge_accuracy(self) -> float:
        """Fraction of the images that the judge reads correctly."""
        return float((self.predicted == self.labels).mean())

    @_Once
    def distances(self) -> np.ndarray:
        """[M]: the distance of each image to the nearest training image."""
        return self.nearest(self.images)[0]

    @_Once
    def nearest(self) -> neighbours.NearestImages:
        """Finds the nearest training images."""
        return neighbours.NearestImages(self.dataset.images)

    @_Once
    def radii(self) -> np.ndarray:
        """[M]: the squared distance of each image's features to the 5th nearest others."""
        return neighbours.kth_distance(self.features, NEIGHBOURS)

    @_Once
    def ghost_limit(self) -> float:
        """The ghost score that one image in a hundred exceeds; infinite if they are even grey."""
        scores = neighbours.ghost_scores(self.images, self.radii)
        return float(np.quantile(scores, _GHOST_QUANTILE))

    @_Once
    def spreads(self) -> dict[int, float]:
        """The mean distance between two images of a class, by class."""
        return neighbours.mean_pairwise_distances(self.features, self.labels)

    @_Once
    def style_sources(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels whose style is read: at most 100 of each class."""
        count = style_transfer.PER_CLASS * self.classes
        chosen = balanced_indices(self.labels, count, self.seed, self.classes)
        return self.images[chosen], self.labels[chosen]

    def real(self, samples: SampleSet, trains_classifier: bool = False) -> "Scored":
        """As many real training images as `samples`, equally many of each class, in their place."""
        dataset = self.dataset
        indices = balanced_indices(dataset.labels, len(samples.images), self.seed, self.classes)
        real = SampleSet(
            f"real {images_noun(self.class_names)}",
            dataset.images[indices],
            None if samples.labels is None else dataset.labels[indices].astype(np.int64),
            draw_more=lambda _: (dataset.images, dataset.labels),
            determinator=samples.determinator,
        )
        reconstructed = None if samples.autoencoder is None else self.style_sources[0]
        return Scored(real, self, indices, reconstructed, trains_classifier)


class Scored(_Judged):
    """Samples next to a reference, with what the metrics need of them."""

    def __init__(
        self,
        samples: SampleSet,
        reference: Reference,
        train_indices: np.ndarray | None = None,
        reconstructed: np.ndarray | None = None,
        trains_classifier: bool = False,
    ):
        """
        train_indices: [N], the indices in the training set of samples that are training images. An
            image is then not its own nearest training image.
        reconstructed: what is scored as reconstructions of `reference.style_sources`; by default
            those by `samples.autoencoder`.
        trains_classifier: whether metrics may train one, which takes minutes.
        """
        super().__init__()
        self.samples, self.reference, self.seed = samples, reference, reference.seed
        self.judge, self.images, self.labels = reference.judge, samples.images, samples.labels
        self._train_indices, self.given = train_indices, reconstructed
        self.trains_classifier = trains_classifier
        self.has = {need for need, is_there in _HAS.items() if is_there(self)}

    @property
    def classes(self) -> np.ndarray:
        """The requested classes [N], or else the predicted ones; zeros if nobody knows them."""
        if self.labels is not None:
            return self.labels
        return self.predicted if "judge" in self.has else np.zeros(len(self.images), np.int64)

    @property
    def real_classes(self) -> np.ndarray:
        """The classes [M] of the held-out images; zeros if those of the samples are unknown."""
        is_known = self.labels is not None or "judge" in self.has
        return self.reference.labels if is_known else np.zeros_like(self.reference.labels)

    @_Once
    def neighbours(self) -> neighbours.PRDC:
        """Precision, recall, density and coverage of single images."""
        reference = self.reference
        return neighbours.prdc(reference.features, self.features, NEIGHBOURS, reference.radii)

    def counts(self) -> np.ndarray:
        """Of predicted classes: [K, K] with a row for each requested class; [K] without these."""
        classes = self.reference.classes
        if self.labels is None:
            return np.bincount(self.predicted, minlength=classes)
        return confusion(self.labels, self.predicted, classes)

    def coverage_by_class(self) -> list[float | None]:
        """The coverage of each class; None for one that is not held out."""
        labels = self.reference.labels
        of_class = [self.neighbours.coverage[labels == k] for k in range(self.reference.classes)]
        return [float(values.mean()) if len(values) else None for values in of_class]

    @_Once
    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances [N] to the nearest training images, and the indices of these."""
        return self.reference.nearest(self.images, self._train_indices)

    def closest_pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The ten samples that are closest to a training image, these images, the distances.

        Closest relative to the mean distance of held-out images of the same class.
        """
        distances, nearest = self.nearest
        means = np.full(self.reference.classes, 1e-9)  # a class that is not held out comes last
        for label in np.unique(self.real_classes):
            mean = self.reference.distances[self.real_classes == label].mean()
            means[label] = max(mean, means[label])
        closest = np.argsort(distances / means[self.classes], kind="stable")[:10]
        pairs = self.images[closest], self.reference.dataset.images[nearest[closest]]
        return *pairs, distances[closest]

    @_Once
    def transfer(self) -> StyleTransfer:
        """The style of the held-out images, carried over to every class."""
        images, labels = self.reference.style_sources
        return style_transfer.measure(
            images, labels, self.samples.autoencoder, self.reference.classes
        )

    @property
    def reconstructed(self) -> np.ndarray:
        """The reconstructions of `reference.style_sources`, uint8 [N, 28, 28]."""
        return self.transfer.reconstructed if self.given is None else self.given


def confusion(requested: np.ndarray, predicted: np.ndarray, classes: int = 10) -> np.ndarray:
    """Counts int64 [K, K]: a row for each requested class, a column for each predicted one."""
    index = requested.astype(np.int64) * classes + predicted
    return np.bincount(index, minlength=classes**2).reshape(classes, classes)


def balanced_indices(labels: np.ndarray, count: int, seed: int, classes: int = 10) -> np.ndarray:
    """Indices of at most `count` random images, sorted by class, equally many of each.

    A class that has fewer images has all of them; a class that has any has at least one.
    """
    random = np.random.default_rng([seed, REPORT])
    by_class = [np.flatnonzero(labels == label) for label in range(classes)]
    return np.concatenate([random.permutation(i)[: max(1, count // classes)] for i in by_class])
