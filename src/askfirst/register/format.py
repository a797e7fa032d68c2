"""The register's manifest: the one file that says what all others must be, as in `docs/formats/register.md`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from askfirst.canonical import canonical_json
from askfirst.errors import SnapshotCorruptError, VersionUnsupportedError

__all__ = [
    "ALGORITHMS",
    "MANIFEST_NAME",
    "SCHEMA",
    "FileEntry",
    "RegisterManifest",
    "canonical_json",
    "file_digest",
]

SCHEMA = "askfirst/register/v0"
MANIFEST_NAME = "manifest.json"
MANIFEST_LIMIT_BYTES = 16 << 20
"""No manifest of ours comes near this; a larger one is not read."""

ALGORITHMS = {
    "audio": "audio_v0",
    "descriptor": "descriptor_v0",
    "digest": "sha256",
    "image": "image_v0",
    "text": "text_v0",
    "url": "url_v0",
    "video": "video_v0",
}
"""Names of the algorithms whose fingerprints this format holds."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a register: where it is, how long, and its SHA-256 in hexadecimal."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RegisterManifest:
    """What a register is.

    Args:
        origin: Who publishes it, as a name with a domain, or `local`.
        size: Number of works.
        model: Id of the model that described the works' pictures; empty for none.
        media: Number of works of each medium.
        algorithms: Name of the algorithm of each kind of fingerprint.
        files: Every file of the register but the manifest, ordered by path.
    """

    origin: str
    size: int
    media: Mapping[str, int]
    model: str
    algorithms: Mapping[str, str]
    files: tuple[FileEntry, ...]

    @property
    def root(self) -> str:
        """SHA-256 over everything else in the manifest: one name for exactly this register."""
        return hashlib.sha256(canonical_json(self._body())).hexdigest()

    def _body(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "origin": self.origin,
            "size": self.size,
            "media": dict(self.media),
            "model": self.model,
            "algorithms": dict(self.algorithms),
            "files": [{"path": f.path, "size_bytes": f.size_bytes, "sha256": f.sha256} for f in self.files],
        }

    def encode(self) -> bytes:
        """Return the bytes of `manifest.json`."""
        return json.dumps({**self._body(), "root": self.root}, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> RegisterManifest:
        """Read `manifest.json`.

        Raises:
            VersionUnsupportedError: Another version of the format, or of an algorithm.
            SnapshotCorruptError: Not a manifest, or one whose root does not fit its text.
        """
        try:
            value = json.loads(data)
            schema = value["schema"]
        except (ValueError, KeyError, TypeError) as error:
            raise _corrupt("a JSON object with a schema", str(error)[:80]) from error
        if schema != SCHEMA:
            raise VersionUnsupportedError(
                f"this register is written in {schema!r}, this program reads {SCHEMA!r}",
                path=MANIFEST_NAME,
                expected=SCHEMA,
                found=str(schema),
                advice="build or pull the register again with this version, or use the version that wrote it",
            )
        try:
            manifest = cls(
                origin=str(value["origin"]),
                size=int(value["size"]),
                media={str(k): int(v) for k, v in value["media"].items()},
                model=str(value["model"]),
                algorithms={str(k): str(v) for k, v in value["algorithms"].items()},
                files=tuple(_entry(f) for f in value["files"]),
            )
            root = str(value["root"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _corrupt("the fields of a register's manifest", f"{type(error).__name__}: {error}") from error
        if root != manifest.root:
            raise _corrupt(f"root {manifest.root}", f"root {root}")
        if dict(manifest.algorithms) != ALGORITHMS:
            raise VersionUnsupportedError(
                f"this register holds fingerprints of {dict(manifest.algorithms)}, this program makes {ALGORITHMS}",
                path=MANIFEST_NAME,
                expected=str(ALGORITHMS),
                found=str(dict(manifest.algorithms)),
                advice="build or pull the register again with this version",
            )
        return manifest


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal. Cost: one pass, constant memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _entry(value: Mapping[str, Any]) -> FileEntry:
    path = str(value["path"])
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise ValueError(f"path {path!r} leaves the register")
    return FileEntry(path, int(value["size_bytes"]), str(value["sha256"]))


def _corrupt(expected: str, found: str) -> SnapshotCorruptError:
    return SnapshotCorruptError(
        f"{MANIFEST_NAME} of the register is damaged (expected {expected}, found {found})",
        path=MANIFEST_NAME,
        expected=expected,
        found=found,
        advice="build or pull the register again",
    )
