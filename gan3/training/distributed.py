"""Data-parallel training: everything that knows of replicas and workers.

Each replica, on a device of its own, in this process or in another, has a whole system of plain
variables. All begin with the same values. In every step each takes its part of the batch, with the
step's seed folded with the replica's number, and every optimizer averages its gradients over the
replicas, as the moments that training depends on do with their changes; so all of these stay equal,
bit for bit. Batch normalisation uses the moments of the replica's own part; running moments are
those of replica 0, the one that is evaluated and saved.
"""

import json
import os
import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.config import RunConfig
from gan3.core.errors import DivergedError, StoppedError, UserError
from gan3.core.log import Log
from gan3.core.options import STRATEGIES
from gan3.data.batches import Batches, make_gather
from gan3.data.datasets import Dataset
from gan3.method.system import System
from gan3.runs.seeds import STEPS, seed_of
from gan3.training.interruption import Signals

_MAX_REPLICAS = 64
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.UnknownError,
)
_SUM, _MEAN = tf.distribute.ReduceOp.SUM, tf.distribute.ReduceOp.MEAN


def open_replicas(
    config: RunConfig, strategy: str, count: int | None = None, log: Log = print
) -> "Replicas":
    """The replicas of a run; must be called before TensorFlow computes anything.

    Args:
        strategy: "mirrored", the GPUs of this machine or, if it has none, parts of its processor;
            "multiworker", the GPUs or processors of the workers that TF_CONFIG names.
        count: of replicas, for "mirrored" only; None uses all GPUs.
        log: called with a line before a worker waits for the others.

    Raises:
        UserError: the devices or workers are not available, or the batch or the loss cannot be
            divided among them.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # lets Ctrl-C end TensorFlow's waiting
    try:
        replicas = _open(strategy, count, log)
    finally:
        signal.signal(signal.SIGINT, before)
    if replicas.count > 1 and getattr(config, "digit_loss", None) == "sigmoid_sum":
        raise UserError(
            "digit_loss sigmoid_sum: a sum over the batch, which replicas cannot divide; use"
            f" softmax_mean with a digit_weight of {config.digit_weight * config.batch_size:g}, or"
            " one replica"
        )
    replicas.rows_of(config.batch_size)
    return replicas


def _open(strategy: str, count: int | None, log: Log) -> "Replicas":
    if strategy == "multiworker":
        if count is not None:
            raise UserError(
                f"{count} replicas: their number can be set with the strategy mirrored only;"
                " a worker uses all of its GPUs, or its processor"
            )
        addresses, worker = workers_of(os.environ.get("TF_CONFIG"))
        log(f"worker {worker}: waiting for all of {', '.join(addresses)}")
        try:
            return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), addresses, worker)
        except (*_LOST, RuntimeError) as error:
            raise UserError(
                f"TF_CONFIG: the workers cannot connect ({_reason(error)}); check their addresses"
            ) from None
    if strategy != "mirrored":
        raise UserError(f"strategy {strategy!r}: unknown; one of {', '.join(STRATEGIES)}")
    devices = _devices(count)
    # Parts of one processor need no collectives, whose keys a second run in a process would share.
    on_cpu = devices[0].startswith("CPU")
    cross_device_ops = tf.distribute.ReductionToOneDevice() if on_cpu else None
    return Replicas(tf.distribute.MirroredStrategy(devices, cross_device_ops))


def _devices(count: int | None) -> list[str]:
    """The names of `count` devices of this machine."""
    if count is not None and not 1 <= count <= _MAX_REPLICAS:
        raise UserError(f"{count} replicas: the number must be from 1 to {_MAX_REPLICAS}")
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if count is not None and count > len(gpus):
            raise UserError(f"{count} replicas: there are only {len(gpus)} GPUs; use fewer")
        return [f"GPU:{number}" for number in range(count or len(gpus))]
    if count is None:
        raise UserError(
            "strategy mirrored: there is no GPU; set the number of replicas to divide the processor"
        )
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError:  # TensorFlow has computed already, and its devices are fixed
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise UserError(
                f"{count} replicas: TensorFlow has started with fewer devices; train in a new"
                " process"
            ) from None
    return [f"CPU:{number}" for number in range(count)]


def workers_of(text: str | None) -> tuple[list[str], int]:
    """The addresses of all workers and this worker's index, from TF_CONFIG's `text`.

    Raises UserError if the text does not say that.
    """
    example = '{"cluster": {"worker": ["HOST:PORT", …]}, "task": {"type": "worker", "index": 0}}'
    if not text:
        raise UserError(f"strategy multiworker: TF_CONFIG is not set; {example}")
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses, kind, index = cluster["worker"], task["type"], task["index"]
    except (ValueError, RecursionError):
        raise UserError(f"TF_CONFIG: is not JSON; {example}") from None
    except KeyError as error:
        raise UserError(f"TF_CONFIG: lacks {error.args[0]}; {example}") from None
    except TypeError:
        raise UserError(f"TF_CONFIG: is not of this form; {example}") from None
    if set(cluster) != {"worker"} or kind != "worker":
        raise UserError(f"TF_CONFIG: must have workers only, the first is the chief; {example}")
    if not isinstance(addresses, list) or not addresses:
        raise UserError(f"TF_CONFIG: cluster.worker is not a list of addresses; {example}")
    if not all(isinstance(a, str) and a.rpartition(":")[2].isdecimal() for a in addresses):
        raise UserError(f"TF_CONFIG: cluster.worker has an entry that is no address; {example}")
    if type(index) is not int or not 0 <= index < len(addresses):
        raise UserError(
            f"TF_CONFIG: task.index {index!r} is not one of the {len(addresses)} workers, counted"
            " from 0"
        )
    return addresses, index


@contextmanager
def worker_lost(when: str) -> Iterator[None]:
    """Raises UserError, one line, if TensorFlow reports that a worker is gone."""
    try:
        yield
    except _LOST as error:
        raise UserError(
            f"worker lost {when} ({_reason(error)}); start all workers again and resume the run"
        ) from None


def _reason(error: Exception) -> str:
    """The line of TensorFlow's message that gives the reason."""
    lines = str(error).strip().split("\n")
    reasons = [line.partition("aborted by: ")[2] for line in lines if "aborted by: " in line]
    return [*reasons, *lines][0][:160]


def non_finite(finite: dict[str, Any]) -> str:
    """The names of what is not finite, separated by commas."""
    return ", ".join(name for name, is_finite in finite.items() if not is_finite)


def follow_chief(config: RunConfig, replicas: "Replicas", dataset: Dataset, log: Log) -> None:
    """Train as a worker that is not the chief: it writes and evaluates nothing."""
    batches = Batches(len(dataset.images), config.batch_size, config.seed, config.shuffle)
    step = replicas.trace(dataset.images, dataset.labels, config.batch_size)
    done = replicas.begin(0)
    log(f"following worker 0 from step {done + 1} to {config.total_steps}")
    with Signals() as signals:
        for number in range(done + 1, config.total_steps + 1):
            seed = tf.constant(seed_of(config.seed, STEPS, number))
            with worker_lost(f"at step {number}"):
                finite, stop = step(
                    tf.constant(batches(number)), seed, signals.received is not None
                )
                names = non_finite(finite)
            if names:
                raise DivergedError(f"{names}: not finite at step {number}")
            if stop:
                raise StoppedError(signals.stop_signal)
    log(f"trained on {dataset.title}; worker 0 writes the run")


class Replicas:
    """The replicas of a run, and this process's part of them."""

    def __init__(
        self, strategy: tf.distribute.Strategy, workers: list[str] | None = None, worker: int = 0
    ):
        self._strategy, self._devices = strategy, strategy.extended.worker_devices
        self.count: int = strategy.num_replicas_in_sync
        self.workers, self.worker = workers or [], worker  # no workers: one process has them all
        self.systems: list[System] = []  # of this process's replicas

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that evaluates and writes."""
        return self.worker == 0

    def rows_of(self, batch_size: int) -> int:
        """Rows of a batch per replica. Raises UserError if it cannot be divided equally."""
        if batch_size % self.count:
            raise UserError(
                f"batch size {batch_size}: not divisible by {self.count} replicas; use"
                f" {batch_size // self.count * self.count or self.count}"
            )
        return batch_size // self.count

    def build(self, make: Callable[[], System]) -> System:
        """Build a system for each replica of this process; returns the first one."""
        for device in self._devices:
            with tf.device(device):
                self.systems.append(make())
        if self.count > 1:
            for system in self.systems:
                for optimizer in system.optimizers:
                    optimizer.transform_gradients = _mean_over_replicas
                for moments in system.training_moments:
                    moments.transform_changes = _mean_over_replicas
        return self.systems[0]

    def agree(self, facts: dict[str, Any]) -> None:
        """Raises UserError, in all workers, that names the facts in which they differ."""
        if len(self.workers) < 2:
            return
        digests = np.array([zlib.crc32(json.dumps(fact).encode()) for fact in facts.values()])
        with worker_lost("before the first step"):
            of_chief = self._sum_over_workers(digests if self.is_chief else 0 * digests)
            differing = self._sum_over_workers(digests != of_chief)
        names = [name for name, count in zip(facts, differing, strict=True) if count]
        if names:
            raise UserError(f"workers differ in {', '.join(names)}; give all of them the same")

    def begin(self, step: int) -> int:
        """Copy the state of replica 0 to all replicas; returns the chief's `step`."""

        def copy() -> None:
            context = tf.distribute.get_replica_context()
            for variable in self._of_this_replica(self.systems).state.values():
                # Adding -0.0 changes no bit of a value, not even the sign of a zero.
                value = variable.read_value() if _index() == 0 else -tf.zeros_like(variable)
                variable.assign(context.all_reduce(_SUM, value))

        with worker_lost("before the first step"):
            if self.count > 1:
                tf.function(lambda: self._strategy.run(copy), autograph=False)()
            if len(self.workers) < 2:
                return step
            return int(self._sum_over_workers(np.array([step if self.is_chief else 0]))[0])

    def trace(
        self, images: np.ndarray, labels: np.ndarray, batch_size: int
    ) -> Callable[..., tuple[dict[str, tf.Tensor], tf.Tensor]]:
        """The training step of all replicas as a graph.

        It takes indices [batch_size] of the whole batch, a seed [2], and whether this worker wants
        to stop. It returns the same in all workers: by network, whether it is finite in all
        replicas, and whether any worker wants to stop.
        """
        rows = self.rows_of(batch_size)
        gathers = []
        for device in self._devices:  # each holds the data
            with tf.device(device):
                gathers.append(make_gather(images, labels))

        def step_of_replica(indices: tf.Tensor, seed: tf.Tensor, stop: tf.Tensor) -> tuple:
            gather, system = self._of_this_replica(gathers), self._of_this_replica(self.systems)
            if self.count == 1:
                return system.train_step(*gather(indices), seed), stop
            part = indices[_index() * rows : (_index() + 1) * rows]
            finite = system.train_step(*gather(part), tf.random.fold_in(seed, _index()))
            flags = tf.stack([*(~is_finite for is_finite in finite.values()), stop])
            context = tf.distribute.get_replica_context()
            counts = context.all_reduce(_SUM, tf.cast(flags, tf.float32))
            *not_finite, stop = tf.unstack(counts > 0)
            return {name: ~bad for name, bad in zip(finite, not_finite, strict=True)}, stop

        @tf.function(
            input_signature=[
                tf.TensorSpec([batch_size], tf.int32, name="indices"),
                tf.TensorSpec([2], tf.int32, name="seed"),
                tf.TensorSpec([], tf.bool, name="stop"),
            ],
            autograph=False,
        )
        def step(indices: tf.Tensor, seed: tf.Tensor, stop: tf.Tensor) -> tuple:
            return self._first(self._strategy.run(step_of_replica, args=(indices, seed, stop)))

        return step

    def _of_this_replica(self, items: list) -> Any:
        """Of a list with one item per replica of this process, this replica's."""
        return items[_index() - self.worker * len(self._devices)]

    def _first(self, results: Any) -> Any:
        """One of the replicas' results, which are equal."""
        return self._strategy.experimental_local_results(results)[0]

    def _sum_over_workers(self, numbers: np.ndarray) -> np.ndarray:
        """The workers' whole numbers, added up."""

        def add_up() -> tf.Tensor:
            # Only a worker's first replica contributes, so that each worker counts once.
            weight = self._of_this_replica([1] + [0] * (len(self._devices) - 1))
            own_numbers = tf.constant(weight * numbers.astype(np.int64))
            return tf.distribute.get_replica_context().all_reduce(_SUM, own_numbers)

        sums = tf.function(lambda: self._first(self._strategy.run(add_up)), autograph=False)()
        return sums.numpy()


def _mean_over_replicas(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    dense = [tf.convert_to_tensor(tensor) for tensor in tensors]  # gradients can be sparse
    return tf.distribute.get_replica_context().all_reduce(_MEAN, dense)


def _index() -> int:
    """The number of this replica among all; inside `Strategy.run` only."""
    context = tf.distribute.get_replica_context()
    return int(tf.get_static_value(context.replica_id_in_sync_group))
