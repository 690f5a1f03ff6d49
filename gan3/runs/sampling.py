"""From a trained system to digits: samples, numbers, weights of an episode, reading pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import read_npz, write_npz
from gan3.data.batches import to_pixels, to_unit
from gan3.method.system import System

_CHUNK = 500  # images a pass


class Sampler:
    """Draws digits from a system; traced once, whatever the counts."""

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
        """uint8 [500, 28, 28], and the rest, of `labels` [N]; none is kept."""
        for start in range(0, len(labels), _CHUNK):
            images = self._generate(
                tf.constant(labels[start : start + _CHUNK], tf.int32),
                tf.random.fold_in(tf.constant(seed, tf.int32), start // _CHUNK),
            )
            yield to_pixels(images.numpy())

    def __call__(self, labels: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
        """uint8 [N, 28, 28] of `labels` [N]; a function of the weights, the labels and `seed`."""
        return np.concatenate(list(self.parts(labels, seed)))


def parse_labels(count: int, text: str) -> np.ndarray:
    """int64 [count]: the digits of `text` over and over; "cycle" is 0123456789."""
    digits = "0123456789" if text == "cycle" else text
    if not (digits.isascii() and digits.isdigit()):
        raise UserError(f"--labels {text!r}: the word cycle, or digits such as 0123")
    if not 1 <= count <= 1_000_000:
        raise UserError(f"--count {count}: from 1 to 1000000")
    return np.resize(np.array([int(digit) for digit in digits], np.int64), count)


# -- the generator of an episode -------------------------------------------------------------------
def save_generator(path: Path, system: System) -> None:
    """The generator's weights as they are, arrays only."""
    write_npz(path, {name: w.numpy() for name, w in system.generator_weights.items()})


def load_generator(path: Path, system: System) -> None:
    """Put an episode's weights into `system`. Raises UserError where they do not fit it."""
    wanted = {name: (w.dtype.name, tuple(w.shape)) for name, w in system.generator_weights.items()}
    arrays = read_npz(path, wanted)
    for name, w in system.generator_weights.items():
        w.assign(arrays[name])


def probabilities(system: Any, images: np.ndarray) -> np.ndarray:
    """Digit probabilities [N, 10] by the system's determinator, of uint8 images [N, 28, 28]."""
    parts = [
        system.classify(to_unit(tf.constant(images[start : start + _CHUNK]))).numpy()
        for start in range(0, len(images), _CHUNK)
    ]
    return np.concatenate(parts)
