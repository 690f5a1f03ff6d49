"""A trained generator as data: a list of layers and their arrays. It draws in NumPy alone."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core import philox
from gan3.core.arguments import as_array, as_choice, as_fraction, as_labels, as_whole
from gan3.core.classes import images_noun, nouns
from gan3.core.errors import UserError, shown
from gan3.core.options import MAX_COUNT, MOST_VARIANTS, TRIES, truncation_text
from gan3.core.values import as_images, to_pixels
from gan3.models.determinator import CHUNK, Encoded, Encoder
from gan3.models.samples import Images, Samples
from gan3.nn.declared import NOISE_RANGES, GeneratorSpec
from gan3.nn.plain import LabelLayer, forward
from gan3.nn.specs import IMAGE, BatchNorm

if TYPE_CHECKING:
    from gan3.plots.numbers import Picture
    from gan3.runs.trained import Trained

_MOST_IN_A_PICTURE = 1000
VARIATION = 0.2  # largest change of a noise entry between two variants of one style
_MAX_NOISE = 1000  # far outside of what generators are trained with, and far from an overflow


class Generator:
    """Draws handwritten digits, or other classes, in NumPy.

    `gan3.load` and `Run.generator` return one; the training loop, the report card, the command line
    and the web page draw with it. Labels are requested as `core.arguments.as_labels` reads them,
    noise is float32 [N, noise_entries], images are uint8 [N, 28, 28] with ink 255 on background 0.
    A `seed` is a whole number from 0 to 2^31 - 1, or a stateless seed as `core.seeds.seed_of`
    returns it. The noise of a seed is that of training; the images differ from TensorFlow's in the
    last bits of float32.
    """

    def __init__(
        self,
        spec: GeneratorSpec,
        arrays: Mapping[str, np.ndarray],
        name: str = "generator",
        source: "Trained | None" = None,
    ):
        """Use `gan3.load`.

        arrays: float32, by the names and shapes of `spec.shapes`. name: of the run, or of the
        bundled generator. source: its encoder is opened from this when it is needed.
        """
        self.name, self.source = name, source
        self.class_conditional, self.class_names = spec.class_conditional, spec.class_names
        self.noise_distribution, self.pixel_min = spec.noise_distribution, spec.pixel_min
        self.noise_entries, self.label_entry = spec.noise_entries, spec.label_entry
        self.noise_range = NOISE_RANGES[spec.noise_distribution]
        self.specs, self.arrays = spec.specs, arrays
        self.moments = spec.moments
        self.truncation = 1.0
        self._matrix_seed = spec.matrix_seed
        self._make_layers()

    def __repr__(self) -> str:
        kind = f"{'requested' if self.class_conditional else 'any'} {nouns(self.class_names)}"
        parts = filter(None, (kind, truncation_text(self.truncation)))
        return f"<gan3.Generator {self.name}: {', '.join(parts)}>"

    def _make_layers(self) -> None:
        self.layers = [
            spec.layer(self.arrays, self.moments == "batch")
            if isinstance(spec, BatchNorm)
            else spec.layer(self.arrays)
            for spec in self.specs
        ]

    @property
    def has_fixed_noise(self) -> bool:
        """Whether each class has one noise vector, whatever the seed, and so only one image."""
        return self._matrix_seed is not None

    def change(
        self,
        noise_seed: int | None = None,
        moments: str | None = None,
        truncation: float = 1.0,
    ) -> "Generator":
        """Change how it draws, and return it.

        Args:
            noise_seed: replace the one noise matrix of a run by that of another seed.
            moments: normalise by "running" statistics, or by those of each "batch" that is drawn,
                with which an image depends on the others of its batch. None for those as published.
            truncation: the factor, 0 to 1, by which all noise that it draws is scaled: below 1 the
                images are more typical and less varied, at 0 all of a class are equal. Noise that
                is passed to `draw` is not scaled.

        Raises:
            UserError: a value that does not fit, or the generator has no such option.
        """
        if noise_seed is not None:
            noise_seed = as_whole(noise_seed, "noise seed")
            if self._matrix_seed is None:
                raise UserError(
                    "noise seed: this generator draws new noise for every image, so it has no noise"
                    " matrix to replace; leave the noise seed out"
                )
            self._matrix_seed = noise_seed
        if moments is not None:
            moments = as_choice(moments, "moments", ("running", "batch"))
            if self.moments is None:
                raise UserError("moments: this generator leaves no choice of them; leave them out")
            self.moments = moments
            self._make_layers()
        self.truncation = as_fraction(truncation, "truncation")
        return self

    # What users call
    def generate(self, number: Any, *, seed: int | philox.Seed = 0) -> np.ndarray:
        """The digits of a number, in its order: uint8 [N, 28, 28], ink 255 on background 0.

        number: a text of digits, or of other classes with names of one character or with commas
            between them; or a list of the names of classes, such as ["A", "B"].

        Raises UserError if the number has anything but classes, or more than 1,000,000 of them, or
        if the generator is not class-conditional.
        """
        return self(self._number(number), seed).view(Images)

    def _number(self, number: Any) -> np.ndarray:
        """The labels of a number: a text, or a list of names of classes."""
        if not isinstance(number, str | list | tuple):
            example = f"'{number}'" if isinstance(number, int) and number < 10**9 else "'2024'"
            raise UserError(f"number {shown(number)}: use text, such as {example}")
        return self.labels(number, "number")

    def write(
        self,
        number: Any,
        *,
        seed: int = 0,
        variants: int = 1,
        style: np.ndarray | None = None,
        curated: bool = True,
    ) -> Samples:
        """A number in handwriting, as `picture` shows it: of four tries for each digit the best.

        Args:
            number: as `generate` takes it, of at most 1,000 classes.
            variants: how often it is written, 1 to 100; the images of the first come first.
            style: float32 [K, noise_entries], the noise that each class is drawn with; variants
                after the first differ a little from it.
            curated: False for one try; so it is in a style, without encoder, or with fixed noise.

        Raises:
            UserError: as `generate`, and for another number of variants.
        """
        labels = self._number(number)
        if len(labels) > _MOST_IN_A_PICTURE:
            raise UserError(
                f"number of {len(labels)} {nouns(self.class_names)}: an image holds at most"
                f" {_MOST_IN_A_PICTURE}; split it"
            )
        seed, variants = as_whole(seed, "seed"), as_whole(variants, "variants", 1, MOST_VARIANTS)
        seeds = [(seed, row) for row in range(variants)]
        if style is not None:
            style = _as_noise(style, (len(self.class_names), self.noise_entries), "style")
            noise = self.truncation * style[labels]
            fresh = [self.noise(labels, seed=each) for each in seeds[1:]]
            rows = [self.draw(labels, noise), *(self.draw(labels, vary(noise, f)) for f in fresh)]
        elif curated and self.is_curated:
            rows = [self._best_of(labels, each) for each in seeds]
        else:
            rows = [self(labels, each) for each in seeds]
        labels = np.tile(labels, variants)
        return Samples(np.concatenate(rows), labels, self.class_names, self.truncation)

    @property
    def is_curated(self) -> bool:
        """Whether `write` draws several tries if it may: they differ, and an encoder reads them."""
        return not self.has_fixed_noise and self.source is not None and self.source.has_encoder

    def picture(self, number: Any, *, seed: int = 0, scale: int = 8) -> "Picture":
        """What `write` draws as one picture; scale: as `Samples.picture` has it."""
        return self.write(number, seed=seed).picture(scale=scale)

    def labels(self, requested: Any, name: str = "labels") -> np.ndarray:
        """The labels int64 [N] of requested classes, as `core.arguments.as_labels` reads them.

        name: what they are called in errors. Raises UserError for no class, for more than
        1,000,000, and if the generator is not class-conditional.
        """
        if not self.class_conditional:
            called = nouns(self.class_names)
            raise UserError(
                f"{name} {shown(requested)}: {self.name} cannot draw requested {called};"
                f" sample any {called} without labels"
            )
        labels = as_labels(requested, self.class_names, name=name)
        as_whole(len(labels), "count", 1, MAX_COUNT)
        return labels

    def sample(
        self, count: int | None = None, labels: Any = None, *, seed: int | philox.Seed = 0
    ) -> Samples:
        """Images and their labels. The first images of many are those of a few.

        The exception is moments of the batch, the default of conditional_dcgan and gan_auto_write:
        then an image depends on the others of its batch.

        Args:
            count: number of images; by default that of the labels.
            labels: the classes to draw, repeated until they are `count`: text such as "0123" or
                "A,B", a list of names, or whole numbers 0 to K - 1. By default all classes. Only if
                the generator is class-conditional; otherwise the labels that are returned are
                None.
            seed: of the noise.

        Raises:
            UserError: a count that is not in 1 to 1,000,000, or labels that do not fit.
        """
        names = self.class_names
        if count is None and labels is None:
            raise UserError(
                f"count: missing; give the number of {images_noun(names)}, or their labels"
            )
        row = np.arange(len(names)) if labels is None else self.labels(labels)
        number = len(row) if count is None else count
        row = np.resize(row, as_whole(number, "count", 1, MAX_COUNT))
        labels = row if self.class_conditional else None
        return Samples(self(row, seed), labels, names, self.truncation)

    def noise(self, labels: Any, *, seed: int | philox.Seed = 0) -> np.ndarray:
        """The noise that `sample` draws these labels with: float32 [N, noise_entries].

        labels: [N]; if the generator is not class-conditional, only their number matters. Raises
        UserError if they are no classes.
        """
        row = as_labels(labels, self.class_names)
        return np.concatenate([noise for _, noise in self._noise_parts(row, seed)])

    def draw(self, labels: Any, noise: Any) -> np.ndarray:
        """The images of labels [N] with the given noise [N, noise_entries]: uint8 [N, 28, 28].

        The noise may be outside the range that the generator was trained with, from -1000 to 1000.
        Raises UserError if labels and noise do not fit.
        """
        row = as_labels(labels, self.class_names)
        return self._draw(row, _as_noise(noise, (len(row), self.noise_entries)))

    def encode(self, images: Any) -> Encoded:
        """The classes of images [N, 28, 28], and the style that they are written in: its noise.

        `draw` with any labels and this noise writes these in the style of the images. The noise is
        that of the determinator's code for the class that it reads, without the code's own noise.

        images: uint8 or floats in 0..1, ink on background 0. Raises UserError if they do not fit,
        or if the generator comes without an encoder: only `best` and its like have one.
        """
        return self._encoder(as_images(images))

    @cached_property
    def _encoder(self) -> Encoder:
        if self.source is None:
            raise UserError(f"generator {self.name}: has no encoder; load one that has")
        return self.source.encoder()

    # What draws
    def __call__(self, labels: np.ndarray, seed: int | philox.Seed) -> np.ndarray:
        """The images of `labels`, int64 [N]: a function of the weights, the labels and the seed."""
        return np.concatenate(list(self.parts(labels, seed)))

    def parts(self, labels: np.ndarray, seed: int | philox.Seed) -> Iterator[np.ndarray]:
        """The images of `labels`, int64 [N], in chunks of at most 500."""
        for chunk in self._noise_parts(labels, seed):
            yield self._draw(*chunk)

    def _best_of(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """For each of the labels, int64 [N], the one of four tries that is read best.

        That is the one that looks most like what is drawn from its code, by the squared difference
        of the pixels; one that is read as another class comes last. By its probability alone, many
        a broken stroke would be read as well as a good one. seed: of the first try; its second
        entry is a row, 0 to 99, which has tries of its own.
        """
        run, row = seed
        seeds = [(run, row + number * MOST_VARIANTS) for number in range(TRIES)]
        noise = np.concatenate([self.noise(labels, seed=seed) for seed in seeds])
        requested = np.tile(labels, TRIES)
        images = self._draw(requested, noise)  # all at once: faster than apart
        read = self._encoder(images)
        difference = (self._draw(requested, read.noise) - images.astype(np.float32)) ** 2
        cost = difference.mean(axis=(1, 2)) + 255**2 * (read.labels != requested)
        best = cost.reshape(TRIES, -1).argmin(axis=0)  # [N]
        return images.reshape(TRIES, len(labels), IMAGE, IMAGE)[best, np.arange(len(labels))]

    def noise_of(self, labels: np.ndarray, seed: philox.Seed) -> np.ndarray:
        """The noise of `labels` by one seed, whole: what a training step draws."""
        if self._matrix_seed is not None:
            classes = len(self.class_names)
            matrix = philox.uniform(classes * self.noise_entries, (self._matrix_seed, 1), -1, 1)
            return matrix.reshape(classes, self.noise_entries)[labels]
        count = len(labels) * self.noise_entries
        if self.noise_distribution == "uniform":
            noise = philox.uniform(count, seed, -1, 1)
        else:
            noise = philox.normal(count, seed)
        return noise.reshape(len(labels), self.noise_entries)

    def _noise_parts(
        self, labels: np.ndarray, seed: int | philox.Seed
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The labels and their noise in chunks of at most 500; each chunk has a seed of its own."""
        if not (isinstance(seed, tuple) and len(seed) == 2):
            seed = (as_whole(seed, "seed"), 0)
        for start in range(0, len(labels), CHUNK):
            chunk = labels[start : start + CHUNK]
            noise = self.noise_of(chunk, philox.fold_in(seed, start // CHUNK))
            yield chunk, noise if self.truncation == 1 else np.float32(self.truncation) * noise

    def _draw(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        images = []
        with np.errstate(over="ignore", invalid="ignore"):  # draw_blend refuses the result
            for i in range(0, len(labels), CHUNK):
                one_hot = self._one_hot(labels[i : i + CHUNK])
                images.append(self.draw_blend(one_hot, noise[i : i + CHUNK]))
        return np.concatenate(images)

    def images(self, labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Images float32 [B, 28, 28] in 0..1 of `labels` [B] and `noise` [B, entries]."""
        return self.blend(self._one_hot(labels), noise)

    def _one_hot(self, labels: np.ndarray) -> np.ndarray:
        return np.eye(len(self.class_names), dtype=np.float32)[labels]

    def draw_blend(self, soft_labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The pixels of `blend`, uint8. Raises UserError if its weights are too large."""
        try:
            return to_pixels(self.blend(soft_labels, noise))
        except ValueError:
            raise UserError(
                "generator: its weights are too large to draw images; use another episode or run"
            ) from None

    def blend(self, soft_labels: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """`images` for class weights [B, K] in place of labels; one-hot rows give the same."""
        x, layers = noise, self.layers
        if isinstance(layers[0], LabelLayer):
            x, layers = layers[0](noise, soft_labels), layers[1:]
        elif self.class_conditional:
            if self.label_entry:
                noise = np.pad(noise, ((0, 0), (0, 1)), constant_values=1)
            latent = soft_labels.astype(np.float32)[:, :, None] * noise[:, None, :]
            x = latent.reshape(len(noise), -1)  # a class owns its entries of the latent
        images = forward(layers, x)
        if self.pixel_min:
            images = (images - self.pixel_min) / np.float32(1 - self.pixel_min)
        return images.reshape(-1, IMAGE, IMAGE)


def vary(noise: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """Noise [N, entries] in -1..1 changed a little by fresh noise of U(-1, 1), entry by entry."""
    return np.clip(noise + np.float32(VARIATION) * fresh, -1, 1)


def _as_noise(noise: Any, shape: tuple[int, int], name: str = "noise") -> np.ndarray:
    """Noise as float32 of this shape. Raises UserError if it is not, or beyond -1000..1000."""
    array = as_array(noise, name)
    if array.dtype.kind not in "fiu" or array.shape != shape:
        raise UserError(
            f"{name}: {array.dtype} of shape {array.shape}; use floats of shape {shape}"
        )
    largest = np.abs(array.astype(float)).max()
    if not largest <= _MAX_NOISE:  # also if it is not a number
        raise UserError(f"{name}: values up to {largest:.3g}; use values from -1000 to 1000")
    return array.astype(np.float32)
