"""The protocol of a system: what the loop knows of a GAN while it trains."""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from gan3.nn.adam import Adam

Scalars = dict[str, tf.Tensor]  # by tag: `loss/…`, `accuracy/…`


class System(Protocol):
    """What an experiment trains. An experiment's `build` returns one.

    What draws and reads images once it is trained is data: the experiment's `generator`
    with `generator_weights`.
    """

    class_names: tuple[str, ...]  # names of the K classes; a label is an index into them
    has_classifier: bool  # whether it learns the classes of images
    optimizers: tuple[Adam, ...]

    train_step: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]
    """One training step on images [B, 28, 28, 1] in 0..1, labels [B] and a seed [2].

    Returns by network whether its loss and gradients were finite.
    """

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """Losses and accuracies on a batch, without dropout; nothing is trained."""

    @property
    def state(self) -> dict[str, tf.Variable]:
        """Everything that a checkpoint holds, by name."""

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """Everything that drawing an image needs, by name: what an episode file holds."""

    @property
    def encoder_weights(self) -> dict[str, tf.Variable]:
        """Everything that reading a style from an image needs, by name: in an episode file, too.

        Empty if the system has no encoder.
        """
        return {}
