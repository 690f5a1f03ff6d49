"""The experiments by name: the modules in the folder experiments/."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gan3.core.config import RunConfig
from gan3.core.errors import UserError

if TYPE_CHECKING:
    from gan3.method.drawing import GeneratorSpec


def names() -> list[str]:
    """All experiments, sorted."""
    folder = Path(__file__).parent.parent.parent / "experiments"
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def config_of(name: str) -> RunConfig:
    """The experiment's config as declared. Raises UserError for an unknown name."""
    return _module(name).CONFIG


def config_from_dict(values: Any) -> RunConfig:
    """A config that `RunConfig.to_dict` wrote, of the type that its experiment declares.

    Raises UserError if the experiment is unknown or missing, or the values do not fit its config.
    """
    experiment = values.get("experiment") if isinstance(values, dict) else None
    if not isinstance(experiment, str):
        raise UserError("config: the key experiment is missing; train a new run")
    return type(config_of(experiment)).from_dict(values)


def summary_of(name: str) -> str:
    """The first line of the experiment's docstring."""
    return (_module(name).__doc__ or "").strip().split("\n")[0]


def builder_of(name: str) -> Callable[[RunConfig, str], Any]:
    """The experiment's `build(config, dtype)`, which returns its system."""
    return _module(name).build


def dense_generator_of(config: RunConfig) -> "GeneratorSpec | None":
    """The generator of the experiment's system, if the experiment declares it as dense layers.

    None if it does not: then only TensorFlow can draw with the system that it builds.
    """
    declare = getattr(_module(config.experiment), "dense_generator", None)
    return None if declare is None else declare(config)


def _module(name: str) -> ModuleType:
    if name not in names():
        raise UserError(f"experiment {name!r}: unknown; there are {', '.join(names())}")
    return importlib.import_module(f"experiments.{name}")
