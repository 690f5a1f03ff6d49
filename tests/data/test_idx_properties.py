"""IDX files: what is written is read, for data sets of any size and content."""

import gzip
import tempfile
import unittest
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.data.idx import FILE_NAMES, KINDS, find_idx_files, read_idx_set
from tests.properties import given, st
from tests.support import idx_bytes

SIZES = st.tuples(st.integers(50, 70), st.integers(50, 70))  # of the two sets


def sets_of(sizes, seed):
    random = np.random.default_rng(seed)
    arrays = []
    for size in sizes:
        arrays += [random.integers(0, 256, (size, 28, 28), np.uint8)]
        arrays += [random.integers(0, 10, size, np.uint8)]
    return dict(zip(KINDS, arrays, strict=True))


class RoundTrip(unittest.TestCase):
    @given(SIZES, st.integers(0, 2**31), st.tuples(*[st.integers(0, 9) | st.none()] * 4))
    def test_compressed_or_not(self, sizes, seed, levels):
        """levels: gzip's, for each file; None for a file that is not compressed."""
        written = sets_of(sizes, seed)
        with tempfile.TemporaryDirectory() as folder:
            for (kind, array), level in zip(written.items(), levels, strict=True):
                path, content = Path(folder, FILE_NAMES[kind]), idx_bytes(array)
                if level is not None:
                    path, content = Path(f"{path}.gz"), gzip.compress(content, level)
                path.write_bytes(content)
            read = read_idx_set(find_idx_files(Path(folder)), mnist=False)
        self.assertEqual(list(read), list(KINDS))
        for kind, array in written.items():
            self.assertEqual((read[kind].dtype, read[kind].shape), (array.dtype, array.shape))
            np.testing.assert_array_equal(read[kind], array)

    @given(st.sampled_from(KINDS), st.binary(max_size=40) | st.integers(0, 200), st.booleans())
    def test_damaged_bytes_are_read_as_they_are_or_refused_in_one_line(
        self, kind, damage, compressed
    ):
        """damage: bytes in place of the first ones, or how many are left of the file."""
        written = {name: idx_bytes(array) for name, array in sets_of((50, 50), 0).items()}
        whole = written[kind]
        cut = isinstance(damage, int)
        written[kind] = whole[:damage] if cut else damage + whole[len(damage) :]
        with tempfile.TemporaryDirectory() as folder:
            for name, content in written.items():
                path = Path(folder, FILE_NAMES[name] + (".gz" if compressed else ""))
                path.write_bytes(gzip.compress(content, 1) if compressed else content)
            try:
                read = read_idx_set(find_idx_files(Path(folder)), mnist=False)
            except UserError as error:
                self.assertNotEqual(written[kind], whole)
                self.assertNotIn("\n", str(error))
            else:
                self.assertEqual(idx_bytes(read[kind]), written[kind])


if __name__ == "__main__":
    unittest.main()
