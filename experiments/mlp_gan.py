"""Handwritten-digits-generation, unconditional: dense layers and dropout.

Source: MNIST_GAN.ipynb by Saeyoung Jeong at commit 00f51bb of
github.com/tooth2/Handwritten-digits-generation (docs/sources.md).

As published: PyTorch's initial weights and biases; images scaled to -1..1, tanh, leaky ReLU of
slope 0.2, dropout of 0.3 in both networks, Adam(2e-3), noise in -1..1, binary cross entropy with
0.9 for real images. Batches have 64 images in the order of the data's file. Each step updates the
discriminator, then the generator with new noise. Digits are drawn without dropout.

Departures:
1. 200,000 images, the budget of docs/results.md; the notebook has 100 epochs. `make reproduce
   ARGS=--full` runs as many steps.
2. All batches have 64 images; there, the last of an epoch has 32.
3. Adam adds its epsilon before it corrects the second moment; PyTorch adds it after that.
4. Other random number generators: the same distributions, not the same numbers.
"""

from typing import TYPE_CHECKING

from gan3.baselines import networks
from gan3.baselines.config import MlpGanConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = MlpGanConfig(
    experiment="mlp_gan",
    batch_size=64,
    batches=313,  # 10 x 313 x 64 = 200,320 images
    shuffle=False,
    learning_rate=Pair(2e-3, 2e-3),
    noise_distribution="uniform",
    real_target=0.9,
    keep_prob=Pair(0.7, 0.7),
)


def build(config: MlpGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import FanIn
    from gan3.nn.network import Network

    init, spec = FanIn(config.seed), networks.mlp_generator(config, class_names)
    generator = Network("generator", spec.specs, init, dtype)
    discriminator = Discriminator(networks.mlp_discriminator(config), init, dtype)
    return TwoNetworks(config, spec, generator, discriminator)


generator = networks.mlp_generator  # that of `build`, for drawing without TensorFlow
