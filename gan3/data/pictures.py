"""Reads a picture file of any kind as grey levels, and fits it to 28 x 28. No file is trusted."""

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gan3.core.errors import UserError
from gan3.core.values import SIDE

_MIN_SIDE, _MAX_SIDE = 4, 4096  # pixels
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # no others are opened
_SCALED_FORMATS = ("PNG", "PPM")  # in which the mode "I" has 16 bits
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# What Pillow raises for a file that it cannot read as a picture
_READ_ERRORS = (*_BOMBS, OSError, RuntimeError, SyntaxError, ValueError)


def read_grey(path: Path) -> list[np.ndarray]:
    """The grey levels of a picture [height, width], 0 black, rotated as its EXIF says.

    They are uint8, or uint16 as they are stored, which may use fewer bits. With transparency there
    are two: transparent pixels are white in the first and black in the second. Otherwise there is
    one.

    Raises UserError if the file is not a picture, has a side of less than 4 or more than 4096
    pixels, or 32 bits for a pixel.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # for example about a damaged EXIF
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                return _grey_levels(path, image)
    except _READ_ERRORS as error:
        if getattr(error, "strerror", None):  # the operating system's
            raise
        raise UserError(f"{path}: not a picture that can be read; use a PNG in its place") from None


def _grey_levels(path: Path, image: Image.Image) -> list[np.ndarray]:
    if not _MIN_SIDE <= min(image.size) <= max(image.size) <= _MAX_SIDE:
        raise UserError(
            f"{path}: {image.size} pixels; a side from {_MIN_SIDE} to {_MAX_SIDE} is needed"
        )
    if image.mode in ("F", "I") and image.format not in _SCALED_FORMATS:
        raise UserError(f"{path}: has 32 bits for a pixel; store it with 8 or 16 bits")
    image = _upright(image)
    backgrounds = ("white", "black") if image.has_transparency_data else ("white",)
    return [_grey(image, background) for background in backgrounds]


def fit(grey: np.ndarray) -> np.ndarray:
    """A picture [height, width] of uint8 or uint16 as [28, 28] of the same dtype.

    It is centred on a square with its longer side, which keeps its proportions, and resized: by the
    mean over areas if the square is larger than 28 x 28, linearly if it is smaller. The margin is
    the median of the picture's border, because paper is not always white. Nothing is cropped, and
    contrast and position stay as they are.
    """
    if grey.shape == (SIDE, SIDE):
        return grey
    side = max(grey.shape)
    top, left = ((side - length) // 2 for length in grey.shape)
    square = np.full((side, side), int(np.median(border(grey[None]))), grey.dtype)
    square[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
    method = Image.Resampling.BOX if side > SIDE else Image.Resampling.BILINEAR
    if grey.dtype == np.uint8:
        return np.asarray(Image.fromarray(square).resize((SIDE, SIDE), method))
    image = Image.fromarray(square.astype(np.float32))  # Pillow resizes 8 bits or floats
    return np.rint(image.resize((SIDE, SIDE), method)).astype(grey.dtype)


def visible(greys: list[np.ndarray]) -> np.ndarray:
    """The version in which something is to be seen, if transparent pixels can be white or black."""
    return next((grey for grey in greys if np.ptp(grey)), greys[-1])


def border(images: np.ndarray) -> np.ndarray:
    """The outermost pixels of images [N, height, width], flat."""
    sides = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    return np.concatenate([side.ravel() for side in sides])


def likely_ink(images: np.ndarray) -> str:
    """The word dark if most of the outermost pixels of images are bright, otherwise bright."""
    return "dark" if np.median(border(images)) > 127 else "bright"


def unknown_ink(source: Path, images: np.ndarray) -> UserError:
    """The error for pictures that could have ink of either kind."""
    likely = likely_ink(images)
    background = "bright" if likely == "dark" else "dark"
    return UserError(
        f"{source}: is the ink of its pictures bright or dark? Their borders are {background}, so"
        f" it looks {likely}: set ink to {likely}, or to the other if that is wrong"
    )


def _upright(image: Image.Image) -> Image.Image:
    """Rotated as EXIF says; unchanged if EXIF cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except (struct.error, KeyError, SyntaxError, TypeError, ValueError):
        return image


def _grey(image: Image.Image, background: str) -> np.ndarray:
    """Levels [height, width]; transparent pixels get the colour of the background."""
    if image.mode.startswith("I"):  # 16 bits, which convert() would clip
        return np.asarray(image).clip(0, 65535).astype(np.uint16)
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, background)
        image = Image.alpha_composite(opaque, image.convert("RGBA"))
    return np.asarray(image.convert("L"))
