"""0-9-number-generator, unconditional: 200 hidden units, layer normalisation.

Source: train.py and networks.py by ludius0 (now 0xArete) at commit cbbc8da of
github.com/0xArete/0-9-number-generator, branch old_master (docs/sources.md).

As published: PyTorch's initial weights and biases; leaky ReLU of slope 0.02; Adam(1e-4) for both
networks; binary cross entropy; one image in each step, in the order of the data's file, the same
order in each of the eight epochs. A step is three updates: the discriminator on the real image, the
discriminator on a fake, the generator on another fake.

Departures:
1. Sigmoid and binary cross entropy are one function of the logits, which cannot overflow.
2. Adam adds its epsilon before it corrects the second moment; PyTorch adds it after that.
3. Other random number generators: the same distributions, not the same numbers.
"""

from typing import TYPE_CHECKING

from gan3.baselines.config import BaselineConfig
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import PIXELS, Dense, Specs

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = BaselineConfig(
    experiment="layernorm_gan",
    episodes=8,
    batches=60_000,
    batch_size=1,
    shuffle=False,
    learning_rate=Pair(1e-4, 1e-4),
    discriminator_updates="separate",
    # A step takes about a millisecond.
    steps_per_call=500,
    log_every=1_000,
    checkpoint_every=10_000,
    frame_every=3_000,
)


def generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """One hidden layer of 200, leaky ReLU and layer normalisation, to (0, 1)."""
    norm = "generator/norm"
    specs = (
        Dense("generator/hidden", config.noise_entries, 200, "slight_leak", layer_norm=norm),
        Dense("generator/pixels", 200, PIXELS, "sigmoid"),
    )
    return GeneratorSpec(specs, False, config.noise_distribution, class_names)


def discriminator() -> Specs:
    """The generator's mirror."""
    norm = "discriminator/norm"
    return (
        Dense("discriminator/hidden", PIXELS, 200, "slight_leak", layer_norm=norm),
        Dense("discriminator/logits", 200, 1),
    )


def build(config: BaselineConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import Discriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import FanIn
    from gan3.nn.network import Network

    init, spec = FanIn(config.seed), generator(config, class_names)
    generator_network = Network("generator", spec.specs, init, dtype)
    critic = Discriminator(discriminator(), init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
