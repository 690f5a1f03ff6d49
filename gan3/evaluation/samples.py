"""Sets of samples to be scored: those of a file, of a bundled generator, and of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan3.core.classes import images_noun
from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.core.seeds import REPORT, seed_of
from gan3.data import sample_files
from gan3.data.datasets import Dataset, load, recorded_source
from gan3.data.idx import Arrays
from gan3.evaluation.reference import SampleSet
from gan3.evaluation.style_transfer import Autoencoder

if TYPE_CHECKING:
    from gan3.runs.run import Run
    from gan3.runs.trained import Trained

SAMPLES = 10_000  # scored; fewer if fewer real digits are held out
LEAST_SAMPLES = 100


def of_file(
    path: Path, class_names: tuple[str, ...], log: Log, skip_damaged: bool = False
) -> SampleSet:
    """The samples of a file or folder of any origin, as `sample_files.read` reads them."""
    samples = sample_files.read(path, class_names, skip_damaged)
    count = len(samples.images)
    if count < LEAST_SAMPLES:
        raise UserError(f"{path}: {count} images; a card needs at least {LEAST_SAMPLES}")
    log(f"{path.name}: {samples.note}")
    about = (("file", path.name),)
    return SampleSet(path.name, samples.images, samples.labels, about=about)


def of_trained(
    trained: "Trained", dataset: Dataset, seed: int, log: Log, moments: str | None = None
) -> SampleSet:
    """As many samples of a run, or of a bundled generator, as images are held out.

    The classes are in equal numbers. With what reads images, if a file or checkpoint has it.

    moments: "running" or "batch", for a generator with batch normalisation; None for those of its
        config. The card of a run has them as `sampling_moments`.

    Raises UserError if the data set has other classes, or there are no moments to choose.
    """
    name, about = trained.name, (("pretrained", trained.name),)
    generator = trained.generator().change(moments=moments)
    if dataset.class_names != trained.class_names:
        raise UserError(
            f"generator {name}: draws other classes than those of {dataset.title}"
            f" ({dataset.source}); name the data set that it learned from"
        )
    if trained.run is not None:
        name = f"{name}, {generator.moments} moments" if generator.moments else name
        about = (
            ("run", trained.name),
            ("experiment", trained.config.experiment),
            ("training_seed", trained.config.seed),
            ("step", trained.episode * trained.config.batches),
            ("sampling_moments", generator.moments),
        )
    classes = len(dataset.class_names)

    def draw(count: int, number: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels, all classes in turn. `number` selects a stream of the seed."""
        labels = np.resize(np.arange(classes), count)
        return generator(labels, seed_of(seed, REPORT, number)), labels

    count = max(1, min(SAMPLES, len(dataset.held_out_images)) // classes) * classes
    images, labels = draw(count, 0)
    if not generator.class_conditional:
        return SampleSet(name, images, None, about=about)
    samples = SampleSet(name, images, labels, draw, about=about)
    try:
        samples = samples._replace(determinator=trained.determinator(log))
        if trained.has_encoder:
            encode = trained.encoder()
            autoencoder = Autoencoder(lambda images: encode(images).noise, generator.draw)
            samples = samples._replace(autoencoder=autoencoder)
    except UserError as error:
        log(f"NOTE: {error}; so there is no determinator-judge gap and no style transfer")
    return samples


def data_of_run(run: "Run", data: str | Arrays | None, split: str | None, log: Log) -> Dataset:
    """The data set that a run was trained on, from `data` or from where the run found it.

    A run is only scored on the images that it held out: the test set, or, with split "validation",
    the last 5,000 training images. Raises UserError for another `split`, or other data.
    """
    held_out = run.config.split
    if split not in (None, held_out):
        raise UserError(
            f"run {run.name}: held out the {held_out} {images_noun(run.class_names)} and"
            f" may have been trained on the {split} ones; train another run with split {split} to"
            " score it on those"
        )
    dataset = data_of(run, data, log)
    if dataset.digest != run.record.get("data_digest"):
        raise UserError(
            f"run {run.name}: was trained on other data; name the folder of that data set"
        )
    return dataset


def data_of(run: "Run", data: str | Arrays | None, log: Log) -> Dataset:
    """The data set of a run, from `data` or from where the run found it."""
    config, record = run.config, run.record
    data = recorded_source(record) if data is None else data
    return load(
        str(record.get("data")),
        data,
        config.split,
        log,
        ink=config.ink,
        skip_damaged=config.skip_damaged,
    )
