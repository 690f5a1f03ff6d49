"""Opens a trained run: its config, and its generator or its whole system with trained weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan3.core.config import RunConfig
from gan3.core.errors import UserError, shown
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.method.encoding import NumpyDeterminator
from gan3.runs.drawing import DigitSampler, read_dense_sampler
from gan3.runs.encoding import (
    Encoder,
    classify,
    encoder_of,
    encoder_spec_of,
    has_determinator,
    read_determinator,
    read_encoder,
)
from gan3.runs.registry import build, config_from_dict, dense_generator_of, determinator_of
from gan3.runs.run_files import RunFolders, newest, read_record, run_folders

if TYPE_CHECKING:
    from gan3.method.system import System

_LONGEST_TITLE = 200  # characters of a data set's title; those that gan3 writes are shorter


@dataclass(frozen=True)
class FinishedRun:
    """A run that has finished at least one episode."""

    folders: RunFolders
    config: RunConfig
    data_title: str

    def sampler(self, episode: int | None = None) -> DigitSampler:
        """The generator of an episode, the last one by default; in NumPy if its layers are dense.

        Raises UserError if there is no such episode, or if its file does not fit the config.
        """
        path = self._file_of(episode)
        spec = dense_generator_of(self.config)
        if spec is not None:
            return read_dense_sampler(path, spec)
        import_tensorflow()
        from gan3.runs.sampling import Sampler, load_generator

        trained = self.with_system()
        load_generator(path, trained.system)
        return Sampler(trained.system)

    def encoder(self, episode: int | None = None) -> Encoder:
        """The encoder of an episode, the last one by default, in NumPy.

        Raises UserError if there is no such episode, or if it has no encoder.
        """
        path = self._file_of(episode)
        spec = encoder_spec_of(self.config, f"run {self.folders.name}")
        if not has_determinator(path, spec):
            raise UserError(
                f"{path}: has no determinator, its run is older than this feature; resume run"
                f" {self.folders.name} for another episode"
            )
        return read_encoder(path, spec)

    def determinator(self, log: Log) -> NumpyDeterminator | None:
        """The determinator as arrays; None if the experiment declares none.

        It is that of the last episode's file or, if that has none, of the newest checkpoint, which
        needs TensorFlow. Raises UserError if it is in neither, or if it does not fit the config.
        """
        spec = determinator_of(self.config)
        if spec is None:
            return None
        path = self._file_of(None)
        if has_determinator(path, spec):
            return read_determinator(path, spec)
        import_tensorflow()
        trained = self.with_system()
        trained.use_checkpoint(log)
        state = trained.system.state
        return NumpyDeterminator(spec, {name: state[name].numpy() for name in spec.shapes})

    def probabilities(self, images: np.ndarray, log: Log) -> np.ndarray:
        """Class probabilities float32 [N, K] of images uint8 [N, 28, 28], by the determinator.

        It reads in NumPy if the experiment declares it. Raises UserError if there is none.
        """
        determinator = self.determinator(log)
        if determinator is not None:
            return classify(determinator, images)
        import_tensorflow()
        from gan3.runs.sampling import probabilities

        trained = self.with_system()
        if not trained.system.has_classifier:
            raise UserError(
                f"run {self.folders.name}: {self.config.experiment} has no determinator; name"
                " another run, or read with the judge"
            )
        trained.use_checkpoint(log)
        return probabilities(trained.system, images)

    def _file_of(self, episode: int | None) -> Path:
        episodes = self.folders.episodes()
        number = episodes[-1] if episode is None else episode
        if number not in episodes:
            raise UserError(
                f"run {self.folders.name}: has no episode {shown(number)}; choose one of 1 to"
                f" {episodes[-1]}"
            )
        return self.folders.episode(number)

    def with_system(self) -> "TrainedRun":
        """The run with its system, which has the newest saved generator. Needs TensorFlow.

        Raises UserError if that does not fit the config.
        """
        system = build(self.config, "float32")
        trained = TrainedRun(self.folders, self.config, self.data_title, system)
        trained.use_episode(self.folders.episodes()[-1])
        return trained


@dataclass(frozen=True)
class TrainedRun:
    """A run that has finished at least one episode; its system has the newest saved generator.

    An encoder comes with it, if the system has one and the episode's file has it.
    """

    folders: RunFolders
    config: RunConfig
    data_title: str
    system: "System"

    def use_episode(self, number: int) -> None:
        """Load the generator of an episode. Raises UserError if it does not fit the system."""
        from gan3.runs.sampling import load_generator

        load_generator(self.folders.episode(number), self.system)

    def use_encoder(self, log: Log) -> None:
        """Load the encoder, if the system has one, that was trained with the newest generator.

        It is in the episode's file or, for a run older than encoders in there, in the newest
        checkpoint. Raises UserError if it is in neither.
        """
        from gan3.runs.sampling import load_generator

        path = self.folders.episode(self.folders.episodes()[-1])
        if self.system.encoder_weights and not load_generator(path, self.system):
            self.use_checkpoint(log)
            load_generator(path, self.system)  # the checkpoint has replaced the generator

    def encoder(self, log: Log) -> Encoder | None:
        """Load the encoder as `use_encoder` does, and return it in NumPy.

        None if the system has none, or if its experiment does not declare it.
        """
        spec = determinator_of(self.config)
        if spec is None or not self.system.encoder_weights:
            return None
        self.use_encoder(log)
        weights = {name: w.numpy() for name, w in self.system.encoder_weights.items()}
        return encoder_of(NumpyDeterminator(spec, weights))

    def use_checkpoint(self, log: Log) -> None:
        """Load all networks from the newest complete checkpoint.

        Raises UserError if there is none, or if it is of another system.
        """
        from gan3.runs.checkpoints import Checkpoints

        Checkpoints(self.folders.checkpoints, self.system.state).restore(log)


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
    return FinishedRun(folders, config, title)


def open_run(name: str | None, logs: str = "logs", figures: str = "figures") -> TrainedRun:
    """The run `name`, or the newest run if None, with its newest saved generator.

    Raises UserError if there is no such run, or if it has not finished an episode.
    """
    return find_run(name, logs, figures).with_system()
