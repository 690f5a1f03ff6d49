"""Digits from files to batches: found, checked, split, shuffled. Owns the pixel range.

Images are uint8 [N, 28, 28], ink 255 on paper 0, until `to_unit` makes them [B, 28, 28, 1] floats
in 0..1; beside it only `metrics` divides by 255, distances between pixels.
"""

import contextlib
import gzip
import hashlib
import http.client
import os
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3 import strokes
from gan3.errors import UserError
from gan3.files import cannot_write, make_folder, read_npz, there, write_atomically, write_npz

HELD_OUT = 5_000  # last training images, for choices: the test set is for reports

_KINDS = ("train-images", "train-labels", "t10k-images", "t10k-labels")
_FILES = {kind: f"{kind}-idx{3 if 'images' in kind else 1}-ubyte" for kind in _KINDS}
_COUNTS = {"train": 60_000, "t10k": 10_000}
_SHA256 = {  # of the decompressed files
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
_MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_MOST_IMAGES = 400_000  # of a user's own set: 314 MB
_TIMEOUT, _DOWNLOAD_SECONDS = 5, 60  # seconds: for an answer, and for one file

Arrays = dict[str, np.ndarray]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Dataset:
    """Digits to train on, and others held out for losses and reports."""

    name: str  # mnist, strokes or idx
    source: str  # the folder or file it came from
    digest: str  # SHA-256 over the digests of its four parts
    split: str  # what is held out: "test", or "validation"
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray  # uint8 [N]
    held_out_images: np.ndarray  # uint8 [M, 28, 28]
    held_out_labels: np.ndarray  # uint8 [M]

    @property
    def title(self) -> str:
        """How figures and lines name it."""
        return {"mnist": "MNIST", "strokes": "strokes (not MNIST)", "idx": "own IDX set"}[self.name]


def to_unit(pixels: tf.Tensor) -> tf.Tensor:
    """uint8 pixels [B, 28, 28] to images [B, 28, 28, 1], float32 in 0..1."""
    pixels.shape.assert_is_compatible_with([None, 28, 28])
    return tf.cast(pixels, tf.float32)[..., None] / 255.0


def take_of(
    images: np.ndarray, labels: np.ndarray
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Holds the data (uint8 [N, 28, 28] and [N]) on the device; answers what gathers a batch."""
    pixels, digits = tf.constant(images), tf.constant(labels.astype(np.int32))

    def take(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("data"):
            return to_unit(tf.gather(pixels, indices)), tf.gather(digits, indices)

    return take


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images of any shape in 0..1 to uint8 pixels, rounded. Raises ValueError outside 0..1."""
    if not (np.all(images >= 0) and np.all(images <= 1)):
        raise ValueError("images must be finite and in 0..1")
    return np.floor(images * 255.0 + 0.5).astype(np.uint8)


class Batches:
    """Which images step n takes: shuffled without replacement, every epoch in a new order.

    The epochs' permutations stand end to end and step n (from 1) takes the n-th `batch_size` of
    them, so a batch may begin in one epoch and end in the next. A function of seed and step alone:
    a resumed run takes up the very order.
    """

    def __init__(self, count: int, batch_size: int, seed: int):
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._order = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self._seed, epoch]).permutation(self._count).astype(np.int32)

    def __call__(self, step: int) -> np.ndarray:
        """int32 [batch_size]: indices into the training images."""
        places = np.arange((step - 1) * self._batch_size, step * self._batch_size)
        epochs = places // self._count
        return np.concatenate(
            [
                self._order(int(epoch))[places[epochs == epoch] % self._count]
                for epoch in np.unique(epochs)
            ]
        )


def load(
    dataset: str = "auto",
    folder: str | None = None,
    split: str = "test",
    say: Say = print,
    mirrors: tuple[str, ...] = _MIRRORS,
) -> Dataset:
    """Find, check and split the digits.

    Args:
        dataset: "mnist"; "strokes", the embedded set; "auto", MNIST or else strokes; "idx", a
            user's own files in `folder`.
        folder: where to look first; then $GAN3_DATA, ./data, the Keras cache, and torchvision's
            MNIST/raw under each; then the mirrors, whose files are kept in ./data.
        split: "test", train on all and hold out the test set; "validation", hold out the last
            5,000 training images and never look at the test set.
        say: told, line by line, what a user must know.
        mirrors: folders to download from, https only, the next one where one fails.

    Raises:
        UserError: nothing found and nothing to be downloaded, or a file that is damaged.
    """
    if folder is not None and not there(Path(folder).is_dir):
        raise UserError(f"--data {folder}: no such folder; name one that holds the digits")
    if dataset == "idx":
        if folder is None:
            raise UserError("--dataset idx: needs --data with the folder of your four IDX files")
        found = _idx_files(Path(folder))
        if found is None:
            raise UserError(f"--data {folder}: none of {', '.join(_FILES.values())} is in it")
        return _split("idx", folder, _read_idx_set(found, mnist=False), split)
    if dataset == "strokes":
        return _split("strokes", "embedded", _strokes(say), split)
    arrays, source = _find_mnist(folder, say)
    if arrays is None:
        try:
            arrays, source = _download(Path("data"), mirrors, say)
        except UserError as error:
            if dataset == "mnist":
                raise
            say(f"NOTE: {error}")
            say("NOTE: training on the embedded strokes, drawn digits that are NOT MNIST.")
            return _split("strokes", "embedded", _strokes(say), split)
    return _split("mnist", str(source), arrays, split)


def _split(name: str, source: str, arrays: Arrays, split: str) -> Dataset:
    digests = [hashlib.sha256(arrays[kind].tobytes()).hexdigest() for kind in _KINDS]
    train, labels = arrays["train-images"], arrays["train-labels"]
    if split == "test":
        parts = train, labels, arrays["t10k-images"], arrays["t10k-labels"]
    else:
        if len(train) <= HELD_OUT:
            raise UserError(f"{source}: {len(train)} training images leave none for --split")
        parts = train[:-HELD_OUT], labels[:-HELD_OUT], train[-HELD_OUT:], labels[-HELD_OUT:]
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return Dataset(name, source, digest, split, *parts)


# -- looking ---------------------------------------------------------------------------------------


def _find_mnist(folder: str | None, say: Say) -> tuple[Arrays | None, Path | None]:
    named = [Path(place) for place in (folder, os.environ.get("GAN3_DATA")) if place]
    places = [*named, Path("data")]
    with contextlib.suppress(RuntimeError):  # nobody's home: HOME is unset, the user unknown
        keras = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
        places.append(keras)
    for root in places:
        if root not in named and not there(root.is_dir):
            continue
        for place in (root, root / "MNIST" / "raw"):
            try:
                files = _idx_files(place)
            except UserError as error:
                if root in named:
                    raise
                say(f"NOTE: {error}; looking on")
                continue
            if files:
                return _read_idx_set(files, mnist=True), place
        if there((npz := root / "mnist.npz").is_file):
            return _read_mnist_npz(npz), npz
    return None, None


def _idx_files(folder: Path) -> dict[str, Path] | None:
    """The four files of a folder, gzipped or not; None where there is none of them."""
    found = {}
    for kind, name in _FILES.items():
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
    for kind, name in _FILES.items():
        if kind not in found:
            raise UserError(f"{folder / name}: missing beside the others; put all four there")
    return found


# -- reading ---------------------------------------------------------------------------------------


def _read_idx_set(files: dict[str, Path], mnist: bool) -> Arrays:
    arrays = {kind: _read_idx(files[kind], kind, mnist) for kind in _KINDS}
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
    if mnist and hashlib.sha256(header + content).hexdigest() != _SHA256[kind]:
        raise UserError(
            f"{path}: content is not MNIST's (SHA-256 differs); replace it, or --dataset idx"
        )
    array = np.frombuffer(content, np.uint8).reshape(shape)
    if dimensions == 1 and array.max() > 9:
        raise UserError(f"{path}: a label of {array.max()}; labels are 0 to 9")
    return array


def _read_mnist_npz(path: Path) -> Arrays:
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
        if hashlib.sha256(header + array.tobytes()).hexdigest() != _SHA256[kind]:
            raise UserError(f"{path}: {name} is not MNIST's (SHA-256 differs); replace the file")
        arrays[kind] = array
    return arrays


# -- making and fetching ---------------------------------------------------------------------------


def _strokes(say: Say) -> Arrays:
    """The embedded set, from ./data/strokes.npz or drawn anew and kept there."""
    cache = Path("data") / "strokes.npz"
    wanted = {}
    for part, count in (("train", strokes.TRAIN), ("t10k", strokes.TEST)):
        wanted[f"{part}-images"] = ("uint8", (count, 28, 28))
        wanted[f"{part}-labels"] = ("uint8", (count,))
    if there(cache.is_file):
        try:
            arrays = read_npz(cache, wanted)
            if strokes.digest(tuple(arrays[kind] for kind in _KINDS)) == strokes.DIGEST:
                return arrays
            say(f"{cache}: not the strokes of this version; drawing them again")
        except UserError as error:
            say(f"{error}; drawing the strokes again")
    started = time.monotonic()
    arrays = dict(zip(_KINDS, strokes.make(), strict=True))
    say(f"drew 70,000 digits of pen strokes in {time.monotonic() - started:.0f} s")
    try:
        make_folder(cache.parent)
        write_npz(cache, arrays)
    except UserError as error:  # a cache that cannot be kept only costs time
        say(f"{error}; the strokes will be drawn again next time")
    return arrays


def _download(folder: Path, mirrors: tuple[str, ...], say: Say) -> tuple[Arrays, str]:
    """MNIST and where it came from: from the first mirror that has each file, checked.

    The four gz files are kept in `folder`. That is tried before they are fetched; where it fails
    after all, they serve this once.
    """
    new = not there(folder.exists)
    make_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from None
    say("MNIST is not on this machine; downloading it (11 MB)")
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
        say(f"NOTE: {error}; MNIST will be downloaded again next time")
        return _arrays_of(contents), "downloaded"
    return _arrays_of(contents), str(folder)


def _arrays_of(contents: dict[str, bytes]) -> Arrays:
    """The arrays of IDX files that were checked, gzipped, by the names of the files."""
    arrays = {}
    for kind, name in _FILES.items():
        content = gzip.decompress(contents[f"{name}.gz"])
        start = 4 + 4 * content[3]  # its fourth byte counts the dimensions
        shape = [int(n) for n in np.frombuffer(content[4:start], ">u4")]
        arrays[kind] = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return arrays


def _fetch_all(mirrors: tuple[str, ...]) -> dict[str, bytes]:
    """The four gz files by name. Raises UserError where one is to be had from no mirror."""
    contents = {}
    for kind, name in _FILES.items():
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
    if hashlib.sha256(plain).hexdigest() != _SHA256[kind]:
        raise ValueError("content is not MNIST's (SHA-256 differs)")
    return content
