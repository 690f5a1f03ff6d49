"""TODO docstring."""

import numpy as np

from gan3.core.errors import UserError

_CROP = (
    5  # columns cut off either side of a digit in a number, as the conditional DCGAN's users had
)
FAINT = 25  # a tenth of full ink: what a scan leaves beside it


def parse_number(number: str) -> np.ndarray:
    """int64 [N]: the digits of a number as typed. Raises UserError where it is not digits only."""
    if not (number.isascii() and number.isdigit()):
        raise UserError(f"number {number!r}: digits 0 to 9 only, such as 241256")
    if len(number) > 1000:
        raise UserError(f"number of {len(number)} digits: at most 1000 fit into one picture")
    return np.array([int(digit) for digit in number], np.int64)


def number_image(images: np.ndarray, inverted: bool, tight: bool = False) -> np.ndarray:
    """Digits [N, 28, 28] side by side: uint8 [28, W]; W is 18 N, or less where tight.

    Cropped left and right to equal widths or, `tight`, to the ink of each, two columns apart. Black
    ink on white paper; inverted, white on black as the digits are drawn.
    """
    cells = [_tight(image) for image in images] if tight else list(images[:, :, _CROP:-_CROP])
    row = np.concatenate(cells, axis=1)
    return row if inverted else 255 - row


def _tight(image: np.ndarray) -> np.ndarray:
    """A digit [28, 28] without the blank columns at its sides, but for one: [28, 1 to 28]."""
    inked = np.flatnonzero(image.max(axis=0) > FAINT)
    if not inked.size:
        return image[:, _CROP:-_CROP]
    return image[:, max(inked[0] - 1, 0) : inked[-1] + 2]


def stack_rows(pictures: list[np.ndarray], inverted: bool) -> np.ndarray:
    """Pictures of numbers one below the other, the narrower ones filled up with paper."""
    width = max(picture.shape[1] for picture in pictures)
    paper = 0 if inverted else 255
    return np.concatenate(
        [
            np.pad(picture, ((0, 0), (0, width - picture.shape[1])), constant_values=paper)
            for picture in pictures
        ]
    )


def split_number_image(picture: np.ndarray) -> np.ndarray:
    """What stands in an inverted `number_image` [28, 18 N]: uint8 [N, 28, 28], sides blank."""
    cells = picture.reshape(28, -1, 28 - 2 * _CROP).transpose(1, 0, 2)
    return np.pad(cells, ((0, 0), (0, 0), (_CROP, _CROP)))
