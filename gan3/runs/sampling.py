"""Draws images from a system in TensorFlow, classifies with it, and stores its generator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.files import names_in, read_npz, write_npz
from gan3.data.batches import to_unit
from gan3.data.pixels import pixels_of_generator
from gan3.method.system import System
from gan3.runs.drawing import CHUNK, LabelsAndNoise


class Sampler:
    """A `DigitSampler` of any system; its graph is traced once for any number of images."""

    def __init__(self, system: System):
        self.system = system
        self.class_names = system.class_names
        self.class_conditional = system.class_conditional
        self.noise_distribution = system.noise_distribution
        self.redraw_noise, self.use_moments = system.redraw_noise, system.use_moments

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([2], tf.int32)],
            autograph=False,
        )
        def generate(labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
            return system.generate(labels, system.noise(labels, seed))

        self._generate = generate

    @property
    def has_fixed_noise(self) -> bool:
        """Whether each class has one noise vector, whatever the seed."""
        return has_fixed_noise(self.system)

    @property
    def noise_entries(self) -> int:
        """For each image."""
        return self.system.noise(tf.constant([0]), tf.constant([0, 0])).shape[1]

    def noise(self, labels: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
        """Noise float32 [N, noise_entries] of `labels` [N]: what `parts` draws with."""
        return np.concatenate([noise for _, noise in self.noise_parts(labels, seed)])

    def noise_parts(self, labels: np.ndarray, seed: tuple[int, int]) -> Iterator[LabelsAndNoise]:
        """Labels and their noise, in the chunks of `parts`."""
        for chunk, chunk_seed in self._chunks(labels, seed):
            yield chunk.numpy(), self.system.noise(chunk, chunk_seed).numpy()

    def draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The images of `labels` [N] with `noise` [N, noise_entries], uint8 [N, 28, 28]."""
        images = []
        for start in range(0, len(labels), CHUNK):
            chunk = slice(start, start + CHUNK)
            drawn = self.system.generate(
                tf.constant(labels[chunk], tf.int32), tf.constant(noise[chunk], tf.float32)
            )
            images.append(pixels_of_generator(drawn.numpy()))
        return np.concatenate(images)

    def parts(self, labels: np.ndarray, seed: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield the images of `labels` [N] in chunks, uint8 [at most 500, 28, 28]."""
        for chunk in self._chunks(labels, seed):
            yield pixels_of_generator(self._generate(*chunk).numpy())

    def __call__(self, labels: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
        """The images of `labels` [N], uint8 [N, 28, 28], ink 255 on paper 0.

        They are a function of the weights, the labels and `seed`.
        """
        return np.concatenate(list(self.parts(labels, seed)))

    @staticmethod
    def _chunks(labels: np.ndarray, seed: tuple[int, int]) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """Labels, and a seed of their own, in chunks."""
        for start in range(0, len(labels), CHUNK):
            yield (
                tf.constant(labels[start : start + CHUNK], tf.int32),
                tf.random.fold_in(tf.constant(seed, tf.int32), np.int32(start // CHUNK)),
            )


def has_fixed_noise(system: System) -> bool:
    """Whether each class has the same noise for every seed, as with `noise_draw` "once"."""
    labels = tf.range(len(system.class_names))
    first, second = (system.noise(labels, tf.constant([0, i])) for i in (2, 3))
    return np.array_equal(first, second)


def save_generator(path: Path, system: System) -> None:
    """Write the weights of the generator, and of the encoder if there is one, to an npz file.

    It has one array per variable, as it is.
    """
    weights = system.generator_weights | system.encoder_weights
    write_npz(path, {name: w.numpy() for name, w in weights.items()})


def load_generator(path: Path, system: System, dtype: str = "float32") -> bool:
    """Load the weights of an episode file, whose arrays have this dtype, into `system`.

    Returns whether the file also has the encoder of the system, which is then loaded as well.
    Raises UserError if the weights do not fit.
    """
    weights, encoder = system.generator_weights, system.encoder_weights
    has_encoder = bool(encoder) and set(encoder) <= names_in(path)
    if has_encoder:
        weights = weights | encoder
    arrays = read_npz(path, {name: (dtype, tuple(w.shape)) for name, w in weights.items()})
    for name, w in weights.items():
        w.assign(arrays[name].astype(w.dtype.as_numpy_dtype))
    return has_encoder


def probabilities(system: Any, images: np.ndarray) -> np.ndarray:
    """Class probabilities [N, K] of images, uint8 [N, 28, 28], by the system's determinator."""
    chunks = [
        system.classify(to_unit(tf.constant(images[start : start + CHUNK]))).numpy()
        for start in range(0, len(images), CHUNK)
    ]
    return np.concatenate(chunks)
