"""Command lines with any options and values: status 0 or 2, and one line if it is 2."""

import os
from unittest.mock import patch

from gan3.cli.main import make_parser
from tests.properties import EXAMPLES, given, settings, st
from tests.support import FolderTest, call, slow, write_idx_set

# A command that would train, read a data set or open a window ends with these options, with which
# it fails once everything else has been checked.
REFUSED = {
    "train": ("--dataset", "own", "--data", "none"),
    "train-judge": ("--dataset", "own", "--data", "none"),
    "evaluate": ("--data", "none"),
    "sweep": ("--tables",),
}
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", " ", "-1", "--", "٣", "9" * 400, "nan", "1e999", "\n", "é\udcff", "$x^$", "a,b", "{}"]
)
NUMBERS = st.integers(-3, 40).map(str) | st.sampled_from(["1e3", "0x10", "9" * 30, "2147483647"])
PATHS = st.sampled_from(
    [
        "own",
        "file",
        "none",
        "file/x",
        "/dev/null",
        "/proc",
        "x" * 300,
        "$x^$ {",
        "é ü",
        ".",
        "\udcff",
    ]
)
SUFFIXES = (".png", ".npz", ".html", ".keras", ".onnx", "", ".PNG")
OUTPUTS = st.builds(
    lambda stem, suffix: stem + suffix,
    st.sampled_from(["x", "new/x", "file/x", "own", "x" * 300, "$x^$", "é ü", "\udcff", "/proc/x"]),
    st.sampled_from(SUFFIXES),
)
NAMES = st.sampled_from(
    ["none", "best", "three_network", "published_code", "mlp_gan", "../x", "x/y.py"]
)
SETTINGS = (
    st.builds(
        lambda key, value: f"{key}={value}",
        st.sampled_from(
            ["seed", "episodes", "keep_prob", "learning_rate.generator", "x", "batches"]
        ),
        NUMBERS | TEXTS,
    )
    | TEXTS
)


def commands():
    """The parser of each command, by name."""
    (subparsers,) = (a for a in make_parser()._actions if a.dest == "command")
    return subparsers.choices


def values_of(action):
    """Texts for the value of an option: mostly sensible ones."""
    if action.choices:
        return st.sampled_from([str(choice) for choice in action.choices]) | TEXTS
    by_name = {
        "out": OUTPUTS,
        "json": OUTPUTS,
        "logs": PATHS,
        "figures": PATHS,
        "data": PATHS,
        "samples": PATHS,
        "judge": PATHS,
        "files": PATHS,
        "spec": PATHS | st.sampled_from(["rates", "ablations"]),
        "set": SETTINGS,
        "run": NAMES | TEXTS,
        "runs": NAMES | TEXTS,
        "pretrained": NAMES | TEXTS,
        "experiment": NAMES | TEXTS,
    }
    return by_name.get(action.dest, NUMBERS | NUMBERS | TEXTS)


@st.composite
def lines(draw):
    """A command with some of its options, in any order, and REFUSED at its end."""
    parsers = commands()
    name = draw(st.sampled_from(sorted(parsers)))
    parts = []
    for action in parsers[name]._actions:
        if action.dest == "help" or not draw(st.integers(0, 2 if action.option_strings else 1)):
            continue
        if action.nargs == 0:
            parts.append([action.option_strings[0]])
            continue
        count = draw(st.integers(1, 3)) if action.nargs == "+" else 1
        values = [draw(values_of(action)) for _ in range(count)]
        parts.append([*action.option_strings[:1], *values])
    draw(st.randoms(use_true_random=False)).shuffle(parts)
    return [name, *(word for part in parts for word in part), *REFUSED.get(name, ())]


class CommandLines(FolderTest):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own", 60, 50)
        (self.folder / "file").write_text("x")
        environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}  # no window
        patcher = patch.dict(os.environ, environment | {"GAN3_DATA": "none"}, clear=True)
        patcher.start()
        self.addCleanup(patcher.stop)

    def assert_done_or_one_line(self, line):
        status, _, err = call(*line)
        self.assertIn(status, (0, 2), line)
        if status == 2:
            self.assertRegex(err, r"\Agan3[ :][^\n]*\n\Z", line)
            self.assertTrue(err[:-1].isprintable(), line)
        return status

    @slow("minutes")
    @settings(max_examples=2 * EXAMPLES)
    @given(lines())
    def test_any_options(self, line):
        self.assert_done_or_one_line(line)

    @given(st.lists(TEXTS | st.sampled_from(sorted(commands())), max_size=4))
    def test_any_words(self, words):
        command = next((word for word in words if word in commands()), None)
        status, out, err = call(*words, *REFUSED.get(command, ()))
        if status == 0:
            self.assertTrue(out)
        else:
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3[ :][^\n]*\n\Z")
