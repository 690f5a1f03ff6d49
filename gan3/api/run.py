"""Training, and the runs that were trained."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan3.api.arguments import as_data, as_folder, as_images, as_seed, as_whole, log_or_warn
from gan3.api.generator import Generator, locate_run
from gan3.runs.run_files import RunFolders

from gan3.api.scoring import Recognised, most_probable
from gan3.core.config import RunConfig, as_text
from gan3.core.errors import UserError, shown
from gan3.core.log import Log
from gan3.core.startup import import_tensorflow
from gan3.runs import registry, run_files
from gan3.runs.trained import find_run

if TYPE_CHECKING:
    from gan3.evaluation.card import Card

OnMetrics = Callable[[dict[str, float]], object]
Data = str | Path | tuple[Any, Any] | None
"""The path of a data set, or its arrays: (images, labels), or two such pairs."""


class Run:
    """A training run and its files. `gan3.train` and `gan3.open_run` return one."""

    def __init__(self, folders: RunFolders):
        """Use `gan3.open_run`."""
        self._folders = folders

    def __repr__(self) -> str:
        return f"<gan3.Run {self.name}>"

    @property
    def name(self) -> str:
        return self._folders.name

    @property
    def folder(self) -> Path:
        """The folder of its logs; logs/README.md describes the files."""
        return self._folders.logs

    @property
    def figures(self) -> Path:
        """The folder of its pictures; figures/README.md describes them."""
        return self._folders.figures

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json: config, data, versions, and the outcome."""
        return run_files.read_record(self._folders.record)

    @property
    def config(self) -> RunConfig:
        """The settings that it was trained with."""
        return registry.config_from_dict(self.record.get("config"))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its classes; a label is an index into them."""
        return run_files.class_names_of(self.record)

    @property
    def outcome(self) -> str:
        """ "done", "stopped", "diverged", or "running": also after a crash, until it is resumed."""
        return str(self.record.get("outcome"))

    @property
    def episodes(self) -> list[int]:
        """The episodes that have a saved generator, from 1."""
        return self._folders.episodes()

    def metrics(self) -> list[dict[str, float]]:
        """The lines of metrics.jsonl: step, episode, and scalars by tag.

        Raises UserError if there is none yet, or if the file is damaged.
        """
        return run_files.read_metrics(self._folders.metrics)

    def generator(
        self,
        episode: int | None = None,
        *,
        noise_seed: int | None = None,
        moments: str | None = None,
        truncation: float = 1.0,
    ) -> Generator:
        """The generator after an episode, by default the last one.

        The options are those of `gan3.load`. Raises UserError if there is no such episode, or if
        the generator has no such option.
        """
        episode = None if episode is None else as_whole(episode, "episode")
        run = find_run(self.name, str(self.folder.parent), str(self.figures.parent))
        open_encoder = partial(run.encoder, episode)
        sampler = run.generator(episode)
        return Generator(
            self.name, sampler, noise_seed, moments, truncation, open_encoder=open_encoder
        )

    def recognise(self, images: Any) -> Recognised:
        """The classes of images [N, 28, 28], by the run's own determinator.

        images: uint8 or floats in 0..1, ink on background 0. A label is an index into
        `class_names`. Raises UserError if they do not fit, or if the system has no determinator.
        """
        pixels = as_images(images)
        run = find_run(self.name, str(self.folder.parent), str(self.figures.parent))
        return most_probable(run.probabilities(pixels, log_or_warn(None)))

    def evaluate(
        self,
        *,
        data: Data = None,
        split: str | None = None,
        moments: str | None = None,
        cas: bool = False,
        judge: str | Path | None = None,
        train_judge: bool = False,
        seed: int = 0,
        log: Log | None = None,
    ) -> "Card":
        """The report card of its last generator, also written to the run's folders.

        Args:
            data: folder of the data set, or its arrays; by default what it was trained from.
            split: that of the run, or an error; any by default.
            moments: "running" or "batch", as `gan3.load` has them.
            cas, judge, train_judge, seed, log: as `gan3.evaluate` has them.

        Raises:
            UserError: it has no finished episode, held out other images, or the data is other data.
        """
        import_tensorflow()
        from gan3.evaluation import card, samples
        from gan3.evaluation.judge import judge_of
        from gan3.evaluation.reference import Reference

        seed, log = as_seed(seed), log_or_warn(log, str(self.record.get("data")))
        file = None if judge is None else as_folder(judge, "judge")
        run = find_run(self.name, str(self.folder.parent), str(self.figures.parent))
        dataset = samples.data_of_run(run, as_data(data), split, log)
        scoring_judge = judge_of(dataset, file=file, train=train_judge, log=log)
        drawn = samples.of_run(run, dataset, moments, seed, log)
        scored = card.evaluate(drawn, Reference(dataset, scoring_judge, seed, log), cas)
        card.save_of_run(scored, self._folders)
        log(f"written: {self.folder / 'report.json'}, {self.figures / 'report.png'}")
        return scored

    @property
    def card(self) -> "Card":
        """The card that `evaluate` has written. Raises UserError if it has not been called."""
        from gan3.evaluation.comparison import read_card

        return read_card(self._folders)

    def resume(
        self,
        *,
        episodes: int | None = None,
        data: Data = None,
        train_judge: bool = False,
        log: Log | None = None,
        on_metrics: OnMetrics | None = None,
    ) -> "Run":
        """Continue from the newest checkpoint, to the end or to more `episodes`.

        The result is that of a run without the interruption. The data is read from where it was
        found, unless `data` names another folder; arrays have to be passed again. The other
        arguments and the errors are those of `gan3.train`.
        """
        config = self.config
        if episodes is not None:
            config = config.with_text("episodes", as_text(episodes))
        folders = self.folder.parent, self.figures.parent
        return _train(config, self.name, *folders, data, True, train_judge, log, on_metrics)


def train(
    experiment: str | Path | RunConfig = "three_network",
    *,
    episodes: int | None = None,
    batches: int | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    data: Data = None,
    dataset: str | None = None,
    ink: str | None = None,
    name: str | None = None,
    logs: str | Path = "logs",
    figures: str | Path = "figures",
    train_judge: bool = False,
    log: Log | None = None,
    on_metrics: OnMetrics | None = None,
) -> Run:
    """Train a system and write logs/<run>/ and figures/<run>/. Needs TensorFlow.

    Args:
        experiment: its name, the path of your own, or a config (a changed one is an ablation).
        episodes, batches, batch_size: the schedule; batches per episode, images per batch. By
            default the experiment's.
        seed: for all random draws.
        settings: other fields of the config by name, such as {"noise_draw": "once"} or
            {"learning_rate.generator": 0.001}.
        data, dataset: folder (or file) and kind of the data set, as docs/data.md says. By default
            MNIST, or the synthetic strokes with a warning if MNIST cannot be had. Data can also be
            arrays: (images, labels), or ((images, labels), (test_images, test_labels)).
        ink: of your own images: "bright" on dark, or "dark" on bright.
        name: of the run; by default the experiment's with the time (UTC).
        logs, figures: the folders of all runs.
        train_judge: if no judge has learned from the data set, train one first and keep it in the
            cache. Without one, the run has no judge's metrics, and there is a warning.
        log: called with each line about progress, such as `print`. By default nothing is printed,
            and warnings are Python's.
        on_metrics: called with each line of metrics.jsonl as a dict when it is written. If it
            raises an exception, training stops, its state is saved, and train raises it.

    Raises:
        UserError: a wrong argument, a name that exists, or no data.
        DivergedError: a loss or gradient is not finite; the last checkpoint is from before that.
        StoppedError: SIGINT (Ctrl-C) or SIGTERM; the step was finished and the state saved.
    """
    if isinstance(experiment, RunConfig):
        config = experiment
    elif isinstance(experiment, str | os.PathLike):
        config = registry.config_of(os.fspath(experiment))
    else:
        raise UserError(
            f"experiment {shown(experiment)}: unknown; use its name, its file or a config"
        )
    named = {"episodes": episodes, "batches": batches, "batch_size": batch_size, "seed": seed}
    if dataset is None and isinstance(data, tuple):
        dataset = "own"
    named |= {"dataset": dataset, "ink": ink}
    changes = {key: value for key, value in named.items() if value is not None}
    settings = {} if settings is None else settings
    if not isinstance(settings, Mapping):
        raise UserError("settings: not a mapping; use a dict of config keys and values")
    for key in settings:
        if key in changes:
            raise UserError(f"{key}: is an argument and in the settings; leave one of them out")
    for key, value in (changes | dict(settings)).items():
        config = config.with_text(str(key), as_text(value))
    return _train(config, name, logs, figures, data, False, train_judge, log, on_metrics)


def _train(
    config: RunConfig,
    name: str | None,
    logs: str | Path,
    figures: str | Path,
    data: Data,
    resume: bool,
    train_judge: bool,
    log: Log | None,
    on_metrics: OnMetrics | None,
) -> Run:
    import_tensorflow()
    from gan3.training import loop

    folders = loop.train(
        config,
        name=name,
        logs=str(as_folder(logs, "logs")),
        figures_folder=str(as_folder(figures, "figures")),
        data=as_data(data),
        resume=resume,
        train_judge=train_judge,
        log=log_or_warn(log, config.dataset),
        on_metrics=on_metrics,
    )
    return Run(folders)


def open_run(
    name: str | os.PathLike[str], *, logs: str | Path = "logs", figures: str | Path | None = None
) -> Run:
    """A run by its name in `logs`, or by the path of its folder.

    figures: the folder of all runs' pictures; by default `figures` beside `logs`. Raises UserError
    if there is no such run.
    """
    run_name, logs = locate_run(name, logs)
    if figures is None:
        has_name = Path(logs).name not in ("", "..")  # of "." and ".." Python's parent is "."
        figures = (Path(logs) if has_name else Path(logs).resolve()).parent / "figures"
    run = Run(run_files.run_folders(run_name, logs, str(as_folder(figures, "figures"))))
    _ = run.record  # raises if there is none
    return run
