"""Other measurements of gan3: `python -m bench.parts PART` prints the result as JSON."""

import contextlib
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

BATCH = 100


def _median_seconds(call: Callable[[], Any], rounds: int = 9) -> float:
    """The median duration of `rounds` calls, after two that do not count."""
    times = []
    for _ in range(rounds + 2):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times[2:])


def machine() -> dict[str, str]:
    """Machine, processor and software versions."""
    _quietly_import()
    from gan3.core import provenance

    description = provenance.description()
    versions = {"Python": platform.python_version()}
    for name in ("tensorflow", "torch", "jax"):
        with contextlib.suppress(ImportError):
            versions[name] = __import__(name).__version__
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.exists() else []
    units = [unit for unit in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if unit in flags]
    return {
        "machine": description["machine"],
        "processor": " ".join(units) or platform.processor() or "unknown processor",
        "software": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _quietly_import() -> None:
    from gan3.core.startup import import_tensorflow

    import_tensorflow()


def _traced(dtype: str) -> tuple[Any, Any, Any]:
    """The traced step of three_network in "float32" or "bfloat16", indices of a batch, a seed."""
    import tensorflow as tf

    from bench.task import random_data
    from gan3.core.classes import DIGITS
    from gan3.runs.registry import build, config_of
    from gan3.training.loop import trace

    system = build(config_of("three_network"), DIGITS, dtype)
    step, _, _ = trace(system, *random_data(BATCH), BATCH)
    return step, tf.range(BATCH), tf.constant([0, 1])


_KINDS = {
    "Conv2DBackpropFilter": "convolution, gradient of the kernel",
    "Conv2DBackpropInput": "convolution, gradient of its input",
    "Conv2D": "convolution",
    "MatMul": "matrix product",
    "MaxPoolGrad": "max-pool, gradient",
    "MaxPool": "max-pool",
    "ApplyAdam": "Adam",
    "Elu": "ELU and its gradient",
    "Random": "random numbers",
    "Sign": "L1, gradient",
    "Bias": "biases and their gradients",
}
"""The name in the table, by a part of the op's type. The first match counts."""


def _kind(op: str) -> str:
    return next((kind for part, kind in _KINDS.items() if part in op), "other")


def profile() -> dict[str, Any]:
    """The time of each kind of op in a step, compared with the limits of the machine.

    In the precision that `auto` chooses on this machine.

    TensorFlow's profiler measures the times while one op runs at a time, so that each op has all
    cores. FLOPs and bytes follow from the shapes in the graph. Two limits are measured first:
    FLOP/s in a product of 2048 x 2048 matrices, and bytes/s in a pass over an array larger than
    the caches.
    """
    _quietly_import()
    import tensorflow as tf

    from gan3.training.precision import resolve_precision

    dtype = resolve_precision("auto")
    tf.config.threading.set_inter_op_parallelism_threads(1)
    step, indices, seed = _traced(dtype)
    step_seconds = _median_seconds(lambda: step(indices, seed))
    square = tf.cast(tf.random.normal([2048, 2048]), dtype)
    long = tf.random.normal([2**26])
    flops_limit = 2 * 2048**3 / _median_seconds(tf.function(lambda: tf.matmul(square, square)))
    bytes_limit = 2 * 4 * 2**26 / _median_seconds(tf.function(lambda: long * 2.0))
    kinds = {kind: [0.0, 0, 0] for kind in (*_KINDS.values(), "other")}  # ms, FLOP, bytes
    for node in _nodes(step.get_concrete_function().graph):
        row = kinds[_kind(node.type)]
        row[1] += _flops(node)
        row[2] += _bytes(node)
    rounds = 5
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(rounds):
            step(indices, seed)
        tf.profiler.experimental.stop()
        for op, ms in _events(Path(folder)):
            kinds[_kind(op)][0] += ms / rounds
    rows = []
    for kind, (ms, flops, size) in sorted(kinds.items(), key=lambda item: -item[1][0]):
        least = 1e3 * max(flops / flops_limit, size / bytes_limit)
        of_flops = (f"{flops / 1e9:.1f}", f"{flops / ms / 1e6:.0f}") if flops else ("", "")
        of_bytes = (f"{size / 1e6:.0f}", f"{size / ms / 1e6:.1f}")
        rows.append((kind, f"{ms:.1f}", *of_flops, *of_bytes, f"{least / ms:.0%}"))
    flops = sum(row[1] for row in kinds.values())
    note = (
        f"In {dtype}. With one op at a time, a step takes {1e3 * step_seconds:.0f} ms. At the"
        f" {flops_limit / 1e9:.0f} GFLOP/s of a large matrix product, its {flops / 1e9:.1f} GFLOP"
        f" would take {1e3 * flops / flops_limit:.0f} ms,"
        f" {flops / flops_limit / step_seconds:.0%} of that. Memory bandwidth:"
        f" {bytes_limit / 1e9:.0f} GB/s. The limit of a row is the time for its FLOPs or for its"
        " bytes, whichever is longer, with each tensor counted once per op. Caches and fused ops"
        " can exceed it."
    )
    return {"rows": rows, "note": note}


def _nodes(graph: Any) -> set[Any]:
    """The ops that run. TensorFlow prunes ops on which no update depends."""
    found, waiting = set(), list(graph.control_outputs)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [tensor.op for tensor in node.inputs] + list(node.control_inputs)
    return found


def _flops(node: Any) -> int:
    """Multiplications and additions of a matrix product or a convolution, 0 for other ops."""
    if node.type == "MatMul":
        rows, inner = node.inputs[0].shape[:: -1 if node.get_attr("transpose_a") else 1]
        return 2 * rows * inner * node.outputs[0].shape[-1]
    if node.type == "Conv2D":
        spatial, kernel = node.outputs[0].shape[:3], node.inputs[1].shape
    elif node.type == "Conv2DBackpropInput":
        spatial, kernel = node.inputs[2].shape[:3], node.inputs[1].shape
    elif node.type == "Conv2DBackpropFilter":
        spatial, kernel = node.inputs[2].shape[:3], node.outputs[0].shape
    else:
        return 0
    return 2 * spatial.num_elements() * kernel.num_elements()


def _bytes(node: Any) -> int:
    """Bytes that an op reads and writes, each tensor counted once."""
    sizes = [
        (t.shape.num_elements() or 0) * t.dtype.size if t.shape.rank is not None else 0
        for t in (*node.inputs, *node.outputs)
    ]
    if node.type == "ResourceApplyAdam":  # reads gradient, weight and two moments, writes three
        return 7 * max(sizes)
    return sum(sizes)


def _events(folder: Path) -> Iterator[tuple[str, float]]:
    """Type and milliseconds of each op in the profile."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    (file,) = folder.rglob("*.xplane.pb")
    for plane in xplane_pb2.XSpace.FromString(file.read_bytes()).planes:
        for line in plane.lines:
            for event in line.events:
                name, _, op = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if name and op.isidentifier() and not name.endswith(":") and " " not in name:
                    yield op, event.duration_ps / 1e9


def kernels() -> list[tuple[str, str]]:
    """Which of oneDNN's implementations the step calls, and how often, in each precision."""
    rows = []
    for dtype in ("float32", "bfloat16"):
        code = f"from bench import parts; parts.run_step({dtype!r})"
        result = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"ONEDNN_VERBOSE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [line for line in result.stdout.splitlines() if ",exec,cpu," in line]
        calls = [line.split(",")[5:7] for line in lines]
        for (kind, name), count in Counter(map(tuple, calls)).most_common():
            rows.append((f"{dtype}, {kind}", f"{count} x {name or 'unnamed'}"))
    return rows


def run_step(dtype: str) -> None:
    """One step; with ONEDNN_VERBOSE=1 oneDNN prints what it computes."""
    _quietly_import()
    step, indices, seed = _traced(dtype)
    step(indices, seed)


def outside() -> list[tuple[str, str]]:
    """The cost of a step outside its graph: Python code and the call into TensorFlow."""
    _quietly_import()
    import tensorflow as tf

    from gan3.core.seeds import STEPS, seed_of
    from gan3.data.batches import Batches

    batches, count = Batches(60_000, BATCH, 0), 600
    empty = tf.function(
        lambda indices, seed: None,
        input_signature=[tf.TensorSpec([BATCH], tf.int32), tf.TensorSpec([2], tf.int32)],
        autograph=False,
    )

    def prepare():
        for step in range(1, count + 1):
            tf.constant(batches(step)), tf.constant(seed_of(0, STEPS, step))

    indices, seed = tf.constant(batches(1)), tf.constant(seed_of(0, STEPS, 1))
    python = _median_seconds(prepare) / count
    call = _median_seconds(lambda: [empty(indices, seed) for _ in range(count)]) / count
    return [
        ("indices and seed of a step, shuffling included", f"{1e6 * python:.0f} µs"),
        ("call of an empty graph", f"{1e6 * call:.0f} µs"),
    ]


def start() -> list[tuple[str, str]]:
    """Seconds of each phase from the command to the end of the second step."""
    phases, last = [], time.perf_counter()

    def end_phase(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        phases.append((name, f"{now - last:.2f} s"))
        last = now

    _quietly_import()
    import tensorflow as tf

    end_phase("import TensorFlow")
    from gan3.core.classes import DIGITS
    from gan3.data.datasets import load
    from gan3.runs.registry import build, config_of
    from gan3.training import loop

    end_phase("import gan3")
    config = config_of("three_network")
    dataset = load("auto", None, "test", lambda line: None)
    end_phase(f"read {dataset.title} and check its digest")
    system = build(config, DIGITS, "float32")
    step, _, _ = loop.trace(system, dataset.images, dataset.labels, BATCH)
    end_phase("create variables and copy the data")
    step.get_concrete_function()
    end_phase("trace the step")
    step(tf.range(BATCH), tf.constant([0, 1]))
    end_phase("first step, graph optimisation included")
    step(tf.range(BATCH), tf.constant([0, 2]))
    end_phase("second step")
    command = [sys.executable, "-m", "gan3", "--help"]
    seconds = _median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), 5)
    return [*phases, ("`--help`", f"{seconds:.2f} s")]


def sample() -> list[tuple[str, str]]:
    """`gan3 sample` of 100,000 and of 1,000,000 digits: images/s, peak memory and file size."""
    from gan3.cli.main import main

    _quietly_import()
    rows = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        silence = contextlib.redirect_stdout(io.StringIO())
        tiny = ("--episodes", "1", "--batches", "1", "--dataset", "strokes", "--run", "one")
        with silence, contextlib.redirect_stderr(io.StringIO()):
            main(["train", *tiny])
        for count in (100_000, 1_000_000):
            began = time.perf_counter()
            with silence:
                main(["sample", "--run", "one", "--count", str(count), "--out", "digits.npz"])
            rate = count / (time.perf_counter() - began)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            size = Path("digits.npz").stat().st_size / 2**20
            rows.append(
                (f"{count:,}", f"{rate:.0f} images/s, peak {peak} MiB, file {size:.0f} MiB")
            )
    return rows


def page() -> list[tuple[str, str]]:
    """The web page of `best` in Chromium: its size, and how long it takes to show a new stroke."""
    from gan3.cli.main import main
    from tests.browser import BROWSER, Browser, write_on_pad

    if BROWSER is None:
        return [("Chromium", "not installed, so not measured")]
    timed_reading = (
        "{ const start = performance.now(); read(pad.levels()); return performance.now() - start; }"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "best.html")
        with contextlib.redirect_stdout(io.StringIO()):
            main(["export-page", "--pretrained", "best", "--out", str(path)])
        size = path.stat().st_size / 1e6
        browser = Browser()
        try:
            browser.open(path)
            write_on_pad(browser, [(60, 60), (200, 60), (90, 240)])  # a 7
            times = browser.run(f"Array.from({{length: 60}}, () => {timed_reading})")
        finally:
            browser.close()
    spread = f"median {median(times):.0f} ms, {min(times):.0f}–{max(times):.0f}"
    return [("size of the file", f"{size:.1f} MB"), ("reading and drawing a stroke", spread)]


if __name__ == "__main__":
    parts = (machine, profile, kernels, outside, start, sample, page)
    part = {function.__name__: function for function in parts}[sys.argv[1]]
    print(json.dumps(part()))
