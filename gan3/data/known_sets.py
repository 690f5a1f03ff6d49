"""The published sets that are recognised: their classes get names, their pictures are upright.

Sources: the MD5 digests of Fashion-MNIST's files are in its README (github.com/zalandoresearch/
fashion-mnist), those of KMNIST in torchvision, those of EMNIST in deeplearning4j, each of the
published gz files. EMNIST stores its pictures transposed (Cohen et al. 2017, arXiv 1702.05373);
its labels are those of its mapping files.
"""

import hashlib
import string
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.data.idx import KINDS, Arrays

MNIST_DIGEST = "c473ce9de4170e6fe7638543697b7512b19cc4b2c68279feabf4a085461033dd"
"""`Dataset.digest` of MNIST."""
NAMED = "as named"  # the evidence of a set that the user named
_LETTERS = tuple(string.ascii_uppercase)


class KnownSet(NamedTuple):
    """A published set of 28 x 28 pictures with bright ink."""

    name: str  # by which a user says that the data is this set
    title: str
    counts: tuple[int, int]  # training and test pictures
    class_names: tuple[str, ...]
    md5: tuple[str, str, str, str]  # of its four gz files, in the order of KINDS
    file_prefix: str = ""  # of the names of its files
    first_label: int = 0  # the labels in its files count from this number
    labels_sha256: str = ""  # of the bytes of the training labels and the test labels
    is_transposed: bool = False

    def upright(self, images: np.ndarray) -> np.ndarray:
        """Its pictures [N, 28, 28] as they are read."""
        return np.ascontiguousarray(images.transpose(0, 2, 1)) if self.is_transposed else images


def _emnist(
    name: str, counts: tuple[int, int], names: tuple[str, ...], first: int, md5: tuple
) -> KnownSet:
    title, prefix = f"EMNIST {name}", f"emnist-{name}"
    return KnownSet(
        f"emnist_{name}",
        title,
        counts,
        names,
        md5,
        prefix,
        first_label=first,
        is_transposed=True,
    )


KNOWN_SETS = (
    KnownSet(
        "fashion_mnist",
        "Fashion-MNIST",
        (60_000, 10_000),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat")
        + ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        labels_sha256="8ab940a680640f36c0bf1d2549cb2f3b3d4068c12547116cc7b1161b1d26663d",
    ),
    KnownSet(
        "kmnist",
        "KMNIST",
        (60_000, 10_000),
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        ),
    ),
    _emnist(
        "letters",
        (124_800, 20_800),
        _LETTERS,
        1,
        (
            "8795078f199c478165fe18db82625747",
            "c16de4f1848ddcdddd39ab65d2a7be52",
            "382093a19703f68edac6d01b8dfdfcad",
            "d4108920cd86601ec7689a97f2de7f59",
        ),
    ),
    _emnist(
        "balanced",
        (112_800, 18_800),
        DIGITS + _LETTERS + tuple("abdefghnqrt"),
        0,
        (
            "4041b0d6f15785d3fa35263901b5496b",
            "7a35cc7b2b7ee7671eddf028570fbd20",
            "6818d20fe2ce1880476f747bbc80b22b",
            "acd3694070dcbf620e36670519d4b32f",
        ),
    ),
    _emnist(
        "digits",
        (240_000, 40_000),
        DIGITS,
        0,
        (
            "d2662ecdc47895a6bbfce25de9e9a677",
            "2223fcfee618ac9c89ef20b6e48bcf9e",
            "a159b8b3bd6ab4ed4793c1cb71a2f5cc",
            "8afde66ea51d865689083ba6bb779fac",
        ),
    ),
    _emnist(
        "mnist",
        (60_000, 10_000),
        DIGITS,
        0,
        (
            "3663598a39195d030895b6304abb5065",
            "6c092f03c9bb63e678f80f8bc605fe37",
            "fb51b6430fc4dd67deaada1bf25d4524",
            "ae7f6be798a9a5d5f2bd32e078a402dd",
        ),
    ),
)


class Recognised(NamedTuple):
    """A known set, and how sure that is."""

    known: KnownSet
    evidence: str  # what it was recognised by
    is_certain: bool  # whether that covers the pictures

    @property
    def title(self) -> str:
        """Its name in figures, with the evidence if the pictures may be others."""
        return self.known.title if self.is_certain else f"{self.known.title} ({self.evidence})"


def recognise(
    arrays: Arrays, paths: dict[str, Path] | None, known_sets: Sequence[KnownSet] = KNOWN_SETS
) -> Recognised | None:
    """The known set that arrays as they were read belong to; None for any other.

    Digests come first: of the four gz files, then of the labels. Otherwise the names of the files
    and the numbers of pictures have to do.

    paths: of the four IDX files, by kind; None if the arrays are not from such files. Raises
    UserError if one of them cannot be read any more.
    """
    counts = len(arrays["train-images"]), len(arrays["t10k-images"])
    possible = [
        known for known in known_sets if known.counts == counts and _labels_fit(known, arrays)
    ]
    if not possible:
        return None
    compressed = paths is not None and all(path.suffix == ".gz" for path in paths.values())
    md5 = tuple(_md5(paths[kind]) for kind in KINDS) if compressed else ()
    labels = _labels_sha256(arrays)
    prefix = _prefix(paths)
    for known in possible:
        if known.md5 == md5:
            return Recognised(known, "MD5 of its four files", is_certain=True)
    for known in possible:
        if known.labels_sha256 == labels:
            return Recognised(known, "by its labels", is_certain=False)
    for known in possible:
        if known.file_prefix and known.file_prefix == prefix:
            return Recognised(known, "by its file names", is_certain=False)
    return None


def named(name: str, arrays: Arrays, path: Path) -> Recognised:
    """The known set that a user named, whose numbers of pictures and labels `arrays` must have.

    Raises UserError if they do not.
    """
    (known,) = (known for known in KNOWN_SETS if known.name == name)
    counts = tuple(len(arrays.get(kind, ())) for kind in ("train-images", "t10k-images"))
    if known.counts != counts or not _labels_fit(known, arrays):
        train, test = (f"{count:,}" for count in known.counts)
        raise UserError(
            f"{path}: not {known.title}, which has {train} training and {test} test images of"
            f" {len(known.class_names)} classes; load it as the data set own"
        )
    return Recognised(known, NAMED, is_certain=False)


def _labels_fit(known: KnownSet, arrays: Arrays) -> bool:
    """Whether both parts have all labels of the known set and no others."""
    expected = np.arange(len(known.class_names)) + known.first_label
    return all(
        arrays[kind].dtype.kind in "iu" and np.array_equal(np.unique(arrays[kind]), expected)
        for kind in ("train-labels", "t10k-labels")
    )


def _labels_sha256(arrays: Arrays) -> str:
    parts = [arrays[kind].astype(np.uint8).tobytes() for kind in ("train-labels", "t10k-labels")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _md5(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); replace the file") from None


def _prefix(paths: dict[str, Path] | None) -> str:
    """What the names of the files have in front of "train", "" if nothing."""
    name = "" if paths is None else paths["train-images"].name
    return name.partition("-train-")[0] if "-train-" in name else ""
