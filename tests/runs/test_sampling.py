import unittest

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.demo import digit_reader
from gan3.evaluation import judge
from gan3.plots import numbers
from gan3.runs import sampling
from tests.support import MNIST, FolderTest, needs_mnist, small_system


class Words(unittest.TestCase):
    def test_labels(self):
        self.assertEqual(sampling.parse_labels(12, "cycle").tolist(), [*range(10), 0, 1])
        self.assertEqual(sampling.parse_labels(5, "73").tolist(), [7, 3, 7, 3, 7])
        self.assertEqual(sampling.parse_labels(3, "0").dtype, np.int64)
        for count, text in ((0, "cycle"), (-1, "1"), (10**9, "1"), (5, ""), (5, "1a"), (5, "٣")):
            with self.subTest(text=text, count=count), self.assertRaises(UserError):
                sampling.parse_labels(count, text)

    def test_digits_of_a_number(self):
        self.assertEqual(numbers.parse_number("0241").tolist(), [0, 2, 4, 1])
        for number in ("", "12a", "-1", "1.5", "1 2", "²", "9" * 1001):
            with self.subTest(number[:9]), self.assertRaises(UserError):
                numbers.parse_number(number)


class NumberPicture(unittest.TestCase):
    def test_cropped_side_by_side_and_inverted(self):
        images = np.zeros((3, 28, 28), np.uint8)
        images[1, :, 5:-5] = 200
        images[2, :, :5] = 255  # cut off
        picture = numbers.number_image(images, inverted=True)
        self.assertEqual(picture.shape, (28, 3 * 18))
        self.assertEqual(np.unique(picture[:, 18:36]).tolist(), [200])
        self.assertEqual(picture[:, 36:].max(), 0)
        np.testing.assert_array_equal(numbers.number_image(images, inverted=False), 255 - picture)

    def test_tight_spacing_leaves_a_blank_column_on_either_side_of_the_ink(self):
        images = np.zeros((3, 28, 28), np.uint8)
        images[0, :, 10:14] = 200
        images[1, :, 0:3] = 200  # no room at the left
        picture = numbers.number_image(images, inverted=True, tight=True)
        blank = 28 - 2 * 5  # one without ink keeps its place
        self.assertEqual(picture.shape, (28, (1 + 4 + 1) + (3 + 1) + blank))
        self.assertEqual(np.flatnonzero(picture.max(axis=0)).tolist(), [1, 2, 3, 4, 6, 7, 8])

    def test_numbers_of_different_widths_stand_in_rows(self):
        for inverted, paper in ((True, 0), (False, 255)):
            rows = numbers.stack_rows(
                [np.full((28, 10), 7, np.uint8), np.full((28, 6), 9, np.uint8)], inverted
            )
            self.assertEqual(rows.shape, (56, 10))
            self.assertEqual(np.unique(rows[:28]).tolist(), [7])
            self.assertEqual(np.unique(rows[28:, :6]).tolist(), [9])
            self.assertEqual(np.unique(rows[28:, 6:]).tolist(), [paper])


class Sampling(FolderTest):
    def setUp(self):
        super().setUp()
        self.system = small_system()
        self.sampler = sampling.Sampler(self.system)
        self.labels = np.arange(12) % 10

    def test_the_seed_decides(self):
        one = self.sampler(self.labels, (1, 0))
        self.assertEqual((one.shape, one.dtype), ((12, 28, 28), np.uint8))
        np.testing.assert_array_equal(one, self.sampler(self.labels, (1, 0)))
        self.assertFalse(np.array_equal(one, self.sampler(self.labels, (2, 0))))

    def test_a_sample_of_many_starts_with_the_sample_of_few(self):
        many = self.sampler(np.resize(self.labels, 1100), (1, 0))
        np.testing.assert_array_equal(many[:12], self.sampler(self.labels, (1, 0)))
        self.assertGreater(len({image.tobytes() for image in many}), 1000)

    def test_traced_once_whatever_the_count(self):
        for count in (1, 5, 12):
            self.sampler(self.labels[:count], (0, 0))
        self.assertEqual(self.sampler._generate.experimental_get_tracing_count(), 1)

    def test_an_episodes_generator_draws_the_same_digits_later(self):
        path = self.folder / "episode.npz"
        sampling.save_generator(path, self.system)
        other = small_system(seed=99)
        before = sampling.Sampler(other)(self.labels, (1, 0))
        sampling.load_generator(path, other)
        expected = self.sampler(self.labels, (1, 0))
        self.assertFalse(np.array_equal(before, expected))
        np.testing.assert_array_equal(sampling.Sampler(other)(self.labels, (1, 0)), expected)

    def test_weights_that_are_not_finite_are_refused(self):
        path = self.folder / "episode.npz"
        name = "generator/hidden2/b"
        arrays = {key: w.numpy() for key, w in self.system.generator_weights.items()}
        arrays[name] = arrays[name] * np.nan
        np.savez(path, **arrays)
        with self.assertRaisesRegex(UserError, f"{name} holds a number that is not finite"):
            sampling.load_generator(path, self.system)


class Reading(FolderTest):
    def stroke(self):
        """A seven of sharp strokes, ink 255, in 28 x 28, set as MNIST sets its digits."""
        digit = np.zeros((28, 28), np.uint8)
        digit[4:7, 6:22] = 255
        for row in range(7, 24):
            middle = 21 - (row - 7) // 2
            digit[row, middle - 2 : middle + 1] = 255
        return digit

    def read(self, picture):
        Image.fromarray(picture).save(self.folder / "x.png")
        return digit_reader.read_picture(self.folder / "x.png")

    def test_a_picture_of_mnists_size_is_taken_as_it_is(self):
        np.testing.assert_array_equal(self.read(self.stroke()), self.stroke())
        np.testing.assert_array_equal(self.read(255 - self.stroke()), self.stroke())

    def test_any_size_and_place_and_either_ink_comes_out_the_same(self):
        large = np.kron(self.stroke(), np.ones((6, 6), np.uint8))
        wide = np.zeros((300, 400), np.uint8)
        wide[20 : 20 + 168, 200 : 200 + 168] = large
        a, b = self.read(wide), self.read(255 - wide)
        np.testing.assert_array_equal(a, b)
        rows, columns = np.where(a > 25)
        self.assertEqual(max(np.ptp(rows), np.ptp(columns)) + 1, 20)
        mass = a.astype(float) / a.sum()
        for axis in (0, 1):
            centre = (mass.sum(axis=1 - axis) * np.arange(28)).sum()
            self.assertAlmostEqual(centre, 14, delta=0.51)  # whole pixels

    def test_transparent_paper_is_paper(self):
        picture = np.zeros((28, 28, 4), np.uint8)
        picture[..., 3] = self.stroke()  # black ink on nothing
        np.testing.assert_array_equal(self.read(picture), self.stroke())

    def test_transparency_of_palettes_and_of_one_grey_is_paper_too(self):
        path = self.folder / "x.png"
        palette = Image.fromarray((self.stroke() > 0).astype(np.uint8), "P")
        palette.putpalette([90, 90, 90, 0, 0, 0])  # grey, which nobody sees, and ink
        palette.save(path, transparency=0)
        np.testing.assert_array_equal(digit_reader.read_picture(path), self.stroke())
        grey = Image.fromarray(np.where(self.stroke() > 0, 0, 90).astype(np.uint8))
        grey.save(path, transparency=90)
        np.testing.assert_array_equal(digit_reader.read_picture(path), self.stroke())

    def test_grey_paper_is_paper(self):
        """Ink of 100 on any paper, and less noise than a tenth of full ink: one and the same."""
        sheet = np.zeros((300, 400), int)
        sheet[20 : 20 + 168, 200 : 200 + 168] = np.kron(self.stroke() // 255, np.ones((6, 6), int))
        expected = self.read((100 * sheet).astype(np.uint8))
        self.assertEqual(expected.max(), 255)
        for paper in (0, 30, 100, 127, 155):  # light on dark
            np.testing.assert_array_equal(
                self.read((paper + 100 * sheet).astype(np.uint8)), expected
            )
        for paper in (255, 225, 140, 127, 100):  # dark on light
            np.testing.assert_array_equal(
                self.read((paper - 100 * sheet).astype(np.uint8)), expected
            )
        noise = np.random.default_rng(0).integers(-12, 13, sheet.shape)
        rows, columns = np.where(self.read((200 + noise - 100 * sheet).astype(np.uint8)) > 25)
        self.assertEqual(max(np.ptp(rows), np.ptp(columns)) + 1, 20)  # the noise is no ink

    def test_mnists_size_on_grey_paper_loses_the_paper_too(self):
        grey = np.where(self.stroke() > 0, 30, 200).astype(np.uint8)
        np.testing.assert_array_equal(self.read(grey), self.stroke())
        np.testing.assert_array_equal(self.read(255 - grey), self.stroke())

    def test_white_ink_on_no_paper(self):
        picture = np.full((28, 28, 4), 255, np.uint8)
        picture[..., 3] = self.stroke()
        np.testing.assert_array_equal(self.read(picture), self.stroke())

    def test_a_thin_pen_is_read_as_a_broad_one_is(self):
        """A pen of 3 of 560 pixels: averaged over 25 x 25 it would leave a tenth of full ink."""
        thin = np.zeros((700, 700), np.uint8)
        thin[70:73, 150:550] = 255
        for row in range(70, 630):
            thin[row, 550 - (row - 70) // 2 : 553 - (row - 70) // 2] = 255
        read = self.read(255 - thin)
        self.assertEqual(read.max(), 255)
        self.assertEqual(judge.load_bundled()(read[None])[1].argmax(), 7)

    @needs_mnist
    def test_pencil_on_grey_paper_is_read_whatever_the_size(self):
        from gan3.data.datasets import load

        held = load("mnist", MNIST)
        digits, labels = held.held_out_images[:100], held.held_out_labels[:100]
        sheets = (200 - 0.3 * digits).astype(np.uint8)
        for around in (0, 1):
            read = [self.read(np.pad(s, around, constant_values=200)) for s in sheets]
            right = judge.load_bundled()(np.stack(read))[1].argmax(axis=1) == labels
            self.assertGreaterEqual(right.sum(), 97, around)

    def test_a_camera_held_sideways_is_no_matter(self):
        path, turns = self.folder / "x.png", {3: 2, 6: 1, 8: 3}  # EXIF: quarter turns to the left
        for orientation, quarters in turns.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            Image.fromarray(np.rot90(self.stroke(), quarters)).save(path, exif=exif)
            np.testing.assert_array_equal(digit_reader.read_picture(path), self.stroke())

    def test_exif_that_is_damaged_says_nothing(self):
        path = self.folder / "x.png"
        for damage in (
            b"Exif\0\0garbage",
            b"",
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x016\0\0\0",
        ):
            Image.fromarray(self.stroke()).save(path, exif=damage)
            with self.subTest(damage):
                np.testing.assert_array_equal(digit_reader.read_picture(path), self.stroke())

    def test_sixteen_bits_are_scaled_not_cut_off(self):
        deep = self.stroke().astype(np.uint16) * 100  # dark grey ink, 25500 of 65535
        Image.fromarray(deep).save(self.folder / "x.png")
        read = digit_reader.read_picture(self.folder / "x.png")
        np.testing.assert_array_equal(read, self.stroke())

    def test_what_is_no_digit_is_one_line(self):
        (self.folder / "text.png").write_text("no picture")
        Image.fromarray(np.full((90, 90), 255, np.uint8)).save(self.folder / "blank.png")
        for grey in (0, 100, 127, 128, 255):
            for side in (28, 50):
                flat = np.full((side, side), grey, np.uint8)
                flat[9:12, 9:12] = grey + 20 if grey < 128 else grey - 20  # less than a tenth
                with self.subTest(grey=grey, side=side), self.assertRaisesRegex(UserError, "blank"):
                    self.read(flat)
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(self.folder / "small.png")
        for name, message in (
            ("text.png", "not a picture"),
            ("blank.png", "blank"),
            ("small.png", "a side from 4"),
            ("none.png", "no such file"),
        ):
            with self.subTest(name), self.assertRaisesRegex(UserError, message):
                digit_reader.read_picture(self.folder / name)

    @needs_mnist
    def test_normalising_an_mnist_digit_gives_it_back(self):
        from gan3.data.datasets import load

        differences = []
        for digit in load("mnist", MNIST).images[:100]:
            wide = np.zeros((60, 80), np.uint8)
            wide[10:38, 20:48] = digit
            differences.append(np.abs(self.read(wide).astype(int) - digit).mean())
        self.assertLess(np.mean(differences), 1)  # the threshold may cut a faint edge off
        self.assertGreater(np.mean(np.array(differences) == 0), 0.6)


if __name__ == "__main__":
    unittest.main()
