"""Rules of the architecture that no tool checks; docs/architecture.md describes it.

`make lint` checks the rest: the direction of imports and what a package may know (import-linter),
and what may not be used at all (ruff); pyproject.toml has both. Each check here is a function from
syntax trees by module name to violations. Its test shows first that it finds one in a few lines.
"""

import ast
import re
import subprocess
import sys
import unittest

from tests.support import ROOT

VAGUE_NAMES = {"util", "utils", "helper", "helpers", "misc", "common"}
LONGEST_TRAIN_STEP = 120  # lines: the method fits on one screen
NUMPY_ONLY = (
    "gan3.nn.specs",
    "gan3.models.generator",
    "gan3.models.determinator",
    "gan3.core.values",
    "gan3.plots.numbers",
    "gan3.runs.pretrained",
    "gan3.runs.trained",
    "gan3.runs.registry",
    "gan3.demo.digit_reader",
    "gan3.demo.styles",
)
SLOW_IMPORTS = ("tensorflow", "keras", "tensorboard", "matplotlib", "ray", "onnx")


def read_tree():
    """The syntax trees of gan3 and of the experiments, by module name."""
    paths = [path for folder in ("gan3", "experiments") for path in (ROOT / folder).rglob("*.py")]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
        for path in sorted(paths)
    }


def unsafe_reading(name, tree):
    """Arrays that may hold objects, and archives that are extracted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "extractall":
            yield f"{name}:{node.lineno} extracts an archive"
        if isinstance(node, ast.Call):
            allowed = [k for k in node.keywords if k.arg == "allow_pickle"]
            allows = any(ast.unparse(keyword.value) != "False" for keyword in allowed)
            if allows or (ast.unparse(node.func) == "np.load" and len(node.args) > 2):
                yield f"{name}:{node.lineno} allows pickled objects"


def work_at_import(name, tree):
    """Statements at the top level that do more than import, define or assign."""
    imports, assignments = (ast.Import, ast.ImportFrom), (ast.Assign, ast.AnnAssign, ast.AugAssign)
    allowed = (*imports, *assignments, ast.FunctionDef, ast.ClassDef)
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        guards = ("TYPE_CHECKING", "__name__ == '__main__'")
        is_guard = isinstance(node, ast.If) and ast.unparse(node.test) in guards
        if not (isinstance(node, allowed) or is_docstring or is_guard):
            yield f"{name}:{node.lineno} runs at import"


def passed_through_keywords(name, tree):
    """Functions that hand their `**options` to another function."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.Lambda) and function.args.kwarg:
            options = function.args.kwarg.arg
            for node in ast.walk(function):
                if isinstance(node, ast.keyword) and node.arg is None:
                    used = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
                    if options in used:
                        yield f"{name}:{node.value.lineno} passes **{options} through"


def flags_in_errors(name, tree):
    """Errors of the library that name an option of the command line or a target of make."""
    targets = "|".join(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    flags = re.compile(rf"(?<![\w-])--[a-z-]+|\bmake (?:{targets})\b")
    for call in () if name.startswith("gan3.cli.") else ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Error"):
            for text in ast.walk(call):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    for flag in flags.findall(text.value):
                        yield f"{name}:{text.lineno} names {flag!r} in an error"


def loops_in_experiments(name, tree):
    """An experiment is a declaration."""
    if name.startswith("experiments.") and not name.startswith("experiments.data."):
        for node in ast.walk(tree):
            if isinstance(node, ast.While | ast.For):
                yield f"{name}:{node.lineno} has a loop"


BROKEN = (
    (
        unsafe_reading,
        "gan3.core.a",
        "np.load(f)\nnp.load(f, None, True)",
        "2 allows pickled objects",
    ),
    (unsafe_reading, "gan3.core.a", "load(f, allow_pickle=yes)", "1 allows pickled objects"),
    (unsafe_reading, "gan3.core.a", "archive.extractall('.')", "1 extracts an archive"),
    (work_at_import, "gan3.nn.a", '"""Text."""\nA = 1\nprint(A)', "3 runs at import"),
    (work_at_import, "gan3.nn.a", "for x in y:\n    pass", "1 runs at import"),
    (
        passed_through_keywords,
        "gan3.nn.a",
        "def f(**options):\n    h(options, **A)\n    g(**{'a': 1} | options)",
        "3 passes **options through",
    ),
    (flags_in_errors, "gan3.runs.a", "UserError(f'{x}: use --run')", "1 names '--run' in an error"),
    (
        flags_in_errors,
        "gan3.runs.a",
        "UserError('make room')\nUserError('make evaluate RUN=x')",
        "2 names 'make evaluate' in an error",
    ),
    (loops_in_experiments, "experiments.a", "for step in steps:\n    f()", "1 has a loop"),
)
"""A check, and a module in which it finds one violation."""


class Architecture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.modules = read_tree()

    def test_each_check_finds_its_violation_and_none_in_the_tree(self):
        for check, name, source, violation in BROKEN:
            with self.subTest(check.__name__, source=source):
                found = list(check(name, ast.parse(source)))
                self.assertEqual(found, [f"{name}:{violation}"])
        self.assertGreater(len(self.modules), 50)
        for check in {check for check, *_ in BROKEN}:
            for name, tree in self.modules.items():
                self.assertEqual(list(check(name, tree)), [])

    def test_modules_have_clear_names_in_flat_packages_that_hold_nothing_else(self):
        for name, tree in self.modules.items():
            parts = name.removesuffix(".__init__").split(".")
            self.assertFalse(VAGUE_NAMES & set(parts), name)
            self.assertLessEqual(len(parts), 3, name)
            if name.startswith("gan3.") and len(parts) == 2 and name.endswith(".__init__"):
                has_docstring = ast.get_docstring(tree) is not None
                self.assertEqual(tree.body[has_docstring:], [], name)

    def test_the_method_is_on_one_screen_and_so_is_an_experiment(self):
        paths = [ROOT / "gan3/method/train_step.py", *(ROOT / "experiments").glob("*.py")]
        for path in paths:
            self.assertLessEqual(len(path.read_text().splitlines()), LONGEST_TRAIN_STEP, path)

    def test_the_tests_are_in_the_same_tree(self):
        folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
        self.assertLessEqual(folders, {path.stem for path in (ROOT / "gan3").iterdir()})

    def test_what_needs_no_tensorflow_imports_nothing_slow(self):
        """The command line, the experiments, the library, and whatever draws in NumPy."""
        names = [
            name.removesuffix(".__init__")
            for name in self.modules
            if name.startswith(("gan3.cli", "gan3.library", "gan3.core", "experiments"))
            or name.endswith((".drawing", ".encoding"))
        ]
        code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
        code += f"print(*sorted(set(sys.modules) & set({SLOW_IMPORTS})))"
        for chosen, slow_imports in ((["gan3.plots.grids"], "matplotlib"), (names, "")):
            chosen = [*chosen, *NUMPY_ONLY]
            command = [sys.executable, "-c", code, *chosen]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout.strip(), slow_imports)
