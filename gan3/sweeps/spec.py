"""What a sweep's TOML file says, checked whole before anything is trained: its trials.

`name`, `title`, `seeds`, `settings` for every run, `cas` where each is to be scored by that as
well, `threads` of a run, `budget_minutes` after which none is begun, and what is to be tried:

- `variants`, each with a name, an experiment, and maybe `settings` and `seeds` of its own, the
  `minutes` that a run of it takes, and `full`, the settings of its own, longer budget;
- or one `experiment`;
- and for each of those, maybe a `grid`, fields with the values that they take, all with all, and
  `random`: `trials` points drawn by `seed` from the laws of its `fields`. Then `metric` says by
  which figure of the report card the points are ranked, on the validation split.
"""

import hashlib
import itertools
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.core.config import RunConfig, as_text
from gan3.core.errors import UserError
from gan3.evaluation.scoring import METRICS
from gan3.runs.registry import config_of
from gan3.runs.run_files import run_folders

Point = dict[str, Any]  # swept fields and their values


class Trial(NamedTuple):
    """One run of a sweep."""

    variant: str
    run: str
    config: RunConfig
    minutes: float  # that it takes on two cores, by the specification; 0: it does not say
    point: Point


class Sweep(NamedTuple):
    """A specification that was read and checked."""

    name: str
    title: str
    trials: list[Trial]
    cas: bool = False  # also score by a classifier that learns from the samples alone
    swept: tuple[str, ...] = ()  # the fields of grid and random
    metric: str | None = None  # that ranks the points
    threads: int | None = None  # of a run; None: its share of the cores
    budget_minutes: float = math.inf


_KNOWN = {"name", "title", "seeds", "settings", "cas", "threads", "budget_minutes"} | {
    *("variants", "experiment", "grid", "random", "metric"),
}


def read(path: Path, full: bool = False) -> Sweep:
    """The sweep that a TOML file specifies; with `full`, of the variants that have that budget.

    Raises UserError for whatever does not fit in it.
    """
    spec = _toml(path)
    _refuse_others(path, "the file", spec, _KNOWN)
    name, title = _text(path, spec, "name"), _text(path, spec, "title")
    if not isinstance(spec.get("cas", False), bool):
        raise UserError(f"{path}: cas: true or false")
    points = list(_points(path, spec))
    swept = tuple(points[0])
    trials = []
    for variant in _variants(path, spec):
        for point in points:
            trials += _trials(path, name, spec, variant, point, full)
    if not trials:
        raise UserError(f"{path}: no variant has a longer budget of its own; leave out --full")
    for trial in trials:
        run_folders(trial.run)  # raises where it cannot be a run's name
    if len({trial.run for trial in trials}) < len(trials):
        raise UserError(f"{path}: two variants of one name, or a seed twice")
    return Sweep(
        f"{name}-full" if full else name,
        title,
        trials,
        spec.get("cas", False),
        swept,
        _metric(path, spec, trials) if swept else None,
        _number(path, spec, "threads", None, int, 1),
        _number(path, spec, "budget_minutes", math.inf, (int, float), 0),
    )


def _trials(
    path: Path, name: str, spec: dict, variant: dict, point: Point, full: bool
) -> Iterator[Trial]:
    """A variant at a point, a trial a seed."""
    known = {"name", "experiment", "settings", "seeds", "minutes", "full"}
    _refuse_others(path, "a variant", variant, known)
    own, experiment = variant.get("name", ""), _text(path, variant, "experiment")
    label = ", ".join(filter(None, [own, *(f"{key}={value}" for key, value in point.items())]))
    settings = _settings(path, spec) | _settings(path, variant) | point
    minutes = _number(path, variant, "minutes", 0, (int, float), 0)
    longer = _settings(path, variant, "full")
    if full and not longer:
        return
    for seed in _seeds(path, variant.get("seeds", spec.get("seeds"))):
        config, took = _config(experiment, settings | {"seed": seed}), minutes
        if full:
            usual = config.total_steps * config.batch_size
            config = _config(experiment, settings | longer | {"seed": seed})
            took *= config.total_steps * config.batch_size / usual
        run = "-".join([name, _in_a_name(label), *["full"] * full, str(seed)])
        yield Trial(label, run, config, took, point)


def _variants(path: Path, spec: dict) -> list[dict]:
    variants = spec.get("variants")
    if "experiment" in spec:
        if variants is not None:
            raise UserError(f"{path}: an experiment or variants, not both")
        bare = {"experiment": spec["experiment"]}
        return [bare if "grid" in spec or "random" in spec else bare | {"name": bare["experiment"]}]
    if not (isinstance(variants, list) and variants):
        raise UserError(
            f"{path}: variants: at least one [[variants]] with name and experiment, or an"
            " experiment for all"
        )
    for variant in variants:
        if not isinstance(variant, dict):
            raise UserError(f"{path}: variants: [[variants]] with name and experiment")
        _text(path, variant, "name")
    return variants


# -- points: grid and random -----------------------------------------------------------------------
def _points(path: Path, spec: dict) -> Iterator[Point]:
    """Every draw of `random` at every point of `grid`; one empty point where there is neither."""
    grid, random = _table(path, spec, "grid"), _table(path, spec, "random")
    for key, values in grid.items():
        if not (isinstance(values, list) and values):
            raise UserError(f"{path}: grid: {key}: a list of the values to try")
        if key in random.get("fields", {}):
            raise UserError(f"{path}: {key}: in grid or in random, not in both")
    draws: list[Point] = [{}]
    if "random" in spec:
        _refuse_others(path, "random", random, {"trials", "seed", "fields"})
        fields = _table(path, random, "fields")
        count = _number(path, random, "trials", None, int, 1)
        if count is None or not fields:
            raise UserError(f"{path}: random: trials, how many points, and [random.fields]")
        seed = _number(path, random, "seed", 0, int, 0)
        draws = [
            {key: _draw(path, key, law, seed, number) for key, law in fields.items()}
            for number in range(count)
        ]
    seen = []
    for values in itertools.product(*grid.values()):
        for draw in draws:
            point = dict(zip(grid, values, strict=True)) | draw
            if point not in seen:  # few choices are drawn twice
                seen.append(point)
                yield point


def _draw(path: Path, key: str, law: Any, seed: int, number: int) -> Any:
    """The value of a field at the point `number`; the same whatever other fields there are.

    A list: one of them. Low and high: a number between, whole where both are; with `log`, as likely
    between 1 and 10 as between 10 and 100. Three digits are kept, so that names say all of it.
    """
    chance = np.random.default_rng([seed, number, *key.encode()])
    if isinstance(law, list) and law:
        return law[chance.integers(len(law))]
    try:
        low, high, log = law["low"], law["high"], law.get("log", False)
        if not (low < high and (low > 0 or not log) and set(law) <= {"low", "high", "log"}):
            raise ValueError
        if isinstance(low, int) and isinstance(high, int) and not log:
            return int(chance.integers(low, high, endpoint=True))
        share = chance.random()
        value = low * (high / low) ** share if log else low + (high - low) * share
        rounded = min(max(float(f"{value:.3g}"), low), high)
        return int(rounded) if isinstance(low, int) and isinstance(high, int) else rounded
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        raise UserError(
            f"{path}: random: {key}: a list of choices, or low and high, numbers, and log = true"
            " where the law is even in the logarithm"
        ) from None


def _metric(path: Path, spec: dict, trials: list[Trial]) -> str:
    metric = spec.get("metric", "frechet_distance")
    if metric not in METRICS:
        raise UserError(f"{path}: metric: one of {', '.join(METRICS)}")
    if any(trial.config.split != "validation" for trial in trials):
        raise UserError(
            f"{path}: points are chosen on the validation split, never on the test set:"
            ' split = "validation" in [settings]'
        )
    return metric


# -- parts of a specification ----------------------------------------------------------------------
def _config(experiment: str, settings: dict[str, Any]) -> RunConfig:
    config = config_of(experiment)
    for key, value in settings.items():
        config = config.with_text(key, as_text(value))
    return config


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; experiments/sweeps/ has some") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not TOML ({error})") from None


def _in_a_name(text: str) -> str:
    """A variant's name with what a run's name cannot have left out; a long one by its digest."""
    found = re.sub(r"[^A-Za-z0-9._]+", "_", text).strip("_")
    if len(found) > 60:
        found = f"{found[:50]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return found


def _refuse_others(path: Path, where: str, table: dict, known: set[str]) -> None:
    for key in set(table) - known:
        raise UserError(f"{path}: {key!r}: unknown in {where}; known: {', '.join(sorted(known))}")


def _text(path: Path, table: dict, key: str) -> str:
    if not (isinstance(table.get(key), str) and table[key]):
        raise UserError(f"{path}: {key}: needs a text")
    return table[key]


def _number(path: Path, table: dict, key: str, default: Any, kind: Any, least: float) -> Any:
    value = table.get(key, default)
    if key in table and (
        isinstance(value, bool) or not isinstance(value, kind) or not value >= least
    ):
        whole = "a whole number" if kind is int else "a number"
        raise UserError(f"{path}: {key}: {whole}, at least {least}")
    return value


def _table(path: Path, table: dict, key: str) -> dict[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict) or (key in table and not found):
        raise UserError(f"{path}: {key}: a table of fields of the config")
    if "seed" in found and key != "random":
        raise UserError(f"{path}: {key}: seed is not one of them; seeds has the seeds")
    return found


def _settings(path: Path, table: dict, key: str = "settings") -> dict[str, Any]:
    settings = table.get(key, {})
    if not isinstance(settings, dict) or "seed" in settings:
        raise UserError(f"{path}: {key}: keys and values of the config; seeds has the seeds")
    return settings


def _seeds(path: Path, seeds: Any) -> list[int]:
    if not (isinstance(seeds, list) and seeds and all(type(seed) is int for seed in seeds)):
        raise UserError(f"{path}: seeds: a list of whole numbers, such as [0, 1, 2]")
    return seeds
