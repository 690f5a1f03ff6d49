"""TODO docstring."""

from pathlib import Path

import tensorflow as tf


def resolve_precision(wanted: str) -> str:
    """ "auto" takes bfloat16 where the processor or GPU multiplies it in hardware.

    That is AMX, or a GPU of compute capability 8. AVX512-BF16 is left out until somebody has
    measured a gain; without any of them bfloat16 takes twelve times as long as float32.
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if multiplies_bfloat16() else "float32"


def multiplies_bfloat16() -> bool:
    """Whether this machine does it in hardware that is known to gain by it."""
    for gpu in tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        if capability and capability[0] >= 8:
            return True
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
