"""Start the site from an installed wheel, as an organiser would, and see that it serves what it should.

python .ci/site_serves.py path/to/askfirst
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

DEADLINE_S = 120


def main(command: str) -> None:
    """Ask for the page, its style sheet and the count; fail if one is missing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "ASKFIRST_DATA": data}
        up = [command, "site", "up", "--example", "--no-input", "--port", str(port)]
        process = subprocess.Popen(up, env=environment)
        try:
            count = wait_for_count(f"http://127.0.0.1:{port}")
            page = get(f"http://127.0.0.1:{port}/de/")
            sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
            assert get(f"http://127.0.0.1:{port}{sheet}"), sheet
            assert 'lang="de"' in page
            print(f"the site serves: {count}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def wait_for_count(url: str) -> dict[str, object]:
    """Return the count, once the sequencer has published one."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            count: dict[str, object] = json.loads(get(f"{url}/count.json"))
        except (urllib.error.URLError, ConnectionError):
            count = {}
        if count.get("people"):
            return count
        time.sleep(0.5)
    sys.exit("the site did not come up")


def get(url: str) -> str:
    """Return what stands at an address."""
    with urllib.request.urlopen(url, timeout=20) as response:  # an address of ours
        return str(response.read().decode())


if __name__ == "__main__":
    main(sys.argv[1])
