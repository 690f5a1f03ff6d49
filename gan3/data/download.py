"""TODO docstring."""

import contextlib
import gzip
import hashlib
import http.client
import tempfile
import time
import urllib.request
import zlib
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import cannot_write, check_path, make_folder, write_atomically
from gan3.core.log import Log
from gan3.data.idx import FILE_NAMES, SHA256, Arrays

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_TIMEOUT, _DOWNLOAD_SECONDS = 5, 60  # seconds: for an answer, and for one file


def download(folder: Path, mirrors: tuple[str, ...], log: Log) -> tuple[Arrays, str]:
    """MNIST and where it came from: from the first mirror that has each file, checked.

    The four gz files are kept in `folder`. That is tried before they are fetched; where it fails
    after all, they serve this once.
    """
    new = not check_path(folder.exists)
    make_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from None
    log("MNIST is not on this machine; downloading it (11 MB)")
    try:
        contents = _fetch_all(mirrors)
    except UserError:
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    try:
        for name, content in contents.items():  # all four are there, or none is written
            write_atomically(folder / name, content)
    except UserError as error:
        log(f"NOTE: {error}; MNIST will be downloaded again next time")
        return _arrays_of(contents), "downloaded"
    return _arrays_of(contents), str(folder)


def _arrays_of(contents: dict[str, bytes]) -> Arrays:
    """The arrays of IDX files that were checked, gzipped, by the names of the files."""
    arrays = {}
    for kind, name in FILE_NAMES.items():
        content = gzip.decompress(contents[f"{name}.gz"])
        start = 4 + 4 * content[3]  # its fourth byte counts the dimensions
        shape = [int(n) for n in np.frombuffer(content[4:start], ">u4")]
        arrays[kind] = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return arrays


def _fetch_all(mirrors: tuple[str, ...]) -> dict[str, bytes]:
    """The four gz files by name. Raises UserError where one is to be had from no mirror."""
    contents = {}
    for kind, name in FILE_NAMES.items():
        reasons = []
        for mirror in mirrors:
            try:
                contents[f"{name}.gz"] = _fetch(f"{mirror}{name}.gz", kind)
                break
            except (OSError, http.client.HTTPException, ValueError, EOFError, zlib.error) as error:
                reason = str(getattr(error, "reason", error))  # in part a server's own words
                reason = " ".join(reason.split())[:100]
                reasons.append(f"{mirror.split('/')[2]}: {reason}")
        else:
            raise UserError(
                f"MNIST: not found and no mirror gave it ({'; '.join(reasons)});"
                " put its four files into ./data or name their folder with --data"
            )
    return contents


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not newurl.startswith("https://"):
            raise urllib.error.URLError("redirected away from https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, kind: str) -> bytes:
    """The gz file at `url`; ValueError where it is too large, too slow or not MNIST's."""
    if not url.startswith("https://"):
        raise ValueError("not https")
    most = 12_000_000 if "images" in kind else 100_000
    deadline = time.monotonic() + _DOWNLOAD_SECONDS
    parts, size = [], 0
    opener = urllib.request.build_opener(_HttpsOnly)
    with opener.open(url, timeout=_TIMEOUT) as answer:
        while part := answer.read1(65536):
            parts.append(part)
            size += len(part)
            if size > most:
                raise ValueError(f"larger than {most} bytes")
            if time.monotonic() > deadline:
                raise ValueError(f"not done after {_DOWNLOAD_SECONDS} s")
    content = b"".join(parts)
    expected = 48_000_000  # more than any of the four, decompressed
    plain = zlib.decompressobj(wbits=31).decompress(content, expected)
    if hashlib.sha256(plain).hexdigest() != SHA256[kind]:
        raise ValueError("content is not MNIST's (SHA-256 differs)")
    return content
