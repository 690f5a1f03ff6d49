"""What every contestant trains: the three networks of `three_network`, by one step."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from experiments.three_network import CONFIG
from gan3.core.triple import Triple

GENERATOR = ((100, 100), (100, 500), (500, 784), (784, 784))  # dense [in, out]
CONVOLUTIONS = ((5, 5, 1, 32), (5, 5, 32, 64))
HIDDEN = (7 * 7 * 64, 1024)
OUTPUTS = {"discriminator": 1, "determinator": 10}
ADAM_BETA2, ADAM_EPSILON = 0.999, 1e-8


class Task(NamedTuple):
    """The sizes and settings of a step, one value a network where it is a triple."""

    batch_size: int
    threads: int
    keep_prob: Triple = CONFIG.keep_prob
    l1_weight: Triple = CONFIG.l1_weight
    learning_rate: Triple = CONFIG.learning_rate
    beta1: Triple = CONFIG.beta1


class Contestant(NamedTuple):
    """Something that trains: `steps(n)` returns when n steps are done."""

    steps: Callable[[int], None]
    weights: Callable[[], Triple]  # lists of NumPy arrays


def digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [count, 28, 28] and int32 [count]; what they show is all one for the time it takes."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, 28, 28), np.uint8)
    return images, generator.integers(0, 10, count, np.int32)


def shapes(role: str) -> list[tuple[int, ...]]:
    """The shapes of a network's variables, weights and biases by turns."""
    if role == "generator":
        kernels = GENERATOR
    else:
        kernels = (*CONVOLUTIONS, HIDDEN, (HIDDEN[1], OUTPUTS[role]))
    return [shape for kernel in kernels for shape in (kernel, kernel[-1:])]


def first_weights(role: str) -> list[np.ndarray]:
    """Glorot weights and zero biases of a network."""
    generator, values = np.random.default_rng(1), []
    for shape in shapes(role):
        fans = np.prod(shape[:-2], initial=1) * sum(shape[-2:])
        limit = np.sqrt(6 / fans) if len(shape) > 1 else 0.0
        values.append(generator.uniform(-limit, limit, shape).astype(np.float32))
    return values
