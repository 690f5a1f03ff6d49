"""The judge: a fixed classifier of the project's own that scores digits and never trains them.

It is not the determinator: other widths, other data (augmented; never the last 5,000 training
images nor the test set), and no generator ever sees its gradient. Its weights come with the
package, made by `python -m gan3 train-judge`, with a record of how beside them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import Specification, digest_of, make_folder, read_npz, write_json, write_npz
from gan3.data.batches import Batches, to_unit
from gan3.data.datasets import load as load_digits
from gan3.nn.adam import Adam
from gan3.nn.initializers import Glorot
from gan3.nn.layers import conv_pool, dense, dropout
from gan3.runs import provenance

FEATURES = 128
BUNDLED_JUDGE = Path(__file__).parent.parent / "pretrained" / "judge.npz"
DIGEST = "421df4c904eeaaaa01874019a0db947ed7789e0d1f422a8028d6ed6c2d48b688"
"""SHA-256 of the shipped weights' file: another file of that name is refused."""
SHAPES = {
    "conv1": (5, 5, 1, 24),
    "conv2": (5, 5, 24, 48),
    "hidden": (7 * 7 * 48, FEATURES),
    "logits": (FEATURES, 10),
}
_SPECIFICATION: Specification = {
    name: ("float32", part)
    for layer, shape in SHAPES.items()
    for name, part in ((f"{layer}/w", shape), (f"{layer}/b", shape[-1:]))
}
_KEEP_PROB, _LEARNING_RATE, _BATCH_SIZE = 0.5, 2e-3, 125
STEPS = 5280  # twelve epochs of 55,000
_CHUNK = 1000  # images a pass
Weights = dict[str, Any]  # by name: arrays, or the variables that training moves


def _forward(
    weights: Weights, images: tf.Tensor, keep_prob: float, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Features [B, 128], not negative, and logits [B, 10] of images [B, 28, 28, 1] in 0..1."""
    h = conv_pool(images, weights["conv1/w"], weights["conv1/b"], "relu")  # [B, 14, 14, 24]
    h = conv_pool(h, weights["conv2/w"], weights["conv2/b"], "relu")  # [B, 7, 7, 48]
    h = tf.reshape(h, [-1, SHAPES["hidden"][0]])  # [B, 2352]
    features = tf.nn.relu(dense(h, weights["hidden/w"], weights["hidden/b"]))  # [B, 128]
    kept = dropout(features, keep_prob, seed)
    return features, dense(kept, weights["logits/w"], weights["logits/b"])


class Judge:
    """A trained classifier, as the metrics use it: pixels in, features and digits out."""

    def __init__(self, weights: dict[str, np.ndarray]):
        constants = {name: tf.constant(array) for name, array in weights.items()}

        @tf.function(input_signature=[tf.TensorSpec([None, 28, 28], tf.uint8)])
        def look(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return _forward(constants, to_unit(pixels), 1.0, tf.zeros([2], tf.int32))

        self._look = look

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features float64 [N, 128] and logits float64 [N, 10] of uint8 images [N, 28, 28]."""
        parts = [
            self._look(tf.constant(images[start : start + _CHUNK]))
            for start in range(0, len(images), _CHUNK)
        ]
        features, logits = zip(*parts, strict=True)
        return (
            np.concatenate([part.numpy() for part in features]).astype(np.float64),
            np.concatenate([part.numpy() for part in logits]).astype(np.float64),
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Of the ten digits [N, 10], of uint8 images [N, 28, 28]."""
        return tf.nn.softmax(self(images)[1]).numpy()

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Share (0..1) of images [N, 28, 28] read as `labels` [N]."""
        return float((self(images)[1].argmax(axis=1) == labels).mean())


def load_bundled() -> Judge:
    """The judge that comes with gan3. Raises UserError where its file is another."""
    return load(BUNDLED_JUDGE, DIGEST)


def load(path: Path, digest: str | None = None) -> Judge:
    """A judge from its file. Raises UserError where that is damaged or has another digest."""
    weights = read_npz(path, _SPECIFICATION, most_bytes=2**21)
    if digest not in (None, digest_of(path)):
        raise UserError(f"{path}: not the judge that came with gan3; restore the file")
    return Judge(weights)


def make(
    path: Path,
    seed: int,
    data: str | None = None,
    steps: int = STEPS,
    log: Callable[[str], None] = print,
) -> None:
    """Train a judge and write it to `path`, its provenance beside it as .json.

    It learns from MNIST's first 55,000 training images; the choices of this module were made on
    the last 5,000, and the test set is read once, at the end. Raises UserError as `data.load`.
    """
    if not 1 <= steps <= 1_000_000:
        raise UserError(f"--steps {steps}: from 1 to 1000000")
    if path.suffix != ".npz":
        raise UserError(f"--out {path}: the name of a judge ends in .npz")
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same bits
    dataset, test = (load_digits("mnist", data, split, log) for split in ("validation", "test"))
    weights = train(dataset.images, dataset.labels, seed=seed, steps=steps, augment=True, log=log)
    made = Judge(weights)
    accuracy = {
        "validation": made.accuracy(dataset.held_out_images, dataset.held_out_labels),
        "test": made.accuracy(test.held_out_images, test.held_out_labels),
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
    log(f"reads {accuracy['test']:.2%} of MNIST test: {path}, SHA-256 {record['sha256']}")


# -- training --------------------------------------------------------------------------------------
def train(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    steps: int,
    augment: bool,
    log: Callable[[str], None] = lambda line: None,
) -> dict[str, np.ndarray]:
    """The weights after `steps` of 125 images: softmax cross entropy, Adam, dropout 0.5.

    Args:
        images: uint8 [N, 28, 28]; labels: [N], 0..9.
        seed: of the first weights, the order of the images, dropout and augmentation.
        augment: turn, scale, slant and shift each image by a little, anew each time.
        say: told the loss ten times on the way.
    """
    weights = _first_weights(seed)
    rate = tf.Variable(0.0, name="judge/rate")
    variables = list(weights.values())
    adam = Adam(variables, rate, 0.9, "adam/judge")
    pixels, digits = tf.constant(images), tf.constant(np.asarray(labels, np.int32))

    @tf.function(
        input_signature=[tf.TensorSpec([_BATCH_SIZE], tf.int32), tf.TensorSpec([2], tf.int32)]
    )
    def step(indices: tf.Tensor, step_seed: tf.Tensor) -> tf.Tensor:
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
    for number in range(1, steps + 1):
        # A cosine from the full rate to none; the first 1 % of the steps lead up to it.
        cosine = 0.5 + 0.5 * np.cos(np.pi * (number - 1) / steps)
        rate.assign(_LEARNING_RATE * cosine * min(1.0, number / (0.01 * steps)))
        loss = step(tf.constant(batches(number)), tf.constant([seed, number]))
        if number % max(1, steps // 10) == 0:
            log(f"step {number}/{steps}: loss {float(loss):.3f}")
    return {name: variable.numpy() for name, variable in weights.items()}


def _first_weights(seed: int) -> dict[str, tf.Variable]:
    initialiser = Glorot(seed)
    made = {}
    for layer, shape in SHAPES.items():
        made[f"{layer}/w"] = tf.Variable(initialiser.weights(shape), name=f"judge/{layer}/w")
        made[f"{layer}/b"] = tf.Variable(tf.zeros(shape[-1:]), name=f"judge/{layer}/b")
    return made


_TURN, _SCALE, _SLANT, _SHIFT = 0.2, 0.12, 0.15, 2.0  # radians, share, pixels a pixel, pixels


def augment_images(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Images [B, 28, 28, 1], each turned, scaled, slanted and shifted by its own small amounts."""
    count = tf.shape(images)[0]
    drawn = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0, alg="philox")
    turn, slant = _TURN * drawn[0], _SLANT * drawn[1]
    wide, high = 1 + _SCALE * drawn[2], 1 + _SCALE * drawn[3]
    # Rows of the matrix from a place in the new image to its place in the old one.
    xx, xy = wide * tf.cos(turn), -wide * tf.sin(turn) + slant
    yx, yy = high * tf.sin(turn), high * tf.cos(turn)
    centre = 13.5
    x0 = centre - centre * (xx + xy) + _SHIFT * drawn[4]
    y0 = centre - centre * (yx + yy) + _SHIFT * drawn[5]
    zero = tf.zeros_like(x0)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([xx, xy, x0, yx, yy, y0, zero, zero], axis=1),
        output_shape=tf.constant([28, 28]),
        fill_value=0.0,
        interpolation="BILINEAR",
    )
