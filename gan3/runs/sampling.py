"""Draws digits from a trained system, classifies digits with it, and stores its generator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import read_npz, write_npz
from gan3.data.batches import to_pixels, to_unit
from gan3.method.system import System

_CHUNK = 500  # images per forward pass
_MAX_COUNT = 1_000_000


class Sampler:
    """Draws digits from a system; its graph is traced once for any number of digits."""

    def __init__(self, system: System):
        self.class_conditional = system.class_conditional

        @tf.function(
            input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([2], tf.int32)],
            autograph=False,
        )
        def generate(labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
            return system.generate(labels, system.noise(labels, seed))

        self._generate = generate

    def parts(self, labels: np.ndarray, seed: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield the images of `labels` [N] in chunks, uint8 [at most 500, 28, 28]."""
        for start in range(0, len(labels), _CHUNK):
            images = self._generate(
                tf.constant(labels[start : start + _CHUNK], tf.int32),
                tf.random.fold_in(tf.constant(seed, tf.int32), start // _CHUNK),
            )
            yield to_pixels(images.numpy())

    def __call__(self, labels: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
        """The images of `labels` [N], uint8 [N, 28, 28], ink 255 on paper 0.

        They are a function of the weights, the labels and `seed`.
        """
        return np.concatenate(list(self.parts(labels, seed)))


def parse_labels(count: int, text: str) -> np.ndarray:
    """int64 [count]: the digits of `text`, repeated; "cycle" stands for 0123456789.

    Raises UserError if `text` is anything else, or `count` is not in 1..1,000,000.
    """
    digits = "0123456789" if text == "cycle" else text
    if not (digits.isascii() and digits.isdigit()):
        raise UserError(f'labels {text!r}: use digits such as 0123, or "cycle" for 0123456789')
    if not 1 <= count <= _MAX_COUNT:
        raise UserError(f"count {count}: use a number from 1 to {_MAX_COUNT}")
    return np.resize(np.array([int(digit) for digit in digits], np.int64), count)


def save_generator(path: Path, system: System) -> None:
    """Write the generator's weights to an npz file, one array per variable, as they are."""
    write_npz(path, {name: w.numpy() for name, w in system.generator_weights.items()})


def load_generator(path: Path, system: System) -> None:
    """Load the weights of an episode file into `system`. Raises UserError if they do not fit."""
    wanted = {name: (w.dtype.name, tuple(w.shape)) for name, w in system.generator_weights.items()}
    arrays = read_npz(path, wanted)
    for name, w in system.generator_weights.items():
        w.assign(arrays[name])


def probabilities(system: Any, images: np.ndarray) -> np.ndarray:
    """Digit probabilities [N, 10] of images, uint8 [N, 28, 28], by the system's determinator."""
    chunks = [
        system.classify(to_unit(tf.constant(images[start : start + _CHUNK]))).numpy()
        for start in range(0, len(images), _CHUNK)
    ]
    return np.concatenate(chunks)
