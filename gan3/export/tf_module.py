"""A generator as a TensorFlow SavedModel: any system, with its own layers."""

import os
import shutil
from pathlib import Path

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.files import cannot_write, check_path, make_folder
from gan3.export.interface import entries_of, label_input
from gan3.method.system import System


def save(folder: Path, system: System, name: str) -> None:
    """Write the generator to a folder that does not exist yet.

    Its signature `serving_default` takes `noise` [B, entries], and `digit` int32 [B] if digits can
    be requested (`label` for other classes), and returns `images` [B, 28, 28] in 0..1. Raises
    UserError if the folder exists or cannot be written.
    """
    if check_path(folder.exists):
        raise UserError(f"{folder}: exists already; name a new folder for the export of {name}")
    module = tf.Module(name="generator")
    module.weights = list(system.generator_weights.values())
    noise = tf.TensorSpec([None, entries_of(system)], tf.float32, name="noise")

    def generate(noise: tf.Tensor, labels: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        labels = tf.zeros(tf.shape(noise)[:1], tf.int32) if labels is None else labels
        return {"images": system.generate(labels, noise)}

    def generate_digit(noise: tf.Tensor, digit: tf.Tensor) -> dict[str, tf.Tensor]:
        return generate(noise, digit)

    def generate_label(noise: tf.Tensor, label: tf.Tensor) -> dict[str, tf.Tensor]:
        return generate(noise, label)

    signature, traced = {"noise": noise}, generate
    if system.class_conditional:
        name_of_input = label_input(system)
        signature[name_of_input] = tf.TensorSpec([None], tf.int32, name=name_of_input)
        traced = generate_digit if name_of_input == "digit" else generate_label
    module.generate = tf.function(traced, autograph=False)
    concrete = module.generate.get_concrete_function(**signature)
    make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        tf.saved_model.save(module, str(temporary), signatures=concrete)
        temporary.rename(folder)
    except (OSError, tf.errors.OpError) as error:
        raise cannot_write(folder, error) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
