"""Opens a trained run: its config, its generator, and what reads images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan3.core.config import RunConfig
from gan3.core.errors import UserError, shown
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.models.determinator import (
    Determinator,
    Encoder,
    classify,
    encoder_of,
    has_determinator,
    read_determinator,
)
from gan3.models.generator import Generator, read_generator
from gan3.runs.registry import (
    build,
    config_from_dict,
    determinator_of,
    encoder_spec_of,
    generator_of,
)
from gan3.runs.run_files import RunFolders, class_names_of, newest, read_record, run_folders

if TYPE_CHECKING:
    from gan3.method.system import System

_LONGEST_TITLE = 200  # characters of a data set's title; those that gan3 writes are shorter
Classifier = Callable[[np.ndarray], np.ndarray]
"""Class probabilities float32 [N, K] of images uint8 [N, 28, 28]."""


@dataclass(frozen=True)
class FinishedRun:
    """A run that has finished at least one episode."""

    folders: RunFolders
    config: RunConfig
    class_names: tuple[str, ...]
    data_title: str

    def generator(self, episode: int | None = None) -> Generator:
        """The generator of an episode, the last one by default.

        Raises UserError if there is no such episode, or if its file does not fit the config.
        """
        return read_generator(self._file_of(episode), generator_of(self.config, self.class_names))

    def encoder(self, episode: int | None = None) -> Encoder:
        """The encoder of an episode, the last one by default.

        Raises UserError if there is no such episode, or if it has no encoder.
        """
        path = self._file_of(episode)
        spec = encoder_spec_of(self.config, self.class_names, f"run {self.folders.name}")
        return encoder_of(read_determinator(path, spec))

    def determinator(self, log: Log) -> Determinator | None:
        """The determinator as arrays; None if the experiment declares none.

        It is that of the last episode's file or, if that has none, of the newest checkpoint, which
        needs TensorFlow. Raises UserError if it is in neither, or if it does not fit the config.
        """
        spec = determinator_of(self.config, self.class_names)
        if spec is None:
            return None
        path = self._file_of(None)
        if has_determinator(path, spec):
            return read_determinator(path, spec)
        state = self._restored(log).state
        return Determinator(spec, {name: state[name].numpy() for name in spec.shapes})

    def classifier(self, log: Log) -> Classifier | None:
        """What reads images, the determinator or a class head; None if there is neither.

        Raises UserError as `determinator` does.
        """
        determinator = self.determinator(log)
        if determinator is not None:
            return partial(classify, determinator)
        if not self._system().has_classifier:
            return None
        from gan3.runs.weights import probabilities

        return partial(probabilities, self._restored(log))

    def probabilities(self, images: np.ndarray, log: Log) -> np.ndarray:
        """Class probabilities float32 [N, K] of images uint8 [N, 28, 28].

        Raises UserError as `determinator` does, and if nothing reads images.
        """
        classifier = self.classifier(log)
        if classifier is None:
            raise UserError(
                f"run {self.folders.name}: {self.config.experiment} has no determinator; name"
                " another run, or read with the judge"
            )
        return classifier(images)

    def _file_of(self, episode: int | None) -> Path:
        episodes = self.folders.episodes()
        number = episodes[-1] if episode is None else episode
        if number not in episodes:
            raise UserError(
                f"run {self.folders.name}: has no episode {shown(number)}; choose one of 1 to"
                f" {episodes[-1]}"
            )
        return self.folders.episode(number)

    def _system(self) -> "System":
        import_tensorflow()
        return build(self.config, self.class_names, "float32")

    def _restored(self, log: Log) -> "System":
        """The system with all networks of the newest complete checkpoint.

        Raises UserError if there is none, or if it is of another system.
        """
        system = self._system()
        from gan3.runs.checkpoints import Checkpoints

        Checkpoints(self.folders.checkpoints, system.state).restore(log)
        return system


def find_run(name: str | None, logs: str = "logs", figures: str = "figures") -> FinishedRun:
    """The run `name`, or the newest run if None.

    Raises UserError if there is no such run, or if it has not finished an episode.
    """
    folders = run_folders(newest(logs) if name is None else name, logs, figures)
    record = read_record(folders.record)
    config = config_from_dict(record.get("config"))
    if not folders.episodes():
        raise UserError(f"run {folders.name}: no episode is finished yet; resume its training")
    title = str(record.get("data_title", "?"))[:_LONGEST_TITLE]
    title = "".join(c if c.isprintable() else "?" for c in title)  # figures cannot draw the others
    return FinishedRun(folders, config, class_names_of(record), title)
