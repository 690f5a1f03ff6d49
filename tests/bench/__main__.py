"""`python -m tests.bench`: the step beside its peers, its growth, its parts, and the start.

Contestants live in processes of their own and take turns, in an order that rotates, so that what
else the machine does meets all of them alike. Medians of the rounds; a ratio is the median of the
ratios within a round, with the lowest and the highest beside it.
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

ROOT = Path(__file__).parent.parent.parent
SESSION = "TF1 graph and Session"


class Entry(NamedTuple):
    """A line of the table: who, as which module's variant, at which size."""

    name: str
    module: str
    variant: str = "float32"
    batch_size: int = 100
    threads: int = 2
    onednn: str = "1"


PEERS = (
    Entry("gan3 float32", "gan3_step"),
    Entry("gan3 bfloat16", "gan3_step", "bfloat16"),
    Entry(SESSION, "tf1_session"),
    Entry("the same, TensorFlow's own kernels", "tf1_session", onednn="0"),
    Entry("Keras layers and Adam, tf.function", "keras_step"),
)
OPTIONAL = {
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


class Turns:
    """A contestant's process and what it measured."""

    def __init__(self, entry: Entry, seconds: float):
        self.entry, self.seconds = entry, seconds
        self.ms: list[float] = []
        self.peak_mib = 0.0
        command = [sys.executable, "-m", "tests.bench.worker", entry.module, entry.variant]
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
        self.first_s = self._answer()["first_s"]
        self._probe = self._ask(1)["ms"]

    def turn(self) -> None:
        """As many steps as fit into `seconds`, at least one."""
        answer = self._ask(max(1, round(1e3 * self.seconds / self._probe)))
        self._probe = answer["ms"]
        self.ms.append(answer["ms"])
        self.peak_mib = answer["peak_mib"]

    def end(self) -> None:
        """The process ends with its orders."""
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, count: int) -> dict[str, float]:
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.entry.name}: ended with status {self._process.wait()}")
        return json.loads(line)


def race(entries: tuple[Entry, ...], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Every entry in turn, `rounds` times; a record each."""
    contestants = []
    for entry in entries:
        print(f"starting {entry.name}", file=sys.stderr)
        contestants.append(Turns(entry, seconds))
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


def ratios(records: list[dict[str, Any]], base: str) -> None:
    """Give each record `times`, how many times `base` it needs: median, lowest, highest."""
    (of_base,) = (record["ms"] for record in records if record["name"] == base)
    for record in records:
        values = [b / own for own, b in zip(record["ms"], of_base, strict=True)]
        record["times"] = [median(values), min(values), max(values)]


def in_child(*arguments: str) -> Any:
    """What a part that measures itself printed last, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.parts", *arguments],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{arguments[0]}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.strip().split("\n")[-1])


def main() -> None:
    """Run the parts that are asked for; print and save what they found."""
    parts = ("step", "growth", "profile", "outside", "start", "sample")
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant (7)")
    parser.add_argument("--seconds", type=float, default=3, help="of a turn (3)")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, metavar="PART")
    parser.add_argument("--out", type=Path, default=Path("logs/bench"), metavar="DIR")
    options = parser.parse_args()
    found: dict[str, Any] = in_child("machine")
    if "step" in options.only:
        there = [name for name in OPTIONAL if importlib.util.find_spec(name)]
        found["absent"] = [name for name in OPTIONAL if name not in there]
        entries = (*PEERS, *(entry for name in there for entry in OPTIONAL[name]))
        found["step"] = race(entries, options.rounds, options.seconds)
        ratios(found["step"], SESSION)
    if "growth" in options.only:
        found["growth"] = race(GROWTH, options.rounds, options.seconds)
    for part in ("profile", "outside", "start", "sample"):
        if part in options.only:
            print(f"measuring {part}", file=sys.stderr)
            found[part] = in_child(part)
    make_folder(options.out)
    write_json(options.out / "bench.json", found)
    text = "\n".join(markdown(found)) + "\n"
    write_atomically(options.out / "bench.md", text.encode())
    print(text)
    print(f"saved: {options.out}/bench.json, {options.out}/bench.md", file=sys.stderr)


def markdown(found: dict[str, Any]) -> list[str]:
    """The tables of what was measured."""
    lines = [f"{found['machine']}, {found['processor']}; " + found["software"], ""]
    if "step" in found:
        lines += _table(
            ("a step (100 images, three updates)", "ms", "lowest–highest", "images/s", "peak MiB")
            + (f"times {SESSION}", "s to first steps"),
            [
                (
                    record["name"],
                    f"{record['median_ms']:.0f}",
                    f"{min(record['ms']):.0f}–{max(record['ms']):.0f}",
                    f"{record['images_per_s']:.0f}",
                    f"{record['peak_mib']:.0f}",
                    "{:.2f} ({:.2f}–{:.2f})".format(*record["times"]),
                    f"{record['first_s']:.1f}",
                )
                for record in found["step"]
            ],
        )
        if found["absent"]:
            lines += [f"Not importable, so not measured: {', '.join(found['absent'])}.", ""]
    if "growth" in found:
        lines += _table(
            ("gan3 float32", "ms a step", "images/s", "peak MiB"),
            [
                (
                    record["name"],
                    f"{record['median_ms']:.0f}",
                    f"{record['images_per_s']:.0f}",
                    f"{record['peak_mib']:.0f}",
                )
                for record in found["growth"]
            ],
        )
    if "profile" in found:
        profile = found["profile"]
        lines += _table(
            ("what the step does", "ms", "GFLOP", "GFLOP/s", "MB", "GB/s", "of the limit"),
            [tuple(row) for row in profile["rows"]],
        )
        lines += [profile["note"], ""]
    for part in ("outside", "start", "sample"):
        if part in found:
            lines += _table((f"{part}", ""), [tuple(row) for row in found[part]])
    return lines


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = "|".join(["---"] + ["---:"] * (len(head) - 1))
    return [f"| {' | '.join(head)} |", f"|{rule}|"] + [f"| {' | '.join(r)} |" for r in rows] + [""]


if __name__ == "__main__":
    main()
