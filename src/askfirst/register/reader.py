"""Open a register: memory maps and small tables, in milliseconds, shared by every process of the machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from askfirst.errors import InputError, SnapshotCorruptError
from askfirst.model import Standing
from askfirst.policy import Policy
from askfirst.register.audio_index import AudioIndex
from askfirst.register.descriptor_index import DescriptorIndex
from askfirst.register.digest_index import DigestIndex
from askfirst.register.format import MANIFEST_LIMIT_BYTES, MANIFEST_NAME, RegisterManifest, file_digest
from askfirst.register.image_index import ImageIndex
from askfirst.register.terms import Terms, parse_terms, standing_of
from askfirst.register.text_index import TextIndex
from askfirst.register.url_index import UrlIndex
from askfirst.register.video_index import VideoIndex
from askfirst.register.whole_index import WholeIndex

__all__ = ["STANDINGS", "Register", "Standings", "Work", "verify_register"]

STANDINGS: tuple[Standing, ...] = tuple(Standing)
"""Standings in the order of their codes in columns: `STANDINGS[code]`."""

_TEXT_PREFIX = "text-"
_MAP_FROM_BYTES = 65_536
"""Smaller arrays are read: a memory map costs a page and a system call each."""


@dataclass(frozen=True, slots=True)
class Work:
    """One registered work."""

    work_id: str
    title: str
    creator: str
    terms: tuple[Terms, ...]
    contested: bool


@dataclass(frozen=True, slots=True)
class Standings:
    """The register's answers for one use, one day and one caller.

    Args:
        of_set: u8[sets], standing of each combination of terms, index into `STANDINGS`.
        terms_set: u32[size], combination of terms of each work.
        holder: u32[size], creator of each work.
        contested: u8[size], 1 where rights are contested.
        own: Index of the caller among the creators, or -1.
    """

    of_set: NDArray[np.uint8]
    terms_set: NDArray[np.uint32]
    holder: NDArray[np.uint32]
    contested: NDArray[np.uint8]
    own: int

    def of(self, work: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """Return the standing of each of these works: u8[m], index into `STANDINGS`.

        A contested work is contested whoever asks; a creator's own work is its own; else the terms speak.
        """
        standing = self.of_set[self.terms_set[work]] if len(work) else np.empty(0, np.uint8)
        standing = np.where(self.holder[work] == self.own, STANDINGS.index(Standing.OWN), standing)
        contested = STANDINGS.index(Standing.CONTESTED)
        return np.where(self.contested[work] != 0, contested, standing).astype(np.uint8)


class Register:
    """A register, opened.

    Reads the manifest and checks every file's presence and length; the digests of the files are checked by
    `verify_register`, which an audit runs beside its work.
    """

    def __init__(self, path: Path, manifest: RegisterManifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: str | Path) -> Register:
        """Open the register in a folder. Cost: milliseconds, whatever its size.

        Raises:
            InputError: There is no register.
            SnapshotCorruptError: A file is missing or has another length.
            VersionUnsupportedError: It was written in another version of the format.
        """
        folder = Path(path)
        manifest = _read_manifest(folder)
        for entry in manifest.files:
            file = folder / entry.path
            found = file.stat().st_size if file.is_file() else None
            if found != entry.size_bytes:
                raise _damaged(entry.path, f"{entry.size_bytes:,} bytes", _size_words(found))
        register = cls(folder, manifest)
        _ = (register.digests, register.urls, register.texts, register.images, register.sounds, register.films)
        _ = (register.descriptors, register.wholes, register.terms_sets)
        if len(register.holder) != manifest.size:
            raise _damaged("index/works/holder.npy", f"{manifest.size} works", str(len(register.holder)))
        return register

    @property
    def size(self) -> int:
        """Number of works."""
        return self.manifest.size

    @cached_property
    def terms(self) -> Mapping[str, Terms]:
        """Terms by name."""
        return {k: parse_terms(k, v) for k, v in self._json("terms.json").items()}

    @cached_property
    def terms_sets(self) -> tuple[tuple[Terms, ...], ...]:
        """Every combination of terms that a work has."""
        try:
            return tuple(tuple(self.terms[k] for k in names) for names in self._json("index/terms_sets.json"))
        except KeyError as error:
            raise _damaged("index/terms_sets.json", "names of terms.json", str(error)) from error

    @cached_property
    def digests(self) -> DigestIndex:
        """Exact copies."""
        return DigestIndex.from_arrays(self._arrays("digest"))

    @cached_property
    def urls(self) -> UrlIndex:
        """Addresses: URLs, prefixes, domains."""
        return UrlIndex.from_arrays(self._arrays("url"))

    @cached_property
    def images(self) -> ImageIndex:
        """Image hashes."""
        return ImageIndex.from_arrays(self._arrays("image"))

    @cached_property
    def descriptors(self) -> DescriptorIndex:
        """Descriptors of images, by the manifest's model."""
        return DescriptorIndex.from_arrays(self._arrays("descriptor"))

    @cached_property
    def sounds(self) -> AudioIndex:
        """Sound recordings, and the sound of films."""
        return AudioIndex.from_arrays(self._arrays("audio"))

    @cached_property
    def films(self) -> VideoIndex:
        """Frames of films, with their times."""
        return VideoIndex.from_arrays(self._arrays("video"))

    @cached_property
    def texts(self) -> Mapping[str, TextIndex]:
        """Passages, by the name of their density."""
        return {name: TextIndex.from_arrays(self._arrays(f"{_TEXT_PREFIX}{name}")) for name in ("k40w127", "k24w15")}

    @cached_property
    def wholes(self) -> WholeIndex:
        """Texts of very few letters."""
        return WholeIndex.from_arrays(self._arrays(f"{_TEXT_PREFIX}whole"))

    @cached_property
    def holder(self) -> NDArray[np.uint32]:
        """u32[size]: index of the work's creator in `holders`."""
        return self._array("index/works/holder.npy")

    @cached_property
    def holders(self) -> pa.StringArray:
        """Names of creators, sorted."""
        return self._arrow("index/holders.arrow")["creator"].combine_chunks()

    @cached_property
    def _works(self) -> pa.Table:
        return self._arrow("index/works.arrow")

    @cached_property
    def work_ids(self) -> pa.StringArray:
        """string[size]: identifiers of the works."""
        return self._works["work_id"].combine_chunks()

    @cached_property
    def contested(self) -> NDArray[np.uint8]:
        """u8[size]: 1 where rights in the work are contested."""
        return self._array("index/works/contested.npy")

    @cached_property
    def local_paths(self) -> pa.StringArray | None:
        """Where works lie at home, if this machine built the register; None after a download."""
        file = self.path / "local" / "paths.arrow"
        return self._arrow("local/paths.arrow")["path"].combine_chunks() if file.is_file() else None

    def standings(self, policy: Policy) -> Standings:
        """Return what the register says to the caller, ready to be asked for many works."""
        of_set = np.array([STANDINGS.index(standing_of(s, policy)) for s in self.terms_sets], np.uint8)
        own = pc.index(self.holders, policy.party).as_py() if policy.party else -1
        return Standings(of_set, self._array("index/works/terms_set.npy"), self.holder, self.contested, own)

    def work(self, index: int) -> Work:
        """Return one work by its index."""
        row = self._works.slice(index, 1).to_pylist()[0]
        terms = self.terms_sets[int(self._array("index/works/terms_set.npy")[index])]
        return Work(row["work_id"], row["title"], row["creator"], terms, bool(self.contested[index]))

    def find_work(self, work_id: str) -> Work | None:
        """Return one work by its identifier, or None. Cost: one pass over the identifiers."""
        index = pc.index(self.work_ids, work_id).as_py()
        return self.work(index) if index >= 0 else None

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_bytes())
        except ValueError as error:
            raise _damaged(name, "JSON", str(error)[:60]) from error

    def _arrow(self, name: str) -> pa.Table:
        try:
            return pa.ipc.open_file(pa.memory_map(str(self.path / name))).read_all()
        except pa.ArrowInvalid as error:
            raise _damaged(name, "an Arrow file", str(error)[:60]) from error

    def _arrays(self, name: str) -> dict[str, NDArray[Any]]:
        folder = f"index/{name}/"
        stems = [f.path for f in self.manifest.files if f.path.startswith(folder)]
        return {Path(path).stem: self._array(path) for path in stems}

    def _array(self, name: str) -> NDArray[Any]:
        file = self.path / name
        try:
            is_large = file.stat().st_size >= _MAP_FROM_BYTES
            array: NDArray[Any] = np.load(file, mmap_mode="r" if is_large else None, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _damaged(name, "a NumPy array", str(error)[:60]) from error
        # A plain array over the same map: the subclass slows every slice and is no other type of data.
        return array.view(np.ndarray)


def verify_register(path: str | Path) -> Iterator[tuple[str, int]]:
    """Check every file of a register against its manifest, one after the other.

    Yields:
        Path and size in bytes of each file that is as it should be.

    Raises:
        InputError, SnapshotCorruptError, VersionUnsupportedError: As `Register.open`; a file with another digest.
    """
    folder = Path(path)
    for entry in _read_manifest(folder).files:
        file = folder / entry.path
        found = file.stat().st_size if file.is_file() else None
        if found != entry.size_bytes:
            raise _damaged(entry.path, f"{entry.size_bytes:,} bytes", _size_words(found))
        digest = file_digest(file)
        if digest != entry.sha256:
            raise _damaged(entry.path, f"SHA-256 {entry.sha256[:16]}…", f"{digest[:16]}…")
        yield entry.path, entry.size_bytes


def _read_manifest(folder: Path) -> RegisterManifest:
    file = folder / MANIFEST_NAME
    if not file.is_file():
        what = "is not a register" if folder.exists() else "does not exist"
        raise InputError(
            f"{folder} {what}",
            kind="no-register",
            advice="make one with: askfirst register build WORKS --out DIR",
        )
    with file.open("rb") as stream:
        return RegisterManifest.decode(stream.read(MANIFEST_LIMIT_BYTES))


def _size_words(size: int | None) -> str:
    return "no such file" if size is None else f"{size:,} bytes"


def _damaged(name: str, expected: str, found: str) -> SnapshotCorruptError:
    return SnapshotCorruptError(
        f"the register's file {name} is damaged (expected {expected}, found {found})",
        path=name,
        expected=expected,
        found=found,
        advice="build or pull the register again",
    )
