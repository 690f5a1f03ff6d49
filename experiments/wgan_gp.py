"""A Wasserstein GAN with gradient penalty, unconditional: dense layers.

Source: Gulrajani et al. 2017 (arXiv 1704.00028), algorithm 1, for its loss; the networks are small
ones of this project. `gan3.method.adversarial` has the formula, and others to try:
`gan3 train --experiment wgan_gp --set loss=hinge --set gradient_penalty=0`, for example.

Departures:
1. One update of the critic for each of the generator, not five: the critic's learning rate is
   higher instead (Heusel et al. 2017).
2. Adam's second moment has a rate of 0.999, as in all two-network systems here, not 0.9, and the
   first 0.5, not 0.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import PIXELS, Specs, stack

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


def generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Hidden layers of 256 and 512 with batch normalisation and ReLU, to (0, 1)."""
    widths = (config.noise_entries, 256, 512, PIXELS)
    specs = stack("generator", widths, "relu", "sigmoid", batch_norm=True)
    return GeneratorSpec(specs, False, config.noise_distribution, class_names)


def discriminator() -> Specs:
    """Hidden layers of 512 and 256; normalised by nothing, because each image is judged alone."""
    return stack("discriminator", (PIXELS, 512, 256, 1), "leaky_relu", "none", last="logits")


def build(config: BaselineConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Glorot
    from gan3.nn.network import Network

    init, spec = Glorot(config.seed), generator(config, class_names)
    generator_network = Network("generator", spec.specs, init, dtype)
    critic = Discriminator(discriminator(), init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
