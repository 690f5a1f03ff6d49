"""The commands that use a trained generator: sample, generate, latent, export, export-page."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gan3.cli.options import (
    MAX_SEED,
    Command,
    add_folders,
    add_seed,
    add_source,
    fraction,
    one_line,
    open_source,
    output_file,
    path_text,
    whole_number,
)
from gan3.core.classes import file_name, images_noun, noun
from gan3.core.errors import UserError
from gan3.core.options import EXPORT_SUFFIXES, MAX_COUNT, MOST_VARIANTS, TRIES, WALK_MODES
from gan3.core.startup import import_tensorflow

if TYPE_CHECKING:
    import numpy as np

    from gan3.demo.styles import Reading
    from gan3.models.generator import Generator
    from gan3.runs.trained import Trained


# -- options of drawing ----------------------------------------------------------------------------
def _add_noise_seed(parser: argparse.ArgumentParser) -> None:
    text = "replace the noise matrix of published_code, as a new process of the 2017 script does"
    parser.add_argument("--noise-seed", metavar="N", type=whole_number(0, MAX_SEED), help=text)


def add_moments(parser: argparse.ArgumentParser) -> None:
    text = "moments of batch normalisation when digits are drawn (default: as published)"
    parser.add_argument("--moments", choices=("running", "batch"), help=text)


def _add_truncation(parser: argparse.ArgumentParser) -> None:
    text = (
        "scale all noise by this factor, 0 to 1: below 1, more typical and less varied images"
        " (default: 1.0)"
    )
    parser.add_argument("--truncation", metavar="T", type=fraction, default=1.0, help=text)


def _open_generator(options: argparse.Namespace) -> "tuple[Trained, Generator]":
    """What the options name, and its generator with the options above."""
    trained = open_source(options)
    generator = trained.generator()
    return trained, generator.change(options.noise_seed, options.moments, options.truncation)


def _drawn_by(trained: "Trained", options: argparse.Namespace, remark: str = "") -> str:
    """For the output: what has drawn, and how."""
    truncation = "" if options.truncation == 1 else f", truncation {options.truncation:g}"
    return f" (drawn by {trained.description}{truncation}{remark})"


def _truncation_array(options: argparse.Namespace) -> "dict[str, np.ndarray]":
    """What an npz file of images has besides them: the truncation, if there is one."""
    import numpy as np

    return {} if options.truncation == 1 else {"truncation": np.float64(options.truncation)}


# -- sample ----------------------------------------------------------------------------------------
def _add_sample(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_source(parser)
    count = whole_number(1, MAX_COUNT)
    add("--count", metavar="N", type=count, default=100, help="number of images (default: 100)")
    text = "digits such as 0123, or classes such as A,B, repeated (default: all)"
    add("--labels", metavar="CLASSES", help=text)
    add_seed(parser)
    _add_noise_seed(parser)
    add_moments(parser)
    _add_truncation(parser)
    text = (
        "file to write, with images uint8 [N, 28, 28] and labels int64 [N]; or a new folder, for"
        " one picture a file in a folder for each class"
    )
    add("--out", metavar="FILE.npz|DIR", type=_npz_or_folder, required=True, help=text)
    add_folders(parser)


def _npz_or_folder(text: str) -> Path:
    """The path of an npz file to write, or of a folder, whose name has no ending."""
    path = Path(text)
    return path if path.name not in ("", "..") and not path.suffix else output_file(".npz")(text)


def _sample(options: argparse.Namespace) -> int:
    from gan3.core import files

    trained, generator = _open_generator(options)
    images, labels = generator.sample(options.count, options.labels, seed=options.seed)
    if options.out.suffix:
        arrays = {"images": images} | _truncation_array(options)
        if labels is not None:
            arrays["labels"] = labels
        files.make_folder(options.out.parent)
        files.write_npz(options.out, arrays)
    else:
        classes, folders = [None] * len(images), [""] * len(images)
        if labels is not None:
            classes = [generator.class_names[label] for label in labels]
            folders = [f"{file_name(name)}/" for name in classes]
        names = [f"{folder}{number:06d}" for number, folder in enumerate(folders, start=1)]
        _save_images(options.out, names, images, classes, options)
    drawn_by = _drawn_by(trained, options)
    print(f"{len(images)} {images_noun(generator.class_names)}: {options.out}{drawn_by}")
    return 0


# -- generate --------------------------------------------------------------------------------------
def _add_generate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "digits to draw, such as 241256, or other classes, such as HELLO or A,B,C"
    add("number", metavar="NUMBER", help=text)
    add_source(parser)
    text = "file to write, .png or .npz (default: figures/NUMBER.png)"
    add("--out", metavar="FILE", type=output_file(".png", ".npz"), help=text)
    text = (
        "write in the style of these pictures of one digit each, of any size, or of images in an"
        " npz file; a digit that they show is written as it is there, others in the mean style"
    )
    add("--style", metavar="FILE", type=path_text, nargs="+", action="extend", help=text)
    text = "number of rows, each in another style, or each a little different (default: 1)"
    add("--variants", metavar="N", type=whole_number(1, MOST_VARIANTS), default=1, help=text)
    text = "pixels of the picture for each pixel of the images (default: 8)"
    add("--scale", metavar="N", type=whole_number(1, 32), default=8, help=text)
    text = "width of each image: that of its ink, or 18 pixels (28 if no digit) (default: tight)"
    add("--spacing", choices=("fixed", "tight"), default="tight", help=text)
    text = "draw each image once, instead of the most readable of four by the determinator"
    add("--uncurated", action="store_true", help=text)
    add("--path", action="store_true", help="print only the path of the file")
    add("--inverted", action="store_true", help="white ink on black, instead of black on white")
    text = "also write each image as a picture to this folder"
    add("--separate", metavar="DIR", type=path_text, help=text)
    add_seed(parser)
    _add_noise_seed(parser)
    add_moments(parser)
    _add_truncation(parser)
    add_folders(parser)


def _generate(options: argparse.Namespace) -> int:
    stem = file_name(options.number)[:40]
    if options.truncation < 1:
        stem = f"{stem}_truncation{options.truncation:g}"
    out = options.out or Path(options.figures) / f"{stem}.png"
    is_npz = out.suffix.lower() == ".npz"
    if is_npz and options.inverted:
        raise UserError(
            f"--out {out}: an npz file has whole images, white on black; leave out --inverted"
        )
    import numpy as np

    from gan3.core import files
    from gan3.plots import numbers

    trained, generator = _open_generator(options)
    names, remark = generator.class_names, ""
    row = generator.labels(options.number, "number")
    numbers.check_length(row, names)
    if options.variants > 1 and generator.has_fixed_noise:
        text = f"NOTE: one image of each {noun(names)}, so all rows are equal; see --noise-seed"
        print(text, file=sys.stderr)
    seeds = [(options.seed, number) for number in range(options.variants)]
    determinator = None
    if not (options.uncurated or options.style or generator.has_fixed_noise):
        determinator = trained.stored_determinator()
    if determinator is not None:
        remark = f", the best of {TRIES} tries"
        variants = [generator.best_of(row, seed, determinator.classify) for seed in seeds]
    elif options.style is None:
        variants = [generator(row, seed) for seed in seeds]
    else:
        from gan3.demo import styles

        readings = _read_styles(options.style, generator, quiet=options.path)
        noise = options.truncation * styles.by_class(readings, len(names))[row]
        variants = [generator.draw(row, noise)]  # the style itself, then variants of it
        fresh = [generator.noise(row, seed=seed) for seed in seeds[1:]]
        variants += [generator.draw(row, styles.vary(noise, one)) for one in fresh]
    images, labels = np.concatenate(variants), np.tile(row, options.variants)
    files.make_folder(out.parent)
    if is_npz:
        arrays = {"images": images, "labels": labels} | _truncation_array(options)
        files.write_npz(out, arrays)
    else:
        _save_number(variants, out, options, numbers.crop_of(names))
    if options.separate:
        classes = [names[label] for label in labels]
        pictures = images if options.inverted else 255 - images
        numbered = [f"{i:04d}_{file_name(name)}" for i, name in enumerate(classes, start=1)]
        _save_images(Path(options.separate), numbered, pictures, classes, options)
    drawn_by = _drawn_by(trained, options, remark)
    print(out if options.path else f"{options.number}: {out}{drawn_by}")
    return 0


def _read_styles(files: list[str], generator: "Generator", quiet: bool = False) -> "list[Reading]":
    """What is read from pictures of handwriting; printed unless `quiet`, notes in any case."""
    from gan3.demo import styles

    readings = [styles.read(Path(file), generator) for file in files]
    for reading in readings:
        if not quiet:
            print(one_line(reading.text))
        if reading.note is not None:
            print(one_line(f"NOTE: {reading.note}"), file=sys.stderr)
    return readings


def _save_number(
    variants: "list[np.ndarray]", out: Path, options: argparse.Namespace, crop: int
) -> None:
    """Write one picture of the images [N, 28, 28] of each variant, a row each.

    crop: columns that each image loses at each side.
    """
    from gan3.plots import numbers

    is_tight = options.spacing == "tight"
    rows = [numbers.number_image(images, options.inverted, is_tight, crop) for images in variants]
    picture = numbers.enlarge(numbers.stack_rows(rows, options.inverted), options.scale)
    numbers.save_picture(picture, out, _description(options))


def _save_images(
    folder: Path,
    names: list[str],
    images: "Iterable[np.ndarray]",
    classes: list[str | None],
    options: argparse.Namespace,
) -> None:
    """Write each of the images [28, 28] as a picture of this name, with its class in a list."""
    from gan3.plots import numbers

    files = (f"{name}.png" for name in names)
    pictures = zip(files, images, classes, strict=True)
    numbers.save_pictures(folder, pictures, _description(options))


def _description(options: argparse.Namespace) -> str:
    """What a picture's metadata says of it."""
    return "" if options.truncation == 1 else f"truncation {options.truncation:g}"


# -- latent ----------------------------------------------------------------------------------------
def _add_latent(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_source(parser)
    text = (
        "digits such as 38, or classes such as A,B, to draw (default: 3 and 8 or the first two for"
        " arithmetic and interpolate, otherwise the first of them)"
    )
    add("--labels", metavar="CLASSES", help=text)
    text = "start from the style of a picture of one digit, instead of the seed's first noise"
    add("--from", metavar="FILE", type=path_text, dest="from_file", help=text)
    text = "what to draw; interpolate and sweep also write a GIF (default: arithmetic)"
    add("--mode", choices=WALK_MODES, default="arithmetic", help=text)
    add_seed(parser)
    _add_truncation(parser)
    text = "picture to write (default: figures/RUN/latent_MODE.png)"
    add("--out", metavar="FILE.png", type=output_file(".png"), help=text)
    add_folders(parser)


def _latent(options: argparse.Namespace) -> int:
    from gan3.core import files
    from gan3.demo import latent_walks
    from gan3.plots import grids

    trained = open_source(options)
    generator, start = trained.generator(), None
    folder = Path(options.figures) / ("" if trained.episode is None else trained.name)
    out = options.out or folder / f"latent_{options.mode}.png"
    labels = None if options.labels is None else generator.labels(options.labels).tolist()
    if options.from_file is not None:
        (reading,) = _read_styles([options.from_file], generator)
        start = reading.noise.mean(axis=0)
        labels = reading.labels[:1].tolist() if labels is None else labels
    walk = latent_walks.make_walk(
        generator, labels, options.mode, options.seed, options.truncation, start
    )
    files.make_folder(out.parent)
    title = f"{trained.title} · {walk.title}"
    columns = len(walk.column_labels)
    grids.save(grids.grid(walk.images, columns, title, walk.column_labels, walk.row_labels), out)
    print(f"{walk.title}: {out} (drawn by {trained.description})")
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


# -- export and export-page ------------------------------------------------------------------------
def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_source(parser)
    add_moments(parser)
    text = (
        "npz: the weights in float16; keras: a .keras model; savedmodel: a folder; onnx: needs the"
        " package onnx (default: npz)"
    )
    add("--format", choices=EXPORT_SUFFIXES, default="npz", help=text)
    add("--out", metavar="FILE", type=output_file(), required=True, help="file or folder to write")
    add_folders(parser)


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

    trained, note = open_source(options), ""
    generator = trained.generator().change(moments=options.moments)
    files.make_folder(options.out.parent)
    if options.format == "npz":
        from gan3.runs import pretrained

        arrays = dict(generator.arrays)
        if trained.has_encoder:
            arrays |= trained.determinator(_log).arrays
        note = f", SHA-256 {pretrained.save(options.out, trained, arrays)}"
    else:
        import_tensorflow()
        from gan3.export import keras_model, onnx_model, tf_module

        if options.format == "keras":
            keras_model.save(options.out, generator)
        elif options.format == "savedmodel":
            tf_module.save(options.out, generator, trained.name)
        else:
            onnx_model.save(options.out, generator, trained.name)
    print(f"{trained.description}: {options.out}{note}")
    return 0


def _add_page(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    text, page = "file to write (default: digits.html)", output_file(".html", ".htm")
    parser.add_argument("--out", metavar="FILE.html", type=page, default="digits.html", help=text)
    add_folders(parser)


def _export_page(options: argparse.Namespace) -> int:
    from gan3.core import files
    from gan3.demo import web_page

    trained, note = open_source(options), ""
    generator, determinator = trained.generator(), None
    try:
        determinator = trained.determinator(_log)
    except UserError as error:
        if trained.episode is None:  # a bundled file is damaged
            raise
        note = f" (without its determinator: {error})"
    files.make_folder(options.out.parent)
    web_page.write(options.out, generator, determinator, trained.title)
    print(f"{trained.description}: {options.out}{note}")
    return 0


def _log(line: str) -> None:
    print(f"gan3: {line}", file=sys.stderr)


COMMANDS = {
    "sample": Command("Draw digits, or other classes, into an npz file.", _add_sample, _sample),
    "generate": Command(
        "Draw a number, or other classes, as one picture.", _add_generate, _generate
    ),
    "latent": Command(
        "Draw arithmetic or a walk in a generator's latent space.", _add_latent, _latent
    ),
    "export": Command(
        "Write a generator for Keras, TensorFlow, ONNX or gan3.", _add_export, _export
    ),
    "export-page": Command(
        "Write a generator as a self-contained web page.", _add_page, _export_page
    ),
}
