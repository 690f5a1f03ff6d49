"""How fast the moving averages of `best` follow: its weights, its moments, those of its codes."""

import tensorflow as tf


def rate(decay: float, steps: tf.Tensor) -> tf.Tensor:
    """The weight of the newest value in a moving average with this decay, float32.

    After `steps` steps (float32) the average covers at most about the last tenth of them, so the
    initial value does not linger.
    """
    return 1 - tf.minimum(decay, steps / (steps + 9))
