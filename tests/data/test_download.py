"""Downloads: from a server on this machine that stalls, truncates, redirects and lies."""

import contextlib
import gzip
import http.server
import os
import threading
from pathlib import Path
from unittest import mock

from gan3.core.errors import UserError
from gan3.data import download, idx
from gan3.data.datasets import load
from tests.data.test_datasets import SearchTest
from tests.support import MNIST, needs_mnist

MAX_BYTES = 12_000_000  # in a gz file


CONTENTS = {
    "cuts_gzip": gzip.compress(bytes(10_000))[:-12],
    "serves_another": gzip.compress(bytes(10_000)),
    "serves_no_gzip": b"<html>404</html>",
    "serves_a_bomb": gzip.compress(bytes(2**27), 1),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of a path: a key of `CONTENTS`, or a method that serves the file after it."""

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        with contextlib.suppress(OSError):  # the client has closed the connection
            if behaviour in CONTENTS:
                self.respond(CONTENTS[behaviour])
            else:
                getattr(self, behaviour)(name)

    def respond(self, content, length=None, status=200, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def good(self, name):
        content = (Path(MNIST) / name).read_bytes()
        self.respond(content, len(content))

    def stalls(self, _):
        self.respond(b"", 1000)
        self.server.stop.wait(30)

    def truncates(self, _):
        self.respond(bytes(1000), 5000)

    def redirects_to_a_file(self, _):
        self.respond(b"", 0, 302, Location="file:///etc/passwd")

    def redirects(self, name):
        self.respond(b"", 0, 302, Location=f"/good/{name}")

    def serves_too_much(self, _):
        self.respond(b"")
        for _ in range(MAX_BYTES // 2**20 + 50):
            self.wfile.write(bytes(2**20))

    def refuses(self, _):
        self.respond(b"", 0, 403)

    def log_message(self, *_):
        """Nothing on stderr."""


class Download(SearchTest):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.stop = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(server.stop.set)
        self.address = f"http://127.0.0.1:{server.server_port}"
        os.environ["no_proxy"] = "127.0.0.1"

    def load(self, *behaviours, folder=None):
        mirrors = tuple(f"{self.address}/{behaviour}/" for behaviour in behaviours)
        return load("mnist", folder, log=self.lines.append, mirrors=mirrors)

    def test_a_response_that_is_not_mnist_is_refused_in_one_line(self):
        for behaviour, message in (
            ("stalls", "timed out"),
            ("truncates", "IncompleteRead|gzip|SHA-256|header"),
            ("cuts_gzip", "SHA-256"),
            ("redirects_to_a_file", "is not allowed"),
            ("serves_another", "SHA-256"),
            ("serves_no_gzip", "header"),
            ("serves_a_bomb", "SHA-256"),
            ("serves_too_much", f"larger than {MAX_BYTES} bytes"),
            ("refuses", "Forbidden"),
        ):
            with (
                self.subTest(behaviour),
                mock.patch.object(download, "_SECONDS", 0.5),  # the wait for "stalls"
                self.assertRaisesRegex(UserError, f"127.0.0.1:.*({message})") as raised,
            ):
                self.load(behaviour)
            self.assertNotIn("\n", str(raised.exception))
            self.assertFalse(Path("data").exists())

    @needs_mnist
    def test_the_next_mirror_is_tried_and_files_are_kept_in_data_alone(self):
        Path("named").mkdir()
        dataset = self.load("refuses", "serves_another", "redirects", folder="named")
        self.assertEqual((dataset.source, dataset.digest), ("data", load("mnist", MNIST).digest))
        self.assertEqual(list(Path("named").iterdir()), [])
        names = sorted(path.name for path in Path("data").iterdir())
        self.assertEqual(names, sorted(f"{name}.gz" for name in idx.FILE_NAMES.values()))
        self.assertEqual(len(self.lines), 1)
        again = self.load()
        self.assertEqual((again.source, again.digest), ("data", dataset.digest))
        self.assertEqual(len(self.lines), 1)

    def test_nothing_is_downloaded_if_data_cannot_be_written(self):
        """Not even if another folder was named, which could be written."""
        Path("named").mkdir()
        Path("data").write_text("")
        with self.assertRaisesRegex(UserError, "cannot be written"):
            self.load("refuses", folder="named")
        self.assertEqual(self.lines, [])
