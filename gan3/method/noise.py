"""TODO docstring."""

from typing import Any

import tensorflow as tf

from gan3.nn.layers import own_rows

NOISE_DRAWS = ("example", "batch", "once")


def latent_of(labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """One-hot times the 10 x 100 noise matrix: each digit owns ten entries of the latent.

    Args:
        labels: [B] requested digits.
        noise: [B, 10] in -1..1, the ten entries of each image's own digit.

    Returns:
        [B, 100]: noise in columns 10 d ... 10 d + 9 of a row whose digit is d, zeros elsewhere.
    """
    labels.shape.assert_has_rank(1)
    noise.shape.assert_is_compatible_with([None, 10])
    one_hot = tf.one_hot(labels, 10, dtype=noise.dtype)  # [B, 10]
    return soft_latent(one_hot, noise)


def soft_latent(soft_labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """The same [B, 100] with any share [B, 10] of each digit: what lies between the one-hots."""
    return tf.reshape(soft_labels[:, :, None] * noise[:, None, :], [-1, 100])


def draw_noise(labels: tf.Tensor, seed: tf.Tensor, draw: str) -> tf.Tensor:
    """The ten noise entries of each image's digit, U(-1, 1): [B, 10], a function of `seed` [2].

    draw: "example", a matrix for each image; otherwise one matrix for all images of the call.
    """
    shape = [tf.size(labels), 10] if draw == "example" else [10, 10]

    def uniform(shape: Any) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, seed, minval=-1.0, maxval=1.0, alg="philox")

    return own_rows(uniform, shape) if draw == "example" else tf.gather(uniform(shape), labels)
