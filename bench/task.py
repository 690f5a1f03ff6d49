"""What every implementation trains: the three networks of `three_network`, step by step."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gan3.core.triple import Triple
from gan3.runs.registry import config_of

GENERATOR = ((100, 100), (100, 500), (500, 784), (784, 784))  # dense kernels [in, out]
CONVOLUTIONS = ((5, 5, 1, 32), (5, 5, 32, 64))
HIDDEN = (7 * 7 * 64, 1024)
OUTPUTS = {"discriminator": 1, "determinator": 10}
ADAM_BETA2, ADAM_EPSILON = 0.999, 1e-8
STORED_BATCHES = 20
"""Batches of random data that an implementation goes through again and again."""

_CONFIG = config_of("three_network")


class Task(NamedTuple):
    """Sizes and settings of a step; a Triple has one value for each network."""

    batch_size: int
    threads: int
    keep_prob: Triple = _CONFIG.keep_prob
    l1_weight: Triple = _CONFIG.l1_weight
    learning_rate: Triple = _CONFIG.learning_rate
    beta1: Triple = _CONFIG.beta1


class Implementation(NamedTuple):
    """Something that trains the three networks."""

    train: Callable[[int], None]  # do so many steps and return when they are finished
    weights: Callable[[], Triple]  # a list of NumPy arrays for each network


def random_data(batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [count, 28, 28] and labels int32 [count]; their content does not affect time."""
    generator = np.random.default_rng(0)
    count = STORED_BATCHES * batch_size
    images = generator.integers(0, 256, (count, 28, 28), np.uint8)
    return images, generator.integers(0, 10, count, np.int32)


def shapes_of(role: str) -> list[tuple[int, ...]]:
    """The shapes of a network's variables: each kernel followed by its bias."""
    if role == "generator":
        kernels = GENERATOR
    else:
        kernels = (*CONVOLUTIONS, HIDDEN, (HIDDEN[1], OUTPUTS[role]))
    return [shape for kernel in kernels for shape in (kernel, kernel[-1:])]


def initial_weights(role: str) -> list[np.ndarray]:
    """Glorot kernels and zero biases of a network."""
    generator, weights = np.random.default_rng(1), []
    for shape in shapes_of(role):
        fans = np.prod(shape[:-2], initial=1) * sum(shape[-2:])
        limit = np.sqrt(6 / fans) if len(shape) > 1 else 0.0
        weights.append(generator.uniform(-limit, limit, shape).astype(np.float32))
    return weights
