"""Runs one implementation in a process of its own.

`python -m bench.worker MODULE VARIANT BATCH_SIZE THREADS` reads numbers of steps from stdin,
one on each line. For each it trains that many steps and writes a line of JSON to stdout:
milliseconds per step and the peak memory of the process so far. It ends when stdin is closed.
"""

import importlib
import json
import os
import resource
import sys
import time

import numpy as np

from bench.task import Implementation, Task, shapes_of
from gan3.core.triple import Triple


def main(module: str, variant: str, batch_size: str, threads: str) -> None:
    """Prepare the implementation, check it, and train as requested on stdin."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    task = Task(int(batch_size), int(threads))
    implementation = importlib.import_module(f"bench.{module}").prepare(task, variant)
    began = time.perf_counter()
    check(implementation)
    print(json.dumps({"first_s": round(time.perf_counter() - began, 2)}), file=replies, flush=True)
    for line in sys.stdin:
        count, began = int(line), time.perf_counter()
        implementation.train(count)
        ms = 1e3 * (time.perf_counter() - began) / count
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "peak_mib": peak_mib}), file=replies, flush=True)


def check(implementation: Implementation) -> None:
    """Exit unless two steps change every variable and the sizes are those of the three networks."""
    before = implementation.weights()
    implementation.train(2)
    after = implementation.weights()
    for role, old_weights, new_weights in zip(Triple._fields, before, after, strict=True):
        sizes = sorted(int(np.prod(shape)) for shape in shapes_of(role))
        if sorted(w.size for w in new_weights) != sizes:
            raise SystemExit(f"{role}: its variables are not those of three_network")
        for old, new in zip(old_weights, new_weights, strict=True):
            if not np.isfinite(new).all() or np.array_equal(old, new):
                raise SystemExit(f"{role}: a variable of shape {old.shape} is not trained")


if __name__ == "__main__":
    main(*sys.argv[1:])
