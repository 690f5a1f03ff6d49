"""AC-GAN (Odena et al. 2017): two networks, the class head on the discriminator.

The literature's usual way to draw a requested digit (docs/sources.md). Networks and settings are
those of the common MNIST example: an embedded digit times the noise, transposed convolutions of
5 x 5, four convolutions of 3 x 3 with dropout, Adam(2e-4, beta1 0.5), real targets of 0.95, and a
class head that learns from real images only, with twice the weight.

Departures:
1. The paper's class head also learns from fakes; the example's, and this one, do not.
2. In the generator's update the example draws two fakes for each real image; here it is one, and
   200,000 images in all.
3. Weights have Glorot's uniform distribution; the example's embedding and transposed convolutions
   have the normal one of the same deviation.
4. Real and fake loss are added; the example takes the mean over both kinds in one batch.
5. The generator's target is 1; the example's is .95, as for real images.
6. Batch normalisation adds 1e-5 to the variance and its running moments move by a tenth; in the
   example, by Keras' defaults, 1e-3 and a hundredth.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import AuxiliaryGanConfig
from gan3.core.triple import Pair
from gan3.nn.declared import DeterminatorSpec, GeneratorSpec
from gan3.nn.specs import BatchNorm, Conv, ConvTranspose, Dense, Label, Specs

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = AuxiliaryGanConfig(
    experiment="auxiliary_gan",
    learning_rate=Pair(2e-4, 2e-4),
    beta1=Pair(0.5, 0.5),
    noise_distribution="uniform",
    real_target=0.95,
    discriminator_keep_prob=0.7,
    class_weight=2.0,
)


def generator(config: AuxiliaryGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Noise times an embedded digit, a dense layer, three transposed convolutions, to (-1, 1)."""
    noise = config.noise_entries
    specs = (
        Label("generator/digit", noise, len(class_names), noise, multiplies=True),  # [B, noise]
        Dense("generator/sheet", noise, 3 * 3 * 384, "relu"),
        ConvTranspose("generator/conv1", 5, 384, 192, "relu", 1, "VALID"),  # [B, 7, 7, 192]
        BatchNorm("generator/norm1", 192),
        ConvTranspose("generator/conv2", 5, 192, 96, "relu"),  # [B, 14, 14, 96]
        BatchNorm("generator/norm2", 96),
        ConvTranspose("generator/pixels", 5, 96, 1, "tanh"),  # [B, 28, 28, 1]
    )
    distribution, moments = config.noise_distribution, config.sampling_moments
    return GeneratorSpec(specs, True, distribution, class_names, -1.0, moments=moments)


def discriminator(config: AuxiliaryGanConfig, classes: int) -> Specs:
    """Four convolutions of 3 x 3 with dropout, and two heads: real or not, and which class."""
    keep_prob, leaky = config.discriminator_keep_prob, "leaky_relu"
    return (
        Conv("discriminator/conv1", 3, 1, 32, leaky, 2, keep_prob=keep_prob),  # [B, 14, 14, 32]
        Conv("discriminator/conv2", 3, 32, 64, leaky, keep_prob=keep_prob),  # [B, 14, 14, 64]
        Conv("discriminator/conv3", 3, 64, 128, leaky, 2, keep_prob=keep_prob),  # [B, 7, 7, 128]
        Conv("discriminator/conv4", 3, 128, 256, leaky, keep_prob=keep_prob),  # [B, 7, 7, 256]
        Dense("discriminator/logits", 7 * 7 * 256, 1),
        Dense("discriminator/digits", 7 * 7 * 256, classes),
    )


def determinator(config: AuxiliaryGanConfig, class_names: tuple[str, ...]) -> DeterminatorSpec:
    """The class head, for reading without TensorFlow."""
    *trunk, _, digits = discriminator(config, len(class_names))
    return DeterminatorSpec(tuple(trunk), digits, class_names, pixel_min=-1.0)


def build(config: AuxiliaryGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import AuxiliaryDiscriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Glorot
    from gan3.nn.network import Network

    init, spec = Glorot(config.seed), generator(config, class_names)
    specs = discriminator(config, len(class_names))
    critic = AuxiliaryDiscriminator(specs, init, dtype)
    generator_network = Network("generator", spec.specs, init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
