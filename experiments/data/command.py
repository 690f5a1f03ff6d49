"""The command line of the scripts that make labelled sets."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan3.core.files import write_npz


def write_set(description: str, make: Callable[[], dict[str, np.ndarray]], contents: str) -> None:
    """Write the arrays of `make` to the file that the command line names, and print what it has.

    Args:
        description: of the script; its first line becomes the help.
        make: returns `x_train`, `y_train`, `x_test` and `y_test`.
        contents: what the images show, for the line that is printed.
    """
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--out", metavar="FILE.npz", type=Path, required=True)
    options = parser.parse_args()
    arrays = make()
    write_npz(options.out, arrays)
    train, test = (f"{len(arrays[name]):,}" for name in ("y_train", "y_test"))
    print(f"{options.out}: {train} training and {test} test images of {contents}")
