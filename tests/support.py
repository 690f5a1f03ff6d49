"""Shared by the test modules: small systems, small data sets on disk, runs of the command line."""

import contextlib
import gzip
import hashlib
import importlib.util
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

from gan3.cli.main import main
from gan3.core.classes import DIGITS
from gan3.core.triple import Triple
from gan3.data import strokes

ROOT = Path(__file__).parent.parent
RUN_SLOW = os.environ.get("GAN3_ALL") == "1"
MNIST = os.environ.get("GAN3_DATA")
if MNIST:  # tests change their working folder, and the processes that they start read the variable
    MNIST = os.environ["GAN3_DATA"] = str(Path(MNIST).absolute())


os.environ["GAN3_CACHE"] = "cache"  # in the working folder of each test, not the user's


def slow(reason):
    """Decorator: run the test or class only with GAN3_ALL=1, as `make test-all` does."""
    return unittest.skipUnless(RUN_SLOW, f"slow ({reason}): GAN3_ALL=1 or make test-all runs it")


def needs_mnist(test):
    """Decorator: skip the test or class unless GAN3_DATA names the folder of MNIST."""
    return unittest.skipUnless(MNIST, "needs MNIST: GAN3_DATA is not set")(test)


def has(*packages):
    """Whether all packages are installed, without importing them."""
    return all(importlib.util.find_spec(package) for package in packages)


def needs(*packages, remedy="make setup-dev"):
    """Decorator: skip the test or class unless the packages are installed."""
    return unittest.skipUnless(has(*packages), f"needs {' and '.join(packages)}: {remedy}")


def small_system(seed=3, dtype="float32", class_names=DIGITS, **changes):
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
    return ThreeNetworks(config, class_names, dtype)


def drawing(system, name="three_network"):
    """The generator of a system of the experiment `name`, with its weights as they are."""
    from gan3.runs.registry import config_of
    from gan3.runs.trained import generator_now

    return generator_now(getattr(system, "_config", None) or config_of(name), system)


def in_graph(function):
    """What `function()` returns inside a graph, where tf.gradients works."""
    import tensorflow as tf

    return tf.function(function, autograph=False)()


def class_probabilities(system, images):
    """What the determinator or the class head reads from images [B, 28, 28, 1] in 0..1: [B, K]."""
    import tensorflow as tf

    if hasattr(system, "networks"):
        return tf.nn.softmax(system.networks.determinator(images)).numpy()
    return tf.nn.softmax(system.discriminator.heads(2 * images - 1, None)[1]).numpy()


def state_of(system):
    """The values of a system's variables, by name."""
    return {name: variable.numpy() for name, variable in system.state.items()}


def restore(system, state):
    """Set all variables, so that one traced step serves several cases."""
    for name, variable in system.state.items():
        variable.assign(state[name])


def changed(before, after):
    """The names of the variables that changed."""
    return {name for name in before if not np.array_equal(before[name], after[name])}


def seven():
    """A seven of sharp strokes, ink 255, uint8 [28, 28], centred as MNIST's digits are."""
    digit = np.zeros((28, 28), np.uint8)
    digit[4:7, 6:22] = 255
    for row in range(7, 24):
        middle = 21 - (row - 7) // 2
        digit[row, middle - 2 : middle + 1] = 255
    return digit


def batch_of(count, seed=0):
    """Images of strokes, float32 [count, 28, 28, 1] in 0..1, and their labels, int32 [count]."""
    import tensorflow as tf

    images, labels, _, _ = strokes.make(count * (seed + 1), 10)
    images, labels = images[-count:], labels[-count:]
    return tf.constant(images[..., None] / np.float32(255)), tf.constant(labels.astype(np.int32))


def idx_bytes(array):
    """A uint8 array in the IDX format of MNIST."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_idx_set(folder, train=300, test=60):
    """Write a small set of strokes as four gzipped IDX files and return its arrays."""
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


def keep_judge(folder="own", path=None):
    """Write a judge for a small set of strokes: the bundled one of all strokes, as if it were its.

    It goes into the cache, or to `path`. Training one as good would take minutes.
    """
    from gan3.data.datasets import load
    from gan3.evaluation import judge

    dataset = load("own", str(folder), log=lambda line: None)
    weights = dict(np.load(judge.BUNDLED_STROKES))
    origin = judge.Origin(dataset.training_digest, dataset.class_names)
    for entry in ("training_digest", "class_names"):
        del weights[entry]
    if path is None:
        path = judge.cached_file(dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    judge.save(path, weights, origin)


def enter_folder(add_cleanup):
    """Make a temporary folder the working folder until `add_cleanup` undoes it; its path.

    add_cleanup: `addCleanup` of a test, or `addClassCleanup` of a class.
    """
    folder = Path(tempfile.mkdtemp(prefix="gan3 test "))
    add_cleanup(shutil.rmtree, folder)
    add_cleanup(os.chdir, Path.cwd())
    os.chdir(folder)
    return folder


class FolderTest(unittest.TestCase):
    """A test with a temporary folder of its own as the working folder."""

    def setUp(self):
        self.folder = enter_folder(self.addCleanup)


def lines_of(run, timed=False):
    """The lines of metrics.jsonl, without their times unless `timed`."""
    lines = [
        json.loads(line) for line in Path(f"logs/{run}/metrics.jsonl").read_text().splitlines()
    ]
    return lines if timed else [{k: v for k, v in e.items() if k != "ms_per_step"} for e in lines]


def weights_of(run):
    """Digests of all weights and optimizer slots in a run's newest checkpoint, by name."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(f"logs/{run}/checkpoints")
    return {
        key: hashlib.sha256(reader.get_tensor(key).tobytes()).hexdigest()
        for key in reader.get_variable_to_shape_map()
        if "VARIABLE_VALUE" in key
    }


def step_of(run):
    """The step of a run's newest checkpoint, -1 if it has none."""
    files = Path(f"logs/{run}/checkpoints").glob("step-*.index")
    return max((int(file.stem.rpartition("-")[2]) for file in files), default=-1)


def resident_bytes():
    """The memory of this process; skips the test where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError as error:
        raise unittest.SkipTest("needs /proc/self/statm") from error
    return int(pages) * resource.getpagesize()


def points_of(run):
    """Tag and step of every scalar and image in a run's event files."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return sorted(
        (value.tag, event.step)
        for path in Path(f"logs/{run}").glob("events.*")
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    )


def call(*arguments):
    """Run the command line in this process; return exit status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
    return status, out.getvalue(), err.getvalue()


def start(*arguments, cwd, **environment):
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gan3", *(str(argument) for argument in arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def images_on(figure):
    """The images on a grid that are not all white, in reading order: (box, pixels) of each.

    The box is (left, bottom, right, top) in pixels of the figure; gaps of white lie between them.
    """
    (sheet,) = (image.get_array() for image in figure.axes[0].images)
    dark = (sheet < 255).any(axis=2)
    rows, columns = (_intervals(dark.any(axis=axis)) for axis in (1, 0))
    return [
        ((left, len(sheet) - bottom, right, len(sheet) - top), sheet[top:bottom, left:right])
        for top, bottom in rows
        for left, right in columns
        if dark[top:bottom, left:right].any()
    ]


def _intervals(flags):
    """The (start, end) of each run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return edges.reshape(-1, 2).tolist()
