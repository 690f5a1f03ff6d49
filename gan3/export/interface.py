"""What the exported generators have in common: noise in, and the names of activations."""

import tensorflow as tf

from gan3.core.classes import DIGITS
from gan3.method.system import System

SLOPES = {"leaky_relu": 0.2, "slight_leak": 0.02}
"""The slopes below zero of the leaky activations that `DenseLayer.activation` names."""


def label_input(system: System) -> str:
    """The name of the input that takes labels: "digit" if the classes are the ten digits."""
    return "digit" if system.class_names == DIGITS else "label"


def entries_of(system: System) -> int:
    """The number of noise entries of an image."""
    noise = system.noise(tf.zeros([1], tf.int32), tf.constant([0, 0]))  # [1, entries]
    return noise.shape[1]
