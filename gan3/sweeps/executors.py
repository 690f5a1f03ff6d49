"""Executes the runs of a sweep: in processes on this machine, or on a Ray cluster.

Both run the commands that a user would type, so the results do not depend on the executor.
TensorFlow is not imported here, so that a Ray worker loads this module quickly.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from gan3.core.errors import UserError
from gan3.runs.run import Run

Report = Callable[[str, str | None], None]
"""Called after each run with its name, and with the problem if it failed."""

_ROOT = Path(__file__).parent.parent.parent  # the folder that contains the package gan3
_ATTEMPTS = 3  # how often a process that a signal ended is started in total
_RETRIES = 3  # how often Ray repeats a task whose worker was lost
# The command line, in a process that is killed when its parent dies: Ray repeats the run of a lost
# worker, and the new process could not lock the run if the old one were still training it.
_COMMAND_LINE = """
import ctypes, runpy, signal, sys
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
runpy.run_module("gan3", run_name="__main__", alter_sys=True)
"""
_RAY_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_task_oom_retries": str(_RETRIES),  # unlimited by default
}


class Task(NamedTuple):
    """A run to train and evaluate, in plain values that can be sent to another machine."""

    run: str
    train: list[str]  # arguments of the first `train` command; a resumed run needs none
    evaluate: list[str]  # arguments of the `evaluate` command
    places: list[str]  # arguments of both commands: --logs, --figures, --data
    logs: str
    output: str  # file to which stdout and stderr are appended
    folder: str  # working directory
    environment: dict[str, str]
    deadline: float  # Unix time after which the run is not started


def run_task(task: Task) -> str | None:
    """Train and evaluate a run as far as that is not done; return the problem, or None.

    A process that a signal ended (killed, out of memory) is started again and resumes from the
    run's last checkpoint.
    """
    if time.time() > task.deadline:
        return "not started, the sweep's time budget is used up; start the sweep again to continue"
    for _ in range(_ATTEMPTS):
        status = _run_commands(task)
        if status >= 0:
            break
    if status == 0:
        return None
    lines = Path(task.output).read_text(errors="replace").strip().splitlines()
    ended = f"exit status {status}"
    if status < 0:
        ended = f"killed by signal {-status}, {_ATTEMPTS} times"
    return f"{ended}: {lines[-1] if lines else 'no output'}"


def _run_commands(task: Task) -> int:
    """Run the commands that are still needed; return the first exit status other than 0, or 0."""
    run = Run(task.run, Path(task.folder) / task.logs)
    outcome = run.outcome if run.record_file.is_file() else None
    commands = [["evaluate", "--run", task.run, *task.evaluate, *task.places]]
    if outcome != "done":
        arguments = ["--resume"] if outcome else task.train
        commands.insert(0, ["train", "--run", task.run, *arguments, *task.places])
    environment = os.environ | task.environment | {"PYTHONPATH": _python_path()}
    status = 0
    with open(task.output, "a") as output:
        for command in commands:
            if status == 0:
                status = subprocess.run(
                    [sys.executable, "-c", _COMMAND_LINE, *command],
                    stdout=output,
                    stderr=output,
                    env=environment,
                    cwd=task.folder,
                ).returncode
    return status


def run_locally(tasks: list[Task], report: Report, jobs: int) -> None:
    """Execute the tasks in processes on this machine, `jobs` at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(run_task, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                report(futures[future].run, future.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def run_on_ray(
    tasks: list[Task], report: Report, jobs: int, threads: int, address: str | None
) -> None:
    """Execute the tasks on Ray, each with `threads` cores.

    A task whose worker is lost is executed again by another worker; one that fails is not.

    address: of a running cluster, which executes as many tasks at a time as it has cores. All its
    machines must see the same folders. None starts Ray on this machine, for `jobs` tasks at a time,
    and stops it at the end. Raises UserError if Ray is not installed or cannot be reached.
    """
    if not tasks:
        return
    os.environ |= _RAY_ENVIRONMENT
    try:
        import ray
    except ImportError:
        raise UserError('Ray: not installed; pip install "gan3[ray]"') from None

    resources = {} if address else {"num_cpus": jobs * threads, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local",
            runtime_env={"env_vars": {"PYTHONPATH": _python_path()}},
            log_to_driver=False,
            logging_level="ERROR",
            **resources,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason, _, _ = str(error).strip().partition("\n")
        cluster = f"at {address}" if address else "on this machine"
        raise UserError(f"Ray {cluster}: cannot connect ({reason}); check that it runs") from None
    try:
        remote = ray.remote(num_cpus=threads, max_retries=_RETRIES)(run_task)
        running = {remote.remote(task): task for task in tasks}
        while running:
            (ended,), _ = ray.wait(list(running))
            try:
                problem = ray.get(ended)
            except ray.exceptions.RayTaskError as error:
                problem = str(error.cause)
            except ray.exceptions.RayError as error:
                problem = f"worker lost, {_RETRIES + 1} times ({type(error).__name__})"
            report(running.pop(ended).run, problem)
    finally:
        ray.shutdown()  # on Ctrl-C this ends the workers, and with them their processes


def _python_path() -> str:
    """PYTHONPATH with this copy of gan3 first."""
    return os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
