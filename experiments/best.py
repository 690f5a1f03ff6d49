"""The best three networks in 200,000 images: everything open, the idea kept."""

import dataclasses
from typing import TYPE_CHECKING

from experiments import three_network
from gan3.config import Config
from gan3.triple import Triple

if TYPE_CHECKING:
    from gan3.open_step import OpenNetworks

CONFIG = dataclasses.replace(
    three_network.CONFIG,
    experiment="best",
    activation=Triple("leaky_relu", "leaky_relu", "leaky_relu"),
    keep_prob=Triple(1.0, 1.0, 1.0),
    l1_weight=Triple(0.0, 0.0, 0.0),
    learning_rate=Triple(2e-3, 1e-3, 1e-3),
    beta1=Triple(0.5, 0.5, 0.9),
    digit_weight=0.3,
    widths=Triple("256 512 784", "32 64 256", "32 64 256"),
    kernel=3,
    downsampling="stride",
    generator_norm="batch",
    digit_shown="yes",
    r1_weight=0.3,
    penalty_every=4,
    reading_weight=0.02,
    kl_weight=1.0,
    redrawn_weight=1.0,
    average_decay=0.995,
    falls_from=0.6,
)


def build(config: Config, dtype: str) -> "OpenNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    from gan3.open_step import Openings, OpenNetworks

    openings = Openings(
        widths=config.layer_widths(),
        kernel=config.kernel,
        downsampling=config.downsampling,
        normalised=config.generator_norm == "batch",
        shown=config.digit_shown == "yes",
        adversarial_loss=config.adversarial_loss,
        r1_weight=config.r1_weight,
        r2_weight=config.r2_weight,
        penalty_every=config.penalty_every,
        reading_weight=config.reading_weight,
        kl_weight=config.kl_weight,
        redrawn_weight=config.redrawn_weight,
        average_decay=config.average_decay,
        falls_from=config.falls_from,
        steps=config.total_steps,
    )
    return OpenNetworks(
        openings,
        seed=config.seed,
        noise_draw=config.noise_draw,
        init=config.init,
        activation=config.activation,
        keep_prob=config.keep_prob,
        l1_weight=config.l1_weight,
        learning_rate=config.learning_rate,
        beta1=config.beta1,
        digit_loss=config.digit_loss,
        digit_weight=config.digit_weight,
        dtype=dtype,
    )
