"""The options of every command. No TensorFlow: `--help` is shown at once."""

import argparse
from typing import NoReturn

from gan3.core.config import choices_of


class _Parser(argparse.ArgumentParser):
    """An argument that does not fit is one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, one_line(f"{self.prog}: {message}; {self.prog} --help says more") + "\n")


def one_line(text: str) -> str:
    """With escapes for line breaks and whatever else would not show: names may hold anything."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gan3", description="The three-network digit GAN.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(command=name)
        return made

    def add_folders(made: argparse.ArgumentParser) -> None:
        made.add_argument("--logs", default="logs", help="folder of the runs' numbers")
        made.add_argument("--figures", default="figures", help="folder of the runs' pictures")

    train = add("train", "train a system by its schedule")
    train.add_argument("--experiment", metavar="NAME", help="default: three_network")
    train.add_argument("--episodes", type=int, help="episodes of the schedule")
    train.add_argument("--batches", type=int, help="batches an episode")
    train.add_argument("--batch-size", type=int, help="images a batch")
    train.add_argument("--seed", type=int, help="of everything that is drawn")
    train.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    train.add_argument("--dataset", choices=choices_of("dataset"), help="default: auto")
    train.add_argument("--split", choices=choices_of("split"), help="what is held out")
    train.add_argument("--run", metavar="NAME", help="default: the experiment and the time")
    train.add_argument("--precision", choices=choices_of("precision"), help="of the arithmetic")
    train.add_argument("--resume", action="store_true", help="go on with --run (the newest)")
    train.add_argument(
        "--strategy",
        choices=("mirrored", "multiworker"),
        help="share each batch out: to this machine's GPUs, or to the workers of TF_CONFIG",
    )
    train.add_argument(
        "--replicas", type=int, metavar="N", help="of mirrored: GPUs (all), or processor parts"
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any field of the config"
    )
    add_folders(train)

    sample = add("sample", "draw digits into an npz file")
    _add_source(sample)
    sample.add_argument("--count", type=int, default=100, help="how many (100)")
    sample.add_argument("--labels", default="cycle", help="cycle, or digits such as 0123")
    sample.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    sample.add_argument("--out", required=True, metavar="FILE.npz", help="images and labels")
    add_folders(sample)

    generate = add("generate", "write a number as one picture")
    generate.add_argument("number", metavar="NUMBER", help="digits, such as 241256")
    _add_source(generate)
    generate.add_argument("--out", metavar="FILE", help=".png or .npz; figures/NUMBER.png")
    generate.add_argument("--variants", type=int, default=1, help="rows, a hand each (1)")
    generate.add_argument("--spacing", choices=("fixed", "tight"), default="fixed")
    generate.add_argument("--path", action="store_true", help="print the file's path, no more")
    generate.add_argument("--inverted", action="store_true", help="white ink on black")
    generate.add_argument("--separate", metavar="DIR", help="each digit as a picture, too")
    generate.add_argument("--seed", type=int, default=0, help="another seed, another hand (0)")
    add_folders(generate)

    evaluate = add("evaluate", "score digits beside real ones: the report card")
    evaluate.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    source = evaluate.add_mutually_exclusive_group()
    source.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")
    source.add_argument("--samples", metavar="FILE.npz", help="images, and labels if there are any")
    evaluate.add_argument("--cas", action="store_true", help="also train a classifier on samples")
    evaluate.add_argument("--split", choices=choices_of("split"), help="what the run held out")
    evaluate.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    evaluate.add_argument("--dataset", choices=choices_of("dataset"), help="of --samples: auto")
    evaluate.add_argument("--judge", metavar="FILE.npz", help="another judge, of train-judge")
    evaluate.add_argument("--json", metavar="FILE", help="write the card there, too")
    evaluate.add_argument("--seed", type=int, default=0, help="of the noise and the resampling (0)")
    add_folders(evaluate)

    compare = add("compare", "report cards of runs side by side")
    compare.add_argument("runs", nargs="+", metavar="RUN", help="runs that were evaluated")
    compare.add_argument("--by-experiment", action="store_true", help="mean ± deviation over seeds")
    compare.add_argument("--markdown", action="store_true", help="print a Markdown table")
    compare.add_argument("--out", metavar="FILE.png", help="default: figures/compare.png")
    add_folders(compare)

    sweep = add("sweep", "train and score many runs, and set them side by side")
    sweep.add_argument("spec", metavar="SPEC.toml", help="see experiments/sweeps/")
    sweep.add_argument("--full", action="store_true", help="by each system's own, longer budget")
    sweep.add_argument("--jobs", type=int, default=1, help="runs at a time on this machine (1)")
    sweep.add_argument("--engine", choices=("local", "ray"), default="local", help="who runs them")
    sweep.add_argument("--address", metavar="HOST:PORT", help="of the Ray cluster that is to do it")
    sweep.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    sweep.add_argument("--tables", action="store_true", help="train nothing; draw what is done")
    add_folders(sweep)

    train_judge = add("train-judge", "train the classifier that scores digits")
    train_judge.add_argument("--seed", type=int, default=0, help="of everything drawn (0)")
    train_judge.add_argument("--data", metavar="DIR", help="where to look for MNIST first")
    train_judge.add_argument("--steps", type=int, help="fewer, for a quick try")
    train_judge.add_argument("--out", default="judge.npz", metavar="FILE.npz", help="judge.npz")

    export = add("export", "write a run's generator as gan3 ships them: float16, no more")
    export.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    export.add_argument("--out", required=True, metavar="FILE.npz", help="its weights")
    add_folders(export)

    page = add("export-page", "write a web page that draws digits by itself")
    _add_run_or_pretrained(page)
    page.add_argument("--out", default="digits.html", metavar="FILE.html", help="digits.html")
    add_folders(page)

    explore = add("explore", "a window: pick a digit, move its noise, save it")
    _add_run_or_pretrained(explore)
    explore.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    add_folders(explore)

    figures = add("figures", "draw all figures of a run again")
    figures.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    add_folders(figures)

    latent = add("latent", "arithmetic and walks in the noise: a sheet, and a GIF of it")
    _add_run_or_pretrained(latent)
    latent.add_argument(
        "--digits", nargs="+", type=int, metavar="DIGIT", help="3 8, or 3 for a grid and a sweep"
    )
    latent.add_argument(
        "--mode", choices=("arithmetic", "interpolate", "grid", "sweep"), default="arithmetic"
    )
    latent.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    latent.add_argument("--out", metavar="FILE.png", help="default: figures/RUN/latent_MODE.png")
    add_folders(latent)

    recognise = add("recognise", "read digits in pictures: the judge or a determinator")
    recognise.add_argument("files", nargs="+", metavar="FILE", help="pictures of one digit each")
    reader = recognise.add_mutually_exclusive_group()
    reader.add_argument("--run", metavar="NAME", help="whose determinator (the newest run's)")
    reader.add_argument("--judge", action="store_true", help="by the judge, as where no run is")
    add_folders(recognise)

    add("experiments", "list what can be trained")
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--run", metavar="NAME", help="whose generator (the newest run's)")
    source.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")


def _add_run_or_pretrained(parser: argparse.ArgumentParser) -> None:
    """The same for commands whose run is named without an option; `_refuse_two_sources` checks."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    parser.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")
