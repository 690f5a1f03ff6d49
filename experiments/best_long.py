"""`best` with four times as many images, and with 20 numbers for the noise.

With 2,000 batches per episode the discriminator learns the training images by heart
(docs/best.md).
"""

import dataclasses

from . import best

CONFIG = dataclasses.replace(
    best.CONFIG,
    experiment="best_long",
    batches=800,
    noise_entries=20,
    reconstruction_weight=0.05,
)

build = best.build
generator = best.generator
determinator = best.determinator
