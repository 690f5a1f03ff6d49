"""What a user sees while it trains: one bar in a terminal, plain lines anywhere else.

D is the discriminator, C the determinator, G the generator, whose loss has two parts.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

_LOSSES = (
    "loss/discriminator",
    "loss/determinator",
    "loss/generator_real",
    "loss/generator_digit",
)
_PLAIN_LINE_EVERY = 50  # steps, where there is no terminal


class _Console(Console):
    """Falls silent where its reader goes away, as `| head` does; the run goes on to its end."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def console() -> Console:
    """Where a run says what it does: folded between words in a terminal, never in a pipe."""
    return _Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())


def format_losses(values: dict[str, float]) -> str:
    """The losses of an episode's end."""
    return _losses(values, "  ", " (real) + ", " (digit)")


def format_scores(score: dict[str, float]) -> str:
    """The judge's figures at an episode's end."""
    distance = f"Frechet distance {score['judge/frechet_distance']:.3g}"
    if "judge/label_accuracy" in score:
        return f"{score['judge/label_accuracy']:.1%} of its digits read as asked, {distance}"
    return f"{score['judge/classes_covered']:.0f} of ten digits found, {distance}"


def status(
    step: int, total: int, episode: int, episodes: int, values: dict[str, float], ms: float
) -> str:
    """Episode, step, the losses, ms a step, time left; at most 80 columns."""
    left = int((total - step) * ms / 1000)
    clock = f"{left // 60}:{left % 60:02d}" if left < 6000 else f"{left / 3600:.1f} h"
    return (
        f"episode {episode}/{episodes} step {step}/{total}"
        f" {_losses(values, ' ', '+', '')} {ms:.0f} ms {clock} left"
    )


def _losses(values: dict[str, float], gap: str, real: str, digit: str) -> str:
    """D and G of any system, C and the second part of G where there is a determinator."""
    d, c, passes, shows = (f"{values[tag]:.3g}" if tag in values else "-" for tag in _LOSSES)
    if "loss/determinator" not in values:
        return f"D {d}{gap}G {passes}"
    return f"D {d}{gap}C {c}{gap}G {passes}{real}{shows}{digit}"


class Lines:
    """Plain lines, one every 50 steps, for logs and pipes."""

    def __init__(self, total: int, episodes: int, log: Callable[[str], None]):
        self._total, self._episodes, self.log = total, episodes, log

    def show(self, step: int, episode: int, values: dict[str, float], ms: float) -> None:
        """Called at every logged step."""
        if step % _PLAIN_LINE_EVERY == 0 or step == self._total:
            self.log(status(step, self._total, episode, self._episodes, values, ms))


class Bar:
    """One bar at the foot of a terminal, the lines of the episodes above it."""

    def __init__(self, total: int, episodes: int, progress: Progress, task: TaskID):
        self._total, self._episodes = total, episodes
        self._progress, self._task = progress, task

    def log(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._progress.console.print(line)

    def show(self, step: int, episode: int, values: dict[str, float], ms: float) -> None:
        """Called at every logged step."""
        text = status(step, self._total, episode, self._episodes, values, ms)
        self._progress.update(self._task, completed=step, status=text, refresh=True)


@contextmanager
def progress_display(
    place: Console, done: int, total: int, episodes: int, log: Callable[[str], None]
) -> Iterator[Bar | Lines]:
    """The bar where `place` is a terminal, else plain lines to `log`."""
    if not place.is_terminal:
        yield Lines(total, episodes, log)
        return
    columns = BarColumn(bar_width=10), TextColumn("{task.fields[status]}", markup=False)
    with Progress(*columns, console=place, auto_refresh=False) as bar:
        task = bar.add_task("", total=total, completed=done, status="the first steps …")
        bar.refresh()
        yield Bar(total, episodes, bar, task)
