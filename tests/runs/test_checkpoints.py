"""Saving and restoring checkpoints, complete and damaged ones."""

import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.runs.checkpoints import MAX_TO_KEEP, Checkpoints
from tests.support import FolderTest


def state(start):
    return {
        "generator/w": tf.Variable([start, start + 1.0]),
        "adam/generator/steps": tf.Variable(int(start), dtype=tf.int64),
    }


class Checkpointing(FolderTest):
    def test_a_saved_state_is_restored_with_its_step(self):
        saved = state(5.0)
        Checkpoints(self.folder, saved).save(70)
        other = state(0.0)
        self.assertEqual(Checkpoints(self.folder, other).restore(), 70)
        for name in saved:
            np.testing.assert_array_equal(saved[name].numpy(), other[name].numpy())

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
        for path in self.folder.glob("step-300.*"):
            path.unlink()  # the pointer still names it
        next(self.folder.glob("step-200.data*")).write_bytes(b"x")
        values, log = self.restored()
        self.assertEqual(values, (100, 100, 100))
        self.assertEqual(
            [line.split(":")[1].rpartition("/")[2] for line in log], ["step-300", "step-200"]
        )
        next(self.folder.glob("step-100.data*")).unlink()
        with self.assertRaisesRegex(UserError, "step-300: damaged .*no older checkpoint is whole"):
            self.restored()

    def test_a_damaged_pointer_is_logged_and_not_needed(self):
        self.save_three()
        pointer = self.folder / "checkpoint"
        for content in (
            b"",
            b"garbage",
            b"\xff\xfe\x80",
            b'model_checkpoint_path: "step-x"\n',
            None,
        ):
            with self.subTest(content):
                pointer.unlink() if content is None else pointer.write_bytes(content)
                values, log = self.restored()
                self.assertEqual(values, (300, 300, 300))
                self.assertEqual(len(log), 1)
                self.assertIn(str(pointer), log[0])
                checkpoints = Checkpoints(self.folder, state(0.0))
                checkpoints.restore(log.append)
                checkpoints.save(300)  # repairs the pointer
                self.assertEqual(Path(tf.train.latest_checkpoint(self.folder)).name, "step-300")
                pointer.write_text('model_checkpoint_path: "step-300"\n')
                Checkpoints(self.folder, state(0.0)).restore(self.fail)

    def test_a_folder_without_a_checkpoint_is_refused(self):
        with self.assertRaisesRegex(UserError, "no checkpoint"):
            Checkpoints(self.folder, state(0.0)).restore()

    def test_damaged_ones_and_those_of_another_system_are_refused(self):
        Checkpoints(self.folder, state(5.0)).save(7)
        larger = state(0.0) | {"discriminator/w": tf.Variable(1.0)}
        with self.assertRaisesRegex(UserError, "of another system"):
            Checkpoints(self.folder, larger).restore()
        data = next(self.folder.glob("step-7.data*"))
        for content in (data.read_bytes()[:-4], b""):
            data.write_bytes(content)
            with self.assertRaisesRegex(UserError, "step-7: damaged"):
                Checkpoints(self.folder, state(0.0)).restore(lambda line: None)


if __name__ == "__main__":
    unittest.main()
