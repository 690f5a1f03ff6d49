"""Loads a data set of digits: finds its files, checks them and splits them.

Images are uint8 [N, 28, 28] with ink 255 on background 0. `data.batches` scales them to 0..1.
"""

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import check_path, make_folder, read_npz, write_npz
from gan3.core.log import Log
from gan3.data import strokes
from gan3.data.download import MIRRORS, download
from gan3.data.idx import FILE_NAMES, KINDS, Arrays, find_idx_files, read_idx_set, read_mnist_npz

HELD_OUT = 5_000  # training images, the last ones, that the validation split holds out
TITLES = {"mnist": "MNIST", "strokes": "strokes (synthetic, NOT MNIST)", "idx": "own IDX set"}
_CACHE = Path("data")  # downloads and strokes are kept here


@dataclass(frozen=True)
class Dataset:
    """Digits to train on, and digits held out for evaluation."""

    name: str  # "mnist", "strokes" or "idx"
    source: str  # the folder or file it was read from
    digest: str  # SHA-256 over the digests of its four arrays
    split: str  # what is held out: "test", or "validation"
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray  # uint8 [N]
    held_out_images: np.ndarray  # uint8 [M, 28, 28]
    held_out_labels: np.ndarray  # uint8 [M]
    class_names: tuple[str, ...] = DIGITS  # 2 to 62 of them; a label is an index into them

    @property
    def title(self) -> str:
        """Its name in figures and log lines, unmistakable if the digits are not MNIST's."""
        return TITLES[self.name]


def load(
    dataset: str = "auto",
    folder: str | None = None,
    split: str = "test",
    log: Log = print,
    mirrors: tuple[str, ...] = MIRRORS,
    skip_first: int = 0,
) -> Dataset:
    """Find, check and split a data set.

    Args:
        dataset: "mnist"; "strokes", the embedded synthetic digits; "auto", MNIST, or strokes if
            MNIST cannot be had; "idx", a user's own IDX files in `folder`.
        folder: searched first, then $GAN3_DATA, ./data and the Keras cache, and in each of them
            torchvision's MNIST/raw. If none has MNIST, it is downloaded into ./data.
        split: "test" trains on all training images and holds out the test set; "validation" holds
            out the last 5,000 training images and ignores the test set.
        log: receives warnings and what takes time.
        mirrors: https addresses to download from, tried in this order.
        skip_first: training images, the first ones, that are left out.

    Raises:
        UserError: the data cannot be found or downloaded, a file is damaged, or no training image
            is left.
    """
    return _leave_out(_load(dataset, folder, split, log, mirrors), skip_first)


def _load(
    dataset: str, folder: str | None, split: str, log: Log, mirrors: tuple[str, ...]
) -> Dataset:
    if folder is not None and not check_path(Path(folder).is_dir):
        raise UserError(f"data folder {folder}: no such folder; name one that has the data set")
    if dataset == "idx":
        return _split("idx", str(folder), _read_own(folder), split)
    if dataset == "strokes":
        return _load_strokes(split, log)
    arrays, source = _find_mnist(folder, log)
    if arrays is None:
        try:
            arrays, source = download(_CACHE, mirrors, log)
        except UserError as error:
            if dataset == "mnist":
                raise
            log(f"NOTE: {error}")
            return _load_strokes(split, log)
    return _split("mnist", str(source), arrays, split)


def _read_own(folder: str | None) -> Arrays:
    """A user's own IDX files."""
    if folder is None:
        raise UserError("data set idx: needs a data folder; name the one with your four IDX files")
    paths = find_idx_files(Path(folder))
    if paths is None:
        names = ", ".join(FILE_NAMES.values())
        raise UserError(f"data folder {folder}: has none of {names}; put all four into it")
    return read_idx_set(paths, mnist=False)


def _load_strokes(split: str, log: Log) -> Dataset:
    log(f"WARNING: the data set is {TITLES['strokes']}: digits drawn by a program")
    return _split("strokes", "embedded", _strokes(log), split)


def _split(name: str, source: str, arrays: Arrays, split: str) -> Dataset:
    digests = [hashlib.sha256(arrays[kind].tobytes()).hexdigest() for kind in KINDS]
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    images, labels = arrays["train-images"], arrays["train-labels"]
    if split == "test":
        parts = images, labels, arrays["t10k-images"], arrays["t10k-labels"]
    else:
        if len(images) <= HELD_OUT:
            raise UserError(
                f"{source}: {len(images)} training images; the validation split needs more than"
                f" the {HELD_OUT} that it holds out"
            )
        parts = images[:-HELD_OUT], labels[:-HELD_OUT], images[-HELD_OUT:], labels[-HELD_OUT:]
    return Dataset(name, source, digest, split, *parts)


def _leave_out(dataset: Dataset, count: int) -> Dataset:
    """The data set without its first `count` training images."""
    if count >= len(dataset.images):
        raise UserError(
            f"{dataset.source}: {len(dataset.images)} training images, of which skip_first leaves"
            f" out {count}; set skip_first to a smaller number"
        )
    return replace(dataset, images=dataset.images[count:], labels=dataset.labels[count:])


# -- finding MNIST ---------------------------------------------------------------------------------
def _find_mnist(folder: str | None, log: Log) -> tuple[Arrays | None, Path | None]:
    """MNIST and the folder or file it was found in, or None twice.

    A damaged file in a folder that the user named is an error; elsewhere it is logged and skipped.
    """
    named = [Path(name) for name in (folder, os.environ.get("GAN3_DATA")) if name]
    for root in [*named, *_default_folders()]:
        if root not in named and not check_path(root.is_dir):
            continue
        for candidate in (root, root / "MNIST" / "raw"):
            try:
                paths = find_idx_files(candidate)
            except UserError as error:
                if root in named:
                    raise
                log(f"NOTE: {error}; searching other folders")
                continue
            if paths:
                return read_idx_set(paths, mnist=True), candidate
        if check_path((npz := root / "mnist.npz").is_file):
            return read_mnist_npz(npz), npz
    return None, None


def _default_folders() -> list[Path]:
    folders = [_CACHE]
    with contextlib.suppress(RuntimeError):  # raised if the home folder cannot be determined
        keras = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
        folders.append(keras / "datasets")
    return folders


# -- the embedded strokes --------------------------------------------------------------------------
def _strokes(log: Log) -> Arrays:
    """The embedded set, from ./data/strokes.npz, or drawn and then cached there."""
    cache = _CACHE / "strokes.npz"
    specification = {}
    for part, count in (("train", strokes.TRAIN), ("t10k", strokes.TEST)):
        specification[f"{part}-images"] = ("uint8", (count, 28, 28))
        specification[f"{part}-labels"] = ("uint8", (count,))
    if check_path(cache.is_file):
        try:
            arrays = read_npz(cache, specification)
            if strokes.digest(tuple(arrays[kind] for kind in KINDS)) == strokes.DIGEST:
                return arrays
            log(f"NOTE: {cache}: from another version of gan3; drawing the strokes again")
        except UserError as error:
            log(f"NOTE: {error}; drawing the strokes again")
    started = time.monotonic()
    arrays = dict(zip(KINDS, strokes.make(), strict=True))
    log(f"drew 70,000 digits of pen strokes in {time.monotonic() - started:.0f} s")
    try:
        make_folder(cache.parent)
        write_npz(cache, arrays)
    except UserError as error:  # without a cache the next run only takes longer
        log(f"NOTE: {error}; the strokes will be drawn again next time")
    return arrays
