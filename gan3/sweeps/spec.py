"""The specification of a sweep: a TOML file, checked as a whole before any training.

docs/scale.md shows one. With `cas = true` cards have the classification accuracy score. A variant
has `name`, `experiment` and, optionally, `settings`, `seeds`, and `full`, the settings of a longer
schedule.
"""

import hashlib
import itertools
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.core.config import RunConfig, as_text
from gan3.core.errors import UserError
from gan3.evaluation.metrics import METRICS
from gan3.runs.registry import bundled_folder, config_of
from gan3.runs.run import Run

_KEYS = {"name", "title", "seeds", "settings", "cas", "threads", "budget_minutes"} | {
    *("variants", "experiment", "grid", "random", "metric"),
}
_VARIANT_KEYS = {"name", "experiment", "settings", "seeds", "full"}
_MAX_POINTS = 10_000  # from grid and random; each is a training run
_LARGEST = 1e12  # bound for numbers that are no setting: seeds, minutes, counts
_MAX_NAME = 60  # characters of a point in the name of its run
Point = dict[str, Any]  # values of the fields in grid and random


class Trial(NamedTuple):
    """One run of a sweep."""

    variant: str  # its name, and the values of its point
    run: str  # the name of the run
    config: RunConfig


class Sweep(NamedTuple):
    """A checked specification."""

    name: str
    title: str
    trials: list[Trial]
    cas: bool = False  # also compute the classification accuracy score
    metric: str | None = None  # on the report card; ranks the points of a grid or of random
    threads: int | None = None  # per run; None: the cores divided by the number of parallel jobs
    budget_minutes: float = math.inf  # after which no run is started


def read(path: Path, full: bool = False) -> Sweep:
    """Read and check a specification.

    Args:
        path: of the file, or the name of a bundled one if there is no such file.
        full: only the variants that have a longer schedule, with that schedule.

    Raises:
        UserError: no such file, or anything in it that is unknown or does not fit.
    """
    folder = bundled_folder() / "sweeps"
    bundled = folder / f"{path}.toml"
    if bundled.is_file() and not path.exists():
        path = bundled
    try:
        spec = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = ", ".join(sorted(file.stem for file in folder.glob("*.toml")))
        raise UserError(f"{path}: no such file; the bundled ones are {names}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, a number of 5,000 digits
        raise UserError(f"{path}: not TOML ({error}); correct the file") from None
    try:
        return _checked(spec, full)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _checked(spec: dict, full: bool) -> Sweep:
    _reject_unknown_keys("the file", spec, _KEYS)
    name, title = _text(spec, "name"), _text(spec, "title")
    if not isinstance(spec.get("cas", False), bool):
        raise UserError("cas: must be true or false")
    variants, points = _variants(spec), list(_points(spec))
    trials = [
        trial
        for variant in variants
        for point in points
        for trial in _trials(name, spec, variant, point, full)
    ]
    if not trials:
        raise UserError("no variant has a longer schedule; read it without full")
    for run, count in Counter(trial.run for trial in trials).items():
        Run(run)  # raises if it cannot be the name of a run
        if count > 1:
            raise UserError(
                f"run {run}: is there twice; give each variant a name of its own, in other letters"
                " or digits, and list each seed once"
            )
    for key in ("dataset", "split"):  # cards of several cannot be compared
        found = sorted({getattr(trial.config, key) for trial in trials})
        if len(found) > 1:
            raise UserError(f"{key}: {' and '.join(found)}; one sweep has one {key}")
    return Sweep(
        f"{name}-full" if full else name,
        title,
        trials,
        spec.get("cas", False),
        _metric(spec, trials),
        _number(spec, "threads", None, int, 1),
        _number(spec, "budget_minutes", math.inf, (int, float), 0),
    )


def _variants(spec: dict) -> list[dict]:
    if ("experiment" in spec) == ("variants" in spec):
        raise UserError("needs an experiment for all runs, or variants, not both")
    if "experiment" in spec:
        variant = {"experiment": _text(spec, "experiment")}
        has_points = "grid" in spec or "random" in spec
        return [variant if has_points else variant | {"name": Path(variant["experiment"]).stem}]
    variants = spec["variants"]
    is_list = isinstance(variants, list) and all(isinstance(each, dict) for each in variants)
    if not (is_list and variants):
        raise UserError("variants: needs at least one [[variants]] with name and experiment")
    for variant in variants:
        _text(variant, "name")
    return variants


def _trials(name: str, spec: dict, variant: dict, point: Point, full: bool) -> Iterator[Trial]:
    """The trials of a variant at a point, one per seed."""
    _reject_unknown_keys("a variant", variant, _VARIANT_KEYS)
    experiment = _text(variant, "experiment")
    values = [f"{key}={value}" for key, value in point.items()]
    label = ", ".join(filter(None, [variant.get("name", ""), *values]))
    layers = [_settings(spec, "settings"), _settings(variant, "settings"), point]
    longer = _settings(variant, "full")
    if full:
        layers.append(longer)
    if longer or not full:
        for seed in _seeds(variant.get("seeds", spec.get("seeds"))):
            run = "-".join([name, _as_run_name(label), *["full"] * full, str(seed)])
            yield Trial(label, run, _config(experiment, [*layers, {"seed": seed}]))


def _config(experiment: str, layers: list[dict[str, Any]]) -> RunConfig:
    """The experiment's config, changed by each layer of settings in turn.

    So "learning_rate" in a later layer replaces "learning_rate.generator" in an earlier one.
    """
    config = config_of(experiment)
    for layer in layers:
        for key, value in layer.items():
            config = config.with_text(key, as_text(value))
    return config


def _as_run_name(text: str) -> str:
    """A variant's name without characters that a run's name cannot have.

    If it was shortened, or if letters of other alphabets were lost, a digest is added so that it
    stays unique.
    """
    name = re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("_")
    if len(name) > _MAX_NAME or not text.isascii():
        name = f"{name[: _MAX_NAME - 10]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return name


# -- points: grid and random -----------------------------------------------------------------------
def _points(spec: dict) -> Iterator[Point]:
    """Every point of `grid` with every draw of `random`; one empty point if there is neither."""
    grid, random = _table(spec, "grid"), _table(spec, "random")
    for key, values in grid.items():
        if not (isinstance(values, list) and values):
            raise UserError(f"grid: {key}: needs a list of values")
    _reject_unknown_keys("random", random, {"trials", "seed", "fields"})
    fields = _table(random, "fields")
    trials = _number(random, "trials", 0, int, 1)
    if random and not (trials and fields):
        raise UserError("random: needs trials, the number of points, and fields")
    for key in grid.keys() & fields.keys():
        raise UserError(f"{key}: in grid or in random, not in both")
    _reject_overlaps("a point", grid | fields)
    count = math.prod(map(len, grid.values())) * max(trials, 1)
    if count > _MAX_POINTS:
        raise UserError(f"{count} points; a sweep has at most {_MAX_POINTS}")
    seed = _number(random, "seed", 0, int, 0)
    draws = [
        {key: _draw(key, distribution, seed, number) for key, distribution in fields.items()}
        for number in range(max(trials, 1))
    ]
    seen = []
    for values in itertools.product(*grid.values()):
        for draw in draws:
            point = dict(zip(grid, values, strict=True)) | draw
            if point not in seen:  # a short list of choices can give the same point twice
                seen.append(point)
                yield point


def _draw(key: str, distribution: Any, seed: int, number: int) -> Any:
    """The value of a field at random point `number`, whatever other fields there are.

    distribution: a list of choices; or `low` and `high` of a uniform distribution, which is over
    whole numbers if both are whole, and uniform in the logarithm with `log`. Values are rounded to
    three digits, so that names and tables show them in full.
    """
    random = np.random.default_rng([seed, number, *key.encode()])
    if isinstance(distribution, list) and distribution:
        return distribution[random.integers(len(distribution))]
    try:
        low, high = distribution["low"], distribution["high"]
        log = distribution.get("log", False)
        keys_fit = set(distribution) <= {"low", "high", "log"} and isinstance(log, bool)
        if not (keys_fit and low < high and (low > 0 or not log)):
            raise ValueError
        whole = isinstance(low, int) and isinstance(high, int)
        if whole and not log:
            return int(random.integers(low, high, endpoint=True))
        fraction = random.random()
        value = low * (high / low) ** fraction if log else low + (high - low) * fraction
        rounded = min(max(float(f"{value:.3g}"), low), high)
        return int(rounded) if whole else rounded
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        raise UserError(
            f"random: {key}: needs a list of choices, or numbers low and high, with"
            " log = true to draw uniformly in the logarithm"
        ) from None


def _metric(spec: dict, trials: list[Trial]) -> str | None:
    """What ranks the points, None if there are none."""
    if "grid" not in spec and "random" not in spec:
        if "metric" in spec:
            raise UserError("metric: ranks the points of a grid or of random; leave it out")
        return None
    default = next(name for name, about in METRICS.items() if about.ranks_sweeps)
    metric = spec.get("metric", default)
    if not isinstance(metric, str) or metric not in METRICS:
        raise UserError(f"metric: must be one of {', '.join(METRICS)}")
    if any(trial.config.split != "validation" for trial in trials):
        raise UserError(
            "points are ranked on the validation split, never on the test set:"
            ' set split = "validation" in [settings]'
        )
    return metric


# -- checked values --------------------------------------------------------------------------------
def _reject_unknown_keys(where: str, table: dict, known: set[str]) -> None:
    for key in table.keys() - known:
        raise UserError(f"{key!r}: unknown in {where}; known: {', '.join(sorted(known))}")


def _reject_overlaps(where: str, settings: dict[str, Any]) -> None:
    """Raises UserError if a table has a field and also the field's value for one network."""
    for key in settings:
        field = key.partition(".")[0]
        if field != key and field in settings:
            raise UserError(f"{where} has {field} and {key}; leave one out")


def _text(table: dict, key: str) -> str:
    if not (isinstance(table.get(key), str) and table[key].isprintable() and table[key]):
        raise UserError(f"{key}: needs a text of one line")
    return table[key]


def _number(table: dict, key: str, default: Any, kind: Any, minimum: float) -> Any:
    value = table.get(key, default)
    is_kind = isinstance(value, kind) and not isinstance(value, bool)
    if key in table and not (is_kind and minimum <= value < _LARGEST):
        kind_text = "a whole number" if kind is int else "a number"
        raise UserError(f"{key}: must be {kind_text}, at least {minimum} and below {_LARGEST:.0e}")
    return value


def _table(table: dict, key: str) -> dict[str, Any]:
    fields = table.get(key, {})
    if not isinstance(fields, dict) or (key in table and not fields):
        raise UserError(f"{key}: needs a table of config fields")
    if "seed" in fields and key != "random":
        raise UserError(f"{key}: cannot have seed; list the seeds in seeds")
    return fields


def _settings(table: dict, key: str) -> dict[str, Any]:
    settings = _table(table, key)
    _reject_overlaps(key, settings)
    return settings


def _seeds(seeds: Any) -> list[int]:
    if not (isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds)):
        raise UserError("seeds: needs a list of whole numbers, such as [0, 1, 2]")
    return seeds
