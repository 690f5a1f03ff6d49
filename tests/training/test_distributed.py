"""Replicas that share a batch: one replica's step, and one replica's run.

TensorFlow parts the processor only before it computes anything, so that what needs two replicas
runs in a child process.
"""

import json
import multiprocessing
import os
import re
import signal
import socket
import time
import unittest
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

from gan3.baselines.networks import ConditionalGenerator, DenseDiscriminator
from gan3.baselines.train_step import Practice, TwoNetworks
from gan3.core.errors import UserError
from gan3.core.triple import Triple
from gan3.data import strokes
from gan3.data.batches import to_unit
from gan3.method import losses
from gan3.nn import initializers, layers
from gan3.runs.registry import builder_of, config_of
from gan3.training import loop
from gan3.training.distributed import open_replicas, worker_lost, workers_of
from tests.support import (
    LONG,
    FolderTest,
    call,
    lines_of,
    start,
    step_of,
    weights_of,
    write_idx_set,
)

takes_minutes = unittest.skipUnless(LONG, "GAN3_LONG is not set: takes minutes")
BATCH, STEPS = 8, 3
ROUNDING = 1e-4
"""Of a network's largest gradient: a sum of some thousand float32, taken in two parts, keeps five
digits. Rows that are not those of one replica are wrong in the first."""


def configured(name, **changes):
    """The builder of an experiment with some fields set."""
    config = config_of(name).with_text("batch_size", str(BATCH))
    for key, text in changes.items():
        config = config.with_text(key.replace("__", "."), text)
    return lambda: builder_of(name)(config, "float32")


def two_networks():
    """A system of the field that has batch moments, dropout and digits of its own drawing."""
    init = initializers.Normal(1)
    practice = Practice(
        learning_rate=Triple(1e-3, 1e-3, 1e-3),
        beta1=Triple(0.5, 0.5, 0.5),
        pixel_min=-1.0,
        class_conditional=True,
        own_labels=True,
        clip=0.1,
    )
    return TwoNetworks(ConditionalGenerator(init), DenseDiscriminator(init, 0.7), practice)


MAKERS = {
    "three_network": configured("three_network", keep_prob="0.7"),
    "published_code": configured("published_code"),
    "best": configured(
        "best",
        widths="20 30,4 8 16,4 8 16",
        keep_prob="0.7",
        penalty_every="2",
        r2_weight="0.01",
        l1_weight="0.0001",
    ),
    "two_networks": two_networks,
}


def deviations(name, spoil=False):
    """How far steps of two replicas are from those of one that begins each of them alike.

    Worst of the steps: `m` and `v` of the Adams, as shares of a network's largest; the share of
    weights that end elsewhere, and the farthest of all, both in learning rates; what is only
    averaged; evaluation; whether the replicas are equal to the bit; what both answer where one is
    spoilt. With `spoil` each replica
    draws for its rows alone.
    """
    shared, make = open_replicas("mirrored", 2), MAKERS[name]
    images, labels, held_out, held_out_labels = strokes.make(60, 20)
    plain, first = make(), shared.build(make)
    step, _, _ = loop.trace(plain, images, labels, BATCH)
    step_of_two = shared.trace(images, labels, BATCH)
    rates = {  # by the beginnings of the variables' names
        f"{adam.name.partition('/')[2].partition('_')[0]}/": adam._learning_rate
        for adam in (getattr(plain, "optimizers", None) or plain._adams.values())
    }
    found = dict.fromkeys(("m", "v", "elsewhere", "farthest", "averages", "evaluation"), 0.0)
    found["equal"] = True
    own_rows = (lambda draw, shape, parts=1: draw(shape)) if spoil else layers.own_rows
    for number in range(STEPS):
        for system in shared.systems:
            for key, variable in system.state.items():
                variable.assign(plain.state[key])
        indices = np.random.default_rng(number).permutation(60)[:BATCH].astype(np.int32)
        seed = tf.constant([1, number])
        with mock.patch.object(layers, "own_rows", own_rows):
            good, _ = step_of_two(tf.constant(indices), seed, False)
        step(tf.constant(indices), seed)
        assert all(good.values()), good
        values = {key: v.numpy() for key, v in plain.state.items()}
        got = {key: v.numpy() for key, v in first.state.items()}
        largest = {}
        for key, value in values.items():
            group = (key.split("/")[1], key[-1])
            largest[group] = max(largest.get(group, 0), np.abs(value).max())
        for key, value in values.items():
            far = np.abs(got[key].astype(np.float64) - value)
            rate = next((r for start, r in rates.items() if key.startswith(start)), None)
            if key.endswith("/steps"):
                found["equal"] &= bool(far == 0)
            elif key.startswith("adam/"):
                share = far.max() / largest[key.split("/")[1], key[-1]]
                found[key[-1]] = max(found[key[-1]], share)
            elif rate is None or re.search(r"/(mean|variance)$", key):
                found["averages"] = max(found["averages"], far.max())
            else:
                found["farthest"] = max(found["farthest"], far.max() / rate)
                found["elsewhere"] = max(found["elsewhere"], np.mean(far > 0.01 * rate))
        other = shared.systems[1].state
        found["equal"] &= all(v.tobytes() == other[k].numpy().tobytes() for k, v in got.items())
    batch = to_unit(tf.constant(held_out)), tf.constant(held_out_labels.astype(np.int32))
    a, b = (system.evaluate(*batch, tf.constant([1, 99])) for system in (plain, first))
    state = shared.systems[1].state
    state[next(key for key in state if "discriminator/logits/b" in key)].assign([np.nan])
    found["answers"] = []
    for asked in (False, True):
        good, stop = step_of_two(tf.constant(indices), seed, asked)
        found["answers"].append((bool(good["discriminator"]), bool(stop)))
    found["evaluation"] = max(abs(float(a[tag] / b[tag]) - 1) for tag in a if "loss" in tag)
    return found


def rows_drawn():
    """own_rows of both replicas, with one and with two batches in them, and the whole draws."""
    shared = open_replicas("mirrored", 2)

    def draw(shape):
        return tf.random.stateless_uniform(shape, [1, 2], alg="philox")

    def own():
        return [layers.own_rows(draw, [6, 3], parts) for parts in (1, 2)]

    answers = tf.function(lambda: shared._strategy.run(own), autograph=False)()
    return [
        [part.numpy() for part in shared._strategy.experimental_local_results(answer)]
        for answer in answers
    ], draw([12, 3]).numpy()


def moments_of(x):
    """batch_moments of x's two halves by two replicas, their gradients beside them."""
    shared = open_replicas("mirrored", 2)

    def own(x):
        here = tf.distribute.get_replica_context().replica_id_in_sync_group
        half = tf.split(x, 2)[int(tf.get_static_value(here))]
        mean, variance = layers.batch_moments(half)
        loss = tf.reduce_sum(tf.sin(mean) + variance**2)
        return mean, variance, tf.gradients(loss, half)[0]

    answer = tf.function(lambda: shared._strategy.run(own, args=(x,)), autograph=False)()
    return [
        [part.numpy() for part in one]
        for one in zip(*map(shared._strategy.experimental_local_results, answer), strict=True)
    ]


def command_line(folder, *arguments):
    """The command line in a folder."""
    os.chdir(folder)
    return call(*arguments)


class Child(FolderTest):
    """Tests that hand work to a process with two replicas."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        cls.addClassCleanup(cls._pool.shutdown)

    def there(self, task, *arguments):
        """What `task` answers in the other process."""
        return self._pool.submit(task, *arguments).result(timeout=300)


class OneStep(Child):
    def steps_as_one_does(self, name):
        found = self.there(deviations, name)
        self.assertTrue(found["equal"], "the replicas have parted")
        for key in ("m", "v", "averages", "evaluation"):
            self.assertLess(found[key], ROUNDING, key)
        # Adam moves a weight by about its rate, whose gradient is next to nothing, too: in a
        # direction that rounding may decide.
        self.assertLess(found["farthest"], 2)
        self.assertLess(found["elsewhere"], 1e-3)
        # Of a step in which the second replica alone was spoilt, and asked to stop or not.
        self.assertEqual(found["answers"], [(False, False), (False, True)])

    @takes_minutes
    def test_three_network(self):
        self.steps_as_one_does("three_network")

    @takes_minutes
    def test_published_code(self):
        self.steps_as_one_does("published_code")

    @takes_minutes
    def test_best(self):
        self.steps_as_one_does("best")

    def test_two_networks(self):
        self.steps_as_one_does("two_networks")

    @unittest.skipUnless(LONG, "GAN3_LONG is not set: make mutations breaks more than this")
    def test_rows_of_their_own_drawing_would_be_noticed(self):
        found = self.there(deviations, "three_network", True)
        self.assertGreater(found["m"], 100 * ROUNDING)
        self.assertTrue(found["equal"])

    def test_own_rows(self):
        (one, two), whole = self.there(rows_drawn)
        for replica in (0, 1):
            np.testing.assert_array_equal(one[replica], whole[6 * replica : 6 * replica + 6])
            first = whole[3 * replica : 3 * replica + 3]
            second = whole[6 + 3 * replica : 6 + 3 * replica + 3]
            np.testing.assert_array_equal(two[replica], np.concatenate([first, second]))

    def test_moments_of_the_whole_batch_and_their_gradients(self):
        x = np.random.default_rng(1).normal(3, 2, (6, 4, 5)).astype(np.float32)
        expected = tf.nn.moments(tf.constant(x), [0, 1])
        with tf.GradientTape() as tape:
            whole = tf.Variable(x)
            mean, variance = tf.nn.moments(whole, [0, 1])
            loss = tf.reduce_sum(tf.sin(mean) + variance**2)
        slopes = np.split(tape.gradient(loss, whole).numpy(), 2)
        for (mean, variance, slope), own in zip(self.there(moments_of, x), slopes, strict=True):
            np.testing.assert_allclose(mean, expected[0], rtol=1e-6)
            np.testing.assert_allclose(variance, expected[1], rtol=1e-5)
            np.testing.assert_allclose(
                slope, 2 * own, rtol=1e-4, atol=1e-5
            )  # of both replicas' losses


class OneReplica(unittest.TestCase):
    def test_without_a_strategy_nothing_is_gathered_and_nothing_scaled(self):
        drawn = layers.own_rows(lambda shape: tf.ones(shape), [2, 3], parts=2)
        self.assertEqual(drawn.shape, [2, 3])
        x = tf.constant(np.random.default_rng(1).normal(size=(4, 2, 3)).astype(np.float32))
        for got, expected in zip(layers.batch_moments(x), tf.nn.moments(x, [0, 1]), strict=True):
            np.testing.assert_array_equal(got, expected)
        loss = losses.digit_cross_entropy(tf.zeros([5, 10]), tf.zeros([5], tf.int32), "sigmoid_sum")
        self.assertAlmostEqual(float(loss), 50 * np.log(2), places=4)
        graph = tf.function(lambda: layers.dropout(x, 0.5, tf.constant([1, 2])), autograph=False)
        operations = graph.get_concrete_function().graph.get_operations()
        self.assertFalse([o for o in operations if re.search("replica|ollective", o.name + o.type)])


# -- runs ------------------------------------------------------------------------------------------

BATCHES, EVERY = 120, 20  # steps of a run, and between two of its checkpoints
OFTEN = ("--set", "log_every=10", "--set", f"checkpoint_every={EVERY}", "--set", "frame_every=1000")
TRAIN = ("train", "--experiment", "mlp_gan", "--episodes", 1, "--batch-size", 10, *OFTEN)
TRAIN += ("--dataset", "idx", "--data", "own", "--batches")
TWO = ("--strategy", "mirrored", "--replicas", 2)
LOST = r"\Agan3: worker lost at step (\d+) \(.+\); start all workers again with --resume\n\Z"


def free_addresses(count):
    """Of this machine, at which nobody listens."""
    opened = [socket.create_server(("localhost", 0)) for _ in range(count)]
    addresses = [f"localhost:{one.getsockname()[1]}" for one in opened]
    for one in opened:
        one.close()
    return addresses


class Runs(Child):
    def setUp(self):
        super().setUp()
        write_idx_set(self.folder / "own")

    def workers(self, *line, of_the_second=()):
        """Two processes that train one run; the second is told of folders in which nothing is."""
        addresses, found = free_addresses(2), []
        for index, own in enumerate(((), ("--logs", "none", "--figures", "none", *of_the_second))):
            text = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            process = start(
                *(*line, "--strategy", "multiworker", *own),
                cwd=self.folder,
                TF_CONFIG=json.dumps(text),
            )
            self.addCleanup(process.kill)
            found.append(process)
        return found

    def ends(self, process, status):
        """Let it end, with this exit status; what it says on stderr."""
        _, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, status, err)
        return err

    def wait_for_step(self, step, process, name):
        deadline = time.monotonic() + 200
        while step_of(name) < step:
            self.assertIsNone(process.poll(), "ended too soon")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def mirrored(self, *line):
        """The command line, by two replicas, in the other process."""
        status, out, err = self.there(command_line, str(self.folder), *line, *TWO)
        self.assertEqual(status, 0, err)
        return out

    def lose_a_worker(self, signal_number):
        """Let run w lose its second worker after a checkpoint; what the chief then says."""
        line = (*TRAIN, BATCHES, "--run", "w")
        chief, other = self.workers(*line)
        self.wait_for_step(EVERY, chief, "w")
        other.send_signal(signal_number)
        began = time.monotonic()
        err = self.ends(chief, 2)
        self.assertLess(time.monotonic() - began, 60)
        other.kill()
        other.communicate()
        self.assertRegex(err, LOST)
        record = json.loads(Path("logs/w/run.json").read_text())
        self.assertEqual(record["outcome"], "stopped")
        self.assertEqual((record["strategy"], record["replicas"]), ("multiworker", 2))
        self.assertGreater(int(re.match(LOST, err)[1]), step_of("w"))
        self.assertFalse(Path("none").exists())
        return line

    @takes_minutes
    def test_a_worker_is_lost_and_the_run_goes_on_to_the_same_end(self):
        """To the very end of a run that two replicas trained without a break."""
        line = self.lose_a_worker(signal.SIGKILL)
        reached = step_of("w")
        self.mirrored(*TRAIN, BATCHES, "--run", "m")
        out = self.mirrored(*line, "--resume")
        self.assertIn(f"resuming w after step {reached}\n", out)
        self.assertEqual(step_of("w"), BATCHES)
        self.assertEqual(weights_of("w"), weights_of("m"))
        self.assertEqual(lines_of("w"), lines_of("m"))
        record = json.loads(Path("logs/w/run.json").read_text())
        self.assertEqual((record["strategy"], record["outcome"]), ("mirrored", "done"))

        with self.subTest("what one replica trains is as good as equal, never quite"):
            self.assertEqual(call(*TRAIN, EVERY, "--run", "p")[0], 0)
            record = json.loads(Path("logs/p/run.json").read_text())
            self.assertEqual((record["strategy"], record["replicas"]), ("none", 1))
            for one, two in zip(lines_of("p"), lines_of("m"), strict=False):
                for tag in [tag for tag in one if tag.startswith("loss/")]:
                    self.assertAlmostEqual(one[tag], two[tag], delta=1e-3, msg=tag)
            self.assertNotEqual(weights_of("p"), weights_of("m"))

        with self.subTest("a batch that cannot be shared"):
            line = (*TRAIN, BATCHES, "--run", "x", *TWO, "--batch-size", 9)
            status, _, err = self.there(command_line, str(self.folder), *line)
            self.assertEqual(status, 2)
            self.assertRegex(err, r"\Agan3: --batch-size 9: 2 replicas cannot share [^\n]+\n\Z")
            self.assertFalse(Path("logs/x").exists())

    def go_on(self, line):
        """Start the workers of run w again: they end as two replicas did without a break."""
        chief, other = self.workers(*line, "--resume")
        self.assertEqual((self.ends(chief, 0), self.ends(other, 0)), ("", ""))
        self.mirrored(*TRAIN, BATCHES, "--run", "m")
        self.assertEqual(weights_of("w"), weights_of("m"))
        self.assertEqual(lines_of("w"), lines_of("m"))

    @takes_minutes
    def test_all_workers_start_again_after_one_was_killed(self):
        self.go_on(self.lose_a_worker(signal.SIGKILL))

    @takes_minutes
    def test_a_worker_that_falls_silent_is_lost(self):
        self.go_on(self.lose_a_worker(signal.SIGSTOP))

    @takes_minutes
    def test_the_chief_is_killed(self):
        line = (*TRAIN, BATCHES, "--run", "w")
        chief, other = self.workers(*line)
        self.wait_for_step(EVERY, chief, "w")
        chief.kill()
        chief.communicate()
        self.assertRegex(self.ends(other, 2), LOST)
        self.go_on(line)

    @takes_minutes
    def test_where_one_worker_is_asked_to_stop_all_do_and_it_is_saved(self):
        line = (*TRAIN, BATCHES, "--set", f"checkpoint_every={BATCHES}", "--run", "w")
        workers = self.workers(*line)
        self.wait_for_step(0, workers[0], "w")
        workers[1].terminate()
        for process in workers:
            err = self.ends(process, 128 + signal.SIGTERM)
            self.assertRegex(err, r"\Agan3: stopped; the state is saved[^\n]+\n\Z")
        self.assertGreater(step_of("w"), 0)
        self.assertEqual(json.loads(Path("logs/w/run.json").read_text())["outcome"], "stopped")

    @takes_minutes
    def test_workers_that_mean_other_runs(self):
        line = (*TRAIN, BATCHES, "--run", "w")
        for process in self.workers(*line, of_the_second=("--seed", 1)):
            err = self.ends(process, 2)
            self.assertEqual(err, "gan3: workers differ in seed; give all of them the same\n")
        self.assertFalse(Path("logs/w").exists())


class Refusals(FolderTest):
    def refused(self, *arguments, **environment):
        with mock.patch.dict(os.environ, environment):
            status, _, err = call("train", "--run", "a", *arguments)
        self.assertEqual(status, 2, err)
        self.assertRegex(err, r"\Agan3: [^\n]+\n\Z")
        self.assertFalse(Path("logs").exists())
        return err

    def test_arguments(self):
        for arguments, said in (
            (("--replicas", 2), "--replicas 2: with --strategy"),
            ((*TWO[:2], "--replicas", 0), "--replicas 0: from 1 to 64"),
            (("--strategy", "multiworker", *TWO[2:]), "--replicas 2: of --strategy mirrored"),
            (("--strategy", "multiworker"), "TF_CONFIG is not set"),
        ):
            self.assertIn(said, self.refused(*arguments, TF_CONFIG=""))
        if not tf.config.list_physical_devices("GPU"):
            said = self.refused("--strategy", "mirrored")
            self.assertIn("there is no GPU; --replicas 2", said)
        self.assertEqual(call("train", "--strategy", "some")[0], 2)

    def test_tf_config(self):
        task = {"type": "worker", "index": 0}
        cluster = {"worker": ["a:1", "b:2"]}
        whole = json.dumps({"cluster": cluster, "task": task | {"index": 1}})
        self.assertEqual(workers_of(whole), (["a:1", "b:2"], 1))
        for content, said in (
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
            ({"cluster": {"worker": ["a"]}, "task": task}, "what is no address"),
            ({"cluster": cluster, "task": task | {"index": 2}}, "task.index 2 is none of the 2"),
            ({"cluster": cluster, "task": task | {"index": -1}}, "task.index -1"),
            ({"cluster": cluster, "task": task | {"index": True}}, "task.index True"),
            ({"cluster": cluster, "task": task | {"index": "0"}}, "task.index '0'"),
        ):
            text = content if isinstance(content, str) else json.dumps(content)
            with self.subTest(text[:80]), self.assertRaisesRegex(UserError, said):
                workers_of(text)
        said = self.refused("--strategy", "multiworker", TF_CONFIG="{")
        self.assertIn("TF_CONFIG: is not JSON", said)

    def test_what_tensorflow_says_of_a_lost_worker_is_one_line(self):
        text = (
            "Graph execution error:\n\nDetected at\nCollective ops is aborted by: Socket closed\nx"
        )
        with self.assertRaises(UserError) as caught, worker_lost("at step 3"):
            raise tf.errors.UnavailableError(None, None, text)
        self.assertEqual(
            str(caught.exception),
            "worker lost at step 3 (Socket closed); start all workers again with --resume",
        )
        with self.assertRaises(tf.errors.ResourceExhaustedError), worker_lost("at step 3"):
            raise tf.errors.ResourceExhaustedError(None, None, "out of memory")


if __name__ == "__main__":
    unittest.main()
