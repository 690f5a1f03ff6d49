"""Report cards: samples of a run, a file or a pretrained generator, scored next to real digits.

The judge is that of the data set; without one, a card has only the rows that need none. A run is
only scored on the images that it held out: the test set, or, with split "validation", the last
5,000 training images. Choose settings by runs of the second kind.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gan3.core.classes import DIGITS, images_noun
from gan3.core.errors import UserError
from gan3.core.files import make_folder, write_json
from gan3.core.log import Log
from gan3.data.datasets import Dataset, load, recorded_source
from gan3.evaluation import sample_files
from gan3.evaluation.judge import Judge, judge_of, origin_of
from gan3.evaluation.scoring import (
    METRICS,
    NEIGHBOURS,
    STYLE_METRICS,
    Card,
    SampleSet,
    Scorer,
    balanced_indices,
    in_card_order,
)
from gan3.evaluation.style_transfer import Redrawer
from gan3.models.determinator import Encoder, classify, encoder_of
from gan3.models.generator import Generator
from gan3.plots import cards, grids, styles
from gan3.runs.pretrained import open_determinator, open_pretrained
from gan3.runs.registry import config_from_dict, determinator_of
from gan3.runs.run_files import RunFolders, read_record
from gan3.runs.seeds import REPORT, seed_of
from gan3.runs.tensorboard import EventWriter
from gan3.runs.trained import FinishedRun, find_run

SAMPLES = 10_000  # scored; fewer if fewer real digits are held out
LEAST_SAMPLES, _LEAST_HELD_OUT = 100, 50
_GOOD_JUDGE = 0.9  # accuracy on held-out images, below which a card has a note
_EVENTS = ".report"  # suffix of the event files of evaluations
_WIDTH = 80  # of the printed card


def evaluate_run(
    name: str | None,
    *,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    split: str | None = None,
    moments: str | None = None,
    judge_file: Path | None = None,
    train_judge: bool = False,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of a run's last generator.

    It is printed and written to logs/<run>/report.json, figures/<run>/report.png and TensorBoard.

    Args:
        name: of the run; None for the newest.
        data: folder of the data set; None for the one that the run was trained from.
        split: the split of the run; None to accept any.
        moments: "running" or "batch", for a generator with batch normalisation; None for those of
            its config. The card has them as `sampling_moments`.
        judge_file: of another judge of the same data set than the bundled or cached one.
        train_judge: if there is no judge of the data set, train one and keep it in the cache.
            Without one, the card lacks the rows that need it, and a line is logged.
        cas: also train a classifier on samples, for the classification accuracy score.
        seed: for the noise, the resampling of the intervals and the classifier.

    Raises:
        UserError: no such run, another split, not the data that the run was trained on, or a judge
            of other data.
    """
    trained = find_run(name, logs, figures_folder)
    folders, config = trained.folders, trained.config
    generator = trained.generator()
    if moments is not None:
        generator.use_moments(moments)
    if split not in (None, config.split):
        kind = images_noun(generator.class_names)
        raise UserError(
            f"run {folders.name}: held out the {config.split} {kind} and"
            f" may have been trained on the {split} ones; train another run with split {split} to"
            " score it on those"
        )
    record = read_record(folders.record)
    dataset = data_of(record, data, log)
    if dataset.digest != record.get("data_digest"):
        raise UserError(
            f"run {folders.name}: was trained on other data; name the folder of that data set"
        )
    judge = judge_of(dataset, file=judge_file, train=train_judge, log=log)
    samples = _samples_of_run(trained, generator, dataset, seed, log)
    card, figure = make_card(samples, dataset, judge, cas, seed, log)
    card = {
        "run": folders.name,
        "experiment": config.experiment,
        "training_seed": config.seed,
        "step": folders.episodes()[-1] * config.batches,
        "sampling_moments": generator.moments,
    } | card
    _save(folders, card, figure)
    log(f"written: {folders.logs / 'report.json'}, {folders.figures / 'report.png'}")
    return card


def evaluate_samples(
    path: Path,
    *,
    dataset: str = "auto",
    data: str | None = None,
    ink: str = "unknown",
    split: str = "test",
    judge_file: Path | None = None,
    train_judge: bool = False,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of samples of any origin, printed; the arguments are those of `evaluate_run`.

    An npz file has `images` [N, 28, 28] and, if digits were requested, `labels` [N]; an npy file
    has the images only; a folder has pictures in sub-folders with the names of the classes. Images
    are uint8, or floats in 0..1 or -1..1, with bright ink.
    """
    held_out = load(dataset, data, split, log, ink=ink)
    samples = _samples_of_file(path, held_out.class_names, log)
    judge = judge_of(held_out, file=judge_file, train=train_judge, log=log)
    card, _ = make_card(samples, held_out, judge, cas, seed, log)
    return {"file": path.name} | card


def evaluate_pretrained(
    name: str,
    *,
    dataset: str = "auto",
    data: str | None = None,
    ink: str = "unknown",
    split: str = "test",
    judge_file: Path | None = None,
    train_judge: bool = False,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of a bundled generator, printed; the arguments are those of `evaluate_run`.

    Only a determinator that encodes is bundled, so other systems have no determinator-judge gap.
    """
    generator = open_pretrained(name)
    held_out = load(dataset, data, split, log, ink=ink)
    if held_out.class_names != DIGITS:
        raise UserError(
            f"generator {name}: draws digits, which are not the classes of {held_out.title}"
            f" ({held_out.source}); name a data set of digits"
        )
    judge = judge_of(held_out, file=judge_file, train=train_judge, log=log)
    samples = _samples_of_generator(name, generator, held_out, seed)
    determinator = open_determinator(name)
    if determinator is not None:
        samples = samples._replace(
            determinator=partial(classify, determinator),
            redrawer=_redrawer(encoder_of(determinator), generator),
        )
    card, _ = make_card(samples, held_out, judge, cas, seed, log)
    return {"pretrained": name} | card


def data_of(record: dict[str, Any], data: str | None, log: Log) -> Dataset:
    """The data set of a run, by its record: from `data`, or from where the run found it."""
    config = config_from_dict(record.get("config"))
    data = recorded_source(record) if data is None else data
    return load(str(record.get("data")), data, config.split, log, ink=config.ink)


def make_card(
    samples: SampleSet, dataset: Dataset, judge: Judge | None, cas: bool, seed: int, log: Log
) -> tuple[Card, Figure]:
    """Score samples, and as many real training images, against the held-out ones; log the table.

    judge: that of the dataset, or None for the rows that need none. Returns the card and its
    figure. Raises UserError if too few images are held out, or if the judge is of other data.
    """
    if judge is not None and judge.origin != origin_of(dataset):
        raise UserError(
            f"judge {judge.digest[:12]}: learned from other data than {dataset.title}"
            f" ({dataset.source}); use the judge of that data set"
        )
    names = dataset.class_names
    held_out = len(dataset.held_out_images)
    if held_out < _LEAST_HELD_OUT:
        raise UserError(
            f"{dataset.source}: {held_out} held-out {images_noun(names)}; a card"
            f" needs at least {_LEAST_HELD_OUT}"
        )
    scorer = Scorer(dataset, judge, seed)
    evaluation = scorer.score(samples)
    indices = balanced_indices(dataset.labels, len(samples.images), seed, len(names))
    labels = None if samples.labels is None else dataset.labels[indices].astype(np.int64)
    real_samples = SampleSet(
        "real", dataset.images[indices], labels, determinator=samples.determinator
    )
    real = scorer.score(real_samples, train_indices=indices)
    if cas and samples.labels is not None:
        evaluation.scores["cas"] = scorer.classification_accuracy_score(samples, log)
        real.scores["cas"] = scorer.classification_accuracy_score(None, log)
    elif cas:
        log("NOTE: no CAS, because the samples have no labels")
    style = None
    if samples.redrawer is not None:
        style = scorer.style_scores(samples.redrawer)
        evaluation.scores.update(style.samples)
        real.scores.update(style.real)
    card = {
        "data": dataset.name,
        "data_digest": dataset.digest,
        "split": dataset.split,
        "held_out": held_out,
        "count": len(samples.images),
        "seed": seed,
        "k": NEIGHBOURS,
        "judge": judge and {"digest": judge.digest, "accuracy": round(scorer.judge_accuracy, 6)},
        "samples": in_card_order(evaluation.scores),
        "real": in_card_order(real.scores),
        "coverage_by_digit": judge and {"samples": evaluation.coverage, "real": real.coverage},
        "confusion": evaluation.counts.tolist() if judge and samples.labels is not None else None,
    }
    if names != DIGITS:
        card["class_names"] = list(names)
    if style is not None:
        card["style_transfer"] = {
            "images": len(style.transfer.images),
            "correlations": {
                name: [[_rounded(value) for value in row] for row in table]
                for name, table in style.transfer.correlations.items()
            },  # by property and real class, of each drawn class
            "pca": style.pca,
            "pca_of_class": style.pca_of_class,
        }
    for line in card_lines(card, samples.name):
        log(line)
    if judge is not None and scorer.judge_accuracy < _GOOD_JUDGE:
        log(
            f"NOTE: this judge reads only {scorer.judge_accuracy:.0%} of the held-out images"
            " correctly, so its scores say little"
        )
    shown = samples.images[:100]
    if samples.labels is not None:
        shown = _rows_by_class(samples.images, samples.labels, seed, len(names))
    figure = cards.report_card(
        f"{samples.name} · {len(samples.images):,} samples and {held_out:,} held-out"
        f" {images_noun(names)} of {dataset.title}, {dataset.split} split",
        _table_lines(card, without=STYLE_METRICS),  # they have a figure of their own
        evaluation.counts,
        card["coverage_by_digit"],
        shown,
        evaluation.pairs,
        names,
    )
    return card, figure


def _rows_by_class(images: np.ndarray, labels: np.ndarray, seed: int, classes: int) -> np.ndarray:
    """Random images for `cards.sheet_layout`, uint8 [K n, 28, 28], n of each class.

    White images take the place of those that a class lacks.
    """
    per_class, _ = cards.sheet_layout(classes)
    indices = balanced_indices(labels, per_class * classes, seed, classes)
    rows = np.full((classes, per_class, *images.shape[1:]), 255, images.dtype)
    for label in range(classes):
        chosen = images[indices[labels[indices] == label]]
        rows[label, : len(chosen)] = chosen
    return rows.reshape(-1, *images.shape[1:])


def card_lines(card: Card, name: str) -> list[str]:
    """The card as a table, with the judge and the data at its end.

    Lines have at most 80 columns while no value has more than nine characters. Cards by different
    judges, or against different digits, cannot be compared.
    """
    kind = images_noun(card.get("class_names", DIGITS))
    counts = f": {card['count']:,} samples, {card['held_out']:,} held-out {kind}"
    return [
        f"{name[: min(40, _WIDTH - len(counts))]}{counts}",
        *_table_lines(card),
        f"judge {card['judge']['digest'] if card['judge'] else 'none'}",
        f"data  {card['data_digest']}",
    ]


def _rounded(value: float) -> float | None:
    """To six digits; None if it is not a number."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _table_lines(card: Card, without: Sequence[str] = ()) -> list[str]:
    """A line for each metric of the card but some, below a line of titles."""
    classes = len(card.get("class_names", DIGITS))
    rows = []
    for key, metric in METRICS.items():
        if key not in card["samples"] or key in without:
            continue
        score, real = card["samples"][key], card["real"].get(key)
        interval = ""
        if "low" in score:
            interval = f"[{metric.text(score['low'])}, {metric.text(score['high'])}]"
        real_text = metric.text(real["value"]) if real else ""
        rows.append((metric.of_classes(classes), metric.text(score["value"]), interval, real_text))
    widths = [
        max(least, *(len(row[i]) for row in rows)) for i, least in enumerate((8, 18, 7), start=1)
    ]
    value_width, interval_width, real_width = widths
    title_width = _WIDTH - sum(widths) - len("    higher")  # large values take room from the titles

    def line(title: str, value: str, interval: str, real: str, better: str) -> str:
        return (
            f"{title:{title_width}} {value:>{value_width}} {interval:^{interval_width}}"
            f" {real:>{real_width}} {better}"
        )

    lines = [line("", "samples", "95 % interval", "real", "better")]
    for metric, *texts in rows:
        title, *more = metric.wrapped_title(title_width)
        lines += [line(title, *texts, metric.better), *more]
    return lines


def _samples_of_run(
    trained: FinishedRun, generator: Generator, dataset: Dataset, seed: int, log: Log
) -> SampleSet:
    """Samples of a run's generator, with what reads images if a file or a checkpoint has it."""
    name, moments = trained.folders.name, generator.moments
    if moments:
        name = f"{name}, {moments} moments"
    samples = _samples_of_generator(name, generator, dataset, seed)
    if samples.labels is None:
        return samples
    try:
        samples = samples._replace(determinator=trained.classifier(log))
    except UserError as error:
        log(f"NOTE: {error}; so there is no determinator-judge gap")
    spec = determinator_of(trained.config, trained.class_names)
    if spec is None or spec.encoder is None:
        return samples
    try:
        return samples._replace(redrawer=_redrawer(trained.encoder(), generator))
    except UserError as error:
        log(f"NOTE: {error}; so there is no style transfer")
        return samples


def _redrawer(encode: Encoder, generator: Generator) -> Redrawer:
    """Reads the noise of images with an encoder, and draws with a generator."""
    return Redrawer(lambda images: encode(images).noise, generator.draw)


def _samples_of_generator(
    name: str, generator: Generator, dataset: Dataset, seed: int
) -> SampleSet:
    """As many samples as images are held out, the classes in equal numbers."""
    classes = len(dataset.class_names)
    count = max(1, min(SAMPLES, len(dataset.held_out_images)) // classes) * classes
    images, labels = _draw(generator, seed, count, classes, 0)
    if not generator.class_conditional:
        return SampleSet(name, images, None)
    return SampleSet(name, images, labels, lambda count: _draw(generator, seed, count, classes, 1))


def _draw(
    generator: Generator, seed: int, count: int, classes: int, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels, all classes in turn. `number` selects a stream of the seed."""
    labels = np.resize(np.arange(classes), count)
    return generator(labels, seed_of(seed, REPORT, number)), labels


def _samples_of_file(path: Path, class_names: tuple[str, ...], log: Log) -> SampleSet:
    samples = sample_files.read(path, class_names)
    count = len(samples.images)
    if count < LEAST_SAMPLES:
        raise UserError(f"{path}: {count} images; a card needs at least {LEAST_SAMPLES}")
    log(f"{path.name}: {samples.note}")
    return SampleSet(path.name, samples.images, samples.labels)


def _save(folders: RunFolders, card: Card, figure: Figure) -> None:
    write_json(folders.logs / "report.json", card)
    make_folder(folders.figures)
    grids.save(figure, folders.figures / "report.png")
    if "style_transfer" in card:
        tables, names = card["style_transfer"]["correlations"], card.get("class_names", DIGITS)
        title = f"{folders.name} · style transfer: correlations of real and drawn images"
        grids.save(styles.correlations(tables, names, title), folders.figures / "transfer.png")
    for earlier in folders.logs.glob(f"events.*{_EVENTS}"):  # TensorBoard would show both
        earlier.unlink(missing_ok=True)
    events = EventWriter(folders.logs, _EVENTS)
    scores = {f"report/{metric}": score["value"] for metric, score in card["samples"].items()}
    events.scalars(card["step"], scores)
    events.image(card["step"], "report", grids.pixels(figure))
    events.close()
