"""Whatever is killed whenever: no signature that was acknowledged is lost, none is counted twice.

The whole site runs, strangers sign and confirm over HTTP, and its processes are killed (SIGKILL) at random moments.
"""

import contextlib
import http.client
import json
import os
import random
import re
import resource
import signal
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
import running

from askfirst.io.log_files import LogFolder
from askfirst.tlog import Checkpoint, NoteVerifier, open_note
from askfirst_site.transparency.actions import add_entry
from askfirst_site.transparency.models import Entry

CODE = re.compile(r"^ {4}([2-9A-HJ-NP-Z]{6})$", re.MULTILINE)
CHAOS_S = 15.0
CHAOS_LIMIT_S = 60.0
ENOUGH = 20
BROKEN = (OSError, http.client.HTTPException)


def post(port, path, values, cookie=""):
    """Return status and cookie; raises where no answer came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers["X-Forwarded-For"] = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    if cookie:
        headers["Cookie"] = cookie
    try:
        connection.request("POST", path, urlencode(values), headers)
        response = connection.getresponse()
        response.read()
        return response.status, (response.getheader("Set-Cookie") or "").partition(";")[0]
    finally:
        connection.close()


class Signers:
    """Some who sign, and type the code of every mail that comes, again and again until they get an answer."""

    def __init__(self, port, mails):
        self.port, self.mails = port, mails
        self.cookies, self.acknowledged, self.odd = {}, set(), []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.sign, args=(n,)) for n in range(3)]
        self.threads.append(threading.Thread(target=self.confirm))

    def sign(self, worker):
        for number in range(10_000):
            if self.stop.is_set():
                return
            email = f"p{worker}-{number}@d{worker}x{number}.example.org"
            form = {"kind": "person", "name": f"Ada {worker} {number}", "role": "weaver", "discipline": "other"}
            with contextlib.suppress(*BROKEN):
                status, cookie = post(
                    self.port, "/en/sign", form | {"email": email, "display": "full", "consent": "on"}
                )
                if status == 303:
                    self.cookies[email] = cookie
                else:
                    self.odd.append(("sign", status))
            time.sleep(0.05)

    def confirm(self):
        waiting, seen = {}, set()
        while not (self.stop.is_set() and not waiting):
            for path in sorted(self.mails.glob("*.txt")):
                if path.name not in seen:
                    seen.add(path.name)
                    text = path.read_text()
                    email, code = re.search(r"^To: (\S+)$", text, re.MULTILINE)[1], CODE.search(text)
                    if email in self.cookies and code:
                        waiting[email] = code[1]
            for email, code in list(waiting.items()):
                with contextlib.suppress(*BROKEN):
                    status, _ = post(self.port, "/en/code", {"code": code}, self.cookies[email])
                    if status == 303:
                        self.acknowledged.add(email)
                        del waiting[email]
                    else:
                        self.odd.append(("code", status))
                        del waiting[email]
            time.sleep(0.05)


def make_statement(env):
    setup = Path(__file__).parents[3] / "benchmarks" / "bench_site.py"
    program = re.search(r'SETUP = """\n(.*?)"""', setup.read_text(), re.DOTALL)[1]
    made = running.run(env, "manage", "shell", "--no-imports", "--command", program)
    assert made.returncode == 0, made.stderr


def victims(process):
    """Return all processes of the site but the supervisor: the web server's workers too."""
    direct = list(running.children(process).values())
    deeper = []
    for pid in direct:
        with contextlib.suppress(OSError):
            deeper += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return direct + deeper


@pytest.mark.on_both
def test_killed_processes_lose_no_signature_and_count_none_twice(live, database):
    more = {"DATABASE_URL": live["DATABASE_URL"]} if database == "postgres" else {}
    env = running.environment(live["ASKFIRST_DATA"], ASKFIRST_MAIL_RATE="1000", ASKFIRST_TRUSTED_PROXIES="1", **more)
    folder, luck = Path(env["ASKFIRST_DATA"]), random.Random()
    make_statement(env)
    with running.up(env) as (port, process):
        signers = Signers(port, folder / "mail")
        for thread in signers.threads:
            thread.start()
        began = time.monotonic()
        while time.monotonic() - began < (CHAOS_S if len(signers.acknowledged) > ENOUGH else CHAOS_LIMIT_S):
            time.sleep(luck.uniform(0.2, 3.0))
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(luck.choice(victims(process)), signal.SIGKILL)
        running.wait_for(lambda: running.health(port)[0] == 200, "the site is well again")
        signers.stop.set()
        for thread in signers.threads:
            thread.join(60)
        count = numbers(env)
        running.wait_for(lambda: settled(port, env, count), "everything is counted")
    assert signers.odd == []
    assert len(signers.acknowledged) > ENOUGH
    assert signers.acknowledged <= set(count["emails"])
    assert len(count["emails"]) == len(set(count["emails"]))
    check_log(folder, count)


def numbers(env):
    """Return who is confirmed, and what the log's table holds."""
    program = (
        "import json; from askfirst_site.crypto import decrypt;"
        "from askfirst_site.statement.models import Signature; from askfirst_site.transparency.models import Entry;"
        "rows = Signature.objects.filter(state='confirmed');"
        "print(json.dumps({'emails': [decrypt(one.email_encrypted).decode() for one in rows],"
        " 'positions': [one.position for one in rows],"
        " 'signs': Entry.objects.filter(kind='sign').count(), 'entries': Entry.objects.count()}))"
    )
    result = running.run(env, "manage", "shell", "--no-imports", "--command", program)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def settled(port, env, count):
    count.clear()
    count.update(numbers(env))
    people = json.loads(running.get(port, "/count.json")[1])["people"]
    size = running.checkpoint_size(env["ASKFIRST_DATA"])
    return people == len(count["emails"]) == count["signs"] and size == count["entries"]


def check_log(folder, count):
    """Each confirmed signature is one leaf of the published log, and the log holds nothing else."""
    site_key = (folder / "keys" / "log.key").read_text().strip()
    from askfirst.tlog import NoteSigner

    vkey = NoteSigner.load(site_key).verifier.vkey
    head = Checkpoint.parse(open_note((folder / "log" / "checkpoint").read_text(), [NoteVerifier.parse(vkey)]).body)
    entries = [json.loads(entry) for entry in LogFolder(folder / "log").entries()]
    assert len(entries) == head.size == count["entries"]
    signs = [at for at, entry in enumerate(entries) if entry["type"] == "sign"]
    assert sorted(count["positions"]) == signs


@pytest.mark.on_both
def test_second_sequencer_process_ends_with_one_line(live, database):
    more = {"DATABASE_URL": live["DATABASE_URL"]} if database == "postgres" else {}
    env = running.environment(live["ASKFIRST_DATA"], **more)
    with running.up(env) as (port, _):
        second = running.run(env, "sequencer")
        assert (second.returncode, len(second.stderr.splitlines())) == (3, 1)
        assert "another process writes the log" in second.stderr
        assert running.health(port)[0] == 200


def test_full_disk_stops_the_log_and_it_goes_on_when_there_is_room(live):
    env = running.environment(live["ASKFIRST_DATA"])
    folder = Path(env["ASKFIRST_DATA"])
    now = datetime.now(UTC)
    for number in range(250):
        add_entry(payload={"v": 1, "type": "test", "n": number, "text": "x" * 400}, subject="test", now=now)
    small = 60_000  # the bundle of these entries is larger: writing it fails in its midst
    ended = subprocess.run(
        [*running.SITE, "sequencer"],
        env=env,
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)),
    )
    assert ended.returncode == 3
    assert len(ended.stderr.strip().splitlines()[-1]) > 0
    assert not (folder / "log" / "checkpoint").exists() or running.checkpoint_size(folder) == 0
    with running.up(env):
        running.wait_for(lambda: running.checkpoint_size(folder) == 250, "all entries are in the log")
    assert sorted(Entry.objects.values_list("position", flat=True)) == list(range(250))
