"""Layers as plain functions of variables made by hand, initialisers and Adam.

What makes a step fast lives here, so that `networks` and `train_step` read like the method; and
what a batch that several replicas share (`replicas`) asks of a step beside its own rows.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

ACTIVATIONS = {
    "elu": tf.nn.elu,
    "relu": tf.nn.relu,
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, alpha=0.2),
}
"""All of them never decrease, which `conv_pool` relies on."""
EPSILON = 1e-5  # beside a variance that normalises


def dense(x: tf.Tensor, w: tf.Variable, b: tf.Variable | None = None) -> tf.Tensor:
    """x [B, in] times w [in, out] plus b [out] if there is one, in the precision of x."""
    product = tf.matmul(x, tf.cast(w, x.dtype))
    return product if b is None else _add_bias(product, b)


def conv(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, zero_padding: int | None = None
) -> tf.Tensor:
    """Convolution and bias: [B, h, w, in] to [B, h/stride, w/stride, out].

    SAME, or with `zero_padding` rows and columns of zeros on every side. The rim is put round x here: asked
    of the convolution itself it keeps TensorFlow's fast kernels off, three times slower backwards.
    """
    padding = "SAME"
    if zero_padding is not None:
        x, padding = _zero_padded(x, zero_padding), "VALID"
    return _add_bias(tf.nn.conv2d(x, tf.cast(w, x.dtype), strides=stride, padding=padding), b)


def conv_product(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, zero_padding: int
) -> tf.Tensor:
    """`conv` with a rim as one matrix product of all patches: [B, h, w, in] to [B, h', w', out].

    For small sheets of many channels, where the gradients of TensorFlow's own kernels are eight
    times slower than their forward pass.
    """
    side, _, channels, out = w.shape
    x = _zero_padded(x, zero_padding)
    rows, columns = ((extent - side) // stride + 1 for extent in x.shape[1:3])
    taps = [
        x[:, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
        for i in range(side)
        for j in range(side)
    ]
    patches = tf.reshape(tf.concat(taps, axis=3), [-1, side * side * channels])
    h = tf.matmul(patches, tf.reshape(tf.cast(w, x.dtype), [-1, out]))  # [B h' w', out]
    return _add_bias(tf.reshape(h, [-1, rows, columns, out]), b)


def _zero_padded(x: tf.Tensor, zero_padding: int) -> tf.Tensor:
    return tf.pad(x, [[0, 0], [zero_padding, zero_padding], [zero_padding, zero_padding], [0, 0]])


def normalise(
    x: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
    scale: tf.Variable | None,
    shift: tf.Variable,
) -> tf.Tensor:
    """Batch normalisation (Ioffe & Szegedy 2015) of x [..., width] by moments that are given.

    (x - mean) / sqrt(variance + 1e-5) * scale + shift, all [width], without a scale where there is
    none; in float32, then x's precision.
    """
    exact = tf.cast(x, tf.float32)
    normal = tf.nn.batch_normalization(exact, mean, variance, shift, scale, EPSILON)
    return tf.cast(normal, x.dtype)


def layer_norm(x: tf.Tensor, scale: tf.Variable, shift: tf.Variable) -> tf.Tensor:
    """Layer normalisation (Ba et al. 2016, eq. 4) of each row of x [B, width], in float32."""
    rows = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(rows, axes=[1], keepdims=True)  # [B, 1] each
    return tf.cast(tf.nn.batch_normalization(rows, mean, variance, shift, scale, EPSILON), x.dtype)


def conv_transpose(
    x: tf.Tensor, w: tf.Variable, b: tf.Variable, stride: int, padding: str = "SAME"
) -> tf.Tensor:
    """Transposed convolution and bias: x [B, h, w, in], kernel [side, side, out, in].

    To [B, h stride, w stride, out] with SAME, to sides of (h - 1) stride + side with VALID.
    """
    side, _, out, _ = w.shape
    grown = [
        length * stride if padding == "SAME" else (length - 1) * stride + side
        for length in x.shape[1:3]
    ]
    shape = [tf.shape(x)[0], *grown, out]
    return _add_bias(tf.nn.conv2d_transpose(x, tf.cast(w, x.dtype), shape, stride, padding), b)


def conv_pool(x: tf.Tensor, w: tf.Variable, b: tf.Variable, activation: str) -> tf.Tensor:
    """SAME convolution, bias, activation, 2x2 max-pool: [B, h, w, in] to [B, h/2, w/2, out].

    The pooling is done first: a bias that is the same over a window and an activation that never
    decreases both commute with the maximum, so a quarter of the numbers passes through them.
    """
    x = tf.nn.conv2d(x, tf.cast(w, x.dtype), strides=1, padding="SAME")
    x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")
    return ACTIVATIONS[activation](_add_bias(x, b))


def _add_bias(x: tf.Tensor, b: tf.Variable) -> tf.Tensor:
    """x [..., out] plus b [out], in the precision of x; b's gradient is summed in that of b.

    TensorFlow sums it in bfloat16 where x is that, and 256 + 1 is 256 there.
    """
    if x.dtype == b.dtype:
        return tf.nn.bias_add(x, b)

    @tf.custom_gradient
    def add(x: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return upstream, tf.reduce_sum(tf.cast(upstream, b.dtype), range(x.shape.rank - 1))

        return tf.nn.bias_add(x, tf.cast(b, x.dtype)), gradients

    return add(x, tf.convert_to_tensor(b))


def own_rows(draw: Callable[[Any], tf.Tensor], shape: Any, parts: int = 1) -> tf.Tensor:
    """`draw(shape)`; of a shared batch the very rows that one replica would have drawn for these.

    shape: [rows, ...] of this replica. `parts` batches stand below each other in them, and the
    whole has the first one of all replicas above the second one of all.
    """
    here = tf.distribute.get_replica_context()
    count = here.num_replicas_in_sync
    if count == 1:
        return draw(shape)
    rows, *rest = tf.get_static_value(tf.convert_to_tensor(shape)).tolist()
    mine = int(tf.get_static_value(here.replica_id_in_sync_group))
    whole = tf.reshape(draw([count * rows, *rest]), [parts, count, rows // parts, *rest])
    return tf.reshape(whole[:, mine], [rows, *rest])


def batch_moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance [width], float32, of x [B, ..., width] over the whole of a shared batch."""
    axes, x = list(range(x.shape.rank - 1)), tf.cast(x, tf.float32)
    here = tf.distribute.get_replica_context()
    if here.num_replicas_in_sync == 1:
        return tf.nn.moments(x, axes)
    mean = here.all_reduce(tf.distribute.ReduceOp.MEAN, tf.reduce_mean(x, axes))
    # As tf.nn.moments: the slope of the variance over the mean is zero.
    spread = tf.math.squared_difference(x, tf.stop_gradient(mean))
    return mean, here.all_reduce(tf.distribute.ReduceOp.MEAN, tf.reduce_mean(spread, axes))


def dropout(x: tf.Tensor, keep_prob: float, seed: tf.Tensor, parts: int = 1) -> tf.Tensor:
    """Keep each entry with `keep_prob` and divide it by that, else 0; a function of `seed` [2].

    parts: batches that stand below each other in x.

    tf.nn.experimental.stateless_dropout, to the bit, but for its coins, which are float32 whatever
    x is: it draws them in x's type, and bfloat16 near 1 is so coarse that .99 would keep .9844.
    """
    if keep_prob == 1.0:
        return x
    rate = 1 - keep_prob
    with tf.name_scope("dropout"):
        coins = own_rows(
            lambda shape: tf.random.stateless_uniform(shape, seed, alg="philox"), tf.shape(x), parts
        )
        return tf.where(coins >= rate, x * (1 / (1 - rate)), tf.zeros([], x.dtype))


def finite(tensors: list[tf.Tensor]) -> tf.Tensor:
    """Whether all entries of all tensors are finite: a scalar, by their sum, a pass over each."""
    return tf.math.is_finite(tf.add_n([tf.reduce_sum(tensor) for tensor in tensors]))
