"""The discriminators of the two-network systems in TensorFlow."""

import tensorflow as tf

from gan3.nn.initializers import Initializer
from gan3.nn.layers import ACTIVATIONS, add_bias, padded_product
from gan3.nn.network import Network
from gan3.nn.specs import Specs


class Discriminator(Network):
    """Images [B, 28, 28, 1] in the system's pixel range to real/fake logits."""

    has_classifier = False  # whether it has a class head

    def __init__(self, specs: Specs, init: Initializer, dtype: str = "float32"):
        super().__init__("discriminator", specs, init, dtype)

    def heads(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Real/fake logits [B, 1], and class logits [B, K] or None if it has no class head.

        labels: [B], of what the images should show. seed: [2], in training.
        """
        del labels
        return self(images, seed), None


class AuxiliaryDiscriminator(Discriminator):
    """Layers of which the last two are heads of one trunk: real or not, and which class."""

    has_classifier = True

    def heads(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        del labels
        *trunk, logits, digits = self.specs
        with tf.name_scope("discriminator/"):
            h = self.forward(tuple(trunk), images, seed)
            both = self.product(logits, h), self.product(digits, h)
            return tf.cast(both[0], tf.float32), tf.cast(both[1], tf.float32)


class ConditionalDiscriminator(Discriminator):
    """Layers of the image, of an embedded digit's map of 56 x 56, and of both."""

    def __init__(
        self,
        layers: tuple[Specs, Specs, Specs],
        classes: int,
        init: Initializer,
        dtype: str = "float32",
    ):
        super().__init__((), init, dtype)
        self.image, self.sheet, self.both = layers
        self.make(self.image)
        self.digit = self.add("discriminator/digit/w", init.embedding((classes, 56 * 56)))
        self.make(self.sheet)
        self.make(self.both[:-1])
        self.make(self.both[-1:])

    def heads(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, None]:
        with tf.name_scope("discriminator/"):
            sheets = self.forward(self.sheet, self.digit, seed)  # [K, 28, 28, 64]: once per class
            h = self.forward(self.image, images, seed)  # [B, 28, 28, 64]
            spec, *rest = self.both  # `spec` is of h beside the sheets
            of_images, of_sheets = tf.split(self._of(spec, "w"), 2, axis=2)
            sheets = padded_product(sheets, of_sheets, spec.stride, spec.zero_padding)
            h = padded_product(h, of_images, spec.stride, spec.zero_padding)
            h = add_bias(h + tf.gather(sheets, labels), self._of(spec, "b"))
            h = self.forward(tuple(rest), ACTIVATIONS[spec.activation](h), seed)
            return tf.cast(h, tf.float32), None
