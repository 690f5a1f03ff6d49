"""The report card: samples scored next to as many real images, against the held-out ones."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core import html
from gan3.core.classes import DIGITS, images_noun
from gan3.core.errors import UserError, shown
from gan3.core.files import make_folder, write_atomically, write_json
from gan3.core.options import PNG, Output
from gan3.evaluation import metrics, style_transfer
from gan3.evaluation.metrics import METRICS, Metric, names_needing
from gan3.evaluation.reference import NEIGHBOURS, Reference, SampleSet, Scored, balanced_indices

if TYPE_CHECKING:
    from gan3.runs.run import Run

_GOOD_JUDGE = 0.9  # accuracy on held-out images, below which a card has a note
_WIDTH = 80
_TITLES = ("", "samples", "95 % interval", "real", "better")


class Card:
    """A report card: the metrics of samples, and of as many real digits, against held-out digits.

    `print(card)` shows it as a table; docs/report.md explains the metrics. `values` is the content
    of report.json; `seconds` are those that each metric of the samples took, if scored now.
    """

    def __init__(
        self,
        name: str,
        values: dict[str, Any],
        draw: Callable[[Output], bytes],
        seconds: dict[str, float] | None = None,
    ) -> None:
        """Use `gan3.evaluate`. `draw` is what `picture` does."""
        self.name, self.values, self.seconds = name, values, seconds or {}
        self._draw = draw

    @property
    def scores(self) -> dict[str, float]:
        """The metrics of the samples by name."""
        return {metric: score["value"] for metric, score in self.values["samples"].items()}

    @property
    def real(self) -> dict[str, float]:
        """The same metrics of real training digits: what a perfect generator would get."""
        return {metric: score["value"] for metric, score in self.values["real"].items()}

    def __getitem__(self, metric: str) -> float:
        """A metric of the samples. Raises UserError for one that the card does not have."""
        if metric not in self.scores:
            raise UserError(
                f"metric {shown(metric)}: not on this card; it has {', '.join(self.scores)}"
            )
        return self.scores[metric]

    def interval(self, metric: str) -> tuple[float, float] | None:
        """The 95 % interval of a metric of the samples; None if it has none."""
        self[metric]  # raises for an unknown one
        score = self.values["samples"][metric]
        return (score["low"], score["high"]) if "low" in score else None

    def picture(self, output: Output = PNG) -> bytes:
        """The content of a picture's file, as `output` says; of a card that was read, a PNG."""
        return self._draw(output)

    @property
    def data_title(self) -> str:
        """What its data set is called in titles."""
        return self.values["data_title"]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes of its data set."""
        return tuple(self.values.get("class_names", DIGITS))

    def save(self, folder: str | Path) -> None:
        """Write report.json and report.png to a folder. Raises UserError if that fails."""
        path, picture = Path(folder), self.picture()  # fails if that of a run is gone
        make_folder(path)
        write_atomically(path / "report.png", picture)
        write_json(path / "report.json", self.values)

    def save_figures(self, run: "Run", output: Output = PNG) -> list[Path]:
        """Write the figures of a run's card: report.png and maybe transfer.png, or another format.

        Returns their paths.
        """
        from gan3.plots import cards, grids

        make_folder(run.figures)
        written = [run.figures / f"report.{output.format}"]
        write_atomically(written[0], self.picture(output))
        if "style_transfer" in self.values:
            title = f"{run.name} · {run.data_title} · style transfer: correlations"
            tables = self.values["style_transfer"]["correlations"]
            figure = cards.correlations(tables, self.class_names, title)
            written.append(grids.save(figure, run.figures / "transfer.png", output))
        return written

    def __str__(self) -> str:
        """The card as a table, with the judge and the data at its end.

        Lines have at most 80 columns while no value has more than nine characters. Cards by
        different judges, or against different digits, cannot be compared.
        """
        values = self.values
        kind = images_noun(self.class_names)
        counts = f": {values['count']:,} samples, {values['held_out']:,} held-out {kind}"
        title = f"{self.name[: min(40, _WIDTH - len(counts))]}{counts}"
        return "\n".join([title, *self.table(), *self._notes()])

    def __repr__(self) -> str:
        return f"<gan3.Card {self.name}: {len(self.scores)} metrics>"

    def _repr_html_(self) -> str:
        """For a notebook: each metric of the samples, its interval, and that of real images."""
        titles = (f"{self.name}, {self.values['count']:,} samples", "samples", "95 %", "real")
        return html.table(titles, [(metric.full_title, *texts) for metric, *texts in self._rows()])

    def _notes(self) -> list[str]:
        """What cards must share to be comparable: the judge and the data."""
        judge, data = self.values["judge"], self.values["data_digest"]
        of = f"      {self.data_title}, {self.values['split']} split"
        return [f"judge {judge['digest'] if judge else 'none'}", f"data  {data}", of[:_WIDTH]]

    def cells(self) -> list[tuple[str, ...]]:
        """The table as texts: its titles, a row for each metric, and notes in the first column."""
        rows = [(metric.title, *texts, metric.better) for metric, *texts in self._rows()]
        return [_TITLES, *rows, *((note, "", "", "", "") for note in self._notes())]

    def _rows(self) -> list[tuple[Metric, str, str, str]]:
        """Each metric of the card, its value, its interval, and that of real images."""
        rows = []
        for name, metric in METRICS.items():
            if name in self.scores:
                low_high = self.interval(name)
                interval = f"[{', '.join(map(metric.text, low_high))}]" if low_high else ""
                real = metric.text(self.real[name]) if name in self.real else ""
                row = metric.of_classes(len(self.class_names)), metric.text(self[name])
                rows.append((*row, interval, real))
        return rows

    def table(self) -> list[str]:
        """A line for each metric of the card, below a line of titles."""
        rows = self._rows()
        value_width, interval_width, real_width = widths = [
            max([least, *(len(row[i]) for row in rows)])
            for i, least in enumerate((8, 18, 7), start=1)
        ]
        # Large values take room from the titles.
        better_width = max([len("higher"), *(len(row[0].better) for row in rows)])
        title_width = _WIDTH - sum(widths) - better_width - 4

        def line(title: str, value: str, interval: str, real: str, better: str) -> str:
            return (
                f"{title:{title_width}} {value:>{value_width}} {interval:^{interval_width}}"
                f" {real:>{real_width}} {better}"
            )

        lines = [line(*_TITLES)]
        for metric, *texts in rows:
            title, more = metric.title, []
            if len(title) > title_width and title.endswith(")"):  # those make a second line
                title, _, rest = title.partition(" (")
                more = [f"  ({rest}"]
            lines += [line(title, *texts, metric.better), *more]
        return lines


def evaluate(samples: SampleSet, reference: Reference, cas: bool = False) -> Card:
    """Score samples, and as many real training images, against a reference.

    The card is logged as a table. cas: also train a classifier on the samples, and one on the real
    images, for the classification accuracy score.
    """
    dataset, judge, log = reference.dataset, reference.judge, reference.log
    if cas and samples.labels is None:
        log("NOTE: no CAS, because the samples have no labels")
    scored = Scored(samples, reference, trains_classifier=cas)
    real = reference.real(samples, trains_classifier=cas)
    with ThreadPoolExecutor(1) as pool:  # NumPy and TensorFlow let Python's other threads run
        of_real = pool.submit(metrics.score, real)
        sample_scores, seconds = metrics.score(scored)
        real_scores, _ = of_real.result()
    coverage = judge and {"samples": scored.coverage_by_class(), "real": real.coverage_by_class()}
    values = dict(samples.about) | {
        "data": dataset.name,
        "data_title": dataset.title,
        "data_digest": dataset.digest,
        "split": dataset.split,
        "held_out": len(reference.images),
        "count": len(samples.images),
        "seed": reference.seed,
        "k": NEIGHBOURS,
        "judge": judge and {"digest": judge.digest, "accuracy": round(reference.judge_accuracy, 6)},
        "samples": sample_scores,
        "real": real_scores,
        "coverage_by_digit": coverage,
        "confusion": None,
    }
    if judge is not None and samples.labels is not None:
        values["confusion"] = scored.counts().tolist()
    if reference.class_names != DIGITS:
        values["class_names"] = list(reference.class_names)
    if samples.autoencoder is not None:
        values["style_transfer"] = _style_transfer(scored)
    card = Card(samples.name, values, lambda output: _draw(card, scored, output), seconds)
    for line in str(card).split("\n"):
        log(line)
    if judge is not None and reference.judge_accuracy < _GOOD_JUDGE:
        log(
            f"NOTE: this judge reads only {reference.judge_accuracy:.0%} of the held-out images"
            " correctly, so its scores say little"
        )
    return card


def _style_transfer(samples: Scored) -> dict[str, Any]:
    """The correlations of each pair of classes, and what principal components reconstruct."""
    reference = samples.reference
    sources = reference.style_sources
    training = reference.dataset.images, reference.dataset.labels
    transfer = samples.transfer
    by_components = style_transfer.reconstruct_by_pca(*training, *sources, transfer.entries)
    of_components = SampleSet("pca_of_class", *sources)
    scored = Scored(of_components, reference, reconstructed=by_components)
    scores, _ = metrics.score(scored, names_needing("reconstructed"))
    return {
        "images": len(sources[0]),
        "correlations": {
            name: [
                [metrics.six_digits(value) if np.isfinite(value) else None for value in row]
                for row in table
            ]
            for name, table in transfer.correlations.items()
        },  # by property and real class, of each drawn class
        "pca_of_class": scores,
    }


def _draw(card: Card, samples: Scored, output: Output) -> bytes:
    """A picture of its table, samples, what the judge reads, the closest training images."""
    from gan3.plots import cards, grids

    reference, name = samples.reference, samples.samples.name
    dataset, class_names = reference.dataset, reference.class_names
    shown_images = samples.images[:100]
    if samples.labels is not None:
        shown_images = _rows_by_class(samples.images, samples.labels, samples.seed, class_names)
    figure = cards.report_card(
        f"{name} · {len(samples.images):,} samples and {len(reference.images):,} held-out"
        f" {images_noun(class_names)} of {dataset.title}, {dataset.split} split",
        card.cells(),
        None if reference.judge is None else samples.counts(),
        card.values["coverage_by_digit"],
        shown_images,
        samples.closest_pairs(),
        class_names,
    )
    return grids.content(figure, output)


def _rows_by_class(
    images: np.ndarray, labels: np.ndarray, seed: int, class_names: Sequence[str]
) -> np.ndarray:
    """Random images for `cards.sheet_layout`, uint8 [K n, 28, 28], n of each class.

    White images take the place of those that a class lacks.
    """
    from gan3.plots import cards

    classes = len(class_names)
    per_class, _ = cards.sheet_layout(classes)
    indices = balanced_indices(labels, per_class * classes, seed, classes)
    rows = np.full((classes, per_class, *images.shape[1:]), 255, images.dtype)
    for label in range(classes):
        chosen = images[indices[labels[indices] == label]]
        rows[label, : len(chosen)] = chosen
    return rows.reshape(-1, *images.shape[1:])
