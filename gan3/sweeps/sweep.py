"""Many runs for one question: variants, points and seeds, each an ordinary run, then one table.

What is asked is in a TOML file (`specification`), who does it in `engines`. What is done is skipped
and what was stopped goes on, so a sweep may be stopped and started as often as one likes.
"""

import csv
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gan3.core.errors import UserError
from gan3.core.files import check_path, make_folder, write_atomically
from gan3.core.log import Log
from gan3.evaluation.comparison import Comparison, label_with_step, read_card, side_by_side
from gan3.evaluation.report_card import data_of
from gan3.evaluation.scoring import METRICS, Card
from gan3.plots import grids
from gan3.plots import sweeps as sweep_plots
from gan3.runs.registry import config_from_dict, config_of
from gan3.runs.run_files import RunFolders, read_metrics, read_record, run_folders
from gan3.runs.sampling import Sampler
from gan3.runs.trained import open_run
from gan3.sweeps import executors
from gan3.sweeps.spec import Point, Sweep, Trial
from gan3.training.run_figures import fixed_images

_ALOUD = 5  # places of the ranking that are said
_DRAWN = 20  # that are drawn beside one another


# -- its runs --------------------------------------------------------------------------------------
def run(
    sweep: Sweep,
    *,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    jobs: int = 1,
    engine: str = "local",
    address: str | None = None,
    log: Log = print,
) -> list[str]:
    """Train and score what is not done yet, `jobs` at a time, each with its share of the cores.

    Answers a line for every trial that failed: its name and its last word.
    """
    todo = [t for t in sweep.trials if not _is_scored(run_folders(t.run, logs, figures_folder), t)]
    log(f"{sweep.name}: {len(sweep.trials)} runs, {len(sweep.trials) - len(todo)} are done")
    _say_how_long(todo, log)
    output = Path(logs) / f"{sweep.name}.sweep"
    make_folder(output)
    threads = sweep.threads or max(1, len(os.sched_getaffinity(0)) // jobs)
    limits = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    kept = {key: value for key, value in os.environ.items() if key.startswith(("GAN3_", "TF_"))}
    places = ["--logs", logs, "--figures", figures_folder] + (["--data", data] if data else [])
    deadline = time.time() + 60 * sweep.budget_minutes
    tasks = [
        executors.Task(
            run=trial.run,
            train=["--experiment", trial.config.experiment, *_set(trial)],
            evaluate=["--cas"] * sweep.cas,
            places=places,
            logs=logs,
            output=str((output / f"{trial.run}.txt").absolute()),
            folder=str(Path.cwd()),
            environment=kept | dict.fromkeys(limits, str(threads)),
            deadline=deadline,
        )
        for trial in todo
    ]
    ended = []

    def done(name: str, problem: str | None) -> None:
        ended.append((name, problem))
        log(f"{len(ended)}/{len(tasks)} {name}: {problem or 'done'}")

    if engine == "ray":
        executors.run_on_ray(tasks, done, jobs, threads, address)
    else:
        executors.run_locally(tasks, done, jobs)
    return [f"{name}: {problem}" for name, problem in ended if problem]


def _say_how_long(trials: list[Trial], log: Log) -> None:
    """What the specification says of it, for those who would rather begin it in the evening."""
    total = sum(trial.minutes for trial in trials)
    if total:
        longest = max(trials, key=lambda trial: trial.minutes)
        log(
            f"about {_duration(total)} on two cores; the longest is {longest.run},"
            f" {_duration(longest.minutes)}"
        )


def _duration(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"


def _is_scored(folders: RunFolders, trial: Trial) -> bool:
    """Whether the run was trained to its end by this very config, and has its card."""
    if not check_path(folders.record.is_file):
        return False
    record = read_record(folders.record)
    if config_from_dict(record.get("config")) != trial.config:
        raise UserError(
            f"run {folders.name}: was trained with other settings than the sweep's; remove it, or"
            " name the sweep otherwise"
        )
    return record.get("outcome") == "done" and _has_card(folders)


def _set(trial: Trial) -> list[str]:
    """`--set` for every field in which the trial's config differs from its experiment's."""
    config, arguments = trial.config, []
    for key in config.differences(config_of(config.experiment)):
        arguments += ["--set", f"{key}={as_text(getattr(config, key))}"]
    return arguments


# -- what came out ---------------------------------------------------------------------------------
class Scored(NamedTuple):
    """A trial that has its card."""

    trial: Trial
    folders: RunFolders
    card: Card

    def named(self, between: str = ", ") -> str:
        """The variant; one of its own, that says so, where the card is of before the run's end."""
        return label_with_step(
            self.trial.variant, self.card, self.trial.config.total_steps, between
        )


def scored(sweep: Sweep, logs: str = "logs", figures_folder: str = "figures") -> list[Scored]:
    """The trials that have their card, in the sweep's order."""
    places = [(trial, run_folders(trial.run, logs, figures_folder)) for trial in sweep.trials]
    return [Scored(*place, read_card(place[1])) for place in places if _has_card(place[1])]


def _has_card(folders: RunFolders) -> bool:
    return (folders.logs / "report.json").is_file()


def _compared(runs: list[Scored]) -> Comparison:
    """The cards, a column a variant."""
    groups: dict[str, dict[str, Card]] = {}
    for run in runs:
        groups.setdefault(run.named(), {})[run.trial.run] = run.card
    return side_by_side(groups)


class Place(NamedTuple):
    """Of a point in the ranking: its variant, the swept values, the metric of each of its runs."""

    variant: str
    point: Point
    values: list[float]

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))


def ranking(runs: list[Scored], metric: str) -> list[Place]:
    """The points of scored runs by the mean of a metric, the best first."""
    found: dict[str, Place] = {}
    for run in runs:
        score = run.card["samples"].get(metric)
        if score is not None:
            place = found.setdefault(run.named(), Place(run.named(), run.trial.point, []))
            place.values.append(score["value"])
    return sorted(found.values(), key=lambda place: METRICS[metric].cost(place.mean))


def write(
    sweep: Sweep,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    log: Log = print,
) -> None:
    """Tables (Markdown, CSV) and pictures of a sweep, in figures/<name>/."""
    runs = scored(sweep, logs, figures_folder)
    if not runs:
        raise UserError(f"{sweep.name}: no run is done yet; nothing to compare")
    folder = Path(figures_folder) / sweep.name
    make_folder(folder)
    write_atomically(
        folder / "table.md", ("\n".join(_compared(runs).markdown_transposed()) + "\n").encode()
    )
    write_atomically(folder / "table.csv", _csv(runs).encode())
    written, title = ["table.md", "table.csv"], sweep.title
    if sweep.metric:
        places = ranking(runs, sweep.metric)
        lines = _ranked(sweep, places)
        write_atomically(folder / "ranking.md", ("\n".join(lines) + "\n").encode())
        written.append("ranking.md")
        for line in _aloud(sweep, places):
            log(line)
        points = [(place.point, place.mean) for place in places]
        if points:
            picture = sweep_plots.parallel(points, METRICS[sweep.metric].titled, title)
            grids.save(picture, folder / "parallel.png")
            written.append("parallel.png")
        best = {place.variant for place in places[:_DRAWN]}
        if len(best) < len(places):  # the pictures below have a name and a colour for each
            title = f"{title}: the best {len(best)} of {len(places)}"
            runs = [run for run in runs if run.named() in best]
    whole = {name for run in runs if (name := run.named()) == run.trial.config.experiment}
    grids.save(
        sweep_plots.tradeoff(_compared(runs).column_means(), title, whole), folder / "spread.png"
    )
    written.append("spread.png")
    curves = dict(_curves(runs))
    if curves:
        grids.save(sweep_plots.training_progress(curves, title), folder / "courses.png")
        written.append("courses.png")
    grids.save(_sheet(runs, title, logs, figures_folder, data, log), folder / "sheet.png")
    log(f"written: {', '.join([*written, 'sheet.png'])} in {folder}")


def _ranked(sweep: Sweep, places: list[Place]) -> list[str]:
    """A Markdown table, the best point first."""
    about = METRICS[sweep.metric]
    lines = [f"| | point | {about.titled} | seeds |", "| ---: | --- | ---: | ---: |"]
    for number, place in enumerate(places, start=1):
        spread = about.spread(place.values)
        lines.append(f"| {number} | {place.variant} | {spread} | {len(place.values)} |")
    return lines


def _aloud(sweep: Sweep, places: list[Place]) -> Iterator[str]:
    """The first of the ranking, in lines of at most 80 columns."""
    about = METRICS[sweep.metric]
    yield f"by {about.title} ({about.better}) on the validation split, the best first:"
    for place in places[:_ALOUD]:
        yield f"{about.spread(place.values):>20}  {place.variant[:58]}"


def _sheet(
    runs: list[Scored], title: str, logs: str, figures_folder: str, data: str | None, log: Log
) -> Figure:
    """Ten digits of each variant's first run that is done, and ten real ones below."""
    firsts: dict[str, Scored] = {}
    for run in runs:
        firsts.setdefault(run.named("\n"), run)
    rows, beside = [], []
    for name, run in firsts.items():
        trained = open_run(run.trial.run, logs, figures_folder)
        rows.append(fixed_images(Sampler(trained.system), trained.config, rows=1))
        beside.append(name if trained.system.class_conditional else f"{name}\n(any ten)")
    try:
        real = data_of(read_record(run.folders.record), data, log)
        places = [np.flatnonzero(real.held_out_labels == digit)[0] for digit in range(10)]
        rows.append(real.held_out_images[places])
        beside.append("real digits")
    except (UserError, IndexError) as error:
        log(f"NOTE: no real digits on the sheet ({error})")
    return grids.grid(np.concatenate(rows), 10, title, over=list("0123456789"), beside=beside)


def _csv(runs: list[Scored]) -> str:
    """A line a run: its variant, its seed, every figure of its card."""
    rows = []
    for run in runs:
        row = {"variant": run.named(), **run.trial.point, "seed": run.trial.config.seed}
        scores = {metric: score["value"] for metric, score in run.card["samples"].items()}
        rows.append(row | {"run": run.trial.run} | scores)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _curves(runs: list[Scored]) -> Iterator[tuple[str, np.ndarray]]:
    """By variant [episodes, 3]: step, seconds of training, Frechet distance; means over seeds."""
    courses: dict[str, list[np.ndarray]] = {}
    for run in runs:
        rows, seconds, last = [], 0.0, 0
        for line in read_metrics(run.folders.metrics):
            seconds += (line["step"] - last) * line.get("ms_per_step", 0) / 1000
            last = line["step"]
            if "judge/frechet_distance" in line:
                rows.append((last, seconds, line["judge/frechet_distance"]))
        if rows:
            courses.setdefault(run.named(), []).append(np.array(rows))
    for variant, points in courses.items():
        shortest = min(len(rows) for rows in points)
        yield variant, np.mean([rows[:shortest] for rows in points], axis=0)
