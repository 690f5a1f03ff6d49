"""Downloads: from a TLS server on this machine that stalls, truncates, redirects and lies."""

import contextlib
import gzip
import http.server
import os
import shutil
import ssl
import subprocess
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

from gan3.core.errors import UserError
from gan3.data import idx
from gan3.data.datasets import load
from gan3.data.download import download
from tests.data.test_datasets import SearchTest
from tests.support import MNIST, needs_mnist, slow

MAX_IMAGE_BYTES = 12_000_000  # of a gz file of images


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of a path is the name of a method, which serves the file after it."""

    def do_GET(self):
        _, behaviour, name = self.path.split("/")
        with contextlib.suppress(OSError):  # the client has closed the connection
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

    def drips(self, _):
        self.respond(b"", 10_000)
        while not self.server.stop.wait(1):
            self.wfile.write(b"x")

    def truncates(self, _):
        self.respond(bytes(1000), 5000)

    def cuts_gzip(self, _):
        self.respond(gzip.compress(bytes(10_000))[:-12])

    def redirects_to_http(self, name):
        self.respond(b"", 0, 302, Location=f"http://127.0.0.1:9/{name}")

    def redirects_to_a_file(self, _):
        self.respond(b"", 0, 302, Location="file:///etc/passwd")

    def redirects_to_itself(self, name):
        self.respond(b"", 0, 302, Location=self.path)

    def redirects(self, name):
        self.respond(b"", 0, 302, Location=f"/good/{name}")

    def serves_another(self, _):
        self.respond(gzip.compress(bytes(10_000)))

    def serves_no_gzip(self, _):
        self.respond(b"<html>404</html>")

    def serves_a_bomb(self, _):
        self.respond(gzip.compress(bytes(2**27), 1))

    def serves_too_much(self, _):
        self.respond(b"")
        for _ in range(MAX_IMAGE_BYTES // 2**20 + 50):
            self.wfile.write(bytes(2**20))

    def claims_too_much(self, _):
        self.respond(b"", 10**12)

    def claims_too_little(self, name):
        self.respond(bytes(1000), 10)

    def refuses(self, _):
        self.respond(b"", 0, 403)

    def log_message(self, *_):
        """Nothing on stderr."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Nothing on stderr if a client does not trust the certificate and hangs up."""


@unittest.skipUnless(shutil.which("openssl"), "needs openssl for a certificate")
class HostileServers(SearchTest):
    def setUp(self):
        super().setUp()
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", "key.pem", "-out", "certificate.pem"),
            ],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("certificate.pem", "key.pem")
        server = Server(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.stop = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(server.stop.set)
        self.address = f"https://127.0.0.1:{server.server_port}"
        os.environ["SSL_CERT_FILE"] = str(self.folder / "certificate.pem")
        os.environ["no_proxy"] = "127.0.0.1"

    def load(self, *behaviours):
        mirrors = tuple(f"{self.address}/{behaviour}/" for behaviour in behaviours)
        return load("mnist", log=self.lines.append, mirrors=mirrors)

    def assert_refused(self, behaviour, message, seconds=20):
        started = time.monotonic()
        with self.assertRaisesRegex(UserError, message) as raised:
            self.load(behaviour)
        self.assertNotIn("\n", str(raised.exception))
        self.assertIn("127.0.0.1:", str(raised.exception))  # which mirror
        self.assertLess(time.monotonic() - started, seconds)
        self.assertFalse(Path("data").exists())

    def test_a_response_that_is_not_mnist_is_refused_in_time(self):
        for behaviour, message in (
            ("stalls", "timed out"),
            ("truncates", "IncompleteRead|gzip|SHA-256|header"),
            ("cuts_gzip", "SHA-256"),
            ("redirects_to_http", "redirected away from https"),
            ("redirects_to_a_file", "is not allowed"),
            ("redirects_to_itself", "infinite loop"),
            ("serves_another", "SHA-256"),
            ("serves_no_gzip", "header"),
            ("serves_a_bomb", "SHA-256"),
            ("serves_too_much", f"larger than {MAX_IMAGE_BYTES} bytes"),
            (
                "claims_too_much",
                f"larger than {MAX_IMAGE_BYTES} bytes|IncompleteRead|timed out|SHA-256",
            ),
            ("claims_too_little", "header"),
            ("refuses", "Forbidden"),
        ):
            with self.subTest(behaviour):
                self.assert_refused(behaviour, message)

    def test_an_untrusted_certificate_is_refused(self):
        del os.environ["SSL_CERT_FILE"]
        self.assert_refused("good", "CERTIFICATE_VERIFY_FAILED")

    @slow("waits for a minute")
    def test_a_response_that_never_ends_is_refused_after_a_minute(self):
        self.assert_refused("drips", "not done after 60 s", 90)

    @needs_mnist
    def test_the_next_mirror_is_tried_after_a_broken_one(self):
        dataset = self.load("refuses", "serves_another", "redirects")
        self.assertEqual((dataset.source, dataset.digest), ("data", load("mnist", MNIST).digest))
        names = sorted(path.name for path in Path("data").iterdir())
        self.assertEqual(names, sorted(path.name for path in Path(MNIST).glob("*ubyte.gz")))


class Folders(SearchTest):
    """What is written, and where. Any https address serves the files of the MNIST folder."""

    def load(self, dataset="mnist", folder=None, mirrors=("https://mirror/",)):
        return load(dataset, folder, log=self.lines.append, mirrors=mirrors)

    def serve_mnist(self, before_last=lambda: None):
        def respond(_opener, url, **_):
            if "t10k-labels" in url:
                before_last()
            return open(Path(MNIST) / url.rpartition("/")[2], "rb")

        patch = unittest.mock.patch("urllib.request.OpenerDirector.open", respond)
        patch.start()
        self.addCleanup(patch.stop)

    @needs_mnist
    def test_files_are_kept_in_data_and_in_no_other_folder(self):
        self.serve_mnist()
        (self.folder / "named").mkdir()
        dataset = self.load(folder="named")
        self.assertEqual((dataset.source, dataset.digest), ("data", load("mnist", MNIST).digest))
        self.assertEqual(list((self.folder / "named").iterdir()), [])
        names = sorted(path.name for path in (self.folder / "data").iterdir())
        self.assertEqual(names, sorted(f"{name}.gz" for name in idx.FILE_NAMES.values()))
        self.assertEqual(len(self.lines), 1)
        again = self.load(mirrors=())
        self.assertEqual((again.source, again.digest), ("data", dataset.digest))
        self.assertEqual(len(self.lines), 1)

    @needs_mnist
    def test_files_that_cannot_be_kept_are_used_once(self):
        def replace_folder_by_file():
            (self.folder / "data").write_text("")

        self.serve_mnist(replace_folder_by_file)
        dataset = self.load("auto")
        self.assertEqual((dataset.name, dataset.source), ("mnist", "downloaded"))
        self.assertEqual(dataset.digest, load("mnist", MNIST).digest)
        self.assertRegex(self.lines[-1], "NOTE: .*cannot be written.*downloaded again next time")

    def test_nothing_is_downloaded_if_data_cannot_be_written(self):
        """Not even if another folder was named, which could be written."""
        (self.folder / "named").mkdir()
        (self.folder / "data").write_text("")
        with self.assertRaisesRegex(UserError, r"\Adata/train.*: cannot be written"):
            self.load(folder="named")
        self.assertEqual(self.lines, [])

    @unittest.skipUnless(Path("/proc/self").is_dir(), "needs /proc, where root cannot write either")
    def test_a_folder_that_takes_no_file_is_refused_before_anything_is_downloaded(self):
        with self.assertRaisesRegex(UserError, r"\A/proc/self/train.*: cannot be written"):
            download(Path("/proc/self"), ("https://mirror/",), self.lines.append)
        self.assertEqual(self.lines, [])

    def test_other_addresses_than_https_are_refused(self):
        with self.assertRaisesRegex(UserError, "not https"):
            self.load(mirrors=("http://127.0.0.1:9/",))


if __name__ == "__main__":
    unittest.main()
