"""Settings of the two-network systems, as their publications have them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from gan3.core.config import Beta1, KeepProb, LearningRate, LossWeight, Range
from gan3.core.triple import Pair
from gan3.method.config import AdversarialConfig

# Below log 2. A discriminator's loss on fakes of at most log 2 means a generator's loss of at least
# log 2 (Jensen's inequality), so that "by_loss" always has something to train.
Threshold = Annotated[float, Range(0, 0.69)]


@dataclass(frozen=True, kw_only=True)
class BaselineConfig(AdversarialConfig):
    """How a generator and a discriminator are trained; pairs are (generator, discriminator)."""

    learning_rate: Pair[LearningRate]
    beta1: Pair[Beta1] = Pair(0.9, 0.9)
    noise_entries: Annotated[int, Range(1, 1000)] = 100  # numbers for each image
    noise_distribution: Literal["normal", "uniform"] = "normal"  # N(0, 1), or U(-1, 1)
    real_target: Annotated[float, Range(0, 1)] = 1.0  # < 1: label smoothing (Salimans et al. 2016)
    # The discriminator has one update on real and fake images together, or one on each, by one
    # Adam or by an Adam for each. "by_loss": by an Adam for each, and every update, the generator's
    # too, only while its loss is above its threshold.
    discriminator_updates: Literal["joint", "separate", "separate_adams", "by_loss"] = "joint"
    fake_threshold: Threshold = 0.6  # it trains on fakes while its loss on them is above this
    generator_threshold: Threshold = 0.5  # the generator trains while its loss is above this
    real_threshold: Threshold = 0.45  # it trains on real images while its loss is above this
    weight_clip: Annotated[float, Range(0, 1000)] = 0.0  # largest discriminator weight; 0: none


@dataclass(frozen=True, kw_only=True)
class BatchNormGanConfig(BaselineConfig):
    """With batch normalisation in the generator."""

    # What normalises when digits are drawn: running moments, or those of the batch that is drawn.
    sampling_moments: Literal["running", "batch"] = "running"


@dataclass(frozen=True, kw_only=True)
class AuxiliaryGanConfig(BatchNormGanConfig):
    """With dropout and a class head in the discriminator."""

    discriminator_keep_prob: KeepProb
    class_weight: LossWeight  # weight of the class head's loss in the discriminator's loss
