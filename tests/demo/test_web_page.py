"""The web page: a browser draws the same digits with it as TensorFlow."""

import dataclasses
import json
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan3.core.errors import UserError
from gan3.demo import web_page
from gan3.runs.registry import builder_of, config_of
from tests.support import FolderTest, small_system

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--virtual-time-budget=5000", "--dump-dom"),
)
SMALL = {
    "best": {
        "generator_widths": (20, 30),
        "discriminator_widths": (3, 4, 8),
        "determinator_widths": (3, 4, 8),
    }
}


def system_of(name):
    """A system whose weights, biases and moving averages are far from their initial values."""
    config = dataclasses.replace(config_of(name), **SMALL.get(name, {}))
    system = builder_of(name)(config, "float32")
    for number, (key, w) in enumerate(system.generator_weights.items()):
        change = tf.random.stateless_normal(w.shape, [number, 0], stddev=0.3)
        w.assign(tf.exp(change) if "variance" in key or "scale" in key else w + change)
    return system


def noise_of(system, labels):
    return system.noise(tf.constant(labels), tf.constant([1, 2])).numpy()


def forward(layers, x):
    """The forward pass in NumPy, in float64."""
    activations = {
        "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
        "slight_leak": lambda x: np.where(x > 0, x, 0.02 * x),
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
    }
    for layer in layers:
        x = activations[layer.activation](x @ layer.w.astype(np.float64) + layer.b)
        if layer.scale is not None:
            mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            x = (x - mean) / np.sqrt(variance + 1e-5) * layer.scale + layer.shift
    return x


class DenseLayers(unittest.TestCase):
    def test_the_exported_arrays_compute_what_the_generator_does(self):
        labels = [0, 3, 9]
        for name in ("three_network", "best", "mlp_gan", "layernorm_gan"):
            with self.subTest(name):
                system = system_of(name)
                noise = noise_of(system, labels)
                expected = system.generate(tf.constant(labels), tf.constant(noise)).numpy()
                latent = noise
                if system.class_conditional:
                    latent = np.zeros((3, 100))
                    for row, digit in enumerate(labels):
                        latent[row, 10 * digit : 10 * digit + 10] = noise[row]
                got = forward(system.dense_layers(), latent)
                got = (got - system.pixel_min) / (1 - system.pixel_min)
                self.assertGreater(expected.std(), 0.05)
                np.testing.assert_allclose(got.reshape(3, 28, 28), expected, atol=1e-4)


class Page(FolderTest):
    @unittest.skipUnless(BROWSER, "needs Chromium to draw the page")
    def test_a_browser_draws_the_same_digits_as_tensorflow(self):
        labels = [0, 3, 9]
        for name in ("best", "three_network", "mlp_gan", "layernorm_gan"):
            with self.subTest(name):
                system = system_of(name)
                noise = noise_of(system, labels)
                web_page.write(Path("page.html"), system, name)
                inputs = json.dumps([labels, noise.tolist()])
                script = (
                    f"<script>const [labels, noises] = {inputs};"
                    "const images = labels.map((d, i) => Array.from(draw(d, noises[i])));"
                    'document.title = "drawn " + JSON.stringify(images);</script>'
                )
                content = Path("page.html").read_text().replace("</html>", script + "</html>")
                Path("page.html").write_text(content)
                profile = f"--user-data-dir={self.folder / 'profile'}"
                address = (self.folder / "page.html").as_uri()
                process = subprocess.run(
                    [BROWSER, *FLAGS, profile, address],
                    capture_output=True, text=True, timeout=120, check=True,
                )  # fmt: skip
                drawn = re.search(r"<title>drawn ([^<]*)</title>", process.stdout)
                got = np.array(json.loads(drawn[1])).reshape(3, 28, 28)
                expected = system.generate(tf.constant(labels), tf.constant(noise)).numpy()
                np.testing.assert_allclose(got, expected, atol=1e-3)
                self.assertEqual(process.stdout.count('aria-label="entry '), 10)
                has_number = 'id="number-section"' in process.stdout
                self.assertEqual(has_number, system.class_conditional)

    def test_the_page_loads_nothing_and_names_are_escaped(self):
        web_page.write(Path("page.html"), system_of("layernorm_gan"), "<b>&")
        content = Path("page.html").read_text()
        self.assertIn("digits by &lt;b&gt;&amp;", content)
        self.assertNotRegex(content, r"https?://|src=|@import|fetch\(")

    def test_fixed_noise_is_refused(self):
        with self.assertRaisesRegex(UserError, "x: has one fixed noise vector per digit"):
            web_page.write(Path("x.html"), small_system(noise_draw="once"), "x")

    def test_convolutions_are_refused(self):
        for name in ("auxiliary_gan", "conditional_dcgan", "gan_auto_write"):
            system = builder_of(name)(config_of(name), "float32")
            with self.assertRaisesRegex(UserError, f"{name}: has convolutions"):
                web_page.write(Path("page.html"), system, name)
        self.assertFalse(Path("page.html").exists())


if __name__ == "__main__":
    unittest.main()
