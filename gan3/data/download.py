"""Downloads MNIST from its mirrors: https only, bounded in size and time, checked by SHA-256."""

import gzip
import hashlib
import http.client
import io
import time
import urllib.request
import zlib
from pathlib import Path

from gan3.core.errors import UserError
from gan3.core.files import check_writable, make_folder, write_atomically
from gan3.core.log import Log
from gan3.data.idx import FILE_NAMES, SHA256, Arrays, read_idx

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_RESPONSE_SECONDS, _FILE_SECONDS = 5, 60  # for a response, and for one whole file
_MAX_IMAGE_BYTES, _MAX_LABEL_BYTES = 12_000_000, 100_000  # of one gz file
_MAX_PLAIN_BYTES = 48_000_000  # more than any of the four files has when decompressed


def download(folder: Path, mirrors: tuple[str, ...], log: Log) -> tuple[Arrays, str]:
    """Download MNIST and keep its four gz files in `folder`.

    Each file comes from the first mirror that has it. If the files cannot be kept after all, a
    line is logged and the data is returned all the same.

    Returns:
        The arrays and their source: the folder, or "downloaded" if nothing could be kept.

    Raises:
        UserError: the folder cannot be written, which is checked first, or a file is on no mirror.
    """
    check_writable(folder / FILE_NAMES["train-images"])
    log("MNIST: not found on this machine; downloading it (11 MB)")
    contents = _fetch_all(mirrors)
    try:
        make_folder(folder)
        for name, content in contents.items():  # all four were fetched before any is written
            write_atomically(folder / name, content)
    except UserError as error:
        log(f"NOTE: {error}; MNIST will be downloaded again next time")
        return _arrays_of(contents), "downloaded"
    return _arrays_of(contents), str(folder)


def _arrays_of(contents: dict[str, bytes]) -> Arrays:
    """The arrays of four gz files, by file name, whose content has been checked."""
    return {
        kind: read_idx(name, io.BytesIO(gzip.decompress(contents[f"{name}.gz"])))
        for kind, name in FILE_NAMES.items()
    }


def _fetch_all(mirrors: tuple[str, ...]) -> dict[str, bytes]:
    """The four gz files by name. Raises UserError if a file is on no mirror."""
    contents = {}
    for kind, name in FILE_NAMES.items():
        reasons = []
        for mirror in mirrors:
            try:
                contents[f"{name}.gz"] = _fetch(f"{mirror}{name}.gz", kind)
                break
            except (OSError, http.client.HTTPException, ValueError, EOFError, zlib.error) as error:
                reason = str(getattr(error, "reason", error))  # a server may have written it
                reason = " ".join(reason.split())[:100]
                reasons.append(f"{mirror.split('/')[2]}: {reason}")
        else:
            raise UserError(
                f"MNIST: not found, and no mirror has it ({'; '.join(reasons)}); put its four files"
                " into ./data, or set GAN3_DATA to their folder"
            )
    return contents


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not newurl.startswith("https://"):
            raise urllib.error.URLError("redirected away from https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, kind: str) -> bytes:
    """The gz file at `url`. Raises ValueError if it is too large, too slow or not MNIST's."""
    if not url.startswith("https://"):
        raise ValueError("not https")
    max_bytes = _MAX_IMAGE_BYTES if "images" in kind else _MAX_LABEL_BYTES
    content = _read(url, max_bytes)
    plain = zlib.decompressobj(wbits=31).decompress(content, _MAX_PLAIN_BYTES)
    if hashlib.sha256(plain).hexdigest() != SHA256[kind]:
        raise ValueError("content is not MNIST's (SHA-256 differs)")
    return content


def _read(url: str, max_bytes: int) -> bytes:
    """The content at `url`. Each wait for the server is limited, and so is all of the content."""
    deadline = time.monotonic() + _FILE_SECONDS
    chunks, size = [], 0
    opener = urllib.request.build_opener(_HttpsOnly)
    with opener.open(url, timeout=_RESPONSE_SECONDS) as response:
        while chunk := response.read1(65536):
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise ValueError(f"larger than {max_bytes} bytes")
            if time.monotonic() > deadline:
                raise ValueError(f"not done after {_FILE_SECONDS} s")
    return b"".join(chunks)
