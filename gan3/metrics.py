"""Metrics: arrays in, numbers out."""

import tensorflow as tf


def label_accuracy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Share (0..1) of the rows of `logits` [B, K] whose largest entry is that of `labels` [B]."""
    labels.shape.assert_has_rank(1)
    read = tf.argmax(logits, axis=1, output_type=labels.dtype)  # [B]
    return tf.reduce_mean(tf.cast(tf.equal(read, labels), tf.float32))
