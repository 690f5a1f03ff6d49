"""The commands that train: train, figures, sweep, config, experiments."""

import argparse
import json
import sys
import textwrap
from pathlib import Path

from gan3.cli.options import (
    Command,
    add_data,
    add_dataset,
    add_figure_format,
    add_folders,
    add_ink,
    add_quiet,
    add_run,
    add_seed,
    add_train_judge,
    figure_output,
    log_of,
    one_line,
    open_run,
    path_text,
    whole_number,
)
from gan3.core.classes import DIGITS
from gan3.core.config import as_text, choices_of
from gan3.core.errors import StoppedError, UserError

_DEFAULT_EXPERIMENT = "three_network"


# -- train -----------------------------------------------------------------------------------------
def _add_train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "experiment to train: its name, or the path of your own file (default: three_network)"
    add("--experiment", metavar="NAME", help=text)
    text = "(default: the experiment's)"
    add("--episodes", metavar="N", type=int, help=f"number of episodes {text}")
    add("--batches", metavar="N", type=int, help=f"batches per episode {text}")
    add("--batch-size", metavar="N", type=int, help=f"images per batch {text}")
    text = "episodes without a better Fréchet distance after which it stops (default: never)"
    add("--patience", metavar="N", type=int, help=text)
    text = "start from the weights of this run, bundled generator or file"
    add("--init", metavar="RUN|FILE.npz", type=path_text, help=text)
    add_seed(parser, default=None)  # the config has the default, and a resumed run its own
    add_data(parser)
    add_dataset(parser, default=None)  # a resumed run has its own
    add_ink(parser)
    text = (
        "held-out images: the test set, or the last 5,000 training images (of fewer than 30,000 a"
        " sixth) (default: test)"
    )
    add("--split", choices=choices_of("split"), help=text)
    add("--run", metavar="NAME", help="name of the run (default: the experiment and the UTC time)")
    add_train_judge(parser)
    text = (
        "number type to compute in; auto is bfloat16 where the hardware multiplies it faster"
        " (default: the experiment's)"
    )
    add("--precision", choices=choices_of("precision"), help=text)
    text = "continue --run, or the newest run, from its last checkpoint"
    add("--resume", action="store_true", help=text)
    add_quiet(parser)
    text = "set a field of the experiment's config; can be given several times"
    add("--set", metavar="KEY=VALUE", action="append", default=[], help=text)
    add_folders(parser)


def _train(options: argparse.Namespace) -> int:
    from gan3 import library

    keys = ("batches", "batch_size", "seed", "dataset", "ink", "split", "precision", "skip_damaged")
    settings = {key: getattr(options, key) for key in ("episodes", "patience", "init", *keys)}
    settings = {key: value for key, value in settings.items() if value is not None}
    for setting in options.set:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: needs KEY=VALUE, such as seed=1")
        settings[key] = text
    of_both = {"data": options.data, "train_judge": options.train_judge}
    of_both["progress"] = not options.quiet
    try:
        if options.resume:
            run = open_run(options)
            if options.experiment not in (None, run.config.experiment, run.config.source):
                raise UserError(
                    f"--experiment {options.experiment}: run {run.name} is of"
                    f" {run.config.experiment}; leave it out"
                )
            run.resume(settings=settings, **of_both)
        else:
            run = library.train(
                _DEFAULT_EXPERIMENT if options.experiment is None else options.experiment,
                settings=settings,
                name=options.run,
                logs=options.logs,
                figures=options.figures,
                **of_both,
            )
    except StoppedError as stopped:
        print(
            "gan3: stopped; the state is saved, continue with make resume or --resume",
            file=sys.stderr,
        )
        return 128 + stopped.signal_number
    if not options.quiet:
        commands = ["gan3 generate 241256", "gan3 evaluate", "gan3 export-page"]
        if Path("gan3/cli").is_dir():  # a checkout
            commands = ["make generate", "make evaluate", "make page"]
        if run.class_names != DIGITS or not run.generator().class_conditional:
            del commands[0]  # it draws no number
        print(f"next: {', '.join(commands)} (trained on {run.data_title})")
    return 0


# -- figures, sweep, config and experiments --------------------------------------------------------
def _add_figures(parser: argparse.ArgumentParser) -> None:
    add_run(parser, "draw this run")
    add_figure_format(parser)
    add_quiet(parser)
    add_folders(parser)


def _figures(options: argparse.Namespace) -> int:
    open_run(options).draw(log_of(options), figure_output(options))
    return 0


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = (
        "file with the runs, or the name of a bundled one: ablations, balance, departures, rates,"
        " reproduce, weights"
    )
    add("spec", metavar="SPEC.toml", help=text)
    add("--full", action="store_true", help="train each system for its own, longer budget")
    text = "number of runs at a time (default: 1)"
    add("--jobs", metavar="N", type=whole_number(1, 64), default=1, help=text)
    text = "what executes the runs: processes on this machine, or Ray (default: local)"
    add("--engine", choices=("local", "ray"), default="local", help=text)
    text = "address of a Ray cluster for --engine ray (default: Ray on this machine)"
    add("--address", metavar="HOST:PORT", help=text)
    add_data(parser)
    text = "train nothing, only write the tables and figures of finished runs"
    add("--tables", action="store_true", help=text)
    add_figure_format(parser)
    add_quiet(parser)
    add_folders(parser)


def _sweep(options: argparse.Namespace) -> int:
    if options.address and options.engine != "ray":
        raise UserError(f"--address {options.address}: with --engine ray only")
    from gan3.sweeps import spec, sweep

    folders = {"logs": options.logs, "figures_folder": options.figures}
    runs = spec.read(Path(options.spec), options.full)
    failures = []
    if not options.tables:
        failures = sweep.run(
            runs,
            data=options.data,
            jobs=options.jobs,
            engine=options.engine,
            address=options.address,
            log=log_of(options),
            **folders,
        )
    for failure in failures:
        print(one_line(f"gan3: {failure}"), file=sys.stderr)
    if failures and not sweep.read_scored(runs, **folders):
        return 1  # there is nothing to write
    output, log = figure_output(options), log_of(options)
    sweep.write(runs, data=options.data, output=output, log=log, **folders)
    return 1 if failures else 0


def _add_experiments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print names and summaries as JSON")


def _experiments(options: argparse.Namespace) -> int:
    from gan3 import library

    experiments = library.experiments()
    if options.json:
        print(json.dumps({name: summary for name, summary, _ in experiments}, indent=2))
        return 0
    for name, summary, file in experiments:
        line = f"{name:21} {summary}" + (f" [{file}]" if file else "")
        print(textwrap.fill(line, 80, subsequent_indent=22 * " ", break_on_hyphens=False))
    return 0


def _add_config(parser: argparse.ArgumentParser) -> None:
    text = "experiment: its name, or the path of your own file"
    parser.add_argument("experiment", metavar="EXPERIMENT", help=text)
    parser.add_argument("--json", action="store_true", help="print the fields as JSON")


def _config(options: argparse.Namespace) -> int:
    from gan3 import library

    fields = library.config_of(options.experiment).described()
    if options.json:
        print(json.dumps(fields, indent=2))
        return 0
    for name, field in fields.items():
        value = field["value"]
        is_each = isinstance(value, dict)  # one value for each network
        print(f"{name} = {as_text(list(value.values()) if is_each else value)}")
        text = "; ".join(filter(None, (field["type"], field["says"])))
        print(textwrap.fill(text, 80, initial_indent=4 * " ", subsequent_indent=4 * " "))
    return 0


COMMANDS = {
    "train": Command(
        "Train a system and write its logs, checkpoints and figures.", _add_train, _train
    ),
    "figures": Command("Draw all figures of a run again.", _add_figures, _figures),
    "sweep": Command("Train, evaluate and compare the runs of a sweep file.", _add_sweep, _sweep),
    "config": Command(
        "List every setting of an experiment, with its values and what it does.",
        _add_config,
        _config,
    ),
    "experiments": Command(
        "List the experiments that can be trained.", _add_experiments, _experiments
    ),
}
