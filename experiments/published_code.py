"""The published 2017 script, line by line.

Source: Desired-handwriting-digits-generator by Jingwei Gan, handwritten_number_generator.py at
commit 656d946 of github.com/deadzombie2333/Digits_generator (docs/sources.md). docs/fidelity.md
compares each property.

Where the script differs from its own description or goes beyond it:
1. The noise matrix is drawn once, while the graph is built: one process knows ten images. Another
   process draws another matrix for the same weights (`generate --noise-seed`).
2. Its "Xavier" is N(0, sqrt(2 / shape[0])) for every tensor, 5 x 5 kernels (0.63) and the
   determinator's biases included.
3. TensorFlow's reader keeps the first 5,000 training images back, and the script never uses them.
4. The digit losses are sums of sigmoid cross entropies over batch and classes, next to averaged
   real/fake losses.

Departures from the script:
1. 200 batches per episode, as described and as its published curves show. The script says 2,000 at
   HEAD and 1,000 in its only earlier version, and does not run as it stands.
2. Other random number generators: the same distributions, not the same numbers. All draws come from
   the run's seed, so a resumed run keeps its noise matrix.
3. One pass of the discriminator over real and fake images together, and bias and activation after
   the pooling: the same function, rounded differently.
4. The digits of a figure share one grey scale; the script stretches each to its own range.
5. TensorBoard tags are gan3's, at the number of updates done, with one more point after the last
   step. Checkpoints are saved every 100 steps, not once at the end.
"""

from gan3.core.triple import Triple
from gan3.method.config import ThreeNetworkConfig

from .three_network import build, determinator, generator

__all__ = ["CONFIG", "build", "generator", "determinator"]

CONFIG = ThreeNetworkConfig(
    experiment="published_code",
    episodes=10,
    batches=200,
    batch_size=100,
    skip_first=5_000,
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
