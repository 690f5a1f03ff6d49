"""Handwritten-digits-generation, unconditional: dense layers and dropout.

Source: only its text is known (docs/sources.md).

As described: PyTorch, unconditional; images scaled to -1..1, tanh, leaky ReLU and dropout, real and
fake loss with label smoothing, one step of each network alternately.

Departures:
1. Its sizes are not given; here they are 784, 128, 64, 32, 1 and 100, 32, 64, 128, 784, slope 0.2,
   dropout 0.3, Adam at 2e-3, smoothing 0.9, noise in -1..1.
2. 200,000 images, as for every system here.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import MlpGanConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.method.drawing import GeneratorSpec

CONFIG = MlpGanConfig(
    experiment="mlp_gan",
    learning_rate=Pair(2e-3, 2e-3),
    noise_distribution="uniform",
    real_target=0.9,
    keep_prob=Pair(0.7, 0.7),
)


def build(config: MlpGanConfig, dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.networks import DenseDiscriminator, DenseGenerator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import FanIn

    init = FanIn(config.seed)
    generator = DenseGenerator(init, config.keep_prob.generator, dtype)
    discriminator = DenseDiscriminator(init, config.keep_prob.discriminator, dtype)
    return TwoNetworks(config, generator, discriminator)


def dense_generator(config: MlpGanConfig) -> "GeneratorSpec":
    """The generator of `build`, for drawing without TensorFlow."""
    from gan3.baselines.drawing import mlp_generator

    return mlp_generator(config)
