"""The report card: how good digits are, with real digits scored the same way beside them.

Every run is scored on what it held out: the test set, or, trained with `--split validation`, the
last 5,000 training images. Choices belong to the second kind; a run of one kind is never scored on
the other's digits.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gan3.core.errors import UserError
from gan3.core.files import digest_of, make_folder, names_in, read_npz, write_json
from gan3.core.log import Log
from gan3.data.datasets import Dataset, load
from gan3.evaluation import judge
from gan3.evaluation.scoring import (
    METRICS,
    NEIGHBOURS,
    Card,
    Reference,
    SampleSet,
    equal_parts,
    in_order,
)
from gan3.plots import cards, grids
from gan3.runs.pretrained import load_pretrained
from gan3.runs.registry import config_from_dict
from gan3.runs.run_files import read_record
from gan3.runs.sampling import Sampler, probabilities
from gan3.runs.seeds import REPORT, seed_of
from gan3.runs.tensorboard import EventWriter
from gan3.runs.trained import TrainedRun, open_run

SAMPLES = 10_000  # of a report; fewer where fewer real digits are held out
_EVENTS = ".report"  # how the event files of evaluations end


# -- where the digits come from --------------------------------------------------------------------
def evaluate_run(
    name: str | None,
    *,
    logs: str = "logs",
    figures_folder: str = "figures",
    data: str | None = None,
    split: str | None = None,
    judge_file: Path | None = None,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of a run: printed, in logs/<run>/report.json, figures/<run>/report.png and events.

    Args:
        name: of the run, the newest where None.
        data: folder to look for the digits in; where the run found them, if None.
        split: must be what the run held out, where given.
        judge_file: another judge than the shipped one, as `train-judge` makes them.
        seed: of the noise, and of the resampling behind the intervals.

    Raises:
        UserError: no such run, data that cannot be had or is not what the run was trained on.
    """
    trained = open_run(name, logs, figures_folder)
    folders, config = trained.folders, trained.config
    if split not in (None, config.split):
        raise UserError(
            f"run {folders.name}: held out the {config.split} digits and may have learnt from"
            f" the {split} ones; train with --split {split} to score on those"
        )
    record = read_record(folders.record)
    dataset = data_of(record, data, log)
    if dataset.digest != record.get("data_digest"):
        raise UserError(
            f"run {folders.name}: was trained on other data; name its folder with --data"
        )
    digits = _drawn(trained, dataset, seed, log)
    card, picture = evaluate(digits, dataset, judge_file, cas, seed, log)
    step = trained.folders.episodes()[-1] * config.batches
    card = {
        "run": folders.name,
        "experiment": config.experiment,
        "training_seed": config.seed,
        "step": step,
    } | card
    write_json(folders.logs / "report.json", card)
    make_folder(folders.figures)
    grids.save(picture, folders.figures / "report.png")
    for earlier in folders.logs.glob(f"events.*{_EVENTS}"):  # TensorBoard would show both
        earlier.unlink(missing_ok=True)
    events = EventWriter(folders.logs, _EVENTS)
    values = {f"report/{metric}": score["value"] for metric, score in card["samples"].items()}
    events.scalars(step, values)
    events.image(step, "report", grids.pixels(picture))
    events.close()
    log(f"written: {folders.logs / 'report.json'}, {folders.figures / 'report.png'}")
    return card


def data_of(record: dict[str, Any], data: str | None, log: Log) -> Dataset:
    """The digits of a run, by its record: from the folder `data`, or from where it found them."""
    source = str(record.get("data_source"))
    if data is None and Path(source).is_dir():
        data = source
    split = config_from_dict(record.get("config")).split
    return load(str(record.get("data")), data, split, log)


def _drawn(trained: TrainedRun, dataset: Dataset, seed: int, log: Log) -> SampleSet:
    """Samples of a run's last generator, ten digits in equal parts, and its determinator."""
    count = _count(dataset)
    sampler = Sampler(trained.system)

    images, labels = _draw(sampler, seed, count, 0)
    generator = trained.folders.episodes()[-1]

    def more(count: int) -> tuple[np.ndarray, np.ndarray]:
        trained.use_episode(generator)
        return _draw(sampler, seed, count, 1)

    name = trained.folders.name
    if not trained.system.class_conditional:
        return SampleSet(name, images, None)
    determinator = None
    if trained.system.has_classifier:
        try:
            trained.use_checkpoint(log)  # the determinator's weights are in no episode file
            determinator = partial(probabilities, trained.system)
        except UserError as error:
            log(f"NOTE: {error}; no judge gap without the determinator")
    return SampleSet(name, images, labels, more, determinator)


def _count(dataset: Dataset) -> int:
    """How many samples are scored: as many as real digits are held out, in whole tens."""
    return min(SAMPLES, len(dataset.held_out_images)) // 10 * 10


def _draw(sampler: Sampler, seed: int, count: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The `number`th draw of a report: ten digits in equal parts, and their labels."""
    labels = np.resize(np.arange(10), count)
    return sampler(labels, seed_of(seed, REPORT, number)), labels


def evaluate_samples(
    path: Path,
    *,
    dataset: str = "auto",
    data: str | None = None,
    split: str = "test",
    judge_file: Path | None = None,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of an npz file with `images` uint8 [N, 28, 28] and, maybe, `labels` int64 [N].

    Without labels it is the card of a system that cannot be asked for a digit.
    """
    held = load(dataset, data, split, log)
    images = read_npz(path, {"images": ("uint8", (None, 28, 28))})["images"]
    if len(images) < 100:
        raise UserError(f"{path}: {len(images)} images; a card needs at least 100")
    labels = None
    if "labels" in names_in(path):
        labels = read_npz(path, {"labels": ("int64", (None,))})["labels"]
        if len(labels) != len(images) or labels.min() < 0 or labels.max() > 9:
            raise UserError(f"{path}: labels must be one digit 0 to 9 for each image")
    digits = SampleSet(path.name, images, labels)
    card, _ = evaluate(digits, held, judge_file, cas, seed, log)
    return {"file": path.name} | card


def evaluate_pretrained(
    name: str,
    *,
    dataset: str = "auto",
    data: str | None = None,
    split: str = "test",
    judge_file: Path | None = None,
    cas: bool = False,
    seed: int = 0,
    log: Log = print,
) -> Card:
    """The card of a generator that comes with gan3; its determinator does not, so no judge gap."""
    sampler = Sampler(load_pretrained(name))
    held = load(dataset, data, split, log)

    drawn = _draw(sampler, seed, _count(held), 0)
    digits = SampleSet(name, *drawn, more=lambda count: _draw(sampler, seed, count, 1))
    card, _ = evaluate(digits, held, judge_file, cas, seed, log)
    return {"pretrained": name} | card


# -- the card --------------------------------------------------------------------------------------
def evaluate(
    digits: SampleSet, dataset: Dataset, judge_file: Path | None, cas: bool, seed: int, log: Log
) -> tuple[Card, Figure]:
    """All figures of `digits` and of real training digits, against those held out; the picture."""
    if len(dataset.held_out_images) < 50:
        raise UserError(f"{dataset.source}: fewer than 50 held-out digits to score against")
    reader = judge.load(judge_file) if judge_file else judge.load_bundled()
    reference = Reference(dataset, reader, seed)
    fakes = reference.score(digits)
    places = equal_parts(dataset.labels, len(digits.images), seed)
    real = SampleSet(
        "real",
        dataset.images[places],
        None if digits.labels is None else dataset.labels[places].astype(np.int64),
        determinator=digits.determinator,
    )
    reals = reference.score(real, own=places)
    if cas and digits.labels is not None:
        for seen, source in ((fakes, digits), (reals, None)):
            seen.scores["cas"] = reference.cas(source, log)
    card = {
        "data": dataset.name,
        "data_digest": dataset.digest,
        "split": dataset.split,
        "held_out": len(dataset.held_out_images),
        "count": len(digits.images),
        "seed": seed,
        "k": NEIGHBOURS,
        "judge": {
            "digest": digest_of(judge_file or judge.BUNDLED_JUDGE),
            "accuracy": round(float(reference.right.mean()), 6),
        },
        "samples": in_order(fakes.scores),
        "real": in_order(reals.scores),
        "coverage_by_digit": {"samples": fakes.coverage, "real": reals.coverage},
        "confusion": None if digits.labels is None else fakes.read.tolist(),
    }
    lines = table(card, digits.name)
    shown = slice(100) if digits.labels is None else equal_parts(digits.labels, 100, seed)
    for line in lines:
        log(line)
    picture = cards.report_card(
        f"{digits.name} · {len(digits.images):,} samples against {len(dataset.held_out_images):,}"
        f" held-out digits of {dataset.title} ({dataset.split})",
        lines[1:],
        fakes.read,
        card["coverage_by_digit"],
        digits.images[shown],
        fakes.pairs,
    )
    return card, picture


# -- words -----------------------------------------------------------------------------------------
def table(card: Card, name: str) -> list[str]:
    """The card in lines of at most 80 columns."""
    lines = [
        f"{name[:40]}: {card['count']:,} samples against {card['held_out']:,} held-out digits",
        f"{'':25} {'samples':>8}  {'95 %':^18} {'real':>8}  {'unit':8} better",
    ]
    for metric, about in METRICS.items():
        if metric not in card["samples"]:
            continue
        score, real = card["samples"][metric], card["real"].get(metric)
        interval = ""
        if "low" in score:
            interval = f"[{score['low']:.{about.decimals}f}, {score['high']:.{about.decimals}f}]"
        real_text = "" if real is None else f"{real['value']:.{about.decimals}f}"
        value = f"{score['value']:.{about.decimals}f}"
        lines.append(
            f"{about.title:25} {value:>8}  {interval:^18} {real_text:>8}"
            f"  {about.unit:8} {about.better}"
        )
    return lines
