"""A generator as a TensorFlow SavedModel: its Keras model, traced."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from gan3.core.classes import label_input
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.export import keras_model

if TYPE_CHECKING:
    from gan3.models.generator import Generator


def save(folder: Path, generator: "Generator", name: str) -> None:
    """Write the generator to a folder that does not exist yet.

    Its signature `serving_default` takes `noise` [B, entries], and `digit` int32 [B] if digits can
    be requested (`label` for other classes), and returns `images` [B, 28, 28]. Raises UserError if
    the folder exists or cannot be written.
    """
    if folder.exists():
        raise UserError(f"{folder}: exists already; name a new folder for the export of {name}")
    module = tf.Module(name="generator")
    module.model = keras_model.build(generator)
    inputs = {"noise": tf.TensorSpec([None, generator.noise_entries], tf.float32, name="noise")}
    if generator.class_conditional:
        label = label_input(generator.class_names)
        inputs[label] = tf.TensorSpec([None], tf.int32, name=label)

    @tf.function(autograph=False)
    def generate(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"images": module.model(inputs)}

    module.generate = generate
    concrete = generate.get_concrete_function(**inputs)
    make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        tf.saved_model.save(module, str(temporary), signatures=concrete)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
