"""Images in 0..1 as pixels, without TensorFlow; `data.batches` has the way back."""

import numpy as np


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images of any shape in 0..1 to uint8 pixels, rounded. Raises ValueError outside 0..1."""
    if not (np.all(images >= 0) and np.all(images <= 1)):
        raise ValueError("images must be finite and in 0..1")
    return np.floor(images * 255.0 + 0.5).astype(np.uint8)
