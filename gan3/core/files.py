"""Atomic file writes, and npz files that are validated before they are loaded."""

import contextlib
import gzip
import hashlib
import json
import os
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from gan3.core.errors import UserError

_MOST_HEADER = 10_000  # bytes of the header of an npy file
Shape = tuple[int | None, ...]  # None stands for any length
Specification = dict[str, tuple[str, Shape]]
"""Array name: (dtype names with "|" between alternatives, shape)."""
_DAMAGED_FILE_ERRORS = (  # raised by gzip, zipfile, zlib and NumPy on damaged input
    OSError,  # without the name of a file
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
    if target.exists() and not target.is_file():
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


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a file or folder that cannot be written."""
    reason = (error.strerror or str(error)).lower()
    return UserError(
        f"{path}: cannot be written ({reason}); free disk space or choose another folder"
    )


def check_writable(path: Path) -> None:
    """Raises UserError if a file cannot be written there; changes nothing.

    Call it before long work whose result goes there. The folders of `path` need not exist yet.
    """
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is not a regular file; name another file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
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
    # The name of a file that is not UTF-8 has surrogates, which JSON has as escapes.
    write_atomically(path, f"{text}\n".encode(errors="backslashreplace"))


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an npz file, atomically; equal arrays give equal bytes.

    Raises UserError if the file cannot be written.
    """
    with replace_atomically(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def read_npz(path: Path, wanted: Specification, most_bytes: int = 2**29) -> dict[str, np.ndarray]:
    """Read the `wanted` arrays of an npz file that is not trusted.

    Raises:
        UserError: no such file, not an npz file, or an array that is missing, damaged, not finite,
            larger than `most_bytes`, or of another dtype or shape than `wanted`.
    """
    arrays = read_arrays(path, wanted, most_bytes)
    for name, (dtypes, shape) in wanted.items():
        array = arrays[name]
        fits = array.ndim == len(shape) and all(
            expected in (None, found) for expected, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype not in [np.dtype(dtype) for dtype in dtypes.split("|")]:
            expected = "x".join("N" if n is None else str(n) for n in shape) or "scalar"
            raise UserError(
                f"{path}: array {name} is not {dtypes.replace('|', ' or ')} {expected};"
                " this is not the expected kind of file"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UserError(f"{path}: {name} has values that are not finite; replace the file")
    return arrays


def read_arrays(path: Path, names: Iterable[str], most_bytes: int = 2**29) -> dict[str, np.ndarray]:
    """Read arrays of any dtype and shape from an npz file that is not trusted.

    The size of each is checked before it is read. Nothing is unpickled or extracted to disk. Raises
    UserError for no such file, not an npz file, or an array that is missing, damaged or larger than
    `most_bytes`.
    """
    arrays = {}
    with _report_read_errors(path), zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        for name in names:
            member = members.get(f"{name}.npy")
            if member is None:
                raise UserError(
                    f"{path}: has no array {name}; this is not the expected kind of file"
                )
            _check_size(path, f"array {name}", member.file_size, most_bytes)
            with archive.open(member) as file:
                arrays[name] = _read_array(path, file, f"array {name}")
    return arrays


def read_npy(path: Path, most_bytes: int = 2**29) -> np.ndarray:
    """Read the array of an npy file that is not trusted, with the checks of `read_arrays`."""
    with _report_read_errors(path, "an npy file"), open(path, "rb") as file:
        _check_size(path, "its array", path.stat().st_size, most_bytes)
        return _read_array(path, file, "its array")


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def open_untrusted(path: Path, kind: str, mode: str = "rb") -> Iterator[IO[Any]]:
    """Open a file, decompressed if its name ends in .gz.

    kind: what a message calls such a file, "an IDX file". mode: "rb", or "rt" for UTF-8. While it
    is open, errors of reading it become a UserError of one line.
    """
    with _report_read_errors(path, kind):
        open_it = gzip.open if path.suffix.lower() == ".gz" else open
        with open_it(path, mode, encoding="utf-8-sig" if "t" in mode else None) as file:
            yield file


def names_in(path: Path) -> set[str]:
    """The names of the arrays in an npz file. Raises UserError if it cannot be read."""
    with _report_read_errors(path), zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy") for name in archive.namelist()}


@contextlib.contextmanager
def _report_read_errors(path: Path, kind: str = "an npz file") -> Iterator[None]:
    """Turn the errors of reading `path` into a UserError of one line."""
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is not a regular file; name a file")
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except _DAMAGED_FILE_ERRORS as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # the file cannot be read at all
        reason = str(error).partition("\n")[0][:80]  # some errors quote the file's content
        raise UserError(f"{path}: damaged or not {kind} ({reason}); replace the file") from None


def _check_size(path: Path, what: str, size: int, most_bytes: int) -> None:
    if size > most_bytes + _MOST_HEADER:
        raise UserError(
            f"{path}: {what} has {size} bytes, at most {most_bytes} are allowed; use fewer images"
        )


def _read_array(path: Path, file: IO[bytes], what: str) -> np.ndarray:
    """The array of an npy file, in native byte order and C order."""
    try:
        array = np.load(file, max_header_size=_MOST_HEADER)  # without pickles, by default
    except ValueError as error:
        if "Object arrays" in str(error):
            raise UserError(f"{path}: {what} has Python objects; store numbers or text") from None
        raise
    if not isinstance(array, np.ndarray) or file.read(1):
        raise UserError(f"{path}: {what} is not as long as its header says; replace the file")
    return np.asarray(array, array.dtype.newbyteorder("="), order="C")
