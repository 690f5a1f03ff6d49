"""Losses in nats: logits in, one number out. No networks, no variables, no L1."""

from collections.abc import Callable

import tensorflow as tf


def real_fake_cross_entropy(logits: tf.Tensor, target: float) -> tf.Tensor:
    """Mean binary cross entropy of real/fake logits to one target.

    Args:
        logits: [B, 1], positive means "real".
        target: 1.0 for real, 0.0 for fake.

    Returns:
        Scalar, nats; log 2 = 0.693 for logits of zero.

    Source: Goodfellow et al. 2014; with target 1 on fakes it is the non-saturating generator
    loss of their section 3.
    """
    logits.shape.assert_is_compatible_with([None, 1])  # [B] against [B, 1] would give [B, B]
    labels = tf.fill(tf.shape(logits), tf.constant(target, logits.dtype))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)  # [B, 1]
    return tf.reduce_mean(losses)


def digit_cross_entropy(logits: tf.Tensor, labels: tf.Tensor, form: str) -> tf.Tensor:
    """Cross entropy of the logits of K digits, or of other classes, to the labels.

    Args:
        logits: [B, K].
        labels: [B], integers 0 to K - 1.
        form: "softmax_mean", the mean over the batch of the softmax cross entropy;
            "sigmoid_sum", K binary cross entropies per image, summed over classes and batch, as
            in the published 2017 script (so it grows with the batch size).

    Returns:
        Scalar, nats; for logits of zero log K (2.303 for ten digits) and K B log 2 respectively.

    Raises:
        ValueError: an unknown form, or logits that are not [B, K].
    """
    logits.shape.assert_has_rank(2)
    if logits.shape[1] == 1:  # a real/fake logit
        raise ValueError(f"logits {logits.shape}: need one for each of two or more classes")
    labels.shape.assert_has_rank(1)
    if form == "softmax_mean":
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reduce_mean(losses)  # over [B]
    if form == "sigmoid_sum":
        targets = tf.one_hot(labels, logits.shape[1], dtype=logits.dtype)  # [B, K]
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
        return tf.reduce_sum(losses)  # over [B, K]
    raise ValueError(f"unknown digit loss {form!r}")


@tf.custom_gradient
def _absolute_sum(w: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Sum of |w| with its gradient in closed form: two passes over w instead of TensorFlow's four.

    TensorFlow first fills a tensor of w's size with the sum's gradient, one number everywhere.
    """
    return tf.reduce_sum(tf.abs(w)), lambda upstream: upstream * tf.sign(w)


def l1(weights: list[tf.Variable]) -> tf.Tensor:
    """Sum of the absolute values of all entries of all `weights`; a scalar."""
    return tf.add_n([_absolute_sum(tf.convert_to_tensor(w)) for w in weights])
