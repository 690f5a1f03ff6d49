"""How pytest runs the suite; the tests are cases of unittest and need nothing of this.

Every worker has its share of the cores, and what takes longest begins first.
"""

import os

SLOWEST = (
    "training/test_reliability.py",
    "sweeps/test_executors.py",
    "test_course.py",
    "test_concurrency.py",
    "training/test_loop.py",
    "test_odd_runs.py",
    "test_wheel.py",
    "evaluation/test_card.py",
    "demo/test_web_page_ui.py",
    "sweeps/test_sweep.py",
    "library/test_run.py",
)
"""The modules that take longest, in the order in which they begin."""


def pytest_configure():
    """Give each worker its share of the cores, before TensorFlow and NumPy are imported.

    Workers that each start a thread per core slow each other down.
    """
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if workers:
        threads = str(max(1, (os.cpu_count() or 1) // int(workers)))
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ.setdefault(variable, threads)
        from gan3.core.startup import import_tensorflow

        import_tensorflow()  # as the command line does: without Keras, which few tests need


def pytest_collection_modifyitems(items):
    """Put the tests of the slowest modules first."""
    items.sort(key=_turn)


def _turn(item):
    path = item.nodeid.partition("::")[0].removeprefix("tests/")
    return SLOWEST.index(path) if path in SLOWEST else len(SLOWEST)
