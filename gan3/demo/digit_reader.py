"""TODO docstring."""

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gan3.core.errors import UserError
from gan3.plots.numbers import FAINT

_NO_PICTURE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)
_LARGEST = 4096  # pixels a side of a picture to be read


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
            if ink.max() <= FAINT and image.has_transparency_data:  # white ink on no paper
                ink = _ink(_grey(image, "black"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name a picture of a digit") from None
    except _NO_PICTURE:
        raise UserError(f"{path}: not a picture that can be read; a PNG of one digit") from None
    if ink.max() <= FAINT:
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
    rows, columns = np.where(ink > FAINT)
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
