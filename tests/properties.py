"""Hypothesis with the settings of this suite, for modules of laws that hold for all inputs.

A module that imports this one is skipped where hypothesis is not installed. The cases come from a
seed of each test and from the constants of the modules that are loaded, not from chance, and no
database is written. `make test-all` tries more of them, and GAN3_EXAMPLES=n tries n of each law.
"""

import copy
import os
import tempfile
import unittest

from tests.support import RUN_SLOW, has

if not has("hypothesis"):
    raise unittest.SkipTest("needs hypothesis: make setup-dev")

from hypothesis import HealthCheck, assume, configuration, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

__all__ = ["EXAMPLES", "JSON", "arrays", "assume", "changed", "example", "given", "settings", "st"]

EXAMPLES = int(os.environ.get("GAN3_EXAMPLES", 100 if RUN_SLOW else 25))  # examples for each law

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

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, "", "$x^$", "\n", "../x", "é" * 300])
)
JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
"""Any value that JSON has."""


@st.composite
def changed(draw, value):
    """A JSON value with one to three changes at any depth.

    An entry is removed, replaced by another value, moved to another key, or repeated.
    """
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        place = value
        while True:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.integers(0, 3)):
                place = place[key]
                continue
            kind = draw(st.sampled_from(["replace", "replace", "remove", "move", "add"]))
            if kind == "replace":
                place[key] = draw(JSON)
            elif kind == "remove":
                del place[key]
            elif isinstance(place, list):
                place.insert(key, copy.deepcopy(place[key]) if kind == "add" else draw(JSON))
            else:
                place[draw(st.text(max_size=9))] = place.pop(key) if kind == "move" else draw(JSON)
            break
    return value
