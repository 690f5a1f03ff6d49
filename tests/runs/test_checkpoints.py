import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.runs.checkpoints import KEPT, Checkpoints
from tests.support import FolderTest


def state(start):
    return {
        "generator/w": tf.Variable([start, start + 1.0]),
        "adam/generator/steps": tf.Variable(int(start), dtype=tf.int64),
    }


class Checkpointing(FolderTest):
    def test_what_was_saved_comes_back_with_its_step(self):
        saved = state(5.0)
        Checkpoints(self.folder, saved).save(70)
        other = state(0.0)
        self.assertEqual(Checkpoints(self.folder, other).restore(), 70)
        for name in saved:
            np.testing.assert_array_equal(saved[name].numpy(), other[name].numpy())

    def test_the_newest_few_are_kept(self):
        variables = state(0.0)
        checkpoints = Checkpoints(self.folder, variables)
        for step in (0, 100, 200, 300, 400):
            variables["generator/w"].assign([step, step])
            checkpoints.save(step)
        found = sorted(path.name for path in self.folder.glob("*.index"))
        self.assertEqual(found, [f"step-{step}.index" for step in (200, 300, 400)][-KEPT:])
        fresh = state(1.0)
        self.assertEqual(Checkpoints(self.folder, fresh).restore(), 400)
        self.assertEqual(fresh["generator/w"].numpy()[0], 400)

    def three_of_them(self):
        """Checkpoints 100, 200, 300; the first variable of a state says which step it is of."""
        variables = state(0.0)
        checkpoints = Checkpoints(self.folder, variables)
        for step in (100, 200, 300):
            variables["generator/w"].assign([step, step])
            variables["adam/generator/steps"].assign(step)
            checkpoints.save(step)

    def restored(self):
        """What comes back into fresh variables: (step, weight, Adam's count), and what is said."""
        fresh, said = state(1.0), []
        step = Checkpoints(self.folder, fresh).restore(said.append)
        weights = fresh["generator/w"].numpy()
        self.assertEqual(weights[0], weights[1])
        return (step, int(weights[0]), int(fresh["adam/generator/steps"])), said

    def test_the_newest_whole_one_is_taken_and_the_others_are_named(self):
        """Each file of the newest cut, flipped, emptied or gone: all of the one before comes."""

        def flip_last(path):
            content = bytearray(path.read_bytes())
            content[-1] ^= 1  # of the data file, a bit of the last variable: the first are readable
            path.write_bytes(content)

        spoil = {
            "cut": lambda path: path.write_bytes(path.read_bytes()[:-4]),
            "flipped": flip_last,
            "empty": lambda path: path.write_bytes(b""),
            "gone": lambda path: path.unlink(),
        }
        self.three_of_them()
        for path in (p for p in self.folder.glob("step-300.*")):
            whole = path.read_bytes()
            for how, damage in spoil.items():
                with self.subTest(path.name, how=how):
                    damage(path)
                    got, said = self.restored()
                    self.assertEqual(got, (200, 200, 200))
                    self.assertEqual(len(said), 1)
                    self.assertRegex(said[0], "step-300: damaged .*older one")
                    path.write_bytes(whole)
        for path in self.folder.glob("step-300.*"):
            path.unlink()  # the pointer still names it
        next(self.folder.glob("step-200.data*")).write_bytes(b"x")
        got, said = self.restored()
        self.assertEqual(got, (100, 100, 100))
        self.assertEqual(
            [line.split(":")[1].rpartition("/")[2] for line in said], ["step-300", "step-200"]
        )
        next(self.folder.glob("step-100.data*")).unlink()
        with self.assertRaisesRegex(UserError, "step-300: damaged .*no older checkpoint is whole"):
            self.restored()

    def test_a_pointer_that_cannot_be_read_is_named_and_not_needed(self):
        self.three_of_them()
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
                got, said = self.restored()
                self.assertEqual(got, (300, 300, 300))
                self.assertEqual(len(said), 1)
                self.assertIn(str(pointer), said[0])
                again = Checkpoints(self.folder, state(0.0))
                again.restore(said.append)
                again.save(300)  # and the pointer is whole again
                self.assertEqual(Path(tf.train.latest_checkpoint(self.folder)).name, "step-300")
                pointer.write_text('model_checkpoint_path: "step-300"\n')
                Checkpoints(self.folder, state(0.0)).restore(self.fail)

    def test_none_is_refused(self):
        with self.assertRaisesRegex(UserError, "no checkpoint"):
            Checkpoints(self.folder, state(0.0)).restore()

    def test_a_damaged_one_and_one_of_another_system_are_refused(self):
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
