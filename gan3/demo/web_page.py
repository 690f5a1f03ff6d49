"""Writes a system as one self-contained web page: weights, forward passes, and what they show.

The page's parts are in the folder `page`. Its networks are in `network.js`, which computes what
`nn.plain` does.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan3.core.classes import DIGITS, are_digits, images_noun
from gan3.core.errors import UserError
from gan3.core.files import make_folder, write_atomically
from gan3.core.log import Log

if TYPE_CHECKING:
    from gan3.models.determinator import Determinator
    from gan3.models.generator import Generator
    from gan3.nn.specs import Layer
    from gan3.runs.run import Run
    from gan3.runs.trained import Trained

_FOLDER = Path(__file__).parent / "page"
# In one scope, in this order.
_SCRIPTS = ("network.js", "picture.js", "gif.js", "pad.js", "save.js", "training.js", "page.js")


def write(
    path: Path,
    generator: "Generator",
    determinator: "Determinator | None" = None,
    name: str = "gan3",
    training: dict[str, Any] | None = None,
    discriminator: "Sequence[Layer] | None" = None,
) -> None:
    """Write the page of a generator, and of its determinator if there is one.

    The weights are stored as float16, as in the files of bundled generators, whose page draws what
    they draw. That of a run differs by no more than two of the 256 levels of a pixel. Batch
    normalisation is by running moments.

    Args:
        name: of the system, for title and captions.
        training: what `training_of` returns, for the tab that shows a run's training.
        discriminator: layers from images [B, 28, 28, 1] to one logit, positive for real; biases may
            be [K, width], of an image of each class.

    Raises:
        UserError: a weight is too large for float16.
    """
    arrays: list[np.ndarray] = []
    add, fixed_noise = partial(_described, arrays=arrays), None
    if generator.has_fixed_noise:
        fixed_noise = generator.noise(np.arange(len(generator.class_names))).tolist()
    layers = [layer for spec in generator.specs for layer in spec.parts(generator.arrays)]
    model = {
        "name": name,
        "classConditional": generator.class_conditional,
        "classNames": generator.class_names,
        "noiseEntries": generator.noise_entries,
        "noiseIsNormal": generator.noise_distribution == "normal",
        "noiseRange": generator.noise_range,
        "fixedNoise": fixed_noise,
        "pixelMin": generator.pixel_min,
        "labelEntry": generator.label_entry,
        "generator": [add(layer) for layer in layers],
        "determinator": None,
        "training": training,
    }
    if determinator is not None:
        features, encoder = determinator.features, determinator.encoder
        model["determinator"] = {
            "features": [add(layer) for layer in features],
            "logits": add(determinator.logits),
            "pixelMin": determinator.pixel_min,
            "encoder": None if encoder is None else add(encoder),
            "codeMeans": None if encoder is None else determinator.code_means.tolist(),
            "codeScales": None if encoder is None else determinator.code_scales.tolist(),
        }
    if discriminator is not None:
        model["discriminator"] = [add(layer) for layer in discriminator]
    model["weights"] = base64.b64encode(b"".join(_packed(array, name) for array in arrays)).decode(
        "ascii"
    )
    write_atomically(path, _page(model, generator.class_names, name).encode())


def export(path: Path, trained: "Trained", log: Log) -> UserError | None:
    """Write the page of what a run, or a bundled generator, has trained.

    Returns why it lacks networks that only a run's checkpoint has, if that cannot be restored.
    Raises UserError for a damaged file, and as `write` does.
    """
    generator, determinator, discriminator, problem = trained.generator(), None, None, None
    training = None if trained.run is None else training_of(trained.run)
    try:
        determinator = trained.determinator(log)
        discriminator = trained.discriminator(log)
    except UserError as error:
        if trained.run is None:  # a bundled file is damaged
            raise
        problem = error
    make_folder(path.parent)
    write(path, generator, determinator, trained.title, training, discriminator)
    return problem


def training_of(run: "Run") -> dict[str, Any]:
    """The same ten noises after at most 30 episodes of a run, and its losses at 200 steps or so."""
    chosen = np.linspace(0, len(run.episodes) - 1, min(len(run.episodes), 30)).round().astype(int)
    episodes = [run.episodes[place] for place in chosen]
    generators = [run.generator(number) for number in episodes]
    labels = np.arange(10) % len(run.class_names)
    images = np.stack([generator(labels, (0, 0)) for generator in generators])
    lines = [line for line in run.metrics() if "loss/discriminator" in line]
    parts = [part for part in np.array_split(lines, 200) if len(part)]
    tags = {tag for line in lines for tag in line if tag.startswith("loss/")}
    return {
        "episodes": episodes,
        "steps": [number * run.config.batches for number in episodes],
        "images": base64.b64encode(images.tobytes()).decode("ascii"),
        "curves": {
            tag: [[_mean(part, "step"), _mean(part, tag)] for part in parts] for tag in tags
        },
    }


def _mean(lines: Iterable[dict[str, float]], tag: str) -> float:
    return float(np.mean([line[tag] for line in lines]))


def _described(layer: Any, arrays: list[np.ndarray]) -> dict[str, Any]:
    """A layer without its arrays, as network.js expects it; they are appended to `arrays`.

    The class of the layer says what it computes. Arrays that it does not have are None.
    """
    kind = type(layer).__name__.removesuffix("Layer")
    described: dict[str, Any] = {"kind": kind[0].lower() + kind[1:]}
    for field, value in layer._asdict().items():
        is_array = isinstance(value, np.ndarray)
        described[field] = value.shape if is_array else value
        if is_array:
            arrays.append(value)
    return described


def _packed(array: np.ndarray, name: str) -> bytes:
    """Matrices and kernels as float16, vectors as float32, little-endian."""
    largest = float(np.abs(array).max())
    if array.ndim > 1 and not largest <= float(np.finfo(np.float16).max):
        raise UserError(
            f"{name}: a weight of {largest:.3g} is too large for the page, which has float16; use"
            " another run"
        )
    return array.astype("<f4" if array.ndim == 1 else "<f2").tobytes()


def _page(model: dict[str, Any], class_names: tuple[str, ...], name: str) -> str:
    words = _words(class_names) | {"TITLE_HERE": name}
    # A script ends at "</script", and not there after "<!--<script": a class may have such a name.
    data = json.dumps(model).replace("<", "\\u003c")
    texts = {place: html.escape(text) for place, text in words.items()} | {
        "STYLE_HERE": _part("page.css").strip(),
        "SCRIPT_HERE": "\n".join(map(_part, _SCRIPTS)).strip(),
        "MODEL_HERE": data,
    }
    # One pass, because the name of a class or run may look like a placeholder.
    return re.sub(r"[A-Z_]+_HERE", lambda match: texts[match[0]], _part("page.html"))


def _part(file: str) -> str:
    return (_FOLDER / file).read_text(encoding="utf-8")


def _words(names: tuple[str, ...]) -> dict[str, str]:
    """The page's texts about the classes, by their places in the page."""
    number, field = ("number", "numeric") if are_digits(names) else ("row", "text")
    separator = "" if all(len(name) == 1 for name in names) else ","
    return {
        "IMAGES_TITLE_HERE": images_noun(names).title(),
        "IMAGES_HERE": images_noun(names),
        "CLASSES_HERE": "digits" if are_digits(names) else "classes",
        "CLASS_HERE": "digit" if are_digits(names) else "class",
        "INPUT_MODE_HERE": field,
        "MAX_HERE": "30" if are_digits(names) else "300",
        "NUMBER_HERE": number,
        "EXAMPLE_HERE": "241256" if names == DIGITS else separator.join(names[:6]),
    }
