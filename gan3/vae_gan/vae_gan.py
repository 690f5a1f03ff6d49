"""The three networks with an autoencoder joined to the GAN, as a system."""

import tensorflow as tf

from gan3.core.triple import Triple
from gan3.method import adversarial
from gan3.method.noise import Noise
from gan3.method.system import Scalars
from gan3.method.three_networks import digit_scalars, make_optimizers, real_fake_scalars
from gan3.nn.initializers import INITIALIZERS, Glorot
from gan3.nn.network import by_name
from gan3.nn.specs import IMAGE
from gan3.vae_gan import networks
from gan3.vae_gan.codes import ClassNorm
from gan3.vae_gan.config import VaeGanConfig
from gan3.vae_gan.critic import VaeGanCritic
from gan3.vae_gan.generator import VaeGanGenerator
from gan3.vae_gan.train_step import VaeGanStep, normal_to_uniform, reconstruction_loss


class VaeGan:
    """Three networks with the further choices of `VaeGanConfig`, as a `System`."""

    has_classifier = True

    def __init__(self, config: VaeGanConfig, class_names: tuple[str, ...], dtype: str = "float32"):
        self._config, self.class_names = config, class_names
        classes = len(class_names)
        self.noise = Noise(config.noise_draw, config.seed, classes, config.noise_entries)
        init = INITIALIZERS[config.initializer](config.seed)
        self.networks = Triple(
            VaeGanGenerator(
                "generator",
                networks.generator("generator", config, classes),
                init,
                dtype,
                config.noise_entries if config.shared_noise else 0,
            ),
            VaeGanCritic(
                "discriminator",
                networks.critic("discriminator", config, 1),
                init,
                dtype,
                condition_classes=classes if config.class_conditional_discriminator else 0,
            ),
            VaeGanCritic(
                "determinator",
                networks.critic("determinator", config, classes),
                init,
                dtype,
                encoder=networks.encoder(config),
                code_norm=ClassNorm(
                    "determinator/code", (classes, config.noise_entries), config.code_noise
                ),
            ),
        )
        if config.spectral_norm:
            self.networks.discriminator.normalise_spectrally()
        self.optimizers = make_optimizers(config, self.networks, config.beta2)
        # The averaged generator, at first equal to the trained one; or the trained one itself.
        self.sampler = self.networks.generator
        if config.has_own_sampler:
            specs = networks.generator("average", config, classes)
            self.sampler = VaeGanGenerator("average", specs, Glorot(config.seed), dtype)
            merged = self.networks.generator.merged_weights
            for average, weight in zip(self.sampler.weights, merged, strict=True):
                average.assign(weight)
        self.train_step = VaeGanStep(
            config, classes, self.networks, self.optimizers, self.noise, self.sampler
        )

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1 of `labels` [B] from `noise` [B, E], without dropout."""
        return tf.reshape(self.sampler(self.train_step.latent(labels, noise)), [-1, IMAGE, IMAGE])

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """What `ThreeNetworks.evaluate` returns, and the loss of reconstruction by the sampler.

        The discriminator may be given the labels. The codes have no noise.
        """
        noise_seed, _ = tf.unstack(tf.random.split(seed, 2))
        fakes = self.generate(labels, self.noise(labels, noise_seed))[..., None]
        both = tf.concat([images, fakes], axis=0)  # [2B, 28, 28, 1]
        both_labels = tf.concat([labels, labels], axis=0)
        logits = self.networks.discriminator(both, labels=both_labels)
        determinator, sampler = self.networks.determinator, self.sampler
        if determinator.encoder is None:
            digit_logits = determinator(both)  # [2B, K]
        else:
            digit_logits, numbers = determinator.encode(both)
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        scalars = real_fake_scalars(real_logits, fake_logits)
        if self._config.loss != "non_saturating":
            scalars |= adversarial.scalars(real_logits, fake_logits, self._config.loss)
        scalars |= digit_scalars(*tf.split(digit_logits, 2), labels, self._config.digit_loss)
        if determinator.encoder is not None:
            codes = determinator.code_norm(tf.split(numbers, 2)[0], labels)
            hidden = sampler.forward(
                sampler.specs[:-1], self.train_step.latent(labels, normal_to_uniform(codes))
            )
            pixel_logits = tf.cast(sampler.product(sampler.specs[-1], hidden), tf.float32)
            scalars["loss/reconstruction"] = reconstruction_loss(pixel_logits, images)
        return scalars

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The variables of the generator that samples, its running moments included."""
        return self.sampler.variables

    @property
    def encoder_weights(self) -> dict[str, tf.Variable]:
        """The variables of the determinator by name, if it encodes."""
        determinator = self.networks.determinator
        return {} if determinator.encoder is None else determinator.variables

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        weights = [w for network in self.networks for w in network.weights]
        trained = by_name([*weights, *(v for adam in self.optimizers for v in adam.state)])
        of_critics = self.networks.discriminator.variables | self.networks.determinator.variables
        return trained | self.sampler.variables | of_critics
