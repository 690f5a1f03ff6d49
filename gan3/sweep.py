"""Many runs for one question: variants x seeds, each an ordinary run, then one table.

A specification is a TOML file (experiments/sweeps/): `name`, `title`, `seeds`, `settings` for every
run, `cas` where each is to be scored by that as well, and `variants`. A variant has a name, an
experiment, and maybe `settings` and `seeds` of its own, the `minutes` that a run of it takes, and
`full`, the settings of its own, longer budget. What is done is skipped and what was stopped goes
on, so a sweep may be stopped and started as often as one likes.
"""

import csv
import io
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gan3 import figures
from gan3.catalogue import config_of
from gan3.config import Config
from gan3.errors import UserError
from gan3.files import make_folder, there, write_atomically
from gan3.gallery import fixed_images, open_run
from gan3.records import Folders, folders_of, read_metrics, read_record
from gan3.report import Comparison, data_of, read_card, side_by_side
from gan3.sampling import Sampler

_ROOT = Path(__file__).parent.parent  # where python -m gan3 finds it, whatever the folder

Say = Callable[[str], None]


class Trial(NamedTuple):
    """One run of a sweep."""

    variant: str
    run: str
    config: Config
    minutes: float  # that it takes on two cores, by the specification; 0: it does not say


class Sweep(NamedTuple):
    """A specification that was read and checked."""

    name: str
    title: str
    trials: list[Trial]
    cas: bool  # also score by a classifier that learns from the samples alone


# -- the specification -----------------------------------------------------------------------------


def read(path: Path, full: bool = False) -> Sweep:
    """The sweep that a TOML file specifies; with `full`, of the variants that have that budget.

    Raises UserError for whatever does not fit in it.
    """
    spec = _toml(path)
    _refuse_others(
        path, "the file", spec, {"name", "title", "seeds", "settings", "variants", "cas"}
    )
    name, title = _text(path, spec, "name"), _text(path, spec, "title")
    cas, variants = spec.get("cas", False), spec.get("variants")
    if not isinstance(cas, bool):
        raise UserError(f"{path}: cas: true or false")
    if not (isinstance(variants, list) and variants):
        raise UserError(f"{path}: variants: at least one [[variants]] with name and experiment")
    trials = []
    for variant in variants:
        if not isinstance(variant, dict):
            raise UserError(f"{path}: variants: [[variants]] with name and experiment")
        known = {"name", "experiment", "settings", "seeds", "minutes", "full"}
        _refuse_others(path, "a variant", variant, known)
        own, experiment = _text(path, variant, "name"), _text(path, variant, "experiment")
        settings = _settings(path, spec) | _settings(path, variant)
        minutes = variant.get("minutes", 0)
        if not (isinstance(minutes, int | float) and minutes >= 0):
            raise UserError(f"{path}: minutes: a number, of one run on two cores")
        longer = _settings(path, variant, "full")
        if full and not longer:
            continue
        for seed in _seeds(path, variant.get("seeds", spec.get("seeds"))):
            config, took = _config(experiment, settings | {"seed": seed}), minutes
            if full:
                usual = config.total_steps * config.batch_size
                config = _config(experiment, settings | longer | {"seed": seed})
                took *= config.total_steps * config.batch_size / usual
            run = "-".join([name, _in_a_name(own), *["full"] * full, str(seed)])
            trials.append(Trial(own, run, config, took))
    if not trials:
        raise UserError(f"{path}: no variant has a longer budget of its own; leave out --full")
    for trial in trials:
        folders_of(trial.run)  # raises where it cannot be a run's name
    if len({trial.run for trial in trials}) < len(trials):
        raise UserError(f"{path}: two variants of one name, or a seed twice")
    return Sweep(f"{name}-full" if full else name, title, trials, cas)


def _config(experiment: str, settings: dict[str, Any]) -> Config:
    config = config_of(experiment)
    for key, value in settings.items():
        config = config.with_text(key, str(value))
    return config


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; experiments/sweeps/ has some") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not TOML ({error})") from None


def _in_a_name(text: str) -> str:
    """A variant's name with what a run's name cannot have left out."""
    return re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("_")


def _refuse_others(path: Path, where: str, table: dict, known: set[str]) -> None:
    for key in set(table) - known:
        raise UserError(f"{path}: {key!r}: unknown in {where}; known: {', '.join(sorted(known))}")


def _text(path: Path, table: dict, key: str) -> str:
    if not (isinstance(table.get(key), str) and table[key]):
        raise UserError(f"{path}: {key}: needs a text")
    return table[key]


def _settings(path: Path, table: dict, key: str = "settings") -> dict[str, Any]:
    settings = table.get(key, {})
    if not isinstance(settings, dict) or "seed" in settings:
        raise UserError(f"{path}: {key}: keys and values of the config; seeds has the seeds")
    return settings


def _seeds(path: Path, seeds: Any) -> list[int]:
    if not (isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds)):
        raise UserError(f"{path}: seeds: a list of whole numbers, such as [0, 1, 2]")
    return seeds


# -- its runs --------------------------------------------------------------------------------------


def run(
    sweep: Sweep,
    *,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    jobs: int = 1,
    say: Say = print,
) -> list[str]:
    """Train and score what is not done yet, `jobs` at a time, each with its share of the cores.

    Answers a line for every trial that failed: its name and its last word.
    """
    todo = [t for t in sweep.trials if not _is_scored(folders_of(t.run, logs, figures_folder), t)]
    say(f"{sweep.name}: {len(sweep.trials)} runs, {len(sweep.trials) - len(todo)} are done")
    _say_how_long(todo, say)
    output = Path(logs) / f"{sweep.name}.sweep"
    make_folder(output)
    threads = str(max(1, len(os.sched_getaffinity(0)) // jobs))
    limits = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | dict.fromkeys(limits, threads) | {"PYTHONPATH": path}
    failed = []
    with ThreadPoolExecutor(jobs) as pool:
        started = {
            pool.submit(
                _train_and_score,
                *(trial, sweep.cas, logs, figures_folder, data, output, environment),
            ): trial
            for trial in todo
        }
        try:
            for done, future in enumerate(as_completed(started), start=1):
                trial, problem = started[future], future.result()
                say(f"{done}/{len(todo)} {trial.run}: {problem or 'done'}")
                if problem:
                    failed.append(f"{trial.run}: {problem}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def _say_how_long(trials: list[Trial], say: Say) -> None:
    """What the specification says of it, for those who would rather begin it in the evening."""
    total = sum(trial.minutes for trial in trials)
    if total:
        longest = max(trials, key=lambda trial: trial.minutes)
        say(
            f"about {_duration(total)} on two cores; the longest is {longest.run},"
            f" {_duration(longest.minutes)}"
        )


def _duration(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"


def _is_scored(folders: Folders, trial: Trial) -> bool:
    """Whether the run was trained to its end by this very config, and has its card."""
    if not there(folders.record.is_file):
        return False
    record = read_record(folders.record)
    if Config.from_dict(record.get("config")) != trial.config:
        raise UserError(
            f"run {folders.name}: was trained with other settings than the sweep's; remove it, or"
            " name the sweep otherwise"
        )
    return record.get("outcome") == "done" and _has_card(folders)


def _train_and_score(
    trial: Trial,
    cas: bool,
    logs: str,
    figures_folder: str,
    data: str | None,
    output: Path,
    environment: dict[str, str],
) -> str | None:
    """Run the commands that a user would type; answers what went wrong, if anything did."""
    folders = folders_of(trial.run, logs, figures_folder)
    places = ["--logs", logs, "--figures", figures_folder] + (["--data", data] if data else [])
    state = read_record(folders.record).get("outcome") if folders.record.is_file() else None
    commands = [["evaluate", trial.run, *(["--cas"] if cas else []), *places]]
    if state != "done":
        begin = ["--resume"] if state else ["--experiment", trial.config.experiment, *_set(trial)]
        commands.insert(0, ["train", "--run", trial.run, *begin, *places])
    with open(output / f"{trial.run}.txt", "a+") as said:
        for command in commands:
            arguments = [sys.executable, "-m", "gan3", *command]
            status = subprocess.run(
                arguments, stdout=said, stderr=subprocess.STDOUT, env=environment
            ).returncode
            if status:
                said.seek(0)
                lines = said.read().strip().splitlines()
                return f"exit status {status}: {lines[-1] if lines else 'it said nothing'}"
    return None


def _set(trial: Trial) -> list[str]:
    """`--set` for every field in which the trial's config differs from its experiment's."""
    config, arguments = trial.config, []
    for key in config.differences(config_of(config.experiment)):
        value = getattr(config, key)
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        arguments += ["--set", f"{key}={text}"]
    return arguments


# -- what came out ---------------------------------------------------------------------------------


def _with_cards(sweep: Sweep, logs: str) -> list[tuple[Trial, Folders]]:
    """The trials that have their card, and where they are."""
    found = [(trial, folders_of(trial.run, logs)) for trial in sweep.trials]
    return [(trial, folders) for trial, folders in found if _has_card(folders)]


def _has_card(folders: Folders) -> bool:
    return (folders.logs / "report.json").is_file()


def results(sweep: Sweep, logs: str = "logs", figures_folder: str = "figures") -> Comparison:
    """The cards of the runs that have one, a column a variant."""
    groups: dict[str, list[str]] = {}
    for trial, _ in _with_cards(sweep, logs):
        groups.setdefault(trial.variant, []).append(trial.run)
    if not groups:
        raise UserError(f"{sweep.name}: no run is done yet; nothing to compare")
    return side_by_side(groups, logs, figures_folder)


def write(
    sweep: Sweep,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    say: Say = print,
) -> None:
    """Tables (Markdown, CSV) and pictures of a sweep, in figures/<name>/."""
    found = results(sweep, logs, figures_folder)
    folder = Path(figures_folder) / sweep.name
    make_folder(folder)
    markdown = "\n".join(found.across()) + "\n"
    write_atomically(folder / "table.md", markdown.encode())
    write_atomically(folder / "table.csv", _csv(sweep, logs).encode())
    whole = {t.variant for t in sweep.trials if t.variant == t.config.experiment}
    figures.save(figures.spread(found.lying(), sweep.title, whole), folder / "spread.png")
    curves = dict(_curves(sweep, logs))
    if curves:
        figures.save(figures.courses(curves, sweep.title), folder / "courses.png")
    figures.save(_sheet(sweep, logs, figures_folder, data, say), folder / "sheet.png")
    say(f"written: table.md, table.csv, spread.png, courses.png, sheet.png in {folder}")


def _sheet(sweep: Sweep, logs: str, figures_folder: str, data: str | None, say: Say) -> Figure:
    """Ten digits of each variant's first run that is done, and ten real ones below."""
    firsts = {trial.variant: folders for trial, folders in reversed(_with_cards(sweep, logs))}
    rows, beside = [], []
    for variant, folders in reversed(firsts.items()):
        trained = open_run(folders.name, logs, figures_folder)
        rows.append(fixed_images(Sampler(trained.system), trained.config, rows=1))
        beside.append(variant if trained.system.heeds_labels else f"{variant}\n(any ten)")
    try:
        real = data_of(read_record(folders.record), data, say)
        places = [np.flatnonzero(real.held_out_labels == digit)[0] for digit in range(10)]
        rows.append(real.held_out_images[places])
        beside.append("real digits")
    except (UserError, IndexError) as error:
        say(f"NOTE: no real digits on the sheet ({error})")
    return figures.grid(
        np.concatenate(rows), 10, sweep.title, over=list("0123456789"), beside=beside
    )


def _csv(sweep: Sweep, logs: str) -> str:
    """A line a run: its variant, its seed, every figure of its card."""
    rows = []
    for trial, folders in _with_cards(sweep, logs):
        scores = read_card(folders)["samples"]
        row = {"variant": trial.variant, "seed": trial.config.seed, "run": trial.run}
        rows.append(row | {metric: score["value"] for metric, score in scores.items()})
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _curves(sweep: Sweep, logs: str) -> Iterator[tuple[str, np.ndarray]]:
    """By variant [episodes, 3]: step, seconds of training, Frechet distance; means over seeds."""
    courses: dict[str, list[np.ndarray]] = {}
    for trial, folders in _with_cards(sweep, logs):
        rows, seconds, last = [], 0.0, 0
        for line in read_metrics(folders.metrics):
            seconds += (line["step"] - last) * line.get("ms_per_step", 0) / 1000
            last = line["step"]
            if "judge/frechet_distance" in line:
                rows.append((last, seconds, line["judge/frechet_distance"]))
        if rows:
            courses.setdefault(trial.variant, []).append(np.array(rows))
    for variant, runs in courses.items():
        shortest = min(len(rows) for rows in runs)
        yield variant, np.mean([rows[:shortest] for rows in runs], axis=0)
