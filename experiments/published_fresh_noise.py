"""The published script with one change: new noise for every image.

Source: that of published_code.py (docs/sources.md).

This separates what the fixed noise matrix does from what the other choices of `three_network` do.
Everything else is as in published_code.py.
"""

import dataclasses

from . import published_code, three_network

CONFIG = dataclasses.replace(
    published_code.CONFIG, experiment="published_fresh_noise", noise_draw="example"
)

build = three_network.build
generator = three_network.generator
determinator = three_network.determinator
