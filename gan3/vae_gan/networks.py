"""The three networks with open shapes as lists of layers.

At the description's shapes they are those of `method.networks`, bit for bit.
"""

from gan3.nn.declared import DeterminatorSpec, GeneratorSpec
from gan3.nn.specs import IMAGE, PIXELS, Conv, ConvTranspose, Dense, Specs, stack
from gan3.vae_gan.config import VaeGanConfig

PLACES = 7  # a side, of the first images in the generator


def generator(name: str, config: VaeGanConfig, classes: int) -> Specs:
    """Latent of K classes to pixels: dense hidden layers of any widths, then sigmoids.

    The latent is [B, E K] for E noise entries, with `shared_noise` [B, (E + 1) K]:
    `vae_gan.codes.latent_of` with a label entry. A dense layer makes the pixels, [B, 784]; with
    `generator_channels` it makes 7 x 7 places, from which transposed convolutions with kernels
    twice as wide as their strides make [B, 28, 28, 1].
    """
    widths, channels = config.generator_widths, config.generator_channels
    inputs = classes * (config.noise_entries + config.shared_noise)
    activation, keep_prob = config.activation.generator, config.keep_prob.generator
    if channels:
        widths = (*widths, PLACES**2 * channels[0])
    *hidden, pixels = stack(
        name, (inputs, *widths, PIXELS), activation, "sigmoid", config.batch_norm, keep_prob
    )
    if not channels:
        return *hidden, pixels
    stride = 4 if len(channels) == 1 else 2
    *between, last = zip(channels, (*channels[1:], 1), strict=True)
    layers = [
        ConvTranspose(f"{name}/conv{number}", 2 * stride, *shape, activation, stride)
        for number, shape in enumerate(between, start=1)
    ]
    return *hidden, *layers, ConvTranspose(pixels.name, 2 * stride, *last, "sigmoid", stride)


def critic(role: str, config: VaeGanConfig, outputs: int) -> Specs:
    """Images [B, 28, 28, 1] in 0..1 to logits [B, outputs]: convolutions and a dense layer.

    Downsampling is by a 2x2 max-pool, or by a stride of 2, a fifth of the work.
    """
    *channels, hidden = getattr(config, f"{role}_widths")
    activation, keep_prob = getattr(config.activation, role), getattr(config.keep_prob, role)
    stride, pool = (2, False) if config.downsampling == "stride" else (1, True)
    layers, side = [], IMAGE
    for number, size in enumerate(zip((1, *channels), channels, strict=False), start=1):
        name = f"{role}/conv{number}"
        layers.append(Conv(name, config.kernel_size, *size, activation, stride, pool))
        side = -(-side // 2)
    return (
        *layers,
        Dense(f"{role}/hidden", side * side * channels[-1], hidden, activation, keep_prob),
        Dense(f"{role}/logits", hidden, outputs),
    )


def encoder(config: VaeGanConfig) -> Dense | None:
    """The determinator's last hidden layer to the numbers that encode an image, if it encodes."""
    if not config.reconstruction_weight:
        return None
    return Dense("determinator/encoder", config.determinator_widths[-1], config.noise_entries)


def trained_generator(config: VaeGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator that draws samples as data."""
    name = "average" if config.has_own_sampler else "generator"
    return GeneratorSpec(
        generator(name, config, len(class_names)),
        class_conditional=True,
        noise_distribution="uniform",
        class_names=class_names,
        matrix_seed=config.seed if config.noise_draw == "once" else None,
        label_entry=config.shared_noise,
    )


def trained_determinator(config: VaeGanConfig, class_names: tuple[str, ...]) -> DeterminatorSpec:
    """The determinator as data, with the encoder if the system reconstructs images."""
    *features, logits = critic("determinator", config, len(class_names))
    return DeterminatorSpec(
        tuple(features), logits, class_names, encoder(config), config.code_noise
    )
