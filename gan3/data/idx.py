"""TODO docstring."""

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import read_npz

KINDS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
FILE_NAMES = {kind: f"{kind}-idx{3 if 'images' in kind else 1}-ubyte" for kind in KINDS}
_COUNTS = {"train": 60_000, "t10k": 10_000}
SHA256 = {  # of the decompressed files
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_NPZ_NAMES = {
    "train-images": "x_train",
    "train-labels": "y_train",
    "t10k-images": "x_test",
    "t10k-labels": "y_test",
}
_MOST_IMAGES = 400_000  # of a user's own set: 314 MB
Arrays = dict[str, np.ndarray]


def find_idx_files(folder: Path) -> dict[str, Path] | None:
    """The four files of a folder, gzipped or not; None where there is none of them."""
    found = {}
    for kind, name in FILE_NAMES.items():
        for candidate in (folder / name, folder / f"{name}.gz"):
            try:
                if not candidate.is_file():
                    continue
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise UserError(f"{folder}: cannot be searched ({reason}); name another") from None
            found[kind] = candidate
            break
    if not found:
        return None
    for kind, name in FILE_NAMES.items():
        if kind not in found:
            raise UserError(f"{folder / name}: missing beside the others; put all four there")
    return found


# -- reading ---------------------------------------------------------------------------------------
def read_idx_set(files: dict[str, Path], mnist: bool) -> Arrays:
    arrays = {kind: _read_idx(files[kind], kind, mnist) for kind in KINDS}
    for part in ("train", "t10k"):
        images, labels = arrays[f"{part}-images"], arrays[f"{part}-labels"]
        if len(images) != len(labels):
            raise UserError(
                f"{files[f'{part}-labels']}: {len(labels)} labels for {len(images)} images;"
                " the two files must belong together"
            )
    return arrays


def _read_idx(path: Path, kind: str, mnist: bool) -> np.ndarray:
    """One IDX file (LeCun's format: magic, sizes, bytes), believed only as far as it is checked."""
    dimensions = 3 if "images" in kind else 1
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
                raise UserError(f"{path}: not an IDX file of unsigned bytes in {dimensions}-D")
            shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
            expected = _COUNTS[kind.partition("-")[0]]
            if shape[1:] != (28, 28)[: dimensions - 1]:
                raise UserError(f"{path}: images of {shape[1:]} pixels, not (28, 28)")
            if mnist and shape[0] != expected:
                raise UserError(f"{path}: {shape[0]} entries, MNIST has {expected}")
            if not 50 <= shape[0] <= _MOST_IMAGES:
                raise UserError(f"{path}: {shape[0]} entries; from 50 to {_MOST_IMAGES} will do")
            size = int(np.prod(shape))
            content = file.read(size + 1)
    except OSError as error:  # BadGzipFile among them
        reason = error.strerror or str(error)
        raise UserError(f"{path}: cannot be read ({reason}); replace the file") from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged gzip ({error}); replace the file") from None
    if len(content) != size:
        word = "truncated" if len(content) < size else "longer than its header says"
        raise UserError(f"{path}: {word}; replace the file")
    if mnist and hashlib.sha256(header + content).hexdigest() != SHA256[kind]:
        raise UserError(
            f"{path}: content is not MNIST's (SHA-256 differs); replace it, or --dataset idx"
        )
    array = np.frombuffer(content, np.uint8).reshape(shape)
    if dimensions == 1 and array.max() > 9:
        raise UserError(f"{path}: a label of {array.max()}; labels are 0 to 9")
    return array


def read_mnist_npz(path: Path) -> Arrays:
    """Keras' mnist.npz; each array must be, with IDX's header before it, the very IDX file."""
    wanted = {}
    for kind, name in _NPZ_NAMES.items():
        count = _COUNTS[kind.partition("-")[0]]
        wanted[name] = ("uint8", (count, 28, 28) if "images" in kind else (count,))
    read = read_npz(path, wanted)
    arrays = {}
    for kind, name in _NPZ_NAMES.items():
        array = read[name]
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        if hashlib.sha256(header + array.tobytes()).hexdigest() != SHA256[kind]:
            raise UserError(f"{path}: {name} is not MNIST's (SHA-256 differs); replace the file")
        arrays[kind] = array
    return arrays
