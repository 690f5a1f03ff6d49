"""Atomic file writes, and npz files that are validated before they are loaded."""

import contextlib
import hashlib
import json
import math
import os
import stat
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from gan3.core.errors import UserError

_MOST_HEADER = 10_000  # bytes of an npy file, as much as NumPy parses
Shape = tuple[int | None, ...]  # None stands for any length
Specification = dict[str, tuple[str, Shape]]
"""Array name: (dtype names with "|" between alternatives, shape)."""
_DAMAGED_FILE_ERRORS = (  # raised by zipfile, zlib and NumPy's header reader on damaged input
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


@contextlib.contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder; on exit it replaces `path`.

    The temporary file is synced to disk before it is renamed, so a reader sees either the old file
    or the complete new one. Where `path` is a link, what it leads to is replaced. Raises UserError
    if it cannot be written, or if it exists and is no regular file.
    """
    target = Path(os.path.realpath(path))
    if check_path(target.exists) and not check_path(target.is_file):
        raise UserError(f"{path}: is not a regular file; name another file")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(target)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)  # only there if the rename did not happen


def sync(path: Path) -> None:
    """Flush a file's content, or a folder's entries, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`, completely or not at all. Raises UserError if that fails."""
    with replace_atomically(path) as temporary:
        temporary.write_bytes(content)


def cannot_write(path: Path, error: Exception) -> UserError:
    """The error for a file or folder that cannot be written, by an OSError or TensorFlow's."""
    reason = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
    reason = reason.split("\n")[0].rpartition("; ")[2].lower()  # TensorFlow's begin with the path
    return UserError(
        f"{path}: cannot be written ({reason}); free disk space or choose another folder"
    )


def cannot_read(path: Path | str, error: OSError) -> UserError:
    """The error for a file that is there and cannot be read."""
    reason = error.strerror or str(error)
    return UserError(f"{path}: cannot be read ({reason}); check its permissions")


def check_path(predicate: Callable[[], bool]) -> bool:
    """Call a path's `exists`, `is_dir` or `is_file`, and return False if it raises OSError.

    These methods raise for a name that is too long and for a folder without search permission. A
    path like that cannot be used, so for the caller it does not exist: `check_path(path.is_file)`.
    """
    try:
        return predicate()
    except OSError:
        return False


def check_writable(path: Path) -> None:
    """Raises UserError if a file cannot be written there; changes nothing.

    Call it before long work whose result goes there. The folders of `path` need not exist yet.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(path.stat().st_mode):
                raise UserError(f"{path}: is not a regular file; name another file")
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise cannot_write(path, error) from None


def make_folder(path: Path) -> None:
    """Create a folder and its parents if needed. Raises UserError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically. Raises ValueError for NaN and infinity."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    try:
        content = text.encode()
    except UnicodeEncodeError:  # the name of a file that is not UTF-8: as an escape
        content = json.dumps(value, indent=2, allow_nan=False).encode()
    write_atomically(path, content + b"\n")


class Parts(NamedTuple):
    """An array given in chunks along its first axis, so that it is never in memory as a whole."""

    shape: tuple[int, ...]
    dtype: str
    parts: Iterable[np.ndarray]


def write_npz(path: Path, arrays: dict[str, np.ndarray | Parts]) -> None:
    """Write arrays to an npz file, atomically; equal arrays give equal bytes.

    Raises UserError if the file cannot be written, and ValueError if the parts of an array do not
    have its dtype or do not add up to its shape.
    """
    with replace_atomically(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            if not isinstance(array, Parts):
                array = Parts(array.shape, array.dtype.str, [array])
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                _write_parts(member, array)


def _write_parts(member: IO[bytes], array: Parts) -> None:
    """Write an npy file, format 1.0, in C order."""
    dtype, size = np.dtype(array.dtype), 0
    header = {"descr": dtype.str, "fortran_order": False, "shape": array.shape}
    np.lib.format.write_array_header_1_0(member, header)
    for part in array.parts:
        if part.dtype != dtype or part.shape[1:] != array.shape[1:]:
            raise ValueError(
                f"part {part.dtype} {part.shape} does not fit array {dtype} {array.shape}"
            )
        member.write(part.tobytes())
        size += part.size
    if size != math.prod(array.shape):
        raise ValueError(f"the parts have {size} entries, the array has shape {array.shape}")


def read_npz(path: Path, wanted: Specification, most_bytes: int = 2**29) -> dict[str, np.ndarray]:
    """Read the `wanted` arrays of an npz file that is not trusted.

    Each array's header is read first: its dtype, shape and size are checked before any memory is
    allocated for it. Nothing is unpickled or extracted to disk.

    Raises:
        UserError: no such file, not an npz file, or an array that is missing, damaged, not finite,
            larger than `most_bytes`, or of another dtype or shape than `wanted`.
    """
    arrays = {}
    with _report_read_errors(path), zipfile.ZipFile(path) as archive:
        _check_compression(archive)
        for name, (dtype, shape) in wanted.items():
            if f"{name}.npy" not in archive.namelist():
                raise UserError(
                    f"{path}: has no array {name}; this is not the expected kind of file"
                )
            with archive.open(f"{name}.npy") as file:
                arrays[name] = _read_array(path, file, name, dtype, shape, most_bytes)
    return arrays


def read_npy(path: Path, dtype: str, shape: Shape, most_bytes: int = 2**29) -> np.ndarray:
    """Read the array of an npy file that is not trusted, with the checks of `read_npz`."""
    with _report_read_errors(path, "npy"), open(path, "rb") as file:
        return _read_array(path, file, "in it", dtype, shape, most_bytes)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises UserError if it cannot be read."""
    with _report_read_errors(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()


class Header(NamedTuple):
    """What an npy file says about its array before the content."""

    dtype: np.dtype
    shape: tuple[int, ...]


def headers_in(path: Path) -> dict[str, Header]:
    """The headers of the arrays in an npz file that is not trusted, by name.

    No content is read, and nothing in a header is believed: `read_npz` checks it. Raises UserError
    if the file is missing, damaged or not an npz file.
    """
    headers = {}
    with _report_read_errors(path), zipfile.ZipFile(path) as archive:
        _check_compression(archive)
        for member in archive.namelist():
            if member.endswith(".npy"):
                name = member.removesuffix(".npy")
                with archive.open(member) as file:
                    shape, _, dtype = _read_header(path, file, name)
                headers[name] = Header(dtype, shape)
    return headers


def _check_compression(archive: zipfile.ZipFile) -> None:
    """Raises BadZipFile for a compression that NumPy does not write."""
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile(f"{member.filename} has compression {member.compress_type}")


def names_in(path: Path) -> set[str]:
    """The names of the arrays in an npz file. Raises UserError if it cannot be read."""
    with _report_read_errors(path), zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


@contextlib.contextmanager
def _report_read_errors(path: Path, kind: str = "npz") -> Iterator[None]:
    """Turn the errors of reading `path` into a UserError of one line."""
    if check_path(path.exists) and not check_path(path.is_file):
        raise UserError(f"{path}: is not a regular file; name a file")
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise cannot_read(path, error) from None
    except _DAMAGED_FILE_ERRORS as error:
        reason = str(error)[:80]  # some errors quote the file's content
        raise UserError(
            f"{path}: damaged or not an {kind} file ({reason}); replace the file"
        ) from None


class _HeaderReader(NamedTuple):
    """Reads a file for NumPy, which would believe a header that claims to have four gigabytes."""

    file: IO[bytes]

    def read(self, size: int) -> bytes:
        """Raises ValueError for more than a header has."""
        if size > _MOST_HEADER:
            raise ValueError(f"a header of {size} bytes")
        return self.file.read(size)


def _read_header(path: Path, file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the order is Fortran's, and dtype."""
    reader = _HeaderReader(file)
    version = np.lib.format.read_magic(reader)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise UserError(f"{path}: array {name} has the unknown npy format version {version}")
    return read_header(reader)


def _read_array(
    path: Path,
    file: IO[bytes],
    name: str,
    dtype: str,
    shape: Shape,
    most_bytes: int,
) -> np.ndarray:
    stored_shape, fortran_order, stored_dtype = _read_header(path, file, name)
    shape_fits = len(stored_shape) == len(shape) and all(
        expected in (None, stored) for expected, stored in zip(shape, stored_shape, strict=True)
    )
    dtypes = [np.dtype(name).newbyteorder("=") for name in dtype.split("|")]
    native = stored_dtype.newbyteorder("=")
    dtype_fits = not stored_dtype.hasobject and native in dtypes
    if not (dtype_fits and shape_fits):
        expected = "x".join("N" if n is None else str(n) for n in shape) or "scalar"
        raise UserError(
            f"{path}: array {name} is not {dtype.replace('|', ' or ')} {expected};"
            " this is not the expected kind of file"
        )
    size = int(np.prod(stored_shape, dtype=object)) * stored_dtype.itemsize
    if size > most_bytes:
        raise UserError(
            f"{path}: array {name} claims {size} bytes, at most {most_bytes} are allowed;"
            " use fewer images"
        )
    content = file.read(size + 1)
    if len(content) != size:
        raise UserError(f"{path}: array {name} is not as long as its header says; replace the file")
    array = np.frombuffer(content, stored_dtype).astype(native, copy=False)
    array = array.reshape(stored_shape, order="F" if fortran_order else "C")
    array = np.asarray(array, order="C")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{path}: {name} has values that are not finite; replace the file")
    return array
