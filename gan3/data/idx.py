"""The file formats of MNIST: four IDX files, gzipped or not, or the mnist.npz of Keras.

Other sets have IDX files as well; their names may begin with the name of the set, as EMNIST's do.

No size in a header is trusted: it is checked before any memory is allocated for it.
"""

import gzip
import hashlib
import re
import zlib
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import check_path, read_npz

KINDS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
FILE_NAMES = {kind: f"{kind}-idx{3 if 'images' in kind else 1}-ubyte" for kind in KINDS}
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
_MNIST_COUNTS = {"train": 60_000, "t10k": 10_000}
MIN_IMAGES, MAX_IMAGES = 50, 400_000  # in one file of a user's own set; 400,000 take 314 MB
_OWN_NAME = re.compile(
    r"(?:(?P<prefix>.+)-)?(?P<part>train|t10k|test)-"
    r"(?P<content>images[.-]idx3|labels[.-]idx1)-ubyte(?:\.gz)?"
)
Arrays = dict[str, np.ndarray]
"""A data set by kind: images uint8 [N, 28, 28], labels uint8 [N]."""


def find_idx_files(folder: Path) -> dict[str, Path] | None:
    """The four IDX files in a folder, by kind; None if it contains none of them.

    Raises UserError if only some of them are there, or the folder cannot be searched.
    """
    paths = {}
    for kind, name in FILE_NAMES.items():
        for path in (folder / name, folder / f"{name}.gz"):
            try:
                exists = path.is_file()
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise UserError(
                    f"{folder}: cannot be searched ({reason}); name another folder"
                ) from None
            if exists:
                paths[kind] = path
                break
    if not paths:
        return None
    for kind, name in FILE_NAMES.items():
        if kind not in paths:
            raise UserError(f"{folder / name}: missing; put all four IDX files into that folder")
    return paths


def is_idx_name(name: str) -> bool:
    """Whether a file has the name of one of the four IDX files of a set."""
    return _OWN_NAME.fullmatch(name) is not None


def find_own_idx_files(path: Path) -> dict[str, Path] | None:
    """The four IDX files of any set, by kind; None if there are none.

    Their names may have a prefix, "test" for "t10k", and a dot for the dash before "idx", which
    are the names of EMNIST and of other sources. Of a file that is there twice, the gz is read.

    Args:
        path: a folder, or one of the four files, which selects a set if the folder has several.

    Raises:
        UserError: a file is missing, there are several sets, or the folder cannot be searched.
    """
    folder, selected = path, None
    if check_path(path.is_file):
        folder, selected = path.parent, _prefix(path.name)
    sets: dict[str, dict[str, Path]] = {}
    try:
        for file in sorted(folder.iterdir()):  # the gz comes last
            match = _OWN_NAME.fullmatch(file.name)
            if match and not file.name.startswith(".") and file.is_file():
                part = "train" if match["part"] == "train" else "t10k"
                kind = f"{part}-{match['content'][:6]}"
                sets.setdefault(match["prefix"] or "", {})[kind] = file
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{folder}: cannot be searched ({reason}); name another folder") from None
    if selected is None and len(sets) > 1:
        names = ", ".join(prefix or "one without a name" for prefix in sorted(sets))
        raise UserError(
            f"{folder}: has IDX files of several sets ({names[:100]}); name one of the four files"
            " of the set that you mean"
        )
    prefix = next(iter(sets), "") if selected is None else selected
    paths = sets.get(prefix)
    if paths is None:
        return None
    for kind in KINDS:
        if kind not in paths:
            name = FILE_NAMES[kind]
            if prefix:
                name = f"{prefix}-{name.replace('t10k', 'test')}"
            raise UserError(f"{folder / name}: missing; put all four IDX files into that folder")
    return paths


def _prefix(name: str) -> str | None:
    match = _OWN_NAME.fullmatch(name)
    return (match["prefix"] or "") if match else None


def read_idx_set(paths: dict[str, Path], mnist: bool) -> Arrays:
    """Read the four IDX files, by kind.

    Args:
        mnist: whether the content must be MNIST's, by count and SHA-256.

    Raises:
        UserError: a file is damaged, is not of this kind, or does not fit the others.
    """
    arrays = {kind: _read_idx(paths[kind], kind, mnist) for kind in KINDS}
    for part in ("train", "t10k"):
        images, labels = arrays[f"{part}-images"], arrays[f"{part}-labels"]
        if len(images) != len(labels):
            raise UserError(
                f"{paths[f'{part}-labels']}: {len(labels)} labels for {len(images)} images;"
                " the two files must belong together"
            )
    return arrays


def _read_idx(path: Path, kind: str, mnist: bool) -> np.ndarray:
    """One IDX file (LeCun's format): four magic bytes, the sizes, then the content."""
    dimensions = 3 if "images" in kind else 1
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            header = file.read(4 + 4 * dimensions)
            shape = _checked_shape(path, kind, header, mnist)
            size = int(np.prod(shape))
            content = file.read(size + 1)
    except OSError as error:  # BadGzipFile is one
        reason = error.strerror or str(error)
        raise UserError(f"{path}: cannot be read ({reason}); replace the file") from None
    except (EOFError, zlib.error) as error:
        raise UserError(f"{path}: damaged gzip ({error}); replace the file") from None
    if len(content) != size:
        problem = "truncated" if len(content) < size else "longer than its header says"
        raise UserError(f"{path}: {problem}; replace the file")
    if mnist and hashlib.sha256(header + content).hexdigest() != SHA256[kind]:
        raise UserError(
            f"{path}: content is not MNIST's (SHA-256 differs); replace the file, or load your own"
            " IDX files as the data set own"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _checked_shape(path: Path, kind: str, header: bytes, mnist: bool) -> tuple[int, ...]:
    """The shape that an IDX header states. Raises UserError if it is not one of this kind."""
    dimensions = 3 if "images" in kind else 1
    if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, 8, dimensions]):
        raise UserError(
            f"{path}: not an IDX file of unsigned bytes in {dimensions}-D; replace the file"
        )
    shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
    if shape[1:] != (28, 28)[: dimensions - 1]:
        raise UserError(f"{path}: images of {shape[1:]} pixels, not (28, 28); resize them")
    expected = _MNIST_COUNTS[kind.partition("-")[0]]
    if mnist and shape[0] != expected:
        raise UserError(
            f"{path}: {shape[0]} entries, MNIST has {expected}; replace the file, or load your own"
            " IDX files as the data set own"
        )
    if not MIN_IMAGES <= shape[0] <= MAX_IMAGES:
        raise UserError(
            f"{path}: {shape[0]} entries; from {MIN_IMAGES} to {MAX_IMAGES} are supported"
        )
    return shape


def read_mnist_npz(path: Path) -> Arrays:
    """Read the mnist.npz of Keras. Raises UserError if an array is not MNIST's, by SHA-256."""
    specification = {}
    for kind, name in _NPZ_NAMES.items():
        count = _MNIST_COUNTS[kind.partition("-")[0]]
        specification[name] = ("uint8", (count, 28, 28) if "images" in kind else (count,))
    by_name = read_npz(path, specification)
    arrays = {}
    for kind, name in _NPZ_NAMES.items():
        array = by_name[name]
        # With its IDX header in front the array is the IDX file, so the same digest applies.
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        if hashlib.sha256(header + array.tobytes()).hexdigest() != SHA256[kind]:
            raise UserError(f"{path}: {name} is not MNIST's (SHA-256 differs); replace the file")
        arrays[kind] = array
    return arrays
