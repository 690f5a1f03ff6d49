"""What the library accepts: arrays of the right shape, dtype and range, and nothing else."""

import unittest
import warnings
from pathlib import Path

import numpy as np

from gan3.core import arguments, values
from gan3.core.errors import UserError
from gan3.core.log import log_or_warn
from gan3.data import datasets


class Arguments(unittest.TestCase):
    def check(self, function, cases):
        """Each wrong value gives one line that names the thing and the remedy."""
        for value, message in cases:
            with (
                self.subTest(type(value)),
                self.assertRaisesRegex(UserError, message) as error,
            ):
                function(value)
            self.assertNotIn("\n", str(error.exception))

    def test_whole_numbers(self):
        self.assertEqual(arguments.as_whole(np.uint8(7), "seed"), 7)
        self.assertEqual(arguments.as_whole(2**31 - 1, "seed"), 2**31 - 1)
        self.check(
            lambda value: arguments.as_whole(value, "seed"),
            [
                (value, "seed .*: use a whole number from 0 to 2147483647")
                for value in (-1, 2**31, 1.0, True, None, "1", (1, 2, 3))
            ],
        )

    def test_labels(self):
        for value in (
            "2412",
            "2,4,1,2",
            [2, 4, 1, 2],
            list("2412"),
            np.array(list("2412")),
            np.array([2, 4, 1, 2], np.uint8),
            (2, 4, 1, 2),
        ):
            labels = arguments.as_labels(value)
            self.assertEqual((labels.dtype, labels.tolist()), (np.int64, [2, 4, 1, 2]))
        self.check(
            arguments.as_labels,
            (
                ("", "labels '': use digits 0 to 9 only"),
                ("1a", "labels '1a': use digits"),
                ("٣", "use digits 0 to 9 only"),
                ([], "use whole numbers|one or more digits"),
                ([10], "labels 10: use one or more digits"),
                ([-1], "one or more digits"),
                ([1.0], "float64 of shape"),
                ([True], "bool of shape"),
                ([[1, 2]], r"of shape \(1, 2\); use whole numbers of shape \[N\]"),
                (3, r"of shape \(\)"),
                (np.array(3), r"of shape \(\)"),
                (None, "labels: not an array of numbers"),
                ([[1], [1, 2]], "labels: not an array of numbers"),
                (["12"], "labels: no digit '12' here"),
                ([["1"]], "labels: not an array of numbers"),
                (["1", 1], "labels: not an array of numbers"),
            ),
        )
        with self.assertRaisesRegex(UserError, "2 for 3 images; use one label for each image"):
            arguments.as_labels([1, 2], count=3)

    def test_folders(self):
        self.assertEqual(arguments.as_path("a/b", "logs"), Path("a/b"))
        wrong = ("", 3, None, b"a")
        self.check(
            lambda folder: arguments.as_path(folder, "logs"),
            [(value, "logs .*: use a path") for value in wrong],
        )

    def test_data(self):
        images, labels = np.zeros((3, 28, 28)), np.arange(3)
        self.assertIsNone(values.as_data(None))
        self.assertEqual(values.as_data(Path("a/b")), "a/b")
        whole = {"train-images", "train-labels", "t10k-images", "t10k-labels"}
        for data, kinds in (
            ((images, labels), {"train-images", "train-labels"}),
            (((images, labels), (images, labels)), whole),
            (([[0]], ["a"]), {"train-images", "train-labels"}),
        ):
            arrays = values.as_data(data)
            self.assertEqual(set(arrays), kinds)
            self.assertEqual({type(array) for array in arrays.values()}, {np.ndarray})
        self.check(
            values.as_data,
            [
                (value, r"data .*: use a path, \(images, labels\), or two such pairs")
                for value in (3, images, (images,), (images, labels, images, labels))
            ]
            + [(([[1], [1, 2]], labels), "data: images or labels are no arrays; use NumPy arrays")],
        )

    def test_choices(self):
        self.assertEqual(arguments.as_choice("b", "split", ("a", "b")), "b")
        for value in ("c", None, 3, ["a"], np.array(["a", "b"])):
            with self.assertRaisesRegex(UserError, "split .*: unknown; choose one of a, b"):
                arguments.as_choice(value, "split", ("a", "b"))


class Lines(unittest.TestCase):
    def test_without_a_log_only_warnings_are_passed_on_as_pythons(self):
        log = log_or_warn(None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for line in ("episode 1", "WARNING: the data set is strokes", "NOTE: slow"):
                log(line)
        lines = [str(warning.message) for warning in caught]
        self.assertEqual(lines, ["WARNING: the data set is strokes", "NOTE: slow"])

    def test_strokes_that_were_requested_are_no_news(self):
        def first_line(line):
            log(line)
            raise InterruptedError

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            log = log_or_warn(None, "strokes")
            with self.assertRaises(InterruptedError):  # drawing them takes minutes
                datasets.load("strokes", log=first_line)
            notes = ["NOTE: slow", "NOTE: logs/strokes-1/checkpoints/step-100: damaged"]
            for note in notes:
                log(note)
        self.assertEqual([str(warning.message) for warning in caught], notes)

    def test_a_log_gets_every_line(self):
        lines = []
        log = log_or_warn(lines.append)
        log("episode 1")
        log("NOTE: slow")
        self.assertEqual(lines, ["episode 1", "NOTE: slow"])
