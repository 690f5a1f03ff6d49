"""TODO docstring."""

import tensorflow as tf

from gan3.method.losses import real_fake_cross_entropy

ADVERSARIAL_LOSSES = ("cross_entropy", "hinge", "relativistic")
Pair = tuple[tf.Tensor, tf.Tensor]


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


def reconstruction(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
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
