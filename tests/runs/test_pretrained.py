"""The bundled generators: digits without training and without data."""

import math
from pathlib import Path

import numpy as np

import gan3
from gan3.core.classes import DIGITS
from gan3.core.errors import UserError
from gan3.core.files import digest_of
from gan3.evaluation.judge import load as load_judge
from gan3.models.generator import Generator
from gan3.runs import pretrained
from gan3.runs.registry import config_of, determinator_of, generator_of
from tests.support import FolderTest, call


class Generators(FolderTest):
    def test_they_draw_the_requested_digits(self):
        labels = np.arange(500) % 10
        for name in pretrained.DIGESTS:
            generator = pretrained.open_pretrained(name).generator()
            images = generator(labels, 0)
            predicted = load_judge()(images)[1].argmax(axis=1)
            if generator.class_conditional:
                # Label accuracy is at least .987, or .890; fewer have a probability of 1e-3.
                least = 423 if name == "conditional_dcgan" else 485
                self.assertGreaterEqual((predicted == labels).sum(), least, name)
            else:
                self.assertGreaterEqual(len(set(predicted)), 8, name)
            distinct = len({image.tobytes() for image in images})
            if name == "published_code":
                self.assertEqual(distinct, 10)
            else:
                self.assertGreaterEqual(distinct, 490, name)

    def test_the_bundled_files_have_at_most_twelve_megabytes(self):
        self.assertLess(sum(p.stat().st_size for p in pretrained.FOLDER.iterdir()), 12e6)

    def test_the_determinator_of_best_takes_at_most_two_megabytes(self):
        spec = determinator_of(config_of("best"), DIGITS)
        self.assertLess(sum(2 * math.prod(shape) for shape in spec.shapes.values()), 2e6)

    def test_best_reads_what_it_draws_and_draws_what_it_reads(self):
        labels = np.arange(300) % 10
        trained = pretrained.open_pretrained("best")
        sampler, encode = trained.generator(), trained.encoder()
        images = sampler(labels, (3, 0))
        read = encode(images)
        self.assertGreaterEqual((read.labels == labels).mean(), 0.98)
        noise = sampler.noise(labels, seed=3)
        ours = [np.corrcoef(read.noise[:, i], noise[:, i])[0, 1] for i in range(10)]
        self.assertGreater(min(ours), 0.3)  # each entry is read back; by chance at most 0.2
        # Reconstructed, an image is closer to itself than to another image of its class.
        reconstructed = sampler.draw(labels, read.noise).astype(float)
        own = ((reconstructed - images) ** 2).mean(axis=(1, 2))
        other = ((reconstructed - np.roll(images, 10, axis=0)) ** 2).mean(axis=(1, 2))
        self.assertGreater((own < other).mean(), 0.95)
        self.assertLess(own.mean(), other.mean() / 4)

    def test_half_precision_changes_no_pixel_by_more_than_one_level(self):
        generator = pretrained.open_pretrained("best").generator()
        labels, random = np.arange(100) % 10, np.random.default_rng(0)
        before = generator(labels, (1, 0)).astype(int)
        arrays = {  # with the largest error of float16
            name: array * (1 + random.uniform(-1, 1, array.shape).astype(np.float32) * 2**-11)
            for name, array in generator.arrays.items()
        }
        after = Generator(generator_of(config_of("best"), DIGITS), arrays)(labels, (1, 0)).astype(
            int
        )
        self.assertGreater(np.abs(before - after).max(), 0)
        self.assertLessEqual(np.abs(before - after).max(), 1)

    def test_exporting_a_bundled_generator_reproduces_its_arrays(self):
        for name in pretrained.DIGESTS:
            status, out, err = call("export", "--pretrained", name, "--out", "again.npz")
            self.assertEqual((status, err), (0, ""))
            with np.load("again.npz") as again, np.load(pretrained.FOLDER / f"{name}.npz") as file:
                self.assertEqual(set(again), set(file) | {"about"})
                for key in file:
                    self.assertEqual(again[key].dtype, np.float16)
                    np.testing.assert_array_equal(again[key], file[key])
            digest = digest_of(Path("again.npz"))
            self.assertIn(digest, out)
            call("export", "--pretrained", name, "--out", "more.npz")
            self.assertEqual(digest_of(Path("more.npz")), digest)

    def test_an_exported_file_draws_and_reads_as_what_it_was_exported_from(self):
        self.assertEqual(call("export", "--pretrained", "best", "--out", "mine.npz")[0], 0)
        best, mine = gan3.load("best"), gan3.load("mine.npz")
        self.assertEqual(repr(mine), "<gan3.Generator mine: requested digits>")
        images = best.sample(30, seed=4).images
        np.testing.assert_array_equal(mine.sample(30, seed=4).images, images)
        np.testing.assert_array_equal(mine.encode(images).noise, best.encode(images).noise)
        status, out, err = call("generate", "42", "--pretrained", "mine.npz")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out, "42: figures/42.png (drawn by mine.npz, the best of 4 tries)\n")

    def test_a_file_that_was_not_exported_is_refused_and_the_remedy_works(self):
        np.savez("x.npz", images=np.zeros(3))
        one_class = '{"class_names": ["a"], "config": {}}'
        for number, about in enumerate(("", "[1]", one_class, "{" * 10_000)):
            np.savez(f"{number}.npz", about=np.array(about))
        for name, message in (
            ("x.npz", "x.npz: was not written by gan3 export; export a generator as npz"),
            ("0.npz", "0.npz: does not say what it draws; export the generator again"),
            ("1.npz", "1.npz: does not say what it draws"),
            ("2.npz", "2.npz: does not say what it draws"),
            ("3.npz", "3.npz: does not say what it draws"),
            ("none.npz", "none.npz: no such file; check the path"),
        ):
            with self.subTest(name):
                status, _, err = call("generate", "1", "--pretrained", name)
                self.assertEqual(status, 2)
                self.assertRegex(err, rf"\Agan3: {message}[^\n]*\n\Z")

    def test_an_unknown_name_is_refused(self):
        with self.assertRaisesRegex(UserError, "'wgan_gp': unknown; available: best, three_"):
            pretrained.open_pretrained("wgan_gp")
