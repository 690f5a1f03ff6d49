"""The protocol of a system: what the loop, the figures and the samplers know of a GAN."""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from gan3.nn.adam import Adam
from gan3.nn.dense import DenseLayer

Scalars = dict[str, tf.Tensor]  # by tag: `loss/…`, `accuracy/…`


class System(Protocol):
    """What an experiment trains. An experiment's `build(config, dtype)` returns one."""

    class_names: tuple[str, ...]  # of the K classes; a label is an index into them
    class_conditional: bool  # whether `generate` draws the requested classes; else any
    has_classifier: bool  # whether `classify` can be called
    sampling_moments: str | None  # of batch normalisation: "running", "batch", None without choice
    noise_distribution: str  # "uniform", U(-1, 1), or "normal", N(0, 1)
    pixel_min: float  # of the generator's own pixel range, 0 or -1; `generate` returns 0..1

    train_step: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]
    """One training step on images [B, 28, 28, 1] in 0..1, labels [B] and a seed [2].

    Returns by network whether its loss and gradients were finite.
    """

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> Scalars:
        """Losses and accuracies on a batch, without dropout; nothing is trained."""

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The noise [B, entries] that `generate` takes for `labels` [B], a function of `seed`."""

    def redraw_noise(self, seed: int) -> None:
        """Replace the one noise matrix of a run by that of another seed, before any sample.

        Raises UserError if the system has no such matrix, because each image has its own noise.
        """

    def use_moments(self, moments: str) -> None:
        """Draw images with "running" moments or with those of each "batch".

        Raises UserError if there is no batch normalisation, or no choice.
        """

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1, of `labels` [B] if the system is class-conditional."""

    def blend(self, soft_labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """`generate` for class weights [B, K] in place of labels; one-hot rows give the same."""

    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """Class probabilities [B, K] of images [B, 28, 28, 1] in 0..1."""

    def dense_layers(self) -> list[DenseLayer] | None:
        """The generator as plain arrays; None if it has layers of other kinds."""

    @property
    def optimizers(self) -> tuple[Adam, ...]:
        """Every optimizer of the system."""

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
