"""The networks of the two-network systems as lists of layers, as published.

A generator takes noise [B, E] of E `noise_entries`, and class weights [B, K] if it draws the
requested class, and returns pixels in its own range; a discriminator takes images [B, 28, 28, 1] in
that range and returns real/fake logits [B, 1].
"""

from gan3.baselines.config import (
    AuxiliaryGanConfig,
    BaselineConfig,
    BatchNormGanConfig,
    ConditionalGanConfig,
    MlpGanConfig,
)
from gan3.nn.declared import GeneratorSpec
from gan3.nn.specs import (
    PIXELS,
    AveragePool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Label,
    Specs,
    Upsample,
    stack,
)


# -- gan_auto_write: aalind0/GAN-auto-write --------------------------------------------------------
def auto_write_generator(config: BatchNormGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
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


def auto_write_discriminator() -> Specs:
    """Two convolutions of 5 x 5 with average-pools and a dense layer of 1024."""
    return (
        Conv("discriminator/conv1", 5, 1, 32, "relu"),  # [B, 28, 28, 32]
        AveragePool(),  # [B, 14, 14, 32]
        Conv("discriminator/conv2", 5, 32, 64, "relu"),  # [B, 14, 14, 64]
        AveragePool(),  # [B, 7, 7, 64]
        Dense("discriminator/hidden", 7 * 7 * 64, 1024, "relu"),
        Dense("discriminator/logits", 1024, 1),
    )


# -- conditional_dcgan: u7javed/Handwritten-Number-Generator ---------------------------------------
def conditional_generator(
    config: ConditionalGanConfig, class_names: tuple[str, ...]
) -> GeneratorSpec:
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


def conditional_discriminator() -> tuple[Specs, Specs, Specs]:
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


# -- mlp_gan: tooth2/Handwritten-digits-generation -------------------------------------------------
def mlp_generator(config: MlpGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Hidden layers 32, 64, 128 with leaky ReLU and dropout, to (-1, 1)."""
    widths = (config.noise_entries, 32, 64, 128, PIXELS)
    specs = stack("generator", widths, "leaky_relu", "tanh", keep_prob=config.keep_prob.generator)
    return GeneratorSpec(specs, False, config.noise_distribution, class_names, -1.0)


def mlp_discriminator(config: MlpGanConfig) -> Specs:
    """The generator's mirror: hidden layers 128, 64, 32."""
    widths, keep_prob = (PIXELS, 128, 64, 32, 1), config.keep_prob.discriminator
    return stack("discriminator", widths, "leaky_relu", "none", keep_prob=keep_prob, last="logits")


# -- layernorm_gan: 0xArete/0-9-number-generator ---------------------------------------------------
def layernorm_generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """One hidden layer of 200, leaky ReLU and layer normalisation, to (0, 1)."""
    norm = "generator/norm"
    specs = (
        Dense("generator/hidden", config.noise_entries, 200, "slight_leak", layer_norm=norm),
        Dense("generator/pixels", 200, PIXELS, "sigmoid"),
    )
    return GeneratorSpec(specs, False, config.noise_distribution, class_names)


def layernorm_discriminator() -> Specs:
    """The generator's mirror."""
    norm = "discriminator/norm"
    return (
        Dense("discriminator/hidden", PIXELS, 200, "slight_leak", layer_norm=norm),
        Dense("discriminator/logits", 200, 1),
    )


# -- wgan_gp: Gulrajani et al. 2017 ----------------------------------------------------------------
def wasserstein_generator(config: BaselineConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Hidden layers of 256 and 512 with batch normalisation and ReLU, to (0, 1)."""
    widths = (config.noise_entries, 256, 512, PIXELS)
    specs = stack("generator", widths, "relu", "sigmoid", batch_norm=True)
    return GeneratorSpec(specs, False, config.noise_distribution, class_names)


def wasserstein_critic() -> Specs:
    """Hidden layers of 512 and 256; normalised by nothing, because each image is judged alone."""
    return stack("discriminator", (PIXELS, 512, 256, 1), "leaky_relu", "none", last="logits")


# -- auxiliary_gan: Odena et al. 2017 --------------------------------------------------------------
def auxiliary_generator(config: AuxiliaryGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """Noise times an embedded digit, a dense layer, three transposed convolutions, to (-1, 1)."""
    noise = config.noise_entries
    specs = (
        Label("generator/digit", noise, len(class_names), noise, multiplies=True),  # [B, noise]
        Dense("generator/sheet", noise, 3 * 3 * 384, "relu"),
        ConvTranspose("generator/conv1", 5, 384, 192, "relu", 1, "VALID"),  # [B, 7, 7, 192]
        BatchNorm("generator/norm1", 192),
        ConvTranspose("generator/conv2", 5, 192, 96, "relu"),  # [B, 14, 14, 96]
        BatchNorm("generator/norm2", 96),
        ConvTranspose("generator/pixels", 5, 96, 1, "tanh"),  # [B, 28, 28, 1]
    )
    distribution, moments = config.noise_distribution, config.sampling_moments
    return GeneratorSpec(specs, True, distribution, class_names, -1.0, moments=moments)


def auxiliary_discriminator(config: AuxiliaryGanConfig, classes: int) -> Specs:
    """Four convolutions of 3 x 3 with dropout, and two heads: real or not, and which class."""
    keep_prob, leaky = config.discriminator_keep_prob, "leaky_relu"
    return (
        Conv("discriminator/conv1", 3, 1, 32, leaky, 2, keep_prob=keep_prob),  # [B, 14, 14, 32]
        Conv("discriminator/conv2", 3, 32, 64, leaky, keep_prob=keep_prob),  # [B, 14, 14, 64]
        Conv("discriminator/conv3", 3, 64, 128, leaky, 2, keep_prob=keep_prob),  # [B, 7, 7, 128]
        Conv("discriminator/conv4", 3, 128, 256, leaky, keep_prob=keep_prob),  # [B, 7, 7, 256]
        Dense("discriminator/logits", 7 * 7 * 256, 1),
        Dense("discriminator/digits", 7 * 7 * 256, classes),
    )
