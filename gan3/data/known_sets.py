"""The published sets that are recognised: their classes get names, their pictures are upright.

Sources: the MD5 digests of Fashion-MNIST's files are in its README (github.com/zalandoresearch/
fashion-mnist), those of KMNIST in torchvision, those of EMNIST in deeplearning4j, each of the
published gz files. EMNIST stores its pictures transposed (Cohen et al. 2017, arXiv 1702.05373);
its labels are those of its mapping files.
"""

import string
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import digest_of
from gan3.data.idx import Arrays

MNIST_DIGEST = "c473ce9de4170e6fe7638543697b7512b19cc4b2c68279feabf4a085461033dd"
"""`Dataset.digest` of MNIST."""
_LETTERS = tuple(string.ascii_uppercase)


class KnownSet(NamedTuple):
    """A published set of 28 x 28 pictures with bright ink."""

    name: str  # by which a user says that the data is this set
    title: str
    class_names: tuple[str, ...]
    md5: str  # MD5 of its four gz files
    first_label: int = 0  # the labels in its files count from this number

    def numbered(self, arrays: Arrays, path: Path) -> Arrays:
        """Its arrays by kind, with upright pictures [N, 28, 28] and labels from 0.

        Raises UserError, which begins with `path`, for other labels than those of the set.
        """
        last = self.first_label + len(self.class_names) - 1
        for kind, array in arrays.items():
            if array.dtype.kind == "U" and np.char.isdecimal(array).all():
                arrays = arrays | {kind: array.astype(np.int64)}
        labels = [array for kind, array in arrays.items() if "labels" in kind]
        if not set(np.concatenate(labels).tolist()) <= set(range(self.first_label, last + 1)):
            raise UserError(
                f"{path}: not {self.title}, whose labels are {self.first_label} to {last}; load it"
                " as the data set own"
            )
        axes = (0, 2, 1) if self.name.startswith("emnist") else (0, 1, 2)
        return {
            kind: np.ascontiguousarray(array.transpose(axes))
            if "images" in kind
            else (array - self.first_label).astype(np.uint8)
            for kind, array in arrays.items()
        }


_PUBLISHED = (
    KnownSet(
        "fashion_mnist",
        "Fashion-MNIST",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat")
        + ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe"
        " bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310",
    ),
    KnownSet(
        "kmnist",
        "KMNIST",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        "bdb82020997e1d708af4cf47b453dcf7 e144d726b3acfaa3e44228e80efcd344"
        " 5c965bf0a639b31b8f53240b1b52f4d7 7320c461ea6c1c855c0b718fb2a4b134",
    ),
    KnownSet(
        "emnist_letters",
        "EMNIST letters",
        _LETTERS,
        "8795078f199c478165fe18db82625747 c16de4f1848ddcdddd39ab65d2a7be52"
        " 382093a19703f68edac6d01b8dfdfcad d4108920cd86601ec7689a97f2de7f59",
        first_label=1,
    ),
    KnownSet(
        "emnist_balanced",
        "EMNIST balanced",
        DIGITS + _LETTERS + tuple("abdefghnqrt"),
        "4041b0d6f15785d3fa35263901b5496b 7a35cc7b2b7ee7671eddf028570fbd20"
        " 6818d20fe2ce1880476f747bbc80b22b acd3694070dcbf620e36670519d4b32f",
    ),
    KnownSet(
        "emnist_digits",
        "EMNIST digits",
        DIGITS,
        "d2662ecdc47895a6bbfce25de9e9a677 2223fcfee618ac9c89ef20b6e48bcf9e"
        " a159b8b3bd6ab4ed4793c1cb71a2f5cc 8afde66ea51d865689083ba6bb779fac",
    ),
    KnownSet(
        "emnist_mnist",
        "EMNIST mnist",
        DIGITS,
        "3663598a39195d030895b6304abb5065 6c092f03c9bb63e678f80f8bc605fe37"
        " fb51b6430fc4dd67deaada1bf25d4524 ae7f6be798a9a5d5f2bd32e078a402dd",
    ),
)
KNOWN_SETS = {known.name: known for known in _PUBLISHED}


def recognise(
    files: Iterable[Path], known_sets: Iterable[KnownSet] = _PUBLISHED
) -> KnownSet | None:
    """The known set whose published gz files these IDX files are, by MD5; None for any other."""
    found = {digest_of(file, "md5") for file in files if file.suffix == ".gz"}
    return next((known for known in known_sets if found == set(known.md5.split())), None)
