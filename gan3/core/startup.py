"""Imports TensorFlow, with its fast kernels; discards messages that libraries write to stderr."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from gan3.core.errors import UserError


@contextlib.contextmanager
def discarded_stderr() -> Iterator[None]:
    """Discards what is written to stderr, also by libraries that are not written in Python."""
    try:
        stderr = os.dup(2)
    except OSError:  # it was closed before the start
        yield
        return
    with tempfile.TemporaryFile() as discarded:
        os.dup2(discarded.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def import_tensorflow() -> None:
    """Import TensorFlow without its messages on stderr about a missing GPU.

    Native code writes them before any logging setting of TensorFlow takes effect, so the file
    descriptor itself is redirected during the import. Nothing is changed if TensorFlow has been
    imported already. Raises UserError if the import fails.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow enables oneDNN by itself only on processors with AVX512-VNNI or AMX. With AVX2
    # alone, too, it halves the time of a step.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # It imports Keras at once, which takes half as long again, unless it is told to take Keras 2,
    # which is not installed. Which one `tf.keras` is, it asks again when that is used.
    keras = os.environ.get("TF_USE_LEGACY_KERAS")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    try:
        with discarded_stderr():
            import tensorflow as tf

            tf.config.list_physical_devices()
            tf.get_logger().setLevel("ERROR")  # gan3 logs what a user needs to know
    except (ImportError, ValueError) as error:  # ValueError: for a wrong MPLBACKEND
        raise UserError(
            f"tensorflow: cannot be imported ({error}); install gan3 and its requirements again"
        ) from None
    finally:
        if keras is None:
            del os.environ["TF_USE_LEGACY_KERAS"]
