"""Images of multi-digit numbers: digits side by side, and back to single digits."""

import numpy as np

from gan3.core.errors import UserError

FAINT = 25  # of 255; pixel values up to this count as blank, because scans have such noise
_CROP = 5  # columns cut off at the left and right of each digit, as the conditional DCGAN does
_MOST_DIGITS = 1000  # in one image


def parse_number(number: str) -> np.ndarray:
    """int64 [N]: the digits of a number as typed. Raises UserError unless all are 0 to 9."""
    if not (number.isascii() and number.isdigit()):
        raise UserError(f"number {number!r}: digits 0 to 9 only, such as 241256")
    if len(number) > _MOST_DIGITS:
        raise UserError(
            f"number of {len(number)} digits: an image holds at most {_MOST_DIGITS}; split it"
        )
    return np.array([int(digit) for digit in number], np.int64)


def number_image(images: np.ndarray, inverted: bool, tight: bool = False) -> np.ndarray:
    """Digits uint8 [N, 28, 28] side by side: uint8 [28, W], black on white.

    Args:
        inverted: white on black, as the digits themselves are.
        tight: crop each digit to its ink, one blank column at each side. Otherwise each is cropped
            to the same 18 columns, so W is 18 N.
    """
    cells = [_crop_to_ink(i) for i in images] if tight else list(images[:, :, _CROP:-_CROP])
    row = np.concatenate(cells, axis=1)
    return row if inverted else 255 - row


def _crop_to_ink(image: np.ndarray) -> np.ndarray:
    """A digit [28, 28] with at most one blank column at each side: [28, 1 to 28]."""
    inked = np.flatnonzero(image.max(axis=0) > FAINT)
    if not inked.size:
        return image[:, _CROP:-_CROP]
    return image[:, max(inked[0] - 1, 0) : inked[-1] + 2]


def stack_rows(pictures: list[np.ndarray], inverted: bool) -> np.ndarray:
    """Number images [28, W] one below the other; narrower ones get background at the right."""
    width = max(picture.shape[1] for picture in pictures)
    background = 0 if inverted else 255
    return np.concatenate(
        [
            np.pad(picture, ((0, 0), (0, width - picture.shape[1])), constant_values=background)
            for picture in pictures
        ]
    )


def split_number_image(picture: np.ndarray) -> np.ndarray:
    """The digits of an inverted `number_image` [28, 18 N]: uint8 [N, 28, 28], with blank sides."""
    cells = picture.reshape(28, -1, 28 - 2 * _CROP).transpose(1, 0, 2)
    return np.pad(cells, ((0, 0), (0, 0), (_CROP, _CROP)))
