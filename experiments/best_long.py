"""`best` with 2,000 batches per episode: two million images."""

import dataclasses

from . import best

CONFIG = dataclasses.replace(best.CONFIG, experiment="best_long", batches=2000)

build = best.build
generator = best.generator
determinator = best.determinator
