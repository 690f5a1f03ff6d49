"""The latent of the three networks: a one-hot label times a K x 10 K noise matrix."""

import tensorflow as tf

from gan3.method.declared import ENTRIES


def latent_of(labels: tf.Tensor, noise: tf.Tensor, classes: int) -> tf.Tensor:
    """One-hot times the noise matrix: each class owns ten entries of the latent.

    Args:
        labels: [B] requested classes, 0 to K - 1.
        noise: [B, 10] in -1..1, the ten entries of each image's own class.
        classes: K, ten for digits.

    Returns:
        [B, 10 K]: for a row of class c the noise is in columns 10 c ... 10 c + 9, the rest is 0.
    """
    labels.shape.assert_has_rank(1)
    noise.shape.assert_is_compatible_with([None, ENTRIES])
    one_hot = tf.one_hot(labels, classes, dtype=noise.dtype)
    return tf.reshape(one_hot[:, :, None] * noise[:, None, :], [-1, classes * ENTRIES])


class Noise:
    """Draws the ten noise entries of each image's class, U(-1, 1).

    draw: "example", a matrix for each image; "once", one matrix for the whole run, a function of
    the run's seed.
    """

    def __init__(self, draw: str, run_seed: int, classes: int):
        self._draw, self._run_seed, self._classes = draw, [run_seed, 1], classes

    def __call__(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """[B, 10] for `labels` [B]: a function of `seed` [2], or rows of the run's one matrix."""
        with tf.name_scope("noise/"):
            if self._draw == "example":
                return _uniform([tf.size(labels), ENTRIES], seed)
            return tf.gather(_uniform([self._classes, ENTRIES], self._run_seed), labels)


def _uniform(shape: list, seed: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0, alg="philox")
