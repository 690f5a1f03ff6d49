"""Writes a generator as one self-contained web page: weights, forward pass and sliders."""

import base64
import html
import json
from pathlib import Path

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
            f"{name}: has one fixed noise vector per digit, and the page draws new noise; use"
            " another generator"
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
    model = {
        "classConditional": system.class_conditional,
        "noiseEntries": len(layers[0].w) // (10 if system.class_conditional else 1),
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
    page = _TEMPLATE.read_text().replace("TITLE_HERE", html.escape(name))
    write_atomically(path, page.replace("MODEL_HERE", json.dumps(model)).encode())
