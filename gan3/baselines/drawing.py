"""The two-network generators of dense layers as lists of them, to be drawn with by NumPy alone."""

from gan3.baselines.config import BaselineConfig
from gan3.method.drawing import PIXELS, GeneratorSpec
from gan3.nn.dense import DenseSpec, stack

NOISE = 100  # entries of a generator's noise
MLP_WIDTHS = (32, 64, 128)  # hidden layers of mlp_gan's generator
_HIDDEN = 200  # units of layernorm_gan

MLP_GAN = stack("generator", (NOISE, *MLP_WIDTHS, PIXELS), "leaky_relu", "tanh")
LAYERNORM_GAN = (
    DenseSpec("generator/hidden", NOISE, _HIDDEN, "slight_leak", layer_norm="generator/norm"),
    DenseSpec("generator/pixels", _HIDDEN, PIXELS, "sigmoid"),
)


def mlp_generator(config: BaselineConfig) -> GeneratorSpec:
    """The generator of mlp_gan."""
    distribution, names = config.noise_distribution, config.class_names
    return GeneratorSpec(MLP_GAN, False, distribution, names, pixel_min=-1.0)


def layernorm_generator(config: BaselineConfig) -> GeneratorSpec:
    """The generator of layernorm_gan."""
    return GeneratorSpec(LAYERNORM_GAN, False, config.noise_distribution, config.class_names)
