"""A sweep: many runs for one question, then tables and figures that compare them.

A TOML file says which runs (`sweeps.spec`), an executor trains them (`sweeps.executors`). Finished
runs are skipped and interrupted ones are resumed, so a sweep can be stopped and started at any
time.
"""

import csv
import io
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gan3.core.classes import images_noun, nouns
from gan3.core.config import as_text
from gan3.core.errors import UserError
from gan3.core.files import make_folder, write_atomically
from gan3.core.log import Log
from gan3.evaluation.card import Card
from gan3.evaluation.comparison import (
    Comparison,
    label_of,
    markdown_cell,
    read_card,
    side_by_side,
)
from gan3.evaluation.metrics import METRICS, names_needing
from gan3.evaluation.samples import data_of
from gan3.plots import grids
from gan3.plots import sweeps as sweep_plots
from gan3.runs.registry import config_from_dict, config_of
from gan3.runs.run import Run
from gan3.sweeps import executors
from gan3.sweeps.spec import Point, Sweep, Trial
from gan3.training.run_figures import fixed_images

_LOGGED_RANKS = 5  # points of a ranking that are logged
_DRAWN_RANKS = 20  # points of a ranking that are drawn next to each other
_THREAD_LIMITS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ScoredTrial(NamedTuple):
    """A trial with its report card."""

    trial: Trial
    run: Run
    card: Card

    def label(self, separator: str = ", ") -> str:
        """The variant, and what is unusual about its card."""
        return label_of(self.trial.variant, self.card, self.trial.config, separator)


class RankedPoint(NamedTuple):
    """A point of a ranking: its label, its fields, the metric of each of its runs."""

    label: str
    point: Point
    values: list[float]

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))


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
    """Train and score the trials that are not done yet.

    Args:
        jobs: runs at a time. Unless the sweep sets the threads per run, they divide the cores.
        engine: "local", processes on this machine; or "ray".
        address: of a Ray cluster.

    Returns:
        One line for each trial that failed: its name and what went wrong.
    """
    todo = [
        trial
        for trial in sweep.trials
        if not _is_scored(Run(trial.run, logs, figures_folder), trial, sweep.cas)
    ]
    log(f"{sweep.name}: {len(sweep.trials)} runs, {len(sweep.trials) - len(todo)} are done")
    _log_expected_time(todo, log)
    output = Path(logs) / f"{sweep.name}.sweep"
    make_folder(output)
    threads = sweep.threads or max(1, _cores() // jobs)
    environment = {k: v for k, v in os.environ.items() if k.startswith(("GAN3_", "TF_"))}
    folders = ["--logs", logs, "--figures", figures_folder] + (["--data", data] if data else [])
    deadline = time.time() + 60 * sweep.budget_minutes
    tasks = [
        executors.Task(
            run=trial.run,
            train=["--experiment", trial.config.source, *_set_arguments(trial)],
            evaluate=["--cas"] * sweep.cas,
            places=folders,
            logs=logs,
            output=str((output / f"{trial.run}.txt").absolute()),
            folder=str(Path.cwd()),
            environment=environment | dict.fromkeys(_THREAD_LIMITS, str(threads)),
            deadline=deadline,
        )
        for trial in todo
    ]
    ended = []

    def report(name: str, problem: str | None) -> None:
        ended.append((name, problem))
        log(f"{len(ended)}/{len(tasks)} {name}: {problem or 'done'}")

    if engine == "ray":
        executors.run_on_ray(tasks, report, jobs, threads, address)
    else:
        executors.run_locally(tasks, report, jobs)
    return [f"{name}: {problem}" for name, problem in ended if problem]


def read_scored(
    sweep: Sweep, logs: str = "logs", figures_folder: str = "figures"
) -> list[ScoredTrial]:
    """The trials that have a report card, in the order of the sweep.

    Raises UserError if a run or its card does not belong to the sweep.
    """
    scored = []
    for trial in sweep.trials:
        run = Run(trial.run, logs, figures_folder)
        if _has_card(run):
            _read_record(run, trial)
            scored.append(ScoredTrial(trial, run, _read_card(run, trial)))
    return scored


def rank(trials: list[ScoredTrial], metric: str) -> list[RankedPoint]:
    """The points by their mean of a metric over seeds, the best first."""
    points: dict[str, RankedPoint] = {}
    for scored in trials:
        value = scored.card.scores.get(metric)
        if value is not None:
            label = scored.label()
            point = points.setdefault(label, RankedPoint(label, scored.trial.point, []))
            point.values.append(value)
    return sorted(points.values(), key=lambda point: METRICS[metric].cost(point.mean))


def write(
    sweep: Sweep,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    log: Log = print,
) -> None:
    """Write the tables and figures of a sweep to figures/<name>/.

    Raises UserError if no run has a report card yet.
    """
    trials = read_scored(sweep, logs, figures_folder)
    if not trials:
        raise UserError(f"{sweep.name}: no run is done yet, so nothing to compare; run the sweep")
    folder, title = Path(figures_folder) / sweep.name, sweep.title
    make_folder(folder)
    written = []

    def write_text(name: str, text: str) -> None:
        write_atomically(folder / name, text.encode())
        written.append(name)

    def save(name: str, figure: Figure) -> None:
        grids.save(figure, folder / name)
        written.append(name)

    write_text("table.md", _lines(_compare(trials).markdown_transposed()))
    write_text("table.csv", _csv(trials))
    if sweep.metric:
        metric, ranking = METRICS[sweep.metric], rank(trials, sweep.metric)
        write_text("ranking.md", _lines(_ranking_table(sweep.metric, ranking)))
        if ranking:
            log(f"ranking on validation by {metric.title} ({metric.better}):")
        else:
            log(f"NOTE: no card has {metric.title}, so there is no ranking; it needs a judge")
        for point in ranking[:_LOGGED_RANKS]:
            log(f"{metric.mean_text(point.values):>20}  {point.label[:58]}")
        if ranking:
            points = [(point.point, point.mean) for point in ranking]
            save("parallel.png", sweep_plots.parallel(points, metric.full_title, title))
        best = {point.label for point in ranking[:_DRAWN_RANKS]}
        if len(best) < len(ranking):  # there are not enough colors for all
            title = f"{title}: the best {len(best)} of {len(ranking)}"
            trials = [scored for scored in trials if scored.label() in best]
    labels = {scored.label(): scored.trial.config.experiment for scored in trials}
    unchanged = {label for label, experiment in labels.items() if label == experiment}
    compared = _compare(trials)
    pairs = compared.tradeoffs()
    if pairs:
        figure = sweep_plots.tradeoff(compared.column_means(), pairs, title, unchanged)
        save("tradeoff.png", figure)
    curves = _training_curves(trials)
    if curves:
        save("training_progress.png", sweep_plots.training_progress(curves, title))
    save("sheet.png", _sheet(trials, title, data, log))
    log(f"written: {', '.join(written)} in {folder}")


def _log_expected_time(trials: list[Trial], log: Log) -> None:
    total = sum(trial.minutes for trial in trials)
    if total:
        longest = max(trials, key=lambda trial: trial.minutes)
        log(
            f"about {_duration(total)} on two cores; the longest is {longest.run},"
            f" {_duration(longest.minutes)}"
        )


def _duration(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"


def _cores() -> int:
    """The processor's cores that this process may use; all of them where that is not known."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _is_scored(run: Run, trial: Trial, cas: bool) -> bool:
    """Whether the run is trained to its end and has a card, with CAS if it is asked for.

    Raises UserError if the run or its card does not belong to the trial.
    """
    if not run.record_file.is_file():
        return False
    record = _read_record(run, trial)
    if record.get("outcome") != "done" or not _has_card(run):
        return False
    scores = set(_read_card(run, trial).scores)
    has_labels = bool(scores & names_needing("labels"))
    return not cas or not has_labels or bool(scores & names_needing("classifier"))


def _read_record(run: Run, trial: Trial) -> dict[str, Any]:
    """run.json. Raises UserError if the run has another config than the trial."""
    record = run.record
    config = config_from_dict(record.get("config"))
    if config != trial.config:
        raise UserError(
            f"run {run.name}: was trained with other settings than the sweep's; remove the run"
            " or rename the sweep"
        )
    return record


def _read_card(run: Run, trial: Trial) -> Card:
    """report.json. Raises UserError if the card is of another split than the trial."""
    card, split = read_card(run), trial.config.split
    found = card.values["split"]
    if found != split:
        raise UserError(
            f"run {run.name}: its card is of the {found} split, the sweep's of the {split}"
            " split; evaluate it on that"
        )
    return card


def _has_card(run: Run) -> bool:
    return (run.folder / "report.json").is_file()


def _set_arguments(trial: Trial) -> list[str]:
    """`--set` for every field in which the trial's config differs from its experiment's."""
    config, arguments = trial.config, []
    for key in config.differences(config_of(config.source)):
        arguments += ["--set", f"{key}={as_text(getattr(config, key))}"]
    return arguments


def _compare(trials: list[ScoredTrial]) -> Comparison:
    """The cards, one column per variant."""
    groups: dict[str, dict[str, Card]] = {}
    for scored in trials:
        groups.setdefault(scored.label(), {})[scored.trial.run] = scored.card
    return side_by_side(groups)


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _ranking_table(metric: str, ranking: list[RankedPoint]) -> list[str]:
    """A Markdown table, the best point first."""
    about = METRICS[metric]
    lines = [f"| | point | {about.full_title} | seeds |", "| ---: | --- | ---: | ---: |"]
    for number, point in enumerate(ranking, start=1):
        label, text = markdown_cell(point.label), about.mean_text(point.values)
        lines.append(f"| {number} | {label} | {text} | {len(point.values)} |")
    return lines


def _csv(trials: list[ScoredTrial]) -> str:
    """One line per run: its variant, point, seed and name, and the value of every metric.

    The names of the point's fields begin with "settings.", because `precision` is the name of a
    field and of a metric.
    """
    rows = []
    for scored in trials:
        point = {f"settings.{key}": value for key, value in scored.trial.point.items()}
        row = {"variant": scored.label(), **point, "seed": scored.trial.config.seed}
        scores = {name: value for name, value in scored.card.scores.items() if name in METRICS}
        rows.append(row | {"run": scored.trial.run} | scores)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _training_curves(trials: list[ScoredTrial]) -> dict[str, np.ndarray]:
    """By variant [episodes, 3]: step, seconds of training, Fréchet distance; means over seeds."""
    curves: dict[str, list[np.ndarray]] = {}
    for scored in trials:
        rows, seconds, last_step = [], 0.0, 0
        for line in scored.run.metrics():
            seconds += (line["step"] - last_step) * line.get("ms_per_step", 0) / 1000
            last_step = line["step"]
            if "judge/frechet_distance" in line:
                rows.append((last_step, seconds, line["judge/frechet_distance"]))
        if rows:
            curves.setdefault(scored.label(), []).append(np.array(rows))
    means = {}
    for label, per_seed in curves.items():
        shortest = min(map(len, per_seed))
        means[label] = np.mean([rows[:shortest] for rows in per_seed], axis=0)
    return means


def _sheet(
    trials: list[ScoredTrial],
    title: str,
    data: str | None,
    log: Log,
) -> Figure:
    """One of each class from the first run of each variant and, in the last row, real ones."""
    first_runs: dict[str, ScoredTrial] = {}
    for scored in trials:
        first_runs.setdefault(scored.label("\n"), scored)
    rows, labels = [], []
    names: tuple[str, ...] = ()
    for label, scored in first_runs.items():
        generator = scored.run.generator()
        names = generator.class_names
        rows.append(fixed_images(generator, scored.run.config, rows=1))
        any_class = f"{label}\n(any {nouns(names)})"
        labels.append(label if generator.class_conditional else any_class)
    called = images_noun(names)
    try:
        real = data_of(trials[-1].run, data, log)
        by_class = [np.flatnonzero(real.held_out_labels == label) for label in range(len(names))]
        rows.append(real.held_out_images[[indices[0] for indices in by_class]])
        labels.append(f"real {called}")
    except (UserError, IndexError) as error:
        log(f"NOTE: no real {called} on the sheet ({error})")
    return grids.grid(
        np.concatenate(rows), len(names), title, column_labels=list(names), row_labels=labels
    )
