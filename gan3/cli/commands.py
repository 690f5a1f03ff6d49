"""The command line. TensorFlow is imported only after the arguments have been understood."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from gan3.cli.parser import one_line
from gan3.core.config import RunConfig
from gan3.core.errors import UserError
from gan3.runs.registry import config_from_dict


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
    from gan3.runs.registry import config_of

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
    from gan3.training import interruption, loop

    try:
        loop.train(
            config,
            name=options.run,
            logs=options.logs,
            figures_folder=options.figures,
            data=options.data,
            resume=options.resume,
            strategy=options.strategy,
            replicas=options.replicas,
        )
    except interruption.StoppedError as stopped:
        print("gan3: stopped; the state is saved, make resume goes on", file=sys.stderr)
        return 128 + stopped.signal_number
    return 0


def _recorded(options: argparse.Namespace) -> tuple[RunConfig, str]:
    """RunConfig and name of the run to be resumed."""
    from gan3.runs import run_files

    name = run_files.newest(options.logs) if options.run is None else options.run
    record = run_files.read_record(
        run_files.run_folders(name, options.logs, options.figures).record
    )
    config = config_from_dict(record.get("config"))
    if options.experiment not in (None, config.experiment):
        raise UserError(f"run {name}: is of {config.experiment}, not of {options.experiment}")
    return config, name


def _configured(config: RunConfig, options: argparse.Namespace) -> RunConfig:
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
    from gan3.core import files
    from gan3.runs import sampling

    labels = sampling.parse_labels(options.count, options.labels)
    system, _, by = _source(options)
    if not system.class_conditional and options.labels != "cycle":
        raise UserError(f"--labels {options.labels}: this system cannot be asked for a digit")
    parts = sampling.Sampler(system).parts(labels, (options.seed, 0))
    files.make_folder(out.parent)
    arrays = {"images": files.Parts((len(labels), 28, 28), "uint8", parts)}
    if system.class_conditional:
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

    from gan3.core import files
    from gan3.plots import grids, numbers
    from gan3.runs import sampling

    digits = numbers.parse_number(options.number)
    system, _, by = _source(options)
    if not system.class_conditional:
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
        rows = [numbers.number_image(images, options.inverted, tight) for images in hands]
        grids.save_picture(numbers.stack_rows(rows, options.inverted), out)
    if options.separate:
        files.make_folder(Path(options.separate))
        for place, image in enumerate(np.concatenate(hands), start=1):
            picture = image if options.inverted else 255 - image
            digit = digits[(place - 1) % len(digits)]
            grids.save_picture(picture, Path(options.separate) / f"{place:04d}_{digit}.png")
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
    from gan3.core import files
    from gan3.evaluation import report_card

    shared = {
        "data": options.data,
        "judge_file": Path(options.judge) if options.judge else None,
        "cas": options.cas,
        "seed": options.seed,
    }
    if options.samples is not None or options.pretrained is not None:
        shared |= {"dataset": options.dataset or "auto", "split": options.split or "test"}
        if options.samples is not None:
            card = report_card.evaluate_samples(Path(options.samples), **shared)
        else:
            card = report_card.evaluate_pretrained(options.pretrained, **shared)
    else:
        card = report_card.evaluate_run(
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
    from gan3.core import files
    from gan3.evaluation import comparison
    from gan3.plots import cards, grids
    from gan3.plots import sweeps as sweep_plots

    found = comparison.compare(options.runs, options.logs, options.figures, options.by_experiment)
    print("\n".join(found.markdown() if options.markdown else found.text()))
    files.make_folder(out.parent)
    title = "Report cards side by side, the best bold"
    grids.save(cards.table(found.columns, found.titled(), title), out)
    spread = out.with_name(f"{out.stem}_spread.png")
    grids.save(sweep_plots.tradeoff(found.column_means(), "Accuracy against diversity"), spread)
    print(f"drawn: {out}, {spread}", file=sys.stderr)
    return 0


def _sweep(options: argparse.Namespace) -> int:
    if not 1 <= options.jobs <= 64:
        raise UserError(f"--jobs {options.jobs}: from 1 to 64")
    if options.address and options.engine != "ray":
        raise UserError(f"--address {options.address}: of a Ray cluster; --engine ray with it")
    import_tensorflow()
    from gan3.sweeps import spec, sweep

    folders = {"logs": options.logs, "figures_folder": options.figures}
    read = spec.read(Path(options.spec), options.full)
    failed = []
    if not options.tables:
        who = {"jobs": options.jobs, "engine": options.engine, "address": options.address}
        failed = sweep.run(read, data=options.data, **who, **folders)
    for line in failed:
        print(one_line(f"gan3: {line}"), file=sys.stderr)
    sweep.write(read, data=options.data, **folders)
    return 1 if failed else 0


def _train_judge(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    out = _file_to_write("--out", options.out, kinds=(".npz",))
    import_tensorflow()
    from gan3.evaluation import judge

    steps = judge.STEPS if options.steps is None else options.steps
    judge.make(out, options.seed, options.data, steps)
    return 0


def _export(options: argparse.Namespace) -> int:
    out = _file_to_write("--out", options.out, kinds=(".npz",))
    import_tensorflow()
    from gan3.core import files
    from gan3.runs import pretrained, trained

    trained = trained.open_run(options.run, options.logs, options.figures)
    files.make_folder(out.parent)
    print(f"{trained.folders.name}: {out}, SHA-256 {pretrained.save(out, trained.system)}")
    return 0


def _export_page(options: argparse.Namespace) -> int:
    _refuse_two_sources(options)
    out = _file_to_write("--out", options.out, kinds=(".html", ".htm"))
    import_tensorflow()
    from gan3.core import files
    from gan3.demo import web_page

    system, name, by = _source(options)
    files.make_folder(out.parent)
    web_page.write(out, system, name)
    print(f"{name}: {out}{by}")
    return 0


def _explore(options: argparse.Namespace) -> int:
    _refuse_two_sources(options)
    _check_seed(options.seed)
    import_tensorflow()
    from gan3.demo import explore

    system, name, by = _source(options)
    explore.open_window(system, name, Path(options.figures) / name, options.seed)
    return 0


def _refuse_two_sources(options: argparse.Namespace) -> None:
    if options.run is not None and options.pretrained is not None:
        raise UserError(f"run {options.run}: beside it no --pretrained")


def _figures(options: argparse.Namespace) -> int:
    import_tensorflow()
    from gan3.runs import trained
    from gan3.training import run_figures

    run_figures.draw(trained.open_run(options.run, options.logs, options.figures), print)
    return 0


def _latent(options: argparse.Namespace) -> int:
    _check_seed(options.seed)
    _refuse_two_sources(options)
    out = _file_to_write("--out", options.out, kinds=(".png",))
    import_tensorflow()
    from gan3.core import files
    from gan3.demo import latent_walks
    from gan3.plots import grids

    system, name, by = _source(options)
    if out is None:
        trained = options.pretrained is None and not by
        out = Path(options.figures) / (name if trained else "") / f"latent_{options.mode}.png"
    walk = latent_walks.make_walk(system, options.digits, options.mode, options.seed)
    files.make_folder(out.parent)
    title = f"{name} · {walk.title}"
    columns = len(walk.over)
    grids.save(grids.grid(walk.images, columns, title, walk.over, walk.beside), out)
    print(f"{walk.title}: {out}{by}")
    if walk.frames is not None:
        moving = out.with_suffix(".gif")
        frames = [
            grids.pixels(grids.grid(images, len(images), title, walk.beside))
            for images in walk.frames
        ]
        grids.progression(frames + frames[-2:0:-1], moving, 0.08, 0.08)
        print(f"moving: {moving}")
    return 0


def _recognise(options: argparse.Namespace) -> int:
    import_tensorflow()
    import numpy as np

    from gan3.demo import digit_reader
    from gan3.evaluation import judge
    from gan3.runs import run_files, sampling, trained

    pictures = np.stack([digit_reader.read_picture(Path(file)) for file in options.files])
    if options.judge or (options.run is None and not run_files.has_runs(options.logs)):
        found = judge.load_bundled().probabilities(pictures)
    else:
        trained = trained.open_run(options.run, options.logs, options.figures)
        if not trained.system.has_classifier:
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
    from gan3.runs import registry

    for name in registry.names():
        print(f"{name:18} {registry.summary_of(name)}")
    return 0


def _source(options: argparse.Namespace):
    """The system that is to draw, its name, and by whom, to be said when it has drawn.

    Where nothing was named or trained it is the generator that comes along.
    """
    from gan3.runs import pretrained, run_files, trained

    if options.pretrained is not None:
        return pretrained.load_pretrained(options.pretrained), options.pretrained, ""
    if options.run is None and not run_files.has_runs(options.logs):
        by = f" (no run in {options.logs}: by the generator of best that comes with gan3)"
        return pretrained.load_pretrained("best"), "best", by
    trained = trained.open_run(options.run, options.logs, options.figures)
    return trained.system, trained.folders.name, ""


def _file_to_write(
    option: str, text: str | None, default: Path | None = None, kinds: tuple[str, ...] = ()
) -> Path | None:
    """The path that an option names, or `default` where it was not given.

    kinds: the suffixes of what can be written; none: any.
    """
    from gan3.core.files import check_path

    if text is None:
        return default
    path = Path(text)
    if not path.name or check_path(path.is_dir):
        raise UserError(f"{option} {text!r}: not the name of a file; name the one to be written")
    if kinds and path.suffix.lower() not in kinds:
        raise UserError(f"{option} {text!r}: the file's name ends in {' or '.join(kinds)}")
    return path


def _check_seed(seed: int) -> None:
    if not 0 <= seed < 2**31:
        raise UserError(f"--seed {seed}: from 0 to {2**31 - 1}")


COMMANDS = {
    "train": _train,
    "sample": _sample,
    "generate": _generate,
    "evaluate": _evaluate,
    "compare": _compare,
    "sweep": _sweep,
    "train-judge": _train_judge,
    "export": _export,
    "export-page": _export_page,
    "explore": _explore,
    "figures": _figures,
    "latent": _latent,
    "recognise": _recognise,
    "experiments": _experiments,
}
