"""The report card: how good digits are, with real digits scored the same way beside them.

Every run is scored on what it held out: the test set, or, trained with `--split validation`, the
last 5,000 training images. Choices belong to the second kind; a run of one kind is never scored on
the other's digits.
"""

import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gan3 import figures, judge, metrics
from gan3.config import Config
from gan3.data import HELD_OUT, Dataset, load
from gan3.errors import UserError
from gan3.files import digest_of, make_folder, names_in, read_npz, write_json
from gan3.gallery import Trained, open_run
from gan3.records import Folders, folders_of, read_record
from gan3.sampling import (
    EPISODES,
    REPORT,
    Sampler,
    digits_in,
    number_picture,
    probabilities,
    seed_of,
)
from gan3.shipped import open_shipped
from gan3.summaries import Summaries

SAMPLES = 10_000  # of a report; fewer where fewer real digits are held out
QUICK_SAMPLES = 2_000  # of the two figures after each episode
CAS_SAMPLES, CAS_STEPS = 60_000, 800  # what the classifier of the samples sees, 125 a step
NEIGHBOURS = 5  # k of precision, recall, density and coverage
STRING = 6  # digits of a number to be read back
_WIDTH = 80  # of a terminal
_EVENTS = ".report"  # how the event files of evaluations end

Say = Callable[[str], None]
Card = dict[str, Any]  # what report.json holds; its `samples` and `real` are Scores
Scores = dict[str, dict[str, float]]  # metric: value, and low, high (95 %), standard_error


class Metric(NamedTuple):
    """How a figure of the card is to be read."""

    title: str
    unit: str
    better: str  # "higher", "lower", or "near" with the value after it
    decimals: int

    @property
    def titled(self) -> str:
        return f"{self.title}, {self.unit} ({self.better})"

    def wrong(self, value: float) -> float:
        """The lower, the better the value is."""
        if self.better in ("higher", "lower"):
            return value if self.better == "lower" else -value
        return abs(value - float(self.better.removeprefix("near ")))

    def spread(self, values: list[float]) -> str:
        """The mean, and of several the standard deviation; a dash of none."""
        if not values:
            return "–"
        mean = f"{np.mean(values):.{self.decimals}f}"
        return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{self.decimals}f}"


METRICS = {
    "label_accuracy": Metric("label accuracy", "share", "higher", 4),
    "frechet_distance": Metric("Frechet distance", "feature²", "lower", 3),
    "kernel_distance": Metric("kernel distance (KID)", "feature³", "lower", 4),
    "precision": Metric("precision", "share", "higher", 3),
    "recall": Metric("recall", "share", "higher", 3),
    "density": Metric("density", "ratio", "higher", 3),
    "coverage": Metric("coverage", "share", "higher", 3),
    "coverage_lowest": Metric("coverage, lowest digit", "share", "higher", 3),
    "cas": Metric("samples' classifier (CAS)", "share", "higher", 4),
    "distinct": Metric("distinct images", "share", "higher", 4),
    "diversity": Metric("within-digit diversity", "of real", "near 1", 3),
    "memorisation": Metric("distance to training set", "of real", "near 1", 3),
    "judge_gap": Metric("judge gap", "points", "near 0", 2),
    "number_reading": Metric("6-digit numbers read", "share", "higher", 3),
    "digits_found": Metric("digits found", "of 10", "higher", 0),
    "kl_to_uniform": Metric("digits against uniform", "nats", "lower", 4),
}
"""In the order of the card."""


class Digits(NamedTuple):
    """Digits to be scored, and what else their source can do."""

    name: str
    images: np.ndarray  # uint8 [N, 28, 28]
    labels: np.ndarray | None  # [N], what was asked for; None where nothing could be
    more: Callable[[int], tuple[np.ndarray, np.ndarray]] | None = None  # for CAS
    determinator: Callable[[np.ndarray], np.ndarray] | None = None  # images to probabilities


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
    say: Say = print,
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
    dataset = data_of(record, data, say)
    if dataset.digest != record.get("data_digest"):
        raise UserError(
            f"run {folders.name}: was trained on other data; name its folder with --data"
        )
    digits = _drawn(trained, dataset, seed, say)
    card, picture = evaluate(digits, dataset, judge_file, cas, seed, say)
    step = trained.folders.episodes()[-1] * config.batches
    card = {
        "run": folders.name,
        "experiment": config.experiment,
        "training_seed": config.seed,
        "step": step,
    } | card
    write_json(folders.logs / "report.json", card)
    make_folder(folders.figures)
    figures.save(picture, folders.figures / "report.png")
    for earlier in folders.logs.glob(f"events.*{_EVENTS}"):  # TensorBoard would show both
        earlier.unlink(missing_ok=True)
    summaries = Summaries(folders.logs, _EVENTS)
    values = {f"report/{metric}": score["value"] for metric, score in card["samples"].items()}
    summaries.scalars(step, values)
    summaries.image(step, "report", figures.pixels(picture))
    summaries.close()
    say(f"written: {folders.logs / 'report.json'}, {folders.figures / 'report.png'}")
    return card


def data_of(record: dict[str, Any], data: str | None, say: Say) -> Dataset:
    """The digits of a run, by its record: from the folder `data`, or from where it found them."""
    source = str(record.get("data_source"))
    if data is None and Path(source).is_dir():
        data = source
    split = Config.from_dict(record.get("config")).split
    return load(str(record.get("data")), data, split, say)


def _drawn(trained: Trained, dataset: Dataset, seed: int, say: Say) -> Digits:
    """Samples of a run's last generator, ten digits in equal parts, and its determinator."""
    count = _count(dataset)
    sampler = Sampler(trained.system)

    images, labels = _draw(sampler, seed, count, 0)
    generator = trained.folders.episodes()[-1]

    def more(count: int) -> tuple[np.ndarray, np.ndarray]:
        trained.use_episode(generator)
        return _draw(sampler, seed, count, 1)

    name = trained.folders.name
    if not trained.system.heeds_labels:
        return Digits(name, images, None)
    determinator = None
    if trained.system.recognises:
        try:
            trained.use_checkpoint(say)  # the determinator's weights are in no episode file
            determinator = partial(probabilities, trained.system)
        except UserError as error:
            say(f"NOTE: {error}; no judge gap without the determinator")
    return Digits(name, images, labels, more, determinator)


def _count(dataset: Dataset) -> int:
    """How many samples are scored: as many as real digits are held out, in whole tens."""
    return min(SAMPLES, len(dataset.held_out_images)) // 10 * 10


def _draw(sampler: Sampler, seed: int, count: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """The `number`th draw of a report: ten digits in equal parts, and their labels."""
    labels = np.resize(np.arange(10), count)
    return sampler(labels, seed_of(seed, REPORT, number)), labels


def evaluate_file(
    path: Path,
    *,
    dataset: str = "auto",
    data: str | None = None,
    split: str = "test",
    judge_file: Path | None = None,
    cas: bool = False,
    seed: int = 0,
    say: Say = print,
) -> Card:
    """The card of an npz file with `images` uint8 [N, 28, 28] and, maybe, `labels` int64 [N].

    Without labels it is the card of a system that cannot be asked for a digit.
    """
    held = load(dataset, data, split, say)
    images = read_npz(path, {"images": ("uint8", (None, 28, 28))})["images"]
    if len(images) < 100:
        raise UserError(f"{path}: {len(images)} images; a card needs at least 100")
    labels = None
    if "labels" in names_in(path):
        labels = read_npz(path, {"labels": ("int64", (None,))})["labels"]
        if len(labels) != len(images) or labels.min() < 0 or labels.max() > 9:
            raise UserError(f"{path}: labels must be one digit 0 to 9 for each image")
    digits = Digits(path.name, images, labels)
    card, _ = evaluate(digits, held, judge_file, cas, seed, say)
    return {"file": path.name} | card


def evaluate_shipped(
    name: str,
    *,
    dataset: str = "auto",
    data: str | None = None,
    split: str = "test",
    judge_file: Path | None = None,
    cas: bool = False,
    seed: int = 0,
    say: Say = print,
) -> Card:
    """The card of a generator that comes with gan3; its determinator does not, so no judge gap."""
    sampler = Sampler(open_shipped(name))
    held = load(dataset, data, split, say)

    drawn = _draw(sampler, seed, _count(held), 0)
    digits = Digits(name, *drawn, more=lambda count: _draw(sampler, seed, count, 1))
    card, _ = evaluate(digits, held, judge_file, cas, seed, say)
    return {"pretrained": name} | card


# -- the card --------------------------------------------------------------------------------------


def evaluate(
    digits: Digits, dataset: Dataset, judge_file: Path | None, cas: bool, seed: int, say: Say
) -> tuple[Card, Figure]:
    """All figures of `digits` and of real training digits, against those held out; the picture."""
    if len(dataset.held_out_images) < 50:
        raise UserError(f"{dataset.source}: fewer than 50 held-out digits to score against")
    reader = judge.load(judge_file) if judge_file else judge.shipped()
    reference = _Reference(dataset, reader, seed)
    fakes = reference.look_at(digits)
    places = _equal_parts(dataset.labels, len(digits.images), seed)
    real = Digits(
        "real",
        dataset.images[places],
        None if digits.labels is None else dataset.labels[places].astype(np.int64),
        determinator=digits.determinator,
    )
    reals = reference.look_at(real, own=places)
    if cas and digits.labels is not None:
        for seen, source in ((fakes, digits), (reals, None)):
            seen.scores["cas"] = reference.cas(source, say)
    card = {
        "data": dataset.name,
        "data_digest": dataset.digest,
        "split": dataset.split,
        "held_out": len(dataset.held_out_images),
        "count": len(digits.images),
        "seed": seed,
        "k": NEIGHBOURS,
        "judge": {
            "digest": digest_of(judge_file or judge.SHIPPED),
            "accuracy": round(float(reference.right.mean()), 6),
        },
        "samples": _in_order(fakes.scores),
        "real": _in_order(reals.scores),
        "coverage_by_digit": {"samples": fakes.coverage, "real": reals.coverage},
        "confusion": None if digits.labels is None else fakes.read.tolist(),
    }
    lines = table(card, digits.name)
    shown = slice(100) if digits.labels is None else _equal_parts(digits.labels, 100, seed)
    for line in lines:
        say(line)
    picture = figures.report_card(
        f"{digits.name} · {len(digits.images):,} samples against {len(dataset.held_out_images):,}"
        f" held-out digits of {dataset.title} ({dataset.split})",
        lines[1:],
        fakes.read,
        card["coverage_by_digit"],
        digits.images[shown],
        fakes.pairs,
    )
    return card, picture


def _equal_parts(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Places of about `count` digits, as many of each as there are, digit by digit."""
    random = np.random.default_rng([seed, REPORT])
    parts = [np.flatnonzero(labels == digit) for digit in range(10)]
    return np.concatenate([random.permutation(part)[: max(1, count // 10)] for part in parts])


def _in_order(scores: Scores) -> Scores:
    return {metric: scores[metric] for metric in METRICS if metric in scores}


class _Seen(NamedTuple):
    scores: Scores
    coverage: list[float]  # a digit each
    read: np.ndarray  # counts of the digits read, [10]; [10, 10], where digits were asked for
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray]  # closest ten: samples, neighbours, distances


class _Reference:
    """The real digits that all are scored against, looked at once."""

    def __init__(self, dataset: Dataset, reader: judge.Judge, seed: int):
        self._dataset, self._reader, self._seed = dataset, reader, seed
        self._labels = dataset.held_out_labels.astype(np.int64)
        self._features, logits = reader(dataset.held_out_images)
        self.right = logits.argmax(axis=1) == self._labels
        self._moments = metrics.moments(self._features)
        self._diversity = metrics.mean_pairwise_distance(self._features, self._labels)
        self._distances, _ = metrics.nearest_images(dataset.held_out_images, dataset.images)

    def look_at(self, digits: Digits, own: np.ndarray | None = None) -> _Seen:
        """The figures of `digits`; `own`: their places, where they are training images."""
        seed, images, labels = self._seed, digits.images, digits.labels
        features, logits = self._reader(images)
        read = logits.argmax(axis=1)
        shown = read if labels is None else labels
        scores: Scores = {}

        found = metrics.moments(features)
        value = metrics.frechet_distance(found, self._moments)
        interval = metrics.bootstrap_frechet(features, self._moments, seed)
        scores["frechet_distance"] = _score(value, interval)
        value, error = metrics.kernel_distance(self._features, features, seed)
        scores["kernel_distance"] = _score(value, metrics.normal_interval(value, error), error)

        near = metrics.prdc(self._features, features, NEIGHBOURS)
        for metric, values in near._asdict().items():
            scores[metric] = _mean_score(values, seed)
        coverage = [
            float(near.coverage[self._labels == digit].mean()) for digit in np.unique(self._labels)
        ]
        scores["coverage_lowest"] = _score(min(coverage))

        scores["distinct"] = _score(metrics.distinct(images))
        value = metrics.mean_pairwise_distance(features, shown) / self._diversity
        scores["diversity"] = _score(value)
        distances, places = metrics.nearest_images(images, self._dataset.images, own)
        both = distances, shown, self._distances, self._labels
        scores["memorisation"] = _score(
            metrics.distance_ratio(*both), metrics.bootstrap_ratio(*both, seed)
        )
        if labels is None:
            scores["digits_found"] = _score(metrics.digits_found(read))
            scores["kl_to_uniform"] = _score(metrics.kl_to_uniform(read))
        else:
            scores |= self._asked_for(digits, read == labels)
        return _Seen(
            scores,
            coverage,
            np.bincount(read, minlength=10) if labels is None else metrics.confusion(labels, read),
            self._closest(images, shown, distances, places),
        )

    def _asked_for(self, digits: Digits, right: np.ndarray) -> Scores:
        """What only digits that were asked for can be scored by."""
        scores = {"label_accuracy": _mean_score(right, self._seed)}
        if digits.determinator is not None:
            pleased = digits.determinator(digits.images).argmax(axis=1) == digits.labels
            points = 100 * (pleased.astype(np.float64) - right)
            scores["judge_gap"] = _mean_score(points, self._seed)
        # Numbers are read as they are written, the digits' sides cut off; what stands where is
        # drawn, since the samples come in order.
        order = np.random.default_rng([self._seed, REPORT, STRING]).permutation(len(right))
        cells = digits_in(number_picture(digits.images[order], inverted=True))
        read = self._reader(cells)[1].argmax(axis=1)
        strings = metrics.strings_read(read == digits.labels[order], STRING)
        scores["number_reading"] = _mean_score(strings, self._seed)
        return scores

    def _closest(self, images, shown, distances, places):
        """Ten pairs with the smallest distance for their digit: samples, neighbours, distances."""
        usual = np.array(
            [
                self._distances[self._labels == d].mean() if d in self._labels else np.inf
                for d in range(10)
            ]
        )
        ten = np.argsort(distances / usual[shown], kind="stable")[:10]
        return images[ten], self._dataset.images[places[ten]], distances[ten]

    def cas(self, digits: Digits | None, say: Say) -> dict[str, float]:
        """Classification accuracy score (Ravuri & Vinyals 2019): learn from these, read the others.

        A classifier of the judge's shape, without augmentation, sees nothing but the digits (None:
        the real training images) and then reads those held out.
        """
        if digits is None:
            name, images, labels = "real digits", self._dataset.images, self._dataset.labels
        elif digits.more is not None:
            name, (images, labels) = digits.name, digits.more(CAS_SAMPLES)
        else:
            name, images, labels = digits.name, digits.images, digits.labels
        say(f"CAS: a classifier learns from {len(images):,} images of {name} alone")
        weights = judge.train(images, labels, seed=self._seed, steps=CAS_STEPS, augment=False)
        read = judge.Judge(weights)(self._dataset.held_out_images)[1].argmax(axis=1)
        return _mean_score(read == self._labels, self._seed)


def _score(
    value: float, interval: tuple[float, float] | None = None, error: float | None = None
) -> dict[str, float]:
    made = {"value": float(value)}
    if interval is not None and np.isfinite(interval).all():
        made |= {"low": interval[0], "high": interval[1]}
    if error is not None and np.isfinite(error):
        made["standard_error"] = error
    return {key: float(f"{number:.6g}") for key, number in made.items()}


def _mean_score(values: np.ndarray, seed: int) -> dict[str, float]:
    return _score(values.mean(), metrics.bootstrap_mean(values, seed))


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


# -- runs side by side -----------------------------------------------------------------------------


class Comparison(NamedTuple):
    """Columns of figures, a row a metric, the best of each row known."""

    columns: list[str]
    rows: list[tuple[Metric, list[str], set[int]]]  # what, texts, places of the best
    means: list[dict[str, float]]  # of a column: metric, mean over its runs

    def lying(self) -> dict[str, dict[str, float]]:
        """By column its means, as `figures.spread` draws them."""
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

    def across(self) -> list[str]:
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
        folders = folders_of(name, logs, figures_folder)
        card, record = read_card(folders), read_record(folders.record)
        steps = Config.from_dict(record.get("config")).total_steps
        column = broken_off(card["experiment"] if grouped else name, card, steps)
        groups.setdefault(column, {})[name] = card
    return side_by_side(
        {
            f"{name} ({len(own)} seeds)" if len(own) > 1 else name: own
            for name, own in groups.items()
        }
    )


def broken_off(name: str, card: Card, steps: int, between: str = ", ") -> str:
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


def read_card(folders: Folders) -> Card:
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
    wrong = {i: about.wrong(value) for i, value in known.items()}
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


# -- after each episode ----------------------------------------------------------------------------


class EpisodeScore:
    """Two cheap figures of a generator in training.

    They are watched while choices are made, so they are taken against the last 5,000 training
    images and never against the test set.
    """

    def __init__(self, train_images: np.ndarray, seed: int):
        self._seed, self._judge = seed, judge.shipped()
        self._images = train_images[-HELD_OUT:]

    @cached_property
    def _moments(self) -> metrics.Moments:
        """Of the real digits; looked at after the first episode, not before the first step."""
        return metrics.moments(self._judge(self._images)[0])

    def __call__(self, sampler: Sampler) -> dict[str, float]:
        """Of 2,000 samples `judge/label_accuracy`, a share, and `judge/frechet_distance`.

        Where digits cannot be asked for it is `judge/digits_found`, of ten, in place of the share.
        """
        labels = np.resize(np.arange(10), QUICK_SAMPLES)
        features, logits = self._judge(sampler(labels, seed_of(self._seed, EPISODES)))
        read = logits.argmax(axis=1)
        if sampler.heeds_labels:
            score = {"judge/label_accuracy": round(float((read == labels).mean()), 6)}
        else:
            score = {"judge/digits_found": float(metrics.digits_found(read))}
        distance = metrics.frechet_distance(metrics.moments(features), self._moments)
        return score | {"judge/frechet_distance": round(distance, 6)}
