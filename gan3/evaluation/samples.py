"""Sets of samples to be scored: those of a file, of a bundled generator, and of a run."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gan3.core.classes import DIGITS, images_noun
from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.data.datasets import Dataset, load, recorded_source
from gan3.data.idx import Arrays
from gan3.evaluation import sample_files
from gan3.evaluation.reference import SampleSet
from gan3.evaluation.style_transfer import Redrawer
from gan3.models.determinator import Encoder, classify, encoder_of
from gan3.models.generator import Generator
from gan3.runs.pretrained import open_determinator, open_pretrained
from gan3.runs.registry import config_from_dict, determinator_of
from gan3.runs.run_files import read_record
from gan3.runs.seeds import REPORT, seed_of
from gan3.runs.trained import FinishedRun

SAMPLES = 10_000  # scored; fewer if fewer real digits are held out
LEAST_SAMPLES = 100


def of_file(path: Path, class_names: tuple[str, ...], log: Log) -> SampleSet:
    """The samples of a file or folder of any origin, as `sample_files.read` reads them."""
    samples = sample_files.read(path, class_names)
    count = len(samples.images)
    if count < LEAST_SAMPLES:
        raise UserError(f"{path}: {count} images; a card needs at least {LEAST_SAMPLES}")
    log(f"{path.name}: {samples.note}")
    about = (("file", path.name),)
    return SampleSet(path.name, samples.images, samples.labels, about=about)


def of_bundled(name: str, dataset: Dataset, seed: int) -> SampleSet:
    """Samples of a bundled generator, to be compared with a data set of digits.

    Only a determinator that encodes is bundled, so other systems have no determinator-judge gap.
    """
    generator, determinator = open_pretrained(name), open_determinator(name)
    if dataset.class_names != DIGITS:
        raise UserError(
            f"generator {name}: draws digits, which are not the classes of {dataset.title}"
            f" ({dataset.source}); name a data set of digits"
        )
    samples = _draw(name, generator, dataset, seed)._replace(about=(("pretrained", name),))
    if determinator is None:
        return samples
    return samples._replace(
        determinator=partial(classify, determinator),
        redrawer=_redrawer(encoder_of(determinator), generator),
    )


def of_run(
    run: FinishedRun, dataset: Dataset, moments: str | None, seed: int, log: Log
) -> SampleSet:
    """Samples of a run's last generator, with what reads images if a file or checkpoint has it.

    moments: "running" or "batch", for a generator with batch normalisation; None for those of its
    config. The card has them as `sampling_moments`. Raises UserError if there are none to choose.
    """
    generator, folders, config = run.generator(), run.folders, run.config
    if moments is not None:
        generator.use_moments(moments)
    name = folders.name
    if generator.moments:
        name = f"{name}, {generator.moments} moments"
    samples = _draw(name, generator, dataset, seed)._replace(
        about=(
            ("run", folders.name),
            ("experiment", config.experiment),
            ("training_seed", config.seed),
            ("step", folders.episodes()[-1] * config.batches),
            ("sampling_moments", generator.moments),
        )
    )
    if samples.labels is None:
        return samples
    try:
        samples = samples._replace(determinator=run.classifier(log))
    except UserError as error:
        log(f"NOTE: {error}; so there is no determinator-judge gap")
    spec = determinator_of(config, run.class_names)
    if spec is None or spec.encoder is None:
        return samples
    try:
        return samples._replace(redrawer=_redrawer(run.encoder(), generator))
    except UserError as error:
        log(f"NOTE: {error}; so there is no style transfer")
        return samples


def data_of_run(
    run: FinishedRun, data: str | Arrays | None, split: str | None, log: Log
) -> Dataset:
    """The data set that a run was trained on, from `data` or from where the run found it.

    A run is only scored on the images that it held out: the test set, or, with split "validation",
    the last 5,000 training images. Raises UserError for another `split`, or other data.
    """
    config, record, name = run.config, read_record(run.folders.record), run.folders.name
    if split not in (None, config.split):
        raise UserError(
            f"run {name}: held out the {config.split} {images_noun(run.class_names)} and"
            f" may have been trained on the {split} ones; train another run with split {split} to"
            " score it on those"
        )
    dataset = data_of(record, data, log)
    if dataset.digest != record.get("data_digest"):
        raise UserError(f"run {name}: was trained on other data; name the folder of that data set")
    return dataset


def data_of(record: dict[str, Any], data: str | Arrays | None, log: Log) -> Dataset:
    """The data set of a run, by its record: from `data`, or from where the run found it."""
    config = config_from_dict(record.get("config"))
    data = recorded_source(record) if data is None else data
    return load(str(record.get("data")), data, config.split, log, ink=config.ink)


def _redrawer(encode: Encoder, generator: Generator) -> Redrawer:
    """Reads the noise of images with an encoder, and draws with a generator."""
    return Redrawer(lambda images: encode(images).noise, generator.draw)


def _draw(name: str, generator: Generator, dataset: Dataset, seed: int) -> SampleSet:
    """As many samples as images are held out, the classes in equal numbers."""
    classes = len(dataset.class_names)

    def draw(count: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels, all classes in turn. `number` selects a stream of the seed."""
        labels = np.resize(np.arange(classes), count)
        return generator(labels, seed_of(seed, REPORT, number)), labels

    count = max(1, min(SAMPLES, len(dataset.held_out_images)) // classes) * classes
    images, labels = draw(count, 0)
    if not generator.class_conditional:
        return SampleSet(name, images, None)
    draw_more: Callable[[int], tuple[np.ndarray, np.ndarray]] = partial(draw, number=1)
    return SampleSet(name, images, labels, draw_more)
