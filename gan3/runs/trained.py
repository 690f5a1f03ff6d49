"""What a run, or a bundled generator, has trained: the file of a generator and its determinator."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.core.files import digest_of, make_folder, names_in, write_atomically, write_npz
from gan3.core.log import Log
from gan3.models.determinator import Determinator, Encoder, read_weights
from gan3.models.generator import Generator
from gan3.runs.registry import determinator_of, generator_of

if TYPE_CHECKING:
    import tensorflow as tf

    from gan3.method.system import System
    from gan3.nn.declared import DeterminatorSpec
    from gan3.nn.specs import Layer
    from gan3.runs.run import Run


@dataclass(frozen=True)
class Trained:
    """The networks of one file. Every method raises UserError if the file does not fit."""

    name: str  # that of the run, or of the bundled generator
    title: str  # for figures; that of a run names its data
    path: Path
    config: RunConfig
    class_names: tuple[str, ...]
    dtype: str = "float32"  # the arrays in the file
    episode: int | None = None  # None for a file that is no run's
    is_bundled: bool = False
    run: "Run | None" = None
    restore: Callable[[Log], "System"] | None = None
    """The system of the newest checkpoint, for networks that the file lacks; needs TensorFlow."""

    @property
    def description(self) -> str:
        """What draws, for the user: a run that is not trained to its end says so."""
        if self.episode is None:
            return f"the bundled {self.name}" if self.is_bundled else self.path.name
        steps, total = self.episode * self.config.batches, self.config.total_steps
        return f"run {self.name}" + (f", {steps} of {total} steps" if steps < total else "")

    def generator(self) -> Generator:
        spec = generator_of(self.config, self.class_names)
        arrays = read_weights(self.path, spec.shapes, self.dtype)
        return Generator(spec, arrays, self.name, self)

    @property
    def _determinator(self) -> "DeterminatorSpec | None":
        """The determinator of its system as a list of layers; None if it is not declared."""
        return determinator_of(self.config, self.class_names)

    @property
    def has_encoder(self) -> bool:
        """Whether its system has an encoder."""
        spec = self._determinator
        return spec is not None and spec.encoder is not None

    def encoder(self) -> Encoder:
        """What reads the style of images. Raises UserError also if its system has no encoder."""
        if not self.has_encoder:
            raise UserError(
                f"{self.name}: {self.config.experiment} has no encoder, so it reads no style from"
                " images; use best, or a run of it"
            )
        return self._read(self._determinator).encode

    def determinator(self, log: Log) -> Determinator | None:
        """The determinator as arrays; None if the experiment declares none, or if it is nowhere.

        It is that of the file or, if that has none, of the newest checkpoint. Raises UserError also
        if there should be a checkpoint, and is none.
        """
        spec = self._determinator
        if spec is None:
            return None
        if set(spec.shapes) <= names_in(self.path):
            return self._read(spec)
        if self.restore is None:
            return None
        state = self.restore(log).state
        return Determinator(spec, {name: state[name].numpy() for name in spec.shapes})

    def discriminator(self, log: Log) -> "list[Layer] | None":
        """The discriminator's layers in the newest checkpoint, from images to one logit.

        None if this is not the newest episode of a run, if it has above four million weights, or if
        it is more than a list of layers. Raises UserError if there is no checkpoint.
        """
        system = None if self.restore is None else self.restore(log)
        if system is None or not hasattr(system, "networks"):
            return None
        network = system.networks.discriminator
        is_large = sum(math.prod(w.shape) for w in network.variables.values()) > 4_000_000
        return None if is_large else network.plain()

    def _read(self, spec: "DeterminatorSpec") -> Determinator:
        return Determinator(spec, read_weights(self.path, spec.shapes, self.dtype))

    def save(self, path: Path, log: Log) -> str:
        """Write the generator as float16, with the determinator if that encodes.

        path: ends in .npz or .safetensors. Returns the file's SHA-256, hexadecimal.

        Raises UserError also if a weight is too large, or the package safetensors is missing.
        """
        arrays = dict(self.generator().arrays)
        if self.has_encoder:
            arrays |= self.determinator(log).arrays
        largest = max(float(np.abs(array).max()) for array in arrays.values())
        if not largest <= np.finfo(np.float16).max:
            raise UserError(
                f"{path}: a weight of {largest:.3g} is too large for float16; export another run"
            )
        about = {"config": self.config.to_dict(), "class_names": self.class_names}
        weights = {name: array.astype(np.float16) for name, array in arrays.items()}
        make_folder(path.parent)
        if path.suffix.lower() == ".safetensors":
            write_atomically(path, _safetensors(weights, json.dumps(about)))
        else:
            write_npz(path, weights | {"about": np.array(json.dumps(about))})
        return digest_of(path)


def generator_now(config: RunConfig, system: "System") -> Generator:
    """The generator of a system with its weights as they are now."""
    arrays = {name: w.numpy() for name, w in system.generator_weights.items()}
    return Generator(generator_of(config, system.class_names), arrays)


def network_weights(system: "System") -> "dict[str, tf.Variable]":
    """The variables of all networks by name: the state without what is kept for the updates."""
    others = ("last_loss/", *(f"{adam.name}/" for adam in system.optimizers))
    return {name: w for name, w in system.state.items() if not name.startswith(others)}


def _safetensors(weights: dict[str, np.ndarray], about: str) -> bytes:
    """The content of a file in the format of model hubs; `about` is in its metadata."""
    try:
        from safetensors.numpy import save
    except ImportError:
        raise UserError('safetensors: not installed; pip install "gan3[export]"') from None
    contiguous = {name: np.ascontiguousarray(weight) for name, weight in weights.items()}
    return save(contiguous, {"about": about})


def save_generator(path: Path, system: "System", with_critics: bool = False) -> None:
    """Write the weights of the generator, and of the encoder if there is one, to an npz file.

    It has one array per variable, as it is. with_critics: those of all networks.
    """
    if with_critics:
        weights = network_weights(system)
    else:
        weights = system.generator_weights | system.encoder_weights
    write_npz(path, {name: w.numpy() for name, w in weights.items()})
