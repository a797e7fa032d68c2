"""The witness: the answers that c2sp.org/tlog-witness asks for, and a memory that nothing rolls back."""

import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from http import HTTPStatus
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "proof"))
from scene import LOG, OTHER_LOG, TIME_S, entries_of, publish, witnessed

from askfirst.errors import AskFirstError, ConfigError, FetchError, InputError
from askfirst.io.log_files import LogFolder
from askfirst.io.witness_client import WitnessConflictError, request_cosignature
from askfirst.jobs.witness import Witness, _server, make_witness, seen_logs
from askfirst.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    CosignatureSigner,
    NoteSigner,
    add_cosignature,
    leaf_hash,
    open_note,
    sign_note,
)
from askfirst.tlog.keys import encode_base64


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    with LogFolder(tmp_path_factory.mktemp("witnessed") / "log") as log:
        log.append(entries_of(600))
    return log


@pytest.fixture
def state(tmp_path):
    make_witness("example.org/guild", tmp_path / "witness")
    return tmp_path / "witness"


@pytest.fixture
def witness(state):
    with Witness(state, [LOG.verifier], lambda: TIME_S + 0.7) as witness:
        yield witness


def note(log, size, signer=LOG):
    return sign_note(Checkpoint(signer.name, size, log.root_at(size)).body(), [signer])


def ask(witness, old, proof, text):
    lines = [f"old {old}", *(encode_base64(each) for each in proof), "", text]
    answer = witness.add_checkpoint("\n".join(lines).encode())
    return answer.status.value, answer.text


def grow(witness, log, old, new):
    return ask(witness, old, log.prove_consistency(old, new) if old else [], note(log, new))


def test_log_that_grows_is_cosigned(witness, log):
    for old, new in [(0, 0), (0, 5), (5, 5), (5, 256), (256, 600)]:
        status, line = grow(witness, log, old, new)
        assert status == 200
        opened = open_note(add_cosignature(note(log, new), line, [witness.signer.verifier]), [witness.signer.verifier])
        assert opened.times == {("example.org/guild", witness.signer.verifier.key_id): TIME_S}
        assert opened.body == note(log, new).partition("\n\n")[0] + "\n"


def test_old_size_that_is_not_the_last_is_a_conflict_with_the_last(witness, log):
    grow(witness, log, 0, 100)
    for old in (0, 50, 101):
        answer = witness.add_checkpoint(f"old {old}\n\n{note(log, 200)}".encode())
        assert (answer.status, answer.text, answer.media_type) == (HTTPStatus.CONFLICT, "100\n", "text/x.tlog.size")
    assert grow(witness, log, 100, 200)[0] == 200


def test_old_size_above_the_checkpoint_is_a_bad_request(witness, log):
    grow(witness, log, 0, 100)
    assert ask(witness, 100, [], note(log, 99))[0] == 400


def test_log_that_is_not_known_is_not_found(witness, log):
    stranger = NoteSigner.generate("example.org/stranger")
    assert ask(witness, 0, [], note(log, 5, stranger)) == (404, "unknown log\n")


def test_checkpoint_that_the_log_did_not_sign_is_forbidden(witness, log):
    good, other = note(log, 5), note(log, 6)
    bad = good.rpartition("\n\n")[0] + "\n\n" + other.rpartition("\n\n")[2]
    for text in (note(log, 5, OTHER_LOG), bad, note(log, 5, OTHER_LOG) + other.rpartition("\n\n")[2]):
        assert ask(witness, 0, [], text)[0] == 403
    assert ask(witness, 0, [], good + note(log, 5, OTHER_LOG).rpartition("\n\n")[2])[0] == 200


def test_proof_that_does_not_hold_is_refused(witness, log):
    grow(witness, log, 0, 100)
    proof = log.prove_consistency(100, 200)
    for wrong in ([], proof[:-1], [*proof, proof[0]], [proof[0], *proof], [leaf_hash(b"?"), *proof[1:]]):
        assert ask(witness, 100, wrong, note(log, 200))[0] == 422
    assert ask(witness, 100, proof, note(log, 200))[0] == 200


def test_first_checkpoint_with_a_proof_is_refused(witness, log):
    assert ask(witness, 0, [leaf_hash(b"?")], note(log, 5))[0] == 422


def test_empty_log_with_another_root_is_refused(witness):
    body = Checkpoint(LOG.name, 0, leaf_hash(b"?")).body()
    assert ask(witness, 0, [], sign_note(body, [LOG]))[0] == 422
    assert ask(witness, 0, [], sign_note(Checkpoint(LOG.name, 0, EMPTY_ROOT).body(), [LOG]))[0] == 200


def test_fork_is_never_cosigned(witness, log, tmp_path):
    grow(witness, log, 0, 100)
    entries = entries_of(200)
    entries[50] = b"another"
    with LogFolder(tmp_path / "fork") as fork:
        fork.append(entries)
        assert ask(witness, 100, [], note(fork, 100))[0] == 422
        assert grow(witness, fork, 100, 200)[0] == 422
    assert grow(witness, log, 100, 200)[0] == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"",
        lambda body: b"\xff" + body,
        lambda body: body[4:],
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0", b"old 9" + b"9" * 40),
        lambda body: body.replace(b"old 0\n", b"old 0"),
        lambda body: body.replace(b"old 0\n", b"old 0\nnot base64\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63),
        lambda body: body[:-1],
        lambda body: body.replace(b"\n5\n", b"\nfive\n"),
        lambda body: body.partition(b"\n\n")[0] + b"\n\n",
    ],
)
def test_request_that_is_malformed_is_a_bad_request(witness, log, spoil):
    body = f"old 0\n\n{note(log, 5)}".encode()
    assert witness.add_checkpoint(spoil(body)).status == HTTPStatus.BAD_REQUEST
    assert witness.add_checkpoint(body).status == HTTPStatus.OK


def test_memory_is_kept_over_a_restart(state, log):
    with Witness(state, [LOG.verifier]) as first:
        grow(first, log, 0, 100)
        with pytest.raises(AskFirstError, match="another process"):
            Witness(state, [LOG.verifier])
    with Witness(state, [LOG.verifier]) as second:
        assert ask(second, 0, [], note(log, 200))[:2] == (409, "100\n")
        assert grow(second, log, 100, 200)[0] == 200


def test_newest_checkpoint_is_shown_to_monitors(witness, log):
    origin_hash = hashlib.sha256(LOG.name.encode()).hexdigest()
    assert witness.latest(origin_hash).status == HTTPStatus.NOT_FOUND
    grow(witness, log, 0, 100)
    grow(witness, log, 100, 200)
    answer = witness.latest(origin_hash)
    opened = open_note(answer.text, [LOG.verifier, witness.signer.verifier])
    assert len(opened.signatures) == 2
    assert Checkpoint.parse(opened.body).size == 200
    assert list(seen_logs(witness.state)) == [answer.text]
    assert witness.latest("../witness.key").status == HTTPStatus.NOT_FOUND


def test_many_at_once_never_roll_back(witness, log):
    """Thirty requests race: whoever is late hears where the witness is; sizes only grow."""
    grow(witness, log, 0, 1)
    seen, start = [], threading.Barrier(10)

    def race(seed):
        start.wait()
        old = 1
        for step in range(1, 20):
            new = min(600, old + 1 + (seed * step) % 40)
            status, text = grow(witness, log, old, new)
            assert status in {200, 409}, text
            seen.append(new if status == 200 else 0)
            old = new if status == 200 else int(text)

    threads = [threading.Thread(target=race, args=(seed,)) for seed in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = int(ask(witness, 0, [], note(log, 600))[1])
    assert last == max(seen)
    stored = next(seen_logs(witness.state))
    assert Checkpoint.parse(stored.partition("\n\n")[0] + "\n").size == last


@pytest.fixture
def address(witness):
    lines = []
    with _server(witness, "127.0.0.1", 0, lines.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_client_gets_a_cosignature_over_http(address, witness, log):
    line = request_cosignature(address, 0, [], note(log, 100))
    line = request_cosignature(address + "/", 100, log.prove_consistency(100, 200), note(log, 200))
    assert witnessed(note(log, 200), []) + line == add_cosignature(note(log, 200), line, [witness.signer.verifier])
    with pytest.raises(WitnessConflictError, match="last saw 200 entries, not 0") as raised:
        request_cosignature(address, 0, [], note(log, 300))
    assert raised.value.size == 200
    with pytest.raises(FetchError, match="refuses with status 403"):
        request_cosignature(address, 200, [], note(log, 200, OTHER_LOG))


def test_client_does_not_wait_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(FetchError, match="cannot be asked"):
        request_cosignature(f"http://127.0.0.1:{deaf.getsockname()[1]}", 0, [], "x", timeout_s=0.1)
    with pytest.raises(ConfigError, match="not the address"):
        request_cosignature("ftp://example.org", 0, [], "x")


def exchange(address, request):
    """Send bytes, return the status of the answer."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return int(connection.makefile("rb").readline().split(b" ")[1])


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 131073\r\n\r\n", 413),
        (b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400),
        (b"POST /sign HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"GET /../witness.key/checkpoint HTTP/1.1\r\n\r\n", 404),
        (b"PUT / HTTP/1.1\r\n\r\n", 501),
    ],
)
def test_server_refuses_what_it_does_not_serve(address, request_bytes, status):
    assert exchange(address, request_bytes) == status


def test_server_keeps_a_connection_for_more_requests(address, log):
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    for old, new in ((0, 5), (5, 9)):
        proof = "".join(f"{encode_base64(each)}\n" for each in log.prove_consistency(old, new))
        connection.request("POST", "/add-checkpoint", f"old {old}\n{proof}\n{note(log, new)}".encode())
        response = connection.getresponse()
        assert (response.status, response.read()[:3]) == (200, "—".encode())
        kept = connection.sock
    assert connection.sock is kept
    connection.close()


def test_witness_is_made_once_and_its_key_is_secret(state):
    with pytest.raises(InputError, match="already"):
        make_witness("example.org/guild", state)
    assert (state / "witness.key").stat().st_mode & 0o077 == 0
    assert CosignatureSigner.load((state / "witness.key").read_text()).name == "example.org/guild"


def test_witness_that_was_not_made_cannot_be_run(tmp_path):
    with pytest.raises(InputError, match="no witness"):
        Witness(tmp_path, [LOG.verifier])
    with pytest.raises(InputError, match="no name"):
        make_witness("a name", tmp_path / "witness")
    assert not (tmp_path / "witness").exists()


def test_commands_make_and_run_a_witness_and_verify_accepts_it(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "askfirst", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    made = run("witness", "init", "--name", "example.org/guild", "--state", tmp_path / "witness")
    vkey = made.stdout.strip()
    assert (made.returncode, vkey.partition("+")[0]) == (0, "example.org/guild")
    command = [sys.executable, "-m", "askfirst", "witness", "serve", "--state", str(tmp_path / "witness")]
    command += ["--log", LOG.verifier.vkey, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr.readline() == f"witness {vkey}\n"
        address = server.stderr.readline().strip().rpartition(" at ")[2]
        log = publish(tmp_path / "log", entries_of(50), [])
        line = request_cosignature(address, 0, [], log.checkpoint())
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 0
    note_text = log.checkpoint() + line
    (tmp_path / "log" / "checkpoint").write_text(note_text)
    result = run("verify", "--log", tmp_path / "log", "--key", LOG.verifier.vkey, "--witness", vkey, "--json")
    assert result.returncode == 0, result.stdout
    assert list(json.loads(result.stdout)["findings"][0]["facts"]["witnesses"]) == ["example.org/guild"]
    assert run("witness", "log", "--state", tmp_path / "witness").stdout == note_text + "\n"
    again = run("witness", "init", "--name", "example.org/guild", "--state", tmp_path / "witness")
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
    assert [path.name for path in (tmp_path / "witness" / "logs").iterdir()] == [
        hashlib.sha256(LOG.name.encode()).hexdigest()
    ]
