import unittest

import numpy as np
import tensorflow as tf

from gan3 import metrics


class LabelAccuracy(unittest.TestCase):
    def test_three_of_four(self):
        logits = tf.constant(np.eye(10, dtype=np.float32)[[3, 1, 4, 1]])
        got = metrics.label_accuracy(logits, tf.constant([3, 1, 4, 2]))
        self.assertEqual(float(got), 0.75)

    def test_labels_of_two_axes_would_broadcast_and_are_refused(self):
        with self.assertRaises(ValueError):
            metrics.label_accuracy(tf.zeros([4, 10]), tf.zeros([4, 1], tf.int32))


if __name__ == "__main__":
    unittest.main()
