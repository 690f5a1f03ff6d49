"""TODO docstring."""

import math

import numpy as np
import tensorflow as tf


class Glorot:
    """Initialiser of Glorot & Bengio 2010 (eq. 16, "Xavier"), biases zero.

    Weights are U(-a, a), a = sqrt(6 / (fan in + fan out)); for a kernel [height, width, in, out]
    both fans count height x width. Every variable gets its own stream of the seed.
    """

    def __init__(self, seed: int):
        self._seed = seed
        self._made = 0

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        """The first values of a weight tensor of `shape`."""
        return self._initialiser(self._next_seed())(shape)

    def biases(self, width: int, network: str) -> tf.Tensor:
        """Zeros of [width], in every network."""
        del network
        return tf.zeros([width])

    def embedding(self, shape: tuple[int, int]) -> tf.Tensor:
        """A row for each thing that is embedded; here as weights."""
        return self.weights(shape)

    def scales(self, width: int) -> tf.Tensor:
        """By which batch normalisation begins to multiply: ones of [width]."""
        return tf.ones([width])

    def _next_seed(self) -> int:
        self._made += 1
        return int(np.random.SeedSequence([self._seed, self._made]).generate_state(1)[0]) >> 1

    def _initialiser(self, seed: int) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.GlorotUniform(seed=seed)


class Normal(Glorot):
    """N(0, 0.02), biases zero, scales N(1, 0.02) (Radford et al. 2016); embeddings N(0, 1)."""

    def embedding(self, shape: tuple[int, int]) -> tf.Tensor:
        return tf.keras.initializers.RandomNormal(stddev=1.0, seed=self._next_seed())(shape)

    def scales(self, width: int) -> tf.Tensor:
        return 1 + self.weights((width,))

    def _initialiser(self, seed: int) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.RandomNormal(stddev=0.02, seed=seed)


class TruncatedNormal(Glorot):
    """N(0, 0.02), drawn again beyond two standard deviations; so are the generator's biases."""

    def biases(self, width: int, network: str) -> tf.Tensor:
        return self.weights((width,)) if network == "generator" else tf.zeros([width])

    def _initialiser(self, seed: int) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.TruncatedNormal(stddev=0.02, seed=seed)


class FanIn(Glorot):
    """U(-a, a), a = 1 / sqrt(fan in): what PyTorch takes unasked; but biases are zero here."""

    def _initialiser(self, seed: int) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=seed)


class PublishedNormal(Glorot):
    """What the 2017 script calls Xavier: N(0, sqrt(2 / shape[0])) whatever the tensor is.

    A 5x5 kernel thus gets sqrt(2/5) = 0.63, many times its Glorot value, and so do the
    determinator's biases; those of the other two networks start at zero.
    """

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        self._made += 1
        seed = tf.random.fold_in([self._seed, 0], self._made)
        return tf.random.stateless_normal(shape, seed, stddev=math.sqrt(2 / shape[0]))

    def biases(self, width: int, network: str) -> tf.Tensor:
        return self.weights((width,)) if network == "determinator" else tf.zeros([width])


INITIALIZERS = {"glorot": Glorot, "published": PublishedNormal}
