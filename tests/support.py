"""What several test modules need: small systems, small data sets on disk, the command line."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

from gan3.cli.main import main
from gan3.core.triple import Triple
from gan3.data import strokes

ROOT = Path(__file__).parent.parent
LONG = os.environ.get("GAN3_LONG") == "1"  # minutes of waiting are welcome
MNIST = os.environ.get("GAN3_DATA")
if MNIST:  # tests change the folder they run in, and what they start reads the variable
    MNIST = os.environ["GAN3_DATA"] = str(Path(MNIST).absolute())


def needs_mnist(test):
    """Skip, and say so, where GAN3_DATA does not name MNIST's folder."""
    return unittest.skipUnless(MNIST, "GAN3_DATA is not set: not run on real MNIST")(test)


def small_system(seed=3, dtype="float32", **changes):
    """The three networks with dropout and L1 in each; `changes` replace fields of the config."""
    from gan3.method.config import ThreeNetworkConfig
    from gan3.method.three_networks import ThreeNetworks

    fields = {
        "noise_draw": "example",
        "initializer": "glorot",
        "activation": Triple("elu", "leaky_relu", "relu"),
        "keep_prob": Triple(0.8, 0.5, 0.6),
        "l1_weight": Triple(1e-5, 2e-5, 3e-5),
        "learning_rate": Triple(1e-3, 2e-3, 3e-3),
        "beta1": Triple(0.5, 0.6, 0.9),
        "digit_loss": "softmax_mean",
        "digit_weight": 1.0,
    }
    config = ThreeNetworkConfig(experiment="three_network", seed=seed, **(fields | changes))
    return ThreeNetworks(config, dtype)


def batch_of(count, seed=0):
    """Real-looking images [count, 28, 28, 1] in 0..1 and their labels [count]."""
    import tensorflow as tf

    images, labels, _, _ = strokes.make(count * (seed + 1), 10)
    images, labels = images[-count:], labels[-count:]
    return tf.constant(images[..., None] / np.float32(255)), tf.constant(labels.astype(np.int32))


def idx_bytes(array):
    """An array of unsigned bytes in LeCun's IDX format."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_idx_set(folder, train=300, test=60):
    """A small set of strokes as four gzipped IDX files; answers the arrays."""
    arrays = strokes.make(train, test)
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )
    for name, array in zip(names, arrays, strict=True):
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array), mtime=0))
    return arrays


class FolderTest(unittest.TestCase):
    """A test with a temporary folder of its own, which is the current one while it runs."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gan3 test "))
        self.addCleanup(shutil.rmtree, self.folder)
        before = Path.cwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)


def lines_of(run, timed=False):
    """metrics.jsonl, without times unless they are asked for."""
    lines = [
        json.loads(line) for line in Path(f"logs/{run}/metrics.jsonl").read_text().splitlines()
    ]
    return lines if timed else [{k: v for k, v in e.items() if k != "ms_per_step"} for e in lines]


def weights_of(run):
    """The digest of every weight and optimizer slot in a run's newest checkpoint."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(f"logs/{run}/checkpoints")
    return {
        key: hashlib.sha256(reader.get_tensor(key).tobytes()).hexdigest()
        for key in reader.get_variable_to_shape_map()
        if "VARIABLE_VALUE" in key
    }


def step_of(run):
    """Of the newest checkpoint; -1 where there is none."""
    import tensorflow as tf

    newest = tf.train.latest_checkpoint(f"logs/{run}/checkpoints")
    return int(newest.rpartition("-")[2]) if newest else -1


def points_of(run):
    """Every scalar and picture in a run's event files, by tag and step."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return sorted(
        (value.tag, event.step)
        for path in Path(f"logs/{run}").glob("events.*")
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    )


def call(*arguments):
    """The command line in this process: (exit status, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def start(*arguments, cwd, **environment):
    """The command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gan3", *(str(argument) for argument in arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
