"""A window to explore a generator: select a class, change its noise, save the picture.

Its arithmetic of seeds is what the text of 0-9-number-generator describes (docs/sources.md). The
conditions in that project's code are false for the difference and the sum: its window shows seed 1
in the last cell and random noise in the other seven.
"""

import itertools
import math
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.widgets import Button, RadioButtons, Slider

from gan3.core.classes import DIGITS, noun, nouns
from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.data.pixels import to_pixels
from gan3.method.drawing import NOISE_RANGES
from gan3.method.system import System
from gan3.plots import labels
from gan3.plots.grids import MOST_COLUMNS
from gan3.plots.pictures import save_picture
from gan3.runs.sampling import has_fixed_noise
from gan3.runs.seeds import LATENT, seed_of

_MAX_SLIDERS = 10  # all the noise that a class of the three networks has; of other systems a part
_SHEET_ROWS = 5  # of the sheet of many images, if there are not more than 16 classes
_ARITHMETIC = "right half: seed 1, seed 1 − seed 2;  below: seed 2, seed 1 + seed 2"
_NO_DISPLAY = ("agg", "cairo", "pdf", "ps", "svg", "template")  # backends of Matplotlib


class Explorer:
    """The widgets on a figure. `picture` is what they show: uint8 [height, width], ink 255.

    Pictures are saved in `folder`, numbered after those that it has already.
    """

    def __init__(self, figure: Figure, system: System, title: str, folder: Path, seed: int = 0):
        self._system, self._folder, self._seed = system, folder, seed
        self._style, self._drawn = 0, 0  # number of the noise shown; how many are on sheets
        self._has_fixed_noise = has_fixed_noise(system)
        self._names = system.class_names
        self._noun = noun(self._names)
        self.label = 3 if self._names == DIGITS else 0
        self.noise = self._draw_noise()
        selection = "the selected" if system.class_conditional else "any"
        content = f"{selection} {self._noun}"
        figure.suptitle(f"{title}: {content}", fontsize=11)
        self._canvas = figure.add_axes((0.17, 0.2, 0.4, 0.68))
        self._canvas.set_axis_off()
        self._canvas_image = None
        self._status = figure.text(0.81, 0.085, "", fontsize=8, va="center")
        self.picker = self._add_picker(figure) if system.class_conditional else None
        self.sliders = self._add_sliders(figure)
        self.buttons = self._add_buttons(figure)
        self.show_one()

    def _add_picker(self, figure: Figure) -> RadioButtons:
        axes = figure.add_axes((0.02, 0.2, 0.1, 0.68))
        axes.set_title(self._noun, fontsize=9)
        _, width, _, height = axes.get_window_extent().bounds
        # Ten digits have Matplotlib's own size; more classes must fit above each other.
        size = min(10.0, 0.7 * height / len(self._names) * 72 / figure.dpi)
        names = labels.all_shortened(self._names, 0.62 * width, size, figure.dpi)
        self._label_of = {name: label for label, name in enumerate(names)}
        style = {"fontsize": [size]}
        dots = {"s": [(size / 2) ** 2]} if size < 10 else None
        picker = RadioButtons(axes, names, self.label, label_props=style, radio_props=dots)
        picker.on_clicked(self._select)
        return picker

    def _add_sliders(self, figure: Figure) -> list[Slider]:
        limit = NOISE_RANGES[self._system.noise_distribution]
        sliders = []
        for entry in range(min(_MAX_SLIDERS, len(self.noise))):
            axes = figure.add_axes((0.69, 0.86 - 0.069 * entry, 0.24, 0.03))
            slider = Slider(
                axes, f"entry {entry}", -limit, limit, valinit=self.noise[entry], valfmt="%.2f"
            )
            slider.on_changed(lambda value, entry=entry: self._set_entry(entry, value))
            sliders.append(slider)
        return sliders

    def _add_buttons(self, figure: Figure) -> dict[str, Button]:
        actions = {
            f"many {nouns(self._names)}": self.show_many,
            f"one {self._noun}": self.show_one,
            "new style": self.new_style,
            "arithmetic": self.show_arithmetic,
            "save": self.save,
        }
        if self._has_fixed_noise:
            del actions["arithmetic"]  # which needs two noise vectors of a class
        buttons = {}
        for i, (text, action) in enumerate(actions.items()):
            button = Button(figure.add_axes((0.17 + 0.125 * i, 0.05, 0.115, 0.07)), text)
            button.on_clicked(lambda _, action=action: action())
            buttons[text] = button
        return buttons

    # -- actions -------------------------------------------------------------------------------

    def show_one(self) -> None:
        """Show the class with the noise of the sliders."""
        self._show(self._images([self.label], self.noise[None])[0])

    def show_many(self) -> None:
        """Show five rows of the classes, each in a style of its own, new with every call.

        More than 16 classes are shown once, in several rows, the last filled up from the first.
        """
        rows, columns = _SHEET_ROWS, len(self._names)
        if columns > MOST_COLUMNS:
            columns = math.ceil(math.sqrt(2 * columns))  # about twice as wide as high
            rows = math.ceil(len(self._names) / columns)
        wanted = np.resize(np.arange(len(self._names)), rows * columns)
        self._show_sheet(wanted, self._draw_more(wanted), rows)

    def show_arithmetic(self) -> None:
        """Show two noise vectors, their difference and their sum beside four random ones.

        Two rows of four of the selected class: random, random, seed 1, seed 1 - seed 2; random,
        random, seed 2, seed 1 + seed 2. The noise is new with every call.
        """
        wanted = np.full(8, self.label)
        *others, first, second = self._draw_more(wanted[:6])
        noise = [*others[:2], first, first - second, *others[2:], second, first + second]
        self._show_sheet(wanted, np.stack(noise), 2, _ARITHMETIC)

    def new_style(self) -> None:
        """Draw new noise and show the class with it."""
        self._style += 1
        self._set_noise()
        self.show_one()

    def save(self) -> None:
        """Write the picture, black ink on white, to the next file that does not exist yet."""
        make_folder(self._folder)
        names = (self._folder / f"explored_{number:02d}.png" for number in itertools.count(1))
        path = next(name for name in names if not name.exists())
        save_picture(255 - self.picture, path)
        self._status.set_text(f"saved: {path.name}")
        self._canvas.figure.canvas.draw_idle()

    def _select(self, name: str) -> None:
        self.label = self._label_of[name]
        if self._has_fixed_noise:
            self._set_noise()  # it belongs to the class
        self.show_one()

    def _set_entry(self, entry: int, value: float) -> None:
        self.noise[entry] = value
        self.show_one()

    def _set_noise(self) -> None:
        """Draw the noise of the current style and set the sliders to it."""
        self.noise = self._draw_noise()
        for slider, value in zip(self.sliders, self.noise, strict=False):
            slider.eventson = False  # the picture is drawn once, not once per slider
            slider.set_val(value)
            slider.eventson = True

    # -- drawing -------------------------------------------------------------------------------

    def _draw_noise(self, label: int | None = None, number: int = 0) -> np.ndarray:
        """float32 [entries] for `label`, or the selected one, in the current style.

        number: 0, or the number of an image on the sheets of many.
        """
        seed = tf.random.fold_in(seed_of(self._seed, LATENT, self._style), number)
        of_one = tf.constant([self.label if label is None else label], tf.int32)
        return self._system.noise(of_one, seed).numpy()[0].copy()

    def _draw_more(self, wanted: np.ndarray) -> np.ndarray:
        """float32 [N, entries]: noise for each of the labels [N] that no sheet has had before."""
        start = 1 + self._drawn
        self._drawn += len(wanted)
        return np.stack([self._draw_noise(c, number) for number, c in enumerate(wanted, start)])

    def _images(self, wanted: np.ndarray | list[int], noise: np.ndarray) -> np.ndarray:
        """uint8 [N, 28, 28] of labels [N] and noise [N, entries]."""
        images = self._system.generate(tf.constant(wanted, tf.int32), tf.constant(noise))
        return to_pixels(images.numpy())

    def _show_sheet(
        self, wanted: np.ndarray, noise: np.ndarray, rows: int, caption: str = ""
    ) -> None:
        """Show labels [N] with their noise [N, entries] in rows."""
        sheet = self._images(wanted, noise).reshape(rows, -1, 28, 28)
        self._show(sheet.transpose(0, 2, 1, 3).reshape(rows * 28, -1), caption)

    def _show(self, picture: np.ndarray, caption: str = "") -> None:
        self.picture = picture
        if self._canvas_image is not None:
            self._canvas_image.remove()
        self._canvas_image = self._canvas.imshow(
            picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
        )
        height, width = picture.shape  # can differ from those of the picture before
        self._canvas.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        self._canvas.set_title(caption, fontsize=8)
        self._status.set_text("")
        self._canvas.figure.canvas.draw_idle()


def open_window(system: System, title: str, folder: Path, seed: int = 0) -> None:
    """Show the window until it is closed. Raises UserError if there is no display."""
    from matplotlib import pyplot  # imported late: it sets the global state of Matplotlib

    if pyplot.get_backend().lower() in _NO_DISPLAY:
        raise UserError(
            "window: no display, or no GUI toolkit for Matplotlib; export a web page instead"
        )
    height = max(6, 0.15 * len(system.class_names))  # the names stand above each other
    figure = pyplot.figure(figsize=(10, height))
    explorer = Explorer(figure, system, title, folder, seed)
    pyplot.show()
    del explorer  # until here: widgets stop working when nothing refers to them
