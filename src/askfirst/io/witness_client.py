"""Asks a witness for its cosignature, over http or https. Source: c2sp.org/tlog-witness."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from askfirst.errors import ConfigError, FetchError, FormatError
from askfirst.tlog.checkpoint import parse_decimal
from askfirst.tlog.keys import encode_base64

__all__ = ["WitnessConflictError", "request_cosignature"]

_ANSWER_LIMIT_BYTES = 1 << 16


class WitnessConflictError(FetchError):
    """The witness last saw another size than we thought: ask again with a proof from `size`."""

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


def request_cosignature(url: str, old_size: int, proof: Sequence[bytes], note: str, timeout_s: float = 10.0) -> str:
    """Return a witness's signature lines for a checkpoint; `add_cosignature` checks and adds them.

    Args:
        url: The witness's address, to which `add-checkpoint` is appended.
        old_size: The size it cosigned last; 0 if that is not known.
        proof: That the checkpoint continues that size; empty for 0.
        note: The signed checkpoint.
        timeout_s: For each step of the connection.

    Raises:
        WitnessConflictError: It cosigned another size last; the error says which.
        FetchError: It cannot be reached, or refuses.
        ConfigError: The address is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{url} is not the address of a witness", key="witness", value=url)
    body = "".join([f"old {old_size}\n", *(f"{encode_base64(each)}\n" for each in proof), "\n", note])
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    )
    path = f"{parts.path.rstrip('/')}/add-checkpoint"
    try:
        connection.request("POST", path, body.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        response = connection.getresponse()
        answer = response.read(_ANSWER_LIMIT_BYTES).decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise FetchError(f"the witness at {url} cannot be asked: {str(error) or type(error).__name__}") from error
    finally:
        connection.close()
    if response.status == http.client.CONFLICT:
        try:
            size = parse_decimal(answer.removesuffix("\n"))
        except FormatError as error:
            raise FetchError(f"the witness at {url} answers with a size that is none") from error
        raise WitnessConflictError(f"the witness at {url} last saw {size} entries, not {old_size}", size=size)
    if response.status != http.client.OK:
        words = " ".join(answer.split())[:200]
        raise FetchError(f"the witness at {url} refuses with status {response.status}: {words}")
    return answer
