"""The web page as a file: what is in it, and what is refused."""

import re
from pathlib import Path

import numpy as np

from gan3.core.errors import UserError
from gan3.demo import web_page
from gan3.runs import pretrained
from tests.support import FolderTest, drawing, small_system

LIMIT = 6_500_000  # bytes of the page of the bundled best


class File(FolderTest):
    def write(self, system, name="x"):
        web_page.write(Path("page.html"), drawing(system), None, name)
        return Path("page.html").read_text()

    def test_the_page_of_best_has_all_its_networks_and_fits(self):
        trained = pretrained.open_pretrained("best")
        sampler = trained.generator()
        web_page.write(Path("best.html"), sampler, trained.determinator(self.fail), "best")
        size = Path("best.html").stat().st_size
        weights = sum(array.size for array in sampler.arrays.values())
        self.assertLess(size, LIMIT)
        self.assertGreater(size, 2 * weights * 4 / 3)  # float16 in base64

    def test_the_page_loads_nothing(self):
        content = self.write(small_system())
        self.assertNotRegex(content, r"https?://|src=|@import|fetch\(|XMLHttpRequest|import\(")
        self.assertIn("default-src 'none'", content)
        self.assertNotRegex(content, r"[A-Z]_HERE")

    def test_names_are_escaped(self):
        content = self.write(small_system(class_names=("</script>", "MODEL_HERE", "<b>")), "<i>&")
        self.assertIn("Images by &lt;i&gt;&amp;", content)
        self.assertEqual(content.count("</script>"), 1)
        self.assertEqual(content.count("const model = "), 1)
        self.assertIn('value="&lt;/script&gt;,MODEL_HERE,&lt;b&gt;"', content)
        self.assertIn('"MODEL_HERE"', content)

    def test_classes_and_runs_may_be_called_like_a_place(self):
        for name in ("MODEL_HERE", "SCRIPT_HERE", "STYLE_HERE", "EXAMPLE_HERE", "NO_PLACE_HERE"):
            content = self.write(small_system(class_names=(name, "b")), name)
            with self.subTest(name):
                self.assertIn(f'value="{name},b"', content)
                self.assertIn(f"<title>gan3: images by {name}</title>", content)
                self.assertIn(f"<h1>Images by {name}</h1>", content)
                self.assertIn(f'"name": "{name}"', content)
                self.assertIn(f'"classNames": ["{name}", "b"]', content)

    def test_a_weight_that_float16_does_not_hold_is_refused(self):
        system = small_system()
        w = system.generator_weights["generator/pixels/w"]
        w.assign(np.full(w.shape, 7e4, np.float32))
        with self.assertRaisesRegex(UserError, "x: a weight of 7e.04 is too large for the page"):
            self.write(system)
        self.assertFalse(Path("page.html").exists())

    def test_classes_that_are_no_digits_have_other_words(self):
        content = self.write(small_system(class_names=("cat", "dog", "7")))
        self.assertNotRegex(re.sub(r"(?s)<(script|style)>.*?</\1>", "", content), "(?i)digit")
        self.assertIn('value="cat,dog,7"', content)
        content = self.write(small_system(class_names=tuple("ABC")))
        self.assertIn('value="ABC"', content)


class ScriptsAndStyle(FolderTest):
    def test_lines_are_short_and_every_element_that_a_script_asks_for_is_there(self):
        folder = Path(web_page.__file__).parent / "page"
        html = (folder / "page.html").read_text()
        ids = set(re.findall(r' id="([a-z-]+)"', html))
        for path in folder.glob("*.js"):
            text = path.read_text()
            self.assertLessEqual(max(map(len, text.splitlines())), 100, path.name)
            self.assertLessEqual(set(re.findall(r'get\("([a-z-]+)"\)', text)), ids, path.name)
