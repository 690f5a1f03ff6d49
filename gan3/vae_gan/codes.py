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

_DECAY = 0.99  # per step, of the moments


def rate(decay: float, steps: tf.Tensor) -> tf.Tensor:
    """The weight of the newest value in a moving average with this decay, float32.

    After `steps` steps (float32) the average covers at most about the last tenth of them, so the
    initial value does not linger.
    """
    return 1 - tf.minimum(decay, steps / (steps + 9))


def latent_of(labels: tf.Tensor, noise: tf.Tensor, classes: int, label_entry: bool) -> tf.Tensor:
    """The latent of `method.noise`; with a label entry, each class owns one entry more.

    It is 1 if the class is requested, else 0: [B, (E + 1) K] for labels [B] and noise [B, E].
    """
    if label_entry:
        noise = tf.pad(noise, [[0, 0], [0, 1]], constant_values=1.0)  # [B, E + 1]
    return noise_module.latent_of(labels, noise, classes)


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
        # Read once, before they change.
        variances, means = tf.convert_to_tensor(self.variances), tf.convert_to_tensor(self.means)
        centred = numbers - tf.gather(means, labels)
        variance = tf.reduce_mean(tf.square(centred), axis=0)  # [E]
        of_class = tf.gather(variances, labels)
        ratio = of_class / tf.reduce_mean(of_class, axis=0)
        normal = centred * tf.math.rsqrt(variance * ratio + EPSILON)
        one_hot = tf.one_hot(labels, self.means.shape[0])  # [B, K]
        counts = tf.reduce_sum(one_hot, axis=0)[:, None]  # [K, 1]
        rates = rate(_DECAY, steps) * tf.cast(counts > 0, tf.float32)
        for moments, moment, values in (
            (self.variances, variances, tf.square(centred)),
            (self.means, means, numbers),
        ):
            of_batch = tf.matmul(one_hot, values, transpose_a=True) / tf.maximum(counts, 1.0)
            moments.assign_add(rates * (of_batch - moment))
        variance = tf.maximum(variance, EPSILON)
        loss = 0.5 * tf.reduce_sum(variance - tf.math.log(variance) - 1)
        noise = tf.random.stateless_normal(tf.shape(numbers), seed)
        kept, added = math.sqrt(1 - self._noise_variance), math.sqrt(self._noise_variance)
        return kept * normal + added * noise, loss
