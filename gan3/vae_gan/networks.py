"""The three networks with open shapes as lists of layers.

At the description's shapes they are those of `method.networks`, bit for bit.
"""

from gan3.method.declared import ENTRIES, DeterminatorSpec, GeneratorSpec
from gan3.nn.specs import IMAGE, PIXELS, PLACES, Conv, Dense, Places, Specs, stack
from gan3.vae_gan.config import VaeGanConfig


def generator(name: str, config: VaeGanConfig, classes: int) -> Specs:
    """Latent of K classes to pixels [B, 784]: hidden layers of any widths, then 784 sigmoids.

    The latent is [B, 10 K], with `shared_noise` [B, 11 K]: `vae_gan.codes.latent_of` with a label
    entry.
    """
    widths = config.generator_widths
    inputs = classes * (ENTRIES + config.shared_noise)
    activation, keep_prob = config.activation.generator, config.keep_prob.generator
    *hidden, pixels = stack(
        name, (inputs, *widths, PIXELS), activation, "sigmoid", config.batch_norm, keep_prob
    )
    if config.pixel_layer == "conv_transpose":
        pixels = Places(pixels.name, widths[-1] // PLACES**2, "sigmoid")
    return *hidden, pixels


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


def encoder(config: VaeGanConfig) -> Dense:
    """The determinator's last hidden layer to the ten numbers that encode an image."""
    return Dense("determinator/encoder", config.determinator_widths[-1], ENTRIES)


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
    has_encoder = config.reconstruction_weight > 0
    return DeterminatorSpec(
        tuple(features),
        logits,
        class_names,
        encoder(config) if has_encoder else None,
        config.code_noise,
    )
