"""Reads images with a trained determinator in NumPy: which class it is, and how it is written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.core.files import names_in, read_npz
from gan3.method.encoding import DeterminatorSpec, NumpyDeterminator
from gan3.runs.drawing import CHUNK
from gan3.runs.registry import determinator_of


class Encoded(NamedTuple):
    """What a determinator with an encoder reads from images."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]
    noise: np.ndarray  # float32 [N, 10] in -1..1: the style that the images are written in


Encoder = Callable[[np.ndarray], Encoded]
"""Reads images uint8 [N, 28, 28], ink 255 on background 0."""


def read_encoder(path: Path, spec: DeterminatorSpec, dtype: str = "float32") -> Encoder:
    """The encoder of a generator's file, which also holds the determinator, in this dtype.

    Raises UserError as `read_determinator` does.
    """
    return encoder_of(read_determinator(path, spec, dtype))


def read_determinator(
    path: Path, spec: DeterminatorSpec, dtype: str = "float32"
) -> NumpyDeterminator:
    """The determinator of a generator's file, whose arrays have this dtype.

    Raises UserError if the file is missing or damaged, or does not hold the arrays of `spec`.
    """
    arrays = read_npz(path, {name: (dtype, shape) for name, shape in spec.shapes.items()})
    float32 = {name: array.astype(np.float32) for name, array in arrays.items()}
    return NumpyDeterminator(spec, float32)


def encoder_of(determinator: NumpyDeterminator) -> Encoder:
    """Reads any number of images with a determinator that has an encoder."""

    def encode(images: np.ndarray) -> Encoded:
        chunks = [determinator.encode(chunk) for chunk in _chunks(images)]
        probabilities, noise = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return Encoded(probabilities.argmax(axis=1), probabilities, noise)

    return encode


def classify(determinator: NumpyDeterminator, images: np.ndarray) -> np.ndarray:
    """Class probabilities float32 [N, K] of any number of images, uint8 [N, 28, 28]."""
    return np.concatenate([determinator.classify(chunk) for chunk in _chunks(images)])


def _chunks(images: np.ndarray) -> Iterator[np.ndarray]:
    """The images as float32 in 0..1, a few at a time."""
    for start in range(0, len(images), CHUNK):
        yield images[start : start + CHUNK] / np.float32(255)


def has_determinator(path: Path, spec: DeterminatorSpec) -> bool:
    """Whether a generator's file also holds the determinator `spec`."""
    return set(spec.shapes) <= names_in(path)


def encoder_spec_of(config: RunConfig, name: str) -> DeterminatorSpec:
    """The determinator of a config, with its encoder. Raises UserError if it has none.

    name: what the error calls the generator.
    """
    spec = determinator_of(config)
    if spec is None or spec.encoder is None:
        raise UserError(
            f"{name}: {config.experiment} has no encoder, so it reads no style from images; use"
            " best, or a run of it"
        )
    return spec
