"""The networks of the two-network systems, as published.

A generator takes noise [B, 100] and class weights `soft_labels` [B, K] (one-hot except for blends)
and returns images [B, 28, 28, 1] in its own pixel range; a discriminator takes images [B, 28, 28,
1] in that range and labels [B]. Unconditional networks ignore both. In training there is dropout,
and batch normalisation uses the batch's own moments; otherwise it uses running moments. `seed` [2]
is needed for dropout only.
"""

from collections.abc import Callable

import tensorflow as tf

from gan3.baselines.drawing import DCGAN_WIDTHS, MLP_WIDTHS, NOISE
from gan3.method.drawing import IMAGE
from gan3.method.networks import Network
from gan3.nn.initializers import Initializer
from gan3.nn.layers import (
    add_bias,
    batch_moments,
    conv,
    conv_transpose,
    dense,
    dropout,
    layer_norm,
    normalise,
    pad_with_zeros,
    split_seed,
)


class BatchNorm:
    """Batch normalisation (Ioffe & Szegedy 2015) over all axes of x but the last.

    The running moments move a tenth of the way to the batch's own in each training step. Outside
    training they normalise, or the batch's own moments if `moments` is "batch".
    """

    def __init__(self, name: str, width: int, scale: tf.Tensor | None):
        """scale: [width], the first scales; None for a normalisation without scale and shift."""
        self.moments = "running"
        self.scale = self.shift = None
        if scale is not None:
            self.scale = tf.Variable(scale, name=f"{name}/scale")
            self.shift = tf.Variable(tf.zeros([width]), name=f"{name}/shift")
        self.mean = tf.Variable(tf.zeros([width]), trainable=False, name=f"{name}/mean")
        self.variance = tf.Variable(tf.ones([width]), trainable=False, name=f"{name}/variance")

    def __call__(self, x: tf.Tensor, training: bool) -> tf.Tensor:
        if not training and self.moments == "running":
            return normalise(x, self.mean, self.variance, self.scale, self.shift)
        mean, variance = batch_moments(x)  # [width] each
        if training:
            self.mean.assign_add(0.1 * (mean - self.mean))
            self.variance.assign_add(0.1 * (variance - self.variance))
        return normalise(x, mean, variance, self.scale, self.shift)


class BaselineNetwork(Network):
    """Named variables, and the running moments that normalise outside training."""

    def __init__(self, name: str, init: Initializer, dtype: str = "float32"):
        super().__init__(name, init, dtype)
        self.running_moments: list[tf.Variable] = []
        self.batch_norms: list[BatchNorm] = []

    @property
    def saved(self) -> list[tf.Variable]:
        """Everything that using the network needs."""
        return [*self.weights, *self.running_moments]

    def _conv(self, layer: str, side: int, channels: int, out: int) -> tuple[tf.Variable, ...]:
        return self._layer(layer, (side, side, channels, out))

    def _conv_transpose(
        self, layer: str, side: int, channels: int, out: int
    ) -> tuple[tf.Variable, tf.Variable]:
        """Kernel [side, side, out, channels] and biases [out].

        PyTorch counts side x side x out as the inputs of such a layer.
        """
        scope = f"{self.name}/{layer}"
        w = tf.Variable(self._init.weights((side, side, out, channels)), name=f"{scope}/w")
        b = tf.Variable(self._init.biases(out, self.name, side * side * out), name=f"{scope}/b")
        self.weights += [w, b]
        return w, b

    def _dense_stack(self, widths: tuple[int, ...]) -> list[tuple[tf.Variable, tf.Variable]]:
        """Hidden dense layers from one width to the next."""
        shapes = zip(widths, widths[1:], strict=False)
        return [self._layer(f"hidden{i}", shape) for i, shape in enumerate(shapes, start=1)]

    def _batch_norm(self, layer: str, width: int, affine: bool = True) -> BatchNorm:
        """With scale and shift if `affine`."""
        scale = self._init.scales(width) if affine else None
        norm = BatchNorm(f"{self.name}/{layer}", width, scale)
        self.weights += [norm.scale, norm.shift] if affine else []
        self.batch_norms.append(norm)
        self.running_moments += [norm.mean, norm.variance]
        return norm

    def _layer_norm(self, layer: str, width: int) -> tuple[tf.Variable, tf.Variable]:
        scale = tf.Variable(tf.ones([width]), name=f"{self.name}/{layer}/scale")
        shift = tf.Variable(tf.zeros([width]), name=f"{self.name}/{layer}/shift")
        self.weights += [scale, shift]
        return scale, shift

    def _embedding(self, layer: str, classes: int, width: int) -> tf.Variable:
        """One row [width] for each class."""
        rows = self._init.embedding((classes, width))
        embedding = tf.Variable(rows, name=f"{self.name}/{layer}/w")
        self.weights.append(embedding)
        return embedding


class BaselineGenerator(BaselineNetwork):
    """Noise [B, 100] to images [B, 28, 28, 1] in pixel_min..1."""

    class_conditional = False  # whether it draws the requested class
    pixel_min = 0.0  # its lowest pixel value, 0 or -1; the highest is 1

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__("generator", init, dtype)

    def __call__(
        self,
        noise: tf.Tensor,
        soft_labels: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        noise.shape.assert_is_compatible_with([None, NOISE])
        with tf.name_scope("generator/"):
            return self.forward(tf.cast(noise, self._dtype), soft_labels, training, seed)

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        """The layers, from noise `h` [B, 100] in the network's precision; the rest as above."""
        raise NotImplementedError


class BaselineDiscriminator(BaselineNetwork):
    """Images [B, 28, 28, 1] in pixel_min..1 to real/fake logits [B, 1], float32."""

    has_classifier = False  # whether it has a class head

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__("discriminator", init, dtype)

    def __call__(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        images.shape.assert_is_compatible_with([None, IMAGE, IMAGE, 1])
        with tf.name_scope("discriminator/"):
            return self.forward(tf.cast(images, self._dtype), labels, training, seed)

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        """The layers, from images `h` in the network's precision; the rest as above."""
        raise NotImplementedError


def _leaky(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.leaky_relu(x, alpha=0.2)


# -- gan_auto_write: aalind0/GAN-auto-write --------------------------------------------------------
class AutoWriteGenerator(BaselineGenerator):
    """A dense layer of 56 x 56, twice convolved to half the side and upsampled, to (0, 1).

    The notebook's normalisations have no scale, and a shift that is zero and not among the
    variables that it trains; so there is neither here.
    """

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.sheet = self._layer("sheet", (NOISE, 56 * 56))
        self.norm0 = self._batch_norm("norm0", 1, affine=False)
        self.conv1, self.conv2 = self._conv("conv1", 3, 1, 50), self._conv("conv2", 3, 50, 25)
        self.norm1 = self._batch_norm("norm1", 50, affine=False)
        self.norm2 = self._batch_norm("norm2", 25, affine=False)
        self.pixels = self._conv("pixels", 1, 25, 1)

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        h = dense(h, *self.sheet)  # [B, 3136]
        h = tf.nn.relu(self.norm0(tf.reshape(h, [-1, 56, 56, 1]), training))
        h = tf.nn.relu(self.norm1(conv(h, *self.conv1, stride=2), training))  # [B, 28, 28, 50]
        h = _upsample(h)
        h = tf.nn.relu(self.norm2(conv(h, *self.conv2, stride=2), training))  # [B, 28, 28, 25]
        h = _upsample(h)
        h = conv(h, *self.pixels, stride=2)  # [B, 28, 28, 1]
        return tf.sigmoid(tf.cast(h, tf.float32))


def _upsample(x: tf.Tensor) -> tf.Tensor:
    """Bilinear to 56 x 56 as in TensorFlow 1: x's pixels, and the mean of two between them."""
    return tf.cast(tf.raw_ops.ResizeBilinear(images=x, size=[56, 56]), x.dtype)


class AutoWriteDiscriminator(BaselineDiscriminator):
    """Two convolutions of 5 x 5 with average-pools and a dense layer of 1024."""

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.conv1 = self._conv("conv1", 5, 1, 32)
        self.conv2 = self._conv("conv2", 5, 32, 64)
        self.hidden = self._layer("hidden", (7 * 7 * 64, 1024))
        self.logits = self._layer("logits", (1024, 1))

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        for layer in (self.conv1, self.conv2):
            h = tf.nn.relu(conv(h, *layer, stride=1))
            h = tf.nn.avg_pool2d(h, ksize=2, strides=2, padding="SAME")
        h = tf.nn.relu(dense(tf.reshape(h, [-1, 7 * 7 * 64]), *self.hidden))
        return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


# -- conditional_dcgan: u7javed/Handwritten-Number-Generator ---------------------------------------
class ConditionalGenerator(BaselineGenerator):
    """Five transposed convolutions of 4 x 4 from noise beside an embedded digit, to (-1, 1)."""

    class_conditional, pixel_min = True, -1.0

    def __init__(self, init: Initializer, classes: int, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.digit = self._embedding("digit", classes, 10)
        widths = DCGAN_WIDTHS
        self.layers = [
            self._conv_transpose(f"conv{i}", 4, *shape)
            for i, shape in enumerate(zip(widths, widths[1:], strict=False), start=1)
        ]
        self.norms = [self._batch_norm(f"norm{i}", w) for i, w in enumerate(widths[1:-1], start=1)]

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        digit = tf.cast(soft_labels @ self.digit, h.dtype)  # [B, 10]
        h = tf.concat([h, digit], axis=1)[:, None, None, :]  # [B, 1, 1, 110]
        first, second, third, fourth, last = self.layers
        h = self.norms[0](tf.nn.relu(conv_transpose(h, *first, 2)), training)  # [B, 2, 2, 50]
        h = self.norms[1](tf.nn.relu(conv_transpose(h, *second, 2)), training)  # [B, 4, 4, 30]
        h = conv_transpose(h, *third, 1, "VALID")
        h = self.norms[2](tf.nn.relu(h), training)  # [B, 7, 7, 15]
        h = self.norms[3](tf.nn.relu(conv_transpose(h, *fourth, 2)), training)  # [B, 14, 14, 8]
        return tf.tanh(tf.cast(conv_transpose(h, *last, 2), tf.float32))  # [B, 28, 28, 1]


class ConditionalDiscriminator(BaselineDiscriminator):
    """Image and embedded digit, each through one convolution, then both through four more."""

    def __init__(self, init: Initializer, classes: int, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.image = self._conv("image", 3, 1, 64)
        self.digit = self._embedding("digit", classes, 56 * 56)
        self.sheet = self._conv("sheet", 4, 1, 64)
        widths = (128, 256, 512, 1024)
        self.layers = [
            self._conv(f"conv{i}", 4, *shape)
            for i, shape in enumerate(zip(widths, widths[1:], strict=False), start=1)
        ]
        self.norms = [self._batch_norm(f"norm{i}", w) for i, w in enumerate(widths[1:], start=1)]
        self.logits = self._layer("logits", (4 * 4 * 1024, 1))  # a 4 x 4 convolution of a 4 x 4

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        h = _leaky(conv(h, *self.image, stride=1))
        sheets = tf.cast(tf.reshape(self.digit, [-1, 56, 56, 1]), h.dtype)
        sheets = _leaky(conv(sheets, *self.sheet, stride=2))  # [K, 28, 28, 64]: once per class
        h = tf.concat([h, tf.gather(sheets, labels)], axis=3)  # [B, 28, 28, 128]
        first, second, third = self.layers
        h = _leaky(conv(h, *first, stride=2, zero_padding=1))
        h = self.norms[0](h, training)  # [B, 14, 14, 256]
        h = _leaky(conv(h, *second, stride=2, zero_padding=1))
        h = self.norms[1](h, training)  # [B, 7, 7, 512]
        h = _leaky(conv_by_patches(h, *third, stride=2, zero_padding=2))
        h = self.norms[2](h, training)  # [B, 4, 4, 1024]
        h = tf.reshape(h, [-1, 4 * 4 * 1024])
        return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


def conv_by_patches(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, zero_padding: int
) -> tf.Tensor:
    """`conv` with zero padding as one matrix product of all patches.

    [B, h, w, in] to [B, h', w', out]. For small maps of many channels, where the gradients of
    TensorFlow's own kernels take eight times as long as their forward pass.
    """
    side, _, channels, out = w.shape
    x = pad_with_zeros(x, zero_padding)
    rows, columns = ((extent - side) // stride + 1 for extent in x.shape[1:3])
    patches = tf.reshape(_patches(x, side, stride), [-1, side * side * channels])
    h = tf.matmul(patches, tf.reshape(tf.cast(w, x.dtype), [-1, out]))  # [B h' w', out]
    return add_bias(tf.reshape(h, [-1, rows, columns, out]), b)


def _patches(x: tf.Tensor, side: int, stride: int) -> tf.Tensor:
    """All patches of side x side pixels: [B, h, w, in] to [B, h', w', side side in].

    The gradient is written by hand. TensorFlow's own adds one tensor per pixel of a patch in an
    order that differs from process to process, so the same seed would not give the same bits.
    """
    _, height, width, channels = x.shape
    rows, columns = (height - side) // stride + 1, (width - side) // stride + 1
    down = [slice(i, i + (rows - 1) * stride + 1, stride) for i in range(side)]
    right = [slice(j, j + (columns - 1) * stride + 1, stride) for j in range(side)]

    @tf.custom_gradient
    def patches(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            taps = tf.reshape(upstream, [-1, rows, columns, side, side, channels])
            taps = tf.transpose(taps, [0, 1, 3, 2, 4, 5])  # [B, rows, side, columns, side, in]
            taps = tf.reshape(taps, [-1, rows * side, columns, side, channels])
            lines = _add_overlaps(taps, width, stride)  # [B, rows side, w, in]
            lines = tf.reshape(lines, [-1, rows, side, width, channels])
            lines = tf.transpose(lines, [0, 3, 1, 2, 4])  # [B, w, rows, side, in]
            return tf.transpose(_add_overlaps(lines, height, stride), [0, 2, 1, 3])

        return tf.concat([x[:, i, j] for i in down for j in right], axis=3), gradient

    return patches(x)


def _add_overlaps(taps: tf.Tensor, length: int, stride: int) -> tf.Tensor:
    """[B, m, n, side, in] to [B, m, length, in]: adds pixel i of segment k at k stride + i."""
    _, lines, count, side, channels = taps.shape
    groups = -(-side // stride)  # of `stride` pixels; group g of segment k is in place k + g
    taps = tf.pad(taps, [[0, 0]] * 3 + [[0, groups * stride - side], [0, 0]])
    taps = tf.reshape(taps, [-1, lines, count, groups, stride, channels])
    total = tf.zeros([], taps.dtype)
    for g in range(groups):
        total += tf.pad(taps[:, :, :, g], [[0, 0]] * 2 + [[g, groups - 1 - g]] + [[0, 0]] * 2)
    filled = (count + groups - 1) * stride
    total = tf.reshape(total, [-1, lines, filled, channels])[:, :, :length]
    return tf.pad(total, [[0, 0]] * 2 + [[0, max(0, length - filled)], [0, 0]])


# -- mlp_gan: tooth2/Handwritten-digits-generation -------------------------------------------------
class DenseGenerator(BaselineGenerator):
    """Hidden layers 32, 64, 128 with leaky ReLU and dropout, to (-1, 1)."""

    pixel_min = -1.0
    widths = (NOISE, *MLP_WIDTHS)

    def __init__(self, init: Initializer, keep_prob: float, dtype: str = "float32"):
        super().__init__(init, dtype)
        self._keep_prob = keep_prob
        self.hidden = self._dense_stack(self.widths)
        self.pixels = self._layer("pixels", (self.widths[-1], IMAGE * IMAGE))

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        h = _forward_stack(self.hidden, h, self._keep_prob, training, seed)
        pixels = tf.tanh(tf.cast(dense(h, *self.pixels), tf.float32))  # [B, 784]
        return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1])


class DenseDiscriminator(BaselineDiscriminator):
    """The generator's mirror: hidden layers 128, 64, 32."""

    widths = (IMAGE * IMAGE, 128, 64, 32)

    def __init__(self, init: Initializer, keep_prob: float, dtype: str = "float32"):
        super().__init__(init, dtype)
        self._keep_prob = keep_prob
        self.hidden = self._dense_stack(self.widths)
        self.logits = self._layer("logits", (self.widths[-1], 1))

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        h = tf.reshape(h, [-1, IMAGE * IMAGE])
        h = _forward_stack(self.hidden, h, self._keep_prob, training, seed)
        return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


def _forward_stack(
    layers: list, h: tf.Tensor, keep_prob: float, training: bool, seed: tf.Tensor | None
) -> tf.Tensor:
    """Dense layers with leaky ReLU and, in training, dropout."""
    seeds = split_seed(seed, len(layers))
    for layer, layer_seed in zip(layers, seeds, strict=True):
        h = dropout(_leaky(dense(h, *layer)), keep_prob if training else 1.0, layer_seed)
    return h


# -- layernorm_gan: 0xArete/0-9-number-generator ---------------------------------------------------
class LayerNormGenerator(BaselineGenerator):
    """One hidden layer of 200, leaky ReLU and layer normalisation, to (0, 1)."""

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.hidden = self._layer("hidden", (NOISE, 200))
        self.norm = self._layer_norm("norm", 200)
        self.pixels = self._layer("pixels", (200, IMAGE * IMAGE))

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        h = tf.nn.leaky_relu(dense(h, *self.hidden), alpha=0.02)
        pixels = dense(layer_norm(h, *self.norm), *self.pixels)  # [B, 784]
        return tf.reshape(tf.sigmoid(tf.cast(pixels, tf.float32)), [-1, IMAGE, IMAGE, 1])


class LayerNormDiscriminator(BaselineDiscriminator):
    """The generator's mirror."""

    def __init__(self, init: Initializer, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.hidden = self._layer("hidden", (IMAGE * IMAGE, 200))
        self.norm = self._layer_norm("norm", 200)
        self.logits = self._layer("logits", (200, 1))

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        h = tf.reshape(h, [-1, IMAGE * IMAGE])
        h = layer_norm(tf.nn.leaky_relu(dense(h, *self.hidden), alpha=0.02), *self.norm)
        return tf.cast(dense(h, *self.logits), tf.float32)  # [B, 1]


# -- auxiliary_gan: Odena et al. 2017 --------------------------------------------------------------
class AuxiliaryGenerator(BaselineGenerator):
    """Noise times an embedded digit, a dense layer, three transposed convolutions, to (-1, 1)."""

    class_conditional, pixel_min = True, -1.0

    def __init__(self, init: Initializer, classes: int, dtype: str = "float32"):
        super().__init__(init, dtype)
        self.digit = self._embedding("digit", classes, NOISE)
        self.sheet = self._layer("sheet", (NOISE, 3 * 3 * 384))
        self.conv1 = self._conv_transpose("conv1", 5, 384, 192)
        self.norm1 = self._batch_norm("norm1", 192)
        self.conv2 = self._conv_transpose("conv2", 5, 192, 96)
        self.norm2 = self._batch_norm("norm2", 96)
        self.pixels = self._conv_transpose("pixels", 5, 96, 1)

    def forward(self, h, soft_labels, training, seed) -> tf.Tensor:
        h *= tf.cast(soft_labels @ self.digit, h.dtype)  # [B, 100]
        h = tf.reshape(tf.nn.relu(dense(h, *self.sheet)), [-1, 3, 3, 384])
        h = tf.nn.relu(conv_transpose(h, *self.conv1, 1, "VALID"))  # [B, 7, 7, 192]
        h = self.norm1(h, training)
        h = tf.nn.relu(conv_transpose(h, *self.conv2, 2))  # [B, 14, 14, 96]
        h = conv_transpose(self.norm2(h, training), *self.pixels, 2)  # [B, 28, 28, 1]
        return tf.tanh(tf.cast(h, tf.float32))


class AuxiliaryDiscriminator(BaselineDiscriminator):
    """Four convolutions of 3 x 3 with dropout, and two heads: real or not, and which class."""

    has_classifier = True
    channels = (32, 64, 128, 256)

    def __init__(self, init: Initializer, classes: int, keep_prob: float, dtype: str = "float32"):
        super().__init__(init, dtype)
        self._keep_prob = keep_prob
        sizes = (1, *self.channels)
        self.layers = [
            self._conv(f"conv{i}", 3, *shape)
            for i, shape in enumerate(zip(sizes, self.channels, strict=False), start=1)
        ]
        self.logits = self._layer("logits", (7 * 7 * 256, 1))
        self.digits = self._layer("digits", (7 * 7 * 256, classes))

    def forward(self, h, labels, training, seed) -> tf.Tensor:
        return self._heads(h, training, seed)[0]

    def heads(
        self, images: tf.Tensor, training: bool = False, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Real/fake logits [B, 1] and class logits [B, K]."""
        images.shape.assert_is_compatible_with([None, IMAGE, IMAGE, 1])
        with tf.name_scope("discriminator/"):
            return self._heads(tf.cast(images, self._dtype), training, seed)

    def _heads(
        self, h: tf.Tensor, training: bool, seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        seeds, keep_prob = split_seed(seed, 4), self._keep_prob if training else 1.0
        for layer, stride, layer_seed in zip(self.layers, (2, 1, 2, 1), seeds, strict=True):
            h = dropout(_leaky(conv(h, *layer, stride=stride)), keep_prob, layer_seed)
        h = tf.reshape(h, [-1, 7 * 7 * 256])
        logits, digit_logits = dense(h, *self.logits), dense(h, *self.digits)
        return tf.cast(logits, tf.float32), tf.cast(digit_logits, tf.float32)
