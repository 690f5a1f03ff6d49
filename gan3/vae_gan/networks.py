"""The three networks with open shapes, an encoder head, and a class-conditional discriminator.

At the description's shapes they are those of `method.networks`, bit for bit: the same variables,
made in the same order from the same stream, in the same products.
"""

import numpy as np
import tensorflow as tf

from gan3.method.drawing import ENTRIES, IMAGE
from gan3.method.networks import Network
from gan3.nn.initializers import Initializer
from gan3.nn.layers import (
    ACTIVATIONS,
    add_bias,
    batch_moments,
    conv,
    conv_pool,
    conv_transpose,
    dense,
    dropout,
    normalise,
    split_seed,
)
from gan3.nn.specs import KERNEL, PLACES, STRIDE
from gan3.vae_gan.codes import ClassNorm
from gan3.vae_gan.config import VaeGanConfig

Moments = list[tuple[tf.Tensor, tf.Tensor]]  # mean and variance [width] of each hidden layer


class VaeGanGenerator(Network):
    """Latent of K classes to images: hidden layers of any widths, then the pixels.

    With `batch_norm`, batch normalisation (Ioffe & Szegedy 2015) between product and activation.
    With `shared_noise` the latent is [B, 11 K] (`latent_of` with a label entry), otherwise
    [B, 10 K], and the classes share weights of the noise in the first layer: `shared` is added to
    the weights of each class, which are 0 at first.
    """

    def __init__(
        self,
        init: Initializer,
        config: VaeGanConfig,
        classes: int,
        dtype: str = "float32",
        name: str = "generator",
        is_merged: bool = False,
    ):
        """is_merged: the first layer is that of `merged_weights`, without `shared`."""
        super().__init__(name, init, dtype)
        self._config, self._classes = config, classes
        self._activation = config.activation.generator
        widths, inputs = config.generator_widths, classes * (ENTRIES + config.shared_noise)
        self._inputs = inputs
        self.shared = None
        if config.shared_noise and not is_merged:
            self.shared = self._shared_noise(widths[0])
        self.hidden = [
            self._layer(f"hidden{i}", shape)
            for i, shape in enumerate(zip((inputs, *widths), widths, strict=False), start=1)
        ]
        if self.shared is not None:
            of_labels = np.tile([[0.0]] * ENTRIES + [[1.0]], (classes, 1))
            self.hidden[0][0].assign(of_labels * self.hidden[0][0])
        if config.pixel_layer == "conv_transpose":
            self.pixels = self._conv_transpose_layer("pixels", widths[-1] // PLACES**2)
        else:
            self.pixels = self._layer("pixels", (widths[-1], IMAGE * IMAGE))
        layers = list(enumerate(widths, start=1)) if config.batch_norm else []
        self.scales = [self._vector(f"hidden{i}/scale", w, 1.0) for i, w in layers]
        self.weights += self.scales
        # Running moments, which normalise in place of a batch's own when samples are drawn.
        self.means = [self._vector(f"hidden{i}/mean", w, 0.0, False) for i, w in layers]
        self.variances = [self._vector(f"hidden{i}/variance", w, 1.0, False) for i, w in layers]

    def _shared_noise(self, width: int) -> tf.Variable:
        """The weights [10, width] that the noise of all classes has in the first layer."""
        w = tf.Variable(self._init.weights((ENTRIES, width)), name=f"{self.name}/hidden1/shared")
        self.weights.append(w)
        self.l1_weights.append(w)
        return w

    def _conv_transpose_layer(self, layer: str, channels: int) -> tuple[tf.Variable, tf.Variable]:
        """A kernel [8, 8, 1, channels], initialised as a matrix, and a bias for each pixel."""
        matrix = self._init.weights((KERNEL**2, channels))
        kernel = tf.reshape(matrix, [KERNEL, KERNEL, 1, channels])
        w = tf.Variable(kernel, name=f"{self.name}/{layer}/w")
        b = tf.Variable(tf.zeros([IMAGE * IMAGE]), name=f"{self.name}/{layer}/b")
        self.weights += [w, b]
        self.l1_weights.append(w)
        return w, b

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
        latent.shape.assert_is_compatible_with([None, self._inputs])
        activate, seeds = ACTIVATIONS[self._activation], split_seed(seed, len(self.hidden))
        moments: Moments = []
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(latent, self._dtype)
            for i, (w, b) in enumerate(self.hidden):
                w = self._first_weights() if i == 0 else w
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
            return tf.cast(self._pixel_logits(h), tf.float32), moments

    @property
    def merged_weights(self) -> list[tf.Tensor]:
        """The weights of a generator without `shared` that computes the same, in its order."""
        if self.shared is None:
            return list(self.weights)
        return [self._first_weights(), *self.weights[2:]]

    def _first_weights(self) -> tf.Tensor:
        w = self.hidden[0][0]
        if self.shared is None:
            return w
        return w + tf.tile(tf.pad(self.shared, [[0, 1], [0, 0]]), [self._classes, 1])

    def _pixel_logits(self, h: tf.Tensor) -> tf.Tensor:
        """[B, 784] of the last hidden layer [B, width]."""
        if self._config.pixel_layer == "dense":
            return dense(h, *self.pixels)
        w, b = self.pixels
        places = tf.reshape(h, [-1, PLACES, PLACES, w.shape[3]])
        sums = conv_transpose(places, w, None, STRIDE)  # [B, 28, 28, 1]
        return add_bias(tf.reshape(sums, [-1, IMAGE * IMAGE]), b)

    def __call__(self, latent: tf.Tensor) -> tf.Tensor:
        """Samples [B, 28, 28, 1] in (0, 1): no dropout, running moments."""
        return as_images(self.logits(latent, use_batch_moments=False)[0])

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
    `code_norm`, a second head returns the ten numbers that it normalises.
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
        code_norm: ClassNorm | None = None,
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
        self.code_norm = code_norm
        self.encoder = None if code_norm is None else self._layer("encoder", (hidden, ENTRIES))

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
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Class logits [B, K], and ten numbers [B, 10] for each image, which `code_norm` takes."""
        h = self._features(images, keep_prob, seed, None)
        with tf.name_scope(f"{self.name}/"):
            numbers = tf.cast(dense(h, *self.encoder), tf.float32)
        return self._logits(h), numbers

    @property
    def saved(self) -> list[tf.Variable]:
        """Everything that reading an image needs."""
        return [*self.weights, *([] if self.code_norm is None else self.code_norm.saved)]

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
