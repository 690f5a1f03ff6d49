"""Batches for training: pixel scaling, gathering on the device, and the order of the images."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import tensorflow as tf


def to_unit(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 pixels [B, 28, 28] to float32 images [B, 28, 28, 1] in 0..1."""
    pixels.shape.assert_is_compatible_with([None, 28, 28])
    return tf.cast(pixels, tf.float32)[..., None] / 255.0


def make_gather(
    images: np.ndarray, labels: np.ndarray
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Put a data set on the device and return a function that gathers a batch from it.

    Args:
        images: uint8 [N, 28, 28].
        labels: [N], integers.

    Returns:
        A function from indices [B] to images [B, 28, 28, 1] in 0..1 and labels [B], int32.
    """
    all_pixels, all_labels = tf.constant(images), tf.constant(labels.astype(np.int32))

    def gather(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("data"):
            return to_unit(tf.gather(all_pixels, indices)), tf.gather(all_labels, indices)

    return gather


class Batches:
    """The image indices of each step, without replacement, in a new random order every epoch.

    The permutations of all epochs are concatenated, and step n (from 1) has the n-th slice of
    `batch_size` indices, so a batch can span two epochs. The indices depend on the seed and the
    step alone, so a resumed run continues with the same order. Without `shuffle` every epoch has
    the images in their own order.
    """

    def __init__(
        self, count: int, batch_size: int, seed: int | tuple[int, ...], shuffle: bool = True
    ):
        self._count, self._batch_size = count, batch_size
        self._seed, self._shuffle = (seed,) if isinstance(seed, int) else seed, shuffle
        self._order = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> np.ndarray:
        if not self._shuffle:
            return np.arange(self._count, dtype=np.int32)
        return np.random.default_rng([*self._seed, epoch]).permutation(self._count).astype(np.int32)

    def __call__(self, step: int) -> np.ndarray:
        """Indices into the training images, int32 [batch_size]."""
        positions = np.arange((step - 1) * self._batch_size, step * self._batch_size)
        epochs = positions // self._count
        return np.concatenate(
            [
                self._order(int(epoch))[positions[epochs == epoch] % self._count]
                for epoch in np.unique(epochs)
            ]
        )
