"""The settings of a run: one frozen record, checked once, the same in code and in run.json.

Only `run`, `report` and the experiments read it; the layers below take plain named values.
"""

import dataclasses
import difflib
import re
import types
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from gan3.core.errors import UserError
from gan3.core.triple import Triple

CHOICES = {
    "dataset": ("auto", "mnist", "strokes", "idx"),
    "split": ("test", "validation"),
    "precision": ("float32", "bfloat16", "auto"),
    "noise_draw": ("example", "batch", "once"),
    "init": ("glorot", "published"),
    "activation": ("elu", "relu", "leaky_relu"),
    "digit_loss": ("softmax_mean", "sigmoid_sum"),
    "downsampling": ("pool", "stride"),
    "generator_norm": ("none", "batch"),
    "digit_shown": ("no", "yes"),
    "adversarial_loss": ("cross_entropy", "hinge", "relativistic"),
}
"""The words that a field takes (each of the three, where the field is a triple)."""
# field: (lowest, highest, whether the lowest itself is allowed)
_RANGES: dict[str, tuple[float, float, bool]] = {
    "episodes": (1, 100_000, True),
    "batches": (1, 10_000_000, True),
    "batch_size": (1, 10_000, True),
    "log_every": (1, 10_000_000, True),
    "checkpoint_every": (1, 10_000_000, True),
    "frame_every": (1, 10_000_000, True),
    "seed": (0, 2**31 - 1, True),
    "keep_prob": (0.01, 1, True),
    "l1_weight": (0, 1, True),
    "learning_rate": (0, 1, False),
    "beta1": (0, 0.9999, True),
    "digit_weight": (0, 1000, True),
    "kernel": (1, 28, True),
    "r1_weight": (0, 1000, True),
    "r2_weight": (0, 1000, True),
    "penalty_every": (1, 1000, True),
    "reading_weight": (0, 1000, True),
    "kl_weight": (0, 1000, True),
    "redrawn_weight": (0, 1000, True),
    "average_decay": (0, 0.99999, True),
    "falls_from": (0, 1, True),
}
_MOST_STEPS = 2**27 - 1  # what a stream of the run's seed can number


@dataclass(frozen=True)
class Config:
    """Every setting of a run; triples are (generator, discriminator, determinator)."""

    experiment: str

    # Schedule
    episodes: int = 10
    batches: int = 200  # an episode
    batch_size: int = 100  # images a batch
    log_every: int = 10  # steps between two lines of metrics.jsonl
    checkpoint_every: int = 100  # steps; the end of an episode always saves
    frame_every: int = 10  # steps of the first episode between two frames of its GIF

    # Data and machine
    seed: int = 0
    dataset: str = "auto"
    split: str = "test"  # what is held out: the test set, or the last 5,000 training images
    precision: str = "float32"

    # The three networks
    noise_draw: str = "example"
    init: str = "glorot"
    activation: Triple[str] = Triple("elu", "elu", "elu")
    keep_prob: Triple[float] = Triple(0.5, 0.5, 0.5)
    l1_weight: Triple[float] = Triple(0.001, 0.001, 0.001)
    learning_rate: Triple[float] = Triple(0.001, 0.001, 0.001)
    beta1: Triple[float] = Triple(0.9, 0.9, 0.9)
    digit_loss: str = "softmax_mean"
    digit_weight: float = 1.0

    # What only open systems heed (experiments/best.py); these values are the description's
    widths: Triple[str] = Triple("100 500 784", "32 64 1024", "32 64 1024")
    kernel: int = 5
    downsampling: str = "pool"
    generator_norm: str = "none"
    digit_shown: str = "no"
    adversarial_loss: str = "cross_entropy"
    r1_weight: float = 0.0
    r2_weight: float = 0.0
    penalty_every: int = 1
    reconstruction_weight: float = 0.0
    kl_weight: float = 1.0
    reconstruction_adversarial_weight: float = 0.0
    ema_decay: float = 0.0
    lr_decay_start: float = 1.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field.name, field.type, getattr(self, field.name))
        for role, text in self.widths._asdict().items():
            _check_widths(role, text)
        if self.total_steps > _MOST_STEPS:
            raise UserError(
                f"config: {self.episodes} episodes of {self.batches} batches are more than"
                f" {_MOST_STEPS} steps; take fewer"
            )

    # -- JSON and the command line ---------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; triples become {"generator": …, "discriminator": …, …}."""
        return {
            field.name: value._asdict() if isinstance(value, Triple) else value
            for field in dataclasses.fields(self)
            for value in [getattr(self, field.name)]
        }

    @classmethod
    def from_dict(cls, values: Any) -> "Config":
        """The inverse of `to_dict`; a key that is missing takes its default.

        Raises UserError for an unknown or wrong key, and where `experiment` is missing.
        """
        if not isinstance(values, dict):
            raise UserError("config: not an object of keys and values")
        types_of = {field.name: field.type for field in dataclasses.fields(cls)}
        made = {}
        for key, value in values.items():
            if key not in types_of:
                raise UserError(_unknown_key(key))
            if get_origin(types_of[key]) is Triple:
                if not isinstance(value, dict) or set(value) != set(Triple._fields):
                    raise UserError(f"config key {key}: needs the keys {', '.join(Triple._fields)}")
                value = Triple(**value)
            made[key] = value
        if "experiment" not in made:
            raise UserError("config: the key experiment is missing")
        return cls(**made)

    def with_text(self, key: str, text: str) -> "Config":
        """This config with `key` set from the text of `--set key=text`.

        A triple takes one value for all three, three with commas between, or one network's own
        by `key.network`. Raises UserError for an unknown key or an unfit value.
        """
        name, _, role = key.partition(".")
        types_of = {field.name: field.type for field in dataclasses.fields(self)}
        if name not in types_of or name == "experiment":
            raise UserError(_unknown_key(name))
        kind = types_of[name]
        if get_origin(kind) is not Triple:
            if role:
                raise UserError(f"config key {key}: {name} has one value, not one a network")
            return dataclasses.replace(self, **{name: _parse(key, kind, text)})
        (entry,) = get_args(kind)
        if role:
            if role not in Triple._fields:
                raise UserError(f"config key {key}: after the dot one of {_listed(Triple._fields)}")
            value = getattr(self, name)._replace(**{role: _parse(key, entry, text)})
        else:
            parts = text.split(",")
            if len(parts) not in (1, 3):
                raise UserError(f"config key {key}: one value or three with commas, not {text!r}")
            value = Triple(*(_parse(key, entry, part) for part in parts * (3 // len(parts))))
        return dataclasses.replace(self, **{name: value})

    def differences(self, other: "Config") -> list[str]:
        """The names of the fields in which two configs differ."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [key for key in mine if mine[key] != theirs[key]]

    def layer_widths(self) -> Triple[tuple[int, ...]]:
        """`widths` as numbers: hidden layers; for a critic its convolutions, then its dense one."""
        return self.widths.map(lambda text: tuple(int(word) for word in text.split()))

    def refuse_others(self, declared: "Config", heeded: Collection[str]) -> None:
        """Raises UserError where what is not `heeded` is not as `declared`.

        For what a system would leave alone: a user who sets something means something. `heeded`
        names fields, or one network's own with a dot; one value for all networks is heeded then.
        """
        allowed = {*heeded, *_OF_EVERY_SYSTEM}
        for key in self.differences(declared):
            mine, theirs = getattr(self, key), getattr(declared, key)
            names = [key]
            if isinstance(mine, Triple):
                if len(set(mine)) == 1 and any(name.startswith(f"{key}.") for name in heeded):
                    continue
                names = [
                    f"{key}.{role}"
                    for role in Triple._fields
                    if getattr(mine, role) != getattr(theirs, role)
                ]
            for name in names:
                if not {key, name} & allowed:
                    raise UserError(
                        f"config key {name}: {self.experiment} has no such choice; it has"
                        f" {_listed(tuple(heeded))}"
                    )

    @property
    def total_steps(self) -> int:
        """Steps of the whole schedule."""
        return self.episodes * self.batches


# What systems of a generator and a discriminator heed, that have an Adam for each.
TWO_ADAMS = (
    *("learning_rate.generator", "learning_rate.discriminator"),
    *("beta1.generator", "beta1.discriminator"),
)
_OF_EVERY_SYSTEM = (
    *("experiment", "episodes", "batches", "batch_size", "log_every", "checkpoint_every"),
    *("frame_every", "seed", "dataset", "split", "precision"),
)


def _parse(key: str, kind: type, text: str) -> Any:
    if kind is str:
        return text
    try:
        return kind(text)
    except ValueError:
        word = "a whole number" if kind is int else "a number"
        raise UserError(f"config key {key}: {_shown(text)} is not {word}") from None


def _check(name: str, kind: Any, value: Any) -> None:
    if get_origin(kind) is Triple:
        if not isinstance(value, Triple):
            raise UserError(f"config key {name}: needs one value for each of the three networks")
        for role, entry in value._asdict().items():
            _check_one(name, f"{name}.{role}", get_args(kind)[0], entry)
    else:
        _check_one(name, name, kind, value)


def _check_one(name: str, shown: str, kind: type, value: Any) -> None:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not (isinstance(value, kind) or (kind is float and numeric)) or isinstance(value, bool):
        raise UserError(f"config key {shown}: {_shown(value)} is not {_KIND_WORDS[kind]}")
    if name in CHOICES and value not in CHOICES[name]:
        raise UserError(
            f"config key {shown}: {_shown(value)} is not one of {_listed(CHOICES[name])}"
        )
    if name in _RANGES:
        low, high, closed = _RANGES[name]
        if not low <= value <= high or (value == low and not closed):  # nor does NaN
            least = "at least" if closed else "more than"
            raise UserError(
                f"config key {shown}: {_shown(value)} does not fit; {least} {low}, at most {high}"
            )


_KIND_WORDS = types.MappingProxyType({int: "a whole number", float: "a number", str: "text"})


def _check_widths(role: str, text: str) -> None:
    words = text.split()
    few, many = (1, 8) if role == "generator" else (2, 5)
    numbers = [int(word) for word in words if re.fullmatch(r"[0-9]{1,4}", word)]
    fit = len(numbers) == len(words) and all(1 <= number <= 8192 for number in numbers)
    if not (few <= len(words) <= many and fit):
        raise UserError(
            f"config key widths.{role}: {_shown(text)} does not fit; {few} to {many} whole numbers"
            " from 1 to 8192 with blanks between"
        )


def _shown(value: Any) -> str:
    """A value as a message shows it, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no whole number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)} characters)"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _unknown_key(key: str) -> str:
    known = [field.name for field in dataclasses.fields(Config) if field.name != "experiment"]
    nearest = difflib.get_close_matches(str(key)[:50], known, n=4, cutoff=0)
    return (
        f"config key {_shown(key)}: unknown; the nearest are {_listed(tuple(nearest))}"
        f" (a run.json has all {len(known)})"
    )
