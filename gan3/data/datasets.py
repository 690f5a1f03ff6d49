"""Loads a data set: finds its files, checks them and splits them.

Images are uint8 [N, 28, 28] with ink 255 on background 0. `data.batches` scales them to 0..1.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import make_folder, read_arrays, write_npz
from gan3.core.log import Log
from gan3.data import strokes
from gan3.data.array_files import IDX, read_array_files, sets_in
from gan3.data.download import MIRRORS, download
from gan3.data.idx import KINDS, Arrays, is_mnist
from gan3.data.known_sets import KNOWN_SETS, MNIST_DIGEST
from gan3.data.own_sets import OwnSet, Stored, find, own_set, read_stored
from gan3.data.splits import in_fair_order

HELD_OUT = 5_000  # training images, the last ones, that a validation split of MNIST holds out
TITLES = {"mnist": "MNIST", "strokes": "strokes (synthetic, NOT MNIST)", "own": "own set"}
_CACHE = Path("data")  # downloads and strokes are kept here


@dataclass(frozen=True)
class Dataset:
    """Images to train on, and images held out for evaluation."""

    name: str  # "mnist", "strokes", "own" or a known set: what `load` loads it by
    source: str  # the folder or file it was read from
    digest: str  # SHA-256 over the digests of its four arrays, and of names that are no digits
    split: str  # what is held out: "test", or "validation"
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray  # uint8 [N]
    held_out_images: np.ndarray  # uint8 [M, 28, 28]
    held_out_labels: np.ndarray  # uint8 [M]
    class_names: tuple[str, ...] = DIGITS  # 2 to 62, or `UNLABELLED`; a label is an index into them
    # Images and labels of the whole training part, whatever the split and the images that are left
    # out; by default `images` and `labels`.
    whole: tuple[np.ndarray, np.ndarray] | None = None
    own_title: str = ""  # an own set's: the known set that it is, or a title by its folder
    ink: str = "unknown"  # as `load` was told; "bright" or "dark" for an own set that needs it
    skip_damaged: bool = False  # as `load` was told

    @cached_property
    def training_digest(self) -> str:
        """`digest` for the whole training part, whatever the split and what is left out."""
        return _digest(self.whole or (self.images, self.labels), self.class_names)

    def halves(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Images and labels that a judge learns from, and those that a validation split holds out.

        Both are of the whole training part, whatever is held out here.
        """
        images, labels = self.whole or (self.images, self.labels)
        count = len(images) - validation_count(len(images))
        return (images[:count], labels[:count]), (images[count:], labels[count:])

    @property
    def title(self) -> str:
        """Its name in figures and log lines, unmistakable if it is not MNIST."""
        return self.own_title or TITLES[self.name]


def validation_count(training_images: int) -> int:
    """How many of the last training images a validation split holds out: 5,000, at most a sixth."""
    return min(HELD_OUT, max(1, training_images // 6))


def check_source(dataset: str, folder: str | Arrays | None) -> None:
    """Raises UserError if `load` has nothing to load from, before anything else takes time."""
    if not isinstance(folder, dict | None) and not Path(folder).exists():
        raise UserError(f"data folder {folder}: no such folder; name one that has the data set")
    if _is_own(dataset) and folder is None:
        raise UserError(
            f"data set {dataset}: needs a data folder, or arrays; name the one that has your set"
        )


def _is_own(dataset: str) -> bool:
    """Whether it is a user's own set, or one of the known sets, which are read like it."""
    return dataset == "own" or dataset in KNOWN_SETS


def load(
    dataset: str = "auto",
    folder: str | Arrays | None = None,
    split: str = "test",
    log: Log = print,
    mirrors: tuple[str, ...] = MIRRORS,
    skip_first: int = 0,
    ink: str = "unknown",
    skip_damaged: bool = False,
) -> Dataset:
    """Find, check and split a data set.

    Args:
        dataset: "mnist"; "strokes", the embedded synthetic digits; "auto", MNIST, or strokes if
            MNIST cannot be had; "own", a user's own set; or the name of a known set (`known_sets`).
        folder: of MNIST: searched first, then $GAN3_DATA, ./data, ./MNIST_data and the Keras
            cache, and in each of them torchvision's MNIST/raw. If none has MNIST, it is downloaded
            into ./data. Of an own or a known set: its folder or file, or its arrays by kind.
        split: "test" trains on all training images and holds out the test set; "validation" holds
            out the last training images (`validation_count`) and ignores the test set.
        log: receives warnings and what takes time.
        mirrors: https addresses to download from, tried in this order.
        skip_first: training images, the first ones, that are left out.
        ink: of an own set: "bright" on a dark background, or "dark". All but IDX files and MNIST
            need it; if it is "unknown", the error says what it looks like.
        skip_damaged: leave out pictures of an own set that cannot be read.

    Raises:
        UserError: the data cannot be found or downloaded, a file is damaged, or no training image
            is left.
    """
    check_source(dataset, folder)
    is_own, are_arrays = _is_own(dataset), isinstance(folder, dict)
    if is_own:
        source = "arrays" if are_arrays else folder
        path = Path(source)
        stored = Stored(folder) if are_arrays else read_stored(path, ink, log, skip_damaged)
        found = own_set(path, stored, ink, log, None if dataset == "own" else dataset)
    elif are_arrays or (folder is not None and Path(folder).is_file()):
        data = "arrays" if are_arrays else folder
        raise UserError(
            f"data {data}: {dataset} is searched in folders only; load it as the data set own"
        )
    elif ink != "unknown":
        raise UserError(f"ink {ink}: of MNIST and the strokes it is bright; leave it out")
    else:
        dataset, source, arrays = _load_digits(dataset, folder, mirrors, log)
        found = OwnSet(arrays)
    arrays, class_names, title = found
    digest = _digest((arrays[kind] for kind in KINDS), class_names)
    images, labels = arrays["train-images"], arrays["train-labels"]
    if title:
        title = TITLES["mnist"] if digest == MNIST_DIGEST else title
        rows = in_fair_order(labels, validation_count(len(images)))  # those of a validation split
        images, labels = (images, labels) if rows is None else (images[rows], labels[rows])
    held_out_images, held_out_labels = arrays["t10k-images"], arrays["t10k-labels"]
    count = len(images)
    if split == "validation":
        count -= validation_count(count)
        held_out_images, held_out_labels = images[count:], labels[count:]
    if skip_first >= count:
        raise UserError(
            f"{source}: {count} training images, of which skip_first leaves out {skip_first}; set"
            " skip_first to a smaller number"
        )
    return Dataset(
        dataset,
        source,
        digest,
        split,
        images[skip_first:count],
        labels[skip_first:count],
        held_out_images,
        held_out_labels,
        class_names,
        whole=(images, labels),
        own_title=title,
        ink=ink,
        skip_damaged=skip_damaged,
    )


def recorded_source(record: Mapping[str, Any]) -> str | None:
    """The folder or file that a run's record names as the source of its data.

    None if the data were arrays, or MNIST or strokes from elsewhere, which are searched for. Raises
    UserError if an own set is gone.
    """
    source = Path(str(record.get("data_source")))
    if record.get("data") in ("mnist", "strokes"):
        source = source.parent if source.is_file() else source  # mnist.npz
        return str(source) if source.is_dir() else None
    if source.is_absolute() and not source.exists():
        raise UserError(f"{source}: the data of this run is gone; name its new place as data")
    return str(source) if source.exists() else None


def _load_digits(
    dataset: str, folder: str | None, mirrors: tuple[str, ...], log: Log
) -> tuple[str, str, Arrays]:
    """MNIST or the strokes: the name, the source, and the arrays."""
    if dataset != "strokes":
        found = _find_mnist(folder, log)
        if found is not None:
            return "mnist", *found
        try:
            return "mnist", str(_CACHE), download(_CACHE, mirrors, log)
        except UserError as error:
            if dataset == "mnist":
                raise
            log(f"NOTE: {error}")
    log(f"WARNING: the data set is {TITLES['strokes']}: digits drawn by a program")
    return "strokes", "embedded", _strokes(log)


def _digest(arrays: Iterable[np.ndarray], class_names: tuple[str, ...]) -> str:
    """SHA-256 over the digests of arrays, and of the names of classes that are no digits."""
    names = [] if class_names == DIGITS else ["\n".join(class_names).encode()]
    parts = [*map(np.ascontiguousarray, arrays), *names]
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


# -- finding MNIST ---------------------------------------------------------------------------------
def _find_mnist(folder: str | None, log: Log) -> tuple[str, Arrays] | None:
    """The folder or file that has MNIST, and its arrays.

    Files that are damaged or not MNIST's are an error in a folder that the user named; elsewhere
    they are noted and skipped.
    """
    variable = os.environ.get("GAN3_DATA")
    if variable and not Path(variable).is_dir():
        raise UserError(f"GAN3_DATA={variable}: no such folder; set it to another, or to none")
    named = [Path(name) for name in (folder, variable) if name]
    keras = os.environ.get("KERAS_HOME", "~/.keras")
    keras = Path(os.path.expanduser(keras), "datasets")  # noqa: PTH111 (no error without a home)
    for root in (*named, _CACHE, Path("MNIST_data"), keras):
        try:
            found = _mnist_in(root)
        except UserError as error:
            if root in named:
                raise
            log(f"NOTE: {error}; searching other folders")
            continue
        if found is not None:
            return found
        if folder is not None and root == Path(folder) and (kind := find(root)[0]):
            raise UserError(
                f"data folder {folder}: has {kind}, but not MNIST; load it as the data set own"
            )
    return None


def _mnist_in(root: Path) -> tuple[str, Arrays] | None:
    """MNIST in a folder or in torchvision's folder under it, whatever the names of its files.

    Raises UserError for IDX files and for a mnist.npz that are not MNIST's by their digests.
    """
    raw, npz = root / "MNIST" / "raw", root / "mnist.npz"
    for source, sets in (
        (root, sets_in(root, IDX).values()),
        (raw, sets_in(raw, IDX).values()),
        (npz, [{"": npz}] if npz.is_file() else []),
    ):
        for files in sets:
            arrays = read_array_files(list(files.values()), lambda line: None)
            others = [
                kind
                for kind in KINDS[::-1]
                if kind not in arrays or not is_mnist(kind, arrays[kind])
            ]
            if not others:
                return str(source), arrays
        if sets:
            raise UserError(
                f"{source}: its {others[0]} are missing or not MNIST's, by SHA-256; put MNIST's"
                " there, or load what is there as the data set own"
            )
    return None


def _strokes(log: Log) -> Arrays:
    """The embedded set, drawn and then cached in ./data."""
    cache = _CACHE / strokes.CACHE
    if cache.is_file():
        with contextlib.suppress(UserError):  # damaged
            arrays = read_arrays(cache, KINDS)
            content = b"".join(arrays[kind].tobytes() for kind in KINDS)
            if hashlib.sha256(content).hexdigest() == strokes.DIGEST:
                return arrays
        log(f"NOTE: {cache}: not the strokes; they are drawn again")
    started = time.monotonic()
    arrays = dict(zip(KINDS, strokes.make(), strict=True))
    log(f"drew 70,000 digits of pen strokes in {time.monotonic() - started:.0f} s")
    try:
        make_folder(cache.parent)
        write_npz(cache, arrays)
    except UserError as error:  # without a cache the next run only takes longer
        log(f"NOTE: {error}; the strokes will be drawn again next time")
    return arrays
