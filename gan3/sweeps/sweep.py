"""A sweep: many runs for one question, then a table, a ranking and figures that compare them.

A TOML file says which runs (`sweeps.spec`), an executor trains them (`sweeps.executors`). Finished
runs are skipped and interrupted ones are resumed.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gan3.core.classes import images_noun, nouns
from gan3.core.config import as_text
from gan3.core.errors import UserError
from gan3.core.files import make_folder, write_atomically
from gan3.core.log import Log
from gan3.core.options import PNG, Output
from gan3.core.seeds import FIXED, seed_of
from gan3.evaluation.card import Card
from gan3.evaluation.comparison import (
    Comparison,
    label_of,
    markdown_table,
    read_card,
    side_by_side,
)
from gan3.evaluation.metrics import METRICS, names_needing
from gan3.evaluation.samples import data_of
from gan3.plots import grids
from gan3.plots import sweeps as sweep_plots
from gan3.runs.registry import config_of
from gan3.runs.run import Run
from gan3.sweeps import executors
from gan3.sweeps.spec import Sweep, Trial

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

    def is_done(self, cas: bool) -> bool:
        """Whether the run is trained to its end, and its card has CAS if that is asked for."""
        rows = self.card.scores.keys()
        has_cas = rows & names_needing("classifier") or not rows & names_needing("labels")
        return self.run.outcome == "done" and bool(has_cas or not cas)


Ranking = list[tuple[str, list[float]]]
"""Points, the best first: their label, and the metric of each of their runs."""


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

    Raises:
        UserError: a run or its card does not belong to the sweep.
    """
    scored = read_scored(sweep, logs, figures_folder)
    done = {each.trial.run for each in scored if each.is_done(sweep.cas)}
    todo = [trial for trial in sweep.trials if trial.run not in done]
    log(f"{sweep.name}: {len(sweep.trials)} runs, {len(done)} are done")
    output = Path(logs) / f"{sweep.name}.sweep"
    make_folder(output)
    threads = sweep.threads or max(1, _cores() // jobs)
    environment = {k: v for k, v in os.environ.items() if k.startswith(("GAN3_", "TF_"))}
    folders = ["--logs", logs, "--figures", figures_folder] + (["--data", data] if data else [])
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
            deadline=time.time() + 60 * sweep.budget_minutes,
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
        if run.record_file.is_file() and run.config.differences(trial.config):
            raise UserError(
                f"run {run.name}: was trained with other settings than the sweep's; remove the run"
                " or rename the sweep"
            )
        if (run.folder / "report.json").is_file():
            card, split = read_card(run), trial.config.split
            found = card.values["split"]
            if found != split:
                raise UserError(
                    f"run {run.name}: its card is of the {found} split, the sweep's of the {split}"
                    " split; evaluate it on that"
                )
            scored.append(ScoredTrial(trial, run, card))
    return scored


def rank(trials: list[ScoredTrial], metric: str) -> Ranking:
    """The points by their mean of a metric over seeds."""
    points: dict[str, list[float]] = {}
    for scored in trials:
        value = scored.card.scores.get(metric)
        if value is not None:
            points.setdefault(scored.label(), []).append(value)
    return sorted(points.items(), key=lambda point: METRICS[metric].cost(np.mean(point[1])))


def write(
    sweep: Sweep,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    log: Log = print,
    output: Output = PNG,
) -> None:
    """Write the tables and figures of a sweep to figures/<name>/.

    Raises UserError if no run has a report card yet.
    """
    trials = read_scored(sweep, logs, figures_folder)
    if not trials:
        raise UserError(f"{sweep.name}: no run is done yet, so nothing to compare; run the sweep")
    folder = Path(figures_folder) / sweep.name
    title = f"{sweep.title} · {trials[0].card.data_title}"
    make_folder(folder)
    written = ["table.md"]
    _write_lines(folder / "table.md", _compare(trials).markdown_transposed())
    if sweep.metric:
        metric, ranking = METRICS[sweep.metric], rank(trials, sweep.metric)
        titles = ["point, the best first", metric.full_title, "seeds"]
        rows = [[label, metric.mean_text(values), str(len(values))] for label, values in ranking]
        _write_lines(folder / "ranking.md", markdown_table(titles, rows))
        written.append("ranking.md")
        if ranking:
            log(f"ranking on validation by {metric.title} ({metric.better}):")
        else:
            log(f"NOTE: no card has {metric.title}, so there is no ranking; it needs a judge")
        for label, values in ranking[:_LOGGED_RANKS]:
            log(f"{metric.mean_text(values):>20}  {label[:58]}")
        best = {label for label, _ in ranking[:_DRAWN_RANKS]}
        if len(best) < len(ranking):  # there are not enough colors for all
            title = f"{title}: the best {len(best)} of {len(ranking)}"
            trials = [scored for scored in trials if scored.label() in best]
    labels = {scored.label(): scored.trial.config.experiment for scored in trials}
    unchanged = {label for label, experiment in labels.items() if label == experiment}
    compared = _compare(trials)
    figures = {"sheet.png": _sheet(trials, title, data, log)}
    pairs = compared.tradeoffs()
    if pairs:
        figures["tradeoff.png"] = sweep_plots.tradeoff(compared.means, pairs, title, unchanged)
    for name, figure in figures.items():
        written.append(grids.save(figure, folder / name, output).name)
    log(f"written: {', '.join(written)} in {folder}")


def _cores() -> int:
    """The processor's cores that this process may use; all of them where that is not known."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


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


def _write_lines(path: Path, lines: list[str]) -> None:
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())


def _sheet(trials: list[ScoredTrial], title: str, data: str | None, log: Log) -> Figure:
    """One of each class from the first run of each variant and, in the last row, real ones."""
    first_runs: dict[str, ScoredTrial] = {}
    for scored in trials:
        first_runs.setdefault(scored.label("\n"), scored)
    rows, labels = [], []
    names: tuple[str, ...] = ()
    for label, scored in first_runs.items():
        generator = scored.run.generator()
        names = generator.class_names
        seed = seed_of(scored.run.config.seed, FIXED)
        rows.append(generator(np.arange(len(names)), seed))
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
