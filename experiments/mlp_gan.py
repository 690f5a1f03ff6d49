"""Handwritten-digits-generation, unconditional: dense layers and dropout.

Published: PyTorch, unconditional; images scaled to -1..1, tanh, leaky ReLU and dropout, real and
fake loss with label smoothing, one step of each network in turn.

Departures:
1. Its sizes are not given; here they are 784, 128, 64, 32, 1 and 100, 32, 64, 128, 784, slope 0.2,
   dropout 0.3, Adam at 2e-3, smoothing 0.9, noise in -1..1.
2. 200,000 images as everywhere here.
3. Biases start at zero, not at PyTorch's small numbers.
"""

from typing import TYPE_CHECKING

from gan3.core.config import TWO_ADAMS, Config
from gan3.core.triple import Triple

if TYPE_CHECKING:
    from gan3.baselines.train_step import TwoNetworks

CONFIG = Config(
    experiment="mlp_gan",
    learning_rate=Triple(2e-3, 2e-3, 0.001),  # it has no determinator
    beta1=Triple(0.9, 0.9, 0.9),
    keep_prob=Triple(0.7, 0.7, 0.5),
)
HEEDED = (*TWO_ADAMS, "keep_prob.generator", "keep_prob.discriminator")


def build(config: Config, dtype: str) -> "TwoNetworks":
    """The system, computing in `dtype`."""
    from gan3.baselines.networks import DenseDiscriminator, DenseGenerator
    from gan3.baselines.train_step import Practice, TwoNetworks
    from gan3.nn.initializers import FanIn

    config.refuse_others(CONFIG, HEEDED)
    init, keep_prob = FanIn(config.seed), config.keep_prob
    practice = Practice(
        learning_rate=config.learning_rate,
        beta1=config.beta1,
        draw="uniform",
        pixel_min=-1.0,
        real_target=0.9,
    )
    generator = DenseGenerator(init, keep_prob.generator, dtype)
    return TwoNetworks(
        generator, DenseDiscriminator(init, keep_prob.discriminator, dtype), practice
    )
