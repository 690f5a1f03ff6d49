"""Images of digits as files, without Matplotlib."""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan3.core.files import write_atomically


def save_picture(picture: np.ndarray, path: Path, description: str = "") -> None:
    """Write a gray image, uint8 [height, width], as a PNG of the same size, atomically.

    description: what the file's metadata should say of it.
    """
    buffer, info = io.BytesIO(), PngInfo()
    if description:
        info.add_text("Description", description)
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=info)
    write_atomically(path, buffer.getvalue())
