"""Images without labels: a system that is given no class trains on them, any other refuses."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

import gan3
from gan3.core.errors import UserError
from gan3.data import strokes
from gan3.data.datasets import load
from tests.support import FolderTest, call, slow

IMAGES, LABELS = strokes.make(420, 10)[:2]
SET = ("--dataset", "own", "--data", "flat", "--ink", "bright")
SMALL = ("--episodes", 1, "--batches", 2, "--batch-size", 20)
REFUSED = (
    "flat: has images without labels; add labels, sort pictures into one sub-folder for each class,"
    " or write labels.csv with rows of file and label beside them"
)


class Unlabelled(FolderTest):
    def setUp(self):
        super().setUp()
        Path("flat").mkdir()
        for number, image in enumerate(IMAGES):
            Image.fromarray(image).save(f"flat/{number:03}.png")

    def call(self, *line):
        status, out, err = call(*line)
        self.assertEqual(status, 0, err)
        return out

    def test_the_set_has_one_class_and_a_test_part(self):
        dataset = load("own", "flat", ink="bright", log=str)
        self.assertEqual((dataset.class_names, set(dataset.labels)), (("image",), {0}))
        self.assertEqual((len(dataset.images), len(dataset.held_out_images)), (360, 60))
        np.savez("x.npz", x_train=IMAGES, x_test=IMAGES[:50], y_test=LABELS[:50])
        np.testing.assert_array_equal(load("own", "x.npz", ink="bright").images, IMAGES)
        with self.assertRaisesRegex(UserError, "^x.npz: has images without labels; add labels"):
            load("kmnist", "x.npz")

    @slow("trains, resumes and draws a run")
    def test_a_run_from_its_training_to_its_card(self):
        line = ("train", "--experiment", "wgan_gp", *SET, *SMALL, "--run", "x")
        note = 'NOTE: own set "flat" has no labels, so there is no judge, and no labels are used'
        self.assertIn(note, self.call(*line))
        self.assertEqual(json.loads(Path("logs/x/run.json").read_text())["class_names"], ["image"])
        self.call(*line, "--resume", "--episodes", 2)
        self.call("figures", "--run", "x")
        self.assertEqual(Image.open("figures/x/real.png").size, (926, 949))  # 10 x 10 images
        self.call("sample", "--run", "x", "--count", 100, "--out", "samples")
        self.call("evaluate", "--run", "x")
        self.call("export-page", "--run", "x", "--out", "x.html")
        self.call("export", "--run", "x", "--format", "npz", "--out", "x.npz")
        self.assertEqual(len(gan3.load("x.npz").sample(3).images), 3)
        self.assertIn(
            "samples: 100 samples, 60", self.call("evaluate", "--samples", "samples", *SET)
        )
        status, _, err = call("generate", "12", "--run", "x")
        refused = "number '12': x cannot draw requested images; sample any images without labels"
        self.assertEqual((status, err), (2, f"gan3: {refused}\n"))
        place = Path("flat").absolute()
        Path("flat").rename("moved")
        gone = f"{place}: the data of this run is gone; name its new place as data"
        self.assertEqual(call("evaluate", "--run", "x")[::2], (2, f"gan3: {gone}\n"))
        self.call("evaluate", "--run", "x", "--data", "moved")

    def test_what_needs_labels_refuses_in_one_line_and_the_remedy_works(self):
        steps = ("train-judge", *SET, "--steps", 1, "--out", "judge.npz")
        for line in (("train", *SET, *SMALL), steps):
            self.assertEqual(call(*line)[::2], (2, f"gan3: {REFUSED}\n"))
        self.assertFalse(Path("logs").exists())
        rows = (f"{number:03}.png,{label}\n" for number, label in enumerate(LABELS))
        Path("flat/labels.csv").write_text("".join(rows))
        self.call(*steps)

    def test_arrays_are_scored_without_labels(self):
        card = gan3.evaluate(IMAGES[:120], LABELS[:120], real=(IMAGES, None), ink="bright", log=str)
        self.assertEqual((card.class_names, card.values["confusion"]), (("image",), None))
