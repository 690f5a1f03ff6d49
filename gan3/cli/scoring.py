"""The commands that score and read images: evaluate, compare, train-judge, recognise."""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

from gan3.cli.drawing import add_moments
from gan3.cli.options import (
    Command,
    add_data,
    add_dataset,
    add_episode,
    add_figure_format,
    add_folders,
    add_ink,
    add_pretrained,
    add_quiet,
    add_run,
    add_seed,
    add_train_judge,
    figure_output,
    has_source,
    log_of,
    open_run,
    open_source,
    output_file,
    path_text,
    whole_number,
)
from gan3.core.classes import DIGITS
from gan3.core.config import choices_of
from gan3.core.errors import UserError


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group()
    add_run(source, "evaluate this run")
    add_pretrained(source, "evaluate this bundled generator")
    add_episode(parser)
    text = "evaluate a file of images (npz, npy or CSV), or a folder of pictures"
    source.add_argument("--samples", metavar="FILE", type=path_text, help=text)
    text = "also train a classifier on samples and test it on real digits (CAS)"
    add("--cas", action="store_true", help=text)
    text = "held-out images to compare with (default: those of the run, otherwise test)"
    add("--split", choices=choices_of("split"), help=text)
    add_data(parser)
    text = "data set to compare --samples or --pretrained with (default: auto)"
    add("--dataset", metavar="SET", choices=choices_of("dataset"), help=text)
    add_ink(parser)
    judge = parser.add_mutually_exclusive_group()
    text = "judge from train-judge to score with (default: the bundled or cached one)"
    judge.add_argument("--judge", metavar="FILE.npz", type=path_text, help=text)
    add_train_judge(judge)
    add("--json", metavar="FILE", type=output_file(), help="also write the report card here")
    add_figure_format(parser)
    add_moments(parser)
    add_quiet(parser)
    add_seed(parser)
    add_folders(parser)


def _evaluate(options: argparse.Namespace) -> int:
    is_of_run = options.samples is None and options.pretrained is None
    of_run = ("moments", "episode", "format", "dpi")
    for option in ("dataset", "ink", "skip_damaged") if is_of_run else of_run:
        value = getattr(options, option)
        if value:
            needed = "--samples or --pretrained; a run has its own" if is_of_run else "a run"
            raise UserError(f"--{option.replace('_', '-')} {value}: only with {needed}")
    # Before NumPy is imported: its threads would wait for each other in many small products.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from gan3 import library
    from gan3.core import files

    if options.json is not None:
        files.check_writable(options.json)
    names = ("data", "judge", "train_judge", "cas", "seed")
    options_of_all = {name: getattr(options, name) for name in names} | {"log": log_of(options)}
    if is_of_run:
        run = open_run(options)
        card = run.evaluate(
            split=options.split,
            episode=options.episode,
            moments=options.moments,
            **options_of_all,
        )
    else:
        is_bundled = options.pretrained is not None
        card = library.evaluate(
            library.find(pretrained=options.pretrained) if is_bundled else Path(options.samples),
            dataset=options.dataset or "auto",
            ink=options.ink or "unknown",
            skip_damaged=bool(options.skip_damaged),
            split=options.split or "test",
            **options_of_all,
        )
    if options.format or options.dpi:
        for path in card.save_figures(run, figure_output(options)):
            options_of_all["log"](f"written: {path}")
    if options.json is not None:
        files.make_folder(options.json.parent)
        files.write_json(options.json, card.values | {"seconds": card.seconds})
    return 0


def _add_compare(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help="runs that have been evaluated")
    text = "one column per experiment: mean ± standard deviation over its runs"
    add("--by-experiment", action="store_true", help=text)
    add("--markdown", action="store_true", help="print a Markdown table")
    add("--json", action="store_true", help="print the means of each column as JSON")
    text = "picture of quality against diversity (default: figures/compare.png)"
    add("--out", metavar="FILE.png", type=output_file(".png"), help=text)
    add_figure_format(parser)
    add_folders(parser)


def _compare(options: argparse.Namespace) -> int:
    from gan3 import library
    from gan3.core import files

    out = options.out or Path(options.figures) / "compare.png"
    files.check_writable(out)
    compared = library.compare(
        options.runs,
        by_experiment=options.by_experiment,
        logs=options.logs,
        figures=options.figures,
    )
    if options.json:
        print(json.dumps(compared.means, indent=2))
    else:
        print("\n".join(compared.markdown()) if options.markdown else compared.text())
    if drawn := compared.save(out, figure_output(options)):
        print(f"written: {drawn}", file=sys.stderr)
    return 0


def _add_train_judge(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_seed(parser)
    add_data(parser)
    add_dataset(parser, default="auto")
    add_ink(parser)
    text = "number of training steps (default: twelve epochs, at least 1000, at most 12000)"
    add("--steps", metavar="N", type=whole_number(1, 1_000_000), help=text)
    text = "file to write (default: one in the cache, where train and evaluate find it)"
    add("--out", metavar="FILE.npz", type=output_file(".npz"), help=text)
    add_quiet(parser)


def _train_judge(options: argparse.Namespace) -> int:
    from gan3 import library

    library.train_judge(
        options.data,
        dataset=options.dataset,
        ink=options.ink or "unknown",
        skip_damaged=bool(options.skip_damaged),
        path=options.out,
        steps=options.steps,
        seed=options.seed,
        log=log_of(options),
    )
    return 0


def _add_recognise(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=path_text,
        help="pictures of one digit, or of one member of a class, each; or files of many",
    )
    reader = parser.add_mutually_exclusive_group()
    add_run(reader, "read with this run's determinator")
    add_pretrained(reader, "read with this bundled determinator")
    add_episode(parser)
    text = "read with the bundled judge, a classifier (default if there is no run)"
    reader.add_argument("--judge", action="store_true", help=text)
    text = "print the probabilities of all classes as JSON"
    parser.add_argument("--json", action="store_true", help=text)
    add_folders(parser)


def _recognise(options: argparse.Namespace) -> int:
    from gan3 import library
    from gan3.demo.digit_reader import read_files
    from gan3.demo.styles import SURE

    classes, reader, trained = DIGITS, "the judge", None
    if options.judge and options.episode is not None:
        raise UserError(f"--episode {options.episode}: with a run only; leave it out")
    if not options.judge and has_source(options):
        trained = open_source(options)
        classes, reader = trained.class_names, trained.description
    names, images = read_files(options.files, classes)
    if trained is None:
        recognised = library.recognise(images)
    else:
        recognised = library.recognise_by(trained, images, partial(print, file=sys.stderr))
    read = []
    for name, row in zip(names, recognised.probabilities, strict=True):
        label = classes[row.argmax()]
        probabilities = dict(zip(classes, row.tolist(), strict=True))
        read.append({"file": name, "class": label, "probabilities": probabilities})
        if not options.json:
            unsure = ", unsure" if row.max() < SURE else ""
            print(f"{name}: {label} ({row.max():.1%}{unsure}, read by {reader})")
    if options.json:
        print(json.dumps({"reader": reader, "images": read}, indent=2))
    return 0


COMMANDS = {
    "evaluate": Command(
        "Score generated digits against real ones: the report card.", _add_evaluate, _evaluate
    ),
    "compare": Command(
        "Print the report cards of several runs side by side.", _add_compare, _compare
    ),
    "train-judge": Command(
        "Train the judge of a data set, which scores its samples.", _add_train_judge, _train_judge
    ),
    "recognise": Command(
        "Recognise the digits, or other classes, in pictures.", _add_recognise, _recognise
    ),
}
