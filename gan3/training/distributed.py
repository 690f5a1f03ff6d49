"""A batch shared out among replicas: whole systems side by side that move as one.

Each replica, on a device of its own, here or in another process, has a system of plain variables.
All begin equal and take their own rows of every batch; gradients and batch moments are the means
over all of them (`layers`), so all stay equal, to the bit, and any one of them is the trained one.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.core.log import Log
from gan3.data.batches import make_gather

STRATEGIES = ("mirrored", "multiworker")
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.UnknownError,
)
_SUM = tf.distribute.ReduceOp.SUM


def open_replicas(strategy: str, count: int | None, log: Log = print) -> "Replicas":
    """The replicas of a strategy; to be asked for before TensorFlow computes anything.

    Args:
        strategy: "mirrored", the GPUs of this machine or, where it has none, parts of its
            processor; "multiworker", the workers that TF_CONFIG names, by their GPUs or processors.
        count: of replicas, with "mirrored" only; None takes all GPUs.
        say: told for whom this worker waits.

    Raises:
        UserError: they cannot be had.
    """
    if strategy == "multiworker":
        if count is not None:
            raise UserError(
                f"--replicas {count}: of --strategy mirrored; a worker takes all of its GPUs, or"
                " its processor"
            )
        addresses, worker = workers_of(os.environ.get("TF_CONFIG"))
        log(f"worker {worker}: waiting for all of {', '.join(addresses)}")
        try:
            return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), addresses, worker)
        except (*_LOST, RuntimeError) as error:
            raise UserError(
                f"TF_CONFIG: the workers cannot meet ({_reason(error)}); see to their addresses"
            ) from None
    if strategy != "mirrored":
        raise UserError(f"--strategy {strategy}: one of {', '.join(STRATEGIES)}")
    devices = _devices(count)
    # Parts of one processor need no collectives, whose keys a second run in a process would share.
    across = tf.distribute.ReductionToOneDevice() if devices[0].startswith("CPU") else None
    return Replicas(tf.distribute.MirroredStrategy(devices, across))


def _devices(count: int | None) -> list[str]:
    """The names of `count` devices of this machine."""
    if count is not None and not 1 <= count <= 64:
        raise UserError(f"--replicas {count}: from 1 to 64")
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if count is not None and count > len(gpus):
            raise UserError(f"--replicas {count}: there are {len(gpus)} GPUs; ask for no more")
        return [f"GPU:{number}" for number in range(count or len(gpus))]
    if count is None:
        raise UserError(
            "--strategy mirrored: there is no GPU; --replicas 2 makes two replicas of the processor"
        )
    processor = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(
            processor, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError:  # TensorFlow has computed already, and has the devices it has
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise UserError(
                f"--replicas {count}: TensorFlow has begun with fewer; train in a process of its"
                " own"
            ) from None
    return [f"CPU:{number}" for number in range(count)]


def workers_of(text: str | None) -> tuple[list[str], int]:
    """The addresses of all workers and which one is this, of TF_CONFIG's `text`.

    Raises UserError where that is not so much.
    """
    example = '{"cluster": {"worker": ["HOST:PORT", …]}, "task": {"type": "worker", "index": 0}}'
    if not text:
        raise UserError(f"--strategy multiworker: TF_CONFIG is not set; {example}")
    try:
        read = json.loads(text)
        cluster, task = read["cluster"], read["task"]
        addresses, kind, index = cluster["worker"], task["type"], task["index"]
    except (ValueError, RecursionError):
        raise UserError(f"TF_CONFIG: is not JSON; {example}") from None
    except KeyError as error:
        raise UserError(f"TF_CONFIG: lacks {error.args[0]}; {example}") from None
    except TypeError:
        raise UserError(f"TF_CONFIG: is not of this form; {example}") from None
    if set(cluster) != {"worker"} or kind != "worker":
        raise UserError(f"TF_CONFIG: workers only, the first is the chief; {example}")
    if not isinstance(addresses, list) or not addresses:
        raise UserError(f"TF_CONFIG: cluster.worker is not a list of addresses; {example}")
    if not all(isinstance(a, str) and a.rpartition(":")[2].isdecimal() for a in addresses):
        raise UserError(f"TF_CONFIG: cluster.worker has what is no address; {example}")
    if type(index) is not int or not 0 <= index < len(addresses):
        raise UserError(
            f"TF_CONFIG: task.index {index!r} is none of the {len(addresses)} workers; count from 0"
        )
    return addresses, index


@contextmanager
def worker_lost(when: str) -> Iterator[None]:
    """Raises UserError, one line, where TensorFlow says that a worker is gone."""
    try:
        yield
    except _LOST as error:
        raise UserError(
            f"worker lost {when} ({_reason(error)}); start all workers again with --resume"
        ) from None


def _reason(error: Exception) -> str:
    """Of what TensorFlow says, the line that says why."""
    lines = str(error).strip().split("\n")
    why = [line.partition("aborted by: ")[2] for line in lines if "aborted by: " in line]
    return [*why, *lines][0][:160]


class Replicas:
    """The replicas of a run, and this process's part in them."""

    def __init__(
        self, strategy: tf.distribute.Strategy, workers: list[str] | None = None, worker: int = 0
    ):
        self._strategy, self._devices = strategy, strategy.extended.worker_devices
        self.count: int = strategy.num_replicas_in_sync
        self.workers, self.worker = workers or [], worker  # none: all replicas are here
        self.systems: list[Any] = []  # sampling.System, of the replicas that are here

    @property
    def chief(self) -> bool:
        """Whether this process is the one that evaluates and writes."""
        return self.worker == 0

    def rows_of(self, batch_size: int) -> int:
        """Of a batch, for each replica. Raises UserError where it cannot be shared out."""
        if batch_size % self.count:
            raise UserError(
                f"--batch-size {batch_size}: {self.count} replicas cannot share it equally;"
                f" {batch_size // self.count * self.count or self.count} will do"
            )
        return batch_size // self.count

    def build(self, make: Callable[[], Any]) -> Any:
        """A system for each replica that is here; answers the first, which draws and is saved."""
        for device in self._devices:
            with tf.device(device):
                self.systems.append(make())
        return self.systems[0]

    def agree(self, facts: dict[str, Any]) -> None:
        """Raises UserError, in all workers, that names the facts in which they differ."""
        if len(self.workers) < 2:
            return
        own = np.array([zlib.crc32(json.dumps(fact).encode()) for fact in facts.values()])
        with worker_lost("before the first step"):
            of_chief = self._sum(own if self.chief else 0 * own)
            differing = self._sum(own != of_chief)
        names = [name for name, number in zip(facts, differing, strict=True) if number]
        if names:
            raise UserError(f"workers differ in {', '.join(names)}; give all of them the same")

    def begin(self, step: int) -> int:
        """Give all replicas the state of the chief's first; answers the chief's `step`."""

        def take() -> None:
            here = tf.distribute.get_replica_context()
            for variable in self._own(self.systems).state.values():
                # Nothing changes by -0.0 added to it, not even the sign of a zero.
                own = variable.read_value() if _index() == 0 else -tf.zeros_like(variable)
                variable.assign(here.all_reduce(_SUM, own))

        with worker_lost("before the first step"):
            if self.count > 1:
                tf.function(lambda: self._strategy.run(take), autograph=False)()
            if len(self.workers) < 2:
                return step
            return int(self._sum(np.array([step if self.chief else 0]))[0])

    def trace(
        self, images: np.ndarray, labels: np.ndarray, batch_size: int
    ) -> Callable[..., tuple[dict[str, tf.Tensor], tf.Tensor]]:
        """The step of all replicas as a graph.

        Of indices [batch_size] of the whole batch and a seed [2], as `run.trace`'s step; and of
        whether this worker is asked to stop. Its answer is the same in all workers: whether a
        network is finite in all replicas, and whether any worker is asked to stop.
        """
        rows = self.rows_of(batch_size)
        takes = []
        for device in self._devices:  # each has the data
            with tf.device(device):
                takes.append(make_gather(images, labels))

        def own(indices: tf.Tensor, seed: tf.Tensor, requested: tf.Tensor) -> tuple:
            mine = indices[_index() * rows : (_index() + 1) * rows]
            finite = self._own(self.systems).step(*self._own(takes)(mine), seed)
            if self.count == 1:
                return finite, requested
            flags = tf.stack([*(~good for good in finite.values()), requested])
            flags = tf.distribute.get_replica_context().all_reduce(_SUM, tf.cast(flags, tf.float32))
            *spoilt, requested = tf.unstack(flags > 0)
            return {name: ~bad for name, bad in zip(finite, spoilt, strict=True)}, requested

        @tf.function(
            input_signature=[
                tf.TensorSpec([batch_size], tf.int32, name="indices"),
                tf.TensorSpec([2], tf.int32, name="seed"),
                tf.TensorSpec([], tf.bool, name="asked"),
            ],
            autograph=False,
        )
        def step(indices: tf.Tensor, seed: tf.Tensor, requested: tf.Tensor) -> tuple:
            return self._first(self._strategy.run(own, args=(indices, seed, requested)))

        return step

    def _own(self, of_all: list) -> Any:
        """Of what every local replica has one: this replica's."""
        return of_all[_index() - self.worker * len(self._devices)]

    def _first(self, answers: Any) -> Any:
        """Of the replicas' answers, which are equal, one."""
        return self._strategy.experimental_local_results(answers)[0]

    def _sum(self, numbers: np.ndarray) -> np.ndarray:
        """The workers' whole numbers, added up."""

        def take() -> tf.Tensor:
            counts = self._own([1] + [0] * (len(self._devices) - 1))  # each worker once
            own = tf.constant(counts * numbers.astype(np.int64))
            return tf.distribute.get_replica_context().all_reduce(_SUM, own)

        sums = tf.function(lambda: self._first(self._strategy.run(take)), autograph=False)()
        return sums.numpy()


def _index() -> int:
    """Which replica of all this is; inside `Strategy.run` only."""
    here = tf.distribute.get_replica_context()
    return int(tf.get_static_value(here.replica_id_in_sync_group))
