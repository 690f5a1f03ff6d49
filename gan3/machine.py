"""Where something was made: what a record says of the machine and the software."""

import os
import platform
from typing import Any

import numpy as np
import tensorflow as tf

from gan3 import __version__


def description() -> dict[str, Any]:
    """`machine`, `onednn` and `versions`, as run.json and the judge's provenance have them.

    `onednn` is what TensorFlow was told of oneDNN's kernels, "1" or "0": other kernels, other bits.
    """
    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as TensorFlow chooses"),
        "versions": {
            "gan3": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
    }
