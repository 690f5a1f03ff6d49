"""gan3: the three-network digit GAN (generator, discriminator, determinator), as a library.

docs/api.md shows every name with an example. Importing gan3 imports nothing else: TensorFlow and
Matplotlib only come with the first call that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan3.core.errors import DivergedError, StoppedError, UserError
    from gan3.evaluation.card import Card
    from gan3.library import Recognised, Run, evaluate, load, open_run, recognise, train
    from gan3.models.generator import Generator
    from gan3.models.samples import Samples, show

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

_NOT_IN_THE_LIBRARY = {
    "Card": "gan3.evaluation.card",
    "DivergedError": "gan3.core.errors",
    "Generator": "gan3.models.generator",
    "Samples": "gan3.models.samples",
    "StoppedError": "gan3.core.errors",
    "UserError": "gan3.core.errors",
    "show": "gan3.models.samples",
}


def __getattr__(name: str) -> Any:
    """A public name, from the module that defines it (PEP 562)."""
    if name in __all__:
        return getattr(import_module(_NOT_IN_THE_LIBRARY.get(name, "gan3.library")), name)
    raise AttributeError(f"module 'gan3' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
