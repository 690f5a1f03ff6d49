"""The three networks with open shapes, an encoder head, and a class-conditional discriminator.

At the description's shapes they are those of `method.networks`, bit for bit: the same variables,
made in the same order from the same stream, in the same products.
"""

import tensorflow as tf

from gan3.method.drawing import ENTRIES, IMAGE
from gan3.method.networks import Network, as_dense_layers
from gan3.nn.dense import DenseLayer
from gan3.nn.initializers import Initializer
from gan3.nn.layers import (
    ACTIVATIONS,
    batch_moments,
    conv,
    conv_pool,
    dense,
    dropout,
    normalise,
    split_seed,
)
from gan3.vae_gan.drawing import generator_layers

Moments = list[tuple[tf.Tensor, tf.Tensor]]  # mean and variance [width] of each hidden layer


class VaeGanGenerator(Network):
    """Latent [B, 10 K] of K classes to images: a dense network of any widths.

    With `batch_norm`, batch normalisation (Ioffe & Szegedy 2015) between product and activation.
    """

    def __init__(
        self,
        init: Initializer,
        classes: int,
        widths: tuple[int, ...],
        activation: str,
        batch_norm: bool,
        dtype: str = "float32",
        name: str = "generator",
    ):
        super().__init__(name, init, dtype)
        self._classes, self._activation, self._widths = classes, activation, widths
        sizes = (classes * ENTRIES, *widths)
        self.hidden = [
            self._layer(f"hidden{i}", shape)
            for i, shape in enumerate(zip(sizes, sizes[1:], strict=False), start=1)
        ]
        self.pixels = self._layer("pixels", (sizes[-1], IMAGE * IMAGE))
        layers = list(enumerate(widths, start=1)) if batch_norm else []
        self.scales = [self._vector(f"hidden{i}/scale", w, 1.0) for i, w in layers]
        self.weights += self.scales
        # Running moments, which normalise in place of a batch's own when samples are drawn.
        self.means = [self._vector(f"hidden{i}/mean", w, 0.0, False) for i, w in layers]
        self.variances = [self._vector(f"hidden{i}/variance", w, 1.0, False) for i, w in layers]

    def _vector(self, layer: str, width: int, value: float, trained: bool = True) -> tf.Variable:
        return tf.Variable(tf.fill([width], value), trained, name=f"{self.name}/{layer}")

    def logits(
        self,
        latent: tf.Tensor,
        keep_prob: float = 1.0,
        seed: tf.Tensor | None = None,
        use_batch_moments: bool = True,
    ) -> tuple[tf.Tensor, Moments]:
        """Logits of the pixels [B, 784], and the batch's moments of each hidden layer.

        use_batch_moments: normalise by the batch's own moments (training), not the running ones.
        """
        latent.shape.assert_is_compatible_with([None, self._classes * ENTRIES])
        activate, seeds = ACTIVATIONS[self._activation], split_seed(seed, len(self.hidden))
        moments: Moments = []
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(latent, self._dtype)  # [B, 10 K]
            for i, (w, b) in enumerate(self.hidden):
                if self.scales:
                    h = dense(h, w)  # [B, width]
                    if use_batch_moments:
                        moments.append(batch_moments(h))
                        mean, variance = moments[i]
                    else:
                        mean, variance = self.means[i], self.variances[i]
                    h = normalise(h, mean, variance, self.scales[i], b)
                else:
                    h = dense(h, w, b)
                h = dropout(activate(h), keep_prob, seeds[i])
            return tf.cast(dense(h, *self.pixels), tf.float32), moments

    def __call__(self, latent: tf.Tensor) -> tf.Tensor:
        """Samples [B, 28, 28, 1] in (0, 1): no dropout, running moments."""
        return as_images(self.logits(latent, use_batch_moments=False)[0])

    def dense_layers(self) -> list[DenseLayer]:
        """What it computes for samples, the running moments folded into weights and biases."""
        shape = (self._classes, self._widths, self._activation, bool(self.scales))
        return as_dense_layers(generator_layers(self.name, *shape), self.saved)

    @property
    def saved(self) -> list[tf.Variable]:
        """Everything that drawing an image needs."""
        return [*self.weights, *self.means, *self.variances]


def as_images(logits: tf.Tensor) -> tf.Tensor:
    """Logits of pixels [B, 784] to images [B, 28, 28, 1] in (0, 1)."""
    return tf.reshape(tf.sigmoid(logits), [-1, IMAGE, IMAGE, 1])


class VaeGanCritic(Network):
    """Images [B, 28, 28, 1] in 0..1 to logits [B, outputs]: convolutions and a dense layer.

    `widths` are the channels of the convolutions, then the width of the dense layer.
    `downsampling` is "pool" (stride 1, 2x2 max-pool) or "stride" (stride 2), a fifth of the work.
    If it is given labels, of `condition_classes` classes, every hidden layer has a bias for each;
    away from the image's border that is what constant planes added to the input would give. With
    `has_encoder`, a second head returns the parameters of the code.
    """

    def __init__(
        self,
        name: str,
        outputs: int,
        init: Initializer,
        widths: tuple[int, ...],
        kernel_size: int,
        downsampling: str,
        activation: str,
        condition_classes: int = 0,
        has_encoder: bool = False,
        dtype: str = "float32",
    ):
        super().__init__(name, init, dtype)
        self._activation, self._strided = activation, downsampling == "stride"
        *channels, hidden = widths
        sizes = (1, *channels)
        self.convs = [
            self._layer(f"conv{i}", (kernel_size, kernel_size, *shape))
            for i, shape in enumerate(zip(sizes, channels, strict=False), start=1)
        ]
        side = IMAGE
        for _ in channels:
            side = -(-side // 2)
        self._flat = side * side * sizes[-1]
        self.hidden = self._layer("hidden", (self._flat, hidden))
        self.logits = self._layer("logits", (hidden, outputs))
        layers = [*(f"conv{i}" for i in range(1, len(widths))), "hidden"]
        self.digit_biases = [
            self._digit_bias(layer, (condition_classes, width))
            for layer, width in zip(layers, widths, strict=True)
            if condition_classes
        ]
        # Variables keep the name under which the bundled generator's run was saved.
        self.encoder = self._layer("reading", (hidden, 2 * ENTRIES)) if has_encoder else None

    def _digit_bias(self, layer: str, shape: tuple[int, int]) -> tf.Variable:
        variable = tf.Variable(self._init.weights(shape), name=f"{self.name}/{layer}/digit")
        self.weights.append(variable)
        return variable

    def __call__(
        self,
        images: tf.Tensor,
        keep_prob: float = 1.0,
        seed: tf.Tensor | None = None,
        labels: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Logits [B, outputs], float32; `labels` [B] are needed if it is given labels."""
        return self._logits(self._features(images, keep_prob, seed, labels))

    def encode(
        self, images: tf.Tensor, keep_prob: float = 1.0, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Class logits [B, K], and mean and log variance [B, 10] of the normal code.

        The log variance is clipped to -10..4, where its exponential is finite.
        """
        h = self._features(images, keep_prob, seed, None)
        with tf.name_scope(f"{self.name}/"):
            code = tf.cast(dense(h, *self.encoder), tf.float32)
            mean, log_variance = tf.split(code, 2, axis=1)  # [B, 10] each
        return self._logits(h), mean, tf.clip_by_value(log_variance, -10.0, 4.0)

    def _features(
        self,
        images: tf.Tensor,
        keep_prob: float,
        seed: tf.Tensor | None,
        labels: tf.Tensor | None,
    ) -> tf.Tensor:
        """The last hidden layer [B, hidden]."""
        images.shape.assert_is_compatible_with([None, IMAGE, IMAGE, 1])
        activate = ACTIVATIONS[self._activation]
        with tf.name_scope(f"{self.name}/"):
            biases = [tf.gather(bias, labels) for bias in self.digit_biases]  # [B, width] each
            h = tf.cast(images, self._dtype)  # [B, 28, 28, 1]
            for i, (w, b) in enumerate(self.convs):  # each halves the sides
                if self._strided or biases:
                    h = conv(h, w, b, stride=2 if self._strided else 1)
                    if biases:
                        h += tf.cast(biases[i][:, None, None, :], h.dtype)
                    if not self._strided:
                        h = tf.nn.max_pool2d(h, ksize=2, strides=2, padding="SAME")
                    h = activate(h)
                else:
                    h = conv_pool(h, w, b, self._activation)
            h = dense(tf.reshape(h, [-1, self._flat]), *self.hidden)
            if biases:
                h += tf.cast(biases[-1], h.dtype)
            return dropout(activate(h), keep_prob, seed)

    def _logits(self, h: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(f"{self.name}/"):
            return tf.cast(dense(h, *self.logits), tf.float32)
