"""Opens a trained run: its config, and its system with the trained weights."""

from dataclasses import dataclass

from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.method.system import System
from gan3.runs.checkpoints import Checkpoints
from gan3.runs.registry import build, config_from_dict
from gan3.runs.run_files import RunFolders, newest, read_record, run_folders
from gan3.runs.sampling import load_generator


@dataclass(frozen=True)
class TrainedRun:
    """A run that has finished at least one episode; its system has the newest saved generator."""

    folders: RunFolders
    config: RunConfig
    data_title: str
    system: System

    def use_episode(self, number: int) -> None:
        """Load the generator of an episode. Raises UserError if it does not fit the system."""
        load_generator(self.folders.episode(number), self.system)

    def use_checkpoint(self, log: Log) -> None:
        """Load all networks from the newest complete checkpoint.

        Raises UserError if there is none, or if it is of another system.
        """
        Checkpoints(self.folders.checkpoints, self.system.state).restore(log)


def open_run(name: str | None, logs: str = "logs", figures: str = "figures") -> TrainedRun:
    """The run `name`, or the newest run if None, with its newest saved generator.

    Raises UserError if there is no such run, or if it has not finished an episode.
    """
    folders = run_folders(newest(logs) if name is None else name, logs, figures)
    record = read_record(folders.record)
    config = config_from_dict(record.get("config"))
    episodes = folders.episodes()
    if not episodes:
        raise UserError(f"run {folders.name}: no episode is finished yet; resume its training")
    system = build(config, "float32")
    trained = TrainedRun(folders, config, str(record.get("data_title", "?")), system)
    trained.use_episode(episodes[-1])
    return trained
