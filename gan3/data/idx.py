"""The IDX format of MNIST's four files, and the digests by which MNIST is known."""

import hashlib
import math
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import open_untrusted

KINDS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
FILE_NAMES = {kind: f"{kind}-idx{3 if 'images' in kind else 1}-ubyte" for kind in KINDS}
SHA256 = {  # MNIST's decompressed files
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_DTYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # by the third byte
_MOST_BYTES = 2**29  # that a file may state, and a gz file may grow to
Arrays = dict[str, np.ndarray]
"""A data set by kind."""


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file, gzipped or not. Raises UserError if it is damaged or none."""
    with open_untrusted(path, "an IDX file") as file:
        magic = file.read(4)
        if len(magic) < 4 or magic[:2] != bytes(2) or magic[2] not in _DTYPES or magic[3] > 4:
            raise UserError(f"{path}: not an IDX file; replace the file")
        sizes = file.read(4 * magic[3])
        shape = np.frombuffer(sizes[: len(sizes) // 4 * 4], ">u4").tolist()
        dtype = np.dtype(_DTYPES[magic[2]])
        size = math.prod(shape) * dtype.itemsize
        content = file.read(min(size, _MOST_BYTES) + 1)
    surplus = len(content) - size
    if surplus or len(shape) < magic[3]:
        problem = "longer than its header says" if surplus > 0 else "truncated"
        raise UserError(f"{path}: {problem}; replace the file")
    array = np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
    is_of_qmnist = array.ndim == 2 and "idx2" in path.name
    return array[:, 0] if is_of_qmnist else array  # the class, and seven columns about the writer


def is_mnist(kind: str, array: np.ndarray) -> bool:
    """Whether an array is that of MNIST's file, by the SHA-256 that the file has."""
    if array.dtype != np.uint8:
        return False
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return hashlib.sha256(header + array.tobytes()).hexdigest() == SHA256[kind]
