"""Report cards of several runs side by side."""

import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gan3.core.classes import DIGITS, are_class_names, images_noun
from gan3.core.config import RunConfig, as_text
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.core.options import PNG, Output
from gan3.evaluation.card import Card
from gan3.evaluation.metrics import METRICS, Metric
from gan3.plots import grids
from gan3.plots.sweeps import Pair, tradeoff

if TYPE_CHECKING:
    from gan3.runs.run import Run

_WIDTH, _TITLE_WIDTH = 80, 29  # columns of a terminal, and those for the metrics' titles
_COLUMNS = 3  # next to each other in a terminal


class Comparison(NamedTuple):
    """A table with a row per metric; its last column is real digits."""

    data_title: str
    rows: list[tuple[Metric, list[str], set[int]]]  # metric, texts, which columns are the best
    means: dict[str, dict[str, float]]  # by column title and metric, the mean over the runs

    @property
    def columns(self) -> list[str]:
        return list(self.means)

    def tradeoffs(self) -> list[Pair]:
        """The metrics of diversity and of quality that are drawn against each other."""
        real, pairs = self.means[self.columns[-1]], []
        for x, diversity in METRICS.items():
            y = next((name for name in diversity.against.split() if name in real), None)
            if y is not None and x in real:
                titles = f"{diversity.title} (diversity)", f"{METRICS[y].title} (quality)"
                pairs.append(Pair(x, y, *titles, diversity.logit))
        return pairs

    def save(self, path: Path, output: Output = PNG) -> Path | None:
        """Write the picture of quality against diversity, and return its path.

        None, and no picture, if there are no metrics of both.
        """
        pairs = self.tradeoffs()
        if not pairs:
            return None
        make_folder(path.parent)
        figure = tradeoff(self.means, pairs, f"{self.data_title} · accuracy against diversity")
        return grids.save(figure, path, output)

    def text(self) -> str:
        """The table in lines of at most 80 characters, with a star before the best of each row.

        Three columns are next to each other, and the next three below.
        """
        console = Console(file=io.StringIO(), width=_WIDTH, color_system=None)
        for first in range(0, len(self.columns), _COLUMNS):
            shown = range(first, min(first + _COLUMNS, len(self.columns)))
            table = Table(box=None, pad_edge=False)
            table.add_column(max_width=_TITLE_WIDTH)
            table.add_column()
            for i in shown:
                table.add_column(Text(self.columns[i]), justify="right", overflow="fold")
            for metric, texts, best in self.rows:
                starred = [f"* {texts[i]}" if i in best else texts[i] for i in shown]
                table.add_row(metric.title, metric.arrow, *map(Text, starred))
            console.print(table)
            console.print()
        return "\n".join(map(str.rstrip, console.file.getvalue().splitlines())).rstrip()

    def markdown(self) -> list[str]:
        """A Markdown table, a row per metric; the best of each row is bold."""
        return markdown_table(["", *self.columns], self._bold_rows())

    def markdown_transposed(self) -> list[str]:
        """A Markdown table with a column per metric, for many runs."""
        titles, *rows = zip(["", *self.columns], *self._bold_rows(), strict=True)
        return markdown_table(titles, rows)

    def _bold_rows(self) -> list[list[str]]:
        rows = []
        for metric, texts, best in self.rows:
            bold = [f"**{text}**" if i in best else text for i, text in enumerate(texts)]
            rows.append([metric.full_title, *bold])
        return rows


def compare(runs: Iterable["Run"], by_experiment: bool = False) -> Comparison:
    """The cards of runs side by side.

    Args:
        by_experiment: put runs of one experiment into one column, mean ± standard deviation. Runs
            whose settings differ from those of its first run are in other columns, which name the
            differences.

    Raises:
        UserError: a run has no card, two have one name, or the cards are of different judges, data
            or splits.
    """
    groups: dict[str, dict[str, Card]] = {}
    seeds: dict[str, set[int]] = {}
    first: dict[str, RunConfig] = {}  # config by experiment
    for run in runs:
        card, config, column = read_card(run), run.config, run.name
        if by_experiment:
            changed = config.differences(first.setdefault(card.values["experiment"], config))
            values = [f"{key}={as_text(getattr(config, key))}" for key in changed if key != "seed"]
            column = ", ".join([card.values["experiment"], *values])
        column = label_of(column, card, config)
        if run.name in groups.setdefault(column, {}):
            raise UserError(f"{run.folder}: a second run {run.name}; give its folder another name")
        groups[column][run.name] = card
        seeds.setdefault(column, set()).add(config.seed)
    return side_by_side(
        {_with_count(column, len(cards), seeds[column]): cards for column, cards in groups.items()}
    )


def _with_count(column: str, runs: int, seeds: set[int]) -> str:
    if runs == 1:
        return column
    return f"{column} ({runs} {'seeds' if len(seeds) == runs else 'runs'})"


def label_of(name: str, card: Card, config: RunConfig, separator: str = ", ") -> str:
    """The title of a card's column: `name`, and in what the card differs from the usual one.

    The usual card is of the last step, and of the config's moments of batch normalisation.
    """
    moments, steps = card.values.get("sampling_moments"), config.total_steps
    if moments in ("running", "batch") and moments != getattr(config, "sampling_moments", moments):
        name = f"{name}{separator}{moments} moments"
    step = card.values.get("step", steps)
    early = isinstance(step, int) and step < steps
    return f"{name}{separator}step {step} of {steps}" if early else name


def side_by_side(groups: dict[str, dict[str, Card]]) -> Comparison:
    """Compare groups of cards, given by column title and run name.

    A column has the mean of its group, ± standard deviation if there are several runs. If only
    some of the runs have the metric, their number follows in parentheses. Raises UserError if the
    cards are of different judges, data or splits.
    """
    cards = {name: card for group in groups.values() for name, card in group.items()}
    first = next(iter(cards))
    for key in ("data_digest", "split", "judge"):
        for name, card in cards.items():
            if card.values[key] != cards[first].values[key]:
                raise UserError(
                    f"run {name}: its card has another {key} than the card of {first};"
                    " evaluate both in the same way"
                )
    names = cards[first].class_names
    means = {column: {} for column in [*groups, f"real {images_noun(names)}"]}
    rows = []
    for key, metric in METRICS.items():
        metric = metric.of_classes(len(names))
        values = [
            [card.scores[key] for card in group.values() if key in card.scores]
            for group in groups.values()
        ]
        if any(values):
            real = [card.real[key] for card in cards.values() if key in card.real]
            if "determinator" in metric.needed:  # the run's own determinator has read them
                real = []
            columns = [*values, real[:1]]
            texts = [metric.mean_text(column) for column in columns]
            for i, (column, group) in enumerate(zip(values, groups.values(), strict=True)):
                if 0 < len(column) < len(group):
                    texts[i] += f" ({len(column)} of {len(group)})"
            rows.append((metric, texts, _best(values, metric)))
            for column_means, column in zip(means.values(), columns, strict=True):
                if column:
                    column_means[key] = float(np.mean(column))
    return Comparison(cards[first].data_title, rows, means)


def read_card(run: "Run") -> Card:
    """A run's report.json. Raises UserError if there is no such run, no card, or a damaged one."""
    _ = run.record
    path, picture = run.folder / "report.json", run.figures / "report.png"
    try:
        values = json.loads(path.read_bytes())
        fits = _is_card(values)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; evaluate run {run.name} first") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        fits = False
    if not fits:
        raise UserError(f"{path}: not a report card; evaluate run {run.name} again")
    return Card(run.name, values, lambda _: picture.read_bytes())


def _is_card(values: dict[str, Any]) -> bool:
    """Whether values can be those of a card; may raise for what is none."""
    scores = [score for row in ("samples", "real") for score in values[row].values()]
    numbers = [number for score in scores for number in (score["value"], *score.values())]
    texts = [values[key] for key in ("experiment", "data_digest", "data_title", "split")]
    json.dumps(values, allow_nan=False)  # raises ValueError if it could not be written again
    return (
        all(map(math.isfinite, numbers))
        and all(isinstance(values[key], int) for key in ("count", "held_out"))
        and all(isinstance(text, str) and text.isprintable() for text in texts)
        and values["experiment"].isidentifier()  # it is in the titles of figures
        and are_class_names(values.get("class_names", list(DIGITS)))
        and (values["judge"] is None or "digest" in values["judge"])
    )


def _best(values: list[list[float]], metric: Metric) -> set[int]:
    """Which columns have the best mean as printed; none if all are equal or there is only one."""
    means = {i: float(metric.text(np.mean(column))) for i, column in enumerate(values) if column}
    if len(means) < 2:
        return set()
    costs = {i: metric.cost(mean) for i, mean in means.items()}
    best = {i for i, cost in costs.items() if cost == min(costs.values())}
    return best if len(best) < len(means) else set()


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table, its first column to the left and the others to the right."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in (titles, *rows)]
    return [f"| {' | '.join(row)} |" for row in (escaped[0], rule, *escaped[1:])]
