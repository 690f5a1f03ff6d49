"""From a trained system to digits: samples, numbers, weights of an episode, reading pictures."""

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError

from gan3.data import to_pixels, to_unit
from gan3.errors import UserError
from gan3.files import read_npz, write_npz
from gan3.networks import DenseLayer

_CHUNK = 500  # images a pass
_CROP = (
    5  # columns cut off either side of a digit in a number, as the conditional DCGAN's users had
)
_NO_PICTURE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)
_LARGEST = 4096  # pixels a side of a picture to be read
_FAINT = 25  # a tenth of full ink: what a scan leaves beside it

# Streams of a run's seed.
STEPS, EVALUATIONS, SHUFFLED, FIXED, CLASSES, REPORT, EPISODES, LATENT = 1, 2, 3, 4, 5, 6, 7, 8
_STREAM = 2**27  # numbers a stream: more than any schedule has steps


def seed_of(seed: int, stream: int, number: int = 0) -> tuple[int, int]:
    """The seed of one draw of a run. (seed, 0) and (seed, 1) are the system's own."""
    return seed, stream * _STREAM + number


class System(Protocol):
    """What an experiment trains, as the run loop, the figures and the samplers know it."""

    @property
    def heeds_labels(self) -> bool:
        """Whether `generate` draws the digits that are asked for, or any."""

    @property
    def recognises(self) -> bool:
        """Whether `recognise` answers."""

    @property
    def noise_law(self) -> str:
        """ "uniform" in -1..1, or "normal", N(0, 1)."""

    @property
    def lowest(self) -> float:
        """Of a pixel as the generator has it, 0 or -1; what leaves `generate` is in 0..1."""

    def dense_layers(self) -> list[DenseLayer] | None:
        """The generator as plain arrays; None where it has layers of other kinds."""

    def step(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """One training step on images [B, 28, 28, 1] in 0..1 and labels [B].

        Answers for each network, by name, whether its loss and gradients were finite.
        """

    def evaluate(self, images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> dict:
        """Scalars by tag (`loss/…`, `accuracy/…`) of a batch, nothing trained."""

    def noise(self, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The noise that `generate` wants for `labels` [B], a function of `seed` [2]."""

    def generate(self, labels: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Images [B, 28, 28] in 0..1, of `labels` [B] where the system heeds them."""

    def blend(self, shares: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """The same of `shares` [B, 10] of the digits; one-hot shares draw what `generate` does."""

    def recognise(self, images: tf.Tensor) -> tf.Tensor:
        """Digit probabilities [B, 10] of images [B, 28, 28, 1] in 0..1."""

    @property
    def state(self) -> dict[str, tf.Variable]:
        """All that a checkpoint holds, by name."""

    @property
    def generator_weights(self) -> dict[str, tf.Variable]:
        """What an episode file holds, by name."""


class Sampler:
    """Draws digits from a system; traced once, whatever the counts."""

    def __init__(self, system: System):
        self.heeds_labels = system.heeds_labels

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


def labels_of(count: int, text: str) -> np.ndarray:
    """int64 [count]: the digits of `text` over and over; "cycle" is 0123456789."""
    digits = "0123456789" if text == "cycle" else text
    if not (digits.isascii() and digits.isdigit()):
        raise UserError(f"--labels {text!r}: the word cycle, or digits such as 0123")
    if not 1 <= count <= 1_000_000:
        raise UserError(f"--count {count}: from 1 to 1000000")
    return np.resize(np.array([int(digit) for digit in digits], np.int64), count)


def digits_of(number: str) -> np.ndarray:
    """int64 [N]: the digits of a number as typed. Raises UserError where it is not digits only."""
    if not (number.isascii() and number.isdigit()):
        raise UserError(f"number {number!r}: digits 0 to 9 only, such as 241256")
    if len(number) > 1000:
        raise UserError(f"number of {len(number)} digits: at most 1000 fit into one picture")
    return np.array([int(digit) for digit in number], np.int64)


def number_picture(images: np.ndarray, inverted: bool, tight: bool = False) -> np.ndarray:
    """Digits [N, 28, 28] side by side: uint8 [28, W]; W is 18 N, or less where tight.

    Cropped left and right to equal widths or, `tight`, to the ink of each, two columns apart. Black
    ink on white paper; inverted, white on black as the digits are drawn.
    """
    cells = [_tight(image) for image in images] if tight else list(images[:, :, _CROP:-_CROP])
    row = np.concatenate(cells, axis=1)
    return row if inverted else 255 - row


def _tight(image: np.ndarray) -> np.ndarray:
    """A digit [28, 28] without the blank columns at its sides, but for one: [28, 1 to 28]."""
    inked = np.flatnonzero(image.max(axis=0) > _FAINT)
    if not inked.size:
        return image[:, _CROP:-_CROP]
    return image[:, max(inked[0] - 1, 0) : inked[-1] + 2]


def in_rows(pictures: list[np.ndarray], inverted: bool) -> np.ndarray:
    """Pictures of numbers one below the other, the narrower ones filled up with paper."""
    width = max(picture.shape[1] for picture in pictures)
    paper = 0 if inverted else 255
    return np.concatenate(
        [
            np.pad(picture, ((0, 0), (0, width - picture.shape[1])), constant_values=paper)
            for picture in pictures
        ]
    )


def digits_in(picture: np.ndarray) -> np.ndarray:
    """What stands in an inverted `number_picture` [28, 18 N]: uint8 [N, 28, 28], sides blank."""
    cells = picture.reshape(28, -1, 28 - 2 * _CROP).transpose(1, 0, 2)
    return np.pad(cells, ((0, 0), (0, 0), (_CROP, _CROP)))


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


# -- reading pictures ------------------------------------------------------------------------------


def read_picture(path: Path) -> np.ndarray:
    """A picture of one digit as MNIST would hold it: uint8 [28, 28], ink 255 on paper 0.

    Any size, dark on light or light on dark: the border's median is the paper, and the ink is what
    lies farthest from it. The grey of the paper is taken off and the ink stretched to full black,
    else a thin or pale pen would hardly be seen. What is not 28 x 28 is scaled so that its ink fits
    20 x 20, and set with its mass at (14, 14), as MNIST's authors did.

    Raises UserError where there is no such file, it is no picture, or the picture is blank.
    """
    try:
        with warnings.catch_warnings(), _opened(path) as image:
            if max(image.size) > _LARGEST or min(image.size) < 4:
                raise UserError(f"{path}: {image.size} pixels; a side from 4 to {_LARGEST} will do")
            image = _upright(image)
            ink = _ink(_grey(image, "white"))
            if ink.max() <= _FAINT and image.has_transparency_data:  # white ink on no paper
                ink = _ink(_grey(image, "black"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name a picture of a digit") from None
    except _NO_PICTURE:
        raise UserError(f"{path}: not a picture that can be read; a PNG of one digit") from None
    if ink.max() <= _FAINT:
        raise UserError(f"{path}: no digit in it, the picture is blank")
    return _stretched(ink) if ink.shape == (28, 28) else _normalise(ink)


def _grey(image: Image.Image, paper: str) -> np.ndarray:
    """uint8 [height, width]; what is transparent is `paper`."""
    if image.mode.startswith("I"):  # 16 bits, which convert() would cut off, not scale
        return (np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)
    if image.has_transparency_data:
        sheet = Image.new("RGBA", image.size, paper)
        image = Image.alpha_composite(sheet, image.convert("RGBA"))
    return np.asarray(image.convert("L"))


def _ink(grey: np.ndarray) -> np.ndarray:
    """How far each pixel is from the paper, to that side on which the ink is."""
    paper = int(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    if paper - int(grey.min()) > int(grey.max()) - paper:  # dark on light
        grey, paper = 255 - grey, 255 - paper
    return grey.clip(min=paper) - np.uint8(paper)


def _stretched(ink: np.ndarray) -> np.ndarray:
    return np.rint(ink * (255 / ink.max())).astype(np.uint8)


def _opened(path: Path) -> Image.Image:
    warnings.simplefilter("ignore")  # of a damaged EXIF, say; errors are what counts
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return Image.open(path)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the camera says in EXIF; as it is where that cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (struct.error, KeyError, SyntaxError, TypeError, ValueError):
        return image


def _normalise(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.where(ink > _FAINT)
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = 20 / max(cut.shape)
    size = [max(1, round(side * scale)) for side in reversed(cut.shape)]
    small = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BOX)).astype(float)
    height, width = small.shape
    mass = small.sum()
    top = round(14 - (small.sum(axis=1) * np.arange(height)).sum() / mass)
    left = round(14 - (small.sum(axis=0) * np.arange(width)).sum() / mass)
    top, left = np.clip(top, 0, 28 - height), np.clip(left, 0, 28 - width)
    sheet = np.zeros((28, 28), np.uint8)
    sheet[top : top + height, left : left + width] = _stretched(small)
    return sheet


def probabilities(system: Any, images: np.ndarray) -> np.ndarray:
    """Digit probabilities [N, 10] by the system's determinator, of uint8 images [N, 28, 28]."""
    parts = [
        system.recognise(to_unit(tf.constant(images[start : start + _CHUNK]))).numpy()
        for start in range(0, len(images), _CHUNK)
    ]
    return np.concatenate(parts)
