"""Saving and restoring checkpoints, complete and damaged ones."""

import shutil
from pathlib import Path
from unittest import mock

import tensorflow as tf

from gan3.core.errors import UserError
from gan3.runs import checkpoints as module
from gan3.runs.checkpoints import MAX_TO_KEEP, Checkpoints
from tests.support import FolderTest


def state(start):
    return {
        "generator/w": tf.Variable([start, start + 1.0]),
        "adam/generator/steps": tf.Variable(int(start), dtype=tf.int64),
    }


class Checkpointing(FolderTest):
    def test_only_the_newest_checkpoints_are_kept(self):
        variables = state(0.0)
        checkpoints = Checkpoints(self.folder, variables)
        for step in (0, 100, 200, 300, 400):
            variables["generator/w"].assign([step, step])
            checkpoints.save(step)
        names = sorted(path.name for path in self.folder.glob("*.index"))
        self.assertEqual(names, [f"step-{step}.index" for step in (200, 300, 400)][-MAX_TO_KEEP:])
        fresh = state(1.0)
        self.assertEqual(Checkpoints(self.folder, fresh).restore(), 400)
        self.assertEqual(fresh["generator/w"].numpy()[0], 400)

    def save_three(self):
        """Save checkpoints 100, 200 and 300; the values of their variables are their steps."""
        variables = state(0.0)
        checkpoints = Checkpoints(self.folder, variables)
        for step in (100, 200, 300):
            variables["generator/w"].assign([step, step])
            variables["adam/generator/steps"].assign(step)
            checkpoints.save(step)

    def restored(self):
        """(step, weight, Adam's count) as restored into fresh variables, and the logged lines."""
        fresh, log = state(1.0), []
        step = Checkpoints(self.folder, fresh).restore(log.append)
        weights = fresh["generator/w"].numpy()
        self.assertEqual(weights[0], weights[1])
        return (step, int(weights[0]), int(fresh["adam/generator/steps"])), log

    def test_the_newest_complete_one_is_restored_and_damaged_ones_are_logged(self):
        """Whatever happens to a file of the newest, all of the one before is restored."""

        def flip_last(path):
            content = bytearray(path.read_bytes())
            content[-1] ^= 1  # in the data file: of the last variable, the others are intact
            path.write_bytes(content)

        damages = {
            "cut": lambda path: path.write_bytes(path.read_bytes()[:-4]),
            "flipped": flip_last,
            "empty": lambda path: path.write_bytes(b""),
            "missing": lambda path: path.unlink(),
        }
        self.save_three()
        for path in list(self.folder.glob("step-300.*")):
            whole = path.read_bytes()
            for name, damage in damages.items():
                with self.subTest(path.name, damage=name):
                    damage(path)
                    values, log = self.restored()
                    self.assertEqual(values, (200, 200, 200))
                    self.assertEqual(len(log), 1)
                    self.assertRegex(log[0], "step-300: damaged .*older one")
                    path.write_bytes(whole)
        next(self.folder.glob("step-300.data*")).unlink()
        next(self.folder.glob("step-200.data*")).write_bytes(b"x")
        values, log = self.restored()
        self.assertEqual(values, (100, 100, 100))
        self.assertEqual(
            [line.split(":")[1].rpartition("/")[2] for line in log], ["step-300", "step-200"]
        )
        next(self.folder.glob("step-100.data*")).unlink()
        with self.assertRaisesRegex(UserError, "step-300: damaged .*no older checkpoint is whole"):
            self.restored()

    def test_the_file_for_tensorflows_tools_is_not_needed(self):
        self.save_three()
        self.assertEqual(Path(tf.train.latest_checkpoint(self.folder)).name, "step-300")
        (self.folder / "checkpoint").write_bytes(b"\xff\xfe\x80")
        self.assertEqual(self.restored(), ((300, 300, 300), []))
        (self.folder / "checkpoint").unlink()
        self.assertEqual(self.restored(), ((300, 300, 300), []))

    def test_a_folder_without_a_checkpoint_is_refused(self):
        with self.assertRaisesRegex(UserError, "no checkpoint"):
            Checkpoints(self.folder, state(0.0)).restore()

    def test_files_are_on_disk_before_tensorflow_is_told(self):
        """A checkpoint with an index is complete, so its data comes first; then the folder."""
        calls = []
        write = module.write_atomically

        def sync(path):
            calls.append("folder" if path == self.folder else path.suffix.split("-")[0])

        def pointer(path, content):
            calls.append(path.name)
            write(path, content)

        with (
            mock.patch.object(module, "sync", sync),
            mock.patch.object(module, "write_atomically", pointer),
        ):
            Checkpoints(self.folder, state(1.0)).save(3)
        self.assertEqual(calls, [".data", ".index", "folder", "checkpoint"])

    def test_what_an_interrupted_save_left_is_no_obstacle(self):
        part = self.folder / ".step-3.part"
        part.mkdir()
        (part / "step-3.index").write_bytes(b"half")
        Checkpoints(self.folder, state(5.0)).save(3)
        self.assertFalse(part.exists())
        self.assertEqual(Checkpoints(self.folder, state(0.0)).restore(self.fail), 3)

    def test_a_folder_that_is_gone_is_not_made_again(self):
        checkpoints = Checkpoints(self.folder, state(1.0))
        shutil.rmtree(self.folder)
        with self.assertRaisesRegex(UserError, "checkpoint 3 cannot be written .*No such file"):
            checkpoints.save(3)
        self.assertFalse(self.folder.exists())
        self.folder.mkdir()  # for the clean-up of the test

    def test_a_save_that_fails_leaves_nothing_and_the_one_before_is_whole(self):
        checkpoints = Checkpoints(self.folder, state(5.0))
        checkpoints.save(1)
        before = sorted(self.folder.iterdir())
        error = OSError(28, "No space left on device")
        with (
            mock.patch.object(module, "sync", side_effect=error),
            self.assertRaisesRegex(UserError, "checkpoint 2 .*No space left"),
        ):
            checkpoints.save(2)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        self.assertEqual(Checkpoints(self.folder, state(0.0)).restore(self.fail), 1)

    def test_the_newest_is_named_by_its_files(self):
        checkpoints = Checkpoints(self.folder, state(0.0))
        self.assertIsNone(checkpoints.newest())
        checkpoints.save(9)
        checkpoints.save(10)
        self.assertEqual(checkpoints.newest(), 10)

    def test_later_checkpoints_and_parts_are_swept(self):
        self.save_three()
        (self.folder / ".step-400.part").mkdir()
        (self.folder / ".step-400.part" / "step-400.index").write_bytes(b"half")
        (self.folder / "notes.txt").write_text("mine")
        (self.folder / "my copy of step-100").mkdir()
        (self.folder / "step-300.mine").mkdir()
        Checkpoints(self.folder, state(0.0)).sweep(200)
        names = {path.name.split(".data")[0] for path in self.folder.iterdir()}
        self.assertEqual(
            names,
            {
                "checkpoint",
                "notes.txt",
                "my copy of step-100",
                "step-300.mine",
                *(f"step-{n}{s}" for n in (100, 200) for s in ("", ".index")),
            },
        )

    def test_one_of_another_system_is_refused(self):
        Checkpoints(self.folder, state(5.0)).save(7)
        larger = state(0.0) | {"discriminator/w": tf.Variable(1.0)}
        with self.assertRaisesRegex(UserError, "of another system"):
            Checkpoints(self.folder, larger).restore()
