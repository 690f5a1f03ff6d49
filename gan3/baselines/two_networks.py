"""A generator and a discriminator as a system: how they are sampled, evaluated and saved."""

import tensorflow as tf

from gan3.baselines.config import BaselineConfig
from gan3.baselines.discriminators import Discriminator
from gan3.baselines.train_step import TwoNetworkStep, draw_noise, to_pixel_range
from gan3.core.errors import UserError
from gan3.method import adversarial
from gan3.method.system import Scalars, System
from gan3.method.three_networks import digit_scalars, real_fake_scalars
from gan3.nn.adam import Adam
from gan3.nn.declared import GeneratorSpec
from gan3.nn.network import Network, by_name
from gan3.nn.specs import IMAGE


class TwoNetworks(System):
    """A two-network GAN as a `System`."""

    def __init__(
        self,
        config: BaselineConfig,
        spec: GeneratorSpec,
        generator: Network,
        discriminator: Discriminator,
    ):
        """spec: of the generator. Raises UserError for settings that do not fit together."""
        _check(config, spec, discriminator)
        self.spec, self.class_names, self._loss = spec, spec.class_names, config.loss
        self.generator, self.discriminator = generator, discriminator
        self.has_classifier = discriminator.has_classifier
        if config.spectral_norm:
            discriminator.normalise_spectrally()
        networks = {"generator": generator, "discriminator": discriminator}
        if config.discriminator_updates in ("separate_adams", "by_loss"):
            networks["discriminator_fake"] = discriminator
        adams = {}
        for name, network in networks.items():
            rate = getattr(config.learning_rate, network.name)
            beta1 = getattr(config.beta1, network.name)
            adams[name] = Adam(network.weights, rate, beta1, f"adam/{name}")
        self.optimizers = tuple(adams.values())
        generator.own_moments = spec.moments == "batch"
        self.train_step = TwoNetworkStep(config, spec, generator, discriminator, adams)

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """[B, E], fresh for each image: a function of `seed` [2]."""
        return draw_noise(self.spec, labels, seed)

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1; of `labels` [B] if the system is class-conditional."""
        soft_labels = tf.one_hot(labels, len(self.class_names))
        pixels = self.generator(noise, soft_labels=soft_labels)
        images = tf.reshape(pixels, [-1, IMAGE, IMAGE])
        return (images - self.spec.pixel_min) / (1 - self.spec.pixel_min)

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """Losses and accuracies in 0..1, without dropout, label smoothing and penalties."""
        fakes = self.generate(labels, self.noise(labels, seed))[..., None]
        both = tf.concat([images, fakes], axis=0)  # [2B, 28, 28, 1]
        both = to_pixel_range(both, self.spec.pixel_min)
        both_labels = tf.concat([labels, labels], axis=0)
        logits, digit_logits = self.discriminator.heads(both, both_labels)
        real_logits, fake_logits = tf.split(logits, 2)  # [B, 1] each
        scalars = real_fake_scalars(real_logits, fake_logits)
        scalars |= adversarial.scalars(real_logits, fake_logits, self._loss)
        if digit_logits is not None:
            scalars |= digit_scalars(*tf.split(digit_logits, 2), labels, "softmax_mean")
        return scalars

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The generator's variables by name, its running moments included."""
        return self.generator.variables

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        adams = by_name([v for adam in self.optimizers for v in adam.state])
        last_losses = by_name(list(self.train_step.last_losses.values()))
        return self.generator.variables | self.discriminator.variables | adams | last_losses


_THRESHOLDS = ("fake_threshold", "generator_threshold", "real_threshold")


def _check(config: BaselineConfig, spec: GeneratorSpec, discriminator: Discriminator) -> None:
    if spec.noise_entries != config.noise_entries:
        raise UserError(f"noise_entries: this generator takes {spec.noise_entries}; set it to that")
    is_other = config.loss != "non_saturating"
    has_penalty = config.gradient_penalty or config.r1_penalty
    if (is_other or has_penalty) and config.discriminator_updates != "joint":
        raise UserError(
            "discriminator_updates: other losses and penalties are of one update on all images; use"
            ' "joint"'
        )
    changed = [key for key in _THRESHOLDS if getattr(config, key) != getattr(BaselineConfig, key)]
    if changed and config.discriminator_updates != "by_loss":
        raise UserError(f'{changed[0]}: only with discriminator_updates "by_loss"; leave it out')
    has_running_moments = len(discriminator.variables) > len(discriminator.weights)
    if has_penalty and has_running_moments:
        raise UserError(
            "gradient_penalty, r1_penalty: a discriminator with batch normalisation does not judge"
            " each image alone; set them to 0"
        )
    if is_other and config.real_target != 1:
        raise UserError(f"real_target: {config.loss} has no targets; set it to 1")
