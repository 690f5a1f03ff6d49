"""Chooses the compute precision: float32, or bfloat16 where the hardware gains from it."""

import os
from pathlib import Path

import tensorflow as tf

_FLAGS = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16"}
"""What Linux calls the instructions that multiply bfloat16, and what their makers call them."""


def resolve_precision(precision: str) -> str:
    """Replace "auto" by "bfloat16" or "float32", depending on this machine's hardware.

    The processor's flags decide, not a trial: a trial costs a second at every start, and beside
    other work it could choose differently the next time, so that a seed would give other bits.
    docs/speed.md has what each choice gains.
    """
    if precision != "auto":
        return precision
    return "float32" if bfloat16_hardware() is None else "bfloat16"


def bfloat16_hardware() -> str | None:
    """What makes bfloat16 faster than float32 on this machine; None if nothing does.

    It is a GPU of compute capability 8 or higher, or a processor with AMX or AVX512-BF16 while
    oneDNN is on: TensorFlow's own kernels emulate bfloat16.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        capability = details.get("compute_capability")
        if capability and capability[0] >= 8:
            return str(details.get("device_name", "the GPU"))
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0":
        return None
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return None
    return next((name for flag, name in _FLAGS.items() if flag in flags), None)
