"""What a generator drew: images that show themselves in a notebook, and that can be saved."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.arguments import as_path, as_whole
from gan3.core.classes import are_digits, file_name
from gan3.core.errors import UserError, shown
from gan3.core.files import make_folder, write_npz
from gan3.core.options import truncation_text
from gan3.core.values import as_images

if TYPE_CHECKING:
    from gan3.plots.numbers import Picture

_SHOWN = 50  # images in a notebook
_MOST_COLUMNS = 50


@dataclass(frozen=True, eq=False)
class Samples:
    """Images that a generator drew, and their labels: `images, labels = samples`."""

    images: np.ndarray  # uint8 [N, 28, 28], ink 255 on background 0
    labels: np.ndarray | None  # int64 [N], the requested classes; None if none can be requested
    class_names: tuple[str, ...]
    truncation: float = 1.0  # by which their noise was scaled

    def __iter__(self) -> Iterator[np.ndarray | None]:
        return iter((self.images, self.labels))

    def _repr_png_(self) -> bytes:
        """The first images for a notebook."""
        from gan3.plots import numbers

        return numbers.png_of(numbers.sheet(self.images[:_SHOWN]))

    def save(self, path: str | Path) -> None:
        """Write a sheet as .png, the arrays as .npz, or pictures to a new folder without ending.

        Raises UserError for another ending, or if there are files in the folder.
        """
        from gan3.plots import numbers  # imports Pillow, which drawing does not need

        path = as_path(path)
        suffix = path.suffix.lower()
        if suffix == ".npz":
            truncation = None if self.truncation == 1 else self.truncation
            arrays = {"images": self.images, "labels": self.labels, "truncation": truncation}
            make_folder(path.parent)
            write_npz(path, {name: array for name, array in arrays.items() if array is not None})
        elif suffix == ".png":
            self._picture(numbers.sheet(self.images)).save(path)
        elif not suffix:
            by_class = "{number:06d}.png" if self.labels is None else "{label}/{number:06d}.png"
            self.save_pictures(path, by_class, inverted=True)
        else:
            raise UserError(
                f"{path}: samples are saved as .png or .npz, or in a folder; choose one of these"
            )

    def save_pictures(self, folder: str | Path, names: str, inverted: bool = False) -> None:
        """Write each image as a picture to a new folder, with a table of their labels.

        names: such as "{label}/{number:06d}.png"; numbers begin at 1. inverted: white ink on black.
        Raises UserError if there are files in the folder, or it cannot be written.
        """
        from gan3.plots import numbers

        pictures = []
        for i, image in enumerate(self.images):
            label = None if self.labels is None else self.class_names[self.labels[i]]
            name = names.format(number=i + 1, label=file_name(label or ""))
            pictures.append((name, image if inverted else 255 - image, label))
        numbers.save_pictures(Path(folder), pictures, truncation_text(self.truncation))

    def picture(
        self, *, rows: int = 1, inverted: bool = False, tight: bool = True, scale: int = 8
    ) -> "Picture":
        """The images side by side as one picture.

        Args:
            rows: one below the other, with equal numbers of images.
            inverted: white ink on black, instead of black on white.
            tight: each image as wide as its ink; otherwise 18 pixels (28 if they are no digits).
            scale: pixels of the picture for each pixel of the images, 1 to 32.

        Raises UserError for rows of unequal numbers.
        """
        from gan3.plots import numbers

        scale = as_whole(scale, "scale", 1, 32)
        crop = numbers.CROP if are_digits(self.class_names) else 0  # only they have blank sides
        if len(self.images) % as_whole(rows, "rows", 1, len(self.images)):
            raise UserError(f"rows {rows}: {len(self.images)} images do not fill them; use another")
        lines = [
            numbers.number_image(row, inverted, tight, crop) for row in np.split(self.images, rows)
        ]
        return self._picture(numbers.enlarge(numbers.stack_rows(lines, inverted), scale))

    def _picture(self, pixels: np.ndarray) -> "Picture":
        from gan3.plots import numbers

        return numbers.Picture(numbers.png_of(pixels, truncation_text(self.truncation)))


class Images(np.ndarray):
    """An array that a notebook shows as a picture, if it is uint8 [N, 28, 28] or one image.

    What is computed from it is an ordinary array or number.
    """

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        return array[()] if array.ndim == 0 else np.asarray(array)

    def _repr_png_(self) -> bytes | None:
        images = np.asarray(self[None] if self.ndim == 2 else self)
        if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or not len(images):
            return None
        from gan3.plots import numbers

        row = numbers.number_image(images[:_SHOWN], inverted=False, tight=True)
        return numbers.png_of(numbers.enlarge(row, 4))


def show(
    images: Any, titles: Iterable[Any] | None = None, *, columns: int = 10, title: str = ""
) -> "Picture":
    """Images as one picture, which a notebook shows and `save` writes.

    Args:
        images: [N, 28, 28], as `gan3.evaluate` takes them, in reading order.
        titles: one above each image, or one above each column.
        columns: images in a row.
        title: of the whole picture.

    Raises:
        UserError: images that do not fit, or titles that are neither N nor `columns`.
    """
    from gan3.plots import grids
    from gan3.plots.numbers import Picture

    pixels = as_images(images)
    columns = min(as_whole(columns, "columns", 1, _MOST_COLUMNS), len(pixels))
    if isinstance(titles, str) or not isinstance(titles, Iterable | None):
        raise UserError(f"titles {shown(titles)}: use a list, one text for each image or column")
    texts = None if titles is None else [str(text) for text in titles]
    if texts is not None and len(texts) not in (len(pixels), columns):
        raise UserError(
            f"titles: {len(texts)} for {len(pixels)} images in {columns} columns; give one for"
            " each image or for each column"
        )
    return Picture(grids.content(grids.grid(pixels, columns, str(title), texts)))
