"""The loss that `best` adds: reconstruction."""

import tensorflow as tf


def reconstruction(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Cross entropy of pixel logits to the encoded images: summed over pixels, mean over images.

    logits: [B, 784]; images: [B, 28, 28, 1] in 0..1, each pixel the probability of a Bernoulli
    variable (Kingma & Welling 2014, appendix C.1). Nats; minimal where sigmoid(logits) = images.
    """
    logits.shape.assert_is_compatible_with([None, 784])
    targets = tf.reshape(images, [-1, 784])
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)  # [B, 784]
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=1))
