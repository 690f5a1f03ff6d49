"""Images of digits as files, without Matplotlib."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.files import write_atomically


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write a gray image, uint8 [height, width], as a PNG of the same size, atomically."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
