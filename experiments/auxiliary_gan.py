"""AC-GAN (Odena et al. 2017): two networks, the class head on the discriminator.

The field's own answer to "draw the digit I ask for". The networks and settings are those of the
usual MNIST example: an embedded digit times the noise, transposed convolutions of 5 x 5, four
convolutions of 3 x 3 with dropout, Adam(2e-4, beta1 0.5), real targets of 0.95, and a class head
that learns from real images only, at twice the weight.

Departures:
1. The paper's class head learns from fakes as well; the example's, and this one, do not.
2. The example draws two fakes for a real image in the generator's update; here it is one, and
   200,000 images in all.
3. Weights have Glorot's uniform draw; the example's embedding and transposed convolutions have the
   normal one of the same deviation.
4. Real and fake loss are added, where the example has the mean over both kinds in one batch.
5. The generator's target is 1; the example's is .95, as that of real images.
6. Batch normalisation adds 1e-5 to the variance and its averages move by a tenth; the example's, by
   Keras' defaults, 1e-3 and a hundredth.
"""

from typing import TYPE_CHECKING

from gan3.core.config import TWO_ADAMS, Config
from gan3.core.triple import Triple

if TYPE_CHECKING:
    from gan3.baselines.train_step import TwoNetworks

CONFIG = Config(
    experiment="auxiliary_gan",
    learning_rate=Triple(2e-4, 2e-4, 0.001),  # its determinator is the discriminator's head
    beta1=Triple(0.5, 0.5, 0.9),
    keep_prob=Triple(1.0, 0.7, 1.0),
)
HEEDED = (*TWO_ADAMS, "keep_prob.discriminator")


def build(config: Config, dtype: str) -> "TwoNetworks":
    """The system, computing in `dtype`."""
    from gan3.baselines.networks import AuxiliaryDiscriminator, AuxiliaryGenerator
    from gan3.baselines.train_step import Practice, TwoNetworks
    from gan3.nn.initializers import Glorot

    config.refuse_others(CONFIG, HEEDED)
    init = Glorot(config.seed)
    practice = Practice(
        learning_rate=config.learning_rate,
        beta1=config.beta1,
        draw="uniform",
        pixel_min=-1.0,
        class_conditional=True,
        own_labels=True,
        real_target=0.95,
        class_weight=2.0,
    )
    discriminator = AuxiliaryDiscriminator(init, config.keep_prob.discriminator, dtype)
    return TwoNetworks(AuxiliaryGenerator(init, dtype), discriminator, practice)
