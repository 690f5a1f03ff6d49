"""TODO docstring."""

from typing import Protocol

import tensorflow as tf

from gan3.method.networks import DenseLayer


class System(Protocol):
    """What an experiment trains, as the run loop, the figures and the samplers know it."""

    @property
    def class_conditional(self) -> bool:
        """Whether `generate` draws the digits that are asked for, or any."""

    @property
    def has_classifier(self) -> bool:
        """Whether `classify` answers."""

    @property
    def noise_distribution(self) -> str:
        """ "uniform" in -1..1, or "normal", N(0, 1)."""

    @property
    def pixel_min(self) -> float:
        """Of a pixel as the generator has it, 0 or -1; what leaves `generate` is in 0..1."""

    def dense_layers(self) -> list[DenseLayer] | None:
        """The generator as plain arrays; None where it has layers of other kinds."""

    def step(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One training step on images [B, 28, 28, 1] in 0..1 and labels [B].

        Answers for each network, by name, whether its loss and gradients were finite.
        """

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict:
        """Scalars by tag (`loss/…`, `accuracy/…`) of a batch, nothing trained."""

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The noise that `generate` wants for `labels` [B], a function of `seed` [2]."""

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1, of `labels` [B] where the system heeds them."""

    def blend(self, soft_labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The same of `soft_labels` [B, 10] of the digits; one-hot shares draw what `generate` does."""

    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """Digit probabilities [B, 10] of images [B, 28, 28, 1] in 0..1."""

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All that a checkpoint holds, by name."""

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """What an episode file holds, by name."""
