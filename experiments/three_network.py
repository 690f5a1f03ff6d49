"""The three-network GAN as described: the script with few changes.

Source: Desired-handwriting-digits-generator by Jingwei Gan (docs/sources.md). The description fixes
the latent, [100, 500, 784], CNN critics, dropout and L1 on the dense parts of all three networks,
Xavier, three Adams and 100 x 200 x 10. Everything else has the constants of the published script
(published_code.py), except where they break the description's own promise: readable digits, and
different handwriting from one generator.

Departures from the script: six constants. All were chosen on the last 5,000 training images, never
on the test set. docs/fidelity.md has the figures, also of five more that the promise does not
need.
"""

from typing import TYPE_CHECKING

from gan3.core.triple import Triple
from gan3.method import networks
from gan3.method.config import ThreeNetworkConfig

if TYPE_CHECKING:
    from gan3.method.three_networks import ThreeNetworks

CONFIG = ThreeNetworkConfig(
    experiment="three_network",
    precision="float32",  # bfloat16 is not measured on the test set
    # Schedule: 200,000 images
    episodes=10,
    batches=200,
    batch_size=100,
    # As in the script: a sum over images and digits
    digit_loss="sigmoid_sum",
    # 1. All training images: your own data may have fewer than the 5,000 that the script's reader
    #    keeps back, and the description does not mention them.
    skip_first=0,
    # 2. New noise for every image, as described: one generator draws more than ten images.
    noise_draw="example",
    # 3. Xavier as Glorot defines it, as described.
    initializer="glorot",
    # 4. Three hundredths of the digit loss. The script adds a sum over 100 images and ten digits to
    #    a mean over images, so that real/fake hardly counts.
    digit_weight=0.03,
    # 5. Less L1 on the generator, which otherwise draws one blur.
    l1_weight=Triple(1e-5, 0.001, 0.001),
    # 6. Less dropout in the generator: it should vary by its noise.
    keep_prob=Triple(0.9, 0.5, 0.5),
)


def build(config: ThreeNetworkConfig, class_names: tuple[str, ...], dtype: str) -> "ThreeNetworks":
    """The system that `config` describes, computing in `dtype` ("float32" or "bfloat16")."""
    # Imported here so that a config can be read, listed and refused without TensorFlow.
    from gan3.method.three_networks import ThreeNetworks

    return ThreeNetworks(config, class_names, dtype)


# Those of `build`, for drawing and reading without TensorFlow.
generator, determinator = networks.trained_generator, networks.trained_determinator
