"""gan3: the system and the traced step that `make train` runs."""

import numpy as np
import tensorflow as tf

from bench.task import Implementation, Task, random_data
from gan3.core.classes import DIGITS
from gan3.core.seeds import STEPS, seed_of
from gan3.core.triple import Triple
from gan3.data.batches import Batches
from gan3.runs.registry import build, config_of
from gan3.training.loop import trace


def prepare(task: Task, dtype: str) -> Implementation:
    """`dtype` is "float32" or "bfloat16"."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    config = config_of("three_network").with_text("digit_weight", "1")  # as the others have it
    system = build(config, DIGITS, dtype)
    images, labels = random_data(task.batch_size)
    step, _, _ = trace(system, images, labels, task.batch_size)
    batches, done = Batches(len(images), task.batch_size, 0), 0

    def train(count: int) -> None:
        nonlocal done
        for _ in range(count):
            done += 1
            step(tf.constant(batches(done)), tf.constant(seed_of(0, STEPS, done)))

    def weights() -> Triple:
        return Triple(*([np.array(w) for w in network.weights] for network in system.networks))

    return Implementation(train, weights)
