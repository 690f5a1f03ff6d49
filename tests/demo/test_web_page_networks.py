"""The networks of the web page: a browser computes what NumPy and TensorFlow do."""

import base64
import dataclasses
import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from gan3.core.classes import DIGITS
from gan3.demo import digit_reader, web_page
from gan3.models.determinator import Determinator
from gan3.models.generator import Generator
from gan3.nn.declared import GeneratorSpec
from gan3.runs.registry import build, config_of, determinator_of
from gan3.runs.trained import generator_now
from tests.browser import BROWSER, Browser
from tests.demo.photos import photo
from tests.nn.test_vocabulary import TOUR, arrays_of, network_of
from tests.support import FolderTest, batch_of, class_probabilities, seven, slow

SMALL = {
    "best": {
        "generator_widths": (20,),
        "generator_channels": (2, 3),
        "discriminator_widths": (3, 4, 8),
        "determinator_widths": (3, 4, 8),
    }
}
SYSTEMS = ("best", "three_network", "mlp_gan", "layernorm_gan", "gan_auto_write",
           "conditional_dcgan", "auxiliary_gan")  # fmt: skip


def system_of(name, **changes):
    """A system whose weights, biases and moving averages are far from their initial values.

    They are float16 numbers, as in the page.
    """
    config = dataclasses.replace(config_of(name), **(SMALL.get(name, {}) | changes))
    if hasattr(config, "sampling_moments"):  # the page has running ones
        config = dataclasses.replace(config, sampling_moments="running")
    system = build(config, DIGITS, "float32")
    variables = [*system.generator_weights.values()]
    if system.has_classifier:
        has_three = hasattr(system, "networks")
        reader = system.networks.determinator if has_three else system.discriminator
        variables += getattr(reader, "saved", reader.weights)
    for number, w in enumerate(variables):
        change = tf.random.stateless_normal(w.shape, [number, 0], stddev=0.3)
        # The sums of a thousand such changes would saturate every pixel.
        change *= min(1.0, 10 / np.sqrt(np.prod(w.shape[:-1]))) if w.shape.rank > 1 else 1.0
        is_factor = "variance" in w.name or "scale" in w.name
        value = tf.exp(change) if is_factor else w + change
        w.assign(tf.cast(tf.cast(value, tf.float16), tf.float32))
    return system, config


def determinator_with(system, config):
    """The system's determinator as the page takes it; None if it has none."""
    spec = determinator_of(config, system.class_names)
    if spec is None:
        return None
    return Determinator(spec, {name: system.state[name].numpy() for name in spec.shapes})


@unittest.skipUnless(BROWSER, "needs Chromium")
class Networks(FolderTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, system, config, name="x"):
        sampler = generator_now(config, system)
        web_page.write(Path("page.html"), sampler, determinator_with(system, config), name)
        self.browser.open("page.html")
        self.assertEqual(self.browser.problems, [])
        return sampler

    def test_the_browser_computes_every_kind_of_layer(self):
        names = ("cat", "dog", "cow")
        spec = GeneratorSpec(TOUR, True, "normal", names, moments="running")
        network = network_of(*TOUR, name="generator")
        for variable in network.variables.values():  # the page has float16
            variable.assign(tf.cast(tf.cast(variable, tf.float16), tf.float32))
        web_page.write(Path("page.html"), Generator(spec, arrays_of(network)), None, "x")
        self.browser.open("page.html")
        labels, noise = [0, 2, 1], np.random.default_rng(7).normal(0, 0.5, (3, 5))
        drawn = self.browser.run(
            f"{noise.tolist()}.map((noise, i) => Array.from(networks.draw({labels}[i], noise)))"
        )
        images = network(tf.constant(noise), soft_labels=tf.one_hot(labels, 3)).numpy()
        np.testing.assert_allclose(drawn, images.reshape(3, -1), atol=1e-5)

    def test_the_discriminator_judges_and_the_training_tab_shows_a_run(self):
        system, config = system_of("three_network")
        network = system.networks.discriminator
        arrays = {name: variable.numpy() for name, variable in network.variables.items()}
        layers = [spec.layer(arrays) for spec in network.specs]
        images = np.random.default_rng(0).integers(0, 256, (2, 10, 28, 28), np.uint8)
        training = {
            "episodes": [1, 4],
            "steps": [20, 80],
            "images": base64.b64encode(images.tobytes()).decode(),
            "curves": {"loss/discriminator": [[0, 1.4], [20, 1.0], [80, 0.7]]},
        }
        sampler = generator_now(config, system)
        web_page.write(Path("page.html"), sampler, None, "x", training, layers)
        self.browser.open("page.html")
        digits = batch_of(3)[0].numpy()
        real = self.browser.run(
            f"{digits.reshape(3, -1).tolist()}.map(v => networks.realness(Float64Array.from(v)))"
        )
        expected = tf.sigmoid(network(tf.constant(digits))).numpy().ravel()
        np.testing.assert_allclose(real, expected, atol=2e-3)  # matrices are float16
        self.browser.run("document.querySelector('[data-tab=training]').click()")
        texts = [self.browser.run("get('training-episode').textContent")]
        self.browser.run("get('training-place').value = 0; get('training-place').oninput()")
        texts.append(self.browser.run("get('training-episode').textContent"))
        self.assertEqual(texts, ["4 episodes, 80 steps", "1 episode, 20 steps"])
        self.assertTrue(self.browser.run("get('draw').hidden && !get('training').hidden"))
        self.assertEqual(self.browser.problems, [])

    def test_a_discriminator_that_is_given_the_class_judges_by_it(self):
        system, config = system_of("best")
        network, sampler = system.networks.discriminator, generator_now(config, system)
        web_page.write(Path("page.html"), sampler, discriminator=network.plain())
        self.browser.open("page.html")
        images, labels = batch_of(3)[0].numpy(), [0, 3, 9]
        real = self.browser.run(
            f"{images.reshape(3, -1).tolist()}.map((image, i) =>"
            f" networks.realness(Float64Array.from(image), {labels}[i]))"
        )
        expected = tf.sigmoid(network(tf.constant(images), labels=tf.constant(labels))).numpy()
        np.testing.assert_allclose(real, expected.ravel(), atol=2e-3)
        self.assertGreater(np.ptp(real), 0.01)
        self.assertEqual(self.browser.problems, [])

    @slow("draws with every system in a browser")
    def test_the_browser_draws_and_reads_what_tensorflow_does(self):
        labels = [0, 3, 9]
        for name in SYSTEMS:
            with self.subTest(name):
                system, config = system_of(name)
                sampler = self.open(system, config)
                noise = sampler.noise(np.array(labels), seed=(1, 2))
                drawn = self.browser.run(
                    f"{noise.tolist()}.map((noise, i) =>"
                    f" Array.from(networks.draw({labels}[i], noise)))"
                )
                expected = system.generate(tf.constant(labels), tf.constant(noise)).numpy()
                self.assertGreater(expected.std(), 0.05)
                np.testing.assert_allclose(np.reshape(drawn, (3, 28, 28)), expected, atol=1e-4)
                if determinator_of(config, DIGITS) is None:
                    self.assertTrue(self.browser.run("get('pad').closest('section').hidden"))
                    continue
                images = batch_of(3)[0].numpy()
                read = self.browser.run(
                    f"{images.reshape(3, -1).tolist()}.map(image =>"
                    " networks.read(Float64Array.from(image)))"
                    ".map(r => [[...r.probabilities], r.noise ? [...r.noise] : null])"
                )
                probabilities = class_probabilities(system, tf.constant(images))
                self.assertGreater(np.ptp(probabilities), 0.1)
                np.testing.assert_allclose([r[0] for r in read], probabilities, atol=1e-4)
                if name == "best":
                    determinator = system.networks.determinator
                    numbers = determinator.encode(tf.constant(images))[1]
                    code = determinator.code_norm(numbers, probabilities.argmax(axis=1))
                    expected = tf.math.erf(code / np.sqrt(2)).numpy()
                    self.assertGreater(np.ptp(expected), 0.1)
                    np.testing.assert_allclose([r[1] for r in read], expected, atol=1e-4)

    def test_every_float16_number_is_decoded(self):
        numbers = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
        finite = np.isfinite(numbers)
        self.open(*system_of("mlp_gan"))
        decoded = self.browser.run(
            "Array.from({length: 65536}, (_, half) => halfToFloat(half))"
            ".map(v => Number.isFinite(v) ? v : null)"
        )
        self.assertEqual([v is not None for v in decoded], finite.tolist())
        got = np.array(decoded, dtype=object)[finite].astype(float)
        np.testing.assert_array_equal(got, numbers[finite])

    def test_a_picture_is_read_as_digit_reader_reads_it(self):
        """Sizes above and below 20, dark and light ink, and MNIST's own size.

        Pixel for pixel, but for high pictures: Pillow before 13 resizes these in another order.
        """
        self.open(*system_of("mlp_gan"))
        rng = np.random.default_rng(0)
        for height, width in ((28, 28), (280, 280), (97, 143), (30, 12), (300, 41), (9, 7)):
            for dark in (False, True):
                coarse = rng.integers(0, 256, (5, 4), np.uint8)
                grey = np.asarray(Image.fromarray(coarse).resize((width, height), 2)).copy()
                grey[:2] = grey[-2:] = grey[:, :2] = grey[:, -2:] = rng.integers(0, 60)
                grey = 255 - grey if dark else grey
                Image.fromarray(grey).save("picture.png")
                expected = digit_reader.read_picture(Path("picture.png"))
                rgba = np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1).ravel()
                read = self.browser.run(
                    f"Array.from(readPicture(Uint8ClampedArray.from({rgba.tolist()}),"
                    f" {width}, {height}).levels)"
                )
                tolerance = 2 if height > 2 * width else 0
                np.testing.assert_allclose(np.reshape(read, (28, 28)), expected, atol=tolerance)

    def test_a_photo_is_read_as_digit_reader_reads_it(self):
        self.open(*system_of("mlp_gan"))
        for condition in ("uneven light", "shadow edge", "squared paper", "pencil"):
            Image.fromarray(photo([seven()], condition)).save("photo.png")
            rgba = np.asarray(Image.open("photo.png").convert("RGBA"))
            height, width, _ = rgba.shape
            read = self.browser.run(
                f"Array.from(readPicture(Uint8ClampedArray.from(atob('{base64.b64encode(rgba.tobytes()).decode()}'),"
                f" c => c.charCodeAt()), {width}, {height}).levels)"
            )
            expected = digit_reader.read_picture(Path("photo.png"))
            np.testing.assert_array_equal(np.reshape(read, (28, 28)), expected)

    def test_white_ink_on_a_transparent_background_is_read(self):
        self.open(*system_of("mlp_gan"))
        picture = np.full((40, 40, 4), 255, np.uint8)
        picture[..., 3] = 0
        picture[5:30, 10:20, 3] = 255
        Image.fromarray(picture).save("picture.png")
        expected = digit_reader.read_picture(Path("picture.png"))
        script = f"readPicture(Uint8ClampedArray.from({picture.ravel().tolist()}), 40, 40)"
        read = self.browser.run(f"Array.from({script}.levels)")
        np.testing.assert_array_equal(np.reshape(read, (28, 28)), expected)
        blank = "readPicture(new Uint8ClampedArray(6400).fill(255), 40, 40)"
        self.assertIsNone(self.browser.run(blank))
