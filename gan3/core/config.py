"""The settings of a run: a frozen dataclass, validated once, the same in code and in run.json.

Each family of systems adds its own fields to `RunConfig` in a subclass. A field's type says which
values it takes: `Literal` words, numbers with a `Range`, tuples with `Sizes`, and `Triple` or
`Pair` for one value per network.
"""

import dataclasses
import difflib
import inspect
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

from gan3.core.errors import UserError, shown
from gan3.core.triple import Pair, Triple

_MAX_STEPS = 2**27 - 1  # the number of seeds in one stream of a run's seed
_PER_NETWORK = (Triple, Pair)
# What a config belongs to, which is no setting.
_IDENTITY = ("experiment", "experiment_file")


class Range(NamedTuple):
    """The values a number may have."""

    low: float
    high: float
    includes_low: bool = True

    def contains(self, value: float) -> bool:
        """Whether the value is in the range; NaN never is."""
        return self.low <= value <= self.high and (self.includes_low or value != self.low)

    def __str__(self) -> str:
        return f"{'at least' if self.includes_low else 'more than'} {self.low}, at most {self.high}"


class Sizes(NamedTuple):
    """How many layer sizes a tuple may have; each is from 1 to 8192."""

    min_count: int
    max_count: int

    def contain(self, value: tuple[int, ...]) -> bool:
        """Whether the number of sizes and each size fit."""
        sizes_fit = all(1 <= size <= 8192 for size in value)
        return self.min_count <= len(value) <= self.max_count and sizes_fit

    def __str__(self) -> str:
        return f"{self.min_count} to {self.max_count} whole numbers from 1 to 8192"


Count = Annotated[int, Range(1, 10_000_000)]
KeepProb = Annotated[float, Range(0.01, 1)]  # in dropout
LearningRate = Annotated[float, Range(0, 1, includes_low=False)]
Beta1 = Annotated[float, Range(0, 0.9999)]
L1Weight = Annotated[float, Range(0, 1)]
LossWeight = Annotated[float, Range(0, 1000)]
Precision = Literal["float32", "bfloat16", "auto"]
DatasetName = Literal[
    "auto",
    "mnist",
    "strokes",
    "own",
    "fashion_mnist",
    "kmnist",
    "emnist_letters",
    "emnist_balanced",
    "emnist_digits",
    "emnist_mnist",
]


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every run has, whatever it trains."""

    experiment: str
    experiment_file: str = ""  # absolute path of a user's own experiment; empty for a bundled one

    # Schedule
    episodes: Annotated[int, Range(1, 100_000)] = 10
    batches: Count = 200  # per episode
    batch_size: Annotated[int, Range(1, 10_000)] = 100  # images
    log_every: Count = 10  # steps between two lines of metrics.jsonl
    checkpoint_every: Count = 100  # steps; the end of an episode always saves one
    frame_every: Count = 10  # steps between two frames of the first episode's GIF
    steps_per_call: Count = 1  # steps in one call of the graph; more are faster if steps are short
    # Episodes without a better Fréchet distance after which it stops; 0: it never stops early.
    patience: Annotated[int, Range(0, 100_000)] = 0

    # Weights
    init: str = ""  # run, bundled generator or npz file whose weights it starts from
    keep_critics: bool = False  # the other networks in the episode files, too
    keep_checkpoints: bool = False  # all of them, not the newest three

    # Data and machine
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0
    dataset: DatasetName = "auto"
    ink: Literal["unknown", "bright", "dark"] = "unknown"  # an own set's ink on its paper
    skip_damaged: bool = False  # leave out pictures of such a set that cannot be read
    split: Literal["test", "validation"] = "test"  # held out: test set, or last ones for training
    shuffle: bool = True  # anew every epoch; false: the order of the data set's files
    skip_first: Annotated[int, Range(0, 10_000_000)] = 0  # training images that are left out
    precision: Precision = "float32"  # auto: bfloat16 where the hardware multiplies it

    def __post_init__(self) -> None:
        for name, kind in field_types(type(self)).items():
            _check(name, kind, getattr(self, name))
        if self.total_steps > _MAX_STEPS:
            raise UserError(
                f"config: {self.episodes} episodes of {self.batches} batches are more than"
                f" {_MAX_STEPS} steps; use fewer"
            )

    @property
    def source(self) -> str:
        """What names the experiment: the path of its file if it is a user's own, else its name."""
        return self.experiment_file or self.experiment

    @property
    def total_steps(self) -> int:
        """Steps of the whole schedule."""
        return self.episodes * self.batches

    @property
    def depends_on_total_steps(self) -> bool:
        """Whether a step depends on the length of the schedule, as with rates that fall."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: triples and pairs become objects by network, tuples become lists."""
        return {
            field.name: _to_json(getattr(self, field.name)) for field in dataclasses.fields(self)
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The inverse of `to_dict`.

        Raises UserError if a key is unknown or missing, or a value does not fit.
        """
        if not isinstance(values, dict):
            raise UserError("config: not an object of keys and values")
        types = field_types(cls)
        for key in values:
            if key not in types:
                raise UserError(cls._unknown_key(key))
        for key in types:
            if key not in values:
                raise UserError(
                    f"config key {key}: missing; it was written by another version of gan3,"
                    " train a new run"
                )
        return cls(**{key: _from_json(key, types[key], value) for key, value in values.items()})

    def with_text(self, key: str, text: str) -> Self:
        """This config with one field set from text, as on the command line.

        A field with one value per network takes one value for all of them, or one each with
        commas between, or one network's own as `key.network`. Tuples are written with commas.
        Raises UserError if the key is unknown or the value does not fit.
        """
        name, _, role = key.partition(".")
        kind = field_types(type(self)).get(name)
        if kind is None or name in _IDENTITY:
            raise UserError(self._unknown_key(name))
        value, roles = getattr(self, name), getattr(get_origin(kind), "_fields", ())
        if role and role not in roles:
            wanted = f"after the dot one of {', '.join(roles)}"
            one = f"{name} has one value, not one per network"
            raise UserError(f"config key {key}: {wanted if roles else one}")
        if not roles:
            value = _parse(key, kind, text)
        elif role:
            value = value._replace(**{role: _parse(key, get_args(kind)[0], text)})
        else:
            parts = text.split(",")
            if len(parts) not in (1, len(roles)):
                raise UserError(
                    f"config key {key}: one value or {len(roles)} with commas, not {shown(text)}"
                )
            parts *= len(roles) // len(parts)
            entries = [_parse(key, get_args(kind)[0], part) for part in parts]
            value = get_origin(kind)._make(entries)
        return dataclasses.replace(self, **{name: value})

    def differences(self, other: "RunConfig") -> list[str]:
        """The names of the fields in which two configs differ, fields of one of them included."""
        mine, theirs = self.to_dict(), other.to_dict()
        return [key for key in mine | theirs if mine.get(key) != theirs.get(key)]

    def described(self) -> dict[str, dict[str, Any]]:
        """Of each field its `value`, as JSON has it, its `type`, and what its comment `says`."""
        values, comments = self.to_dict(), _comments_of(type(self))
        return {
            name: {"value": values[name], "type": _described(kind), "says": comments.get(name, "")}
            for name, kind in field_types(type(self)).items()
            if name not in _IDENTITY
        }

    @classmethod
    def _unknown_key(cls, key: str) -> str:
        known = [name for name in field_types(cls) if name not in _IDENTITY]
        nearest = difflib.get_close_matches(str(key)[:50], known, n=4, cutoff=0)
        return f"config key {shown(key)}: unknown; the nearest are {', '.join(nearest)}"


def field_types(config: type[RunConfig]) -> dict[str, Any]:
    """Each field's type with its `Annotated` limits, in order."""
    return get_type_hints(config, include_extras=True)


def _comments_of(config: type[RunConfig]) -> dict[str, str]:
    """The comment behind each field, or above it, in the source of its class."""
    comments = {}
    for kind in reversed(config.__mro__[:-1]):
        above: list[str] = []
        for line in inspect.getsource(kind).splitlines():
            code, _, comment = line.strip().partition("# ")
            if comment and not code:
                above.append(comment)
                continue
            name, colon, _ = code.partition(":")
            if colon and name.isidentifier():
                sentences = " ".join(above)
                heading = not sentences.endswith(".")
                comments[name] = comment or ("" if heading else sentences)
            above = []
    return comments


def _described(kind: Any) -> str:
    """A field's type and its limits, in words."""
    if get_origin(kind) in _PER_NETWORK:
        return f"for each of {', '.join(get_origin(kind)._fields)}: {_described(get_args(kind)[0])}"
    kind, limits = _limits_of(kind)
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    if get_origin(kind) is tuple:
        return str(limits)
    return f"{_KIND_NAMES[kind]}, {limits}" if limits else _KIND_NAMES[kind]


def choices_of(name: str) -> tuple[str, ...]:
    """The words that a field of every run takes."""
    return get_args(field_types(RunConfig)[name])


def as_text(value: Any) -> str:
    """The text of a value as `RunConfig.with_text` reads it: several values with commas."""
    if isinstance(value, list | tuple):
        return ",".join(map(as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _limits_of(kind: Any) -> tuple[Any, Range | Sizes | None]:
    """A type without its limits, and the limits."""
    return get_args(kind)[:2] if get_origin(kind) is Annotated else (kind, None)


def _check(name: str, kind: Any, value: Any) -> None:
    """Raises UserError if a value is not one of its field's type."""
    if get_origin(kind) in _PER_NETWORK:
        roles = get_origin(kind)._fields
        if not isinstance(value, get_origin(kind)):
            raise UserError(f"config key {name}: needs one value for each of {', '.join(roles)}")
        for role, entry in zip(roles, value, strict=True):
            _check(f"{name}.{role}", get_args(kind)[0], entry)
        return
    kind, limits = _limits_of(kind)
    if get_origin(kind) is Literal:
        if not (isinstance(value, str) and value in get_args(kind)):
            _refuse(name, value, f"is not one of {', '.join(get_args(kind))}")
    elif get_origin(kind) is tuple:
        entry_kind = get_args(kind)[0]
        is_tuple = isinstance(value, tuple) and all(type(entry) is entry_kind for entry in value)
        if not (is_tuple and limits.contain(value)):
            _refuse(name, value, f"does not fit; {limits}")
    elif not _is_of(kind, value):
        _refuse(name, value, f"is not {_KIND_NAMES[kind]}")
    elif limits is not None and not limits.contains(value):
        _refuse(name, value, f"does not fit; {limits}")


def _is_of(kind: type, value: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is kind


def _parse(key: str, kind: Any, text: str) -> Any:
    """The value that a text stands for; whether it fits the field is checked later."""
    kind, limits = _limits_of(kind)
    if get_origin(kind) is Literal or kind is str:
        return text
    try:
        if get_origin(kind) is tuple:
            return tuple(int(part) for part in text.split(",") if text)
        return _BOOLS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        wanted = f"{limits}, with commas" if get_origin(kind) is tuple else _KIND_NAMES[kind]
        raise UserError(f"config key {key}: {shown(text)} is not {wanted}") from None


_BOOLS = {"true": True, "false": False}
_KIND_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _to_json(value: Any) -> Any:
    if isinstance(value, _PER_NETWORK):
        return {role: _to_json(entry) for role, entry in value._asdict().items()}
    return list(value) if isinstance(value, tuple) else value


def _from_json(key: str, kind: Any, value: Any) -> Any:
    if get_origin(kind) in _PER_NETWORK:
        per_network, (entry,) = get_origin(kind), get_args(kind)
        if not isinstance(value, dict) or set(value) != set(per_network._fields):
            raise UserError(f"config key {key}: needs the keys {', '.join(per_network._fields)}")
        return per_network(**{role: _from_json(key, entry, part) for role, part in value.items()})
    is_tuple = get_origin(_limits_of(kind)[0]) is tuple
    return tuple(value) if is_tuple and isinstance(value, list) else value


def _refuse(name: str, value: Any, problem: str) -> None:
    raise UserError(f"config key {name}: {shown(value)} {problem}")
