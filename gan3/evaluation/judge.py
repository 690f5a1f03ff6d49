"""The judge: a fixed classifier that scores generated digits and never trains a generator.

It is not the determinator. It has other widths and other training data (augmented, without the last
5,000 training images), and no generator gets its gradient. Its weights are bundled with the
package, next to a record of how they were trained.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import Specification, digest_of, make_folder, read_npz, write_json, write_npz
from gan3.core.log import Log
from gan3.data.batches import Batches, to_unit
from gan3.data.datasets import load as load_digits
from gan3.nn.adam import Adam
from gan3.nn.initializers import Glorot
from gan3.nn.layers import conv_pool, dense, dropout
from gan3.runs import provenance

FEATURES = 128
BUNDLED_JUDGE = Path(__file__).parent.parent / "pretrained" / "judge.npz"
DIGEST = "421df4c904eeaaaa01874019a0db947ed7789e0d1f422a8028d6ed6c2d48b688"
"""SHA-256 of the bundled weights' file."""
SHAPES = {
    "conv1": (5, 5, 1, 24),
    "conv2": (5, 5, 24, 48),
    "hidden": (7 * 7 * 48, FEATURES),
    "logits": (FEATURES, 10),
}
STEPS = 5280  # twelve epochs of 55,000 images
_SPECIFICATION: Specification = {
    name: ("float32", array_shape)
    for layer, shape in SHAPES.items()
    for name, array_shape in ((f"{layer}/w", shape), (f"{layer}/b", shape[-1:]))
}
_KEEP_PROB, _LEARNING_RATE, _BATCH_SIZE = 0.5, 2e-3, 125
_CHUNK = 1000  # images per forward pass
# Largest change in augmentation: rotation in radians, relative change of size, slant in pixels per
# pixel, shift in pixels.
_ROTATION, _SCALE, _SLANT, _SHIFT = 0.2, 0.12, 0.15, 2.0
Weights = dict[str, Any]  # by name: arrays, or variables during training


class Judge:
    """A trained classifier: images in, features and digits out."""

    def __init__(self, weights: dict[str, np.ndarray]):
        constants = {name: tf.constant(array) for name, array in weights.items()}

        @tf.function(input_signature=[tf.TensorSpec([None, 28, 28], tf.uint8)])
        def forward(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return _forward(constants, to_unit(pixels), 1.0, None)

        self._forward = forward

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features float64 [N, 128] and logits float64 [N, 10] of uint8 images [N, 28, 28]."""
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
        """Digit probabilities [N, 10] of uint8 images [N, 28, 28]."""
        return tf.nn.softmax(self(images)[1]).numpy()

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Fraction (0..1) of uint8 images [N, 28, 28] classified as `labels` [N]."""
        return float((self(images)[1].argmax(axis=1) == labels).mean())


def load_bundled() -> Judge:
    """The bundled judge. Raises UserError if its file is missing or was changed."""
    return load(BUNDLED_JUDGE, DIGEST)


def load(path: Path, digest: str | None = None) -> Judge:
    """A judge from its file. Raises UserError if that is damaged or has another SHA-256 digest."""
    weights = read_npz(path, _SPECIFICATION, most_bytes=2**21)
    if digest not in (None, digest_of(path)):
        raise UserError(f"{path}: not the bundled judge; restore the file")
    return Judge(weights)


def make(
    path: Path, seed: int, data: str | None = None, steps: int = STEPS, log: Log = print
) -> None:
    """Train a judge on MNIST and write it to `path`, with a record next to it as .json.

    It learns from the first 55,000 training images. The hyperparameters of this module were chosen
    on the last 5,000. The test set is only used once, at the end.

    Raises:
        UserError: a bad `path` or `steps`, or no MNIST.
    """
    if not 1 <= steps <= 1_000_000:
        raise UserError(f"steps {steps}: must be from 1 to 1000000")
    if path.suffix != ".npz":
        raise UserError(f"{path}: the file name of a judge ends in .npz")
    tf.config.experimental.enable_op_determinism()  # so that a seed always gives the same weights
    dataset, test = (load_digits("mnist", data, split, log) for split in ("validation", "test"))
    weights = train(dataset.images, dataset.labels, seed=seed, steps=steps, augment=True, log=log)
    judge = Judge(weights)
    accuracy = {
        "validation": judge.accuracy(dataset.held_out_images, dataset.held_out_labels),
        "test": judge.accuracy(test.held_out_images, test.held_out_labels),
    }
    make_folder(path.parent)
    write_npz(path, weights)
    record = {
        "command": f"python -m gan3 train-judge --seed {seed}",
        "seed": seed,
        "steps": steps,
        "batch_size": _BATCH_SIZE,
        "trained_on": f"MNIST, the first {len(dataset.images):,} training images, augmented",
        "data_digest": dataset.digest,
        "accuracy": accuracy,
        "sha256": digest_of(path),
        **provenance.description(),
    }
    write_json(path.with_suffix(".json"), record)
    log(f"{accuracy['test']:.2%} accuracy on MNIST test: {path}, SHA-256 {record['sha256']}")


def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    steps: int,
    augment: bool,
    log: Log = lambda line: None,
) -> dict[str, np.ndarray]:
    """Train with softmax cross entropy, Adam and dropout 0.5; returns the weights.

    Args:
        images: uint8 [N, 28, 28].
        labels: [N], 0..9.
        seed: for the initial weights, the order of the images, dropout and augmentation.
        steps: of 125 images each.
        augment: transform each image randomly by `augment_images` each time it is used.
        log: gets a line with the loss ten times.
    """
    weights = _initial_weights(seed)
    learning_rate = tf.Variable(0.0, name="judge/rate")
    variables = list(weights.values())
    adam = Adam(variables, learning_rate, 0.9, "adam/judge")
    pixels, digits = tf.constant(images), tf.constant(np.asarray(labels, np.int32))

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
            tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(digits, indices), logits)
        )
        adam.apply(tf.gradients(loss, variables))
        return loss

    batches = Batches(len(images), _BATCH_SIZE, seed)
    for step in range(1, steps + 1):
        # Cosine decay to zero, after a linear warm-up over the first 1 % of the steps.
        cosine = 0.5 + 0.5 * np.cos(np.pi * (step - 1) / steps)
        learning_rate.assign(_LEARNING_RATE * cosine * min(1.0, step / (0.01 * steps)))
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
    """Features [B, 128], at least 0, and logits [B, 10] of images [B, 28, 28, 1] in 0..1."""
    h = conv_pool(images, weights["conv1/w"], weights["conv1/b"], "relu")  # [B, 14, 14, 24]
    h = conv_pool(h, weights["conv2/w"], weights["conv2/b"], "relu")  # [B, 7, 7, 48]
    h = tf.reshape(h, [-1, SHAPES["hidden"][0]])  # [B, 2352]
    features = tf.nn.relu(dense(h, weights["hidden/w"], weights["hidden/b"]))  # [B, 128]
    kept = dropout(features, keep_prob, seed)
    return features, dense(kept, weights["logits/w"], weights["logits/b"])


def _initial_weights(seed: int) -> dict[str, tf.Variable]:
    initializer = Glorot(seed)
    weights = {}
    for layer, shape in SHAPES.items():
        weights[f"{layer}/w"] = tf.Variable(initializer.weights(shape), name=f"judge/{layer}/w")
        weights[f"{layer}/b"] = tf.Variable(tf.zeros(shape[-1:]), name=f"judge/{layer}/b")
    return weights
