import unittest

import numpy as np
import tensorflow as tf

from gan3.checkpoints import KEPT, Checkpoints
from gan3.errors import UserError
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
                Checkpoints(self.folder, state(0.0)).restore()


if __name__ == "__main__":
    unittest.main()
