"""GAN-auto-write (2017), unconditional: a convolutional generator, few channels.

Published: a notebook in TensorFlow 1. The generator makes a sheet of 56 x 56 and convolves it down
twice; the discriminator is the usual CNN with average-pools, trained on real and on fake images by
an Adam each. Truncated normal weights, and biases of the generator.

Departures:
1. 200,000 images as everywhere here (the notebook's own count is not known), no warm-up of the
   discriminator.
2. Digits are drawn with the averages of training's moments; the notebook takes their batch's own.
3. Where its noise is drawn anew is not known: here for each of the two networks' updates.
"""

from typing import TYPE_CHECKING

from gan3.core.config import TWO_ADAMS, Config
from gan3.core.triple import Triple

if TYPE_CHECKING:
    from gan3.baselines.train_step import TwoNetworks

CONFIG = Config(
    experiment="gan_auto_write",
    batch_size=50,
    batches=400,
    learning_rate=Triple(1e-4, 3e-4, 0.001),  # it has no determinator
    beta1=Triple(0.9, 0.9, 0.9),
)
HEEDED = TWO_ADAMS


def build(config: Config, dtype: str) -> "TwoNetworks":
    """The system, computing in `dtype`."""
    from gan3.baselines.networks import AutoWriteDiscriminator, AutoWriteGenerator
    from gan3.baselines.train_step import Practice, TwoNetworks
    from gan3.nn.initializers import TruncatedNormal

    config.refuse_others(CONFIG, HEEDED)
    init = TruncatedNormal(config.seed)
    practice = Practice(
        learning_rate=config.learning_rate,
        beta1=config.beta1,
        updates="two, an Adam each",
    )
    networks = AutoWriteGenerator(init, dtype), AutoWriteDiscriminator(init, dtype)
    return TwoNetworks(*networks, practice)
