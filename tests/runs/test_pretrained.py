"""The bundled generators: digits without training and without data."""

import unittest
from pathlib import Path

import numpy as np
from PIL import Image

from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import digest_of
from gan3.evaluation.judge import load_bundled as bundled_judge
from gan3.runs import pretrained
from gan3.runs.drawing import parse_labels
from gan3.runs.sampling import Sampler
from tests.support import FolderTest, call


class Generators(FolderTest):
    def test_they_draw_the_requested_digits(self):
        labels = parse_labels(500, "cycle", DIGITS)
        for name in pretrained.GENERATORS:
            images = Sampler(pretrained.load_pretrained(name))(labels, (0, 0))
            predicted = bundled_judge()(images)[1].argmax(axis=1)
            # Label accuracy is at least .99; fewer than 485 of 500 have a probability of 1e-4.
            self.assertGreaterEqual((predicted == labels).sum(), 485, name)
            distinct = 10 if name == "published_code" else 500
            self.assertEqual(len({image.tobytes() for image in images}), distinct, name)

    def test_the_bundled_files_have_at_most_ten_megabytes(self):
        self.assertLess(sum(p.stat().st_size for p in pretrained.FOLDER.iterdir()), 10e6)

    def test_half_precision_changes_no_pixel_by_more_than_one_level(self):
        system = pretrained.load_pretrained("best")
        before = Sampler(system)(parse_labels(100, "cycle", DIGITS), (1, 0)).astype(int)
        random = np.random.default_rng(0)
        for w in system.generator_weights.values():  # the largest error of float16
            w.assign(w * (1 + random.uniform(-1, 1, w.shape).astype(np.float32) * 2**-11))
        after = Sampler(system)(parse_labels(100, "cycle", DIGITS), (1, 0)).astype(int)
        self.assertLessEqual(np.abs(before - after).max(), 1)

    def test_saving_a_bundled_generator_reproduces_its_file(self):
        system = pretrained.load_pretrained("best")
        digest = pretrained.save(Path("again.npz"), system)
        self.assertEqual(digest, digest_of(Path("again.npz")))
        self.assertEqual(digest, pretrained.GENERATORS["best"].digest)

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "'mlp_gan': unknown; available: best, three_"):
            pretrained.load_pretrained("mlp_gan")


class Commands(FolderTest):
    def test_generate_works_without_a_run_and_without_data(self):
        status, out, err = call("generate", "241256", "--seed", "3")
        self.assertEqual((status, err), (0, ""))
        self.assertIn("no run in logs: drawn by the bundled generator best", out)
        named = Path("named.png")
        call("generate", "241256", "--seed", "3", "--pretrained", "best", "--out", str(named))
        self.assertEqual(named.read_bytes(), Path("figures/241256.png").read_bytes())

    def test_latent_draws_a_sheet_and_an_animation(self):
        walk = "latent", "--pretrained", "best", "--digits", "4", "9", "--mode", "interpolate"
        status, out, err = call(*walk)
        self.assertEqual((status, err), (0, ""))
        self.assertIn("figures/latent_interpolate.png", out)
        self.assertTrue(Path("figures/latent_interpolate.png").is_file())
        with Image.open("figures/latent_interpolate.gif") as animation:
            self.assertGreater(animation.n_frames, 2)

    def test_sample_writes_its_digits(self):
        status, _, err = call("sample", "--pretrained", "best", "--count", "20", "--out", "x.npz")
        self.assertEqual(status, 0, err)
        with np.load("x.npz") as arrays:
            self.assertEqual(arrays["images"].shape, (20, 28, 28))


if __name__ == "__main__":
    unittest.main()
