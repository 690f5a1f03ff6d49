"""GAN-auto-write (2017), unconditional: a small convolutional generator.

Source: auto_write.ipynb by Aalind Singh at commit 435ad39 of github.com/aalind0/GAN-auto-write, a
notebook in TensorFlow 1. It is a shortened copy of a tutorial by Jon Bruner and Adit Deshpande, and
loads the tutorial's trained weights. How those were trained is read from the graph beside them and
from the tutorial's forerunner, EZGAN.ipynb at commit 1fbcc71 of github.com/jonbruner/ezgan
(docs/sources.md).

As published: the generator makes a map of 56 x 56 and convolves it down twice; the discriminator is
the usual CNN with average-pools, trained on real images (their target is 0.9) and on fakes with an
Adam for each. Weights, and the generator's biases, are truncated normal. The generator's
normalisations have no scale. They have shifts, but the notebook picks the variables it trains by
the letters "g_", which the names of the shifts lack, so they stay zero. Digits are drawn with the
moments of their own batch, because that is the default of the notebook's batch normalisation;
`evaluate --moments running` scores the other way. The first 5,000 training images are left out,
as TensorFlow's reader does.

An iteration trains the discriminator on fakes only while its loss on them is above 0.6, then the
generator only while its loss is above 0.5, then the discriminator on real images only while its
loss on them is above 0.45. Without this rule, with `discriminator_updates = "separate_adams"`,
every iteration makes every update, as in the tutorial from June 2017 on; that draws no digit
(docs/results.md).

Departures:
1. 200,000 images, the budget of docs/results.md: 4,000 iterations. The forerunner has 50,000, as
   `make reproduce ARGS=--full` does.
2. Noise is normal, as the notebook draws it. The forerunner trains with a truncated normal.
"""

from typing import TYPE_CHECKING

from gan3.baselines import networks
from gan3.baselines.config import BatchNormGanConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BatchNormGanConfig(
    experiment="gan_auto_write",
    batch_size=50,
    batches=400,
    skip_first=5_000,
    learning_rate=Pair(1e-4, 3e-4),
    discriminator_updates="by_loss",
    real_target=0.9,
    sampling_moments="batch",
)


def build(config: BatchNormGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import TruncatedNormal
    from gan3.nn.network import Network

    init, spec = TruncatedNormal(config.seed), networks.auto_write_generator(config, class_names)
    generator = Network("generator", spec.specs, init, dtype)
    discriminator = Discriminator(networks.auto_write_discriminator(), init, dtype)
    return TwoNetworks(config, spec, generator, discriminator)


generator = networks.auto_write_generator  # that of `build`, for drawing without TensorFlow
