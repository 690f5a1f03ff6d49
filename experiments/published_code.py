"""The 2017 script to the letter, where it departs from its own description.

1. The noise matrix is drawn once, while the graph is built: a trained generator knows ten images.
2. Its "Xavier" is N(0, sqrt(2 / shape[0])) for every tensor, 5 x 5 kernels (0.63) and the
   determinator's biases included.
3. 2000 batches per episode, not 200.
4. The digit losses are sums of sigmoid cross entropies over batch and classes, next to averaged
   real/fake losses.
5. Keep probability 0.5, L1 weight 0.001, ELU and Adam(1e-3, beta1 0.9) in all three networks.
"""

import dataclasses

from experiments import three_network
from gan3.core.triple import Triple

CONFIG = dataclasses.replace(
    three_network.CONFIG,
    experiment="published_code",
    batches=2000,
    noise_draw="once",
    initializer="published",
    activation=Triple("elu", "elu", "elu"),
    keep_prob=Triple(0.5, 0.5, 0.5),
    l1_weight=Triple(0.001, 0.001, 0.001),
    learning_rate=Triple(0.001, 0.001, 0.001),
    beta1=Triple(0.9, 0.9, 0.9),
    digit_loss="sigmoid_sum",
    digit_weight=1.0,
)

build = three_network.build
