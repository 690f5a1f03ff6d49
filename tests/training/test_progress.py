"""The lines and the progress bar of a training run."""

import io
import unittest

from rich.console import Console

from gan3.training.progress import (
    Display,
    format_losses,
    format_scores,
    progress_display,
    status,
)

VALUES = {
    "loss/discriminator": 1.23456,
    "loss/determinator": 0.00012345,
    "loss/generator_real": 0.5,
    "loss/generator_digit": 1234.5,
}


class Formatting(unittest.TestCase):
    def test_the_status_fits_into_a_terminal(self):
        line = status(1500, 20000, 1, 10, VALUES, 150.0)
        expected = "episode 1/10 step 1500/20000 D 1.23 C 0.0001 G 0.5+1.23e+03 150 ms 46:15 left"
        self.assertEqual(line, expected)
        self.assertLessEqual(len(line), 80)
        small = VALUES | {"loss/discriminator": 1.23456e-5, "loss/generator_digit": 1.23456e-5}
        self.assertLessEqual(len(status(20000, 20000, 10, 10, small, 165.0)), 80)

    def test_long_times_are_given_in_hours(self):
        self.assertIn(" 5.0 h left", status(2000, 20000, 1, 10, VALUES, 1000.0))

    def test_losses_of_three_networks(self):
        self.assertEqual(
            format_losses(VALUES), "D 1.23  C 0.000123  G 0.5 (real) + 1.23e+03 (digit)"
        )

    def test_losses_of_two_networks(self):
        two = {tag: VALUES[tag] for tag in ("loss/discriminator", "loss/generator_real")}
        self.assertEqual(format_losses(two), "D 1.23  G 0.5")
        self.assertIn("step 5/10 D 1.23 G 0.5 7 ms", status(5, 10, 1, 2, two, 7.0))

    def test_scores_with_and_without_requested_digits(self):
        score = {"judge/label_accuracy": 0.98765, "judge/frechet_distance": 12.3456}
        self.assertEqual(format_scores(score), "label accuracy 98.8%, Fréchet distance 12.3")
        score = {"judge/classes_covered": 9.0, "judge/frechet_distance": 12.3456}
        self.assertEqual(format_scores(score), "9 of 10 classes covered, Fréchet distance 12.3")


class Displays(unittest.TestCase):
    def show(self, terminal):
        """The output of 100 steps to a console, and the logged lines."""
        text, lines = io.StringIO(), []
        output = Console(
            file=text, force_terminal=terminal, width=80, markup=False, highlight=False
        )
        with progress_display(output, 0, 100, 2, lines.append) as display:
            for step in range(10, 101, 10):
                display.show(step, 1 + (step > 50), VALUES | {"loss/determinator": 0.5}, 100.0)
            output.print("episode 2 is done [here]")
        return text.getvalue(), lines

    def test_a_pipe_gets_a_line_every_50_steps(self):
        text, lines = self.show(terminal=False)
        self.assertEqual(text, "episode 2 is done [here]\n")
        self.assertEqual(
            [line.split(" D ")[0] for line in lines],
            ["episode 1/2 step 50/100", "episode 2/2 step 100/100"],
        )

    def test_a_terminal_gets_one_bar_that_does_not_wrap(self):
        text, lines = self.show(terminal=True)
        self.assertEqual(lines, [])
        self.assertIn("step 100/100", text)
        self.assertIn("episode 2 is done [here]", text)
        self.assertLessEqual(text.count("\n"), 3)

    def test_the_last_step_always_gets_a_line(self):
        lines = []
        Display(70, 1, lines.append).show(70, 1, VALUES, 1.0)
        self.assertEqual(len(lines), 1)
