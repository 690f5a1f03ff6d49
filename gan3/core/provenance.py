"""The machine and the software versions that a result was made with."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from gan3 import __version__


def description() -> dict[str, Any]:
    """`machine`, `onednn` and `versions`, as run.json and the judge's provenance record them.

    `onednn` is the value of TF_ENABLE_ONEDNN_OPTS. It is recorded because other kernels round
    differently, so the same seed gives other bits.
    """
    import tensorflow as tf

    return {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "TensorFlow's default"),
        "versions": {
            "gan3": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
    }


def git_revision() -> str | None:
    """The commit of gan3's checkout, with "-dirty" if it has local changes; None without git."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():  # installed, maybe inside of another project
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()
