"""Check a whole log: read every entry, make the tree again, compare every tile, count again.

Of what the log says about itself only its signature is believed, and that is compared with what it signed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import tee
from typing import Any

from askfirst.errors import FormatError, ProofError
from askfirst.proof.finding import Finding, Head, Reason, Trust, find, head_reasons, open_head
from askfirst.proof.receipt import Receipt
from askfirst.proof.recount import Recount, StatementCount
from askfirst.tlog import tiles, tree
from askfirst.tlog.checkpoint import Checkpoint
from askfirst.tlog.entries import Sign, manifest_digest, parse_entry

__all__ = ["ReadMany", "verify_log"]

ReadMany = Callable[[Iterable[tuple[str, int]]], Iterator[bytes | None]]
"""Reads files of a log by path, at most so many bytes each, in the order asked for; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class _Replay:
    """What reading a whole log gave."""

    rows: list[list[bytes]]
    leaves: dict[int, list[bytes]]
    count: Recount
    statements: dict[str, StatementCount]
    entries: dict[int, bytes]

    def root_at(self, size: int) -> bytes:
        """Return the root over the first entries; `leaves` must hold those of the tile where they end."""
        return tree.root_at(lambda nodes: [self._hash(node) for node in nodes], size)

    def _hash(self, node: tree.Node) -> bytes:
        level, index = node
        row, step = divmod(level, tiles.TILE_LEVELS)
        if row:
            hashes = self.rows[row][index << step : (index + 1) << step]
        else:
            tile, first = divmod(index << step, tiles.TILE_WIDTH)
            hashes = self.leaves[tile][first : first + (1 << step)]
        return tree.root_of(hashes)


def verify_log(
    note: str | None,
    read_many: ReadMany,
    trust: Trust,
    since: str | None = None,
    receipt: Receipt | None = None,
    statement: Mapping[str, Any] | None = None,
) -> Finding:
    """Check a whole log.

    Args:
        note: Its checkpoint, as published.
        read_many: Reads its tiles and bundles.
        trust: Whose signatures count.
        since: The checkpoint that was seen last time: the log must continue it.
        receipt: A receipt that was found good: its entry must be in this log, and still count.
        statement: A statement's texts: the log must have announced exactly these.

    Returns:
        Yes or no, with reasons; facts hold the numbers of every statement.

    Cost:
        About 10 us an entry; memory for 3 bytes an entry and a hash for every 256.
    """

    def steps(reasons: list[Reason], facts: dict[str, Any]) -> None:
        # 1. The log's head: signed by the log, seen by witnesses.
        if note is None:
            raise FormatError("this log has published no checkpoint")
        head = open_head(note, trust)
        size = head.checkpoint.size
        facts |= {"log": head.checkpoint.origin, "size": size, "root": head.checkpoint.root.hex()}
        facts["witnesses"] = dict(head.witnessed)
        reasons += head_reasons(head, trust)
        # 2. Neither rolled back since last time, nor since the receipt was made.
        earlier = list(_earlier(head, trust, since, receipt))
        # 3. Every entry and every tile, and from them the root.
        indexes = [index for index in (_index_of(receipt), _of(receipt)) if index is not None]
        replay = _replay(size, read_many, {checkpoint.size for _, checkpoint in earlier}, indexes)
        if replay.root_at(size) != head.checkpoint.root:
            raise ProofError("the entries of this log do not give the root that it signed", kind="root")
        reasons.append(Reason(True, f"all {size:,} entries and all tiles give exactly the root that was signed"))
        # 4. What was seen earlier is the beginning of this log.
        for words, checkpoint in earlier:
            if replay.root_at(checkpoint.size) != checkpoint.root:
                raise ProofError(
                    f"forked: {words} had other entries than this log among the first {checkpoint.size:,}",
                    kind="forked",
                )
            reasons.append(Reason(True, f"{words}, of {checkpoint.size:,} entries, is the beginning of this log"))
        # 5. The numbers.
        facts["statements"] = {name: count.as_dict() for name, count in sorted(replay.statements.items())}
        reasons += _count_reasons(replay.statements)
        # 6. The statement's texts.
        if statement is not None:
            reasons.append(_statement_reason(statement, replay.statements))
        # 7. The receipt's entry.
        if receipt is not None:
            reasons += _receipt_reasons(receipt, replay)

    return find("log", steps)


def _earlier(head: Head, trust: Trust, since: str | None, receipt: Receipt | None) -> Iterator[tuple[str, Checkpoint]]:
    """Yield what the log signed before, checked to be of this log and not longer than it is now."""
    keys_only = Trust(trust.logs)
    notes = [("the checkpoint of last time", since), ("the receipt's checkpoint", _note_of(receipt))]
    for words, note in notes:
        if note is None:
            continue
        checkpoint = open_head(note, keys_only).checkpoint
        if checkpoint.origin != head.checkpoint.origin:
            raise ProofError(f"{words} is one of another log, {checkpoint.origin}", kind="origin")
        if checkpoint.size > head.checkpoint.size:
            now, then = head.checkpoint.size, checkpoint.size
            raise ProofError(f"rolled back: this log has {now:,} entries, {words} has {then:,}", kind="rolled-back")
        yield words, checkpoint


def _replay(size: int, read_many: ReadMany, ends: Iterable[int], indexes: Sequence[int]) -> _Replay:
    """Read every bundle with its tile, then the tiles above."""
    kept_tiles = {end // tiles.TILE_WIDTH for end in (*ends, size)}
    rows: list[list[bytes]] = [[], []]
    leaves: dict[int, list[bytes]] = {}
    count = Recount()
    kept: dict[int, bytes] = {}
    for index, (path, entries, hashes) in enumerate(_bundles(size, read_many)):
        found = [tree.leaf_hash(entry) for entry in entries]
        if found != hashes:
            raise ProofError(f"{path} does not fit its tile of hashes", kind="tile")
        count.add(entries)
        first = index * tiles.TILE_WIDTH
        kept |= {each: entries[each - first] for each in indexes if 0 <= each - first < len(entries)}
        if index in kept_tiles:
            leaves[index] = found
        if len(found) == tiles.TILE_WIDTH:
            rows[1].append(tree.root_of(found))
    while rows[-1]:
        _compare(len(rows) - 1, rows[-1], read_many)
        full = len(rows[-1]) // tiles.TILE_WIDTH
        rows.append([tree.root_of(rows[-1][at * tiles.TILE_WIDTH :][: tiles.TILE_WIDTH]) for at in range(full)])
    return _Replay(rows, leaves, count, count.finish(), kept)


def _bundles(size: int, read_many: ReadMany) -> Iterator[tuple[str, list[bytes], list[bytes]]]:
    """Yield path and entries of each bundle, with the hashes of its tile."""
    count = -(-size // tiles.TILE_WIDTH)
    paths = (
        path(index, tiles.tile_width(0, index, size))
        for index in range(count)
        for path in (tiles.entry_bundle_path, partial(tiles.tile_path, 0))
    )
    files = _read(paths, read_many)
    for index, (path, bundle, width) in enumerate(files):
        tile_path, tile, tile_width = next(files)
        used = tiles.tile_width(0, index, size)
        entries = list(tiles.entries_of(bundle, width, path))[:used]
        yield path, entries, tiles.hashes_of_tile(tile, tile_width, tile_path)[:used]


def _compare(level: int, row: list[bytes], read_many: ReadMany) -> None:
    """Compare the tiles of a level with what they must be."""
    starts = range(0, len(row), tiles.TILE_WIDTH)
    expected = [row[start : start + tiles.TILE_WIDTH] for start in starts]
    paths = (tiles.tile_path(level, index, len(hashes)) for index, hashes in enumerate(expected))
    for hashes, (path, tile, width) in zip(expected, _read(paths, read_many), strict=True):
        if tiles.hashes_of_tile(tile, width, path)[: len(hashes)] != hashes:
            raise ProofError(f"{path} does not fit the entries below it", kind="tile")


def _read(paths: Iterable[str], read_many: ReadMany) -> Iterator[tuple[str, bytes, int]]:
    """Yield path, file and width of each; the full one in place of an unfinished one that the log has dropped."""
    # Paths are made while files are read: a log that claims 2^60 entries ends with the first file it lacks.
    ours, asked = tee(paths)
    for path, data in zip(ours, read_many((path, _limit_bytes(path)) for path in asked), strict=True):
        full = tiles.full_path(path)
        if data is not None:
            yield path, data, tiles.TILE_WIDTH if full == path else int(path.rpartition("/")[2])
            continue
        found = next(read_many([(full, _limit_bytes(full))])) if full != path else None
        if found is None:
            raise FormatError(f"the log lacks {path}", path=path)
        yield full, found, tiles.TILE_WIDTH


def _limit_bytes(path: str) -> int:
    return tiles.BUNDLE_LIMIT_BYTES if "/entries/" in path else tiles.TILE_BYTES


def _count_reasons(statements: dict[str, StatementCount]) -> Iterator[Reason]:
    for name, count in sorted(statements.items()):
        people = f"{count.people:,} {'person' if count.people == 1 else 'people'}"
        organisations = f"{count.organisations:,} organisation{'' if count.organisations == 1 else 's'}"
        text = f"{name}: {people} and {organisations} have signed"
        if count.withdrawn or count.invalidated:
            text += f" ({count.withdrawn:,} more withdrew, {count.invalidated:,} more were removed)"
        yield Reason(True, text)
        for version in sorted(count.unannounced):
            yield Reason(None, f"{name}: version {version} was signed before the log said what its words are")
        for batch, (found, announced) in sorted(count.unfinished.items()):
            yield Reason(None, f"{name}: batch {batch} is to remove {announced:,} signatures, {found:,} of them so far")


def _statement_reason(statement: Mapping[str, Any], counts: dict[str, StatementCount]) -> Reason:
    name, version = str(statement["statement"]), int(statement["version"])
    digest = counts[name].manifests.get(version) if name in counts else None
    if digest is None:
        raise ProofError(f"the log never announced version {version} of {name!r}", kind="statement")
    if digest != manifest_digest(statement):
        raise ProofError(f"the log announced other words for version {version} of {name!r}", kind="statement")
    return Reason(True, f"the log announced exactly these words for version {version} of {name!r}")


def _receipt_reasons(receipt: Receipt, replay: _Replay) -> Iterator[Reason]:
    index, of = receipt.proof.index, _of(receipt)
    if replay.entries.get(index) != receipt.leaf():
        raise ProofError(f"entry {index} of this log is not the receipt's", kind="receipt")
    signature = index if of is None else of
    if of is not None:
        _check_corrected(receipt, replay, of)
        yield Reason(True, f"entry {of} signed what the receipt says")
    standing = replay.count.standing(signature)
    if standing != "counts":
        raise ProofError(f"the signature of entry {signature} was {standing} since", kind=standing)
    yield Reason(True, f"the signature of entry {signature} is in this log and counts")
    latest = replay.count.corrections.get(signature, index)
    if latest != index:
        yield Reason(None, f"the details about its signer were corrected since, in entry {latest}")


def _check_corrected(receipt: Receipt, replay: _Replay, of: int) -> None:
    entry = parse_entry(replay.entries[of]) if of in replay.entries else None
    if not isinstance(entry, Sign) or any(getattr(entry, name) != value for name, value in receipt.sign.items()):
        raise ProofError(f"entry {of} did not sign what the receipt says", kind="receipt")


def _note_of(receipt: Receipt | None) -> str | None:
    return receipt.proof.checkpoint_note if receipt else None


def _index_of(receipt: Receipt | None) -> int | None:
    return receipt.proof.index if receipt else None


def _of(receipt: Receipt | None) -> int | None:
    return int(receipt.correct["of"]) if receipt and receipt.correct else None
