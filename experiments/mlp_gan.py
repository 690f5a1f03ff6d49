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

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.config import KeepProb
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import PIXELS, Specs, stack

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks


@dataclass(frozen=True, kw_only=True)
class MlpGanConfig(BaselineConfig):
    """With dropout in both networks."""

    keep_prob: Pair[KeepProb]


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


def generator(config: MlpGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Hidden layers 32, 64, 128 with leaky ReLU and dropout, to (-1, 1)."""
    widths = (config.noise_entries, 32, 64, 128, PIXELS)
    specs = stack("generator", widths, "leaky_relu", "tanh", keep_prob=config.keep_prob.generator)
    return GeneratorSpec(specs, False, config.noise_distribution, class_names, -1.0)


def discriminator(config: MlpGanConfig) -> Specs:
    """The generator's mirror: hidden layers 128, 64, 32."""
    widths, keep_prob = (PIXELS, 128, 64, 32, 1), config.keep_prob.discriminator
    return stack("discriminator", widths, "leaky_relu", "none", keep_prob=keep_prob, last="logits")


def build(config: MlpGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import FanIn
    from gan3.nn.network import Network

    init, spec = FanIn(config.seed), generator(config, class_names)
    generator_network = Network("generator", spec.specs, init, dtype)
    critic = Discriminator(discriminator(config), init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
