"""Runs the test suite in as many processes as the machine has cores.

`make test` runs the quick tier, `make test-all` sets GAN3_ALL=1 and runs the slow tests, too.
`python -m tests.parallel plots.test_grids` runs one module, or one class or test in it, and
`python -m tests.parallel plots` all modules of a folder. The same tests run one after another with
`python -m unittest discover -s tests -t .`. The output ends with unittest's closing lines.
"""

import argparse
import faulthandler
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

SECONDS = {
    "training.test_reliability": 600,
    "test_odd_runs": 330,
    "test_course": 290,
    "training.test_loop": 220,
    "test_wheel": 135,
    "evaluation.test_report_card": 120,
    "test_concurrency": 105,
    "demo.test_web_page_ui": 100,
    "evaluation.test_judge": 80,
    "sweeps.test_sweep": 80,
    "api.test_run": 75,
    "cli.test_machines": 70,
    "data.test_download": 65,
    "api.test_docs": 57,
    "test_makefile": 56,
    "method.test_train_step": 50,
    "sweeps.test_executors": 50,
    "vae_gan.test_train_step": 45,
    "test_bench": 40,
    "test_fuzz": 35,
    "vae_gan.test_vae_gan": 20,
    "baselines.test_train_step": 20,
    "baselines.test_pytorch": 20,
    "cli.test_properties": 20,
    "cli.test_commands": 15,
    "export.test_formats": 15,
    "demo.test_web_page_networks": 12,
    "method.test_reference": 12,
    "data.test_datasets": 10,
}
"""Approximate durations with the slow tests. The longest modules start first and the shortest last,
so that all processes finish at about the same time."""

UNKNOWN_SECONDS = 5  # assumed of modules that are not listed

TIME_LIMIT = 1800.0
"""Seconds for one module before its process is killed and the module counts as failed. The report
shows where its threads were."""

GRACE = 6.0  # seconds more, in which the process starts and shows where its threads are

SLOWEST = 10


class Result(NamedTuple):
    """The outcome of one module. A test with several failed subtests counts once."""

    ran: int
    failures: int
    errors: int
    skipped: int
    seconds: float
    processor_seconds: float = 0.0  # of the process and of those that it started
    report: str = ""  # the tracebacks
    skip_reasons: tuple[str, ...] = ()
    durations: tuple[tuple[float, str], ...] = ()


class _TimedResult(unittest.TextTestResult):
    """Measures each test. Class and module set-up is measured as an entry of its own."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.durations: list[tuple[float, str]] = []
        self.started: set[str] = set()
        self._last_event = time.monotonic()

    def startTest(self, test):
        self._measure(f"set-up of {test.id().rpartition('.')[0]}")
        self.started.add(test.id())
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self._measure(test.id())

    def _measure(self, name: str) -> None:
        now = time.monotonic()
        if now - self._last_event >= 0.05:
            self.durations.append((now - self._last_event, name))
        self._last_event = now


def run_module(name: str) -> Result:
    """Run the tests of one module, class or method in this process."""
    began, processor_began = time.monotonic(), _processor_seconds()
    try:
        suite = unittest.defaultTestLoader.loadTestsFromName(name)
    except unittest.SkipTest as skip:  # raised at import: the module lacks a package
        return Result(1, 0, 0, 1, time.monotonic() - began, skip_reasons=(str(skip),))
    with open(os.devnull, "w") as stream:
        runner = unittest.TextTestRunner(stream, verbosity=0, resultclass=_TimedResult)
        result = runner.run(suite)
    failures = {_test_id(test) for test, _ in result.failures}
    failures |= {test.id() for test in result.unexpectedSuccesses}
    errors = {_test_id(test) for test, _ in result.errors} - failures
    skipped = {_test_id(test) for test, _ in result.skipped} - failures - errors
    problems = [("FAIL", *problem) for problem in result.failures]
    problems += [("ERROR", *problem) for problem in result.errors]
    report = "".join(f"\n{kind}: {test}\n{trace}" for kind, test, trace in problems)
    report += "".join(f"\nUNEXPECTED SUCCESS: {test}\n" for test in result.unexpectedSuccesses)
    return Result(
        ran=len(result.started | failures | errors | skipped),
        failures=len(failures),
        errors=len(errors),
        skipped=len(skipped),
        seconds=time.monotonic() - began,
        processor_seconds=_processor_seconds() - processor_began,
        report=report,
        skip_reasons=tuple(reason for _, reason in result.skipped),
        durations=tuple(sorted(result.durations, reverse=True)[:SLOWEST]),
    )


def _processor_seconds() -> float:
    """Seconds of processor time of this process and of the ended processes that it started."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _test_id(test: unittest.TestCase) -> str:
    """The id of a test, or of the test that a subtest belongs to."""
    return getattr(test, "test_case", test).id()


def find_modules(package: str = "") -> list[str]:
    """All test modules, or those of a package, in the order in which they should start."""
    root = Path(__file__).parent
    found = root.joinpath(*package.split(".")).rglob("test_*.py")
    paths = (path.relative_to(root).with_suffix("") for path in found)
    names = sorted(".".join(path.parts) for path in paths)
    return sorted(names, key=lambda name: -SECONDS.get(name, UNKNOWN_SECONDS))


def _worker(connection: Connection, log: str, limit: float) -> None:
    """Run modules by name until the parent process closes the connection."""
    with open(log, "w") as file:  # native libraries write lines that no setting turns off
        os.dup2(file.fileno(), 2)
    while True:
        try:
            name = connection.recv()
        except EOFError:
            return
        faulthandler.dump_traceback_later(limit)  # on descriptor 2, which is the log
        result = run_module(name)
        faulthandler.cancel_dump_traceback_later()
        connection.send(result)


def _serve(
    waiting: "SimpleQueue[str | None]",
    results: "SimpleQueue[tuple[str, Result]]",
    limit: float,
) -> None:
    """Run the waiting modules in a worker process; a worker that dies is replaced."""
    context = multiprocessing.get_context("spawn")
    process = connection = None
    log = tempfile.NamedTemporaryFile("r", prefix="gan3-tests-", errors="replace")  # noqa: SIM115
    # A worker runs many modules: each new process would have to import TensorFlow again.
    for name in iter(waiting.get, None):
        if process is None:
            connection, child = context.Pipe()
            process = context.Process(target=_worker, args=(child, log.name, limit))
            process.start()
            child.close()
        began = time.monotonic()
        try:
            connection.send(name)
            if not connection.poll(limit + GRACE):
                process.kill()
            result = connection.recv()
        except (EOFError, OSError):
            process.join()
            connection.close()
            seconds = time.monotonic() - began
            log.seek(0)
            report = f"\nERROR: {name}: its process ended with status {process.exitcode}"
            report += f" after {seconds:.0f} s\n{log.read()[-5000:]}\n"
            result = Result(1, 0, 1, 0, seconds, report=report)
            process = None
        results.put((name, result))
    if process is not None:
        connection.close()
        process.join()
    log.close()


def run_all(names: list[str], jobs: int, limit: float = TIME_LIMIT) -> list[Result]:
    """Run the modules in `jobs` processes, each at most `limit` seconds, and print each result.

    A line has the duration of a module and the processor time that it took.
    """
    waiting, results = SimpleQueue(), SimpleQueue()
    for name in [*names, *[None] * jobs]:
        waiting.put(name)
    for _ in range(jobs):
        threading.Thread(target=_serve, args=(waiting, results, limit), daemon=True).start()
    finished = []
    for _ in names:
        try:
            name, result = results.get()
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.kill()
            os._exit(130)  # without waiting for the threads, which would start new workers
        status = "FAILED" if result.failures or result.errors else "ok"
        times = f"{result.seconds:6.1f} s {result.processor_seconds:6.1f} s"
        print(f"{status:6} {result.ran:4} tests {times}  {name}{result.report}")
        sys.stdout.flush()
        finished.append(result)
    return finished


def main(arguments: list[str] | None = None) -> int:
    """Run the suite or the given modules and return the exit status."""
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(prog="python -m tests.parallel", description=__doc__)
    parser.add_argument("names", nargs="*", help="modules, classes or tests (default: all modules)")
    parser.add_argument("--jobs", type=int, default=cores, help=f"processes (default: {cores})")
    parser.add_argument(
        "--limit", type=float, default=TIME_LIMIT, help=f"seconds for a module ({TIME_LIMIT:.0f})"
    )
    options = parser.parse_args(arguments)
    given = [name.removeprefix("tests.") for name in options.names]
    names = [module for name in given for module in find_modules(name) or [name]]
    names = [f"tests.{name}" for name in names or find_modules()]
    jobs = max(1, min(options.jobs, len(names)))
    # Workers that each start a thread per core slow each other down.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(variable, str(max(1, cores // jobs)))
    began = time.monotonic()
    results = run_all(names, jobs, options.limit)
    seconds = time.monotonic() - began
    return print_summary(results, seconds)


def print_summary(results: list[Result], seconds: float) -> int:
    """Print the slowest tests and unittest's closing lines; return the exit status."""
    slowest = sorted((entry for result in results for entry in result.durations), reverse=True)
    print(f"\nThe {SLOWEST} slowest tests:")
    for duration, name in slowest[:SLOWEST]:
        print(f"{duration:7.1f} s  {name.removeprefix('tests.')}")
    reasons = Counter(reason for result in results for reason in result.skip_reasons)
    for reason, count in reasons.most_common():
        print(f"skipped {count} x {reason}")
    ran, failures, errors, skipped = (
        sum(getattr(result, key) for result in results)
        for key in ("ran", "failures", "errors", "skipped")
    )
    print(f"\nRan {ran} tests in {seconds:.3f}s\n")
    counts = {"failures": failures, "errors": errors, "skipped": skipped}
    notes = ", ".join(f"{key}={count}" for key, count in counts.items() if count)
    status = "FAILED" if failures or errors else "OK" if ran else "NO TESTS RAN"
    print(f"{status} ({notes})" if notes else status)
    return int(status != "OK")


if __name__ == "__main__":
    sys.exit(main())
