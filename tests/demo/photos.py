"""Synthetic photos of handwritten digits on paper, for tests of what reads them."""

import io

import numpy as np
from PIL import Image, ImageFilter

HEIGHT, WIDTH = 480, 640  # pixels of a photo
CONDITIONS = ("uneven light", "shadow edge", "ruled paper", "squared paper", "pencil",
              "blue ink", "thick marker", "tilted by 15 degrees", "off-centre",
              "JPEG of quality 30")  # fmt: skip
_ROWS, _COLUMNS = np.mgrid[:HEIGHT, :WIDTH]


def photo(digits, condition, seed=0):
    """RGB [480, 640, 3] of the digits [N, 28, 28] side by side, written on a white sheet.

    Every sheet is lit a little unevenly and has noise. Only one condition is as bad as it says.
    """
    rng = np.random.default_rng(seed)
    ink = _ink(digits, condition)
    colour = {"pencil": (120, 120, 125), "blue ink": (40, 60, 160)}.get(condition, (45, 45, 50))
    right, down = (60, 25) if condition == "uneven light" else (15, 8)
    light = 225 - right * _COLUMNS / WIDTH - down * _ROWS / HEIGHT
    if condition == "shadow edge":
        edge = _COLUMNS + 0.6 * _ROWS - 0.7 * WIDTH  # through the digit
        light -= 55 / (1 + np.exp(-edge / 4))
    paper = np.repeat(light[..., None], 3, axis=-1)
    lines = np.zeros((HEIGHT, WIDTH))
    if condition in ("ruled paper", "squared paper"):
        lines = np.maximum(lines, ((_ROWS + 20) % 60 < 3))
    if condition == "squared paper":
        lines = np.maximum(lines, ((_COLUMNS + 20) % 60 < 3))
    paper *= 1 - lines[..., None] * (1 - np.array((150, 170, 215)) / 225)
    picture = paper * (1 - ink[..., None]) + ink[..., None] * np.array(colour) * paper / 225
    picture += rng.normal(0, 4, picture.shape)
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(0.8))
    if condition == "JPEG of quality 30":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=30)
        image = Image.open(file)
    return np.asarray(image)


def _ink(digits, condition):
    """The part [480, 640] of each pixel that is covered by ink."""
    level = {"pencil": 180, "blue ink": 140, "thick marker": 40}.get(condition, 110)
    side = 220
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, digit in enumerate(digits):
        large = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
        if condition == "tilted by 15 degrees":
            large = large.rotate(-15, Image.Resampling.BICUBIC)
        large = large.filter(ImageFilter.GaussianBlur(3))
        left = (WIDTH - side * len(digits)) // 2 + number * side
        top = (HEIGHT - side) // 2
        if condition == "off-centre":
            left, top = WIDTH - side - 10, 15
        place = sheet[top : top + side, left : left + side]
        place[np.asarray(large) > level] = 255
    image = Image.fromarray(sheet)
    if condition == "thick marker":
        image = image.filter(ImageFilter.MaxFilter(9))
    return (
        np.asarray(image.filter(ImageFilter.GaussianBlur(1)))
        / 255
        * (0.6 if condition == "pencil" else 1)
    )
