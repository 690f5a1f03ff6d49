"""Scores digits against real ones, and recognises digits."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gan3.api.arguments import (
    as_choice,
    as_data,
    as_folder,
    as_images,
    as_labels,
    as_pixels,
    as_seed,
    check_label_count,
    log_or_warn,
)

from gan3.core.config import choices_of
from gan3.core.errors import UserError, shown
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.data.datasets import Dataset, load
from gan3.evaluation import card, sample_files, samples
from gan3.evaluation.reference import Reference, SampleSet


class Recognised(NamedTuple):
    """What a classifier reads."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]


def evaluate(
    images: Any,
    labels: Any = None,
    data: str | Path | None = None,
    *,
    real: tuple[Any, Any] | None = None,
    dataset: str = "auto",
    ink: str = "unknown",
    split: str = "test",
    cas: bool = False,
    judge: str | Path | None = None,
    train_judge: bool = False,
    seed: int = 0,
    name: str = "samples",
    log: Log | None = None,
) -> card.Card:
    """The report card of digits by any generator. Needs TensorFlow.

    Args:
        images: at least 100 of [N, 28, 28], uint8, or floats in 0..1 or -1..1, with bright ink; the
            path of a file of samples, or of a folder with a folder per class; or the name of a
            bundled generator. Ambiguous ranges are refused. Compare cards of equal numbers of
            images only; 10,000 are usual.
        labels: the requested classes [N], names or whole numbers; None if none were requested.
        data: folder of the real digits; by default they are searched for as docs/usage.md says.
        real: real images and their labels as arrays, in place of `data`; or two such pairs, for
            training and for the test. Of one pair a seventh is the test part.
        dataset: "auto", "mnist", "strokes", "own" or a known set, as in docs/data.md.
        ink: of your own real images: "bright" on dark, or "dark" on bright.
        split: what is compared with: "test", or "validation", the last 5,000 training images.
        cas: also train a classifier on the images and test it on real digits.
        judge: the file of another judge of the same data set than the bundled or cached one.
        train_judge: if there is no judge of the data set, train one and keep it in the cache.
            Without one, the card lacks the rows that need it, and there is a warning.
        seed: for the resampling of intervals, and for the classifier of `cas`.
        name: a title for the card of arrays, one line.
        log: called with each line about what is done; by default warnings are Python's.

    Raises:
        UserError: images or labels that do not fit, no data, or a judge of other data.
    """
    dataset = as_choice(dataset, "dataset", choices_of("dataset"))
    ink = as_choice(ink, "ink", choices_of("ink"))
    split = as_choice(split, "split", choices_of("split"))
    seed, log = as_seed(seed), log_or_warn(log, dataset)
    open_samples = _opener(images, labels, name, seed, log)
    if real is not None:
        if data is not None or dataset != "auto":
            raise UserError("real: the real digits are these arrays; leave data and dataset out")
        dataset, data = "own", real
    judge_file = None if judge is None else as_folder(judge, "judge")
    import_tensorflow()
    from gan3.evaluation.judge import judge_of

    held_out = load(dataset, as_data(data), split, log, ink=ink)
    opened = open_samples(held_out)
    scoring_judge = judge_of(held_out, file=judge_file, train=train_judge, log=log)
    return card.evaluate(opened, Reference(held_out, scoring_judge, seed, log), cas)


def _opener(
    images: Any, labels: Any, name: str, seed: int, log: Log
) -> Callable[[Dataset], SampleSet]:
    """What opens the samples that `evaluate` scores, for a data set; arrays are checked now."""
    if isinstance(images, str) and not Path(images).suffix and Path(images).name == images:
        return lambda dataset: samples.of_bundled(images, dataset, seed)
    if isinstance(images, str | os.PathLike):
        return lambda dataset: samples.of_file(Path(images), dataset.class_names, log)
    if not (isinstance(name, str) and name.isprintable()):
        raise UserError(f"name {shown(name)}: use one line of text")
    found = as_pixels(images)
    (pixels,) = found.parts
    check_label_count(labels, len(pixels))
    if len(pixels) < samples.LEAST_SAMPLES:
        raise UserError(
            f"images: {len(pixels)}; a card needs at least {samples.LEAST_SAMPLES}, draw more"
        )
    if found.is_scaled:
        log(f"NOTE: images: {found.text}")
    if sample_files.look_inverted(pixels):
        pixels = 255 - pixels
        log(f"NOTE: images: {sample_files.INVERTED}")

    def of_arrays(dataset: Dataset) -> SampleSet:
        if labels is None:
            return SampleSet(name, pixels, None)
        return SampleSet(name, pixels, as_labels(labels, dataset.class_names, len(pixels)))

    return of_arrays


def recognise(images: Any) -> Recognised:
    """The digits on images of [N, 28, 28], by the bundled judge, a classifier. Needs TensorFlow.

    images: uint8 or floats in 0..1, as in MNIST: ink on background 0, centred. Raises UserError if
    they do not fit.
    """
    pixels = as_images(images)
    import_tensorflow()
    from gan3.evaluation import judge

    return most_probable(judge.load_bundled().probabilities(pixels))


def most_probable(probabilities: np.ndarray) -> Recognised:
    """Probabilities [N, K] with the class that each row makes most probable."""
    return Recognised(probabilities.argmax(axis=1), probabilities.astype(np.float32))
