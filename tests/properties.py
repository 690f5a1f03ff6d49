"""Hypothesis with the settings of this suite, for modules of laws that hold for all inputs.

A module that imports this one is skipped where hypothesis is not installed. The cases come from a
seed of each test and from the constants of the modules that are loaded, not from chance, and no
database is written. `make test-all` tries more of them.
"""

import tempfile
import unittest

from tests.support import RUN_SLOW, has

if not has("hypothesis"):
    raise unittest.SkipTest("needs hypothesis: make setup-dev")

from hypothesis import HealthCheck, assume, configuration, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

__all__ = ["arrays", "assume", "example", "given", "settings", "st"]

EXAMPLES = 200 if RUN_SLOW else 25  # of each law

settings.register_profile(
    "gan3",
    derandomize=True,
    database=None,
    deadline=None,  # the first example pays for the tracing of graphs
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],  # a matter of the machine
)
settings.load_profile("gan3")
# It caches tables of characters there, by default in the working folder.
configuration.set_hypothesis_home_dir(f"{tempfile.gettempdir()}/gan3-hypothesis")
