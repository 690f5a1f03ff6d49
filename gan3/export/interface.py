"""What the exported generators have in common: names of inputs and of activations."""

from typing import TYPE_CHECKING

from gan3.core.classes import DIGITS

if TYPE_CHECKING:
    from gan3.models.generator import Generator

SLOPES = {"leaky_relu": 0.2, "slight_leak": 0.02}
"""The slopes below zero of the leaky activations that a layer's `activation` names."""


def label_input(generator: "Generator") -> str:
    """The name of the input that takes labels: "digit" if the classes are the ten digits."""
    return "digit" if generator.class_names == DIGITS else "label"
