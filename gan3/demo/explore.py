"""A window to look about in a generator: pick a digit, move its noise, save what you see."""

import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.widgets import Button, RadioButtons, Slider

from gan3.core.errors import UserError
from gan3.core.files import make_folder
from gan3.data.batches import to_pixels
from gan3.demo.latent_walks import has_fixed_noise, noise_range
from gan3.method.system import System
from gan3.plots import grids
from gan3.runs.seeds import LATENT, seed_of

_SLIDERS = 10  # all the noise that a digit of three networks has; of other systems' the first ten
_ROWS = 5  # of the many digits


class Explorer:
    """The widgets on a figure, and what they show: `picture`, uint8 [height, width].

    Files are numbered in `folder`, after those that are in it already.
    """

    def __init__(self, figure: Figure, system: System, name: str, folder: Path, seed: int = 0):
        self._system, self._folder = system, folder
        self._seed, self._hand, self._sheets = seed, 0, 0
        self._own_noise = has_fixed_noise(system)  # of each digit: it goes with the digit
        self.digit = 3
        self.noise = self._draw_noise()
        drawn = "the digit that you ask for" if system.class_conditional else "whatever digit comes"
        figure.suptitle(f"{name}: {drawn}", fontsize=11)
        self._canvas = figure.add_axes((0.17, 0.2, 0.4, 0.68))
        self._canvas.set_axis_off()
        self._shown = None
        self.picker = None
        if system.class_conditional:
            axes = figure.add_axes((0.02, 0.2, 0.1, 0.68))
            axes.set_title("digit", fontsize=9)
            self.picker = RadioButtons(axes, list("0123456789"), active=self.digit)
            self.picker.on_clicked(self._pick)
        farthest = noise_range(system)
        self.sliders = [
            Slider(
                figure.add_axes((0.69, 0.86 - 0.069 * entry, 0.24, 0.03)),
                f"entry {entry}",
                -farthest,
                farthest,
                valinit=self.noise[entry],
                valfmt="%.2f",
            )
            for entry in range(min(_SLIDERS, len(self.noise)))
        ]
        for entry, slider in enumerate(self.sliders):
            slider.on_changed(lambda value, entry=entry: self._move(entry, value))
        self.buttons = {}
        deeds = {
            "many digits": self.many,
            "one digit": self.one,
            "another hand": self.another,
            "save": self.save,
        }
        for place, (text, deed) in enumerate(deeds.items()):
            button = Button(figure.add_axes((0.17 + 0.15 * place, 0.05, 0.14, 0.07)), text)
            button.on_clicked(lambda _, deed=deed: deed())
            self.buttons[text] = button
        self._said = figure.text(0.78, 0.085, "", fontsize=8, va="center")
        self.one()

    # -- what the widgets do -------------------------------------------------------------------

    def one(self) -> None:
        """Show the digit of the noise that the sliders say."""
        self._show(self._images([self.digit], self.noise[None])[0])

    def many(self) -> None:
        """Show five rows of the ten digits, each by a hand of its own, and each time by others."""
        digits = np.tile(np.arange(10), _ROWS)
        first, self._sheets = 1 + self._sheets * len(digits), self._sheets + 1
        numbered = enumerate(digits, start=first)
        noise = np.stack([self._draw_noise(digit, number) for number, digit in numbered])
        sheet = self._images(digits, noise).reshape(_ROWS, 10, 28, 28)
        self._show(sheet.transpose(0, 2, 1, 3).reshape(_ROWS * 28, 10 * 28))

    def another(self) -> None:
        """Draw the noise anew, and show its digit."""
        self._hand += 1
        self._set_noise()
        self.one()

    def save(self) -> None:
        """Write the picture, black ink on white, beside those that were saved before."""
        make_folder(self._folder)
        names = (self._folder / f"explored_{number:02d}.png" for number in itertools.count(1))
        path = next(name for name in names if not name.exists())
        grids.save_picture(255 - self.picture, path)
        self._said.set_text(f"saved: {path.name}")
        self._canvas.figure.canvas.draw_idle()

    def _pick(self, label: str) -> None:
        self.digit = int(label)
        if self._own_noise:
            self._set_noise()
        self.one()

    def _move(self, entry: int, value: float) -> None:
        self.noise[entry] = value
        self.one()

    def _set_noise(self) -> None:
        """Draw the noise of the present hand and set the sliders to it."""
        self.noise = self._draw_noise()
        for slider, value in zip(self.sliders, self.noise, strict=False):
            slider.eventson = False  # once for all, not ten times
            slider.set_val(value)
            slider.eventson = True

    # -- what is drawn -------------------------------------------------------------------------

    def _draw_noise(self, digit: int | None = None, number: int = 0) -> np.ndarray:
        """float32 [entries]: of the present hand, and of its many digits the `number`th."""
        seed = tf.random.fold_in(seed_of(self._seed, LATENT, self._hand), number)
        requested = tf.constant([self.digit if digit is None else digit], tf.int32)
        return self._system.noise(requested, seed).numpy()[0].copy()

    def _images(self, digits, noise: np.ndarray) -> np.ndarray:
        labels = tf.constant(digits, tf.int32)
        return to_pixels(self._system.generate(labels, tf.constant(noise)).numpy())

    def _show(self, picture: np.ndarray) -> None:
        self.picture = picture
        if self._shown is not None:
            self._shown.remove()
        self._shown = self._canvas.imshow(
            picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest"
        )
        height, width = picture.shape  # the one before may have had another size
        self._canvas.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        self._said.set_text("")
        self._canvas.figure.canvas.draw_idle()


def open_window(system: System, name: str, folder: Path, seed: int = 0) -> None:
    """Show the window until it is closed. Raises UserError where there is no screen."""
    from matplotlib import pyplot  # only here: it holds what is global in matplotlib

    if pyplot.get_backend().lower() in ("agg", "cairo", "pdf", "ps", "svg", "template"):
        raise UserError(
            "explore: no screen, or no toolkit for a window here; python -m gan3 export-page"
            " writes the same as a web page"
        )
    figure = pyplot.figure(figsize=(10, 6))
    explorer = Explorer(figure, system, name, folder, seed)
    pyplot.show()
    del explorer  # its widgets live as long as the window does
