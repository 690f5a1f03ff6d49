"""Breaks the code to see whether a test fails: `make mutations`.

Without arguments the central lines in MUTATIONS are broken, one at a time, and the output is a
table of the first test that failed. `make mutations MODULE=FILE`
makes every change of the usual kinds in a module and prints those that no test noticed:
arithmetic, comparison and boolean operators, signs and `not`, numbers, True and False, conditions
negated, keyword arguments left out, `return None`, and calls without a result and `raise` removed.

Everything happens in a temporary copy of the tree. The exit status is 1 if a mutation of the table
goes unnoticed, if its line or its tests are gone, if fewer than LEAST of a module's mutants are
noticed, or if a test fails without any mutation.
"""

import argparse
import ast
import contextlib
import copy
import importlib
import os
import re
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
TIME_LIMIT = 900.0  # seconds for the tests of one mutation of the table


class Mutation(NamedTuple):
    """`good` occurs exactly once in `file`; with `bad` in its place one of `tests` must fail.

    `tests` are names in the package tests, separated by spaces.
    """

    what: str
    file: str
    good: str
    bad: str
    tests: str


MUTATIONS = (
    Mutation(
        "the generator's loss has the opposite sign",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "loss = -losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "method.test_train_step",
    ),
    Mutation(
        "real and fake are swapped in the discriminator's loss",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(real_logits, 1.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 0.0)",
        "loss = losses.real_fake_cross_entropy(real_logits, 0.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "method.test_train_step",
    ),
    Mutation(
        "the generator's loss trains the determinator",
        "gan3/method/train_step.py",
        'g_finite = self.update("generator", g_loss)',
        'self.update("determinator", g_loss)\n'
        '            g_finite = self.update("generator", g_loss)',
        "method.test_train_step.Updates",
    ),
    Mutation(
        "an Adam updates the variables of another network",
        "gan3/method/three_networks.py",
        "Adam(network.weights, learning_rate, beta1, ",
        "Adam(networks.generator.weights, learning_rate, beta1, ",
        "method.test_train_step.Updates.test_each_optimizer_moves_only_its_own_network",
    ),
    Mutation(
        "the digits in the loss are not the requested ones",
        "gan3/method/train_step.py",
        "digit_loss = losses.digit_cross_entropy(digit_logits, labels, ",
        "digit_loss = losses.digit_cross_entropy(digit_logits, (labels + 1) % 10, ",
        "method.test_train_step",
    ),
    Mutation(
        "L1 applies to the biases, too",
        "gan3/nn/network.py",
        'if part == "w" and isinstance(spec, Dense):\n            self.l1',
        'if part in ("w", "b") and isinstance(spec, Dense):\n            self.l1',
        "method.test_networks method.test_train_step",
    ),
    Mutation(
        "there is no dropout in the generator's own update",
        "gan3/method/train_step.py",
        "pixels = self.networks.generator(latent, dropout_seed)",
        "pixels = self.networks.generator(latent)",
        "method.test_reference",
    ),
    Mutation(
        "the noise is in the columns of the next digit",
        "gan3/method/noise.py",
        "tf.one_hot(labels, classes, dtype=noise.dtype)",
        "tf.one_hot((labels + 1) % classes, classes, dtype=noise.dtype)",
        "method.test_noise",
    ),
    Mutation(
        "the data is shuffled with replacement",
        "gan3/data/batches.py",
        ".permutation(self._count).astype",
        ".integers(self._count, size=self._count).astype",
        "data.test_batches.Order",
    ),
    Mutation(
        "the radius of coverage is the distance to neighbour k - 1",
        "gan3/evaluation/neighbours.py",
        "distances[rows] = _kth_smallest(squared, k)",
        "distances[rows] = _kth_smallest(squared, k - 1)",
        "evaluation.test_metrics",
    ),
    Mutation(
        "a resumed run skips a step",
        "gan3/training/loop.py",
        "clock, timed_steps, step = time.perf_counter(), 0, done",
        "clock, timed_steps, step = time.perf_counter(), 0, done + (done > 0)",
        "training.test_loop.Runs.test_the_same_seed_gives_the_same_run_and_resuming_too",
    ),
    Mutation(
        "a gradient that is not finite is ignored",
        "gan3/method/train_step.py",
        "return all_finite([loss, *gradients])",
        "return all_finite([loss])",
        "method.test_train_step.Updates",
    ),
    Mutation(
        "the encoder's loss does not reach the determinator",
        "gan3/vae_gan/train_step.py",
        "c_loss += config.reconstruction_weight * (reconstruction + code_loss)",
        "c_loss += 0.0 * (reconstruction + code_loss)",
        "vae_gan.test_train_step",
    ),
)

_PAIRS = (
    (ast.Add, ast.Sub),
    (ast.Mult, ast.Div),
    (ast.BitAnd, ast.BitOr),
    (ast.Lt, ast.LtE),
    (ast.Gt, ast.GtE),
    (ast.Eq, ast.NotEq),
    (ast.Is, ast.IsNot),
    (ast.In, ast.NotIn),
    (ast.And, ast.Or),
)
_SWAPPED = {ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult}
_SWAPPED |= dict(_PAIRS) | {second: first for first, second in _PAIRS}


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


def find_problems(mutation: Mutation, tree: Path) -> list[str]:
    """What of a mutation is not in the tree: its line, or the tests that should notice it."""
    path = tree / mutation.file
    count = path.read_text().count(mutation.good) if path.is_file() else 0
    problems = [] if count == 1 else [f"{mutation.file}: has {count} times {mutation.good!r}"]
    for name in mutation.tests.split():
        module = _module_of(name)
        path = tree / "tests" / f"{module.replace('.', '/')}.py"
        text = path.read_text() if path.is_file() else ""
        parts = name.removeprefix(module).split(".")[1:]
        defined = [re.search(rf"^ *(?:class|def) {part}\b", text, re.MULTILINE) for part in parts]
        if not text or not all(defined):
            problems.append(f"tests.{name}: there is no such test")
    return problems


def _module_of(name: str) -> str:
    """The module in the dotted name of a test: "nn.test_adam" of "nn.test_adam.Step.test_x"."""
    found = re.match(r"(?:\w+\.)*?test_\w+", name)
    return found[0] if found else name


@contextlib.contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """A temporary copy of what the tests need."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "gan3"
        for name in ("gan3", "experiments", "tests", "docs"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        yield tree


def first_failure(tests: str, tree: Path, limit: float = TIME_LIMIT) -> str | None:
    """The first test of `tests` in `tree` that fails, or None if all pass within `limit` seconds.

    They run in a fork of this process, which has imported TensorFlow: that takes far longer than
    most tests. It has executed nothing of TensorFlow, whose threads would not survive the fork.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            names = [f"tests.{name}" for name in tests.split()]
            os.write(writing, _run_tests(names, tree).encode())
        finally:
            os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + limit
    try:
        while not os.waitpid(child, os.WNOHANG)[0]:
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return f"no end within {limit:.0f} s"
            time.sleep(0.02)
        answer = os.read(reading, 1000).decode()
    finally:
        os.close(reading)
    return None if answer == "passed" else answer or "the tests cannot be loaded"


def _run_tests(names: list[str], tree: Path) -> str:
    """Run tests of `tree` in this process, without output: "passed", or the first that fails."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    for name in [name for name in sys.modules if name.split(".")[0] in ("gan3", "tests")]:
        if name != "__main__":
            del sys.modules[name]
    os.chdir(tree)
    sys.path[0] = str(tree)
    os.environ["PYTHONPATH"] = str(tree)
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    with open(os.devnull, "w") as stream:
        result = unittest.TextTestRunner(stream, failfast=True).run(suite)
    if result.wasSuccessful():
        return "passed" if result.testsRun else "no test ran"
    if not result.failures + result.errors:
        return "a test passes that is expected to fail"
    test = (result.failures + result.errors)[0][0]
    return getattr(test, "test_case", test).id().removeprefix("tests.")


def try_table() -> bool:
    """Try all mutations of the table and print it; whether all are noticed."""
    problems = [problem for mutation in MUTATIONS for problem in find_problems(mutation, ROOT)]
    if problems:
        sys.exit("\n".join(problems))
    with copy_of_the_tree() as tree:
        for tests in sorted({mutation.tests for mutation in MUTATIONS}):
            failed = first_failure(tests, tree)  # a test that always fails notices nothing
            if failed:
                sys.exit(f"without any mutation: {failed}")
        print("| mutation | caught by |\n| --- | --- |", flush=True)
        all_noticed = True
        for mutation in MUTATIONS:
            path = tree / mutation.file
            code = path.read_text()
            path.write_text(code.replace(mutation.good, mutation.bad))
            test = first_failure(mutation.tests, tree)
            path.write_text(code)
            all_noticed = all_noticed and test is not None
            print(f"| {mutation.what} | {test or '**nothing**'} |", flush=True)
    return all_noticed


def suite_of(module: str) -> str:
    """The tests of a module's package, its own first: names in the package tests, with spaces."""
    path = Path(module)
    package = path.stem if path.parent.name == "gan3" else path.parent.name
    names = sorted(file.stem for file in (ROOT / "tests" / package).glob("test_*.py"))
    names.sort(key=lambda name: not name.startswith(f"test_{path.stem}"))
    return " ".join(f"{package}.{name}" for name in names)


def score(module: str) -> float:
    """Try the mutants of a module, print those that survive, and return the fraction killed."""
    code = (ROOT / module).read_text(encoding="utf-8")
    mutants, tests = list(mutants_of(code)), suite_of(module)
    with copy_of_the_tree() as tree:
        (tree / module).write_text(ast.unparse(ast.parse(code)), encoding="utf-8")
        began = time.monotonic()
        failed = first_failure(tests, tree)
        if failed:
            sys.exit(f"{module}: without any mutation: {failed}")
        seconds = time.monotonic() - began
        print(f"{module}: {len(mutants)} mutants, tests {seconds:.0f} s", flush=True)
        killed = 0
        for mutant in mutants:
            (tree / module).write_text(mutant.code, encoding="utf-8")
            if first_failure(tests, tree, max(LEAST_SECONDS, SLOWEST * seconds)):
                killed += 1
            else:
                print(f"  survives, line {mutant.line}: {mutant.what}", flush=True)
    fraction = killed / max(len(mutants), 1)
    print(f"{module}: {killed} of {len(mutants)} killed, {fraction:.1%}", flush=True)
    return fraction


def main(arguments: list[str] | None = None) -> int:
    """Try the table, or score the given modules."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("modules", nargs="*", help="files of gan3 (default: the table)")
    options = parser.parse_args(arguments)
    for module in options.modules:
        if ROOT / module not in (ROOT / "gan3").rglob("*.py") or not suite_of(module):
            parser.error(f"{module}: no such file, or its package has no tests")
    sys.dont_write_bytecode = True
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    importlib.import_module("tensorflow")
    if not options.modules:
        os.environ["GAN3_ALL"] = "1"
        return int(not try_table())
    return int(min(map(score, options.modules)) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
