"""Makes a labelled set of the letters A to Z from the fonts that are installed with matplotlib.

`python -m experiments.data.letters --out letters.npz` writes 26,000 training and 5,200 test images:
each a letter in a random font, size, slant, rotation, stretch and position. The draws are fixed, so
equal versions of Pillow and matplotlib give equal images.
"""

import string
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .command import write_set

TRAIN, TEST = 26_000, 5_200
LETTERS = string.ascii_uppercase
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10", "cmti10", "cmmi10"),
)
_SCALE = 4  # a letter is drawn this many times larger and averaged
_CANVAS = 28 * _SCALE
_MOST = 26 * _SCALE  # canvas pixels that a letter may take: the border stays empty
_FONT_SIZE = 96  # pixels of the large drawing


def make(train: int = TRAIN, test: int = TEST) -> dict[str, np.ndarray]:
    """`x_train`, `y_train`, `x_test` and `y_test`: uint8 [N, 28, 28] with bright ink, and names."""
    arrays = {}
    for stream, (part, count) in enumerate((("train", train), ("test", test))):
        random = np.random.Generator(np.random.PCG64(stream))
        labels = np.arange(count) % len(LETTERS)
        labels = labels[np.argsort(random.random(count), kind="stable")]
        arrays[f"x_{part}"] = np.stack([draw(LETTERS[label], random) for label in labels])
        arrays[f"y_{part}"] = np.array(list(LETTERS))[labels]
    return arrays


def draw(letter: str, random: np.random.Generator) -> np.ndarray:
    """One letter, uint8 [28, 28], with everything about it drawn at random."""
    draws = random.random(7)
    font, (size, slant, angle, stretch, x, y) = draws[0], 2 * draws[1:] - 1
    ink = _large(FONTS[int(font * len(FONTS))], letter)
    # From the drawing to the canvas, both from their centres: resize, slant, rotate.
    cos, sin = np.cos(0.14 * angle), np.sin(0.14 * angle)
    resize = (18.5 + 2.5 * size) * _SCALE / ink.shape[0]  # ink 16 to 21 pixels high
    matrix = np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, 0.22 * slant], [0, 1]])
    matrix = resize * matrix @ np.diag([1 + 0.12 * stretch, 1])
    drawn = np.array([ink.shape[1], ink.shape[0]])
    extent = np.abs(matrix) @ drawn  # a box around it on the canvas
    shrink = min(1, _MOST / extent.max())
    matrix, extent = shrink * matrix, shrink * extent
    shift = np.array([x, y]) * np.minimum(1.5 * _SCALE, (_MOST - extent) / 2)
    inverse = np.linalg.inv(matrix)
    offset = drawn / 2 - inverse @ (_CANVAS / 2 + shift)
    coefficients = (*inverse[0], offset[0], *inverse[1], offset[1])
    large = Image.fromarray(ink).transform(
        (_CANVAS, _CANVAS), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(large.resize((28, 28), Image.Resampling.BOX))


@lru_cache(maxsize=len(FONTS) * len(LETTERS))
def _large(font: str, letter: str) -> np.ndarray:
    """A letter of a font without a margin, uint8 [height, width]."""
    from matplotlib import get_data_path

    path = Path(get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    image = Image.new("L", (3 * _FONT_SIZE, 3 * _FONT_SIZE))
    face = ImageFont.truetype(path, _FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)
    ImageDraw.Draw(image).text((_FONT_SIZE, _FONT_SIZE), letter, fill=255, font=face)
    return np.asarray(image.crop(image.getbbox()))


if __name__ == "__main__":
    write_set(__doc__, make, "the letters A to Z")
