"""Style transfer: properties of known shapes, correlations of known styles, PCA against the SVD."""

import unittest

import numpy as np

from gan3.evaluation import style_transfer
from gan3.evaluation.style_transfer import Autoencoder

CENTRE = 13.5


def strokes(slants, widths=3.0, inks=1.0):
    """Sheared strokes uint8 [N, 28, 28]: Gaussians in each row, 22 rows high, with subpixel places.

    widths: standard deviations of the columns in each row. inks: of the brightest pixel.
    """
    rows, columns = np.mgrid[:28, :28].astype(float)
    slants, widths, inks = (
        np.broadcast_to(values, np.shape(slants))[:, None, None]
        for values in (slants, widths, inks)
    )
    distance = columns - CENTRE - slants * (CENTRE - rows)  # to the right on the way up
    images = 255 * inks * np.exp(-0.5 * (distance / widths) ** 2)
    images[:, (rows[:, 0] < 3) | (rows[:, 0] > 24)] = 0
    return np.rint(images).astype(np.uint8)


class Properties(unittest.TestCase):
    def test_slant_of_sheared_strokes(self):
        slants = np.array([-0.4, -0.1, 0.0, 0.2, 0.4])
        measured = style_transfer.properties(strokes(slants, 2.0))["slant"]
        np.testing.assert_allclose(measured, slants, rtol=0, atol=0.005)
        wider = style_transfer.properties(strokes(slants, 2.5, 0.6))["slant"]
        np.testing.assert_allclose(wider, slants, rtol=0, atol=0.01)  # by the shape alone

    def test_width_and_ink_of_strokes(self):
        widths, inks = np.array([1.5, 2.0, 3.0]), np.array([1.0, 0.5, 0.8])
        measured = style_transfer.properties(strokes(np.zeros(3), widths, inks))
        np.testing.assert_allclose(measured["width"], widths, rtol=0.02)
        # The integral of a Gaussian over 22 of 28 rows.
        expected = inks * widths * np.sqrt(2 * np.pi) * 22 / 784
        np.testing.assert_allclose(measured["ink"], expected, rtol=0.01)

    def test_the_width_of_a_box_is_that_of_a_uniform_distribution(self):
        image = np.zeros((1, 28, 28), np.uint8)
        image[0, 4:24, 5:17] = 200  # 12 columns
        measured = style_transfer.properties(image)
        self.assertAlmostEqual(measured["width"][0], np.sqrt((12**2 - 1) / 12), places=9)
        self.assertAlmostEqual(measured["ink"][0], 240 / 784 * 200 / 255, places=9)
        self.assertAlmostEqual(measured["slant"][0], 0, places=9)

    def test_blank_and_flat_images_have_finite_properties(self):
        images = np.zeros((2, 28, 28), np.uint8)
        images[1, 9] = 255  # one row: no slant can be seen
        for values in style_transfer.properties(images).values():
            self.assertTrue(np.isfinite(values).all())
            self.assertEqual(values[0], 0)


class Transfer(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(0)
        self.labels = np.repeat(np.arange(3), 40)
        self.slants = random.uniform(-0.4, 0.4, 120)
        self.widths = random.uniform(1.5, 3, 120)
        self.inks = random.uniform(0.4, 1, 120)
        self.images = strokes(self.slants, self.widths, self.inks)

    def autoencoder(self, draw):
        """Reads the true slant, width and ink of these images."""
        noise = np.stack([self.slants, self.widths, self.inks], axis=1)
        return Autoencoder(lambda images: noise, draw)

    def test_a_style_that_every_class_keeps(self):
        keep = self.autoencoder(lambda labels, noise: strokes(*noise.T))
        result = style_transfer.measure(self.images, self.labels, keep, 3)
        np.testing.assert_array_equal(result.reconstructed, self.images)
        others, requested = result.drawn_as_others()
        self.assertEqual(others.shape, (240, 28, 28))
        self.assertEqual(np.bincount(requested).tolist(), [80, 80, 80])
        for table in result.correlations.values():
            np.testing.assert_allclose(table, 1, atol=1e-9)
        self.assertEqual(set(result.means()), {"ink", "width", "slant", "lowest"})
        np.testing.assert_allclose(list(result.means().values()), 1, atol=1e-9)

    def test_each_property_and_pair_by_itself(self):
        """Class 1 mirrors the slant, class 2 ignores it; all keep the width."""

        def draw(labels, noise):
            slants, widths, _ = noise.T
            return strokes(np.array([1, -1, 0])[labels] * slants, widths, 1.0)

        result = style_transfer.measure(self.images, self.labels, self.autoencoder(draw), 3)
        slant = result.correlations["slant"]
        np.testing.assert_allclose(slant[:, 0], 1, atol=1e-3)
        np.testing.assert_allclose(slant[:, 1], -1, atol=1e-3)
        self.assertLess(np.abs(slant[:, 2]).max(), 0.5)  # rounding: no slant is drawn
        means = result.means()
        self.assertAlmostEqual(means["slant"], slant[~np.eye(3, dtype=bool)].mean(), places=9)
        self.assertAlmostEqual(means["lowest"], -1, delta=1e-3)
        drawn_upright = result.correlations["width"][:, 2]
        expected = [
            np.corrcoef(
                style_transfer.properties(self.images[self.labels == label])["width"],
                self.widths[self.labels == label],
            )[0, 1]
            for label in range(3)
        ]
        np.testing.assert_allclose(drawn_upright, expected, atol=0.01)

    def test_what_is_drawn_as_which_class(self):
        """Images that show the requested class and the noise as their first two pixels."""

        def draw(labels, noise):
            images = np.zeros((len(labels), 28, 28), np.uint8)
            images[:, 0, 0], images[:, 0, 1] = labels, noise
            return images

        labels = np.array([2, 0, 1, 1])
        autoencoder = Autoencoder(lambda images: np.arange(4), draw)
        result = style_transfer.measure(np.zeros((4, 28, 28), np.uint8), labels, autoencoder, 3)
        self.assertEqual(result.reconstructed[:, 0, :2].tolist(), [[2, 0], [0, 1], [1, 2], [1, 3]])
        others, requested = result.drawn_as_others()
        np.testing.assert_array_equal(others[:, 0, 0], requested)
        drawn = sorted(map(tuple, others[:, 0, :2].tolist()))
        self.assertEqual(drawn, [(0, 0), (0, 2), (0, 3), (1, 0), (1, 1), (2, 1), (2, 2), (2, 3)])

    def test_a_class_of_two_images_is_left_out(self):
        labels = self.labels.copy()
        labels[np.flatnonzero(labels == 2)[2:]] = 0
        keep = self.autoencoder(lambda labels, noise: strokes(*noise.T))
        result = style_transfer.measure(self.images, labels, keep, 3)
        self.assertTrue(np.isnan(result.correlations["ink"][2]).all())
        self.assertAlmostEqual(result.means()["ink"], 1, places=9)
        tiny = style_transfer.measure(self.images[:2], np.array([0, 1]), self.two(), 3)
        self.assertEqual(tiny.means(), {})

    def two(self):
        return Autoencoder(lambda images: np.zeros((2, 1)), lambda labels, noise: self.images[:2])


class Errors(unittest.TestCase):
    def test_squared_errors_are_means_over_pixels(self):
        images = np.zeros((2, 28, 28), np.uint8)
        reconstructed = images.copy()
        reconstructed[1, :14] = 51  # a fifth, on half of the pixels
        errors = style_transfer.squared_errors(images, reconstructed)
        np.testing.assert_allclose(errors, [0, 0.5 * 0.04], atol=1e-12)


class PrincipalComponents(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(1)
        self.images = strokes(random.uniform(-0.4, 0.4, 300), random.uniform(1.5, 3, 300))
        self.flat = self.images.reshape(300, -1) / 255

    def test_they_are_those_of_the_singular_value_decomposition(self):
        centred = self.flat - self.flat.mean(axis=0)
        u, s, v = np.linalg.svd(centred, full_matrices=False)
        expected = (u[:, :4] * s[:4]) @ v[:4] + self.flat.mean(axis=0)
        reconstructed = style_transfer.project(self.images, self.images, 4)
        self.assertEqual((reconstructed.shape, reconstructed.dtype), (self.images.shape, np.uint8))
        expected = expected.clip(0, 1).reshape(-1, 28, 28)
        self.assertLess(np.abs(reconstructed / 255 - expected).max(), 0.5001 / 255)

    def test_each_class_has_its_own(self):
        """Of classes that are one image each, nothing is lost; of both as one, it would be."""
        labels = np.arange(300) % 2
        images = self.images[labels]
        reconstructed = style_transfer.reconstruct_by_pca(images, labels, images[:7], labels[:7], 1)
        np.testing.assert_array_equal(reconstructed, images[:7])
        others = style_transfer.reconstruct_by_pca(images, labels, images[:1], labels[:1] + 2, 1)
        self.assertFalse(others.any())  # there is no such class to learn from
        both = style_transfer.project(images[:7], images, 1)  # both are on one line
        np.testing.assert_array_equal(both, images[:7])
