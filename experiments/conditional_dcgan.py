"""A conditional DCGAN: embedded digits, transposed convolutions, clipped weights.

Published as Handwritten-Number-Generator, in PyTorch, with a trained generator. Digits are
embedded: ten numbers beside the noise, a sheet of 56 x 56 for the discriminator. N(0, 0.02), scales
N(1, 0.02), embeddings N(0, 1); Adam(2e-4), all of the discriminator's variables clipped to 0.01
before each step, binary cross entropy.

Departures:
1. 200,000 images as everywhere here; `make reproduce ARGS=--full` has its 25 epochs.
2. Biases of convolutions start at zero, not at PyTorch's small numbers.
3. Sigmoid and binary cross entropy are one function of the logits, which cannot overflow.
"""

from typing import TYPE_CHECKING

from gan3.core.config import TWO_ADAMS, Config
from gan3.core.triple import Triple

if TYPE_CHECKING:
    from gan3.baselines.train_step import TwoNetworks

CONFIG = Config(
    experiment="conditional_dcgan",
    batch_size=64,
    batches=313,  # 10 x 313 x 64 = 200,320 images
    learning_rate=Triple(2e-4, 2e-4, 0.001),  # it has no determinator
    beta1=Triple(0.9, 0.9, 0.9),
)
HEEDED = TWO_ADAMS


def build(config: Config, dtype: str) -> "TwoNetworks":
    """The system, computing in `dtype`."""
    from gan3.baselines.networks import ConditionalDiscriminator, ConditionalGenerator
    from gan3.baselines.train_step import Practice, TwoNetworks
    from gan3.nn.initializers import Normal

    config.refuse_others(CONFIG, HEEDED)
    init = Normal(config.seed)
    practice = Practice(
        learning_rate=config.learning_rate,
        beta1=config.beta1,
        pixel_min=-1.0,
        class_conditional=True,
        own_labels=True,
        clip=0.01,
    )
    networks = ConditionalGenerator(init, dtype), ConditionalDiscriminator(init, dtype)
    return TwoNetworks(*networks, practice)
