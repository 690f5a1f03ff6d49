"""The options of every command. Imports neither TensorFlow nor NumPy, so that --help is fast."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from gan3.core.config import choices_of
from gan3.core.options import EXPORT_SUFFIXES, WALK_MODES

_MAX_SEED = 2**31 - 1


class _Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, one_line(f"{self.prog}: {message}; see {self.prog} --help") + "\n")


def one_line(text: str) -> str:
    """Escape line breaks and other characters that are not printable."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line; `command` is the name of the command."""
    parser = _Parser(prog="gan3", description="Train and use GANs that draw handwritten digits.")
    commands = parser.add_subparsers(
        title="commands", dest="command", required=True, metavar="COMMAND"
    )
    for name, (description, add_options) in _COMMANDS.items():
        command = commands.add_parser(name, help=description, description=description)
        add_options(command)
    return parser


# -- types of arguments ----------------------------------------------------------------------------
def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{shown!r} is not a whole number from {low} to {high}"
            )
        return value

    return parse


def _fraction(text: str) -> float:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{shown!r} is not a number from 0 to 1")
    return value


def _path(text: str) -> str:
    """A path, unchanged. An empty one, as an unset shell variable gives, is refused."""
    if not text:
        raise argparse.ArgumentTypeError(
            "the path is empty; name a file or folder, or leave it out"
        )
    return text


def _output_file(*suffixes: str) -> Callable[[str], Path]:
    """The path of a file to write; it ends in one of `suffixes`, if there are any."""

    def parse(text: str) -> Path:
        path = Path(text)
        try:
            is_folder = path.is_dir()
        except OSError:  # reported when the file is written
            is_folder = False
        if not path.name or is_folder:
            raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
        if suffixes and path.suffix.lower() not in suffixes:
            raise argparse.ArgumentTypeError(f"{text!r} does not end in {' or '.join(suffixes)}")
        return path

    return parse


# -- options of several commands -------------------------------------------------------------------
def _add_folders(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "folder of all runs (default: logs)"
    add("--logs", metavar="DIR", type=_path, default="logs", help=text)
    text = "folder of figures (default: figures)"
    add("--figures", metavar="DIR", type=_path, default="figures", help=text)


def _add_seed(parser: argparse.ArgumentParser, default: int | None = 0) -> None:
    seed, text = _whole_number(0, _MAX_SEED), "seed for all random draws (default: 0)"
    parser.add_argument("--seed", metavar="N", type=seed, default=default, help=text)


def _add_data(parser: argparse.ArgumentParser) -> None:
    text = (
        "folder to search first for the data set (default: $GAN3_DATA, then ./data), or folder or"
        " file of your own set"
    )
    parser.add_argument("--data", metavar="DIR", help=text)


def _add_ink(parser: argparse.ArgumentParser) -> None:
    text = "ink of an npz file or of pictures with --dataset own: bright on dark, or dark on bright"
    parser.add_argument("--ink", choices=("bright", "dark"), help=text)


def _add_dataset(parser: argparse.ArgumentParser, default: str | None) -> None:
    text = (
        "data set to train on; auto is MNIST, or the synthetic strokes if MNIST cannot be found or"
        " downloaded; own is your own set in --data (IDX files, an npz file or a folder of pictures"
        " for each class); fashion_mnist, kmnist, emnist_letters, emnist_balanced, emnist_digits"
        " and emnist_mnist name the published set that is in --data (default: auto)"
    )
    parser.add_argument(
        "--dataset", metavar="SET", choices=choices_of("dataset"), default=default, help=text
    )


def _add_train_judge(parser: argparse._ActionsContainer) -> None:
    text = "train a judge if none has learned from the data set, as train-judge does"
    parser.add_argument("--train-judge", action="store_true", help=text)


def _add_run(parser: argparse._ActionsContainer, verb: str) -> None:
    text = f"run to {verb} (default: the newest)"
    parser.add_argument("run", metavar="RUN", nargs="?", help=text)


def _add_pretrained(parser: argparse._ActionsContainer, verb: str) -> None:
    text = f"{verb} this bundled generator (best, three_network or published_code)"
    parser.add_argument("--pretrained", metavar="NAME", help=text)


def _add_source(parser: argparse.ArgumentParser, positional: bool = False) -> None:
    """The generator to draw with: that of a run, RUN or --run NAME, or a bundled one."""
    source = parser.add_mutually_exclusive_group()
    text = "draw with this run's generator (default: the newest run, or best if there is no run)"
    if positional:
        source.add_argument("run", metavar="RUN", nargs="?", help=text)
    else:
        source.add_argument("--run", metavar="NAME", help=text)
    _add_pretrained(source, "draw with")


# -- options of each command -----------------------------------------------------------------------
def _train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "experiment to train: its name, or the path of your own file (default: three_network)"
    add("--experiment", metavar="NAME", help=text)
    text = "(default: the experiment's)"
    add("--episodes", metavar="N", type=int, help=f"number of episodes {text}")
    add("--batches", metavar="N", type=int, help=f"batches per episode {text}")
    add("--batch-size", metavar="N", type=int, help=f"images per batch {text}")
    _add_seed(parser, default=None)  # the config has the default, and a resumed run its own
    _add_data(parser)
    _add_dataset(parser, default=None)  # a resumed run has its own
    _add_ink(parser)
    text = (
        "held-out images: the test set, or the last 5,000 training images (of fewer than 30,000 a"
        " sixth) (default: test)"
    )
    add("--split", choices=choices_of("split"), help=text)
    add("--run", metavar="NAME", help="name of the run (default: the experiment and the UTC time)")
    _add_train_judge(parser)
    text = "number type to compute in; auto is bfloat16 if the hardware supports it"
    add("--precision", choices=choices_of("precision"), help=f"{text} (default: float32)")
    text = "continue --run, or the newest run, from its last checkpoint"
    add("--resume", action="store_true", help=text)
    text = "set a field of the experiment's config; can be given several times"
    add("--set", metavar="KEY=VALUE", action="append", default=[], help=text)
    _add_folders(parser)


def _sample(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_source(parser)
    add("--count", metavar="N", type=int, default=100, help="number of images (default: 100)")
    text = "digits such as 0123, or classes such as A,B, repeated; cycle is all (default: cycle)"
    add("--labels", metavar="CLASSES", default="cycle", help=text)
    _add_seed(parser)
    _add_noise_seed(parser)
    _add_moments(parser)
    _add_truncation(parser)
    text = "file to write: images uint8 [N, 28, 28] and labels int64 [N]"
    add("--out", metavar="FILE.npz", type=_output_file(".npz"), required=True, help=text)
    _add_folders(parser)


def _add_noise_seed(parser: argparse.ArgumentParser) -> None:
    text = "replace the noise matrix of published_code, as a new process of the 2017 script does"
    parser.add_argument("--noise-seed", metavar="N", type=_whole_number(0, _MAX_SEED), help=text)


def _add_moments(parser: argparse.ArgumentParser) -> None:
    text = "moments of batch normalisation when digits are drawn (default: as published)"
    parser.add_argument("--moments", choices=("running", "batch"), help=text)


def _add_truncation(parser: argparse.ArgumentParser) -> None:
    text = (
        "scale all noise by this factor, 0 to 1: below 1, more typical and less varied images"
        " (default: 1.0)"
    )
    parser.add_argument("--truncation", metavar="T", type=_fraction, default=1.0, help=text)


def _generate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "digits to draw, such as 241256; also a word of classes with names of one character"
    add("number", metavar="NUMBER", nargs="?", help=text)
    text = "classes to draw, by name, with commas between them; instead of NUMBER"
    add("--classes", metavar="A,B,C", help=text)
    _add_source(parser)
    text = "file to write, .png or .npz (default: figures/NUMBER.png)"
    add("--out", metavar="FILE", type=_output_file(".png", ".npz"), help=text)
    text = (
        "write in the style of these pictures of one digit each, of any size, or of images in an"
        " npz file; a digit that they show is written as it is there, others in the mean style"
    )
    add("--style", metavar="FILE", type=_path, nargs="+", action="extend", help=text)
    text = "number of rows, each in another style, or each a little different (default: 1)"
    add("--variants", metavar="N", type=_whole_number(1, 100), default=1, help=text)
    text = "width of each image: 18 pixels (28 if no digit), or that of its ink (default: fixed)"
    add("--spacing", choices=("fixed", "tight"), default="fixed", help=text)
    add("--path", action="store_true", help="print only the path of the file")
    add("--inverted", action="store_true", help="white ink on black, instead of black on white")
    text = "also write each image as a picture to this folder"
    add("--separate", metavar="DIR", type=_path, help=text)
    _add_seed(parser)
    _add_noise_seed(parser)
    _add_moments(parser)
    _add_truncation(parser)
    _add_folders(parser)


def _evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group()
    _add_run(source, "evaluate")
    _add_pretrained(source, "evaluate")
    text = "evaluate an npz with images and labels, an npy, or a folder with a folder per class"
    source.add_argument("--samples", metavar="FILE", type=_path, help=text)
    text = "also train a classifier on samples and test it on real digits (CAS)"
    add("--cas", action="store_true", help=text)
    text = "held-out images to compare with (default: those of the run, otherwise test)"
    add("--split", choices=choices_of("split"), help=text)
    _add_data(parser)
    text = "data set to compare --samples or --pretrained with (default: auto)"
    add("--dataset", metavar="SET", choices=choices_of("dataset"), help=text)
    _add_ink(parser)
    judge = parser.add_mutually_exclusive_group()
    text = "judge from train-judge to score with (default: the bundled or cached one)"
    judge.add_argument("--judge", metavar="FILE.npz", type=_path, help=text)
    _add_train_judge(judge)
    add("--json", metavar="FILE", type=_output_file(), help="also write the report card here")
    _add_moments(parser)
    _add_seed(parser)
    _add_folders(parser)


def _compare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help="runs that have been evaluated")
    text = "one column per experiment: mean ± standard deviation over its runs"
    add("--by-experiment", action="store_true", help=text)
    add("--markdown", action="store_true", help="print a Markdown table")
    text = "picture of the table (default: figures/compare.png)"
    add("--out", metavar="FILE.png", type=_output_file(".png"), help=text)
    _add_folders(parser)


def _sweep(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = (
        "file with the runs, or the name of a bundled one: ablations, choices, path, rates,"
        " reproduce, weights"
    )
    add("spec", metavar="SPEC.toml", help=text)
    add("--full", action="store_true", help="train each system for its own, longer budget")
    text = "number of runs at a time (default: 1)"
    add("--jobs", metavar="N", type=_whole_number(1, 64), default=1, help=text)
    text = "what executes the runs: processes on this machine, or Ray (default: local)"
    add("--engine", choices=("local", "ray"), default="local", help=text)
    text = "address of a Ray cluster for --engine ray (default: Ray on this machine)"
    add("--address", metavar="HOST:PORT", help=text)
    _add_data(parser)
    text = "train nothing, only write the tables and figures of finished runs"
    add("--tables", action="store_true", help=text)
    _add_folders(parser)


def _train_judge(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_seed(parser)
    _add_data(parser)
    _add_dataset(parser, default="auto")
    _add_ink(parser)
    text = "number of training steps (default: twelve epochs, at least 1000, at most 12000)"
    add("--steps", metavar="N", type=int, help=text)
    text = "file to write (default: one in the cache, where train and evaluate find it)"
    add("--out", metavar="FILE.npz", type=_output_file(".npz"), help=text)


def _export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_source(parser, positional=True)
    text = (
        "npz: the weights in float16; keras: a .keras model; savedmodel: a folder; onnx: needs the"
        " package onnx (default: npz)"
    )
    _add_moments(parser)
    add("--format", choices=EXPORT_SUFFIXES, default="npz", help=text)
    add("--out", metavar="FILE", type=_output_file(), required=True, help="file or folder to write")
    _add_folders(parser)


def _export_page(parser: argparse.ArgumentParser) -> None:
    _add_source(parser, positional=True)
    text, page = "file to write (default: digits.html)", _output_file(".html", ".htm")
    parser.add_argument("--out", metavar="FILE.html", type=page, default="digits.html", help=text)
    _add_folders(parser)


def _figures(parser: argparse.ArgumentParser) -> None:
    _add_run(parser, "draw")
    _add_folders(parser)


def _latent(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_source(parser, positional=True)
    text = "digits to draw (default: 3 8 for arithmetic and interpolate, otherwise 3)"
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--digits", metavar="DIGIT", nargs="+", type=int, help=text)
    text = "classes to draw, by name (default: the first or the first two, if they are no digits)"
    what.add_argument("--classes", metavar="A,B", help=text)
    text = "start from the style of a picture of one digit, instead of the seed's first noise"
    add("--from", metavar="FILE", dest="from_file", help=text)
    text = "what to draw; interpolate and sweep also write a GIF (default: arithmetic)"
    add("--mode", choices=WALK_MODES, default="arithmetic", help=text)
    _add_seed(parser)
    _add_truncation(parser)
    text = "picture to write (default: figures/RUN/latent_MODE.png)"
    add("--out", metavar="FILE.png", type=_output_file(".png"), help=text)
    _add_folders(parser)


def _recognise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="pictures of one digit, or of one member of a class, each",
    )
    reader = parser.add_mutually_exclusive_group()
    text = "read with this run's determinator (default: the newest run)"
    reader.add_argument("--run", metavar="NAME", help=text)
    text = "read with the bundled judge, a classifier (default if there is no run)"
    reader.add_argument("--judge", action="store_true", help=text)
    _add_folders(parser)


def _experiments(_: argparse.ArgumentParser) -> None:
    """It has no options."""


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "train": ("Train a system and write its logs, checkpoints and figures.", _train),
    "sample": ("Draw digits, or other classes, into an npz file.", _sample),
    "generate": ("Draw a number, or other classes, as one picture.", _generate),
    "evaluate": ("Score generated digits against real ones: the report card.", _evaluate),
    "compare": ("Print the report cards of several runs side by side.", _compare),
    "sweep": ("Train, evaluate and compare the runs of a sweep file.", _sweep),
    "train-judge": ("Train the judge of a data set, which scores its samples.", _train_judge),
    "export": ("Write a generator for Keras, TensorFlow, ONNX or gan3.", _export),
    "export-page": ("Write a generator as a self-contained web page.", _export_page),
    "figures": ("Draw all figures of a run again.", _figures),
    "latent": ("Draw arithmetic or a walk in a generator's latent space.", _latent),
    "recognise": ("Recognise the digits, or other classes, in pictures.", _recognise),
    "experiments": ("List the experiments that can be trained.", _experiments),
}
