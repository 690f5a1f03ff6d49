"""What a generator drew: images that show themselves in a notebook, and that can be saved."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan3.core.arguments import as_path, as_whole
from gan3.core.errors import UserError, shown
from gan3.core.files import make_folder, write_npz
from gan3.core.values import as_images

if TYPE_CHECKING:
    from gan3.plots.numbers import Picture

_SHOWN = 50  # images in a notebook
_MOST_COLUMNS = 50


class Samples(NamedTuple):
    """Images that a generator drew."""

    images: np.ndarray  # uint8 [N, 28, 28], ink 255 on background 0
    labels: np.ndarray | None  # int64 [N], the requested classes; None if none can be requested

    def _repr_png_(self) -> bytes:
        """The first images for a notebook."""
        from gan3.plots import numbers

        return numbers.png_of(numbers.sheet(self.images[:_SHOWN]))

    def save(self, path: str | Path) -> None:
        """Write a sheet of the images as .png, or the arrays as .npz. Raises UserError."""
        from gan3.plots import numbers  # imports Pillow, which drawing does not need

        path = as_path(path)
        if path.suffix.lower() not in (".png", ".npz"):
            raise UserError(f"{path}: samples are saved as .png or .npz; choose one of these")
        make_folder(path.parent)
        if path.suffix.lower() == ".png":
            numbers.save_picture(numbers.sheet(self.images), path)
        else:
            arrays = {name: a for name, a in self._asdict().items() if a is not None}
            write_npz(path, arrays)


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
    return Picture(grids.png(grids.grid(pixels, columns, str(title), texts)))
