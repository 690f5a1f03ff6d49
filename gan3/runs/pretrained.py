"""Generators that come with gan3: digits without training and without data.

A file holds the weights that draw, as float16, and nothing else; half of the size, and no pixel
moves by more than one of its 256 steps.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan3.core.errors import UserError
from gan3.core.files import digest_of, read_npz, write_npz
from gan3.method.system import System
from gan3.runs.registry import builder_of, config_of

FOLDER = Path(__file__).parent.parent / "pretrained"


class Pretrained(NamedTuple):
    """What is known of a generator that comes with the package."""

    experiment: str
    seed: int
    digest: str  # SHA-256 of its file: another one of that name is refused


GENERATORS = {
    "best": Pretrained(
        "best", 1, "9d576357979ad56f4394b25f8b93ba6288f6b2da399847d898543297b13ced84"
    ),
}


def load_pretrained(name: str) -> System:
    """The system of an experiment with the generator that comes with gan3.

    Its other networks are untrained. Raises UserError for a name that none has, and for a file
    that is not the one that was shipped.
    """
    if name not in GENERATORS:
        raise UserError(f"--pretrained {name}: none of that name; there is {', '.join(GENERATORS)}")
    about, path = GENERATORS[name], FOLDER / f"{name}.npz"
    found = digest_of(path)
    if found != about.digest:
        raise UserError(f"{path}: not the file that came with gan3 ({found[:12]}…); install again")
    system = builder_of(about.experiment)(config_of(about.experiment), "float32")
    wanted = {key: ("float16", tuple(w.shape)) for key, w in system.generator_weights.items()}
    arrays = read_npz(path, wanted)
    for key, w in system.generator_weights.items():
        w.assign(arrays[key].astype(np.float32))
    return system


def save(path: Path, system: System) -> str:
    """Write what `load_pretrained` reads; answers the file's SHA-256.

    Raises UserError where a weight is too large for float16.
    """
    arrays = {name: w.numpy() for name, w in system.generator_weights.items()}
    largest = max(float(np.abs(array).max()) for array in arrays.values())
    if not largest <= np.finfo(np.float16).max:
        raise UserError(f"{path}: a weight of {largest:.3g} is too large for float16")
    write_npz(path, {name: array.astype(np.float16) for name, array in arrays.items()})
    return digest_of(path)
