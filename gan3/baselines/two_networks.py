"""A generator and a discriminator as a system: how they are sampled, evaluated and saved."""

import tensorflow as tf

from gan3.baselines.config import BaselineConfig, BatchNormGanConfig
from gan3.baselines.networks import BaselineDiscriminator, BaselineGenerator
from gan3.baselines.train_step import TwoNetworkStep, draw_noise, to_pixel_range
from gan3.method import losses
from gan3.method.networks import by_name
from gan3.method.system import Scalars
from gan3.method.three_networks import digit_scalars, real_fake_scalars
from gan3.nn.adam import Adam


class TwoNetworks:
    """A two-network GAN as a `System`."""

    def __init__(
        self,
        config: BaselineConfig,
        class_names: tuple[str, ...],
        generator: BaselineGenerator,
        discriminator: BaselineDiscriminator,
    ):
        self.generator, self.discriminator = generator, discriminator
        self.class_names = class_names
        self.has_classifier = discriminator.has_classifier
        self.noise_distribution = config.noise_distribution
        self.pixel_min = generator.pixel_min
        networks = {"generator": generator, "discriminator": discriminator}
        if config.discriminator_updates == "separate_adams":
            networks["discriminator_fake"] = discriminator
        rates, beta1 = config.learning_rate, config.beta1
        adams = {
            name: Adam(
                network.weights,
                getattr(rates, network.name),
                getattr(beta1, network.name),
                f"adam/{name}",
            )
            for name, network in networks.items()
        }
        self.optimizers = tuple(adams.values())
        if isinstance(config, BatchNormGanConfig):
            for norm in generator.batch_norms:
                norm.moments = config.sampling_moments
        self.train_step = TwoNetworkStep(config, len(class_names), generator, discriminator, adams)

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """[B, 100], fresh for each image: a function of `seed` [2]."""
        return draw_noise(labels, seed, self.noise_distribution)

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1; of `labels` [B] if the system is class-conditional."""
        images = self.generator(noise, tf.one_hot(labels, len(self.class_names)))
        return tf.squeeze((images - self.pixel_min) / (1 - self.pixel_min), axis=3)

    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """Class probabilities [B, K] of images [B, 28, 28, 1] in 0..1, by the class head."""
        images = to_pixel_range(images, self.pixel_min)
        return tf.nn.softmax(self.discriminator.heads(images)[1])

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """Losses in nats and accuracies in 0..1, without dropout and label smoothing."""
        fakes = self.generate(labels, self.noise(labels, seed))[..., None]
        both = [to_pixel_range(part, self.pixel_min) for part in (images, fakes)]
        both = tf.concat(both, axis=0)  # [2B, 28, 28, 1]
        if self.has_classifier:
            logits, digit_logits = self.discriminator.heads(both)
        else:
            logits = self.discriminator(both, tf.concat([labels, labels], axis=0))
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        scalars = real_fake_scalars(real_logits, fake_logits)
        scalars["loss/discriminator_real"] = losses.real_fake_cross_entropy(real_logits, 1.0)
        scalars["loss/discriminator_fake"] = losses.real_fake_cross_entropy(fake_logits, 0.0)
        if self.has_classifier:
            scalars |= digit_scalars(*tf.split(digit_logits, 2), labels, "softmax_mean")
        return scalars

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The generator's variables by name, its running moments included."""
        return by_name(self.generator.saved)

    @property
    def encoder_weights(self) -> dict[str, tf.Variable]:
        """Empty: there is no encoder."""
        return {}

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        adams = [v for adam in self.optimizers for v in adam.state]
        return by_name([*self.generator.saved, *self.discriminator.saved, *adams])
