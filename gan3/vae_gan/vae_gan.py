"""The three networks with an autoencoder joined to the GAN, as a system."""

from functools import cached_property

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.triple import Triple
from gan3.method.networks import by_name
from gan3.method.three_networks import ThreeNetworks
from gan3.nn.initializers import Glorot, Initializer
from gan3.nn.specs import PLACES
from gan3.vae_gan.codes import ClassNorm
from gan3.vae_gan.config import VaeGanConfig
from gan3.vae_gan.networks import VaeGanCritic, VaeGanGenerator
from gan3.vae_gan.train_step import VaeGanStep


class VaeGan(ThreeNetworks):
    """Three networks with the further choices of `VaeGanConfig`."""

    _config: VaeGanConfig

    def __init__(self, config: VaeGanConfig, class_names: tuple[str, ...], dtype: str = "float32"):
        """Raises UserError for keys that do not fit together."""
        if config.reconstruction_adversarial_weight and not config.reconstruction_weight:
            raise UserError(
                "config key reconstruction_adversarial_weight: needs a reconstruction_weight above"
                " 0, without it nothing is reconstructed"
            )
        width = config.generator_widths[-1]
        if config.pixel_layer == "conv_transpose" and width % PLACES**2:
            raise UserError(
                f"config key generator_widths: the last one is {width}; with the pixel_layer"
                f" conv_transpose it must be a multiple of {PLACES**2}, for {PLACES} x {PLACES}"
                " places"
            )
        self._dtype = dtype
        super().__init__(config, class_names, dtype)

    def _make_networks(self, init: Initializer, dtype: str) -> Triple:
        config, activation = self._config, self._config.activation
        is_given_labels = config.class_conditional_discriminator
        shape = (config.kernel_size, config.downsampling)
        return Triple(
            VaeGanGenerator(init, config, self._classes, dtype),
            VaeGanCritic(
                *("discriminator", 1, init, config.discriminator_widths, *shape),
                activation.discriminator,
                condition_classes=self._classes if is_given_labels else 0,
                dtype=dtype,
            ),
            VaeGanCritic(
                *("determinator", self._classes, init, config.determinator_widths, *shape),
                activation.determinator,
                code_norm=self._code_norm(),
                dtype=dtype,
            ),
        )

    def _code_norm(self) -> ClassNorm | None:
        """The normalisation of the determinator's codes, if it encodes."""
        config = self._config
        if not config.reconstruction_weight:
            return None
        return ClassNorm("determinator/code", self._classes, config.code_noise)

    def _make_step(self) -> VaeGanStep:
        return VaeGanStep(
            self._config,
            self._classes,
            self.networks,
            self.optimizers,
            self._noise,
            self.sampler,
        )

    @cached_property
    def sampler(self) -> VaeGanGenerator:
        """The averaged generator, at first equal to the trained one; or the trained one itself."""
        config, trained = self._config, self.networks.generator
        if not config.has_own_sampler:
            return trained
        average = VaeGanGenerator(
            Glorot(config.seed), config, self._classes, self._dtype, name="average", is_merged=True
        )
        for mean, weight in zip(average.weights, trained.merged_weights, strict=True):
            mean.assign(weight)
        return average

    def discriminator_logits(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Real/fake logits [B, 1] without dropout of images that should show `labels` [B]."""
        return self.networks.discriminator(images, labels=labels)

    @property
    def label_entry(self) -> bool:
        """Whether a class owns one more entry of the latent, which is 1 if it is requested."""
        return self._config.shared_noise

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """The variables of the generator that samples, its running moments included."""
        return by_name(self.sampler.saved)

    @property
    def encoder_weights(self) -> dict[str, tf.Variable]:
        """The variables of the determinator by name, if it encodes."""
        determinator = self.networks.determinator
        return {} if determinator.encoder is None else by_name(determinator.saved)

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All variables by name."""
        determinator = self.networks.determinator
        return super().state | self.generator_weights | by_name(determinator.saved)
