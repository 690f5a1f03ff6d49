"""Styles from pictures: what is read, what each class gets, and the commands that use it."""

import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.errors import UserError
from gan3.demo import styles
from gan3.models.generator import vary
from tests.support import FolderTest, call, slow


def save(path, image, scale=5):
    """A digit [28, 28] as a picture of black ink on a large white sheet."""
    sheet = np.kron(np.pad(image, 4), np.ones((scale, scale), np.uint8))
    Image.fromarray(255 - sheet).save(path)


class Reading(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.best = gan3.load("best")
        cls.images, cls.labels = cls.best.sample(20, seed=2)

    def read(self, path):
        return styles.read(Path(path), self.best)

    def test_a_picture_has_the_style_of_its_digit(self):
        save("7.png", self.images[7])
        reading = self.read("7.png")
        self.assertEqual(reading.labels.tolist(), [7])
        self.assertRegex(reading.text, r"\A7.png: read as 7 \(\d\d\d? %\)\Z")
        self.assertIsNone(reading.note)

    def test_size_and_place_of_a_picture_change_its_style_little(self):
        expected = self.best.encode(self.images).noise
        for i, image in enumerate(self.images):
            save(f"{i}.png", image)
        noise = np.concatenate([self.read(f"{i}.png").noise for i in range(20)])
        distances = np.linalg.norm(noise[:, None] - expected, axis=2)  # [picture, image]
        self.assertLess(np.diag(distances).mean(), 0.5 * distances.mean())

    def test_a_file_of_images_has_the_style_of_each(self):
        expected = self.best.encode(self.images)
        np.savez("x.npz", images=self.images)
        reading = self.read("x.npz")
        np.testing.assert_array_equal(reading.noise, expected.noise)
        np.testing.assert_array_equal(reading.labels, expected.labels)
        self.assertRegex(reading.text, r"x.npz: 20 images read as 0, 1, .* 9 \(\d+ % on average\)")
        np.save("x.npy", self.images[:2])
        self.assertEqual(len(self.read("x.npy").noise), 2)

    def test_labels_of_a_file_are_believed(self):
        wrong = (self.labels + 1) % 10
        np.savez("x.npz", images=self.images, labels=wrong)
        reading = self.read("x.npz")
        np.testing.assert_array_equal(reading.labels, wrong)
        self.assertRegex(reading.text, r"20 images labelled 0, 1, 2, .* \(\d+ % on average\)")
        self.assertEqual(reading.note, "x.npz: these readings are unsure")

    def test_a_scribble_is_read_with_a_note(self):
        noise = np.random.default_rng(0).integers(0, 255, (90, 90)).astype(np.uint8)
        Image.fromarray(noise).save("cat.png")
        reading = self.read("cat.png")
        self.assertEqual(reading.noise.shape, (1, 13))
        self.assertRegex(reading.note, "cat.png: this reading is unsure; is it one digit")

    def test_what_has_no_ink_is_refused(self):
        Image.fromarray(np.full((90, 90), 255, np.uint8)).save("blank.png")
        np.savez("blank.npz", images=np.stack([self.images[0], 0 * self.images[0]]))
        for path, message in (
            ("blank.png", "blank.png: the picture is blank"),
            ("blank.npz", "blank.npz: image 1 is blank; leave it out"),
        ):
            with self.assertRaisesRegex(UserError, message):
                self.read(path)


class Styles(unittest.TestCase):
    def test_a_class_that_was_read_has_its_own_mean_and_others_that_of_all(self):
        first = styles.Reading(np.array([1, 1, 3]), np.array([[0.0], [0.2], [0.7]]), "")
        second = styles.Reading(np.array([3]), np.array([[0.9]]), "")
        noise = styles.by_class([first, second], 5)
        np.testing.assert_allclose(noise[:, 0], [0.45, 0.1, 0.45, 0.8, 0.45], atol=1e-12)

    def test_a_variant_is_close_and_inside_of_the_range(self):
        random = np.random.default_rng(0)
        noise, fresh = random.uniform(-1, 1, (2, 1000, 10)).astype(np.float32)
        varied = vary(noise, fresh)
        self.assertEqual(varied.dtype, np.float32)
        self.assertLessEqual(np.abs(varied).max(), 1)
        self.assertLessEqual(np.abs(varied - noise).max(), 0.2001)
        self.assertGreater(np.abs(varied - noise).mean(), 0.05)


class Commands(FolderTest):
    def setUp(self):
        super().setUp()
        self.best = gan3.load("best")
        self.images, _ = self.best.sample(10, seed=2)
        for digit in (4, 7):
            save(f"{digit}.png", self.images[digit])

    def test_generate_writes_a_number_in_the_style_of_a_picture(self):
        from gan3.demo.digit_reader import read_picture

        status, out, err = call("generate", "2724", "--style", "7.png", "--out", "x.npz")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"\A7.png: read as 7 \(\d+ %\)\n2724: x.npz")
        encoded = self.best.encode(read_picture(Path("7.png"))[None])
        expected = self.best.draw("2724", np.tile(encoded.noise, (4, 1)))
        np.testing.assert_array_equal(np.load("x.npz")["images"], expected)

    def test_several_pictures_and_variants(self):
        line = "generate", "47", "--style", "4.png", "7.png", "--out", "x.npz", "--seed", "3"
        status, out, err = call(*line, "--variants", "3")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(out.count("read as"), 2)
        first, *others = np.load("x.npz")["images"].reshape(3, 2, 28, 28).astype(int)
        for digit, drawn in zip("47", first, strict=True):
            call("generate", digit, "--style", f"{digit}.png", "--out", "one.npz")
            np.testing.assert_array_equal(drawn, np.load("one.npz")["images"][0])
        seeds = [self.best.sample(2, "47", seed=seed).images.astype(int) for seed in range(9)]
        usual = np.mean([np.abs(images - first).mean() for images in seeds])
        for other in others:  # a little different: less than another style is
            self.assertGreater(np.abs(other - first).mean(), 0)
            self.assertLess(np.abs(other - first).mean(), 0.7 * usual)

    def test_one_line_for_what_cannot_be_read(self):
        Image.fromarray(np.full((90, 90), 255, np.uint8)).save("blank.png")
        for options, message in (
            (("--style", "blank.png"), "gan3: blank.png: the picture is blank; use one with a"),
            (
                ("--style", "4.png", "none.png"),
                "gan3: none.png: cannot be read or written (no such",
            ),
            (
                ("--style", "4.png", "--pretrained", "three_network"),
                "gan3: three_network: three_network has no encoder, ",
            ),
        ):
            status, out, err = call("generate", "12", *options)
            self.assertEqual(status, 2)
            self.assertTrue(err.startswith(message), err)
            self.assertEqual(err.count("\n"), 1)

    @slow("imports TensorFlow and draws an animation")
    def test_latent_walks_from_a_picture(self):
        line = "latent", "--pretrained", "best", "--from", "7.png", "--mode", "sweep"
        status, out, err = call(*line, "--out", "a.png")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"\A7.png: read as 7 \(\d+ %\)\nsingle noise entries of 7: a.png")
        call("latent", "--pretrained", "best", "--labels", "7", "--mode", "sweep", "--out", "b.png")
        a, b = (np.asarray(Image.open(name)) for name in ("a.png", "b.png"))
        self.assertEqual(a.shape, b.shape)
        self.assertGreater((a != b).mean(), 0.01)
