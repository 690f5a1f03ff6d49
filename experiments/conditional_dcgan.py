"""A conditional DCGAN: embedded digits, transposed convolutions, clipped weights.

Source: train.py, models.py and generate_number.py by Umer Javed at commit f8f9ee7 of
github.com/u7javed/Handwritten-Number-Generator (docs/sources.md), in PyTorch, with a trained
generator.

As published: ten numbers of an embedded digit beside the noise, a map of 56 x 56 for the
discriminator. Kernels N(0, 0.02), scales N(1, 0.02), embeddings N(0, 1), biases by PyTorch's
default; Adam(2e-4), all of the discriminator's variables clipped to 0.01 before each step, binary
cross entropy, uniform digits for the fakes. Digits are drawn with the moments of their own batch,
because the code never leaves training mode; `evaluate --moments running` scores the other way.
The code draws batches of ten for its grids and one batch for a number, as `generate` does; `sample`
and `evaluate` draw batches of 500.

Departures:
1. 200,000 images, the budget of docs/results.md. The code runs 200 epochs, whatever number it is
   given; its pictures are of the first 26, and most digits are readable from number 7 on.
   `make reproduce ARGS=--full` runs 26. A step is 0.3 TFLOP, nearly all of it in the
   discriminator's last three 4 x 4 convolutions: on two cores with AVX512-BF16 one second in
   bfloat16, two in float32.
2. All batches have 64 images; there, the last of an epoch has 32.
3. Sigmoid and binary cross entropy are one function of the logits, which cannot overflow.
4. Adam adds its epsilon before it corrects the second moment; PyTorch adds it after that.
5. The running variances are means of the batches' own; PyTorch's are n / (n - 1) times as large,
   where n is at least 64 x 2 x 2. Only `--moments running` uses them.
"""

from typing import TYPE_CHECKING

from gan3.baselines import networks
from gan3.baselines.config import ConditionalGanConfig
from gan3.core.triple import Pair

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks

CONFIG = ConditionalGanConfig(
    experiment="conditional_dcgan",
    batch_size=64,
    batches=313,  # 10 x 313 x 64 = 200,320 images
    learning_rate=Pair(2e-4, 2e-4),
    weight_clip=0.01,
    sampling_moments="batch",
)


def build(config: ConditionalGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import ConditionalDiscriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Normal
    from gan3.nn.network import Network

    init, spec = Normal(config.seed), networks.conditional_generator(config, class_names)
    generator = Network("generator", spec.specs, init, dtype)
    discriminator = ConditionalDiscriminator(len(class_names), init, dtype)
    return TwoNetworks(config, spec, generator, discriminator)


generator = networks.conditional_generator  # that of `build`, for drawing without TensorFlow
