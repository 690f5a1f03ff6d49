"""Images of multi-digit numbers, or of other classes side by side, and back to single images."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gan3.core.arguments import as_path
from gan3.core.errors import UserError
from gan3.core.files import make_folder, write_atomically

FAINT = 25  # pixel values up to this, in 0..255, count as blank, because scans have such noise
CROP = 5  # columns cut off at the left and right of each digit, as the conditional DCGAN does


def number_image(
    images: np.ndarray, inverted: bool, tight: bool = False, crop: int = CROP
) -> np.ndarray:
    """Images uint8 [N, 28, 28] side by side: uint8 [28, W], black on white.

    Args:
        inverted: white on black, as the images themselves are.
        tight: crop each image to its ink, one blank column at each side. Otherwise each loses
            `crop` columns at each side: digits keep 18, so W is 18 N.
    """
    cells = [_crop_to_ink(i) for i in images] if tight else list(images[:, :, crop : 28 - crop])
    row = np.concatenate(cells, axis=1)
    return row if inverted else 255 - row


def _crop_to_ink(image: np.ndarray) -> np.ndarray:
    """A digit [28, 28] with at most one blank column at each side: [28, 1 to 28]."""
    inked = np.flatnonzero(image.max(axis=0) > FAINT)
    if not inked.size:
        return image[:, CROP:-CROP]
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


def enlarge(picture: np.ndarray, scale: int) -> np.ndarray:
    """A picture, uint8 [height, width], `scale` times as large, smoothed between its pixels."""
    if scale == 1:
        return picture
    size = scale * picture.shape[1], scale * picture.shape[0]
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def save_pictures(
    folder: Path, pictures: Iterable[tuple[str, np.ndarray, str | None]], description: str = ""
) -> None:
    """Write pictures into a folder, and labels.csv, by which a data set is read from them.

    pictures: the path of each in the folder, its pixels uint8 [height, width], and its label; None
    for no label. Raises UserError if the folder has files already, or cannot be written.
    """
    make_folder(folder)
    if any(folder.iterdir()):
        raise UserError(f"{folder}: is not empty; name a new folder")
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    for name, pixels, label in pictures:
        make_folder((folder / name).parent)
        write_atomically(folder / name, png_of(pixels, description))
        table.writerow([name, label] if label is not None else [])
    if rows.getvalue().strip():
        write_atomically(folder / "labels.csv", f"file,label\n{rows.getvalue()}".encode())


def png_of(picture: np.ndarray, description: str = "") -> bytes:
    """A gray image, uint8 [height, width], as a PNG; `description` is for its metadata."""
    buffer, info = io.BytesIO(), PngInfo()
    if description:
        info.add_text("Description", description)
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def sheet(images: np.ndarray) -> np.ndarray:
    """Images uint8 [N, 28, 28] in rows of ten, black on white, enlarged: uint8 [height, width]."""
    rows = -(-len(images) // 10)
    cells = np.zeros((10 * rows, 30, 30), np.uint8)  # a pixel of paper around each
    cells[: len(images), 1:-1, 1:-1] = images
    return enlarge(255 - np.block([list(row) for row in cells.reshape(rows, 10, 30, 30)]), 2)


class Picture:
    """A picture that a notebook shows, and that can be saved."""

    def __init__(self, png: bytes):
        self.png = png

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, path: str | Path) -> None:
        """Write it as a PNG file. Raises UserError if that fails, or for another ending."""
        path = as_path(path)
        if path.suffix.lower() != ".png":
            raise UserError(f"{path}: pictures are saved as .png; end the name in it")
        make_folder(path.parent)
        write_atomically(path, self.png)
