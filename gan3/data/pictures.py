"""Reads a picture file of any kind as grey levels. The file is not trusted."""

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gan3.core.errors import UserError

_MIN_SIDE, _MAX_SIDE = 4, 4096  # pixels
_READ_ERRORS = (  # what Pillow raises for a file that it cannot read as a picture
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)


def read_grey(path: Path) -> list[np.ndarray]:
    """The grey levels of a picture, uint8 [height, width], 0 black, rotated as its EXIF says.

    If it has transparency there are two: transparent pixels are white in the first and black in the
    second. Otherwise there is one.

    Raises UserError if the file is missing, is not a picture, or has a side of less than 4 or more
    than 4096 pixels.
    """
    try:
        with warnings.catch_warnings(), _open(path) as image:
            if not _MIN_SIDE <= min(image.size) <= max(image.size) <= _MAX_SIDE:
                raise UserError(
                    f"{path}: {image.size} pixels; a side from {_MIN_SIDE} to {_MAX_SIDE} is needed"
                )
            image = _upright(image)
            backgrounds = ("white", "black") if image.has_transparency_data else ("white",)
            return [_grey(image, background) for background in backgrounds]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name a picture of a digit") from None
    except _READ_ERRORS:
        raise UserError(f"{path}: not a picture that can be read; use a PNG of one digit") from None


def _open(path: Path) -> Image.Image:
    warnings.simplefilter("ignore")  # for example about a damaged EXIF
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    return Image.open(path)


def _upright(image: Image.Image) -> Image.Image:
    """Rotated as EXIF says; unchanged if EXIF cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (struct.error, KeyError, SyntaxError, TypeError, ValueError):
        return image


def _grey(image: Image.Image, background: str) -> np.ndarray:
    """uint8 [height, width]; transparent pixels get the colour of the background."""
    if image.mode.startswith("I"):  # 16 bits, which convert() would clip instead of scaling
        return (np.asarray(image).clip(0, 65535) // 257).astype(np.uint8)
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, background)
        image = Image.alpha_composite(opaque, image.convert("RGBA"))
    return np.asarray(image.convert("L"))
