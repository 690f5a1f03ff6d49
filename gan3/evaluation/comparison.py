"""TODO docstring."""

import json
from typing import NamedTuple

import numpy as np

from gan3.core.errors import UserError
from gan3.evaluation.scoring import METRICS, Card, Metric
from gan3.runs.registry import config_from_dict
from gan3.runs.run_files import RunFolders, read_record, run_folders

_WIDTH = 80  # of a terminal


# -- runs side by side -----------------------------------------------------------------------------
class Comparison(NamedTuple):
    """Columns of figures, a row a metric, the best of each row known."""

    columns: list[str]
    rows: list[tuple[Metric, list[str], set[int]]]  # what, texts, places of the best
    means: list[dict[str, float]]  # of a column: metric, mean over its runs

    def column_means(self) -> dict[str, dict[str, float]]:
        """By column its means, as `figures.tradeoff` draws them."""
        return dict(zip(self.columns, self.means, strict=True))

    def text(self) -> list[str]:
        """Lines of a terminal; the best of a row carries a star.

        As many columns side by side as 80 characters hold, the others below.
        """
        arrows = {"higher": "up", "lower": "down"}
        first = ["", *(f"{m.title}, {arrows.get(m.better, m.better)}" for m, _, _ in self.rows)]
        others = [
            [column, *(texts[i] + (" *" if i in best else "  ") for _, texts, best in self.rows)]
            for i, column in enumerate(self.columns)
        ]
        room = _WIDTH - max(map(len, first))
        blocks: list[list[list[str]]] = [[]]
        for column in others:
            width = sum(2 + max(map(len, other)) for other in [*blocks[-1], column])
            if blocks[-1] and width > room:
                blocks.append([])
            blocks[-1].append(column)
        return "\n\n".join("\n".join(_aligned([first, *block])) for block in blocks).split("\n")

    def titled(self) -> list[tuple[str, list[str], set[int]]]:
        """The rows with their titles in full: what, its unit, what is better."""
        return [(m.titled, texts, best) for m, texts, best in self.rows]

    def markdown(self) -> list[str]:
        """A Markdown table; the best of a row is bold."""
        lines = [f"| | {' | '.join(self.columns)} |", "| --- |" + " ---: |" * len(self.columns)]
        for title, texts, best in self.titled():
            shown = [f"**{text}**" if i in best else text for i, text in enumerate(texts)]
            lines.append(f"| {title} | {' | '.join(shown)} |")
        return lines

    def markdown_transposed(self) -> list[str]:
        """The Markdown table with a row a column of the others, for where there are many."""
        heads = [about.titled for about, _, _ in self.rows]
        lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
        for i, column in enumerate(self.columns):
            shown = [f"**{texts[i]}**" if i in best else texts[i] for _, texts, best in self.rows]
            lines.append(f"| {column} | {' | '.join(shown)} |")
        return lines


def compare(
    names: list[str], logs: str = "logs", figures_folder: str = "figures", grouped: bool = False
) -> Comparison:
    """The cards of runs side by side, real digits last.

    Args:
        grouped: runs of one experiment are one column, mean ± standard deviation over its runs.

    Raises:
        UserError: a run without a card, or cards that were not scored by one judge on one set.
    """
    groups: dict[str, dict[str, Card]] = {}
    for name in dict.fromkeys(names):  # one that is named twice counts once
        folders = run_folders(name, logs, figures_folder)
        card, record = read_card(folders), read_record(folders.record)
        steps = config_from_dict(record.get("config")).total_steps
        column = label_with_step(card["experiment"] if grouped else name, card, steps)
        groups.setdefault(column, {})[name] = card
    return side_by_side(
        {
            f"{name} ({len(own)} seeds)" if len(own) > 1 else name: own
            for name, own in groups.items()
        }
    )


def label_with_step(name: str, card: Card, steps: int, between: str = ", ") -> str:
    """`name`; and the step, where the card is of an earlier one than the run's last."""
    step = card.get("step", steps)
    early = isinstance(step, int) and step < steps
    return f"{name}{between}step {step} of {steps}" if early else name


def side_by_side(groups: dict[str, dict[str, Card]]) -> Comparison:
    """Groups of runs with their cards, mean ± standard deviation of each, and real digits last.

    Raises UserError as `compare` does.
    """
    cards = {name: card for own in groups.values() for name, card in own.items()}
    first = next(iter(cards))
    for key in ("data_digest", "split", "judge"):
        for name, card in cards.items():
            if card[key] != cards[first][key]:
                raise UserError(
                    f"run {name}: its card has another {key} than that of {first};"
                    " evaluate both alike"
                )
    rows, means = [], [{} for _ in range(len(groups) + 1)]
    for metric, about in METRICS.items():
        values = [
            [cards[name]["samples"][metric]["value"] for name in own if _has(cards[name], metric)]
            for own in groups.values()
        ]
        if any(values):
            real = [
                card["real"][metric]["value"] for card in cards.values() if metric in card["real"]
            ]
            texts = [about.spread(own) for own in [*values, real[:1]]]
            rows.append((about, texts, _best(values, about)))
            for column, own in zip(means, [*values, real[:1]], strict=True):
                if own:
                    column[metric] = float(np.mean(own))
    return Comparison([*groups, "real digits"], rows, means)


def _has(card: Card, metric: str) -> bool:
    return metric in card["samples"]


def read_card(folders: RunFolders) -> Card:
    """A run's report.json. Raises UserError where there is none, or it is not whole."""
    path = folders.logs / "report.json"
    read_record(folders.record)  # says it where there is no such run
    try:
        card = json.loads(path.read_bytes())
        for row in ("samples", "real"):
            for metric, score in card[row].items():
                if not (metric in METRICS and isinstance(score["value"], int | float)):
                    raise TypeError
        if not all(isinstance(card[key], str) for key in ("experiment", "data_digest", "split")):
            raise TypeError
        card["judge"]["digest"]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; make evaluate RUN={folders.name}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path}: not a report; make evaluate RUN={folders.name}") from None
    return card


def _best(values: list[list[float]], about: Metric) -> set[int]:
    """Places of the best means as they are printed; none where there is nothing to choose."""
    known = {i: round(float(np.mean(own)), about.decimals) for i, own in enumerate(values) if own}
    if len(known) < 2:
        return set()
    wrong = {i: about.cost(value) for i, value in known.items()}
    best = {i for i, error in wrong.items() if error == min(wrong.values())}
    return best if len(best) < len(known) else set()


def _aligned(columns: list[list[str]]) -> list[str]:
    """Lines of columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]
