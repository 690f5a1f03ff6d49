"""From errors to one line on stderr and an exit status, mostly in a process of its own."""

import os
import shutil
import subprocess
import sys
import unittest
import unittest.mock

from gan3.cli import main as cli
from gan3.core.errors import DivergedError, UserError
from tests.support import ROOT, FolderTest, call, slow, start, write_idx_set

FULL_DISK = "{{function_node Flush}} logs/events.v2; File too large\n\tFailed to flush"


class ExitStatus(unittest.TestCase):
    def run_command(self, error):
        """The status and stderr of a command that raises `error`."""

        def command(_):
            raise error

        changed = cli.COMMANDS["experiments"]._replace(run=command)
        with unittest.mock.patch.dict(cli.COMMANDS, {"experiments": changed}):
            status, out, err = call("experiments")
        self.assertEqual(out, "")
        return status, err

    def test_each_kind_of_error_has_its_status_and_one_line(self):
        for error, status, line in (
            (UserError("x: wrong\n; do y"), 2, r"gan3: x: wrong\n; do y"),
            (DivergedError("loss"), 3, "gan3: training diverged: loss"),
            (
                OSError(28, "No space left on device", "x"),
                2,
                "gan3: x: cannot be read or written (no space left on device); check its path, its"
                " permissions and the disk",
            ),
            (
                MemoryError("Unable to allocate 179 MiB"),
                2,
                "gan3: memory: Unable to allocate 179 MiB; close other programs, or ask for fewer"
                " images or a smaller batch",
            ),
            (
                MemoryError(),
                2,
                "gan3: memory: there is no more; close other programs, or ask for fewer images or a"
                " smaller batch",
            ),
        ):
            with self.subTest(status=status):
                self.assertEqual(self.run_command(error), (status, f"{line}\n"))

    def test_tensorflow_without_memory_or_disk_is_one_line(self):
        import tensorflow as tf

        memory = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\na tensor")
        status, err = self.run_command(memory)
        self.assertEqual(status, 2)
        self.assertRegex(err, r"\Agan3: memory: there is not as much as TensorFlow needs; .*\n\Z")
        status, err = self.run_command(tf.errors.OutOfRangeError(None, None, FULL_DISK))
        self.assertEqual(status, 2)
        self.assertRegex(err, r"\Agan3: logs/events.v2: cannot be .* \(file too large\); .*\n\Z")
        with self.assertRaises(tf.errors.InvalidArgumentError):
            self.run_command(tf.errors.InvalidArgumentError(None, None, "shapes do not fit"))

    def test_an_interrupt_is_silent(self):
        self.assertEqual(self.run_command(KeyboardInterrupt()), (130, ""))

    def test_an_error_of_the_program_keeps_its_traceback(self):
        with self.assertRaises(ZeroDivisionError):
            self.run_command(ZeroDivisionError())


class Process(FolderTest):
    def test_a_wrong_argument_is_one_line_in_a_real_process(self):
        process = start("train", "--data", "nowhere", cwd=self.folder)
        out, err = process.communicate(timeout=300)
        self.assertEqual((process.returncode, out), (2, ""))
        self.assertRegex(err, r"\Agan3: data folder nowhere: no such folder; .*\n\Z")

    def test_a_reader_that_stops_early_is_no_error(self):
        for unbuffered in ("", "1"):  # noticed at the end of the command, or by its first line
            reader, writer = os.pipe()
            os.close(reader)
            process = subprocess.run(
                [sys.executable, "-m", "gan3", "experiments"],
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
                stdout=writer,
                stderr=subprocess.PIPE,
                check=False,
            )
            os.close(writer)
            self.assertEqual((process.returncode, process.stderr), (0, b""), unbuffered)

    def test_a_closed_output_is_no_error(self):
        process = subprocess.run(
            ["sh", "-c", f"exec '{sys.executable}' -m gan3 experiments >&-"],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            check=False,
        )
        self.assertEqual((process.returncode, process.stderr), (0, b""))

    @slow("starts three processes")
    def test_closed_outputs_and_a_wrong_backend_of_matplotlib(self):
        """Of commands that draw, import TensorFlow and show the progress of training."""
        write_idx_set(self.folder / "own")
        python = f"exec '{sys.executable}' -m gan3"
        train = "train --dataset own --data own --experiment mlp_gan --episodes 1 --batches 2"
        for line, environment in (
            (f"{train} --batch-size 4 --run a >&-", {}),
            ("sample --run a --count 3 --out x.npz 2>&-", {}),
            ("generate 12 --pretrained three_network", {"MPLBACKEND": "none"}),
        ):
            process = subprocess.run(
                ["sh", "-c", f"{python} {line}"],
                env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                capture_output=True,
                check=False,
            )
            notes = [x for x in process.stderr.splitlines() if not x.startswith(b"NOTE: ")]
            self.assertEqual((process.returncode, notes), (0, []), line)

    def test_a_name_that_the_terminal_cannot_show_is_escaped(self):
        """Of the name of a file, what is not ASCII is escaped; valid or not, it is written."""
        ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        for name, environment, shown in (
            ("é.png", ascii_only, b"\\udcc3\\udca9.png"),
            ("é.png", {"PYTHONUTF8": "1"}, "é.png".encode()),
            ("\udcff.png", {"PYTHONUTF8": "1"}, b"\xff.png"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "gan3", "generate", "1", "--out", name],
                env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                capture_output=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"1: " + shown, done.stdout)
            self.assertTrue((self.folder / name).is_file())

    @slow("starts a process")
    def test_a_folder_that_may_not_be_written_is_one_line(self):
        prefix = []
        if os.geteuid() == 0:  # root may write everywhere unless it gives up that right
            if not shutil.which("setpriv"):
                self.skipTest("needs setpriv when run as root")
            prefix = ["setpriv", "--bounding-set=-all"]
        write_idx_set(self.folder / "own")
        (self.folder / "logs").mkdir(mode=0o500)
        before = sorted(self.folder.rglob("*"))
        process = subprocess.run(
            [*prefix, sys.executable, "-m", "gan3", "train", "--dataset", "own", "--data", "own"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(
            process.stderr, r"\Agan3: logs[^\n]*: cannot be written \(permission denied\)"
        )
        self.assertEqual(sorted(self.folder.rglob("*")), before)
