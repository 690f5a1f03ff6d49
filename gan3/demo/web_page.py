"""Writes a generator as one self-contained web page: weights, forward pass and sliders."""

import base64
import html
import json
from pathlib import Path

from gan3.core.classes import DIGITS, are_digits, noun
from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.demo.latent_walks import noise_range
from gan3.method.system import System
from gan3.runs.sampling import has_fixed_noise

_TEMPLATE = Path(__file__).parent / "web_page.html"


def write(path: Path, system: System, name: str) -> None:
    """Write the page of a system's generator, with `name` in its title.

    Raises UserError if the generator has layers that are not dense, or fixed noise.
    """
    if has_fixed_noise(system):
        raise UserError(
            f"{name}: has one fixed noise vector per {noun(system.class_names)}, and the page draws"
            " new noise; use another generator"
        )
    layers = system.dense_layers()
    if layers is None:
        raise UserError(
            f"{name}: has convolutions, and the page computes dense layers only; use another"
            " generator"
        )
    weights = b"".join(
        array.astype("<f4").tobytes()
        for layer in layers
        for array in (layer.w, layer.b, layer.scale, layer.shift)
        if array is not None
    )
    classes = len(system.class_names)
    model = {
        "classConditional": system.class_conditional,
        "classNames": system.class_names,
        "noiseEntries": len(layers[0].w) // (classes if system.class_conditional else 1),
        "noiseIsNormal": system.noise_distribution == "normal",
        "noiseRange": noise_range(system),
        "pixelMin": system.pixel_min,
        "layers": [
            {
                "inputs": len(layer.w),
                "outputs": len(layer.b),
                "activation": layer.activation,
                "normalised": layer.scale is not None,
            }
            for layer in layers
        ],
        "weights": base64.b64encode(weights).decode("ascii"),
    }
    page = _TEMPLATE.read_text()
    for place, text in (_words(system.class_names) | {"TITLE_HERE": name}).items():
        page = page.replace(place, html.escape(text))
    # A script ends at the first "</", wherever that is: a class may have such a name.
    script = json.dumps(model).replace("</", "<\\/")
    write_atomically(path, page.replace("MODEL_HERE", script).encode())


def _words(names: tuple[str, ...]) -> dict[str, str]:
    """The page's texts about the classes, by their places in the page."""
    if are_digits(names):
        example = "241256" if names == DIGITS else "".join(names[:6])
        return {
            "CLASSES_LOWER_HERE": "digits",
            "CLASSES_HERE": "Digits",
            "INPUT_MODE_HERE": "numeric",
            "MAX_HERE": "30",
            "CLASS_HERE": "digit",
            "NUMBER_HERE": "number",
            "EXAMPLE_HERE": example,
            "SHEET_HERE": "50 new digits",
        }
    is_word = all(len(name) == 1 for name in names)
    return {
        "CLASSES_LOWER_HERE": "images",
        "CLASSES_HERE": "Images",
        "INPUT_MODE_HERE": "text",
        "MAX_HERE": "300",
        "CLASS_HERE": "class",
        "NUMBER_HERE": "row",
        "EXAMPLE_HERE": ("" if is_word else ",").join(names[:6]),
        "SHEET_HERE": "new images",
    }
