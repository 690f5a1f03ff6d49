"""Breaks central lines, one at a time, to see whether a test fails: `make mutations`.

Each mutation is made in a temporary copy of the tree, and the tests that it names are run there.
The output is a table of the first test that failed (docs/reliability.md has a copy). The exit
status is 1 if a mutation goes unnoticed, if its line or its tests are gone, or if a test fails
without any mutation.
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
TIME_LIMIT = 900  # seconds for the tests of one mutation


class Mutation(NamedTuple):
    """`good` occurs exactly once in `file`; with `bad` in its place one of `tests` must fail.

    `tests` are names in the package tests, separated by spaces.
    """

    what: str
    file: str
    good: str
    bad: str
    tests: str


MUTATIONS = (
    Mutation(
        "the generator's loss has the opposite sign",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "loss = -losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "method.test_train_step",
    ),
    Mutation(
        "real and fake are swapped in the discriminator's loss",
        "gan3/method/train_step.py",
        "loss = losses.real_fake_cross_entropy(real_logits, 1.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 0.0)",
        "loss = losses.real_fake_cross_entropy(real_logits, 0.0)\n"
        "        loss += losses.real_fake_cross_entropy(fake_logits, 1.0)",
        "method.test_train_step",
    ),
    Mutation(
        "the generator's loss trains the determinator",
        "gan3/method/train_step.py",
        'g_finite = self.update("generator", g_loss)',
        'self.update("determinator", g_loss)\n'
        '            g_finite = self.update("generator", g_loss)',
        "method.test_train_step.Updates",
    ),
    Mutation(
        "an Adam updates the variables of another network",
        "gan3/method/three_networks.py",
        "Adam(network.weights, learning_rate, beta1, ",
        "Adam(self.networks.generator.weights, learning_rate, beta1, ",
        "method.test_train_step.Updates.test_each_optimizer_moves_only_its_own_network",
    ),
    Mutation(
        "the digits in the loss are not the requested ones",
        "gan3/method/train_step.py",
        "digit_loss = self.digit_loss(digit_logits, labels)",
        "digit_loss = self.digit_loss(digit_logits, (labels + 1) % 10)",
        "method.test_train_step",
    ),
    Mutation(
        "L1 applies to the biases, too",
        "gan3/method/networks.py",
        "self.l1_weights.append(w)",
        "self.l1_weights += [w, b]",
        "method.test_networks method.test_train_step",
    ),
    Mutation(
        "there is no dropout in the generator's own update",
        "gan3/method/train_step.py",
        "return self.networks.generator(latent, self.config.keep_prob.generator, dropout_seed)",
        "return self.networks.generator(latent)",
        "method.test_train_step",
    ),
    Mutation(
        "the noise is in the columns of the next digit",
        "gan3/method/noise.py",
        "tf.one_hot(labels, classes, dtype=noise.dtype)",
        "tf.one_hot((labels + 1) % classes, classes, dtype=noise.dtype)",
        "method.test_noise",
    ),
    Mutation(
        "the data is shuffled with replacement",
        "gan3/data/batches.py",
        ".permutation(self._count).astype",
        ".integers(self._count, size=self._count).astype",
        "data.test_batches.Order",
    ),
    Mutation(
        "the radius of coverage is the distance to neighbour k - 1",
        "gan3/evaluation/metrics.py",
        "(points, k) if others is None",
        "(points, k - 1) if others is None",
        "evaluation.test_metrics",
    ),
    Mutation(
        "a resumed run skips a step",
        "gan3/training/loop.py",
        "clock, timed_steps, step = time.perf_counter(), 0, done",
        "clock, timed_steps, step = time.perf_counter(), 0, done + (done > 0)",
        "training.test_loop.Runs.test_the_same_seed_gives_the_same_run_and_resuming_too",
    ),
    Mutation(
        "a gradient that is not finite is ignored",
        "gan3/method/train_step.py",
        "return all_finite([loss, *gradients])",
        "return all_finite([loss])",
        "method.test_train_step.Updates",
    ),
    Mutation(
        "the encoder's loss does not reach the determinator",
        "gan3/vae_gan/train_step.py",
        "c_loss += config.reconstruction_weight * (reconstruction + code_loss)",
        "c_loss += 0.0 * (reconstruction + code_loss)",
        "vae_gan.test_train_step",
    ),
)


def find_problems(mutation: Mutation, tree: Path) -> list[str]:
    """What of a mutation is not in the tree: its line, or the tests that should notice it."""
    path = tree / mutation.file
    count = path.read_text().count(mutation.good) if path.is_file() else 0
    problems = [] if count == 1 else [f"{mutation.file}: has {count} times {mutation.good!r}"]
    for name in mutation.tests.split():
        module = _module_of(name)
        path = tree / "tests" / f"{module.replace('.', '/')}.py"
        text = path.read_text() if path.is_file() else ""
        parts = name.removeprefix(module).split(".")[1:]
        defined = [re.search(rf"^ *(?:class|def) {part}\b", text, re.MULTILINE) for part in parts]
        if not text or not all(defined):
            problems.append(f"tests.{name}: there is no such test")
    return problems


def _module_of(name: str) -> str:
    """The module in the dotted name of a test: "nn.test_adam" of "nn.test_adam.Step.test_x"."""
    found = re.match(r"(?:\w+\.)*?test_\w+", name)
    return found[0] if found else name


def run_tests(names: str, tree: Path) -> str | None:
    """The first test of those in `tree` that fails, or None if all pass."""
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "unittest",
                "--failfast",
                *(f"tests.{n}" for n in names.split()),
            ],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree), "GAN3_ALL": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {TIME_LIMIT} s"
    failed = re.search(r"^(?:FAIL|ERROR): (\w+) \(tests\.([\w.]+)", done.stderr, re.MULTILINE)
    if failed:
        return f"{_module_of(failed[2])}: {failed[1]}"
    return f"unittest ended with status {done.returncode}" if done.returncode else None


def caught_by(mutation: Mutation, tree: Path) -> str | None:
    """The first test that fails with the mutation made in `tree`, or None. `tree` is restored."""
    path = tree / mutation.file
    text = path.read_text()
    path.write_text(text.replace(mutation.good, mutation.bad))
    try:
        return run_tests(mutation.tests, tree)
    finally:
        path.write_text(text)


def main() -> int:
    """Try all mutations and print a Markdown table; return 1 if one is not noticed."""
    problems = [problem for mutation in MUTATIONS for problem in find_problems(mutation, ROOT)]
    if problems:
        print(*problems, sep="\n", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "gan3"
        for name in ("gan3", "experiments", "tests"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for names in sorted({mutation.tests for mutation in MUTATIONS}):
            failed = run_tests(names, tree)  # a test that always fails notices nothing
            if failed:
                print(f"without any mutation: {failed}", file=sys.stderr)
                return 1
        survivors = 0
        print("| mutation | caught by |\n| --- | --- |", flush=True)
        for mutation in MUTATIONS:
            test = caught_by(mutation, tree)
            survivors += test is None
            print(f"| {mutation.what} | {test or '**nothing**'} |", flush=True)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
