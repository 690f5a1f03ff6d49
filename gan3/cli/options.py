"""What the commands share: types of arguments, and options that several of them have.

Neither this module nor those of the commands import NumPy before a command runs: --help is fast.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gan3.core.config import choices_of
from gan3.core.errors import UserError
from gan3.core.log import Log, log_or_warn
from gan3.core.options import DPI, FIGURE_FORMATS, Output

if TYPE_CHECKING:
    from gan3.library import Run
    from gan3.runs.trained import Trained


DEFAULT_LOGS = "logs"


class Command(NamedTuple):
    """One command of the command line."""

    description: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]  # returns the exit status


def one_line(text: str) -> str:
    """Escape line breaks and other characters that are not printable."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


# -- types of arguments ----------------------------------------------------------------------------
def whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            shown = text if len(text) <= 40 else f"{text[:40]}…"
            raise argparse.ArgumentTypeError(
                f"{shown!r} is not a whole number from {low} to {high}"
            )
        return value

    return parse


def path_text(text: str) -> str:
    """A path, unchanged. An empty one, as an unset shell variable gives, is refused."""
    if not text:
        raise argparse.ArgumentTypeError(
            "the path is empty; name a file or folder, or leave it out"
        )
    return text


def output_file(*suffixes: str) -> Callable[[str], Path]:
    """The path of a file to write; it ends in one of `suffixes`, if there are any."""

    def parse(text: str) -> Path:
        path = Path(text)
        if not path.name or path.is_dir():
            raise argparse.ArgumentTypeError(f"{text!r} is a folder, or no name")
        if suffixes and path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text!r} does not end in {' or '.join(suffixes)}")
        return path

    return parse


# -- options of several commands -------------------------------------------------------------------
def add_folders(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "folder of all runs (default: logs)"
    add("--logs", metavar="DIR", type=path_text, default=DEFAULT_LOGS, help=text)
    text = "folder of figures (default: figures)"
    add("--figures", metavar="DIR", type=path_text, default="figures", help=text)


def add_figure_format(parser: argparse.ArgumentParser) -> None:
    text = "format of the figures (default: png)"
    parser.add_argument("--format", choices=FIGURE_FORMATS, help=text)
    text, dpi = "dots per inch of the figures (default: 120)", whole_number(30, 1200)
    parser.add_argument("--dpi", metavar="N", type=dpi, help=text)


def figure_output(options: argparse.Namespace) -> Output:
    """What the options of `add_figure_format` name."""
    return Output(options.format or "png", options.dpi or DPI)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    text = "print nothing but problems"
    parser.add_argument("-q", "--quiet", action="store_true", help=text)


def log_of(options: argparse.Namespace) -> Log:
    """What prints every line, or with --quiet only what a user should not miss."""
    return log_or_warn(None if options.quiet else print)


def add_seed(parser: argparse.ArgumentParser, default: int | None = 0) -> None:
    seed, text = whole_number(0, 2**31 - 1), "seed for all random draws (default: 0)"
    parser.add_argument("--seed", metavar="N", type=seed, default=default, help=text)


def add_data(parser: argparse.ArgumentParser) -> None:
    text = (
        "folder to search first for the data set (default: $GAN3_DATA, then ./data), or folder or"
        " file of your own set"
    )
    parser.add_argument("--data", metavar="DIR", type=path_text, help=text)


def add_ink(parser: argparse.ArgumentParser) -> None:
    """What a set of one's own may need: the ink of its images, and to do without some of them."""
    text = "ink of your own set (but for IDX files): bright on dark, or dark on bright"
    parser.add_argument("--ink", choices=("bright", "dark"), help=text)
    text = "leave out pictures that cannot be read"
    parser.add_argument("--skip-damaged", action="store_const", const=True, help=text)


def add_dataset(parser: argparse.ArgumentParser, default: str | None) -> None:
    text = (
        "data set to train on; auto is MNIST, or the synthetic strokes if MNIST cannot be found or"
        " downloaded; own is your own set in --data (IDX, npz, npy or CSV files, or folders of"
        " pictures); fashion_mnist, kmnist, emnist_letters, emnist_balanced, emnist_digits"
        " and emnist_mnist name the published set that is in --data (default: auto)"
    )
    parser.add_argument(
        "--dataset", metavar="SET", choices=choices_of("dataset"), default=default, help=text
    )


def add_train_judge(parser: argparse._ActionsContainer) -> None:
    text = "train a judge if none has learned from the data set, as train-judge does"
    parser.add_argument("--train-judge", action="store_true", help=text)


def add_run(parser: argparse._ActionsContainer, text: str) -> None:
    parser.add_argument("--run", metavar="NAME", help=f"{text} (default: the newest run)")


def add_episode(parser: argparse.ArgumentParser) -> None:
    text = (
        "episode of the run: its number, or best, the one that its judge scored best (default: the"
        " last)"
    )
    parser.add_argument("--episode", metavar="N|best", type=episode, help=text)


def episode(text: str) -> int | str:
    return text if text == "best" else int(text)


def add_pretrained(parser: argparse._ActionsContainer, text: str) -> None:
    text = f"{text}, such as best or conditional_dcgan, or a file that export has written"
    parser.add_argument("--pretrained", metavar="NAME|FILE.npz", help=text)


def add_source(parser: argparse.ArgumentParser) -> None:
    """The generator to draw with: that of a run, or a bundled one; `open_source` opens it."""
    source = parser.add_mutually_exclusive_group()
    text = "draw with this run's generator (default: the newest run, or best if there is no run)"
    source.add_argument("--run", metavar="NAME", help=text)
    add_pretrained(source, "draw with this bundled generator")
    add_episode(parser)


def has_source(options: argparse.Namespace) -> bool:
    """Whether the options of `add_source` name anything, or there is a run in --logs.

    Raises UserError if --logs is not there.
    """
    from gan3 import library

    if (options.run, options.pretrained, options.episode) != (None, None, None):
        return True
    if options.logs != DEFAULT_LOGS and not Path(options.logs).is_dir():
        raise UserError(f"--logs {options.logs}: no such folder; name the folder of all runs")
    return library.has_runs(options.logs)


def open_run(options: argparse.Namespace) -> "Run":
    """The run that --run names, or the newest one."""
    from gan3 import library

    return library.open_run(options.run, options.logs, options.figures)


def open_source(options: argparse.Namespace) -> "Trained":
    """What the options of `add_source` name; without any run, the bundled generator `best`."""
    from gan3 import library

    if options.pretrained is not None and options.episode is not None:
        raise UserError(f"--episode {options.episode}: with a run only; leave it out")
    pretrained = options.pretrained if has_source(options) else "best"
    folders = {"logs": options.logs, "figures": options.figures}
    return library.find(options.run, pretrained, options.episode, **folders)
