"""A generator as a TensorFlow SavedModel: any system, with its own layers."""

import os
import shutil
from pathlib import Path

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import cannot_write, check_path, make_folder
from gan3.export.interface import entries_of
from gan3.method.system import System


def save(folder: Path, system: System, name: str) -> None:
    """Write the generator to a folder that does not exist yet.

    Its signature `serving_default` takes `noise` [B, entries], and `digit` int32 [B] if digits can
    be requested, and returns `images` [B, 28, 28] in 0..1. Raises UserError if the folder exists or
    cannot be written.
    """
    if check_path(folder.exists):
        raise UserError(f"{folder}: exists already; name a new folder for the export of {name}")
    module = tf.Module(name="generator")
    module.weights = list(system.generator_weights.values())
    noise = tf.TensorSpec([None, entries_of(system)], tf.float32, name="noise")

    def generate(noise: tf.Tensor, digit: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        labels = tf.zeros(tf.shape(noise)[:1], tf.int32) if digit is None else digit
        return {"images": system.generate(labels, noise)}

    signature = {"noise": noise}
    if system.class_conditional:
        signature["digit"] = tf.TensorSpec([None], tf.int32, name="digit")
    module.generate = tf.function(generate, autograph=False)
    concrete = module.generate.get_concrete_function(**signature)
    make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        tf.saved_model.save(module, str(temporary), signatures=concrete)
        temporary.rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
