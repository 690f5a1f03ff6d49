"""TODO docstring."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import tensorflow as tf


def to_unit(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 pixels [B, 28, 28] to images [B, 28, 28, 1], float32 in 0..1."""
    pixels.shape.assert_is_compatible_with([None, 28, 28])
    return tf.cast(pixels, tf.float32)[..., None] / 255.0


def make_gather(
    images: np.ndarray, labels: np.ndarray
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Holds the data (uint8 [N, 28, 28] and [N]) on the device; answers what gathers a batch."""
    pixels, digits = tf.constant(images), tf.constant(labels.astype(np.int32))

    def take(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("data"):
            return to_unit(tf.gather(pixels, indices)), tf.gather(digits, indices)

    return take


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images of any shape in 0..1 to uint8 pixels, rounded. Raises ValueError outside 0..1."""
    if not (np.all(images >= 0) and np.all(images <= 1)):
        raise ValueError("images must be finite and in 0..1")
    return np.floor(images * 255.0 + 0.5).astype(np.uint8)


class Batches:
    """Which images step n takes: shuffled without replacement, every epoch in a new order.

    The epochs' permutations stand end to end and step n (from 1) takes the n-th `batch_size` of
    them, so a batch may begin in one epoch and end in the next. A function of seed and step alone:
    a resumed run takes up the very order.
    """

    def __init__(self, count: int, batch_size: int, seed: int):
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._order = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self._seed, epoch]).permutation(self._count).astype(np.int32)

    def __call__(self, step: int) -> np.ndarray:
        """int32 [batch_size]: indices into the training images."""
        places = np.arange((step - 1) * self._batch_size, step * self._batch_size)
        epochs = places // self._count
        return np.concatenate(
            [
                self._order(int(epoch))[places[epochs == epoch] % self._count]
                for epoch in np.unique(epochs)
            ]
        )
