"""A trained generator as data: a list of layers and their arrays. It draws in NumPy alone."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from gan3.core import philox
from gan3.core.errors import UserError
from gan3.core.files import read_npz
from gan3.data.values import pixels_of_generator
from gan3.method.drawing import ENTRIES, IMAGE, GeneratorSpec
from gan3.nn.plain import embed, forward
from gan3.nn.specs import BatchNormSpec, LabelSpec

CHUNK = 500  # images per forward pass
LabelsAndNoise = tuple[np.ndarray, np.ndarray]
"""Labels int64 [N] and their noise, float32 [N, noise_entries]."""


class Generator:
    """Draws images: the loop's grids, the report card, the command line and the library use it.

    Labels are int64 [N] in 0..K - 1, noise is float32 [N, noise_entries], images are uint8
    [N, 28, 28] with ink 255 on background 0. A `seed` is a stateless seed, as `runs.seeds.seed_of`
    returns it. The noise of a seed is that of training; the images differ from TensorFlow's in the
    last bits of float32.
    """

    def __init__(self, spec: GeneratorSpec, arrays: Mapping[str, np.ndarray]):
        """arrays: float32, by the names and shapes of `spec.shapes`."""
        self.class_conditional, self.class_names = spec.class_conditional, spec.class_names
        self.noise_distribution, self.pixel_min = spec.noise_distribution, spec.pixel_min
        self.noise_entries, self.label_entry = spec.noise_entries, spec.label_entry
        self.specs, self.arrays = spec.specs, arrays
        self.moments = spec.moments
        self.truncation = np.float32(1)
        self._matrix_seed = spec.matrix_seed
        self._make_layers()

    def _make_layers(self) -> None:
        specs = list(self.specs)
        self._labels = None
        if isinstance(specs[0], LabelSpec):
            self._labels = specs.pop(0).layer(self.arrays)
        self._layers = [
            spec.layer(self.arrays, self.moments == "batch")
            if isinstance(spec, BatchNormSpec)
            else spec.layer(self.arrays)
            for spec in specs
        ]

    @property
    def has_fixed_noise(self) -> bool:
        """Whether each class has one noise vector, whatever the seed."""
        return self._matrix_seed is not None

    def redraw_noise(self, seed: int) -> None:
        """Replace the one noise matrix of a run by that of another seed.

        Raises UserError if there is no such matrix.
        """
        if self._matrix_seed is None:
            raise UserError(
                "noise seed: this generator draws new noise for every image, so it has no noise"
                " matrix to replace; leave the noise seed out"
            )
        self._matrix_seed = seed

    def use_moments(self, moments: str) -> None:
        """Normalise by "running" statistics, or by those of each "batch" that is drawn.

        Raises UserError if there is no batch normalisation to choose them for.
        """
        if self.moments is None:
            raise UserError(
                "moments: this generator has no batch normalisation to choose them for; leave them"
                " out"
            )
        self.moments = moments
        self._make_layers()

    def truncate(self, truncation: float) -> None:
        """Scale all noise that is drawn by a factor, 0 to 1: more typical, less varied images.

        Brock et al. 2019 truncate the noise by drawing large values anew and Karras et al. 2019
        scale a latent towards its mean; this scales the noise itself. At 0 a system draws one image
        for each class. A generator whose latent is the one-hot label times the noise and nothing
        else (`three_network`) then draws one image for all classes.
        """
        self.truncation = np.float32(truncation)

    def noise_of(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The noise of `labels` by one seed, whole: what a training step draws."""
        if self._matrix_seed is not None:
            classes = len(self.class_names)
            matrix = philox.uniform(classes * ENTRIES, (self._matrix_seed, 1), -1, 1)
            return matrix.reshape(classes, ENTRIES)[labels]
        count = len(labels) * self.noise_entries
        if self.noise_distribution == "uniform":
            noise = philox.uniform(count, seed, -1, 1)
        else:
            noise = philox.normal(count, seed)
        return noise.reshape(len(labels), self.noise_entries)

    def noise_parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[LabelsAndNoise]:
        """The labels and their noise in chunks of at most 500; each chunk has a seed of its own."""
        for start in range(0, len(labels), CHUNK):
            chunk = labels[start : start + CHUNK]
            noise = self.noise_of(chunk, philox.fold_in(seed, start // CHUNK))
            yield chunk, noise if self.truncation == 1 else self.truncation * noise

    def noise(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The noise that images of `labels` are drawn with."""
        return np.concatenate([noise for _, noise in self.noise_parts(labels, seed)])

    def draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The images of `labels` with the given noise."""
        starts = range(0, len(labels), CHUNK)
        chunks = [(labels[i : i + CHUNK], noise[i : i + CHUNK]) for i in starts]
        with np.errstate(over="ignore", invalid="ignore"):  # pixels_of_generator refuses the result
            images = [pixels_of_generator(self.generate(*chunk)) for chunk in chunks]
        return np.concatenate(images)

    def parts(self, labels: np.ndarray, seed: philox.Seed) -> Iterator[np.ndarray]:
        """The images of `labels` in chunks of at most 500."""
        for chunk in self.noise_parts(labels, seed):
            yield self.draw(*chunk)

    def __call__(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The images of `labels`, a function of the weights, the labels and the seed.

        The first images of many are those of a few. The exception is moments of the batch, with
        which an image depends on the others of its chunk.
        """
        return np.concatenate(list(self.parts(labels, seed)))

    def generate(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Images float32 [B, 28, 28] in 0..1 of `labels` [B] and `noise` [B, entries]."""
        return self.blend(np.eye(len(self.class_names), dtype=np.float32)[labels], noise)

    def blend(self, soft_labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """`generate` for class weights [B, K] in place of labels; one-hot rows give the same."""
        x = noise
        if self._labels is not None:
            x = embed(self._labels, noise, soft_labels)
        elif self.class_conditional:
            if self.label_entry:
                noise = np.pad(noise, ((0, 0), (0, 1)), constant_values=1)
            latent = soft_labels.astype(np.float32)[:, :, None] * noise[:, None, :]
            x = latent.reshape(len(noise), -1)  # a class owns its entries of the latent
        images = forward(self._layers, x)
        if self.pixel_min:
            images = (images - self.pixel_min) / np.float32(1 - self.pixel_min)
        return images.reshape(-1, IMAGE, IMAGE)


def read_generator(path: Path, spec: GeneratorSpec, dtype: str = "float32") -> Generator:
    """The generator of a file, whose arrays have this dtype.

    Raises UserError if the file is missing or damaged, or does not hold the arrays of `spec`.
    """
    arrays = read_npz(path, {name: (dtype, shape) for name, shape in spec.shapes.items()})
    return Generator(spec, {name: array.astype(np.float32) for name, array in arrays.items()})
