"""The three networks as lists of layers, shapes beside every line."""

from functools import partial

from gan3.method.config import ThreeNetworkConfig
from gan3.nn.declared import ENTRIES, DeterminatorSpec, GeneratorSpec
from gan3.nn.specs import PIXELS, Conv, Dense, Specs


def generator(config: ThreeNetworkConfig, classes: int) -> Specs:
    """Latent [B, 10 K] of K classes to pixels [B, 784] in (0, 1): a dense network."""
    layer = partial(
        Dense, activation=config.activation.generator, keep_prob=config.keep_prob.generator
    )
    return (
        layer("generator/hidden1", classes * ENTRIES, 100),  # [B, 100]
        layer("generator/hidden2", 100, 500),  # [B, 500]
        layer("generator/hidden3", 500, 784),  # [B, 784]
        Dense("generator/pixels", 784, PIXELS, "sigmoid"),  # [B, 784]
    )


def critic(role: str, config: ThreeNetworkConfig, outputs: int) -> Specs:
    """The CNN of discriminator and determinator: same layers, separate weights.

    Images [B, 28, 28, 1] in 0..1 to logits [B, outputs]: of the discriminator one, positive for
    "real handwriting", of the determinator K, for what the literature calls an auxiliary
    classifier.
    """
    activation, keep_prob = getattr(config.activation, role), getattr(config.keep_prob, role)
    return (
        Conv(f"{role}/conv1", 5, 1, 32, activation, pool=True),  # [B, 14, 14, 32]
        Conv(f"{role}/conv2", 5, 32, 64, activation, pool=True),  # [B, 7, 7, 64]
        Dense(f"{role}/hidden", 7 * 7 * 64, 1024, activation, keep_prob),  # [B, 1024]
        Dense(f"{role}/logits", 1024, outputs),  # [B, outputs]
    )


def trained_generator(config: ThreeNetworkConfig, class_names: tuple[str, ...]) -> GeneratorSpec:
    """The generator as data, for drawing without TensorFlow."""
    return GeneratorSpec(
        generator(config, len(class_names)),
        class_conditional=True,
        noise_distribution="uniform",
        class_names=class_names,
        matrix_seed=config.seed if config.noise_draw == "once" else None,
    )


def trained_determinator(
    config: ThreeNetworkConfig, class_names: tuple[str, ...]
) -> DeterminatorSpec:
    """The determinator as data, for reading without TensorFlow."""
    *features, logits = critic("determinator", config, len(class_names))
    return DeterminatorSpec(tuple(features), logits, class_names)
