"""Files that are whole or absent: atomic writes, and npz files read without trust."""

import contextlib
import hashlib
import json
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from gan3.core.errors import UserError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The name of a file beside `path`, which, once written, is synced to disk and takes its place.

    A reader sees the old file or the new one. Raises UserError where it cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        sync(aside)
        aside.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):  # after the rename there is none
            aside.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """What was written of a file, or the names in a folder, are on the disk after this."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """`path` with `content`, whole or not at all. Raises UserError where it cannot be written."""
    with replacing(path) as aside:
        aside.write_bytes(content)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The one line for a file or folder that cannot be written."""
    reason = (error.strerror or str(error)).lower()
    return UserError(f"{path}: cannot be written ({reason}); free the disk or name another folder")


def check_path(question: Callable[[], bool]) -> bool:
    """The answer of a path's `exists`, `is_dir` or `is_file`; False where it has none.

    They raise OSError for a name that is too long, or in a folder that may not be searched.
    """
    try:
        return question()
    except OSError:
        return False


def make_folder(path: Path) -> None:
    """The folder and its parents. Raises UserError where it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


def write_json(path: Path, value: Any) -> None:
    """JSON as this project has it: readable, no NaN, atomically."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())


class Parts(NamedTuple):
    """An array that is never in memory as a whole, in parts along its first axis."""

    shape: tuple[int, ...]
    dtype: str
    parts: Iterable[np.ndarray]


def write_npz(path: Path, arrays: dict[str, np.ndarray | Parts]) -> None:
    """Arrays only, atomically; the same arrays give the same bytes.

    Raises UserError where it cannot be written, ValueError where parts are not of their array.
    """
    with replacing(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, array in arrays.items():
            if not isinstance(array, Parts):
                array = Parts(array.shape, array.dtype.str, [array])
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                _write_parts(member, array)


def _write_parts(member: IO[bytes], array: Parts) -> None:
    """An npy file, format 1.0, in C order."""
    dtype, size = np.dtype(array.dtype), 0
    described = {"descr": dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(member, described)
    for part in array.parts:
        if part.dtype != dtype or part.shape[1:] != array.shape[1:]:
            raise ValueError(f"a part {part.dtype} {part.shape} of {dtype} {array.shape}")
        member.write(part.tobytes())
        size += part.size
    if size != math.prod(array.shape):
        raise ValueError(f"{size} entries for an array of {array.shape}")


_DAMAGE = (  # what zipfile, zlib and NumPy's header reader raise on bytes that are not theirs
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    ValueError,
    tokenize.TokenError,
)
Specification = dict[str, tuple[str, tuple[int | None, ...]]]
"""Array name: (dtype name, shape); None stands for any length."""


def read_npz(path: Path, wanted: Specification, most_bytes: int = 2**29) -> dict[str, np.ndarray]:
    """The `wanted` arrays of an npz file, and nothing that the file merely claims.

    Each array's own header is read first; dtype, shape and stored size must fit before any memory
    is taken for it. Nothing is unpickled or extracted to disk.

    Raises:
        UserError: no such file, not an npz, an array missing, of another dtype or shape, damaged,
            not finite, or larger than `most_bytes`.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        return {name: _member(path, archive, name, *wanted[name], most_bytes) for name in wanted}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises UserError where it cannot be read."""
    with _reading(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()


def names_in(path: Path) -> set[str]:
    """The names of the arrays that an npz file has. Raises UserError as `read_npz` does."""
    with _reading(path), zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    except _DAMAGE as error:
        reason = str(error)[:80]  # some quote what they found, and that can be long
        raise UserError(f"{path}: damaged or not an npz ({reason}); replace the file") from None


def _member(path, archive, name, dtype, shape, most_bytes) -> np.ndarray:
    if f"{name}.npy" not in archive.namelist():
        raise UserError(f"{path}: has no array {name}; it is not the kind of file wanted here")
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if reader is None:
            raise UserError(f"{path}: array {name} has an unknown format version {version}")
        found, fortran, found_dtype = reader(file)
        fits = len(found) == len(shape) and all(
            want in (None, got) for want, got in zip(shape, found, strict=True)
        )
        if found_dtype.hasobject or found_dtype != np.dtype(dtype) or not fits or fortran:
            shown = "x".join("N" if n is None else str(n) for n in shape) or "scalar"
            raise UserError(f"{path}: array {name} is not {dtype} {shown}; not a file of this kind")
        size = int(np.prod(found, dtype=object)) * found_dtype.itemsize
        if size > most_bytes:
            raise UserError(f"{path}: array {name} claims {size} bytes, at most {most_bytes} fit")
        content = file.read(size + 1)
        if len(content) != size:
            raise UserError(f"{path}: array {name} is not as long as its header says; replace it")
    array = np.frombuffer(content, found_dtype).reshape(found)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{path}: {name} holds a number that is not finite; replace the file")
    return array
