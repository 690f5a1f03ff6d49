"""Mutation testing of a module: `make mutations MODULE=gan3/method/losses.py`.

Every place of the module where one of the usual operators applies is changed, one at a time, in a
temporary copy of the tree, and the tests of the module are run there. A mutant that no test notices
survives; it is printed with its line. The exit status is 1 if the fraction that is killed is below
LEAST.

The operators: arithmetic, comparison and boolean operators, signs and `not`, numbers, True and
False, conditions negated, keyword arguments left out, `return None`, and calls without a
result and `raise` removed.
"""

import argparse
import ast
import copy
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LEAST = 0.85
SLOWEST = 5  # a mutant may take so many times as long as the tests without one
LEAST_SECONDS = 60.0  # that it may take in any case

TESTS = {
    "gan3/evaluation/metrics.py": "evaluation.test_metrics evaluation.test_metrics_oracles"
    " evaluation.test_metrics_properties",
    "gan3/method/losses.py": "method.test_losses",
    "gan3/method/train_step.py": "method.test_train_step method.test_reference",
    "gan3/method/noise.py": "method.test_noise",
    "gan3/method/networks.py": "method.test_networks",
    "gan3/method/three_networks.py": "method.test_three_networks",
    "gan3/vae_gan/train_step.py": "vae_gan.test_train_step",
    "gan3/vae_gan/codes.py": "vae_gan.test_codes vae_gan.test_train_step",
    "gan3/vae_gan/losses.py": "vae_gan.test_losses",
    "gan3/vae_gan/networks.py": "vae_gan.test_networks",
    "gan3/nn/layers.py": "nn.test_layers nn.test_oracles",
    "gan3/nn/adam.py": "nn.test_adam nn.test_oracles",
    "gan3/nn/plain.py": "nn.test_plain nn.test_specs models.test_generator",
    "gan3/nn/initializers.py": "nn.test_initializers nn.test_oracles",
    "gan3/data/batches.py": "data.test_batches",
    "gan3/data/idx.py": "data.test_idx data.test_readers_properties data.test_datasets",
    "gan3/data/datasets.py": "data.test_datasets data.test_splits data.test_own_sets",
    "gan3/data/own_sets.py": "data.test_own_sets data.test_picture_folders",
    "gan3/data/array_files.py": "data.test_array_files data.test_own_sets",
    "gan3/data/values.py": "data.test_values data.test_readers_properties",
    "gan3/data/picture_folders.py": "data.test_picture_folders data.test_own_sets",
    "gan3/data/pictures.py": "data.test_pictures data.test_picture_folders demo.test_digit_reader"
    " data.test_readers_properties",
    "gan3/data/known_sets.py": "data.test_known_sets",
    "gan3/data/download.py": "data.test_download",
    "gan3/data/splits.py": "data.test_splits",
    "gan3/data/strokes.py": "data.test_strokes data.test_made_sets",
    "gan3/runs/checkpoints.py": "runs.test_checkpoints test_fuzz.MutatedFiles"
    ".test_episodes_and_checkpoints",
}
"""The tests of each module: names in the package tests, separated by spaces."""

_SWAPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


class Mutant(NamedTuple):
    """A module with one change."""

    line: int
    what: str
    code: str


def mutants_of(code: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of their lines."""
    tree = ast.parse(code)
    annotations = {id(part) for node in ast.walk(tree) for part in _annotation_of(node)}
    for number, node in enumerate(ast.walk(tree)):
        for change in () if id(node) in annotations else _changes(node):
            changed = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(ast.walk(changed)) if i == number)
            before = _text(twin)
            new = change(twin)
            changed = _Replace(twin, new).visit(changed)
            what = f"{before} -> {_text(new)}"
            yield Mutant(node.lineno, what, ast.unparse(ast.fix_missing_locations(changed)))


def _annotation_of(node: ast.AST) -> Iterator[ast.AST]:
    """What a node has as type hints, of which nothing depends."""
    for name in ("annotation", "returns"):
        hint = getattr(node, name, None)
        if hint is not None:
            yield from ast.walk(hint)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(node)).split())
    return text if len(text) <= 70 else f"{text[:69]}…"


class _Replace(ast.NodeTransformer):
    """Puts `new` in the place of the node `old`."""

    def __init__(self, old: ast.AST, new: ast.AST):
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else super().generic_visit(node)


def _changes(node: ast.AST) -> Iterator:
    """Functions from a copy of the node to what replaces it."""
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp) and type(node.op) in _SWAPPED:
        yield lambda n: _with(n, op=_SWAPPED[type(n.op)]())
    elif isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in _SWAPPED:
                yield lambda n, i=i: _with(
                    n, ops=[_SWAPPED[type(o)]() if k == i else o for k, o in enumerate(n.ops)]
                )
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield lambda n: n.operand
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda n: ast.Constant(not n.value)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda n: ast.Constant(n.value + 1)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield lambda n: _with(n, test=ast.UnaryOp(ast.Not(), n.test))
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        yield lambda n: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Raise) or _is_call(node):
        yield lambda n: ast.Pass()
    elif isinstance(node, ast.Call):
        for i in range(len(node.keywords)):
            yield lambda n, i=i: _with(n, keywords=n.keywords[:i] + n.keywords[i + 1 :])


def _is_none(node: ast.AST | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _is_call(node: ast.AST) -> bool:
    """Whether the node is a call whose result is not used."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A shallow copy of the node with other fields; the node itself stays as it is."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return ast.copy_location(new, node)


def passes(tests: str, tree: Path, limit: float | None = None) -> bool:
    """Whether all tests pass in `tree` within `limit` seconds.

    They run in a fork of this process, which has imported TensorFlow: that takes far longer than
    most tests. It has executed nothing of TensorFlow, whose threads would not survive the fork.
    """
    child = os.fork()
    if child == 0:
        try:
            os._exit(_run_tests([f"tests.{name}" for name in tests.split()], tree))
        finally:
            os._exit(2)
    deadline = time.monotonic() + (limit or float("inf"))
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.02)


def _run_tests(names: list[str], tree: Path) -> int:
    """Run tests of `tree` in this process, without output; 0 if all pass."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    for name in [name for name in sys.modules if name.split(".")[0] in ("gan3", "tests")]:
        del sys.modules[name]
    os.chdir(tree)
    sys.path[0] = str(tree)
    os.environ["PYTHONPATH"] = str(tree)
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    with open(os.devnull, "w") as stream:
        result = unittest.TextTestRunner(stream, failfast=True).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


def score(module: str, tests: str, sample: int | None) -> float:
    """Try the mutants of a module, print those that survive, and return the fraction killed."""
    code = (ROOT / module).read_text(encoding="utf-8")
    mutants = list(mutants_of(code))
    if sample is not None and sample < len(mutants):
        mutants = sorted(random.Random(0).sample(mutants, sample))
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "gan3"
        for name in ("gan3", "experiments", "tests"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        (tree / module).write_text(ast.unparse(ast.parse(code)), encoding="utf-8")
        began = time.monotonic()
        if not passes(tests, tree):
            sys.exit(f"{module}: its tests fail without any mutation")
        seconds = time.monotonic() - began
        limit = max(LEAST_SECONDS, SLOWEST * seconds)
        print(f"{module}: {len(mutants)} mutants, tests {seconds:.0f} s", flush=True)
        killed = 0
        for mutant in mutants:
            (tree / module).write_text(mutant.code, encoding="utf-8")
            if passes(tests, tree, limit):
                print(f"  survives, line {mutant.line}: {mutant.what}", flush=True)
            else:
                killed += 1
    fraction = killed / max(len(mutants), 1)
    print(f"{module}: {killed} of {len(mutants)} killed, {fraction:.1%}", flush=True)
    return fraction


def main(arguments: list[str] | None = None) -> int:
    """Score the given modules, by default all of TESTS."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=[], help="default: all that have tests here")
    parser.add_argument("--tests", help="tests to run, with spaces (default: those of the module)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of the mutants, at random")
    options = parser.parse_args(arguments)
    for module in options.modules:
        if module not in TESTS and not options.tests:
            parser.error(f"{module}: has no tests here; name them with --tests")
    sys.dont_write_bytecode = True
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    importlib.import_module("tensorflow")
    scores = [
        score(module, options.tests or TESTS[module], options.sample)
        for module in options.modules or TESTS
    ]
    return int(min(scores) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
