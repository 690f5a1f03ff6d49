"""Files with anything in them: read as what they hold, or refused in one line."""

import gzip
import io
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.core.values import SIDE
from gan3.data.array_files import IDX, array_files, read_array_files
from gan3.data.idx import FILE_NAMES, KINDS
from gan3.data.own_sets import own_set, read_stored
from gan3.data.pictures import fit, read_grey
from tests.properties import arrays, given, st
from tests.support import idx_bytes

LAYOUTS = (("x_train", "y_train", "x_test", "y_test"), ("x_train", "y_train"), ("images", "labels"))
TAKEN_AS_LUMINANCE = (0.299, 0.587, 0.114)  # red, green and blue in ITU-R BT.601
SIDES = st.integers(4, 40)


def read_file(name, content, read):
    """What is read from a file with this content, or None if it is refused in one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            return read(path)
        except UserError as error:
            assert "\n" not in str(error), error
            return None


def read_npz(content, ink="bright"):
    """The own set in an npz file with this content, or None."""

    def read(path):
        return own_set(path, read_stored(path, ink, log=str), ink, log=str)

    return read_file("own.npz", content, read)


def read_picture(content):
    """Its grey levels, or None."""
    return read_file("a.png", content, read_grey)


def npz(by_name):
    buffer = io.BytesIO()
    np.savez(buffer, **by_name)
    return buffer.getvalue()


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@st.composite
def whole_sets(draw):
    """Arrays of a set that is read, by the names of one of the layouts, and its labels as text."""
    layout = draw(st.sampled_from(LAYOUTS))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    classes = draw(st.integers(2, 10))
    values = random.choice(np.arange(-50, 50), classes, replace=False)
    dtype = draw(st.sampled_from(["i1", "<i4", ">i4", "<i8", "<U4", ">U5"]))
    channel = draw(st.booleans())
    by_name = {}
    for images, labels in (layout[k : k + 2] for k in range(0, len(layout), 2)):
        count = draw(st.integers(50, 60) if len(layout) == 4 else st.integers(350, 360))
        pixels = random.integers(0, 256, (count, SIDE, SIDE, 1)[: 4 if channel else 3])
        by_name[images] = pixels.astype(np.uint8)
        numbers = np.arange(count) % classes  # every class is in every part
        by_name[labels] = values[random.permutation(numbers)].astype(dtype)
    return by_name


@st.composite
def changed_sets(draw):
    """A set with one or two arrays replaced, renamed, cut or left out."""
    by_name = draw(whole_sets())
    names = st.sampled_from([name for layout in LAYOUTS for name in layout]) | st.text(
        st.characters(categories=("L", "N", "P"), exclude_characters="/"), min_size=1, max_size=9
    )
    kinds = arrays.scalar_dtypes() | arrays.unicode_string_dtypes(max_len=70)
    anything = kinds.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(max_side=60)))
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(by_name)) if by_name else names)
        old = by_name.pop(name, np.zeros(3))
        change = draw(st.sampled_from(["other", "renamed", "cut", "typed", "left out"]))
        if change == "other":
            by_name[name] = draw(anything)
        elif change == "renamed":
            by_name[draw(names)] = old
        elif change == "cut":
            by_name[name] = old[: draw(st.integers(0, len(old)))] if old.ndim else old
        elif change == "typed":
            with np.errstate(all="ignore"):
                try:
                    by_name[name] = old.astype(draw(kinds))
                except (TypeError, ValueError):  # the kind cannot hold such values
                    by_name[name] = old
    return by_name


class NpzFiles(unittest.TestCase):
    def assert_is_a_set(self, found):
        """The invariants of every set that training is given."""
        for part in ("train", "t10k"):
            images, labels = found.arrays[f"{part}-images"], found.arrays[f"{part}-labels"]
            self.assertEqual((images.dtype, images.shape[1:]), (np.uint8, (SIDE, SIDE)))
            self.assertEqual((labels.dtype, labels.shape), (np.uint8, images.shape[:1]))
            self.assertLess(labels.max(), len(found.class_names))
            self.assertGreaterEqual(len(images), 50)
        self.assertEqual(len(set(found.class_names)), len(found.class_names))

    @given(whole_sets(), st.sampled_from(["bright", "dark"]))
    def test_what_is_stored_is_read(self, by_name, ink):
        found = read_npz(npz(by_name), ink)
        self.assert_is_a_set(found)
        stored, read = ([], [])
        for images, labels in (("x_train", "y_train"), ("x_test", "y_test"), ("images", "labels")):
            if images in by_name:
                pixels = by_name[images].reshape(-1, SIDE * SIDE)
                pixels = 255 - pixels if ink == "dark" else pixels
                stored += [(str(v), bytes(p)) for v, p in zip(by_name[labels], pixels, strict=True)]
        for part in ("train", "t10k"):
            pixels = found.arrays[f"{part}-images"].reshape(-1, SIDE * SIDE)
            names = [found.class_names[k] for k in found.arrays[f"{part}-labels"]]
            read += [(v, bytes(p)) for v, p in zip(names, pixels, strict=True)]
        self.assertCountEqual(stored, read)

    @given(changed_sets())
    def test_other_arrays_are_read_or_refused_in_one_line(self, by_name):
        found = read_npz(npz(by_name))
        if found is not None:
            self.assert_is_a_set(found)

    @given(whole_sets(), st.integers(0, 2**31), st.integers(1, 20), st.booleans())
    def test_damaged_bytes_are_read_or_refused_in_one_line(self, by_name, seed, count, in_headers):
        """Bytes anywhere, or in the headers, the directory at the end, and around them."""
        content = bytearray(npz(by_name))
        random = np.random.default_rng(seed)
        ends = np.r_[:200, len(content) - 400 : len(content)]
        places = random.choice(ends if in_headers else len(content), count)
        for place in places:
            content[place] = random.integers(256)
        found = read_npz(bytes(content))
        if found is not None:
            self.assert_is_a_set(found)


COUNTS = st.tuples(st.integers(50, 70), st.integers(50, 70))  # images in the two sets


def sets_of(sizes, seed):
    random = np.random.default_rng(seed)
    arrays = []
    for size in sizes:
        arrays += [random.integers(0, 256, (size, 28, 28), np.uint8)]
        arrays += [random.integers(0, 10, size, np.uint8)]
    return dict(zip(KINDS, arrays, strict=True))


class IdxFiles(unittest.TestCase):
    def read(self, contents, levels):
        """What is read from files with these contents, by kind.

        levels: gzip's, for each file; None for a file that is not compressed.
        """
        with tempfile.TemporaryDirectory() as folder:
            for (kind, content), level in zip(contents.items(), levels, strict=True):
                path = Path(folder, FILE_NAMES[kind])
                if level is not None:
                    path, content = Path(f"{path}.gz"), gzip.compress(content, level)
                path.write_bytes(content)
            return read_array_files(array_files(Path(folder), IDX), str)

    @given(COUNTS, st.integers(0, 2**31), st.tuples(*[st.integers(0, 9) | st.none()] * 4))
    def test_compressed_or_not(self, sizes, seed, levels):
        written = sets_of(sizes, seed)
        read = self.read({kind: idx_bytes(array) for kind, array in written.items()}, levels)
        self.assertEqual(set(read), set(KINDS))
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
        try:
            array = self.read(written, [1 if compressed else None] * 4)[kind]
        except UserError as error:
            self.assertNotEqual(written[kind], whole)
            self.assertNotIn("\n", str(error))
        else:
            stored = array.astype(array.dtype.newbyteorder(">")).tobytes()
            self.assertTrue(written[kind].endswith(stored))


class Pictures(unittest.TestCase):
    @given(st.tuples(SIDES, SIDES).flatmap(lambda shape: arrays.arrays(np.uint8, shape)))
    def test_grey_levels_are_read_as_they_are(self, levels):
        (read,) = read_picture(png(Image.fromarray(levels)))
        np.testing.assert_array_equal(read, levels)

    @given(st.tuples(SIDES, SIDES), st.integers(0, 2**31))
    def test_sixteen_bits_are_kept_and_colours_become_luminance(self, shape, seed):
        random = np.random.default_rng(seed)
        deep = random.integers(0, 65536, shape, np.uint16)
        (read,) = read_picture(png(Image.fromarray(deep)))
        np.testing.assert_array_equal(read, deep)
        colours = random.integers(0, 256, (*shape, 3), np.uint8)
        (read,) = read_picture(png(Image.fromarray(colours)))
        np.testing.assert_allclose(read, colours @ TAKEN_AS_LUMINANCE, atol=1)

    @given(st.tuples(SIDES, SIDES), st.integers(0, 2**31))
    def test_transparent_pixels_are_white_in_one_version_and_black_in_the_other(self, shape, seed):
        random = np.random.default_rng(seed)
        grey, alpha = random.integers(0, 256, (2, *shape), np.uint8)
        image = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])
        white, black = read_picture(png(image))
        opacity = alpha / 255
        np.testing.assert_allclose(white, grey * opacity + 255 * (1 - opacity), atol=2)
        np.testing.assert_allclose(black, grey * opacity, atol=2)

    @given(
        st.tuples(SIDES, SIDES),
        st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]),
        st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=9),
        st.booleans(),
    )
    def test_damaged_files_are_read_or_refused_in_one_line(self, size, mode, damage, mended):
        """mended: the checksums of the chunks are right, so the damage reaches the decoder."""
        content = bytearray(png(Image.new(mode, size)))
        for place, byte in damage:
            content[place % len(content)] = byte
        greys = read_picture(with_checksums(bytes(content)) if mended else bytes(content))
        for grey in greys or ():
            self.assertIn(grey.dtype, (np.uint8, np.uint16))
            self.assertEqual(grey.ndim, 2)

    @given(st.tuples(SIDES, SIDES), st.floats(0, 0.99))
    def test_a_picture_that_was_cut_off_is_refused(self, size, fraction):
        random = np.random.default_rng(sum(size))
        levels = random.integers(0, 256, size, np.uint8)  # noise, so that no row can be left out
        content = png(Image.fromarray(levels))
        self.assertIsNone(read_picture(content[: int(fraction * (len(content) - 30))]))

    @given(st.tuples(SIDES, SIDES), st.integers(0, 255), st.integers(0, 255))
    def test_fitting_keeps_levels_and_proportions(self, shape, paper, ink):
        """A field of ink on paper that goes on to the sides of the square, in its own level."""
        grey = np.full(shape, paper, np.uint8)
        np.testing.assert_array_equal(fit(grey), np.full((SIDE, SIDE), paper))
        grey[1:-1, 1:-1] = ink
        fitted = fit(grey)
        self.assertEqual((fitted.dtype, fitted.shape), (np.uint8, (SIDE, SIDE)))
        self.assertTrue(min(paper, ink) <= fitted.min() <= fitted.max() <= max(paper, ink))
        height, width = shape
        share = (
            (height - 2) * (width - 2) / max(height, width) ** 2
        )  # the part of the square that is ink
        expected = paper + share * (float(ink) - paper)
        self.assertAlmostEqual(fitted.mean(), expected, delta=1 + 0.06 * abs(ink - paper))


def with_checksums(content):
    """PNG data whose chunks have the right CRC-32, as far as their lengths make sense."""
    position, parts = 8, [content[:8]]
    while position + 12 <= len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        end = position + 8 + length
        if end + 4 > len(content):
            break
        body = content[position + 4 : end]
        parts += [content[position : position + 4], body, struct.pack(">I", zlib.crc32(body))]
        position = end + 4
    return b"".join(parts) + content[position:]
