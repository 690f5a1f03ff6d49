"""Makes a labelled set of ten symbols drawn with pen strokes: circle, triangle, square and others.

`python -m experiments.data.symbols --out symbols.npz` writes 24,000 training and 4,000 test images,
drawn as the embedded digits are (gan3/data/strokes.py), so they are the same on every machine.
"""

import numpy as np

from gan3.data import strokes

from .command import write_set

TRAIN, TEST = 24_000, 4_000
# The notation of gan3/data/strokes.py: x to the right, y down; "/" starts a new stroke; a point
# given twice is a corner.
SYMBOLS: dict[str, tuple[str, ...]] = {
    "circle": (
        ".50,.00 .15,.15 .00,.50 .15,.85 .50,1.0 .85,.85 1.0,.50 .85,.15 .50,.00",
        ".52,.02 .80,.12 .98,.48 .84,.86 .48,.98 .12,.82 .02,.48 .18,.14 .56,.04",
    ),
    "triangle": (
        ".50,.00 .50,.00 .00,.95 .00,.95 1.0,.95 1.0,.95 .50,.00 .50,.00",
        ".00,.98 .00,.98 .48,.04 .48,.04 .98,.92 .98,.92 .00,.98 .00,.98",
    ),
    "square": (
        ".00,.00 .00,.00 .00,1.0 .00,1.0 1.0,1.0 1.0,1.0 1.0,.00 1.0,.00 .00,.00 .00,.00",
        ".04,.02 .04,.02 .94,.04 .94,.04 .98,.96 .98,.96 .02,.98 .02,.98 .04,.02 .04,.02",
    ),
    "cross": (
        ".00,.00 .50,.50 1.0,1.0 / 1.0,.00 .50,.50 .00,1.0",
        ".06,.02 .52,.48 .94,.98 / .96,.06 .46,.54 .04,.94",
    ),
    "plus": (
        ".50,.00 .50,.50 .50,1.0 / .00,.50 .50,.50 1.0,.50",
        ".52,.02 .50,.50 .48,.98 / .02,.46 .50,.48 .98,.52",
    ),
    "star": (
        ".20,1.0 .20,1.0 .50,.00 .50,.00 .80,1.0 .80,1.0 .00,.38 .00,.38 1.0,.38 1.0,.38 .20,1.0"
        " .20,1.0",
        ".50,.00 .50,.50 .50,1.0 / .04,.24 .50,.50 .96,.76 / .96,.24 .50,.50 .04,.76",
    ),
    "heart": (
        ".50,.28 .50,.28 .36,.02 .06,.08 .02,.42 .24,.72 .50,1.0 .50,1.0 .76,.72 .98,.42 .94,.08"
        " .64,.02 .50,.28 .50,.28",
        ".50,1.0 .50,1.0 .16,.66 .00,.32 .16,.02 .42,.08 .50,.32 .50,.32 .58,.08 .84,.02 1.0,.32"
        " .84,.66 .50,1.0 .50,1.0",
    ),
    "arrow": (
        ".00,.50 .50,.50 1.0,.50 / .62,.14 .62,.14 1.0,.50 1.0,.50 .62,.86 .62,.86",
        ".00,.52 .50,.50 .98,.48 / .70,.20 .84,.36 .98,.48 .98,.48 .84,.62 .68,.80",
    ),
    "spiral": (
        ".52,.52 .60,.44 .66,.58 .48,.70 .30,.52 .40,.26 .68,.22 .90,.48 .78,.84 .42,.94 .08,.70"
        " .06,.30",
        ".50,.50 .42,.42 .36,.56 .54,.70 .74,.54 .66,.28 .38,.20 .12,.42 .20,.80 .54,.96 .90,.76"
        " .98,.36",
    ),
    "wave": (
        ".00,.40 .12,.18 .26,.40 .38,.62 .50,.40 .62,.18 .76,.40 .88,.62 1.0,.40",
        ".00,.36 .16,.14 .32,.44 .48,.68 .64,.42 .80,.16 .98,.46",
    ),
}


def make(train: int = TRAIN, test: int = TEST) -> dict[str, np.ndarray]:
    """`x_train`, `y_train`, `x_test` and `y_test`: uint8 [N, 28, 28] with bright ink, and names."""
    drawn = strokes.make(train, test, tuple(SYMBOLS.values()))
    names = np.array(list(SYMBOLS))
    return {
        "x_train": drawn[0],
        "y_train": names[drawn[1]],
        "x_test": drawn[2],
        "y_test": names[drawn[3]],
    }


if __name__ == "__main__":
    write_set(__doc__, make, ", ".join(SYMBOLS))
