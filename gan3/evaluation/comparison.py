"""Report cards of several runs side by side."""

import json
import math
from typing import NamedTuple

import numpy as np

from gan3.core.classes import DIGITS, are_class_names, images_noun
from gan3.core.config import RunConfig, as_text
from gan3.core.errors import UserError
from gan3.evaluation.card import Card
from gan3.evaluation.metrics import METRICS, Metric
from gan3.plots.sweeps import Pair
from gan3.runs.run import Run

_WIDTH = 80  # of a terminal
_TITLE_WIDTH = 29  # of the metrics' titles in a terminal
_MAX_NAME = 43  # characters of a column's name there: what is left beside titles and arrows


class Comparison(NamedTuple):
    """A table with a row per metric; its last column is real digits."""

    columns: list[str]
    rows: list[tuple[Metric, list[str], set[int]]]  # metric, texts, which columns are the best
    means: list[dict[str, float]]  # of each column: by metric, the mean over its runs

    def column_means(self) -> dict[str, dict[str, float]]:
        """The means by column title, for `plots.sweeps.tradeoff`."""
        return dict(zip(self.columns, self.means, strict=True))

    def tradeoffs(self) -> list[Pair]:
        """The metrics of diversity and of quality that are drawn against each other."""
        real, pairs = self.means[-1], []
        for x, diversity in METRICS.items():
            y = next((name for name in diversity.against.split() if name in real), None)
            if y is not None and x in real:
                titles = f"{diversity.title} (diversity)", f"{METRICS[y].title} (quality)"
                pairs.append(Pair(x, y, *titles, diversity.logit))
        return pairs

    def text(self) -> list[str]:
        """The table as lines of at most 80 characters, with a star at the best of each row.

        Columns that do not fit next to each other are in another block below. Long names are cut
        in the middle: both ends tell runs of a sweep apart.
        """
        lines = [("", "", [_cut(column) for column in self.columns])]
        for metric, texts, best in self.rows:
            title, *rest = metric.wrapped_title(_TITLE_WIDTH)
            starred = [text + (" *" if i in best else "  ") for i, text in enumerate(texts)]
            lines.append((title, metric.arrow, starred))
            lines += [(line, "", [""] * len(texts)) for line in rest]
        width = max(len(title) for title, _, _ in lines)
        first = [f"{title:{width}} {arrow}" for title, arrow, _ in lines]
        room = _WIDTH - max(map(len, first))
        blocks: list[list[tuple[str, ...]]] = [[]]
        for column in zip(*(cells for _, _, cells in lines), strict=True):
            width = sum(2 + max(map(len, other)) for other in [*blocks[-1], column])
            if blocks[-1] and width > room:
                blocks.append([])
            blocks[-1].append(column)
        return "\n\n".join("\n".join(_align([first, *block])) for block in blocks).split("\n")

    def titled(self) -> list[tuple[str, list[str], set[int]]]:
        """The rows with full titles, for `plots.cards.table`."""
        return [(metric.full_title, texts, best) for metric, texts, best in self.rows]

    def markdown(self) -> list[str]:
        """A Markdown table, a row per metric; the best of each row is bold."""
        rows = [[title, *_bold(texts, best)] for title, texts, best in self.titled()]
        return _markdown(self.columns, rows)

    def markdown_transposed(self) -> list[str]:
        """A Markdown table with a column per metric, for many runs."""
        cells = [_bold(texts, best) for _, texts, best in self.rows]
        rows = [[name, *row] for name, *row in zip(self.columns, *cells, strict=True)]
        return _markdown([metric.full_title for metric, _, _ in self.rows], rows)


def compare(
    names: list[str], logs: str = "logs", figures_folder: str = "figures", grouped: bool = False
) -> Comparison:
    """The cards of runs side by side.

    Args:
        names: of the runs; repeated names count once.
        grouped: put runs of one experiment into one column, mean ± standard deviation. Runs whose
            settings differ from those of its first run are in other columns, which name the
            differences.

    Raises:
        UserError: a run has no card, or the cards are of different judges, data or splits.
    """
    groups: dict[str, dict[str, Card]] = {}
    seeds: dict[str, set[int]] = {}
    first: dict[str, RunConfig] = {}  # config by experiment
    for name in dict.fromkeys(names):
        run = Run.open(name, logs, figures_folder)
        card, config = read_card(run), run.config
        column = name
        if grouped:
            changed = config.differences(first.setdefault(card.values["experiment"], config))
            values = [f"{key}={as_text(getattr(config, key))}" for key in changed if key != "seed"]
            column = ", ".join([card.values["experiment"], *values])
        column = label_of(column, card, config)
        groups.setdefault(column, {})[name] = card
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
    cards = {name: card.values for group in groups.values() for name, card in group.items()}
    first = next(iter(cards))
    for key in ("data_digest", "split", "judge"):
        for name, card in cards.items():
            if (card[key] is None) != (cards[first][key] is None):
                with_judge, without = (first, name) if card[key] is None else (name, first)
                raise UserError(
                    f"run {without}: its card has no judge, unlike that of {with_judge}; evaluate"
                    " it again with the judge of its data set"
                )
            if card[key] != cards[first][key]:
                raise UserError(
                    f"run {name}: its card has another {key} than the card of {first};"
                    " evaluate both in the same way"
                )
    rows, means = [], [{} for _ in range(len(groups) + 1)]
    names = next(iter(groups.values()))[first].class_names
    for key, metric in METRICS.items():
        metric = metric.of_classes(len(names))
        values = [
            [card.scores[key] for card in group.values() if key in card.scores]
            for group in groups.values()
        ]
        if any(values):
            real = [card["real"][key]["value"] for card in cards.values() if key in card["real"]]
            if "determinator" in metric.needed:  # the run's own determinator has read them
                real = []
            columns = [*values, real[:1]]
            texts = [metric.mean_text(column) for column in columns]
            for i, (column, group) in enumerate(zip(values, groups.values(), strict=True)):
                if 0 < len(column) < len(group):
                    texts[i] += f" ({len(column)} of {len(group)})"
            rows.append((metric, texts, _best(values, metric)))
            for column_means, column in zip(means, columns, strict=True):
                if column:
                    column_means[key] = float(np.mean(column))
    return Comparison([*groups, f"real {images_noun(names)}"], rows, means)


def read_card(run: Run) -> Card:
    """A run's report.json. Raises UserError if there is no such run, no card, or a damaged one."""
    path = run.folder / "report.json"
    _ = run.record
    try:
        card = json.loads(path.read_bytes())
        for row in ("samples", "real"):
            for score in card[row].values():
                interval = ("low", "high") if "low" in score else ()
                numbers = [score[key] for key in ("value", *interval)]
                if not all(isinstance(number, int | float) for number in numbers):
                    raise TypeError
                if not all(map(math.isfinite, numbers)):
                    raise ValueError
        if not all(isinstance(card[key], int) for key in ("count", "held_out")):
            raise TypeError
        if not all(isinstance(card[key], str) for key in ("experiment", "data_digest", "split")):
            raise TypeError
        if not card["experiment"].isidentifier():  # it is in the titles of figures
            raise ValueError
        if not are_class_names(card.get("class_names", list(DIGITS))):
            raise ValueError
        if card["judge"] is not None:  # a card without the rows that need one
            card["judge"]["digest"]
        json.dumps(card, allow_nan=False)  # raises ValueError if it could not be written again
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; evaluate run {run.name} first") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UserError(f"{path}: not a report card; evaluate run {run.name} again") from None

    def picture() -> bytes:
        path = run.figures / "report.png"
        if not path.is_file():
            raise UserError(f"{path}: is gone; evaluate run {run.name} again")
        return path.read_bytes()

    return Card(run.name, card, picture)


def _best(values: list[list[float]], metric: Metric) -> set[int]:
    """Which columns have the best mean as printed; none if all are equal or there is only one."""
    means = {i: float(metric.text(np.mean(column))) for i, column in enumerate(values) if column}
    if len(means) < 2:
        return set()
    costs = {i: metric.cost(mean) for i, mean in means.items()}
    best = {i for i, cost in costs.items() if cost == min(costs.values())}
    return best if len(best) < len(means) else set()


def _cut(name: str) -> str:
    """The name, without its middle if it is too long for a column."""
    if len(name) <= _MAX_NAME:
        return name
    half = (_MAX_NAME - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _align(columns: list[list[str]]) -> list[str]:
    """Lines of columns: the first one aligned left, the others right."""
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _bold(texts: list[str], best: set[int]) -> list[str]:
    return [f"**{text}**" if i in best else text for i, text in enumerate(texts)]


def markdown_cell(text: str) -> str:
    """A text for a cell of a Markdown table, whose cells end at a vertical bar."""
    return text.replace("|", r"\|")


def _markdown(columns: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; the first cell of each row is its title."""
    columns, *rows = (list(map(markdown_cell, line)) for line in [columns, *rows])
    head = [f"| | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    return head + [f"| {' | '.join(cells)} |" for cells in rows]
