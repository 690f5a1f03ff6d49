"""The choice of the compute precision."""

import unittest
from pathlib import Path

import tensorflow as tf

from gan3.training.precision import multiplies_bfloat16, resolve_precision


class Precision(unittest.TestCase):
    def test_a_named_precision_is_kept(self):
        for precision in ("float32", "bfloat16"):
            self.assertEqual(resolve_precision(precision), precision)

    @unittest.skipIf(tf.config.list_physical_devices("GPU"), "the GPU decides")
    def test_auto_chooses_bfloat16_on_a_processor_with_amx(self):
        cpuinfo = Path("/proc/cpuinfo")
        amx = cpuinfo.exists() and "amx_bf16" in cpuinfo.read_text().split()
        self.assertEqual(multiplies_bfloat16(), amx)
        self.assertEqual(resolve_precision("auto"), "bfloat16" if amx else "float32")


if __name__ == "__main__":
    unittest.main()
