"""A trained determinator as data: it reads which class an image shows, and how it is written."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.files import read_npz
from gan3.nn.declared import CODE_MOMENTS, DeterminatorSpec
from gan3.nn.plain import EPSILON, forward
from gan3.nn.specs import Shapes

CHUNK = 500  # images per forward pass


class Encoded(NamedTuple):
    """What a determinator with an encoder reads from images."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]
    noise: np.ndarray  # float32 [N, E] in -1..1: the style that the images are written in


Encoder = Callable[[np.ndarray], Encoded]
"""Reads images uint8 [N, 28, 28], ink 255 on background 0."""


class Determinator:
    """A determinator with its weights: reads in NumPy what its system reads in TensorFlow.

    The results differ in the last bits of float32. `features`, `logits` and `encoder`
    are its layers; the code of class c is (encoder - `code_means`[c]) `code_scales`[c]. Without an
    encoder these three are None. Images are uint8 [N, 28, 28], ink 255 on background 0.
    """

    def __init__(self, spec: DeterminatorSpec, arrays: Mapping[str, np.ndarray]):
        """arrays: float32, by the names and shapes of `spec.shapes`."""
        self.class_names, self.arrays, self.pixel_min = spec.class_names, arrays, spec.pixel_min
        self.features = [layer.layer(arrays) for layer in spec.features]
        self.logits = spec.logits.layer(arrays)
        self.encoder = self.code_means = self.code_scales = None
        if spec.encoder is not None:
            self.encoder = spec.encoder.layer(arrays)
            self.code_means, variances = (arrays[name] for name in CODE_MOMENTS)
            kept = np.float32(math.sqrt(1 - spec.code_noise))
            self.code_scales = kept / np.sqrt(variances + np.float32(EPSILON))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities float32 [N, K] of any number of images."""
        return np.concatenate([_softmax(self.logits(h)) for h in self._features(images)])

    def encode(self, images: np.ndarray) -> Encoded:
        """What any number of images show, and the noise of the code of the most probable class.

        Only with an encoder.
        """
        probabilities, noise = [], []
        for h in self._features(images):
            probabilities.append(_softmax(self.logits(h)))
            labels = probabilities[-1].argmax(axis=1)
            code = (self.encoder(h) - self.code_means[labels]) * self.code_scales[labels]
            noise.append(normal_to_uniform(code))
        whole = np.concatenate(probabilities)
        return Encoded(whole.argmax(axis=1), whole, np.concatenate(noise))

    def _features(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """The last hidden layer [B, hidden] of a few images at a time."""
        for start in range(0, len(images), CHUNK):
            pixels = images[start : start + CHUNK, ..., None] / np.float32(255)
            pixels = pixels * np.float32(1 - self.pixel_min) + np.float32(self.pixel_min)
            yield forward(self.features, pixels)


def normal_to_uniform(code: np.ndarray) -> np.ndarray:
    """Noise in -1..1 of a normal code, float32: erf(code / sqrt 2), as in `vae_gan.train_step`."""
    erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none
    return erf(code.astype(np.float64) / math.sqrt(2)).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def read_weights(path: Path, shapes: Shapes, dtype: str = "float32") -> dict[str, np.ndarray]:
    """The arrays of a network in a generator's file, which has them in this dtype, as float32.

    Raises UserError if the file is missing or damaged, or does not hold arrays of these shapes.
    """
    arrays = read_npz(path, {name: (dtype, shape) for name, shape in shapes.items()})
    return {name: array.astype(np.float32) for name, array in arrays.items()}
