"""The picture of a number as the published conditional DCGAN's generate_number.py saves it.

Source: Handwritten-Number-Generator (docs/sources.md). Each digit loses five columns at the left
and right, the digits stand side by side without padding, and the grey values of the whole number
are stretched to black and white. The picture is shown on a figure of 8 x 8 inches at 100 dots an
inch, without axes, and the file has what its tight bounding box leaves of that.
"""

import numpy as np
from matplotlib.figure import Figure

from gan3.plots.numbers import number_image

_INCHES, _DPI = 8, 100  # of the figure; the second is Matplotlib's default


def published_figure(images: np.ndarray, inverted: bool) -> Figure:
    """Digits uint8 [N, 28, 28] as a figure to be saved with a tight bounding box.

    Args:
        inverted: white ink on black, instead of black on white.
    """
    row = number_image(images, inverted=True).astype(np.float64)  # [28, 18 N], ink is high
    darkest, brightest = row.min(), row.max()
    row = (row - darkest) / max(brightest - darkest, 1)
    figure = Figure(figsize=(_INCHES, _INCHES), dpi=_DPI)
    axes = figure.add_subplot()
    axes.set_axis_off()
    shown = row if inverted else 1 - row
    axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    return figure
