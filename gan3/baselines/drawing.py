"""The two-network generators as lists of layers, and what a trained one is."""

from gan3.baselines.config import BaselineConfig, BatchNormGanConfig
from gan3.method.drawing import PIXELS, GeneratorSpec
from gan3.nn.specs import (
    BatchNormSpec,
    ConvSpec,
    ConvTransposeSpec,
    DenseSpec,
    LabelSpec,
    Specs,
    UpsampleSpec,
    stack,
)

NOISE = 100  # entries of a generator's noise
MLP_WIDTHS = (32, 64, 128)  # hidden layers of mlp_gan's generator
_HIDDEN = 200  # units of layernorm_gan
DCGAN_WIDTHS = (NOISE + 10, 50, 30, 15, 8, 1)  # channels of conditional_dcgan's generator


def mlp_generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator of mlp_gan."""
    specs = stack("generator", (NOISE, *MLP_WIDTHS, PIXELS), "leaky_relu", "tanh")
    return GeneratorSpec(specs, False, config.noise_distribution, class_names, pixel_min=-1.0)


def layernorm_generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator of layernorm_gan."""
    specs = (
        DenseSpec("generator/hidden", NOISE, _HIDDEN, "slight_leak", layer_norm="generator/norm"),
        DenseSpec("generator/pixels", _HIDDEN, PIXELS, "sigmoid"),
    )
    return GeneratorSpec(specs, False, config.noise_distribution, class_names)


def auto_write_generator(config: BatchNormGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator of gan_auto_write: a sheet of 56 x 56, twice halved and upsampled."""
    specs = (
        DenseSpec("generator/sheet", NOISE, 56 * 56, "none"),
        BatchNormSpec("generator/norm0", 1, "relu", affine=False),
        ConvSpec("generator/conv1", 3, 1, 50, "none", stride=2),  # [B, 28, 28, 50]
        BatchNormSpec("generator/norm1", 50, "relu", affine=False),
        UpsampleSpec(),
        ConvSpec("generator/conv2", 3, 50, 25, "none", stride=2),  # [B, 28, 28, 25]
        BatchNormSpec("generator/norm2", 25, "relu", affine=False),
        UpsampleSpec(),
        ConvSpec("generator/pixels", 1, 25, 1, "sigmoid", stride=2),  # [B, 28, 28, 1]
    )
    return _with_batch_norm(config, class_names, specs, class_conditional=False, pixel_min=0.0)


def conditional_generator(
    config: BatchNormGanConfig, class_names: tuple[str, ...]
) -> GeneratorSpec:
    """The generator of conditional_dcgan: five transposed convolutions."""
    specs: list = [LabelSpec("generator/digit", NOISE, len(class_names), 10, multiplies=False)]
    kinds = ((2, "SAME"), (2, "SAME"), (1, "VALID"), (2, "SAME"))  # sides 2, 4, 7, 14
    sizes = list(zip(DCGAN_WIDTHS, DCGAN_WIDTHS[1:], strict=False))
    for number, (size, kind) in enumerate(zip(sizes[:-1], kinds, strict=True), start=1):
        specs += [
            ConvTransposeSpec(f"generator/conv{number}", 4, *size, "relu", *kind),
            BatchNormSpec(f"generator/norm{number}", size[1]),
        ]
    specs.append(ConvTransposeSpec("generator/conv5", 4, *sizes[-1], "tanh"))
    return _with_batch_norm(
        config, class_names, tuple(specs), class_conditional=True, pixel_min=-1.0
    )


def auxiliary_generator(config: BatchNormGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator of auxiliary_gan: a dense layer and three transposed convolutions."""
    specs = (
        LabelSpec("generator/digit", NOISE, len(class_names), NOISE, multiplies=True),
        DenseSpec("generator/sheet", NOISE, 3 * 3 * 384, "relu"),
        ConvTransposeSpec("generator/conv1", 5, 384, 192, "relu", 1, "VALID"),  # [B, 7, 7, 192]
        BatchNormSpec("generator/norm1", 192),
        ConvTransposeSpec("generator/conv2", 5, 192, 96, "relu"),  # [B, 14, 14, 96]
        BatchNormSpec("generator/norm2", 96),
        ConvTransposeSpec("generator/pixels", 5, 96, 1, "tanh"),  # [B, 28, 28, 1]
    )
    return _with_batch_norm(config, class_names, specs, class_conditional=True, pixel_min=-1.0)


def _with_batch_norm(
    config: BatchNormGanConfig,
    class_names: tuple[str, ...],
    specs: Specs,
    class_conditional: bool,
    pixel_min: float,
) -> GeneratorSpec:
    return GeneratorSpec(
        specs,
        class_conditional,
        config.noise_distribution,
        class_names,
        pixel_min,
        moments=config.sampling_moments,
    )
