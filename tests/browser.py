"""Chromium without a window, driven over two pipes by its DevTools protocol: for tests of pages."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-pipe"),
)


class Browser:
    """One browser with one page. `problems` are what the page wrote to the console, and errors."""

    def __init__(self, time_limit=60):
        """time_limit: in seconds, for each answer of the browser."""
        self.problems = []
        self._time_limit, self._numbers, self._received = time_limit, itertools.count(1), b""
        self._events = []
        self._profile = tempfile.mkdtemp(prefix="gan3-chromium-")
        # The browser reads from its descriptor 3 and writes to 4; bash puts the pipes there. (Other
        # shells do not take descriptors of two digits.)
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        command = [BROWSER, *_FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._session = None
        (page,) = (
            target
            for target in self.call("Target.getTargets")["targetInfos"]
            if target["type"] == "page"
        )
        self._session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def close(self):
        """End the browser and delete its profile."""
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method, **params):
        """The result of a command of the protocol. Raises RuntimeError if it fails."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self._time_limit
        while True:
            answer = self._next(end)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def open(self, path, width=1000, height=800, dark=False, still=True, fragment=""):
        """Load a file and wait until it is complete; `still` asks pages for reduced motion."""
        self.problems.clear()
        self.set_size(width, height)
        scheme, motion = "dark" if dark else "light", "reduce" if still else "no-preference"
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )
        self._events.clear()
        self.call("Page.navigate", url=Path(path).absolute().as_uri() + fragment)
        end = time.monotonic() + self._time_limit
        while "Page.loadEventFired" not in self._events:
            self._note(self._next(end))

    def set_size(self, width, height):
        """The window's size in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def run(self, script):
        """The value of an expression in the page, awaited if it is a promise."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", details).get("description", str(details)))
        return result["result"].get("value")

    def drag(self, points):
        """Move the mouse along points [x, y] of the window with its left button down."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1)]
        for kind, (x, y) in [*zip(kinds, points, strict=True), ("mouseReleased", points[-1])]:
            self.call(
                "Input.dispatchMouseEvent",
                type=kind, x=x, y=y, button="left", buttons=1, clickCount=1,
            )  # fmt: skip

    def press(self, key, code=None, text=""):
        """Press and release a key, by its names in the DOM."""
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}
        codes |= {" ": 32, "Enter": 13, "Backspace": 8, "Delete": 46}
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0)}
        kind = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self.call("Input.dispatchKeyEvent", **kind, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def save_files_in(self, folder):
        """Save what pages offer for download in a folder, without asking."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def screenshot(self, path, height=None):
        """Write a PNG of the window, or of the whole page up to this height."""
        if height is not None:
            width = self.run("innerWidth")
            self.set_size(width, min(height, self.run("document.documentElement.scrollHeight")))
        data = self.call("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def _next(self, end):
        """The next message of the browser. Raises RuntimeError if there is none in time."""
        while b"\0" not in self._received:
            if not select.select([self._read], [], [], max(end - time.monotonic(), 0))[0]:
                raise RuntimeError(f"Chromium: no answer in {self._time_limit} s")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium: it has ended")
            self._received += part
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        method, params = event.get("method", ""), event.get("params", {})
        self._events.append(method)
        if method == "Runtime.consoleAPICalled":
            texts = [str(entry.get("value", entry.get("description"))) for entry in params["args"]]
            self.problems.append(" ".join(texts))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", details).get("description", "error"))
        elif method == "Log.entryAdded":
            self.problems.append(params["entry"]["text"])


def write_on_pad(browser, points):
    """A stroke by mouse on the pad of the web page, through points of its 280 pixels."""
    left, top, width = browser.run(
        "(box => [box.left, box.top, box.width])(get('pad').getBoundingClientRect())"
    )
    browser.drag([(left + x * width / 280, top + y * width / 280) for x, y in points])
