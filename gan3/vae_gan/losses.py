"""Losses that `best` adds: other adversarial losses, gradient penalties and reconstruction."""

import tensorflow as tf

from gan3.method.losses import real_fake_cross_entropy


def adversarial(
    real_logits: tf.Tensor, fake_logits: tf.Tensor, form: str
) -> tuple[tf.Tensor, tf.Tensor]:
    """The real/fake losses of discriminator and generator; in nats, except for "hinge".

    Args:
        real_logits: [B, 1].
        fake_logits: [F, 1] (F = B for "relativistic", which compares pairs).
        form: "cross_entropy", the non-saturating losses of Goodfellow et al. 2014, section 3;
            "hinge" (Lim & Ye 2017), with a margin of 1; "relativistic" (Jolicoeur-Martineau 2018),
            by how much the real image of a pair looks more real.

    Returns:
        The discriminator's loss: 2 log 2 for logits of zero (hinge 2, relativistic log 2); and the
        generator's: log 2 (hinge 0, relativistic log 2).

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
        margin = real_logits - fake_logits  # [B, 1]
        return tf.reduce_mean(tf.nn.softplus(-margin)), tf.reduce_mean(tf.nn.softplus(margin))
    raise ValueError(f"unknown adversarial loss {form!r}")


def gradient_penalty(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Half the squared norm of the logits' gradient with respect to the images: [B].

    R1 on real images, R2 on fakes (Mescheder et al. 2018, eq. 9): with a steep discriminator at
    the real images the generator would never settle there. logits: [B, 1], each a function of its
    own image in images [B, 28, 28, 1].
    """
    gradient = tf.gradients(tf.reduce_sum(logits), images)[0]
    return 0.5 * tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])


def reconstruction(logits: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
    """Cross entropy of pixel logits to the encoded images: summed over pixels, mean over images.

    logits: [B, 784]; images: [B, 28, 28, 1] in 0..1, each pixel the probability of a Bernoulli
    variable (Kingma & Welling 2014, appendix C.1). Nats; minimal where sigmoid(logits) = images.
    """
    logits.shape.assert_is_compatible_with([None, 784])
    targets = tf.reshape(images, [-1, 784])
    pixels = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)  # [B, 784]
    return tf.reduce_mean(tf.reduce_sum(pixels, axis=1))
