"""The generators that come along: digits without training and without data."""

import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.core.files import digest_of
from gan3.evaluation.judge import load_bundled as bundled_judge
from gan3.runs import pretrained
from gan3.runs.sampling import Sampler, parse_labels
from tests.support import FolderTest, call


class Generators(FolderTest):
    def test_they_draw_the_digits_that_were_asked_for(self):
        labels = parse_labels(500, "cycle")
        for name in pretrained.GENERATORS:
            images = Sampler(pretrained.load_pretrained(name))(labels, (0, 0))
            read = bundled_judge()(images)[1].argmax(axis=1)
            # .995 and more over 10,000; fewer than 485 of 500 would be once in 10^8
            self.assertGreaterEqual((read == labels).sum(), 485, name)
            self.assertEqual(len({image.tobytes() for image in images}), 500)

    def test_all_that_comes_along_is_at_most_six_megabytes(self):
        self.assertLess(sum(p.stat().st_size for p in pretrained.FOLDER.iterdir()), 6e6)

    def test_half_precision_moves_no_pixel_by_more_than_a_step(self):
        system = pretrained.load_pretrained("best")
        before = Sampler(system)(parse_labels(100, "cycle"), (1, 0)).astype(int)
        random = np.random.default_rng(0)
        for w in system.generator_weights.values():  # what rounding to float16 took at most
            w.assign(w * (1 + random.uniform(-1, 1, w.shape).astype(np.float32) * 2**-11))
        after = Sampler(system)(parse_labels(100, "cycle"), (1, 0)).astype(int)
        self.assertLessEqual(np.abs(before - after).max(), 1)

    def test_what_was_saved_is_what_is_read(self):
        system = pretrained.load_pretrained("best")
        digest = pretrained.save(Path("again.npz"), system)
        self.assertEqual(digest, digest_of(Path("again.npz")))
        self.assertEqual(digest, pretrained.GENERATORS["best"].digest)

    def test_a_name_that_none_has_is_refused(self):
        with self.assertRaisesRegex(UserError, "there is best"):
            pretrained.load_pretrained("three_network")


class Commands(FolderTest):
    def test_a_number_without_a_run_and_without_data(self):
        status, out, err = call("generate", "241256", "--seed", "3")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("no run in logs: by the generator of best that comes with gan3", out)
        named = Path("named.png")
        call("generate", "241256", "--seed", "3", "--pretrained", "best", "--out", str(named))
        self.assertEqual(named.read_bytes(), Path("figures/241256.png").read_bytes())

    def test_a_walk_through_it_as_a_sheet_and_moving(self):
        walk = "latent", "--pretrained", "best", "--digits", "4", "9", "--mode", "interpolate"
        status, out, err = call(*walk)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("figures/latent_interpolate.png", out)
        self.assertTrue(Path("figures/latent_interpolate.png").is_file())
        with Image.open("figures/latent_interpolate.gif") as moving:
            self.assertGreater(moving.n_frames, 2)

    def test_samples_of_it(self):
        status, _, err = call("sample", "--pretrained", "best", "--count", "20", "--out", "x.npz")
        self.assertEqual(status, 0, err)
        with np.load("x.npz") as found:
            self.assertEqual(found["images"].shape, (20, 28, 28))


if __name__ == "__main__":
    unittest.main()
