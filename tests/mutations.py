"""Central lines broken on purpose, one at a time: the suite must notice each. `make mutations`.

Each is made in a temporary copy of the tree, where the tests named for it are run. Prints a table
(docs/reliability.md has it) of the first test that fails, and ends with status 1 where none does.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Mutation(NamedTuple):
    """`good` stands exactly once in `file`; with `bad` instead one of `tests` must fail."""

    what: str
    file: str
    good: str
    bad: str
    tests: str


MUTATIONS = (
    Mutation(
        "the generator's loss has the other sign",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(fake_logits, 1.0)  # of [B, 1]",
        "loss = -losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "test_train_step",
    ),
    Mutation(
        "real and fake are swapped in the discriminator's loss",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(real_logits, 1.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 0.0)",
        "loss = losses.real_fake_cross_entropy(real_logits, 0.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "test_train_step",
    ),
    Mutation(
        "nothing stops the generator's loss at the determinator",
        "gan3/method/train_step.py",
        'g = self._update("generator", self.generator_loss(labels, seeds[1], shared))',
        'self._update("determinator", self.generator_loss(labels, seeds[1], shared))\n'
        '            g = self._update("generator", self.generator_loss(labels, seeds[1], shared))',
        "test_train_step.Updates",
    ),
    Mutation(
        "an Adam has the list of another network",
        "gan3/method/train_step.py",
        "Adam(network.weights, rate, b1, ",
        "Adam(self.networks.generator.weights, rate, b1, ",
        "test_train_step.Updates.test_each_optimizer_moves_only_its_own_network",
    ),
    Mutation(
        "the digits asked for are not the digits of the loss",
        "gan3/method/train_step.py",
        "digit_loss = self._digit_loss(digit_logits, labels)",
        "digit_loss = self._digit_loss(digit_logits, (labels + 1) % 10)",
        "test_train_step",
    ),
    Mutation(
        "L1 shrinks the biases, too",
        "gan3/method/networks.py",
        "self.l1_weights.append(w)",
        "self.l1_weights += [w, b]",
        "test_networks test_train_step",
    ),
    Mutation(
        "dropout stays on in evaluation",
        "gan3/method/train_step.py",
        "keep_prob = self._keep_prob.generator if train else 1.0",
        "keep_prob = self._keep_prob.generator if train else 0.5",
        "test_train_step",
    ),
    Mutation(
        "the noise stands in the columns of the next digit",
        "gan3/method/train_step.py",
        "one_hot = tf.one_hot(labels, 10, dtype=noise.dtype)",
        "one_hot = tf.one_hot((labels + 1) % 10, 10, dtype=noise.dtype)",
        "test_train_step",
    ),
    Mutation(
        "the data is shuffled with replacement",
        "gan3/data/batches.py",
        ".permutation(self._count).astype",
        ".integers(self._count, size=self._count).astype",
        "test_data.Order",
    ),
    Mutation(
        "the radius of coverage is of the neighbour before the k-th",
        "gan3/evaluation/metrics.py",
        "np.partition(squared, k, axis=1)[:, k]",
        "np.partition(squared, k - 1, axis=1)[:, k - 1]",
        "test_metrics",
    ),
    Mutation(
        "a resumed run leaves out a step",
        "gan3/training/loop.py",
        "for step in range(done + 1, config.total_steps + 1):",
        "for step in range(done + 1 + (done > 0), config.total_steps + 1):",
        "test_run.Runs.test_the_same_seed_gives_the_same_run_and_resuming_too",
    ),
    Mutation(
        "a gradient that is not finite is passed over",
        "gan3/method/train_step.py",
        "return finite([loss, *gradients])",
        "return finite([loss])",
        "test_train_step.Updates",
    ),
    Mutation(
        "a replica moves by its own rows alone",
        "gan3/nn/layers.py",
        "gradients = here.all_reduce(tf.distribute.ReduceOp.MEAN, dense)",
        "gradients = dense",
        "test_replicas.OneStep.test_two_networks",
    ),
    Mutation(
        "every replica draws what the first one draws",
        "gan3/nn/layers.py",
        "return tf.reshape(whole[:, mine], [rows, *rest])",
        "return tf.reshape(whole[:, 0], [rows, *rest])",
        "test_replicas.OneStep.test_three_network",
    ),
    Mutation(
        "dropout takes real images and fakes for one batch when it is shared",
        "gan3/method/train_step.py",
        "keep_prob, seed, parts=2)  # [2B, 1]",
        "keep_prob, seed)",
        "test_replicas.OneStep.test_three_network",
    ),
    Mutation(
        "the same of noise and codes in the generator of best",
        "gan3/vae_gan/train_step.py",
        "parts=2 if o.reading_weight else 1",
        "parts=1",
        "test_replicas.OneStep.test_best",
    ),
    Mutation(
        "the moments are of a replica's own rows",
        "gan3/nn/layers.py",
        "mean = here.all_reduce(tf.distribute.ReduceOp.MEAN, tf.reduce_mean(x, axes))",
        "mean = tf.reduce_mean(x, axes)",
        "test_replicas.OneStep.test_two_networks",
    ),
    Mutation(
        "of a shared batch the sum of a loss is its mean over the replicas",
        "gan3/method/losses.py",
        "return total if sharing == 1 else sharing * total",
        "return total",
        "test_replicas.OneStep.test_published_code",
    ),
)


def caught_by(mutation: Mutation, tree: Path) -> str | None:
    """The first test that fails with the mutation made in `tree`, or None."""
    path = tree / mutation.file
    text = path.read_text()
    if text.count(mutation.good) != 1:
        raise SystemExit(f"{mutation.file}: not once in it: {mutation.good}")
    path.write_text(text.replace(mutation.good, mutation.bad))
    try:
        names = [f"tests.{name}" for name in mutation.tests.split()]
        done = subprocess.run(
            [sys.executable, "-m", "unittest", "--failfast", *names],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(text)
    failed = re.search(r"^(?:FAIL|ERROR): (\w+) \(tests\.(\w+)", done.stderr, re.MULTILINE)
    return f"{failed[2]}: {failed[1]}" if failed else None


def main() -> int:
    """All of them, as a Markdown table on stdout; 1 where one is not noticed."""
    survivors = 0
    print("| broken | caught by |\n| --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "gan3"
        skip = shutil.ignore_patterns(".*", "__pycache__", "logs", "figures")
        shutil.copytree(ROOT, tree, ignore=skip)
        for mutation in MUTATIONS:
            test = caught_by(mutation, tree)
            survivors += test is None
            print(f"| {mutation.what} | {test or '**nothing**'} |", flush=True)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
