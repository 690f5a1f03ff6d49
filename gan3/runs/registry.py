"""Which experiments there are: the modules in the folder experiments/, by name."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from gan3.core.config import Config
from gan3.core.errors import UserError


def names() -> list[str]:
    """All experiments, sorted."""
    folder = Path(__file__).parent.parent.parent / "experiments"
    return sorted(module.name for module in pkgutil.iter_modules([str(folder)]))


def config_of(name: str) -> Config:
    """The experiment's config as declared. Raises UserError for an unknown name."""
    return _module(name).CONFIG


def summary_of(name: str) -> str:
    """The first sentence of the experiment's docstring."""
    return (_module(name).__doc__ or "").strip().split("\n")[0]


def builder_of(name: str) -> Callable[[Config, str], Any]:
    """The experiment's `build(config, dtype)`, which makes its system."""
    return _module(name).build


def _module(name: str) -> ModuleType:
    if name not in names():
        raise UserError(f"experiment {name!r}: unknown; there are {', '.join(names())}")
    return importlib.import_module(f"experiments.{name}")
