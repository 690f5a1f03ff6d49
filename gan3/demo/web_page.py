"""A generator as one web page that needs nothing else: weights, forward pass, sliders."""

import base64
import html
import json
from pathlib import Path

from gan3.core.errors import UserError
from gan3.core.files import write_atomically
from gan3.demo.latent_walks import has_fixed_noise, noise_range
from gan3.method.system import System

_TEMPLATE = Path(__file__).parent / "web_page.html"


def write(path: Path, system: System, name: str) -> None:
    """Write the page of a system's generator, which is called `name` in it.

    Raises UserError where the generator is not one of dense layers, or knows one noise a digit.
    """
    if has_fixed_noise(system):
        raise UserError(f"{name}: it has one noise a digit; the page draws noise anew")
    layers = system.dense_layers()
    if layers is None:
        raise UserError(f"{name}: its generator is convolutional; the page has dense layers only")
    content = b"".join(
        array.astype("<f4").tobytes()
        for layer in layers
        for array in (layer.w, layer.b, layer.scale, layer.shift)
        if array is not None
    )
    model = {
        "asked": system.class_conditional,
        "entries": len(layers[0].w) // (10 if system.class_conditional else 1),
        "normal": system.noise_distribution == "normal",
        "farthest": noise_range(system),
        "lowest": system.pixel_min,
        "layers": [
            {
                "inputs": len(layer.w),
                "outputs": len(layer.b),
                "activation": layer.activation,
                "normalised": layer.scale is not None,
            }
            for layer in layers
        ],
        "weights": base64.b64encode(content).decode("ascii"),
    }
    page = _TEMPLATE.read_text().replace("TITLE_HERE", html.escape(name))
    write_atomically(path, page.replace("MODEL_HERE", json.dumps(model)).encode())
