"""Names of runs, their records, and their metrics."""

import json
import unittest
from pathlib import Path

from gan3.core.errors import UserError
from gan3.runs import run_files
from tests.support import FolderTest


class Records(FolderTest):
    def test_names_that_leave_the_folders_are_refused(self):
        for name in ("..", "../x", "/tmp/x", "a/b", "", ".hidden", "a" * 101, "a\nb", "-x"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "run name"):
                run_files.run_folders(name)

    def test_the_newest_run_is_the_one_that_was_started_last(self):
        with self.assertRaisesRegex(UserError, "no run in it"):
            run_files.newest()
        for name, started in (("b", "2026-01-02T"), ("a", "2026-01-03T"), ("c", "2026-01-01T")):
            Path(f"logs/{name}").mkdir(parents=True)
            Path(f"logs/{name}/run.json").write_text(json.dumps({"started": started}))
        Path("logs/d").mkdir()
        Path("logs/d/run.json").write_text("{")
        self.assertEqual(run_files.newest(), "a")

    def test_damaged_records_and_metrics_are_refused(self):
        path = self.folder / "x"
        for content in ("", "{", "[]", "null", '{"started": 3}', "[" * 100_000):
            path.write_text(content)
            with self.subTest(content[:9]), self.assertRaises(UserError):
                run_files.read_record(path)
        for content in (
            "",
            '{"step": 1}\n',
            "x\n",
            '{"step": 1, "episode": "1"}\n',
            "[1]\n",
            f'{{"step": 1, "episode": 1, "x": {"9" * 400}}}\n',
        ):
            path.write_text(content)
            with self.subTest(content[:9]), self.assertRaises(UserError):
                run_files.read_metrics(path)

    def test_an_incomplete_last_line_is_skipped(self):
        path = self.folder / "metrics.jsonl"
        path.write_text('{"step": 1, "episode": 1}\n{"step": 2, "epi')
        self.assertEqual(run_files.read_metrics(path), [{"step": 1, "episode": 1}])

    def test_what_was_written_after_a_checkpoint_is_deleted(self):
        folders = run_files.run_folders("a")
        (folders.logs / "episodes").mkdir(parents=True)
        run_files.forget_after(folders, 0, 0)  # there is nothing yet
        (folders.logs / "first_episode").mkdir()
        for number in (1, 2, 3):
            folders.episode(number).write_bytes(b"")
            folders.frame(2 * number).write_bytes(b"")
        lines = "".join(f'{{"step": {n}, "episode": 1, "x": 0.1}}\n' for n in (2, 4, 6))
        folders.metrics.write_text(lines + '{"st')
        run_files.forget_after(folders, 4, 2)
        self.assertEqual(folders.metrics.read_text(), "".join(lines.splitlines(True)[:2]))
        self.assertEqual(folders.episodes(), [1, 2])
        self.assertEqual(folders.frames(), [2, 4])

    def test_metrics_are_written_again_only_if_something_is_deleted(self):
        folders = run_files.run_folders("a")
        (folders.logs / "episodes").mkdir(parents=True)
        lines = '{"step": 1,  "episode": 1}\n{"step": 2,  "episode": 1}\n'  # two spaces stay
        folders.metrics.write_text(lines)
        run_files.forget_after(folders, 2, 1)
        self.assertEqual(folders.metrics.read_text(), lines)
        folders.metrics.write_text(lines + '{"step"')
        run_files.forget_after(folders, 2, 1)
        self.assertEqual(folders.metrics.read_text(), lines.replace("  ", " "))
        folders.metrics.write_text("")
        run_files.forget_after(folders, 2, 1)
        self.assertEqual(folders.metrics.read_text(), "")

    def test_nothing_is_deleted_if_the_metrics_are_damaged(self):
        folders = run_files.run_folders("a")
        (folders.logs / "episodes").mkdir(parents=True)
        folders.episode(1).write_bytes(b"")
        for damage in (b"x\n", b"{}\n", b"\xff\n", b'{"step": "1", "episode": 1}\n'):
            folders.metrics.write_bytes(damage)
            with self.subTest(damage), self.assertRaisesRegex(UserError, "metrics.jsonl"):
                run_files.forget_after(folders, 0, 0)
            self.assertEqual(folders.metrics.read_bytes(), damage)
        self.assertEqual(folders.episodes(), [1])


if __name__ == "__main__":
    unittest.main()
