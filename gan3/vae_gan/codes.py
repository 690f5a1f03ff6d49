"""The codes of real images, which the generator is given in place of fresh noise.

The determinator encodes an image as E numbers. `ClassNorm` gives those of each class mean 0 and a
variance below 1, and noise is added that brings it up to 1. So every entry has the mean and the
variance of fresh noise in each class, and says as much about the image as the noise lets through.
That takes the place of the divergence from N(0, 1) in a variational autoencoder.
"""

import math

import tensorflow as tf

from gan3.method import noise as noise_module
from gan3.nn.network import by_name
from gan3.nn.plain import EPSILON
from gan3.vae_gan import averages

_DECAY = 0.99  # per step, of the moments


def latent_of(labels: tf.Tensor, noise: tf.Tensor, classes: int, label_entry: bool) -> tf.Tensor:
    """The latent of `method.noise`; with a label entry, each class owns one entry more.

    It is 1 if the class is requested, else 0: [B, (E + 1) K] for labels [B] and noise [B, E].
    """
    if not label_entry:
        return noise_module.latent_of(labels, noise, classes)
    noise = tf.pad(noise, [[0, 0], [0, 1]], constant_values=1.0)  # [B, E + 1]
    one_hot = tf.one_hot(labels, classes, dtype=noise.dtype)
    latent = one_hot[:, :, None] * noise[:, None, :]  # [B, K, E + 1]
    return tf.reshape(latent, [-1, classes * noise.shape[1]])


class ClassNorm:
    """Normalisation of the determinator's numbers by class, with moments that decay.

    `means` and `variances`, [K, E] each, are the moments of what was given so far.
    """

    def __init__(self, name: str, shape: tuple[int, int], noise_variance: float):
        """name: of the variables. shape: [K, E]. noise_variance: 0..1, of what will be added."""
        self.means = tf.Variable(tf.zeros(shape), trainable=False, name=f"{name}/means")
        self.variances = tf.Variable(tf.ones(shape), trainable=False, name=f"{name}/variances")
        self._noise_variance = noise_variance

    @property
    def variables(self) -> dict[str, tf.Variable]:
        """Everything that `__call__` needs, by name."""
        return by_name([self.means, self.variances])

    def __call__(self, numbers: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """The codes [B, E] of `numbers` [B, E] of images of `labels` [B], without noise."""
        centred = numbers - tf.gather(self.means, labels)
        normal = centred * tf.math.rsqrt(tf.gather(self.variances, labels) + EPSILON)
        return math.sqrt(1 - self._noise_variance) * normal

    def train(
        self, numbers: tf.Tensor, labels: tf.Tensor, steps: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The codes [B, E] of a training batch with their noise, and a loss; adds the moments.

        The batch's own variance normalises, together with the ratio of the class's variance to that
        of all, so that the gradient does not reward numbers that grow. They still may: the moments
        would no longer follow. The loss holds their variance near 1. It is the divergence of
        N(0, variance) from N(0, 1), summed over entries, in nats.

        Args:
            numbers: [B, E], as the determinator encodes the images.
            labels: [B].
            steps: float32, the number of steps done, for the `rate` of the moments.
            seed: [2], of the noise.
        """
        # Read once, before `_move` changes them.
        variances, means = tf.convert_to_tensor(self.variances), tf.convert_to_tensor(self.means)
        centred = numbers - tf.gather(means, labels)
        variance = tf.reduce_mean(tf.square(centred), axis=0)  # [E]
        of_class = tf.gather(variances, labels)
        ratio = of_class / tf.reduce_mean(of_class, axis=0)
        normal = centred * tf.math.rsqrt(variance * ratio + EPSILON)
        moments, of_batch = (variances, means), (tf.square(centred), numbers)
        self._move(moments, of_batch, labels, averages.rate(_DECAY, steps))
        variance = tf.maximum(variance, EPSILON)
        loss = 0.5 * tf.reduce_sum(variance - tf.math.log(variance) - 1)
        noise = tf.random.stateless_normal(tf.shape(numbers), seed)
        kept, added = math.sqrt(1 - self._noise_variance), math.sqrt(self._noise_variance)
        return kept * normal + added * noise, loss

    def _move(
        self,
        moments: tuple[tf.Tensor, tf.Tensor],
        values: tuple[tf.Tensor, tf.Tensor],
        labels: tf.Tensor,
        rate: tf.Tensor,
    ) -> None:
        """Move the moments of each class in the batch by `rate` towards those of the batch.

        moments: the variances and means as they are, [K, E] each. values: [B, E] each, whose
        means by class are those of the batch.
        """
        one_hot = tf.one_hot(labels, self.means.shape[0])  # [B, K]
        counts = tf.reduce_sum(one_hot, axis=0)[:, None]  # [K, 1]
        rates = rate * tf.cast(counts > 0, tf.float32)
        changes = []
        for moment, value in zip(moments, values, strict=True):
            batch = tf.matmul(one_hot, value, transpose_a=True) / tf.maximum(counts, 1.0)
            changes.append(rates * (batch - moment))
        self.variances.assign_add(changes[0])
        self.means.assign_add(changes[1])
