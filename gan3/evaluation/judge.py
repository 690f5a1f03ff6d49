"""The judge: a fixed classifier that scores generated images and never trains a generator.

It is not the determinator. It has other widths and other training data (augmented, without the
images that a validation split holds out), and no generator gets its gradient.

A judge belongs to one data set: its file has the digest of the images that it learned from and the
names of their classes. It scores no other data set: its features and its classes would mean nothing
there, and the scores would look as if they did. That of a data set is bundled, or in the cache.
"""

import hashlib
import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from gan3.core.classes import MAX_CLASSES, MAX_LENGTH, MIN_CLASSES
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
from gan3.data.batches import Batches, to_unit
from gan3.data.datasets import Dataset
from gan3.nn.adam import Adam
from gan3.nn.initializers import Glorot
from gan3.nn.layers import conv_pool, dense, dropout
from gan3.runs import provenance

FEATURES = 128
_FOLDER = Path(__file__).parent.parent / "pretrained"
BUNDLED_JUDGE = _FOLDER / "judge.npz"
BUNDLED_STROKES = _FOLDER / "judge_strokes.npz"
BUNDLED = {
    BUNDLED_JUDGE: "2fe3575a6e17c59afd54c9d4b61e3cb77d4d1fe59f8c42f27e3318a5d7016317",
    BUNDLED_STROKES: "189594ef16e33d4bcd6b26c720a7594c832ef87157992d7a8b45d593ebb3d6af",
}
"""The SHA-256 of each bundled file: the judge of MNIST, and that of the strokes."""
EPOCHS, LEAST_STEPS, MOST_STEPS = 12, 1_000, 12_000  # of training, see `steps_for`
_KEEP_PROB, _LEARNING_RATE, _BATCH_SIZE = 0.5, 2e-3, 125
_CHUNK = 1000  # images per forward pass
# Largest change in augmentation: rotation in radians, relative change of size, slant in pixels per
# pixel, shift in pixels. They are small, so that no class looks like another one.
_ROTATION, _SCALE, _SLANT, _SHIFT = 0.2, 0.12, 0.15, 2.0
_MOST_BYTES = 2**21  # of an array in a judge's file
_LAST_RESORT = Path("data")  # for the cache; downloads are kept there, too
Weights = dict[str, Any]  # by name: arrays, or variables during training


class Classifier:
    """A trained network: images in, features and logits of K classes out."""

    def __init__(self, weights: dict[str, np.ndarray]):
        constants = {name: tf.constant(array) for name, array in weights.items()}

        @tf.function(input_signature=[tf.TensorSpec([None, 28, 28], tf.uint8)])
        def forward(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return _forward(constants, to_unit(pixels), 1.0, None)

        self._forward = forward

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features float64 [N, 128] and logits float64 [N, K] of uint8 images [N, 28, 28]."""
        chunks = [
            self._forward(tf.constant(images[start : start + _CHUNK]))
            for start in range(0, len(images), _CHUNK)
        ]
        features, logits = zip(*chunks, strict=True)
        return (
            np.concatenate([chunk.numpy() for chunk in features]).astype(np.float64),
            np.concatenate([chunk.numpy() for chunk in logits]).astype(np.float64),
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities [N, K] of uint8 images [N, 28, 28]."""
        return tf.nn.softmax(self(images)[1]).numpy()

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Fraction (0..1) of uint8 images [N, 28, 28] classified as `labels` [N]."""
        return float((self(images)[1].argmax(axis=1) == labels).mean())


class Origin(NamedTuple):
    """What a judge learned from."""

    training_digest: str  # `Dataset.training_digest`
    class_names: tuple[str, ...]


def origin_of(dataset: Dataset) -> Origin:
    """What the judge of a data set learns from."""
    return Origin(dataset.training_digest, dataset.class_names)


class Judge(Classifier):
    """A classifier that knows what it learned from."""

    def __init__(self, weights: dict[str, np.ndarray], origin: Origin):
        super().__init__(weights)
        self.origin = origin
        self.digest = digest_of_weights(weights)

    def fits(self, dataset: Dataset) -> bool:
        """Whether it learned from this data set."""
        return self.origin == origin_of(dataset)


def digest_of_weights(weights: dict[str, np.ndarray]) -> str:
    """SHA-256 of the weights as float32: what a card names a judge by.

    Other than that of a file, it does not depend on how the weights are stored.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].shape}".encode())
        digest.update(weights[name].astype("<f4").tobytes())
    return digest.hexdigest()


def load_bundled(path: Path = BUNDLED_JUDGE) -> Judge:
    """A bundled judge, that of MNIST by default.

    Raises UserError if its file is missing or was changed.
    """
    return load(path, BUNDLED[path])


def load(path: Path, sha256: str | None = None) -> Judge:
    """A judge from its file.

    Raises UserError if that is damaged, no judge, or not the file with this SHA-256.
    """
    origin = read_origin(path)
    arrays = read_npz(path, _specification(len(origin.class_names)), _MOST_BYTES)
    if sha256 not in (None, digest_of(path)):
        raise UserError(f"{path}: not the bundled judge; restore the file")
    return Judge({name: array.astype(np.float32) for name, array in arrays.items()}, origin)


def read_origin(path: Path) -> Origin:
    """What the judge in a file learned from. Raises UserError as `load` does."""
    wanted: Specification = {"training_digest": ("uint8", (32,)), "class_names": ("uint8", (None,))}
    arrays = read_npz(path, wanted, most_bytes=MAX_CLASSES * 4 * (MAX_LENGTH + 1))
    try:
        names = tuple(arrays["class_names"].tobytes().decode().split("\n"))
    except UnicodeDecodeError:
        names = ()
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


def steps_for(images: int) -> int:
    """Training steps for a number of images: twelve epochs, but at least 1,000, at most 12,000."""
    return int(np.clip(EPOCHS * images // _BATCH_SIZE, LEAST_STEPS, MOST_STEPS))


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
    The hyperparameters of this module were chosen on the last 5,000 training images of MNIST.

    Args:
        path: by default in the cache, where a judge of the data set is replaced.
        steps: of training; by default `steps_for` the number of images that it learns from.

    Raises:
        UserError: a bad `path` or `steps`; a class that is not among the images to learn from; no
            path and a bundled judge, which would be used instead, or no folder for the cache.
    """
    if path is None and _bundled_file(dataset):
        raise UserError(
            f"{dataset.title}: its judge is bundled; name a file to write another one to"
        )
    if steps is not None and not 1 <= steps <= 1_000_000:
        raise UserError(f"steps {steps}: must be from 1 to 1000000")
    images, labels = dataset.learning_part()
    classes = len(dataset.class_names)
    missing = sorted(set(range(classes)) - set(np.unique(labels).tolist()))
    if missing:
        raise UserError(
            f"{dataset.source}: class {dataset.class_names[missing[0]]} is not among the"
            f" {len(labels)} images that a judge learns from; add images of it"
        )
    if path is None:
        path = _writable_folder() / _file_name(dataset)
    if path.suffix.lower() != ".npz":
        raise UserError(f"{path}: the file name of a judge ends in .npz")
    steps = steps_for(len(images)) if steps is None else steps
    make_folder(path.parent)
    log(f"training a judge for {dataset.title}: {len(images):,} images, {steps:,} steps")
    tf.config.experimental.enable_op_determinism()  # so that a seed always gives the same weights
    weights = train(images, labels, classes=classes, seed=seed, steps=steps, augment=True, log=log)
    judge = Judge(weights, origin_of(dataset))
    accuracy = {"validation": judge.accuracy(*dataset.validation_part())}
    if dataset.split == "test":
        accuracy["test"] = judge.accuracy(dataset.held_out_images, dataset.held_out_labels)
    save(path, weights, judge.origin)
    record = {
        "seed": seed,
        "steps": steps,
        "batch_size": _BATCH_SIZE,
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


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int,
    seed: int,
    steps: int,
    augment: bool,
    log: Log = lambda line: None,
) -> dict[str, np.ndarray]:
    """Train with softmax cross entropy, Adam and dropout 0.5; returns the weights.

    Args:
        images: uint8 [N, 28, 28].
        labels: [N], 0..K-1.
        classes: K.
        seed: for the initial weights, the order of the images, dropout and augmentation.
        steps: of 125 images each.
        augment: transform each image randomly by `augment_images` each time it is used.
        log: gets a line with the loss ten times.
    """
    weights = _initial_weights(classes, seed)
    learning_rate = tf.Variable(0.0, name="judge/rate")
    variables = list(weights.values())
    adam = Adam(variables, learning_rate, 0.9, "adam/judge")
    pixels, all_labels = tf.constant(images), tf.constant(np.asarray(labels, np.int32))

    @tf.function(
        input_signature=[tf.TensorSpec([_BATCH_SIZE], tf.int32), tf.TensorSpec([2], tf.int32)]
    )
    def train_step(indices: tf.Tensor, step_seed: tf.Tensor) -> tf.Tensor:
        augment_seed, dropout_seed = tf.unstack(tf.random.split(step_seed, 2))
        batch = to_unit(tf.gather(pixels, indices))
        if augment:
            batch = augment_images(batch, augment_seed)
        logits = _forward(weights, batch, _KEEP_PROB, dropout_seed)[1]
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(all_labels, indices), logits)
        )
        adam.apply(tf.gradients(loss, variables))
        return loss

    batches = Batches(len(images), _BATCH_SIZE, seed)
    for step in range(1, steps + 1):
        # Cosine decay to zero, after a linear warm-up over the first 1 % of the steps.
        cosine = 0.5 + 0.5 * np.cos(np.pi * (step - 1) / steps)
        rate = _LEARNING_RATE * cosine * min(1.0, step / (0.01 * steps))
        learning_rate.assign(np.float32(rate))  # TensorFlow would keep a Python number for ever
        loss = train_step(tf.constant(batches(step)), tf.constant([seed, step]))
        if step % max(1, steps // 10) == 0:
            log(f"step {step}/{steps}: loss {float(loss):.3f}")
    return {name: variable.numpy() for name, variable in weights.items()}


def augment_images(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Images [B, 28, 28, 1], each rotated, scaled, slanted and shifted by random small amounts."""
    count = tf.shape(images)[0]
    uniform = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0, alg="philox")
    rotation, slant = _ROTATION * uniform[0], _SLANT * uniform[1]
    x_scale, y_scale = 1 + _SCALE * uniform[2], 1 + _SCALE * uniform[3]
    # Rows of the matrix from a position in the new image to its position in the old one.
    xx, xy = x_scale * tf.cos(rotation), -x_scale * tf.sin(rotation) + slant
    yx, yy = y_scale * tf.sin(rotation), y_scale * tf.cos(rotation)
    center = 13.5
    x0 = center - center * (xx + xy) + _SHIFT * uniform[4]
    y0 = center - center * (yx + yy) + _SHIFT * uniform[5]
    zero = tf.zeros_like(x0)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, x0, yx, yy, y0, zero, zero], axis=1),
        output_shape=tf.constant([28, 28]),
        fill_value=0.0,
        interpolation="BILINEAR",
    )


def _forward(
    weights: Weights, images: tf.Tensor, keep_prob: float, seed: tf.Tensor | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Features [B, 128], at least 0, and logits [B, K] of images [B, 28, 28, 1] in 0..1."""
    h = conv_pool(images, weights["conv1/w"], weights["conv1/b"], "relu")  # [B, 14, 14, 24]
    h = conv_pool(h, weights["conv2/w"], weights["conv2/b"], "relu")  # [B, 7, 7, 48]
    h = tf.reshape(h, [-1, 7 * 7 * 48])  # [B, 2352]
    features = tf.nn.relu(dense(h, weights["hidden/w"], weights["hidden/b"]))  # [B, 128]
    kept = dropout(features, keep_prob, seed)
    return features, dense(kept, weights["logits/w"], weights["logits/b"])


def _shapes(classes: int) -> dict[str, tuple[int, ...]]:
    """The shape of each layer's weights; its biases have the last entry of it."""
    return {
        "conv1": (5, 5, 1, 24),
        "conv2": (5, 5, 24, 48),
        "hidden": (7 * 7 * 48, FEATURES),
        "logits": (FEATURES, classes),
    }


def _specification(classes: int) -> Specification:
    return {
        name: ("float32|float16", array_shape)
        for layer, shape in _shapes(classes).items()
        for name, array_shape in ((f"{layer}/w", shape), (f"{layer}/b", shape[-1:]))
    }


def _initial_weights(classes: int, seed: int) -> dict[str, tf.Variable]:
    initializer = Glorot(seed)
    weights = {}
    for layer, shape in _shapes(classes).items():
        weights[f"{layer}/w"] = tf.Variable(initializer.weights(shape), name=f"judge/{layer}/w")
        weights[f"{layer}/b"] = tf.Variable(tf.zeros(shape[-1:]), name=f"judge/{layer}/b")
    return weights


# -- which judge scores a data set -----------------------------------------------------------------
def judge_of(
    dataset: Dataset, *, file: Path | None = None, train: bool = False, log: Log = print
) -> Judge | None:
    """The judge of a data set, or None with a line that says how to train one.

    Args:
        file: of the judge to use instead of the bundled or the cached one.
        train: train a judge and keep it in the cache if there is none.
        log: gets a line if there is no judge, or those of its training.

    Raises:
        UserError: the file's judge learned from another data set, or it cannot be read.
    """
    if file is not None:
        return _of_file(file, dataset)
    judge = _find(dataset, log)
    if judge is not None:
        return judge
    if train:
        return make(dataset, log=log)
    log(
        f"NOTE: no judge has learned from {dataset.title} ({dataset.source}), so there are no"
        f" judge's scores; train one: {training_command(dataset)}"
    )
    return None


def training_command(dataset: Dataset) -> str:
    """The command that trains the judge of a data set."""
    ink = "" if dataset.ink == "unknown" else f" --ink {dataset.ink}"
    skip = " --skip-damaged" if dataset.skip_damaged else ""
    source = shlex.quote(dataset.source)
    return f"gan3 train-judge --dataset {dataset.name} --data {source}{ink}{skip}"


def cache_folders() -> list[Path]:
    """The folders of the cache, the first one preferred.

    $GAN3_CACHE alone if it is set. Otherwise gan3 in $XDG_CACHE_HOME or in ~/.cache, and then
    ./data, for machines without a home folder that can be written.
    """
    named = os.environ.get("GAN3_CACHE")
    if named:
        return [Path(named) / "judges"]
    folders = []
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if Path(xdg).is_absolute():  # other values are to be ignored, says its specification
        folders.append(Path(xdg) / "gan3")
    else:
        with suppress(RuntimeError):  # raised if the home folder cannot be determined
            folders.append(Path("~/.cache").expanduser() / "gan3")
    return [folder / "judges" for folder in (*folders, _LAST_RESORT)]


def _find(dataset: Dataset, log: Log) -> Judge | None:
    """The bundled or the cached judge of a data set. A damaged file of the cache is skipped."""
    bundled = _bundled_file(dataset)
    if bundled:
        return load_bundled(bundled)
    for folder in cache_folders():
        path = folder / _file_name(dataset)
        if not path.is_file():
            continue
        try:
            return _of_file(path, dataset)
        except UserError as error:
            log(f"NOTE: {error}")
    return None


def _bundled_file(dataset: Dataset) -> Path | None:
    for path in BUNDLED:
        if read_origin(path).training_digest == dataset.training_digest:
            return path
    return None


def _of_file(path: Path, dataset: Dataset) -> Judge:
    judge = load(path)
    if not judge.fits(dataset):
        is_bundled = _bundled_file(dataset) is not None
        remedy = "use the bundled one" if is_bundled else f"train one: {training_command(dataset)}"
        raise UserError(
            f"{path}: this judge learned from other data than {dataset.title} ({dataset.source});"
            f" {remedy}"
        )
    return judge


def _file_name(dataset: Dataset) -> str:
    return f"{dataset.training_digest}.npz"


def _writable_folder() -> Path:
    """The first folder of the cache that can be written, created if needed."""
    *others, last = cache_folders()
    for folder in others:
        with suppress(UserError):
            _make_writable(folder)
            return folder
    _make_writable(last)
    return last


def _make_writable(folder: Path) -> None:
    make_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder}: cannot be written (permission denied); name another folder")
