"""The published 2017 script, where it departs from its own description.

1. The noise matrix is drawn once, while the graph is built: a trained generator knows ten images.
2. Its "Xavier" is N(0, sqrt(2 / shape[0])) for every tensor, 5 x 5 kernels (0.63) and the
   determinator's biases included.
3. 2000 batches per episode, not 200.
4. The digit losses are sums of sigmoid cross entropies over batch and classes, next to averaged
   real/fake losses.
5. Keep probability 0.5, L1 weight 0.001, ELU and Adam(1e-3, beta1 0.9) in all three networks.

Departures from the script, which docs/sources.md explains:
1. It trains on all 60,000 training images; the script on 55,000.
2. Losses are logged after the updates of a batch; the script logs them before.
3. The first 50 test images are evaluated after each episode; the script takes the next 50.
4. The noise matrix is a function of the run's seed; the script draws another for each process.
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
