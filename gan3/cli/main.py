# PYTHON_ARGCOMPLETE_OK
"""Runs one command and turns errors into one line on stderr and an exit status."""

import argparse
import codecs
import difflib
import io
import os
import re
import sys
import warnings
from typing import NoReturn

from gan3 import __version__
from gan3.cli import drawing, scoring, training
from gan3.cli.options import one_line
from gan3.core.errors import DivergedError, UserError

COMMANDS = training.COMMANDS | drawing.COMMANDS | scoring.COMMANDS


class _Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        choice = re.match(r"argument (.+): invalid choice: '(.+)' \(choose from (.+)\)$", message)
        if choice is not None:
            near = difflib.get_close_matches(choice[2], re.findall(r"'(.+?)'", choice[3]), n=1)
            if near:
                message = f"{choice[2]!r} is no {choice[1]}; did you mean {near[0]}?"
        self.exit(2, one_line(f"{self.prog}: {message}; see {self.prog} --help") + "\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line; `command` is the name of the command."""
    parser = _Parser(prog="gan3", description="Train and use GANs that draw handwritten digits.")
    version = f"gan3 {__version__}"
    parser.add_argument("--version", action="version", version=version, help="print the version")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        text = command.description
        command.add_options(commands.add_parser(name, help=text, description=text))
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    0: done. 1: runs of a sweep failed. 2: a wrong argument or input. 3: training diverged.
    128 + n: stopped by signal n.
    """
    _print_any_character()
    os.environ["MPLBACKEND"] = "agg"  # no command opens a window, whatever a notebook has set
    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next: no command may run
        try:
            import argcomplete
        except ImportError:
            return 1
        argcomplete.autocomplete(parser)
    try:
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
            return 0
        with warnings.catch_warnings():
            warnings.showwarning = _print_warning
            status = COMMANDS[options.command].run(options)
        if sys.stdout is not None:  # it is None if it was closed before the start
            sys.stdout.flush()  # a closed pipe is noticed here, not when Python exits
        return status
    except UserError as error:
        _print_error(str(error))
        return 2
    except DivergedError as error:
        _print_error(f"training diverged: {error}")
        return 3
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError as error:
        return _out_of_memory(str(error) or "there is no more")
    except OSError as error:  # code reports a file itself only if it knows more than the system
        return _unusable_file(error.filename or "a file", error.strerror or str(error))
    except Exception as error:
        tensorflow = sys.modules.get("tensorflow")
        if not (tensorflow and isinstance(error, tensorflow.errors.OpError)):
            raise
        file = re.match(r"(?:\{\{.*?\}\} )?(.+?); ([\w ]+)", error.message)
        if file is not None:
            return _unusable_file(file[1], file[2].strip())
        if isinstance(error, tensorflow.errors.ResourceExhaustedError):
            return _out_of_memory("there is not as much as TensorFlow needs")
        raise


def _out_of_memory(reason: str) -> int:
    _print_error(
        f"memory: {reason}; close other programs, or ask for fewer images or a smaller batch"
    )
    return 2


def _unusable_file(path: str, reason: str) -> int:
    _print_error(
        f"{path}: cannot be read or written ({reason.lower()}); check its path, its permissions"
        " and the disk"
    )
    return 2


def _print_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Print a warning as one line, without the line of code that it comes from.

    Those of libraries that will change are for programmers and are left out.
    """
    if not issubclass(category, DeprecationWarning | FutureWarning):
        text = one_line(str(message)).removeprefix("NOTE: ")
        print(f"NOTE: {text}", file=sys.stderr)


def _print_any_character() -> None:
    """Print what the terminal's encoding lacks as escapes, and names that are no UTF-8 as bytes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_utf8 = codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")


def _print_error(message: str) -> None:
    print(one_line(f"gan3: {message}"), file=sys.stderr)
