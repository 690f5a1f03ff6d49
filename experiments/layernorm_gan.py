"""0-9-number-generator, unconditional: 200 hidden units, layer normalisation.

Published: PyTorch, unconditional; 200 hidden units, leaky ReLU of slope 0.02, binary cross entropy,
the discriminator's step on real images, then the one on fakes, then the generator's.

Departures:
1. Adam's rate is not given: 1e-4 here, chosen before anything was trained.
2. There a real image is followed by a fake one; here a batch of 100 by a batch of 100.
3. 200,000 images, as for every system here; its eight epochs are 480,000 (`make reproduce
   ARGS=--full`).
4. Biases start at zero, not at PyTorch's small random numbers.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BaselineConfig(
    experiment="layernorm_gan",
    learning_rate=Pair(1e-4, 1e-4),
    discriminator_updates="separate",
)


def build(config: BaselineConfig, dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.networks import LayerNormDiscriminator, LayerNormGenerator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import FanIn

    init = FanIn(config.seed)
    generator = LayerNormGenerator(init, dtype)
    return TwoNetworks(config, generator, LayerNormDiscriminator(init, dtype))
