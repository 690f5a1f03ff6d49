"""`python -m bench`: times of the training step and its parts, and of what users wait for.

Each implementation runs in a process of its own. They take turns in an order that rotates from
round to round, so that other load on the machine affects all of them alike. Reported are medians
over the rounds; a ratio is the median of the ratios within each round, with the lowest and highest.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from gan3.core.files import make_folder, write_atomically, write_json

ROOT = Path(__file__).parent.parent
SESSION = "TF1 graph and Session"
# Parts whose results are the rows of a table
TABLES = ("kernels", "outside", "start", "sample", "page")


class Entry(NamedTuple):
    """A row of the table: a variant of the implementation in a module, and its settings."""

    name: str
    module: str
    variant: str = "float32"
    batch_size: int = 100
    threads: int = 2
    onednn: str = "1"


IMPLEMENTATIONS = (
    Entry("gan3 float32", "gan3_step"),
    Entry("gan3 bfloat16", "gan3_step", "bfloat16"),
    Entry(SESSION, "tf1_session"),
    Entry("TF1 graph and Session without oneDNN", "tf1_session", onednn="0"),
    Entry("Keras layers and Adam, tf.function", "keras_step"),
)
OPTIONAL_IMPLEMENTATIONS = {
    "torch": tuple(
        Entry(f"PyTorch {form} {precision}", "torch_step", f"{form} {precision}")
        for form in ("eager", "compiled")
        for precision in ("float32", "bfloat16")
    ),
    "jax": (Entry("JAX jit", "jax_step"),),
}
GROWTH = (
    *(Entry(f"batch {size}", "gan3_step", batch_size=size) for size in (100, 400, 1600)),
    Entry("batch 100, 1 thread", "gan3_step", threads=1),
)


class Contestant:
    """The process of one entry and its measurements."""

    def __init__(self, entry: Entry, seconds: float):
        self.entry, self.seconds = entry, seconds
        self.ms: list[float] = []
        self.peak_mib = 0.0
        command = [sys.executable, "-m", "bench.worker", entry.module, entry.variant]
        self._process = subprocess.Popen(
            [*command, str(entry.batch_size), str(entry.threads)],
            cwd=ROOT,
            env=os.environ
            | {"TF_ENABLE_ONEDNN_OPTS": entry.onednn, "TF_CPP_MIN_LOG_LEVEL": "3"}
            | {"OMP_NUM_THREADS": str(entry.threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.first_s = self._receive()["first_s"]
        self._expected_ms = self._train(1)["ms"]

    def turn(self) -> None:
        """Train as many steps as fit into `seconds`, at least one."""
        reply = self._train(max(1, round(1e3 * self.seconds / self._expected_ms)))
        self._expected_ms = reply["ms"]
        self.ms.append(reply["ms"])
        self.peak_mib = reply["peak_mib"]

    def end(self) -> None:
        """Close its stdin and wait until the process has ended."""
        self._process.stdin.close()
        self._process.wait()

    def _train(self, count: int) -> dict[str, float]:
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return self._receive()

    def _receive(self) -> dict[str, float]:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.entry.name}: ended with status {self._process.wait()}")
        return json.loads(line)


def measure(entries: tuple[Entry, ...], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Let the entries take turns, `rounds` times; return a record of each."""
    contestants = []
    for entry in entries:
        print(f"starting {entry.name}", file=sys.stderr)
        contestants.append(Contestant(entry, seconds))
    for number in range(rounds):
        shift = number % len(contestants)
        for contestant in contestants[shift:] + contestants[:shift]:
            contestant.turn()
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    for contestant in contestants:
        contestant.end()
    return [
        c.entry._asdict()
        | {
            "ms": c.ms,
            "median_ms": median(c.ms),
            "images_per_s": 1e3 * c.entry.batch_size / median(c.ms),
            "peak_mib": c.peak_mib,
            "first_s": c.first_s,
        }
        for c in contestants
    ]


def add_speedups(records: list[dict[str, Any]], base: str) -> None:
    """Add the `speedup` over the entry `base` to each record: median, lowest and highest."""
    (base_times,) = (record["ms"] for record in records if record["name"] == base)
    for record in records:
        values = [base_ms / ms for ms, base_ms in zip(record["ms"], base_times, strict=True)]
        record["speedup"] = [median(values), min(values), max(values)]


def run_part(part: str) -> Any:
    """The result of one of the parts in `bench.parts`, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.parts", part],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{part}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def main() -> None:
    """Measure the requested parts, print their tables and save them."""
    parts = ("step", "growth", "profile", *TABLES)
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each entry (default: 7)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a turn (default: 3)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=parts,
        default=parts,
        metavar="PART",
        help=f"{', '.join(parts)} (default: all of them)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("logs/bench"),
        metavar="DIR",
        help="folder for bench.json and bench.md (default: logs/bench)",
    )
    options = parser.parse_args()
    results: dict[str, Any] = run_part("machine")
    if "step" in options.only:
        installed = [name for name in OPTIONAL_IMPLEMENTATIONS if importlib.util.find_spec(name)]
        results["not_installed"] = [
            name for name in OPTIONAL_IMPLEMENTATIONS if name not in installed
        ]
        entries = (
            *IMPLEMENTATIONS,
            *(entry for name in installed for entry in OPTIONAL_IMPLEMENTATIONS[name]),
        )
        results["step"] = measure(entries, options.rounds, options.seconds)
        add_speedups(results["step"], SESSION)
    if "growth" in options.only:
        results["growth"] = measure(GROWTH, options.rounds, options.seconds)
    for part in ("profile", *TABLES):
        if part in options.only:
            print(f"measuring {part}", file=sys.stderr)
            results[part] = run_part(part)
    make_folder(options.out)
    write_json(options.out / "bench.json", results)
    text = "\n".join(markdown(results)) + "\n"
    write_atomically(options.out / "bench.md", text.encode())
    print(text)
    print(f"saved: {options.out}/bench.json, {options.out}/bench.md", file=sys.stderr)


def markdown(results: dict[str, Any]) -> list[str]:
    """The lines of a Markdown file with a table for each part of the results."""
    lines = [f"{results['machine']}, {results['processor']}; " + results["software"], ""]
    if "step" in results:
        lines += _table(
            ("step of 100 images, three updates", "ms", "lowest–highest", "images/s", "peak MiB")
            + (f"speedup over {SESSION}", "s to first steps"),
            [
                (
                    record["name"],
                    f"{record['median_ms']:.0f}",
                    f"{min(record['ms']):.0f}–{max(record['ms']):.0f}",
                    f"{record['images_per_s']:.0f}",
                    f"{record['peak_mib']:.0f}",
                    "{:.2f} ({:.2f}–{:.2f})".format(*record["speedup"]),
                    f"{record['first_s']:.1f}",
                )
                for record in results["step"]
            ],
        )
        if results["not_installed"]:
            lines += [f"Not installed, so not measured: {', '.join(results['not_installed'])}.", ""]
    if "growth" in results:
        lines += _table(
            ("gan3 float32", "ms per step", "images/s", "peak MiB"),
            [
                (
                    record["name"],
                    f"{record['median_ms']:.0f}",
                    f"{record['images_per_s']:.0f}",
                    f"{record['peak_mib']:.0f}",
                )
                for record in results["growth"]
            ],
        )
    if "profile" in results:
        profile = results["profile"]
        lines += _table(
            ("operation", "ms", "GFLOP", "GFLOP/s", "MB", "GB/s", "of the limit"),
            [tuple(row) for row in profile["rows"]],
        )
        lines += [profile["note"], ""]
    for part in TABLES:
        if part in results:
            lines += _table((f"{part}", ""), [tuple(row) for row in results[part]])
    return lines


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = "|".join(["---"] + ["---:"] * (len(head) - 1))
    return [f"| {' | '.join(head)} |", f"|{rule}|"] + [f"| {' | '.join(r)} |" for r in rows] + [""]


if __name__ == "__main__":
    main()
