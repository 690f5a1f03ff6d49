"""Distributed training: what two replicas compute, how runs end, and what is refused.

TensorFlow divides the processor into devices only before it computes anything, so everything that
needs two replicas runs in a child process.
"""

import functools
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import tempfile
import time
import unittest
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

from gan3.baselines.config import BaselineConfig
from gan3.baselines.networks import ConditionalGenerator, DenseDiscriminator
from gan3.baselines.two_networks import TwoNetworks
from gan3.core.errors import UserError
from gan3.core.triple import Pair
from gan3.data import strokes
from gan3.data.batches import make_gather
from gan3.nn.initializers import Normal
from gan3.runs.registry import builder_of, config_of
from gan3.training.distributed import open_replicas, worker_lost, workers_of
from gan3.training.loop import trace
from tests.support import (
    FolderTest,
    call,
    lines_of,
    slow,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

BATCH, STEPS = 8, 3
MOMENTS = re.compile(r"/(mean|variance)$")  # running moments of batch normalisation


# -- one step of two replicas, in the child process ------------------------------------------------


def experiment(name, **settings):
    """The config of an experiment with some fields set, and a function that builds its system."""
    config = config_of(name).with_text("batch_size", str(BATCH))
    for key, text in settings.items():
        config = config.with_text(key, text)
    return config, lambda: builder_of(name)(config, "float32")


def two_networks():
    """A baseline with batch normalisation, dropout, embeddings and two updates by one Adam."""
    config = BaselineConfig(
        experiment="two_networks",
        batch_size=BATCH,
        learning_rate=Pair(1e-3, 1e-3),
        discriminator_updates="separate",
        weight_clip=0.1,
    )

    def make():
        init = Normal(1)
        discriminator = DenseDiscriminator(init, 0.7, "float32")
        return TwoNetworks(config, ConditionalGenerator(init, 10, "float32"), discriminator)

    return config, make


BEST = {
    "generator_widths": "20,49",
    "discriminator_widths": "4,8,16",
    "determinator_widths": "4,8,16",
    "keep_prob": "0.7",
    "l1_weight": "0.0001",
}
SYSTEMS = {
    "three_network": functools.partial(
        experiment, "three_network", noise_draw="batch", digit_loss="softmax_mean"
    ),
    "best": functools.partial(experiment, "best", **BEST),
    "two_networks": two_networks,
    "mlp_gan": functools.partial(experiment, "mlp_gan"),
}


class SingleProcess:
    """A system without replicas. It records the gradients, or changes, of each update of a step.

    The first `known` updates of a step use the gradients in `given` instead of their own, so that
    the later ones are computed from the weights that the replicas have at that point.
    """

    def __init__(self, make, images, labels, rows):
        self.system, gather = make(), make_gather(images, labels)
        self.own, self.given = [], []  # by update: a variable for each gradient
        self._known = tf.Variable(0)
        for adam in self.system.optimizers:
            # Variables cannot be made in a graph. No Adam has more than two updates in a step.
            stores = [[[tf.Variable(v) for v in adam.variables] for _ in "12"] for _ in "12"]
            adam.transform_gradients = functools.partial(self._transform, iter(stores))
        for moments in self.system.training_moments:
            stores = [[tf.Variable(v) for v in moments.saved] for _ in "12"]
            moments.transform_changes = functools.partial(self._transform, iter([stores]))

        @tf.function(
            input_signature=[tf.TensorSpec([rows], tf.int32), tf.TensorSpec([2], tf.int32)],
            autograph=False,
        )
        def step(indices, seed):
            return self.system.train_step(*gather(indices), seed)

        self._step = step.get_concrete_function()

    def _transform(self, stores, gradients):
        number, (own, given) = len(self.own), next(stores)
        self.own.append(own)
        self.given.append(given)
        for variable, gradient in zip(own, gradients, strict=True):
            variable.assign(tf.convert_to_tensor(gradient))
        return [
            tf.where(number < self._known, mean, gradient)
            for mean, gradient in zip(given, own, strict=True)
        ]

    def step(self, state, indices, seed, known):
        """A step from `state`; returns the state after it and its own gradients by update."""
        for key, variable in self.system.state.items():
            variable.assign(state[key])
        self._known.assign(known)
        self._step(tf.constant(indices), seed)
        return values_of(self.system), [[g.numpy() for g in update] for update in self.own]


def values_of(system):
    return {key: variable.numpy() for key, variable in system.state.items()}


def expected_states(single, states, parts, seed):
    """The state of each replica after a step in which all updates use mean gradients.

    Also returns, by update, whether the replicas' own gradients differ.
    """
    seeds = [tf.random.fold_in(seed, replica) for replica in range(len(states))]
    differ = []
    for update in range(len(single.own)):
        gradients = [
            single.step(*arguments, known=update)[1][update]
            for arguments in zip(states, parts, seeds, strict=True)
        ]
        for variable, *own in zip(single.given[update], *gradients, strict=True):
            variable.assign(sum(own) / np.float32(len(own)))
        differ.append(not np.array_equal(gradients[0][0], gradients[1][0]))
    known = len(single.own)
    return [
        single.step(*arguments, known=known)[0]
        for arguments in zip(states, parts, seeds, strict=True)
    ], differ


def compare_steps(name):
    """Compare the last of some steps of two replicas with what a single process computes.

    Returns the variables that differ from the single process, those that differ between the
    replicas, by update whether the replicas' own gradients differ, and the results of two steps
    in which one replica's weights are not finite, without and with a request to stop.
    """
    config, make = SYSTEMS[name]()
    replicas = open_replicas(config, "mirrored", 2)
    tf.config.experimental.enable_op_determinism()
    images, labels, _, _ = strokes.make(60, 20)
    replicas.build(make)
    replicas.begin(0)
    step = replicas.trace(images, labels, BATCH)
    for number in range(STEPS):
        indices = np.random.default_rng(number).permutation(60)[:BATCH].astype(np.int32)
        seed = tf.constant([1, number])
        before = [values_of(system) for system in replicas.systems]
        finite, stop = step(tf.constant(indices), seed, False)
        assert all(finite.values()) and not stop, (finite, stop)
    after = [values_of(system) for system in replicas.systems]
    single = SingleProcess(make, images, labels, BATCH // 2)
    expected, gradients_differ = expected_states(single, before, np.split(indices, 2), seed)
    wrong = {
        key
        for state, reference in zip(after, expected, strict=True)
        for key in state.keys() | reference.keys()
        if state[key].tobytes() != reference[key].tobytes()
    }
    unequal = {key for key in after[0] if after[0][key].tobytes() != after[1][key].tobytes()}
    state = replicas.systems[1].state
    state[next(key for key in state if "discriminator/logits/b" in key)].assign([np.nan])
    flags = []
    for requested in (False, True):
        finite, stop = step(tf.constant(indices), seed, requested)
        flags.append((bool(finite["discriminator"]), bool(stop)))
    return wrong, unequal, gradients_differ, flags


def begin_with_unequal_states():
    """The states of both replicas before and after `begin`, and the step that it returns."""
    config, make = SYSTEMS["mlp_gan"]()
    replicas = open_replicas(config, "mirrored", 2)
    replicas.build(make)
    for variable in replicas.systems[0].state.values():
        if variable.dtype.is_floating:
            variable.assign(tf.where(variable == 0, -0.0, variable))
    for variable in replicas.systems[1].state.values():
        variable.assign(
            variable + tf.cast(np.nan if variable.dtype.is_floating else 3, variable.dtype)
        )
    before = [values_of(system) for system in replicas.systems]
    step = replicas.begin(7)
    return before, [values_of(system) for system in replicas.systems], step


def run_command_line(folder, *arguments):
    """Run the command line in a folder; returns exit status, stdout and stderr."""
    os.chdir(folder)
    return call(*arguments)


class TwoReplicas(FolderTest):
    """Tests that hand work to a child process in which TensorFlow has two devices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        cls.addClassCleanup(cls._pool.shutdown)

    def in_child(self, function, *arguments):
        """The result of `function` in the child process."""
        return self._pool.submit(function, *arguments).result(timeout=300)


class OneStep(TwoReplicas):
    def assert_step_is_right(self, name, has_moments):
        """Both replicas step as a single process would with their rows, seed and mean gradients."""
        wrong, unequal, gradients_differ, flags = self.in_child(compare_steps, name)
        self.assertEqual(wrong, set())
        self.assertTrue(all(gradients_differ), "both replicas have the same gradients")
        self.assertEqual({key for key in unequal if not MOMENTS.search(key)}, set())
        self.assertEqual(bool(unequal), has_moments)
        self.assertEqual(flags, [(False, False), (False, True)])

    @slow("several processes or minutes")
    def test_three_network(self):
        self.assert_step_is_right("three_network", has_moments=False)

    @slow("several processes or minutes")
    def test_best(self):
        self.assert_step_is_right("best", has_moments=True)

    @slow("two replicas in a process")
    def test_two_networks(self):
        self.assert_step_is_right("two_networks", has_moments=True)

    @slow("two replicas in a process")
    def test_begin_copies_the_state_of_replica_0(self):
        before, after, step = self.in_child(begin_with_unequal_states)
        self.assertEqual(step, 7)
        for key, value in before[0].items():
            self.assertNotEqual(before[1][key].tobytes(), value.tobytes(), key)
            for state in after:
                self.assertEqual(state[key].tobytes(), value.tobytes(), key)


class OneReplica(unittest.TestCase):
    def test_steps_without_a_strategy(self):
        """Bit for bit, and no gradient is changed."""
        config, make = SYSTEMS["mlp_gan"]()
        images, labels, _, _ = strokes.make(60, 20)
        replicas = open_replicas(config, "mirrored", 1)
        plain, first = make(), replicas.build(make)
        self.assertTrue(all(adam.transform_gradients is None for adam in first.optimizers))
        self.assertEqual(replicas.begin(3), 3)
        step, _, _ = trace(plain, images, labels, BATCH)
        step_of_one = replicas.trace(images, labels, BATCH)
        for number in range(STEPS):
            indices, seed = tf.range(number, number + BATCH), tf.constant([1, number])
            finite = {name: bool(value) for name, value in step(indices, seed).items()}
            same, stop = step_of_one(indices, seed, number == 1)
            self.assertEqual({name: bool(value) for name, value in same.items()}, finite)
            self.assertEqual(bool(stop), number == 1)
        values = values_of(first)
        for key, value in values_of(plain).items():
            self.assertEqual(values[key].tobytes(), value.tobytes(), key)


# -- runs ------------------------------------------------------------------------------------------

BATCHES, EVERY = 120, 20  # steps of a run, and between two of its checkpoints
SETTINGS = ("--set", "log_every=10", "--set", f"checkpoint_every={EVERY}")
SETTINGS += ("--set", "frame_every=1000", "--dataset", "idx", "--data", "own")
TRAIN = ("train", "--experiment", "mlp_gan", "--episodes", 1, "--batch-size", 10, *SETTINGS)
TWO = ("--strategy", "mirrored", "--replicas", 2)
LOST = r"\Agan3: worker lost at step (\d+) \(.+\); start all workers again and resume the run\n\Z"


def free_addresses(count):
    """Addresses on this machine that no process listens on."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    addresses = [f"localhost:{server.getsockname()[1]}" for server in sockets]
    for server in sockets:
        server.close()
    return addresses


class Runs(TwoReplicas):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._kept = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._kept.cleanup)

    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")

    def train(self, *arguments):
        """Run the command line in this process; returns stdout."""
        status, out, err = call(*arguments)
        self.assertEqual(status, 0, err)
        return out

    def train_with_two(self, *arguments):
        """Run the command line with two replicas; returns stdout."""
        arguments = (str(self.folder), *arguments, *TWO)
        status, out, err = self.in_child(run_command_line, *arguments)
        self.assertEqual(status, 0, err)
        return out

    def assert_same_run(self, name, other):
        """Same step, weights and metrics, bit for bit."""
        self.assertEqual(step_of(name), step_of(other))
        self.assertEqual(weights_of(name), weights_of(other))
        self.assertEqual(lines_of(name), lines_of(other))

    def start_workers(self, *arguments, second=()):
        """Two worker processes of one run; the second has folders of its own, to stay empty."""
        addresses, workers = free_addresses(2), []
        for index, more in enumerate(((), ("--logs", "none", "--figures", "none", *second))):
            text = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            process = start(
                *(*arguments, "--strategy", "multiworker", *more),
                cwd=self.folder,
                TF_CONFIG=json.dumps(text),
            )
            self.addCleanup(process.kill)
            workers.append(process)
        return workers

    def end(self, process, status):
        """Wait for the process to end with this exit status; returns stdout and stderr."""
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, status, err)
        return out, err

    def wait_for_step(self, step, process, name):
        deadline = time.monotonic() + 200
        while step_of(name) < step:
            self.assertIsNone(process.poll(), "ended too soon")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    @slow("several processes or minutes")
    def test_a_run_of_one_replica_is_a_run_without_a_strategy(self):
        arguments = (*TRAIN, "--batches", 20, "--run")
        self.train(*arguments, "a")
        out = self.train(*arguments, "b", *TWO[:-1], 1)
        self.assertIn("mlp_gan on own IDX set (own), seed 0, float32: ", out)
        self.assert_same_run("a", "b")
        a, b = (json.loads(Path(f"logs/{run}/run.json").read_text()) for run in "ab")
        self.assertEqual((a["strategy"], a["replicas"]), ("none", 1))
        self.assertEqual((b["strategy"], b["replicas"]), ("mirrored", 1))

    @slow("several processes or minutes")
    def test_a_resumed_run_is_the_run_without_a_stop(self):
        """Of a system with batch normalisation: replica 1 resumes with the moments of replica 0."""
        settings = [word for key, text in BEST.items() for word in ("--set", f"{key}={text}")]
        settings += ["--set", "lr_decay_start=1"]  # decay would depend on the episodes
        arguments = ("train", "--experiment", "best", "--batch-size", 10, *SETTINGS, *settings)
        arguments += ("--batches", 5, "--run")
        self.train_with_two(*arguments, "whole", "--episodes", 2)
        self.train_with_two(*arguments, "stopped", "--episodes", 1)
        out = self.train_with_two(*arguments, "stopped", "--episodes", 2, "--resume")
        self.assertRegex(out, r"\Abest on own IDX set \(own\), seed 0, float32, 2 replicas: ")
        self.assertIn("resuming stopped after step 5\n", out)
        self.assert_same_run("stopped", "whole")

    @slow("starts processes")
    def test_what_replicas_cannot_divide_is_refused(self):
        for arguments, message in (
            ((*TRAIN, "--batch-size", 9), r"batch size 9: not divisible by 2 replicas; use 8"),
            (("train",), r"digit_loss sigmoid_sum: [^\n]+"),
        ):
            arguments = (str(self.folder), *arguments, "--run", "x", *TWO)
            status, out, err = self.in_child(run_command_line, *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertRegex(err, rf"\Agan3: {message}\n\Z")
            self.assertFalse(Path("logs/x").exists())

    def lose_a_worker(self, signal_number):
        """Train run w and end or stop its second worker after a checkpoint.

        Returns the command line of the run.
        """
        arguments = (*TRAIN, "--batches", BATCHES, "--run", "w")
        chief, other = self.start_workers(*arguments)
        self.wait_for_step(EVERY, chief, "w")
        other.send_signal(signal_number)
        began = time.monotonic()
        _, err = self.end(chief, 2)
        self.assertLess(time.monotonic() - began, 60)
        other.kill()
        other.communicate()
        self.assertRegex(err, LOST)
        record = json.loads(Path("logs/w/run.json").read_text())
        self.assertEqual(record["outcome"], "stopped")
        self.assertEqual((record["strategy"], record["replicas"]), ("multiworker", 2))
        self.assertGreater(int(re.match(LOST, err)[1]), step_of("w"))
        self.assertFalse(Path("none").exists())
        return arguments

    def assert_is_whole_run(self, name):
        """It ended like the same run in two replicas without a stop, which is trained once."""
        kept = Path(self._kept.name)
        if not list(kept.iterdir()):
            self.train_with_two(*TRAIN, "--batches", BATCHES, "--run", "m")
            shutil.copytree("logs/m", kept / "m")
        elif not Path("logs/m").exists():
            shutil.copytree(kept / "m", "logs/m")
        self.assertEqual(step_of(name), BATCHES)
        self.assert_same_run(name, "m")

    def resume_with_workers(self, arguments):
        """Start the workers of run w again: they end as two replicas that were not stopped."""
        workers = self.start_workers(*arguments, "--resume")
        for process, line in zip(workers, ("digits of the last", "worker 0 writes"), strict=True):
            out, err = self.end(process, 0)
            self.assertEqual(err, "")
            self.assertRegex(out, rf"\ntrained on own IDX set; {line}[^\n]*\n\Z")
        self.assert_is_whole_run("w")

    @slow("several processes or minutes")
    def test_a_worker_is_killed_and_the_run_goes_on_to_the_same_end(self):
        """Resumed by two replicas of one process, and by all workers, which start again."""
        arguments = self.lose_a_worker(signal.SIGKILL)
        reached = step_of("w")
        shutil.copytree("logs/w", "lost")
        out = self.train_with_two(*arguments, "--resume")
        self.assertIn(f"resuming w after step {reached}\n", out)
        self.assert_is_whole_run("w")
        record = json.loads(Path("logs/w/run.json").read_text())
        self.assertEqual((record["strategy"], record["outcome"]), ("mirrored", "done"))
        shutil.rmtree("logs/w")
        shutil.move("lost", "logs/w")
        self.resume_with_workers(arguments)

    @slow("several processes or minutes")
    def test_a_worker_that_does_not_respond_is_lost(self):
        self.resume_with_workers(self.lose_a_worker(signal.SIGSTOP))

    @slow("several processes or minutes")
    def test_the_chief_is_killed(self):
        arguments = (*TRAIN, "--batches", BATCHES, "--run", "w")
        chief, other = self.start_workers(*arguments)
        self.wait_for_step(EVERY, chief, "w")
        chief.kill()
        chief.communicate()
        _, err = self.end(other, 2)
        self.assertRegex(err, LOST)
        self.resume_with_workers(arguments)

    @slow("several processes or minutes")
    def test_a_signal_to_one_worker_stops_all_and_the_state_is_saved(self):
        arguments = (*TRAIN, "--batches", BATCHES, "--set", f"checkpoint_every={BATCHES}")
        workers = self.start_workers(*arguments, "--run", "w")
        self.wait_for_step(0, workers[0], "w")
        workers[1].terminate()
        for process in workers:
            _, err = self.end(process, 128 + signal.SIGTERM)
            self.assertRegex(err, r"\Agan3: stopped; the state is saved[^\n]+\n\Z")
        self.assertGreater(step_of("w"), 0)
        self.assertEqual(json.loads(Path("logs/w/run.json").read_text())["outcome"], "stopped")

    @slow("several processes or minutes")
    def test_workers_with_different_configs_are_refused(self):
        arguments = (*TRAIN, "--batches", BATCHES, "--run", "w")
        for process in self.start_workers(*arguments, second=("--seed", 1)):
            _, err = self.end(process, 2)
            self.assertEqual(err, "gan3: workers differ in seed; give all of them the same\n")
        self.assertFalse(Path("logs/w").exists())


class Refusals(FolderTest):
    def refused(self, *arguments, **environment):
        """The one line on stderr of a training command that must fail."""
        with mock.patch.dict(os.environ, environment):
            status, _, err = call("train", "--run", "a", *arguments)
        self.assertEqual(status, 2, err)
        self.assertRegex(err, r"\Agan3: [^\n]+\n\Z")
        self.assertFalse(Path("logs").exists())
        return err

    def test_arguments(self):
        for arguments, message in (
            (("--replicas", 2), "--replicas 2: with --strategy"),
            ((*TWO[:2], "--replicas", 0), "0 replicas: the number must be from 1 to 64"),
            (("--strategy", "multiworker", *TWO[2:]), "2 replicas: their number can be set with"),
            (("--strategy", "multiworker"), "TF_CONFIG is not set"),
        ):
            self.assertIn(message, self.refused(*arguments, TF_CONFIG=""))
        if not tf.config.list_physical_devices("GPU"):
            message = self.refused("--strategy", "mirrored")
            self.assertIn("there is no GPU; set the number of replicas", message)
        self.assertEqual(call("train", "--strategy", "some")[0], 2)

    def test_tf_config(self):
        task = {"type": "worker", "index": 0}
        cluster = {"worker": ["a:1", "b:2"]}
        valid = json.dumps({"cluster": cluster, "task": task | {"index": 1}})
        self.assertEqual(workers_of(valid), (["a:1", "b:2"], 1))
        for content, message in (
            ("{", "is not JSON"),
            ("[" * 100_000, "is not JSON"),
            ("[1]", "is not of this form"),
            ({"task": task}, "lacks cluster"),
            ({"cluster": {"ps": []}, "task": task}, "lacks worker"),
            ({"cluster": cluster, "task": {"type": "worker"}}, "lacks index"),
            ({"cluster": cluster, "task": None}, "is not of this form"),
            ({"cluster": cluster | {"ps": ["c:1"]}, "task": task}, "workers only"),
            ({"cluster": cluster, "task": {"type": "ps", "index": 0}}, "workers only"),
            ({"cluster": {"worker": []}, "task": task}, "not a list of addresses"),
            ({"cluster": {"worker": "a:1"}, "task": task}, "not a list of addresses"),
            ({"cluster": {"worker": ["a"]}, "task": task}, "an entry that is no address"),
            ({"cluster": cluster, "task": task | {"index": 2}}, "index 2 is not one of the 2"),
            ({"cluster": cluster, "task": task | {"index": -1}}, "task.index -1"),
            ({"cluster": cluster, "task": task | {"index": True}}, "task.index True"),
            ({"cluster": cluster, "task": task | {"index": "0"}}, "task.index '0'"),
        ):
            text = content if isinstance(content, str) else json.dumps(content)
            with self.subTest(text[:80]), self.assertRaisesRegex(UserError, message):
                workers_of(text)
        message = self.refused("--strategy", "multiworker", TF_CONFIG="{")
        self.assertIn("TF_CONFIG: is not JSON", message)

    def test_a_lost_worker_is_reported_in_one_line(self):
        text = (
            "Graph execution error:\n\nDetected at\nCollective ops is aborted by: Socket closed\nx"
        )
        with self.assertRaises(UserError) as caught, worker_lost("at step 3"):
            raise tf.errors.UnavailableError(None, None, text)
        self.assertEqual(
            str(caught.exception),
            "worker lost at step 3 (Socket closed); start all workers again and resume the run",
        )
        with self.assertRaises(tf.errors.ResourceExhaustedError), worker_lost("at step 3"):
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")


if __name__ == "__main__":
    unittest.main()
