"""The generator of `best` in training: batch normalisation, and weights that all classes share."""

import numpy as np
import tensorflow as tf

from gan3.nn.initializers import Initializer
from gan3.nn.layers import ACTIVATIONS, batch_moments, dense, dropout, normalise
from gan3.nn.network import Network, as_rows
from gan3.nn.specs import IMAGE, Spec, Specs

Moments = list[tuple[tf.Tensor, tf.Tensor]]  # mean and variance [width] of each hidden layer


class VaeGanGenerator(Network):
    """The layers of `vae_gan.networks.generator`.

    With `shared_entries`, those of the noise, the classes share its weights in the first layer:
    `shared` is added to the weights of each class, which are 0 at first.
    """

    def __init__(
        self,
        name: str,
        specs: Specs,
        init: Initializer,
        dtype: str = "float32",
        shared_entries: int = 0,
    ):
        super().__init__(name, (), init, dtype)
        self.specs, self.shared = specs, None
        self._classes = specs[0].inputs // (shared_entries + 1)  # if they share weights
        if shared_entries:
            w = init.weights((shared_entries, specs[0].outputs))
            self.shared = self.add(f"{name}/hidden1/shared", w)
            self.l1_weights.append(self.shared)
        self.make(specs)
        if shared_entries:
            of_labels = np.tile([[0.0]] * shared_entries + [[1.0]], (self._classes, 1))
            w = self.variables[f"{name}/hidden1/w"]
            w.assign(of_labels * w)

    def logits(self, latent: tf.Tensor, seed: tf.Tensor | None = None) -> tuple[tf.Tensor, Moments]:
        """Logits of the pixels, [B, 784] or images, and the batch's moments of each hidden layer.

        The moments normalise, and leave the running moments as they are.

        Args:
            latent: [B, E K] for E noise entries, or [B, (E + 1) K] with a label entry.
            seed: [2], of the dropout; None without it.
        """
        *hidden, pixels = self.specs
        moments: Moments = []
        seeds = [None] * len(hidden)
        if seed is not None:
            seeds = tf.unstack(tf.random.split(seed, len(hidden)))
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(latent, self._dtype)
            for spec, layer_seed in zip(hidden, seeds, strict=True):
                if spec.batch_norm:
                    h = dense(as_rows(h, spec.inputs), self._of(spec, "w"))  # [B, width]
                    moments.append(batch_moments(h))
                    h = normalise(h, *moments[-1], self._of(spec, "scale"), self._of(spec, "b"))
                else:
                    h = self.product(spec, h)
                h = ACTIVATIONS[spec.activation](h)
                if layer_seed is not None:
                    h = dropout(h, spec.keep_prob, layer_seed)
            return tf.cast(self.product(pixels, h), tf.float32), moments

    def running_moments(self) -> Moments:
        """The variables that normalise in place of a batch's own moments when samples are drawn."""
        normal = [spec for spec in self.specs[:-1] if spec.batch_norm]
        return [(self._of(spec, "mean"), self._of(spec, "variance")) for spec in normal]

    @property
    def merged_weights(self) -> list[tf.Tensor]:
        """The weights of a generator without `shared` that computes the same, in its order."""
        if self.shared is None:
            return list(self.weights)
        return [self._of(self.specs[0], "w"), *self.weights[2:]]

    def _of(self, spec: Spec, part: str) -> tf.Tensor:
        """A layer's variable; the shared weights are added to those of the first layer."""
        variable = super()._of(spec, part)
        if self.shared is None or spec is not self.specs[0] or part != "w":
            return variable
        return variable + tf.tile(tf.pad(self.shared, [[0, 1], [0, 0]]), [self._classes, 1])


def as_images(logits: tf.Tensor) -> tf.Tensor:
    """Logits of pixels to images [B, 28, 28, 1] in (0, 1)."""
    return tf.reshape(tf.sigmoid(logits), [-1, IMAGE, IMAGE, 1])
