"""A list of layers in TensorFlow: its variables, and what they compute, in training and outside."""

import math

import numpy as np
import tensorflow as tf

from gan3.nn.initializers import Initializer
from gan3.nn.layers import (
    ACTIVATIONS,
    batch_moments,
    conv,
    conv_pool,
    conv_transpose,
    dense,
    dropout,
    layer_norm,
    normalise,
)
from gan3.nn.specs import (
    AveragePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Label,
    Layer,
    Spec,
    Specs,
    Upsample,
)

_MOMENTS_RATE = 0.1  # at which running moments follow those of the batches


class Network:
    """Named variables, in the order in which they were made, and the layers that use them.

    Names follow TensorFlow 1: `generator/hidden1/w`. Every call re-enters the network's own name
    scope, so a graph that calls a network five times still shows one box for it.
    """

    own_moments = False  # whether a `BatchNorm` uses those of the batch outside training, too

    def __init__(self, name: str, specs: Specs, init: Initializer, dtype: str = "float32"):
        self.name, self.specs = name, specs
        self._init, self._dtype = init, dtype
        self.variables: dict[str, tf.Variable] = {}  # all of them: what using the network needs
        self.weights: list[tf.Variable] = []  # what this network's Adam updates
        self.l1_weights: list[tf.Variable] = []  # the dense matrices: what L1 is taken of
        self.matrices: list[str] = []  # the names of all matrices and kernels, but no embeddings
        # With spectral normalisation, by the name of a matrix: an estimate of the direction, [out],
        # that it stretches most.
        self.directions: dict[str, tf.Variable] = {}
        self.make(specs)

    def make(self, specs: Specs) -> None:
        """Make the variables of layers: weights and biases first, then those that normalise."""
        arrays = [(spec, name, shape) for spec in specs for name, shape in spec.shapes().items()]
        for makes_products in (True, False):
            for spec, name, shape in arrays:
                if name.endswith(("/w", "/b")) == makes_products:
                    self._make(spec, name, shape)

    def _make(self, spec: Spec, name: str, shape: tuple[int, ...]) -> None:
        """One variable. Running moments are not trained."""
        init, part = self._init, name.rpartition("/")[2]
        if part == "w" and isinstance(spec, Label):
            value = init.embedding(shape)
        elif part == "w":
            value = init.weights(shape)
        elif part == "b":
            fan_in = math.prod(spec.shapes()[f"{spec.name}/w"][:-1])
            value = init.biases(shape[0], self.name, fan_in)
        elif part == "scale":
            value = init.scales(shape[0])
        else:
            value = tf.ones(shape) if part == "variance" else tf.zeros(shape)
        is_trained = part not in ("mean", "variance")
        variable = self.add(name, value, is_trained)
        if part == "w" and not isinstance(spec, Label):
            self.matrices.append(name)
        if part == "w" and isinstance(spec, Dense):
            self.l1_weights.append(variable)

    def add(self, name: str, value: tf.Tensor, is_trained: bool = True) -> tf.Variable:
        """A variable of that name."""
        variable = tf.Variable(value, trainable=is_trained, name=name)
        self.variables[name] = variable
        if is_trained:
            self.weights.append(variable)
        return variable

    def __call__(
        self, x: tf.Tensor, seed: tf.Tensor | None = None, soft_labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The output of the last layer, float32, for rows or images x.

        Args:
            x: [B, width] or [B, h, w, channels], as the first layer takes it.
            seed: [2], in training: of the dropout. Batch normalisation then uses the moments of the
                batch, and the running ones follow them. None outside training.
            soft_labels: [B, K] class weights, one-hot except for blends, if there is a `Label`.

        Raises ValueError if a shape does not fit.
        """
        with tf.name_scope(f"{self.name}/"):
            return tf.cast(self.forward(self.specs, x, seed, soft_labels), tf.float32)

    def forward(
        self,
        specs: Specs,
        x: tf.Tensor,
        seed: tf.Tensor | None = None,
        soft_labels: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """The output of some of the layers, in the network's precision."""
        h, count = tf.cast(x, self._dtype), sum(spec.keep_prob < 1 for spec in specs)
        seeds = [seed]
        if seed is not None and count > 1:
            seeds = tf.unstack(tf.random.split(seed, count))
        for spec in specs:
            h = self._layer(spec, h, seed is not None, soft_labels)
            if spec.keep_prob < 1 and seed is not None:
                h = dropout(h, spec.keep_prob, seeds.pop(0))
        return h

    def _layer(
        self, spec: Spec, h: tf.Tensor, is_training: bool, soft_labels: tf.Tensor | None
    ) -> tf.Tensor:
        """The output of one layer, without dropout."""
        match spec:
            case Dense(batch_norm=True):
                h = dense(as_rows(h, spec.inputs), self._of(spec, "w"))
                moments = self._moments(spec, h, is_training)
                h = normalise(h, *moments, self._of(spec, "scale"), self._of(spec, "b"))
            case BatchNorm():
                h = h if h.shape[-1] == spec.width else as_images(h, spec.width)
                moments = self._moments(spec, h, is_training, self.own_moments)
                scale = self._of(spec, "scale") if spec.affine else None
                shift = self._of(spec, "shift") if spec.affine else None
                h = normalise(h, *moments, scale, shift)
            case Conv(pool=True):
                w, b = self._of(spec, "w"), self._of(spec, "b")
                return conv_pool(as_images(h, spec.inputs), w, b, spec.activation)
            case AveragePool():
                return tf.nn.avg_pool2d(h, ksize=2, strides=2, padding="SAME")
            case Upsample():
                size = [2 * side for side in h.shape[1:3]]
                return tf.cast(tf.raw_ops.ResizeBilinear(images=h, size=size), h.dtype)
            case Label():
                h.shape.assert_is_compatible_with([None, spec.inputs])
                rows = tf.cast(soft_labels @ self._of(spec, "w"), h.dtype)  # [B, width]
                return h * rows if spec.multiplies else tf.concat([h, rows], axis=1)
            case _:
                h = self.product(spec, h)
        h = ACTIVATIONS[spec.activation](h)
        if isinstance(spec, Dense) and spec.layer_norm is not None:
            parts = (self.variables[f"{spec.layer_norm}/{part}"] for part in ("scale", "shift"))
            h = layer_norm(h, *parts)
        return h

    def product(self, spec: Spec, h: tf.Tensor) -> tf.Tensor:
        """The output of a layer without normalisation, pooling and activation."""
        w, b = self._of(spec, "w"), self._of(spec, "b")
        match spec:
            case Dense():
                return dense(as_rows(h, spec.inputs), w, b)
            case Conv():
                return conv(as_images(h, spec.inputs), w, b, spec.stride, spec.zero_padding)
            case ConvTranspose():
                h = as_images(h, spec.inputs)
                return conv_transpose(h, w, b, spec.stride, spec.padding)
        raise TypeError(f"{spec}: has no product")

    def _moments(
        self, spec: Spec, h: tf.Tensor, is_training: bool, own_moments: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Those of h in training or with `own_moments`; else the running ones, which follow."""
        running = self._of(spec, "mean"), self._of(spec, "variance")
        moments = batch_moments(h) if is_training or own_moments else running
        if is_training:
            for average, moment in zip(running, moments, strict=True):
                average.assign_add(_MOMENTS_RATE * (moment - average))
        return moments

    def plain(self) -> list[Layer] | None:
        """Its layers in NumPy, with the weights as used; None if it has more than layers."""
        if type(self) is not Network:
            return None
        arrays = self.arrays()
        return [spec.layer(arrays) for spec in self.specs]

    def arrays(self) -> dict[str, np.ndarray]:
        """The variables by name, as the layers use them."""
        return {name: self._value(name).numpy() for name in self.variables}

    def normalise_spectrally(self) -> None:
        """From now on the layers' matrices are divided by their largest singular values.

        A kernel counts as the matrix [height x width x in, out]. Source: Miyato et al. 2018.
        """
        for name in self.matrices:
            outputs = self.variables[name].shape[-1]
            direction = tf.fill([outputs], 1 / math.sqrt(outputs))
            self.directions[name] = self.add(f"{name}_direction", direction, False)

    def update_directions(self) -> None:
        """One power iteration for each matrix; before each update."""
        for name, direction in self.directions.items():
            direction.assign(tf.math.l2_normalize(self._stretched(name)))

    def _stretched(self, name: str) -> tf.Tensor:
        """W' v [out], v the unit vector along W u, for a matrix W and its direction u.

        Its length is the largest singular value, once power iterations have converged.
        """
        weight = self.variables[name]
        matrix = tf.reshape(weight, [-1, weight.shape[-1]])
        to = tf.math.l2_normalize(tf.linalg.matvec(matrix, self.directions[name]))
        return tf.linalg.matvec(matrix, tf.stop_gradient(to), transpose_a=True)

    def _of(self, spec: Spec, part: str) -> tf.Variable | tf.Tensor:
        return self._value(f"{spec.name}/{part}")

    def _value(self, name: str) -> tf.Variable | tf.Tensor:
        """A variable as the layers use it."""
        variable = self.variables[name]
        return variable / tf.norm(self._stretched(name)) if name in self.directions else variable


def as_rows(h: tf.Tensor, width: int) -> tf.Tensor:
    """h as rows [B, width], from that or from images. Raises ValueError if it has another size."""
    if math.prod(h.shape[1:]) != width:
        raise ValueError(f"{h.shape}: not rows of {width} numbers")
    return tf.reshape(h, [-1, width])


def as_images(h: tf.Tensor, channels: int) -> tf.Tensor:
    """h as images [B, side, side, channels], also from rows. Raises ValueError if it is neither."""
    if h.shape.rank == 2:
        side = math.isqrt(h.shape[1] // channels)
        h = tf.reshape(h, [-1, side, side, channels])
    h.shape.assert_is_compatible_with([None, None, None, channels])
    return h


def by_name(variables: list[tf.Variable]) -> dict[str, tf.Variable]:
    """Variables by their names."""
    return {variable.name.removesuffix(":0"): variable for variable in variables}
