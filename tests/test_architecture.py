"""The architecture, checked over the syntax trees: docs/architecture.md describes it.

Each check is a function from modules to a list of violations. Its test first shows that it finds a
violation in a few lines of source, then that the real tree has none.
"""

import ast
import re
import subprocess
import sys
import unittest
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.mutations import MUTATIONS, find_problems
from tests.support import ROOT

ORDER = (
    ("core",),
    ("nn", "data"),
    ("method",),
    ("vae_gan", "baselines"),
    ("models",),
    ("runs",),
    ("plots",),
    ("evaluation",),
    ("demo", "export"),
    ("training",),
    ("sweeps",),
    ("api",),
    ("cli",),
)
"""The packages of gan3. Each imports only from those above it, so not from one in its own row."""

RANK = {package: rank for rank, row in enumerate(ORDER) for package in row}
SYSTEMS = ("nn", "method", "vae_gan", "baselines")  # the GANs; all other packages are tools
IMPORTED_BY_SYSTEMS = {"core", *SYSTEMS}  # no files, data, runs or figures
DATA_SCRIPTS = "experiments.data."  # they make data sets to try the experiments on
WITHOUT_CONFIG = ("nn", "data", "plots", "demo")  # they take plain values instead
UNSAFE_MODULES = {"pickle", "_pickle", "cloudpickle", "marshal", "shelve", "dill", "joblib"}
UNSAFE_MODULES |= {"tarfile"}
UNSAFE_NAMES = {"allow_pickle", "extractall", "unpack_archive", "load_model", "saved_model"}
UNSAFE_NAMES |= {"eval", "exec"}
TF1_NAMES = {"Session", "InteractiveSession", "compat", "placeholder"}
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "misc", "common"}
NUMPY_ONLY = (
    "gan3.nn.specs",
    "gan3.models.generator",
    "gan3.data.values",
    "gan3.plots.numbers",
    "gan3.plots.pictures",
)
NUMPY_ONLY += ("gan3.runs.pretrained", "gan3.runs.trained", "gan3.runs.registry")
NUMPY_ONLY += ("gan3.models.determinator", "gan3.demo.digit_reader", "gan3.demo.styles")
SLOW_IMPORTS = ("tensorflow", "keras", "tensorboard", "matplotlib", "ray", "onnx")


class Module(NamedTuple):
    """A module of gan3 or of the experiments."""

    name: str  # "gan3.core.files"; a package has the name of its folder
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """Its package inside gan3; "" for gan3 itself, for `__main__` and for experiments."""
        parts = self.name.split(".")
        return parts[1] if parts[0] == "gan3" and parts[-1] != "__main__" and parts[1:] else ""


Modules = dict[str, Module]
Check = Callable[[Modules], list[str]]


def parse(sources: dict[str, str]) -> Modules:
    """Modules by name, from source texts by path."""
    modules = {}
    for path, text in sources.items():
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        modules[name] = Module(name, text, ast.parse(text))
    return modules


def read_tree() -> Modules:
    """All modules of gan3 and all experiments."""
    paths = [path for folder in ("gan3", "experiments") for path in (ROOT / folder).rglob("*.py")]
    return parse({str(path.relative_to(ROOT)): path.read_text() for path in sorted(paths)})


class Import(NamedTuple):
    """One imported name. `name` is None where `module` is imported as a whole."""

    module: str
    name: str | None
    alias: str  # what it is called in the importing module


def imports_of(module: Module, modules: Modules) -> Iterator[Import]:
    """All imports of a module, those inside of functions included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(a.name, None, a.asname or a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = ".".join(module.name.split(".")[: -node.level]) if node.level else ""
            source = ".".join(part for part in (source, node.module) if part)
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                is_module = any(f"{name}.".startswith(f"{submodule}.") for name in modules)
                found = (submodule, None) if is_module else (source, alias.name)
                yield Import(*found, alias.asname or alias.name)


def internal_imports(modules: Modules) -> Iterator[tuple[Module, Module]]:
    """Pairs of an importing and an imported module, both in the tree."""
    for module in modules.values():
        for imported in {found.module for found in imports_of(module, modules)}:
            if imported in modules:
                yield module, modules[imported]


def unknown_modules(modules: Modules) -> list[str]:
    """Modules outside of the known packages, and packages without modules."""
    packages = {module.package for module in modules.values()}
    violations = [f"gan3.{package}: not in ORDER" for package in packages - set(RANK) - {""}]
    violations += [f"gan3.{package}: no such package" for package in set(RANK) - packages]
    deep = [name for name in modules if len(name.split(".")) > 3]
    return sorted(violations) + [f"{name}: a package inside of a package" for name in deep]


def upward_imports(modules: Modules) -> list[str]:
    return [
        f"{module.name} imports {imported.name}"
        for module, imported in internal_imports(modules)
        if module.package and imported.package and module.package != imported.package
        if RANK[imported.package] >= RANK[module.package]
    ]


def circles(modules: Modules) -> list[str]:
    """Modules that import themselves by way of others.

    `gan3` itself imports nothing when it is imported; it names the API for type checkers.
    """
    graph: dict[str, set[str]] = {name: set() for name in modules}
    for module, imported in internal_imports(modules):
        if module.name != "gan3":
            graph[module.name].add(imported.name)
    reached = {name: set(imported) for name, imported in graph.items()}
    for middle in graph:
        for name in graph:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    return [f"{name} imports itself" for name in graph if name in reached[name]]


def forbidden_imports(modules: Modules) -> list[str]:
    """Imports that the order of the packages allows and the architecture does not."""
    violations = []
    for module, imported in internal_imports(modules):
        source, target = module.package, imported.package
        makes_data = module.name.startswith(DATA_SCRIPTS)
        is_experiment = module.name.startswith("experiments") and not makes_data
        reasons = {
            "a system does not know the tools": (source in SYSTEMS or is_experiment)
            and target
            and target not in IMPORTED_BY_SYSTEMS,
            "it makes data and no more": makes_data and target and target not in ("core", "data"),
            "the library does not know its experiments": module.name.startswith("gan3")
            and imported.name.startswith("experiments"),
            "it takes plain values": source in WITHOUT_CONFIG
            and imported.name == "gan3.core.config",
            "training sees the judge through the monitor only": source == "training"
            and target == "evaluation"
            and imported.name != "gan3.evaluation.monitor",
            "only evaluation knows the judge": source not in ("evaluation", "api", "cli")
            and imported.name == "gan3.evaluation.judge",
        }
        violations += [
            f"{module.name} imports {imported.name}: {reason}"
            for reason, applies in reasons.items()
            if applies
        ]
    for module in modules.values():
        roots = {found.module.split(".")[0] for found in imports_of(module, modules)}
        violations += [f"{module.name} imports tests"] * ("tests" in roots)
    return violations


def borrowed_names(modules: Modules) -> list[str]:
    """Names taken from a module that imports them itself: a way around the checks above."""
    violations = []
    for module in modules.values():
        imports = [found for found in imports_of(module, modules) if found.module in modules]
        used = {(found.module, found.name) for found in imports if found.name}
        aliases = {found.alias: found.module for found in imports if not found.name}
        used |= {
            (aliases[node.value.id], node.attr)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if node.value.id in aliases
        }
        violations += [
            f"{module.name} takes {name} from {source}, which imports it itself"
            for source, name in used
            if name in {found.alias for found in imports_of(modules[source], modules)}
        ]
    return violations


def _names_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier, attribute and keyword that is used, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.lineno


def unsafe_names(modules: Modules) -> list[str]:
    """Whatever could run code from a file or write outside of its folder."""
    violations = []
    for module in modules.values():
        imported = {found.module.split(".")[0] for found in imports_of(module, modules)}
        violations += [f"{module.name} imports {name}" for name in imported & UNSAFE_MODULES]
        writes = {  # `tf.saved_model.save`, with the line of `saved_model`
            (node.value.attr, node.lineno)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and node.attr == "save"
            if isinstance(node.value, ast.Attribute)
        }
        used = {*_names_in(module.tree)} - writes | {
            (found.name, 0) for found in imports_of(module, modules) if found.name
        }
        violations += [
            f"{module.name}:{line} uses {name}" for name, line in used if name in UNSAFE_NAMES
        ]
        violations += [
            f"{module.name}:{node.lineno} passes allow_pickle by position"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and len(node.args) > 2
            if ast.unparse(node.func) in ("np.load", "numpy.load")
        ]
    return violations


def tf1_names(modules: Modules) -> list[str]:
    violations = []
    for module in modules.values():
        violations += [
            f"{module.name}:{node.lineno} uses {node.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and node.attr in TF1_NAMES
        ]
        violations += [
            f"{module.name} imports {found.module}.{found.name}"
            for found in imports_of(module, modules)
            if f"{found.module}.{found.name}.".startswith("tensorflow.compat.")
        ]
    return violations


def vague_names(modules: Modules) -> list[str]:
    return [name for name in modules if set(name.split(".")) & VAGUE_NAMES]


def work_at_import(modules: Modules) -> list[str]:
    """Statements at the top level that do more than import, define or assign."""
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    violations = []
    for module in modules.values():
        for node in module.tree.body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_guard = isinstance(node, ast.If) and (
                ast.unparse(node.test) in ("TYPE_CHECKING", "__name__ == '__main__'")
            )
            if not (isinstance(node, allowed) or is_docstring or is_guard):
                violations.append(f"{module.name}:{node.lineno} runs at import")
    return violations


def global_state(modules: Modules) -> list[str]:
    return [
        f"{module.name}:{node.lineno} assigns a global"
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]


def passed_through_keywords(modules: Modules) -> list[str]:
    """Functions that hand their `**options` to another function."""
    violations = []
    for module in modules.values():
        for function in ast.walk(module.tree):
            if isinstance(function, ast.FunctionDef | ast.Lambda) and function.args.kwarg:
                name = function.args.kwarg.arg
                violations += [
                    f"{module.name}:{node.value.lineno} passes **{name} through"
                    for node in ast.walk(function)
                    if isinstance(node, ast.keyword) and node.arg is None
                    if name in {used for used, _ in _names_in(node.value)}
                ]
    return violations


def flags_in_errors(modules: Modules) -> list[str]:
    """Errors of the library that name an option of the command line or a target of make."""
    targets = "|".join(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    flags = re.compile(rf"(?<![\w-])--[a-z-]+|\bmake (?:{targets})\b")
    return [
        f"{module.name}:{text.lineno} names {flag!r} in an error"
        for module in modules.values()
        if module.package != "cli"
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Error")
        for text in ast.walk(call)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        for flag in flags.findall(text.value)
    ]


def experiments_with_code(modules: Modules) -> list[str]:
    """An experiment is a declaration: short, and without loops."""
    violations = []
    for module in modules.values():
        if module.name.startswith("experiments") and not module.name.startswith(DATA_SCRIPTS):
            lines = len(module.text.splitlines())
            violations += [f"{module.name} has {lines} lines"] * (lines >= 120)
            violations += [
                f"{module.name}:{node.lineno} has a loop"
                for node in ast.walk(module.tree)
                if isinstance(node, ast.While | ast.For)
            ]
    return violations


def long_train_step(modules: Modules) -> list[str]:
    """The method fits on one screen."""
    lines = len(modules["gan3.method.train_step"].text.splitlines())
    return [f"gan3.method.train_step has {lines} lines"] * (lines > 130)


class Architecture(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.modules = read_tree()

    def assert_holds(self, check: Check, broken: dict[str, str], *violations: str) -> None:
        """`check` finds exactly `violations` in the sources `broken`, and none in the real tree."""
        with self.subTest("it can fail"):
            self.assertEqual(sorted(check(parse(broken))), sorted(violations))
        with self.subTest("the tree"):
            self.assertEqual(check(self.modules), [])

    def test_the_tree_was_read(self):
        """Nothing below holds because it looked at nothing."""
        self.assertGreater(len(self.modules), 50)
        self.assertIn("experiments.three_network", self.modules)
        pairs = {(a.name, b.name) for a, b in internal_imports(self.modules)}
        self.assertIn(("gan3.cli.main", "gan3.cli.commands"), pairs)  # at the top of a file
        self.assertIn(("gan3.cli.commands", "gan3.evaluation.judge"), pairs)  # in a function

    def test_every_module_is_in_a_known_package(self):
        known = {f"gan3/{package}/__init__.py": "" for package in RANK if package != "demo"}
        self.assert_holds(
            unknown_modules,
            known | {"gan3/__main__.py": "", "gan3/extra.py": "", "gan3/nn/deep/a.py": ""},
            "gan3.demo: no such package",
            "gan3.extra: not in ORDER",
            "gan3.nn.deep.a: a package inside of a package",
        )

    def test_imports_go_downward_only(self):
        self.assert_holds(
            upward_imports,
            {
                "gan3/core/a.py": "def f():\n    from gan3.nn import layers",
                "gan3/nn/layers.py": "import gan3.data.idx",
                "gan3/data/idx.py": "from gan3.core.a import f",
                "gan3/vae_gan/a.py": "from ..baselines import b\nfrom . import c",
                "gan3/vae_gan/c.py": "from gan3.nn.layers import dense",
                "gan3/baselines/b.py": "from gan3 import __version__",
            },
            "gan3.core.a imports gan3.nn.layers",
            "gan3.nn.layers imports gan3.data.idx",
            "gan3.vae_gan.a imports gan3.baselines.b",
        )

    def test_no_import_circle(self):
        self.assert_holds(
            circles,
            {
                "gan3/runs/a.py": "from gan3.runs import b",
                "gan3/runs/b.py": "def f():\n    import gan3.runs.c",
                "gan3/runs/c.py": "from gan3.runs.a import g",
                "gan3/runs/d.py": "from gan3.runs.a import g",
            },
            *(f"gan3.runs.{name} imports itself" for name in "abc"),
        )

    def test_what_a_package_must_not_know(self):
        self.assert_holds(
            forbidden_imports,
            {
                "gan3/core/config.py": "from tests import support",
                "gan3/data/idx.py": "",
                "gan3/evaluation/judge.py": "",
                "gan3/evaluation/metrics.py": "from gan3.evaluation import judge",
                "gan3/evaluation/monitor.py": "from gan3.evaluation import judge",
                "gan3/method/a.py": "from gan3.data.idx import read",
                "gan3/plots/a.py": "from gan3.core.config import RunConfig",
                "gan3/training/loop.py": "from gan3.evaluation import metrics, monitor",
                "gan3/sweeps/a.py": "def f():\n    from gan3.evaluation.judge import load",
                "gan3/cli/a.py": "from gan3.evaluation import judge\nimport experiments.x",
                "experiments/x.py": "from gan3.evaluation.judge import load",
                "experiments/data/y.py": "import gan3.data.idx\nimport gan3.training.loop",
            },
            "gan3.core.config imports tests",
            "gan3.method.a imports gan3.data.idx: a system does not know the tools",
            "gan3.plots.a imports gan3.core.config: it takes plain values",
            "gan3.training.loop imports gan3.evaluation.metrics:"
            " training sees the judge through the monitor only",
            "gan3.sweeps.a imports gan3.evaluation.judge: only evaluation knows the judge",
            "gan3.cli.a imports experiments.x: the library does not know its experiments",
            "experiments.x imports gan3.evaluation.judge: only evaluation knows the judge",
            "experiments.x imports gan3.evaluation.judge: a system does not know the tools",
            "experiments.data.y imports gan3.training.loop: it makes data and no more",
        )

    def test_a_name_is_taken_from_the_module_that_defines_it(self):
        self.assert_holds(
            borrowed_names,
            {
                "gan3/evaluation/judge.py": "import os\ndef load(): ...",
                "gan3/evaluation/monitor.py": "from gan3.evaluation import judge",
                "gan3/training/loop.py": "from gan3.evaluation.monitor import judge",
                "gan3/training/b.py": "from gan3.evaluation.judge import load",
                "gan3/training/c.py": "from gan3.evaluation import monitor as m\nm.judge.load()",
            },
            *(
                f"gan3.training.{name} takes judge from gan3.evaluation.monitor,"
                " which imports it itself"
                for name in ("loop", "c")
            ),
        )

    def test_nothing_is_unpickled_extracted_or_evaluated(self):
        self.assert_holds(
            unsafe_names,
            {
                "gan3/core/a.py": "import os, pickle\nimport numpy as np\nnp.load(f, None, True)",
                "gan3/core/b.py": "def f():\n    from joblib.numpy_pickle import load",
                "gan3/core/c.py": "import numpy as np\nnp.load(f)\nnp.load(f, allow_pickle=True)",
                "gan3/core/d.py": "archive.extractall('.')\neval(x)",
                "gan3/core/e.py": "from keras.models import load_model",
                "gan3/core/f.py": "tf.saved_model.save(module, path)\ntf.saved_model.load(path)",
            },
            "gan3.core.a imports pickle",
            "gan3.core.a:3 passes allow_pickle by position",
            "gan3.core.b imports joblib",
            "gan3.core.c:3 uses allow_pickle",
            "gan3.core.d:1 uses extractall",
            "gan3.core.d:2 uses eval",
            "gan3.core.e:0 uses load_model",
            "gan3.core.f:2 uses saved_model",
        )

    def test_no_session_and_no_compat(self):
        self.assert_holds(
            tf1_names,
            {
                "gan3/nn/a.py": "tf.compat.v1.disable_eager_execution()",
                "gan3/nn/b.py": "from tensorflow.compat import v1\nv1.Session()",
                "gan3/nn/c.py": "import tensorflow.compat.v1 as tf",
                "gan3/nn/d.py": "from tensorboard.compat.proto.event_pb2 import Event",
            },
            "gan3.nn.a:1 uses compat",
            "gan3.nn.b imports tensorflow.compat.v1",
            "gan3.nn.b:2 uses Session",
            "gan3.nn.c imports tensorflow.compat.v1.None",
        )

    def test_no_module_is_called_utils(self):
        self.assert_holds(vague_names, {"gan3/core/utils.py": ""}, "gan3.core.utils")

    def test_no_work_at_import_time(self):
        self.assert_holds(
            work_at_import,
            {"gan3/nn/a.py": '"""Text."""\nA = 1\nprint(A)\nfor x in y:\n    pass\ndef f(): ...'},
            "gan3.nn.a:3 runs at import",
            "gan3.nn.a:4 runs at import",
        )

    def test_a_package_holds_nothing_but_its_modules(self):
        for package in RANK:
            body = self.modules[f"gan3.{package}"].tree.body
            has_docstring = ast.get_docstring(ast.Module(body, [])) is not None
            self.assertEqual(body[has_docstring:], [], package)

    def test_what_needs_no_tensorflow_imports_nothing_slow(self):
        """The command line, the experiments, the library, and whatever draws in NumPy."""
        names = [
            name
            for name in self.modules
            if name.startswith(("gan3.cli", "gan3.api", "gan3.core", "experiments"))
            or name.endswith((".drawing", ".encoding"))
        ]
        names += NUMPY_ONLY
        self.assertEqual(sum(name.endswith(".drawing") for name in names), 3)
        self.assertEqual(sum(name.endswith(".encoding") for name in names), 2)
        code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
        code += f"print(*sorted(set(sys.modules) & set({SLOW_IMPORTS})))"

        def slow_imports(*names: str) -> str:
            done = subprocess.run(
                [sys.executable, "-c", code, *names],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout.strip()

        self.assertEqual(slow_imports("gan3.plots.grids"), "matplotlib")
        self.assertEqual(slow_imports(*names), "")

    def test_no_global_state(self):
        self.assert_holds(
            global_state,
            {"gan3/nn/a.py": "A = 1\ndef f():\n    global A\n    A = 2"},
            "gan3.nn.a:3 assigns a global",
        )

    def test_no_keywords_are_passed_through(self):
        self.assert_holds(
            passed_through_keywords,
            {
                "gan3/nn/a.py": "def f(**options):\n    g(**options)",
                "gan3/nn/b.py": "def f(**options):\n    g(**{'a': 1} | options)",
                "gan3/nn/c.py": "def f(**info):\n    g(info, **A)",
            },
            "gan3.nn.a:2 passes **options through",
            "gan3.nn.b:2 passes **options through",
        )

    def test_errors_of_the_library_name_no_flags(self):
        self.assert_holds(
            flags_in_errors,
            {
                "gan3/runs/a.py": "raise UserError(f'run {x}: choose another --run')",
                "gan3/runs/b.py": "raise UserError('no card' + '; make evaluate RUN=x')",
                "gan3/runs/c.py": "raise UserError('make room')\ncommand = ['--run', x]",
                "gan3/cli/a.py": "raise UserError('--run: no such run')",
            },
            "gan3.runs.a:1 names '--run' in an error",
            "gan3.runs.b:1 names 'make evaluate' in an error",
        )

    def test_an_experiment_is_a_declaration(self):
        self.assert_holds(
            experiments_with_code,
            {
                "experiments/a.py": "\n" * 120,
                "experiments/b.py": "for step in steps:\n    f()",
                "experiments/data/c.py": "for font in fonts:\n    draw(font)",
            },
            "experiments.a has 120 lines",
            "experiments.b:1 has a loop",
        )

    def test_the_method_is_on_one_screen(self):
        self.assert_holds(
            long_train_step,
            {"gan3/method/train_step.py": "\n" * 131},
            "gan3.method.train_step has 131 lines",
        )

    def test_the_tests_are_in_the_same_tree(self):
        folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
        self.assertLessEqual(folders, set(RANK))


class Mutations(unittest.TestCase):
    def test_each_finds_its_line_and_its_tests(self):
        for mutation in MUTATIONS:
            with self.subTest(mutation.what):
                self.assertEqual(find_problems(mutation, ROOT), [])

    def test_a_missing_line_and_a_missing_test_are_found(self):
        mutation = MUTATIONS[0]
        for change in (
            {"good": "no such line"},
            {"file": "gan3/nothing.py"},
            {"tests": "core.test_nothing"},
            {"tests": "test_architecture.Nothing"},
            {"tests": "test_architecture.Mutations.test_nothing"},
        ):
            with self.subTest(**change):
                self.assertEqual(len(find_problems(mutation._replace(**change), ROOT)), 1)


if __name__ == "__main__":
    unittest.main()
