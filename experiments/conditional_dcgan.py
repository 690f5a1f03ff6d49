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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from gan3.baselines.config import BatchNormGanConfig
from gan3.core.config import Range
from gan3.core.triple import Pair
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import BatchNorm, Conv, ConvTranspose, Dense, Label, Specs

if TYPE_CHECKING:
    from gan3.baselines.two_networks import TwoNetworks


@dataclass(frozen=True, kw_only=True)
class ConditionalGanConfig(BatchNormGanConfig):
    """With an embedded class beside the noise."""

    embedding_entries: Annotated[int, Range(1, 1000)] = 10  # numbers for each class


CONFIG = ConditionalGanConfig(
    experiment="conditional_dcgan",
    batch_size=64,
    batches=313,  # 10 x 313 x 64 = 200,320 images
    learning_rate=Pair(2e-4, 2e-4),
    weight_clip=0.01,
    sampling_moments="batch",
)


def generator(config: ConditionalGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Five transposed convolutions of 4 x 4 from noise beside an embedded digit, to (-1, 1)."""
    noise, embedded = config.noise_entries, config.embedding_entries
    specs = (
        Label("generator/digit", noise, len(class_names), embedded, multiplies=False),
        ConvTranspose("generator/conv1", 4, noise + embedded, 50, "relu"),  # [B, 2, 2, 50]
        BatchNorm("generator/norm1", 50),
        ConvTranspose("generator/conv2", 4, 50, 30, "relu"),  # [B, 4, 4, 30]
        BatchNorm("generator/norm2", 30),
        ConvTranspose("generator/conv3", 4, 30, 15, "relu", 1, "VALID"),  # [B, 7, 7, 15]
        BatchNorm("generator/norm3", 15),
        ConvTranspose("generator/conv4", 4, 15, 8, "relu"),  # [B, 14, 14, 8]
        BatchNorm("generator/norm4", 8),
        ConvTranspose("generator/conv5", 4, 8, 1, "tanh"),  # [B, 28, 28, 1]
    )
    distribution, moments = config.noise_distribution, config.sampling_moments
    return GeneratorSpec(specs, True, distribution, class_names, -1.0, moments=moments)


def discriminator() -> tuple[Specs, Specs, Specs]:
    """Image and embedded digit, each through one convolution, then both through four more.

    The last one, 4 x 4 on a map of 4 x 4, is a dense layer. Returns the layers of the image, those
    of the embedded digit's map of 56 x 56, and those of both.
    """
    image = (Conv("discriminator/image", 3, 1, 64, "leaky_relu"),)  # [B, 28, 28, 64]
    digit = (Conv("discriminator/sheet", 4, 1, 64, "leaky_relu", stride=2),)  # [K, 28, 28, 64]
    both = (
        Conv("discriminator/conv1", 4, 128, 256, "leaky_relu", 2, zero_padding=1),
        BatchNorm("discriminator/norm1", 256),  # [B, 14, 14, 256]
        Conv("discriminator/conv2", 4, 256, 512, "leaky_relu", 2, zero_padding=1),
        BatchNorm("discriminator/norm2", 512),  # [B, 7, 7, 512]
        Conv("discriminator/conv3", 4, 512, 1024, "leaky_relu", 2, zero_padding=2),
        BatchNorm("discriminator/norm3", 1024),  # [B, 4, 4, 1024]
        Dense("discriminator/logits", 4 * 4 * 1024, 1),
    )
    return image, digit, both


def build(config: ConditionalGanConfig, class_names: tuple[str, ...], dtype: str) -> "TwoNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.baselines.discriminators import ConditionalDiscriminator
    from gan3.baselines.two_networks import TwoNetworks
    from gan3.nn.initializers import Normal
    from gan3.nn.network import Network

    init, spec = Normal(config.seed), generator(config, class_names)
    generator_network = Network("generator", spec.specs, init, dtype)
    critic = ConditionalDiscriminator(discriminator(), len(class_names), init, dtype)
    return TwoNetworks(config, spec, generator_network, critic)
