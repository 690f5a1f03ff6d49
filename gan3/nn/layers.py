"""Layers as plain functions of variables made by hand. What makes a step fast is in here."""

from collections.abc import Callable
from functools import partial

import tensorflow as tf

from gan3.nn.plain import EPSILON, SLOPES

ACTIVATIONS = {
    "elu": tf.nn.elu,
    "relu": tf.nn.relu,
    **{name: partial(tf.nn.leaky_relu, alpha=slope) for name, slope in SLOPES.items()},
    "sigmoid": lambda x: tf.sigmoid(tf.cast(x, tf.float32)),
    "tanh": lambda x: tf.tanh(tf.cast(x, tf.float32)),
    "none": lambda x: x,
}
"""All of them are monotone, which `conv_pool` relies on. Those of pixels return float32."""


def dense(x: tf.Tensor, w: tf.Variable, b: tf.Variable | None = None) -> tf.Tensor:
    """x [B, in] times w [in, out], plus b [out] if given, in the precision of x."""
    product = tf.matmul(x, tf.cast(w, x.dtype))
    return product if b is None else add_bias(product, b)


def conv(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, zero_padding: int | None = None
) -> tf.Tensor:
    """Convolution and bias: [B, h, w, in] to [B, h/stride, w/stride, out].

    SAME, or with `zero_padding` rows and columns of zeros on every side, as `padded_product`.

    A 1 x 1 kernel with a stride reads some pixels only. They are picked first: with fewer than 8
    input channels, oneDNN's gradient of such a kernel is wrong, or crashes, on processors without
    AVX-512 (uxlfoundation/oneDNN, issue 6035).
    """
    if zero_padding is not None:
        return add_bias(padded_product(x, w, stride, zero_padding), b)
    if w.shape[0] == 1 and stride > 1:
        x, stride = x[:, ::stride, ::stride], 1
    return add_bias(_product(x, w, stride), b)


def _product(x: tf.Tensor, w: tf.Variable, stride: int) -> tf.Tensor:
    """SAME convolution without bias; the gradient of one channel is `to_one_channel`."""
    w = tf.cast(w, x.dtype)
    if x.shape[3] > 1 or not _has_blocks(w, stride) or x.shape[1] % stride:
        return tf.nn.conv2d(x, w, stride, "SAME")

    @tf.custom_gradient
    def product(x: tf.Tensor, w: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return to_one_channel(upstream, w, stride), _kernel_gradient(x, w, upstream, stride)

        return tf.nn.conv2d(x, w, stride, "SAME"), gradients

    return product(x, w)


def to_one_channel(x: tf.Tensor, w: tf.Tensor, stride: int) -> tf.Tensor:
    """Transposed SAME convolution to one channel: [B, h, w, in] to [B, h stride, w stride, 1].

    w [side, side, 1, in], side a multiple of the stride. TensorFlow's kernel computes many channels
    at once and is wasted on one. This is a product with the whole kernel and a sum of shifted
    images, a fourth of the time in float32 and half of it in bfloat16.
    """
    count = w.shape[0] // stride  # blocks of stride x stride pixels that a side of the kernel has

    @tf.custom_gradient
    def spread(x: tf.Tensor, w: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            product = tf.nn.conv2d(upstream, w, stride, "SAME")
            return product, _kernel_gradient(upstream, w, x, stride)

        height, width, channels = x.shape[1:]
        kernel = tf.reshape(w, [count, stride, count, stride, channels])
        kernel = tf.reshape(tf.transpose(kernel, [0, 2, 1, 3, 4]), [-1, channels])
        blocks = tf.matmul(tf.reshape(x, [-1, channels]), kernel, transpose_b=True)
        blocks = tf.reshape(blocks, [-1, height, width, count**2, stride**2])
        blocks = tf.unstack(tf.transpose(tf.cast(blocks, tf.float32), [3, 4, 0, 1, 2]))
        shifts = [(row, column) for row in range(count) for column in range(count)]
        shifted = [
            tf.pad(block, [[0, 0], [0, 0], [row, count - 1 - row], [column, count - 1 - column]])
            for block, (row, column) in zip(blocks, shifts, strict=True)
        ]
        y = tf.add_n(shifted)  # [stride stride, B, h + count - 1, w + count - 1]
        rows, columns = y.shape[2:]
        y = tf.transpose(tf.reshape(y, [stride, stride, -1, rows, columns]), [2, 3, 0, 4, 1])
        y = tf.reshape(y, [-1, rows * stride, columns * stride, 1])
        cut = (w.shape[0] - stride) // 2
        y = y[:, cut : cut + height * stride, cut : cut + width * stride]
        return tf.cast(y, x.dtype), gradients

    return spread(x, w)


def _has_blocks(w: tf.Tensor, stride: int) -> bool:
    """Whether a kernel's side is a multiple of the stride."""
    return w.shape[0] % stride == 0


def _kernel_gradient(x: tf.Tensor, w: tf.Tensor, upstream: tf.Tensor, stride: int) -> tf.Tensor:
    """The gradient of the kernel w of a SAME convolution of x with that of its output."""
    strides = [1, stride, stride, 1]
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=w.shape, out_backprop=upstream, strides=strides, padding="SAME"
    )


def padded_product(x: tf.Tensor, w: tf.Tensor, stride: int, zeros: int) -> tf.Tensor:
    """A convolution of x between rows and columns of `zeros` zeros, without bias.

    The padding is a separate op: given to the convolution itself it disables TensorFlow's fast
    kernels, and the backward pass takes three times as long. If the kernel is two strides wide, its
    gradient is a matrix product: with many channels, TensorFlow's kernel for it is two to five
    times slower in bfloat16.
    """
    x = tf.pad(x, [[0, 0], [zeros, zeros], [zeros, zeros], [0, 0]])
    w = tf.cast(w, x.dtype)
    if w.shape[0] != 2 * stride:
        return tf.nn.conv2d(x, w, stride, "VALID")

    @tf.custom_gradient
    def product(x: tf.Tensor, w: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            x_gradient = tf.nn.conv2d_transpose(upstream, w, tf.shape(x), stride, "VALID")
            rows = tf.reshape(upstream, [-1, w.shape[3]])
            w_gradient = tf.matmul(_patches(x, stride), rows, transpose_a=True)
            return x_gradient, tf.reshape(w_gradient, w.shape)

        return tf.nn.conv2d(x, w, stride, "VALID"), gradients

    return product(x, w)


def _patches(x: tf.Tensor, stride: int) -> tf.Tensor:
    """What a kernel two strides wide sees of x [B, h, w, in]: [B h' w', 4 stride stride in].

    A patch is two blocks of `stride` rows by two of `stride` columns.
    """
    channels = x.shape[3]
    rows, columns = (extent // stride - 1 for extent in x.shape[1:3])
    x = x[:, : (rows + 1) * stride, : (columns + 1) * stride]
    x = tf.reshape(x, [-1, x.shape[1], columns + 1, stride * channels])
    x = tf.concat([x[:, :, :-1], x[:, :, 1:]], axis=3)  # [B, h, w', 2 stride in]
    x = tf.reshape(x, [-1, rows + 1, stride, columns, 2 * stride * channels])
    x = tf.transpose(x, [0, 1, 3, 2, 4])
    x = tf.reshape(x, [-1, rows + 1, columns, 2 * stride**2 * channels])
    x = tf.concat([x[:, :-1], x[:, 1:]], axis=3)
    return tf.reshape(x, [-1, x.shape[3]])


def conv_transpose(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, padding: str = "SAME"
) -> tf.Tensor:
    """Transposed convolution and bias: x [B, h, w, in], kernel [side, side, out, in].

    Returns [B, h stride, w stride, out] with SAME, sides of (h - 1) stride + side with VALID.
    """
    side, _, out, _ = w.shape
    if out == 1 and padding == "SAME" and _has_blocks(w, stride):
        return add_bias(to_one_channel(x, tf.cast(w, x.dtype), stride), b)
    sides = [
        length * stride if padding == "SAME" else (length - 1) * stride + side
        for length in x.shape[1:3]
    ]
    shape = [tf.shape(x)[0], *sides, out]
    y = tf.nn.conv2d_transpose(x, tf.cast(w, x.dtype), shape, stride, padding)
    return add_bias(y, b)


def conv_pool(x: tf.Tensor, w: tf.Variable, b: tf.Variable, activation: str) -> tf.Tensor:
    """SAME convolution, bias, activation, 2x2 max-pool: [B, h, w, in] to [B, h/2, w/2, out].

    The pooling comes first: a bias that is the same over a window and a monotone activation both
    commute with the maximum, so only a quarter of the values pass through them.
    """
    x = _product(x, w, stride=1)
    x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")
    return ACTIVATIONS[activation](add_bias(x, b))


def add_bias(x: tf.Tensor, b: tf.Variable) -> tf.Tensor:
    """x [..., out] plus b [out], in the precision of x; b's gradient is summed in that of b.

    TensorFlow would sum it in bfloat16 if x is bfloat16, where 256 + 1 is 256.
    """
    if x.dtype == b.dtype:
        return tf.nn.bias_add(x, b)

    @tf.custom_gradient
    def add(x: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return upstream, tf.reduce_sum(tf.cast(upstream, b.dtype), range(x.shape.rank - 1))

        return tf.nn.bias_add(x, tf.cast(b, x.dtype)), gradients

    return add(x, tf.convert_to_tensor(b))


def batch_moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance [width], float32, of x [B, ..., width] over all axes but the last."""
    return tf.nn.moments(tf.cast(x, tf.float32), list(range(x.shape.rank - 1)))


def normalise(
    x: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    scale: tf.Variable | None,
    shift: tf.Variable | None,
) -> tf.Tensor:
    """Batch normalisation (Ioffe & Szegedy 2015) of x [..., width] by given moments.

    (x - mean) / sqrt(variance + 1e-5) * scale + shift, all [width]; without the scale or the
    shift that is None. Computed in float32, returned in x's precision.
    """
    exact = tf.cast(x, tf.float32)
    normal = tf.nn.batch_normalization(exact, mean, variance, shift, scale, EPSILON)
    return tf.cast(normal, x.dtype)


def layer_norm(x: tf.Tensor, scale: tf.Variable, shift: tf.Variable) -> tf.Tensor:
    """Layer normalisation (Ba et al. 2016, eq. 4) of each row of x [B, width], in float32."""
    rows = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(rows, axes=[1], keepdims=True)  # [B, 1] each
    return tf.cast(tf.nn.batch_normalization(rows, mean, variance, shift, scale, EPSILON), x.dtype)


def dropout(x: tf.Tensor, keep_prob: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Keep each entry with `keep_prob` and divide it by that, else 0; a function of `seed` [2].

    The seed may be None if `keep_prob` is 1. Equal to tf.nn.experimental.stateless_dropout bit for
    bit, except that the uniform draws are float32 whatever x is: drawn in bfloat16, which is coarse
    near 1, a keep probability of .99 would become .9844.
    """
    if keep_prob == 1.0:
        return x
    rate = 1 - keep_prob
    with tf.name_scope("dropout"):
        uniform = tf.random.stateless_uniform(tf.shape(x), seed)
        return tf.where(uniform >= rate, x * (1 / (1 - rate)), tf.zeros([], x.dtype))


def all_finite(tensors: list[tf.Tensor]) -> tf.Tensor:
    """Whether all entries of all tensors are finite: a scalar, from their sum, one pass each."""
    return tf.math.is_finite(tf.add_n([tf.reduce_sum(tensor) for tensor in tensors]))
