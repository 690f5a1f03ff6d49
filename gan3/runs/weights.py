"""Stores the weights of a system's generator, and classifies with a system in TensorFlow."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.config import RunConfig
from gan3.core.files import write_npz
from gan3.data.batches import to_unit
from gan3.method.system import System
from gan3.models.generator import CHUNK, Generator
from gan3.runs.registry import generator_of


def generator_now(config: RunConfig, system: System) -> Generator:
    """The generator of a system with its weights as they are now."""
    arrays = {name: w.numpy() for name, w in system.generator_weights.items()}
    return Generator(generator_of(config, system.class_names), arrays)


def save_generator(path: Path, system: System) -> None:
    """Write the weights of the generator, and of the encoder if there is one, to an npz file.

    It has one array per variable, as it is.
    """
    weights = system.generator_weights | system.encoder_weights
    write_npz(path, {name: w.numpy() for name, w in weights.items()})


def probabilities(system: Any, images: np.ndarray) -> np.ndarray:
    """Class probabilities [N, K] of images, uint8 [N, 28, 28], by the system's determinator."""
    chunks = [
        system.classify(to_unit(tf.constant(images[start : start + CHUNK]))).numpy()
        for start in range(0, len(images), CHUNK)
    ]
    return np.concatenate(chunks)
