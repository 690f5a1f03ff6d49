"""Drawing images by NumPy alone: generators of dense layers need no TensorFlow once trained."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gan3.core import philox
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.method.config import ThreeNetworkConfig
from gan3.nn.dense import Specs, forward, layers_of, shapes_of, stack

IMAGE = 28  # pixels a side
PIXELS = IMAGE * IMAGE
ENTRIES = 10  # of the latent that each class owns
NOISE_RANGES = {"uniform": 1.0, "normal": 2.5}  # the largest value that a slider or a sweep gives
NO_MATRIX = (
    "noise seed: this generator draws new noise for every image, so it has no noise matrix to"
    " replace; leave the noise seed out"
)
NO_BATCH_MOMENTS = (
    "moments: this generator has no batch normalisation to choose them for; leave them out"
)


@dataclass(frozen=True)
class GeneratorSpec:
    """A generator of dense layers: its arrays, its noise and its pixels, without the weights.

    An experiment declares it beside its `build`, and both describe the same generator.
    """

    specs: Specs  # from the latent or the noise to the pixels
    class_conditional: bool
    noise_distribution: str  # "uniform", U(-1, 1), or "normal", N(0, 1)
    class_names: tuple[str, ...] = DIGITS
    pixel_min: float = 0.0  # of the last layer, 0 or -1; the highest is 1
    matrix_seed: int | None = None  # of the run, if one noise matrix is drawn for the whole run
    label_entry: bool = False  # a class owns one more entry of the latent: 1 if it is requested

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the arrays that an episode file holds, by name."""
        return shapes_of(self.specs)


def three_network_generator(
    config: ThreeNetworkConfig, specs: Specs, label_entry: bool = False
) -> GeneratorSpec:
    """The generator of a three-network system, whose layers are `specs`."""
    return GeneratorSpec(
        specs,
        class_conditional=True,
        noise_distribution="uniform",
        class_names=config.class_names,
        matrix_seed=config.seed if config.noise_draw == "once" else None,
        label_entry=label_entry,
    )


def described_layers(classes: int, activation: str) -> Specs:
    """The layers of the description: hidden layers of 100, 500 and 784, then 784 sigmoids."""
    widths = (classes * ENTRIES, 100, 500, 784, PIXELS)
    return stack("generator", widths, activation, "sigmoid")


class NumpyGenerator:
    """A dense generator with its weights: draws in NumPy what its system draws in TensorFlow.

    The noise of a seed is the system's own, the images differ in the last bits of float32.
    """

    def __init__(self, generator: GeneratorSpec, arrays: Mapping[str, np.ndarray]):
        """arrays: float32, by the names and shapes of `generator.shapes`."""
        self.class_conditional = generator.class_conditional
        self.class_names = generator.class_names
        self._classes = len(generator.class_names)
        self.noise_distribution = generator.noise_distribution
        self.pixel_min, self._matrix_seed = generator.pixel_min, generator.matrix_seed
        self.specs, self.arrays = generator.specs, arrays
        self.layers = layers_of(generator.specs, arrays)
        self.label_entry = generator.label_entry
        self.noise_entries = generator.specs[0].inputs
        if self.class_conditional:
            self.noise_entries = self.noise_entries // self._classes - self.label_entry

    @property
    def has_fixed_noise(self) -> bool:
        """Whether each class has one noise vector, whatever the seed."""
        return self._matrix_seed is not None

    def redraw_noise(self, seed: int) -> None:
        """Replace the one noise matrix of a run by that of another seed.

        Raises UserError if there is no such matrix.
        """
        if self._matrix_seed is None:
            raise UserError(NO_MATRIX)
        self._matrix_seed = seed

    def use_moments(self, moments: str) -> None:
        """Raises UserError: no dense generator has a choice of moments."""
        raise UserError(NO_BATCH_MOMENTS)

    def noise(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """Noise float32 [B, entries] of `labels` [B], as the system's `noise` returns it."""
        if self._matrix_seed is not None:
            matrix = philox.uniform(self._classes * ENTRIES, (self._matrix_seed, 1), -1, 1)
            return matrix.reshape(self._classes, ENTRIES)[labels]
        count = len(labels) * self.noise_entries
        if self.noise_distribution == "uniform":
            noise = philox.uniform(count, seed, -1, 1)
        else:
            noise = philox.normal(count, seed)
        return noise.reshape(len(labels), self.noise_entries)

    def generate(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Images float32 [B, 28, 28] in 0..1 of `labels` [B] and `noise` [B, entries], float32."""
        x = noise
        if self.class_conditional:
            if self.label_entry:
                noise = np.pad(noise, ((0, 0), (0, 1)), constant_values=1)
            latent = np.zeros((len(labels), self._classes, noise.shape[1]), np.float32)
            latent[np.arange(len(labels)), labels] = noise  # a class owns its entries of the latent
            x = latent.reshape(len(labels), -1)
        images = forward(self.layers, x)
        if self.pixel_min:
            images = (images - self.pixel_min) / np.float32(1 - self.pixel_min)
        return images.reshape(-1, IMAGE, IMAGE)
