"""Reads a user's own set from an npz file. The file is not trusted."""

from pathlib import Path

import numpy as np

from gan3.core.classes import MAX_LENGTH
from gan3.core.errors import UserError
from gan3.core.files import Header, headers_in, read_npz
from gan3.data.idx import MAX_IMAGES, MIN_IMAGES, Arrays
from gan3.data.pictures import SIDE, border, likely_ink, unknown_ink
from gan3.data.pixels import to_pixels

_LAYOUTS = (  # names of the arrays by kind; without a test part, one is split off
    {
        "train-images": "x_train",
        "train-labels": "y_train",
        "t10k-images": "x_test",
        "t10k-labels": "y_test",
    },
    {"train-images": "x_train", "train-labels": "y_train"},
    {"train-images": "images", "train-labels": "labels"},
)
_MOST_CODE_POINT = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)


def read_npz_set(path: Path, ink: str) -> Arrays:
    """The arrays of an own set, with bright ink, and with the labels as they are stored.

    The file has `x_train`, `y_train`, `x_test` and `y_test`, or only the first two, or `images` and
    `labels`. Images are [N, 28, 28] or [N, 28, 28, 1], uint8 or floats in 0..1; labels are integers
    or text, [N].

    Args:
        ink: "bright" or "dark", or "unknown", which is an error that says what it looks like.

    Returns:
        Images uint8 [N, 28, 28] and labels [N], by kind; without a test part if there is none.

    Raises:
        UserError: the file cannot be read, or an array is missing or of another kind.
    """
    headers = headers_in(path)
    layout = next((names for names in _LAYOUTS if set(names.values()) <= set(headers)), None)
    if layout is None:
        found = ", ".join(sorted(headers))[:100] or "none"
        raise UserError(
            f"{path}: its arrays are {found}; it needs x_train, y_train, x_test and y_test, or"
            " images and labels"
        )
    if layout is _LAYOUTS[1] and not {"x_test", "y_test"}.isdisjoint(headers):
        raise UserError(
            f"{path}: has x_test or y_test, but not both; store both, or neither of them"
        )
    wanted = {}
    for kind, name in layout.items():
        check = _check_images if "images" in kind else _check_labels
        check(path, name, headers[name])
        wanted[name] = (headers[name].dtype.str.lstrip("|"), headers[name].shape)
    by_name = read_npz(path, wanted)
    arrays = {kind: by_name[name] for kind, name in layout.items()}
    dtypes = [array.dtype for kind, array in arrays.items() if "labels" in kind]
    if len({dtype.kind == "U" for dtype in dtypes}) > 1:
        raise UserError(f"{path}: labels are text in one part and integers in the other; use one")
    for part in {kind.partition("-")[0] for kind in layout}:
        images, labels = f"{part}-images", f"{part}-labels"
        if len(arrays[images]) != len(arrays[labels]):
            raise UserError(
                f"{path}: {len(arrays[labels])} entries in {layout[labels]} for"
                f" {len(arrays[images])} images; store one label for each image"
            )
        arrays[images] = _to_uint8(path, layout[images], arrays[images])
        _check_text(path, layout[labels], arrays[labels])
    if ink == "unknown":
        raise unknown_ink(path, likely_ink(border(arrays["train-images"])))
    if ink == "dark":
        arrays |= {kind: 255 - array for kind, array in arrays.items() if "images" in kind}
    return arrays


def _check_images(path: Path, name: str, header: Header) -> None:
    shape, dtype = header.shape, header.dtype
    sides = (shape[1:3], shape[3:])
    if len(shape) not in (3, 4) or sides[0] != (SIDE, SIDE) or sides[1] not in ((), (1,)):
        raise UserError(
            f"{path}: {name} has the shape {shape}, not [N, 28, 28]; resize the images, or store"
            " them as picture files"
        )
    if not (dtype == np.uint8 or dtype.kind == "f"):
        raise UserError(f"{path}: {name} is {dtype}; store uint8, or floats in 0..1")
    if not MIN_IMAGES <= shape[0] <= MAX_IMAGES:
        raise UserError(
            f"{path}: {name} has {shape[0]} images; from {MIN_IMAGES} to {MAX_IMAGES} are supported"
        )


def _check_labels(path: Path, name: str, header: Header) -> None:
    if len(header.shape) != 1:
        raise UserError(f"{path}: {name} has the shape {header.shape}; store one label per image")
    if header.dtype.hasobject or header.dtype.kind not in "iuU":
        raise UserError(f"{path}: {name} is {header.dtype}; store integers, or text as str_")
    if header.dtype.kind == "U" and header.dtype.itemsize > 4 * MAX_LENGTH:
        raise UserError(
            f"{path}: {name} has names of up to {header.dtype.itemsize // 4} characters; shorten"
            f" them to {MAX_LENGTH}"
        )


def _check_text(path: Path, name: str, labels: np.ndarray) -> None:
    """Raises UserError for text that is none: NumPy does not check what it reads."""
    if labels.dtype.kind == "U" and labels.dtype.itemsize:
        codes = np.frombuffer(labels.tobytes(), np.dtype("u4").newbyteorder(labels.dtype.byteorder))
        is_surrogate = (codes >= _SURROGATES[0]) & (codes <= _SURROGATES[1])
        if codes.max(initial=0) > _MOST_CODE_POINT or is_surrogate.any():
            raise UserError(f"{path}: {name} has text that is not Unicode; replace the file")


def _to_uint8(path: Path, name: str, images: np.ndarray) -> np.ndarray:
    images = images.reshape(len(images), SIDE, SIDE)
    if images.dtype == np.uint8:
        if images.max() <= 1:
            raise UserError(f"{path}: {name} has no value above 1; multiply it by 255")
        return images
    try:
        return to_pixels(images)
    except ValueError:
        raise UserError(
            f"{path}: {name} has floats from {images.min():.4g} to {images.max():.4g}; scale them"
            " to 0..1"
        ) from None
