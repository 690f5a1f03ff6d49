"""Chooses the compute precision: float32, or bfloat16 where the hardware gains from it."""

from pathlib import Path

import tensorflow as tf


def resolve_precision(precision: str) -> str:
    """Replace "auto" by "bfloat16" or "float32", depending on this machine's hardware.

    Without hardware support a step in bfloat16 takes thirteen times as long as in float32.
    """
    if precision != "auto":
        return precision
    return "bfloat16" if multiplies_bfloat16() else "float32"


def multiplies_bfloat16() -> bool:
    """Whether this machine has AMX, or a GPU of compute capability 8 or higher.

    AVX512-BF16 is not included: nobody has measured a gain from it yet.
    """
    for gpu in tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        if capability and capability[0] >= 8:
            return True
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
