"""The suite, module by module in as many processes as there are cores.

`python -m tests.parallel`, or with names of modules after it (`test_run test_report`). Half of the
suite's time is TensorFlow being imported by the runs that it starts, on one core each; side by side
they take less time than `python -m unittest discover -s tests -t .`, which runs the same tests.
Closes with the lines that unittest closes with.
"""

import io
import multiprocessing
import os
import sys
import time
import unittest
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

LONGEST = ("training.test_reliability", "training.test_loop", "evaluation.test_report_card") + (
    *("method.test_train_step", "vae_gan.test_train_step", "sweeps.test_executors"),
    *("sweeps.test_sweep", "training.test_distributed", "baselines.test_train_step"),
)
"""Modules that are begun first: they start many runs, and the others fit in beside them."""


class Result(NamedTuple):
    """What became of a module's tests."""

    text: str
    ran: int
    failed: int
    skipped: int


def run(module: str) -> Result:
    """The tests of one module, in one of the processes."""
    stream = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    found = unittest.TextTestRunner(stream).run(suite)
    failed = len(found.failures) + len(found.errors) + len(found.unexpectedSuccesses)
    return Result(stream.getvalue(), found.testsRun, failed, len(found.skipped))


def main(modules: list[str]) -> int:
    """Run and print them; the exit status."""
    folder = Path(__file__).parent
    found = (path.relative_to(folder.parent).with_suffix("") for path in folder.rglob("test_*.py"))
    found = (".".join(path.parts) for path in found)
    modules = [m if m.startswith("tests.") else f"tests.{m}" for m in modules] or sorted(
        found, key=lambda name: (name.removeprefix("tests.") not in LONGEST, name)
    )
    began, results = time.monotonic(), []
    # A process takes one module after another: each new one would import TensorFlow again.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(run, module): module for module in modules}
        for future in as_completed(waiting):
            module = waiting[future]
            try:
                result = future.result()
            except Exception as error:  # the process died: that is a failure, too
                result = Result(f"{module}: {error!r}\n", 0, 1, 0)
            results.append(result)
            print(f"-- {module}, {time.monotonic() - began:.0f} s\n{result.text}", flush=True)
    ran, failed, skipped = (sum(getattr(r, key) for r in results) for key in Result._fields[1:])
    print(f"Ran {ran} tests in {time.monotonic() - began:.0f}s\n")
    notes = [f"failures={failed}"] * bool(failed) + [f"skipped={skipped}"] * bool(skipped)
    print(("FAILED" if failed else "OK") + (f" ({', '.join(notes)})" if notes else ""))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
