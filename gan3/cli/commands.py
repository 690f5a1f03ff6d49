"""What each command does. TensorFlow is imported after the arguments have been checked."""

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gan3.cli.parser import one_line
from gan3.core.classes import (
    DIGITS,
    file_name,
    images_noun,
    labels_of_list,
    labels_of_names,
    noun,
    nouns,
)
from gan3.core.config import RunConfig
from gan3.core.errors import StoppedError, UserError
from gan3.core.options import EXPORT_SUFFIXES
from gan3.core.startup import import_tensorflow
from gan3.runs import registry

if TYPE_CHECKING:
    import numpy as np

    from gan3.demo.styles import Reading
    from gan3.models.determinator import Determinator, Encoder
    from gan3.models.generator import Generator
    from gan3.runs.trained import FinishedRun

_DEFAULT_EXPERIMENT = "three_network"


# -- training --------------------------------------------------------------------------------------
def _train(options: argparse.Namespace) -> int:
    config, name = _config_to_train(options)
    import_tensorflow()
    from gan3.training import loop

    try:
        loop.train(
            config,
            name=name,
            logs=options.logs,
            figures_folder=options.figures,
            data=options.data,
            resume=options.resume,
            train_judge=options.train_judge,
        )
    except StoppedError as stopped:
        print(
            "gan3: stopped; the state is saved, continue with make resume or --resume",
            file=sys.stderr,
        )
        return 128 + stopped.signal_number
    return 0


def _config_to_train(options: argparse.Namespace) -> tuple[RunConfig, str | None]:
    """The config with all options applied, and the name of the run if it has one yet."""
    name = options.run
    experiment = _DEFAULT_EXPERIMENT if options.experiment is None else options.experiment
    if options.resume:
        config, name = _config_to_resume(options)
    else:
        config = registry.config_of(experiment)
    keys = ("episodes", "batches", "batch_size", "seed", "dataset", "ink", "split", "precision")
    for key in keys:
        value = getattr(options, key)
        if value is not None:
            config = config.with_text(key, str(value))
    for setting in options.set:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: needs KEY=VALUE, such as seed=1")
        config = config.with_text(key, text)
    return config, name


def _config_to_resume(options: argparse.Namespace) -> tuple[RunConfig, str]:
    """The recorded config and the name of the run to resume."""
    from gan3.runs import run_files

    name = run_files.newest(options.logs) if options.run is None else options.run
    record = run_files.read_record(
        run_files.run_folders(name, options.logs, options.figures).record
    )
    config = registry.config_from_dict(record.get("config"))
    if options.experiment is not None and registry.config_of(options.experiment).source != (
        config.source
    ):
        raise UserError(
            f"--experiment {options.experiment}: run {name} is of {config.experiment}; leave it out"
        )
    return config, name


def _figures(options: argparse.Namespace) -> int:
    import_tensorflow()
    from gan3.runs import trained
    from gan3.training import run_figures

    run_figures.draw(trained.find_run(options.run, options.logs, options.figures), print)
    return 0


def _experiments(_: argparse.Namespace) -> int:
    lines = [f"{name:21} {registry.summary_of(name)}" for name in registry.names()]
    for name in registry.own_names():
        lines.append(f"{name:21} {registry.summary_of(name)} [{registry.OWN_FOLDER / name}.py]")
    for line in lines:
        print(textwrap.fill(line, 80, subsequent_indent=22 * " ", break_on_hyphens=False))
    return 0


# -- drawing images --------------------------------------------------------------------------------
class _Source(NamedTuple):
    """The generator to draw with."""

    generator: "Generator"
    name: str  # of the run, or of the bundled generator
    title: str  # for figures; that of a run names its data
    run: "FinishedRun | None"  # if it is one
    note: str  # for the output: which generator it is, if the user named none


def _bundled_name(options: argparse.Namespace) -> tuple[str | None, str]:
    """The bundled generator to use, if any, and a note: `best` if there is no run at all."""
    from gan3.runs import run_files

    if options.pretrained is not None or options.run is not None:
        return options.pretrained, ""
    if run_files.has_runs(options.logs):
        return None, ""
    return "best", f" (no run in {options.logs}: drawn by the bundled generator best)"


def _open_source(options: argparse.Namespace) -> _Source:
    """The generator of --pretrained, or of a run."""
    from gan3.runs import pretrained, trained

    name, note = _bundled_name(options)
    if name is not None:
        return _Source(pretrained.open_pretrained(name), name, name, None, note)
    run = trained.find_run(options.run, options.logs, options.figures)
    title = f"{run.folders.name} · {run.data_title}"
    return _Source(run.generator(), run.folders.name, title, run, note)


def _open_generator(options: argparse.Namespace) -> tuple["Generator", str]:
    """The generator with the options of drawing, and a note for the output."""
    source = _open_source(options)
    generator, note = source.generator, source.note
    if options.noise_seed is not None:
        generator.redraw_noise(options.noise_seed)
    if options.moments is not None:
        generator.use_moments(options.moments)
    if options.truncation < 1:
        generator.truncate(options.truncation)
        note = f", truncation {options.truncation:g}{note}"
    return generator, note


def _open_encoder(options: argparse.Namespace) -> "Encoder":
    """The encoder of the generator that `_open_source` opens."""
    from gan3.runs import pretrained, trained

    name, _ = _bundled_name(options)
    if name is not None:
        return pretrained.open_encoder(name)
    return trained.find_run(options.run, options.logs, options.figures).encoder()


def _read_styles(
    files: list[str], options: argparse.Namespace, names: tuple[str, ...], quiet: bool = False
) -> list["Reading"]:
    """What is read from pictures of handwriting; it is printed unless `quiet`, notes in any case.

    names: of the generator's classes.
    """
    from gan3.demo import styles

    encode = _open_encoder(options)
    readings = [styles.read(Path(file), encode, names) for file in files]
    for reading in readings:
        if not quiet:
            print(one_line(reading.text))
        if reading.note is not None:
            print(one_line(f"NOTE: {reading.note}"), file=sys.stderr)
    return readings


def _sample(options: argparse.Namespace) -> int:
    import numpy as np

    from gan3.api.arguments import as_labels, check_count
    from gan3.core import files

    check_count(options.count)
    sampler, note = _open_generator(options)
    names = sampler.class_names
    if not sampler.class_conditional and options.labels != "cycle":
        raise UserError(
            f"--labels {options.labels}: this system cannot draw requested {nouns(names)}; leave it"
            " out"
        )
    is_cycle = options.labels == "cycle"
    row = np.arange(len(names)) if is_cycle else as_labels(options.labels, names)
    labels = np.resize(row, options.count)
    images = sampler.parts(labels, (options.seed, 0))
    arrays = {"images": files.Parts((len(labels), 28, 28), "uint8", images)}
    if sampler.class_conditional:
        arrays["labels"] = labels
    arrays |= _truncation_array(options)
    files.make_folder(options.out.parent)
    files.write_npz(options.out, arrays)
    print(f"{len(labels)} {images_noun(names)}: {options.out}{note}")
    return 0


def _generate(options: argparse.Namespace) -> int:
    if (options.number is None) == (options.classes is None):
        raise UserError("generate: needs either a number or --classes, such as 241256")
    what = "number" if options.classes is None else "classes"
    requested = options.number if options.classes is None else options.classes
    stem = file_name(requested)[:40]
    if options.truncation < 1:
        stem = f"{stem}_truncation{options.truncation:g}"
    out = options.out or Path(options.figures) / f"{stem}.png"
    is_npz = out.suffix.lower() == ".npz"
    if is_npz and (options.inverted or options.spacing == "tight"):
        raise UserError(
            f"--out {out}: an npz file has whole images, white on black; leave out --inverted and"
            " --spacing"
        )
    import numpy as np

    from gan3.core import files
    from gan3.plots import numbers

    sampler, note = _open_generator(options)
    names = sampler.class_names
    if not sampler.class_conditional:
        raise UserError(
            f"{what} {requested}: this system cannot draw requested {nouns(names)}; name another"
            " run with --run, or use --pretrained best"
        )
    if options.variants > 1 and sampler.has_fixed_noise:
        text = f"NOTE: one image of each {noun(names)}, so all rows are equal; see --noise-seed"
        print(text, file=sys.stderr)
    parse = numbers.parse_number if what == "number" else numbers.parse_classes
    row = parse(requested, names)
    seeds = [(options.seed, number) for number in range(options.variants)]
    if options.style is None:
        variants = [sampler(row, seed) for seed in seeds]
    else:
        from gan3.demo import styles

        readings = _read_styles(options.style, options, names, quiet=options.path)
        noise = options.truncation * styles.by_class(readings, len(names))[row]
        variants = [sampler.draw(row, noise)]  # the style itself, then variants of it
        fresh = [sampler.noise(row, seed) for seed in seeds[1:]]
        variants += [sampler.draw(row, styles.vary(noise, one)) for one in fresh]
    images, labels = np.concatenate(variants), np.tile(row, options.variants)
    files.make_folder(out.parent)
    if is_npz:
        arrays = {"images": images, "labels": labels} | _truncation_array(options)
        files.write_npz(out, arrays)
    else:
        _save_number(variants, out, options, numbers.crop_of(names))
    if options.separate:
        label_names = [file_name(names[label]) for label in labels]
        _save_images(images, label_names, options)
    print(out if options.path else f"{requested}: {out}{note}")
    return 0


def _save_number(
    variants: list["np.ndarray"], out: Path, options: argparse.Namespace, crop: int
) -> None:
    """Write one picture of the images [N, 28, 28] of each variant, a row each.

    crop: columns that each image loses at each side.
    """
    from gan3.plots import numbers

    is_tight = options.spacing == "tight"
    rows = [numbers.number_image(images, options.inverted, is_tight, crop) for images in variants]
    numbers.save_picture(numbers.stack_rows(rows, options.inverted), out, _description(options))


def _save_images(images: "np.ndarray", names: list[str], options: argparse.Namespace) -> None:
    """Write each of the images [N, 28, 28] as a picture, numbered in order, with its name."""
    from gan3.core import files
    from gan3.plots import numbers

    folder = Path(options.separate)
    files.make_folder(folder)
    for number, (image, name) in enumerate(zip(images, names, strict=True), start=1):
        picture = image if options.inverted else 255 - image
        path = folder / f"{number:04d}_{name}.png"
        numbers.save_picture(picture, path, _description(options))


def _description(options: argparse.Namespace) -> str:
    """What a picture's metadata says of it."""
    return "" if options.truncation == 1 else f"truncation {options.truncation:g}"


def _truncation_array(options: argparse.Namespace) -> "dict[str, np.ndarray]":
    """What an npz file of images has besides them: the truncation, if there is one."""
    import numpy as np

    return {} if options.truncation == 1 else {"truncation": np.float64(options.truncation)}


def _latent(options: argparse.Namespace) -> int:
    from gan3.core import files
    from gan3.demo import latent_walks
    from gan3.plots import grids

    source = _open_source(options)
    folder = Path(options.figures) / (source.name if source.run else "")
    out = options.out or folder / f"latent_{options.mode}.png"
    names = source.generator.class_names
    labels, start = _requested_labels(options, names), None
    if options.from_file is not None:
        (reading,) = _read_styles([options.from_file], options, names)
        start = reading.noise.mean(axis=0)
        labels = reading.labels[:1].tolist() if labels is None else labels
    walk = latent_walks.make_walk(
        source.generator, labels, options.mode, options.seed, options.truncation, start
    )
    files.make_folder(out.parent)
    title = f"{source.title} · {walk.title}"
    columns = len(walk.column_labels)
    grids.save(grids.grid(walk.images, columns, title, walk.column_labels, walk.row_labels), out)
    print(f"{walk.title}: {out}{source.note}")
    if walk.frames is not None:
        animation = out.with_suffix(".gif")
        frames = [
            grids.pixels(grids.grid(images, len(images), title, walk.row_labels))
            for images in walk.frames
        ]
        frames += frames[-2:0:-1]  # and back to the start
        grids.progression(frames, animation, 0.08, 0.08)
        print(f"animation: {animation}")
    return 0


def _requested_labels(options: argparse.Namespace, names: tuple[str, ...]) -> list[int] | None:
    """The labels of --digits or --classes; None without either."""
    if options.classes is not None:
        return labels_of_list(options.classes, names, "classes")
    if options.digits is None or names == DIGITS:
        return options.digits
    digits = [str(digit) for digit in options.digits]
    return labels_of_names(digits, names, f"digits {' '.join(digits)[:40]}")


def _export(options: argparse.Namespace) -> int:
    suffix = EXPORT_SUFFIXES[options.format]
    if options.out.suffix.lower() != suffix and suffix:
        raise UserError(
            f"--out {options.out}: the format {options.format} needs a name that ends in {suffix}"
        )
    if options.moments is not None and options.format == "npz":
        raise UserError(
            f"--moments {options.moments}: not in an npz file, which holds weights only"
        )
    from gan3.core import files

    source = _open_source(options)
    generator = source.generator
    if options.moments is not None:
        generator.use_moments(options.moments)
    files.make_folder(options.out.parent)
    if options.format == "npz":
        from gan3.runs import pretrained

        arrays = dict(generator.arrays)
        determinator = _open_determinator(options)
        if determinator is not None and determinator.encoder is not None:
            arrays |= determinator.arrays
        digest = pretrained.save(options.out, arrays)
        print(f"{source.name}: {options.out}, SHA-256 {digest}{source.note}")
        return 0
    import_tensorflow()
    from gan3.export import keras_model, onnx_model, tf_module

    if options.format == "keras":
        keras_model.save(options.out, generator)
    elif options.format == "savedmodel":
        tf_module.save(options.out, generator, source.name)
    else:
        onnx_model.save(options.out, generator, source.name)
    print(f"{source.name}: {options.out}{source.note}")
    return 0


def _open_determinator(options: argparse.Namespace) -> "Determinator | None":
    """The determinator of the generator that `_open_source` opens; None if there is none."""
    from gan3.runs import pretrained, trained

    name, _ = _bundled_name(options)
    if name is not None:
        return pretrained.open_determinator(name)
    run = trained.find_run(options.run, options.logs, options.figures)
    return run.determinator(lambda line: print(f"gan3: {line}", file=sys.stderr))


def _export_page(options: argparse.Namespace) -> int:
    from gan3.core import files
    from gan3.demo import web_page

    source = _open_source(options)
    note = source.note
    try:
        determinator = _open_determinator(options)
    except UserError as error:
        if source.run is None:
            raise
        determinator, note = None, f" (without its determinator: {error})"
    files.make_folder(options.out.parent)
    web_page.write(options.out, source.generator, determinator, source.title)
    print(f"{source.name}: {options.out}{note}")
    return 0


# -- scoring and recognising digits ----------------------------------------------------------------
def _evaluate(options: argparse.Namespace) -> int:
    for option in ("dataset", "ink"):
        value = getattr(options, option)
        if value and options.samples is None and options.pretrained is None:
            raise UserError(
                f"--{option} {value}: with --samples or --pretrained only; a run has its own"
            )
    if options.moments and not (options.samples is None and options.pretrained is None):
        raise UserError(f"--moments {options.moments}: with a run only")
    from gan3.core import files

    if options.json is not None:
        files.check_writable(options.json)
    options_of_all = {
        "data": options.data,
        "judge": options.judge,
        "train_judge": options.train_judge,
        "cas": options.cas,
        "seed": options.seed,
        "log": print,
    }
    if options.samples is None and options.pretrained is None:
        from gan3.api.run import open_run
        from gan3.runs.run_files import newest

        name = newest(options.logs) if options.run is None else options.run
        run = open_run(name, logs=options.logs, figures=options.figures)
        card = run.evaluate(split=options.split, moments=options.moments, **options_of_all)
    else:
        from gan3.api.scoring import evaluate

        card = evaluate(
            options.pretrained if options.samples is None else Path(options.samples),
            dataset=options.dataset or "auto",
            ink=options.ink or "unknown",
            split=options.split or "test",
            **options_of_all,
        )
    if options.json is not None:
        files.make_folder(options.json.parent)
        files.write_json(options.json, card.values | {"seconds": card.seconds})
    return 0


def _compare(options: argparse.Namespace) -> int:
    from gan3.core import files

    out = options.out or Path(options.figures) / "compare.png"
    files.check_writable(out)
    import_tensorflow()
    from gan3.evaluation import comparison
    from gan3.plots import cards, grids
    from gan3.plots import sweeps as sweep_plots

    compared = comparison.compare(
        options.runs, options.logs, options.figures, options.by_experiment
    )
    print("\n".join(compared.markdown() if options.markdown else compared.text()))
    files.make_folder(out.parent)
    title = "Report cards side by side, the best value of each row in bold"
    grids.save(cards.table(compared.columns, compared.titled(), title), out)
    tradeoff = out.with_name(f"{out.stem}_tradeoff.png")
    written = [out]
    pairs = compared.tradeoffs()
    if pairs:
        means = compared.column_means()
        figure = sweep_plots.tradeoff(means, pairs, "Accuracy against diversity")
        grids.save(figure, tradeoff)
        written.append(tradeoff)
    print(f"written: {', '.join(map(str, written))}", file=sys.stderr)
    return 0


def _sweep(options: argparse.Namespace) -> int:
    if options.address and options.engine != "ray":
        raise UserError(f"--address {options.address}: with --engine ray only")
    import_tensorflow()
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
            **folders,
        )
    for failure in failures:
        print(one_line(f"gan3: {failure}"), file=sys.stderr)
    if failures and not sweep.read_scored(runs, **folders):
        return 1  # there is nothing to write
    sweep.write(runs, data=options.data, **folders)
    return 1 if failures else 0


def _train_judge(options: argparse.Namespace) -> int:
    import_tensorflow()
    from gan3.data.datasets import load
    from gan3.evaluation import judge

    dataset = load(options.dataset, options.data, ink=options.ink or "unknown")
    judge.make(dataset, options.out, seed=options.seed, steps=options.steps)
    return 0


def _recognise(options: argparse.Namespace) -> int:
    import numpy as np

    from gan3.demo import digit_reader

    images = np.stack([digit_reader.read_picture(Path(file)) for file in options.files])
    import_tensorflow()  # it takes seconds, so unreadable pictures are refused first
    from gan3.evaluation import judge
    from gan3.runs import run_files, trained

    if options.judge or (options.run is None and not run_files.has_runs(options.logs)):
        probabilities, names = judge.load_bundled().probabilities(images), DIGITS
    else:
        run = trained.find_run(options.run, options.logs, options.figures)
        names = run.class_names
        probabilities = run.probabilities(images, lambda line: print(line, file=sys.stderr))
    for file, row in zip(options.files, probabilities, strict=True):
        print(f"{file}: {names[row.argmax()]} ({row.max():.1%})")
    return 0


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
    "figures": _figures,
    "latent": _latent,
    "recognise": _recognise,
    "experiments": _experiments,
}
