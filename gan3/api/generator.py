"""Generators by name: bundled ones, which draw digits, and those of runs."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gan3.api.arguments import (
    as_choice,
    as_folder,
    as_fraction,
    as_images,
    as_labels,
    as_noise,
    as_seed,
    as_whole,
    check_count,
)
from gan3.core.classes import images_noun, labels_of_names, nouns
from gan3.core.errors import UserError, shown
from gan3.core.files import check_path
from gan3.models import generator as models
from gan3.models.determinator import Encoded, Encoder
from gan3.plots.numbers import labels_of_number
from gan3.runs import pretrained
from gan3.runs.trained import find_run


class Samples(NamedTuple):
    """Images that a generator drew."""

    images: np.ndarray  # uint8 [N, 28, 28], ink 255 on background 0
    labels: np.ndarray | None  # int64 [N], the requested classes; None if none can be requested


class Generator:
    """Draws handwritten digits, or other classes. `gan3.load` and `Run.generator` return one.

    It needs NumPy alone.
    """

    def __init__(
        self,
        name: str,
        sampler: models.Generator,
        noise_seed: int | None = None,
        moments: str | None = None,
        truncation: float = 1.0,
        *,
        open_encoder: Callable[[], Encoder],
    ):
        """Use `gan3.load`. Raises UserError for an option that the generator does not have.

        open_encoder: opens the encoder when it is needed; raises UserError if there is none.
        """
        self.name = name
        self._sampler, self._open_encoder = sampler, open_encoder
        if noise_seed is not None:
            sampler.redraw_noise(as_seed(noise_seed, "noise seed"))
        if moments is not None:
            sampler.use_moments(as_choice(moments, "moments", ("running", "batch")))
        self.truncation = as_fraction(truncation, "truncation")
        sampler.truncate(self.truncation)

    def __repr__(self) -> str:
        kind = f"{'requested' if self.class_conditional else 'any'} {nouns(self.class_names)}"
        truncation = "" if self.truncation == 1 else f", truncation {self.truncation:g}"
        return f"<gan3.Generator {self.name}: {kind}{truncation}>"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of its K classes; a label is an index into them. The ten digits, for digits."""
        return self._sampler.class_names

    @property
    def class_conditional(self) -> bool:
        """Whether it draws the classes that are requested; otherwise it draws any of them."""
        return self._sampler.class_conditional

    @property
    def noise_distribution(self) -> str:
        """The distribution of its noise: "uniform", U(-1, 1), or "normal", N(0, 1)."""
        return self._sampler.noise_distribution

    @property
    def noise_entries(self) -> int:
        """Noise entries of an image."""
        return self._sampler.noise_entries

    @property
    def has_fixed_noise(self) -> bool:
        """Whether each class has one noise vector, whatever the seed, and so only one image."""
        return self._sampler.has_fixed_noise

    def generate(self, number: str | Sequence[str], *, seed: int = 0) -> np.ndarray:
        """The digits of a number, in its order: uint8 [N, 28, 28], ink 255 on background 0.

        number: a text of digits, or of other classes with names of one character; or a list of the
            names of classes, such as ["A", "B"].

        Raises UserError if the number has anything but classes, or more than 1,000,000 of them, or
        if the generator is not class-conditional.
        """
        self._refuse_labels("number", number)
        if isinstance(number, str):
            labels = labels_of_number(number, self.class_names)
        else:
            is_list = isinstance(number, list | tuple) and len(number)
            if not is_list or not all(isinstance(name, str) for name in number):
                example = f"'{number}'" if isinstance(number, int) and number < 10**9 else "'2024'"
                raise UserError(f"number {shown(number)}: use text, such as {example}")
            labels = np.array(labels_of_names(number, self.class_names, "classes"), np.int64)
        check_count(len(labels))
        return self._sampler(labels, (as_seed(seed), 0))

    def sample(self, count: int | None = None, labels: Any = None, *, seed: int = 0) -> Samples:
        """Images and their labels. The first images of many are those of a few.

        The exception is moments of the batch, the default of conditional_dcgan and gan_auto_write:
        then an image depends on the others of its batch.

        Args:
            count: number of images; by default that of the labels.
            labels: the classes to draw, repeated until they are `count`: text such as "0123" or
                "A,B", a list of names, or whole numbers 0 to K - 1. By default all classes. Only if
                the generator is class-conditional; otherwise the labels that are returned are
                None.
            seed: of the noise, 0 to 2^31 - 1.

        Raises:
            UserError: a count that is not in 1 to 1,000,000, or labels that do not fit.
        """
        if labels is not None:
            self._refuse_labels("labels", labels)
        names = self.class_names
        row = np.arange(len(names)) if labels is None else as_labels(labels, names)
        if count is None and labels is None:
            raise UserError(
                f"count: missing; give the number of {images_noun(names)}, or their labels"
            )
        number = len(row) if count is None else as_whole(count, "count")
        check_count(number)
        row = np.resize(row, number)
        images = self._sampler(row, (as_seed(seed), 0))
        return Samples(images, row if self.class_conditional else None)

    def noise(self, labels: Any, *, seed: int = 0) -> np.ndarray:
        """The noise that `sample` draws these labels with: float32 [N, noise_entries].

        labels: [N], as `sample` takes them; if the generator is not class-conditional, only their
        number matters. Raises UserError if they are no classes.
        """
        return self._sampler.noise(as_labels(labels, self.class_names), (as_seed(seed), 0))

    def draw(self, labels: Any, noise: Any) -> np.ndarray:
        """The images of labels [N] with the given noise [N, noise_entries]: uint8 [N, 28, 28].

        The noise may be outside the range that the generator was trained with, from -1000 to 1000.
        Raises UserError if labels and noise do not fit.
        """
        row = as_labels(labels, self.class_names)
        return self._sampler.draw(row, as_noise(noise, (len(row), self.noise_entries)))

    def encode(self, images: Any) -> Encoded:
        """The classes of images [N, 28, 28], and the style that they are written in: its noise.

        `draw` with any labels and this noise writes these in the style of the images. The noise is
        that of the determinator's code for the class that it reads, without the code's own noise.

        images: uint8 or floats in 0..1, ink on background 0. Raises UserError if they do not fit,
        or if the generator comes without an encoder: only `best` and its like have one.
        """
        return self._encoder(as_images(images))

    @cached_property
    def _encoder(self) -> Encoder:
        return self._open_encoder()

    def _refuse_labels(self, name: str, value: Any) -> None:
        if not self.class_conditional:
            called = nouns(self.class_names)
            raise UserError(
                f"{name} {shown(value)}: {self.name} cannot draw requested {called};"
                f" sample any {called} without labels"
            )


def load(
    name: str | os.PathLike[str],
    *,
    noise_seed: int | None = None,
    moments: str | None = None,
    truncation: float = 1.0,
    logs: str | Path = "logs",
) -> Generator:
    """A generator by name.

    Args:
        name: of a bundled generator ("best"), of a run in `logs`, or the path of a run's folder. A
            run with the name of a bundled generator needs its path.
        noise_seed: replace the noise matrix of `published_code`, whose generator has only one: by
            that of a run with this seed.
        moments: "running" or "batch", for a system with convolutions and batch normalisation. With
            those of the batch an image depends on the images that it is drawn with. By default as
            published.
        truncation: the factor, 0 to 1, by which all noise that it draws is scaled: below 1 the
            images are more typical and less varied. Noise that is passed to `draw` is not scaled.
        logs: the folder of all runs.

    Raises:
        UserError: there is no such generator, or it has no such option.
    """
    if isinstance(name, str) and name in pretrained.GENERATORS:
        open_encoder = partial(pretrained.open_encoder, name)
        sampler = pretrained.open_pretrained(name)
        return Generator(name, sampler, noise_seed, moments, truncation, open_encoder=open_encoder)
    run_name, logs = locate_run(name, logs)
    if not check_path((Path(logs) / run_name).is_dir):
        bundled = ", ".join(pretrained.GENERATORS)
        raise UserError(
            f"generator {str(name)!r}: no run in {logs}, nor bundled ({bundled}); train it, or give"
            " its folder"
        )
    run = find_run(run_name, logs)
    return Generator(
        run_name, run.generator(), noise_seed, moments, truncation, open_encoder=run.encoder
    )


def locate_run(name: str | os.PathLike[str], logs: str | Path) -> tuple[str, str]:
    """The name of a run and the folder of all runs, for a name in `logs` or a run's folder."""
    path = as_folder(name, "run")
    is_name = isinstance(name, str) and Path(name).name == name
    if is_name or not path.name:
        return os.fspath(name), str(as_folder(logs, "logs"))
    return path.name, str(path.parent)
