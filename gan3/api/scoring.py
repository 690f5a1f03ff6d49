"""Scores digits against real ones, and recognises digits."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.api.arguments import (
    as_choice,
    as_folder,
    as_images,
    as_labels,
    as_pixels,
    as_seed,
    check_label_count,
    log_or_warn,
)
from gan3.core.config import choices_of
from gan3.core.errors import UserError, shown
from gan3.core.files import check_path, make_folder, write_atomically, write_json
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.evaluation import sample_files


class Card:
    """A report card: the metrics of samples, and of as many real digits, against held-out digits.

    `print(card)` shows it as a table; docs/report.md explains the metrics. `values` is the content
    of report.json.
    """

    def __init__(
        self, name: str, values: dict[str, Any], save_picture: Callable[[Path], None]
    ) -> None:
        """Use `gan3.evaluate`. `save_picture` writes the card as a picture."""
        self.name, self.values, self._save_picture = name, values, save_picture

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

    def save(self, folder: str | Path) -> None:
        """Write report.json and report.png to a folder. Raises UserError if that fails."""
        path = as_folder(folder, "folder")
        make_folder(path)
        self._save_picture(path / "report.png")  # first: it fails if the run's picture is missing
        write_json(path / "report.json", self.values)

    def __str__(self) -> str:
        from gan3.evaluation.report_card import card_lines

        return "\n".join(card_lines(self.values, self.name))

    def __repr__(self) -> str:
        return f"<gan3.Card {self.name}: {len(self.scores)} metrics>"


class Recognised(NamedTuple):
    """What a classifier reads."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]


def evaluate(
    images: Any,
    labels: Any = None,
    data: str | Path | None = None,
    *,
    dataset: str = "auto",
    ink: str = "unknown",
    split: str = "test",
    cas: bool = False,
    judge: str | Path | None = None,
    train_judge: bool = False,
    seed: int = 0,
    name: str = "samples",
    log: Log | None = None,
) -> Card:
    """The report card of digits by any generator. Needs TensorFlow.

    Args:
        images: at least 100 of [N, 28, 28], uint8, or floats in 0..1 or -1..1, with bright ink.
            They are read like files, by docs/data.md: ambiguous ranges are refused.
            Compare cards of equal numbers of images only; 10,000 are usual.
        labels: the requested classes [N], names or whole numbers; None if none were requested.
        data: folder of the real digits; by default they are searched for as docs/usage.md says.
        dataset: "auto", "mnist", "strokes", "own" or a known set, as in docs/data.md.
        ink: of real images in an own npz file or own pictures: "bright" on dark, or "dark".
        split: what is compared with: "test", or "validation", the last 5,000 training images.
        cas: also train a classifier on the images and test it on real digits.
        judge: the file of another judge of the same data set than the bundled or cached one.
        train_judge: if there is no judge of the data set, train one and keep it in the cache.
            Without one, the card lacks the rows that need it, and there is a warning.
        seed: for the resampling of intervals, and for the classifier of `cas`.
        name: a title for the card, one line.
        log: called with each line about what is done; by default warnings are Python's.

    Raises:
        UserError: images or labels that do not fit, no data, or a judge of other data.
    """
    if not (isinstance(name, str) and name.isprintable()):
        raise UserError(f"name {shown(name)}: use one line of text")
    found = as_pixels(images)
    (pixels,) = found.parts
    check_label_count(labels, len(pixels))
    dataset = as_choice(dataset, "dataset", choices_of("dataset"))
    ink = as_choice(ink, "ink", choices_of("ink"))
    split = as_choice(split, "split", choices_of("split"))
    import_tensorflow()
    from gan3.data.datasets import load
    from gan3.evaluation import report_card
    from gan3.evaluation.judge import judge_of
    from gan3.evaluation.scoring import SampleSet
    from gan3.plots import grids

    if len(pixels) < report_card.LEAST_SAMPLES:
        raise UserError(
            f"images: {len(pixels)}; a card needs at least {report_card.LEAST_SAMPLES}, draw more"
        )
    log = log_or_warn(log, dataset)
    if found.is_scaled:
        log(f"NOTE: images: {found.text}")
    if sample_files.look_inverted(pixels):
        log(f"NOTE: images: {sample_files.LOOK_INVERTED}")
    folder = None if data is None else str(as_folder(data, "data"))
    held_out = load(dataset, folder, split, log, ink=ink)
    if labels is not None:
        labels = as_labels(labels, held_out.class_names, len(pixels))
    judge_file = None if judge is None else as_folder(judge, "judge")
    scoring_judge = judge_of(held_out, file=judge_file, train=train_judge, log=log)
    samples = SampleSet(name, pixels, labels)
    values, figure = report_card.make_card(
        *(samples, held_out, scoring_judge, cas, as_seed(seed), log)
    )
    return Card(name, values, partial(grids.save, figure))


def card_of_run(name: str, values: dict[str, Any], picture: Path) -> Card:
    """The card that an evaluation of a run has written, with its `picture`."""

    def copy_picture(path: Path) -> None:
        if not check_path(picture.is_file):
            raise UserError(f"{picture}: is gone; evaluate run {name} again")
        if path.resolve() != picture.resolve():
            write_atomically(path, picture.read_bytes())

    return Card(name, values, copy_picture)


def recognise(images: Any) -> Recognised:
    """The digits on images of [N, 28, 28], by the bundled judge, a classifier. Needs TensorFlow.

    images: uint8 or floats in 0..1, as in MNIST: ink on background 0, centred. Raises UserError if
    they do not fit.
    """
    pixels = as_images(images)
    import_tensorflow()
    from gan3.evaluation import judge

    return most_probable(judge.load_bundled().probabilities(pixels))


def most_probable(probabilities: np.ndarray) -> Recognised:
    """Probabilities [N, K] with the class that each row makes most probable."""
    return Recognised(probabilities.argmax(axis=1), probabilities.astype(np.float32))
