"""The choice of the compute precision."""

import os
import unittest
from pathlib import Path
from unittest import mock

import tensorflow as tf

from gan3.training.precision import bfloat16_hardware, resolve_precision


class Precision(unittest.TestCase):
    def choice_for(self, flags, **environment):
        """The hardware and the precision that are chosen for a processor with these flags."""
        with (
            mock.patch.object(tf.config, "list_physical_devices", return_value=[]),
            mock.patch.object(Path, "read_text", return_value=f"flags\t\t: fpu {flags}\n"),
            mock.patch.dict(os.environ, environment),
        ):
            return bfloat16_hardware(), resolve_precision("auto")

    def test_a_named_precision_is_kept(self):
        for precision in ("float32", "bfloat16"):
            self.assertEqual(resolve_precision(precision), precision)

    def test_auto_is_bfloat16_where_the_processor_multiplies_it(self):
        for flags, hardware, precision in (
            ("avx2", None, "float32"),
            ("avx2 avx512f avx512_vnni", None, "float32"),
            ("avx512f avx512_bf16", "AVX512-BF16", "bfloat16"),
            ("avx512_bf16 amx_bf16 amx_tile", "AMX", "bfloat16"),
        ):
            with self.subTest(flags):
                self.assertEqual(self.choice_for(flags), (hardware, precision))

    def test_without_onednn_bfloat16_is_emulated(self):
        chosen = self.choice_for("avx512_bf16", TF_ENABLE_ONEDNN_OPTS="0")
        self.assertEqual(chosen, (None, "float32"))

    def test_without_a_list_of_flags_it_is_float32(self):
        with mock.patch.object(Path, "read_text", side_effect=FileNotFoundError):
            self.assertIsNone(bfloat16_hardware())
