"""gan3: the three-network digit GAN (generator, discriminator, determinator), as a library.

docs/api.md shows every name with an example. Importing gan3 imports nothing else: TensorFlow and
Matplotlib only come with the first call that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan3.api.generator import Generator, Samples, load
    from gan3.api.run import Run, open_run, train
    from gan3.api.scoring import Recognised, evaluate, recognise
    from gan3.core.errors import DivergedError, StoppedError, UserError
    from gan3.evaluation.card import Card

__version__ = "0.1.0"
__all__ = [
    "Card",
    "DivergedError",
    "Generator",
    "Recognised",
    "Run",
    "Samples",
    "StoppedError",
    "UserError",
    "evaluate",
    "load",
    "open_run",
    "recognise",
    "train",
]

_MODULES = {
    "gan3.api.generator": ("Generator", "Samples", "load"),
    "gan3.api.run": ("Run", "open_run", "train"),
    "gan3.api.scoring": ("Recognised", "evaluate", "recognise"),
    "gan3.core.errors": ("DivergedError", "StoppedError", "UserError"),
    "gan3.evaluation.card": ("Card",),
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it (PEP 562)."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'gan3' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
