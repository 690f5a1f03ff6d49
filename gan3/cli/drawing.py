"""The commands that use a trained generator: sample, generate, latent, export, export-page."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gan3.cli.options import (
    Command,
    add_folders,
    add_seed,
    add_source,
    one_line,
    open_source,
    output_file,
    path_text,
    whole_number,
)
from gan3.core.classes import file_name, images_noun, noun
from gan3.core.errors import UserError
from gan3.core.options import (
    EXPORT_SUFFIXES,
    MAX_COUNT,
    MOST_VARIANTS,
    TRIES,
    WALK_MODES,
    truncation_text,
)
from gan3.core.startup import import_tensorflow

if TYPE_CHECKING:
    from gan3.demo.styles import Reading
    from gan3.models.generator import Generator


# -- options of drawing ----------------------------------------------------------------------------
def add_moments(parser: argparse.ArgumentParser) -> None:
    text = "moments of batch normalisation when digits are drawn (default: as published)"
    parser.add_argument("--moments", choices=("running", "batch"), help=text)


def _add_truncation(parser: argparse.ArgumentParser) -> None:
    text = (
        "scale all noise by this factor, 0 to 1: below 1, more typical and less varied images"
        " (default: 1.0)"
    )
    parser.add_argument("--truncation", metavar="T", type=float, default=1.0, help=text)


def _add_generator(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    add_seed(parser)
    text = "replace the noise matrix of published_code, as a new process of the 2017 script does"
    parser.add_argument("--noise-seed", metavar="N", type=int, help=text)
    add_moments(parser)
    _add_truncation(parser)
    add_folders(parser)


def _open_generator(options: argparse.Namespace) -> "Generator":
    """The generator that the options name, with the options above."""
    generator = open_source(options).generator()
    return generator.change(options.noise_seed, options.moments, options.truncation)


def _drawn_by(generator: "Generator", remark: str = "") -> str:
    """For the output: what has drawn, and how."""
    by = f"drawn by {generator.source.description}"
    return f"({', '.join(filter(None, (by, truncation_text(generator.truncation), remark)))})"


# -- sample ----------------------------------------------------------------------------------------
def _add_sample(parser: argparse.ArgumentParser) -> None:
    add, count = parser.add_argument, whole_number(1, MAX_COUNT)
    add("--count", metavar="N", type=count, default=100, help="number of images (default: 100)")
    text = "digits such as 0123, or classes such as A,B, repeated (default: all)"
    add("--labels", metavar="CLASSES", help=text)
    text = (
        "file to write, with images uint8 [N, 28, 28] and labels int64 [N]; or a new folder, for"
        " one picture a file in a folder for each class"
    )
    add("--out", metavar="FILE.npz|DIR", type=_npz_or_folder, required=True, help=text)
    _add_generator(parser)


def _npz_or_folder(text: str) -> Path:
    """The path of an npz file to write, or of a folder, whose name has no ending."""
    path = Path(text)
    return path if path.name not in ("", "..") and not path.suffix else output_file(".npz")(text)


def _sample(options: argparse.Namespace) -> int:
    generator = _open_generator(options)
    samples = generator.sample(options.count, options.labels, seed=options.seed)
    samples.save(options.out)
    kind = images_noun(generator.class_names)
    print(f"{len(samples.images)} {kind}: {options.out} {_drawn_by(generator)}")
    return 0


# -- generate --------------------------------------------------------------------------------------
def _add_generate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "digits to draw, such as 241256, or other classes, such as HELLO or A,B,C"
    add("number", metavar="NUMBER", help=text)
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
    add("--scale", metavar="N", type=whole_number(1, 32), help=text)
    text = "width of each image: that of its ink, or 18 pixels (28 if no digit) (default: tight)"
    add("--spacing", choices=("fixed", "tight"), help=text)
    text = "draw each image once, instead of the most readable of four by the determinator"
    add("--uncurated", action="store_true", help=text)
    add("--inverted", action="store_true", help="white ink on black, instead of black on white")
    text = "also write each image as a picture to this folder"
    add("--separate", metavar="DIR", type=path_text, help=text)
    _add_generator(parser)


def _generate(options: argparse.Namespace) -> int:
    if options.out is None:
        stem = file_name(options.number)[:40]
        truncation = truncation_text(options.truncation).replace(" ", "")
        options.out = Path(options.figures, f"{stem}{truncation and f'_{truncation}'}.png")
    is_npz = options.out.suffix.lower() == ".npz"
    if is_npz and (options.inverted or options.scale or options.spacing):
        raise UserError(
            f"--out {options.out}: an npz file has whole images, white on black; leave out"
            " --inverted, --scale and --spacing"
        )
    generator, style = _open_generator(options), None
    if options.style is not None:
        from gan3.demo import styles

        generator.labels(options.number, "number")  # a wrong number is refused first
        style = styles.by_class(_read_styles(options.style, generator), len(generator.class_names))
    elif generator.has_fixed_noise and options.variants > 1:
        each = noun(generator.class_names)
        _note(f"one image of each {each}, so all rows are equal; see --noise-seed")
    is_curated = generator.is_curated and style is None and not options.uncurated
    number = generator.write(
        options.number,
        seed=options.seed,
        variants=options.variants,
        style=style,
        curated=is_curated,
    )
    if is_npz:
        number.save(options.out)
    else:
        number.picture(
            rows=options.variants,
            inverted=options.inverted,
            tight=options.spacing != "fixed",
            scale=options.scale or 8,
        ).save(options.out)
    if options.separate:
        number.save_pictures(options.separate, "{number:04d}_{label}.png", options.inverted)
    remark = f"the best of {TRIES} tries" if is_curated else ""
    print(f"{options.number}: {options.out} {_drawn_by(generator, remark)}")
    return 0


def _read_styles(files: list[str], generator: "Generator") -> "list[Reading]":
    """What is read from pictures of handwriting, which is printed."""
    from gan3.demo import styles

    readings = [styles.read(Path(file), generator) for file in files]
    for reading in readings:
        print(one_line(reading.text))
        if reading.note is not None:
            _note(reading.note)
    return readings


def _note(text: str) -> None:
    print(one_line(f"NOTE: {text}"), file=sys.stderr)


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
    from gan3.demo import latent_walks

    trained = open_source(options)
    generator, start = trained.generator().change(truncation=options.truncation), None
    labels = None if options.labels is None else generator.labels(options.labels).tolist()
    if options.from_file is not None:
        (reading,) = _read_styles([options.from_file], generator)
        start = reading.noise.mean(axis=0)
        labels = reading.labels[:1].tolist() if labels is None else labels
    walk = latent_walks.make_walk(generator, labels, options.mode, options.seed, start)
    folder = Path(options.figures) / ("" if trained.run is None else trained.name)
    out = options.out or folder / f"latent_{options.mode}.png"
    animation = walk.save(out, trained.title)
    print(f"{walk.title}: {out} (drawn by {trained.description})")
    if animation is not None:
        print(f"animation: {animation}")
    return 0


# -- export and export-page ------------------------------------------------------------------------
def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_source(parser)
    add_moments(parser)
    text = (
        "npz, safetensors: the weights in float16; keras: a .keras model; savedmodel: a folder;"
        " safetensors and onnx need the packages of these names (default: npz)"
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
    has_weights_only = options.format in ("npz", "safetensors")
    if options.moments is not None and has_weights_only:
        raise UserError(f"--moments {options.moments}: {options.format} files have weights only")
    trained, note = open_source(options), ""
    if has_weights_only:
        note = f", SHA-256 {trained.save(options.out, _log)}"
    else:
        import_tensorflow()
        from gan3.core import files
        from gan3.export import keras_model, onnx_model, tf_module

        files.make_folder(options.out.parent)
        generator = trained.generator().change(moments=options.moments)
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
    from gan3.demo import web_page

    trained = open_source(options)
    problem = web_page.export(options.out, trained, _log)
    note = "" if problem is None else f" (without what its checkpoint has: {problem})"
    print(f"{trained.description}: {options.out}{note}")
    return 0


def _log(line: str) -> None:
    print(f"gan3: {line}", file=sys.stderr)


COMMANDS = {
    "sample": Command(
        "Draw digits, or other classes, into a file or folder.", _add_sample, _sample
    ),
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
