"""The judge: a fixed classifier that scores generated images and never trains a generator.

It is not the determinator: it has other widths and other training data, and no generator gets its
gradient. It belongs to one data set, which its file names by digest, and scores no other: features
and classes would mean nothing there. That of a data set is bundled, or in the cache.
"""

import hashlib
import os
import shlex
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gan3.core import provenance
from gan3.core.classes import MAX_CLASSES, MAX_LENGTH, MIN_CLASSES, UNLABELLED
from gan3.core.errors import UserError
from gan3.core.files import (
    Specification,
    digest_of,
    make_folder,
    read_npz,
    write_json,
    write_npz,
)
from gan3.core.log import Log
from gan3.data.datasets import Dataset
from gan3.data.own_sets import no_labels
from gan3.evaluation import classifier
from gan3.nn.specs import shapes_of

_FOLDER = Path(__file__).parent.parent / "pretrained"
BUNDLED_JUDGE = _FOLDER / "judge.npz"
BUNDLED_STROKES = _FOLDER / "judge_strokes.npz"
BUNDLED = {
    BUNDLED_JUDGE: "2fe3575a6e17c59afd54c9d4b61e3cb77d4d1fe59f8c42f27e3318a5d7016317",
    BUNDLED_STROKES: "189594ef16e33d4bcd6b26c720a7594c832ef87157992d7a8b45d593ebb3d6af",
}
"""The SHA-256 of each bundled file: the judge of MNIST, and that of the strokes."""
EPOCHS, LEAST_STEPS, MOST_STEPS = 12, 1_000, 12_000  # see `steps_for`
_MOST_BYTES = 2**21  # in an array of a judge's file


class Origin(NamedTuple):
    """What a judge learned from."""

    training_digest: str  # `Dataset.training_digest`
    class_names: tuple[str, ...]


class Judge(classifier.Classifier):
    """A classifier that knows what it learned from."""

    def __init__(self, weights: dict[str, np.ndarray], origin: Origin):
        super().__init__(weights)
        self.origin = origin
        self.digest = digest_of_weights(weights)


def digest_of_weights(weights: dict[str, np.ndarray]) -> str:
    """SHA-256 of the weights as float32: what a card names a judge by.

    Other than that of a file, it does not depend on how the weights are stored.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}".encode())
        digest.update(weights[name].astype("<f4").tobytes())
    return digest.hexdigest()


# -- files -----------------------------------------------------------------------------------------
def load(path: Path = BUNDLED_JUDGE) -> Judge:
    """A judge from its file, the bundled one of MNIST by default.

    Raises UserError if the file is damaged or no judge, or a bundled one was changed.
    """
    origin = read_origin(path)
    shapes = shapes_of(classifier.layers(len(origin.class_names)))
    wanted: Specification = {name: ("float32|float16", shape) for name, shape in shapes.items()}
    arrays = read_npz(path, wanted, _MOST_BYTES)
    if path in BUNDLED and digest_of(path) != BUNDLED[path]:
        raise UserError(f"{path}: not the bundled judge; restore the file")
    return Judge({name: array.astype(np.float32) for name, array in arrays.items()}, origin)


def read_origin(path: Path) -> Origin:
    """What the judge in a file learned from. Raises UserError as `load` does."""
    wanted: Specification = {"training_digest": ("uint8", (32,)), "class_names": ("uint8", (None,))}
    arrays = read_npz(path, wanted, most_bytes=MAX_CLASSES * 4 * (MAX_LENGTH + 1))
    names = tuple(arrays["class_names"].tobytes().decode(errors="replace").split("\n"))
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES or len(set(names)) < len(names):
        raise UserError(f"{path}: its class names are damaged; replace the file")
    return Origin(arrays["training_digest"].tobytes().hex(), names)


def save(path: Path, weights: dict[str, np.ndarray], origin: Origin) -> None:
    """Write a judge's file. Raises UserError if that fails."""
    names = "\n".join(origin.class_names).encode()
    entries = {
        "training_digest": np.frombuffer(bytes.fromhex(origin.training_digest), np.uint8),
        "class_names": np.frombuffer(names, np.uint8),
    }
    write_npz(path, weights | entries)


# -- training --------------------------------------------------------------------------------------
def steps_for(images: int) -> int:
    """Training steps for a number of images: twelve epochs, but at least 1,000, at most 12,000."""
    return int(np.clip(EPOCHS * images // classifier.BATCH_SIZE, LEAST_STEPS, MOST_STEPS))


def make(
    dataset: Dataset,
    path: Path | None = None,
    *,
    seed: int = 0,
    steps: int | None = None,
    log: Log = print,
) -> Judge:
    """Train a judge for a data set and write it to a file, with a record next to it as .json.

    It learns from the training images without those that a validation split holds out, whatever is
    held out here. On those its accuracy is measured, and on the test set if that is held out here.
    The hyperparameters of the classifier were chosen on the last 5,000 training images of MNIST.

    Args:
        path: ends in .npz; by default in the cache, where a judge of the data set is replaced.
        steps: of training; by default `steps_for` the number of images that it learns from.

    Raises:
        UserError: a class is not among the images to learn from, or they have no labels, or there
            is no path and a bundled judge, which would be used instead.
    """
    if dataset.class_names == UNLABELLED:
        raise no_labels(dataset.source)
    if path is None and _bundled_file(dataset):
        raise UserError(
            f"{dataset.title}: its judge is bundled; name a file to write another one to"
        )
    (images, labels), validation = dataset.halves()
    classes = len(dataset.class_names)
    missing = sorted(set(range(classes)) - set(np.unique(labels).tolist()))
    if missing:
        raise UserError(
            f"{dataset.source}: class {dataset.class_names[missing[0]]} is not among the"
            f" {len(labels)} images that a judge learns from; add images of it"
        )
    path = cached_file(dataset) if path is None else path
    make_folder(path.parent)
    steps = steps_for(len(images)) if steps is None else steps
    log(f"training a judge for {dataset.title}: {len(images):,} images, {steps:,} steps")
    tf.config.experimental.enable_op_determinism()  # so that a seed always gives the same weights
    weights = classifier.train(
        images, labels, classes=classes, seed=seed, steps=steps, augment=True, log=log
    )
    judge = Judge(weights, Origin(dataset.training_digest, dataset.class_names))
    accuracy = {"validation": judge.accuracy(*validation)}
    if dataset.split == "test":
        accuracy["test"] = judge.accuracy(dataset.held_out_images, dataset.held_out_labels)
    save(path, weights, judge.origin)
    record = {
        "seed": seed,
        "steps": steps,
        "batch_size": classifier.BATCH_SIZE,
        "trained_on": f"{dataset.title}, the first {len(images):,} training images, augmented",
        "data_digest": dataset.digest,
        "training_digest": dataset.training_digest,
        "class_names": list(dataset.class_names),
        "accuracy": accuracy,
        "digest": judge.digest,
        "sha256": digest_of(path),
        **provenance.description(),
    }
    write_json(path.with_suffix(".json"), record)
    texts = [f"{value:.2%} of the held-out {part} images" for part, value in accuracy.items()]
    log(f"judge for {dataset.title}: reads {' and '.join(texts)} correctly: {path}")
    return judge


# -- which judge scores a data set -----------------------------------------------------------------
def judge_of(
    dataset: Dataset, *, file: Path | None = None, train: bool = False, log: Log = print
) -> Judge | None:
    """The judge of a data set, or None with a line that says why, and how to train one.

    Args:
        file: of the judge to use instead of the bundled or the cached one.
        train: train a judge and keep it in the cache if there is none.
        log: gets a line if there is no judge, or those of its training.

    Raises:
        UserError: the file's judge learned from another data set, or it cannot be read.
    """
    bundled, cached = _bundled_file(dataset), cached_file(dataset)
    if file is None and bundled is not None:
        return load(bundled)
    if file is not None or cached.is_file():
        judge = load(file or cached)
        if judge.origin.training_digest == dataset.training_digest:
            return judge
        raise UserError(
            f"{file or cached}: this judge learned from other data than {dataset.title}"
            f" ({dataset.source}); "
            + ("leave it out" if bundled else f"train one: {training_command(dataset)}")
        )
    if train:
        return make(dataset, log=log)
    if dataset.class_names == UNLABELLED:
        log(f"NOTE: {dataset.title} has no labels, so there is no judge, and no labels are used")
        return None
    log(
        f"NOTE: no judge has learned from {dataset.title} ({dataset.source}), so there are no"
        f" judge's scores; train one: {training_command(dataset)}"
    )
    return None


def training_command(dataset: Dataset) -> str:
    """The command that trains the judge of a data set; of arrays, the argument that does so."""
    if not Path(dataset.source).exists():
        return "call with train_judge=True"
    ink = "" if dataset.ink == "unknown" else f" --ink {dataset.ink}"
    skip = " --skip-damaged" if dataset.skip_damaged else ""
    source = shlex.quote(dataset.source)
    return f"gan3 train-judge --dataset {dataset.name} --data {source}{ink}{skip}"


def cached_file(dataset: Dataset) -> Path:
    """Where the judge of a data set is kept: in judges/ of $GAN3_CACHE, by default ~/.cache/gan3.

    $XDG_CACHE_HOME takes the place of ~/.cache.
    """
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "gan3")
    folder = Path(os.environ.get("GAN3_CACHE") or usual)
    return folder / "judges" / f"{dataset.training_digest}.npz"


def _bundled_file(dataset: Dataset) -> Path | None:
    for path in BUNDLED:
        if read_origin(path).training_digest == dataset.training_digest:
            return path
    return None
