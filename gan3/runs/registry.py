"""The experiments: those bundled with gan3, and the user's own.

The bundled ones are the modules of the folder experiments/ of a checkout, which an installation has
as gan3/experiments/. Their module names are `gan3.experiments.NAME` in both cases. A user's own
experiment is a file in ./experiments/ of the working folder, or any file that is named by its path.
"""

import ast
import dataclasses
import hashlib
import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gan3.core.config import RunConfig, field_types
from gan3.core.errors import UserError

if TYPE_CHECKING:
    from gan3.nn.declared import DeterminatorSpec, GeneratorSpec

PACKAGE = "gan3.experiments"
OWN_FOLDER = Path("experiments")  # relative to the working folder
_DECLARATIONS = ("CONFIG", "build", "generator")
_RETURNED = {"build": ("System", "train_step"), "generator": ("GeneratorSpec", "class_conditional")}


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
    """The files in ./experiments/ that are not bundled and mention what an experiment declares."""
    contents = {
        path.stem: path.read_text("utf-8", "replace") for path in OWN_FOLDER.glob("[!_]*.py")
    }
    bundled = names()
    return sorted(
        name
        for name, content in contents.items()
        if name not in bundled and all(word in content for word in _DECLARATIONS)
    )


def summary_of(name: str) -> str:
    """The first line of the docstring of one of `names` or `own_names`, which is not executed."""
    path = (bundled_folder() if name in names() else OWN_FOLDER) / f"{name}.py"
    try:
        return (ast.get_docstring(ast.parse(path.read_bytes())) or "").split("\n")[0]
    except SyntaxError as error:
        return f"(cannot be parsed: line {error.lineno})"


def config_of(source: str) -> RunConfig:
    """The config that an experiment declares.

    source: the name of a bundled experiment or of a file in ./experiments/, or the path of a file.

    Raises UserError for an unknown name and for a file that is missing, cannot be executed, does
    not declare an experiment, or has the name of a bundled one.
    """
    is_path = "/" in source or "\\" in source or source.endswith(".py")
    path = Path(source) if is_path else OWN_FOLDER / f"{source}.py"
    if is_path and not path.is_file():
        raise UserError(f"{path}: no such file; name an experiment or its file")
    if path.stem in names():
        _refuse_another(path)
        return bundled_config_of(path.stem)
    if not is_path and not (source.isidentifier() and path.is_file()):
        raise _unknown(source)
    return _own_config(path)


def bundled_config_of(name: str) -> RunConfig:
    """The config of a bundled experiment, whatever is in ./experiments/."""
    if name not in names():
        raise _unknown(name)
    return _module_of(bundled_folder() / f"{name}.py").CONFIG


def config_from_dict(values: Any) -> RunConfig:
    """A config that `RunConfig.to_dict` wrote, of the type that its experiment declares.

    For a user's own experiment this executes its file: the recorded one or, if that is gone, the
    file of the same name in ./experiments/. Raises UserError if the experiment is unknown or
    missing, or the values do not fit its config.
    """
    experiment = values.get("experiment") if isinstance(values, dict) else None
    if not isinstance(experiment, str):
        raise UserError("config: the key experiment is missing; train a new run")
    if not values.get("experiment_file"):
        return type(bundled_config_of(experiment)).from_dict(values)
    path = Path(str(values["experiment_file"]))
    moved = (OWN_FOLDER / path.name).absolute()
    if path.stem != experiment or not path.is_absolute():
        raise UserError(
            f"config key experiment_file: {str(path)[:60]!r} is not the absolute path of the"
            f" experiment {experiment[:60]!r}; train a new run"
        )
    if not path.is_file() and not moved.is_file():
        raise UserError(
            f"{path}: the file of this run's experiment is gone; put it back, or into"
            f" {OWN_FOLDER}/ of the working folder"
        )
    declared = _own_config(path if path.is_file() else moved)
    return type(declared).from_dict(values | {"experiment_file": declared.experiment_file})


def build(config: RunConfig, class_names: tuple[str, ...], dtype: str) -> Any:
    """The system that a config of any experiment describes, computing in `dtype`.

    class_names: of the K classes of the data. Raises UserError if the settings do not fit, or if
    the experiment's `build` fails.
    """
    return _call("build", config, class_names, dtype)


def generator_of(config: RunConfig, class_names: tuple[str, ...]) -> "GeneratorSpec":
    """The generator of the experiment's system as a list of layers.

    Raises UserError if the experiment's `generator` fails.
    """
    return _call("generator", config, class_names)


def determinator_of(config: RunConfig, class_names: tuple[str, ...]) -> "DeterminatorSpec | None":
    """The determinator of the experiment's system, if the experiment declares it as layers.

    None if it does not, for instance because there is none. Raises UserError if the experiment's
    `determinator` fails.
    """
    return _call("determinator", config, class_names)


def _call(name: str, config: RunConfig, *arguments: Any) -> Any:
    """What a function of the config's experiment returns; None if there is no such function."""
    file = config.experiment_file
    path = Path(file) if file else bundled_folder() / f"{config.experiment}.py"
    function = getattr(_module_of(path), name, None)
    try:
        returned = None if function is None else function(config, *arguments)
    except UserError:
        raise
    except Exception as error:
        raise _failure(path, error) from error
    kind, member = _RETURNED.get(name, (None, None))
    if kind and not hasattr(returned, member):
        raise UserError(f"{path}: {name} returns {type(returned).__name__}; return a {kind}")
    return returned


def _unknown(name: str) -> UserError:
    known = ", ".join(names() + own_names())
    return UserError(f"experiment {name!r}: unknown; there are {known}")


def _refuse_another(path: Path) -> None:
    """Refuses a file with the name of a bundled experiment, unless it is a copy of it."""
    bundled = bundled_folder() / path.name
    if path.is_file() and path.read_bytes() != bundled.read_bytes():
        raise UserError(
            f"{path}: has the name of a bundled experiment; rename the file and its experiment"
        )


def _own_config(path: Path) -> RunConfig:
    """The config that the file declares, with the file's absolute path in it."""
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise UserError(
            f"{path}: not the name of an experiment; use letters, digits and _ after a letter, and"
            " .py at the end"
        )
    path = path.absolute()
    module = _module_of(path, again=True)  # it may have been edited
    return dataclasses.replace(module.CONFIG, experiment_file=str(path))


def _module_of(path: Path, again: bool = False) -> ModuleType:
    """The module of an experiment's file, which can import the bundled ones and those beside it.

    again: execute the file even if it has been, but not what it imports.
    """
    package = PACKAGE
    if path.parent != bundled_folder():
        digest = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:16]
        package = f"own_experiments_{digest}"
    _register(PACKAGE, bundled_folder())
    _register(package, path.parent)
    name = f"{package}.{path.stem}"
    if again:
        sys.modules.pop(name, None)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise _failure(path, error) from error
    missing = [name for name in _DECLARATIONS if not hasattr(module, name)]
    if missing:
        raise UserError(
            f"{path}: has no {' and no '.join(missing)}; an experiment declares CONFIG,"
            " build(config, class_names, dtype) and generator(config, class_names)"
        )
    if not isinstance(module.CONFIG, RunConfig) or module.CONFIG.experiment != path.stem:
        raise UserError(
            f"{path}: CONFIG must be a RunConfig with the experiment {path.stem!r}, the name of"
            " the file"
        )
    if set(field_types(type(module.CONFIG))) != set(module.CONFIG.to_dict()):
        raise UserError(
            f"{path}: {type(module.CONFIG).__name__} has fields that are none of a dataclass; put"
            " @dataclass(frozen=True, kw_only=True) above it"
        )
    return module


def _register(package: str, folder: Path) -> None:
    """Make the files of a folder importable as the modules of a package."""
    if package not in sys.modules:
        spec = ModuleSpec(package, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        sys.modules[package] = importlib.util.module_from_spec(spec)


def _failure(path: Path, error: BaseException) -> UserError:
    """What went wrong in an experiment, with the line: the last one in a file of its folder."""
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    text = kind + (str(error).strip().splitlines() or ["no message"])[0]
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(f.filename, f.lineno) for f in frames if Path(f.filename).parent == path.parent]
    file, line = lines[-1] if lines else (path, None)
    if isinstance(error, SyntaxError):
        file, line, text = error.filename, error.lineno, f"syntax error: {error.msg}"
    where = f"{file}, line {line}" if line else str(file)
    return UserError(f"{where}: {text}; correct the file")
