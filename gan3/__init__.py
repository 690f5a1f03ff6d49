"""gan3: the three-network digit GAN (generator, discriminator, determinator), as a library.

docs/api.md shows every name with an example. Importing gan3 imports nothing else: TensorFlow and
Matplotlib only come with the first call that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan3.core.errors import DivergedError, StoppedError, UserError
    from gan3.evaluation.card import Card
    from gan3.library import Recognised, Run, evaluate, load, open_run, recognise, show, train
    from gan3.models.generator import Generator, Samples

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
    "show",
    "train",
]

_MODULES = {
    "gan3.core.errors": ("DivergedError", "StoppedError", "UserError"),
    "gan3.evaluation.card": ("Card",),
    "gan3.library": (
        "Recognised",
        "Run",
        "evaluate",
        "load",
        "open_run",
        "recognise",
        "show",
        "train",
    ),
    "gan3.models.generator": ("Generator", "Samples"),
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it (PEP 562)."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'gan3' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
