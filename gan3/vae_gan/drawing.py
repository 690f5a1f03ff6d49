"""The generator of `best` as a list of layers, to be drawn with by NumPy alone."""

from gan3.method.drawing import ENTRIES, PIXELS, GeneratorSpec, three_network_generator
from gan3.nn.specs import PLACES, PlacesSpec, Specs, stack
from gan3.vae_gan.config import VaeGanConfig


def generator_layers(name: str, config: VaeGanConfig, classes: int) -> Specs:
    """Hidden layers, then 784 sigmoids; the arrays are named name/…."""
    widths = config.generator_widths
    sizes = (classes * (ENTRIES + config.shared_noise), *widths, PIXELS)
    specs = stack(name, sizes, config.activation.generator, "sigmoid", config.batch_norm)
    *hidden, pixels = specs
    if config.pixel_layer == "conv_transpose":
        pixels = PlacesSpec(pixels.name, widths[-1] // PLACES**2, "sigmoid")
    return *hidden, pixels


def sampling_generator(config: VaeGanConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator that draws samples."""
    name = "average" if config.has_own_sampler else "generator"
    specs = generator_layers(name, config, len(class_names))
    return three_network_generator(config, class_names, specs, label_entry=config.shared_noise)
