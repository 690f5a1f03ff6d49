"""GAN-auto-write, unconditional: a convolutional generator with few channels.

Published in 2017: a notebook in TensorFlow 1. The generator makes a map of 56 x 56 and convolves it
down twice; the discriminator is the usual CNN with average-pools, trained on real and on fake
images with an Adam for each. Weights, and the generator's biases, are truncated normal.

Departures:
1. 200,000 images, as for every system here (the notebook's own number is not known), and no warm-up
   of the discriminator.
2. Samples are drawn with running moments; the notebook uses the moments of their own batch.
3. How often its noise is drawn is not known: here for each of the two networks' updates.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BaselineConfig(
    experiment="gan_auto_write",
    batch_size=50,
    batches=400,
    learning_rate=Pair(1e-4, 3e-4),
    discriminator_updates="separate_adams",
)


def build(config: BaselineConfig, dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.networks import AutoWriteDiscriminator, AutoWriteGenerator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import TruncatedNormal

    init = TruncatedNormal(config.seed)
    generator = AutoWriteGenerator(init, dtype)
    return TwoNetworks(config, generator, AutoWriteDiscriminator(init, dtype))
