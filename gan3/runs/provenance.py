"""Where something was made: what a record says of the machine and the software."""

import os
import platform
import subprocess
from pathlib import Path
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


def git_revision() -> str | None:
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
