"""A classifier of 28 x 28 images in TensorFlow: the judge's network and its training."""

import numpy as np
import tensorflow as tf

from gan3.core.log import Log
from gan3.data.batches import Batches, to_unit
from gan3.nn.adam import Adam
from gan3.nn.initializers import Glorot
from gan3.nn.network import Network
from gan3.nn.specs import Conv, Dense, Specs

FEATURES = 128
BATCH_SIZE = 125
_LEARNING_RATE = 2e-3
_CHUNK = 1000  # images per forward pass
# Largest change in augmentation: rotation in radians, relative change of size, slant in pixels per
# pixel, shift in pixels. They are small, so that no class looks like another one.
_ROTATION, _SCALE, _SLANT, _SHIFT = 0.2, 0.12, 0.15, 2.0


def layers(classes: int) -> Specs:
    """Images [B, 28, 28, 1] in 0..1 to logits [B, K]; the last layer but one has the features."""
    return (
        Conv("conv1", 5, 1, 24, "relu", pool=True),  # [B, 14, 14, 24]
        Conv("conv2", 5, 24, 48, "relu", pool=True),  # [B, 7, 7, 48]
        Dense("hidden", 7 * 7 * 48, FEATURES, "relu", keep_prob=0.5),  # [B, 128], at least 0
        Dense("logits", FEATURES, classes),
    )


class Classifier:
    """A trained network: images in, features and logits of K classes out."""

    def __init__(self, weights: dict[str, np.ndarray]):
        """weights: the arrays of `layers`, by name."""
        network = Network("judge", layers(len(weights["logits/b"])), Glorot(0))
        for name, variable in network.variables.items():
            variable.assign(weights[name])

        @tf.function(input_signature=[tf.TensorSpec([None, 28, 28], tf.uint8)], autograph=False)
        def forward(pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features = network.forward(network.specs[:-1], to_unit(pixels))
            return features, network.forward(network.specs[-1:], features)

        self._forward = forward

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features float64 [N, 128] and logits float64 [N, K] of uint8 images [N, 28, 28]."""
        chunks = [
            self._forward(tf.constant(images[start : start + _CHUNK]))
            for start in range(0, len(images), _CHUNK)
        ]
        features, logits = (
            np.concatenate(parts).astype(np.float64) for parts in zip(*chunks, strict=True)
        )
        return features, logits

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities [N, K] of uint8 images [N, 28, 28]."""
        return tf.nn.softmax(self(images)[1]).numpy()

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Fraction (0..1) of uint8 images [N, 28, 28] classified as `labels` [N]."""
        return float((self(images)[1].argmax(axis=1) == labels).mean())


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
    network = Network("judge", layers(classes), Glorot(seed))
    learning_rate = tf.Variable(0.0, name="judge/rate")
    adam = Adam(network.weights, learning_rate, 0.9, "adam/judge")
    pixels, all_labels = tf.constant(images), tf.constant(np.asarray(labels, np.int32))

    @tf.function(
        input_signature=[tf.TensorSpec([BATCH_SIZE], tf.int32), tf.TensorSpec([2], tf.int32)],
        autograph=False,
    )
    def train_step(indices: tf.Tensor, step_seed: tf.Tensor) -> tf.Tensor:
        augment_seed, dropout_seed = tf.unstack(tf.random.split(step_seed, 2))
        batch = to_unit(tf.gather(pixels, indices))
        if augment:
            batch = augment_images(batch, augment_seed)
        logits = network(batch, dropout_seed)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(all_labels, indices), logits)
        )
        adam.apply(tf.gradients(loss, network.weights))
        return loss

    batches = Batches(len(images), BATCH_SIZE, seed)
    for step in range(1, steps + 1):
        # Cosine decay to zero, after a linear warm-up over the first 1 % of the steps.
        cosine = 0.5 + 0.5 * np.cos(np.pi * (step - 1) / steps)
        rate = _LEARNING_RATE * cosine * min(1.0, step / (0.01 * steps))
        learning_rate.assign(np.float32(rate))  # TensorFlow would keep a Python number for ever
        loss = train_step(tf.constant(batches(step)), tf.constant([seed, step]))
        if step % max(1, steps // 10) == 0:
            log(f"step {step}/{steps}: loss {float(loss):.3f}")
    return {name: variable.numpy() for name, variable in network.variables.items()}


def augment_images(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Images [B, 28, 28, 1], each rotated, scaled, slanted and shifted by random small amounts."""
    count = tf.shape(images)[0]
    uniform = tf.random.stateless_uniform([6, count], seed, -1.0, 1.0)
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
