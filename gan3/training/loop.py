"""The training loop: the schedule around the step, and what is written on the way."""

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
import tensorflow as tf
from rich.console import Console

from gan3.core.classes import noun, nouns
from gan3.core.config import RunConfig
from gan3.core.errors import DivergedError, StoppedError
from gan3.core.log import Log
from gan3.core.seeds import EVALUATIONS, HELD_OUT, STEPS, seed_of
from gan3.data.batches import Batches, make_gather, to_unit
from gan3.data.idx import Arrays
from gan3.plots import grids
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.run import Run
from gan3.runs.tensorboard import EventWriter, learning_rates, named_graph
from gan3.runs.tensorboard import forget_after as forget_events_after
from gan3.runs.trained import generator_now, save_generator
from gan3.training import progress
from gan3.training.interruption import Signals, exclusive_lock
from gan3.training.progress import Display
from gan3.training.run_figures import draw, fixed_grid, save_frame, save_real_images, shuffled_grid
from gan3.training.session import (
    Session,
    make_folders,
    open_session,
    set_initial_weights,
)

if TYPE_CHECKING:
    from gan3.method.system import System

OnMetrics = Callable[[dict[str, float]], object]
"""Gets each line of metrics.jsonl as a dict, when it has been written."""
HELD_OUT_LOSS = 50  # held-out images for the losses after each episode, other ones each time
_NOT_SCALARS = ("step", "episode")


def train(
    config: RunConfig,
    run: Run,
    *,
    data: str | Arrays | None = None,
    resume: bool = False,
    log: Log | None = None,
    on_metrics: OnMetrics | None = None,
    train_judge: bool = False,
) -> None:
    """Train by the schedule of `config`, writing the files of `run`; errors as of `gan3.train`.

    The first line that is logged and the last one name the data set, as all figure titles do.

    Args:
        data, on_metrics, train_judge: as `gan3.train` has them; a resumed run has data of its own.
        resume: continue the run from its newest checkpoint.
        log: gets each line; by default they are printed, in a terminal above a progress bar.
    """
    terminal = progress.console() if log is None else None
    log = log or terminal.print
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same bits
    session = open_session(run, config, data, log, resumes=resume, train_judge=train_judge)
    digit_loss = "softmax_mean" if session.system.has_classifier else None
    log(progress.explained_losses(getattr(config, "digit_loss", digit_loss)))
    with exclusive_lock(run):
        if not resume:
            run.refuse_existing()  # another process may have trained it since the first check
        loop = _Loop(session, terminal, log, on_metrics)
        if resume:
            loop.restore()  # first, because it fails without any change to the run
            make_folders(run)
        with session.recorded():
            loop.run()
            # A run is done when its figures are drawn: until then it can be resumed.
            draw(run, log)
    log(f"metrics, events and checkpoints: {run.folder}")
    names, last = session.dataset.class_names, run.picture(run.episodes[-1])
    log(f"trained on {session.dataset.title}; {nouns(names)} of the last episode: {last}")


def trace(
    system: "System", images: np.ndarray, labels: np.ndarray, batch_size: int
) -> tuple[Callable[..., dict], Callable[..., dict], Callable[..., tuple]]:
    """The training step and the evaluation of `system` as graphs, and what gathers a batch.

    The data (uint8 [N, 28, 28] and [N]) is held once on the device; a step gathers its batch inside
    its graph, so Python passes it only indices [batch_size] and a seed [2]. Each graph is traced
    once, without AutoGraph: no Python code in it branches on a tensor, and AutoGraph's rewriting
    took half of the tracing time.
    """
    gather = make_gather(images, labels)
    indices = tf.TensorSpec([batch_size], tf.int32, name="indices")
    seed = tf.TensorSpec([2], tf.int32, name="seed")
    step = tf.function(
        lambda indices, seed: system.train_step(*gather(indices), seed),
        input_signature=[indices, seed],
        autograph=False,
    )
    batch = [tf.TensorSpec([None, 28, 28, 1], tf.float32), tf.TensorSpec([None], tf.int32)]
    evaluate = tf.function(system.evaluate, input_signature=[*batch, seed], autograph=False)
    return step, evaluate, gather


class SeveralSteps:
    """Several training steps as one graph, which saves the time between two calls.

    Called with indices [steps, batch_size] and seeds [steps, 2]; its flags, called `names`, are
    false if any of its steps' were. The weights do not depend on how the steps are divided into
    calls. One thread executes the graph: its ops are too short to be worth a switch of threads, and
    in a loop TensorFlow's sums of several tensors have the order in which threads finish with them.
    """

    def __init__(
        self,
        system: "System",
        gather: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]],
        batch_size: int,
        names: list[str],
    ):
        def all_of(indices: tf.Tensor, seeds: tf.Tensor) -> dict[str, tf.Tensor]:
            def body(i: tf.Tensor, finite: dict[str, tf.Tensor]) -> tuple:
                now = system.train_step(*gather(indices[i]), seeds[i])
                return i + 1, {name: flag & now[name] for name, flag in finite.items()}

            start = tf.constant(0), {name: tf.constant(True) for name in names}
            return tf.while_loop(lambda i, _: i < tf.shape(indices)[0], body, start)[1]

        indices = tf.TensorSpec([None, batch_size], tf.int32, name="indices")
        seeds = tf.TensorSpec([None, 2], tf.int32, name="seeds")
        self._steps = tf.function(all_of, input_signature=[indices, seeds], autograph=False)

    def __call__(self, indices: np.ndarray, seeds: np.ndarray) -> dict[str, tf.Tensor]:
        # Also at the first call, which traces: a loop for several threads is another graph.
        with tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR"):
            return self._steps(tf.constant(indices), tf.constant(seeds))


class _Loop:
    """The schedule: episodes of batches, what is written on the way, and how it stops."""

    def __init__(
        self, session: Session, terminal: Console | None, log: Log, on_metrics: OnMetrics | None
    ):
        config, dataset, system = session.config, session.dataset, session.system
        self._config, self._run, self._dataset = config, session.run, dataset
        self._record = session.record
        self._system, self._terminal, self._log = system, terminal, log
        self._batches = Batches(len(dataset.images), config.batch_size, config.seed, config.shuffle)
        held_out_seed = (config.seed, HELD_OUT, 1)  # [seed, 9, 0] would be training epoch 9
        self._held_out = Batches(len(dataset.held_out_images), HELD_OUT_LOSS, held_out_seed)
        self._monitor = session.monitor
        keep_all = config.keep_checkpoints
        self._checkpoints = Checkpoints(session.run.checkpoints, system.state, keep_all)
        self._saved: int | None = None  # the step of the newest checkpoint
        self._signals = Signals()
        self._on_metrics = on_metrics
        self._failure: Exception | None = None  # what `on_metrics` raised; it stops the run
        self.step, self.evaluate, self._gather = trace(
            system, dataset.images, dataset.labels, config.batch_size
        )
        if config.steps_per_call > 1:
            names = list(self.step.get_concrete_function().structured_outputs)
            self._several = SeveralSteps(system, self._gather, config.batch_size, names)

    def restore(self) -> None:
        """Restore the newest complete checkpoint, and remove what was written after it.

        A run that was stopped before its first checkpoint after step 0 starts again.
        """
        newest = self._checkpoints.newest()
        if newest == 0 or (newest is None and not self._run.has_metrics):
            self._log(f"NOTE: {self._run.checkpoints}: none after step 0; starting again")
            set_initial_weights(self._system, self._config, self._run, self._log)
        else:
            self._saved = self._checkpoints.restore(self._log)
            self._log(f"resuming {self._run.name} after step {self._saved}")
        done = -1 if self._saved is None else self._saved  # -1: step 0 itself is done again
        self._run.forget_after(done, done // self._config.batches)
        forget_events_after(self._run.folder, done)
        self._checkpoints.sweep(done)
        for folder in (self._run.folder, self._run.figures):
            for unfinished in folder.rglob(".*.part"):
                unfinished.unlink(missing_ok=True)

    def run(self) -> None:
        """Train from the first step, or from the restored one, to the last."""
        config, done = self._config, self._saved or 0
        graph = named_graph(self.step.get_concrete_function())
        events = EventWriter(self._run.folder)
        if self._saved is None:
            events.start(self._record, graph)
        with (
            self._signals,
            self._run.metrics_file.open("a", encoding="utf-8") as metrics,
            progress.progress_display(
                self._terminal, done, config.total_steps, config.episodes, self._log
            ) as display,
        ):
            episode, rest = divmod(done, config.batches)
            if episode and not rest and not self._run.episode_file(episode).exists():
                self._save_generator(episode)
            if not self._run.real_file.exists():
                dataset = self._dataset
                names = dataset.class_names
                save_real_images(self._run, dataset.images, dataset.labels, names)
            if self._saved is None:
                save_frame(self._run, 0, generator_now(config, self._system), config)
                self._checkpoints.save(0)
                self._saved = 0
                self._write_line(metrics, events, 0, {"episode": 1} | self._scalars_before(1))
                if self._failure is not None:
                    raise self._failure
            self._train(done, metrics, events, display)
            if self._signals.received:  # after the last step
                raise StoppedError(self._signals.received)
        events.close()

    def _train(self, done: int, metrics: TextIO, events: EventWriter, display: Display) -> None:
        config = self._config
        clock, timed_steps, step = time.perf_counter(), 0, done
        while step < config.total_steps and not self._has_stalled(step):
            # One training step, or several in one call of the graph
            first, step = step + 1, self._end_of_call(step)
            self._advance(first, step)
            stop_signal = self._signals.received
            timed_steps += step - first + 1
            ms = 1e3 * (time.perf_counter() - clock) / timed_steps  # training steps only
            episode = -(-step // config.batches)
            ends_episode = step % config.batches == 0

            # Frames, scalars and the end of an episode
            saves_frame = episode == 1 and (step % config.frame_every == 0 or ends_episode)
            if saves_frame:
                save_frame(self._run, step, generator_now(config, self._system), config)
            logs = step % config.log_every == 0 or ends_episode
            if logs:
                values = self._scalars_before(step + 1)
                line = {"episode": episode} | values
                if ends_episode:
                    line |= self._end_episode(episode, step, events)
                line["ms_per_step"] = round(ms, 3)
                self._write_line(metrics, events, step, line)
                display.show(step, episode, values, ms)

            # Checkpoint, and stop if requested
            stops = stop_signal or self._failure
            saves = step % config.checkpoint_every == 0 or ends_episode or stops
            if saves:
                metrics.flush()
                os.fsync(metrics.fileno())
                events.flush()  # everything up to a checkpoint's step is on disk before it
                self._checkpoints.save(step)
                self._saved = step
            if stop_signal:
                raise StoppedError(stop_signal)
            if self._failure is not None:
                raise self._failure
            if logs or saves or saves_frame:
                clock, timed_steps = time.perf_counter(), 0

    def _has_stalled(self, step: int) -> bool:
        """Whether the last `patience` episodes brought no better distance. If so, logs why.

        It reads metrics.jsonl, so that a resumed run stops where one without the interruption does.
        """
        patience, (episode, rest) = self._config.patience, divmod(step, self._config.batches)
        if not patience or rest or episode <= patience:
            return False
        best = self._run.best_episode()
        if best + patience > episode:
            return False
        since = f"no Fréchet distance below that of episode {best}"
        self._log(f"stopped after episode {episode}: {since} for {patience} episodes")
        return True

    def _end_of_call(self, step: int) -> int:
        """The last step of the next call of the graph: no later than anything that is written."""
        config = self._config
        intervals = [config.log_every, config.checkpoint_every, config.batches]
        if step < config.batches:
            intervals.append(config.frame_every)
        next_stops = ((step // interval + 1) * interval for interval in intervals)
        return min(step + config.steps_per_call, *next_stops)

    def _advance(self, first: int, step: int) -> None:
        """Train from step `first` to `step`."""
        steps = range(first, step + 1)
        indices = np.stack([self._batches(i) for i in steps])  # [steps, batch_size]
        seeds = np.array([seed_of(self._config.seed, STEPS, i) for i in steps], np.int32)
        if self._config.steps_per_call > 1:
            finite = self._several(indices, seeds)
        else:
            finite = self.step(tf.constant(indices[0]), tf.constant(seeds[0]))
        self._refuse_divergence(finite, step, first)

    def _scalars_before(self, step: int) -> dict[str, float]:
        """The losses and accuracies on the batch of `step` before that step trains on it."""
        seed = seed_of(self._config.seed, EVALUATIONS, step - 1)
        return self._scalars(*self._gather(tf.constant(self._batches(step))), seed, step - 1)

    def _scalars(
        self, images: tf.Tensor, labels: tf.Tensor, seed: tuple[int, int], step: int
    ) -> dict[str, float]:
        """The system's losses and accuracies on a batch after `step` steps."""
        values = self.evaluate(images, labels, tf.constant(seed))
        self._refuse_divergence({tag: np.isfinite(v) for tag, v in values.items()}, step)
        return {tag: round(float(value), 6) for tag, value in values.items()}

    def _refuse_divergence(
        self, finite: dict[str, Any], step: int, first: int | None = None
    ) -> None:
        """Raises DivergedError before anything of `step`, or of those since `first`, is saved."""
        names = ", ".join(name for name, is_finite in finite.items() if not is_finite)
        if names:
            since = "" if first in (None, step) else f"{first} to "
            raise DivergedError(
                f"{names}: not finite at step {since}{step}; checkpoint {self._saved} in"
                f" {self._run.checkpoints} is from before; lower the learning_rate"
            )

    def _end_episode(self, episode: int, step: int, events: EventWriter) -> dict[str, float]:
        """Losses on held-out images, the judge's scores, the generator's weights, its grids."""
        config, title = self._config, self._dataset.title
        indices = self._held_out(episode)
        images = to_unit(tf.constant(self._dataset.held_out_images[indices]))
        labels = tf.constant(self._dataset.held_out_labels[indices].astype(np.int32))
        seed = seed_of(config.seed, HELD_OUT, episode)
        values = self._scalars(images, labels, seed, step)
        held_out = progress.format_losses(values, noun(self._dataset.class_names))
        self._log(f"episode {episode} on {HELD_OUT_LOSS} held-out images: {held_out}")
        generator = generator_now(config, self._system)
        score = self._monitor(generator) if self._monitor else {}
        if score:
            scores = progress.format_scores(score, len(generator.class_names))
            self._log(f"episode {episode} by the judge: {scores}")
        self._save_generator(episode)
        shuffled = shuffled_grid(generator, config, episode, title)
        grids.save(shuffled, self._run.picture(episode))
        events.image(step, "digits/shuffled", grids.pixels(shuffled))
        fixed = fixed_grid(generator, config, episode, title)
        grids.save(fixed, self._run.figures / f"fixed_{episode:02d}.png")
        events.image(step, "digits/fixed_noise", grids.pixels(fixed))
        events.histograms(step, self._system.generator_weights)
        events.scalars(step, learning_rates(self._system))
        return {f"held_out/{tag}": value for tag, value in values.items()} | score

    def _save_generator(self, episode: int) -> None:
        file = self._run.episode_file(episode)
        save_generator(file, self._system, self._config.keep_critics)

    def _write_line(
        self, metrics: TextIO, events: EventWriter, step: int, line: dict[str, float]
    ) -> None:
        """Write one line of metrics.jsonl, and its values to TensorBoard and `on_metrics`."""
        metrics.write(json.dumps({"step": step} | line) + "\n")
        events.scalars(step, {k: v for k, v in line.items() if k not in _NOT_SCALARS})
        if self._on_metrics is not None:
            try:
                self._on_metrics({"step": step} | line)
            except Exception as error:  # whatever a user's function raises
                self._failure = error  # raised once the state of this step is saved
