"""Mutated files: a result or a one-line error, in bounded time and memory.

data/test_readers_properties.py does the same to data sets, cli/test_properties.py to command lines.
"""

import gzip
import json
import random
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3 import library
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.data import datasets, sample_files
from gan3.evaluation import judge
from gan3.models.determinator import read_weights
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import bundled_folder, config_of, generator_of
from gan3.runs.run import Run
from gan3.runs.trained import save_generator
from gan3.sweeps import spec
from tests.support import RUN_SLOW, FolderTest, idx_bytes, small_system, write_idx_set

MUTANTS = 220 if RUN_SLOW else 60  # for each format
LARGE_MUTANTS = 40 if RUN_SLOW else 12  # for formats that decompress to 55 MB
SECONDS = 5  # for one mutant
MEMORY = 2**30  # bytes that the process may grow by in one test
BOMB = 2**28  # bytes that a small file decompresses to


@contextmanager
def time_limit(what):
    """Fails what has not returned after five seconds."""

    def stop(_number, _frame):
        raise AssertionError(f"{what}: not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def growth_since(before):
    """The growth of the process's peak memory since it was `before` KiB, in bytes."""
    return 1024 * (_peak() - before)


def start_measuring():
    """Forget earlier peaks of the process's memory; returns what it has now, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak():
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])


def mutated(content, rng):
    """The content with one of eight kinds of damage, accidental or malicious."""
    content = bytearray(content)
    kind = rng.randrange(8)
    at = rng.randrange(len(content))
    if kind == 0:
        del content[at:]
    elif kind == 1:
        content[at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        content[at : at + 4] = rng.randbytes(4)
    elif kind == 3:  # a wrong size in a header
        at = rng.randrange(min(len(content), 160))
        content[at : at + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
    elif kind == 4:
        content[at:at] = rng.randbytes(rng.randrange(1, 200))
    elif kind == 5:
        content[at : at + rng.randrange(1, 2000)] = b""
    elif kind == 6:
        content += content[at:]
    else:
        for _ in range(20):
            content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


class MutatedFiles(FolderTest):
    def assert_read_or_refused(self, name, path, content, read, mutants=MUTANTS):
        """Every mutant of `content` at `path` is read, or refused in one line."""
        rng, path = random.Random(name), path.absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        before = {p: p.stat().st_mtime_ns for p in self.folder.rglob("*") if p.is_file()}
        refused, memory = 0, start_measuring()
        for number in range(mutants):
            path.write_bytes(mutated(content, rng))
            try:
                with time_limit(f"{name}, mutant {number}"):
                    read()
            except UserError as error:
                refused += 1
                self.assertNotIn("\n", str(error))
                self.assertLess(len(str(error)), 400)
            except Exception as error:
                raise AssertionError(f"{name}, mutant {number}: {error!r}") from error
        self.assertLess(growth_since(memory), MEMORY, name)
        self.assertGreater(refused, mutants // 10, name)  # otherwise the mutants are too harmless
        after = {p: p.stat().st_mtime_ns for p in self.folder.rglob("*") if p.is_file()}
        self.assertEqual(after | {path: 0}, before | {path: 0}, name)  # nothing else is written

    def test_samples_and_weights(self):
        images = np.arange(120 * 784, dtype=np.uint8).reshape(120, 28, 28)
        np.savez(self.folder / "x.npz", images=images, labels=np.arange(120) % 10)
        path = self.folder / "x.npz"

        def read():
            sample_files.read(path)

        self.assert_read_or_refused("samples", path, path.read_bytes(), read)
        np.savez_compressed(path, images=images, labels=np.arange(120) % 10)
        self.assert_read_or_refused("compressed samples", path, path.read_bytes(), read)
        path = self.folder / "x.npy"
        np.save(path, np.linspace(0, 1, 120 * 784, dtype=np.float32).reshape(120, 28, 28))
        self.assert_read_or_refused("npy samples", path, path.read_bytes(), read)
        path = self.folder / "x.csv"
        np.savetxt(path, np.c_[np.arange(120) % 10, images.reshape(120, 784)], "%d", ",")
        self.assert_read_or_refused("csv samples", path, path.read_bytes(), read)
        path = self.folder / "judge.npz"
        for bundled in judge.BUNDLED:
            content = bundled.read_bytes()
            self.assert_read_or_refused(bundled.name, path, content, lambda: judge.load(path))

    def test_episodes_and_checkpoints(self):
        system, spec = small_system(), generator_of(config_of("three_network"), DIGITS)
        path = self.folder / "episode_01.npz"
        save_generator(path, system)
        content = path.read_bytes()
        self.assert_read_or_refused(
            "episode", path, content, lambda: read_weights(path, spec.shapes)
        )
        variables = {"a": tf.Variable(tf.zeros([30, 20])), "b": tf.Variable(tf.zeros([9]))}
        folder = self.folder / "checkpoints"
        folder.mkdir()

        def fill(value):
            for variable in variables.values():
                variable.assign(tf.fill(variable.shape, float(value)))

        for step in (1, 2):
            fill(step)
            Checkpoints(folder, variables).save(step)
        memory = start_measuring()
        for path in sorted(p for p in folder.iterdir() if "step-1" not in p.name):
            content, rng = path.read_bytes(), random.Random(path.name)
            for number in range(MUTANTS // 3):
                path.write_bytes(mutated(content, rng))
                fill(0)
                with self.subTest(path.name, number=number), time_limit(path.name):
                    step = Checkpoints(folder, variables).restore(lambda line: None)
                    self.assertIn(step, (1, 2))  # the older one is intact
                    for variable in variables.values():
                        np.testing.assert_array_equal(variable, np.full(variable.shape, step))
            path.write_bytes(content)
        self.assertLess(growth_since(memory), MEMORY)

    def test_records(self):
        folder = self.folder / "logs" / "a"
        folder.mkdir(parents=True)
        run = Run("a")
        config = config_of("three_network").to_dict()
        record = json.dumps(
            {"started": "2026-01-01", "config": config, "class_names": DIGITS}
        ).encode()
        lines = "".join(f'{{"step": {n}, "episode": 1, "loss/x": {n / 7}}}\n' for n in range(9))
        card = json.dumps(
            {
                "experiment": "x",
                "data_digest": "y",
                "data_title": "Y",
                "split": "test",
                "judge": {"digest": "z"},
                "count": 100,
                "held_out": 100,
                "samples": {"recall": {"value": 0.5}},
                "real": {"recall": {"value": 0.9}},
            }
        ).encode()

        def read_config():
            _ = Run("a").config  # a run reads its record once

        self.assert_read_or_refused("run.json", run.record_file, record, read_config)
        run.record_file.write_bytes(record)

        def read_lines():
            run.metrics()

        self.assert_read_or_refused("metrics", run.metrics_file, lines.encode(), read_lines)
        path = folder / "report.json"
        self.assert_read_or_refused("report", path, card, lambda: library.compare(["a", "a"]))

    def test_sweeps(self):
        path = self.folder / "sweep.toml"
        for name in ("reproduce", "weights"):
            content = (bundled_folder() / "sweeps" / f"{name}.toml").read_bytes()
            self.assert_read_or_refused(name, path, content, lambda: spec.read(path))


class Bombs(FolderTest):
    """A file with a wrong size in its header is refused before memory is allocated for it."""

    def assert_refused(self, read, message):
        memory = start_measuring()
        with self.assertRaisesRegex(UserError, message), time_limit(message):
            read()
        self.assertLess(growth_since(memory), BOMB // 2)

    def test_gzip(self):
        write_idx_set(self.folder / "own", 300, 60)
        path = self.folder / "own" / "train-images-idx3-ubyte.gz"
        header = idx_bytes(np.zeros((60, 28, 28), np.uint8))[:16]
        with gzip.open(path, "wb", 1) as file:
            file.write(header)  # states 60 images
            for _ in range(BOMB // 2**22):
                file.write(bytes(2**22))
        self.assert_refused(
            lambda: datasets.load("own", "own", log=print), "longer than its header says"
        )
        huge = header[:4] + (2**31 - 1).to_bytes(4, "big") + header[8:]
        path.write_bytes(gzip.compress(huge))
        self.assert_refused(lambda: datasets.load("own", "own", log=print), "truncated")
