"""The training step of the two-network systems: two losses, and how each system updates."""

import tensorflow as tf

from gan3.baselines.config import AuxiliaryGanConfig, BaselineConfig
from gan3.baselines.discriminators import Discriminator
from gan3.baselines.networks import NOISE
from gan3.method import losses
from gan3.method.declared import GeneratorSpec
from gan3.nn.adam import Adam
from gan3.nn.layers import all_finite
from gan3.nn.network import Network
from gan3.nn.specs import IMAGE


def draw_noise(labels: tf.Tensor, seed: tf.Tensor, distribution: str) -> tf.Tensor:
    """Noise [B, 100] for `labels` [B]: "uniform", U(-1, 1), or "normal", N(0, 1)."""
    shape = [tf.size(labels), NOISE]
    with tf.name_scope("noise/"):
        if distribution == "uniform":
            return tf.random.stateless_uniform(shape, seed, -1.0, 1.0, alg="philox")
        return tf.random.stateless_normal(shape, seed, alg="philox")


def to_pixel_range(images: tf.Tensor, pixel_min: float) -> tf.Tensor:
    """Images in 0..1 in the range `pixel_min`..1 of a system's networks."""
    return images * (1 - pixel_min) + pixel_min


class TwoNetworkStep:
    """One training step. All its random draws are functions of the step's seed."""

    def __init__(
        self,
        config: BaselineConfig,
        spec: GeneratorSpec,
        generator: Network,
        discriminator: Discriminator,
        adams: dict[str, Adam],
    ):
        """adams: "generator", "discriminator", and "discriminator_fake" for separate Adams."""
        self.config, self.generator, self.discriminator = config, generator, discriminator
        self.spec, self.adams = spec, adams
        self.class_weight = config.class_weight if isinstance(config, AuxiliaryGanConfig) else None

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's updates, then the generator's on fresh fakes.

        Takes real images [B, 28, 28, 1] in 0..1, labels [B] and a seed [2]; returns by network
        whether its losses and gradients were finite.
        """
        with tf.name_scope("losses"):
            d_seed, g_seed = tf.unstack(tf.random.split(seed, 2))
            images = to_pixel_range(images, self.spec.pixel_min)
            d_finite = self.update_discriminator(images, labels, d_seed)
            loss = self.generator_loss(labels, g_seed)
            g_finite = self.update("generator", loss)
        return {"discriminator": d_finite, "generator": g_finite}

    def update_discriminator(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """One update on real and fake images together, or one on each."""
        config = self.config
        fake_seed, real_dropout, fake_dropout = tf.unstack(tf.random.split(seed, 3))
        fakes, fake_labels = self.fakes(labels, fake_seed)
        fakes = tf.stop_gradient(fakes)
        if config.weight_clip:
            for w in self.discriminator.weights:
                w.assign(tf.clip_by_value(w, -config.weight_clip, config.weight_clip))

        def real_loss() -> tf.Tensor:
            logits, digit_logits = self.discriminator.heads(images, labels, real_dropout)
            loss = losses.real_fake_cross_entropy(logits, config.real_target)
            if self.class_weight is None:
                return loss
            digit_loss = losses.digit_cross_entropy(digit_logits, labels, "softmax_mean")
            return loss + self.class_weight * digit_loss

        def fake_loss() -> tf.Tensor:
            logits, _ = self.discriminator.heads(fakes, fake_labels, fake_dropout)  # [B, 1]
            return losses.real_fake_cross_entropy(logits, 0.0)

        if config.discriminator_updates == "joint":
            return self.update("discriminator", real_loss() + fake_loss())
        separate_adams = config.discriminator_updates == "separate_adams"
        real_finite = self.update("discriminator", real_loss())
        second = "discriminator_fake" if separate_adams else "discriminator"
        return real_finite & self.update(second, fake_loss())

    def generator_loss(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh fakes pass as real and, if there is a class head, show their classes."""
        fake_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        fakes, fake_labels = self.fakes(labels, fake_seed)
        logits, digit_logits = self.discriminator.heads(fakes, fake_labels, dropout_seed)
        loss = losses.real_fake_cross_entropy(logits, 1.0)
        if self.class_weight is None:
            return loss
        return loss + losses.digit_cross_entropy(digit_logits, fake_labels, "softmax_mean")

    def fakes(self, labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Fakes [B, 28, 28, 1] in the networks' pixel range, and the requested classes [B].

        A class-conditional system draws them at random, as its publication does.
        """
        noise_seed, label_seed, dropout_seed = tf.unstack(tf.random.split(seed, 3))
        classes = len(self.spec.class_names)
        if self.spec.class_conditional:
            shape = tf.shape(labels)
            labels = tf.random.stateless_uniform(
                shape, label_seed, 0, classes, tf.int32, alg="philox"
            )
        noise = draw_noise(labels, noise_seed, self.config.noise_distribution)
        pixels = self.generator(noise, dropout_seed, tf.one_hot(labels, classes))
        return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1]), labels

    def update(self, adam: str, loss: tf.Tensor) -> tf.Tensor:
        """One step of the Adam of that name; returns whether loss and gradients were finite."""
        with tf.name_scope(f"update_{adam}/"):
            gradients = tf.gradients(loss, self.adams[adam].variables)
            gradients = self.adams[adam].apply(gradients)
            return all_finite([loss, *gradients])
