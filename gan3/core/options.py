"""Option values that the command line and the library share. Imports nothing."""

from typing import NamedTuple

MAX_COUNT = 1_000_000  # images of one call
TRIES, MOST_VARIANTS = 4, 100  # for each digit of a number picture; rows of one
WALK_MODES = ("arithmetic", "interpolate", "sweep")  # walks in the latent space
EXPORT_SUFFIXES = {"npz": ".npz", "safetensors": ".safetensors", "keras": ".keras",
                   "savedmodel": "", "onnx": ".onnx"}  # fmt: skip
"""Formats of exported generators, and what their names end in; a SavedModel is a folder."""
FIGURE_FORMATS = ("png", "svg", "pdf")
DPI = 120  # dots per inch of figures


class Output(NamedTuple):
    """How figures are saved. In vector formats the resolution is that of the images in them."""

    format: str = "png"  # one of FIGURE_FORMATS
    dpi: int = DPI


PNG = Output()


def truncation_text(truncation: float) -> str:
    """What is said of images whose noise was scaled by this factor; "" for 1."""
    return "" if truncation == 1 else f"truncation {truncation:g}"
