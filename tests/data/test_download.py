"""Downloads from a real TLS server on this machine that stalls, cuts off, redirects and lies."""

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
from gan3.data.datasets import load
from tests.support import LONG, MNIST, FolderTest, needs_mnist

IMAGES = "train-images-idx3-ubyte.gz"
MOST = 12_000_000  # bytes of a file of images


class Handler(http.server.BaseHTTPRequestHandler):
    """The folder of the path says what becomes of the file after it."""

    def do_GET(self):
        _, how, name = self.path.split("/")
        with contextlib.suppress(OSError):  # the client has heard enough
            getattr(self, how)(name)

    def answer(self, content, length=None, status=200, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def good(self, name):
        content = (Path(MNIST) / name).read_bytes()
        self.answer(content, len(content))

    def stalls(self, _):
        self.answer(b"", 1000)
        self.server.stop.wait(30)

    def drips(self, _):
        self.answer(b"", 10_000)
        while not self.server.stop.wait(1):
            self.wfile.write(b"x")

    def truncates(self, _):
        self.answer(bytes(1000), 5000)

    def cuts_gzip(self, _):
        self.answer(gzip.compress(bytes(10_000))[:-12])

    def redirects_to_http(self, name):
        self.answer(b"", 0, 302, Location=f"http://127.0.0.1:9/{name}")

    def redirects_to_a_file(self, _):
        self.answer(b"", 0, 302, Location="file:///etc/passwd")

    def redirects_to_itself(self, name):
        self.answer(b"", 0, 302, Location=self.path)

    def redirects(self, name):
        self.answer(b"", 0, 302, Location=f"/good/{name}")

    def serves_another(self, _):
        self.answer(gzip.compress(bytes(10_000)))

    def serves_no_gzip(self, _):
        self.answer(b"<html>404</html>")

    def serves_a_bomb(self, _):
        self.answer(gzip.compress(bytes(2**27), 1))

    def serves_too_much(self, _):
        self.answer(b"")
        for _ in range(MOST // 2**20 + 50):
            self.wfile.write(bytes(2**20))

    def claims_too_much(self, _):
        self.answer(b"", 10**12)

    def claims_too_little(self, name):
        self.answer(bytes(1000), 10)

    def refuses(self, _):
        self.answer(b"", 0, 403)

    def log_message(self, *_):
        """Nothing on stderr."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that does not trust us hangs up: nothing on stderr either."""


@unittest.skipUnless(shutil.which("openssl"), "no openssl here to make a certificate")
class Downloads(FolderTest):
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
        environment = {
            "SSL_CERT_FILE": str(self.folder / "certificate.pem"),
            "KERAS_HOME": str(self.folder / "keras"),
            "GAN3_DATA": "",
            "no_proxy": "127.0.0.1",
        }
        patch = unittest.mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)
        self.said = []

    def load(self, *how):
        mirrors = tuple(f"{self.address}/{mirror}/" for mirror in how)
        return load("mnist", log=self.said.append, mirrors=mirrors)

    def refused(self, how, message, seconds=20):
        began = time.monotonic()
        with self.assertRaisesRegex(UserError, message) as raised:
            self.load(how)
        self.assertNotIn("\n", str(raised.exception))
        self.assertLess(time.monotonic() - began, seconds)
        self.assertFalse(Path("data").exists())

    def test_a_server_that_may_not_be_believed(self):
        for how, message in (
            ("stalls", "timed out"),
            ("truncates", "IncompleteRead|gzip|SHA-256|header"),
            ("cuts_gzip", "SHA-256"),
            ("redirects_to_http", "redirected away from https"),
            ("redirects_to_a_file", "is not allowed"),
            ("redirects_to_itself", "infinite loop"),
            ("serves_another", "SHA-256"),
            ("serves_no_gzip", "header"),
            ("serves_a_bomb", "SHA-256"),
            ("serves_too_much", f"larger than {MOST} bytes"),
            ("claims_too_much", f"larger than {MOST} bytes|IncompleteRead|timed out|SHA-256"),
            ("claims_too_little", "header"),
            ("refuses", "Forbidden"),
        ):
            with self.subTest(how):
                self.refused(how, message)

    def test_a_certificate_that_nobody_signed(self):
        del os.environ["SSL_CERT_FILE"]
        self.refused("good", "CERTIFICATE_VERIFY_FAILED")

    @unittest.skipUnless(LONG, "a minute of waiting: with GAN3_LONG=1")
    def test_a_server_that_never_ends(self):
        self.refused("drips", "not done after 60 s", 90)

    @needs_mnist
    def test_a_broken_mirror_moves_on_to_the_next(self):
        got = self.load("refuses", "serves_another", "redirects")
        self.assertEqual((got.source, got.digest), ("data", load("mnist", MNIST).digest))
        names = sorted(path.name for path in Path("data").iterdir())
        self.assertEqual(names, sorted(path.name for path in Path(MNIST).glob("*ubyte.gz")))


if __name__ == "__main__":
    unittest.main()
