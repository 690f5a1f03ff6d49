"""0-9-number-generator, unconditional: 200 hidden units, layer normalisation.

Published: PyTorch, unconditional; 200 hidden units, leaky ReLU of slope 0.02, binary cross entropy,
the discriminator's step on real images, then that on fakes, then the generator's.

Departures:
1. Adam's rate is not given: 1e-4 here, chosen before anything was trained.
2. A real image is followed by a fake one there; here a batch of 100 by a batch of 100.
3. 200,000 images as everywhere here; its eight epochs are 480,000 (`make reproduce ARGS=--full`).
4. Biases start at zero, not at PyTorch's small numbers.
"""

from typing import TYPE_CHECKING

from gan3.core.config import TWO_ADAMS, Config
from gan3.core.triple import Triple

if TYPE_CHECKING:
    from gan3.baselines.train_step import TwoNetworks

CONFIG = Config(
    experiment="layernorm_gan",
    learning_rate=Triple(1e-4, 1e-4, 0.001),  # it has no determinator
    beta1=Triple(0.9, 0.9, 0.9),
)
HEEDED = TWO_ADAMS


def build(config: Config, dtype: str) -> "TwoNetworks":
    """The system, computing in `dtype`."""
    from gan3.baselines.networks import LayerNormDiscriminator, LayerNormGenerator
    from gan3.baselines.train_step import Practice, TwoNetworks
    from gan3.nn.initializers import FanIn

    config.refuse_others(CONFIG, HEEDED)
    init = FanIn(config.seed)
    practice = Practice(learning_rate=config.learning_rate, beta1=config.beta1, updates="two")
    networks = LayerNormGenerator(init, dtype), LayerNormDiscriminator(init, dtype)
    return TwoNetworks(*networks, practice)
