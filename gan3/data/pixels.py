"""Images in 0..1 as pixels, without TensorFlow; `data.batches` has the way back."""

import numpy as np

from gan3.core.errors import UserError

TOLERANCE = 1e-3  # how far rounding may take a float that comes from a user out of its range


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images of any shape in 0..1 to uint8 pixels, rounded. Raises ValueError outside 0..1."""
    if not (np.all(images >= 0) and np.all(images <= 1)):
        raise ValueError("images must be finite and in 0..1")
    return np.floor(images * 255.0 + 0.5).astype(np.uint8)


def pixels_of_generator(images: np.ndarray) -> np.ndarray:
    """The pixels of images that a generator drew. Raises UserError if they are not in 0..1."""
    try:
        return to_pixels(images)
    except ValueError:
        raise UserError(
            "generator: its weights are too large to draw images; use another episode or run"
        ) from None
