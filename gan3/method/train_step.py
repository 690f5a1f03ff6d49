"""The method on one screen: three losses, three updates in a fixed order.

Each network has its own weights and its own Adam, and an update changes one network only.
"Determinator" is this design's word for what the literature calls the auxiliary classifier (AC-GAN,
Triple-GAN, ControlGAN): the network that says which digit an image shows.
"""

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import losses
from gan3.method.config import ThreeNetworkConfig
from gan3.method.noise import Noise, latent_of
from gan3.nn.adam import Adam
from gan3.nn.layers import all_finite
from gan3.nn.network import Network
from gan3.nn.specs import IMAGE


class ThreeNetworkStep:
    """One training step. All its random draws are functions of the step's seed."""

    def __init__(
        self,
        config: ThreeNetworkConfig,
        classes: int,
        networks: Triple[Network],
        optimizers: Triple[Adam],
        noise: Noise,
    ):
        self.config, self.networks, self.optimizers = config, networks, optimizers
        self.classes, self.noise = classes, noise

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Update the discriminator, then the generator, then the determinator.

        Args:
            images: [B, 28, 28, 1] real images in 0..1.
            labels: [B] their digits, which are also the digits requested of the fakes.
            seed: [2].

        Returns:
            By network, whether its loss and gradients were finite.
        """
        with tf.name_scope("losses"):
            seeds = tf.random.split(seed, 3)
            d_loss = self.discriminator_loss(images, labels, seeds[0])
            d_finite = self.update("discriminator", d_loss)
            g_loss = self.generator_loss(labels, seeds[1])
            g_finite = self.update("generator", g_loss)
            c_loss = self.determinator_loss(images, labels, seeds[2])
            c_finite = self.update("determinator", c_loss)
        return Triple(g_finite, d_finite, c_finite)._asdict()

    def discriminator_loss(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Real images are real (1), fakes are not (0)."""
        fake_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        fakes = self.fakes(labels, fake_seed)  # [B, 28, 28, 1]
        both = tf.concat([images, fakes], axis=0)  # [2B, 28, 28, 1]; one pass is faster than two
        logits = self.networks.discriminator(both, dropout_seed)  # [2B, 1]
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        loss = losses.real_fake_cross_entropy(real_logits, 1.0)
        loss += losses.real_fake_cross_entropy(fake_logits, 0.0)
        return loss + self.l1("discriminator")

    def generator_loss(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh fakes pass as real (1) and, weighted, are classified as the requested digit."""
        fake_seed, seed, digit_seed = tf.unstack(tf.random.split(seed, 3))
        fakes = self.fakes(labels, fake_seed)  # [B, 28, 28, 1]
        fake_logits = self.networks.discriminator(fakes, seed)  # [B, 1]
        digit_logits = self.networks.determinator(fakes, digit_seed)  # [B, K]
        loss = losses.real_fake_cross_entropy(fake_logits, 1.0)
        digit_loss = losses.digit_cross_entropy(digit_logits, labels, self.config.digit_loss)
        return loss + self.config.digit_weight * digit_loss + self.l1("generator")

    def determinator_loss(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Real images are classified as their digit; the determinator never learns from fakes."""
        logits = self.networks.determinator(images, seed)  # [B, K]
        loss = losses.digit_cross_entropy(logits, labels, self.config.digit_loss)
        return loss + self.l1("determinator")

    def fakes(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28, 1] of the requested digits, with the generator's dropout."""
        noise_seed, dropout_seed = tf.unstack(tf.random.split(seed, 2))
        noise = self.noise(labels, noise_seed)  # [B, 10]
        latent = latent_of(labels, noise, self.classes)  # [B, 10 K]
        pixels = self.networks.generator(latent, dropout_seed)  # [B, 784]
        return tf.reshape(pixels, [-1, IMAGE, IMAGE, 1])

    def l1(self, role: str) -> tf.Tensor:
        """The weighted L1 norm of one network's dense weight matrices."""
        weight = getattr(self.config.l1_weight, role)
        return weight * losses.l1(getattr(self.networks, role).l1_weights)

    def update(self, role: str, loss: tf.Tensor) -> tf.Tensor:
        """One Adam step of one network on its own loss; returns whether all was finite."""
        with tf.name_scope(f"update_{role}/"):
            gradients = tf.gradients(loss, getattr(self.networks, role).weights)
            gradients = getattr(self.optimizers, role).apply(gradients)
            return all_finite([loss, *gradients])
