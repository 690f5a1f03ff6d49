import unittest

import numpy as np
import tensorflow as tf

from gan3.nn.adam import Adam


class State(unittest.TestCase):
    """The update is tested against Keras' in test_oracles."""

    def test_state_is_the_step_count_and_both_moments_by_name(self):
        weights = [tf.Variable(tf.ones([2]), name=f"network/{name}") for name in "wb"]
        optimizer = Adam(weights, 0.1, 0.9, "adam/network")
        self.assertEqual(
            [v.name.removesuffix(":0") for v in optimizer.state],
            [
                "adam/network/steps",
                *(f"adam/network/network/{name}/m" for name in "wb"),
                *(f"adam/network/network/{name}/v" for name in "wb"),
            ],
        )
        self.assertFalse([variable for variable in optimizer.state if variable.trainable])
        self.assertEqual(optimizer.steps.dtype, tf.int64)  # as in the checkpoints
        for moment in optimizer.state[1:]:
            self.assertEqual(np.abs(moment).max(), 0)

    def test_a_missing_gradient_is_an_error(self):
        variable = tf.Variable([1.0], name="network/w")
        optimizer = Adam([variable], 0.1, 0.5, "adam/network")
        for gradients in ([None], [], [tf.constant([1.0])] * 2):
            with self.assertRaisesRegex(ValueError, "adam/network: one gradient for each of 1"):
                optimizer.apply(gradients)
        self.assertEqual((int(optimizer.steps), float(variable[0])), (0, 1.0))
