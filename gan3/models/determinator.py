"""A trained determinator as data: it reads which class an image shows, and how it is written."""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.files import names_in, read_npz
from gan3.method.declared import CODE_MOMENTS, DeterminatorSpec
from gan3.nn.plain import EPSILON, forward

CHUNK = 500  # images per forward pass


class Determinator:
    """A determinator with its weights: reads in NumPy what its system reads in TensorFlow.

    The results differ in the last bits of float32. `features`, `logits` and `encoder`
    are its layers; the code of class c is (encoder - `code_means`[c]) `code_scales`[c]. Without an
    encoder these three are None.
    """

    def __init__(self, spec: DeterminatorSpec, arrays: Mapping[str, np.ndarray]):
        """arrays: float32, by the names and shapes of `spec.shapes`."""
        self.class_names, self.arrays = spec.class_names, arrays
        self.features = [layer.layer(arrays) for layer in spec.features]
        self.logits = spec.logits.layer(arrays)
        self.encoder = self.code_means = self.code_scales = None
        if spec.encoder is not None:
            self.encoder = spec.encoder.layer(arrays)
            self.code_means, variances = (arrays[name] for name in CODE_MOMENTS)
            kept = np.float32(math.sqrt(1 - spec.code_noise))
            self.code_scales = kept / np.sqrt(variances + np.float32(EPSILON))

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities [B, K] of images [B, 28, 28] in 0..1, both float32."""
        return _softmax(forward([self.logits], self._features(images)))

    def encode(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities [B, K] and noise [B, 10] in -1..1 of images [B, 28, 28] in 0..1.

        The noise is that of the code of the most probable class. All are float32. Only with an
        encoder.
        """
        h = self._features(images)
        probabilities = _softmax(forward([self.logits], h))
        labels = probabilities.argmax(axis=1)
        numbers = forward([self.encoder], h)
        code = (numbers - self.code_means[labels]) * self.code_scales[labels]
        return probabilities, normal_to_uniform(code)

    def _features(self, images: np.ndarray) -> np.ndarray:
        """The last hidden layer [B, hidden]."""
        return forward(self.features, images[..., None])


def normal_to_uniform(code: np.ndarray) -> np.ndarray:
    """Noise in -1..1 of a normal code, float32: erf(code / sqrt 2), as in `vae_gan.train_step`."""
    erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none
    return erf(code.astype(np.float64) / math.sqrt(2)).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class Encoded(NamedTuple):
    """What a determinator with an encoder reads from images."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]
    noise: np.ndarray  # float32 [N, 10] in -1..1: the style that the images are written in


Encoder = Callable[[np.ndarray], Encoded]
"""Reads images uint8 [N, 28, 28], ink 255 on background 0."""


def read_determinator(path: Path, spec: DeterminatorSpec, dtype: str = "float32") -> Determinator:
    """The determinator of a generator's file, whose arrays have this dtype.

    Raises UserError if the file is missing or damaged, or does not hold the arrays of `spec`.
    """
    arrays = read_npz(path, {name: (dtype, shape) for name, shape in spec.shapes.items()})
    float32 = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Determinator(spec, float32)


def encoder_of(determinator: Determinator) -> Encoder:
    """Reads any number of images with a determinator that has an encoder."""

    def encode(images: np.ndarray) -> Encoded:
        chunks = [determinator.encode(chunk) for chunk in _chunks(images)]
        probabilities, noise = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return Encoded(probabilities.argmax(axis=1), probabilities, noise)

    return encode


def classify(determinator: Determinator, images: np.ndarray) -> np.ndarray:
    """Class probabilities float32 [N, K] of any number of images, uint8 [N, 28, 28]."""
    return np.concatenate([determinator.classify(chunk) for chunk in _chunks(images)])


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    """The images as float32 in 0..1, a few at a time."""
    for start in range(0, len(images), CHUNK):
        yield images[start : start + CHUNK] / np.float32(255)


def has_determinator(path: Path, spec: DeterminatorSpec) -> bool:
    """Whether a generator's file also holds the determinator `spec`."""
    return set(spec.shapes) <= names_in(path)
