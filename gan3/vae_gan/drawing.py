"""The generator of `best` as a list of dense layers, to be drawn with by NumPy alone."""

from gan3.method.drawing import ENTRIES, PIXELS, GeneratorSpec, three_network_generator
from gan3.nn.dense import Specs, stack
from gan3.vae_gan.config import VaeGanConfig


def generator_layers(
    name: str, classes: int, widths: tuple[int, ...], activation: str, batch_norm: bool
) -> Specs:
    """A dense network of any hidden `widths`, then 784 sigmoids; arrays are named name/…."""
    sizes = (classes * ENTRIES, *widths, PIXELS)
    return stack(name, sizes, activation, "sigmoid", batch_norm)


def sampling_generator(config: VaeGanConfig) -> GeneratorSpec:
    """The generator that draws samples: the averaged one, if there is one."""
    specs = generator_layers(
        "average" if config.ema_decay else "generator",
        config.classes,
        config.generator_widths,
        config.activation.generator,
        config.batch_norm,
    )
    return three_network_generator(config, specs)
