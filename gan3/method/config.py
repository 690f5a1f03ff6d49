"""What the description of the three networks leaves open; the defaults are the 2017 script's."""

from dataclasses import dataclass
from typing import Literal

from gan3.core.config import Beta1, KeepProb, L1Weight, LearningRate, LossWeight, RunConfig
from gan3.core.triple import Triple

Activation = Literal["elu", "relu", "leaky_relu"]


@dataclass(frozen=True, kw_only=True)
class ThreeNetworkConfig(RunConfig):
    """Settings of the three networks; triples are (generator, discriminator, determinator)."""

    noise_draw: Literal["example", "once"] = "example"  # for each image, or once for the run
    initializer: Literal["glorot", "published"] = "glorot"
    activation: Triple[Activation] = Triple("elu", "elu", "elu")
    keep_prob: Triple[KeepProb] = Triple(0.5, 0.5, 0.5)  # dropout on the hidden dense layers
    l1_weight: Triple[L1Weight] = Triple(0.001, 0.001, 0.001)  # on the dense weight matrices
    learning_rate: Triple[LearningRate] = Triple(0.001, 0.001, 0.001)
    beta1: Triple[Beta1] = Triple(0.9, 0.9, 0.9)
    digit_loss: Literal["softmax_mean", "sigmoid_sum"] = "softmax_mean"
    digit_weight: LossWeight = 1.0  # weight of the determinator's part of the generator's loss


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(RunConfig):
    """What other systems than the method can use in place of its real/fake loss, or add to it."""

    # Adversarial; formulas and sources are in gan3.method.adversarial.
    loss: Literal["non_saturating", "hinge", "wasserstein"] = "non_saturating"
    gradient_penalty: LossWeight = 0.0  # for slopes of the discriminator other than 1
    r1_penalty: LossWeight = 0.0  # for its slopes at real images
    # The discriminator's matrices are divided by their largest singular values (Miyato 2018).
    spectral_norm: bool = False
