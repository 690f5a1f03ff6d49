"""Reading pictures of digits as MNIST would hold them."""

import numpy as np
from PIL import Image

from gan3.core.errors import UserError
from gan3.demo import digit_reader
from gan3.evaluation import judge
from tests.support import MNIST, FolderTest, needs_mnist, seven


class Reading(FolderTest):
    def read(self, picture):
        Image.fromarray(picture).save(self.folder / "x.png")
        return digit_reader.read_picture(self.folder / "x.png")

    def test_a_picture_of_mnists_size_is_not_changed(self):
        np.testing.assert_array_equal(self.read(seven()), seven())
        np.testing.assert_array_equal(self.read(255 - seven()), seven())

    def test_size_position_and_polarity_make_no_difference(self):
        large = np.kron(seven(), np.ones((6, 6), np.uint8))
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

    def test_two_specks_are_no_digit(self):
        """So far apart that nothing is left of them when what is between them is scaled."""
        for side in (300, 500):
            picture = np.full((side, side), 255, np.uint8)
            picture[3, 5] = picture[side - 4, side - 9] = 0
            with self.assertRaisesRegex(UserError, "x.png: has only lines or specks; crop"):
                self.read(picture)

    def test_transparent_background_counts_as_paper(self):
        picture = np.zeros((28, 28, 4), np.uint8)
        picture[..., 3] = seven()  # black ink, transparent background
        np.testing.assert_array_equal(self.read(picture), seven())

    def test_transparent_colours_of_palettes_and_greys_count_as_paper(self):
        path = self.folder / "x.png"
        palette = Image.fromarray((seven() > 0).astype(np.uint8), "P")
        palette.putpalette([90, 90, 90, 0, 0, 0])  # an invisible grey, and ink
        palette.save(path, transparency=0)
        np.testing.assert_array_equal(digit_reader.read_picture(path), seven())
        grey = Image.fromarray(np.where(seven() > 0, 0, 90).astype(np.uint8))
        grey.save(path, transparency=90)
        np.testing.assert_array_equal(digit_reader.read_picture(path), seven())

    def test_the_grey_of_the_paper_makes_no_difference(self):
        """Ink of 100 levels on any paper gives the same image; noise below a tenth is no ink."""
        sheet = np.zeros((300, 400), int)
        sheet[20 : 20 + 168, 200 : 200 + 168] = np.kron(seven() // 255, np.ones((6, 6), int))
        expected = self.read((100 * sheet).astype(np.uint8))
        self.assertEqual(expected.max(), 255)
        for paper in (0, 30, 100, 127, 155):  # light on dark
            read = self.read((paper + 100 * sheet).astype(np.uint8))
            np.testing.assert_array_equal(read, expected)
        for paper in (255, 225, 140, 127, 100):  # dark on light
            read = self.read((paper - 100 * sheet).astype(np.uint8)).astype(int)
            np.testing.assert_allclose(read, expected, atol=3)  # ink is a part of the paper's grey
        noise = np.random.default_rng(0).integers(-12, 13, sheet.shape)
        rows, columns = np.where(self.read((200 + noise - 100 * sheet).astype(np.uint8)) > 25)
        self.assertEqual(
            max(np.ptp(rows), np.ptp(columns)) + 1, 20
        )  # the noise does not count as ink

    def test_light_from_one_side_makes_no_difference(self):
        """A 3 on such paper was read as 7: the dark side of the paper counted as ink."""
        sheet = np.zeros((300, 300), int)
        sheet[66:234, 66:234] = np.kron(seven() > 0, np.ones((6, 6), int))
        expected = self.read((200 - 150 * sheet).astype(np.uint8))
        rows, columns = np.mgrid[:300, :300] / 299
        for shade in (60 * columns, 60 * (1 - rows), 40 * rows + 30 * columns):
            read = self.read(((220 - shade) * (1 - 0.75 * sheet)).astype(np.uint8))
            np.testing.assert_allclose(read.astype(int), expected, atol=3)

    def test_masks_and_deep_pictures_are_read_as_others(self):
        for picture in (seven() // 255, (seven().astype(np.uint16) * 16)):
            np.testing.assert_array_equal(self.read(picture), seven())

    def test_grey_paper_is_removed_from_a_picture_of_mnists_size(self):
        grey = np.where(seven() > 0, 30, 200).astype(np.uint8)
        np.testing.assert_array_equal(self.read(grey), seven())
        np.testing.assert_array_equal(self.read(255 - grey), seven())

    def test_white_ink_on_a_transparent_background(self):
        picture = np.full((28, 28, 4), 255, np.uint8)
        picture[..., 3] = seven()
        np.testing.assert_array_equal(self.read(picture), seven())

    def test_a_thin_pen_is_read_like_a_broad_one(self):
        """A line of 3 in 560 pixels: averaged over 25 x 25 it has a tenth of full ink."""
        thin = np.zeros((700, 700), np.uint8)
        thin[70:73, 150:550] = 255
        for row in range(70, 630):
            thin[row, 550 - (row - 70) // 2 : 553 - (row - 70) // 2] = 255
        read = self.read(255 - thin)
        self.assertEqual(read.max(), 255)
        self.assertEqual(judge.load()(read[None])[1].argmax(), 7)

    @needs_mnist
    def test_pencil_on_grey_paper_is_read_at_any_size(self):
        from gan3.data.datasets import load

        dataset = load("mnist", MNIST)
        digits, labels = dataset.held_out_images[:100], dataset.held_out_labels[:100]
        sheets = (200 - 0.3 * digits).astype(np.uint8)
        for margin in (0, 1):
            read = [self.read(np.pad(s, margin, constant_values=200)) for s in sheets]
            correct = judge.load()(np.stack(read))[1].argmax(axis=1) == labels
            self.assertGreaterEqual(correct.sum(), 97, margin)

    def test_the_orientation_in_exif_is_applied(self):
        path, turns = (
            self.folder / "x.png",
            {3: 2, 6: 1, 8: 3},
        )  # EXIF orientation: quarter turns to the left
        for orientation, quarters in turns.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            Image.fromarray(np.rot90(seven(), quarters)).save(path, exif=exif)
            np.testing.assert_array_equal(digit_reader.read_picture(path), seven())

    def test_damaged_exif_is_ignored(self):
        path = self.folder / "x.png"
        for damage in (
            b"Exif\0\0garbage",
            b"",
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x016\0\0\0",
        ):
            Image.fromarray(seven()).save(path, exif=damage)
            with self.subTest(damage):
                np.testing.assert_array_equal(digit_reader.read_picture(path), seven())

    def test_sixteen_bit_pictures_are_scaled(self):
        deep = seven().astype(np.uint16) * 100  # dark grey ink, 25500 of 65535
        Image.fromarray(deep).save(self.folder / "x.png")
        read = digit_reader.read_picture(self.folder / "x.png")
        np.testing.assert_array_equal(read, seven())

    def test_files_without_a_digit_are_refused(self):
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
        ):
            with self.subTest(name), self.assertRaisesRegex(UserError, message):
                digit_reader.read_picture(self.folder / name)

    @needs_mnist
    def test_normalising_an_mnist_digit_reproduces_it(self):
        from gan3.data.datasets import load

        differences = []
        for digit in load("mnist", MNIST).images[:100]:
            wide = np.zeros((60, 80), np.uint8)
            wide[10:38, 20:48] = digit
            differences.append(np.abs(self.read(wide).astype(int) - digit).mean())
        self.assertLess(np.mean(differences), 1)  # the threshold may remove a faint edge
        self.assertGreater(np.mean(np.array(differences) == 0), 0.6)
