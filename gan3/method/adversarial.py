"""Adversarial losses, chosen by `loss` of a config, and penalties on slopes; not for the method.

D(x) are the logits [B, 1] of real images, D(G) those of fakes; each loss is one number, the mean E
over the batch. The discriminator lowers the sum of its two losses.

| form | on real images | on fakes | of the generator | source |
| --- | --- | --- | --- | --- |
| non_saturating | E softplus(-D(x)) | E softplus(D(G)) | E softplus(-D(G)) | Goodfellow 2014 |
| hinge | E max(0, 1 - D(x)) | E max(0, 1 + D(G)) | -E D(G) | Lim & Ye 2017 |
| wasserstein | -E D(x) | E D(G) | -E D(G) | Arjovsky 2017 |

A Wasserstein loss needs a critic whose slope is limited: by `weight_clip` (two-network systems; as
its authors have it), by `gradient_penalty` or by `spectral_norm`.
"""

from collections.abc import Callable

import tensorflow as tf

from gan3.method.config import AdversarialConfig
from gan3.method.losses import real_fake_cross_entropy
from gan3.method.system import Scalars

Critic = Callable[[tf.Tensor], tf.Tensor]
"""Images [B, 28, 28, 1] to logits [B, 1]."""


def real_loss(logits: tf.Tensor, form: str, target: float = 1.0) -> tf.Tensor:
    """The discriminator's loss on real images with these logits [B, 1]; a scalar.

    target: of "non_saturating" alone; below 1 for label smoothing.
    """
    logits.shape.assert_is_compatible_with([None, 1])
    if form == "hinge":
        return tf.reduce_mean(tf.nn.relu(1 - logits))
    if form == "wasserstein":
        return -tf.reduce_mean(logits)
    return real_fake_cross_entropy(logits, target)


def fake_loss(logits: tf.Tensor, form: str) -> tf.Tensor:
    """The discriminator's loss on fakes with these logits [B, 1]; a scalar."""
    logits.shape.assert_is_compatible_with([None, 1])
    if form == "hinge":
        return tf.reduce_mean(tf.nn.relu(1 + logits))
    if form == "wasserstein":
        return tf.reduce_mean(logits)
    return real_fake_cross_entropy(logits, 0.0)


def passing_loss(logits: tf.Tensor, form: str) -> tf.Tensor:
    """The generator's loss at the logits [B, 1] of its fakes; a scalar."""
    logits.shape.assert_is_compatible_with([None, 1])
    if form == "non_saturating":
        return real_fake_cross_entropy(logits, 1.0)
    return -tf.reduce_mean(logits)


def scalars(real_logits: tf.Tensor, fake_logits: tf.Tensor, form: str) -> Scalars:
    """The losses of both networks at logits [B, 1] of real images and of fakes."""
    real, fake = real_loss(real_logits, form), fake_loss(fake_logits, form)
    return {
        "loss/discriminator": real + fake,
        "loss/discriminator_real": real,
        "loss/discriminator_fake": fake,
        "loss/generator_real": passing_loss(fake_logits, form),
    }


def penalties(
    config: AdversarialConfig,
    critic: Critic,
    images: tf.Tensor,
    fakes: tf.Tensor,
    seed: tf.Tensor,
) -> tf.Tensor:
    """The weighted penalties of a config; a scalar. The arguments are those of the two below."""
    total = tf.zeros([])
    if config.gradient_penalty:
        total += config.gradient_penalty * gradient_penalty(critic, images, fakes, seed)
    if config.r1_penalty:
        total += config.r1_penalty * r1_penalty(critic, images)
    return total


def gradient_penalty(
    critic: Critic, images: tf.Tensor, fakes: tf.Tensor, seed: tf.Tensor
) -> tf.Tensor:
    """E (|D'(z)| - 1)^2 at z = u x + (1 - u) G, u ~ U(0, 1) for each pair; inside a graph.

    Args:
        images, fakes: [B, 28, 28, 1].
        seed: [2], of u.

    Source: Gulrajani et al. 2017, eq. 3; their weight is 10. The critic must judge each image
    alone, so there is no batch normalisation in it.
    """
    shares = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], seed)
    squares = _squared_slopes(critic, shares * images + (1 - shares) * fakes)
    return tf.reduce_mean((tf.sqrt(squares + 1e-12) - 1) ** 2)  # at 0 a root has no gradient


def r1_penalty(critic: Critic, images: tf.Tensor) -> tf.Tensor:
    """E |D'(x)|^2 / 2 at real images x [B, 28, 28, 1]: a scalar, inside a graph.

    Source: Mescheder et al. 2018, eq. 9; their weight is 10.
    """
    return tf.reduce_mean(_squared_slopes(critic, images)) / 2


def _squared_slopes(critic: Critic, images: tf.Tensor) -> tf.Tensor:
    """The squared length [B] of the gradient of each image's logit by its pixels."""
    (slopes,) = tf.gradients(critic(images), [images])
    return tf.reduce_sum(slopes**2, axis=[1, 2, 3])
