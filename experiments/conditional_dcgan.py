"""A conditional DCGAN: embedded digits, transposed convolutions, clipped weights.

Published as Handwritten-Number-Generator, in PyTorch, with a trained generator. Digits are
embedded: ten numbers beside the noise, a map of 56 x 56 for the discriminator. N(0, 0.02), scales
N(1, 0.02), embeddings N(0, 1); Adam(2e-4), all of the discriminator's variables clipped to 0.01
before each step, binary cross entropy.

Departures:
1. 200,000 images, as for every system here; `make reproduce ARGS=--full` runs its 25 epochs.
2. Biases of convolutions start at zero, not at PyTorch's small random numbers.
3. Sigmoid and binary cross entropy are one function of the logits, which cannot overflow.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BaselineConfig(
    experiment="conditional_dcgan",
    batch_size=64,
    batches=313,  # 10 x 313 x 64 = 200,320 images
    learning_rate=Pair(2e-4, 2e-4),
    weight_clip=0.01,
)


def build(config: BaselineConfig, dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.networks import ConditionalDiscriminator, ConditionalGenerator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Normal

    init = Normal(config.seed)
    generator = ConditionalGenerator(init, dtype)
    return TwoNetworks(config, generator, ConditionalDiscriminator(init, dtype))
