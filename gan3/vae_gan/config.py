"""Settings of the three networks with an autoencoder joined to the GAN: `best` and its kin."""

from dataclasses import dataclass
from typing import Annotated, Literal

from gan3.core.config import LossWeight, Range, Sizes
from gan3.method.config import AdversarialConfig, ThreeNetworkConfig

GeneratorWidths = Annotated[tuple[int, ...], Sizes(1, 8)]  # hidden layers
CriticWidths = Annotated[tuple[int, ...], Sizes(2, 5)]  # convolution channels, then a dense layer


@dataclass(frozen=True, kw_only=True)
class VaeGanConfig(ThreeNetworkConfig, AdversarialConfig):
    """With these defaults the system is that of `ThreeNetworkConfig`, bit for bit."""

    # Networks
    generator_widths: GeneratorWidths = (100, 500, 784)
    discriminator_widths: CriticWidths = (32, 64, 1024)
    determinator_widths: CriticWidths = (32, 64, 1024)
    kernel_size: Annotated[int, Range(1, 28)] = 5  # side of the critics' kernels
    downsampling: Literal["pool", "stride"] = "pool"  # in the critics
    batch_norm: bool = False  # in the generator
    # Channels of 7 x 7 places, and of transposed convolutions between these and the pixels. With
    # none the pixels come from a dense layer.
    generator_channels: Annotated[tuple[int, ...], Sizes(0, 2)] = ()
    noise_entries: Annotated[int, Range(1, 100)] = 10  # numbers for each class
    # The generator's first layer has weights of the noise that all classes share, besides those of
    # each class, and an entry of the latent says the class.
    shared_noise: bool = False
    class_conditional_discriminator: bool = False  # it is given the requested digit

    # The VAE: the determinator encodes, the generator decodes
    reconstruction_weight: LossWeight = 0.0  # per nat; 0: the determinator only classifies
    code_noise: Annotated[float, Range(0, 1)] = 0.1  # part of the codes' variance of 1
    reconstruction_adversarial_weight: LossWeight = 0.0  # reconstructed images must pass as real

    # Schedule and averaging
    beta2: Annotated[float, Range(0, 0.99999)] = 0.999  # the same in all three Adams
    ema_decay: Annotated[float, Range(0, 0.99999)] = 0.0  # per step; 0: no averaged generator
    lr_decay_start: Annotated[float, Range(0, 1)] = 1.0  # fraction of the schedule; 1: no decay

    @property
    def depends_on_total_steps(self) -> bool:
        """Whether the learning rates fall."""
        return self.lr_decay_start < 1

    @property
    def has_own_sampler(self) -> bool:
        """Whether samples are drawn by another generator than the one that is trained."""
        return self.ema_decay > 0 or self.shared_noise
