"""The progress of a training run: a progress bar in a terminal, plain lines anywhere else.

In these lines D is the discriminator, C the determinator (a classifier) and G the generator, whose
loss has two parts.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from gan3.core.log import Log

_LOSSES = (
    "loss/discriminator",
    "loss/determinator",
    "loss/generator_real",
    "loss/generator_digit",
)
_STEPS_PER_LINE = 50  # without a terminal


class _Console(Console):
    """A console with which training goes on when the reader of a pipe is gone, as with `| head`."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console() -> Console:
    """The console of a run's output: wraps long lines in a terminal, never in a pipe."""
    if sys.stdout is None:  # it was closed before the start
        return _Console(highlight=False, markup=False, quiet=True, file=io.StringIO())
    return _Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def format_losses(values: dict[str, float], noun: str = "digit") -> str:
    """One line with the losses at the end of an episode; `noun` is what a class is called."""
    return _losses(values, "  ", " (real) + ", f" ({noun})", "{:.3g}".format)


def explained_losses(digit_loss: str | None) -> str:
    """One line that says what the letters of the losses are.

    digit_loss: of the determinator or class head; None if there is neither.
    """
    if digit_loss is None:
        return "losses: D discriminator, G generator (means)"
    kind = "means" if digit_loss.endswith("mean") else "C and second of G sums, others means"
    return f"losses: D discriminator, C determinator, G generator ({kind})"


def format_scores(score: dict[str, float], classes: int = 10) -> str:
    """One line with the judge's metrics at the end of an episode of `classes` classes."""
    distance = f"Fréchet distance {score['judge/frechet_distance']:.3g}"
    if "judge/label_accuracy" in score:
        return f"label accuracy {score['judge/label_accuracy']:.1%}, {distance}"
    return f"{score['judge/classes_covered']:.0f} of {classes} classes covered, {distance}"


def status(
    step: int, total: int, episode: int, episodes: int, values: dict[str, float], ms: float
) -> str:
    """Episode, step, losses, time per step and time left, in at most 80 columns.

    values: losses by tag. ms: milliseconds per step.
    """
    seconds = int((total - step) * ms / 1000)
    left = f"{seconds // 60}:{seconds % 60:02d}" if seconds < 6000 else f"{seconds / 3600:.1f} h"
    return (
        f"episode {episode}/{episodes} step {step}/{total}"
        f" {_losses(values, ' ', '+', '', _short)} {ms:.0f} ms {left} left"
    )


def _losses(
    values: dict[str, float],
    gap: str,
    after_real: str,
    after_digit: str,
    shown: Callable[[float], str],
) -> str:
    """D and G; with a determinator also C and the second part of G's loss."""
    d, c, g_real, g_digit = (shown(values[tag]) if tag in values else "-" for tag in _LOSSES)
    if "loss/determinator" not in values:
        return f"D {d}{gap}G {g_real}"
    return f"D {d}{gap}C {c}{gap}G {g_real}{after_real}{g_digit}{after_digit}"


class Display:
    """Shows how far training is: a bar at the bottom of a terminal, a line every 50 steps else."""

    def __init__(self, total: int, episodes: int, log: Log, progress: Progress | None = None):
        self._total, self._episodes, self._log, self._progress = total, episodes, log, progress

    def show(self, step: int, episode: int, values: dict[str, float], ms: float) -> None:
        """Show the status; called at every logged step."""
        text = status(step, self._total, episode, self._episodes, values, ms)
        if self._progress is not None:
            self._progress.update(TaskID(0), completed=step, status=text, refresh=True)
        elif step % _STEPS_PER_LINE == 0 or step == self._total:
            self._log(text)


@contextmanager
def progress_display(
    output: Console | None, done: int, total: int, episodes: int, log: Log
) -> Iterator[Display]:
    """A bar if `output` is a terminal, below what it prints; otherwise plain lines to `log`.

    done, total: steps that are already done, and steps of the whole run.
    """
    if output is None or not output.is_terminal:
        yield Display(total, episodes, log)
        return
    columns = BarColumn(bar_width=10), TextColumn("{task.fields[status]}", markup=False)
    with Progress(*columns, console=output, auto_refresh=False) as progress:
        progress.add_task("", total=total, completed=done, status="starting")
        progress.refresh()
        yield Display(total, episodes, log, progress)


def _short(value: float) -> str:
    """Three digits, one of a value below .001: it has an exponent."""
    return f"{value:.1g}" if 0 < abs(value) < 0.001 else f"{value:.3g}"
