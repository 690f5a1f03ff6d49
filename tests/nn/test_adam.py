import math
import unittest

import numpy as np
import tensorflow as tf

from gan3.nn.adam import Adam


def one_weight(value=1.0, learning_rate=0.1, beta1=0.5):
    """An Adam of a single variable, and that variable."""
    variable = tf.Variable([value], name="network/w")
    return Adam([variable], learning_rate, beta1, "adam/network"), variable


class Update(unittest.TestCase):
    def test_three_steps_against_numpy(self):
        """In the last column epsilon decides: its value, and that it is added before correction."""
        random = np.random.default_rng(4)
        start = random.normal(size=(6, 3)).astype(np.float32)
        variable = tf.Variable(start, name="network/w")
        optimizer = Adam([variable], learning_rate=0.01, beta1=0.5, name="adam/network")
        w, m, v = start.astype(np.float64), 0.0, 0.0
        for t in range(1, 4):
            g = random.normal(size=(6, 3)).astype(np.float32) * np.float32([1, 1, 1e-7])
            optimizer.apply([tf.constant(g)])
            m = 0.5 * m + 0.5 * g
            v = 0.999 * v + 0.001 * g.astype(np.float64) ** 2
            rate = 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.5**t)
            w = w - rate * m / (np.sqrt(v) + 1e-8)
            np.testing.assert_allclose(variable - start, w - start, rtol=1e-3, atol=1e-6)
        self.assertEqual(int(optimizer.steps), 3)
        self.assertEqual([s.shape for s in optimizer.state], [[], [6, 3], [6, 3]])

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
        for moment in optimizer.state[1:]:
            self.assertEqual(np.abs(moment).max(), 0)

    def test_nothing_of_its_state_is_trained(self):
        optimizer, _ = one_weight()
        self.assertFalse([variable for variable in optimizer.state if variable.trainable])
        self.assertEqual(optimizer.steps.dtype, tf.int64)  # of which the checkpoints are

    def test_a_scale_of_the_learning_rate_scales_the_update(self):
        """Not the moments, so the next update is not affected."""
        moves, moments = [], []
        for scale in (1.0, 0.25, tf.constant(0.25)):
            optimizer, variable = one_weight()
            optimizer.apply([tf.constant([3.0])], scale)
            moves.append(float(variable[0]) - 1)
            moments.append((float(optimizer.m[0][0]), float(optimizer.v[0][0])))
        self.assertAlmostEqual(moves[0], -0.1, delta=1e-6)  # Adam's first step is the rate itself
        self.assertAlmostEqual(moves[1], -0.025, delta=1e-6)
        self.assertEqual(moves[1], moves[2])
        self.assertEqual(len(set(moments)), 1)

    def test_a_missing_gradient_is_an_error(self):
        optimizer, variable = one_weight()
        for gradients in ([None], [], [tf.constant([1.0])] * 2):
            with self.assertRaisesRegex(ValueError, "adam/network: one gradient for each of 1"):
                optimizer.apply(gradients)
        self.assertEqual((int(optimizer.steps), float(variable[0])), (0, 1.0))


if __name__ == "__main__":
    unittest.main()
