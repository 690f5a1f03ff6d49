"""Atomic writes, and npz files from strangers."""

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import (
    check_writable,
    make_folder,
    read_npz,
    write_atomically,
    write_json,
    write_npz,
)
from tests.support import FolderTest

WANTED = {"a": ("float32", (2, 3)), "b": ("int64", (None,))}


class Writing(FolderTest):
    def test_a_file_is_replaced_and_no_temporary_file_is_left(self):
        path = self.folder / "x.json"
        write_atomically(path, b"one")
        write_atomically(path, b"two")
        self.assertEqual(path.read_bytes(), b"two")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["x.json"])

    def test_a_path_that_cannot_be_written_is_refused(self):
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(UserError, "cannot be written"):
            write_atomically(self.folder / "file" / "x", b"")
        with self.assertRaisesRegex(UserError, "cannot be written"):
            make_folder(self.folder / "file" / "x")

    def test_a_link_is_followed_and_special_files_are_refused(self):
        (self.folder / "deep").mkdir()
        target, link = self.folder / "deep" / "x.json", self.folder / "link"
        target.write_bytes(b"old")
        link.symlink_to(target)
        write_atomically(link, b"new")
        self.assertTrue(link.is_symlink())
        self.assertEqual(target.read_bytes(), b"new")
        os.mkfifo(self.folder / "pipe")
        for name in ("pipe", "deep"):
            with self.assertRaisesRegex(UserError, "is not a regular file; name another"):
                write_atomically(self.folder / name, b"x")
        with self.assertRaisesRegex(UserError, "is not a regular file"):
            read_npz(self.folder / "pipe", WANTED)  # which would wait for a writer for ever

    def test_names_that_are_not_utf_8_survive_in_json(self):
        path = self.folder / "x.json"
        write_json(path, {"é": os.fsdecode(b"\xff/set")})
        self.assertEqual(json.loads(path.read_text()), {"é": os.fsdecode(b"\xff/set")})

    def test_json_has_no_nan(self):
        path = self.folder / "x.json"
        write_json(path, {"é": [1, None]})
        self.assertEqual(json.loads(path.read_text()), {"é": [1, None]})
        with self.assertRaises(ValueError):
            write_json(path, float("nan"))

    def test_equal_arrays_give_equal_bytes(self):
        for name in ("1.npz", "2.npz"):
            write_npz(self.folder / name, {"a": np.arange(3)})
        one, two = ((self.folder / name).read_bytes() for name in ("1.npz", "2.npz"))
        self.assertEqual(one, two)


class Checking(FolderTest):
    def test_a_path_is_checked_before_it_is_written(self):
        Path("file").write_text("old")
        Path("link").symlink_to("file")
        Path("own").mkdir()
        before = sorted(Path().rglob("*"))
        for path in ("file", "link", "new", "own/new", "deep/er/new"):
            check_writable(Path(path))
        for path, message in (
            ("own", "own: is not a regular file"),
            ("/dev/null", "/dev/null: is not a regular file"),
            ("file/new", r"file/new: cannot be written \(not a directory\)"),
            ("/proc/new", "/proc/new: cannot be written"),  # where even root cannot write
        ):
            with self.subTest(message), self.assertRaisesRegex(UserError, message):
                check_writable(Path(path))
        self.assertEqual(sorted(Path().rglob("*")), before)
        self.assertEqual(Path("file").read_text(), "old")


class Reading(FolderTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "x.npz"
        self.arrays = {
            "a": np.arange(6, dtype=np.float32).reshape(2, 3),
            "b": np.arange(5, dtype=np.int64),
        }
        write_npz(self.path, self.arrays)

    def refused(self, message=""):
        with self.assertRaisesRegex(UserError, message) as raised:
            read_npz(self.path, WANTED)
        self.assertNotIn("\n", str(raised.exception))
        self.assertIn(str(self.path), str(raised.exception))

    def write_member(self, name, content):
        with zipfile.ZipFile(self.path, "w") as archive:
            archive.writestr(name, content)

    def test_written_arrays_are_read_back(self):
        read = read_npz(self.path, WANTED)
        for name, array in self.arrays.items():
            np.testing.assert_array_equal(read[name], array)

    def test_any_order_of_axes_and_bytes_is_read(self):
        array = np.arange(6, dtype=np.float32).reshape(2, 3)
        b = np.arange(3)
        for stored in (np.asfortranarray(array), array.astype(">f4"), array.T.copy().T):
            np.savez(self.path, a=stored, b=b.astype(">i8"))
            read = read_npz(self.path, WANTED)
            np.testing.assert_array_equal(read["a"], array)
            np.testing.assert_array_equal(read["b"], b)
            self.assertTrue(read["a"].flags.c_contiguous)
            self.assertEqual((read["a"].dtype, read["b"].dtype), (np.float32, np.int64))

    def test_other_shapes_dtypes_and_names_are_refused(self):
        for name, array, message in (
            ("a", np.zeros((3, 2), np.float32), "not float32 2x3"),
            ("a", np.zeros((2, 3), np.float64), "not float32 2x3"),
            ("b", np.zeros((), np.int64), "not int64 N"),
            ("c", np.zeros(3), "has no array a"),
        ):
            with self.subTest(name=name, shape=array.shape):
                np.savez(
                    self.path, **{**self.arrays, name: array} if name != "c" else {name: array}
                )
                self.refused(message)

    def test_a_header_with_a_false_shape_allocates_no_memory(self):
        for shape in ("(1000000000000,)", "(2, 3)", "(-1,)", "(" * 300):
            text = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
            content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"1234"
            with self.subTest(shape[:20]):
                self.write_member("b.npy", content)
                with self.assertRaises(UserError):
                    read_npz(self.path, {"b": WANTED["b"]})

    def test_damage_at_any_position_is_detected_or_harmless(self):
        whole = self.path.read_bytes()
        for cut in range(0, len(whole), 37):
            self.path.write_bytes(whole[:cut])
            self.refused()
        random = np.random.default_rng(0)
        for _ in range(300):
            mutated = bytearray(whole)
            for position in random.integers(0, len(whole), 3):
                mutated[position] ^= 1 << random.integers(8)
            self.path.write_bytes(mutated)
            try:
                read = read_npz(self.path, WANTED)
            except UserError:
                continue
            for name, array in self.arrays.items():  # zip's checksum covers what is returned
                np.testing.assert_array_equal(read[name], array)

    def test_missing_files_folders_and_other_formats_are_refused(self):
        for content in (b"", b"hello", b"PK\x03\x04" + b"\0" * 60):
            self.path.write_bytes(content)
            self.refused("damaged")
        self.path.unlink()
        self.refused("no such file")
        self.path.mkdir()
        self.refused()

    def test_a_header_of_gigabytes_is_not_read(self):
        """Format 2.0 has four bytes for the length of the header."""
        with zipfile.ZipFile("long.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            magic = np.lib.format.magic(2, 0)
            archive.writestr("a.npy", magic + (2**24).to_bytes(4, "little") + bytes(2**24))
        with self.assertRaisesRegex(UserError, r"Header info length \(16777216\) is large"):
            read_npz(Path("long.npz"), {"a": ("uint8", (1,))})

    def test_a_zip_bomb_is_refused_before_it_is_decompressed(self):
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(2**20, np.int64))
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("b.npy", buffer.getvalue())
        with self.assertRaisesRegex(UserError, "at most 1048576"):
            read_npz(self.path, {"b": ("int64", (None,))}, most_bytes=2**20)
