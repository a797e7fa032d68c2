"""A running site with the example campaign, and a real browser that looks at it. For `test_site_*.py`.

Screenshots are kept in the folder that ASKFIRST_SCREENSHOTS names, else with the test's temporary files.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-gpu"]
LANGUAGES = ("en", "de", "nl")
START_S = 90


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Site:
    """A site that runs: `url`, `data`, and the mails it wrote."""

    def __init__(self, url, data):
        self.url = url
        self.data = Path(data)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return answer.read()

    def mail_to(self, address, subject="", after=0.0):
        """The text of the newest mail to an address, as soon as there is one."""
        for _ in range(150):
            found = sorted((self.data / "mail").glob(f"*{address}*.txt"))
            texts = [one.read_text() for one in found if one.stat().st_mtime > after]
            fitting = [text for text in texts if subject in text.split("\n\n")[0]]
            if fitting:
                return fitting[-1]
            time.sleep(0.2)
        raise AssertionError(f"no mail to {address}")

    def code_to(self, address, after=0.0):
        """The six characters of the newest mail: they stand alone on an indented line."""
        return re.search(r"^ {4}([A-Z0-9]{3}[ -]?[A-Z0-9]{3})$", self.mail_to(address, after=after), re.MULTILINE)[1]


@contextlib.contextmanager
def running_site(folder):
    """Start `askfirst site up --example` on a free port, with everything of its own; end it, and all it started."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASKFIRST_", "DATABASE_"))}
    environment |= {"ASKFIRST_DATA": str(folder / "site"), "ASKFIRST_URL": url, "ASKFIRST_MAIL_RATE": "100"}
    with (folder / "site.log").open("wb") as log:
        command = [sys.executable, "-m", "askfirst", "site", "up", "--example", "--no-input", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
        try:
            wait_for(url, process, folder / "site.log")
            yield Site(url, folder / "site")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(url, process, log):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/count.json", timeout=5) as answer:
                if b'"people": 0' not in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass
        if process.poll() is not None:
            break
        time.sleep(0.3)
    pytest.fail(f"the site did not start:\n{log.read_text()[-3000:]}", pytrace=False)


def browser_path():
    """The program's path. Without it these tests fail: a page nobody looked at is not tested."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail("no browser: install Chromium (Debian: apt-get install chromium)", pytrace=False)
    return path


def axe_path():
    """axe-core, as `make browser` fetches it."""
    folder = Path(os.environ.get("ASKFIRST_AXE", Path.home() / ".cache/askfirst/axe-core"))
    path = folder / "axe.min.js"
    if not path.exists():
        pytest.fail("no axe-core: run `make browser`, or name its folder in ASKFIRST_AXE", pytrace=False)
    return path
