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

from gan3.baselines import networks
from gan3.baselines.config import AuxiliaryGanConfig
from gan3.core.triple import Pair

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


def build(config: AuxiliaryGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import AuxiliaryDiscriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Glorot
    from gan3.nn.network import Network

    init, spec = Glorot(config.seed), networks.auxiliary_generator(config, class_names)
    specs = networks.auxiliary_discriminator(config, len(class_names))
    discriminator = AuxiliaryDiscriminator(specs, init, dtype)
    generator = Network("generator", spec.specs, init, dtype)
    return TwoNetworks(config, spec, generator, discriminator)


generator = networks.auxiliary_generator  # that of `build`, for drawing without TensorFlow
