"""The generator of `best` in training: batch normalisation, and weights that all classes share."""

import numpy as np
import tensorflow as tf

from gan3.method.declared import ENTRIES
from gan3.nn.initializers import Initializer
from gan3.nn.layers import ACTIVATIONS, batch_moments, dense, dropout, normalise
from gan3.nn.network import Network
from gan3.nn.specs import IMAGE, Specs

Moments = list[tuple[tf.Tensor, tf.Tensor]]  # mean and variance [width] of each hidden layer


class VaeGanGenerator(Network):
    """The layers of `vae_gan.networks.generator`.

    With `shares_noise` the classes share weights of the noise in the first layer: `shared` is added
    to the weights of each class, which are 0 at first.
    """

    def __init__(
        self,
        name: str,
        specs: Specs,
        init: Initializer,
        dtype: str = "float32",
        shares_noise: bool = False,
    ):
        super().__init__(name, (), init, dtype)
        self.specs, self.shared = specs, None
        self._classes = specs[0].inputs // (ENTRIES + 1)  # if the classes share weights
        if shares_noise:
            w = init.weights((ENTRIES, specs[0].outputs))
            self.shared = self.add(f"{name}/hidden1/shared", w)
            self.l1_weights.append(self.shared)
        self.make(specs)
        if shares_noise:
            of_labels = np.tile([[0.0]] * ENTRIES + [[1.0]], (self._classes, 1))
            w = self._of(specs[0], "w")
            w.assign(of_labels * w)

    def logits(
        self, latent: tf.Tensor, seed: tf.Tensor | None = None, use_batch_moments: bool = True
    ) -> tuple[tf.Tensor, Moments]:
        """Logits of the pixels [B, 784], and the batch's moments of each hidden layer.

        Args:
            latent: [B, 10 K], or [B, 11 K] with a label entry.
            seed: [2], of the dropout; None without it.
            use_batch_moments: normalise by the batch's own moments (training), not the running
                ones.
        """
        *hidden, pixels = self.specs
        latent.shape.assert_is_compatible_with([None, hidden[0].inputs])
        moments: Moments = []
        seeds = [None] * len(hidden)
        if seed is not None:
            seeds = tf.unstack(tf.random.split(seed, len(hidden)))
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(latent, self._dtype)
            for spec, layer_seed in zip(hidden, seeds, strict=True):
                w = self._first_weights() if spec is hidden[0] else self._of(spec, "w")
                b = self._of(spec, "b")
                if spec.batch_norm:
                    h = dense(h, w)  # [B, width]
                    if use_batch_moments:
                        moments.append(batch_moments(h))
                        mean, variance = moments[-1]
                    else:
                        mean, variance = self._of(spec, "mean"), self._of(spec, "variance")
                    h = normalise(h, mean, variance, self._of(spec, "scale"), b)
                else:
                    h = dense(h, w, b)
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
        return [self._first_weights(), *self.weights[2:]]

    def _first_weights(self) -> tf.Tensor:
        w = self._of(self.specs[0], "w")
        if self.shared is None:
            return w
        return w + tf.tile(tf.pad(self.shared, [[0, 1], [0, 0]]), [self._classes, 1])

    def images(self, latent: tf.Tensor) -> tf.Tensor:
        """Samples [B, 28, 28, 1] in (0, 1): no dropout, running moments."""
        return as_images(self.logits(latent, use_batch_moments=False)[0])


def as_images(logits: tf.Tensor) -> tf.Tensor:
    """Logits of pixels [B, 784] to images [B, 28, 28, 1] in (0, 1)."""
    return tf.reshape(tf.sigmoid(logits), [-1, IMAGE, IMAGE, 1])
