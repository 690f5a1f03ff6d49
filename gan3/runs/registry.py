"""The experiments: those bundled with gan3, and the user's own.

The bundled ones are the modules of the folder experiments/ of a checkout, which an installation has
as gan3/experiments/. Their module names are `gan3.experiments.NAME` in both cases. A user's own
experiment is a file in ./experiments/ of the working folder, or any file that is named by its path.
"""

import ast
import dataclasses
import hashlib
import importlib
import importlib.machinery
import importlib.util
import os
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gan3.core.config import RunConfig
from gan3.core.errors import UserError

if TYPE_CHECKING:
    from gan3.method.declared import DeterminatorSpec, GeneratorSpec

PACKAGE = "gan3.experiments"
OWN_FOLDER = Path("experiments")  # relative to the working folder
_DECLARATIONS = {"CONFIG", "build", "generator"}
_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)


def bundled_folder() -> Path:
    """The folder of the bundled experiments, whose `sweeps` has the bundled sweep files."""
    package = Path(__file__).parent.parent
    installed = package / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def names() -> list[str]:
    """All bundled experiments, sorted."""
    modules = pkgutil.iter_modules([str(bundled_folder())])
    return sorted(module.name for module in modules if not module.ispkg)


def own_names() -> list[str]:
    """The experiments in ./experiments/ that are not bundled, sorted.

    They are the files that declare `CONFIG`, `build` and `generator`, or mention them if they
    cannot be parsed. No file is executed.
    """
    if not _is_folder(OWN_FOLDER) or OWN_FOLDER.resolve() == bundled_folder().resolve():
        return []
    bundled = set(names())
    return sorted(
        path.stem
        for path in OWN_FOLDER.glob("[!_]*.py")
        if path.stem not in bundled and _looks_like_an_experiment(path)
    )


def config_of(source: str) -> RunConfig:
    """The config that an experiment declares.

    source: the name of a bundled experiment or of a file in ./experiments/, or the path of a file.

    Raises UserError for an unknown name and for a file that is missing, cannot be executed, does
    not declare an experiment, or has the name of a bundled one.
    """
    if "/" in source or "\\" in source or source.endswith(".py"):
        return _own_config(Path(source))
    own = OWN_FOLDER / f"{source}.py"
    if source in names():
        if _is_file(own):
            _refuse_bundled_name(own)
        return bundled_config_of(source)
    if _is_name(source) and _is_file(own):
        return _own_config(own)
    raise _unknown(source)


def bundled_config_of(name: str) -> RunConfig:
    """The config of a bundled experiment, whatever is in ./experiments/."""
    return _bundled_module(name).CONFIG


def config_from_dict(values: Any) -> RunConfig:
    """A config that `RunConfig.to_dict` wrote, of the type that its experiment declares.

    For a user's own experiment this executes its file: the recorded one or, if that is gone, the
    file of the same name in ./experiments/. Raises UserError if the experiment is unknown or
    missing, or the values do not fit its config.
    """
    experiment = values.get("experiment") if isinstance(values, dict) else None
    if not isinstance(experiment, str):
        raise UserError("config: the key experiment is missing; train a new run")
    file = values.get("experiment_file", "")
    if not file:
        declared = bundled_config_of(experiment)
    else:
        path = _recorded_file(experiment, file)
        declared, values = _own_config(path), values | {"experiment_file": str(path)}
    return type(declared).from_dict(values)


def summary_of(name: str) -> str:
    """The first line of the docstring of a bundled experiment, or of one in ./experiments/.

    The file is not executed. Raises UserError for an unknown name.
    """
    if not _is_name(name):
        raise _unknown(name)
    folder = bundled_folder() if name in names() else OWN_FOLDER
    try:
        text = ast.get_docstring(ast.parse((folder / f"{name}.py").read_bytes())) or ""
    except OSError:
        raise _unknown(name) from None
    except _PARSE_ERRORS as error:
        text = f"(cannot be parsed: line {getattr(error, 'lineno', '?')})"
    return text.strip().split("\n")[0]


def build(config: RunConfig, class_names: tuple[str, ...], dtype: str) -> Any:
    """The system that a config of any experiment describes, computing in `dtype`.

    class_names: of the K classes of the data. Raises UserError if the settings do not fit, or if
    the experiment's `build` fails.
    """
    module = _module_of(config)
    with _reported(module):
        return module.build(config, class_names, dtype)


def generator_of(config: RunConfig, class_names: tuple[str, ...]) -> "GeneratorSpec":
    """The generator of the experiment's system as a list of layers.

    Raises UserError if the experiment's `generator` fails.
    """
    module = _module_of(config)
    with _reported(module):
        return module.generator(config, class_names)


def determinator_of(config: RunConfig, class_names: tuple[str, ...]) -> "DeterminatorSpec | None":
    """The determinator of the experiment's system, if the experiment declares it as layers.

    None if it does not, for instance because there is none. Raises UserError if the experiment's
    `determinator` fails.
    """
    module = _module_of(config)
    if not hasattr(module, "determinator"):
        return None
    with _reported(module):
        return module.determinator(config, class_names)


@contextmanager
def _reported(module: ModuleType) -> Iterator[None]:
    """Reports what goes wrong in a function of an experiment as a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise _failure(Path(module.__file__), error) from error


def _module_of(config: RunConfig) -> ModuleType:
    file = config.experiment_file
    return _own_module(Path(file)) if file else _bundled_module(config.experiment)


def _unknown(name: str) -> UserError:
    known = ", ".join(names() + own_names())
    return UserError(f"experiment {name!r}: unknown; there are {known}")


# -- bundled experiments ---------------------------------------------------------------------------
def _bundled_module(name: str) -> ModuleType:
    if name not in names():
        raise _unknown(name)
    return _load(PACKAGE, bundled_folder() / f"{name}.py")


def _load(package: str, path: Path) -> ModuleType:
    """The module of a file, checked to declare an experiment; its folder is the package."""
    _register_package(PACKAGE, bundled_folder())  # a user's own experiment can import it
    try:
        _register_package(package, path.parent)
        module = importlib.import_module(f"{package}.{path.stem}")
    except (Exception, SystemExit) as error:
        raise _failure(path, error) from error
    missing = sorted(name for name in _DECLARATIONS if not hasattr(module, name))
    if missing:
        raise UserError(
            f"{path}: has no {' and no '.join(missing)}; an experiment declares CONFIG,"
            " build(config, class_names, dtype) and generator(config, class_names)"
        )
    functions = (module.build, module.generator)
    if not isinstance(module.CONFIG, RunConfig) or not all(map(callable, functions)):
        raise UserError(
            f"{path}: CONFIG must be a RunConfig, build and generator functions; see the bundled"
            " experiments"
        )
    if module.CONFIG.experiment != path.stem:
        raise UserError(
            f"{path}: its CONFIG has the experiment {module.CONFIG.experiment!r}; it must be the"
            f" name of the file, {path.stem!r}"
        )
    return module


def _register_package(name: str, folder: Path) -> None:
    """Make the files of a folder importable as the modules of a package."""
    if name not in sys.modules:
        init = folder / "__init__.py"
        search = {"submodule_search_locations": [str(folder)]}
        if init.is_file():
            spec = importlib.util.spec_from_file_location(name, init, **search)
        else:
            spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = search["submodule_search_locations"]
        package = importlib.util.module_from_spec(spec)
        sys.modules[name] = package
        if spec.loader is not None:
            try:
                spec.loader.exec_module(package)
            except BaseException:
                del sys.modules[name]
                raise


# -- a user's own experiments ----------------------------------------------------------------------
def _own_config(path: Path) -> RunConfig:
    """The config that the file declares, with the file's absolute path in it."""
    path = path.absolute()
    if path.stem in names():
        if path.resolve().parent != bundled_folder().resolve():
            _refuse_bundled_name(path)
        return bundled_config_of(path.stem)
    return dataclasses.replace(_own_module(path).CONFIG, experiment_file=str(path))


def _own_module(path: Path) -> ModuleType:
    """The module of a user's file. It can import the files beside it by `from . import NAME`."""
    if path.suffix != ".py" or not _is_name(path.stem):
        raise UserError(
            f"{path}: not the name of an experiment; use letters, digits and _ after a letter, and"
            " .py at the end"
        )
    if not _is_file(path):
        raise UserError(f"{path}: no such file; name an experiment or its file")
    digest = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:16]
    return _load(f"own_experiments_{digest}", path)


def _failure(path: Path, error: BaseException) -> UserError:
    """What went wrong in an experiment, with the line: the last one in a file of its folder."""
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    if isinstance(error, SyntaxError) and error.filename:
        file, line, text = Path(error.filename), error.lineno, f"syntax error: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).parent == path.parent]
        file, line = (Path(own[-1].filename), own[-1].lineno) if own else (path, None)
        text = kind + (str(error).strip().splitlines() or ["no message"])[0]
    where = f"{file}, line {line}" if line else str(file)
    return UserError(f"{where}: {text}; correct the file")


def _recorded_file(experiment: str, file: Any) -> Path:
    """The file of a run's own experiment. A relative path would depend on the working folder."""
    path = Path(file) if isinstance(file, str) else Path()
    if path.stem != experiment or path.suffix != ".py" or not path.is_absolute():
        raise UserError(
            f"config key experiment_file: {str(file)[:60]!r} is not the absolute path of the"
            f" experiment {experiment[:60]!r}; train a new run"
        )
    moved = (OWN_FOLDER / path.name).absolute()
    for candidate in (path, moved):
        if _is_file(candidate):
            return candidate
    raise UserError(
        f"{path}: the file of this run's experiment is gone; put it back, or into {OWN_FOLDER}/ of"
        " the working folder"
    )


def _refuse_bundled_name(path: Path) -> None:
    """Raises UserError unless the file is a copy of the bundled experiment of its name.

    In a checkout whose gan3 was installed, ./experiments/ holds the bundled ones a second time.
    """
    try:
        same = path.read_bytes() == (bundled_folder() / path.name).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from None
    if not same:
        raise UserError(
            f"{path}: has the name of a bundled experiment; rename the file and its experiment"
        )


def _looks_like_an_experiment(path: Path) -> bool:
    try:
        content = path.read_bytes()
        body = ast.parse(content).body
    except OSError:
        return False
    except _PARSE_ERRORS:
        return all(re.search(rb"\b%s\b" % name.encode(), content) for name in _DECLARATIONS)
    declared = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    for node in body:
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        declared |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ImportFrom):
            declared |= {alias.asname or alias.name for alias in node.names}
    return declared >= _DECLARATIONS


def _is_name(text: str) -> bool:
    return text.isidentifier() and text.isascii() and not text.startswith("_")


def _is_file(path: Path) -> bool:
    # Not core.files.check_path: this module is imported for --help, so it does without NumPy.
    try:
        return path.is_file()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
