"""A session of training: what is trained, on what, where, and the record of it."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from gan3.core import provenance
from gan3.core.classes import UNLABELLED
from gan3.core.config import RunConfig
from gan3.core.errors import DivergedError, UserError
from gan3.core.files import check_writable, names_in, read_arrays
from gan3.core.log import Log
from gan3.data.datasets import Dataset, load, recorded_source
from gan3.data.idx import Arrays
from gan3.data.own_sets import no_labels
from gan3.evaluation.monitor import EpisodeMonitor, open_monitor
from gan3.runs import pretrained, registry
from gan3.runs.run import Run
from gan3.runs.trained import network_weights
from gan3.training.precision import bfloat16_hardware, resolve_precision

if TYPE_CHECKING:
    from gan3.method.system import System


@dataclass(frozen=True)
class Session:
    """What is trained, on what, and where. The config enters here, once."""

    run: Run
    config: RunConfig
    dataset: Dataset
    system: "System"
    monitor: EpisodeMonitor | None
    record: dict[str, Any]  # the content of run.json

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keeps run.json: "running" inside, and the outcome at the end."""
        self.run.write_record(self.record | {"outcome": "running"})
        outcome = "stopped"
        try:
            yield
            outcome = "done"
        except DivergedError:
            outcome = "diverged"
            raise
        finally:
            end = {
                "outcome": outcome,
                "ended": _time(datetime.now(UTC)),
                "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            self.run.write_record(self.record | end)


def open_session(
    run: Run,
    config: RunConfig,
    data: str | Arrays | None,
    log: Log,
    *,
    resumes: bool,
    train_judge: bool,
) -> Session:
    """A new run, or an existing one to be resumed; nothing is trained yet.

    The first line that is logged names the data. Raises UserError as `loop.train` does.
    """
    started = datetime.now(UTC)
    notes: list[str] = []  # held back because the first line names the data
    record = dict(run.record) if resumes else {}
    if resumes:
        recorded = registry.config_from_dict(record.get("config"))
        refuse_other_config(run, recorded, config)
        if config.depends_on_total_steps and config.episodes > recorded.episodes:
            notes.append(
                "NOTE: the learning rates fall over the whole schedule. With more episodes they"
                " rise again first, so this run will differ from one that had them from the start"
            )
        data = recorded_source(record) if data is None else data
    try:
        dataset = load(
            str(record.get("data")) if resumes else config.dataset,
            data,
            config.split,
            notes.append,
            skip_first=config.skip_first,
            ink=config.ink,
            skip_damaged=config.skip_damaged,
        )
        if resumes and record.get("data_digest") != dataset.digest:
            raise UserError(
                f"run {run.name}: was trained on other data; name the folder that holds it"
            )
        # A resumed run keeps the precision that "auto" chose on the machine where it began.
        requested = str(record.get("precision")) if resumes else config.precision
        precision = resolve_precision(config.with_text("precision", requested).precision)
        named = precision
        if requested == "auto":
            named += f" ({bfloat16_hardware() or 'no faster bfloat16 here'})"
        names = dataset.class_names
        if names == UNLABELLED and registry.generator_of(config, names).class_conditional:
            raise no_labels(dataset.source)
        system = registry.build(config, names, precision)
        if names == UNLABELLED and system.has_classifier:
            raise no_labels(dataset.source)
        if not resumes:
            set_initial_weights(system, config, run, notes.append)
            make_folders(run)
        log(
            f"{config.experiment} on {dataset.title} ({dataset.source}), seed {config.seed},"
            f" {named}: {config.episodes} episode{'s' if config.episodes > 1 else ''}"
            f" x {config.batches} batches x {config.batch_size} images"
        )
    finally:
        for note in notes:
            log(note)
    if precision == "bfloat16" and bfloat16_hardware() is None:
        remedy = "" if resumes else "; use float32"
        log(f"NOTE: bfloat16 is slow on this machine, which has no hardware for it{remedy}")
    monitor = open_monitor(dataset, config.seed, record, train_judge=train_judge, log=log)
    if not resumes:
        record = new_record(run, config, started, dataset, precision)
    if config.patience and monitor is None:
        raise UserError(
            f"config key patience: {config.patience} needs a judge of {dataset.title}, and there is"
            f" none; {'' if resumes else 'train one, or '}set patience to 0"
        )
    record |= {"config": config.to_dict(), "judge": monitor.judge.digest if monitor else None}
    return Session(run, config, dataset, system, monitor, record)


def set_initial_weights(system: "System", config: RunConfig, run: Run, log: Log) -> None:
    """Give the networks of a new system the weights of `config.init`, if that names any.

    It names a bundled generator, an npz file or a run, whose newest checkpoint counts. Variables
    that it lacks keep their values; the Adams start anew. Logs which networks were
    found. Raises UserError, and changes nothing, if there are none, or one does not fit.
    """
    source, weights = config.init, network_weights(system)
    if not source:
        return
    if source in pretrained.DIGESTS:
        source = str(pretrained.open_pretrained(source).path)
    if source.lower().endswith(".npz"):
        names = names_in(Path(source)).intersection(weights)
        arrays = read_arrays(Path(source), sorted(names))
    else:
        state = Run.open(source, run.folder.parent).restored(log).state
        arrays = {name: state[name].numpy() for name in weights if name in state}
    if "average/pixels/w" in arrays and "generator/pixels/w" not in arrays:
        # The averaged generator of `best` is the trained one, too. In it the weights that classes
        # share are part of those of each class.
        for name in weights:
            averaged = name.replace("generator/", "average/", 1)
            if name.endswith("/shared"):
                arrays[name] = np.zeros(weights[name].shape, np.float32)
            elif averaged in arrays:
                arrays[name] = arrays[averaged]
    for name, array in arrays.items():
        shape, dtype = tuple(weights[name].shape), weights[name].dtype.name
        fits = array.shape == shape and array.dtype.name in (dtype, "float16")
        if not (fits and np.isfinite(array).all()):
            raise UserError(
                f"init {config.init}: {name} is {array.dtype} {array.shape}, and should be finite"
                f" floats {shape}; name a run or file with the same settings and classes"
            )
    if not arrays:
        raise UserError(f"init {source}: has no weights of {config.experiment}; name one that has")
    for name, array in arrays.items():
        weights[name].assign(array.astype(weights[name].dtype.name))
    networks = ", ".join(sorted({name.partition("/")[0] for name in arrays}))
    log(f"starts from {config.init}: {networks} ({len(arrays)} of {len(weights)} arrays)")


def make_folders(run: Run) -> None:
    """Create the folders of a run, all or none. Raises UserError if one cannot be written."""
    for file in (run.record_file, run.picture(1)):
        check_writable(file)
    for folder in (run.checkpoints, run.folder / "episodes", run.frame_file(0).parent, run.figures):
        folder.mkdir(parents=True, exist_ok=True)


def refuse_other_config(run: Run, recorded: RunConfig, wanted: RunConfig) -> None:
    """Raises UserError if a resumed run would change anything but when it ends."""
    keys = [key for key in wanted.differences(recorded) if key not in ("episodes", "patience")]
    if keys:
        raise UserError(
            f"run {run.name}: cannot resume with another {', '.join(keys)};"
            " leave them unchanged, or train a new run"
        )
    if wanted.episodes < recorded.episodes:
        raise UserError(
            f"run {run.name}: has {recorded.episodes} episodes; a resumed run may have more,"
            " not fewer"
        )


def new_record(
    run: Run, config: RunConfig, started: datetime, dataset: Dataset, precision: str
) -> dict[str, Any]:
    """The content of run.json at the start of a run."""
    source = Path(dataset.source)
    return {
        "run": run.name,
        "config": config.to_dict(),
        "class_names": list(dataset.class_names),
        "started": _time(started),
        "ended": None,
        "outcome": "running",
        "data": dataset.name,
        "data_title": dataset.title,
        "data_source": str(source.absolute()) if source.exists() else dataset.source,
        "data_digest": dataset.digest,
        "precision": precision,
        "device": [device.device_type for device in tf.config.list_logical_devices()],
        **provenance.description(),
        "git_revision": provenance.git_revision(),
        "command": _command(),
    }


def _command() -> list[str]:
    """What started this process: gan3's command line, or a user's own script or notebook."""
    is_gan3 = Path(sys.argv[0]).name in ("__main__.py", "gan3")
    return ["python", "-m", "gan3", *sys.argv[1:]] if is_gan3 else ["python", *sys.argv]


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
