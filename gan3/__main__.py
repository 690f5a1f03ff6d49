"""The command line. TensorFlow is imported only after the arguments have been understood."""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from gan3.config import CHOICES, Config
from gan3.errors import DivergedError, UserError


class _Parser(argparse.ArgumentParser):
    """An argument that does not fit is one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, _one_line(f"{self.prog}: {message}; {self.prog} --help says more") + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and answer its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except UserError as error:
        _complain(str(error))
        return 2
    except DivergedError as error:
        _complain(f"training diverged: {error}")
        return 3
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # the last resort: who knows the file better says it better
        reason = (error.strerror or str(error)).lower()
        _complain(
            f"{error.filename or 'a file'}: cannot be read or written ({reason});"
            " check its path, its rights and the disk"
        )
        return 2


def _complain(message: str) -> None:
    print(_one_line(f"gan3: {message}"), file=sys.stderr)


def _one_line(text: str) -> str:
    """With escapes for line breaks and whatever else would not show: names may hold anything."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gan3", description="The three-network digit GAN.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(command=command)
        return made

    def add_folders(made: argparse.ArgumentParser) -> None:
        made.add_argument("--logs", default="logs", help="folder of the runs' numbers")
        made.add_argument("--figures", default="figures", help="folder of the runs' pictures")

    train = add("train", _train, "train a system by its schedule")
    train.add_argument("--experiment", metavar="NAME", help="default: three_network")
    train.add_argument("--episodes", type=int, help="episodes of the schedule")
    train.add_argument("--batches", type=int, help="batches an episode")
    train.add_argument("--batch-size", type=int, help="images a batch")
    train.add_argument("--seed", type=int, help="of everything that is drawn")
    train.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    train.add_argument("--dataset", choices=CHOICES["dataset"], help="default: auto")
    train.add_argument("--split", choices=CHOICES["split"], help="what is held out")
    train.add_argument("--run", metavar="NAME", help="default: the experiment and the time")
    train.add_argument("--precision", choices=CHOICES["precision"], help="of the arithmetic")
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

    sample = add("sample", _sample, "draw digits into an npz file")
    _add_source(sample)
    sample.add_argument("--count", type=int, default=100, help="how many (100)")
    sample.add_argument("--labels", default="cycle", help="cycle, or digits such as 0123")
    sample.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    sample.add_argument("--out", required=True, metavar="FILE.npz", help="images and labels")
    add_folders(sample)

    generate = add("generate", _generate, "write a number as one picture")
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

    evaluate = add("evaluate", _evaluate, "score digits beside real ones: the report card")
    evaluate.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    source = evaluate.add_mutually_exclusive_group()
    source.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")
    source.add_argument("--samples", metavar="FILE.npz", help="images, and labels if there are any")
    evaluate.add_argument("--cas", action="store_true", help="also train a classifier on samples")
    evaluate.add_argument("--split", choices=CHOICES["split"], help="what the run held out")
    evaluate.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    evaluate.add_argument("--dataset", choices=CHOICES["dataset"], help="of --samples: auto")
    evaluate.add_argument("--judge", metavar="FILE.npz", help="another judge, of train-judge")
    evaluate.add_argument("--json", metavar="FILE", help="write the card there, too")
    evaluate.add_argument("--seed", type=int, default=0, help="of the noise and the resampling (0)")
    add_folders(evaluate)

    compare = add("compare", _compare, "report cards of runs side by side")
    compare.add_argument("runs", nargs="+", metavar="RUN", help="runs that were evaluated")
    compare.add_argument("--by-experiment", action="store_true", help="mean ± deviation over seeds")
    compare.add_argument("--markdown", action="store_true", help="print a Markdown table")
    compare.add_argument("--out", metavar="FILE.png", help="default: figures/compare.png")
    add_folders(compare)

    sweep = add("sweep", _sweep, "train and score many runs, and set them side by side")
    sweep.add_argument("spec", metavar="SPEC.toml", help="see experiments/sweeps/")
    sweep.add_argument("--full", action="store_true", help="by each system's own, longer budget")
    sweep.add_argument("--jobs", type=int, default=1, help="runs at a time on this machine (1)")
    sweep.add_argument("--engine", choices=("local", "ray"), default="local", help="who runs them")
    sweep.add_argument("--address", metavar="HOST:PORT", help="of the Ray cluster that is to do it")
    sweep.add_argument("--data", metavar="DIR", help="where to look for the digits first")
    sweep.add_argument("--tables", action="store_true", help="train nothing; draw what is done")
    add_folders(sweep)

    train_judge = add("train-judge", _train_judge, "train the classifier that scores digits")
    train_judge.add_argument("--seed", type=int, default=0, help="of everything drawn (0)")
    train_judge.add_argument("--data", metavar="DIR", help="where to look for MNIST first")
    train_judge.add_argument("--steps", type=int, help="fewer, for a quick try")
    train_judge.add_argument("--out", default="judge.npz", metavar="FILE.npz", help="judge.npz")

    export = add("export", _export, "write a run's generator as gan3 ships them: float16, no more")
    export.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    export.add_argument("--out", required=True, metavar="FILE.npz", help="its weights")
    add_folders(export)

    page = add("export-page", _export_page, "write a web page that draws digits by itself")
    _add_run_or_pretrained(page)
    page.add_argument("--out", default="digits.html", metavar="FILE.html", help="digits.html")
    add_folders(page)

    explore = add("explore", _explore, "a window: pick a digit, move its noise, save it")
    _add_run_or_pretrained(explore)
    explore.add_argument("--seed", type=int, default=0, help="of the noise (0)")
    add_folders(explore)

    figures = add("figures", _figures, "draw all figures of a run again")
    figures.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    add_folders(figures)

    latent = add("latent", _latent, "arithmetic and walks in the noise: a sheet, and a GIF of it")
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

    recognise = add("recognise", _recognise, "read digits in pictures: the judge or a determinator")
    recognise.add_argument("files", nargs="+", metavar="FILE", help="pictures of one digit each")
    reader = recognise.add_mutually_exclusive_group()
    reader.add_argument("--run", metavar="NAME", help="whose determinator (the newest run's)")
    reader.add_argument("--judge", action="store_true", help="by the judge, as where no run is")
    add_folders(recognise)

    add("experiments", _experiments, "list what can be trained")
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--run", metavar="NAME", help="whose generator (the newest run's)")
    source.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")


def _add_run_or_pretrained(parser: argparse.ArgumentParser) -> None:
    """The same for commands whose run is named without an option; `_refuse_two_sources` checks."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="default: the newest")
    parser.add_argument("--pretrained", metavar="NAME", help="a generator that comes with gan3")


def import_tensorflow() -> None:
    """Import it without its lines on stderr about a GPU that is not there.

    They are written by native code before any logging setting of TensorFlow counts, so the file
    descriptor itself is turned away for the import; what an import error says is shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN's kernels, which TensorFlow takes unasked only where the processor has AVX512-VNNI or
    # AMX: with AVX2 alone a step takes half the time with them.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import tensorflow as tf

            tf.config.list_physical_devices()
            tf.get_logger().setLevel("ERROR")  # what a user must know is said in a line of ours
        except (ImportError, ValueError) as error:  # ValueError: of MPLBACKEND, which it reads
            raise UserError(f"tensorflow: cannot be imported ({error}); make setup") from None
        finally:
            os.dup2(kept, 2)
            os.close(kept)


# -- commands --------------------------------------------------------------------------------------


def _train(options: argparse.Namespace) -> int:
    from gan3.catalogue import config_of

    if options.replicas is not None and options.strategy is None:
        raise UserError(f"--replicas {options.replicas}: with --strategy mirrored only")
    if options.resume:
        try:
            config, options.run = _recorded(options)
        except UserError:
            if options.strategy != "multiworker":
                raise
            # Only the chief, whom `run` asks for its record, has the run's folder.
            config = config_of(options.experiment or "three_network")
    else:
        config = config_of("three_network" if options.experiment is None else options.experiment)
    config = _configured(config, options)
    import_tensorflow()
    from gan3 import run

    try:
        run.train(
            config,
            name=options.run,
            logs=options.logs,
            figures_folder=options.figures,
            data=options.data,
            resume=options.resume,
            strategy=options.strategy,
            replicas=options.replicas,
        )
    except run.StoppedError as stopped:
        print("gan3: stopped; the state is saved, make resume goes on", file=sys.stderr)
        return 128 + stopped.signal_number
    return 0


def _recorded(options: argparse.Namespace) -> tuple[Config, str]:
    """Config and name of the run to be resumed."""
    from gan3 import records

    name = records.newest(options.logs) if options.run is None else options.run
    record = records.read_record(records.folders_of(name, options.logs, options.figures).record)
    config = Config.from_dict(record.get("config"))
    if options.experiment not in (None, config.experiment):
        raise UserError(f"run {name}: is of {config.experiment}, not of {options.experiment}")
    return config, name


def _configured(config: Config, options: argparse.Namespace) -> Config:
    """The experiment's config with what the command line sets."""
    for key in ("episodes", "batches", "batch_size", "seed", "dataset", "split", "precision"):
        value = getattr(options, key)
        if value is not None:
            config = config.with_text(key, str(value))
    for setting in options.set:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: needs KEY=VALUE, such as seed=1")
        config = config.with_text(key, text)
    return config


def _sample(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    out = _file_to_write("--out", options.out, kinds=(".npz",))
    import_tensorflow()
    from gan3 import files, sampling

    labels = sampling.labels_of(options.count, options.labels)
    system, _, by = _source(options)
    if not system.heeds_labels and options.labels != "cycle":
        raise UserError(f"--labels {options.labels}: this system cannot be asked for a digit")
    parts = sampling.Sampler(system).parts(labels, (options.seed, 0))
    files.make_folder(out.parent)
    arrays = {"images": files.Parts((len(labels), 28, 28), "uint8", parts)}
    if system.heeds_labels:
        arrays["labels"] = labels
    files.write_npz(out, arrays)
    print(f"{len(labels)} digits: {out}{by}")
    return 0


def _generate(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    default = Path(options.figures) / f"{options.number[:40]}.png"
    out = _file_to_write("--out", options.out, default, (".png", ".npz"))
    as_arrays = out.suffix.lower() == ".npz"
    if not 1 <= options.variants <= 100:
        raise UserError(f"--variants {options.variants}: from 1 to 100")
    if as_arrays and (options.inverted or options.spacing == "tight"):
        raise UserError(f"--out {out}: digits as drawn; neither --inverted nor --spacing tight")
    import_tensorflow()
    import numpy as np

    from gan3 import figures, files, sampling

    digits = sampling.digits_of(options.number)
    system, _, by = _source(options)
    if not system.heeds_labels:
        raise UserError(
            f"number {options.number}: this system cannot be asked for a digit; name another run"
            " with --run, or --pretrained best"
        )
    sampler = sampling.Sampler(system)
    hands = [sampler(digits, (options.seed, hand)) for hand in range(options.variants)]
    files.make_folder(out.parent)
    if as_arrays:
        labels = np.tile(digits, options.variants)
        files.write_npz(out, {"images": np.concatenate(hands), "labels": labels})
    else:
        tight = options.spacing == "tight"
        rows = [sampling.number_picture(images, options.inverted, tight) for images in hands]
        figures.save_picture(sampling.in_rows(rows, options.inverted), out)
    if options.separate:
        files.make_folder(Path(options.separate))
        for place, image in enumerate(np.concatenate(hands), start=1):
            picture = image if options.inverted else 255 - image
            digit = digits[(place - 1) % len(digits)]
            figures.save_picture(picture, Path(options.separate) / f"{place:04d}_{digit}.png")
    print(out if options.path else f"{options.number}: {out}{by}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    if options.run is not None and (options.samples or options.pretrained):
        raise UserError(f"run {options.run}: beside it neither --samples nor --pretrained")
    if options.dataset and not (options.samples or options.pretrained):
        raise UserError(f"--dataset {options.dataset}: for --samples; a run knows its own")
    json = _file_to_write("--json", options.json)
    import_tensorflow()
    from gan3 import files, report

    shared = {
        "data": options.data,
        "judge_file": Path(options.judge) if options.judge else None,
        "cas": options.cas,
        "seed": options.seed,
    }
    if options.samples is not None or options.pretrained is not None:
        shared |= {"dataset": options.dataset or "auto", "split": options.split or "test"}
        if options.samples is not None:
            card = report.evaluate_file(Path(options.samples), **shared)
        else:
            card = report.evaluate_shipped(options.pretrained, **shared)
    else:
        card = report.evaluate_run(
            options.run,
            logs=options.logs,
            figures_folder=options.figures,
            split=options.split,
            **shared,
        )
    if json:
        files.make_folder(json.parent)
        files.write_json(json, card)
    return 0


def _compare(options: argparse.Namespace) -> int:
    out = _file_to_write("--out", options.out, Path(options.figures) / "compare.png", (".png",))
    import_tensorflow()
    from gan3 import figures, files, report

    found = report.compare(options.runs, options.logs, options.figures, options.by_experiment)
    print("\n".join(found.markdown() if options.markdown else found.text()))
    files.make_folder(out.parent)
    title = "Report cards side by side, the best bold"
    figures.save(figures.table(found.columns, found.titled(), title), out)
    spread = out.with_name(f"{out.stem}_spread.png")
    figures.save(figures.spread(found.lying(), "Accuracy against diversity"), spread)
    print(f"drawn: {out}, {spread}", file=sys.stderr)
    return 0


def _sweep(options: argparse.Namespace) -> int:
    if not 1 <= options.jobs <= 64:
        raise UserError(f"--jobs {options.jobs}: from 1 to 64")
    if options.address and options.engine != "ray":
        raise UserError(f"--address {options.address}: of a Ray cluster; --engine ray with it")
    import_tensorflow()
    from gan3 import specification, sweep

    folders = {"logs": options.logs, "figures_folder": options.figures}
    read = specification.read(Path(options.spec), options.full)
    failed = []
    if not options.tables:
        who = {"jobs": options.jobs, "engine": options.engine, "address": options.address}
        failed = sweep.run(read, data=options.data, **who, **folders)
    for line in failed:
        _complain(line)
    sweep.write(read, data=options.data, **folders)
    return 1 if failed else 0


def _train_judge(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    out = _file_to_write("--out", options.out, kinds=(".npz",))
    import_tensorflow()
    from gan3 import judge

    steps = judge.STEPS if options.steps is None else options.steps
    judge.make(out, options.seed, options.data, steps)
    return 0


def _export(options: argparse.Namespace) -> int:
    out = _file_to_write("--out", options.out, kinds=(".npz",))
    import_tensorflow()
    from gan3 import files, gallery, shipped

    trained = gallery.open_run(options.run, options.logs, options.figures)
    files.make_folder(out.parent)
    print(f"{trained.folders.name}: {out}, SHA-256 {shipped.save(out, trained.system)}")
    return 0


def _export_page(options: argparse.Namespace) -> int:
    _refuse_two_sources(options)
    out = _file_to_write("--out", options.out, kinds=(".html", ".htm"))
    import_tensorflow()
    from gan3 import files, page

    system, name, by = _source(options)
    files.make_folder(out.parent)
    page.write(out, system, name)
    print(f"{name}: {out}{by}")
    return 0


def _explore(options: argparse.Namespace) -> int:
    _refuse_two_sources(options)
    _check_seed(options.seed)
    import_tensorflow()
    from gan3 import explore

    system, name, by = _source(options)
    explore.open_window(system, name, Path(options.figures) / name, options.seed)
    return 0


def _refuse_two_sources(options: argparse.Namespace) -> None:
    if options.run is not None and options.pretrained is not None:
        raise UserError(f"run {options.run}: beside it no --pretrained")


def _figures(options: argparse.Namespace) -> int:
    import_tensorflow()
    from gan3 import gallery

    gallery.draw(gallery.open_run(options.run, options.logs, options.figures), print)
    return 0


def _latent(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    _refuse_two_sources(options)
    out = _file_to_write("--out", options.out, kinds=(".png",))
    import_tensorflow()
    from gan3 import figures, files, latent

    system, name, by = _source(options)
    if out is None:
        trained = options.pretrained is None and not by
        out = Path(options.figures) / (name if trained else "") / f"latent_{options.mode}.png"
    walk = latent.look(system, options.digits, options.mode, options.seed)
    files.make_folder(out.parent)
    title = f"{name} · {walk.title}"
    columns = len(walk.over)
    figures.save(figures.grid(walk.images, columns, title, walk.over, walk.beside), out)
    print(f"{walk.title}: {out}{by}")
    if walk.frames is not None:
        moving = out.with_suffix(".gif")
        frames = [
            figures.pixels(figures.grid(images, len(images), title, walk.beside))
            for images in walk.frames
        ]
        figures.progression(frames + frames[-2:0:-1], moving, 0.08, 0.08)
        print(f"moving: {moving}")
    return 0


def _recognise(options: argparse.Namespace) -> int:
    import_tensorflow()
    import numpy as np

    from gan3 import gallery, judge, records, sampling

    pictures = np.stack([sampling.read_picture(Path(file)) for file in options.files])
    if options.judge or (options.run is None and not records.has_runs(options.logs)):
        found = judge.shipped().probabilities(pictures)
    else:
        trained = gallery.open_run(options.run, options.logs, options.figures)
        if not trained.system.recognises:
            raise UserError(
                f"run {trained.folders.name}: {trained.config.experiment} has no determinator;"
                " name another with --run, or --judge"
            )
        # The determinator's weights are in no episode file.
        trained.use_checkpoint(lambda line: print(line, file=sys.stderr))
        found = sampling.probabilities(trained.system, pictures)
    for file, row in zip(options.files, found, strict=True):
        print(f"{file}: {row.argmax()} ({row.max():.1%})")
    return 0


def _experiments(_: argparse.Namespace) -> int:
    from gan3 import catalogue

    for name in catalogue.names():
        print(f"{name:18} {catalogue.summary_of(name)}")
    return 0


def _source(options: argparse.Namespace):
    """The system that is to draw, its name, and by whom, to be said when it has drawn.

    Where nothing was named or trained it is the generator that comes along.
    """
    from gan3 import gallery, records, shipped

    if options.pretrained is not None:
        return shipped.open_shipped(options.pretrained), options.pretrained, ""
    if options.run is None and not records.has_runs(options.logs):
        by = f" (no run in {options.logs}: by the generator of best that comes with gan3)"
        return shipped.open_shipped("best"), "best", by
    trained = gallery.open_run(options.run, options.logs, options.figures)
    return trained.system, trained.folders.name, ""


def _file_to_write(
    option: str, text: str | None, default: Path | None = None, kinds: tuple[str, ...] = ()
) -> Path | None:
    """The path that an option names, or `default` where it was not given.

    kinds: the suffixes of what can be written; none: any.
    """
    from gan3.files import there

    if text is None:
        return default
    path = Path(text)
    if not path.name or there(path.is_dir):
        raise UserError(f"{option} {text!r}: not the name of a file; name the one to be written")
    if kinds and path.suffix.lower() not in kinds:
        raise UserError(f"{option} {text!r}: the file's name ends in {' or '.join(kinds)}")
    return path


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed {seed}: from 0 to {2**31 - 1}")


if __name__ == "__main__":
    sys.exit(main())
