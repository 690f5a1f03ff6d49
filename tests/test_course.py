"""The commands of docs/course.md run, in a short form and on a few digits of strokes."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT, FolderTest, keep_judge, slow, write_idx_set

COURSE = ROOT / "docs" / "course.md"
NOT_RUN = ("tensorboard",)  # does not end
SHORT = (
    (r"--episodes 6", "--episodes 3"),
    (r"--episodes [35]", "--episodes 2"),
    (r"--batches 100", "--batches 3"),
    (r"\[:10_000\]", "[:400]"),
    (r"1000", "40"),
    (r"load\((.)auto.\)", r"load(\1own\1, \1own\1)"),
    (r"gan3 train (?!--resume)", "gan3 train --dataset own --data own "),
    (r"gan3 evaluate --(samples|pretrained)", r"gan3 evaluate --dataset own --data own --\1"),
)


def lessons():
    """The commands and the Python file of each lesson, from the page itself."""
    parts = re.split(r"^## (\d)\. ", COURSE.read_text(), flags=re.MULTILINE)
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        commands = "".join(block for language, block in blocks if not language)
        files = [block for language, block in blocks if language == "python"]
        yield int(number), commands, files


def shortened(text):
    for pattern, short in SHORT:
        text = re.sub(pattern, short, text)
    return text


class Course(FolderTest):
    def run_lesson(self, commands):
        """Run commands in bash; gan3 and python are this checkout and this interpreter."""
        lines = [line for line in commands.splitlines() if not line.startswith(NOT_RUN)]
        head = f'set -e\ngan3() {{ "{sys.executable}" -m gan3 "$@"; }}\n'
        head += f'python() {{ "{sys.executable}" "$@"; }}\n'
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "GAN3_DATA": str(self.folder / "none"),
            "HOME": str(self.folder),
        }
        return subprocess.run(
            ["bash", "-c", head + "\n".join(lines)],
            capture_output=True,
            text=True,
            timeout=900,
            env=environment,
        )

    def test_there_are_seven_lessons_with_commands(self):
        found = {number: commands for number, commands, _ in lessons()}
        self.assertEqual(sorted(found), [1, 2, 3, 4, 5, 6, 7])
        for number, commands in found.items():
            self.assertIn("gan3 ", commands, number)

    @slow("trains and scores twelve short runs")
    def test_the_commands_of_every_lesson_run(self):
        write_idx_set(self.folder / "own", 1000)
        keep_judge()
        for number, commands, files in lessons():
            for content in files:
                Path("cases.py").write_text(shortened(content))
            done = self.run_lesson(shortened(commands))
            with self.subTest(number):
                self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        written = (
            "figures/lesson1/losses.png trap.png fresh.png logs/collapsed/report.json ten.npz"
            " logs/no-determinator/report.json style.png sweep.png digits.html"
        )
        for name in written.split():
            self.assertTrue(Path(name).is_file(), name)
