"""Downloads MNIST from its mirrors; what arrives is checked by SHA-256."""

import hashlib
import http.client
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
_SECONDS = 5  # to wait for a server
_MOST_BYTES = 12_000_000  # more than any of the four gz files has
_MOST_PLAIN_BYTES = 48_000_000  # more than any of the four files has when decompressed


def download(folder: Path, mirrors: tuple[str, ...], log: Log) -> Arrays:
    """Download MNIST and keep its four gz files in `folder`.

    Each file comes from the first mirror that has it. All are fetched before any is written.

    Raises:
        UserError: the folder cannot be written, which is checked first, or a file is on no mirror.
    """
    paths = {kind: folder / f"{name}.gz" for kind, name in FILE_NAMES.items()}
    check_writable(paths["train-images"])
    log("MNIST: not found on this machine; downloading it (11 MB)")
    contents = {kind: _from_any(mirrors, kind) for kind in paths}
    make_folder(folder)
    for kind, content in contents.items():
        write_atomically(paths[kind], content)
    return {kind: read_idx(path) for kind, path in paths.items()}


def _from_any(mirrors: tuple[str, ...], kind: str) -> bytes:
    reasons = []
    for mirror in mirrors:
        try:
            return _fetch(f"{mirror}{FILE_NAMES[kind]}.gz", kind)
        except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
            reason = str(getattr(error, "reason", error))  # a server may have written it
            reasons.append(f"{mirror.split('/')[2]}: {' '.join(reason.split())[:100]}")
    raise UserError(
        f"MNIST: not found, and no mirror has it ({'; '.join(reasons)}); put its four files into"
        " ./data, or set GAN3_DATA to their folder"
    )


def _fetch(url: str, kind: str) -> bytes:
    """The gz file at `url`. Raises ValueError if it is too large or not MNIST's."""
    with urllib.request.urlopen(url, timeout=_SECONDS) as response:
        content = response.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"larger than {_MOST_BYTES} bytes")
    plain = zlib.decompressobj(wbits=31).decompress(content, _MOST_PLAIN_BYTES)
    if hashlib.sha256(plain).hexdigest() != SHA256[kind]:
        raise ValueError("content is not MNIST's (SHA-256 differs)")
    return content
