"""A log on disk: the files that a log is made of, written so that a stop at any moment leaves the last finished state.

checkpoint               the signed head, replaced as a whole
tile/L/..., tile/entries/...   as in `askfirst.tlog.tiles`; they never change once published
.state                   size and root up to which everything is durable; what lies beyond is not there yet
.lock, .new/             one writer at a time; files on their way
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Self

from askfirst.errors import AskFirstError, FormatError, InputError
from askfirst.io.checkpoint_signer import CheckpointSigner
from askfirst.io.durable import replace_file, sync_folder, write_durably
from askfirst.tlog import tiles, tree
from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.note import split_note

__all__ = ["CheckpointSigner", "LogFolder"]

CHECKPOINT = "checkpoint"
_STATE = ".state"
_SYNC_THREADS = 16
"""Disks join the flushes of files that wait at the same time: sixteen at once cost a third of one after the other."""
_TILES_KEPT = 64


class LogFolder:
    """A log in a folder that any web server can publish as it is. Many may read it, one writes.

    Whoever appends decides first and durably which entry has which position, then appends from `size` on. An append
    that was stopped, or whose checkpoint was never signed, is done again the same way and gives the same bytes.

    Args:
        path: The folder; made with the first append.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock: int | None = None
        self._pool = ThreadPoolExecutor(_SYNC_THREADS)
        self._load()

    @property
    def size(self) -> int:
        """Entries that are durable."""
        return self._size

    @property
    def root(self) -> bytes:
        """Root over them."""
        return self._root

    def append(self, entries: Sequence[bytes]) -> None:
        """Append entries; they are durable when this returns.

        Args:
            entries: Each at most 65,535 bytes.

        Raises:
            InputError: An entry is longer; none was appended.
            AskFirstError: Another process writes this log.

        Cost:
            About 4 us an entry in batches of thousands; one batch costs at least some 10 ms of flushing.
        """
        if max(map(len, entries), default=0) > tiles.ENTRY_LIMIT_BYTES:
            raise InputError(f"an entry of a log has at most {tiles.ENTRY_LIMIT_BYTES:,} bytes", kind="too-large")
        self._own()
        if not entries:
            return
        # 1. The right edge: what the last, unfinished bundle and tiles hold.
        # 2. New bundles and tiles in `.new/`, flushed, then moved to their places, which nobody reads yet.
        # 3. `.state` says how far they count; before it nothing was appended, after it everything.
        # 4. Unfinished tiles that have become full are dropped.
        size = self._size + len(entries)
        with _Batch(self.path, self._pool) as batch:
            self._write_bundles(batch, entries)
            row, level = [tree.leaf_hash(entry) for entry in entries], 0
            while row:
                row, level = self._write_tiles(batch, level, row), level + 1
        self._set_state(size, tree.root_at(_Tiles(self.path, size).hashes, size))
        batch.drop_outgrown()

    def truncate_ahead(self, size: int) -> None:
        """Forget entries that were appended and not published: those from `size` on.

        Appending the same entries again gives the same bytes. Others may come instead, as long as nobody signed a
        checkpoint over the forgotten ones; a `CheckpointSigner` that did refuses from then on.

        Raises:
            InputError: A published checkpoint covers them, or there are not as many.
            AskFirstError: Another process writes this log.
        """
        self._own()
        published = self.checkpoint()
        least = Checkpoint.parse(split_note(published)[0]).size if published else 0
        if not least <= size <= self._size:
            raise InputError(
                f"a log of {self._size} entries, of which {least} are published, cannot go back to {size}",
                advice="entries that are published stay for ever",
            )
        self._set_state(size, self.root_at(size))

    def publish(self, note: str) -> None:
        """Replace the file `checkpoint`; it is durable when this returns.

        Args:
            note: The signed checkpoint, with or without cosignatures.

        Raises:
            InputError: It is not a checkpoint of the entries in this folder.
        """
        self._own()
        found = Checkpoint.parse(split_note(note)[0])
        if found.size > self._size or self.root_at(found.size) != found.root:
            raise InputError(f"this checkpoint of {found.size} entries is not one of the log in {self.path}")
        replace_file(self.path / CHECKPOINT, note.encode())

    def checkpoint(self) -> str | None:
        """Return the published checkpoint."""
        try:
            return (self.path / CHECKPOINT).read_bytes().decode()
        except FileNotFoundError:
            return None

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` entries."""
        if not 0 <= size <= self._size:
            raise InputError(f"a log of {self._size} entries has no root at {size}")
        return tree.root_at(self._tiles.hashes, size)

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the path from an entry to the root over the first `size` entries."""
        if size > self._size:
            raise InputError(f"a log of {self._size} entries has no tree of {size}")
        return tree.prove_inclusion(self._tiles.hashes, index, size)

    def prove_consistency(self, size1: int, size2: int) -> list[bytes]:
        """Return the hashes that show that the tree of size2 entries starts with that of size1."""
        if size2 > self._size:
            raise InputError(f"a log of {self._size} entries has no tree of {size2}")
        return tree.prove_consistency(self._tiles.hashes, size1, size2)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Read entries.

        Args:
            start: Position of the first.
            stop: Position after the last; by default the log's size.

        Yields:
            Their bytes, bundle by bundle.
        """
        stop = self._size if stop is None else min(stop, self._size)
        for index in range(start // tiles.TILE_WIDTH, -(-stop // tiles.TILE_WIDTH)):
            width, first = tiles.tile_width(0, index, self._size), index * tiles.TILE_WIDTH
            bundle = list(self._tiles.bundle(index, width))
            yield from bundle[max(0, start - first) : stop - first]

    def close(self) -> None:
        """Let another process write."""
        self._pool.shutdown()
        self._pool = ThreadPoolExecutor(_SYNC_THREADS)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Let another process write."""
        self.close()

    def _load(self) -> None:
        size, root = _read_state(self.path, self.checkpoint())
        self._size, self._root, self._tiles = size, root, _Tiles(self.path, size)
        if tree.root_at(self._tiles.hashes, size) != root:
            raise FormatError(
                f"the tiles of the log in {self.path} do not give its root",
                path=str(self.path),
                expected=root.hex(),
                advice="restore the folder from a copy; a log is never repaired by hand",
            )

    def _own(self) -> None:
        """Become the one writer, and see what the one before wrote."""
        if self._lock is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise AskFirstError(f"another process writes the log in {self.path}", advice="let one write") from error
        self._lock = lock
        rmtree(self.path / ".new", ignore_errors=True)
        self._load()

    def _set_state(self, size: int, root: bytes) -> None:
        state = json.dumps({"size": size, "root": root.hex()})
        replace_file(self.path / _STATE, state.encode() + b"\n")
        self._size, self._root, self._tiles = size, root, _Tiles(self.path, size)

    def _write_bundles(self, batch: _Batch, entries: Sequence[bytes]) -> None:
        index, width = divmod(self._size, tiles.TILE_WIDTH)
        held = list(self._tiles.bundle(index, width)) if width else []
        at = 0
        while at < len(entries):
            step = entries[at : at + tiles.TILE_WIDTH - len(held)]
            held += step
            batch.write(tiles.entry_bundle_path(index, len(held)), tiles.bundle_of(held))
            at, index, held = at + len(step), index + 1, []

    def _write_tiles(self, batch: _Batch, level: int, new: Sequence[bytes]) -> list[bytes]:
        """Write the tiles of a level that new hashes fall into; return the hashes of those that became full."""
        index, width = divmod(self._size >> (tiles.TILE_LEVELS * level), tiles.TILE_WIDTH)
        held = self._tiles.tile(level, index, width) if width else b""
        data = held + b"".join(new)
        full = []
        full_bytes = tiles.TILE_WIDTH * tree.HASH_BYTES
        for at in range(0, len(data), full_bytes):
            tile = data[at : at + full_bytes]
            batch.write(tiles.tile_path(level, index, len(tile) // tree.HASH_BYTES), tile)
            if len(tile) == full_bytes:
                full.append(tiles.hash_of_tile(tile))
            index += 1
        return full


class _Tiles:
    """Reads the tiles of a log of one size."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self.tile = lru_cache(_TILES_KEPT)(self._tile)

    def hashes(self, nodes: Sequence[tree.Node]) -> list[bytes]:
        """Return the hashes of nodes."""
        return [self._hash(node) for node in nodes]

    def bundle(self, index: int, width: int) -> Iterator[bytes]:
        """Read the first entries of a bundle."""
        path = tiles.entry_bundle_path(index, width)
        data = self._read(path)
        if data is None:
            full = self._read(tiles.full_path(path))
            if full is None:
                raise _missing(self.path, path)
            return islice(tiles.entries_of(full, tiles.TILE_WIDTH, path), width)
        return tiles.entries_of(data, width, path)

    def _hash(self, node: tree.Node) -> bytes:
        level, index = tiles.tile_of_node(node)
        return tiles.hash_in_tile(self.tile(level, index, tiles.tile_width(level, index, self.size)), node)

    def _tile(self, level: int, index: int, width: int) -> bytes:
        path = tiles.tile_path(level, index, width)
        data = self._read(path)
        if data is None:
            # The tile has become full since, or this log went back to before it did.
            full = self._read(tiles.full_path(path))
            if full is None:
                raise _missing(self.path, path)
            tiles.hashes_of_tile(full, tiles.TILE_WIDTH, path)
            return full[: width * tree.HASH_BYTES]
        tiles.hashes_of_tile(data, width, path)
        return data

    def _read(self, path: str) -> bytes | None:
        try:
            return (self.path / path).read_bytes()
        except FileNotFoundError:
            return None


class _Batch:
    """Files of one append: written and flushed beside their places by threads, while the next are being made."""

    def __init__(self, path: Path, pool: ThreadPoolExecutor) -> None:
        self.path = path
        self.new = path / ".new"
        self.folders: set[Path] = set()
        self.full: list[Path] = []
        self.pool = pool
        self.running: list[Future[None]] = []

    def __enter__(self) -> Self:
        self.new.mkdir(exist_ok=True)
        return self

    def __exit__(self, kind: object, *_exception: object) -> None:
        """Wait until every file is in its place for good."""
        wait(self.running)
        if kind is None:
            for each in self.running:
                each.result()
            list(self.pool.map(sync_folder, self.folders))

    def write(self, path: str, data: bytes) -> None:
        """Write one file."""
        place = self.path / path
        if place.parent not in self.folders:
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True)
                self.folders.update(parent for parent in place.parents if parent.is_relative_to(self.path))
            self.folders.add(place.parent)
        if place.parent.suffix != ".p":
            self.full.append(place)
        self.running.append(self.pool.submit(write_durably, self.new / str(len(self.running)), place, data))

    def drop_outgrown(self) -> None:
        """Remove the unfinished states of tiles that are full now. Readers know to take the full one."""
        for place in self.full:
            rmtree(place.with_name(place.name + ".p"), ignore_errors=True)


def _read_state(path: Path, checkpoint: str | None) -> tuple[int, bytes]:
    """Return size and root that a log in a folder has; of a mere copy of its public files, those of its checkpoint."""
    try:
        state = json.loads((path / _STATE).read_bytes())
        return int(state["size"]), bytes.fromhex(state["root"])
    except FileNotFoundError:
        if checkpoint is None:
            return 0, tree.EMPTY_ROOT
        head = Checkpoint.parse(split_note(checkpoint)[0])
        return head.size, head.root
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"the state of the log in {path} cannot be read", path=_STATE) from error


def _missing(folder: Path, path: str) -> FormatError:
    return FormatError(f"the log in {folder} has no {path}", path=path, advice="restore the folder from a copy")
