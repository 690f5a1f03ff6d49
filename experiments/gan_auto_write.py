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

from gan3.baselines.config import BatchNormGanConfig
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import AveragePool, BatchNorm, Conv, Dense, Specs, Upsample

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


def generator(config: BatchNormGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """A sheet of 56 x 56, convolved to half the side, upsampled and convolved again, to (0, 1).

    The notebook upsamples before its last convolution, too. That one has a kernel of 1 x 1 and a
    stride of 2, so it reads every second pixel: those from before. Both steps are left out here.
    The notebook's normalisations have no scale, and a shift that is zero and not among the
    variables that it trains; so there is neither here.
    """
    specs = (
        Dense("generator/sheet", config.noise_entries, 56 * 56),
        BatchNorm("generator/norm0", 1, "relu", affine=False),  # [B, 56, 56, 1]
        Conv("generator/conv1", 3, 1, 50, stride=2),  # [B, 28, 28, 50]
        BatchNorm("generator/norm1", 50, "relu", affine=False),
        Upsample(),  # [B, 56, 56, 50]
        Conv("generator/conv2", 3, 50, 25, stride=2),  # [B, 28, 28, 25]
        BatchNorm("generator/norm2", 25, "relu", affine=False),
        Conv("generator/pixels", 1, 25, 1, "sigmoid"),  # [B, 28, 28, 1]
    )
    distribution, moments = config.noise_distribution, config.sampling_moments
    return GeneratorSpec(specs, False, distribution, class_names, moments=moments)


def discriminator() -> Specs:
    """Two convolutions of 5 x 5 with average-pools and a dense layer of 1024."""
    return (
        Conv("discriminator/conv1", 5, 1, 32, "relu"),  # [B, 28, 28, 32]
        AveragePool(),  # [B, 14, 14, 32]
        Conv("discriminator/conv2", 5, 32, 64, "relu"),  # [B, 14, 14, 64]
        AveragePool(),  # [B, 7, 7, 64]
        Dense("discriminator/hidden", 7 * 7 * 64, 1024, "relu"),
        Dense("discriminator/logits", 1024, 1),
    )


def build(config: BatchNormGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import TruncatedNormal
    from gan3.nn.network import Network

    init, spec = TruncatedNormal(config.seed), generator(config, class_names)
    generator_network = Network("generator", spec.specs, init, dtype)
    critic = Discriminator(discriminator(), init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
