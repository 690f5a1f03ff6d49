"""Sweep files with anything in them: a sweep that is checked as a whole, or one line."""

import json
import tempfile
import tomllib
import unittest
from pathlib import Path

from gan3.core.errors import UserError
from gan3.sweeps import spec
from tests.properties import changed, given, st

FILES = (
    {
        "name": "try",
        "title": "Two and two",
        "seeds": [0, 1],
        "cas": False,
        "threads": 1,
        "budget_minutes": 3.5,
        "settings": {"episodes": 2, "batches": 2, "beta1": 0},
        "variants": [
            {"name": "mlp_gan", "experiment": "mlp_gan"},
            {"name": "b", "experiment": "mlp_gan", "seeds": [7], "full": {"episodes": 6}},
        ],
    },
    {
        "name": "points",
        "title": "Points",
        "experiment": "best",
        "seeds": [0],
        "metric": "recall",
        "settings": {"split": "validation"},
        "grid": {"beta1": [0.5, 0.9], "keep_prob.generator": [0.5]},
        "random": {
            "trials": 3,
            "seed": 1,
            "fields": {
                "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
                "batch_size": {"low": 10, "high": 20},
                "precision": ["float32", "bfloat16"],
            },
        },
    },
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
LEAVES = (
    st.booleans()
    | INTEGERS
    | st.integers(-2, 12)
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["best", "mlp_gan", "$x^$", "../x", "x.py", "é" * 300, "1,2", "nan"])
    | st.sampled_from([10**9, 10**18, 0, -1, 1e-320, 1e308, "2100-01-01"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
LONGEST_MESSAGE = 600


def as_toml(value):
    """The TOML of a value, tables in one line; the whole file is a table of lines."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text_as_toml(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return text_as_toml(value) if isinstance(value, str) else json.dumps(value)


def text_as_toml(text):
    """TOML's escapes are JSON's, but for pairs of surrogates and for the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


class AnySpecification(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "spec.toml"

    def read(self, full=False):
        """The sweep, None if it is refused; a message is one short line that names the file."""
        try:
            return spec.read(self.path, full)
        except UserError as error:
            self.assertNotIn("\n", str(error))
            self.assertTrue(str(error).startswith(f"{self.path}: "), str(error))
            self.assertLess(len(str(error)), LONGEST_MESSAGE + len(str(self.path)))
            return None

    @given(st.sampled_from(FILES).flatmap(lambda file: changed(file, VALUES)), st.booleans())
    def test_changed_values_give_a_sweep_or_one_line(self, file, full):
        text = "".join(f"{text_as_toml(key)} = {as_toml(value)}\n" for key, value in file.items())
        self.path.write_text(text, encoding="utf-8")
        sweep = self.read(full)
        if sweep is None:
            return
        names = [trial.run for trial in sweep.trials]
        self.assertEqual(len(set(names)), len(names))
        for trial in sweep.trials:
            self.assertRegex(trial.run, r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
            self.assertEqual(type(trial.config).from_dict(trial.config.to_dict()), trial.config)
        self.assertEqual(spec.read(self.path, full), sweep)

    def test_the_toml_of_these_tests_is_toml(self):
        for file in (*FILES, {'\x7f\x00\U0001f600 é"\\\n': '\x7f\x00\U0001f600 é"\\\n'}):
            self.assertEqual(tomllib.loads(f"x = {as_toml(file)}")["x"], file)


if __name__ == "__main__":
    unittest.main()
