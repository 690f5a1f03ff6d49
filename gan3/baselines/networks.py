"""The networks of the field's other systems, as published: what `field_step` trains.

A generator takes noise [B, 100] and the share [B, 10] that each digit is to have, one-hot but where
somebody looks between two digits; a discriminator takes images [B, 28, 28, 1] in its system's own
range and labels [B]. Those that cannot be told a digit leave both alone. With `train` there is
dropout, and a batch is normalised by its own moments; otherwise by the averages that training left
behind. `seed` [2] is of the dropout.
"""

import tensorflow as tf

from gan3.method.networks import IMAGE, DenseLayer, Network, arrays_of
from gan3.nn.initializers import Glorot
from gan3.nn.layers import (
    batch_moments,
    conv,
    conv_product,
    conv_transpose,
    dense,
    dropout,
    layer_norm,
    normalise,
)

NOISE = 100  # entries of what a generator is given


def _leaky(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=0.2)


class BatchNorm:
    """Batch normalisation (Ioffe & Szegedy 2015) over all axes of x but the last.

    The averages of the moments move a tenth of the way with each batch that is trained on.
    """

    def __init__(self, name: str, width: int, scale: tf.Tensor | None):
        self.scale = None if scale is None else tf.Variable(scale, name=f"{name}/scale")
        self.shift = tf.Variable(tf.zeros([width]), name=f"{name}/shift")
        self.mean = tf.Variable(tf.zeros([width]), trainable=False, name=f"{name}/mean")
        self.variance = tf.Variable(tf.ones([width]), trainable=False, name=f"{name}/variance")

    def __call__(self, x: tf.Tensor, train: bool) -> tf.Tensor:
        if not train:
            return normalise(x, self.mean, self.variance, self.scale, self.shift)
        mean, variance = batch_moments(x)  # [width] each
        self.mean.assign_add(0.1 * (mean - self.mean))
        self.variance.assign_add(0.1 * (variance - self.variance))
        return normalise(x, mean, variance, self.scale, self.shift)


class BaselineNetwork(Network):
    """Variables with names, and the averages that normalise outside training."""

    def __init__(self, name: str, init: Glorot, dtype: str = "float32"):
        super().__init__(name, init, dtype)
        self.averages: list[tf.Variable] = []

    @property
    def saved(self) -> list[tf.Variable]:
        """Everything that using the network needs."""
        return [*self.weights, *self.averages]

    def dense_layers(self) -> list[DenseLayer] | None:
        """What a generator of dense layers computes; None of one that has others."""
        return None

    def _conv(self, layer: str, side: int, channels: int, out: int) -> tuple[tf.Variable, ...]:
        return self._layer(layer, (side, side, channels, out))

    def _conv_transpose(
        self, layer: str, side: int, channels: int, out: int
    ) -> tuple[tf.Variable, tf.Variable]:
        """Kernel [side, side, out, channels] and biases [out]."""
        scope = f"{self.name}/{layer}"
        w = tf.Variable(self._init.weights((side, side, out, channels)), name=f"{scope}/w")
        b = tf.Variable(self._init.biases(out, self.name), name=f"{scope}/b")
        self.weights += [w, b]
        return w, b

    def _batch_norm(self, layer: str, width: int, scaled: bool = True) -> BatchNorm:
        scale = self._init.scales(width) if scaled else None
        made = BatchNorm(f"{self.name}/{layer}", width, scale)
        self.weights += [made.scale, made.shift] if scaled else [made.shift]
        self.averages += [made.mean, made.variance]
        return made

    def _layer_norm(self, layer: str, width: int) -> tuple[tf.Variable, tf.Variable]:
        scale = tf.Variable(tf.ones([width]), name=f"{self.name}/{layer}/scale")
        shift = tf.Variable(tf.zeros([width]), name=f"{self.name}/{layer}/shift")
        self.weights += [scale, shift]
        return scale, shift

    def _embedding(self, layer: str, width: int) -> tf.Variable:
        """A row [width] for each digit."""
        made = tf.Variable(self._init.embedding((10, width)), name=f"{self.name}/{layer}/w")
        self.weights.append(made)
        return made

    def _inside(self, noise_or_images: tf.Tensor, *shape: int) -> tf.Tensor:
        noise_or_images.shape.assert_is_compatible_with([None, *shape])
        return tf.cast(noise_or_images, self._dtype)


# -- gan_auto_write: seeds/001 ---------------------------------------------------------------------
class AutoWriteGenerator(BaselineNetwork):
    """A dense sheet of 56 x 56, convolved down and resized up again, to (0, 1)."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self.sheet = self._layer("sheet", (NOISE, 56 * 56))
        self.norm0 = self._batch_norm("norm0", 1, scaled=False)
        self.conv1, self.conv2 = self._conv("conv1", 3, 1, 50), self._conv("conv2", 3, 50, 25)
        self.norm1 = self._batch_norm("norm1", 50, scaled=False)
        self.norm2 = self._batch_norm("norm2", 25, scaled=False)
        self.pixels = self._conv("pixels", 1, 25, 1)

    def __call__(self, noise, soft_labels, train, seed) -> tf.Tensor:
        del soft_labels, seed
        with tf.name_scope("generator/"):
            h = dense(self._inside(noise, NOISE), *self.sheet)  # [B, 3136]
            h = tf.nn.relu(self.norm0(tf.reshape(h, [-1, 56, 56, 1]), train))
            h = tf.nn.relu(self.norm1(conv(h, *self.conv1, stride=2), train))  # [B, 28, 28, 50]
            h = _enlarged(h)
            h = tf.nn.relu(self.norm2(conv(h, *self.conv2, stride=2), train))  # [B, 28, 28, 25]
            h = _enlarged(h)
            h = conv(h, *self.pixels, stride=2)  # [B, 28, 28, 1]
            return tf.sigmoid(tf.cast(h, tf.float32))


def _enlarged(x: tf.Tensor) -> tf.Tensor:
    """Bilinear to 56 x 56 as TensorFlow 1 did it: x's own pixels, and between two their mean."""
    made = tf.raw_ops.ResizeBilinear(images=x, size=[56, 56])
    return tf.cast(made, x.dtype)


class AutoWriteDiscriminator(BaselineNetwork):
    """Two convolutions of 5 x 5 with average-pools and a dense layer of 1024."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)
        self.conv1 = self._conv("conv1", 5, 1, 32)
        self.conv2 = self._conv("conv2", 5, 32, 64)
        self.hidden = self._layer("hidden", (7 * 7 * 64, 1024))
        self.logits = self._layer("logits", (1024, 1))

    def __call__(self, images, labels, train, seed) -> tf.Tensor:
        del labels, train, seed
        with tf.name_scope("discriminator/"):
            h = self._inside(images, IMAGE, IMAGE, 1)
            for layer in (self.conv1, self.conv2):
                h = tf.nn.relu(conv(h, *layer, stride=1))
                h = tf.nn.avg_pool2d(h, ksize=2, strides=2, padding="SAME")
            h = tf.nn.relu(dense(tf.reshape(h, [-1, 7 * 7 * 64]), *self.hidden))
            return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


# -- conditional_dcgan: seeds/002 ------------------------------------------------------------------
class ConditionalGenerator(BaselineNetwork):
    """Five transposed convolutions of 4 x 4 from noise beside an embedded digit, to (-1, 1)."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self.digit = self._embedding("digit", 10)
        widths = (NOISE + 10, 50, 30, 15, 8, 1)
        self.layers = [
            self._conv_transpose(f"conv{i}", 4, *shape)
            for i, shape in enumerate(zip(widths, widths[1:], strict=False), start=1)
        ]
        self.norms = [self._batch_norm(f"norm{i}", w) for i, w in enumerate(widths[1:-1], start=1)]

    def __call__(self, noise, soft_labels, train, seed) -> tf.Tensor:
        del seed
        with tf.name_scope("generator/"):
            h = self._inside(noise, NOISE)
            digit = tf.cast(soft_labels @ self.digit, h.dtype)  # [B, 10]
            h = tf.concat([h, digit], axis=1)[:, None, None, :]  # [B, 1, 1, 110]
            first, second, third, fourth, last = self.layers
            h = self.norms[0](tf.nn.relu(conv_transpose(h, *first, 2)), train)  # [B, 2, 2, 50]
            h = self.norms[1](tf.nn.relu(conv_transpose(h, *second, 2)), train)  # [B, 4, 4, 30]
            h = conv_transpose(h, *third, 1, "VALID")
            h = self.norms[2](tf.nn.relu(h), train)  # [B, 7, 7, 15]
            h = self.norms[3](tf.nn.relu(conv_transpose(h, *fourth, 2)), train)  # [B, 14, 14, 8]
            return tf.tanh(tf.cast(conv_transpose(h, *last, 2), tf.float32))  # [B, 28, 28, 1]


class ConditionalDiscriminator(BaselineNetwork):
    """The image and its digit, each through a convolution of its own, then through four."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)
        self.image = self._conv("image", 3, 1, 64)
        self.digit = self._embedding("digit", 56 * 56)
        self.sheet = self._conv("sheet", 4, 1, 64)
        widths = (128, 256, 512, 1024)
        self.layers = [
            self._conv(f"conv{i}", 4, *shape)
            for i, shape in enumerate(zip(widths, widths[1:], strict=False), start=1)
        ]
        self.norms = [self._batch_norm(f"norm{i}", w) for i, w in enumerate(widths[1:], start=1)]
        self.logits = self._layer("logits", (4 * 4 * 1024, 1))  # a 4 x 4 convolution of a 4 x 4

    def __call__(self, images, labels, train, seed) -> tf.Tensor:
        del seed
        with tf.name_scope("discriminator/"):
            h = _leaky(conv(self._inside(images, IMAGE, IMAGE, 1), *self.image, stride=1))
            sheets = tf.cast(tf.reshape(self.digit, [10, 56, 56, 1]), h.dtype)
            sheets = _leaky(conv(sheets, *self.sheet, stride=2))  # [10, 28, 28, 64]: once a digit
            h = tf.concat([h, tf.gather(sheets, labels)], axis=3)  # [B, 28, 28, 128]
            for layer, norm, convolve, zero_padding in zip(
                self.layers, self.norms, (conv, conv, conv_product), (1, 1, 2), strict=True
            ):
                h = norm(
                    _leaky(convolve(h, *layer, stride=2, zero_padding=zero_padding)), train
                )  # sides 14, 7, 4
            h = tf.reshape(h, [-1, 4 * 4 * 1024])
            return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


# -- mlp_gan: seeds/003 ----------------------------------------------------------------------------
class DenseGenerator(BaselineNetwork):
    """Hidden layers 32, 64, 128 with leaky ReLU and dropout, to (-1, 1)."""

    widths = (NOISE, 32, 64, 128)

    def __init__(self, init: Glorot, keep_prob: float, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self._keep_prob = keep_prob
        self.hidden = _dense_layers(self, self.widths)
        self.pixels = self._layer("pixels", (self.widths[-1], IMAGE * IMAGE))

    def __call__(self, noise, soft_labels, train, seed) -> tf.Tensor:
        del soft_labels
        with tf.name_scope("generator/"):
            h = _through(self.hidden, self._inside(noise, NOISE), self._keep_prob, train, seed)
            pixels = tf.tanh(tf.cast(dense(h, *self.pixels), tf.float32))  # [B, 784]
            return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1])

    def dense_layers(self) -> list[DenseLayer]:
        """What it computes without dropout, from noise to pixels."""
        hidden = [DenseLayer(*arrays_of(layer), "leaky_relu") for layer in self.hidden]
        return [*hidden, DenseLayer(*arrays_of(self.pixels), "tanh")]


class DenseDiscriminator(BaselineNetwork):
    """The generator's mirror: hidden layers 128, 64, 32."""

    widths = (IMAGE * IMAGE, 128, 64, 32)

    def __init__(self, init: Glorot, keep_prob: float, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)
        self._keep_prob = keep_prob
        self.hidden = _dense_layers(self, self.widths)
        self.logits = self._layer("logits", (self.widths[-1], 1))

    def __call__(self, images, labels, train, seed) -> tf.Tensor:
        del labels
        with tf.name_scope("discriminator/"):
            h = tf.reshape(self._inside(images, IMAGE, IMAGE, 1), [-1, IMAGE * IMAGE])
            h = _through(self.hidden, h, self._keep_prob, train, seed)
            return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


def _dense_layers(network: BaselineNetwork, widths: tuple[int, ...]) -> list:
    return [
        network._layer(f"hidden{i}", shape)
        for i, shape in enumerate(zip(widths, widths[1:], strict=False), start=1)
    ]


def _through(layers: list, h: tf.Tensor, keep_prob: float, train: bool, seed) -> tf.Tensor:
    seeds = tf.random.split(seed, len(layers))
    for i, layer in enumerate(layers):
        h = dropout(_leaky(dense(h, *layer)), keep_prob if train else 1.0, seeds[i])
    return h


# -- layernorm_gan: seeds/004 ----------------------------------------------------------------------
class LayerNormGenerator(BaselineNetwork):
    """One hidden layer of 200, leaky ReLU and layer normalisation, to (0, 1)."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self.hidden = self._layer("hidden", (NOISE, 200))
        self.norm = self._layer_norm("norm", 200)
        self.pixels = self._layer("pixels", (200, IMAGE * IMAGE))

    def __call__(self, noise, soft_labels, train, seed) -> tf.Tensor:
        del soft_labels, train, seed
        with tf.name_scope("generator/"):
            h = tf.nn.leaky_relu(dense(self._inside(noise, NOISE), *self.hidden), alpha=0.02)
            pixels = dense(layer_norm(h, *self.norm), *self.pixels)  # [B, 784]
            return tf.reshape(tf.sigmoid(tf.cast(pixels, tf.float32)), [-1, IMAGE, IMAGE, 1])

    def dense_layers(self) -> list[DenseLayer]:
        """What it computes, from noise to pixels."""
        hidden = DenseLayer(*arrays_of(self.hidden), "slight_leak", *arrays_of(self.norm))
        return [hidden, DenseLayer(*arrays_of(self.pixels), "sigmoid")]


class LayerNormDiscriminator(BaselineNetwork):
    """The generator's mirror."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)
        self.hidden = self._layer("hidden", (IMAGE * IMAGE, 200))
        self.norm = self._layer_norm("norm", 200)
        self.logits = self._layer("logits", (200, 1))

    def __call__(self, images, labels, train, seed) -> tf.Tensor:
        del labels, train, seed
        with tf.name_scope("discriminator/"):
            h = tf.reshape(self._inside(images, IMAGE, IMAGE, 1), [-1, IMAGE * IMAGE])
            h = layer_norm(tf.nn.leaky_relu(dense(h, *self.hidden), alpha=0.02), *self.norm)
            return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


# -- auxiliary_gan: Odena et al. 2017 --------------------------------------------------------------
class AuxiliaryGenerator(BaselineNetwork):
    """Noise times an embedded digit, a dense layer, three transposed convolutions, to (-1, 1)."""

    def __init__(self, init: Glorot, dtype: str = "float32"):
        super().__init__("generator", init, dtype)
        self.digit = self._embedding("digit", NOISE)
        self.sheet = self._layer("sheet", (NOISE, 3 * 3 * 384))
        self.conv1, self.norm1 = (
            self._conv_transpose("conv1", 5, 384, 192),
            self._batch_norm("norm1", 192),
        )
        self.conv2, self.norm2 = (
            self._conv_transpose("conv2", 5, 192, 96),
            self._batch_norm("norm2", 96),
        )
        self.pixels = self._conv_transpose("pixels", 5, 96, 1)

    def __call__(self, noise, soft_labels, train, seed) -> tf.Tensor:
        del seed
        with tf.name_scope("generator/"):
            h = self._inside(noise, NOISE)
            h *= tf.cast(soft_labels @ self.digit, h.dtype)  # [B, 100]
            h = tf.reshape(tf.nn.relu(dense(h, *self.sheet)), [-1, 3, 3, 384])
            h = tf.nn.relu(conv_transpose(h, *self.conv1, 1, "VALID"))
            h = tf.nn.relu(conv_transpose(self.norm1(h, train), *self.conv2, 2))  # from 7 x 7 x 192
            h = conv_transpose(self.norm2(h, train), *self.pixels, 2)  # from 14 x 14 x 96
            return tf.tanh(tf.cast(h, tf.float32))  # [B, 28, 28, 1]


class AuxiliaryDiscriminator(BaselineNetwork):
    """Four convolutions of 3 x 3 with dropout, and two heads: real or not, and which digit."""

    channels = (32, 64, 128, 256)

    def __init__(self, init: Glorot, keep_prob: float, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)
        self._keep_prob = keep_prob
        sizes = (1, *self.channels)
        self.layers = [
            self._conv(f"conv{i}", 3, *shape)
            for i, shape in enumerate(zip(sizes, self.channels, strict=False), start=1)
        ]
        self.logits = self._layer("logits", (7 * 7 * 256, 1))
        self.digits = self._layer("digits", (7 * 7 * 256, 10))

    def __call__(self, images, labels, train, seed) -> tf.Tensor:
        return self.heads(images, train, seed)[0]

    def heads(self, images, train, seed) -> tuple[tf.Tensor, tf.Tensor]:
        """Real/fake logits [B, 1] and digit logits [B, 10]."""
        with tf.name_scope("discriminator/"):
            h, seeds = self._inside(images, IMAGE, IMAGE, 1), tf.random.split(seed, 4)
            for i, (layer, stride) in enumerate(zip(self.layers, (2, 1, 2, 1), strict=True)):
                h = _leaky(conv(h, *layer, stride=stride))
                h = dropout(h, self._keep_prob if train else 1.0, seeds[i])
            h = tf.reshape(h, [-1, 7 * 7 * 256])
            return (
                tf.cast(dense(h, *self.logits), tf.float32),
                tf.cast(dense(h, *self.digits), tf.float32),
            )
