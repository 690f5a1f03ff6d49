"""The latent of the three networks: a one-hot label times a K x 10 K noise matrix."""

import tensorflow as tf

from gan3.nn.declared import ENTRIES


def latent_of(labels: tf.Tensor, noise: tf.Tensor, classes: int) -> tf.Tensor:
    """One-hot times the noise matrix: each class owns E entries of the latent, ten as described.

    Args:
        labels: [B] requested classes, 0 to K - 1.
        noise: [B, E] in -1..1, the entries of each image's own class.
        classes: K, ten for digits.

    Returns:
        [B, E K]: for a row of class c the noise is in columns E c ... E c + E - 1, the rest is 0.
    """
    labels.shape.assert_has_rank(1)
    noise.shape.assert_has_rank(2)
    one_hot = tf.one_hot(labels, classes, dtype=noise.dtype)
    return tf.reshape(one_hot[:, :, None] * noise[:, None, :], [-1, classes * noise.shape[1]])


class Noise:
    """Draws the noise entries of each image's class, U(-1, 1).

    draw: "example", a matrix for each image; "once", one matrix for the whole run, a function of
    the run's seed.
    """

    def __init__(self, draw: str, run_seed: int, classes: int, entries: int = ENTRIES):
        self._draw, self._run_seed = draw, [run_seed, 1]
        self._classes, self._entries = classes, entries

    def __call__(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """[B, E] for `labels` [B]: a function of `seed` [2], or rows of the run's one matrix."""
        with tf.name_scope("noise/"):
            if self._draw == "example":
                return _uniform([tf.size(labels), self._entries], seed)
            return tf.gather(_uniform([self._classes, self._entries], self._run_seed), labels)


def _uniform(shape: list, seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0)
