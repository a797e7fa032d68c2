"""Tiles: a log as files that never change. `checkpoint` is the only file of a log that does.

A tile of level L holds up to 256 hashes, each over 256^L entries; a bundle holds up to 256 entries. What is not full
has its width in its name, `tile/0/x001/x234/067.p/112`. Source: c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from askfirst.errors import FormatError
from askfirst.tlog.tree import HASH_BYTES, Node

__all__ = [
    "BUNDLE_LIMIT_BYTES",
    "ENTRY_LIMIT_BYTES",
    "TILE_BYTES",
    "TILE_LEVELS",
    "TILE_WIDTH",
    "bundle_of",
    "entries_of",
    "entry_bundle_path",
    "full_path",
    "hash_in_tile",
    "hash_of_tile",
    "hashes_of_tile",
    "tile_of_node",
    "tile_path",
    "tile_width",
]

TILE_WIDTH = 256
TILE_LEVELS = 8
"""A tile of level L is followed by one of level L + 1 that lies eight levels of the tree higher."""
ENTRY_LIMIT_BYTES = 65_535
"""What the two bytes in front of each entry of a bundle can say."""
TILE_BYTES = TILE_WIDTH * HASH_BYTES
BUNDLE_LIMIT_BYTES = TILE_WIDTH * (ENTRY_LIMIT_BYTES + 2)


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return where a tile of hashes lies, below the log's address."""
    if not 0 <= level <= 63:
        raise ValueError(f"no tile has level {level}")
    return f"tile/{level}/{_number_path(index, width)}"


def entry_bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return where a bundle of entries lies, below the log's address."""
    return f"tile/entries/{_number_path(index, width)}"


def full_path(path: str) -> str:
    """Return the path of the full tile that a partial one grows into; a log may drop the partial one then."""
    return path.partition(".p/")[0]


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes tile `index` of a level holds in a log of this size, 0 to 256."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_LEVELS * level)) - index * TILE_WIDTH))


def tile_of_node(node: Node) -> tuple[int, int]:
    """Return level and index of the tile from which a node's hash is made."""
    level, index = node
    return level // TILE_LEVELS, (index << (level % TILE_LEVELS)) // TILE_WIDTH


def hash_in_tile(tile: bytes, node: Node) -> bytes:
    """Return a node's hash from the tile named by `tile_of_node`. Cost: at most 127 hashes.

    Raises:
        FormatError: The tile ends before it.
    """
    level, index = node
    count = 1 << (level % TILE_LEVELS)
    start = (index * count) % TILE_WIDTH
    if len(tile) < (start + count) * HASH_BYTES:
        raise FormatError("a tile of the log ends before the hash that is needed", expected=f"{start + count} hashes")
    return _top_of(tile[start * HASH_BYTES : (start + count) * HASH_BYTES])


def hash_of_tile(tile: bytes) -> bytes:
    """Return the hash of a full tile: what stands for it in the tile a level higher."""
    if len(tile) != TILE_BYTES:
        raise ValueError("only a full tile has a hash")
    return _top_of(tile)


def hashes_of_tile(data: bytes, width: int, path: str = "") -> list[bytes]:
    """Return the hashes in a tile of exactly this width.

    Raises:
        FormatError: It is shorter or longer.
    """
    if len(data) != width * HASH_BYTES:
        raise FormatError(
            f"{path or 'a tile'} is {len(data)} bytes, not {width * HASH_BYTES}",
            path=path,
            expected=f"{width * HASH_BYTES} bytes",
            found=f"{len(data)} bytes",
        )
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def bundle_of(entries: Sequence[bytes]) -> bytes:
    """Return entries as a bundle: before each its length in two bytes.

    Raises:
        OverflowError: An entry of more than 65,535 bytes.
    """
    return b"".join([len(entry).to_bytes(2) + entry for entry in entries])


def entries_of(bundle: bytes, width: int, path: str = "") -> Iterator[bytes]:
    """Read the entries of a bundle of exactly this width.

    Raises:
        FormatError: It ends within an entry, or holds fewer or more.
    """
    at, end = 0, len(bundle)
    for _ in range(width):
        stop = at + 2 + int.from_bytes(bundle[at : at + 2])
        if at + 2 > end or stop > end:
            raise FormatError(f"{path or 'a bundle'} ends within an entry", path=path, expected=f"{width} entries")
        yield bundle[at + 2 : stop]
        at = stop
    if at != end:
        raise FormatError(f"{path or 'a bundle'} goes on after its {width} entries", path=path)


def _top_of(hashes: bytes) -> bytes:
    # `node_hash` over two hashes that lie side by side: no need to take them apart and join them again.
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs])
    return hashes


def _number_path(number: int, width: int) -> str:
    if number < 0 or not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"no tile has index {number} and width {width}")
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
