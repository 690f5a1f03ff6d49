"""Digits from files to batches: found, checked, split, shuffled. Owns the pixel range.

Images are uint8 [N, 28, 28], ink 255 on paper 0, until `to_unit` makes them [B, 28, 28, 1] floats
in 0..1; beside it only `metrics` divides by 255, distances between pixels.
"""

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import check_path, make_folder, read_npz, write_npz
from gan3.core.log import Log
from gan3.data import strokes
from gan3.data.download import MIRRORS, download
from gan3.data.idx import FILE_NAMES, KINDS, Arrays, find_idx_files, read_idx_set, read_mnist_npz

HELD_OUT = 5_000  # last training images, for choices: the test set is for reports


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


def load(
    dataset: str = "auto",
    folder: str | None = None,
    split: str = "test",
    log: Log = print,
    mirrors: tuple[str, ...] = MIRRORS,
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
    if folder is not None and not check_path(Path(folder).is_dir):
        raise UserError(f"--data {folder}: no such folder; name one that holds the digits")
    if dataset == "idx":
        if folder is None:
            raise UserError("--dataset idx: needs --data with the folder of your four IDX files")
        found = find_idx_files(Path(folder))
        if found is None:
            raise UserError(f"--data {folder}: none of {', '.join(FILE_NAMES.values())} is in it")
        return _split("idx", folder, read_idx_set(found, mnist=False), split)
    if dataset == "strokes":
        return _split("strokes", "embedded", _strokes(log), split)
    arrays, source = _find_mnist(folder, log)
    if arrays is None:
        try:
            arrays, source = download(Path("data"), mirrors, log)
        except UserError as error:
            if dataset == "mnist":
                raise
            log(f"NOTE: {error}")
            log("NOTE: training on the embedded strokes, drawn digits that are NOT MNIST.")
            return _split("strokes", "embedded", _strokes(log), split)
    return _split("mnist", str(source), arrays, split)


def _split(name: str, source: str, arrays: Arrays, split: str) -> Dataset:
    digests = [hashlib.sha256(arrays[kind].tobytes()).hexdigest() for kind in KINDS]
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
def _find_mnist(folder: str | None, log: Log) -> tuple[Arrays | None, Path | None]:
    named = [Path(place) for place in (folder, os.environ.get("GAN3_DATA")) if place]
    places = [*named, Path("data")]
    with contextlib.suppress(RuntimeError):  # nobody's home: HOME is unset, the user unknown
        keras = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"
        places.append(keras)
    for root in places:
        if root not in named and not check_path(root.is_dir):
            continue
        for place in (root, root / "MNIST" / "raw"):
            try:
                files = find_idx_files(place)
            except UserError as error:
                if root in named:
                    raise
                log(f"NOTE: {error}; looking on")
                continue
            if files:
                return read_idx_set(files, mnist=True), place
        if check_path((npz := root / "mnist.npz").is_file):
            return read_mnist_npz(npz), npz
    return None, None


# -- making and fetching ---------------------------------------------------------------------------
def _strokes(log: Log) -> Arrays:
    """The embedded set, from ./data/strokes.npz or drawn anew and kept there."""
    cache = Path("data") / "strokes.npz"
    wanted = {}
    for part, count in (("train", strokes.TRAIN), ("t10k", strokes.TEST)):
        wanted[f"{part}-images"] = ("uint8", (count, 28, 28))
        wanted[f"{part}-labels"] = ("uint8", (count,))
    if check_path(cache.is_file):
        try:
            arrays = read_npz(cache, wanted)
            if strokes.digest(tuple(arrays[kind] for kind in KINDS)) == strokes.DIGEST:
                return arrays
            log(f"{cache}: not the strokes of this version; drawing them again")
        except UserError as error:
            log(f"{error}; drawing the strokes again")
    started = time.monotonic()
    arrays = dict(zip(KINDS, strokes.make(), strict=True))
    log(f"drew 70,000 digits of pen strokes in {time.monotonic() - started:.0f} s")
    try:
        make_folder(cache.parent)
        write_npz(cache, arrays)
    except UserError as error:  # a cache that cannot be kept only costs time
        log(f"{error}; the strokes will be drawn again next time")
    return arrays
