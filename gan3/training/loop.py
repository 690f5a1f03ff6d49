"""A run: the schedule around the step, and the only place that knows folders, clock and signals."""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import tensorflow as tf
from rich.console import Console

from gan3.core.config import Config
from gan3.core.errors import DivergedError, UserError
from gan3.core.files import cannot_write, check_path, make_folder, write_json
from gan3.core.log import Log
from gan3.data.batches import Batches, make_gather, to_unit
from gan3.data.datasets import Dataset, load
from gan3.evaluation.monitor import EpisodeMonitor
from gan3.method.system import System
from gan3.plots import grids
from gan3.runs import provenance
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.provenance import git_revision
from gan3.runs.registry import builder_of
from gan3.runs.run_files import RunFolders, forget_after, read_record, run_folders
from gan3.runs.sampling import Sampler, save_generator
from gan3.runs.seeds import EVALUATIONS, STEPS, seed_of
from gan3.runs.tensorboard import EventWriter, named_graph
from gan3.runs.tensorboard import forget_after as forget_events_after
from gan3.runs.trained import open_run
from gan3.training.distributed import Replicas, open_replicas, worker_lost
from gan3.training.interruption import Signals, StoppedError, exclusive_lock
from gan3.training.precision import multiplies_bfloat16, resolve_precision
from gan3.training.progress import (
    Bar,
    Lines,
    console,
    format_losses,
    format_scores,
    progress_display,
)
from gan3.training.run_figures import draw, fixed_grid, save_frame, save_real_images, shuffled_grid

HELD_OUT_LOSS = 50  # held-out images after each episode


# -- training --------------------------------------------------------------------------------------
def train(
    config: Config,
    *,
    name: str | None = None,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    resume: bool = False,
    log: Log | None = None,
    strategy: str | None = None,
    replicas: int | None = None,
) -> RunFolders:
    """Train by the schedule of `config`, writing logs/<run>/ and figures/<run>/ as it goes.

    Args:
        name: of the run; None makes one of the experiment, and the date and time (UTC).
        resume: go on with the run `name` from its newest checkpoint.
        data: folder to look for the data set in first.
        strategy: "mirrored" or "multiworker" shares every batch out; see `replicas`. Of several
            workers the first alone writes; the others follow its steps.
        replicas: how many, with "mirrored".

    Raises:
        UserError: a name that exists, data that cannot be had, a folder that cannot be written, a
            worker that was lost.
        DivergedError: a loss or gradient that is not finite; the last checkpoint is from before.
        StoppedError: SIGINT or SIGTERM came; the step was finished and the state saved.
    """
    place = console()
    log = log or place.print
    started = datetime.now(UTC)
    if name is None:
        name = f"{config.experiment}-{started:%Y%m%d-%H%M%S}"
    folders = run_folders(name, logs, figures_folder)
    shared = None if strategy is None else _open_replicas(config, strategy, replicas, log)
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same bits
    if shared and not shared.chief:
        _follow_chief(config, shared, data, log)
        return folders
    if resume:
        record = read_record(folders.record)
        _refuse_other_config(folders, Config.from_dict(record.get("config")), config)
    else:
        _refuse_existing(folders)
    dataset = load(config.dataset, data, config.split, log)
    if resume and record.get("data_digest") != dataset.digest:
        raise UserError(f"run {name}: was trained on other data; name its folder with --data")
    # "auto" is of the machine that a run began on.
    wanted = str(record.get("precision")) if resume else config.precision
    precision = resolve_precision(config.with_text("precision", wanted).precision)
    system = _build(config, precision, dataset, shared)
    if not resume:
        _make_folders(folders)
    with exclusive_lock(folders):
        if not resume:
            _refuse_existing(folders)  # by a process that has ended since we looked
        loop = _Loop(config, folders, dataset, system, place, log, shared)
        if resume:
            loop.restore()  # before the record is touched: what cannot go on leaves it as it was
            _make_folders(folders)
        else:
            record = _new_record(folders, config, started, dataset, precision)
        if shared:
            shared.begin(loop.done)
        record |= {"config": config.to_dict(), "outcome": "running"}
        record |= {"strategy": strategy or "none", "replicas": shared.count if shared else 1}
        write_json(folders.record, record)
        log(f"data: {dataset.title}, {dataset.source}")
        if precision == "bfloat16" and not multiplies_bfloat16():
            log(
                "NOTE: bfloat16 is slow here, no hardware multiplies it; --precision float32 is not"
            )
        log(
            f"{config.experiment}, seed {config.seed}, {precision}:"
            f" {config.episodes} episodes x {config.batches} batches x {config.batch_size} images"
        )
        outcome = "stopped"
        try:
            loop.run()
            outcome = "done"
        except DivergedError:
            outcome = "diverged"
            raise
        finally:
            record["outcome"] = outcome
            record["ended"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            record["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            write_json(folders.record, record)
        draw(open_run(name, logs, figures_folder), log)
    _log_summary(folders, dataset, config, system.class_conditional, log)
    return folders


def _open_replicas(config: Config, strategy: str, count: int | None, log: Log) -> Replicas:
    """The replicas that the run's batches are shared out to."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # or Ctrl-C would wait with TensorFlow
    try:
        shared = open_replicas(strategy, count, log)
    finally:
        signal.signal(signal.SIGINT, before)
    rows = shared.rows_of(config.batch_size)
    which = f", worker {shared.worker} of {len(shared.workers)}" if shared.workers else ""
    log(f"{strategy}{which}: {shared.count} replicas, {rows} images of each batch to each")
    return shared


def _build(config: Config, precision: str, dataset: Dataset, shared: Replicas | None) -> System:
    """The system, as many times as there are replicas here; all workers must mean the same."""

    def make() -> System:
        return builder_of(config.experiment)(config, precision)

    if shared is None:
        return make()
    first = shared.build(make)
    shared.agree(config.to_dict() | {"precision": precision, "data": dataset.digest})
    return first


def _follow_chief(config: Config, shared: Replicas, data: str | None, log: Log) -> None:
    """Train beside the chief, which evaluates and writes: this process only takes its rows."""
    dataset = load(config.dataset, data, config.split, log)
    _build(config, resolve_precision(config.precision), dataset, shared)
    batches = Batches(len(dataset.images), config.batch_size, config.seed)
    step = shared.trace(dataset.images, dataset.labels, config.batch_size)
    done = shared.begin(0)
    log(f"following worker 0 from step {done + 1} to {config.total_steps}")
    with Signals() as signals:
        for number in range(done + 1, config.total_steps + 1):
            seed = tf.constant(seed_of(config.seed, STEPS, number))
            with worker_lost(f"at step {number}"):
                finite, stop = step(tf.constant(batches(number)), seed, signals.came is not None)
                poisoned = _non_finite(finite)
            if poisoned:
                raise DivergedError(f"{poisoned}: not finite at step {number}")
            if stop:
                raise StoppedError(signals.came or signal.SIGTERM)
    log("done; what was trained is worker 0's to write")


def _non_finite(finite: dict[str, Any]) -> str:
    """The names of what is not finite, with commas between."""
    return ", ".join(name for name, good in finite.items() if not good)


def _refuse_existing(folders: RunFolders) -> None:
    """Raises UserError where the name is taken; folders without a file belong to nobody."""
    for folder in (folders.logs, folders.figures):
        taken = check_path(folder.exists)
        if check_path(
            folder.is_dir
        ):  # a run killed before its record was whole left nothing to keep
            taken = any(path.is_file() and path.suffix != ".part" for path in folder.rglob("*"))
        if taken:
            raise UserError(
                f"run {folders.name}: exists already; choose another --run, or --resume to go on"
                " with it"
            )


def _make_folders(folders: RunFolders) -> None:
    """The folders of a run; where one cannot be made, none of the new ones stays behind."""
    wanted = (
        folders.checkpoints,
        folders.logs / "episodes",
        folders.frame(0).parent,
        folders.figures,
    )
    own = (folders.logs.parent, folders.logs, folders.figures.parent, *wanted)
    new = [folder for folder in own if not check_path(folder.exists)]
    try:
        for folder in wanted:
            make_folder(folder)
        if not os.access(folders.logs, os.W_OK):
            raise UserError(f"{folders.logs}: cannot be written (permission denied); name another")
    except UserError:
        for folder in reversed(new):
            with suppress(OSError):  # not empty: another run is in it by now
                folder.rmdir()
        raise


def trace(
    system: System, images: np.ndarray, labels: np.ndarray, batch_size: int
) -> tuple[Callable[..., None], Callable[..., dict], Callable[..., tuple]]:
    """The step and the evaluation of `system` as graphs, and `take`, which gathers a batch.

    The data (uint8 [N, 28, 28] and [N]) is held once; a step gathers its batch inside its graph,
    so indices [batch_size] and a seed [2] are all that Python hands to it. Each is traced once,
    without AutoGraph: no graph here branches on a tensor, and rewriting the code that says so took
    half of the tracing.
    """
    take = make_gather(images, labels)
    batch = tf.TensorSpec([batch_size], tf.int32, name="indices")
    seed = tf.TensorSpec([2], tf.int32, name="seed")
    step = tf.function(
        lambda indices, seed: system.step(*take(indices), seed),
        input_signature=[batch, seed],
        autograph=False,
    )
    evaluate = tf.function(
        system.evaluate,
        input_signature=[
            tf.TensorSpec([None, 28, 28, 1], tf.float32),
            tf.TensorSpec([None], tf.int32),
            seed,
        ],
        autograph=False,
    )
    return step, evaluate, take


class _Loop:
    """The schedule: episodes of batches, what is written on the way, and how it stops."""

    def __init__(
        self,
        config: Config,
        folders: RunFolders,
        dataset: Dataset,
        system: System,
        place: Console,
        log: Log,
        shared: Replicas | None = None,
    ):
        self._config, self._folders, self._dataset = config, folders, dataset
        self._system, self._console, self._log = system, place, log
        self._batches = Batches(len(dataset.images), config.batch_size, config.seed)
        self._sampler = Sampler(system)
        self._score = EpisodeMonitor(dataset.images, config.seed)
        self._checkpoints = Checkpoints(folders.checkpoints, system.state)
        self._saved: int | None = None  # the step of the newest checkpoint
        self._signals, self._shared = Signals(), shared
        self.step, self.evaluate, self._take = trace(
            system, dataset.images, dataset.labels, config.batch_size
        )
        if shared:
            self.step = shared.trace(dataset.images, dataset.labels, config.batch_size)

    @property
    def done(self) -> int:
        """The step that the state is of."""
        return self._saved or 0

    def restore(self) -> None:
        """Go back to the newest whole checkpoint, and remove what was written after it or cut off.

        A run that was stopped before any later checkpoint than that of step 0 begins again.
        """
        newest = self._checkpoints.newest()
        if newest == 0 or (newest is None and not _has_content(self._folders.metrics)):
            self._log(f"NOTE: {self._folders.checkpoints}: none after step 0; beginning again")
        else:
            self._saved = self._checkpoints.restore(self._log)
            self._log(f"resuming {self._folders.name} after step {self._saved}")
        done = -1 if self._saved is None else self._saved  # nothing of a step 0 that is done again
        forget_after(self._folders, done, done // self._config.batches)
        forget_events_after(self._folders.logs, done)
        self._checkpoints.sweep(done)
        for folder in (self._folders.logs, self._folders.figures):
            for aside in folder.rglob(".*.part"):
                aside.unlink(missing_ok=True)

    def run(self) -> None:
        """Train from the first step, or from the restored one, to the last."""
        begins, done = self._saved is None, self.done
        graph = named_graph(self.step.get_concrete_function())
        events = EventWriter(self._folders.logs)
        if begins:
            events.start(self._config.to_dict(), graph)
        with (
            self._signals,
            _open_to_append(self._folders.metrics) as metrics,
            progress_display(
                self._console, done, self._config.total_steps, self._config.episodes, self._log
            ) as shown,
        ):
            if begins:
                save_real_images(self._folders, self._dataset.images, self._dataset.labels)
                save_frame(self._folders, 0, self._sampler, self._config)
                self._checkpoints.save(0)
                self._saved = 0
            self._train(done, metrics, events, shown)
        events.close()

    def _train(self, done: int, metrics: TextIO, events: EventWriter, shown: Bar | Lines) -> None:
        config = self._config
        clock, timed = time.perf_counter(), 0
        for step in range(done + 1, config.total_steps + 1):
            indices = tf.constant(self._batches(step))
            asked = self._advance(indices, step)
            timed += 1
            ms = 1e3 * (time.perf_counter() - clock) / timed  # of steps, and of nothing else
            episode = -(-step // config.batches)
            ends_episode = step % config.batches == 0
            logs = step % config.log_every == 0 or ends_episode
            frames = episode == 1 and (step % config.frame_every == 0 or ends_episode)
            if frames:
                save_frame(self._folders, step, self._sampler, config)
            if logs:
                values = self._scalars(*self._take(indices), step)
                line = {"step": step, "episode": episode} | values
                if ends_episode:
                    line |= self._end_episode(episode, step, events, shown)
                line["ms_per_step"] = round(ms, 3)
                metrics.write(json.dumps(line) + "\n")
                events.scalars(step, {k: v for k, v in line.items() if k not in _NOT_SCALARS})
                shown.show(step, episode, values, ms)
            stop = asked if self._shared else self._signals.came
            saves = step % config.checkpoint_every == 0 or ends_episode or stop
            if saves:
                metrics.flush()
                os.fsync(metrics.fileno())
                events.flush()  # what the checkpoint vouches for is on disk before it
                self._checkpoints.save(step)
                self._saved = step
            if stop:
                raise StoppedError(stop)
            if logs or saves or frames:
                clock, timed = time.perf_counter(), 0

    def _advance(self, indices: tf.Tensor, step: int) -> int | None:
        """Train; answers the signal that, of one worker or another, is to stop them all."""
        seed = tf.constant(seed_of(self._config.seed, STEPS, step))
        if self._shared is None:
            self._refuse_divergence(self.step(indices, seed), step)
            return None
        came = self._signals.came
        with worker_lost(f"at step {step}"):
            finite, stop = self.step(indices, seed, came is not None)
            self._refuse_divergence(finite, step)
            return (came or signal.SIGTERM) if stop else None

    def _scalars(self, images: tf.Tensor, labels: tf.Tensor, number: int) -> dict[str, float]:
        values = self.evaluate(
            images, labels, tf.constant(seed_of(self._config.seed, EVALUATIONS, number))
        )
        self._refuse_divergence({tag: np.isfinite(v) for tag, v in values.items()}, number)
        return {tag: round(float(value), 6) for tag, value in values.items()}

    def _refuse_divergence(self, finite: dict[str, Any], step: int) -> None:
        """Before anything of `step` is saved: what is poisoned is never put over what is good."""
        poisoned = _non_finite(finite)
        if poisoned:
            raise DivergedError(
                f"{poisoned}: not finite at step {step}; checkpoint {self._saved} in"
                f" {self._folders.checkpoints} is from before; lower the learning_rate"
            )

    def _end_episode(self, episode: int, step: int, events, shown) -> dict[str, float]:
        """The losses on 50 held-out images, the judge's word, the generator, and its grid."""
        images = to_unit(tf.constant(self._dataset.held_out_images[:HELD_OUT_LOSS]))
        labels = tf.constant(self._dataset.held_out_labels[:HELD_OUT_LOSS].astype(np.int32))
        values = self._scalars(images, labels, step)
        shown.log(f"episode {episode} on {HELD_OUT_LOSS} held-out images: " + format_losses(values))
        score = self._score(self._sampler)
        shown.log(f"episode {episode} by the judge: " + format_scores(score))
        save_generator(self._folders.episode(episode), self._system)
        shuffled = shuffled_grid(self._sampler, self._config, episode, self._dataset.title)
        grids.save(shuffled, self._folders.picture(episode))
        events.image(step, "digits/shuffled", grids.pixels(shuffled))
        fixed = fixed_grid(self._sampler, self._config, episode, self._dataset.title)
        grids.save(fixed, self._folders.figures / f"fixed_{episode:02d}.png")
        events.image(step, "digits/fixed_noise", grids.pixels(fixed))
        return {f"held_out/{tag}": value for tag, value in values.items()} | score


_NOT_SCALARS = ("step", "episode")


def _log_summary(
    folders: RunFolders, dataset: Dataset, config: Config, asked: bool, log: Log
) -> None:
    last = folders.picture(config.episodes)
    log(f"trained on {dataset.title}; digits of the last episode: {last}")
    log(f"losses, class sheet, progression: {folders.figures}; all numbers: {folders.logs}")
    use = f"make generate NUMBER=241256 RUN={folders.name}" if asked else "make evaluate"
    log(f"next: make tensorboard   or   {use}")


def _has_content(path: Path) -> bool:
    return check_path(path.is_file) and path.stat().st_size > 0


def _open_to_append(path: Path) -> TextIO:
    try:
        return open(path, "a")
    except OSError as error:
        raise cannot_write(path, error) from None


def _refuse_other_config(folders: RunFolders, recorded: Config, wanted: Config) -> None:
    keys = [key for key in wanted.differences(recorded) if key != "episodes"]
    if keys:
        raise UserError(
            f"run {folders.name}: cannot resume with another {', '.join(keys)};"
            " leave them out, or train a new run"
        )
    if wanted.episodes < recorded.episodes:
        raise UserError(f"run {folders.name}: --episodes may grow on resume, not shrink")


def _new_record(folders, config, started, dataset, precision) -> dict[str, Any]:
    return {
        "run": folders.name,
        "config": config.to_dict(),
        "started": f"{started:%Y-%m-%dT%H:%M:%S.%fZ}",
        "ended": None,
        "outcome": "running",
        "data": dataset.name,
        "data_title": dataset.title,
        "data_source": dataset.source,
        "data_digest": dataset.digest,
        "precision": precision,
        "device": [device.device_type for device in tf.config.list_logical_devices()],
        **provenance.description(),
        "git_revision": git_revision(),
        "command": ["python", "-m", "gan3", *sys.argv[1:]],
    }
