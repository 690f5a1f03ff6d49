"""The three networks: variables made by hand, one list per network, shapes beside every line.

Variable names follow TensorFlow 1: `generator/hidden1/w`. Every call re-enters the network's own
name scope, so a graph that calls a network five times still shows one box for it.
"""

import math

import tensorflow as tf

from gan3.method.drawing import ENTRIES, IMAGE
from gan3.nn.initializers import Initializer
from gan3.nn.layers import ACTIVATIONS, conv_pool, dense, dropout, split_seed


class Network:
    """Named variables, in the order in which they were made."""

    def __init__(self, name: str, init: Initializer, dtype: str = "float32"):
        self.name = name
        self._init = init
        self._dtype = dtype
        self.weights: list[tf.Variable] = []  # all of them: what this network's Adam updates
        self.l1_weights: list[tf.Variable] = []  # the dense matrices: what L1 is taken of

    def _layer(self, layer: str, shape: tuple[int, ...]) -> tuple[tf.Variable, tf.Variable]:
        """Weights of `shape` and biases of its last axis, named network/layer/w and /b."""
        scope = f"{self.name}/{layer}"
        w = tf.Variable(self._init.weights(shape), name=f"{scope}/w")
        b = tf.Variable(
            self._init.biases(shape[-1], self.name, math.prod(shape[:-1])), name=f"{scope}/b"
        )
        self.weights += [w, b]
        if len(shape) == 2:  # not convolution kernels, not biases
            self.l1_weights.append(w)
        return w, b


class Generator(Network):
    """Latent [B, 10 K] of K classes to images [B, 28, 28, 1] in (0, 1): a dense network.

    Hidden layers of 100, 500 and 784, each with activation and dropout, then 784 sigmoids.
    """

    def __init__(self, init: Initializer, classes: int, activation: str, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self._classes, self._activation = classes, activation
        self.hidden1 = self._layer("hidden1", (classes * ENTRIES, 100))
        self.hidden2 = self._layer("hidden2", (100, 500))
        self.hidden3 = self._layer("hidden3", (500, 784))
        self.pixels = self._layer("pixels", (784, IMAGE * IMAGE))

    def __call__(
        self, latent: tf.Tensor, keep_prob: float = 1.0, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        latent.shape.assert_is_compatible_with([None, self._classes * ENTRIES])
        activate, seeds = ACTIVATIONS[self._activation], split_seed(seed, 3)
        with tf.name_scope("generator/"):
            h = tf.cast(latent, self._dtype)  # [B, 10 K]
            h = dropout(activate(dense(h, *self.hidden1)), keep_prob, seeds[0])  # [B, 100]
            h = dropout(activate(dense(h, *self.hidden2)), keep_prob, seeds[1])  # [B, 500]
            h = dropout(activate(dense(h, *self.hidden3)), keep_prob, seeds[2])  # [B, 784]
            pixels = tf.sigmoid(tf.cast(dense(h, *self.pixels), tf.float32))  # [B, 784]
            return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1])  # [B, 28, 28, 1]


class Critic(Network):
    """The CNN of discriminator and determinator: same layers, separate weights.

    Images [B, 28, 28, 1] in 0..1 to logits [B, outputs], float32.
    """

    def __init__(
        self, name: str, outputs: int, init: Initializer, activation: str, dtype: str = "float32"
    ):
        super().__init__(name, init, dtype)
        self._activation = activation
        self.conv1 = self._layer("conv1", (5, 5, 1, 32))
        self.conv2 = self._layer("conv2", (5, 5, 32, 64))
        self.hidden = self._layer("hidden", (7 * 7 * 64, 1024))
        self.logits = self._layer("logits", (1024, outputs))

    def __call__(
        self, images: tf.Tensor, keep_prob: float = 1.0, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        images.shape.assert_is_compatible_with([None, IMAGE, IMAGE, 1])
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(images, self._dtype)  # [B, 28, 28, 1]
            h = conv_pool(h, *self.conv1, self._activation)  # [B, 14, 14, 32]
            h = conv_pool(h, *self.conv2, self._activation)  # [B, 7, 7, 64]
            h = tf.reshape(h, [-1, 7 * 7 * 64])  # [B, 3136]
            h = ACTIVATIONS[self._activation](dense(h, *self.hidden))  # [B, 1024]
            h = dropout(h, keep_prob, seed)
            return tf.cast(dense(h, *self.logits), tf.float32)  # [B, outputs]


def discriminator(init: Initializer, activation: str, dtype: str = "float32") -> Critic:
    """Images to one real/fake logit [B, 1]; positive means "real handwriting"."""
    return Critic("discriminator", 1, init, activation, dtype)


def determinator(
    init: Initializer, classes: int, activation: str, dtype: str = "float32"
) -> Critic:
    """Images to class logits [B, K]: what the literature calls an auxiliary classifier."""
    return Critic("determinator", classes, init, activation, dtype)


def by_name(variables: list[tf.Variable]) -> dict[str, tf.Variable]:
    """Variables by their names."""
    return {variable.name.removesuffix(":0"): variable for variable in variables}
