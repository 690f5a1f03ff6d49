"""Whether a style is carried over: what is read from a real image and drawn as another class.

Ink, width and slant of the drawn images are correlated with those of the real ones, for each pair
of a real and a drawn class. The images of the same class are the reconstructed ones.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

PER_CLASS = 100  # images read of each class
_LEAST = 3  # images of a class, below which nothing is correlated


class Autoencoder(NamedTuple):
    """What reads the noise of images, and draws any class from it."""

    encode: Callable[[np.ndarray], np.ndarray]  # images uint8 [N, 28, 28] to noise [N, entries]
    draw: Callable[[np.ndarray, np.ndarray], np.ndarray]  # labels, noise to images


class StyleTransfer(NamedTuple):
    """Real images, what is drawn in their style, and the correlations of their properties."""

    labels: np.ndarray  # [N], of the real images
    drawn: np.ndarray  # uint8 [K, N, 28, 28], as each class
    correlations: dict[str, np.ndarray]  # by property [K, K]: real class, drawn class
    entries: int  # numbers that an image was read as

    @property
    def reconstructed(self) -> np.ndarray:
        """The images drawn as their own class, uint8 [N, 28, 28]."""
        return self.drawn[self.labels, np.arange(len(self.labels))]

    def drawn_as_others(self) -> tuple[np.ndarray, np.ndarray]:
        """The images drawn as every other class, uint8 [N (K - 1), 28, 28], and these classes."""
        classes, rows = np.nonzero(np.arange(len(self.drawn))[:, None] != self.labels)
        return self.drawn[classes, rows], classes

    def means(self) -> dict[str, float]:
        """The mean correlation of each property, and the lowest, over pairs of different classes.

        Not of a class with fewer than three real images. Empty if there are no two others.
        """
        values = {name: _of_pairs(table) for name, table in self.correlations.items()}
        if not all(pairs.size for pairs in values.values()):
            return {}
        means = {name: float(pairs.mean()) for name, pairs in values.items()}
        return means | {"lowest": float(min(pairs.min() for pairs in values.values()))}


def measure(
    images: np.ndarray, labels: np.ndarray, autoencoder: Autoencoder, classes: int
) -> StyleTransfer:
    """Draw K classes in the style of real images uint8 [N, 28, 28] of `labels` [N], 0 to K - 1."""
    noise = autoencoder.encode(images)
    real = properties(images)
    drawn = np.stack([autoencoder.draw(np.full(len(images), k), noise) for k in range(classes)])
    correlations = {name: np.full((classes, classes), np.nan) for name in real}
    for drawn_class in range(classes):
        for name, values in properties(drawn[drawn_class]).items():
            for real_class in range(classes):
                rows = labels == real_class
                pair = correlation(real[name][rows], values[rows])
                correlations[name][real_class, drawn_class] = pair
    return StyleTransfer(labels, drawn, correlations, noise[0].size)


def properties(images: np.ndarray) -> dict[str, np.ndarray]:
    """Ink, width and slant [N] of images uint8 [N, 28, 28].

    ink: mean of the pixels in 0..1. width: standard deviation of the ink's columns, in pixels.
    slant: columns that the ink moves to the right from one row to the row above, by the covariance
    of rows and columns divided by the variance of the rows. Both are 0 for a blank image.
    """
    pixels = images / 255.0
    mass = pixels.sum(axis=(1, 2))
    weights = pixels / np.maximum(mass, 1e-9)[:, None, None]  # a distribution over the pixels
    places = np.arange(images.shape[1], dtype=np.float64)
    by_row, by_column = weights.sum(axis=2), weights.sum(axis=1)
    row, column = by_row @ places, by_column @ places
    row_variance = by_row @ places**2 - row**2
    column_variance = by_column @ places**2 - column**2
    covariance = np.einsum("nij,i,j->n", weights, places, places) - row * column
    return {
        "ink": mass / pixels[0].size,
        "width": np.sqrt(np.maximum(column_variance, 0)),
        "slant": -covariance / np.maximum(row_variance, 1e-9),
    }


def correlation(real: np.ndarray, drawn: np.ndarray) -> float:
    """Pearson's correlation of two properties [N].

    0 if the drawn images do not vary, so that nothing of the real ones is in them; not a number if
    the real ones do not, or are fewer than three.
    """
    if len(real) < _LEAST or np.ptp(real) == 0:
        return np.nan
    if np.ptp(drawn) < 1e-12:
        return 0.0
    return float(np.corrcoef(real, drawn)[0, 1])


def squared_errors(images: np.ndarray, reconstructed: np.ndarray) -> np.ndarray:
    """Mean squared difference of the pixels in 0..1 [N] of images uint8 [N, 28, 28]."""
    difference = (images.astype(np.float64) - reconstructed) / 255
    return (difference**2).mean(axis=(1, 2))


def reconstruct_by_pca(
    training_images: np.ndarray,
    training_labels: np.ndarray,
    images: np.ndarray,
    labels: np.ndarray,
    components: int,
) -> np.ndarray:
    """Images uint8 [N, 28, 28] of `labels` [N] by principal components of their class.

    Images of a class without training images become black.
    """
    reconstructed = np.zeros_like(images)
    for label in np.intersect1d(labels, training_labels):
        rows, own = labels == label, training_images[training_labels == label]
        reconstructed[rows] = project(images[rows], own, components)
    return reconstructed


def project(images: np.ndarray, training_images: np.ndarray, components: int) -> np.ndarray:
    """Images uint8 [N, 28, 28] by the first principal components of training images."""
    flat, training = (x.reshape(len(x), -1) / 255.0 for x in (images, training_images))
    mean = training.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(training, rowvar=False, bias=True))
    axes = vectors[:, ::-1][:, :components].T  # [components, 784], the largest variance first
    reconstructed = (flat - mean) @ axes.T @ axes + mean
    return np.rint(255 * reconstructed.clip(0, 1)).astype(np.uint8).reshape(images.shape)


def _of_pairs(table: np.ndarray) -> np.ndarray:
    """The correlations of pairs of different classes that have a value."""
    values = table[~np.eye(len(table), dtype=bool)]
    return values[np.isfinite(values)]
