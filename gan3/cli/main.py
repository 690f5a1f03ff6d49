"""Runs one command and turns its errors into one line and an exit status."""

import os
import sys

from gan3.cli.commands import COMMANDS
from gan3.cli.parser import one_line, parser
from gan3.core.errors import DivergedError, UserError


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except UserError as error:
        _print_error(str(error))
        return 2
    except DivergedError as error:
        _print_error(f"training diverged: {error}")
        return 3
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # the last resort; most code reports its own files better
        reason = (error.strerror or str(error)).lower()
        _print_error(
            f"{error.filename or 'a file'}: cannot be read or written ({reason});"
            " check its path, its permissions and the disk"
        )
        return 2


def _print_error(message: str) -> None:
    print(one_line(f"gan3: {message}"), file=sys.stderr)
