"""The three networks with their shapes open: what `open_step` trains.

At the description's shapes they are those of `networks`, to the bit: the same variables, made in
the same order from the same stream, in the same products.
"""

import numpy as np
import tensorflow as tf

from gan3.method.networks import IMAGE, LATENT, DenseLayer, Network, arrays_of
from gan3.nn.initializers import Glorot
from gan3.nn.layers import (
    ACTIVATIONS,
    EPSILON,
    batch_moments,
    conv,
    conv_pool,
    dense,
    dropout,
    normalise,
)

NOISE = 10  # entries of the latent that a digit owns


class VaeGanGenerator(Network):
    """Latent [B, 100] to images, by a dense network of any widths.

    With `normalised`, batch normalisation (Ioffe & Szegedy 2015) between product and activation.
    """

    def __init__(
        self,
        init: Glorot,
        widths: tuple[int, ...],
        activation: str,
        normalised: bool,
        dtype: str = "float32",
        name: str = "generator",
    ):
        super().__init__(name, init, dtype)
        self._activation, self._word = ACTIVATIONS[activation], activation
        sizes = (LATENT, *widths)
        self.hidden = [
            self._layer(f"hidden{i}", shape)
            for i, shape in enumerate(zip(sizes, sizes[1:], strict=False), start=1)
        ]
        self.pixels = self._layer("pixels", (sizes[-1], IMAGE * IMAGE))
        normal = list(enumerate(widths, start=1)) if normalised else []
        self.scales = [self._vector(f"hidden{i}/scale", w, 1.0) for i, w in normal]
        self.weights += self.scales
        # What stands for a batch's own mean and variance when single digits are drawn.
        self.means = [self._vector(f"hidden{i}/mean", w, 0.0, False) for i, w in normal]
        self.variances = [self._vector(f"hidden{i}/variance", w, 1.0, False) for i, w in normal]

    def _vector(self, layer: str, width: int, value: float, trained: bool = True) -> tf.Variable:
        return tf.Variable(tf.fill([width], value), trained, name=f"{self.name}/{layer}")

    def logits(
        self,
        latent: tf.Tensor,
        keep_prob: float,
        seed: tf.Tensor,
        own: bool = True,
        parts: int = 1,
    ) -> tuple[tf.Tensor, list[tuple[tf.Tensor, tf.Tensor]]]:
        """Logits of the pixels [B, 784], and mean and variance [width] of each hidden layer.

        own: normalise by the batch's own moments (in training), not by `means` and `variances`.
        parts: batches that stand below each other in `latent`.
        """
        latent.shape.assert_is_compatible_with([None, LATENT])
        seeds = tf.random.split(seed, len(self.hidden))
        moments = []
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(latent, self._dtype)  # [B, 100]
            for i, (w, b) in enumerate(self.hidden):
                if self.scales:
                    h = dense(h, w)  # [B, width]
                    if own:
                        moments.append(batch_moments(h))
                    mean, variance = moments[i] if own else (self.means[i], self.variances[i])
                    h = normalise(h, mean, variance, self.scales[i], b)
                else:
                    h = dense(h, w, b)
                h = dropout(self._activation(h), keep_prob, seeds[i], parts)
            return tf.cast(dense(h, *self.pixels), tf.float32), moments

    def __call__(
        self, latent: tf.Tensor, keep_prob: float, seed: tf.Tensor, own: bool = True
    ) -> tf.Tensor:
        """Images [B, 28, 28, 1] in (0, 1)."""
        return as_images(self.logits(latent, keep_prob, seed, own)[0])

    def dense_layers(self) -> list[DenseLayer]:
        """What it computes when it draws, the kept moments folded into weights and biases."""
        layers = []
        for i, layer in enumerate(self.hidden):
            w, b = arrays_of(layer)
            if self.scales:
                mean, variance, scale = arrays_of(
                    (self.means[i], self.variances[i], self.scales[i])
                )
                slope = scale / np.sqrt(variance + EPSILON)
                w, b = w * slope, b - mean * slope
            layers.append(DenseLayer(w, b, self._word))
        return [*layers, DenseLayer(*arrays_of(self.pixels), "sigmoid")]

    @property
    def saved(self) -> list[tf.Variable]:
        """Everything that drawing a digit needs."""
        return [*self.weights, *self.means, *self.variances]


def as_images(logits: tf.Tensor) -> tf.Tensor:
    """Logits of pixels [B, 784] to images [B, 28, 28, 1] in (0, 1)."""
    return tf.reshape(tf.sigmoid(logits), [-1, IMAGE, IMAGE, 1])


class VaeGanCritic(Network):
    """Images [B, 28, 28, 1] in 0..1 to logits [B, outputs]: convolutions and a dense layer.

    `widths` are the channels of the convolutions, then the width of the dense layer.
    `downsampling` is "pool" (stride 1, 2x2 max-pool) or "stride" (stride 2), which is a fifth of
    the work. With `shown`, every layer has a bias for each digit: inside the image a digit shown as
    ten constant planes is just that. With `reads` a second head answers 2 x 10 numbers.
    """

    def __init__(
        self,
        name: str,
        outputs: int,
        init: Glorot,
        widths: tuple[int, ...],
        kernel: int,
        downsampling: str,
        activation: str,
        shown: bool = False,
        reads: bool = False,
        dtype: str = "float32",
    ):
        super().__init__(name, init, dtype)
        self._activation, self._stride = activation, downsampling == "stride"
        *channels, hidden = widths
        sizes = (1, *channels)
        self.convs = [
            self._layer(f"conv{i}", (kernel, kernel, *shape))
            for i, shape in enumerate(zip(sizes, channels, strict=False), start=1)
        ]
        side = IMAGE
        for _ in channels:
            side = -(-side // 2)
        self._flat = side * side * sizes[-1]
        self.hidden = self._layer("hidden", (self._flat, hidden))
        self.logits = self._layer("logits", (hidden, outputs))
        layers = [*(f"conv{i}" for i in range(1, len(widths))), "hidden"] if shown else []
        self.digits = [
            self._digit_bias(layer, width) for layer, width in zip(layers, widths, strict=False)
        ]
        self.reading = self._layer("reading", (hidden, 2 * NOISE)) if reads else None

    def _digit_bias(self, layer: str, width: int) -> tf.Variable:
        made = tf.Variable(self._init.weights((10, width)), name=f"{self.name}/{layer}/digit")
        self.weights.append(made)
        return made

    def __call__(
        self,
        images: tf.Tensor,
        keep_prob: float,
        seed: tf.Tensor,
        labels: tf.Tensor | None = None,
        parts: int = 1,
    ) -> tf.Tensor:
        """Logits [B, outputs], float32; `labels` [B] where the digits are shown.

        parts: batches that stand below each other in `images`.
        """
        return self._logits(self._features(images, keep_prob, seed, labels, parts))

    def read(
        self, images: tf.Tensor, keep_prob: float, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Digit logits [B, 10], and of the handwriting's normal code mean and log variance [B, 10].

        The log variance is kept in -10..4, where its exponential is a number.
        """
        h = self._features(images, keep_prob, seed, None)
        with tf.name_scope(f"{self.name}/"):
            mean, log_variance = tf.split(tf.cast(dense(h, *self.reading), tf.float32), 2, axis=1)
        return self._logits(h), mean, tf.clip_by_value(log_variance, -10.0, 4.0)

    def _features(self, images, keep_prob, seed, labels, parts=1) -> tf.Tensor:
        images.shape.assert_is_compatible_with([None, IMAGE, IMAGE, 1])
        activate = ACTIVATIONS[self._activation]
        with tf.name_scope(f"{self.name}/"):
            biases = [tf.gather(digits, labels) for digits in self.digits]  # [B, width] each
            h = tf.cast(images, self._dtype)  # [B, 28, 28, 1]
            for i, (w, b) in enumerate(self.convs):  # each halves the sides
                if self._stride or biases:
                    h = conv(h, w, b, stride=2 if self._stride else 1)
                    if biases:
                        h += tf.cast(biases[i][:, None, None, :], h.dtype)
                    if not self._stride:
                        h = tf.nn.max_pool2d(h, ksize=2, strides=2, padding="SAME")
                    h = activate(h)
                else:
                    h = conv_pool(h, w, b, self._activation)
            h = dense(tf.reshape(h, [-1, self._flat]), *self.hidden)
            if biases:
                h += tf.cast(biases[-1], h.dtype)
            return dropout(activate(h), keep_prob, seed, parts)  # [B, hidden]

    def _logits(self, h: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(f"{self.name}/"):
            return tf.cast(dense(h, *self.logits), tf.float32)
