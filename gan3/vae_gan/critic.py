"""The critics of `best` in training: one may be given labels, the other encodes."""

import tensorflow as tf

from gan3.nn.initializers import Initializer
from gan3.nn.layers import ACTIVATIONS, dropout
from gan3.nn.network import Network
from gan3.nn.specs import Conv, Dense, Layer, Specs
from gan3.vae_gan.codes import ClassNorm


class VaeGanCritic(Network):
    """The layers of `vae_gan.networks.critic`.

    If it is given labels, of `condition_classes` classes, every hidden layer has a bias for each;
    away from the image's border that is what constant planes added to the input would give. With an
    `encoder`, a second head returns the numbers that `code_norm` normalises.
    """

    def __init__(
        self,
        name: str,
        specs: Specs,
        init: Initializer,
        dtype: str = "float32",
        condition_classes: int = 0,
        encoder: Dense | None = None,
        code_norm: ClassNorm | None = None,
    ):
        super().__init__(name, specs, init, dtype)
        self.hidden, self.encoder, self.code_norm = specs[:-1], encoder, code_norm
        self.digit_biases = [
            self.add(f"{spec.name}/digit", init.weights((condition_classes, spec.outputs)))
            for spec in self.hidden
            if condition_classes
        ]
        if encoder is not None:
            self.make((encoder,))
            self.variables |= code_norm.variables

    def __call__(
        self, images: tf.Tensor, seed: tf.Tensor | None = None, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Logits [B, outputs], float32; `labels` [B] are needed if it is given labels."""
        if not self.digit_biases:
            return super().__call__(images, seed)
        with tf.name_scope(f"{self.name}/"):
            h = tf.cast(images, self._dtype)  # [B, 28, 28, 1]
            for spec, biases in zip(self.hidden, self.digit_biases, strict=True):
                bias = tf.cast(tf.gather(biases, labels), h.dtype)  # [B, width]
                h = self.product(spec, h)
                h += bias[:, None, None, :] if isinstance(spec, Conv) else bias
                if isinstance(spec, Conv) and spec.pool:
                    h = tf.nn.max_pool2d(h, ksize=2, strides=2, padding="SAME")
                h = ACTIVATIONS[spec.activation](h)
            if seed is not None:
                h = dropout(h, self.hidden[-1].keep_prob, seed)
            return tf.cast(self.product(self.specs[-1], h), tf.float32)

    def plain(self) -> list[Layer]:
        """Its layers in NumPy, without the encoder. Given labels, hidden biases are [K, width]."""
        arrays = self.arrays()
        for spec, biases in zip(self.hidden, self.digit_biases, strict=False):
            arrays[f"{spec.name}/b"] = arrays[f"{spec.name}/b"] + biases.numpy()
        return [spec.layer(arrays) for spec in self.specs]

    def encode(
        self, images: tf.Tensor, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Class logits [B, K], and the numbers [B, E] of each image, which `code_norm` takes."""
        with tf.name_scope(f"{self.name}/"):
            h = self.forward(self.hidden, images, seed)
            logits, numbers = self.product(self.specs[-1], h), self.product(self.encoder, h)
            return tf.cast(logits, tf.float32), tf.cast(numbers, tf.float32)
