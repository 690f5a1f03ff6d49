"""The three-network digit GAN as described, its open choices made well.

Fixed by the description: the latent, [100, 500, 784], CNN critics, dropout and L1 on the dense
parts of all three, Xavier, three Adams, 100 x 200 x 10. Chosen here, on held-out training images:
the values below.
"""

from typing import TYPE_CHECKING

from gan3.config import Config
from gan3.triple import Triple

if TYPE_CHECKING:
    from gan3.train_step import ThreeNetworks

CONFIG = Config(
    experiment="three_network",
    noise_draw="example",
    init="glorot",
    activation=Triple("leaky_relu", "leaky_relu", "leaky_relu"),
    keep_prob=Triple(0.95, 0.5, 0.5),
    l1_weight=Triple(1e-6, 1e-6, 1e-6),
    learning_rate=Triple(2e-3, 5e-4, 1e-3),
    beta1=Triple(0.5, 0.5, 0.9),
    digit_loss="softmax_mean",
    digit_weight=1.0,
)


def build(config: Config, dtype: str) -> "ThreeNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    # Imported here so that a config can be read, listed and refused without TensorFlow.
    from gan3.train_step import ThreeNetworks

    return ThreeNetworks(
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
