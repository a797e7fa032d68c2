"""Ask witnesses to cosign the newest checkpoint: they saw it continue everything they saw before."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from askfirst.errors import AskFirstError, ConfigError, FetchError, ProofError
from askfirst.io.log_files import LogFolder
from askfirst.io.witness_client import WitnessConflictError, request_cosignature
from askfirst.tlog import CosignatureVerifier, add_cosignature
from askfirst_site.transparency.actions import raise_alarm
from askfirst_site.transparency.models import Checkpoint, Cosignature

__all__ = ["Witness", "collect_cosignatures", "read_witnesses"]

_TIMEOUT_S = 10.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who watches the log."""

    verifier: CosignatureVerifier
    url: str


def read_witnesses(path: Path | None) -> list[Witness]:
    """Read the file of witnesses: one `VKEY URL` a line; blank lines and lines that begin with # are left out.

    Raises:
        ConfigError: A line is neither.
    """
    if path is None:
        return []
    witnesses = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split()
        try:
            vkey, url = parts
            witnesses.append(Witness(CosignatureVerifier.parse(vkey), url))
        except (ValueError, AskFirstError) as error:
            raise ConfigError(
                f"line {number} of {path} names no witness",
                key="ASKFIRST_WITNESSES",
                value=line,
                advice="write its verifier key, a space, and its address",
            ) from error
    return witnesses


def collect_cosignatures(log: LogFolder, witnesses: list[Witness], now: datetime) -> tuple[int, str] | None:
    """Ask each witness about the newest checkpoint; keep what they sign.

    Args:
        log: The log's folder, read only.
        witnesses: Whom to ask.
        now: The time.

    Returns:
        Size and note of the checkpoint with the cosignatures there are; None if there is nothing new to ask about.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or newest.size == 0:
        return None
    has_asked = False
    for witness in witnesses:
        name = witness.verifier.name
        if newest.cosignatures.filter(witness=name).exists():
            continue
        has_asked = True
        try:
            line = _ask(log, witness, newest)
        except FetchError as error:
            _logger.warning("%s", error)
        except (ProofError, AskFirstError) as error:
            raise_alarm(kind="witness", detail=str(error), now=now)
        else:
            Cosignature.objects.get_or_create(checkpoint=newest, witness=name, defaults={"line": line, "at": now})
    if not has_asked:
        return None
    lines = newest.cosignatures.order_by("id").values_list("line", flat=True)
    return newest.size, newest.note + "".join(lines)


def _ask(log: LogFolder, witness: Witness, checkpoint: Checkpoint) -> str:
    """Return the good signature line of one witness."""
    last = Cosignature.objects.filter(witness=witness.verifier.name).order_by("-checkpoint__size").first()
    size = last.checkpoint.size if last else 0
    for attempt in range(2):
        proof = log.prove_consistency(size, checkpoint.size) if size else []
        try:
            answer = request_cosignature(witness.url, size, proof, checkpoint.note, _TIMEOUT_S)
        except WitnessConflictError as error:
            if attempt or not 0 <= error.size <= checkpoint.size:
                raise ProofError(
                    f"the witness {witness.verifier.name} has seen {error.size} entries, the log has {checkpoint.size}",
                    kind="witness",
                    advice="if the log was restored from a back-up, entries are missing",
                ) from error
            size = error.size
        else:
            return add_cosignature(checkpoint.note, answer, [witness.verifier]).removeprefix(checkpoint.note)
    raise AssertionError("the second attempt returns or raises")
