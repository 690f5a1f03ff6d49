"""One contestant in a process of its own.

`python -m tests.bench.worker MODULE VARIANT BATCH_SIZE THREADS` reads a number of steps a line
from stdin, and answers each with a line of JSON: milliseconds a step, and the process' peak memory
so far. It ends with stdin.
"""

import importlib
import json
import os
import resource
import sys
import time

import numpy as np

from gan3.core.triple import Triple
from tests.bench.task import Contestant, Task, shapes


def main(module: str, variant: str, batch_size: str, threads: str) -> None:
    """Prepare, prove that it trains the three networks, and run on order."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints does not go between the answers
    task = Task(int(batch_size), int(threads))
    contestant = importlib.import_module(f"tests.bench.{module}").prepare(task, variant)
    began = time.perf_counter()
    check(contestant)
    print(json.dumps({"first_s": round(time.perf_counter() - began, 2)}), file=answers, flush=True)
    for line in sys.stdin:
        count, began = int(line), time.perf_counter()
        contestant.steps(count)
        ms = 1e3 * (time.perf_counter() - began) / count
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"ms": ms, "peak_mib": peak}), file=answers, flush=True)


def check(contestant: Contestant) -> None:
    """Two steps move every variable of all three networks, and each has the size it must have."""
    before = contestant.weights()
    contestant.steps(2)
    after = contestant.weights()
    for role, old, new in zip(Triple._fields, before, after, strict=True):
        wanted = sorted(int(np.prod(shape)) for shape in shapes(role))
        if sorted(w.size for w in new) != wanted:
            raise SystemExit(f"{role}: its variables are not those of the method")
        for a, b in zip(old, new, strict=True):
            if not np.isfinite(b).all() or np.array_equal(a, b):
                raise SystemExit(f"{role}: a variable of {a.shape} does not train")


if __name__ == "__main__":
    main(*sys.argv[1:])
