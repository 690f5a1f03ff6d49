"""Images from a trained generator: what every sampler does, and the one that needs NumPy alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from gan3.core import philox
from gan3.core.classes import DIGITS, labels_of_text
from gan3.core.errors import UserError, shown
from gan3.core.files import read_npz
from gan3.data.pixels import pixels_of_generator
from gan3.method.drawing import GeneratorSpec, NumpyGenerator

CHUNK = 500  # images per forward pass
_MAX_COUNT = 1_000_000
LabelsAndNoise = tuple[np.ndarray, np.ndarray]
"""Labels int64 [N] and their noise, float32 [N, noise_entries]."""


class DigitSampler(Protocol):
    """Draws images: `DenseSampler` in NumPy, `sampling.Sampler` in TensorFlow.

    Labels are int64 [N] in 0..K - 1, noise is float32 [N, noise_entries], images are uint8
    [N, 28, 28] with ink 255 on background 0. A `seed` is a stateless seed, as `runs.seeds.seed_of`
    returns it; the noise of a seed is the same in both samplers.
    """

    class_names: tuple[str, ...]  # of the K classes; a label is an index into them
    class_conditional: bool  # whether the requested classes are drawn; else any
    noise_distribution: str  # "uniform", U(-1, 1), or "normal", N(0, 1)
    noise_entries: int  # for each image
    has_fixed_noise: bool  # whether each class has one noise vector, whatever the seed

    def redraw_noise(self, seed: int) -> None:
        """Replace the one noise matrix of a run by that of another seed, before any image is drawn.

        Raises UserError if each image has its own noise.
        """

    def use_moments(self, moments: str) -> None:
        """Normalise by "running" moments or those of each "batch", before any image is drawn.

        Raises UserError if the generator has no batch normalisation to choose them for.
        """

    def noise(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The noise of `labels`."""

    def draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The images of `labels` with the given noise."""

    def noise_parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[LabelsAndNoise]:
        """The labels and their noise in chunks of at most 500."""

    def parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[np.ndarray]:
        """The images of `labels` in the same chunks."""

    def __call__(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The images of `labels`, a function of the weights, the labels and the seed.

        The first images of many are those of a few. The exception is moments of the batch, with
        which an image depends on the others of its chunk.
        """


class _OfSource:
    """What every sampler takes from its source: what there is to draw, and the options of it."""

    def __init__(self, source: "NumpyGenerator | DigitSampler"):
        self.class_names = source.class_names
        self.class_conditional = source.class_conditional
        self.noise_distribution = source.noise_distribution
        self.noise_entries = source.noise_entries
        self.has_fixed_noise = source.has_fixed_noise
        self.redraw_noise, self.use_moments = source.redraw_noise, source.use_moments

    def noise_parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[LabelsAndNoise]:
        """Labels and their noise, in chunks of at most 500."""
        raise NotImplementedError

    def draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The images uint8 [N, 28, 28] of labels with the given noise."""
        raise NotImplementedError

    def parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[np.ndarray]:
        """Chunks uint8 [at most 500, 28, 28]."""
        for chunk in self.noise_parts(labels, seed):
            yield self.draw(*chunk)

    def noise(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """float32 [N, noise_entries]."""
        return np.concatenate([noise for _, noise in self.noise_parts(labels, seed)])

    def __call__(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """uint8 [N, 28, 28]."""
        return np.concatenate(list(self.parts(labels, seed)))


class DenseSampler(_OfSource):
    """A `DigitSampler` of a generator of dense layers, in NumPy alone."""

    def __init__(self, generator: NumpyGenerator):
        super().__init__(generator)
        self.generator = generator

    def draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """uint8 [N, 28, 28]."""
        starts = range(0, len(labels), CHUNK)
        chunks = [(labels[i : i + CHUNK], noise[i : i + CHUNK]) for i in starts]
        with np.errstate(over="ignore", invalid="ignore"):  # pixels_of_generator refuses the result
            images = [pixels_of_generator(self.generator.generate(*chunk)) for chunk in chunks]
        return np.concatenate(images)

    def noise_parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[LabelsAndNoise]:
        """Labels and their noise, in chunks; each chunk has a seed of its own."""
        for start in range(0, len(labels), CHUNK):
            chunk = labels[start : start + CHUNK]
            yield chunk, self.generator.noise(chunk, philox.fold_in(seed, start // CHUNK))


class TruncatedSampler(_OfSource):
    """A `DigitSampler` whose noise is scaled towards the middle: more typical, less varied images.

    Brock et al. 2019 truncate the noise by drawing large values anew and Karras et al. 2019 scale a
    latent towards its mean; this scales the noise itself.
    """

    def __init__(self, sampler: DigitSampler, truncation: float):
        """truncation: the factor of the noise, 0 to 1 (no truncation).

        At 0 a system draws one image for each class. A generator whose latent is the one-hot label
        times the noise and nothing else (`three_network`) then draws one image for all classes.
        """
        super().__init__(sampler)
        self._sampler, self._truncation = sampler, np.float32(truncation)
        self.draw = sampler.draw

    def noise_parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[LabelsAndNoise]:
        """Labels and their scaled noise, in chunks."""
        for chunk, noise in self._sampler.noise_parts(labels, seed):
            yield chunk, self._truncation * noise


def read_dense_sampler(path: Path, spec: GeneratorSpec, dtype: str = "float32") -> DenseSampler:
    """The sampler of a generator's file, whose arrays have this dtype.

    Raises UserError if the file is missing or damaged, or does not hold the arrays of `spec`.
    """
    arrays = read_npz(path, {name: (dtype, shape) for name, shape in spec.shapes.items()})
    float32 = {name: array.astype(np.float32) for name, array in arrays.items()}
    return DenseSampler(NumpyGenerator(spec, float32))


def parse_labels(count: int, text: str, names: tuple[str, ...]) -> np.ndarray:
    """int64 [count]: the classes of `text`, repeated; "cycle" stands for all classes `names`.

    text: names with commas between them, or of one character each: "0123". Raises UserError if it
    is anything else, or `count` is not in 1..1,000,000.
    """
    if text == "cycle":
        labels = list(range(len(names)))
    elif names == DIGITS and not (text.isascii() and text.replace(",", "").isdigit()):
        raise UserError(f'labels {text!r}: use digits such as 0123, or "cycle" for 0123456789')
    else:
        labels = labels_of_text(text, names, "labels")
    check_count(count)
    return np.resize(np.array(labels, np.int64), count)


def check_count(count: int) -> None:
    """Raises UserError if `count` is not in 1..1,000,000."""
    if not 1 <= count <= _MAX_COUNT:
        raise UserError(f"count {shown(count)}: use a number from 1 to {_MAX_COUNT}")
