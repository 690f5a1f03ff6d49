"""First values of variables. Each variable is drawn from a stream of its own of one seed.

The distributions are those of Keras' initializers, bit for bit, without Keras: its import takes a
third of the time that a run needs to start.
"""

import math

import numpy as np
import tensorflow as tf


class Initializer:
    """Draws weights; biases are zero and normalisation scales one unless a subclass says so."""

    def __init__(self, seed: int):
        self._seed = seed
        self._count = 0  # variables drawn so far

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        """The first values of a weight tensor of `shape`."""
        raise NotImplementedError

    def biases(self, width: int, network: str, fan_in: int) -> tf.Tensor:
        """The first biases [width] of a layer with `fan_in` inputs, of the network of that name."""
        del network, fan_in
        return tf.zeros([width])

    def embedding(self, shape: tuple[int, int]) -> tf.Tensor:
        """One row for each embedded class."""
        return self.weights(shape)

    def scales(self, width: int) -> tf.Tensor:
        """The first scales [width] of a batch normalisation."""
        return tf.ones([width])

    def _uniform_biases(self, width: int, fan_in: int) -> tf.Tensor:
        return self._uniform((width,), 1 / math.sqrt(fan_in))

    def _uniform(self, shape: tuple[int, ...], bound: float) -> tf.Tensor:
        """U(-bound, bound)."""
        return tf.random.stateless_uniform(shape, self._next_seed(), -bound, bound)

    def _next_seed(self) -> list[int]:
        """The seed [2] of the next variable."""
        self._count += 1
        state = np.random.SeedSequence([self._seed, self._count]).generate_state(1)
        return [int(state[0] >> 1) % (2**31 - 2), 0]  # as Keras makes a seed of a number


class Glorot(Initializer):
    """Glorot & Bengio 2010, eq. 16 ("Xavier"): U(-a, a), a = sqrt(6 / (fan in + fan out)).

    For a kernel [height, width, in, out] both fans count height x width.
    """

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        return self._uniform(shape, math.sqrt(6 / sum(_fans(shape))))


class Normal(Initializer):
    """N(0, 0.02), scales N(1, 0.02) (Radford et al. 2016).

    Embeddings are N(0, 1) and biases U(-a, a), a = 1 / sqrt(fan in): PyTorch's defaults.
    """

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        return tf.random.stateless_normal(shape, self._next_seed(), stddev=0.02)

    def embedding(self, shape: tuple[int, int]) -> tf.Tensor:
        return tf.random.stateless_normal(shape, self._next_seed())

    def biases(self, width: int, network: str, fan_in: int) -> tf.Tensor:
        return self._uniform_biases(width, fan_in)

    def scales(self, width: int) -> tf.Tensor:
        return 1 + self.weights((width,))


class TruncatedNormal(Initializer):
    """N(0, 0.02) truncated at two standard deviations; so are the generator's biases."""

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        seed = self._next_seed()
        return tf.random.stateless_truncated_normal(shape, seed, stddev=0.02)

    def biases(self, width: int, network: str, fan_in: int) -> tf.Tensor:
        return self.weights((width,)) if network == "generator" else tf.zeros([width])


class FanIn(Initializer):
    """U(-a, a), a = 1 / sqrt(fan in), for weights and biases: PyTorch's default."""

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        return self._uniform(shape, math.sqrt(1 / _fans(shape)[0]))

    def biases(self, width: int, network: str, fan_in: int) -> tf.Tensor:
        return self._uniform_biases(width, fan_in)


class PublishedNormal(Initializer):
    """What the 2017 script calls Xavier: N(0, sqrt(2 / shape[0])) for every tensor.

    A 5x5 kernel thus gets a deviation of sqrt(2/5) = 0.63, many times its Glorot value, and so do
    the determinator's biases; the biases of the other two networks start at zero.
    """

    def weights(self, shape: tuple[int, ...]) -> tf.Tensor:
        self._count += 1
        seed = tf.random.fold_in([self._seed, 0], self._count)
        return tf.random.stateless_normal(shape, seed, stddev=math.sqrt(2 / shape[0]))

    def biases(self, width: int, network: str, fan_in: int) -> tf.Tensor:
        return self.weights((width,)) if network == "determinator" else tf.zeros([width])


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a weight tensor [..., in, out], each times the size of a kernel."""
    size = math.prod(shape[:-2])
    return size * shape[-2], size * shape[-1]


INITIALIZERS = {"glorot": Glorot, "published": PublishedNormal}
