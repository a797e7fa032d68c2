"""The tree of a log: hashes, and proofs that an entry is in it and that a larger tree continues a smaller one.

A node is named by (level, index): the hash of the 2^level leaves from index * 2^level on. Only complete nodes have a
name; everything at the right edge of a tree is folded from them. Source: RFC 6962, 2.1; RFC 9162, 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from askfirst.errors import ProofError

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "SIZE_LIMIT",
    "GetHashes",
    "Node",
    "check_consistency",
    "check_inclusion",
    "leaf_hash",
    "node_hash",
    "nodes_of",
    "prove_consistency",
    "prove_inclusion",
    "root_at",
    "root_of",
]

HASH_BYTES = 32
SIZE_LIMIT = 2**63 - 1
EMPTY_ROOT = sha256().digest()
"""Root of a log without entries."""

Node = tuple[int, int]
GetHashes = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of complete nodes, in the order asked for."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from the hashes of its two halves."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaves, in one pass. Cost: memory for one hash a level."""
    stack: list[bytes] = []
    for count, leaf in enumerate(leaf_hashes):
        top = leaf
        # The ones at the end of `count` are the complete nodes that this leaf completes into larger ones.
        done = count
        while done & 1:
            top = node_hash(stack.pop(), top)
            done >>= 1
        stack.append(top)
    return _fold(stack) if stack else EMPTY_ROOT


def root_at(get_hashes: GetHashes, size: int) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _fold(get_hashes(nodes_of(0, size))) if size else EMPTY_ROOT


def nodes_of(start: int, stop: int) -> list[Node]:
    """Return the complete nodes that make up the subtree over leaves start to stop, from left to right."""
    nodes = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def prove_inclusion(get_hashes: GetHashes, index: int, size: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, from the leaf's sibling on.

    Raises:
        ProofError: There is no such leaf in a tree of this size.
    """
    if not 0 <= index < size <= SIZE_LIMIT:
        raise ProofError(f"a log of {size} entries has no entry {index}", kind="inclusion")
    ranges, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + _largest_power_below(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _hashes_of(get_hashes, reversed(ranges))


def prove_consistency(get_hashes: GetHashes, size1: int, size2: int) -> list[bytes]:
    """Return the hashes that show that the tree of size2 leaves starts with that of size1.

    Raises:
        ProofError: size1 is larger than size2.
    """
    if not 0 <= size1 <= size2 <= SIZE_LIMIT:
        raise ProofError(f"a log of {size2} entries cannot continue one of {size1}", kind="consistency")
    if size1 in {0, size2}:
        return []
    ranges, start, stop = [], 0, size2
    while stop != size1:
        middle = start + _largest_power_below(stop - start)
        if size1 <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        # The old tree's right end is not its whole root: whoever checks needs it to start from.
        ranges.append((start, stop))
    return _hashes_of(get_hashes, reversed(ranges))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in the tree with this root.

    Args:
        leaf: Hash of the entry.
        index: Its position.
        size: Entries in the tree.
        proof: As from `prove_inclusion`.
        root: Root of the tree.

    Raises:
        ProofError: It is not, or nothing shows that it is.

    Source:
        RFC 9162, 2.1.3.2.
    """
    _check_hashes((leaf, root, *proof), "inclusion")
    if not 0 <= index < size <= SIZE_LIMIT:
        raise ProofError(f"a log of {size} entries has no entry {index}", kind="inclusion")
    position, last, top = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof of inclusion is too long", kind="inclusion")
        if position & 1 or position == last:
            top = node_hash(sibling, top)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            top = node_hash(top, sibling)
        position, last = position >> 1, last >> 1
    if last or top != root:
        raise ProofError(f"the proof does not lead from entry {index} to the log's root", kind="inclusion")


def check_consistency(size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of size2 leaves starts with that of size1; the empty tree starts every tree.

    Args:
        size1: Entries in the earlier tree.
        root1: Its root.
        size2: Entries in the later tree.
        root2: Its root.
        proof: As from `prove_consistency`.

    Raises:
        ProofError: It does not, or nothing shows that it does.

    Source:
        RFC 9162, 2.1.4.2; the case of an empty tree as in c2sp.org/tlog-witness.
    """
    _check_hashes((root1, root2, *proof), "consistency")
    if not 0 <= size1 <= size2 <= SIZE_LIMIT:
        raise ProofError(f"a log of {size2} entries cannot continue one of {size1}", kind="consistency")
    if size1 in {0, size2}:
        _check_without_proof(size1, root1, root2 if size1 == size2 else EMPTY_ROOT, proof)
        return
    # 1. Climb over what is a complete right end in both trees.
    position, last = size1 - 1, size2 - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    # 2. Start from the old tree's right end: its whole root if that is one complete node, else the first hash.
    rest = iter(proof)
    old = new = root1 if position == 0 else next(rest, b"")
    if not old:
        raise ProofError("the proof of consistency is too short", kind="consistency")
    # 3. Fold left siblings into both roots, right siblings only into the new one.
    for sibling in rest:
        if last == 0:
            raise ProofError("the proof of consistency is too long", kind="consistency")
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    # 4. Both must come out.
    if last or old != root1 or new != root2:
        raise ProofError(f"the log of {size2} entries does not continue that of {size1}", kind="consistency")


def _check_without_proof(size: int, root: bytes, expected: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError("the proof of consistency is too long", kind="consistency")
    if root != expected or (size == 0 and root != EMPTY_ROOT):
        raise ProofError(f"there are two different logs of {size} entries", kind="consistency")


def _hashes_of(get_hashes: GetHashes, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
    """Return the hash of each range of leaves, asking once for all the nodes."""
    parts = [nodes_of(start, stop) for start, stop in ranges]
    found = iter(get_hashes([node for part in parts for node in part]))
    return [_fold([next(found) for _ in part]) for part in parts]


def _fold(hashes: Sequence[bytes]) -> bytes:
    top = hashes[-1]
    for left in reversed(hashes[:-1]):
        top = node_hash(left, top)
    return top


def _largest_power_below(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


def _check_hashes(hashes: Iterable[bytes], kind: str) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofError("a hash is not 32 bytes long", kind=kind)
