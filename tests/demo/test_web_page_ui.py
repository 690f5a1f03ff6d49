"""The web page in a browser: what a user does with it, and what it then shows."""

import io
import json
import time
import unittest
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.classes import labels_of_text
from gan3.demo import digit_reader, web_page
from gan3.runs import pretrained
from gan3.runs.registry import config_of
from tests.browser import BROWSER, Browser, write_on_pad
from tests.demo.test_web_page_networks import determinator_with, system_of
from tests.support import drawing, enter_folder, seven, slow, small_system

THREE = ((80, 70), (110, 50), (150, 50), (180, 75), (170, 110), (135, 130), (175, 145), (195, 180),
         (180, 215), (140, 235), (95, 225), (75, 205))  # fmt: skip
SCRIBBLE = ((40, 40), (240, 60), (50, 90), (230, 120), (60, 150), (240, 180), (40, 210), (240, 240))
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class PageTest(unittest.TestCase):
    """A browser for the tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = enter_folder(cls.addClassCleanup)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.js = cls.browser.run

    def text(self, element):
        return self.js(f"get({json.dumps(element)}).textContent")

    def pixels(self, canvas):
        """The grey levels that a canvas shows, uint8 [height, width]."""
        height, width, levels = self.js(
            "(shown => { const {width, height} = shown, copy = new OffscreenCanvas(width, height);"
            " const context = copy.getContext('2d'); context.drawImage(shown, 0, 0);"
            " const {data} = context.getImageData(0, 0, width, height);"
            " return [height, width, Array.from(data.filter((_, i) => i % 4 === 0))]; })"
            f"(get({json.dumps(canvas)}))"
        )
        return np.array(levels, np.uint8).reshape(height, width)

    def write(self, points):
        """A stroke on the pad by mouse, through points of its 280 pixels."""
        write_on_pad(self.browser, points)
        self.js(FRAMES)

    def open_picture(self, content, name="picture.png"):
        """As if the user opened a file with these bytes."""
        self.js(f"open(new File([Uint8Array.from({list(content)})], {json.dumps(name)}))")
        self.js(FRAMES)

    def click(self, element):
        self.js(f"get({json.dumps(element)}).click()")

    def assert_no_problems(self):
        self.js(FRAMES)
        self.assertEqual(self.browser.problems, [])


def png_of(grey):
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


class BestTest(PageTest):
    """The page of the bundled `best`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        trained = pretrained.open_pretrained("best")
        cls.encode = staticmethod(trained.encoder())
        sampler, determinator = (
            trained.generator(),
            trained.determinator(print),
        )
        web_page.write(Path("best.html"), sampler, determinator, "best")

    def setUp(self):
        self.browser.open(self.folder / "best.html")


@unittest.skipUnless(BROWSER, "needs Chromium")
class Best(BestTest):
    def test_a_digit_is_read_and_drawn_in_its_style(self):
        self.write(THREE)
        self.assertRegex(self.text("verdict"), r"^3, \d+ % sure\.$")
        seen = 255 - self.pixels("seen")
        self.assertEqual(seen.max(), 255)
        encoded = self.encode(seen[None])
        self.assertEqual(encoded.labels[0], 3)
        shown = [float(text) for text in self.js(
            "sliders.map(({value}) => value.textContent)"
        )]  # fmt: skip
        np.testing.assert_allclose(shown, encoded.noise[0], atol=0.0051)
        percents = self.js("bars.map(({percent}) => parseInt(percent.textContent))")
        np.testing.assert_allclose(percents, 100 * encoded.probabilities[0], atol=0.51)
        np.testing.assert_array_equal(self.pixels("reconstruction"), self.pixels("one"))
        drawn = gan3.load("best").draw(np.arange(10), np.tile(encoded.noise, (10, 1)))
        shown = 255 - self.pixels("all").astype(int)
        np.testing.assert_allclose(shown, np.concatenate(list(drawn), axis=1), atol=1)
        self.assert_no_problems()


@slow("a dozen pages in a browser")
@unittest.skipUnless(BROWSER, "needs Chromium")
class BestInDetail(BestTest):
    def test_keys_alone_draw_undo_and_reach_every_control(self):
        self.js("document.activeElement.blur()")
        reached = []
        for _ in range(60):
            self.browser.press("Tab")
            reached.append(self.js("document.activeElement.id || document.activeElement.text"
                                    "Content || document.activeElement.ariaLabel"))  # fmt: skip
            if reached[-1] == "pad":
                self.assertTrue(self.js("get('pad').matches(':focus-visible')"))
                for _ in range(9):
                    self.browser.press("ArrowUp")
                self.browser.press(" ", "Space", " ")
                for _ in range(18):
                    self.browser.press("ArrowDown")
                self.browser.press(" ", "Space", " ")
                self.js(FRAMES)
                self.assertRegex(self.text("verdict"), "^1, ")
                self.browser.press("Backspace")
                self.js(FRAMES)
                self.assertRegex(self.text("verdict"), "^Nothing to read")
            if reached[-1] == "text":
                for typed in ("7", "70", "705"):  # the first replaces what is selected
                    self.browser.call("Input.insertText", text=typed[-1])
                    self.assertEqual(self.js("get('text').value"), typed)
                    self.assertEqual(self.pixels("number").shape[1], 18 * len(typed))
            if reached[-1] == "walk":
                before = self.js("[...state.style]")
                self.browser.press("ArrowRight")
                self.assertNotEqual(self.js("[...state.style]"), before)
            if reached[-1] == "new-arithmetic":
                break
        for name in ("inverted", "truncation", "pad", "undo", "clear", "file", "9", "text",
                     "own-styles", "entry 0", "entry 9", "new-style", "zero", "walk", "play",
                     "walk-start", "walk-end", "walk-elsewhere", "sheet-class", "new-sheet",
                     "new-arithmetic"):  # fmt: skip
            self.assertIn(name, reached)
        self.assert_no_problems()

    def test_bad_input_gets_an_answer(self):
        self.assertEqual(self.text("verdict"), "Nothing to read: write a digit.")
        self.write(SCRIBBLE)
        self.assertRegex(self.text("verdict"), r"^Not a digit I know\W.*\d \d+ %, \d \d+ %")
        rng = np.random.default_rng(0)
        photo = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((400, 300))
        self.open_picture(png_of(np.asarray(photo)))
        self.assertEqual(self.text("verdict"), "More than one digit: show one only.")
        self.open_picture(png_of(np.full((50, 60), 200, np.uint8)))
        self.assertEqual(self.text("verdict"), "Nothing to read: write a digit.")
        self.open_picture(png_of(np.zeros((1, 1), np.uint8)))
        self.assertEqual(self.text("verdict"), "Nothing to read: write a digit.")
        self.open_picture(b"GIF89a no picture", "cat.gif")
        self.assertEqual(self.text("status"), "cat.gif: not a picture that can be read.")
        self.click("clear")
        self.click("undo")
        self.assert_no_problems()

    def test_a_picture_from_a_file_is_read_as_recognise_reads_it(self):
        grey = np.full((300, 420), 190, np.uint8)
        digit = np.asarray(Image.fromarray(255 - seven()).resize((196, 196)))
        grey[40:236, 100:296] = np.minimum(grey[40:236, 100:296], digit)
        Path("seven.png").write_bytes(png_of(grey))
        self.open_picture(Path("seven.png").read_bytes())
        expected = digit_reader.read_picture(Path("seven.png"))
        np.testing.assert_array_equal(255 - self.pixels("seen"), expected)
        self.assertEqual(self.encode(expected[None]).labels[0], 7)
        self.assertRegex(self.text("verdict"), "^7, ")
        self.write(THREE)  # a stroke begins anew
        self.assertRegex(self.text("verdict"), "^3, ")
        self.click("undo")
        self.js(FRAMES)
        self.assertRegex(self.text("verdict"), "^7, ")
        self.assert_no_problems()

    def test_the_walk_moves_by_itself_unless_the_user_prefers_stillness(self):
        self.assertFalse(self.js("state.playing"))
        self.browser.open(self.folder / "best.html", still=False)
        self.assertTrue(self.js("state.playing"))
        # A slow machine draws only this canvas while the walk moves.
        first, end = self.pixels("one"), time.monotonic() + 20
        while (self.pixels("one") == first).all():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)
        self.click("play")
        place, style = self.js("[state.position, [...state.style]]")
        self.assertGreater(place, 0)
        start, end = self.js("[[...state.from], [...state.to]]")
        expected = np.array(start) + place * (np.array(end) - start)
        np.testing.assert_allclose(style, expected, atol=1e-9)
        self.js(FRAMES)
        self.assertEqual(self.js("state.position"), place)
        self.click("play")
        time.sleep(0.3)
        self.assertNotEqual(self.js("state.position"), place)
        self.write(THREE)  # what the user draws is not swept away
        self.assertEqual(self.js("[state.playing, state.position]"), [False, 0])
        self.assert_no_problems()

    def test_the_walk_is_saved_as_a_gif_that_others_read(self):
        for canvas in ("one", "number"):
            data = bytes(self.js(f"Array.from(walkGif('{canvas}'))"))
            with Image.open(io.BytesIO(data)) as gif:
                self.assertEqual((gif.n_frames, gif.info["loop"]), (40, 0))
                frames = []
                for number in range(gif.n_frames):
                    gif.seek(number)
                    frames.append(np.asarray(gif.convert("L")).astype(int))
            place = (1 - np.cos(2 * np.pi * 13 / 40)) / 2
            self.js(f"moveTo({place})")
            scale = self.js(f"SCALES.{canvas}")
            expected = np.kron(self.pixels(canvas), np.ones((scale, scale), int))
            height, width = expected.shape
            self.assertEqual(frames[13].shape, (height + 20, max(width, 320)))
            left = (frames[13].shape[1] - width) // 2
            got = frames[13][:height, left : left + width]
            self.assertLessEqual(np.abs(got - expected).max(), 9)  # 16 levels of grey
            self.assertGreater(np.abs(frames[0] - frames[20]).max(), 50)
            np.testing.assert_array_equal(frames[7], frames[33])  # there and back

    def test_lzw_survives_noise_which_fills_its_table(self):
        rng = np.random.default_rng(0)
        frame = rng.integers(0, 256, (90, 110), np.uint8)
        data = self.js(f"Array.from(encodeGif([Uint8Array.from({frame.ravel().tolist()})],"
                        " 110, 90, 5))")  # fmt: skip
        with Image.open(io.BytesIO(bytes(data))) as gif:
            np.testing.assert_array_equal(np.asarray(gif.convert("L")), frame)

    def test_keys_of_the_pen(self):
        def press(key, repeat=False):
            options = json.dumps({"key": key, "repeat": repeat})
            self.js(f"get('pad').dispatchEvent(new KeyboardEvent('keydown', {options}))")

        press(" ")
        for _ in range(5):
            press(" ", repeat=True)  # held down: one dot, and the pen stays down
        self.assertEqual(self.js("[pad.items.length, Boolean(pad.stroke)]"), [1, True])
        press(" ")
        self.assertFalse(self.js("Boolean(pad.stroke)"))
        self.open_picture(png_of(255 - seven()))
        without = self.pixels("pad")
        press("ArrowUp")
        self.assertFalse(np.array_equal(self.pixels("pad"), without))  # the pen is over the picture
        self.js("pad.pen = null; pad.begin([10, 10])")  # as a pointer does
        for key in ("ArrowUp", " "):
            press(key)
        self.assertEqual(self.js("pad.stroke"), [[10, 10]])
        self.assert_no_problems()

    def test_a_number_in_many_styles_has_no_walk_to_save(self):
        is_disabled = "document.querySelector('[data-gif=number]').disabled"
        self.assertFalse(self.js(is_disabled))
        self.click("own-styles")
        self.assertTrue(self.js(is_disabled))
        self.click("own-styles")
        self.assertFalse(self.js(is_disabled))

    def test_files_are_saved_with_a_caption(self):
        folder = self.folder / "saved"
        self.browser.save_files_in(folder)
        self.js("get('truncation').value = 0.5; get('truncation').oninput()")
        names = {"one": "digit_3", "all": "digits", "number": "241256", "sheet": "sheet",
                 "arithmetic": "arithmetic"}  # fmt: skip
        for canvas, name in names.items():
            self.js(f"document.querySelector('[data-png={canvas}]').click()")
            self.await_file(folder / f"{name}.png")
            with Image.open(folder / f"{name}.png") as image:
                saved = np.asarray(image.convert("L"))
            scale = self.js(f"SCALES.{canvas}")
            shown = np.kron(self.pixels(canvas), np.ones((scale, scale), np.uint8))
            self.assertGreaterEqual(saved.shape[1], 320)  # the caption needs room
            left = (saved.shape[1] - shown.shape[1]) // 2
            np.testing.assert_array_equal(saved[:-20, left : left + shown.shape[1]], shown)
            self.assertLess(saved[-20:].min(), 200)  # the caption
        captions = self.js("['one', 'sheet'].map(captionOf)")
        self.assertEqual(captions, ["gan3 best", "gan3 best · truncation 0.50"])
        self.click("new-style")
        self.assertEqual(self.js("captionOf('one')"), "gan3 best · truncation 0.50")
        self.js("document.querySelector('[data-gif=all]').click()")
        self.await_file(folder / "digits_walk.gif")
        self.js("get('text').value = ''; get('text').oninput(); savePng('number')")
        self.assertEqual(self.text("status"), "There is nothing to save.")
        self.assert_no_problems()

    def await_file(self, path):
        end = time.monotonic() + 30
        while not path.exists() and time.monotonic() < end:
            self.js(FRAMES)
        self.assertTrue(path.exists(), path.name)

    def test_sheets_and_arithmetic_are_what_their_labels_say(self):
        self.js("get('sheet-class').value = 5; get('sheet-class').onchange()")
        self.assertEqual(set(self.js("state.sheet.map(([label]) => label)")), {5})
        cells = self.cells("sheet")
        self.assertEqual(len(np.unique(cells, axis=0)), 50)
        self.js("get('truncation').value = 0; get('truncation').oninput()")
        self.assertEqual(len(np.unique(self.cells("sheet"), axis=0)), 1)
        self.js("get('truncation').value = 1; get('truncation').oninput()")
        np.testing.assert_array_equal(self.cells("sheet"), cells)
        self.write(((140, 40), (95, 130), (90, 200), (140, 240), (180, 200), (150, 150), (95, 190)))
        self.assertRegex(self.text("verdict"), "^6, ")
        noise = np.array(self.js("state.arithmetic.map(noise => [...noise])"), np.float32)
        first, second, *others = noise
        rows = np.stack([first, second, first - second, first + second, *others])
        drawn = gan3.load("best").draw(np.full(8, 6), rows)
        got = 255 - self.cells("arithmetic").astype(int)
        np.testing.assert_allclose(got, drawn.reshape(8, -1), atol=1)
        self.assertEqual(len(np.unique(got, axis=0)), 8)
        before = self.cells("arithmetic")
        self.click("new-arithmetic")
        self.assertFalse((self.cells("arithmetic") == before).all(axis=1).any())

    def cells(self, canvas):
        """The images of a sheet, uint8 [N, 784]."""
        pixels = self.pixels(canvas)
        height, width = pixels.shape
        cells = pixels.reshape(height // 28, 28, width // 28, 28).swapaxes(1, 2)
        return cells.reshape(-1, 784)

    def test_sliders_change_their_entry_and_a_number_can_have_many_styles(self):
        before = np.array(self.js("[...state.style]"))
        self.js("sliders[4].slider.value = 0.25; sliders[4].slider.oninput()")
        after = np.array(self.js("[...state.style]"))
        self.assertEqual(after[4], 0.25)
        np.testing.assert_array_equal(np.delete(after, 4), np.delete(before, 4))
        self.js("get('text').value = '5x5 5'; get('text').oninput()")  # others are left out
        same = self.pixels("number").reshape(28, 3, 18).swapaxes(0, 1)
        np.testing.assert_array_equal(same[0], same[2])
        self.click("own-styles")
        own = self.pixels("number").reshape(28, 3, 18).swapaxes(0, 1)
        self.assertEqual(len(np.unique(own.reshape(3, -1), axis=0)), 3)
        self.click("zero")
        self.assertEqual(set(self.js("[...state.style]")), {0})
        self.assert_no_problems()

    def test_what_cannot_be_drawn_is_said(self):
        for text, message in (("12", ""), ("1x2", "Left out: x. There are only 0, 1,"),
                              ("", "Nothing to draw: write some of 0, 1,")):  # fmt: skip
            self.js(f"get('text').value = '{text}'; get('text').oninput()")
            self.assertTrue(self.text("text-note").startswith(message) and bool(message) == bool(
                self.text("text-note")), text)  # fmt: skip

    def test_the_link_draws_the_same_again(self):
        self.js("get('text').value = '305'; get('text').oninput(); get('own-styles').click()")
        self.js("sliders[4].slider.value = 0.25; sliders[4].slider.oninput()")
        self.js("new Promise(done => setTimeout(done, 500))")
        address = self.js("location.hash")
        canvases = ("one", "number", "sheet", "arithmetic", "walk-to")
        before = [self.pixels(name) for name in canvases]
        self.browser.open("other.html")
        self.browser.open(self.folder / "best.html", fragment=address)
        for name, pixels in zip(canvases, before, strict=True):
            if name == "one":  # the link rounds the style to hundredths
                self.assertLess(np.abs(self.pixels(name).astype(int) - pixels).max(), 20)
            elif name != "number":
                np.testing.assert_array_equal(self.pixels(name), pixels, name)
        self.assertEqual(self.js("[get('text').value, get('own-styles').checked]"), ["305", True])
        self.assert_no_problems()

    def test_nothing_is_cut_off_at_any_width_light_or_dark(self):
        for dark in (False, True):
            for width in (320, 360, 800, 1280, 1600, 1920):
                with self.subTest(width=width, dark=dark):
                    self.browser.open(self.folder / "best.html", width, 900, dark)
                    self.write(THREE)
                    room, needed = self.js(
                        "[document.documentElement.clientWidth,"
                        " document.documentElement.scrollWidth]"
                    )
                    self.assertEqual(needed, room)
                    cut = self.js(
                        "[...document.querySelectorAll('button, canvas, output, h2, h3, label')]"
                        ".filter(e => e.checkVisibility())"
                        ".filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth"
                        " || e.getBoundingClientRect().right > innerWidth)"
                        ".map(e => e.id || e.textContent)"
                    )
                    self.assertEqual(cut, [])
                    self.assertEqual(self.js("get('inverted').checked"), dark)
                    corner = self.pixels("one")[0, 0]
                    self.assertEqual(corner, 0 if dark else 255)
                    self.assertEqual(self.pixels("pad")[0, 0], 255)  # it is inverted by CSS
                    self.assertRegex(self.text("verdict"), "^3, ")
                    self.assert_no_problems()

    def test_text_has_the_contrast_that_wcag_asks_for(self):
        for dark in (False, True):
            self.browser.open(self.folder / "best.html", dark=dark)
            for text, background in (("ink", "paper"), ("ink", "panel"), ("muted", "paper"),
                                     ("muted", "panel"), ("on-accent", "accent")):  # fmt: skip
                colours = self.js(
                    f"['--{text}', '--{background}'].map(name =>"
                    " getComputedStyle(document.documentElement).getPropertyValue(name).trim())"
                )
                light, low = sorted(map(luminance, colours), reverse=True)
                self.assertGreaterEqual((light + 0.05) / (low + 0.05), 4.5, (text, background))


def luminance(colour):
    """The relative luminance of "#rgb" or "#rrggbb", as WCAG 2 defines it."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@slow("a page of each kind of system in a browser")
@unittest.skipUnless(BROWSER, "needs Chromium")
class OtherSystems(PageTest):
    def open(self, system, determinator=None, experiment="three_network", **options):
        web_page.write(Path("page.html"), drawing(system, experiment), determinator, "x")
        self.browser.open(self.folder / "page.html", **options)

    def visible(self):
        """The headings that the page shows."""
        return self.js(
            "[...document.querySelectorAll('h2, h3')].filter(e => e.checkVisibility())"
            ".map(e => e.firstChild.textContent.trim() || e.textContent.trim())"
        )

    def test_three_networks_without_a_code_read_and_draw_the_digit_that_is_read(self):
        system, config = system_of("three_network")
        self.open(system, determinator_with(system, config))
        before = self.js("[...state.style]")
        self.write(THREE)
        self.assertRegex(self.text("verdict"), r"\d \d+ %|\d, \d+ % sure")
        label = int(np.argmax(self.js("[...lastReading[1].probabilities]")))
        self.assertEqual(self.js("state.label"), label)
        self.assertEqual(self.js("[...state.style]"), before)
        self.assertFalse(self.js("get('reconstruction').checkVisibility()"))
        self.assertIn("What the determinator reads", self.visible())
        self.assert_no_problems()

    def test_two_networks_have_no_pad_and_no_requested_digits(self):
        for name in ("mlp_gan", "layernorm_gan", "gan_auto_write"):
            with self.subTest(name):
                system, _ = system_of(name)
                self.open(system, experiment=name)
                self.assertEqual(
                    self.visible(),
                    ["Networks that teach each other", "Drawn in this style", "The style:",
                     "A walk between two styles", "Many digits, each in a style of its own",
                     "Arithmetic with styles"],
                )  # fmt: skip
                self.assertEqual(len(self.js("state.style")), 100)
                before = self.pixels("one")
                self.click("new-style")
                self.assertFalse((self.pixels("one") == before).all())
                self.js("moveTo(0.5)")
                self.assertLess(self.js("walkGif('one').length"), 1_000_000)
                self.click("zero")
                self.assertEqual(set(self.js("[...state.style]")), {0})
                self.assert_no_problems()

    def test_normal_noise_keeps_its_length_on_a_walk(self):
        system, _ = system_of("layernorm_gan")
        self.assertEqual(drawing(system, "layernorm_gan").noise_distribution, "normal")
        self.open(system, experiment="layernorm_gan")
        first, second, middle = (
            np.array(v)
            for v in self.js("[state.from, state.to, between(state.from, state.to, 0.5)]"
                              ".map(v => [...v])")
        )  # fmt: skip
        lengths = np.linalg.norm(first), np.linalg.norm(second)
        self.assertAlmostEqual(np.linalg.norm(middle), np.mean(lengths), delta=1e-6)
        cosines = [middle @ v / np.linalg.norm(v) for v in (first, second)]
        self.assertAlmostEqual(*cosines, delta=1e-6)
        self.assertGreater(cosines[0], 0)

    def test_fixed_noise_gives_every_digit_its_own_image(self):
        system = small_system(noise_draw="once")
        self.open(system)
        self.assertNotIn("Arithmetic with styles", self.visible())
        self.assertNotIn("A walk between two styles", self.visible())
        drawn = drawing(system)(np.arange(10), (9, 9))
        got = 255 - self.pixels("all").astype(int)
        np.testing.assert_allclose(got, np.concatenate(list(drawn), axis=1), atol=2)
        self.js("select(8)")
        np.testing.assert_allclose(255 - self.pixels("one").astype(int), drawn[8], atol=2)
        self.click("zero")
        self.assertEqual(set(self.js("[...state.style]")), {0})
        self.click("new-style")
        np.testing.assert_allclose(255 - self.pixels("one").astype(int), drawn[8], atol=2)
        self.assert_no_problems()

    def test_names_with_commas_or_marks_of_scripts(self):
        names = ("a,b", "cd", "<!--<script>", "</script>")
        system, config = small_system(class_names=names), config_of("three_network")
        self.open(system, determinator_with(system, config))
        self.assertEqual(self.js("[...names]"), list(names))
        for text, labels in (
            ("a,b,cd", [0, 1]),
            ("cd, a,b", [1, 0]),
            ("<!--<script>,</script>", [2, 3]),
            ("a", []),
        ):
            self.assertEqual(self.js(f"labelsOf({json.dumps(text)})"), labels, text)
        self.assert_no_problems()

    def test_texts_are_read_as_the_command_line_reads_them(self):
        for names, texts in (
            ((" a", "b ", "c"), (" a", " a,c", "b , c", "c,b ", " c ")),
            (("a", " "), ("a ", " a", "a, ", "a ,a")),
            (("a,b", " c,d", "MODEL_HERE"), ("a,b, c,d", " a,b ,MODEL_HERE")),
        ):
            self.open(small_system(class_names=names))
            for text in texts:
                with self.subTest(names=names, text=text):
                    labels = labels_of_text(text, names, "classes")
                    self.assertEqual(self.js(f"labelsOf({json.dumps(text)})"), labels)
            self.assert_no_problems()

    def test_classes_that_are_no_digits(self):
        names = (*(f"a class with a long name {n}" for n in range(25)), "<b>")
        system, config = small_system(class_names=names), config_of("three_network")
        for width in (360, 1600):
            self.open(system, determinator_with(system, config), width=width)
            self.write(THREE)
            self.assertRegex(self.text("verdict"), "a class with a long name|<b>")
            self.assertEqual(len(self.js("bars")), 10)  # the most probable of 26, best first
            shown = self.js("bars.map(({bar}) => parseFloat(bar.ariaValueNow))")
            self.assertEqual(shown, sorted(shown, reverse=True))
            self.assertEqual(self.pixels("all").shape, (2 * 28, 13 * 28))
            self.js(f"get('text').value = '{names[3]}, <b>'; get('text').oninput()")
            self.assertEqual(self.pixels("number").shape, (28, 2 * 28))
            self.assertEqual(
                self.js("document.documentElement.scrollWidth"),
                self.js("document.documentElement.clientWidth"),
            )
            self.assert_no_problems()
