"""Losses in nats: logits in, one number out. No networks, no variables, no L1."""

from collections.abc import Callable

import tensorflow as tf

DIGIT_LOSSES = ("softmax_mean", "sigmoid_sum")
ADVERSARIAL_LOSSES = ("cross_entropy", "hinge", "relativistic")

Pair = tuple[tf.Tensor, tf.Tensor]


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
    """Cross entropy of ten digit logits to the digits.

    Args:
        logits: [B, 10].
        labels: [B], integers 0 to 9.
        form: "softmax_mean", the mean over the batch of the softmax cross entropy;
            "sigmoid_sum", ten binary cross entropies an image, summed over digits and batch, as
            in the published 2017 script (so it grows with the batch size).

    Returns:
        Scalar, nats; at logits of zero log 10 = 2.303 and 10 B log 2 respectively.

    Raises:
        ValueError: an unknown form, or logits that are not [B, 10].
    """
    logits.shape.assert_is_compatible_with([None, 10])
    labels.shape.assert_has_rank(1)
    if form == "softmax_mean":
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reduce_mean(losses)  # over [B]
    if form == "sigmoid_sum":
        targets = tf.one_hot(labels, 10, dtype=logits.dtype)  # [B, 10]
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
        total = tf.reduce_sum(losses)  # over [B, 10]
        sharing = tf.distribute.get_replica_context().num_replicas_in_sync
        return total if sharing == 1 else sharing * total  # whose mean is the whole batch's sum
    raise ValueError(f"digit loss {form!r}: one of {', '.join(DIGIT_LOSSES)}")


def adversarial(real_logits: tf.Tensor, fake_logits: tf.Tensor, form: str) -> Pair:
    """The real/fake losses of discriminator and generator, in nats but for "hinge".

    Args:
        real_logits: [B, 1]; fake_logits: [F, 1] (B = F for "relativistic", pair by pair).
        form: "cross_entropy", the non-saturating losses of Goodfellow et al. 2014, section 3;
            "hinge" (Lim & Ye 2017), a margin of 1; "relativistic" (Jolicoeur-Martineau 2018), how
            much more real the real one of a pair looks.

    Returns:
        The discriminator's loss, 2 log 2 (hinge 2, relativistic log 2) at logits of zero, and the
        generator's, log 2 (0, log 2) there.

    Raises:
        ValueError: an unknown form, or logits that are not [B, 1].
    """
    real_logits.shape.assert_is_compatible_with([None, 1])
    fake_logits.shape.assert_is_compatible_with([None, 1])
    if form == "cross_entropy":
        real = real_fake_cross_entropy(real_logits, 1.0)
        fake = real_fake_cross_entropy(fake_logits, 0.0)
        return real + fake, real_fake_cross_entropy(fake_logits, 1.0)
    if form == "hinge":
        real = tf.reduce_mean(tf.nn.relu(1 - real_logits))
        return real + tf.reduce_mean(tf.nn.relu(1 + fake_logits)), -tf.reduce_mean(fake_logits)
    if form == "relativistic":
        ahead = real_logits - fake_logits  # [B, 1]
        return tf.reduce_mean(tf.nn.softplus(-ahead)), tf.reduce_mean(tf.nn.softplus(ahead))
    raise ValueError(f"adversarial loss {form!r}: one of {', '.join(ADVERSARIAL_LOSSES)}")


def gradient_penalty(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Half the squared slope of the logits over the images, summed over pixels: [B].

    R1 on real images, R2 on fakes (Mescheder et al. 2018, eq. 9): a discriminator that is steep
    about what is real never lets the generator rest there. logits: [B, 1], a function of
    images: [B, 28, 28, 1], each of its own image only.
    """
    slope = tf.gradients(tf.reduce_sum(logits), images)[0]
    return 0.5 * tf.reduce_sum(tf.square(slope), axis=[1, 2, 3])


def redrawing(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Cross entropy of pixels to those they redraw, summed over an image, mean over images.

    logits: [B, 784]; images: [B, 28, 28, 1] in 0..1, an ink of .3 counting as a coin of .3
    (Kingma & Welling 2014, appendix C.1). Nats; least where sigmoid(logits) equals the images.
    """
    logits.shape.assert_is_compatible_with([None, 784])
    ink = tf.reshape(images, [-1, 784])
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(labels=ink, logits=logits)  # [B, 784]
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=1))


def kl_to_normal(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), summed over entries [B, D].

    Mean over the batch, nats (Kingma & Welling 2014, appendix B); 0 for mean 0 and variance 1.
    """
    entries = tf.square(mean) + tf.exp(log_variance) - log_variance - 1
    return 0.5 * tf.reduce_mean(tf.reduce_sum(entries, axis=1))


@tf.custom_gradient
def _absolute_sum(w: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Sum of |w| with its gradient in closed form: two passes over w, where TensorFlow makes four.

    It would first fill a tensor of w's size with the sum's gradient, the same number everywhere.
    """
    return tf.reduce_sum(tf.abs(w)), lambda upstream: upstream * tf.sign(w)


def l1(weights: list[tf.Variable]) -> tf.Tensor:
    """Sum of the absolute values of all entries of all `weights`; a scalar."""
    return tf.add_n([_absolute_sum(tf.convert_to_tensor(w)) for w in weights])
