"""A witness: remembers the newest checkpoint of each log it knows, and signs only what continues it.

Whoever runs one needs a machine, this command and a folder. The log cannot show two different lists of signatures
without all of its witnesses helping. Source: c2sp.org/tlog-witness.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Self

from askfirst.errors import AskFirstError, FormatError, InputError, ProofError
from askfirst.io.durable import replace_file
from askfirst.io.witness_server import Answer, WitnessServer
from askfirst.tlog.checkpoint import Checkpoint, parse_decimal
from askfirst.tlog.cosignature import CosignatureSigner
from askfirst.tlog.keys import decode_base64, encode_base64
from askfirst.tlog.note import NoteVerifier, open_note, split_note
from askfirst.tlog.tree import EMPTY_ROOT, HASH_BYTES, check_consistency

__all__ = ["Witness", "make_witness", "seen_logs", "serve_witness"]

_KEY = "witness.key"
_LOGS = "logs"
_PROOF_LIMIT = 63


class Witness:
    """A key, the logs it watches, and what it saw of each last. One process at a time.

    Args:
        state: Folder made by `make_witness`.
        logs: Keys of the logs it knows; a log's key has the log's name.
        now_s: Clock, in seconds since 1970.

    Raises:
        InputError: There is no witness in the folder.
        AskFirstError: Another process runs it.
    """

    def __init__(self, state: Path, logs: Sequence[NoteVerifier], now_s: Callable[[], float] = time.time) -> None:
        self.state = state
        self.signer = _load_key(state)
        self._now_s = now_s
        self._known: dict[str, list[NoteVerifier]] = {}
        for log in logs:
            self._known.setdefault(log.name, []).append(log)
        self._store = threading.Lock()
        self._process = _lock_folder(state)

    def close(self) -> None:
        """Let another process run this witness."""
        os.close(self._process)

    def __enter__(self) -> Self:
        """Return the witness."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let another process run this witness."""
        self.close()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a log: with a cosignature, or with the reason why there is none."""
        # 1. What is asked.
        try:
            old_size, proof, note = _parse_request(body)
            text, _ = split_note(note)
            checkpoint = Checkpoint.parse(text)
        except FormatError as error:
            return _refuse(HTTPStatus.BAD_REQUEST, error)
        # 2. Whether a log that we know says so.
        verifiers = self._known.get(checkpoint.origin)
        if verifiers is None:
            return Answer(HTTPStatus.NOT_FOUND, "unknown log\n")
        try:
            signed = open_note(note, verifiers).signatures
        except ProofError as error:
            return _refuse(HTTPStatus.FORBIDDEN, error)
        if old_size > checkpoint.size:
            return Answer(HTTPStatus.BAD_REQUEST, "the old size is larger than the checkpoint's\n")
        # 3. Compare with what we saw last, check, and remember: as one step, so that no other comes between.
        with self._store:
            return self._compare_and_store(checkpoint, note, (old_size, proof), signed)

    def latest(self, origin_hash: str) -> Answer:
        """Answer a monitor: with the newest checkpoint that we cosigned of a log."""
        for origin in self._known:
            if _hash_of(origin) == origin_hash and (note := self._last(origin)):
                return Answer(HTTPStatus.OK, note)
        return Answer(HTTPStatus.NOT_FOUND, "no checkpoint of this log was cosigned here\n")

    def _compare_and_store(
        self, checkpoint: Checkpoint, note: str, old: tuple[int, list[bytes]], signed: list[tuple[str, int]]
    ) -> Answer:
        (old_size, proof), last_note = old, self._last(checkpoint.origin)
        last = Checkpoint.parse(split_note(last_note)[0]) if last_note else Checkpoint(checkpoint.origin, 0, EMPTY_ROOT)
        if old_size != last.size:
            return Answer(HTTPStatus.CONFLICT, f"{last.size}\n", "text/x.tlog.size")
        try:
            check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, proof)
        except ProofError as error:
            return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, error)
        line = self.signer.cosign(checkpoint.body(), int(self._now_s()))
        own = "".join(_lines_by(note, signed))
        replace_file(self._path(checkpoint.origin), f"{checkpoint.body()}\n{own}{line}".encode())
        return Answer(HTTPStatus.OK, line)

    def _last(self, origin: str) -> str | None:
        try:
            return self._path(origin).read_bytes().decode()
        except FileNotFoundError:
            return None

    def _path(self, origin: str) -> Path:
        return self.state / _LOGS / _hash_of(origin)


def make_witness(name: str, state: Path) -> CosignatureSigner:
    """Make a witness with a new key in a new folder.

    Raises:
        InputError: There is one already, or the name cannot be a key's.
    """
    signer = CosignatureSigner.generate(name)
    key = state / _KEY
    if key.exists():
        raise InputError(
            f"there is a witness in {state} already", advice="a new key is a new witness: take a new folder"
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / _LOGS).mkdir(exist_ok=True)
    replace_file(key, f"{signer.dump()}\n".encode(), 0o600)
    return signer


def seen_logs(state: Path) -> Iterator[str]:
    """Yield the newest checkpoint that the witness in a folder cosigned of each log.

    Raises:
        InputError: There is no witness in the folder.
    """
    _load_key(state)
    for path in sorted((state / _LOGS).iterdir()):
        if not path.name.startswith("."):
            yield path.read_text("utf-8")


def serve_witness(state: Path, logs: Sequence[str], host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve a witness until the process is ended or interrupted.

    Args:
        state: Its folder.
        logs: Verifier keys of the logs it knows.
        host: Address to listen at.
        port: Port to listen at; 0 for any that is free.
        say: Called with one line for every request, and at the start.
    """
    verifiers = [NoteVerifier.parse(log) for log in logs]
    with Witness(state, verifiers) as witness, _server(witness, host, port, say) as server:
        say(f"witness {witness.signer.verifier.vkey}")
        say(f"watches {', '.join(log.name for log in verifiers)} at http://{host}:{server.server_address[1]}/")
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _server(witness: Witness, host: str, port: int, say: Callable[[str], None]) -> WitnessServer:
    try:
        return WitnessServer(host, port, witness.add_checkpoint, witness.latest, say)
    except (OSError, OverflowError) as error:
        raise InputError(f"{host}:{port} cannot be listened at: {error}", advice="take another port") from error


def _parse_request(body: bytes) -> tuple[int, list[bytes], str]:
    try:
        head, _, note = body.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise FormatError("the request is not text") from error
    first, *lines = head.split("\n")
    if not first.startswith("old ") or len(lines) > _PROOF_LIMIT:
        raise FormatError("a request is `old SIZE`, up to 63 hashes, an empty line and a checkpoint")
    proof = [decode_base64(line) for line in lines]
    if any(len(each) != HASH_BYTES for each in proof):
        raise FormatError("a line of the proof is not 32 bytes of base64")
    return parse_decimal(first.removeprefix("old ")), proof, note


def _lines_by(note: str, signed: list[tuple[str, int]]) -> Iterator[str]:
    for name, key_id, signature in split_note(note)[1]:
        if (name, key_id) in signed:
            yield f"— {name} {encode_base64(key_id.to_bytes(4) + signature)}\n"


def _hash_of(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def _load_key(state: Path) -> CosignatureSigner:
    try:
        text = (state / _KEY).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"there is no witness in {state}", advice="make one: askfirst witness init") from error
    return CosignatureSigner.load(text)


def _lock_folder(state: Path) -> int:
    lock = os.open(state / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise AskFirstError(f"another process runs the witness in {state}", advice="let one run") from error
    return lock


def _refuse(status: HTTPStatus, error: AskFirstError) -> Answer:
    return Answer(status, f"{error.message}\n")
