"""Published sets: by the digests of their files, or because the user says so."""

import gzip
import hashlib
from pathlib import Path

import numpy as np

from gan3.core.classes import DIGITS
from gan3.data import known_sets
from gan3.data.datasets import load
from gan3.data.idx import FILE_NAMES, KINDS
from gan3.data.known_sets import KNOWN_SETS, KnownSet, recognise
from gan3.data.own_sets import own_set, read_stored
from tests.support import MNIST, FolderTest, idx_bytes, needs_mnist


def write_files(folder, arrays, prefix="", compress=True):
    """Write arrays by kind as IDX files, and return their paths by kind."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, array in arrays.items():
        paths[kind] = folder / f"{prefix}{FILE_NAMES[kind]}{'.gz' if compress else ''}"
        content = idx_bytes(array)
        paths[kind].write_bytes(gzip.compress(content, 1) if compress else content)
    return paths


class SmallSets(FolderTest):
    def test_a_set_is_recognised_by_the_md5_of_its_four_gz_files_alone(self):
        """A set of our own takes the place of the published ones, which tests cannot download."""
        arrays = {kind: np.full(9, number, np.uint8) for number, kind in enumerate(KINDS)}
        files = list(write_files(self.folder / "x", arrays, "small-").values())
        md5 = " ".join(hashlib.md5(file.read_bytes()).hexdigest() for file in files)
        known = KnownSet("small", "Small", ("a", "b", "c"), md5)
        self.assertIs(recognise(files, [known._replace(md5=""), known]), known)
        files[0].write_bytes(gzip.compress(b"other"))
        self.assertIsNone(recognise(files, [known]))
        plain = write_files(Path("y"), arrays, compress=False)
        self.assertIsNone(recognise(plain.values(), [known]))


class PublishedSets(FolderTest):
    def test_the_table_is_consistent(self):
        digests = [digest for known in KNOWN_SETS.values() for digest in known.md5.split()]
        self.assertEqual(len(set(digests)), 4 * len(KNOWN_SETS))
        for digest in digests:
            self.assertRegex(digest, r"^[0-9a-f]{32}$")
        first_labels, counts = {}, []
        for name, known in KNOWN_SETS.items():
            self.assertEqual(len(set(known.class_names)), len(known.class_names))
            counts.append(len(known.class_names))
            first_labels[name] = known.first_label
        self.assertEqual(counts, [10, 10, 26, 47, 10, 10])
        self.assertEqual(first_labels, dict.fromkeys(KNOWN_SETS, 0) | {"emnist_letters": 1})
        self.assertEqual(KNOWN_SETS["emnist_letters"].class_names[:3], ("A", "B", "C"))
        # The first, last, and some other lines of emnist-balanced-mapping.txt: label, character
        for label, code in ((0, 48), (9, 57), (10, 65), (35, 90), (36, 97), (38, 100), (46, 116)):
            self.assertEqual(KNOWN_SETS["emnist_balanced"].class_names[label], chr(code))

    def test_a_set_is_what_the_user_says_if_its_numbers_fit(self):
        arrays = {}
        for part, count in (("train", 600), ("t10k", 100)):
            arrays[f"{part}-images"] = np.zeros((count, 28, 28), np.uint8)
            arrays[f"{part}-images"][:, 3, 20] = 200
            arrays[f"{part}-labels"] = (np.arange(count) % 10).astype(np.uint8)
        write_files(Path("x"), arrays, compress=False)
        lines = []

        def read(name):
            stored = read_stored(Path("x"), "unknown", lines.append)
            return own_set(Path("x"), stored, "unknown", lines.append, name)

        own = read("emnist_mnist")
        self.assertEqual((own.title, own.class_names), ("EMNIST mnist (as named)", DIGITS))
        self.assertEqual(own.arrays["train-images"][5, 20, 3], 200)  # turned upright
        self.assertEqual(own.arrays["train-images"][5].sum(), 200)
        for kind in ("train-labels", "t10k-labels"):  # as folders give them
            arrays[kind] = arrays[kind].astype(str)
        np.savez("named.npz", **{kind.replace("-", "_"): a for kind, a in arrays.items()})
        named = own_set(
            Path("y"), read_stored(Path("named.npz"), "unknown", print), "bright", print, "kmnist"
        )
        np.testing.assert_array_equal(named.arrays["train-labels"], np.arange(600) % 10)
        own = read("fashion_mnist")
        self.assertEqual(own.title, "Fashion-MNIST (as named)")
        self.assertEqual(own.class_names[:2], ("T-shirt/top", "Trouser"))
        self.assertEqual(
            lines[-1],
            "x: Fashion-MNIST (as named), 10 classes (T-shirt/top to Ankle boot), 600 training and"
            " 100 test images",
        )

    @needs_mnist
    def test_mnist_is_mnist_as_an_own_set_too(self):
        own, mnist = load("own", MNIST, log=lambda line: None), load("mnist", MNIST)
        self.assertEqual((own.title, own.name), ("MNIST", "own"))
        self.assertEqual(own.digest, mnist.digest)
        self.assertEqual(own.digest, known_sets.MNIST_DIGEST)
        self.assertEqual(own.training_digest, mnist.training_digest)
        np.testing.assert_array_equal(own.images, mnist.images)
