"""The determinator of `best` as a list of layers, to be read with by NumPy alone."""

from gan3.method.encoding import DeterminatorSpec, critic_layers
from gan3.vae_gan.config import VaeGanConfig


def encoding_determinator(config: VaeGanConfig, class_names: tuple[str, ...]) -> DeterminatorSpec:
    """The determinator, with the encoder if the system reconstructs images."""
    return critic_layers(
        "determinator",
        len(class_names),
        config.determinator_widths,
        config.kernel_size,
        config.downsampling,
        config.activation.determinator,
        has_encoder=config.reconstruction_weight > 0,
        class_names=class_names,
        code_noise=config.code_noise,
    )
