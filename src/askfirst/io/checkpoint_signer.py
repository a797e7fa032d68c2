"""Signs the heads of one log, and refuses to sign one that does not continue the last."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from askfirst.errors import FormatError, ProofError
from askfirst.io.durable import replace_file
from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.note import NoteSigner, sign_note
from askfirst.tlog.tree import check_consistency

__all__ = ["CheckpointSigner"]


class CheckpointSigner:
    """The key of a log with a memory of its own: where the log was when it last signed.

    Keep the state file with the key, away from the log and from its database: a restored backup of either cannot then
    make the log sign two stories.

    Args:
        state_file: Remembers origin, size and root; made with the first signature. Its folder must be there.
        signer: The key.
    """

    def __init__(self, state_file: str | Path, signer: NoteSigner) -> None:
        self.state_file = Path(state_file)
        self.signer = signer

    def sign(
        self, size: int, root: bytes, origin: str, prove_consistency: Callable[[int, int], Sequence[bytes]]
    ) -> str:
        """Return the signed checkpoint; what was signed is remembered durably before.

        Args:
            size: Entries in the log.
            root: Root over them.
            origin: Name of the log.
            prove_consistency: Called with the last size and this one, as `LogFolder.prove_consistency`.

        Raises:
            ProofError: The log is smaller than it was, or does not continue what it was. Never sign around this.
        """
        with self._alone():
            last = self.last()
            if last:
                if origin != last.origin:
                    raise ProofError(f"this key signs {last.origin}, not {origin}", kind="origin")
                if size < last.size:
                    raise ProofError(
                        f"the log has {size} entries and had {last.size} when it was last signed",
                        kind="rolled-back",
                        advice="restore the entries that are missing; without them it is another log",
                    )
                proof = prove_consistency(last.size, size) if last.size < size else []
                check_consistency(last.size, last.root, size, root, proof)
            state = {"origin": origin, "size": size, "root": root.hex()}
            replace_file(self.state_file, json.dumps(state).encode() + b"\n", 0o600)
            return sign_note(Checkpoint(origin, size, root).body(), [self.signer])

    def last(self) -> Checkpoint | None:
        """Return what was signed last.

        Raises:
            FormatError: The state file is damaged. A signer without its memory must not sign.
        """
        try:
            state = json.loads(self.state_file.read_bytes())
            return Checkpoint(str(state["origin"]), int(state["size"]), bytes.fromhex(state["root"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                f"{self.state_file} cannot be read",
                path=str(self.state_file),
                advice="restore it from the newest checkpoint that anybody has seen",
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = os.open(f"{self.state_file}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
