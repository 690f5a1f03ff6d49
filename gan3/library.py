"""What `import gan3` offers: generators by name, training, runs, scoring and recognition.

Libraries never print: without `log`, only warnings are passed on, as Python's warnings.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gan3.core import html
from gan3.core.arguments import as_choice, as_labels, as_path, as_whole, check_label_count
from gan3.core.classes import UNLABELLED
from gan3.core.config import RunConfig, as_text, choices_of
from gan3.core.errors import UserError, shown
from gan3.core.files import write_json
from gan3.core.log import Log, log_or_warn
from gan3.core.options import PNG, Output
from gan3.core.startup import import_tensorflow
from gan3.core.values import as_data, as_images, as_pixels
from gan3.runs import pretrained as bundled
from gan3.runs import registry
from gan3.runs import run as runs
from gan3.runs.trained import Trained

if TYPE_CHECKING:
    from gan3.evaluation.card import Card
    from gan3.evaluation.comparison import Comparison
    from gan3.models.generator import Generator

_MOST_ROWS = 20
OnMetrics = Callable[[dict[str, float]], object]
Data = str | Path | tuple[Any, Any] | None
"""The path of a data set, or its arrays: (images, labels), or two such pairs."""


def load(
    name: str | os.PathLike[str],
    *,
    noise_seed: int | None = None,
    moments: str | None = None,
    truncation: float = 1.0,
    logs: str | Path = "logs",
) -> "Generator":
    """A generator by name.

    Args:
        name: of a bundled generator ("best"), of a run in `logs`, or the path of a run's folder or
            of an exported npz file. A run with the name of a bundled generator needs its path.
        noise_seed, moments, truncation: how it draws, as `Generator.change` has them.
        logs: the folder of all runs.

    Raises:
        UserError: there is no such generator, or it has no such option.
    """
    text = os.fspath(as_path(name, "run"))
    is_folder = not isinstance(name, str) and Path(name).is_dir()
    if (text in bundled.DIGESTS and not is_folder) or text.lower().endswith(".npz"):
        trained = find(pretrained=text)
    else:
        run_name, logs = runs.locate(name, logs)
        if not (logs / run_name).is_dir():
            names = ", ".join(bundled.DIGESTS)
            raise UserError(
                f"generator {str(name)!r}: no run in {logs}, nor bundled ({names}); train it, or"
                " give its folder"
            )
        trained = find(run_name, logs=logs)
    return trained.generator().change(noise_seed, moments, truncation)


def find(
    run: str | os.PathLike[str] | None = None,
    pretrained: str | None = None,
    episode: int | str | None = None,
    *,
    logs: str | Path = "logs",
    figures: str | Path | None = None,
) -> Trained:
    """What a run has trained, by default the newest, or what `pretrained.open_pretrained` opens.

    The arguments and errors are those of this, of `open_run` and of `Run.trained`.
    """
    if pretrained is not None:
        return bundled.open_pretrained(pretrained)
    return Run.open(run, logs, figures).trained(episode)


class Recognised(NamedTuple):
    """What a classifier reads from images."""

    labels: np.ndarray  # int64 [N], the most probable classes
    probabilities: np.ndarray  # float32 [N, K]

    @classmethod
    def of(cls, probabilities: np.ndarray) -> "Recognised":
        return cls(probabilities.argmax(axis=1), probabilities.astype(np.float32))

    def _repr_html_(self) -> str:
        """For a notebook: how probable each image makes its two most probable classes."""
        rows = []
        for number, row in enumerate(self.probabilities[:_MOST_ROWS]):
            order = row.argsort()[::-1][:2]
            texts = [f"{k} {row[k]:.0%} {'█' * round(10 * row[k])}" for k in order]
            rows.append((f"image {number}", *texts))
        return html.table(("", "read as", "or"), rows)


class Run(runs.Run):
    """A training run and its files. `gan3.train` and `gan3.open_run` return one."""

    def recognise(self, images: Any, *, log: Log | None = None) -> Recognised:
        """The classes of images [N, 28, 28], by the run's own determinator.

        images: uint8 or floats in 0..1, ink on background 0. A label is an index into
        `class_names`. Raises UserError if they do not fit, or if the system has no determinator.
        """
        return recognise_by(self.trained(), images, log)

    def _repr_html_(self) -> str:
        """For a notebook: what it is, how far it is, and the judge's last scores."""
        try:
            metrics = self.metrics()
        except UserError:  # none yet
            metrics = []
        step = metrics[-1]["step"] if metrics else 0
        rows = [
            ("experiment", f"{self.config.experiment}, seed {self.config.seed}"),
            ("data", self.data_title),
            ("outcome", self.outcome),
            ("steps", f"{step} of {self.config.total_steps}"),
        ]
        scored = [line for line in metrics if "judge/frechet_distance" in line]
        for key, value in (scored[-1] if scored else {}).items():
            if key.startswith("judge/"):
                rows.append((key, f"{value:.4g}"))
        rows += [("numbers", str(self.folder)), ("pictures", str(self.figures))]
        return html.table((f"run {self.name}", ""), rows)

    def evaluate(
        self,
        *,
        data: Data = None,
        split: str | None = None,
        episode: int | str | None = None,
        moments: str | None = None,
        cas: bool = False,
        judge: str | Path | None = None,
        train_judge: bool = False,
        seed: int = 0,
        log: Log | None = None,
    ) -> "Card":
        """The report card of its generator, also written to the run's folders.

        Args:
            data: folder of the data set, or its arrays; by default what it was trained from.
            split: that of the run, or an error; any by default.
            episode: as `generator` has it, by default the last one.
            moments: "running" or "batch", as `gan3.load` has them.
            cas, judge, train_judge, seed, log: as `gan3.evaluate` has them.

        Raises:
            UserError: it has no finished episode, held out other images, or the data is other data.
        """
        import_tensorflow()
        from gan3.evaluation import card, samples
        from gan3.evaluation.judge import judge_of
        from gan3.evaluation.reference import Reference
        from gan3.runs.tensorboard import write_report

        seed, log = as_whole(seed, "seed"), log_or_warn(log, str(self.record.get("data")))
        file = None if judge is None else as_path(judge, "judge")
        dataset = samples.data_of_run(self, as_data(data), split, log)
        scoring_judge = judge_of(dataset, file=file, train=train_judge, log=log)
        drawn = samples.of_trained(self.trained(episode), dataset, seed, log, moments)
        scored = card.evaluate(drawn, Reference(dataset, scoring_judge, seed, log), cas)
        picture, *_ = scored.save_figures(self)
        write_json(self.folder / "report.json", scored.values)
        write_report(self.folder, scored.values["step"], scored.scores, picture.read_bytes())
        log(f"written: {self.folder / 'report.json'}, {picture}")
        return scored

    def draw(self, log: Log | None = None, output: Output = PNG) -> None:
        """Draw all its figures again. Raises UserError as `training.run_figures.draw` does."""
        from gan3.training import run_figures

        run_figures.draw(self, log_or_warn(log), output)

    @property
    def card(self) -> "Card":
        """The card that `evaluate` has written. Raises UserError if it has not been called."""
        from gan3.evaluation.comparison import read_card

        return read_card(self)

    def resume(
        self,
        *,
        episodes: int | None = None,
        settings: Mapping[str, Any] | None = None,
        data: Data = None,
        train_judge: bool = False,
        progress: bool = False,
        log: Log | None = None,
        on_metrics: OnMetrics | None = None,
    ) -> "Run":
        """Continue from the newest checkpoint, to the end or to more `episodes`.

        The result is that of a run without the interruption. The data is read from where it was
        found, unless `data` names another folder; arrays have to be passed again. The other
        arguments and the errors are those of `gan3.train`; of the settings only `patience` may
        differ from the run's.
        """
        config = _changed(self.config, {"episodes": episodes}, settings)
        return _train(config, self, data, True, train_judge, progress, log, on_metrics)


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
    progress: bool = False,
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
        progress: print all lines with a progress bar, as the command line does, instead of `log`.
        log: called with each line about progress, such as `print`. By default nothing is printed,
            and warnings are Python's.
        on_metrics: called with each line of metrics.jsonl as a dict when it is written. If it
            raises an exception, training stops, its state is saved, and train raises it.

    Raises:
        UserError: a wrong argument, a name that exists, or no data.
        DivergedError: a loss or gradient is not finite; the last checkpoint is from before that.
        StoppedError: SIGINT (Ctrl-C) or SIGTERM while it trains; the step was finished and the
            state saved.
    """
    config = config_of(experiment)
    if dataset is None and isinstance(data, tuple):
        dataset = "own"
    named = {"episodes": episodes, "batches": batches, "batch_size": batch_size, "seed": seed}
    config = _changed(config, named | {"dataset": dataset, "ink": ink}, settings)
    if name is None:
        name = f"{config.experiment}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    run = Run(name, as_path(logs, "logs"), as_path(figures, "figures"))
    return _train(config, run, data, False, train_judge, progress, log, on_metrics)


def _changed(
    config: RunConfig, named: dict[str, Any], settings: Mapping[str, Any] | None
) -> RunConfig:
    """The config with the arguments that are not None, and the settings."""
    changes = {key: value for key, value in named.items() if value is not None}
    if not isinstance(settings, Mapping | None):
        raise UserError("settings: not a mapping; use a dict of config keys and values")
    for key in settings or ():
        if key in changes:
            raise UserError(f"{key}: is an argument and in the settings; leave one of them out")
    for key, value in (changes | dict(settings or {})).items():
        config = config.with_text(str(key), as_text(value))
    return config


def _train(
    config: RunConfig,
    run: Run,
    data: Data,
    resume: bool,
    train_judge: bool,
    progress: bool,
    log: Log | None,
    on_metrics: OnMetrics | None,
) -> Run:
    from gan3.data.datasets import check_source

    data = as_data(data)
    if not callable(on_metrics) and on_metrics is not None:
        raise UserError(f"on_metrics {shown(on_metrics)}: use a function")
    if not resume:  # what is wrong most often is said before TensorFlow's import, which takes time
        run.refuse_existing()
        check_source(config.dataset, data)
    import_tensorflow()
    from gan3.training import loop

    loop.train(
        config,
        run,
        data=data,
        resume=resume,
        train_judge=train_judge,
        log=None if progress else log_or_warn(log, config.dataset),
        on_metrics=on_metrics,
    )
    return run


open_run = Run.open


def evaluate(
    images: Any,
    labels: Any = None,
    data: str | Path | None = None,
    *,
    real: tuple[Any, Any] | None = None,
    dataset: str = "auto",
    ink: str = "unknown",
    skip_damaged: bool = False,
    split: str = "test",
    cas: bool = False,
    judge: str | Path | None = None,
    train_judge: bool = False,
    seed: int = 0,
    name: str = "samples",
    log: Log | None = None,
) -> "Card":
    """The report card of digits by any generator. Needs TensorFlow.

    Args:
        images: at least 100 of [N, 28, 28], uint8, or floats in 0..1 or -1..1, with bright ink; the
            path of a file of samples, or of a folder with a folder per class; or the name of a
            bundled generator. Ambiguous ranges are refused. Compare cards of equal numbers of
            images only; 10,000 are usual.
        labels: the requested classes: names, whole numbers, or one-hot rows, as docs/data.md says;
            None if none were requested. Only of arrays.
        data: folder of the real digits; by default they are searched for as docs/usage.md says.
        real: real images and their labels as arrays, in place of `data`; or two such pairs, for
            training and for the test. Of one pair a seventh is the test part.
        dataset: "auto", "mnist", "strokes", "own" or a known set, as in docs/data.md.
        ink: of your own real images: "bright" on dark, or "dark" on bright.
        skip_damaged: leave out pictures in folders that cannot be read.
        split: what is compared with: "test", or "validation", the last 5,000 training images.
        cas: also train a classifier on the images and test it on real digits.
        judge: the file of another judge of the same data set than the bundled or cached one.
        train_judge: if there is no judge of the data set, train one and keep it in the cache.
            Without one, the card lacks the rows that need it, and there is a warning.
        seed: for all that is drawn: the samples of a named generator, the real images of the card,
            intervals, and the classifier of `cas`.
        name: a title for the card of arrays, one line.
        log: called with each line about what is done; by default warnings are Python's.

    Raises:
        UserError: images or labels that do not fit, no data, or a judge of other data.
    """
    dataset = as_choice(dataset, "dataset", choices_of("dataset"))
    ink = as_choice(ink, "ink", choices_of("ink"))
    split = as_choice(split, "split", choices_of("split"))
    seed, log = as_whole(seed, "seed"), log_or_warn(log, dataset)
    if real is not None:
        if data is not None or dataset != "auto":
            raise UserError("real: the real digits are these arrays; leave data and dataset out")
        dataset, data = "own", real
    judge_file = None if judge is None else as_path(judge, "judge")
    if isinstance(images, str) and (images in bundled.DIGESTS or _is_name(images)):
        images = find(pretrained=images)
    is_path = isinstance(images, str | os.PathLike)
    if is_path and not Path(images).exists():
        raise UserError(f"{images}: no such file or folder; check the path")
    are_arrays = not (is_path or isinstance(images, Trained))
    if labels is not None and not are_arrays:
        raise UserError("labels: only of images that are arrays; leave them out")
    pixels = _pixels_of(images, labels, name, log) if are_arrays else None  # refused at once
    import_tensorflow()
    from gan3.data import sample_files
    from gan3.data.datasets import load as load_data
    from gan3.evaluation import card, samples
    from gan3.evaluation.judge import judge_of
    from gan3.evaluation.reference import Reference, SampleSet

    held_out = load_data(dataset, as_data(data), split, log, ink=ink, skip_damaged=skip_damaged)
    names = held_out.class_names
    if names == UNLABELLED:  # which `judge_of` notes
        labels = None
    if is_path:
        opened = samples.of_file(Path(images), names, log, skip_damaged)
    elif pixels is None:
        opened = samples.of_trained(images, held_out, seed, log)
    else:
        if isinstance(labels, str):
            labels = as_labels(labels, names, len(pixels))
        elif labels is not None:
            labels = sample_files.labels_of(name, labels, len(pixels), names)
        opened = SampleSet(name, pixels, labels)
    scoring_judge = judge_of(held_out, file=judge_file, train=train_judge, log=log)
    return card.evaluate(opened, Reference(held_out, scoring_judge, seed, log), cas)


def _is_name(text: str) -> bool:
    """Whether it looks like the name of a generator, and not like a path."""
    path = Path(text)
    return path.name == text and not path.suffix and not path.exists()


def _pixels_of(images: Any, labels: Any, name: str, log: Log) -> np.ndarray:
    """The images of a card, uint8 [N, 28, 28]; what was changed is logged."""
    from gan3.data.pictures import likely_ink
    from gan3.data.sample_files import INVERTED
    from gan3.evaluation import samples

    if not (isinstance(name, str) and name.isprintable()):
        raise UserError(f"name {shown(name)}: use one line of text")
    found = as_pixels(images)
    (pixels,) = found.parts
    check_label_count(labels, len(pixels))
    if len(pixels) < samples.LEAST_SAMPLES:
        raise UserError(
            f"images: {len(pixels)}; a card needs at least {samples.LEAST_SAMPLES}, draw more"
        )
    if found.is_scaled:
        log(f"NOTE: images: {found.text}")
    if likely_ink(pixels) == "dark":
        pixels = 255 - pixels
        log(f"NOTE: images: {INVERTED}")
    return pixels


has_runs = runs.has_runs


def compare(
    names: Iterable[str],
    *,
    by_experiment: bool = False,
    logs: str | Path = "logs",
    figures: str | Path | None = None,
) -> "Comparison":
    """The report cards of runs side by side; the arguments and errors of `comparison.compare`."""
    from gan3.evaluation import comparison

    opened = [Run.open(name, logs, figures) for name in names]
    distinct = {run.folder.resolve(): run for run in opened}
    return comparison.compare(distinct.values(), by_experiment)


def experiments() -> list[tuple[str, str, Path | None]]:
    """The name, the summary and the own file, if it is not bundled, of each experiment."""
    own = [(name, registry.OWN_FOLDER / f"{name}.py") for name in registry.own_names()]
    found = [*((name, None) for name in registry.names()), *own]
    return [(name, registry.summary_of(name), file) for name, file in found]


def config_of(experiment: str | Path | RunConfig) -> RunConfig:
    """The config of an experiment: by its name, by the path of your own, or itself.

    Raises UserError if there is no such experiment.
    """
    if isinstance(experiment, RunConfig):
        return experiment
    if not isinstance(experiment, str | os.PathLike):
        raise UserError(
            f"experiment {shown(experiment)}: unknown; use its name, its file or a config"
        )
    return registry.config_of(os.fspath(experiment))


def train_judge(
    data: Data = None,
    *,
    dataset: str = "auto",
    ink: str = "unknown",
    skip_damaged: bool = False,
    path: Path | None = None,
    steps: int | None = None,
    seed: int = 0,
    log: Log | None = None,
) -> None:
    """Train the judge of a data set as `judge.make` does; the data is that of `gan3.evaluate`."""
    import_tensorflow()
    from gan3.data.datasets import load as load_data
    from gan3.evaluation import judge

    log = log_or_warn(log, dataset)
    learned = load_data(dataset, as_data(data), log=log, ink=ink, skip_damaged=skip_damaged)
    judge.make(learned, path, seed=seed, steps=steps, log=log)


def recognise_by(trained: Trained, images: Any, log: Log | None) -> Recognised:
    """What `Run.recognise` returns, by the determinator of anything that is trained."""
    pixels, determinator = as_images(images), trained.determinator(log_or_warn(log))
    if determinator is None:
        raise UserError(
            f"{trained.name}: {trained.config.experiment} has no determinator in its file; name"
            " another run, or read with the judge"
        )
    return Recognised.of(determinator(pixels))


def recognise(images: Any) -> Recognised:
    """The digits on images of [N, 28, 28], by the bundled judge, a classifier. Needs TensorFlow.

    images: uint8 or floats in 0..1, as in MNIST: ink on background 0, centred. Raises UserError if
    they do not fit.
    """
    pixels = as_images(images)
    import_tensorflow()
    from gan3.evaluation import judge

    return Recognised.of(judge.load().probabilities(pixels))
