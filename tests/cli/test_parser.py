"""The options of every command: help texts, and arguments that are refused before anything runs."""

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import unittest
import unittest.mock
from pathlib import Path

import gan3
from gan3.cli.main import COMMANDS, main, make_parser
from gan3.cli.options import one_line
from tests.support import ROOT, FolderTest


def commands():
    """The parser of each command, by name."""
    actions = make_parser()._actions
    (choices,) = (a.choices for a in actions if isinstance(a, argparse._SubParsersAction))
    return choices


class Help(unittest.TestCase):
    def test_the_list_of_commands_imports_neither_tensorflow_nor_numpy(self):
        code = (
            "import sys\nfrom gan3.cli.main import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit as stop:\n    assert stop.code == 0\n"
            "assert not {'tensorflow', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        )
        process = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        for name in COMMANDS:
            self.assertRegex(process.stdout, rf"(?m)^ +{name}( |$)")

    def test_gan3_alone_prints_the_help_and_its_version_is_told(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(main([]), 0)
        self.assertEqual(out.getvalue(), make_parser().format_help())
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as stop:
            main(["--version"])
        self.assertEqual((stop.exception.code, out.getvalue()), (0, f"gan3 {gan3.__version__}\n"))

    def test_every_command_has_options_and_code(self):
        self.assertEqual(set(commands()), set(COMMANDS))

    def test_every_command_is_described_by_one_sentence(self):
        for name, parser in commands().items():
            self.assertRegex(parser.description, r"\A[A-Z][^.]*\.\Z", name)

    def test_every_option_says_what_it_does_and_its_default(self):
        for name, parser in commands().items():
            for action in parser._actions:
                with self.subTest(command=name, option=action.dest):
                    self.assertGreater(len(action.help or ""), 10)
                    self.assertNotRegex(action.help, r"\A[A-Z]|\.\Z")  # no sentence
                    self.assertTrue(action.metavar or action.choices or action.nargs == 0)
                    if action.default not in (None, False, [], argparse.SUPPRESS):
                        self.assertIn(f"(default: {action.default})", action.help)

    def test_help_fits_in_80_columns(self):
        with unittest.mock.patch.dict(os.environ, {"COLUMNS": "80"}):
            for parser in (make_parser(), *commands().values()):
                for line in parser.format_help().splitlines():
                    self.assertLessEqual(len(line), 80)

    def test_the_number_of_steps_of_a_judge_is_the_rule_that_help_names(self):
        from gan3.evaluation.judge import EPOCHS, LEAST_STEPS, MOST_STEPS

        rule = "twelve epochs, at least 1000, at most 12000"
        self.assertEqual((EPOCHS, LEAST_STEPS, MOST_STEPS), (12, 1000, 12000))
        self.assertIn(rule, " ".join(commands()["train-judge"].format_help().split()))


class Arguments(FolderTest):
    def parse(self, *arguments):
        return make_parser().parse_args(arguments)

    def assert_refused(self, message, *arguments):
        err = io.StringIO()
        with self.assertRaises(SystemExit) as stop, contextlib.redirect_stderr(err):
            self.parse(*arguments)
        self.assertEqual(stop.exception.code, 2)
        self.assertRegex(err.getvalue(), rf"\Agan3[^\n]*: [^\n]*{message}[^\n]*--help\n\Z")

    def test_wrong_arguments_are_one_line_that_names_them(self):
        for message, *arguments in (
            ("'trian' is no COMMAND; did you mean train\\?", "trian"),
            ("'latnet' is no COMMAND; did you mean latent\\?", "latnet", "--seed", "3"),
            ("invalid choice: 'fly'", "fly"),
            (r"invalid choice: 'fly\\nhome'", "fly\nhome"),
            (r"unrecognized arguments: a\\nb\\x1b\[2Jc;", "train", "a\nb\x1b[2Jc"),
            ("argument --batch-size: invalid int value: 'ten'", "train", "--batch-size", "ten"),
            ("argument --episodes: invalid int value", "train", "--episodes", "9" * 5000),
            ("argument --dataset: invalid choice: 'cifar'", "train", "--dataset", "cifar"),
            ("argument --precision: invalid choice: 'int8'", "train", "--precision", "int8"),
            ("argument --mode: invalid choice: 'fly'", "latent", "--mode", "fly"),
            ("required: --out", "sample"),
            ("required: RUN", "compare"),
        ):
            with self.subTest(message):
                self.assert_refused(message, *arguments)

    def test_numbers_outside_their_range_are_refused(self):
        seeds = "is not a whole number from 0 to 2147483647"
        for command in ("train", "sample --out x.npz", "generate 12", "evaluate", "train-judge"):
            for value in ("-1", "2147483648", "1.5", "x", ""):
                with self.subTest(command, value=value):
                    message = f"argument --seed: '{re.escape(value)}' {seeds}"
                    self.assert_refused(message, *command.split(), "--seed", value)
        for value in ("9" * 400, "9" * 5000):  # Python refuses to parse the second one
            self.assert_refused(f"argument --seed: '9{{40}}…' {seeds}", "latent", "--seed", value)
        for value in ("0", "101"):
            self.assert_refused(
                "argument --variants: .* 1 to 100;", "generate", "1", "--variants", value
            )
        for value in ("0", "65"):
            self.assert_refused("argument --jobs: .* from 1 to 64;", "sweep", "x", "--jobs", value)

    def test_an_output_file_needs_a_name_and_a_suffix(self):
        Path("own").mkdir()
        Path("folder.npz").mkdir()
        for command, option, suffix, others in (
            ("generate 12", "--out", r"\.png or \.npz", ("x.jpg",)),
            ("latent", "--out", r"\.png", ("x.gif",)),
            ("export", "--out", None, ()),
            ("export-page", "--out", r"\.html or \.htm", ("x.png",)),
            ("compare a b", "--out", r"\.png", ("x.pdf",)),
            ("train-judge", "--out", r"\.npz", ("judge.h5",)),
            ("evaluate", "--json", None, ()),
        ):
            for value in ("", ".", "..", "own", "folder.npz"):
                with self.subTest(command, value=value):
                    message = f"argument {option}: '{re.escape(value)}' is a folder, or no name"
                    self.assert_refused(message, *command.split(), option, value)
            for value in others:
                with self.subTest(command, value=value):
                    message = f"argument {option}: '{re.escape(value)}' does not end in {suffix};"
                    self.assert_refused(message, *command.split(), option, value)
        for value in ("", ".", "..", "folder.npz"):  # samples can also go into a folder
            message = f"argument --out: '{re.escape(value)}' is a folder, or no name"
            self.assert_refused(message, "sample", "--out", value)
        self.assertEqual(self.parse("sample", "--out", "own").out, Path("own"))
        self.assertEqual(self.parse("sample", "--out", "a/X.NPZ").out, Path("a/X.NPZ"))

    def test_an_empty_path_is_refused_and_not_read_as_no_path(self):
        for command, option in (
            ("evaluate", "--judge"),
            ("evaluate", "--samples"),
            ("generate 12", "--style"),
            ("train", "--logs"),
            ("compare a", "--figures"),
        ):
            message = f"argument {option}: the path is empty; name a file or folder, or leave it"
            self.assert_refused(message, *command.split(), option, "")

    def test_only_one_generator_can_be_named(self):
        for line in (
            "evaluate --run a --pretrained b",
            "evaluate --samples x.npz --run a",
            "export-page --run a --pretrained b",
            "generate 12 --run a --pretrained b",
        ):
            self.assert_refused("not allowed with argument --", *line.split())
        self.assert_refused("not allowed with", "recognise", "x", "--run", "a", "--judge")
        self.assert_refused("not allowed with", "evaluate", "--judge", "x.npz", "--train-judge")


class OneLine(unittest.TestCase):
    def test_what_does_not_print_is_escaped(self):
        self.assertEqual(one_line("é a\nb\x1b[2J\u2028\udcff"), r"é a\nb\x1b[2J\u2028\udcff")
