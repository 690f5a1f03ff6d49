"""What is recorded about the machine and the software."""

import os
import subprocess
import unittest
from importlib import metadata
from pathlib import Path
from unittest import mock

from gan3.core import provenance
from tests.support import ROOT


def git(*arguments):
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)


class Description(unittest.TestCase):
    def test_versions_are_those_of_the_installed_packages(self):
        versions = provenance.description()["versions"]
        for package in ("tensorflow", "numpy"):
            self.assertEqual(versions[package], metadata.version(package))

    def test_the_setting_of_onednn_is_recorded(self):
        with mock.patch.dict(os.environ, {"TF_ENABLE_ONEDNN_OPTS": "0"}):
            self.assertEqual(provenance.description()["onednn"], "0")


class Revision(unittest.TestCase):
    @unittest.skipIf(git("rev-parse", "HEAD").returncode, "not a git checkout")
    def test_it_is_the_commit_and_whether_there_are_local_changes(self):
        commit = git("rev-parse", "HEAD").stdout.strip()
        changes = git("status", "--porcelain", "--untracked-files=no").stdout
        self.assertEqual(provenance.git_revision(), commit + ("-dirty" if changes else ""))

    def test_without_git_there_is_none(self):
        with mock.patch.dict(os.environ, {"PATH": ""}):
            self.assertIsNone(provenance.git_revision())

    def test_that_of_a_project_in_which_gan3_is_installed_is_not_its_own(self):
        installed = Path(provenance.__file__).parent / ".venv/lib/gan3/core/provenance.py"
        with mock.patch.object(provenance, "__file__", str(installed)):
            self.assertIsNone(provenance.git_revision())
