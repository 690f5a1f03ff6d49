"""The style of handwriting in pictures: what is read from them, and the noise that repeats it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan3.core.classes import are_digits, listed, noun
from gan3.core.errors import UserError
from gan3.data import sample_files
from gan3.demo.digit_reader import read_picture
from gan3.plots.numbers import FAINT

if TYPE_CHECKING:
    from gan3.models.generator import Generator

# Below these there is a note: the probability of the class that is read, and the correlation of the
# picture with what is drawn from its code. The web page has the same.
SURE, ALIKE = 0.6, 0.72


class Reading(NamedTuple):
    """What was read from the images of one file."""

    labels: np.ndarray  # int64 [N], 0 to K - 1
    noise: np.ndarray  # float32 [N, entries], the styles
    text: str  # one line: the classes, and how sure they are
    note: str | None = None  # one line, if the reading is unsure


def read(path: Path, generator: "Generator") -> Reading:
    """Read a picture of one digit, or of one member of the generator's classes, of any size.

    An npz file of images and maybe labels, an npy file of images, or a folder of sub-folders that
    are named after the classes has many; they are read as samples are for a report card. Labels
    that it has are believed, but the noise is still normalised by the class that is read.

    Raises UserError if the file cannot be read, if an image is blank, or if a picture shows several
    digits. No other image is refused: one that is no digit is read as the digit that it resembles
    most, with a note if that is unsure.
    """
    names = generator.class_names
    if not sample_files.holds_many(path):
        picture = read_picture(path, one_part=are_digits(names))
        encoded = generator.encode(picture[None])
        name, probability = names[encoded.labels[0]], float(encoded.probabilities.max())
        text, note = f"{path}: read as {name} ({100 * probability:.0f} %)", None
        drawn = generator.draw(encoded.labels, encoded.noise)
        likeness = np.corrcoef(picture.ravel(), drawn.ravel())[0, 1]
        if probability < SURE or likeness < ALIKE:
            note = f"{path}: this reading is unsure; is it one {noun(names)}, and upright?"
        return Reading(encoded.labels, encoded.noise, text, note)
    samples = sample_files.read(path, names)
    blank = np.flatnonzero(samples.images.max(axis=(1, 2)) <= FAINT)
    if len(blank):
        raise UserError(f"{path}: image {blank[0]} is blank; leave it out")
    encoded = generator.encode(samples.images)
    labels = encoded.labels if samples.labels is None else samples.labels
    sure = float(encoded.probabilities[np.arange(len(labels)), labels].mean())
    found = [name for label, name in enumerate(names) if label in labels]
    verb = "read as" if samples.labels is None else "labelled"
    text = f"{path}: {len(labels)} images {verb} {listed(found)} ({100 * sure:.0f} % on average)"
    note = f"{path}: these readings are unsure" if sure < SURE else None
    return Reading(labels, encoded.noise, text, note)


def by_class(readings: Sequence[Reading], classes: int) -> np.ndarray:
    """The noise [K, entries] of each of K classes in the style of all readings.

    A class that was read has the mean of its own images, any other class that of all images.
    """
    labels = np.concatenate([reading.labels for reading in readings])
    noise = np.concatenate([reading.noise for reading in readings])  # [N, entries]
    rows = [noise[labels == label] if label in labels else noise for label in range(classes)]
    return np.stack([row.mean(axis=0) for row in rows])
