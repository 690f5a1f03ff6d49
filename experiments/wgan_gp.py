"""A Wasserstein GAN with gradient penalty, unconditional: dense layers.

Source: Gulrajani et al. 2017 (arXiv 1704.00028), algorithm 1, for its loss; the networks are small
ones of this project. `gan3.method.adversarial` has the formula, and others to try:
`gan3 train --experiment wgan_gp --set loss=hinge --set gradient_penalty=0`, for example.

Departures:
1. One update of the critic for each of the generator, not five: the critic's learning rate is
   higher instead (Heusel et al. 2017).
2. Adam's second moment has a rate of 0.999 as everywhere here, not 0.9, and the first 0.5, not 0.
"""

from typing import TYPE_CHECKING

from gan3.baselines import networks
from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BaselineConfig(
    experiment="wgan_gp",
    batch_size=64,
    batches=1_000,
    learning_rate=Pair(2e-4, 5e-4),
    beta1=Pair(0.5, 0.5),
    loss="wasserstein",
    gradient_penalty=10.0,
)


def build(config: BaselineConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Glorot
    from gan3.nn.network import Network

    init, spec = Glorot(config.seed), networks.wasserstein_generator(config, class_names)
    generator = Network("generator", spec.specs, init, dtype)
    discriminator = Discriminator(networks.wasserstein_critic(), init, dtype)
    return TwoNetworks(config, spec, generator, discriminator)


generator = networks.wasserstein_generator  # that of `build`, for drawing without TensorFlow
