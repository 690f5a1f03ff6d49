"""Who does the runs of a sweep: processes of this machine, or Ray wherever it reaches.

Both do a task by the same commands, those that a user would type, so it does not matter who did
it. Nothing here knows TensorFlow: a worker of Ray takes this module in before every task.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from gan3.core.errors import UserError
from gan3.runs.run_files import read_record, run_folders

_ROOT = Path(__file__).parent.parent.parent  # where python -m gan3 finds it, whatever the folder
Done = Callable[[str, str | None], None]  # of a run that ended: its name, what went wrong if it did
_TIMES = 3  # that a process is begun, from its last checkpoint, while signals end it
# A worker that is killed takes its process along: its successor would find the run taken.
_STARTER = """
import ctypes, runpy, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
runpy.run_module("gan3", run_name="__main__", alter_sys=True)
"""
_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # whose files TensorBoard would take for runs
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one says where results are that are removed at the end
}


class Task(NamedTuple):
    """A run to be trained and scored, said in plain values: it travels between machines."""

    run: str
    train: list[str]  # arguments of the run's first beginning, after its name
    evaluate: list[str]
    places: list[str]  # --logs, --figures, --data
    logs: str
    output: str  # file that takes what is said
    folder: str  # to work in
    environment: dict[str, str]
    deadline: float  # time.time() after which it is not begun


def do(task: Task) -> str | None:
    """Train what is not trained to its end and score it; answers what went wrong, if anything.

    A process that a signal ended (killed, out of memory) is begun again, from its checkpoint.
    """
    if time.time() > task.deadline:
        return "not begun, the sweep's time is over; sweep it again to go on"
    environment = os.environ | task.environment | {"PYTHONPATH": _python_path()}
    with open(task.output, "a+") as said:
        for _ in range(_TIMES):
            status = _commands(task, said, environment)
            if status >= 0:
                break
    if status == 0:
        return None
    lines = Path(task.output).read_text(errors="replace").strip().splitlines()
    ended = f"exit status {status}" if status > 0 else f"killed by signal {-status}, {_TIMES} times"
    return f"{ended}: {lines[-1] if lines else 'it said nothing'}"


def _commands(task: Task, said, environment: dict[str, str]) -> int:
    """Train and evaluate as far as is needed; the first exit status that is not 0, or 0."""
    record = Path(task.folder) / run_folders(task.run, task.logs).record
    state = read_record(record).get("outcome") if record.is_file() else None
    commands = [["evaluate", task.run, *task.evaluate, *task.places]]
    if state != "done":
        begin = ["--resume"] if state else task.train
        commands.insert(0, ["train", "--run", task.run, *begin, *task.places])
    for command in commands:
        arguments = [sys.executable, "-c", _STARTER, *command]
        status = subprocess.run(
            arguments, stdout=said, stderr=said, env=environment, cwd=task.folder
        ).returncode
        if status:
            return status
    return 0


def run_locally(tasks: list[Task], done: Done, jobs: int) -> None:
    """Processes of this machine, `jobs` at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        started = {pool.submit(do, task): task for task in tasks}
        try:
            for future in as_completed(started):
                done(started[future].run, future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def run_on_ray(tasks: list[Task], done: Done, jobs: int, threads: int, address: str | None) -> None:
    """Trials of Ray Tune, each with `threads` cores; a lost worker's task is done by another.

    Without `address` on a Ray of this machine, `jobs` at a time; with it on the cluster there, as
    many at a time as its cores allow. All its machines must see the same folders.

    Raises UserError where Ray is not installed or does not answer.
    """
    if not tasks:
        return
    os.environ |= _RAY
    try:
        import ray
        from ray import tune
    except ImportError:
        raise UserError(
            "--engine ray: Ray is not installed; pip install -r requirements-ray.lock"
        ) from None

    class Told(tune.Callback):
        """Says of each trial, when it has ended, how it ended."""

        def on_trial_complete(self, iteration, trials, trial, **info):
            done(trial.config["task"]["run"], trial.last_result.get("problem") or None)

        def on_trial_error(self, iteration, trials, trial, **info):
            done(trial.config["task"]["run"], f"lost with its worker, {_TIMES + 1} times")

        def __reduce__(self):  # Tune would write down `done`, and all that it holds
            return tune.Callback, ()

    own = {} if address else {"num_cpus": jobs * threads, "include_dashboard": False}
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    environment = {"env_vars": {"PYTHONPATH": _python_path()}}
    try:
        ray.init(address=address or "local", runtime_env=environment, **quiet, **own)
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = (str(error).strip().splitlines() or [""])[0]
        where = f"--address {address}" if address else "--engine ray"
        raise UserError(f"{where}: no Ray answers ({said})") from None
    storage = Path(tasks[0].output).parent / "ray"
    try:
        tune.Tuner(
            tune.with_resources(_trial, {"cpu": threads}),
            param_space={"task": tune.grid_search([task._asdict() for task in tasks])},
            run_config=tune.RunConfig(
                storage_path=str(storage),
                failure_config=tune.FailureConfig(max_failures=_TIMES),
                callbacks=[Told()],
                verbose=0,
            ),
        ).fit()
    finally:
        ray.shutdown()
        shutil.rmtree(storage, ignore_errors=True)  # what is worth keeping is in the runs


def _trial(config: dict) -> dict[str, str]:
    """What Ray calls in a worker."""
    return {"problem": do(Task(**config["task"])) or ""}


def _python_path() -> str:
    """PYTHONPATH with this gan3 before all others."""
    return os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
